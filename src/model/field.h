/* SPDX-License-Identifier: Apache-2.0 */
/* What a record may say, field by field (docs/format/record.md, "Rules"). Encoder and decoder ask the same
 * functions, so neither lets through what the other refuses. Lists are checked item by item, by whoever walks them.
 * STEME_BAD_INPUT, or STEME_TOO_LARGE over a limit of limits.h; the message names the field. Pure; any thread. */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include "base/error.h"
#include "steme/types.h"

/* Text: UTF-8 without NUL, at most STEME_TEXT_MAX bytes; may be empty. */
MUST_CHECK steme_status field_check_text(struct steme_slice text, const char *what, struct steme_error *err);
MUST_CHECK steme_status field_check_value(const struct steme_value *value, struct steme_error *err);

/* All of the record but the items of its lists; of those, how many. */
MUST_CHECK steme_status field_check_assertion(const struct steme_assertion *assertion, struct steme_error *err);
MUST_CHECK steme_status field_check_vote(const struct steme_vote *vote, struct steme_error *err);
MUST_CHECK steme_status field_check_epoch(const struct steme_epoch *epoch, struct steme_error *err);
MUST_CHECK steme_status field_check_revision(const struct steme_revision *revision, struct steme_error *err);
MUST_CHECK steme_status field_check_view(const struct steme_view *view, struct steme_error *err);
MUST_CHECK steme_status field_check_bundle(const struct steme_bundle *bundle, struct steme_error *err);

/* Item `index` of a list, counted from 0 as the caller's array is. */
MUST_CHECK steme_status field_check_qualifier(const struct steme_qualifier *qualifier, size_t index,
                                              struct steme_error *err);
MUST_CHECK steme_status field_check_evidence(const struct steme_evidence *evidence, size_t index,
                                             struct steme_error *err);
MUST_CHECK steme_status field_check_parameter(const struct steme_qualifier *parameter, size_t index,
                                              struct steme_error *err);
/* A target of a revision. */
MUST_CHECK steme_status field_check_target(const struct steme_target *target, size_t index, struct steme_error *err);

/* No id twice in a bundle, whose members keep their order. No allocation; linear time on honest ids, n log n on ids
 * made to collide. */
MUST_CHECK steme_status field_check_members(const struct steme_hash *members, size_t count, struct steme_error *err);

#endif
