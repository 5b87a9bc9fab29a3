/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle's memory, outside the engine: what was submitted, what was acknowledged and as which number, and what
 * nobody knows because the call failed. It believes no word of the engine that it can check. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "sim/reference.h"
#include "sim/stock.h"

struct ledger_line {
    uint64_t sequence;
    size_t place; /* in the stock */
    int64_t submitted_at_us;
    int64_t received_at_us; /* what the log says, once seen: never earlier, never decreasing, never another */
    bool received_known;
    uint64_t call; /* which one put it here: what one call writes is one batch */
    bool seen;     /* scratch for a comparison */
    bool hit;      /* a write that went astray landed in its batch */
    bool touched;  /* some damage fell into its batch: it may be lost */
    bool hidden;   /* damage hides it, and its record is there in another place */
};

struct ledger {
    const struct stock *stock;
    struct ledger_line *lines; /* what the log must hold, in order */
    size_t count, capacity;
    uint64_t calls;                /* that put lines here */
    uint64_t *sequences;           /* by place of the first record with that id: of its first copy in the log, or 0 */
    size_t unknown, unknown_count; /* the call whose effect nobody knows: first place in the stock, records */
    int64_t unknown_at_us;         /* when it was submitted */
    size_t unknown_at;             /* the next of them to look for */
    size_t begun_count;            /* lines at ledger_begin() */
    int64_t latest_us;             /* the latest that a clock showed in any call */
    uint64_t last_seen;            /* number of the entry before */
    bool rotten;       /* rot was let in since the last opening: of what was touched some may be gone, if it is told */
    bool scarred;      /* rot was let in at some time, and the store shows it */
    bool numbers_jump; /* the next new record's number may be later than the next: some were lost at the end */
    uint64_t next_sequence; /* at least this for the next record */

    uint64_t acknowledged, recovered, lost; /* records, all told */
};

void ledger_init(struct ledger *ledger, const struct stock *stock);
void ledger_deinit(struct ledger *ledger);
/* The stock's first record with the id of this one. */
size_t ledger_first(const struct ledger *ledger, size_t place);

/* All return NULL, or what is wrong: static text. */

/* A call was acknowledged. sealed: an earlier one failed in a way that forbids any more. */
const char *ledger_acknowledge(struct ledger *ledger, size_t first, size_t count, const struct steme_receipt *receipts,
                               int64_t now_us, bool sealed);
/* A call failed, and its records may be in the log or not. */
void ledger_doubt(struct ledger *ledger, size_t first, size_t count, int64_t now_us);

/* Compare with the log, entry by entry: begin, one entry after the other, end. opened: the store was opened anew since,
 * so what was in doubt is settled now, in whole groups; before, none of it may be seen. */
void ledger_begin(struct ledger *ledger);
const char *ledger_see(struct ledger *ledger, const struct steme_entry *entry, bool opened);
/* A write that went astray landed in the batch that holds these numbers; after ledger_unhit() in none. */
void ledger_hit(struct ledger *ledger, uint64_t first_sequence, uint64_t last_sequence);
void ledger_unhit(struct ledger *ledger);
/* Rot is let in. */
void ledger_rot(struct ledger *ledger);
/* Damage fell into the batch that holds these numbers. */
void ledger_touch(struct ledger *ledger, uint64_t first_sequence, uint64_t last_sequence);
/* What may be missing at the end without being told. */
enum ledger_tail {
    LEDGER_WHOLE,
    LEDGER_LAST_CALL, /* what is left of the last: it went for a torn tail, or the disk never wrote it */
    LEDGER_HIT        /* and what the write that went astray hit, from there to the end: it went for a torn tail */
};
/* With rot, what is gone must be told, number by number: what the engine has on record. */
struct ledger_range {
    uint64_t first, count;
};
struct ledger_report {
    const struct ledger_range *ranges;
    size_t count;
};
const char *ledger_end(struct ledger *ledger, bool opened, const struct ledger_report *report, enum ledger_tail tail);

/* Number of the last record that the log must hold. */
uint64_t ledger_last(const struct ledger *ledger);
/* What the log holds, first copies only, up to a number and a receive time; the caller's array has room for
 * ledger->count. */
size_t ledger_entries(const struct ledger *ledger, uint64_t up_to, int64_t up_to_us, struct reference_entry *out);

#endif
