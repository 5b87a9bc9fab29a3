/* SPDX-License-Identifier: Apache-2.0 */
/* Answers held against the reference: of slots drawn at random, under every lens, now and as of earlier. */
#include "sim/world.h"

#include "base/slice.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 2, TALLIES = 3, STANDINGS = 1 };

static const double tolerance = 1e-9;

static const struct {
    struct steme_lens lens;
    bool strengths; /* support and refute are in the reference's unit */
} lenses[] = {
    { { .name = "consensus" }, true },
    { { .name = "consensus", .prior = 2 }, true },
    { { .name = "authority" }, true },
    { { .name = "authority", .damping = 0.5, .prior = 1 }, true },
    { { .name = "recency" }, false },
    { { .name = "recency", .half_life_us = INT64_C(300000000) }, false },
    { { .name = "pool" }, false },
    { { .name = "union" }, true },
    /* of these one at a time: they learn from all slots of the predicate */
    { { .name = "reliability" }, true },
    { { .name = "reliability", .method = STEME_METHOD_ONE_COIN, .prior = 2 }, true },
    { { .name = "reliability", .method = STEME_METHOD_ACCURACY, .copying = true }, true },
    { { .name = "reliability", .uncalibrated = true }, true },
};
enum { LENSES = countof(lenses), LEARNING = 4 };

struct question {
    struct world *world;
    struct steme_snapshot *snapshot;
    struct reference reference;
    const struct stock_slot *slot;
    const struct steme_hash *epoch;
    size_t lens;
    bool of_time; /* as of a receive time: the reference knows which records those are, not the engine's last number */
};

static void differ(struct question *q, const char *what, double got, double want)
{
    const struct steme_lens *lens = &lenses[q->lens].lens;
    world_trouble(q->world, "%.*s / %.*s by %s (%zu), as of %" PRIu64 "%s%s: %s is %.12g, the reference says %.12g",
                  (int)q->slot->subject.size, (const char *)q->slot->subject.data, (int)q->slot->predicate.size,
                  (const char *)q->slot->predicate.data, lens->name, q->lens, q->reference.as_of_sequence,
                  q->epoch ? ", in an epoch" : "", q->reference.valid_at_us == STEME_TIME_MAX ? "" : ", at a time",
                  what, got, want);
}

static void same_number(struct question *q, const char *what, double got, double want)
{
    double scale = fmax(1, fmax(fabs(got), fabs(want)));
    if (isnan(got) && isnan(want)) return;
    if (!(fabs(got - want) <= tolerance * scale)) differ(q, what, got, want);
}

static void compare_belief(struct question *q, const struct steme_belief *got, const struct reference_belief *want)
{
    same_number(q, "a probability", got->probability, want->probability);
    if (lenses[q->lens].strengths) {
        same_number(q, "a support", got->support, want->support);
        same_number(q, "a refute", got->refute, want->refute);
    }
    same_number(q, "support_voices", got->support_voices, want->support_voices);
    same_number(q, "refute_voices", got->refute_voices, want->refute_voices);
    same_number(q, "a claim's assertions", got->assertions, want->assertions);
    same_number(q, "a claim's refutations", got->refutations, want->refutations);
    same_number(q, "votes_for", got->votes_for, want->votes_for);
    same_number(q, "votes_against", got->votes_against, want->votes_against);
    if (!want->newest) return;
    if (got->latest_at_us != want->latest_at_us)
        differ(q, "latest_at_us", (double)got->latest_at_us, (double)want->latest_at_us);
    if (memcmp(&got->assertion, &want->newest->record->id, sizeof got->assertion) != 0)
        differ(q, "the assertion named is not the newest, number", (double)want->newest->sequence, 0);
}

/* Most probable first; ties by newest, then claim id. */
static bool in_order(const struct steme_belief *a, const struct steme_belief *b)
{
    if (a->probability > b->probability || a->probability < b->probability) return a->probability > b->probability;
    if (a->latest_at_us != b->latest_at_us) return a->latest_at_us > b->latest_at_us;
    return memcmp(&a->claim, &b->claim, sizeof a->claim) < 0;
}

static void compare_pooled(struct question *q, const struct steme_answer *got, const struct reference_answer *want)
{
    if (got->has_pooled != want->has_pooled) {
        differ(q, "has_pooled", got->has_pooled, want->has_pooled);
        return;
    }
    if (!got->has_pooled) return;
    same_number(q, "pooled.count", (double)got->pooled.count, (double)want->pooled.count);
    same_number(q, "pooled.left_out", (double)got->pooled.left_out, (double)want->pooled.left_out);
    same_number(q, "pooled.fixed_mean", got->pooled.fixed_mean, want->pooled.fixed_mean);
    same_number(q, "pooled.fixed_error", got->pooled.fixed_error, want->pooled.fixed_error);
    same_number(q, "pooled.mean", got->pooled.mean, want->pooled.mean);
    same_number(q, "pooled.error", got->pooled.error, want->pooled.error);
    same_number(q, "pooled.tau2", got->pooled.tau2, want->pooled.tau2);
    same_number(q, "pooled.chi2", got->pooled.chi2, want->pooled.chi2);
    same_number(q, "pooled.i2", got->pooled.i2, want->pooled.i2);
    same_number(q, "pooled.birge", got->pooled.birge, want->pooled.birge);
    same_number(q, "pooled.tension_p", got->pooled.tension_p, want->pooled.tension_p);
}

