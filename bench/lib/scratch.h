/* SPDX-License-Identifier: Apache-2.0 */
/* Stores and files in the scratch directory, and putting a workload into a store. */
#ifndef BENCH_LIB_SCRATCH_H
#define BENCH_LIB_SCRATCH_H

#include "options.h"
#include "spine/wal.h"
#include "steme/store.h"
#include "workload.h"

#define SCRATCH_PATH_BYTES 4096u

struct scratch_path {
    char text[SCRATCH_PATH_BYTES];
};

/* "SCRATCH/name". */
struct scratch_path scratch_path(const struct options *options, const char *name);
/* "path/name". */
struct scratch_path scratch_join(const char *path, const char *name);
/* Remove a file, or a directory with what is in it and in its directories. Nothing there is fine. */
void scratch_remove(const char *path);
/* Room on disk that a directory with its directories takes, by its blocks. */
uint64_t scratch_disk_bytes(const char *path);
/* Let the disk finish what earlier measurements left in the page cache. */
void scratch_settle(void);

/* An empty store where one may have been, open for writing. */
struct steme_store *scratch_store(const char *path);
struct steme_store *scratch_open(const char *path);
/* An empty log as a store has it, open. */
struct wal *scratch_log(const char *path);
struct wal *scratch_open_log(const char *path);

/* Submit every call of the workload from this many threads, in the order of the calls, then wait until all is
 * indexed. Returns the seconds from the first call on. */
double scratch_submit(struct steme_store *store, const struct workload *workload, size_t threads);

#endif
