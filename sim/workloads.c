/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/workloads.h"

#include "base/hash.h"
#include "base/slice.h"
#include "sim/memory.h"

#include <stdio.h>

enum { STEPS_MAX = 1000, FILL_MAX = 400, SEGMENT_NEARLY_FULL = 56 << 10 };

/* ---- what the work is made of; the engine's part of each is what fails ---- */

static void add(struct steme_hash *seen, const void *bytes, size_t size)
{
    *seen = hash_two(slice_of(seen->bytes, sizeof seen->bytes), slice_of(bytes, size));
}

static steme_status see_entry(void *context, const struct steme_entry *entry)
{
    add(context, entry->id.bytes, sizeof entry->id.bytes);
    add(context, &entry->sequence, sizeof entry->sequence);
    add(context, entry->bytes.data, entry->bytes.size);
    return STEME_OK;
}

static steme_status see_answer(void *context, const struct steme_answer *answer)
{
    for (size_t i = 0; i < answer->belief_count; i++) {
        add(context, answer->beliefs[i].claim.bytes, sizeof answer->beliefs[i].claim.bytes);
        add(context, &answer->beliefs[i].probability, sizeof answer->beliefs[i].probability);
    }
    add(context, &answer->assertions, sizeof answer->assertions);
    return STEME_OK;
}

static steme_status see_pair(void *context, struct steme_slice key, struct steme_slice value)
{
    if (key.data[0] == 'W') return STEME_OK; /* a view may lag: a step of its own failed and is repeated */
    add(context, key.data, key.size);
    add(context, value.data, value.size);
    return STEME_OK;
}

static steme_status hear_key(void *context, const char *name, const struct steme_key *key)
{
    add(context, name, strlen(name));
    add(context, key->bytes, sizeof key->bytes);
    return STEME_OK;
}

/* The log, the export, every answer, the rows, and what the store is. */
static steme_status walk(struct steme_store *store, struct steme_hash *seen, struct steme_error *err)
{
    struct steme_snapshot *snapshot = NULL;
    struct steme_question any = { .lens = { .name = "consensus" } };
    struct steme_info info;
    memory_engine_begins();
    steme_status status = steme_info(store, &info, err);
    if (!status) status = steme_snapshot_open(store, NULL, &snapshot, err);
    if (!status) status = steme_log_each(snapshot, 0, see_entry, seen, err);
    if (!status) status = steme_export_each(snapshot, see_entry, seen, err);
    if (!status) status = steme_resolve_each(snapshot, &any, see_answer, seen, err);
    if (!status) status = steme_keys_each(snapshot, slice_text(""), see_pair, seen, err);
    if (!status) status = steme_signer_each(store, hear_key, seen, err);
    steme_snapshot_close(&snapshot);
    memory_engine_ends();
    return status;
}

static steme_status catch_up(struct world *world, struct steme_error *err)
{
    steme_status status = STEME_OK;
    uint64_t before = UINT64_MAX;
    for (unsigned i = 0; !status && i < STEPS_MAX && before != world->store->index->ingestor.applied.location; i++) {
        before = world->store->index->ingestor.applied.location;
        memory_engine_begins();
        status = store_step(world->store, err);
        memory_engine_ends();
    }
    return status;
}

static void hear(void *context, const char *line)
{
    struct world *world = context;
    world->torn_tail |= strstr(line, "behind the last whole batch") != NULL;
}

static steme_status open_once(struct world *world, struct steme_error *err)
{
    struct steme_open_options options = { .notice = hear, .notice_context = world };
    memory_engine_begins();
    steme_status status = store_open_in(&world->setting, WORLD_DIR, &options, &world->store, err);
    memory_engine_ends();
    if (!status) world->sealed = false;
    return status;
}

static steme_status close_once(struct world *world)
{
    memory_engine_begins();
    world_close(world);
    memory_engine_ends();
    return STEME_OK;
}

/* ---- what they begin with ---- */

static void submit_some(struct world *world, size_t count)
{
    struct steme_error err;
    for (size_t i = 0; i < count && !world_failed(world); i++)
        if (world_submit(world, i, &err)) world_trouble(world, "a workload can't be prepared: %s", err.message);
}

static void some(struct world *world) { submit_some(world, 6); }

/* Indexed, and the ledger knows the receive times. */
static void some_indexed(struct world *world)
{
    submit_some(world, 6);
    check_log(world, false);
}

