/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/segment.h"

#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"

#include <inttypes.h>
#include <stdio.h>

#define SEGMENT_FORMAT 1u

static const char magic[8] = { 'S', 'T', 'E', 'M', 'E', 'L', 'O', 'G' };

/* byte offsets; docs/format/log.md */
enum {
    AT_MAGIC = 0,
    AT_FORMAT = 8,
    AT_HEADER_BYTES = 12,
    AT_STORE_ID = 16,
    AT_NUMBER = 48,
    AT_FIRST_SEQUENCE = 56,
    AT_CREATED_AT = 64,
    AT_PREV = 72,
    AT_SEGMENT_BYTES = 104,
    AT_CHECK = 224 /* over all before it; from 112 to here are zeros */
};

void segment_name(uint32_t number, char name[SEGMENT_NAME_BYTES])
{
    snprintf(name, SEGMENT_NAME_BYTES, "%016" PRIx32 ".seg", number);
}

uint32_t segment_name_number(const char *name)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = 0;
    for (int i = 0; i < 16; i++) {
        const char *digit = name[i] ? strchr(digits, name[i]) : NULL;
        if (!digit) return 0;
        number = number << 4 | (uint64_t)(digit - digits);
    }
    return strcmp(name + 16, ".seg") == 0 && number <= SEGMENT_NUMBER_MAX ? (uint32_t)number : 0;
}

steme_status segment_path(const char *dir, uint32_t number, char *to, struct steme_error *err)
{
    int length = snprintf(to, SEGMENT_PATH_BYTES, "%s/%016" PRIx32 ".seg", dir, number);
    if (length < 0 || (size_t)length >= SEGMENT_PATH_BYTES)
        return error_set(err, STEME_TOO_LARGE, "the path of the log is over %u bytes: open the store by a shorter one",
                         SEGMENT_PATH_BYTES - 1);
    return STEME_OK;
}

void segment_header_write(const struct segment_header *header, uint8_t to[SEGMENT_HEADER_BYTES])
{
    memset(to, 0, SEGMENT_HEADER_BYTES);
    memcpy(to + AT_MAGIC, magic, sizeof magic);
    store_u32(to + AT_FORMAT, SEGMENT_FORMAT);
    store_u32(to + AT_HEADER_BYTES, SEGMENT_HEADER_BYTES);
    memcpy(to + AT_STORE_ID, header->store_id.bytes, HASH_BYTES);
    store_u64(to + AT_NUMBER, header->number);
    store_u64(to + AT_FIRST_SEQUENCE, header->first_sequence);
    store_i64(to + AT_CREATED_AT, header->created_at_us);
    memcpy(to + AT_PREV, header->prev.bytes, HASH_BYTES);
    store_u64(to + AT_SEGMENT_BYTES, header->segment_bytes);
    struct steme_hash check = hash_one(slice_of(to, AT_CHECK));
    memcpy(to + AT_CHECK, check.bytes, HASH_BYTES);
}

/* Whether the check holds with our own format number in its field. */
static bool is_ours(const uint8_t *bytes)
{
    uint8_t copy[AT_CHECK];
    memcpy(copy, bytes, sizeof copy);
    store_u32(copy + AT_FORMAT, SEGMENT_FORMAT);
    struct steme_hash check = hash_one(slice_of(copy, sizeof copy));
    return memcmp(check.bytes, bytes + AT_CHECK, HASH_BYTES) == 0;
}

steme_status segment_header_read(struct steme_slice bytes, struct segment_header *out)
{
    if (bytes.size < SEGMENT_HEADER_BYTES || memcmp(bytes.data, magic, sizeof magic) != 0) return STEME_CORRUPT;
    uint32_t format = load_u32(bytes.data + AT_FORMAT);
    /* A later format may check itself in another way. But if our check holds with our number put in, then this is ours,
     * and it is the format field that was damaged. */
    if (!is_ours(bytes.data)) return format > SEGMENT_FORMAT ? STEME_NEWER : STEME_CORRUPT;
    if (format != SEGMENT_FORMAT) return STEME_CORRUPT;
    uint64_t number = load_u64(bytes.data + AT_NUMBER), first = load_u64(bytes.data + AT_FIRST_SEQUENCE);
    if (first == 0 || first > SEQUENCE_MAX) return STEME_CORRUPT;
    if (number == 1 && first != 1) return STEME_CORRUPT; /* the first segment begins with the first */
    *out = (struct segment_header){
        .number = number,
        .first_sequence = first,
        .created_at_us = load_i64(bytes.data + AT_CREATED_AT),
        .segment_bytes = load_u64(bytes.data + AT_SEGMENT_BYTES),
    };
    memcpy(out->store_id.bytes, bytes.data + AT_STORE_ID, HASH_BYTES);
    memcpy(out->prev.bytes, bytes.data + AT_PREV, HASH_BYTES);
    return STEME_OK;
}

/* Header into a file that holds nothing but zeros; then all that makes it last. A full disk is no longer an answer
 * here: whatever fails now, its effect is unknown. */
static steme_status give_birth(struct host *host, const char *dir, const struct segment_header *header,
                               struct host_file *file, struct steme_error *err)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct steme_slice piece = slice_of(bytes, sizeof bytes);
    struct steme_error why;
    segment_header_write(header, bytes);
    steme_status status = host_write_at(file, 0, &piece, 1, &why);
    if (!status) status = host_sync(file, &why);
    if (!status) status = host_sync_dir(host, dir, &why);
    return status ? error_set_os(err, STEME_IO, why.os_errno, "%s", why.message) : STEME_OK;
}

/* Take away a file that got no further than its name and some space. Durably: coming back, it would pass for a
 * proof that the segment before it is complete. */
static steme_status remove_unborn(struct host *host, const char *dir, const char *path, struct steme_error *err)
{
    struct steme_error why;
    steme_status status = host_remove(host, path, &why);
    if (!status || status == STEME_NOT_FOUND) status = host_sync_dir(host, dir, &why);
    if (status)
        return error_set_os(err, STEME_IO, why.os_errno, "%s was begun and can't be taken back: %s", path, why.message);
    return STEME_OK;
}

steme_status segment_create(struct host *host, const char *dir, const struct segment_header *header,
                            struct host_file **file_out, struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    steme_status status = segment_path(dir, (uint32_t)header->number, path, err);
    if (status) goto done;
    status = host_open(host, path, HOST_WRITE | HOST_CREATE | HOST_EXCLUSIVE, &file, err);
    if (!status) status = host_allocate(file, header->segment_bytes, err);
    if (status == STEME_NO_SPACE || (status == STEME_NO_MEMORY && file)) {
        host_close(&file);
        steme_status removed = remove_unborn(host, dir, path, err);
        if (removed) status = removed;
    }
    if (status) goto done;
    status = give_birth(host, dir, header, file, err);
    if (status) goto done;
    *file_out = file;
    file = NULL;
done:
    host_close(&file);
    return status ? error_wrap(err, status, "creating log segment %" PRIu64, header->number) : STEME_OK;
}

steme_status segment_recreate(struct host *host, const char *dir, const struct segment_header *header,
                              struct steme_error *err)
{
    char path[SEGMENT_PATH_BYTES];
    struct host_file *file = NULL;
    steme_status status = segment_path(dir, (uint32_t)header->number, path, err);
    if (!status) status = host_open(host, path, HOST_WRITE, &file, err);
    if (!status) status = host_truncate(file, 0, err);
    if (!status) status = give_birth(host, dir, header, file, err);
    host_close(&file);
    return status ? error_wrap(err, status, "completing log segment %" PRIu64, header->number) : STEME_OK;
}
