/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/kv_testing.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lib/testing.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Odd, so that different numbers give different keys. */
#define SPREAD 0x9E3779B97F4A7C15u

static struct steme_error failure;

steme_status kv_testing_open(const char *dir, unsigned how, uint64_t map_bytes, struct kv **out,
                             struct steme_error *err)
{
    struct kv_lmdb_options options = {
        .dir = dir,
        .create = how & KV_TESTING_CREATE,
        .read_only = how & KV_TESTING_READ_ONLY,
        .map_bytes = map_bytes,
    };
    return kv_lmdb_open(host_posix(), &options, out, err);
}

struct kv *kv_testing_lmdb(const char *dir, unsigned how)
{
    struct kv *kv = NULL;
    assert_status(kv_testing_open(dir, how, 0, &kv, &failure), STEME_OK, &failure, "open");
    return kv;
}

struct kv_txn *kv_testing_begin(struct kv *kv, enum kv_mode mode)
{
    struct kv_txn *txn = NULL;
    assert_status(kv_begin(kv, mode, &txn, &failure), STEME_OK, &failure, "begin");
    return txn;
}

steme_status kv_pairs_put(struct kv_txn *txn, void *context, struct steme_error *err)
{
    const struct kv_pairs *pairs = context;
    uint8_t key[8], value[KV_TESTING_VALUE_MAX];
    invariant(pairs->value_bytes >= 8 && pairs->value_bytes <= sizeof(value));
    for (uint64_t i = pairs->first; i < pairs->first + pairs->count; i++) {
        store_u64be(key, i * SPREAD);
        memset(value, (int)(i & 0xff), pairs->value_bytes);
        store_u64(value, i);
        steme_status status = kv_put(txn, slice_of(key, sizeof(key)), slice_of(value, pairs->value_bytes), err);
        if (status) return status;
    }
    return STEME_OK;
}

void kv_pairs_load(struct kv *kv, uint64_t first, uint64_t count, size_t value_bytes)
{
    struct kv_pairs pairs = { first, count, value_bytes };
    assert_status(kv_update(kv, kv_pairs_put, &pairs, &failure), STEME_OK, &failure, "load");
}

bool kv_pairs_prove(struct kv_pair pair)
{
    if (pair.key.size != 8 || pair.value.size < 8) return false;
    uint64_t number = load_u64(pair.value.data);
    if (load_u64be(pair.key.data) != number * SPREAD) return false;
    for (size_t i = 8; i < pair.value.size; i++)
        if (pair.value.data[i] != (number & 0xff)) return false;
    return true;
}

steme_status kv_pairs_count(struct kv_txn *txn, uint64_t *count_out, struct steme_error *err)
{
    struct kv_cursor cursor;
    struct kv_pair pair;
    uint64_t count = 0;
    steme_status status = kv_seek(txn, slice_of(NULL, 0), slice_of(NULL, 0), &cursor, &pair, err);
    for (; !status; count++) {
        if (!kv_pairs_prove(pair))
            return error_set(err, STEME_MISMATCH, "pair %llu proves nothing", (unsigned long long)count);
        status = kv_next(&cursor, &pair, err);
    }
    if (status != STEME_NOT_FOUND) return status;
    *count_out = count;
    return STEME_OK;
}

uint64_t kv_pairs_in(struct kv *kv)
{
    uint64_t count = 0;
    struct kv_txn *txn = kv_testing_begin(kv, KV_READ);
    assert_status(kv_pairs_count(txn, &count, &failure), STEME_OK, &failure, "count");
    kv_abort(&txn);
    return count;
}

int kv_testing_child(int (*body)(void *context), void *context)
{
    int facts = 0;
    fflush(NULL); /* else the child writes it once more */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(body(context));
    assert_int_equal(waitpid(child, &facts, 0), child);
    return WIFEXITED(facts) ? WEXITSTATUS(facts) : KV_TESTING_KILLED + WTERMSIG(facts);
}

int kv_testing_make_dir(void **state)
{
    *state = testing_make_temporary();
    return 0;
}

int kv_testing_remove_dir(void **state)
{
    testing_remove_temporary(*state);
    return 0;
}
