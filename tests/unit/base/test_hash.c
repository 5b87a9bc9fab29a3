/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { TEXT_BYTES = 200000 };

/* The input of every published vector: 0, 1, ... 250, 0, 1, ... */
static uint8_t text[TEXT_BYTES];

static void assert_hash(struct steme_hash got, struct steme_hash want, const char *name)
{
    assert_row(memcmp(got.bytes, want.bytes, HASH_BYTES) == 0, name);
}

static void check_vector(const json_t *row)
{
    size_t size = (size_t)json_integer_value(json_object_get(row, "input_len"));
    const char *hex = json_string_value(json_object_get(row, "hash"));
    assert_true(size <= TEXT_BYTES && hex && strlen(hex) >= 2 * HASH_BYTES);
    struct steme_slice long_hash = testing_bytes(hex);
    struct steme_hash want;
    memcpy(want.bytes, long_hash.data, HASH_BYTES);
    testing_free(long_hash);
    char name[64];
    snprintf(name, sizeof name, "the vector of %zu bytes", size);
    assert_hash(hash_one(slice_of(text, size)), want, name);
    for (size_t first = 0; first <= size; first += size / 7 + 1)
        assert_hash(hash_two(slice_of(text, first), slice_of(text + first, size - first)), want, name);
    struct steme_slice same[20];
    struct steme_hash out[20];
    for (size_t i = 0; i < countof(same); i++)
        same[i] = slice_of(text, size);
    hash_many(same, countof(same), out);
    for (size_t i = 0; i < countof(same); i++)
        assert_hash(out[i], want, name);
}

static void the_published_vectors_hold(void **state)
{
    (void)state;
    char *path = testing_data_path("vectors/blake3/test_vectors.json");
    if (!path) skip();
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error);
    free(path);
    assert_non_null(root);
    const json_t *cases = json_object_get(root, "cases");
    assert_true(json_array_size(cases) >= 30);
    for (size_t i = 0; i < json_array_size(cases); i++)
        check_vector(json_array_get(cases, i));
    json_decref(root);
}

static void a_known_hash_comes_out(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
    } rows[] = {
        { "nothing", "", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
        { "abc", "abc", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct steme_hash got = hash_one(slice_text(rows[i].text));
        char *hex = testing_hex(slice_of(got.bytes, HASH_BYTES));
        assert_row_text(hex, rows[i].want, rows[i].name);
        free(hex);
    }
}

static void the_lanes_are_on(void **state)
{
    (void)state;
    assert_true(hash_init());
    assert_true(hash_init());
}

static size_t random_size(struct prng *prng)
{
    switch (prng_below(prng, 4)) {
    case 0: return (size_t)prng_below(prng, 3000);      /* any, longer than a chunk too */
    case 1: return (size_t)(64 * prng_below(prng, 20)); /* whole blocks, some past the lanes */
    default: return (size_t)(64 * (1 + prng_below(prng, 8)));
    }
}

static void many_hashes_equal_one_at_a_time(void **state)
{
    (void)state;
    enum { MOST = 700 };
    struct prng prng = { 42 };
    static struct steme_slice inputs[MOST];
    static struct steme_hash out[MOST + 1];
    for (int round = 0; round < 60; round++) {
        size_t count = (size_t)prng_below(&prng, round % 3 ? 40 : MOST + 1);
        for (size_t i = 0; i < count; i++) {
            size_t size = random_size(&prng);
            inputs[i] = slice_of(text + prng_below(&prng, TEXT_BYTES - size), size);
        }
        memset(out[count].bytes, 0x5A, HASH_BYTES);
        hash_many(inputs, count, out);
        for (size_t i = 0; i < count; i++)
            assert_hash(out[i], hash_one(inputs[i]), "one of many");
        for (size_t i = 0; i < HASH_BYTES; i++)
            assert_int_equal(out[count].bytes[i], 0x5A);
    }
}

static void every_length_and_group_size_is_right(void **state)
{
    (void)state;
    struct steme_slice inputs[40];
    struct steme_hash out[40];
    for (size_t blocks = 0; blocks <= 17; blocks++) {
        for (size_t count = 0; count <= countof(inputs); count++) {
            for (size_t i = 0; i < count; i++)
                inputs[i] = slice_of(text + 3 * i, 64 * blocks);
            hash_many(inputs, count, out);
            for (size_t i = 0; i < count; i++)
                assert_hash(out[i], hash_one(inputs[i]), "a group");
        }
    }
}

static void inputs_may_end_where_memory_ends(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 130; size++) { /* AddressSanitizer looks for reads past the end */
        uint8_t *exact = malloc(size ? size : 1);
        assert_non_null(exact);
        memcpy(exact, text, size);
        struct steme_slice input = slice_of(size ? exact : NULL, size);
        struct steme_hash out;
        hash_many(&input, 1, &out);
        assert_hash(out, hash_one(slice_of(text, size)), "exact memory");
        assert_hash(hash_two(input, slice_of(NULL, 0)), out, "first of two");
        assert_hash(hash_two(slice_of(NULL, 0), input), out, "second of two");
        free(exact);
    }
}

static void *hash_in_thread(void *unused)
{
    (void)unused;
    static const struct steme_hash failed;
    struct steme_slice inputs[16];
    struct steme_hash out[16];
    for (size_t i = 0; i < 16; i++)
        inputs[i] = slice_of(text + i, 320);
    hash_many(inputs, 16, out);
    for (size_t i = 0; i < 16; i++) {
        struct steme_hash one = hash_one(inputs[i]);
        if (memcmp(one.bytes, out[i].bytes, HASH_BYTES) != 0) return (void *)(uintptr_t)&failed;
    }
    return NULL;
}

static void threads_may_all_be_the_first(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_in_thread, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
}

/* Inputs that end where readable memory ends, as the last record of a mapped log does. */
static void nothing_is_read_past_the_end_of_an_input(void **state)
{
    (void)state;
    enum { PAGE = 4096, MOST = 24 };
    uint8_t *pages = mmap(NULL, (size_t)2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    for (size_t i = 0; i < PAGE; i++)
        pages[i] = (uint8_t)(i * 7);
    assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    for (size_t size = 64; size <= HASH_LANE_MAX_BYTES; size += 64) {
        struct steme_slice inputs[MOST];
        struct steme_hash out[MOST], want = hash_one(slice_of(pages + PAGE - size, size));
        for (size_t count = 1; count <= MOST; count++) {
            inputs[count - 1] = slice_of(pages + PAGE - size, size);
            hash_many(inputs, count, out);
            for (size_t i = 0; i < count; i++)
                assert_memory_equal(&out[i], &want, sizeof want);
        }
    }
    assert_int_equal(munmap(pages, (size_t)2 * PAGE), 0);
}

int main(void)
{
    for (size_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (uint8_t)(i % 251);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_may_all_be_the_first), /* so it runs first */
        cmocka_unit_test(the_lanes_are_on),
        cmocka_unit_test(nothing_is_read_past_the_end_of_an_input),
        cmocka_unit_test(a_known_hash_comes_out),
        cmocka_unit_test(the_published_vectors_hold),
        cmocka_unit_test(many_hashes_equal_one_at_a_time),
        cmocka_unit_test(every_length_and_group_size_is_right),
        cmocka_unit_test(inputs_may_end_where_memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
