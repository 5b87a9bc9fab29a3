/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/sorter.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/prng.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/testing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, PAIRS = 40000, MANY = 150000 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

static struct host *new_world(void)
{
    struct host *host = host_mem_new(1);
    assert_non_null(host);
    OK(host_make_dir(host, "index", &failure));
    return host;
}

static struct sorter *new_sorter(struct host *host)
{
    struct sorter *sorter = NULL;
    OK(sorter_new(host, "index", MIB, &sorter, &failure));
    return sorter;
}

static size_t files_in(struct host *host)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, MIB);
    OK(host_list(host, "index", &arena, &entries, &count, &failure));
    arena_deinit(&arena);
    return count;
}

/* The kth pair: a key that repeats now and then, and k as the value, so that order among equals shows. */
static steme_status add_pair(struct sorter *sorter, struct prng *prng, uint32_t k, struct steme_error *err)
{
    uint8_t key[40], value[36] = { 0 };
    size_t size = 1 + prng_below(prng, sizeof key);
    memset(key, 'k', sizeof key);
    store_u16(key + size / 2, (uint16_t)prng_below(prng, 300));
    store_u32(value, k);
    return sorter_add(sorter, slice_of(key, size), slice_of(value, 4 + prng_below(prng, 33)), err);
}

struct drained {
    size_t count;
    bool in_order, stable;
};

static struct drained drain(struct sorter *sorter)
{
    struct drained out = { 0, true, true };
    uint8_t last[64];
    size_t last_size = 0;
    uint32_t last_number = 0;
    for (;; out.count++) {
        struct steme_slice key, value;
        steme_status status = sorter_next(sorter, &key, &value, &failure);
        if (status == STEME_NOT_FOUND) return out;
        OK(status);
        int order = out.count ? slice_compare(slice_of(last, last_size), key) : -1;
        uint32_t number = load_u32(value.data);
        out.in_order = out.in_order && order <= 0;
        out.stable = out.stable && (order != 0 || last_number < number);
        memcpy(last, key.data, key.size);
        last_size = key.size;
        last_number = number;
    }
}

static const struct {
    const char *name;
    uint32_t pairs;
    bool spills;
} sizes[] = {
    { "nothing", 0, false },     { "one pair", 1, false },    { "what fits in memory", 5000, false },
    { "two runs", PAIRS, true }, { "many runs", MANY, true },
};

static void pairs_come_out_in_order_and_equals_as_they_were_added(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(sizes); i++) {
        struct host *host = new_world();
        struct sorter *sorter = new_sorter(host);
        struct prng prng = { i };
        for (uint32_t k = 0; k < sizes[i].pairs; k++)
            OK(add_pair(sorter, &prng, k, &failure));
        struct drained got = drain(sorter);
        assert_row(got.count == sizes[i].pairs, sizes[i].name);
        assert_row(got.in_order, sizes[i].name);
        assert_row(got.stable, sizes[i].name);
        assert_row((files_in(host) > 0) == sizes[i].spills, sizes[i].name);
        sorter_free(&sorter);
        assert_row(files_in(host) == 0, sizes[i].name);
        host_mem_free(host);
    }
}

static void the_end_stays_the_end(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 0, 3, PAIRS };
    for (size_t i = 0; i < countof(counts); i++) {
        struct host *host = new_world();
        struct sorter *sorter = new_sorter(host);
        struct prng prng = { 7 };
        struct steme_slice key, value;
        for (uint32_t k = 0; k < counts[i]; k++)
            OK(add_pair(sorter, &prng, k, &failure));
        assert_int_equal(drain(sorter).count, counts[i]);
        for (unsigned again = 0; again < 3; again++)
            assert_int_equal(sorter_next(sorter, &key, &value, &failure), STEME_NOT_FOUND);
        sorter_free(&sorter);
        host_mem_free(host);
    }
}

/* The longest pairs there may be fill the memory in eight; the shortest have no value. */
static void pairs_of_every_length_come_back_whole(void **state)
{
    (void)state;
    static uint8_t bytes[65535];
    static const size_t lengths[][2] = { { 1, 0 }, { 65535, 65535 }, { 65535, 0 }, { 1, 65535 }, { 9, 1 } };
    struct host *host = new_world();
    struct sorter *sorter = new_sorter(host);
    size_t count = 0;
    uint64_t sum = 0, want = 0;
    for (size_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < countof(lengths); i++) {
            memset(bytes, (int)(round * 7 + i), sizeof bytes);
            OK(sorter_add(sorter, slice_of(bytes, lengths[i][0]), slice_of(bytes, lengths[i][1]), &failure));
            want += (lengths[i][0] + lengths[i][1]) * (uint64_t)bytes[0];
        }
    }
    for (;; count++) {
        struct steme_slice key, value;
        steme_status status = sorter_next(sorter, &key, &value, &failure);
        if (status == STEME_NOT_FOUND) break;
        OK(status);
        for (size_t i = 0; i < key.size; i++)
            sum += key.data[i];
        for (size_t i = 0; i < value.size; i++)
            sum += value.data[i];
    }
    assert_int_equal(count, 20 * countof(lengths));
    assert_int_equal(sum, want);
    sorter_free(&sorter);
    host_mem_free(host);
}

