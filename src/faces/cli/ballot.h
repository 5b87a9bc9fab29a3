/* SPDX-License-Identifier: Apache-2.0 */
/* What a vote is about and for, as people write it: on the command line or in a line of a file. One thread. */
#ifndef CLI_BALLOT_H
#define CLI_BALLOT_H

#include "faces/cli/cli.h"
#include "faces/cli/object.h"

/* A target in words. data NULL: not given. */
struct ballot_text {
    enum steme_target_kind kind;  /* ASSERTION: a record, which may turn out to be an epoch */
    struct steme_slice target;    /* id, epoch's name, agent's key or name, source's name; of a claim its id, or none */
    struct steme_slice subject;   /* of a claim */
    struct steme_slice predicate; /* of a claim without an id */
    struct object_text object;    /* of a claim without an id */
    const struct steme_qualifier *keys;
    size_t key_count;
};

/* Opens a snapshot where it has to look something up; leaves it open. STEME_NOT_FOUND, STEME_BAD_INPUT: no such thing,
 * or several. */
MUST_CHECK steme_status ballot_find_target(struct cli *cli, const struct ballot_text *text, struct steme_target *out,
                                           struct steme_error *err);

/* "support", "refute" or "abstain". STEME_BAD_INPUT with what was likely meant. */
MUST_CHECK steme_status ballot_parse_stance(struct steme_slice text, enum steme_stance *out, struct steme_error *err);

#endif
