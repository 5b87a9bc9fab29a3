/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: what `help`, the shell completion and the dispatch are made from. */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "faces/cli/cli.h"

extern const struct verb verbs[];
extern const size_t verb_count;

/* The verb that words[0..count) begin with; *used_out is how many of them name it. STEME_BAD_INPUT: there is no such
 * verb, with the nearest in the message. */
MUST_CHECK steme_status verbs_find(const char *const *words, size_t count, const struct verb **out, size_t *used_out,
                                   struct steme_error *err);

/* verb_write.c */
MUST_CHECK steme_status verb_assert(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_vote(struct cli *cli, struct steme_error *err);
/* verb_revise.c */
MUST_CHECK steme_status verb_retract(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_supersede(struct cli *cli, struct steme_error *err);
/* verb_epoch.c */
MUST_CHECK steme_status verb_epoch_new(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_epoch_list(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_epoch_show(struct cli *cli, struct steme_error *err);
/* verb_import.c, verb_export.c */
MUST_CHECK steme_status verb_import(struct cli *cli, struct steme_error *err);
/* `steme vote --batch`, which is an import of votes alone. */
MUST_CHECK steme_status import_votes(struct cli *cli, const char *name, struct steme_error *err);
MUST_CHECK steme_status verb_export(struct cli *cli, struct steme_error *err);
/* verb_view.c */
MUST_CHECK steme_status verb_view_create(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_view_list(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_view_show(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_view_rows(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_view_drop(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_view_refresh(struct cli *cli, struct steme_error *err);
/* verb_ask.c */
MUST_CHECK steme_status verb_resolve(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_why(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_history(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_conflicts(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_lens_list(struct cli *cli, struct steme_error *err);
/* verb_shift.c */
MUST_CHECK steme_status verb_impact(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_watch(struct cli *cli, struct steme_error *err);
/* verb_look.c */
MUST_CHECK steme_status verb_log(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_show(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_cat(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_keys(struct cli *cli, struct steme_error *err);
/* verb_store.c */
MUST_CHECK steme_status verb_init(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_status(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_verify(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_rebuild(struct cli *cli, struct steme_error *err);
/* verb_key.c */
MUST_CHECK steme_status verb_key_new(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_key_list(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_key_show(struct cli *cli, struct steme_error *err);
/* verb_bench.c */
MUST_CHECK steme_status verb_bench(struct cli *cli, struct steme_error *err);
/* verb_arena.c */
MUST_CHECK steme_status verb_arena(struct cli *cli, struct steme_error *err);
/* verb_voices.c, verb_calibrate.c */
MUST_CHECK steme_status verb_voices(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_calibrate(struct cli *cli, struct steme_error *err);
/* help.c */
MUST_CHECK steme_status verb_help(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_version(struct cli *cli, struct steme_error *err);
MUST_CHECK steme_status verb_completion(struct cli *cli, struct steme_error *err);

/* Option tables of verbs whose file is not verbs.c: they stand next to the code that reads them. */
extern const struct option_spec object_options[]; /* verb_write.c: --type --plus --minus --unit --lang */
extern const struct option_spec assert_options[];
extern const struct option_spec vote_options[];
extern const struct option_spec retract_options[];
extern const struct option_spec supersede_options[];
extern const struct option_spec epoch_new_options[];
extern const struct option_spec view_create_options[];
extern const struct option_spec view_rows_options[];
extern const struct option_spec view_refresh_options[];
extern const struct option_spec import_options[];
extern const struct option_spec export_options[];
extern const struct option_spec resolve_options[];
extern const struct option_spec why_options[];
extern const struct option_spec conflicts_options[];
extern const struct option_spec impact_options[];
extern const struct option_spec watch_options[];
extern const struct option_spec log_options[];
extern const struct option_spec bench_options[];
extern const struct option_spec arena_options[];
extern const struct option_spec voices_options[];
extern const struct option_spec calibrate_options[];

#endif
