/* SPDX-License-Identifier: Apache-2.0 */
/* The world in memory against a plain model, the same fate from the same seed, and many threads in it. */
#include "base/check.h"
#include "base/prng.h"
#include "unit/host/mem_world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes, cuts, syncs and power cuts at random, against plain arrays. */
struct shadow {
    uint8_t now[8192], durable[8192];
    uint64_t size, durable_size;
};

static void step_shadow(struct prng *prng, struct host_file *file, struct shadow *shadow)
{
    uint8_t bytes[2000];
    uint64_t offset = prng_below(prng, 6000), size = prng_below(prng, sizeof bytes);
    switch (prng_below(prng, 5)) {
    case 0:
        sync_or_fail(file);
        memcpy(shadow->durable, shadow->now, sizeof shadow->now);
        shadow->durable_size = shadow->size;
        break;
    case 1:
        assert_int_equal(host_truncate(file, offset, NULL), STEME_OK);
        if (offset < shadow->size) memset(shadow->now + offset, 0, (size_t)(shadow->size - offset));
        shadow->size = offset;
        break;
    default:
        prng_fill(prng, bytes, size);
        assert_int_equal(try_write(file, offset, slice_of(bytes, size)), STEME_OK);
        memcpy(shadow->now + offset, bytes, size);
        if (size && offset + size > shadow->size) shadow->size = offset + size;
        break;
    }
}

/* Whatever is in the file is a piece of the present or of the disk, cut at the size. */
static void check_shadow(struct host *host, const struct shadow *shadow, struct shadow *after)
{
    struct host_file *file = open_or_fail(host, "a", HOST_READ);
    size_t size = 0;
    memset(after, 0, sizeof *after);
    assert_int_equal(host_read_at(file, 0, after->now, sizeof after->now, &size, NULL), STEME_OK);
    host_close(&file);
    uint64_t least = shadow->size < shadow->durable_size ? shadow->size : shadow->durable_size;
    uint64_t most = shadow->size > shadow->durable_size ? shadow->size : shadow->durable_size;
    assert_true(size >= least && size <= most);
    for (size_t at = 0; at < size; at += 512) {
        size_t part = size - at < 512 ? size - at : 512;
        assert_true(memcmp(after->now + at, shadow->now + at, part) == 0 ||
                    memcmp(after->now + at, shadow->durable + at, part) == 0);
    }
    memcpy(after->durable, after->now, sizeof after->now);
    after->size = after->durable_size = size;
}

static void random_histories_agree_with_a_plain_model(void **state)
{
    (void)state;
    struct prng prng = { 17 };
    for (uint64_t seed = 0; seed < 100; seed++) {
        static struct shadow shadow, after;
        memset(&shadow, 0, sizeof shadow);
        struct host *host = new_world(seed);
        make_durable(host, "a", "");
        for (int life = 0; life < 4; life++) {
            struct host_file *file = open_or_fail(host, "a", HOST_WRITE);
            for (uint64_t left = prng_below(&prng, 12); left > 0; left--) {
                step_shadow(&prng, file, &shadow);
                uint8_t got[8192];
                size_t size = 0;
                assert_int_equal(host_read_at(file, 0, got, sizeof got, &size, NULL), STEME_OK);
                assert_int_equal(size, shadow.size);
                assert_memory_equal(got, shadow.now, size);
            }
            host_close(&file);
            host_mem_power_cut(host, (unsigned)prng_below(&prng, 1001));
            check_shadow(host, &shadow, &after);
            shadow = after;
        }
        host_mem_free(host);
    }
}

/* Which of 64 pieces survive. */
static void run_a_life(uint64_t seed, uint8_t survivors[64])
{
    struct host *host = new_world(seed);
    struct host_file *file = open_or_fail(host, "a", HOST_WRITE | HOST_CREATE);
    assert_int_equal(host_sync_dir(host, "/", NULL), STEME_OK);
    static uint8_t text[32768];
    assert_int_equal(host_allocate(file, sizeof text, NULL), STEME_OK);
    sync_or_fail(file);
    memset(text, 'x', sizeof text);
    assert_int_equal(try_write(file, 0, slice_of(text, sizeof text)), STEME_OK);
    host_mem_power_cut(host, 500);
    host_close(&file);
    file = open_or_fail(host, "a", HOST_READ);
    size_t size = 0;
    memset(text, 0, sizeof text);
    assert_int_equal(host_read_at(file, 0, text, sizeof text, &size, NULL), STEME_OK);
    for (size_t i = 0; i < 64; i++)
        survivors[i] = text[i * 512];
    host_close(&file);
    host_mem_free(host);
}

static void the_same_seed_gives_the_same_fate(void **state)
{
    (void)state;
    uint8_t first[64], again[64], other[64];
    run_a_life(1, first);
    run_a_life(1, again);
    run_a_life(2, other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
}

struct worker {
    struct host *host;
    size_t number;
    steme_status status;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    char path[16];
    snprintf(path, sizeof path, "f%zu", worker->number);
    struct host_file *file = NULL;
    worker->status = host_open(worker->host, path, HOST_WRITE | HOST_CREATE, &file, NULL);
    for (uint64_t i = 0; i < 300 && !worker->status; i++) {
        worker->status = try_write(file, i * 100, slice_of(&i, sizeof i));
        if (!worker->status) worker->status = host_sync(file, NULL);
        if (!worker->status) worker->status = host_sync_dir(worker->host, "/", NULL);
        host_mem_advance_ns(worker->host, 1);
    }
    host_close(&file);
    return NULL;
}

static void threads_share_a_world(void **state)
{
    (void)state;
    struct host *host = new_world(1);
    uint64_t start = host_monotonic_ns(host);
    struct worker workers[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        workers[i] = (struct worker){ host, i, STEME_OK };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].status, STEME_OK);
    }
    assert_int_equal(host_monotonic_ns(host), start + 1200);
    assert_int_equal(host_mem_calls(host, HOST_MEM_SYNC), 1200);
    host_mem_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_agree_with_a_plain_model),
        cmocka_unit_test(the_same_seed_gives_the_same_fate),
        cmocka_unit_test(threads_share_a_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
