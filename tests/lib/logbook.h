/* SPDX-License-Identifier: Apache-2.0 */
/* A log in a world of memory, written from piles. Fails the test where something does not work that should.
 * One thread. */
#ifndef TESTS_LIB_LOGBOOK_H
#define TESTS_LIB_LOGBOOK_H

#include "lib/pile.h"

#define LOGBOOK_DIR "store"
#define LOGBOOK_INDEX_DIR "store/index"

struct logbook {
    struct host *host;          /* its clock starts at PILE_NOON_US and moves a second with every batch */
    struct wal_options options; /* no committer */
    struct wal *wal;
};

void logbook_init(struct logbook *log); /* segments of 64 KiB */
void logbook_init_with(struct logbook *log, uint64_t segment_bytes);
void logbook_deinit(struct logbook *log);
/* Append groups first..last-1, one batch each. Where places is not NULL it has room for their records. */
void logbook_write(struct logbook *log, const struct pile *pile, size_t first, size_t last, struct wal_place *places);
void logbook_write_all(struct logbook *log, const struct pile *pile);
/* Close and open again. */
void logbook_reopen(struct logbook *log);
/* Invert a byte: `at` bytes behind the location. */
void logbook_rot(struct logbook *log, uint64_t location, uint64_t at);

#endif
