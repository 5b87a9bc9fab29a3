/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
#include "sim/aside.h"
#include "sim/memory.h"
#include "spine/wal_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SEGMENT_BYTES = 64 << 10, OPENINGS_MAX = 12 };

void world_trouble(struct world *world, const char *format, ...)
{
    va_list arguments;
    if (world_failed(world)) return;
    va_start(arguments, format);
    vsnprintf(world->trouble, sizeof world->trouble, format, arguments);
    va_end(arguments);
}

void world_refused(struct world *world, const char *what, const struct steme_error *err)
{
    if (!world->fault_armed && !host_mem_stopped(world->host)) world_trouble(world, "%s: %s", what, err->message);
}

bool world_failed(const struct world *world) { return world->trouble[0] != '\0'; }

/* ---- making one ---- */

steme_status world_keep_keys(struct world *world, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (unsigned i = 0; i < STOCK_TRUSTED && !status; i++) {
        char path[64], text[256], seed[TEXT_HASH_BYTES], key[TEXT_HASH_BYTES];
        const struct sign_secret *secret = &world->stock->agents[i];
        text_hex(secret->seed, 32, seed);
        text_hex(secret->key.bytes, 32, key);
        snprintf(path, sizeof path, WORLD_DIR "/keys/agent-%u.key", i);
        snprintf(text, sizeof text, "stemedb key 1\nseed %s\npublic %s\n", seed, key);
        status = host_replace_file(world->host, path, HOST_PRIVATE, slice_text(text), err);
    }
    return status;
}

void world_begin(struct world *world, const struct stock *stock, uint64_t seed, struct tally_of_events *events)
{
    *world = (struct world){ .stock = stock, .events = events, .host = host_mem_new(seed) };
    invariant(world->host);
    world->setting = (struct store_setting){ world->host, SEGMENT_BYTES, true, NULL };
    world->memory_struck = memory_struck();
    ledger_init(&world->ledger, stock);
    world->ledger.latest_us = host_wall_us(world->host);
    events->worlds++;
}

void world_init(struct world *world, const struct stock *stock, uint64_t seed, struct tally_of_events *events)
{
    struct steme_error err = { 0 };
    world_begin(world, stock, seed, events);
    steme_status status = store_create_in(&world->setting, WORLD_DIR, &err);
    if (!status) status = world_keep_keys(world, &err);
    if (!status) status = store_open_in(&world->setting, WORLD_DIR, NULL, &world->store, &err);
    if (status) world_trouble(world, "a new store can't be made: %s", err.message);
}

void world_close(struct world *world)
{
    if (world->store) world->mark = world->store->index->ingestor.applied;
    world->setting.hint = world->mark.location ? &world->mark : NULL;
    steme_close(&world->reader);
    steme_close(&world->store);
}

void world_deinit(struct world *world)
{
    memory_fail(0, false);
    host_mem_fail(world->host, HOST_MEM_ANY, 0, 0, false);
    world_close(world);
    world->events->acknowledged += world->ledger.acknowledged;
    world->events->recovered += world->ledger.recovered;
    world->events->lost_to_rot += world->ledger.lost;
    world->events->faults += host_mem_struck(world->host, HOST_MEM_ANY);
    world->events->failed_allocations += memory_struck() - world->memory_struck;
    ledger_deinit(&world->ledger);
    host_mem_free(world->host);
}

/* ---- crashes and coming back ---- */

void world_disarm(struct world *world)
{
    memory_fail(0, false);
    host_mem_fail(world->host, HOST_MEM_ANY, 0, 0, false);
    host_mem_lie(world->host, HOST_MEM_TURNED, 0, NULL);
    world->fault_armed = false;
}

