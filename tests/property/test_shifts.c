/* SPDX-License-Identifier: Apache-2.0 */
/* What a mask changes is the difference to a store that never had those records, and what a record changes the
 * difference between the moments before and after it: under every lens, over random piles. The other store, the rules
 * of what a mask covers and the comparison are made here anew, with nothing of the engine's own. SEED=n repeats one
 * run. */
#include "base/check.h"
#include "base/slice.h"
#include "lib/shop.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 3, MASKS = 8, RECORDS = 160, WATCHED = 100, SLOTS_MAX = 64, NAMED_MAX = 3 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

/* ---- positions of a whole store ---- */

struct stand {
    struct steme_hash slot;
    char subject[64], predicate[64];
    enum steme_verdict verdict;
    size_t belief_count;
    struct steme_hash claims[32];
    double probabilities[32];
    bool has_pooled;
    double mean, error;
};
struct stands {
    struct stand of[SLOTS_MAX];
    size_t count;
};

static steme_status note_stand(void *context, const struct steme_answer *answer)
{
    struct stands *stands = context;
    assert_true(stands->count < SLOTS_MAX && answer->belief_count <= 32);
    struct stand *stand = &stands->of[stands->count++];
    *stand = (struct stand){ .slot = answer->slot, .verdict = answer->verdict, .belief_count = answer->belief_count };
    (void)snprintf(stand->subject, sizeof stand->subject, "%.*s", SLICE_PRINT(answer->subject));
    (void)snprintf(stand->predicate, sizeof stand->predicate, "%.*s", SLICE_PRINT(answer->predicate));
    for (size_t i = 0; i < answer->belief_count; i++) {
        stand->claims[i] = answer->beliefs[i].claim;
        stand->probabilities[i] = answer->beliefs[i].probability;
    }
    stand->has_pooled = answer->has_pooled && answer->pooled.count;
    stand->mean = stand->has_pooled ? answer->pooled.mean : 0;
    stand->error = stand->has_pooled ? answer->pooled.error : 0;
    return STEME_OK;
}

static void take_stands(struct steme_store *store, uint64_t as_of, const char *lens, struct stands *out)
{
    struct steme_moment moment = steme_moment_now();
    struct steme_question all = { .lens = { .name = lens } };
    moment.as_of_sequence = as_of;
    struct steme_snapshot *snapshot = shop_look_at(store, moment);
    out->count = 0;
    OK(steme_resolve_each(snapshot, &all, note_stand, out, &failure));
    steme_snapshot_close(&snapshot);
}

static const struct stand *find_stand(const struct stands *stands, const struct steme_hash *slot)
{
    static const struct stand none = { .verdict = STEME_UNDECIDED };
    for (size_t i = 0; i < stands->count; i++)
        if (memcmp(&stands->of[i].slot, slot, sizeof *slot) == 0) return &stands->of[i];
    return &none;
}

static bool same(double a, double b) { return !(a < b || a > b); }
static bool has_best(const struct stand *stand) { return stand->belief_count && stand->probabilities[0] > 0; }

/* The definition of steme_shift_kind, with a threshold of 0. */
static enum steme_shift_kind kind_of(const struct stand *before, const struct stand *after)
{
    bool firm = before->verdict == after->verdict;
    if (has_best(before) && !has_best(after)) return STEME_LOST;
    if (!has_best(before) && has_best(after)) return STEME_GAINED;
    if (!has_best(before)) return firm ? STEME_STAYED : STEME_MOVED;
    if (before->has_pooled && after->has_pooled)
        return firm && same(before->mean, after->mean) ? STEME_STAYED : STEME_MOVED;
    if (memcmp(&before->claims[0], &after->claims[0], 32) != 0) return STEME_FLIPPED;
    return firm && same(before->probabilities[0], after->probabilities[0]) ? STEME_STAYED : STEME_MOVED;
}

