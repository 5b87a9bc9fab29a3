/* SPDX-License-Identifier: Apache-2.0 */
/* Rot and ill use: every byte of a small log inverted, every length it can be cut to, segments missing, exchanged, of
 * another store, of a newer format. What is damaged is missed and told; its neighbours are read; nothing is ever
 * read that was not written. */
#include "base/codec.h"
#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/wal_world.h"
#include "spine/batch.h"

#include <stdio.h>
#include <string.h>

#define GROUPS 12u /* of one to four records, in one segment */

static size_t group_count(size_t group) { return 1 + group % 4; }

static uint64_t offset_of(uint64_t location) { return location & 0xffffffffu; }

/* One segment of small groups. `starts[g]` is the first record of group g. */
static struct host *small_log(struct wal_world *world, size_t starts[GROUPS + 1], const char *name)
{
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    assert_non_null(mem);
    wal_world_create(world, mem, name);
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
    for (size_t g = 0; g < GROUPS; g++) {
        starts[g] = world->used;
        assert_status(wal_world_append(world, group_count(g), g % 2, &err), STEME_OK, &err, name);
    }
    starts[GROUPS] = world->used;
    wal_world_close(world);
    return mem;
}

static void reopen(struct wal_world *world, const char *name)
{
    struct steme_error err;
    assert_status(wal_world_open(world, &err), STEME_OK, &err, name);
}

/* What lies at an offset of the log. */
struct target {
    enum { SEGMENT_HEADER, BATCH_HEADER, FRAME, ZEROS } kind;
    size_t group;
    size_t record;
};

static struct target target_at(const struct wal_world *world, const size_t starts[GROUPS + 1], uint64_t offset)
{
    struct target target = { .kind = ZEROS };
    if (offset < 4096) return (struct target){ .kind = SEGMENT_HEADER };
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t k = starts[g]; k < starts[g + 1]; k++) {
            uint64_t frame = offset_of(world->location_of[k]);
            struct wal_record record = wal_world_record(k, false);
            uint64_t end = frame + (k > starts[g] && g % 2 ? 64 : 128) + record.bytes.size;
            if (k == starts[g] && offset >= frame - 128 && offset < frame) return (struct target){ BATCH_HEADER, g, k };
            if (offset >= frame && offset < end) return (struct target){ FRAME, g, k };
        }
    }
    return target;
}

/* Mark what a flipped byte may cost: a record, or a whole batch if its header is hit or it is the last. */
static void expect_loss(struct wal_world *world, const size_t starts[GROUPS + 1], const struct target *target)
{
    if (target->kind == SEGMENT_HEADER || target->kind == ZEROS) return;
    bool whole = target->kind == BATCH_HEADER || target->group == GROUPS - 1;
    if (whole)
        wal_world_hurt(world, starts[target->group], starts[target->group + 1] - 1);
    else
        wal_world_hurt(world, target->record, target->record);
}

static void check_flipped(struct wal_world *world, const struct target *target, const char *name)
{
    const struct wal_report *report = &world->report;
    bool last = target->kind != SEGMENT_HEADER && target->kind != ZEROS && target->group == GROUPS - 1;
    uint64_t lost = target->kind == FRAME ? 1 : target->kind == BATCH_HEADER ? group_count(target->group) : 0;
    wal_world_check(world, name);
    if (last || target->kind == ZEROS) { /* can't be told from a write cut short */
        assert_row(!report->degraded && report->torn_tail_bytes > 0, name);
        assert_row(world->found == world->used - (last ? group_count(GROUPS - 1) : 0), name);
    } else {
        assert_row(report->degraded && report->torn_tail_bytes == 0 && report->damaged_bytes > 0, name);
        assert_row(report->missing_sequences == lost && world->found == world->used - lost && world->skipped == lost,
                   name);
    }
    assert_row(world->options.read_only || report->quarantine_files == 1, name);
}