/* The machine has stopped: nothing that closing does reaches the disk. */
void world_end_life(struct world *world)
{
    memory_fail(0, false);
    if (!host_mem_stopped(world->host)) {
        struct host_stat stat;
        host_mem_stop(world->host, 1);
        (void)(host_stat(world->host, "/", &stat, NULL) == STEME_OK);
    }
    world_close(world);
    world_disarm(world);
    if (world->keep == WORLD_KILL) {
        host_mem_kill(world->host);
        world->events->kills++;
    } else {
        host_mem_power_cut(world->host, world->keep);
        world->setting.hint = NULL; /* an index that was open then is not believed */
        world->mark = (struct wal_mark){ 0 };
        world->events->cuts++;
    }
}

void world_draw_keep(struct world *world, struct prng *prng)
{
    static const unsigned keeps[] = { 0, 0, 100, 500, 500, 900, 1000, WORLD_KILL, WORLD_KILL };
    world->keep = keeps[prng_below(prng, countof(keeps))];
}

/* How things lie on the disk before an opening. */
struct scene {
    struct log_image log;
    size_t asides, torn;
};

static void scene_take(struct world *world, struct scene *scene)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    host_mem_look_on(world->host, true);
    log_image_take(world->host, WORLD_DIR, &scene->log);
    struct aside_list asides = aside_read(world->host, WORLD_DIR, &arena);
    host_mem_look_on(world->host, false);
    scene->asides = asides.count;
    scene->torn = asides.torn;
    arena_deinit(&arena);
}

/* Every byte of the log is where it was, or in quarantine, and behind its end there are zeros. */
static void compare_bytes(struct world *world, const struct scene *before, const struct log_image *after,
                          const struct aside_list *asides)
{
    uint64_t segment = 0, offset = 0, end = wal_durable(world->store->wal).location;
    const char *wrong = log_image_compare(&before->log, after, asides, &segment, &offset);
    if (wrong) world_trouble(world, "segment %" PRIu64 ", offset %" PRIu64 ": %s", segment, offset, wrong);
    uint64_t from = location_offset(end) > SEGMENT_HEADER_BYTES ? location_offset(end) : SEGMENT_HEADER_BYTES;
    if (log_image_used(after, location_segment(end), from) != UINT64_MAX)
        world_trouble(world, "behind the end of the log there are bytes that are not zero");
}

/* What the opening did to it. */
static void scene_compare(struct world *world, const struct scene *before)
{
    struct log_image after;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    host_mem_look_on(world->host, true);
    log_image_take(world->host, WORLD_DIR, &after);
    struct aside_list asides = aside_read(world->host, WORLD_DIR, &arena);
    host_mem_look_on(world->host, false);
    compare_bytes(world, before, &after, &asides);
    world->torn_tail = asides.torn > before->torn;
    if (asides.count > before->asides) world->events->quarantine_files += asides.count - before->asides;
    log_image_drop(&after);
    arena_deinit(&arena);
}

void world_open(struct world *world, struct prng *prng, unsigned interruptions)
{
    struct steme_error err = { 0 };
    struct scene scene;
    scene_take(world, &scene);
    for (unsigned opening = 0; opening < OPENINGS_MAX && !world->store; opening++) {
        if (opening < interruptions) host_mem_stop(world->host, 1 + prng_below(prng, 40));
        memory_engine_begins();
        steme_status status = store_open_in(&world->setting, WORLD_DIR, NULL, &world->store, &err);
        memory_engine_ends();
        world->events->openings++;
        if (host_mem_stopped(world->host)) {
            world->events->interrupted_recoveries++;
            world_draw_keep(world, prng);
            world_end_life(world);
            log_image_drop(&scene.log); /* what had not been synced may have gone with the power */
            host_mem_look_on(world->host, true);
            log_image_take(world->host, WORLD_DIR, &scene.log);
            host_mem_look_on(world->host, false);
        } else if (status && !world->fault_armed) {
            world_trouble(world, "the store does not open: %s", err.message);
            break;
        } else if (status) {
            world_disarm(world);
        }
    }
    host_mem_stop(world->host, 0);
    if (world->store) world->store->views.pace = (struct views_pace){ 8, 4, 20, 5 };
    if (!world->store) world_trouble(world, "the store does not open in %u attempts", OPENINGS_MAX);
    world->sealed = false;
    if (world->store) scene_compare(world, &scene);
    log_image_drop(&scene.log);
    if (!world_failed(world)) check_world(world, prng, true);
}