static void compare_beliefs(struct question *q, const struct steme_answer *got, const struct reference_answer *want)
{
    if (got->belief_count != want->belief_count) {
        differ(q, "the number of claims", (double)got->belief_count, (double)want->belief_count);
        return;
    }
    for (size_t i = 0; i < got->belief_count; i++) {
        size_t k = 0;
        while (k < want->belief_count && memcmp(&want->beliefs[k].claim, &got->beliefs[i].claim, 32) != 0)
            k++;
        if (k == want->belief_count) {
            differ(q, "a claim that nobody makes, number", (double)i, -1);
            return;
        }
        compare_belief(q, &got->beliefs[i], &want->beliefs[k]);
        if (i && !in_order(&got->beliefs[i - 1], &got->beliefs[i]))
            differ(q, "claims are out of order, number", (double)i, 0);
    }
}

static void compare_learned(struct question *q, const struct steme_learned *got, const struct steme_learned *want)
{
    same_number(q, "learned.method", got->method, want->method);
    same_number(q, "learned.items", (double)got->items, (double)want->items);
    same_number(q, "learned.voices", (double)got->voices, (double)want->voices);
    same_number(q, "learned.answers", (double)got->answers, (double)want->answers);
    same_number(q, "learned.temperature", got->temperature, want->temperature);
}

static void compare_answer(struct question *q, const struct steme_answer *got, const struct reference_answer *want)
{
    if (!q->of_time) same_number(q, "as_of_sequence", (double)got->as_of_sequence, (double)q->reference.as_of_sequence);
    if (want->belief_count) same_number(q, "functional", got->functional, want->functional);
    same_number(q, "voices", got->voices, want->voices);
    same_number(q, "assertions", got->assertions, want->assertions);
    same_number(q, "votes", got->votes, want->votes);
    if (want->unclear) return;
    same_number(q, "the verdict", got->verdict, want->verdict);
    compare_beliefs(q, got, want);
    compare_pooled(q, got, want);
    if (got->has_learned && want->belief_count) compare_learned(q, &got->learned, &want->learned);
    if (want->margin >= 0) same_number(q, "the margin", got->margin, want->margin);
}

static void ask(struct question *q)
{
    struct steme_error err = { 0 };
    struct steme_answer answer;
    static struct reference_answer want;
    struct steme_question question = { .subject = q->slot->subject,
                                       .predicate = q->slot->predicate,
                                       .key_qualifiers = q->slot->key_qualifiers,
                                       .key_qualifier_count = q->slot->key_qualifier_count,
                                       .epoch = q->epoch,
                                       .lens = lenses[q->lens].lens };
    steme_status status = steme_resolve(q->snapshot, &question, &answer, &err);
    if (status) {
        world_refused(q->world, "a question is not answered", &err);
        return;
    }
    reference_resolve(&q->reference, q->slot, q->epoch, &question.lens, &want);
    compare_answer(q, &answer, &want);
    q->world->events->answers++;
}

static void count_votes(struct question *q, struct prng *prng)
{
    struct steme_error err = { 0 };
    struct steme_tally got;
    const struct stock_record *record = &q->world->stock->records[prng_below(prng, q->world->stock->count)];
    if (record->record.type != STEME_VOTE) return;
    struct steme_tally want = reference_tally(&q->reference, &record->record.as.vote.target);
    if (steme_tally(q->snapshot, &record->record.as.vote.target, &got, &err))
        world_refused(q->world, "votes are not counted", &err);
    else if (memcmp(&got, &want, sizeof got) != 0)
        world_trouble(q->world,
                      "a tally is %" PRIu64 " : %" PRIu64 " : %" PRIu64 " : %" PRIu64 " of %" PRIu64
                      ", a recount says %" PRIu64 " : %" PRIu64 " : %" PRIu64 " : %" PRIu64 " of %" PRIu64,
                      got.support, got.refute, got.abstain, got.retracted, got.ballots, want.support, want.refute,
                      want.abstain, want.retracted, want.ballots);
}

static bool is_about(const struct stock_record *record, const struct stock_slot *slot)
{
    const struct steme_assertion *a = &record->record.as.assertion;
    return record->record.type == STEME_ASSERTION && slice_equal(a->subject, slot->subject) &&
           slice_equal(a->predicate, slot->predicate);
}

