/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/opinions.h"

#include <string.h>

static double share(uint32_t ppm) { return (double)ppm / STEME_PPM; }

static void speak(struct lens_voice *voice, bool support, double strength)
{
    double *side = support ? &voice->support : &voice->refute;
    if (strength > *side) *side = strength;
}

static void add_testimony(struct lens_claim *claim, struct lens_voice *voice, struct testimony *t, double weight,
                          struct testimony **face)
{
    speak(voice, !t->row.negated, share(t->row.confidence_ppm));
    if (weight > voice->weight) voice->weight = weight;
    if (t->row.negated) {
        claim->refutations++;
        if (!*face) *face = t;
        return;
    }
    claim->assertions++;
    if (t->row.at_us > voice->latest_at_us) voice->latest_at_us = t->row.at_us;
    if (t->row.at_us > claim->latest_at_us || claim->assertions == 1) {
        claim->latest_at_us = t->row.at_us;
        claim->latest_confidence = share(t->row.confidence_ppm);
        *face = t;
    } else if (t->row.at_us == claim->latest_at_us && share(t->row.confidence_ppm) > claim->latest_confidence) {
        claim->latest_confidence = share(t->row.confidence_ppm);
    }
}

static void add_ballot(const struct authority *authority, struct lens_claim *claim, struct lens_voice *voice,
                       const struct claim_ballot *ballot)
{
    speak(voice, ballot->support, share(ballot->row.probability_ppm));
    double weight = authority ? authority_weight(authority, ballot->row.voter) : 1;
    if (weight > voice->weight) voice->weight = weight;
    *(ballot->support ? &claim->votes_for : &claim->votes_against) += 1;
}

/* Voices of one claim: two sorted lists, testimonies [t, t_end) and ballots [b, b_end), merged by voice. */
static void group_claim(const struct evidence *e, const double *weights, const struct authority *authority, size_t t,
                        size_t t_end, size_t b, size_t b_end, struct opinions *g)
{
    struct lens_claim *claim = &g->claims[g->claim_count];
    struct lens_voice *first = g->voices + g->voice_count, *voice = NULL;
    *claim = (struct lens_claim){ .voices = first, .latest_at_us = INT64_MIN, .kind = e->testimonies[t].row.kind };
    memcpy(claim->claim, e->testimonies[t].row.claim, sizeof claim->claim);
    while (t < t_end || b < b_end) {
        bool take_ballot = t == t_end;
        if (t < t_end && b < b_end) take_ballot = memcmp(e->ballots[b].row.voter, e->testimonies[t].row.voice, 16) < 0;
        if (!take_ballot && e->testimonies[t].standing != STEME_LIVE) {
            t++;
            continue;
        }
        const uint8_t *id = take_ballot ? e->ballots[b].row.voter : e->testimonies[t].row.voice;
        if (!voice || memcmp(voice->voice, id, 16) != 0) {
            voice = g->voices + g->voice_count++;
            *voice = (struct lens_voice){ .latest_at_us = INT64_MIN };
            memcpy(voice->voice, id, sizeof voice->voice);
        }
        if (take_ballot)
            add_ballot(authority, claim, voice, &e->ballots[b++]);
        else
            add_testimony(claim, voice, &e->testimonies[t], weights ? weights[t] : 1, &g->faces[g->claim_count]), t++;
    }
    claim->voice_count = (size_t)(g->voices + g->voice_count - first);
    g->assertions += claim->assertions + claim->refutations;
    g->votes += claim->votes_for + claim->votes_against;
}

steme_status opinions_group(const struct evidence *e, const double *weights, const struct authority *authority,
                            struct arena *arena, struct opinions *g, struct steme_error *err)
{
    *g = (struct opinions){ .claims = arena_calloc(arena, e->testimony_count, sizeof *g->claims),
                            .faces = arena_calloc(arena, e->testimony_count, sizeof(struct testimony *)),
                            .voices = arena_calloc(arena, e->testimony_count + e->ballot_count, sizeof *g->voices) };
    if (!g->claims || !g->faces || !g->voices) return arena_full(arena, err);
    for (size_t t = 0, b = 0; t < e->testimony_count;) {
        const uint8_t *claim = e->testimonies[t].row.claim;
        size_t t_end = t, live = 0;
        for (; t_end < e->testimony_count && memcmp(e->testimonies[t_end].row.claim, claim, 16) == 0; t_end++)
            live += e->testimonies[t_end].standing == STEME_LIVE;
        while (b < e->ballot_count && memcmp(e->ballots[b].claim, claim, 16) < 0)
            b++;
        size_t b_end = b;
        while (b_end < e->ballot_count && memcmp(e->ballots[b_end].claim, claim, 16) == 0)
            b_end++;
        if (live) {
            group_claim(e, weights, authority, t, t_end, b, b_end, g);
            g->claim_count++;
        }
        t = t_end;
        b = b_end;
    }
    return STEME_OK;
}