void world_fail(struct world *world, struct prng *prng)
{
    static const int reasons[] = { EIO, EIO, ENOSPC, EDQUOT, EROFS, ENOMEM };
    static const enum host_mem_call calls[] = {
        HOST_MEM_ANY,  HOST_MEM_OPEN,     HOST_MEM_WRITE,    HOST_MEM_WRITE,    HOST_MEM_SYNC,   HOST_MEM_SYNC,
        HOST_MEM_SYNC, HOST_MEM_SYNC_DIR, HOST_MEM_ALLOCATE, HOST_MEM_TRUNCATE, HOST_MEM_RENAME, HOST_MEM_REMOVE,
        HOST_MEM_MAP,  HOST_MEM_READ,     HOST_MEM_LIST,     HOST_MEM_STAT,     HOST_MEM_SIZE,   HOST_MEM_LOCK
    };
    world->fault_armed = true;
    enum host_mem_call call = calls[prng_below(prng, countof(calls))]; /* one draw a line: C orders no arguments */
    uint64_t nth = 1 + prng_below(prng, 6);
    int reason = reasons[prng_below(prng, countof(reasons))];
    host_mem_fail(world->host, call, nth, reason, prng_chance(prng, 300));
}

/* The machine may stop on the way, some times, or a call fail. */
static void come_back(struct world *world, struct prng *prng)
{
    if (prng_chance(prng, 100)) world_fail(world, prng);
    world_open(world, prng, prng_chance(prng, 350) ? 1 + (unsigned)prng_below(prng, 3) : 0);
}

void world_crash(struct world *world, struct prng *prng)
{
    world_end_life(world);
    come_back(world, prng);
}

void world_reopen(struct world *world, struct prng *prng)
{
    world_close(world);
    world->events->reopenings++;
    if (host_mem_stopped(world->host)) world_end_life(world);
    come_back(world, prng);
}

/* ---- what happens to it ---- */

static uint64_t failed_writes(struct world *world)
{
    return host_mem_struck(world->host, HOST_MEM_WRITE) + host_mem_struck(world->host, HOST_MEM_SYNC) +
           host_mem_struck(world->host, HOST_MEM_SYNC_DIR);
}

/* What a failed call means for those to come. */
static void note_failure(struct world *world, const struct stock_parcel *parcel, steme_status status,
                         const struct steme_error *err)
{
    if (err->message[0] == '\0') world_trouble(world, "a call fails without a word: %s", steme_status_name(status));
    if (status == STEME_SEALED) {
        if (!world->sealed) world_trouble(world, "a sound log is sealed: %s", err->message);
        return;
    }
    if (!world->fault_armed && !host_mem_stopped(world->host)) {
        world_trouble(world, "a call failed for no reason: %s: %s", steme_status_name(status), err->message);
        return;
    }
    if (status == STEME_NO_MEMORY || status == STEME_NO_SPACE) { /* surely not stored, and later calls may succeed */
        world->events->refusals++;
        return;
    }
    if (world->sealed) return; /* nothing was begun: it failed before the log was asked */
    world->sealed = true;
    world->events->sealings++;
    ledger_doubt(&world->ledger, parcel->first, parcel->count, host_wall_us(world->host));
}

steme_status world_submit(struct world *world, size_t parcel_number, struct steme_error *err)
{
    static struct steme_receipt receipts[STEME_BATCH_RECORDS_MAX];
    const struct stock_parcel *parcel = &world->stock->parcels[parcel_number % world->stock->parcel_count];
    uint64_t failed = failed_writes(world);
    size_t bad = 0;
    *err = (struct steme_error){ 0 };
    memory_engine_begins();
    steme_status status = steme_submit(world->store, world->stock->signed_records + parcel->first, parcel->count,
                                       receipts, &bad, err);
    memory_engine_ends();
    if (status) {
        note_failure(world, parcel, status, err);
        return status;
    }
    /* Damage that a call meets by the way is put on record, and that may fail. */
    if (failed_writes(world) != failed && !world->ledger.rotten)
        world_trouble(world, "a call was acknowledged in which a write or a sync failed");
    const char *wrong = ledger_acknowledge(&world->ledger, parcel->first, parcel->count, receipts,
                                           host_wall_us(world->host), world->sealed);
    if (wrong) world_trouble(world, "%s", wrong);
    return STEME_OK;
}

