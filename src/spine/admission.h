/* SPDX-License-Identifier: Apache-2.0 */
/* Admission: what is refused before anything is written. Records are canonical, within limits, signed by whom they say
 * they are by; a bundle is followed by exactly the assertions its list names, and nothing else is unsigned. Pure but
 * for the arena; runs on the caller's thread, so verification uses as many cores as there are callers. */
#ifndef SPINE_ADMISSION_H
#define SPINE_ADMISSION_H

#include "base/arena.h"
#include "base/error.h"
#include "spine/wal.h"
#include "steme/store.h"

/* A record that may be written. */
struct admitted {
    struct wal_record record; /* bytes and signature borrowed from the input */
    enum steme_type type;
    size_t group_count; /* a bundle: 1 + its members, which follow; else 1. 0 for a member */
};

/* Check records[0..count) and compute their ids. verify false skips the Ed25519 check only: for records this process
 * has just signed. *out lives in the arena. On failure *bad_out (may be NULL) is the index of the record at fault, or
 * count. */
MUST_CHECK steme_status admission_check(const struct steme_signed *records, size_t count, bool verify,
                                        struct arena *arena, struct admitted **out, size_t *bad_out,
                                        struct steme_error *err);

#endif
