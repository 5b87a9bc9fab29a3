/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence grouped as lenses see it: by claim, and within a claim by voice, one opinion for each. Pure; any thread. */
#ifndef CORTEX_OPINIONS_H
#define CORTEX_OPINIONS_H

#include "cortex/authority.h"
#include "cortex/lens.h"
#include "lattice/evidence.h"

struct opinions {
    struct lens_claim *claims;
    struct testimony **faces; /* of each claim: the testimony that stands for it */
    struct lens_voice *voices;
    size_t claim_count, voice_count;
    uint32_t assertions, votes;
};

/* Claims with a live testimony, sorted, with all who speak on them by assertion or ballot. Of all that a voice says on
 * a claim the strongest counts, for and against.
 *   weights    of each testimony's voice; NULL: 1
 *   authority  what a ballot's voter weighs; NULL: 1
 * In the arena, and borrowing from the evidence. STEME_NO_MEMORY. */
MUST_CHECK steme_status opinions_group(const struct evidence *evidence, const double *weights,
                                       const struct authority *authority, struct arena *arena, struct opinions *out,
                                       struct steme_error *err);

#endif
