/* SPDX-License-Identifier: Apache-2.0 */
/* A log in whatever state, opened as everybody might: it opens or says why not; what is read is in order and matches
 * its id; every byte is accounted for; readers see what the writer sees; opening twice is opening once. */
#ifndef TESTS_FUZZ_EXAMINE_H
#define TESTS_FUZZ_EXAMINE_H

#include "spine/wal.h"

/* For reading, for writing, again, and then on with a record. Aborts where the log breaks a promise. Returns how many
 * records it holds before that, 0 if it does not open. options->dir is WAL_WORLD_DIR.
 * forged: checks were put right behind somebody's changes. Who can do that can make a log that a walk from the middle
 * and one from the beginning take differently, so nothing is asked of the second opening but that it is one. */
uint64_t examine_log(const struct wal_options *options, bool forged);

#endif