static void much_talk(struct world *world)
{
    submit_some(world, 40);
    check_log(world, false);
}

static void nearly_full(struct world *world)
{
    for (size_t i = 0; i < FILL_MAX && !world_failed(world); i++) {
        if ((uint32_t)wal_durable(world->store->wal).location > SEGMENT_NEARLY_FULL) return;
        submit_some(world, i + 1);
    }
    world_trouble(world, "a segment does not fill");
}

static void two_segments_closed(struct world *world)
{
    nearly_full(world);
    for (size_t i = 0; i < 40 && !world_failed(world); i++) {
        struct steme_error err;
        if (wal_durable(world->store->wal).location >> 32 > 1) break;
        if (world_submit(world, FILL_MAX + i, &err))
            world_trouble(world, "a workload can't be prepared: %s", err.message);
    }
    world_close(world);
}

/* The power goes in the middle of writing a batch, of which a part is on the disk. */
static void torn(struct world *world)
{
    struct steme_error err;
    some(world);
    host_mem_stop(world->host, 1);
    if (!world_submit(world, 7, &err)) world_trouble(world, "a machine that has stopped acknowledges");
    world->keep = 1000;
    world_end_life(world);
}

/* A bit of a batch turns that is not the last. */
static void rotten(struct world *world)
{
    uint8_t byte = 0;
    size_t got = 0;
    struct host_file *file = NULL;
    const uint64_t offset = 4096 + 700;
    submit_some(world, 12);
    check_log(world, false);
    world_touch(world, 1, offset, offset + 1);
    world_close(world);
    static const char path[] = WORLD_DIR "/wal/0000000000000001.seg";
    bool done = host_open(world->host, path, HOST_READ, &file, NULL) == STEME_OK &&
                host_read_at(file, offset, &byte, 1, &got, NULL) == STEME_OK && got == 1;
    byte ^= 4;
    done = done && host_mem_poke(world->host, path, offset, slice_of(&byte, 1), NULL) == STEME_OK;
    host_close(&file);
    if (!done) world_trouble(world, "the segment can't be damaged");
}

/* ---- the work ---- */

static steme_status create(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    memory_engine_begins();
    steme_status status = store_create_in(&world->setting, WORLD_DIR, err);
    memory_engine_ends();
    return status;
}

/* A creation that failed leaves no store to write to. Where the disk forgot names, it takes a restart to have them
 * anew; then it can be repeated, or says that something is in the way, and what is there is a store or says that it is
 * none. */
static void create_again(struct world *world, steme_status status, bool once)
{
    struct steme_error err = { 0 };
    if (status) {
        steme_status opened = store_open_in(&world->setting, WORLD_DIR, NULL, &world->store, &err);
        if (once && opened != STEME_NOT_FOUND)
            world_trouble(world, "a store that was not made opens: %s", steme_status_name(opened));
        world->keep = 500;
        world_end_life(world);
    }
    status = store_create_in(&world->setting, WORLD_DIR, &err);
    if (status && status != STEME_EXISTS) world_trouble(world, "a store can't be made: %s", err.message);
    if (world_keep_keys(world, &err)) world_trouble(world, "a store can't keep a key: %s", err.message);
    status = store_open_in(&world->setting, WORLD_DIR, NULL, &world->store, &err);
    if (status && status != STEME_NOT_FOUND) world_trouble(world, "half a store: %s", err.message);
}

static steme_status open_it(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    steme_status status = open_once(world, err);
    return status ? status : walk(world->store, seen, err);
}

static steme_status open_and_read(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    steme_status status = open_once(world, err);
    if (!status) status = catch_up(world, err);
    return status ? status : walk(world->store, seen, err);
}

static steme_status write_one(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    for (size_t i = 10; i < world->stock->parcel_count; i++)
        if (world->stock->parcels[i].count == 1) return world_submit(world, i, err);
    world_trouble(world, "no parcel is a single record");
    return STEME_OK;
}

static steme_status write_bundle(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    for (size_t i = 10; i < world->stock->parcel_count; i++) {
        const struct stock_parcel *parcel = &world->stock->parcels[i];
        if (parcel->count > 1 && world->stock->records[parcel->first].record.type == STEME_BUNDLE)
            return world_submit(world, i, err);
    }
    world_trouble(world, "no parcel is a bundle");
    return STEME_OK;
}

