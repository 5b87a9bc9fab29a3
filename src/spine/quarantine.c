/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/quarantine.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_BYTES 256u
#define FORMAT 1u
#define NAME_BYTES 64u
#define ENTRIES_MIN 16u

static const char magic[8] = { 'S', 'T', 'E', 'M', 'E', 'Q', 'T', 'N' };
static const char unfinished[] = ".tmp";

/* byte offsets; docs/format/recovery.md */
enum {
    AT_MAGIC = 0,
    AT_FORMAT = 8,
    AT_HEADER_BYTES = 12,
    AT_STORE_ID = 16,
    AT_SEGMENT = 48,
    AT_OFFSET = 56,
    AT_LENGTH = 64,
    AT_REASON = 72,
    AT_FOUND_AT = 80,
    AT_FIRST_SEQUENCE = 88,
    AT_COUNT = 96,
    AT_HASH = 104,
    AT_CHECK = 224 /* over all before it; what is not named is zero */
};

static bool ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name);
    size_t ending_size = strlen(ending);
    return size >= ending_size && strcmp(name + size - ending_size, ending) == 0;
}

static void write_header(const struct quarantine *quarantine, const struct quarantine_entry *entry,
                         uint8_t to[HEADER_BYTES])
{
    memset(to, 0, HEADER_BYTES);
    memcpy(to + AT_MAGIC, magic, sizeof magic);
    store_u32(to + AT_FORMAT, FORMAT);
    store_u32(to + AT_HEADER_BYTES, HEADER_BYTES);
    memcpy(to + AT_STORE_ID, quarantine->store_id.bytes, HASH_BYTES);
    store_u64(to + AT_SEGMENT, entry->segment);
    store_u64(to + AT_OFFSET, entry->offset);
    store_u64(to + AT_LENGTH, entry->length);
    store_u32(to + AT_REASON, (uint32_t)entry->reason);
    store_i64(to + AT_FOUND_AT, entry->found_at_us);
    store_u64(to + AT_FIRST_SEQUENCE, entry->first_sequence);
    store_u64(to + AT_COUNT, entry->count);
    memcpy(to + AT_HASH, entry->hash.bytes, HASH_BYTES);
    struct steme_hash check = hash_one(slice_of(to, AT_CHECK));
    memcpy(to + AT_CHECK, check.bytes, HASH_BYTES);
}

/* Fill entry from a file's header; false when it is not a whole one of this store. */
static bool read_header(const struct quarantine *quarantine, const uint8_t *bytes, struct quarantine_entry *entry)
{
    struct steme_hash check = hash_one(slice_of(bytes, AT_CHECK));
    if (memcmp(bytes + AT_MAGIC, magic, sizeof magic) != 0 || load_u32(bytes + AT_FORMAT) != FORMAT) return false;
    if (memcmp(check.bytes, bytes + AT_CHECK, HASH_BYTES) != 0) return false;
    if (memcmp(bytes + AT_STORE_ID, quarantine->store_id.bytes, HASH_BYTES) != 0) return false;
    uint32_t reason = load_u32(bytes + AT_REASON);
    if (reason < QUARANTINE_TORN || reason > QUARANTINE_LOST) return false;
    entry->good = true;
    entry->segment = load_u64(bytes + AT_SEGMENT);
    entry->offset = load_u64(bytes + AT_OFFSET);
    entry->length = load_u64(bytes + AT_LENGTH);
    entry->reason = (enum quarantine_reason)reason;
    entry->found_at_us = load_i64(bytes + AT_FOUND_AT);
    entry->first_sequence = load_u64(bytes + AT_FIRST_SEQUENCE);
    entry->count = load_u64(bytes + AT_COUNT);
    memcpy(entry->hash.bytes, bytes + AT_HASH, HASH_BYTES);
    return true;
}

static steme_status add_entry(struct quarantine *quarantine, const struct quarantine_entry *entry,
                              struct steme_error *err)
{
    if (quarantine->count == quarantine->max) {
        size_t max = quarantine->max ? 2 * quarantine->max : ENTRIES_MIN;
        struct quarantine_entry *entries = arena_alloc(&quarantine->arena, max * sizeof *entries);
        if (!entries) return arena_full(&quarantine->arena, err);
        if (quarantine->count) memcpy(entries, quarantine->entries, quarantine->count * sizeof *entries);
        quarantine->entries = entries;
        quarantine->max = max;
    }
    quarantine->entries[quarantine->count++] = *entry;
    return STEME_OK;
}

