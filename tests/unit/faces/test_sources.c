/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "faces/cli/sources.h"
#include "lib/testing.h"
#include "steme/steme.h"

#include <stdio.h>

static struct steme_slice name_of(const struct sources *sources, const char *source)
{
    struct steme_hash id = steme_source_id(slice_text(source));
    return sources_name(sources, &id);
}

static void a_source_that_was_seen_has_its_name(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct sources sources = { .arena = &arena };
    char text[] = "NASA";
    struct steme_record record = { .type = STEME_ASSERTION, .as.assertion.source = slice_text(text) };
    assert_int_equal(name_of(&sources, "NASA").size, 0);
    sources_see(&sources, &record);
    text[0] = 'x'; /* it was copied */
    assert_true(slice_equal(name_of(&sources, "NASA"), slice_text("NASA")));
    assert_int_equal(name_of(&sources, "ESA").size, 0);
    sources_see(&sources, &(struct steme_record){ .type = STEME_ASSERTION });
    sources_see(&sources, &(struct steme_record){ .type = STEME_EPOCH });
    assert_int_equal(name_of(&sources, "").size, 0);
    arena_deinit(&arena);
}

static void of_too_many_sources_none_has_anothers_name(void **state)
{
    (void)state;
    struct arena arena;
    size_t known = 0;
    arena_init(&arena, 1 << 20);
    struct sources sources = { .arena = &arena };
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 2 * SOURCES_MAX; i++) {
            char text[32];
            snprintf(text, sizeof text, "source %u", i);
            struct steme_record record = { .type = STEME_ASSERTION, .as.assertion.source = slice_text(text) };
            if (round == 0) sources_see(&sources, &record);
            struct steme_slice name = name_of(&sources, text);
            assert_true(name.size == 0 || slice_equal(name, slice_text(text)));
            known += round == 1 && name.size > 0;
        }
    }
    assert_true(known > SOURCES_MAX / 2 && known <= SOURCES_MAX);
    arena_deinit(&arena);
}

static void without_memory_a_name_stays_unknown(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024);
    struct sources sources = { .arena = &arena };
    sources_see(&sources, &(struct steme_record){ .type = STEME_ASSERTION, .as.assertion.source = slice_text("NASA") });
    assert_int_equal(name_of(&sources, "NASA").size, 0);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_was_seen_has_its_name),
        cmocka_unit_test(of_too_many_sources_none_has_anothers_name),
        cmocka_unit_test(without_memory_a_name_stays_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
