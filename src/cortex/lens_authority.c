/* SPDX-License-Identifier: Apache-2.0 */
/* Authority: approval voting in which a voice weighs what authority.c gives it. Formulas, and whose they are:
 * approval.c for the vote, authority.c for the weights. The prior is in the unit of weights, one root. Where nobody who
 * spoke for a claim has any weight, every probability is 0 and the verdict is "unknown": strangers decide nothing. */
#include "cortex/approval.h"

const struct lens_ops lens_authority = {
    .info = {
        .name = "authority",
        .summary = "what voices support that configured roots lead to by endorsements",
        .detail = "Consensus with weights: a root weighs 1; an agent of weight w hands damping*w on, split over "
                  "those it endorses in proportion to the ballots' probabilities, along at most 8 steps; nobody "
                  "weighs more than 1, strangers nothing. A slot in which nobody has weight is unknown. "
                  "Parameters: roots (the store's own keys), damping (0.85), prior in weight units (0.5).",
        .parameters = STEME_LENS_ROOTS | STEME_LENS_DAMPING | STEME_LENS_PRIOR,
    },
    .needs_weights = true,
    .judge = approval_judge,
};
