/* SPDX-License-Identifier: Apache-2.0 */
/* One segment file, wal/%016x.seg: a header of 4096 bytes, then batches, then zeros (docs/format/log.md).
 * Any thread. */
#ifndef SPINE_SEGMENT_H
#define SPINE_SEGMENT_H

#include "host/host.h"
#include "spine/batch.h"

#define SEGMENT_HEADER_BYTES 4096u
#define SEGMENT_HEADER_USED_BYTES 256u /* fields and check; zeros from here on */
#define SEGMENT_NAME_BYTES 21u         /* with the NUL */
#define SEGMENT_PATH_BYTES 4096u       /* of any segment's path, with the NUL */
#define SEGMENT_BYTES_MIN 65536u
#define SEGMENT_BYTES_MAX 0xfffff000u /* an offset has 32 bits in a location */
#define SEGMENT_NUMBER_MAX 4194303u   /* 256 TiB of log, and a bound for the table that holds them */

struct segment_header {
    uint64_t number;
    uint64_t first_sequence; /* of the first record in it */
    int64_t created_at_us;   /* not before the receive time of any earlier batch */
    uint64_t segment_bytes;  /* the file's length while it is written; later it may be trimmed */
    struct steme_hash store_id;
    struct steme_hash prev; /* hash of the last batch before it; zeros in the first segment */
};

static inline uint64_t location_of(uint32_t segment, uint64_t offset) { return (uint64_t)segment << 32 | offset; }

static inline uint32_t location_segment(uint64_t location) { return (uint32_t)(location >> 32); }

static inline uint64_t location_offset(uint64_t location) { return location & 0xffffffffu; }

void segment_name(uint32_t number, char name[SEGMENT_NAME_BYTES]);
/* Number of a segment by its file name, 1..SEGMENT_NUMBER_MAX, or 0 when the name is not one we give. */
uint32_t segment_name_number(const char *name);
/* "dir/name" in the caller's buffer of SEGMENT_PATH_BYTES; STEME_TOO_LARGE when it does not fit. */
MUST_CHECK steme_status segment_path(const char *dir, uint32_t number, char *to, struct steme_error *err);

void segment_header_write(const struct segment_header *header, uint8_t to[SEGMENT_HEADER_BYTES]);
/* STEME_OK, STEME_NEWER (a format we don't know), or STEME_CORRUPT: no header, cut short, or it fails its check. A bare
 * status: what it means depends on where the segment stands. */
MUST_CHECK steme_status segment_header_read(struct steme_slice bytes, struct segment_header *out);

/* Create the file in `dir`, reserve its space, write the header, sync it and the directory: after STEME_OK it survives
 * a power cut. *file_out is open for writing. STEME_NO_SPACE, STEME_NO_MEMORY: nothing is left of it and nothing is in
 * doubt. After any other failure nobody knows what is on the disk. */
MUST_CHECK steme_status segment_create(struct host *host, const char *dir, const struct segment_header *header,
                                       struct host_file **file_out, struct steme_error *err);
/* Make an existing file that never became a segment into one: emptied, header, synced with the directory. Space is not
 * reserved. */
MUST_CHECK steme_status segment_recreate(struct host *host, const char *dir, const struct segment_header *header,
                                         struct steme_error *err);

#endif