static void assert_position(const struct steme_position *got, const struct stand *want, const char *name)
{
    assert_row(got->has_best == has_best(want), name);
    assert_row(got->verdict == want->verdict, name);
    assert_row(got->belief_count == want->belief_count, name);
    assert_row(got->has_pooled == want->has_pooled, name);
    if (got->has_best) assert_row(memcmp(&got->best.claim, &want->claims[0], 32) == 0, name);
    if (got->has_best) assert_row(same(got->best.probability, want->probabilities[0]), name);
    if (got->has_pooled) assert_row(same(got->pooled.mean, want->mean) && same(got->pooled.error, want->error), name);
}

/* ---- what a mask covers, once more ---- */

struct wish {
    bool agents[PILE_AGENTS];
    struct steme_slice sources[NAMED_MAX];
    struct steme_hash epochs[NAMED_MAX], assertions[NAMED_MAX];
    size_t source_count, epoch_count, assertion_count;
    bool direct;
};

struct judged_pile {
    struct pile *pile;
    struct steme_record *records; /* decoded */
    bool *out;                    /* masked */
    struct arena arena;
};

static bool by_masked(const struct wish *wish, const struct steme_key *key)
{
    for (unsigned i = 0; i < PILE_AGENTS; i++)
        if (wish->agents[i] && memcmp(pile_agent(i)->key.bytes, key->bytes, 32) == 0) return true;
    return false;
}

static bool among(const struct steme_hash *list, size_t count, const struct steme_hash *id)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&list[i], id, sizeof *id) == 0) return true;
    return false;
}

static bool of_masked_source(const struct wish *wish, struct steme_slice source)
{
    for (size_t i = 0; i < wish->source_count; i++)
        if (slice_equal(wish->sources[i], source)) return true;
    return false;
}

static bool endorses_masked(const struct wish *wish, const struct steme_target *target)
{
    for (unsigned i = 0; target->kind == STEME_ON_AGENT && i < PILE_AGENTS; i++) {
        struct steme_hash id = pile_agent_id(i);
        if (wish->agents[i] && memcmp(&id, &target->hash, sizeof id) == 0) return true;
    }
    for (size_t i = 0; target->kind == STEME_ON_SOURCE && i < wish->source_count; i++) {
        struct steme_hash id = source_id(wish->sources[i]);
        if (memcmp(&id, &target->hash, sizeof id) == 0) return true;
    }
    return false;
}

static bool masked_itself(const struct wish *wish, const struct steme_record *r, const struct steme_hash *id)
{
    switch (r->type) {
    case STEME_ASSERTION:
        return by_masked(wish, &r->as.assertion.author) || of_masked_source(wish, r->as.assertion.source) ||
               (r->as.assertion.has_epoch && among(wish->epochs, wish->epoch_count, &r->as.assertion.epoch)) ||
               among(wish->assertions, wish->assertion_count, id);
    case STEME_VOTE: return by_masked(wish, &r->as.vote.voter) || endorses_masked(wish, &r->as.vote.target);
    case STEME_EPOCH: return by_masked(wish, &r->as.epoch.author) || among(wish->epochs, wish->epoch_count, id);
    case STEME_REVISION: return by_masked(wish, &r->as.revision.author);
    case STEME_BUNDLE: return true; /* its members are told one by one */
    case STEME_VIEW: return false;  /* it bears on no answer */
    }
    return false;
}

static bool derives_from_masked(const struct judged_pile *j, size_t index)
{
    const struct steme_assertion *a = &j->records[index].as.assertion;
    for (size_t i = 0; j->records[index].type == STEME_ASSERTION && i < j->pile->record_count; i++)
        if (j->out[i] && j->records[i].type == STEME_ASSERTION && among(a->parents, a->parent_count, &j->pile->ids[i]))
            return true;
    return false;
}

static void judge_pile(struct judged_pile *j, const struct wish *wish)
{
    for (size_t i = 0; i < j->pile->record_count; i++)
        j->out[i] = masked_itself(wish, &j->records[i], &j->pile->ids[i]);
    for (bool more = !wish->direct; more;) {
        more = false;
        for (size_t i = 0; i < j->pile->record_count; i++)
            if (!j->out[i] && derives_from_masked(j, i)) j->out[i] = more = true;
    }
}