void world_index(struct world *world)
{
    struct steme_error err = { 0 };
    memory_engine_begins();
    steme_status status = store_step(world->store, &err);
    memory_engine_ends();
    if (status) world_refused(world, "the index does not take in the log", &err);
}

void world_read(struct world *world, struct prng *prng)
{
    if (host_mem_stopped(world->host)) return;
    world_disarm(world); /* answers may fail else; a log that has been sealed stays so */
    check_world(world, prng, false);
}

void world_fail_memory(struct world *world, uint64_t nth)
{
    world->fault_armed = true;
    memory_fail(nth, false);
}

void world_clock(struct world *world, struct prng *prng)
{
    static const int64_t jumps_s[] = { 1, 60, 3600, -3600, 31536000, -31536000, -5, 700 };
    int64_t now = host_wall_us(world->host);
    switch (prng_below(prng, 12)) {
    case 0: now = 0; break;
    case 1: now = INT64_C(2147483648) * 1000000; break; /* 2038 */
    case 2: now = STOCK_NOON_US; break;
    default: now += jumps_s[prng_below(prng, countof(jumps_s))] * 1000000; break;
    }
    host_mem_set_wall_us(world->host, now);
    host_mem_advance_ns(world->host, prng_below(prng, 5000000000u));
}

/* ---- damage, and which records it may cost ---- */

/* All of the log; false: it can't be read, for the machine stops. */
static bool read_log(struct world *world, struct arena *arena, struct wal_entry **entries, size_t *count)
{
    struct steme_error err = { 0 };
    struct wal_mark at = wal_begin(world->store->wal);
    steme_status status = wal_scan(world->store->wal, &at, SIZE_MAX, arena, entries, count, NULL, &err);
    if (status) world_refused(world, "the log can't be read", &err);
    return status == STEME_OK;
}

/* Bytes of a segment's file. */
struct range {
    uint64_t segment, from, to;
};

/* Tell the ledger of each batch that lies in the range, if in part: the numbers in it. */
static void note_batches(struct ledger *ledger, const struct wal_entry *entries, size_t count, struct range range,
                         void (*note)(struct ledger *ledger, uint64_t first_sequence, uint64_t last_sequence))
{
    uint64_t first = 0;
    for (size_t i = 0; i < count; i++) {
        const struct wal_entry *entry = &entries[i];
        if (i == 0 || entry->batch_location != entries[i - 1].batch_location) first = entry->sequence;
        if (i + 1 < count && entry->batch_location == entries[i + 1].batch_location) continue;
        uint64_t from = location_offset(entry->batch_location);
        uint64_t to = from + (entry->next_location - entry->batch_location);
        bool here = location_segment(entry->batch_location) == range.segment;
        if (here && from < range.to && to > range.from) note(ledger, first, entry->sequence);
    }
}

void world_touch(struct world *world, uint64_t segment, uint64_t from, uint64_t to)
{
    struct wal_entry *entries = NULL;
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, 1 << 26);
    if (read_log(world, &arena, &entries, &count))
        note_batches(&world->ledger, entries, count, (struct range){ segment, from, to }, ledger_touch);
    arena_deinit(&arena);
    ledger_rot(&world->ledger);
}

/* The files of a directory, sorted by name. */
static size_t list_files(struct world *world, const char *dir, struct arena *arena, struct host_entry **entries)
{
    size_t count = 0;
    return host_list(world->host, dir, arena, entries, &count, NULL) ? 0 : count;
}