static steme_status path_of(struct quarantine *quarantine, const char *name, const char **out, struct steme_error *err)
{
    *out = host_join(&quarantine->arena, quarantine->dir, name);
    return *out ? STEME_OK : arena_full(&quarantine->arena, err);
}

/* Look at one name in the directory. */
static steme_status take_stock(struct quarantine *quarantine, const char *name, struct steme_error *err)
{
    uint8_t header[HEADER_BYTES];
    size_t got = 0;
    const char *path;
    struct host_stat stat;
    struct host_file *file = NULL;
    struct quarantine_entry entry = { .name = name };
    steme_status status = path_of(quarantine, name, &path, err);
    if (status) return status;
    if (ends_with(name, unfinished) && !quarantine->read_only) return host_remove(quarantine->host, path, err);
    status = host_stat(quarantine->host, path, &stat, err);
    if (status || stat.kind != HOST_KIND_FILE) return status;
    quarantine->total_bytes += stat.size_bytes;
    if (!ends_with(name, ".q")) return STEME_OK;

    quarantine->file_count++;
    status = host_open(quarantine->host, path, HOST_READ, &file, err);
    for (int looks = 0; !status && !entry.good && looks < 2; looks++) { /* a bit may turn on the way from the disk */
        status = host_read_at(file, 0, header, sizeof header, &got, err);
        if (!status && got == sizeof header) (void)read_header(quarantine, header, &entry);
    }
    host_close(&file);
    if (status) return status;
    return add_entry(quarantine, &entry, err);
}

steme_status quarantine_open(struct quarantine *quarantine, struct host *host, const char *dir,
                             const struct steme_hash *store_id, uint64_t limit_bytes, bool read_only,
                             struct steme_error *err)
{
    struct host_entry *found = NULL;
    size_t count = 0;
    *quarantine = (struct quarantine){
        .host = host, .store_id = *store_id, .limit_bytes = limit_bytes, .read_only = read_only
    };
    arena_init(&quarantine->arena, SIZE_MAX);
    steme_status status = STEME_OK;
    quarantine->dir = host_join(&quarantine->arena, dir, QUARANTINE_DIR);
    if (!quarantine->dir) status = arena_full(&quarantine->arena, err);
    if (!status) status = host_list(host, quarantine->dir, &quarantine->arena, &found, &count, err);
    if (status == STEME_NOT_FOUND) {
        status = read_only ? STEME_OK : host_make_dir(host, quarantine->dir, err);
        if (!status && !read_only) status = host_sync_dir(host, dir, err);
    }
    for (size_t i = 0; !status && i < count; i++)
        if (found[i].kind == HOST_KIND_FILE) status = take_stock(quarantine, found[i].name, err);
    if (status) quarantine_close(quarantine);
    return status;
}

void quarantine_close(struct quarantine *quarantine)
{
    arena_deinit(&quarantine->arena);
    *quarantine = (struct quarantine){ 0 };
}

steme_status quarantine_check(struct quarantine *quarantine, const struct quarantine_entry *entry, bool *whole_out,
                              struct steme_error *err)
{
    const char *path;
    struct steme_slice file;
    struct arena_mark mark = arena_mark(&quarantine->arena);
    steme_status status = path_of(quarantine, entry->name, &path, err);
    if (!status) status = host_read_file(quarantine->host, path, SIZE_MAX, &quarantine->arena, &file, err);
    if (!status) {
        struct quarantine_entry now = { 0 };
        bool whole = file.size >= HEADER_BYTES && read_header(quarantine, file.data, &now);
        if (whole) {
            struct steme_hash hash = hash_one(slice_of(file.data + HEADER_BYTES, file.size - HEADER_BYTES));
            whole = now.length == file.size - HEADER_BYTES && memcmp(hash.bytes, now.hash.bytes, HASH_BYTES) == 0;
        }
        *whole_out = whole;
    }
    arena_rewind(&quarantine->arena, mark);
    return status;
}

static bool same_stretch(const struct quarantine_entry *a, const struct quarantine_entry *b)
{
    return a->segment == b->segment && a->offset == b->offset && a->length == b->length && a->reason == b->reason &&
           a->first_sequence == b->first_sequence && a->count == b->count &&
           memcmp(a->hash.bytes, b->hash.bytes, HASH_BYTES) == 0;
}

