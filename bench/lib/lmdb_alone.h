/* SPDX-License-Identifier: Apache-2.0 */
/* LMDB with nothing around it, given exactly what our index holds: how fast an index in LMDB can grow at all. */
#ifndef BENCH_LIB_LMDB_ALONE_H
#define BENCH_LIB_LMDB_ALONE_H

#include "base/arena.h"

#include <stddef.h>

struct lmdb_entry {
    struct steme_slice key, value;
    uint64_t location; /* of the record it is about */
};

struct lmdb_entries {
    struct lmdb_entry *items; /* in the order in which records came */
    size_t count;
    size_t bytes; /* keys and values */
    struct arena arena;
};

/* Every row of the index in this directory but the applied mark, which is rewritten with each commit. */
void lmdb_entries_read(struct lmdb_entries *entries, const char *index_dir);
void lmdb_entries_free(struct lmdb_entries *entries);

/* Put them into a new database at `path`; the seconds it takes, the last commit included, opening not. */
double lmdb_alone(const struct lmdb_entries *entries, const char *path);

#endif
