/* SPDX-License-Identifier: Apache-2.0 */
/* Records for people and as JSON: one line each, and in full with all that bears on them. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "faces/cli/cli.h"
#include "faces/cli/scalar.h"
#include "faces/cli/sources.h"

/* The day of a time, or the second where it is finer: "1994-10-27", "1994-10-27T12:34:56Z". */
const char *show_time(int64_t us, char out[SCALAR_PRINT_BYTES]);
/* The day alone. */
const char *show_date(int64_t us, char out[SCALAR_PRINT_BYTES]);

/* Append what the record says, in one line: "Pluto  is_a  planet", "supports assertion 0f1e...". sources: those seen so
 * far, for votes on them. */
void show_summary(struct buf *to, const struct steme_record *record, const struct sources *sources);
/* Append a value as people read it, in at most columns. */
void show_value(struct buf *to, const struct steme_value *value, size_t columns);
/* Who speaks in an assertion: the source, else the signer's name. */
struct steme_slice show_voice(struct cli *cli, const struct steme_assertion *assertion);

/* A record with its standing, votes and revisions, as the output is asked for. */
MUST_CHECK steme_status show_record(struct cli *cli, const struct steme_hash *id, struct steme_error *err);
/* Write an entry as one line of JSON. with_members: of a bundle the ids of its members. */
MUST_CHECK steme_status show_entry_json(struct cli *cli, const struct steme_entry *entry, bool with_members,
                                        struct steme_error *err);
/* Write an assertion with what bears on it as one JSON object. */
void show_testimony_json(struct emit *json, const struct steme_testimony *testimony);

#endif
