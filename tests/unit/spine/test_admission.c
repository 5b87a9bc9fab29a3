/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/admission.h"

#include "base/check.h"
#include "base/slice.h"
#include "lib/pile.h"
#include "lib/testing.h"

#include <stdlib.h>
#include <string.h>

enum { NO_MATTER = 99 };

static struct steme_error failure;

/* What the tables start from: a claim by agent 0, a vote by agent 1, a bundle of three by agent 2, a claim by agent 3.
 * That is the records 0, 1, 2 (members 3, 4, 5), 6. */
enum { CLAIM, VOTE, BUNDLE, MEMBER, SECOND_MEMBER, LAST_MEMBER, LAST_CLAIM, RECORDS };

struct world {
    struct pile pile;
    struct steme_signed records[RECORDS + 1];
    size_t count;
};

static int make(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) return -1;
    pile_init(&w->pile);
    struct steme_hash id = pile_add(&w->pile, 0, pile_claim("Pluto", "is a", "planet"));
    (void)pile_add(&w->pile, 1, pile_vote(pile_on_assertion("Pluto", id), STEME_REFUTE));
    struct steme_assertion members[] = { pile_claim("Pluto", "is a", "dwarf planet").as.assertion,
                                         pile_claim("Ceres", "is a", "dwarf planet").as.assertion,
                                         pile_claim("Eris", "is a", "dwarf planet").as.assertion };
    (void)pile_add_bundle(&w->pile, 2, members, countof(members));
    (void)pile_add(&w->pile, 3, pile_claim("Ceres", "is a", "asteroid"));
    w->count = w->pile.record_count;
    memcpy(w->records, w->pile.records, w->count * sizeof *w->records);
    *state = w;
    return 0;
}

static int unmake(void **state)
{
    struct world *w = *state;
    pile_deinit(&w->pile);
    free(w);
    return 0;
}

static steme_status check(const struct world *w, bool verify, struct arena *arena, struct admitted **out, size_t *bad)
{
    return admission_check(w->records, w->count, verify, arena, out, bad, &failure);
}

static void sound_records_are_admitted_in_groups(void **state)
{
    struct world *w = *state;
    static const size_t groups[RECORDS] = { 1, 1, 4, 0, 0, 0, 1 };
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    arena_init(&arena, 1 << 20);
    assert_status(check(w, true, &arena, &admitted, &bad), STEME_OK, &failure, "all");
    assert_int_equal(bad, RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(admitted[i].group_count, groups[i]);
        assert_memory_equal(&admitted[i].record.id, &w->pile.ids[i], sizeof w->pile.ids[i]);
        assert_ptr_equal(admitted[i].record.bytes.data, w->records[i].bytes.data);
        assert_int_equal(admitted[i].record.signature != NULL, w->records[i].is_signed);
    }
    assert_int_equal(admitted[CLAIM].type, STEME_ASSERTION);
    assert_int_equal(admitted[VOTE].type, STEME_VOTE);
    assert_int_equal(admitted[BUNDLE].type, STEME_BUNDLE);
    arena_deinit(&arena);
}

/* ---- what is refused ---- */

/* A copy takes the record's place, with one bit of that byte changed. */
static uint8_t *change_byte(struct world *w, size_t record, size_t at)
{
    struct steme_slice old = w->records[record].bytes;
    uint8_t *bytes = arena_alloc(&w->pile.arena, old.size);
    assert_non_null(bytes);
    memcpy(bytes, old.data, old.size);
    bytes[at] ^= 1;
    w->records[record].bytes = slice_of(bytes, old.size);
    return bytes;
}

static void swap(struct world *w, size_t a, size_t b)
{
    struct steme_signed kept = w->records[a];
    w->records[a] = w->records[b];
    w->records[b] = kept;
}