static void a_prefix_sorts_first_and_bytes_are_unsigned(void **state)
{
    (void)state;
    static const char *const keys[] = { "\xff", "ab", "a", "\x7f", "abcdefgh\x80", "abcdefgh", "abcdefgh\x01", "b" };
    static const char *const want[] = { "a", "ab", "abcdefgh", "abcdefgh\x01", "abcdefgh\x80", "b", "\x7f", "\xff" };
    struct host *host = new_world();
    struct sorter *sorter = new_sorter(host);
    for (size_t i = 0; i < countof(keys); i++)
        OK(sorter_add(sorter, slice_text(keys[i]), slice_of(NULL, 0), &failure));
    for (size_t i = 0; i < countof(want); i++) {
        struct steme_slice key, value;
        OK(sorter_next(sorter, &key, &value, &failure));
        assert_true(slice_equal(key, slice_text(want[i])));
        assert_int_equal(value.size, 0);
    }
    sorter_free(&sorter);
    host_mem_free(host);
}

static void a_zero_byte_sorts_behind_the_shorter_key(void **state)
{
    (void)state;
    static const uint8_t zeros[3] = { 'z', 0, 0 };
    struct host *host = new_world();
    struct sorter *sorter = new_sorter(host);
    struct steme_slice key, value;
    for (size_t size = 3; size > 0; size--)
        OK(sorter_add(sorter, slice_of(zeros, size), slice_of(NULL, 0), &failure));
    for (size_t size = 1; size <= 3; size++) {
        OK(sorter_next(sorter, &key, &value, &failure));
        assert_int_equal(key.size, size);
    }
    sorter_free(&sorter);
    host_mem_free(host);
}

/* ---- faults ---- */

/* Sort PAIRS pairs; the first failure. */
static steme_status sort_some(struct host *host, size_t *count_out)
{
    struct sorter *sorter = NULL;
    struct prng prng = { 3 };
    struct steme_slice key, value;
    *count_out = 0;
    steme_status status = sorter_new(host, "index", MIB, &sorter, &failure);
    for (uint32_t k = 0; !status && k < PAIRS; k++)
        status = add_pair(sorter, &prng, k, &failure);
    while (!status) {
        status = sorter_next(sorter, &key, &value, &failure);
        *count_out += status == STEME_OK;
    }
    sorter_free(&sorter);
    return status;
}

static const struct {
    const char *name;
    enum host_mem_call call;
    int os_errno;
    steme_status want;
} faults[] = {
    { "a full disk", HOST_MEM_WRITE, ENOSPC, STEME_NO_SPACE },
    { "a write that fails", HOST_MEM_WRITE, EIO, STEME_IO },
    { "a file that can't be made", HOST_MEM_OPEN, EMFILE, STEME_IO },
    { "a read that fails", HOST_MEM_READ, EIO, STEME_IO },
};

static void a_fault_at_any_call_is_told_and_leaves_no_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(faults); i++) {
        size_t count = 0, failed = 0;
        for (uint64_t nth = 1;; nth += 1 + nth / 3) {
            struct host *host = new_world();
            host_mem_fail(host, faults[i].call, nth, faults[i].os_errno, false);
            steme_status status = sort_some(host, &count);
            host_mem_fail(host, HOST_MEM_ANY, 0, 0, false);
            assert_row(files_in(host) == 0, faults[i].name);
            host_mem_free(host);
            if (status == STEME_NOT_FOUND) {
                assert_row(count == PAIRS, faults[i].name);
                break;
            }
            assert_status(status, faults[i].want, &failure, faults[i].name);
            failed++;
        }
        assert_row(failed >= 2, faults[i].name);
    }
}

static void a_file_in_the_way_is_told(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct host_file *file = NULL;
    size_t count = 0;
    OK(host_open(host, "index/sort-0.run", HOST_WRITE | HOST_CREATE, &file, &failure));
    host_close(&file);
    assert_int_equal(sort_some(host, &count), STEME_EXISTS);
    host_mem_free(host);
}

