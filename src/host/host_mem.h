/* SPDX-License-Identifier: Apache-2.0 */
/* A world in memory for tests: files with a durable and a volatile side, a clock that moves only when
 * told, randomness from a seed, and faults on demand. Thread-safe (one lock). */
#ifndef HOST_HOST_MEM_H
#define HOST_HOST_MEM_H

#include "host/host.h"

/* New empty world with the root directory "/"; relative paths start there, ".." is refused, there are no links. A
 * file holds at most 128 MiB: beyond, the disk is full (STEME_NO_SPACE). NULL when memory is out. */
struct host *host_mem_new(uint64_t seed);
/* Every file is closed and every mapping ended before. NULL is fine. */
void host_mem_free(struct host *);

/* Power cut: every open file handle dies (its calls return STEME_IO), locks are gone, the boot id changes.
 * Of the data and directory operations not yet synced, keep_permille (0..1000) says how likely each unsynced
 * piece of data and each unsynced directory operation survives, by the world's own random numbers, which also say for
 * each file whether its pieces have 512 bytes (a sector) or 4096 (a page); a file whose size was not synced may be
 * short or have zeros. What was synced stays exactly. Operations on the same name
 * or file keep their order: a later one doesn't survive without the earlier. Syncing a file does not save its
 * name: that takes a sync of the directory. Mappings stay readable and show what is left. */
void host_mem_power_cut(struct host *, unsigned keep_permille);
/* Process kill: handles die and locks are gone, every byte written stays. */
void host_mem_kill(struct host *);

/* The machine stops at the nth call from now (1 = the next) that a fault could hit: that call has no effect, but that a
 * write leaves a random prefix, and it and all after it fail with STEME_IO until host_mem_power_cut() or
 * host_mem_kill(). 0: it goes on. */
void host_mem_stop(struct host *, uint64_t nth);
bool host_mem_stopped(struct host *);

void host_mem_set_wall_us(struct host *, int64_t wall_us);
void host_mem_advance_ns(struct host *, uint64_t ns); /* moves both clocks */

/* The operations a fault can hit; reads of clocks never fail. */
enum host_mem_call {
    HOST_MEM_ANY,
    HOST_MEM_OPEN,
    HOST_MEM_READ,
    HOST_MEM_WRITE,
    HOST_MEM_SYNC,
    HOST_MEM_SYNC_DIR,
    HOST_MEM_ALLOCATE,
    HOST_MEM_TRUNCATE,
    HOST_MEM_RENAME,
    HOST_MEM_REMOVE,
    HOST_MEM_MAP,
    HOST_MEM_LIST,
    HOST_MEM_MAKE_DIR,
    HOST_MEM_STAT,
    HOST_MEM_SIZE,
    HOST_MEM_LOCK,
    HOST_MEM_RANDOM,
    HOST_MEM_BOOT_ID /* the last */
};
/* The nth call (1 = the next) of that kind from now on fails with the errno; for_ever: so do all after it. A failed
 * write leaves a random prefix; a failed sync marks the unsynced data of that file (or names of that directory) as
 * lost at the next power cut even if a later sync says OK, but for pieces that are written again, with the size that
 * takes. One fault a kind; nth 0 switches all faults off, whatever the kind. */
void host_mem_fail(struct host *, enum host_mem_call call, uint64_t nth, int os_errno, bool for_ever);
/* Calls of that kind so far, to loop a fault over every position; and how many of them a fault hit. */
uint64_t host_mem_calls(struct host *, enum host_mem_call call);
uint64_t host_mem_struck(struct host *, enum host_mem_call call);

/* While somebody looks on who is not of this world, calls work on a stopped machine, too, and none is counted, fails or
 * is lied about. */
void host_mem_look_on(struct host *, bool looking);

#define HOST_MEM_NAME_BYTES 64

/* A disk that lies: what the program is told is not what happens. */
enum host_mem_lie {
    HOST_MEM_TURNED, /* host_read_at() gives its bytes with one bit turned; file and mappings are as they were */
    HOST_MEM_LOST,   /* a write is never done: read back it is there, until the power goes; no sync saves it */
    HOST_MEM_ASTRAY  /* and lands in another place of that directory's files, which shows when the power goes */
};
/* The nth read or write (1 = the next) is lied about; nth 0: no more. dir: for HOST_MEM_ASTRAY, else NULL; it must have
 * files. Writing a place again saves it. */
void host_mem_lie(struct host *, enum host_mem_lie lie, uint64_t nth, const char *dir);
/* How often so far. */
uint64_t host_mem_lies(struct host *, enum host_mem_lie lie);
/* Where the last write that went astray landed: bytes [from, to) of a file of that directory. */
struct host_mem_landing {
    char name[HOST_MEM_NAME_BYTES]; /* empty: nowhere */
    uint64_t from, to;
};
struct host_mem_landing host_mem_landing(struct host *);

/* Reach into a file as rot would, past all handles: change its durable and volatile bytes alike. */
MUST_CHECK steme_status host_mem_poke(struct host *, const char *path, uint64_t offset, struct steme_slice bytes,
                                      struct steme_error *);
/* Take away what is behind its first `size` bytes, for good; what of the rest was written is durable from now on. */
MUST_CHECK steme_status host_mem_shorten(struct host *, const char *path, uint64_t size, struct steme_error *);

#endif
