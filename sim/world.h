/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated machine with one store on it, in one thread, from one seed: what can be done to it, and after each the
 * questions whether the engine kept its word. The first broken promise is kept in `trouble`; after it nothing moves. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "db/store.h"
#include "host/host_mem.h"
#include "sim/ledger.h"

#define WORLD_DIR "store"
#define WORLD_TROUBLE_BYTES 1024u

/* What happened, for the report; all worlds add to one. */
struct tally_of_events {
    uint64_t worlds, steps, cuts, kills, openings, interrupted_recoveries, reopenings;
    uint64_t acknowledged, recovered, lost_to_rot, quarantined_bytes, quarantine_files;
    uint64_t faults, failed_allocations, rotten_bits, cut_files, answers, index_comparisons, refusals, sealings;
    uint64_t turned_reads, lost_writes, stray_writes;
};

struct world {
    const struct stock *stock;
    struct tally_of_events *events;
    struct host *host;
    struct store_setting setting;
    struct steme_store *store;  /* NULL: closed */
    struct steme_store *reader; /* somebody beside it; NULL: nobody */
    uint64_t reader_sequence;   /* the last it has shown */
    struct ledger ledger;
    struct wal_mark mark;   /* the one an index on disk has; zero: there is none */
    uint64_t rebuilds;      /* of the index, asked for */
    uint64_t memory_struck; /* allocations failed before this world */
    bool sealed;            /* a call failed: nothing more may be acknowledged before reopening */
    bool torn_tail;         /* the last opening set a torn tail aside */
    bool write_lost;        /* the disk never did the last call's write: of that nobody can know */
    bool write_stray;       /* and did it in another place */
    bool fault_armed;       /* something may fail for no fault of the engine's */
    unsigned keep;          /* of the next power cut, permille; WORLD_KILL: the process ends, the machine goes on */
    char trouble[WORLD_TROUBLE_BYTES];
};

#define WORLD_KILL 1001u

/* A machine with a new empty store, open. */
void world_init(struct world *world, const struct stock *stock, uint64_t seed, struct tally_of_events *events);
/* The same without a store in it. */
void world_begin(struct world *world, const struct stock *stock, uint64_t seed, struct tally_of_events *events);
/* Put the keys of the agents whom the reference trusts into the store, before it is asked. */
MUST_CHECK steme_status world_keep_keys(struct world *world, struct steme_error *err);
void world_deinit(struct world *world);
bool world_failed(const struct world *world);

/* Its status, with err's detail; what it means for the ledger has been seen to. */
steme_status world_submit(struct world *world, size_t parcel, struct steme_error *err);
void world_index(struct world *world);                     /* one step of the ingestor */
void world_read(struct world *world, struct prng *prng);   /* all of the log, some answers */
void world_reopen(struct world *world, struct prng *prng); /* cleanly */
void world_crash(struct world *world, struct prng *prng);  /* now, as `keep` says, and come back */
void world_close(struct world *world);                     /* reader and writer, if they are there */
void world_end_life(struct world *world); /* the process ends, or the power goes, as `keep` says; left closed */
/* Open, be stopped in the middle of it so many times, and check everything. */
void world_open(struct world *world, struct prng *prng, unsigned interruptions);
void world_draw_keep(struct world *world, struct prng *prng); /* what the next crash keeps */
void world_fail(struct world *world, struct prng *prng);      /* arm a fault of the disk */
void world_fail_memory(struct world *world, uint64_t nth);    /* the nth allocation from now fails */
void world_clock(struct world *world, struct prng *prng);     /* jump */
void world_rot(struct world *world, struct prng *prng);       /* of some file, while nobody has it open */
/* What is about to be damaged, a part of a segment's file, before the store is closed. */
void world_touch(struct world *world, uint64_t segment, uint64_t from, uint64_t to);
void world_turn_in_passing(struct world *world, struct prng *prng); /* some read of the next opening turns a bit */
void world_lose_write(struct world *world, struct prng *prng); /* a call's write is lost or goes astray, then a cut */
void world_beside(struct world *world, struct prng *prng);     /* a reader comes, or looks once more and goes */

/* BLAKE3 over every file's path and bytes. */
struct steme_hash world_digest(struct world *world);

/* Keep the first trouble. */
void world_trouble(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* No fault is armed any more. */
void world_disarm(struct world *world);
/* A call failed: trouble, unless a fault may be to blame. */
void world_refused(struct world *world, const char *what, const struct steme_error *err);

/* ---- check.c ---- */

/* Whether the log is what the ledger says. */
void check_log(struct world *world, bool opened);
/* Whether the log, the index and some answers are what the ledger says; opened: the store has just been opened anew. */
void check_world(struct world *world, struct prng *prng, bool opened);
/* What a reader that has just been opened sees of the log. */
void check_reader(struct world *world);
/* The index, row for row, against one made from the log. */
void check_index(struct world *world);
/* What a store answers, held against the reference. */
void check_answers(struct world *world, struct steme_store *store, struct prng *prng);

#endif