static void any_flipped_byte_costs_no_neighbour(void **state)
{
    (void)state;
    static struct wal_world world, hurt;
    size_t starts[GROUPS + 1];
    struct host *mem = small_log(&world, starts, "flips");
    struct steme_error err;
    struct host_stat stat;
    assert_status(host_stat(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &stat, &err), STEME_OK, &err, "flips");
    world.options.read_only = true;
    for (uint64_t offset = 0; offset < stat.size_bytes; offset++) {
        char name[60];
        snprintf(name, sizeof name, "byte %llu flipped", (unsigned long long)offset);
        struct target target = target_at(&world, starts, offset);
        hurt = world;
        expect_loss(&hurt, starts, &target);
        wal_world_flip(&hurt, 1, offset);
        reopen(&hurt, name);
        check_flipped(&hurt, &target, name);
        struct wal_totals totals = wal_world_account(&hurt, name);
        assert_row(totals.damaged_bytes > 0 && totals.findings > 0, name);
        wal_world_close(&hurt);
        wal_world_flip(&hurt, 1, offset);
    }
    reopen(&world, "nothing flipped");
    wal_world_check(&world, "nothing flipped");
    assert_true(world.found == world.used && !world.report.degraded);
    wal_world_close(&world);
    host_mem_free(mem);
}