static struct range turn_bit(struct world *world, struct prng *prng, const char *path, uint64_t size,
                             struct arena *arena)
{
    struct range none = { 0 };
    /* Most of a file may be padding; half of the time, aim at its beginning. */
    uint64_t room = prng_chance(prng, 500) && size > 8192 ? 8192 : size;
    uint64_t offset = prng_below(prng, room);
    if (offset / 4 == 2) offset += 4; /* with a second bit in its header, it would be one of a newer format */
    if (offset >= size) return none;
    struct steme_slice all;
    if (host_read_file(world->host, path, size, arena, &all, NULL)) return none; /* the machine stops */
    uint8_t byte = all.data[offset] ^ (uint8_t)(1u << prng_below(prng, 8));
    invariant(host_mem_poke(world->host, path, offset, slice_of(&byte, 1), NULL) == STEME_OK);
    ledger_rot(&world->ledger);
    world->events->rotten_bits++;
    return (struct range){ .from = offset, .to = offset + 1 };
}

/* Whether the last segment says where it begins. Else it may be one that was being made, and what the one before it
 * lost would pass for a torn tail. */
static bool is_born(struct world *world, const char *name)
{
    struct arena arena;
    struct steme_slice all;
    struct segment_header header;
    arena_init(&arena, 1 << 26);
    const char *path = host_join(&arena, WORLD_DIR "/wal", name);
    bool born = path && host_read_file(world->host, path, 1 << 24, &arena, &all, NULL) == STEME_OK &&
                segment_header_read(all, &header) == STEME_OK;
    arena_deinit(&arena);
    return born;
}

/* While the store is closed, a bit of a segment or of a quarantine file turns, or a segment that has another behind it
 * loses its end. */
void world_rot(struct world *world, struct prng *prng)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    struct host_stat stat;
    struct wal_entry *log = NULL;
    struct range damaged = { 0 };
    size_t log_count = 0;
    if (host_mem_stopped(world->host)) return;
    world_disarm(world);
    arena_init(&arena, 1 << 26);
    if (!read_log(world, &arena, &log, &log_count)) {
        arena_deinit(&arena);
        return;
    }
    world_close(world);
    bool in_log = prng_chance(prng, 900);
    const char *dir = in_log ? WORLD_DIR "/wal" : WORLD_DIR "/quarantine";
    size_t count = list_files(world, dir, &arena, &entries);
    size_t which = count ? prng_below(prng, count) : 0;
    const char *path = count ? host_join(&arena, dir, entries[which].name) : NULL;
    if (path && host_stat(world->host, path, &stat, NULL) == STEME_OK && stat.size_bytes) {
        if (in_log && which + 1 < count && prng_chance(prng, 500) && is_born(world, entries[count - 1].name)) {
            damaged = (struct range){ .from = prng_below(prng, stat.size_bytes), .to = UINT64_MAX };
            invariant(host_mem_shorten(world->host, path, damaged.from, NULL) == STEME_OK);
            ledger_rot(&world->ledger);
            world->events->cut_files++;
        } else {
            damaged = turn_bit(world, prng, path, stat.size_bytes, &arena);
        }
        damaged.segment = in_log ? segment_name_number(entries[which].name) : 0;
        note_batches(&world->ledger, log, log_count, damaged, ledger_touch);
    }
    arena_deinit(&arena);
    come_back(world, prng);
}

void world_turn_in_passing(struct world *world, struct prng *prng)
{
    if (host_mem_stopped(world->host)) return;
    uint64_t before = host_mem_lies(world->host, HOST_MEM_TURNED);
    world_close(world);
    world_disarm(world);
    world->fault_armed = true; /* the identity may be what is misread: then it does not open, and says so */
    host_mem_lie(world->host, HOST_MEM_TURNED, 1 + prng_below(prng, 8), NULL);
    world_open(world, prng, 0);
    world->events->turned_reads += host_mem_lies(world->host, HOST_MEM_TURNED) - before;
}

