/* SPDX-License-Identifier: Apache-2.0 */
/* Score cards as text, as JSON, and plots as files: what verbs that score lenses share. */
#ifndef CLI_SCORE_H
#define CLI_SCORE_H

#include "faces/card/card.h"
#include "faces/cli/emit.h"
#include "faces/cli/print.h"

/* "89.7%": whole numbers of questions make percents round anyway. */
void score_percent(double share, char out[PRINT_COUNT_BYTES]);

/* A number to six decimals: beyond them machines may differ. */
void score_emit(struct emit *json, const char *name, double value);
/* Members of an object already begun: the card's means; then its tenths that have answers, as an array "bins". */
void score_emit_card(struct emit *json, const struct card *card);
void score_emit_bins(struct emit *json, const struct card *card);

/* Make the directory that plots go to, unless it is there; its parent has to be. STEME_IO where it can't be made or
 * written into. */
MUST_CHECK steme_status score_make_dir(const char *path, struct steme_error *err);
/* STEME_IO names the path. */
MUST_CHECK steme_status score_write_plot(const char *path, const struct buf *text, struct steme_error *err);

#endif