/* Every assertion about the slot's subject and predicate, whatever its qualifiers are and became of it. */
static void compare_standings(struct question *q)
{
    struct steme_error err = { 0 };
    const struct steme_testimony *history = NULL;
    size_t count = 0, expected = 0;
    if (steme_history(q->snapshot, q->slot->subject, q->slot->predicate, &history, &count, &err)) {
        world_refused(q->world, "there is no history", &err);
        return;
    }
    for (size_t i = 0; i < q->reference.count; i++)
        expected += q->reference.entries[i].sequence <= q->reference.as_of_sequence &&
                    is_about(q->reference.entries[i].record, q->slot);
    same_number(q, "the length of the history", (double)count, (double)expected);
    for (size_t i = 0; i < count; i++) {
        size_t place = stock_find(q->world->stock, &history[i].entry.id);
        if (place == STOCK_NONE || !is_about(&q->world->stock->records[place], q->slot)) {
            differ(q, "an assertion that nobody made here, number", (double)i, -1);
            return;
        }
        for (size_t k = 0; k < i; k++)
            if (memcmp(&history[i].entry.id, &history[k].entry.id, 32) == 0)
                differ(q, "an assertion is in the history twice, number", (double)i, (double)k);
        unsigned standings = reference_standings(&q->reference, &q->world->stock->records[place], NULL);
        if (!(standings & 1u << history[i].standing)) differ(q, "a standing", history[i].standing, standings);
    }
}

/* Ballots cast before some second about noon do not count, seen from a time by which all has been received. */
static void draw_ballot_age(struct steme_moment *moment, struct prng *prng)
{
    int64_t from_us = STOCK_NOON_US + (int64_t)prng_below(prng, 9) * 1000000 - 4000000;
    moment->as_of_us = STEME_TIME_MAX - 1;
    moment->ballot_age_us = moment->as_of_us - from_us;
}

static struct steme_moment draw_moment(struct world *world, uint64_t last, struct prng *prng)
{
    struct steme_moment moment = steme_moment_now();
    const struct ledger *ledger = &world->ledger;
    if (ledger->count && prng_chance(prng, 150))
        moment.as_of_us = ledger->lines[prng_below(prng, ledger->count)].received_at_us - (int64_t)prng_below(prng, 2);
    if (prng_chance(prng, 300)) moment.as_of_sequence = prng_below(prng, last + 2);
    if (prng_chance(prng, 250)) moment.valid_at_us = STOCK_NOON_US + (int64_t)prng_below(prng, 9) * 1000000 - 4000000;
    if (moment.as_of_us == STEME_TIME_MAX && prng_chance(prng, 150)) draw_ballot_age(&moment, prng);
    return moment;
}

static const struct steme_hash *draw_epoch(const struct stock *stock, struct prng *prng)
{
    const struct stock_record *record = &stock->records[prng_below(prng, 8) % stock->count];
    return record->record.type == STEME_EPOCH && prng_chance(prng, 400) ? &record->id : NULL;
}

static void ask_some(struct question *q, struct prng *prng)
{
    const struct stock *stock = q->world->stock;
    for (unsigned i = 0; i < SLOTS && !world_failed(q->world); i++) {
        q->slot = &stock->slots[prng_below(prng, stock->slot_count)];
        q->epoch = draw_epoch(stock, prng);
        for (q->lens = 0; q->lens < LENSES - LEARNING && !world_failed(q->world); q->lens++)
            ask(q);
        q->lens = LENSES - LEARNING + prng_below(prng, LEARNING);
        if (!world_failed(q->world)) ask(q);
        q->lens = 0;
        if (i < STANDINGS) compare_standings(q);
    }
    for (unsigned i = 0; i < TALLIES && !world_failed(q->world); i++)
        count_votes(q, prng);
}

void check_answers(struct world *world, struct steme_store *store, struct prng *prng)
{
    struct steme_error err = { 0 };
    struct steme_info info;
    struct question q = { .world = world };
    if (steme_info(store, &info, &err)) {
        world_refused(world, "the store says nothing of itself", &err);
        return;
    }
    if (store == world->reader && info.indexed_sequence < world->reader_sequence) {
        world_trouble(world, "a reader knows less than before");
        return;
    }
    struct steme_moment moment = draw_moment(world, info.indexed_sequence, prng);
    if (steme_snapshot_open(store, &moment, &q.snapshot, &err)) {
        world_refused(world, "a snapshot can't be opened", &err);
        return;
    }
    struct reference_entry *entries = calloc(world->ledger.count + 1, sizeof *entries);
    invariant(entries);
    uint64_t last = moment.as_of_sequence < info.indexed_sequence ? moment.as_of_sequence : info.indexed_sequence;
    q.of_time = moment.as_of_us < STEME_TIME_MAX - 1;
    q.reference = (struct reference){ .stock = world->stock,
                                      .entries = entries,
                                      .count = ledger_entries(&world->ledger, last, moment.as_of_us, entries),
                                      .as_of_sequence = last,
                                      .valid_at_us = moment.valid_at_us,
                                      .ballots_from_us = moment.ballot_age_us ? moment.as_of_us - moment.ballot_age_us
                                                                              : STEME_TIME_MIN };
    ask_some(&q, prng);
    steme_snapshot_close(&q.snapshot);
    free(entries);
}
