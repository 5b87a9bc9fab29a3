/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reference_opinions.h"

/* ---- which records count ---- */

bool reference_knows(const struct reference *ref, size_t i, enum steme_type type)
{
    return ref->entries[i].sequence <= ref->as_of_sequence && ref->entries[i].record->record.type == type;
}

/* Bits of the revision kinds by which the author of a record took it back. */
static unsigned taken_back(const struct reference *ref, const struct stock_record *record)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < ref->count; i++) {
        if (!reference_knows(ref, i, STEME_REVISION)) continue;
        const struct stock_record *r = ref->entries[i].record;
        if (memcmp(&r->author, &record->author, sizeof r->author) != 0) continue;
        for (size_t t = 0; t < r->record.as.revision.target_count; t++)
            if (same_hash(&r->record.as.revision.targets[t].hash, &record->id))
                kinds |= 1u << r->record.as.revision.kind;
    }
    return kinds;
}

static const struct stock_record *known_record(const struct reference *ref, const struct steme_hash *id)
{
    for (size_t i = 0; i < ref->count; i++)
        if (ref->entries[i].sequence <= ref->as_of_sequence && same_hash(&ref->entries[i].record->id, id))
            return ref->entries[i].record;
    return NULL;
}

/* An epoch takes the place of another only by the same author; for anybody else it is a proposal. */
static bool is_superseded_epoch(const struct reference *ref, const struct steme_hash *epoch)
{
    const struct stock_record *old = known_record(ref, epoch);
    if (old && old->record.type != STEME_EPOCH) return false;
    for (size_t i = 0; i < ref->count && old; i++) {
        if (!reference_knows(ref, i, STEME_EPOCH)) continue;
        const struct steme_epoch *e = &ref->entries[i].record->record.as.epoch;
        for (size_t k = 0; k < e->supersedes_count; k++)
            if (same_hash(&e->supersedes[k], epoch) && memcmp(&old->author, &e->author, sizeof e->author) == 0)
                return true;
    }
    return false;
}

unsigned reference_standings(const struct reference *ref, const struct stock_record *record,
                             const struct steme_hash *epoch)
{
    const struct steme_assertion *a = &record->record.as.assertion;
    unsigned kinds = taken_back(ref, record), standings = 0;
    if (kinds & 1u << STEME_RETRACT) standings |= 1u << STEME_RETRACTED;
    if (kinds & (1u << STEME_CORRECT | 1u << STEME_UPDATE)) standings |= 1u << STEME_SUPERSEDED;
    if (ref->valid_at_us != STEME_TIME_MAX &&
        (ref->valid_at_us < a->valid_from_us || ref->valid_at_us >= a->valid_to_us))
        standings |= 1u << STEME_NOT_VALID;
    if (a->has_epoch && (epoch ? !same_hash(&a->epoch, epoch) : is_superseded_epoch(ref, &a->epoch)))
        standings |= 1u << STEME_OTHER_EPOCH;
    return standings ? standings : 1u << STEME_LIVE;
}

static int64_t time_of(const struct reference_entry *entry)
{
    int64_t at = entry->record->record.as.assertion.asserted_at_us;
    return at > entry->received_at_us + STEME_CLOCK_AHEAD_MAX_US ? entry->received_at_us : at;
}

/* "X" and "not X" are one target, voted on from two sides (docs/decisions/0003). */
static bool same_target(const struct steme_target *a, const struct steme_target *b)
{
    bool same_side = same_hash(&a->hash, &b->hash);
    return a->kind == b->kind && (same_side || (a->kind == STEME_ON_CLAIM && memcmp(&a->hash, &b->hash, 31) == 0 &&
                                                (a->hash.bytes[31] ^ b->hash.bytes[31]) == 1));
}

/* Whether the ballot is its voter's latest on its target. */
static bool is_latest(const struct reference *ref, size_t at)
{
    const struct stock_record *ballot = ref->entries[at].record;
    for (size_t i = 0; i < ref->count; i++) {
        if (i == at || !reference_knows(ref, i, STEME_VOTE)) continue;
        const struct stock_record *other = ref->entries[i].record;
        const struct steme_vote *a = &ballot->record.as.vote, *b = &other->record.as.vote;
        if (memcmp(&a->voter, &b->voter, sizeof a->voter) != 0 || !same_target(&a->target, &b->target)) continue;
        if (b->cast_at_us > a->cast_at_us) return false;
        if (b->cast_at_us == a->cast_at_us && memcmp(&other->id, &ballot->id, sizeof other->id) > 0) return false;
    }
    return true;
}