static void change_nothing(struct world *w) { (void)w; }
static void drop_all(struct world *w) { w->count = 0; }
static void unsign_claim(struct world *w) { w->records[CLAIM].is_signed = false; }
static void unsign_last(struct world *w) { w->records[LAST_CLAIM].is_signed = false; }
static void unsign_bundle(struct world *w) { w->records[BUNDLE].is_signed = false; }
static void sign_of_another(struct world *w) { w->records[LAST_CLAIM].signature = w->records[CLAIM].signature; }
static void flip_signature(struct world *w) { w->records[VOTE].signature.bytes[40] ^= 1; }
static void flip_bundle_signature(struct world *w) { w->records[BUNDLE].signature.bytes[0] ^= 1; }
static void end_in_bundle(struct world *w) { w->count = LAST_MEMBER; }
static void end_at_bundle(struct world *w) { w->count = MEMBER; }
static void swap_members(struct world *w) { swap(w, MEMBER, SECOND_MEMBER); }
static void sign_member(struct world *w)
{
    w->records[SECOND_MEMBER].is_signed = true;
    w->records[SECOND_MEMBER].signature = sign_record(pile_agent(2), &w->pile.ids[SECOND_MEMBER]);
}
static void put_other_in_bundle(struct world *w)
{
    w->records[LAST_MEMBER] = w->records[LAST_CLAIM];
    w->records[LAST_MEMBER].is_signed = false;
}
static void put_vote_in_bundle(struct world *w)
{
    w->records[LAST_MEMBER] = w->records[VOTE];
    w->records[LAST_MEMBER].is_signed = false;
}
static void drop_bundle(struct world *w)
{
    memmove(&w->records[BUNDLE], &w->records[MEMBER], (RECORDS - MEMBER) * sizeof w->records[0]);
    w->count--;
}
static void add_member(struct world *w)
{
    w->records[w->count] = w->records[MEMBER];
    w->count++;
}
static void flip_padding(struct world *w) { (void)change_byte(w, VOTE, w->records[VOTE].bytes.size - 1); }
static void flip_confidence(struct world *w) { (void)change_byte(w, CLAIM, 72); }
static void flip_member(struct world *w) { (void)change_byte(w, MEMBER, 72); }
static void make_unknown(struct world *w)
{
    uint8_t *bytes = change_byte(w, VOTE, 0);
    bytes[0] = 9;
}
static void make_empty(struct world *w) { w->records[VOTE].bytes = slice_of(NULL, 0); }
static void cut(struct world *w) { w->records[VOTE].bytes.size -= 64; }
static void make_huge(struct world *w) { w->records[VOTE].bytes.size = STEME_RECORD_MAX + 64; }

static const struct {
    const char *name;
    void (*change)(struct world *w);
    steme_status want;
    size_t bad;
} refusals[] = {
    { "no record at all", drop_all, STEME_BAD_INPUT, 0 },
    { "an unsigned record in front", unsign_claim, STEME_BAD_SIGNATURE, CLAIM },
    { "an unsigned record behind a whole bundle", unsign_last, STEME_BAD_SIGNATURE, LAST_CLAIM },
    { "an unsigned bundle", unsign_bundle, STEME_BAD_SIGNATURE, BUNDLE },
    { "the signature of another id", sign_of_another, STEME_BAD_SIGNATURE, LAST_CLAIM },
    { "a signature with a bit wrong", flip_signature, STEME_BAD_SIGNATURE, VOTE },
    { "a bundle's signature with a bit wrong", flip_bundle_signature, STEME_BAD_SIGNATURE, BUNDLE },
    { "a bundle whose last member is missing", end_in_bundle, STEME_BAD_INPUT, BUNDLE },
    { "a bundle without any of its members", end_at_bundle, STEME_BAD_INPUT, BUNDLE },
    { "members in another order", swap_members, STEME_BAD_INPUT, MEMBER },
    { "a member that is signed", sign_member, STEME_BAD_INPUT, SECOND_MEMBER },
    { "a member that is not in the list, and by another author", put_other_in_bundle, STEME_BAD_INPUT, LAST_MEMBER },
    { "a member that is no assertion", put_vote_in_bundle, STEME_BAD_INPUT, LAST_MEMBER },
    { "members without their bundle", drop_bundle, STEME_BAD_SIGNATURE, BUNDLE },
    { "a member too many", add_member, STEME_BAD_SIGNATURE, RECORDS },
    { "padding that is not zero", flip_padding, STEME_BAD_INPUT, VOTE },
    { "bytes changed after signing", flip_confidence, STEME_BAD_INPUT, CLAIM },
    { "a member changed after signing", flip_member, STEME_BAD_INPUT, MEMBER },
    { "a type this program does not know", make_unknown, STEME_UNSUPPORTED, VOTE },
    { "no bytes", make_empty, STEME_BAD_INPUT, VOTE },
    { "a record cut short", cut, STEME_BAD_INPUT, VOTE },
    { "a record over the limit", make_huge, STEME_TOO_LARGE, VOTE },
};