/* Rot in a temporary file must end in an error or in other pairs, not in a read outside of the buffer. */
static void a_rotten_run_is_no_reason_to_crash(void **state)
{
    (void)state;
    struct prng prng = { 11 };
    static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };
    for (unsigned round = 0; round < 16; round++) {
        struct host *host = new_world();
        struct sorter *sorter = new_sorter(host);
        struct prng pairs = { 3 };
        struct steme_slice key, value;
        struct host_stat facts;
        for (uint32_t k = 0; k < 25000; k++)
            OK(add_pair(sorter, &pairs, k, &failure));
        OK(host_stat(host, "index/sort-0.run", &facts, &failure));
        uint64_t at = round < 8 ? facts.size_bytes - round - 1 : prng_below(&prng, facts.size_bytes);
        size_t bytes = facts.size_bytes - at < 4 ? (size_t)(facts.size_bytes - at) : 4;
        OK(host_mem_poke(host, "index/sort-0.run", at, slice_of(ones, bytes), &failure));
        steme_status status = STEME_OK;
        for (size_t count = 0; !status && count < PAIRS; count++)
            status = sorter_next(sorter, &key, &value, &failure);
        assert_true(status == STEME_NOT_FOUND || status == STEME_IO);
        sorter_free(&sorter);
        host_mem_free(host);
    }
}

static void a_run_cut_short_is_told(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct sorter *sorter = new_sorter(host);
    struct prng prng = { 3 };
    struct host_file *file = NULL;
    struct steme_slice key, value;
    for (uint32_t k = 0; k < PAIRS; k++)
        OK(add_pair(sorter, &prng, k, &failure));
    OK(host_open(host, "index/sort-0.run", HOST_WRITE, &file, &failure));
    OK(host_truncate(file, 1000, &failure));
    host_close(&file);
    steme_status status = STEME_OK;
    while (!status)
        status = sorter_next(sorter, &key, &value, &failure);
    assert_status(status, STEME_IO, &failure, "cut");
    sorter_free(&sorter);
    host_mem_free(host);
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct sorter *sorter = NULL;
    char *path = calloc(1, 5001);
    assert_non_null(path);
    memset(path, 'd', 5000);
    assert_int_equal(sorter_new(host, path, MIB, &sorter, &failure), STEME_TOO_LARGE);
    assert_null(sorter);
    free(path);
    host_mem_free(host);
}

static void freeing_nothing_is_fine(void **state)
{
    (void)state;
    struct sorter *sorter = NULL;
    sorter_free(&sorter);
    assert_null(sorter);
}

/* ---- leftovers ---- */

static void cleaning_removes_runs_and_nothing_else(void **state)
{
    (void)state;
    static const char *const names[] = { "index/sort-0.run", "index/sort-17.run", "index/data.mdb",
                                         "index/sort.run",   "index/sort-1.ru",   "index/resort-1.run" };
    struct host *host = new_world();
    for (size_t i = 0; i < countof(names); i++) {
        struct host_file *file = NULL;
        OK(host_open(host, names[i], HOST_WRITE | HOST_CREATE, &file, &failure));
        host_close(&file);
    }
    OK(host_make_dir(host, "index/sort-2.run", &failure));
    OK(sorter_clean(host, "index", &failure));
    assert_int_equal(files_in(host), countof(names) - 2 + 1);
    host_mem_free(host);
}

static void cleaning_tells_what_stands_in_its_way(void **state)
{
    (void)state;
    struct host *host = new_world();
    struct host_file *file = NULL;
    assert_int_equal(sorter_clean(host, "nowhere", &failure), STEME_NOT_FOUND);
    OK(host_open(host, "index/sort-0.run", HOST_WRITE | HOST_CREATE, &file, &failure));
    host_close(&file);
    host_mem_fail(host, HOST_MEM_REMOVE, 1, EIO, false);
    assert_int_equal(sorter_clean(host, "index", &failure), STEME_IO);
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_out_in_order_and_equals_as_they_were_added),
        cmocka_unit_test(the_end_stays_the_end),
        cmocka_unit_test(pairs_of_every_length_come_back_whole),
        cmocka_unit_test(a_prefix_sorts_first_and_bytes_are_unsigned),
        cmocka_unit_test(a_zero_byte_sorts_behind_the_shorter_key),
        cmocka_unit_test(a_fault_at_any_call_is_told_and_leaves_no_files),
        cmocka_unit_test(a_file_in_the_way_is_told),
        cmocka_unit_test(a_rotten_run_is_no_reason_to_crash),
        cmocka_unit_test(a_run_cut_short_is_told),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(freeing_nothing_is_fine),
        cmocka_unit_test(cleaning_removes_runs_and_nothing_else),
        cmocka_unit_test(cleaning_tells_what_stands_in_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
