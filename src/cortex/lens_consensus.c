/* SPDX-License-Identifier: Apache-2.0 */
/* Consensus: approval voting in which every voice weighs 1. Formulas, and whose they are: approval.c. */
#include "cortex/approval.h"

const struct lens_ops lens_consensus = {
    .info = {
        .name = "consensus",
        .summary = "what most independent voices support, each with one say",
        .detail = "Approval voting: a claim's support S is the sum over its voices of the strongest confidence "
                  "or ballot each put behind it, its refutation R likewise. p = S*S/(S+R) / (prior + support of "
                  "all claims), so one voice alone gets 0.67, two that agree 0.8, five 0.91. Many-valued "
                  "predicates judge each claim alone. Parameter: prior, the weight of \"none of these\" in "
                  "voices (0.5).",
        .parameters = STEME_LENS_PRIOR,
    },
    .judge = approval_judge,
};
