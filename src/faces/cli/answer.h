/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, for people, as JSON and as TSV rows. */
#ifndef CLI_ANSWER_H
#define CLI_ANSWER_H

#include "faces/cli/cli.h"

/* Claims shown to people unless they ask for more; JSON and TSV hold all. */
enum { ANSWER_CLAIMS_SHOWN = 10 };

/* The head line, the pooled figures where there are some, then at most `limit` claims, most probable first. */
void answer_print(const struct cli *cli, const struct steme_answer *answer, size_t limit);
/* The head line and the pooled figures alone. */
void answer_print_head(const struct cli *cli, const struct steme_answer *answer);
/* One claim: probability, value padded to `columns`, who is for and against. */
void answer_print_belief(const struct cli *cli, const struct steme_answer *answer, size_t index, size_t columns);
/* Widest value among the first `limit` claims. */
size_t answer_value_columns(const struct steme_answer *answer, size_t limit);

/* From what, as of when and how the lens learned; nothing where it did not. */
void answer_print_learned(const struct cli *cli, const struct steme_answer *answer);
void answer_emit_learned(struct emit *json, const struct steme_learned *learned);
/* Write the members of an answer into an object already begun. */
void answer_emit(struct emit *json, const struct steme_answer *answer);

/* Append subject, predicate, object, probability, key qualifiers and type, parted by tabs and ended by LF, for each
 * live claim, most probable first. Probabilities are rounded down at the sixth decimal, so that those of a slot never
 * sum to more than 1. */
void answer_append_tsv(struct buf *to, const struct steme_answer *answer);

/* "14.2 %"; "< 0.1 %" for what would read as nothing. */
enum { SHARE_TEXT_BYTES = 16 };
const char *answer_share_text(double probability, char out[SHARE_TEXT_BYTES]);

/* "70.78 ± 0.41 km/s/Mpc": the error to two digits, the mean as far as that, but to four digits at least. */
enum { MEASURE_TEXT_BYTES = 128 };
const char *answer_measure_text(double mean, double error, struct steme_slice unit, char out[MEASURE_TEXT_BYTES]);

#endif
