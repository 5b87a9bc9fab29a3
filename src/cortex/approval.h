/* SPDX-License-Identifier: Apache-2.0 */
/* Approval voting over the claims of a slot: what the consensus and the authority lens share. Pure; any thread. */
#ifndef CORTEX_APPROVAL_H
#define CORTEX_APPROVAL_H

#include "cortex/lens.h"

/* A judge of struct lens_ops; the formulas are in approval.c. */
MUST_CHECK steme_status approval_judge(const struct lens_input *input, const struct steme_lens *lens,
                                       struct arena *arena, struct lens_result *out, struct steme_error *err);

#endif