static void a_flipped_byte_is_set_aside_and_the_log_goes_on(void **state)
{
    (void)state;
    static struct wal_world world;
    size_t starts[GROUPS + 1];
    struct host *probe = small_log(&world, starts, "probe");
    uint64_t end = offset_of(world.location_of[world.used - 1]);
    host_mem_free(probe);
    for (uint64_t offset = 0; offset < end + 8192; offset += offset < 256 ? 7 : 61) {
        char name[60];
        struct steme_error err;
        snprintf(name, sizeof name, "byte %llu flipped", (unsigned long long)offset);
        struct host *mem = small_log(&world, starts, name);
        struct target target = target_at(&world, starts, offset);
        struct host_file *file;
        expect_loss(&world, starts, &target);
        assert_status(host_open(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", HOST_WRITE, &file, &err), STEME_OK,
                      &err, name);
        assert_status(host_allocate(file, 65536, &err), STEME_OK, &err, name); /* as if it had not been closed */
        host_close(&file);
        wal_world_flip(&world, 1, offset);
        reopen(&world, name);
        check_flipped(&world, &target, name);
        bool degraded = world.report.degraded;
        assert_status(wal_world_append(&world, 5, true, &err), STEME_OK, &err, name);
        wal_world_check(&world, name);
        wal_world_account(&world, name);
        wal_world_close(&world);
        struct steme_hash before = wal_world_digest(&world, true);
        reopen(&world, name);
        assert_row(world.report.degraded == degraded && world.report.torn_tail_bytes == 0 &&
                       world.report.quarantine_files == 1,
                   name);
        wal_world_check(&world, name);
        wal_world_close(&world);
        struct steme_hash after = wal_world_digest(&world, true);
        assert_memory_equal(&before, &after, sizeof before);
        host_mem_free(mem);
    }
}

static void cut_file(struct wal_world *world, uint32_t segment, uint64_t size, const char *name)
{
    char path[80];
    struct steme_error err;
    struct host_file *file;
    snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%016x.seg", segment);
    assert_status(host_open(world->host, path, HOST_WRITE, &file, &err), STEME_OK, &err, name);
    assert_status(host_truncate(file, size, &err), STEME_OK, &err, name);
    host_close(&file);
}

static void a_log_cut_at_any_length_keeps_its_whole_batches(void **state)
{
    (void)state;
    static struct wal_world world;
    size_t starts[GROUPS + 1];
    struct host *probe = small_log(&world, starts, "probe");
    host_mem_free(probe);
    for (uint64_t size = 0;; size += size % 64 == 63 ? 1 : 63) {
        char name[60];
        struct steme_error err;
        snprintf(name, sizeof name, "cut to %llu bytes", (unsigned long long)size);
        struct host *mem = small_log(&world, starts, name);
        struct host_stat stat;
        assert_status(host_stat(mem, WAL_WORLD_DIR "/wal/0000000000000001.seg", &stat, &err), STEME_OK, &err, name);
        if (size >= stat.size_bytes) {
            host_mem_free(mem);
            return;
        }
        size_t whole = 0; /* groups */
        while (whole + 1 < GROUPS && offset_of(world.location_of[starts[whole + 1]]) - 128 <= size)
            whole++;
        cut_file(&world, 1, size, name);
        wal_world_hurt(&world, starts[whole], world.used - 1);
        reopen(&world, name);
        wal_world_check(&world, name);
        assert_row(world.found == starts[whole] && !world.report.degraded, name);
        assert_status(wal_world_append(&world, 3, true, &err), STEME_OK, &err, name);
        wal_world_check(&world, name);
        wal_world_account(&world, name);
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

/* The index knew how far the log went: what is gone is known to have been there. */
static void a_mark_beyond_the_end_tells_what_is_lost(void **state)
{
    (void)state;
    static struct wal_world world;
    size_t starts[GROUPS + 1];
    for (size_t whole = 0; whole < GROUPS; whole++) {
        for (int torn = 0; torn < 3; torn++) {
            char name[60];
            struct steme_error err;
            snprintf(name, sizeof name, "%zu batches left, cut %d", whole, torn);
            struct host *mem = small_log(&world, starts, name);
            reopen(&world, name);
            struct wal_mark mark = wal_durable(world.wal);
            uint64_t lost = world.used - starts[whole];
            wal_world_close(&world);
            uint64_t end = offset_of(world.location_of[starts[whole]]) - 128;
            if (torn == 0) cut_file(&world, 1, end, name);
            if (torn == 1) cut_file(&world, 1, end + 192, name);
            if (torn == 2)
                for (size_t g = whole; g < GROUPS; g++)
                    wal_world_flip(&world, 1, offset_of(world.location_of[starts[g]]) - 100);
            wal_world_hurt(&world, starts[whole], world.used - 1);
            world.options.hint = &mark;
            reopen(&world, name);
            assert_row(world.report.degraded && world.report.missing_sequences == lost &&
                           world.report.torn_tail_bytes == 0,
                       name);
            wal_world_check(&world, name);
            wal_world_close(&world);
            world.options.hint = NULL; /* it is on record now */
            reopen(&world, name);
            assert_row(world.report.degraded && world.report.missing_sequences == lost &&
                           world.report.torn_tail_bytes == 0,
                       name);
            assert_row(wal_durable(world.wal).next_sequence == mark.next_sequence, name);
            assert_status(wal_world_append(&world, 4, true, &err), STEME_OK, &err, name);
            wal_world_check(&world, name);
            wal_world_account(&world, name);
            wal_world_close(&world);
            reopen(&world, name);
            assert_row(world.report.degraded && world.report.missing_sequences == lost, name);
            wal_world_check(&world, name);
            wal_world_close(&world);
            host_mem_free(mem);
        }
    }
}

/* ---- several segments ---- */

static struct host *long_log(struct wal_world *world, const char *name)
{
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    assert_non_null(mem);
    wal_world_create(world, mem, name);
    reopen(world, name);
    for (size_t i = 0; i < 16; i++)
        assert_status(wal_world_append(world, 30, i % 2, &err), STEME_OK, &err, name);
    wal_world_close(world);
    return mem;
}

static uint32_t segment_of(const struct wal_world *world, size_t k) { return (uint32_t)(world->location_of[k] >> 32); }

/* Records of one segment may be missing from now on. Returns how many there are. */
static uint64_t hurt_segment(struct wal_world *world, uint32_t segment)
{
    uint64_t count = 0;
    for (size_t k = 0; k < world->used; k++) {
        if (segment_of(world, k) != segment) continue;
        wal_world_hurt(world, k, k);
        count++;
    }
    return count;
}

static const char *segment_file(uint32_t segment)
{
    static char paths[4][80];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], WAL_WORLD_DIR "/wal/%016x.seg", segment);
    return path;
}

static void a_missing_segment_is_told_and_the_others_are_read(void **state)
{
    (void)state;
    static struct wal_world world;
    for (uint32_t missing = 1;; missing++) {
        char name[40];
        struct steme_error err;
        snprintf(name, sizeof name, "segment %u missing", missing);
        struct host *mem = long_log(&world, name);
        uint32_t last = segment_of(&world, world.used - 1);
        assert_true(last >= 4);
        uint64_t lost = hurt_segment(&world, missing);
        assert_status(host_remove(mem, segment_file(missing), &err), STEME_OK, &err, name);
        for (int round = 0; round < 2; round++) {
            reopen(&world, name);
            wal_world_check(&world, name);
            if (missing < last)
                assert_row(world.report.degraded && world.report.missing_sequences == lost && world.skipped == lost,
                           name);
            struct wal_totals totals = wal_world_account(&world, name);
            assert_row(totals.findings == (missing < last ? 1 : 0), name);
            assert_status(wal_world_append(&world, 3, true, &err), STEME_OK, &err, name);
            wal_world_close(&world);
        }
        host_mem_free(mem);
        if (missing == last) break;
    }
}

static void a_missing_last_segment_is_told_by_the_mark(void **state)
{
    (void)state;
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = long_log(&world, "last");
    uint32_t last = segment_of(&world, world.used - 1);
    reopen(&world, "last");
    struct wal_mark mark = wal_durable(world.wal);
    wal_world_close(&world);
    uint64_t lost = hurt_segment(&world, last);
    assert_status(host_remove(mem, segment_file(last), &err), STEME_OK, &err, "last");
    world.options.hint = &mark;
    for (int round = 0; round < 3; round++) {
        reopen(&world, "last");
        assert_true(world.report.degraded && world.report.missing_sequences == lost);
        wal_world_check(&world, "last");
        if (round == 1) {
            assert_status(wal_world_append(&world, 3, true, &err), STEME_OK, &err, "last");
            assert_int_equal(segment_of(&world, world.used - 1), last + 1);
            wal_world_check(&world, "last");
        }
        wal_world_account(&world, "last");
        wal_world_close(&world);
        world.options.hint = NULL;
    }
    host_mem_free(mem);
}

static void a_damaged_older_segment_is_found_by_reading(void **state)
{
    (void)state;
    static struct wal_world world;
    static const struct {
        const char *name;
        uint64_t offset;
        bool at_open;
    } rows[] = {
        { "its header", 20, true },
        { "the zeros behind its header", 3000, true },
        { "its first batch header", 4100, false },
        { "its first frame", 4096 + 140, false },
        { "its first record", 4096 + 128 + 150, false },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct host *mem = long_log(&world, rows[i].name);
        size_t first = 0;
        while (segment_of(&world, first) != 2)
            first++;
        if (!rows[i].at_open) wal_world_hurt(&world, first, i == 2 ? first + 29 : first);
        wal_world_flip(&world, 2, rows[i].offset);
        for (int round = 0; round < 2; round++) {
            reopen(&world, rows[i].name);
            /* reading put it on record */
            assert_row(world.report.degraded == (rows[i].at_open || round > 0), rows[i].name);
            wal_world_check(&world, rows[i].name);
            assert_row(world.skipped == (rows[i].at_open ? 0u : i == 2 ? 30u : 1u), rows[i].name);
            assert_row(wal_world_account(&world, rows[i].name).findings == 1, rows[i].name);
            wal_world_close(&world);
        }
        host_mem_free(mem);
    }
}

static uint64_t end_of_first_batch(const struct wal_world *world, uint32_t segment)
{
    size_t k = 0;
    while (segment_of(world, k) != segment)
        k++;
    size_t first = k;
    while (world->group_of[k] == world->group_of[first])
        k++;
    return offset_of(world->location_of[k]) - BATCH_HEADER_BYTES;
}

static void an_older_segment_cut_short_is_no_fault_of_the_reader(void **state)
{
    (void)state;
    static struct wal_world world;
    enum { BETWEEN_BATCHES = 1 }; /* whatever length that is: no bad byte is left */
    static const uint64_t sizes[] = { 0, 64, 4096, 4160, 4096 + 128 + 64, 20000, 20001, 40000, BETWEEN_BATCHES };
    for (size_t i = 0; i < 2 * countof(sizes); i++) {
        char name[80];
        bool headed = i < countof(sizes); /* or the next segment's header is damaged */
        uint64_t size = sizes[i % countof(sizes)];
        struct host *mem = long_log(&world, "long");
        if (size == BETWEEN_BATCHES) size = end_of_first_batch(&world, 2);
        snprintf(name, sizeof name, "segment 2 cut to %llu bytes%s", (unsigned long long)size,
                 headed ? "" : ", the next without a header");
        hurt_segment(&world, 2);
        cut_file(&world, 2, size, name);
        if (!headed) wal_world_flip(&world, 3, 20);
        reopen(&world, name);
        wal_world_check(&world, name);
        assert_row(world.skipped > 0, name);
        assert_row(wal_world_account(&world, name).findings > 0, name);
        for (size_t k = 0; k < world.used; k++) {
            struct wal_entry entry;
            steme_status status = wal_read(world.wal, world.location_of[k], &entry, NULL);
            assert_row(status == STEME_OK || segment_of(&world, k) == 2, name);
        }
        wal_world_close(&world);
        reopen(&world, name); /* reading put it on record */
        assert_row(world.report.degraded && world.report.missing_sequences == world.skipped, name);
        wal_world_close(&world);
        host_mem_free(mem);
    }
}

/* Opening fails with this status, says which file, and changes nothing. */
static void assert_refused(struct wal_world *world, steme_status want, const char *file, const char *name)
{
    struct steme_error err = { 0 };
    struct steme_hash before = wal_world_digest(world, true);
    for (int read_only = 0; read_only < 2; read_only++) {
        world->options.read_only = read_only;
        assert_status(wal_world_open(world, &err), want, &err, name);
        assert_row(world->wal == NULL && strstr(err.message, file), name);
    }
    world->options.read_only = false;
    struct steme_hash after = wal_world_digest(world, true);
    assert_memory_equal(&before, &after, sizeof before);
}

static void exchanged_segments_are_refused_by_name(void **state)
{
    (void)state;
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = long_log(&world, "exchanged");
    assert_status(host_rename(mem, segment_file(2), "store/wal/x", &err), STEME_OK, &err, "exchanged");
    assert_status(host_rename(mem, segment_file(3), segment_file(2), &err), STEME_OK, &err, "exchanged");
    assert_status(host_rename(mem, "store/wal/x", segment_file(3), &err), STEME_OK, &err, "exchanged");
    assert_refused(&world, STEME_CORRUPT, "0000000000000002.seg", "exchanged");
    host_mem_free(mem);
}

static void a_segment_of_another_store_is_refused_by_name(void **state)
{
    (void)state;
    static struct wal_world world;
    struct host *mem = long_log(&world, "another store");
    world.options.store_id.bytes[31] ^= 1;
    assert_refused(&world, STEME_CORRUPT, "0000000000000001.seg", "another store");
    host_mem_free(mem);
}

static void a_newer_format_is_left_untouched(void **state)
{
    (void)state;
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = long_log(&world, "newer");
    uint8_t header[4096] = { 0 };
    uint32_t last = segment_of(&world, world.used - 1);
    memcpy(header, "STEMELOG", 8);
    store_u32(header + 8, 2);
    memset(header + 12, 0xab, 500);
    assert_status(host_mem_poke(mem, segment_file(last), 0, slice_of(header, sizeof header), &err), STEME_OK, &err,
                  "newer");
    assert_refused(&world, STEME_NEWER, segment_file(last), "newer");
    host_mem_free(mem);
}

static void a_directory_with_a_segments_name_is_refused(void **state)
{
    (void)state;
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = long_log(&world, "directory");
    assert_status(host_make_dir(mem, segment_file(77), &err), STEME_OK, &err, "directory");
    assert_status(wal_world_open(&world, &err), STEME_CORRUPT, &err, "directory");
    assert_non_null(strstr(err.message, "000000000000004d.seg"));
    host_mem_free(mem);
}

static void files_with_other_names_are_left_alone(void **state)
{
    (void)state;
    static const char *const names[] = {
        "0000000000000000.seg",
        "00000000ffffffff.seg",
        "0000000000000003.seg.old",
        "000000000000000A.seg",
        "lost+found",
        "3.seg",
        ".seg",
    };
    static struct wal_world world;
    struct steme_error err;
    struct host *mem = long_log(&world, "other names");
    for (size_t i = 0; i < countof(names); i++) {
        char path[80];
        snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%s", names[i]);
        struct host_file *file;
        struct steme_slice text = slice_text("not ours");
        assert_status(host_open(mem, path, HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err, path);
        assert_status(host_write_at(file, 0, &text, 1, &err), STEME_OK, &err, path);
        host_close(&file);
    }
    reopen(&world, "other names");
    wal_world_check(&world, "other names");
    assert_true(world.found == world.used && !world.report.degraded);
    wal_world_close(&world);
    for (size_t i = 0; i < countof(names); i++) {
        char path[80];
        struct host_stat stat;
        snprintf(path, sizeof path, WAL_WORLD_DIR "/wal/%s", names[i]);
        assert_status(host_stat(mem, path, &stat, &err), STEME_OK, &err, path);
        assert_row(stat.size_bytes == 8, path);
    }
    host_mem_free(mem);
}

/* What was found right of one batch says nothing of the next, however many there are. */
static void a_sound_batch_vouches_for_no_other(void **state)
{
    (void)state;
    enum { BATCHES = 400, AT_RECEIVED = 32 };
    static struct wal_world world;
    static struct wal_place places[BATCHES];
    struct wal_entry entry;
    struct steme_error err;
    struct host *mem = host_mem_new(1);
    assert_non_null(mem);
    wal_world_create(&world, mem, "batches");
    reopen(&world, "batches");
    for (size_t i = 0; i < BATCHES; i++) {
        struct wal_record record = wal_world_record(i, false);
        assert_status(wal_append(world.wal, &record, 1, &places[i], &err), STEME_OK, &err, "batches");
        if (i % 2)
            wal_world_flip(&world, (uint32_t)(places[i].location >> 32),
                           offset_of(places[i].location) - 128 + AT_RECEIVED);
    }
    for (size_t odd = 0; odd < 2; odd++)
        for (size_t i = odd; i < BATCHES; i += 2)
            assert_int_equal(wal_read(world.wal, places[i].location, &entry, NULL), odd ? STEME_CORRUPT : STEME_OK);
    wal_world_close(&world);
    host_mem_free(mem);
}

static void what_one_read_alone_shows_is_no_damage(void **state)
{
    (void)state;
    static struct wal_world world;
    size_t starts[GROUPS + 1];
    struct host *mem = small_log(&world, starts, "misread");
    bool lied = true;
    for (uint64_t nth = 1; lied; nth++) {
        for (unsigned round = 0; round < 16; round++) { /* another bit each time */
            char name[60];
            snprintf(name, sizeof name, "read %llu turns a bit", (unsigned long long)nth);
            uint64_t lies = host_mem_lies(mem, HOST_MEM_TURNED);
            host_mem_lie(mem, HOST_MEM_TURNED, nth, NULL);
            reopen(&world, name);
            host_mem_lie(mem, HOST_MEM_TURNED, 0, NULL);
            lied = host_mem_lies(mem, HOST_MEM_TURNED) > lies;
            wal_world_check(&world, name);
            assert_row(!world.report.degraded && world.report.torn_tail_bytes == 0, name);
            assert_row(world.report.quarantine_files == 0 && world.found == world.used, name);
            wal_world_close(&world);
        }
        assert_row(lied || nth > 2, "no read was turned");
    }
    host_mem_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_flipped_byte_costs_no_neighbour),
        cmocka_unit_test(a_flipped_byte_is_set_aside_and_the_log_goes_on),
        cmocka_unit_test(a_log_cut_at_any_length_keeps_its_whole_batches),
        cmocka_unit_test(a_mark_beyond_the_end_tells_what_is_lost),
        cmocka_unit_test(a_missing_segment_is_told_and_the_others_are_read),
        cmocka_unit_test(a_missing_last_segment_is_told_by_the_mark),
        cmocka_unit_test(a_damaged_older_segment_is_found_by_reading),
        cmocka_unit_test(an_older_segment_cut_short_is_no_fault_of_the_reader),
        cmocka_unit_test(exchanged_segments_are_refused_by_name),
        cmocka_unit_test(a_segment_of_another_store_is_refused_by_name),
        cmocka_unit_test(a_newer_format_is_left_untouched),
        cmocka_unit_test(a_directory_with_a_segments_name_is_refused),
        cmocka_unit_test(files_with_other_names_are_left_alone),
        cmocka_unit_test(a_sound_batch_vouches_for_no_other),
        cmocka_unit_test(what_one_read_alone_shows_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
