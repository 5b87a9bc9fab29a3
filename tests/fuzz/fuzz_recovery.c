/* SPDX-License-Identifier: Apache-2.0 */
/* A life of a log, told by the input: appends, faults, kills, power cuts, openings; and then, perhaps, what somebody
 * does to its one to three segments. While nobody touches the files what was acknowledged is there and nothing else but
 * what was handed in; whatever is done to them, opening behaves as fuzz/examine.h says. */
#include "fuzz/edits.h"
#include "fuzz/examine.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"

#include <errno.h>
#include <stdio.h>

#define SEGMENT_BYTES 65536u

enum { STEPS_MAX = 32, EDITS_MAX = 12, SEGMENTS_MAX = 3, PATH_BYTES = 64, RECORDS_MAX = 900 };

struct life {
    struct wal_world world;
    struct wal_mark mark; /* the index might hold it: a hint from now on */
    bool faults;          /* calls may fail */
};

/* ---- while nobody touches the files ---- */

static void reopen(struct life *life)
{
    struct steme_error err;
    wal_world_close(&life->world);
    steme_status status = wal_world_open(&life->world, &err);
    invariant(status == STEME_OK || life->faults);
    if (status || life->faults) return;
    wal_world_check(&life->world, "reopened");
    (void)wal_world_account(&life->world, "reopened");
}

static void heal(struct life *life)
{
    host_mem_fail(life->world.host, HOST_MEM_ANY, 0, 0, false);
    life->faults = false;
}

/* Handles die under the log; it is closed as well as it can be and opened anew. */
static void crash(struct life *life, bool power, unsigned keep_permille)
{
    heal(life);
    if (power)
        host_mem_power_cut(life->world.host, keep_permille);
    else
        host_mem_kill(life->world.host);
    reopen(life);
}

static void fail_soon(struct life *life, struct steme_slice *input)
{
    static const int numbers[] = { EIO, ENOSPC };
    uint8_t what = input_u8(input), nth = input_u8(input);
    host_mem_fail(life->world.host, (enum host_mem_call)(HOST_MEM_ANY + what % (HOST_MEM_STAT + 1)), 1 + nth % 32u,
                  numbers[nth >> 6 & 1], nth >> 7);
    life->faults = true;
}

static void step(struct life *life, struct steme_slice *input)
{
    struct wal_world *world = &life->world;
    struct steme_error err;
    uint8_t what = input_u8(input), with = input_u8(input);
    switch (what % 10) {
    case 0:
    case 1:
    case 2:
        if (!world->wal || world->used > RECORDS_MAX) return;
        (void)wal_world_append(world, 1 + with % 24, with & 0x80, &err);
        return;
    case 3: reopen(life); return;
    case 4: crash(life, true, with * 4u > 1000 ? 1000 : with * 4u); return;
    case 5: crash(life, false, 0); return;
    case 6: fail_soon(life, input); return;
    case 7:
        heal(life);
        reopen(life);
        return;
    case 8:
        if (!world->wal) return;
        life->mark = wal_durable(world->wal);
        world->options.hint = with & 1 ? &life->mark : NULL;
        return;
    default: host_mem_advance_ns(world->host, (uint64_t)with << 24); return;
    }
}

/* ---- what somebody does ---- */

static void path_of(char path[PATH_BYTES], unsigned number)
{
    snprintf(path, PATH_BYTES, WAL_WORLD_DIR "/wal/%016x.seg", number);
}

/* The last segments there are, at most three. Returns how many. */
static size_t copy_segments(struct host *host, struct edits_file files[SEGMENTS_MAX], unsigned numbers[SEGMENTS_MAX])
{
    size_t count = 0;
    for (unsigned number = 1; number < 64; number++) {
        char path[PATH_BYTES];
        struct host_file *file;
        path_of(path, number);
        if (host_open(host, path, HOST_READ, &file, NULL)) continue;
        if (count == SEGMENTS_MAX) {
            struct edits_file first = files[0];
            memmove(files, files + 1, (SEGMENTS_MAX - 1) * sizeof *files);
            memmove(numbers, numbers + 1, (SEGMENTS_MAX - 1) * sizeof *numbers);
            files[--count] = first;
        }
        memset(files[count].bytes, 0, files[count].room);
        steme_status status = host_read_at(file, 0, files[count].bytes, files[count].room, &files[count].size, NULL);
        invariant(status == STEME_OK);
        numbers[count++] = number;
        host_close(&file);
    }
    return count;
}

static void put_segment(struct host *host, const struct edits_file *segment, unsigned number)
{
    char path[PATH_BYTES];
    path_of(path, number);
    steme_status status = host_replace_file(host, path, 0, slice_of(segment->bytes, segment->size), NULL);
    invariant(status == STEME_OK);
}

/* The segments into another world, as they are after the edits: some are left out or come under another name. */
static struct host *lay_out(struct steme_slice *input, struct host *host, bool *forged_out)
{
    static uint8_t bytes[SEGMENTS_MAX][SEGMENT_BYTES];
    struct edits_file files[SEGMENTS_MAX];
    unsigned numbers[SEGMENTS_MAX];
    struct host *other = host_mem_new(2);
    invariant(other);
    invariant(host_make_dir(other, WAL_WORLD_DIR, NULL) == STEME_OK);
    invariant(host_make_dir(other, WAL_WORLD_DIR "/wal", NULL) == STEME_OK);
    for (size_t i = 0; i < SEGMENTS_MAX; i++)
        files[i] = (struct edits_file){ bytes[i], 0, SEGMENT_BYTES };
    size_t count = copy_segments(host, files, numbers);
    invariant(count > 0);
    uint8_t names = input_u8(input);
    *forged_out = !(names & 0x80);
    for (int edits = 0; input->size >= EDITS_OP_BYTES && edits < EDITS_MAX; edits++) {
        uint8_t op[EDITS_OP_BYTES];
        input_bytes(input, op, sizeof op);
        if (*forged_out)
            edits_apply(files, count, op, 1);
        else
            edits_damage(files, count, op);
    }
    for (size_t i = 0; i < count; i++) {
        if (names >> i & 1) continue;
        put_segment(other, &files[i], numbers[i] + (names >> (4 + i) & 1));
    }
    return other;
}

/* Steps up to a 0xff, then what happens to the files; nothing if there is no more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct life life;
    struct steme_slice input = slice_of(data, size);
    struct host *host = host_mem_new(1 + input_u8(&input));
    invariant(host);
    memset(&life, 0, sizeof life);
    wal_world_create(&life.world, host, "created");
    reopen(&life);
    for (int steps = 0; input.size > 0 && input.data[0] != 0xff && steps < STEPS_MAX; steps++)
        step(&life, &input);
    heal(&life);
    reopen(&life);
    struct steme_hash before = wal_world_digest(&life.world, true);
    reopen(&life);
    struct steme_hash after = wal_world_digest(&life.world, true);
    invariant(memcmp(&before, &after, sizeof before) == 0);
    wal_world_close(&life.world);
    if (input.size > 1) {
        (void)input_u8(&input);
        bool forged = false;
        struct host *other = lay_out(&input, host, &forged);
        struct wal_options options = life.world.options;
        options.host = other;
        (void)examine_log(&options, forged);
        host_mem_free(other);
    }
    host_mem_free(host);
    return 0;
}
