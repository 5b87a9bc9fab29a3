/* SPDX-License-Identifier: Apache-2.0 */
/* Many records on their way into the store, whatever the format they came in: collected into bundles (assertions that
 * the caller's key signs), batches of votes (which it signs one by one) and batches of what is signed already, written,
 * counted; what can't go in is reported by its line. Memory is bounded by one of each. One thread. */
#ifndef CLI_INTAKE_H
#define CLI_INTAKE_H

#include "faces/cli/cli.h"
#include "faces/cli/rejects.h"
#include "faces/cli/wire.h"

enum {
    INTAKE_BUNDLE_MAX = 1000, /* assertions under one signature */
    INTAKE_VOTES_MAX = 1000,  /* votes written together */
    INTAKE_BATCH_UNITS = 500  /* signed records, a bundle counting as one, that are written together */
};

/* One signed record, or a bundle with its members, in a batch. */
struct intake_unit {
    uint64_t line;
    size_t first; /* of its pieces */
    size_t count;
    bool rejected;
};

/* One record's bytes in the batch. */
struct intake_piece {
    size_t offset;
    size_t size;
    bool is_signed;
    struct steme_signature signature;
};

struct intake {
    struct cli *cli;
    bool dry_run;           /* check, write nothing */
    bool print_ids;         /* each id on standard output once it is durable */
    bool verbose;           /* report every rejected line, not the first few */
    struct rejects rejects; /* gets each rejected line's number and reason; opened and closed by the caller */
    size_t bundle_max;      /* 1..INTAKE_BUNDLE_MAX */

    uint64_t written;    /* records that went in */
    uint64_t duplicates; /* that were there already */
    uint64_t rejected;   /* lines */

    struct arena arena;                 /* what the current line and the waiting assertions refer to */
    struct steme_assertion *assertions; /* waiting to be bundled */
    uint64_t *lines;                    /* theirs */
    size_t assertion_count;
    size_t assertion_bytes;     /* about what they will take in the log */
    struct steme_record *votes; /* waiting to be written together; there are none while assertions wait */
    uint64_t *vote_lines;
    size_t vote_count;
    size_t vote_bytes; /* about what they will take in the log */
    struct steme_receipt *receipts;

    struct buf bytes; /* of the signed records waiting */
    struct intake_piece *pieces;
    size_t piece_count;
    struct intake_unit *units;
    size_t unit_count;
    struct steme_signed *signed_records; /* room to call the library with */
};

/* The store is open for writing and has its signer unless it is a dry run. intake_deinit() in any case. */
MUST_CHECK steme_status intake_init(struct intake *intake, struct cli *cli, struct steme_error *err);
void intake_deinit(struct intake *intake);

/* Whether a status is about one line, which can be left out, and not about the store or the machine. */
bool intake_is_about_line(steme_status status);
/* Report that a line does not go in. */
void intake_reject(struct intake *intake, uint64_t line, const char *reason);

/* Before each line: *arena_out is where to read it into. What was read from earlier lines may be gone afterwards,
 * unless it waits in here. */
MUST_CHECK steme_status intake_begin_line(struct intake *intake, struct arena **arena_out, struct steme_error *err);
/* Take an assertion to be signed by the caller's key; what it refers to is in that arena. bytes: size of its line. */
MUST_CHECK steme_status intake_assertion(struct intake *intake, const struct steme_assertion *assertion, uint64_t line,
                                         size_t bytes, struct steme_error *err);
/* The same of a vote, which is signed by itself; many are written with one sync. */
MUST_CHECK steme_status intake_vote(struct intake *intake, const struct steme_vote *vote, uint64_t line, size_t bytes,
                                    struct steme_error *err);
/* Take a record as read from a line: a draft, or signed already. A record that can't go in is rejected, STEME_OK. */
MUST_CHECK steme_status intake_record(struct intake *intake, const struct wire_record *record, uint64_t line,
                                      size_t bytes, struct steme_error *err);
/* Write what waits. */
MUST_CHECK steme_status intake_flush(struct intake *intake, struct steme_error *err);

#endif
