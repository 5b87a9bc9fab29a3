/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/examine.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lib/wal_world.h"

/* What one opening shows. */
struct view {
    steme_status status;
    uint64_t found;
    struct wal_report report; /* after reading, which finds damage too */
    struct wal_totals totals;
};

static void must(steme_status status) { invariant(status == STEME_OK); }

/* Numbers that rise, ids that match; each record in its place. Returns how many. */
static uint64_t read_all(struct wal *wal)
{
    struct arena arena;
    struct wal_mark at = wal_begin(wal);
    uint64_t sequence = 0, total = 0;
    arena_init(&arena, SIZE_MAX);
    for (size_t count = 1; count > 0;) {
        struct arena_mark mark = arena_mark(&arena);
        struct wal_entry *entries = NULL;
        must(wal_scan(wal, &at, 16, &arena, &entries, &count, NULL, NULL));
        for (size_t i = 0; i < count; i++) {
            struct wal_entry again;
            struct steme_hash id = hash_one(entries[i].bytes);
            invariant(memcmp(id.bytes, entries[i].id.bytes, sizeof id) == 0);
            invariant(entries[i].sequence > sequence);
            sequence = entries[i].sequence;
            must(wal_read(wal, entries[i].location, &again, NULL));
            invariant(again.sequence == sequence && again.bytes.data == entries[i].bytes.data);
        }
        total += count;
        arena_rewind(&arena, mark);
    }
    invariant(at.location == wal_durable(wal).location);
    arena_deinit(&arena);
    return total;
}

/* What is written now is read back. */
static void go_on(struct wal *wal)
{
    struct wal_record record = wal_world_record(0, false);
    struct wal_place place;
    struct wal_entry entry;
    must(wal_append(wal, &record, 1, &place, NULL));
    must(wal_read(wal, place.location, &entry, NULL));
    invariant(slice_equal(entry.bytes, record.bytes));
}

static struct view look(const struct wal_options *options, bool read_only, bool append)
{
    struct wal_options mine = *options;
    struct wal *wal;
    struct steme_error err = { 0 };
    struct view view = { .found = 0 };
    mine.read_only = read_only;
    view.status = wal_open(&mine, &wal, &view.report, &err);
    invariant(view.status == STEME_OK || err.message[0] != '\0');
    if (view.status) return view;
    view.found = read_all(wal);
    must(wal_damage(wal, &view.report, NULL));
    must(wal_verify(wal, NULL, NULL, &view.totals, NULL));
    invariant(view.totals.valid_bytes + view.totals.padding_bytes + view.totals.damaged_bytes ==
              view.totals.file_bytes);
    invariant(view.totals.frames == view.found);
    if (append) go_on(wal);
    wal_close(&wal);
    return view;
}

static bool same_files(const struct steme_hash *a, const struct steme_hash *b) { return memcmp(a, b, sizeof *a) == 0; }

uint64_t examine_log(const struct wal_options *options, bool forged)
{
    static struct wal_world world;
    world.host = options->host;
    struct steme_hash before = wal_world_digest(&world, false);
    struct view reader = look(options, true, false);
    struct steme_hash after = wal_world_digest(&world, false);
    invariant(same_files(&before, &after));
    struct view first = look(options, false, false);
    invariant(first.status == reader.status);
    if (first.status) {
        after = wal_world_digest(&world, false);
        invariant(same_files(&before, &after));
        return 0;
    }
    invariant(first.found == reader.found && first.report.degraded == reader.report.degraded);
    if (forged) {
        struct view again = look(options, false, true);
        invariant(again.status == STEME_OK);
        return first.found;
    }
    before = wal_world_digest(&world, true);
    struct view second = look(options, false, false);
    invariant(second.status == STEME_OK && second.found == first.found && second.report.torn_tail_bytes == 0);
    invariant(second.report.degraded == first.report.degraded);
    invariant(second.report.missing_sequences == first.report.missing_sequences);
    after = wal_world_digest(&world, true);
    invariant(same_files(&before, &after));
    struct view third = look(options, false, true);
    invariant(third.status == STEME_OK && third.found == first.found);
    struct view last = look(options, false, false);
    invariant(last.status == STEME_OK && last.found == first.found + 1);
    return first.found;
}