static unsigned number_of(const struct steme_key *key)
{
    unsigned at = 0;
    while (memcmp(pile_agent(at)->key.bytes, key->bytes, 32) != 0)
        at++;
    return at;
}

static unsigned signer_of(const struct steme_record *r)
{
    return number_of(r->type == STEME_ASSERTION ? &r->as.assertion.author
                     : r->type == STEME_VOTE    ? &r->as.vote.voter
                     : r->type == STEME_EPOCH   ? &r->as.epoch.author
                                                : &r->as.revision.author);
}

static void open_shop(void **state)
{
    assert_int_equal(shop_open(state), 0);
    for (unsigned agent = 0; agent < 3; agent++)
        shop_keep_key(*state, agent);
}

/* A store of what is left; each record for itself, with the same id. */
static void open_rest(const struct judged_pile *j, void **state)
{
    struct pile rest;
    pile_init(&rest);
    for (size_t i = 0; i < j->pile->record_count; i++) {
        if (j->out[i]) continue;
        struct steme_hash id = pile_add(&rest, signer_of(&j->records[i]), j->records[i]);
        assert_memory_equal(&id, &j->pile->ids[i], sizeof id);
    }
    open_shop(state);
    shop_submit_all(*state, &rest);
    pile_deinit(&rest);
}

/* ---- masks ---- */

static const char *const sources[] = { "NASA", "Gaia DR3", "a friend" };

static void draw_wish(const struct judged_pile *j, struct prng *prng, struct wish *wish)
{
    *wish = (struct wish){ .direct = prng_chance(prng, 250) };
    uint64_t pick = prng_below(prng, 15) + 1; /* any of the four */
    if (pick & 1) wish->agents[prng_below(prng, PILE_AGENTS)] = true;
    if (pick & 1 && prng_chance(prng, 300)) wish->agents[prng_below(prng, PILE_AGENTS)] = true;
    if (pick & 2) wish->sources[wish->source_count++] = slice_text(sources[prng_below(prng, countof(sources))]);
    for (unsigned tries = 0; tries < 200 && wish->assertion_count < NAMED_MAX && pick & 12; tries++) {
        size_t at = prng_below(prng, j->pile->record_count);
        if (j->records[at].type == STEME_ASSERTION && pick & 4)
            wish->assertions[wish->assertion_count++] = j->pile->ids[at];
        if (j->records[at].type == STEME_EPOCH && pick & 8 && wish->epoch_count < NAMED_MAX)
            wish->epochs[wish->epoch_count++] = j->pile->ids[at];
    }
}

static void check_lens(struct shop *shop, struct shop *rest, const struct steme_mask *mask, const char *lens,
                       const char *name)
{
    static struct stands before, after;
    struct steme_question all = { .lens = { .name = lens } };
    struct steme_impact impact;
    take_stands(shop->store, UINT64_MAX, lens, &before);
    take_stands(rest->store, UINT64_MAX, lens, &after);
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_impact(snapshot, mask, &all, 0, &impact, &failure));
    size_t shifted = 0;
    for (size_t i = 0; i < before.count; i++) {
        const struct stand *stayed = find_stand(&after, &before.of[i].slot);
        enum steme_shift_kind want = kind_of(&before.of[i], stayed), got = STEME_STAYED;
        for (size_t k = 0; k < impact.shift_count; k++) {
            const struct steme_shift *shift = &impact.shifts[k];
            if (memcmp(&shift->slot, &before.of[i].slot, sizeof shift->slot) != 0) continue;
            got = shift->kind;
            assert_position(&shift->before, &before.of[i], name);
            assert_position(&shift->after, stayed, name);
        }
        if (got != want)
            print_error("%s, %s %s: %s, not %s\n", name, before.of[i].subject, before.of[i].predicate,
                        steme_shift_name(got), steme_shift_name(want));
        assert_row(got == want, name);
        shifted += want != STEME_STAYED;
    }
    assert_row(impact.shift_count == shifted, name);
    assert_row(impact.judged >= shifted, name);
    steme_snapshot_close(&snapshot);
}