/* Submit something while the disk lies about the next write. */
static void submit_to_liar(struct world *world, struct prng *prng, enum host_mem_lie lie,
                           const struct wal_entry *entries, size_t count)
{
    struct steme_error err;
    uint64_t before = host_mem_lies(world->host, lie), last = ledger_last(&world->ledger);
    host_mem_lie(world->host, lie, 1, WORLD_DIR "/wal");
    (void)!world_submit(world, prng_below(prng, world->stock->parcel_count), &err);
    host_mem_lie(world->host, lie, 0, NULL);
    if (host_mem_lies(world->host, lie) == before) return;
    ledger_rot(&world->ledger);
    ledger_touch(&world->ledger, last + 1, UINT64_MAX);
    world->write_lost = ledger_last(&world->ledger) != last;
    world->write_stray = lie == HOST_MEM_ASTRAY;
    if (!world->write_stray) {
        world->events->lost_writes++;
        return;
    }
    struct host_mem_landing landing = host_mem_landing(world->host);
    struct range range = { segment_name_number(landing.name), landing.from, landing.to };
    ledger_unhit(&world->ledger);
    note_batches(&world->ledger, entries, count, range, ledger_hit);
    note_batches(&world->ledger, entries, count, range, ledger_touch);
    world->events->stray_writes++;
}

void world_lose_write(struct world *world, struct prng *prng)
{
    enum host_mem_lie lie = prng_chance(prng, 400) ? HOST_MEM_LOST : HOST_MEM_ASTRAY;
    struct wal_entry *entries = NULL;
    struct arena arena;
    size_t count = 0;
    if (host_mem_stopped(world->host)) return;
    world_disarm(world);
    arena_init(&arena, 1 << 26);
    if (read_log(world, &arena, &entries, &count)) submit_to_liar(world, prng, lie, entries, count);
    arena_deinit(&arena);
    if (world_failed(world)) return;
    world->keep = (unsigned)prng_below(prng, 1001);
    world_end_life(world);
    world_open(world, prng, 0);
    world->write_lost = world->write_stray = false;
}

static void digest_dir(struct world *world, const char *dir, struct arena *arena, struct steme_hash *digest)
{
    struct host_entry *entries = NULL;
    size_t count = list_files(world, dir, arena, &entries);
    for (size_t i = 0; i < count; i++) {
        struct steme_slice bytes;
        const char *path = host_join(arena, dir, entries[i].name);
        invariant(path);
        if (entries[i].kind != HOST_KIND_FILE) continue;
        invariant(host_read_file(world->host, path, 1 << 28, arena, &bytes, NULL) == STEME_OK);
        struct steme_hash parts[3] = { *digest, hash_one(slice_text(path)), hash_one(bytes) };
        *digest = hash_one(slice_of(parts, sizeof parts));
    }
}

struct steme_hash world_digest(struct world *world)
{
    static const char *const dirs[] = { WORLD_DIR, WORLD_DIR "/wal", WORLD_DIR "/quarantine", WORLD_DIR "/keys" };
    struct steme_hash digest = { { 0 } };
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    for (size_t i = 0; i < countof(dirs); i++)
        digest_dir(world, dirs[i], &arena, &digest);
    arena_deinit(&arena);
    return digest;
}

void world_beside(struct world *world, struct prng *prng)
{
    struct steme_error err = { 0 };
    struct steme_open_options options = { .read_only = true };
    if (host_mem_stopped(world->host)) return;
    world_disarm(world);
    if (world->ledger.unknown_count) return; /* another process may see what a failed call wrote */
    check_log(world, false);                 /* it knows the receive times then */
    if (world_failed(world) || host_mem_stopped(world->host)) return;
    if (world->reader) {
        check_answers(world, world->reader, prng);
        steme_close(&world->reader);
        return;
    }
    steme_status status = store_open_in(&world->setting, WORLD_DIR, &options, &world->reader, &err);
    if (status)
        world_refused(world, "a reader can't open the store", &err);
    else
        check_reader(world);
    if (!status && !world_failed(world)) check_answers(world, world->reader, prng);
}
