/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/wal_world.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "host/host_mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool made;
    struct steme_slice bytes;
    struct steme_hash id;
    struct steme_signature signature;
} pool[WAL_WORLD_RECORDS];

static void make_record(size_t k)
{
    static uint8_t memory[WAL_WORLD_RECORDS][2048];
    struct prng prng = { k };
    size_t blocks = 1 + prng_below(&prng, k % 17 == 5 ? 32 : 12);
    prng_fill(&prng, memory[k], blocks * 64);
    prng_fill(&prng, &pool[k].signature, sizeof pool[k].signature);
    store_u64(memory[k], k);
    pool[k].bytes = slice_of(memory[k], blocks * 64);
    pool[k].id = hash_one(pool[k].bytes);
    pool[k].made = true;
}

struct wal_record wal_world_record(size_t k, bool member)
{
    assert_true(k < WAL_WORLD_RECORDS);
    if (!pool[k].made) make_record(k);
    return (struct wal_record){ pool[k].bytes, pool[k].id, member ? NULL : &pool[k].signature };
}

size_t wal_world_recognize(struct steme_slice bytes)
{
    size_t k = bytes.size >= 64 ? (size_t)load_u64(bytes.data) : WAL_WORLD_RECORDS;
    if (k >= WAL_WORLD_RECORDS || !pool[k].made || !slice_equal(bytes, pool[k].bytes))
        fail_msg("the log holds a record nobody handed in");
    return k;
}

void wal_world_create(struct wal_world *world, struct host *host, const char *name)
{
    struct steme_error err;
    memset(world, 0, sizeof *world);
    world->host = host;
    world->options = (struct wal_options){ .host = host, .dir = WAL_WORLD_DIR, .segment_bytes = 65536 };
    memset(world->options.store_id.bytes, 0x5a, sizeof world->options.store_id.bytes);
    assert_status(host_make_dir(host, WAL_WORLD_DIR, &err), STEME_OK, &err, name);
    assert_status(host_sync_dir(host, "/", &err), STEME_OK, &err, name);
    assert_status(wal_create(&world->options, &err), STEME_OK, &err, name);
}

steme_status wal_world_open(struct wal_world *world, struct steme_error *err)
{
    return wal_open(&world->options, &world->wal, &world->report, err);
}

void wal_world_close(struct wal_world *world) { wal_close(&world->wal); }

steme_status wal_world_append(struct wal_world *world, size_t count, bool bundle, struct steme_error *err)
{
    struct wal_record records[64];
    struct wal_place places[64];
    assert_true(count <= countof(records));
    for (size_t i = 0; i < count; i++)
        records[i] = wal_world_record(world->used + i, bundle && i > 0);
    steme_status status = wal_append(world->wal, records, count, places, err);
    for (size_t i = 0; i < count; i++) {
        size_t k = world->used + i;
        bool no = status == STEME_NO_SPACE || status == STEME_SEALED || status == STEME_READ_ONLY ||
                  status == STEME_TOO_LARGE;
        world->fates[k] = status == STEME_OK ? WAL_WORLD_DURABLE : no ? WAL_WORLD_UNUSED : WAL_WORLD_UNKNOWN;
        world->group_of[k] = world->used;
        if (status == STEME_OK) world->location_of[k] = places[i].location;
    }
    world->used += count;
    return status;
}

struct host *wal_world_start(struct wal_world *world, const char *name)
{
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    assert_non_null(mem);
    wal_world_create(world, mem, name);
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    return mem;
}

void wal_world_end(struct wal_world *world, struct host *mem)
{
    wal_world_close(world);
    host_mem_free(mem);
}

void wal_world_add(struct wal_world *world, size_t count, bool bundle, const char *name)
{
    struct steme_error err;
    assert_status(wal_world_append(world, count, bundle, &err), STEME_OK, &err, name);
}

static void check_by_location(struct wal_world *world, const struct wal_entry *entry, const char *name)
{
    struct wal_entry again;
    struct steme_error err;
    assert_status(wal_read(world->wal, entry->location, &again, &err), STEME_OK, &err, name);
    assert_row(again.sequence == entry->sequence && again.location == entry->location, name);
    assert_row(again.received_at_us == entry->received_at_us && again.batch_location == entry->batch_location, name);
    assert_row(again.next_location == entry->next_location && again.signature == entry->signature, name);
    assert_row(again.batch_first == entry->batch_first && again.batch_last == entry->batch_last, name);
    assert_row(slice_equal(again.bytes, entry->bytes), name);
}

/* What one pass over the log has seen. */
struct pass {
    bool there[WAL_WORLD_RECORDS];
    size_t last; /* record seen last; SIZE_MAX: none */
    uint64_t sequence;
    int64_t received_at_us;
};

static void check_entry(struct wal_world *world, struct pass *pass, const struct wal_entry *entry, const char *name)
{
    size_t k = wal_world_recognize(entry->bytes);
    assert_row(k < world->used && world->fates[k] != WAL_WORLD_UNUSED, name);
    assert_row(pass->last == SIZE_MAX || k > pass->last, name);
    assert_row(entry->sequence > pass->sequence && entry->received_at_us >= pass->received_at_us, name);
    if (!world->hurt) assert_row(entry->sequence == pass->sequence + 1, name);
    if (entry->signature) assert_memory_equal(entry->signature, &pool[k].signature, sizeof pool[k].signature);
    check_by_location(world, entry, name);
    pass->there[k] = true;
    pass->last = k;
    pass->sequence = entry->sequence;
    pass->received_at_us = entry->received_at_us;
    world->location_of[k] = entry->location;
    world->found++;
}