bool reference_ballot_counts(const struct reference *ref, size_t at)
{
    const struct stock_record *ballot = ref->entries[at].record;
    return ballot->record.as.vote.stance != STEME_ABSTAIN && is_latest(ref, at) && !taken_back(ref, ballot) &&
           ballot->record.as.vote.cast_at_us >= ref->ballots_from_us;
}

struct steme_tally reference_tally(const struct reference *ref, const struct steme_target *target)
{
    struct steme_tally tally = { 0 };
    for (size_t i = 0; i < ref->count; i++) {
        if (!reference_knows(ref, i, STEME_VOTE)) continue;
        const struct stock_record *ballot = ref->entries[i].record;
        const struct steme_vote *vote = &ballot->record.as.vote;
        if (!same_target(&vote->target, target)) continue;
        tally.ballots++;
        if (!is_latest(ref, i)) continue;
        if (vote->cast_at_us < ref->ballots_from_us) {
            tally.expired++;
        } else if (taken_back(ref, ballot)) {
            tally.retracted++;
        } else if (vote->stance == STEME_ABSTAIN) {
            tally.abstain++;
        } else if ((vote->stance == STEME_SUPPORT) == same_hash(&vote->target.hash, &target->hash)) {
            tally.support++;
            tally.support_ppm += vote->probability_ppm;
        } else {
            tally.refute++;
            tally.refute_ppm += vote->probability_ppm;
        }
    }
    return tally;
}

/* ---- opinions ---- */

static void add(struct opinions *all, struct opinion opinion)
{
    invariant(all->count < REFERENCE_OPINIONS);
    all->list[all->count++] = opinion;
}

static void gather_assertions(const struct reference *ref, const struct stock_slot *slot,
                              const struct steme_hash *epoch, struct opinions *all)
{
    for (size_t i = 0; i < ref->count; i++) {
        const struct stock_record *r = ref->entries[i].record;
        const struct steme_assertion *a = &r->record.as.assertion;
        if (!reference_knows(ref, i, STEME_ASSERTION) || !same_hash(&r->slot, &slot->slot)) continue;
        if (!(reference_standings(ref, r, epoch) & 1u << STEME_LIVE)) continue;
        add(all, (struct opinion){ &ref->entries[i], r->claim, r->voice, true, !a->negated,
                                   (double)a->confidence_ppm / STEME_PPM, time_of(&ref->entries[i]) });
    }
}

static bool is_claimed(const struct opinions *all, const struct steme_hash *claim)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i].is_assertion && same_hash(&all->list[i].claim, claim)) return true;
    return false;
}

/* What a vote's target claims: the positive claim, and which way. A vote on an assertion goes with it: where the one
 * is not live, neither is the other. */
static bool claim_of(const struct opinions *all, const struct steme_target *target, struct steme_hash *claim,
                     bool *positive)
{
    if (target->kind == STEME_ON_CLAIM) {
        *claim = target->hash;
        *positive = !(claim->bytes[31] & 1u);
        claim->bytes[31] &= 0xfeu;
        return true;
    }
    for (size_t i = 0; target->kind == STEME_ON_ASSERTION && i < all->count; i++) {
        const struct opinion *o = &all->list[i];
        if (!o->is_assertion || !same_hash(&o->entry->record->id, &target->hash)) continue;
        *claim = o->claim;
        *positive = o->positive;
        return true;
    }
    return false;
}

static void gather_ballots(const struct reference *ref, struct opinions *all)
{
    for (size_t i = 0; i < ref->count; i++) {
        struct steme_hash claim;
        bool positive = false;
        if (!reference_knows(ref, i, STEME_VOTE)) continue;
        const struct stock_record *r = ref->entries[i].record;
        const struct steme_vote *vote = &r->record.as.vote;
        if (!claim_of(all, &vote->target, &claim, &positive) || !is_claimed(all, &claim)) continue;
        if (!reference_ballot_counts(ref, i)) continue;
        if (vote->stance == STEME_REFUTE) positive = !positive;
        add(all, (struct opinion){ &ref->entries[i], claim, r->agent, false, positive,
                                   (double)vote->probability_ppm / STEME_PPM, 0 });
    }
}

void reference_opinions(const struct reference *ref, const struct stock_slot *slot, const struct steme_hash *epoch,
                        struct opinions *all)
{
    all->count = 0;
    gather_assertions(ref, slot, epoch, all);
    gather_ballots(ref, all);
}