static void check_mask(struct judged_pile *j, struct shop *shop, const struct wish *wish, const char *name)
{
    void *state = NULL;
    struct steme_hash agents[PILE_AGENTS];
    struct steme_mask mask = { .agents = agents,
                               .sources = wish->sources,
                               .source_count = wish->source_count,
                               .epochs = wish->epochs,
                               .epoch_count = wish->epoch_count,
                               .assertions = wish->assertions,
                               .assertion_count = wish->assertion_count,
                               .direct = wish->direct };
    for (unsigned i = 0; i < PILE_AGENTS; i++)
        if (wish->agents[i]) agents[mask.agent_count++] = pile_agent_id(i);
    if (mask.agent_count + mask.source_count + mask.epoch_count + mask.assertion_count == 0) return;
    judge_pile(j, wish);
    open_rest(j, &state);
    size_t lens_count = 0;
    const struct steme_lens_info *lenses = steme_lens_list(&lens_count);
    for (size_t i = 0; i < lens_count; i++)
        check_lens(shop, state, &mask, lenses[i].name, name);
    /* Every masked assertion is counted. */
    size_t masked = 0;
    struct steme_impact impact;
    struct steme_question all = { .lens = { .name = NULL } };
    for (size_t i = 0; i < j->pile->record_count; i++)
        masked += j->out[i] && j->records[i].type == STEME_ASSERTION;
    struct steme_snapshot *snapshot = shop_look(shop->store);
    OK(steme_impact(snapshot, &mask, &all, 0, &impact, &failure));
    assert_row(impact.masked == masked, name);
    steme_snapshot_close(&snapshot);
    (void)shop_close(&state);
}

static void draw_judged(struct judged_pile *j, struct pile *pile, struct prng *prng, size_t groups)
{
    pile_init(pile);
    pile_draw(pile, prng, groups);
    (void)pile_add(pile, 0, pile_claim("mass", "steme:cardinality", "steme:many"));
    (void)pile_add(pile, 1, pile_claim("is a", "steme:cardinality", "steme:many"));
    *j = (struct judged_pile){ .pile = pile };
    arena_init(&j->arena, 64 << 20);
    j->records = arena_calloc(&j->arena, pile->record_count, sizeof *j->records);
    j->out = arena_calloc(&j->arena, pile->record_count, sizeof *j->out);
    assert_true(j->records && j->out);
    for (size_t i = 0; i < pile->record_count; i++)
        OK(record_decode(pile->records[i].bytes, &j->arena, &j->records[i], &failure));
}

static void check_masks(uint64_t seed)
{
    struct pile pile;
    struct judged_pile j;
    struct prng prng = { seed };
    void *state = NULL;
    draw_judged(&j, &pile, &prng, RECORDS);
    open_shop(&state);
    shop_submit_mixed(state, &pile, &prng);
    for (unsigned round = 0; round < MASKS; round++) {
        char name[64];
        struct wish wish;
        (void)snprintf(name, sizeof name, "seed %llu, mask %u", (unsigned long long)seed, round);
        draw_wish(&j, &prng, &wish);
        check_mask(&j, state, &wish, name);
    }
    (void)shop_close(&state);
    arena_deinit(&j.arena);
    pile_deinit(&pile);
}

static uint64_t seed_asked_for(uint64_t absent)
{
    const char *text = getenv("SEED");
    return text ? strtoull(text, NULL, 10) : absent;
}

static void a_mask_changes_what_never_having_had_the_records_would(void **state)
{
    (void)state;
    uint64_t first = seed_asked_for(1), count = getenv("SEED") ? 1 : SEEDS;
    for (uint64_t seed = first; seed < first + count; seed++)
        check_masks(seed);
}

/* ---- what each record changes ---- */