static void refuse_row(size_t row)
{
    void *state = NULL;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    assert_int_equal(make(&state), 0);
    struct world *w = state;
    arena_init(&arena, 1 << 20);
    refusals[row].change(w);
    failure.message[0] = '\0';
    steme_status got = check(w, true, &arena, &admitted, &bad);
    assert_status(got, refusals[row].want, &failure, refusals[row].name);
    assert_row(bad == refusals[row].bad, refusals[row].name);
    assert_row(admitted == NULL, refusals[row].name);
    assert_row(failure.message[0] != '\0', refusals[row].name);
    arena_deinit(&arena);
    (void)unmake(&state);
}

static void what_is_not_sound_is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(refusals); i++)
        refuse_row(i);
}

/* ---- a bundle that lists an assertion of somebody else ---- */

/* Signed by agent 2, who lists what agent 3 wrote. */
static void a_bundle_speaks_for_its_author_only(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    struct steme_record list = { .type = STEME_BUNDLE,
                                 .as.bundle = { .members = &w->pile.ids[LAST_CLAIM], .member_count = 1 } };
    (void)pile_add(&w->pile, 2, list);
    w->records[0] = w->pile.records[w->pile.record_count - 1];
    w->records[1] = (struct steme_signed){ .bytes = w->pile.records[LAST_CLAIM].bytes };
    w->count = 2;
    arena_init(&arena, 1 << 20);
    assert_int_equal(check(w, true, &arena, &admitted, &bad), STEME_BAD_INPUT);
    assert_int_equal(bad, 1);
    assert_non_null(strstr(failure.message, "another author"));
    arena_deinit(&arena);
}

/* Signed by agent 2, who lists a vote of its own. */
static void a_bundle_lists_assertions_only(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    struct steme_target target = pile_on_assertion("Ceres", w->pile.ids[LAST_CLAIM]);
    struct steme_hash vote = pile_add(&w->pile, 2, pile_vote(target, STEME_SUPPORT));
    struct steme_record list = { .type = STEME_BUNDLE, .as.bundle = { .members = &vote, .member_count = 1 } };
    (void)pile_add(&w->pile, 2, list);
    w->records[0] = w->pile.records[w->pile.record_count - 1];
    w->records[1] = (struct steme_signed){ .bytes = w->pile.records[w->pile.record_count - 2].bytes };
    w->count = 2;
    arena_init(&arena, 1 << 20);
    assert_int_equal(check(w, true, &arena, &admitted, &bad), STEME_BAD_INPUT);
    assert_int_equal(bad, 1);
    assert_non_null(strstr(failure.message, "unsigned assertions"));
    arena_deinit(&arena);
}

/* Of the first assertion, in a bundle, two later records make the list only long enough by one. */
static void what_follows_a_short_bundle_is_not_its_member(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    swap(w, LAST_MEMBER, LAST_CLAIM); /* bundle, two members, a signed stranger, the third member */
    arena_init(&arena, 1 << 20);
    assert_int_equal(check(w, true, &arena, &admitted, &bad), STEME_BAD_INPUT);
    assert_int_equal(bad, LAST_MEMBER);
    arena_deinit(&arena);
}