static steme_status write_on(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    steme_status last = STEME_OK;
    (void)seen;
    for (size_t i = 0; i < 12; i++) {
        struct steme_error why;
        steme_status status = world_submit(world, FILL_MAX + i, &why);
        if (status && !last) *err = why;
        if (status) last = status;
    }
    return last;
}

static steme_status take_in(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    return catch_up(world, err);
}

static steme_status close_it(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    (void)err;
    return close_once(world);
}

static steme_status reopen(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)close_once(world);
    return open_and_read(world, seen, err);
}

static steme_status read_it(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    return walk(world->store, seen, err);
}

static steme_status read_beside(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    struct steme_open_options options = { .read_only = true };
    memory_engine_begins();
    steme_status status = store_open_in(&world->setting, WORLD_DIR, &options, &world->reader, err);
    memory_engine_ends();
    if (!status) status = walk(world->reader, seen, err);
    memory_engine_begins();
    steme_close(&world->reader);
    memory_engine_ends();
    return status;
}

static steme_status verify(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    struct steme_verification found = { 0 };
    memory_engine_begins();
    steme_status status = steme_verify(world->store, NULL, NULL, &found, err);
    memory_engine_ends();
    add(seen, &found, sizeof found);
    return status;
}

static steme_status rebuild(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    world->rebuilds++;
    memory_engine_begins();
    steme_status status = steme_rebuild(world->store, err);
    memory_engine_ends();
    return status ? status : walk(world->store, seen, err);
}

static steme_status make_key(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    (void)seen;
    struct steme_signer *signer = NULL;
    memory_engine_begins();
    steme_status status = steme_signer_new(world->store, "fresh", &signer, err);
    steme_signer_free(&signer);
    memory_engine_ends();
    return status;
}

/* The name is free, or the key that took it is whole. */
static void key_is_whole(struct world *world, steme_status made, bool once)
{
    (void)made;
    (void)once;
    struct steme_error err = { 0 };
    struct steme_signer *signer = NULL;
    steme_status status = steme_signer_new(world->store, "fresh", &signer, &err);
    if (status == STEME_EXISTS) status = steme_signer_load(world->store, "fresh", &signer, &err);
    if (status) world_trouble(world, "a key is neither there nor can be made: %s", err.message);
    steme_signer_free(&signer);
}

static steme_status revise_and_vote(struct world *world, struct steme_hash *seen, struct steme_error *err)
{
    const struct stock *stock = world->stock;
    steme_status status = STEME_OK;
    unsigned revisions = 0, votes = 0;
    for (size_t i = 40; !status && i < stock->parcel_count && revisions + votes < 4; i++) {
        enum steme_type type = stock->records[stock->parcels[i].first].record.type;
        unsigned *kind = type == STEME_REVISION ? &revisions : type == STEME_VOTE ? &votes : NULL;
        if (!kind || *kind == 2) continue;
        ++*kind;
        status = world_submit(world, i, err);
    }
    if (!status) status = catch_up(world, err);
    return status ? status : walk(world->store, seen, err);
}

const struct workload workloads[] = {
    { .name = "make a store", .nothing = true, .work = create, .settle = create_again },
    { .name = "open an empty store", .opens = true, .prepare = world_close, .work = open_it },
    { .name = "open two segments", .opens = true, .prepare = two_segments_closed, .work = open_and_read },
    { .name = "write a record", .prepare = some, .work = write_one },
    { .name = "write a bundle", .prepare = some, .work = write_bundle },
    { .name = "write into a new segment", .prepare = nearly_full, .work = write_on },
    { .name = "index", .prepare = some, .work = take_in },
    { .name = "close", .prepare = some_indexed, .work = close_it },
    { .name = "close and open", .opens = true, .prepare = some_indexed, .work = reopen },
    { .name = "recover a torn tail", .opens = true, .prepare = torn, .work = open_and_read },
    { .name = "recover a rotten middle", .opens = true, .prepare = rotten, .work = open_and_read },
    { .name = "read beside the writer", .prepare = some_indexed, .work = read_beside },
    { .name = "verify", .prepare = some_indexed, .work = verify },
    { .name = "rebuild the index", .prepare = some_indexed, .work = rebuild },
    { .name = "read log, export, answers", .prepare = some_indexed, .work = read_it },
    { .name = "make a key", .prepare = some, .work = make_key, .settle = key_is_whole },
    { .name = "revise, vote, answer", .talk = true, .prepare = much_talk, .work = revise_and_vote },
};

const size_t workload_count = countof(workloads);
