/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions or votes from a TSV file: a header that names its columns, then one a line. Columns, in any order, of
 * assertions:
 *
 *   subject predicate object        needed
 *   agent                           who states it: becomes the assertion's source, its voice
 *   type confidence plus minus unit time valid_from valid_to epoch    as the options of `steme assert`
 *   source                          with an agent column: where it is stated (evidence that supports); else as agent
 *
 * and of votes:
 *
 *   stance                          needed: support, refute or abstain
 *   kind target                     assertion ID, epoch NAME|ID, agent KEY|HEX, source NAME, claim ID with its subject;
 *                                   without a kind an assertion, or, where there is no target, a claim
 *   subject predicate object type   a claim by what it says
 *   probability reason time         as the options of `steme vote`, time being when it was cast
 *
 * Empty fields count as absent. There is no quoting; \\ \t \n \r stand for themselves in the object and
 * the reason. Pure; one thread at a time. */
#ifndef CLI_INPUT_TSV_H
#define CLI_INPUT_TSV_H

#include "base/arena.h"
#include "base/error.h"
#include "faces/cli/ballot.h"
#include "steme/types.h"

#include <stdbool.h>

#define TSV_COLUMN_MAP(X)         \
    X(AGENT, "agent")             \
    X(SUBJECT, "subject")         \
    X(PREDICATE, "predicate")     \
    X(OBJECT, "object")           \
    X(TYPE, "type")               \
    X(CONFIDENCE, "confidence")   \
    X(PLUS, "plus")               \
    X(MINUS, "minus")             \
    X(UNIT, "unit")               \
    X(TIME, "time")               \
    X(VALID_FROM, "valid_from")   \
    X(VALID_TO, "valid_to")       \
    X(SOURCE, "source")           \
    X(EPOCH, "epoch")             \
    X(KIND, "kind")               \
    X(TARGET, "target")           \
    X(STANCE, "stance")           \
    X(PROBABILITY, "probability") \
    X(REASON, "reason")

enum tsv_column {
#define TSV_ENUM(name, text) TSV_##name,
    TSV_COLUMN_MAP(TSV_ENUM)
#undef TSV_ENUM
        TSV_COLUMN_COUNT
};

/* Longest line: what the fields may hold, escapes included, and some. */
enum { TSV_LINE_MAX_BYTES = 1 << 18 };

struct tsv_header {
    enum tsv_column columns[TSV_COLUMN_COUNT]; /* in the file's order */
    size_t count;
    bool has_agent;
};

/* The fields of one line by column; data NULL where absent. */
struct tsv_row {
    struct steme_slice fields[TSV_COLUMN_COUNT];
};

/* What a row alone does not say. */
struct tsv_context {
    int64_t now_us;         /* what "now" means in times */
    int64_t asserted_at_us; /* of rows without a time */
    steme_status (*find_epoch)(void *context, struct steme_slice name, struct steme_hash *out, struct steme_error *err);
    void *context; /* given to find_epoch */
};

/* STEME_BAD_INPUT: a column unknown (the message names the nearest), given twice, or a needed one missing. */
MUST_CHECK steme_status tsv_header_parse(struct steme_slice line, struct tsv_header *out, struct steme_error *err);
/* The same of a file of votes. */
MUST_CHECK steme_status tsv_header_parse_votes(struct steme_slice line, struct tsv_header *out,
                                               struct steme_error *err);

/* Part a line into its fields; they borrow from it. STEME_BAD_INPUT: not as many as the header has, or a carriage
 * return or NUL among them. */
MUST_CHECK steme_status tsv_row_split(const struct tsv_header *header, struct steme_slice line, struct tsv_row *out,
                                      struct steme_error *err);

/* The assertion a row states. It borrows from the row; what it adds lives in the arena. Names are not judged here: the
 * library does. */
MUST_CHECK steme_status tsv_row_assertion(const struct tsv_header *header, const struct tsv_row *row,
                                          const struct tsv_context *context, struct arena *arena,
                                          struct steme_assertion *out, struct steme_error *err);

/* The vote a row states, but for its target, which *target_out has in words. Both borrow as above. */
MUST_CHECK steme_status tsv_row_vote(const struct tsv_row *row, const struct tsv_context *context, struct arena *arena,
                                     struct steme_vote *out, struct ballot_text *target_out, struct steme_error *err);

#endif