/* The stretch, if it is on record in this process only. */
static struct quarantine_entry *find_unfiled(struct quarantine *quarantine, const struct quarantine_entry *entry)
{
    for (size_t i = 0; i < quarantine->count; i++)
        if (!quarantine->entries[i].name && same_stretch(&quarantine->entries[i], entry))
            return &quarantine->entries[i];
    return NULL;
}

/* Whether the stretch lies there whole, or, read-only, is on record. */
static steme_status is_there(struct quarantine *quarantine, const struct quarantine_entry *entry, bool *there_out,
                             struct steme_error *err)
{
    *there_out = false;
    for (size_t i = 0; i < quarantine->count && !*there_out; i++) {
        const struct quarantine_entry *other = &quarantine->entries[i];
        if (!other->good || !same_stretch(other, entry)) continue;
        if (!other->name) {
            *there_out = quarantine->read_only; /* else it could not be written then */
            continue;
        }
        steme_status status = quarantine_check(quarantine, other, there_out, err);
        if (status) return status;
    }
    return STEME_OK;
}

/* The first of the stretch's names that nothing in the directory has. */
static steme_status free_name(struct quarantine *quarantine, const struct quarantine_entry *entry,
                              const char **name_out, struct steme_error *err)
{
    char name[NAME_BYTES];
    bool taken = true;
    for (unsigned n = 0; taken; n++) {
        int length = snprintf(name, sizeof name, "%016" PRIx64 "-%08" PRIx64 ".%u.q", entry->segment, entry->offset, n);
        invariant(length > 0 && (size_t)length < sizeof name);
        taken = false;
        for (size_t i = 0; i < quarantine->count && !taken; i++)
            taken = quarantine->entries[i].name && strcmp(quarantine->entries[i].name, name) == 0;
    }
    struct steme_slice copy = arena_copy(&quarantine->arena, slice_text(name));
    if (!copy.data) return arena_full(&quarantine->arena, err);
    *name_out = (const char *)copy.data;
    return STEME_OK;
}

static steme_status write_file(struct quarantine *quarantine, const struct quarantine_entry *entry,
                               struct steme_slice bytes, struct steme_error *err)
{
    uint8_t header[HEADER_BYTES];
    char draft_name[NAME_BYTES + sizeof unfinished];
    const char *path;
    const char *draft;
    struct host_file *file = NULL;
    struct steme_slice pieces[2] = { slice_of(header, sizeof header), bytes };
    write_header(quarantine, entry, header);
    snprintf(draft_name, sizeof draft_name, "%s%s", entry->name, unfinished);
    steme_status status = path_of(quarantine, entry->name, &path, err);
    if (!status) status = path_of(quarantine, draft_name, &draft, err);
    if (status) return status;
    status = host_open(quarantine->host, draft, HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE, &file, err);
    if (status == STEME_EXISTS) { /* an earlier attempt could not even remove it */
        status = host_remove(quarantine->host, draft, err);
        if (!status) status = host_open(quarantine->host, draft, HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE, &file, err);
    }
    if (status) return status;
    status = host_write_at(file, 0, pieces, bytes.size ? 2 : 1, err);
    if (!status) status = host_sync(file, err);
    host_close(&file);
    if (!status) status = host_rename(quarantine->host, draft, path, err);
    if (status) (void)!host_remove(quarantine->host, draft, NULL); /* else the next opening does */
    if (!status) status = host_sync_dir(quarantine->host, quarantine->dir, err);
    return status;
}

static struct quarantine_entry entry_of(const struct quarantine *quarantine, const struct quarantine_stretch *stretch)
{
    return (struct quarantine_entry){
        .good = true,
        .segment = stretch->segment,
        .offset = stretch->offset,
        .length = stretch->bytes.size,
        .reason = stretch->reason,
        .first_sequence = stretch->first_sequence,
        .count = stretch->count,
        .found_at_us = host_wall_us(quarantine->host),
        .hash = hash_one(stretch->bytes),
    };
}

steme_status quarantine_note(struct quarantine *quarantine, const struct quarantine_stretch *stretch,
                             struct steme_error *err)
{
    struct quarantine_entry entry = entry_of(quarantine, stretch);
    return find_unfiled(quarantine, &entry) ? STEME_OK : add_entry(quarantine, &entry, err);
}