static void without_verifying_all_but_the_signature_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*change)(struct world *);
        steme_status want;
    } rows[] = {
        { "sound", change_nothing, STEME_OK },
        { "a wrong signature", flip_signature, STEME_OK },
        { "no signature", unsign_claim, STEME_BAD_SIGNATURE },
        { "swapped members", swap_members, STEME_BAD_INPUT },
        { "not canonical", flip_padding, STEME_BAD_INPUT },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        void *own = NULL;
        struct arena arena;
        struct admitted *admitted = NULL;
        assert_int_equal(make(&own), 0);
        rows[i].change(own);
        arena_init(&arena, 1 << 20);
        assert_status(check(own, false, &arena, &admitted, NULL), rows[i].want, &failure, rows[i].name);
        arena_deinit(&arena);
        (void)unmake(&own);
    }
}

static void too_many_records_are_refused(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER, count = STEME_BATCH_RECORDS_MAX + 1;
    struct steme_signed *many = calloc(count, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < count; i++)
        many[i] = w->records[CLAIM];
    arena_init(&arena, 64 << 20);
    assert_int_equal(admission_check(many, count, false, &arena, &admitted, &bad, &failure), STEME_TOO_LARGE);
    assert_int_equal(bad, count);
    bad = NO_MATTER;
    assert_status(admission_check(many, count - 1, false, &arena, &admitted, &bad, &failure), STEME_OK, &failure,
                  "max");
    assert_int_equal(bad, count - 1);
    free(many);
    arena_deinit(&arena);
}

/* Each is as long as a record's text may be; together they pass what one write may hold. */
static void too_many_bytes_are_refused(void **state)
{
    struct world *w = *state;
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    enum { COUNT = STEME_BATCH_BYTES_MAX / STEME_TEXT_MAX };
    static uint8_t text[STEME_TEXT_MAX];
    static struct steme_signed many[COUNT];
    memset(text, 't', sizeof text);
    struct steme_record record = pile_claim("a long text", "is", "x");
    record.as.assertion.object = (struct steme_value){ .kind = STEME_TEXT, .text = slice_of(text, sizeof text) };
    (void)pile_add(&w->pile, 0, record);
    for (size_t i = 0; i < COUNT; i++)
        many[i] = w->pile.records[w->pile.record_count - 1];
    arena_init(&arena, 1 << 20);
    assert_int_equal(admission_check(many, COUNT, false, &arena, &admitted, &bad, &failure), STEME_TOO_LARGE);
    assert_int_equal(bad, COUNT);
    assert_status(admission_check(many, COUNT - 2, false, &arena, &admitted, &bad, &failure), STEME_OK, &failure,
                  "fits");
    arena_deinit(&arena);
}

static void a_full_arena_is_told(void **state)
{
    struct world *w = *state;
    struct admitted *admitted = NULL;
    size_t bad = NO_MATTER;
    static const size_t ceilings[] = { 0, 64, 600, 700 };
    for (size_t i = 0; i < countof(ceilings); i++) {
        struct arena arena;
        arena_init(&arena, ceilings[i]);
        assert_int_equal(check(w, true, &arena, &admitted, &bad), STEME_NO_MEMORY);
        assert_int_equal(bad, RECORDS);
        arena_deinit(&arena);
    }
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, make, unmake)
    const struct CMUnitTest tests[] = {
        CASE(sound_records_are_admitted_in_groups),
        cmocka_unit_test(what_is_not_sound_is_refused_and_named),
        CASE(a_bundle_speaks_for_its_author_only),
        CASE(a_bundle_lists_assertions_only),
        CASE(what_follows_a_short_bundle_is_not_its_member),
        cmocka_unit_test(without_verifying_all_but_the_signature_is_checked),
        CASE(too_many_records_are_refused),
        CASE(too_many_bytes_are_refused),
        CASE(a_full_arena_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
