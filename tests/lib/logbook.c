/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/logbook.h"

#include "base/slice.h"
#include "host/host_mem.h"
#include "lib/testing.h"

#include <stdio.h>

enum { SEGMENT_BYTES = 64 << 10, SECOND_NS = 1000000000, GROUP_MAX = STEME_BUNDLE_MAX + 1 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

void logbook_init(struct logbook *log) { logbook_init_with(log, SEGMENT_BYTES); }

void logbook_init_with(struct logbook *log, uint64_t segment_bytes)
{
    *log = (struct logbook){ .host = host_mem_new(42) };
    assert_non_null(log->host);
    host_mem_set_wall_us(log->host, PILE_NOON_US);
    OK(host_make_dir(log->host, LOGBOOK_DIR, &failure));
    OK(host_make_dir(log->host, LOGBOOK_INDEX_DIR, &failure));
    log->options = (struct wal_options){ .host = log->host, .dir = LOGBOOK_DIR, .segment_bytes = segment_bytes };
    memset(&log->options.store_id, 's', sizeof log->options.store_id);
    OK(wal_create(&log->options, &failure));
    OK(wal_open(&log->options, &log->wal, NULL, &failure));
}

void logbook_deinit(struct logbook *log)
{
    wal_close(&log->wal);
    host_mem_free(log->host);
    *log = (struct logbook){ 0 };
}

void logbook_write(struct logbook *log, const struct pile *pile, size_t first, size_t last, struct wal_place *places)
{
    static struct wal_record records[GROUP_MAX];
    static struct wal_place unasked[GROUP_MAX];
    for (size_t group = first; group < last; group++) {
        size_t count = pile_group_size(pile, group);
        pile_log_group(pile, group, records);
        OK(wal_append(log->wal, records, count, places ? places : unasked, &failure));
        if (places) places += count;
        host_mem_advance_ns(log->host, SECOND_NS);
    }
}

void logbook_write_all(struct logbook *log, const struct pile *pile)
{
    logbook_write(log, pile, 0, pile->group_count, NULL);
}

void logbook_reopen(struct logbook *log)
{
    wal_close(&log->wal);
    OK(wal_open(&log->options, &log->wal, NULL, &failure));
}

void logbook_rot(struct logbook *log, uint64_t location, uint64_t at)
{
    char path[64];
    uint8_t byte = 0;
    size_t got = 0;
    struct host_file *file = NULL;
    uint64_t offset = (location & UINT32_MAX) + at;
    (void)snprintf(path, sizeof path, LOGBOOK_DIR "/wal/%016llx.seg", (unsigned long long)(location >> 32));
    OK(host_open(log->host, path, HOST_READ, &file, &failure));
    OK(host_read_at(file, offset, &byte, 1, &got, &failure));
    host_close(&file);
    byte = (uint8_t)~byte;
    OK(host_mem_poke(log->host, path, offset, slice_of(&byte, 1), &failure));
}