steme_status quarantine_set_aside(struct quarantine *quarantine, const struct quarantine_stretch *stretch,
                                  struct steme_error *err)
{
    bool there = false;
    struct quarantine_entry entry = entry_of(quarantine, stretch);
    steme_status status = is_there(quarantine, &entry, &there, err);
    if (status) return status;
    if (quarantine->read_only) return there ? STEME_OK : add_entry(quarantine, &entry, err);
    /* whoever wrote it may have been killed before he did */
    if (there) return host_sync_dir(quarantine->host, quarantine->dir, err);

    uint64_t size = HEADER_BYTES + entry.length;
    if (quarantine->total_bytes + size > quarantine->limit_bytes)
        return error_set(err, STEME_CORRUPT,
                         "%" PRIu64 " damaged bytes of log segment %" PRIu64 " have no room in %s, which holds %" PRIu64
                         " of at most %" PRIu64 " bytes: move its files to a safe place, then open again",
                         entry.length, entry.segment, quarantine->dir, quarantine->total_bytes,
                         quarantine->limit_bytes);
    status = free_name(quarantine, &entry, &entry.name, err);
    if (!status) status = write_file(quarantine, &entry, stretch->bytes, err);
    struct quarantine_entry *noted = find_unfiled(quarantine, &entry);
    if (!status && noted) *noted = entry;
    if (!status && !noted) status = add_entry(quarantine, &entry, err);
    if (status)
        return error_wrap(err, status, "setting aside %" PRIu64 " bytes of log segment %" PRIu64 " at %" PRIu64,
                          entry.length, entry.segment, entry.offset);
    quarantine->file_count++;
    quarantine->total_bytes += size;
    return STEME_OK;
}

bool quarantine_is_loss(const struct quarantine_entry *entry)
{
    return entry->good && (entry->reason == QUARANTINE_DAMAGE || entry->reason == QUARANTINE_LOST);
}

bool quarantine_tells(const struct quarantine *quarantine, uint64_t first_sequence, uint64_t count)
{
    uint64_t told = 0; /* of the numbers from the first on */
    for (bool more = true; more && told < count;) {
        more = false;
        for (size_t i = 0; i < quarantine->count; i++) {
            const struct quarantine_entry *entry = &quarantine->entries[i];
            uint64_t before = first_sequence + told - entry->first_sequence; /* of the entry's, if it begins so early */
            bool adds = quarantine_is_loss(entry) && entry->first_sequence <= first_sequence + told &&
                        before < entry->count;
            if (adds) told += entry->count - before;
            more = more || adds;
        }
    }
    return told >= count;
}

/* A half-open range of sequence numbers. */
struct range {
    uint64_t from, to;
};

static int compare_ranges(const void *a, const void *b)
{
    const struct range *left = a;
    const struct range *right = b;
    return (left->from > right->from) - (left->from < right->from);
}

steme_status quarantine_sum(struct quarantine *quarantine, struct quarantine_sum *out, struct steme_error *err)
{
    struct quarantine_sum sum = { 0 };
    size_t count = 0;
    struct arena_mark mark = arena_mark(&quarantine->arena);
    struct range *ranges = arena_calloc(&quarantine->arena, quarantine->count, sizeof *ranges);
    if (!ranges) return arena_full(&quarantine->arena, err);
    for (size_t i = 0; i < quarantine->count; i++) {
        const struct quarantine_entry *entry = &quarantine->entries[i];
        if (entry->good && entry->reason == QUARANTINE_TORN) continue;
        sum.degraded = true; /* also when we can't read any more what it was */
        sum.unfiled = sum.unfiled || !entry->name;
        sum.damaged_bytes += entry->length;
        ranges[count++] = (struct range){ entry->first_sequence, entry->first_sequence + entry->count };
    }
    qsort(ranges, count, sizeof *ranges, compare_ranges);
    uint64_t seen = 0; /* numbers below it are counted */
    for (size_t i = 0; i < count; i++) {
        uint64_t from = ranges[i].from > seen ? ranges[i].from : seen;
        if (ranges[i].to <= from) continue;
        sum.missing_sequences += ranges[i].to - from;
        seen = ranges[i].to;
    }
    arena_rewind(&quarantine->arena, mark);
    *out = sum;
    return STEME_OK;
}