struct watched {
    struct steme_store *store;
    const char *lens;
    struct stands *at; /* as of each sequence number, 0..last */
    uint64_t last;
    struct {
        struct steme_hash slot;
        uint64_t first, last; /* numbers of its causes */
    } told[1024];
    size_t count;
};

static steme_status note_shift(void *context, const struct steme_shift *shift)
{
    struct watched *w = context;
    assert_true(shift->cause_count > 0 && w->count < countof(w->told));
    uint64_t first = shift->causes[0].sequence, last = shift->causes[shift->cause_count - 1].sequence;
    assert_true(0 < first && first <= last && last <= w->last);
    const struct stand *was = find_stand(&w->at[first - 1], &shift->slot);
    const struct stand *is = find_stand(&w->at[last], &shift->slot);
    assert_row(shift->kind == kind_of(was, is), w->lens);
    assert_position(&shift->before, was, w->lens);
    assert_position(&shift->after, is, w->lens);
    w->told[w->count].slot = shift->slot;
    w->told[w->count].first = first;
    w->told[w->count++].last = last;
    return STEME_OK;
}

static bool was_told(const struct watched *w, const struct steme_hash *slot, uint64_t sequence)
{
    for (size_t i = 0; i < w->count; i++)
        if (memcmp(&w->told[i].slot, slot, sizeof *slot) == 0 && w->told[i].first <= sequence &&
            sequence <= w->told[i].last)
            return true;
    return false;
}

/* Whatever a record changed was told with its number. */
static void assert_all_told(const struct watched *w)
{
    for (uint64_t n = 1; n <= w->last; n++) {
        for (size_t i = 0; i < w->at[n].count; i++) {
            const struct stand *is = &w->at[n].of[i], *was = find_stand(&w->at[n - 1], &is->slot);
            if (kind_of(was, is) == STEME_STAYED || was_told(w, &is->slot, n)) continue;
            print_error("%s: record %llu, %s %s: not told\n", w->lens, (unsigned long long)n, is->subject,
                        is->predicate);
            fail();
        }
    }
}

static void watch_lens(struct watched *w)
{
    struct steme_question all = { .lens = { .name = w->lens } };
    uint64_t next = 0;
    w->count = 0;
    for (uint64_t n = 0; n <= w->last; n++)
        take_stands(w->store, n, w->lens, &w->at[n]);
    struct steme_snapshot *snapshot = shop_look(w->store);
    OK(steme_shifts_each(snapshot, &all, 1, 1, 0, note_shift, w, &next, &failure));
    assert_true(next == w->last + 1);
    steme_snapshot_close(&snapshot);
    assert_all_told(w);
}

static void check_watch(uint64_t seed)
{
    static struct watched w;
    struct pile pile;
    struct judged_pile j;
    struct prng prng = { seed };
    struct steme_info info;
    void *state = NULL;
    size_t lens_count = 0, told = 0;
    const struct steme_lens_info *lenses = steme_lens_list(&lens_count);
    draw_judged(&j, &pile, &prng, WATCHED);
    open_shop(&state);
    struct shop *shop = state;
    shop_submit_mixed(shop, &pile, &prng);
    OK(steme_info(shop->store, &info, &failure));
    w.store = shop->store;
    w.last = info.last_sequence;
    w.at = calloc(w.last + 1, sizeof *w.at);
    assert_non_null(w.at);
    for (size_t i = 0; i < lens_count; i++) {
        w.lens = lenses[i].name;
        watch_lens(&w);
        told += w.count;
    }
    assert_true(told > 50);
    free(w.at);
    (void)shop_close(&state);
    arena_deinit(&j.arena);
    pile_deinit(&pile);
}

static void what_each_record_changes_is_told_with_its_number(void **state)
{
    (void)state;
    uint64_t first = seed_asked_for(1), count = getenv("SEED") ? 1 : SEEDS;
    for (uint64_t seed = first; seed < first + count; seed++)
        check_watch(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mask_changes_what_never_having_had_the_records_would),
        cmocka_unit_test(what_each_record_changes_is_told_with_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