void wal_world_check(struct wal_world *world, const char *name)
{
    struct steme_error err;
    struct arena arena;
    struct pass pass = { .last = SIZE_MAX, .received_at_us = INT64_MIN };
    struct wal_mark at = wal_begin(world->wal);
    struct wal_mark end = wal_durable(world->wal);
    arena_init(&arena, SIZE_MAX);
    world->found = 0;
    world->skipped = 0;
    for (size_t count = 1; count > 0;) {
        struct arena_mark mark = arena_mark(&arena);
        struct wal_entry *entries = NULL;
        uint64_t skipped = 0;
        assert_status(wal_scan(world->wal, &at, 7, &arena, &entries, &count, &skipped, &err), STEME_OK, &err, name);
        for (size_t i = 0; i < count; i++)
            check_entry(world, &pass, &entries[i], name);
        assert_row(wal_knows(world->wal, &at), name);
        world->skipped += skipped;
        arena_rewind(&arena, mark);
    }
    assert_row(at.location == end.location && at.next_sequence == end.next_sequence, name);
    assert_row(world->found + world->skipped == end.next_sequence - 1, name);
    if (!world->hurt) assert_row(world->skipped == 0, name);
    arena_deinit(&arena);
    for (size_t k = 0; k < world->used; k++) {
        enum wal_world_fate *fate = &world->fates[k];
        assert_row(*fate != WAL_WORLD_DURABLE || pass.there[k], name);
        if (!world->hurt) assert_row(pass.there[k] == pass.there[world->group_of[k]], name);
        if (world->options.read_only || *fate == WAL_WORLD_HURT) continue;
        if (pass.there[k])
            *fate = WAL_WORLD_DURABLE;
        else if (*fate == WAL_WORLD_UNKNOWN)
            *fate = WAL_WORLD_UNUSED;
    }
}

void wal_world_hurt(struct wal_world *world, size_t first, size_t last)
{
    world->hurt = true;
    for (size_t k = first; k <= last && k < world->used; k++)
        if (world->fates[k] != WAL_WORLD_UNUSED) world->fates[k] = WAL_WORLD_HURT;
}

void wal_world_flip(struct wal_world *world, uint32_t segment, uint64_t offset)
{
    char path[80];
    uint8_t byte;
    size_t got;
    struct steme_error err;
    struct host_file *file;
    snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%016x.seg", segment);
    bool real = world->host == host_posix();
    struct steme_slice piece = slice_of(&byte, 1);
    assert_status(host_open(world->host, path, real ? HOST_WRITE : HOST_READ, &file, &err), STEME_OK, &err, path);
    assert_status(host_read_at(file, offset, &byte, 1, &got, &err), STEME_OK, &err, path);
    assert_row(got == 1, path);
    byte = (uint8_t)~byte;
    if (real)
        assert_status(host_write_at(file, offset, &piece, 1, &err), STEME_OK, &err, path);
    else
        assert_status(host_mem_poke(world->host, path, offset, piece, &err), STEME_OK, &err, path);
    host_close(&file);
}

void wal_world_ruin(struct wal_world *world, size_t k)
{
    size_t group = world->group_of[k];
    bool last = group == world->group_of[world->used - 1];
    wal_world_flip(world, (uint32_t)(world->location_of[k] >> 32), (world->location_of[k] & 0xffffffffu) + 30);
    if (last)
        wal_world_hurt(world, group, world->used - 1);
    else
        wal_world_hurt(world, k, k);
}

static uint64_t sum_sizes(struct wal_world *world, const char *dir, const char *name)
{
    struct steme_error err;
    struct arena arena;
    struct host_entry *entries;
    size_t count = 0;
    uint64_t sum = 0;
    arena_init(&arena, SIZE_MAX);
    assert_status(host_list(world->host, dir, &arena, &entries, &count, &err), STEME_OK, &err, name);
    for (size_t i = 0; i < count; i++) {
        struct host_stat stat;
        assert_status(host_stat(world->host, host_join(&arena, dir, entries[i].name), &stat, &err), STEME_OK, &err,
                      name);
        sum += stat.size_bytes;
    }
    arena_deinit(&arena);
    return sum;
}

struct wal_totals wal_world_account(struct wal_world *world, const char *name)
{
    struct steme_error err;
    struct wal_totals totals;
    assert_status(wal_verify(world->wal, NULL, NULL, &totals, &err), STEME_OK, &err, name);
    assert_row(totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes == totals.file_bytes, name);
    assert_row(totals.file_bytes == sum_sizes(world, WAL_WORLD_DIR "/wal", name), name);
    assert_row(totals.frames == world->found, name);
    return totals;
}

struct steme_hash wal_world_digest(struct wal_world *world, bool quarantine)
{
    static const char *const dirs[] = { WAL_WORLD_DIR "/wal", WAL_WORLD_DIR "/quarantine" };
    struct steme_hash digest = { { 0 } };
    struct steme_error err;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    for (size_t d = 0; d < (quarantine ? 2 : 1); d++) {
        struct host_entry *entries;
        size_t count = 0;
        assert_status(host_list(world->host, dirs[d], &arena, &entries, &count, &err), STEME_OK, &err, dirs[d]);
        for (size_t i = 0; i < count; i++) {
            struct steme_slice bytes;
            const char *path = host_join(&arena, dirs[d], entries[i].name);
            assert_status(host_read_file(world->host, path, SIZE_MAX, &arena, &bytes, &err), STEME_OK, &err, path);
            struct steme_hash file = hash_two(slice_text(path), bytes);
            digest = hash_two(slice_of(&digest, sizeof digest), slice_of(&file, sizeof file));
        }
    }
    arena_deinit(&arena);
    return digest;
}
