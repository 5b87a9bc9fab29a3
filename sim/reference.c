/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/reference_opinions.h"

#include <math.h>
#include <string.h>

enum { NODES = 128, STEPS = 8 };

static bool is_text(struct steme_slice a, const char *text)
{
    return a.size == strlen(text) && memcmp(a.data, text, a.size) == 0;
}

/* ---- beliefs without probabilities ---- */

/* Whether an earlier opinion is by the same voice on the same claim and side. */
static bool heard(const struct opinions *all, size_t at)
{
    const struct opinion *o = &all->list[at];
    for (size_t i = 0; i < at; i++) {
        const struct opinion *p = &all->list[i];
        if (same_hash(&o->voice, &p->voice) && same_hash(&o->claim, &p->claim) && o->positive == p->positive)
            return true;
    }
    return false;
}

/* Whether this is the first opinion of its voice in the slot. */
static bool is_first_word(const struct opinions *all, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (same_hash(&all->list[i].voice, &all->list[at].voice)) return false;
    return true;
}

struct reference_belief *reference_belief_of(struct reference_answer *answer, const struct steme_hash *claim)
{
    for (size_t i = 0; i < answer->belief_count; i++)
        if (same_hash(&answer->beliefs[i].claim, claim)) return &answer->beliefs[i];
    invariant(answer->belief_count < REFERENCE_CLAIMS);
    struct reference_belief *belief = &answer->beliefs[answer->belief_count++];
    *belief = (struct reference_belief){ .claim = *claim };
    return belief;
}

/* The greatest strength that the voice of an opinion ever put on that side of that claim. */
static double strongest(const struct opinions *all, size_t at)
{
    double most = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *o = &all->list[i], *me = &all->list[at];
        if (same_hash(&o->voice, &me->voice) && same_hash(&o->claim, &me->claim) && o->positive == me->positive)
            most = fmax(most, o->strength);
    }
    return most;
}

static void note_newest(struct reference_belief *belief, const struct opinion *o)
{
    bool newer = !belief->newest || o->at_us > belief->latest_at_us;
    bool as_new = belief->newest && o->at_us == belief->latest_at_us;
    if (!newer && !(as_new && memcmp(&o->entry->record->id, &belief->newest->record->id, 32) < 0)) return;
    belief->newest = o->entry;
    belief->latest_at_us = o->at_us;
}

static void count_opinions(const struct opinions *all, struct reference_answer *answer)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *o = &all->list[i];
        struct reference_belief *belief = reference_belief_of(answer, &o->claim);
        bool first = !heard(all, i) && strongest(all, i) > 0; /* who puts nothing on it says nothing */
        answer->voices += is_first_word(all, i);
        answer->assertions += o->is_assertion;
        answer->votes += !o->is_assertion;
        belief->support_voices += first && o->positive;
        belief->refute_voices += first && !o->positive;
        belief->assertions += o->is_assertion && o->positive;
        belief->refutations += o->is_assertion && !o->positive;
        belief->votes_for += !o->is_assertion && o->positive;
        belief->votes_against += !o->is_assertion && !o->positive;
        if (o->is_assertion && o->positive) note_newest(belief, o);
    }
}

/* S_c and R_c, each voice weighing weights[opinion] (NULL: 1). */
static void add_strengths(const struct opinions *all, const double *weights, struct reference_answer *answer)
{
    for (size_t i = 0; i < all->count; i++) {
        if (heard(all, i)) continue;
        struct reference_belief *belief = reference_belief_of(answer, &all->list[i].claim);
        double strength = strongest(all, i) * (weights ? weights[i] : 1);
        if (all->list[i].positive)
            belief->support += strength;
        else
            belief->refute += strength;
    }
}

/* ---- authority ---- */

struct graph {
    struct steme_hash nodes[NODES];
    bool is_root[NODES];
    double share[NODES][NODES]; /* probability of the ballot, then its part of all that the first one cast */
    double weight[NODES];
    size_t count;
};

static size_t node_of(struct graph *graph, const struct steme_hash *id)
{
    for (size_t i = 0; i < graph->count; i++)
        if (same_hash(&graph->nodes[i], id)) return i;
    invariant(graph->count < NODES);
    graph->nodes[graph->count] = *id;
    return graph->count++;
}

static void draw_edges(const struct reference *ref, struct graph *graph)
{
    for (size_t i = 0; i < ref->count; i++) {
        if (!reference_knows(ref, i, STEME_VOTE)) continue;
        const struct stock_record *r = ref->entries[i].record;
        const struct steme_vote *vote = &r->record.as.vote;
        if (vote->target.kind != STEME_ON_AGENT && vote->target.kind != STEME_ON_SOURCE) continue;
        if (vote->stance != STEME_SUPPORT || !reference_ballot_counts(ref, i)) continue;
        size_t from = node_of(graph, &r->agent), to = node_of(graph, &vote->target.hash);
        if (from != to) graph->share[from][to] = (double)vote->probability_ppm / STEME_PPM;
    }
    for (size_t from = 0; from < graph->count; from++) {
        double all = 0;
        for (size_t to = 0; to < graph->count; to++)
            all += graph->share[from][to];
        for (size_t to = 0; to < graph->count && all > 0; to++)
            graph->share[from][to] /= all;
    }
}

/* w_0 = 1 for a root, else 0; w_k+1(v) = 1 for a root, else min(1, sum of d * w_k(u) * share(u, v)). */
static void let_flow(struct graph *graph, double damping)
{
    for (size_t i = 0; i < graph->count; i++)
        graph->weight[i] = graph->is_root[i] ? 1 : 0;
    for (int step = 0; step < STEPS; step++) {
        double next[NODES] = { 0 };
        for (size_t from = 0; from < graph->count; from++)
            for (size_t to = 0; to < graph->count; to++)
                next[to] += damping * graph->weight[from] * graph->share[from][to];
        for (size_t i = 0; i < graph->count; i++)
            graph->weight[i] = graph->is_root[i] ? 1 : fmin(next[i], 1);
    }
}

/* Whether this opinion is an agent's relaying of a source that nobody of any weight endorsed. */
static bool borrows(struct graph *graph, const struct opinion *o)
{
    return o->is_assertion && !same_hash(&o->voice, &o->entry->record->agent) &&
           graph->weight[node_of(graph, &o->voice)] <= 0;
}

/* How many different such sources the agent of an opinion relays in the slot. */
static double borrowers(struct graph *graph, const struct opinions *all, const struct opinion *o)
{
    double count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *p = &all->list[i];
        bool again = false;
        if (!borrows(graph, p) || !same_hash(&p->entry->record->agent, &o->entry->record->agent)) continue;
        for (size_t k = 0; k < i; k++)
            again |= borrows(graph, &all->list[k]) && same_hash(&all->list[k].voice, &p->voice) &&
                     same_hash(&all->list[k].entry->record->agent, &p->entry->record->agent);
        count += !again;
    }
    return count;
}

/* The weight of an opinion's voice: its own, or the most that one who relays it for this claim lends it. */
static double voice_weight(struct graph *graph, const struct opinions *all, size_t at, double damping)
{
    const struct opinion *me = &all->list[at];
    double weight = graph->weight[node_of(graph, &me->voice)];
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *o = &all->list[i];
        if (!same_hash(&o->voice, &me->voice) || !same_hash(&o->claim, &me->claim) || !borrows(graph, o)) continue;
        double lent = damping * graph->weight[node_of(graph, &o->entry->record->agent)] / borrowers(graph, all, o);
        weight = fmax(weight, lent);
    }
    return weight;
}

static void weigh(const struct reference *ref, const struct opinions *all, const struct steme_lens *lens,
                  double *weights)
{
    static struct graph graph;
    double damping = lens->damping > 0 ? lens->damping : 0.85;
    memset(&graph, 0, sizeof graph);
    for (size_t i = 0; i < (lens->root_count ? lens->root_count : STOCK_TRUSTED); i++) {
        struct steme_hash root = lens->root_count ? steme_agent_id(&lens->roots[i]) : ref->stock->agent_ids[i];
        graph.is_root[node_of(&graph, &root)] = true;
    }
    draw_edges(ref, &graph);
    for (size_t i = 0; i < all->count; i++) { /* so that everybody is a node */
        (void)node_of(&graph, &all->list[i].voice);
        (void)node_of(&graph, &all->list[i].entry->record->agent);
    }
    let_flow(&graph, damping);
    for (size_t i = 0; i < all->count; i++)
        weights[i] = voice_weight(&graph, all, i, damping);
}

/* ---- pool ---- */

enum { MEASUREMENTS = 512 };

struct measurements {
    const struct opinion *from[MEASUREMENTS];
    double x[MEASUREMENTS], s[MEASUREMENTS], v[MEASUREMENTS]; /* amount, error, weight in the end */
    size_t count;
};

/* A (claim, voice) pair in which the voice asserts the claim; which of its assertions does not matter. */
static bool is_measurement(const struct opinions *all, size_t i)
{
    const struct opinion *o = &all->list[i];
    if (!o->is_assertion || !o->positive || reference_value(o)->kind != STEME_QUANTITY) return false;
    for (size_t k = 0; k < i; k++) {
        const struct opinion *p = &all->list[k];
        if (p->is_assertion && p->positive && same_hash(&p->claim, &o->claim) && same_hash(&p->voice, &o->voice))
            return false;
    }
    return true;
}

static size_t count_of_unit(const struct opinions *all, struct steme_slice unit)
{
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        count += is_measurement(all, i) && reference_value(&all->list[i])->has_bounds &&
                 same_text(reference_value(&all->list[i])->unit, unit);
    return count;
}

static void measure(const struct opinions *all, struct measurements *m, struct reference_answer *answer)
{
    struct steme_slice unit = { 0 };
    size_t most = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (!is_measurement(all, i) || !reference_value(&all->list[i])->has_bounds) continue;
        size_t count = count_of_unit(all, reference_value(&all->list[i])->unit);
        if (count == most && !same_text(unit, reference_value(&all->list[i])->unit)) answer->unclear = true;
        if (count > most) {
            most = count;
            unit = reference_value(&all->list[i])->unit;
            answer->unclear = false;
        }
    }
    m->count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct steme_value *value = reference_value(&all->list[i]);
        if (!is_measurement(all, i)) continue;
        if (!value->has_bounds || !same_text(value->unit, unit)) {
            answer->pooled.left_out++;
            continue;
        }
        invariant(m->count < MEASUREMENTS);
        m->from[m->count] = &all->list[i];
        m->x[m->count] = reference_number(value->amount);
        m->s[m->count++] = (reference_number(value->upper) - reference_number(value->lower)) / 2;
    }
}

/* P(chi-square with this many degrees >= x), by the sums for whole and for half degrees. */
double reference_chi_square_tail(size_t degrees, double x)
{
    double half = x / 2, term, sum = 0;
    if (x <= 0) return 1;
    if (degrees % 2 == 0) {
        term = exp(-half);
        for (size_t i = 0; i < degrees / 2; i++) {
            sum += term;
            term *= half / (double)(i + 1);
        }
        return sum;
    }
    term = exp(-half) * sqrt(half) / tgamma(1.5);
    for (size_t i = 0; i < degrees / 2; i++) {
        sum += term;
        term *= half / ((double)i + 1.5);
    }
    return erfc(sqrt(half)) + sum;
}

static void pool(const struct opinions *all, struct reference_answer *answer)
{
    static struct measurements m;
    double w = 0, w2 = 0, wx = 0, v = 0, vx = 0;
    struct steme_pooled *p = &answer->pooled;
    measure(all, &m, answer);
    answer->margin = 0;
    if (m.count == 0) return;
    for (size_t i = 0; i < m.count; i++) {
        double weight = 1 / (m.s[i] * m.s[i]);
        w += weight;
        w2 += weight * weight;
        wx += weight * m.x[i];
    }
    answer->has_pooled = true;
    p->count = m.count;
    p->degrees = m.count - 1;
    p->fixed_mean = wx / w;
    p->fixed_error = 1 / sqrt(w);
    for (size_t i = 0; i < m.count; i++)
        p->chi2 += pow((m.x[i] - p->fixed_mean) / m.s[i], 2);
    double degrees = (double)p->degrees;
    if (m.count > 1) p->tau2 = fmax(0, (p->chi2 - degrees) / (w - w2 / w));
    p->i2 = m.count > 1 ? (p->chi2 > 0 ? fmax(0, (p->chi2 - degrees) / p->chi2) : 0) : NAN;
    p->birge = m.count > 1 ? sqrt(p->chi2 / degrees) : NAN;
    p->tension_p = m.count > 1 ? reference_chi_square_tail(p->degrees, p->chi2) : NAN;
    for (size_t i = 0; i < m.count; i++) {
        m.v[i] = 1 / (m.s[i] * m.s[i] + p->tau2);
        v += m.v[i];
        vx += m.v[i] * m.x[i];
    }
    p->mean = vx / v;
    p->error = 1 / sqrt(v);
    for (size_t i = 0; i < m.count; i++)
        reference_belief_of(answer, &m.from[i]->claim)->probability += m.v[i] / v;
}

static enum steme_verdict verdict_of_tension(const struct reference_answer *answer)
{
    if (answer->pooled.count == 1) return STEME_LEANING;
    if (answer->pooled.tension_p >= 0.05) return STEME_SETTLED;
    return answer->pooled.tension_p >= 0.0027 ? STEME_LEANING : STEME_CONTESTED;
}

/* ---- lenses ---- */

static bool is_functional(const struct reference *ref, struct steme_slice predicate)
{
    const struct reference_entry *newest = NULL;
    for (size_t i = 0; i < ref->count; i++) {
        const struct stock_record *r = ref->entries[i].record;
        const struct steme_assertion *a = &r->record.as.assertion;
        bool trusted = false;
        if (!reference_knows(ref, i, STEME_ASSERTION) || !same_text(a->subject, predicate)) continue;
        if (!is_text(a->predicate, "steme:cardinality") || !is_text(a->object.text, "steme:many")) continue;
        for (unsigned k = 0; k < STOCK_TRUSTED; k++)
            trusted |= same_hash(&r->agent, &ref->stock->agent_ids[k]);
        if (trusted && reference_standings(ref, r, NULL) & 1u << STEME_LIVE) newest = &ref->entries[i];
    }
    return !newest;
}

static void verdict_of(struct reference_answer *answer, const char *lens)
{
    double best = 0, rival = 0;
    for (size_t i = 0; i < answer->belief_count; i++) {
        double p = answer->beliefs[i].probability;
        if (p > best) {
            rival = best;
            best = p;
        } else if (p > rival) {
            rival = p;
        }
    }
    const double edge = 1e-12; /* sums may differ in the last bits: then the verdict is anybody's */
    answer->unclear |= fabs(best - 0.5) < edge || fabs(best - 0.9) < edge || fabs(rival - 0.1) < edge;
    if (best <= 0) /* nothing is believed at all */
        answer->verdict = STEME_UNDECIDED;
    else if (!answer->functional || strcmp(lens, "union") == 0)
        answer->verdict = STEME_LISTED;
    else if (answer->has_pooled)
        answer->verdict = verdict_of_tension(answer);
    else if (best < 0.5)
        answer->verdict = STEME_CONTESTED;
    else
        answer->verdict = best >= 0.9 && rival < 0.1 ? STEME_SETTLED : STEME_LEANING;
}

static double approval(const struct reference_belief *b)
{
    return b->support > 0 ? b->support * b->support / (b->support + b->refute) : 0;
}

/* Voices for r that make it draw level with the best, voices against the best that bring it down to one half. */
static double to_draw_level(const struct reference_belief *best, const struct reference_belief *r)
{
    double w = approval(best);
    return fmax(0, (w + sqrt(w * (w + 4 * r->refute))) / 2 - r->support);
}

static double to_doubt(const struct reference_belief *best, double prior)
{
    return fmax(0, 2 * best->support * best->support / (prior + best->support) - best->support - best->refute);
}

static bool is_near(double a, double b) { return fabs(a - b) <= 1e-12 * fmax(fabs(a), fabs(b)); }

/* The least to do, over all whose probability ties with this one; -1 where they tie for the first place, or nearly: the
 * last bits of sums decide what to do there. */
static double margin_of(const struct reference_answer *answer, double prior)
{
    const struct reference_belief *best = NULL, *second = NULL;
    double least = INFINITY;
    for (size_t i = 0; i < answer->belief_count; i++) {
        const struct reference_belief *b = &answer->beliefs[i];
        if (!best || b->probability > best->probability) {
            second = best;
            best = b;
        } else if (!second || b->probability > second->probability) {
            second = b;
        }
    }
    if (!best || best->probability <= 0) return 0;
    bool rival = second && second->probability > 0;
    if (rival && is_near(best->probability, second->probability)) return -1;
    if (!rival || !answer->functional) return to_doubt(best, prior);
    for (size_t i = 0; i < answer->belief_count; i++) {
        const struct reference_belief *b = &answer->beliefs[i];
        if (b == best || !is_near(b->probability, second->probability)) continue;
        if (b != second && !is_near(to_draw_level(best, b), to_draw_level(best, second))) return -1;
        least = fmin(least, to_draw_level(best, b));
    }
    return least;
}

static void approve(struct reference_answer *answer, double prior)
{
    double all = 0;
    for (size_t i = 0; i < answer->belief_count; i++)
        all += answer->beliefs[i].support;
    for (size_t i = 0; i < answer->belief_count; i++) {
        struct reference_belief *b = &answer->beliefs[i];
        b->probability = approval(b) / (prior + (answer->functional ? all : b->support));
    }
    answer->margin = margin_of(answer, prior);
}

static void list_all(struct reference_answer *answer, double prior)
{
    double all = 0;
    answer->margin = 0;
    for (size_t i = 0; i < answer->belief_count; i++) {
        struct reference_belief *b = &answer->beliefs[i];
        b->probability = b->support / (b->support + b->refute + prior);
        all += b->probability;
    }
    for (size_t i = 0; i < answer->belief_count && answer->functional && all > 1; i++)
        answer->beliefs[i].probability /= all;
}

/* The newest live assertion for a claim; of those as new, the surest. */
static const struct opinion *newest_for(const struct opinions *all, const struct steme_hash *claim)
{
    const struct opinion *newest = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct opinion *o = &all->list[i];
        if (!o->is_assertion || !o->positive || !same_hash(&o->claim, claim)) continue;
        if (!newest || o->at_us > newest->at_us || (o->at_us == newest->at_us && o->strength > newest->strength))
            newest = o;
    }
    return newest;
}

static void remember_newest(const struct opinions *all, const struct steme_lens *lens, struct reference_answer *answer)
{
    const struct opinion *newest[REFERENCE_CLAIMS];
    const struct reference_belief *winner = NULL;
    int64_t latest = INT64_MIN;
    double sum = 0;
    unsigned newest_claims = 0;
    for (size_t i = 0; i < answer->belief_count; i++) {
        newest[i] = newest_for(all, &answer->beliefs[i].claim);
        if (newest[i] && newest[i]->at_us > latest) latest = newest[i]->at_us;
    }
    for (size_t i = 0; i < answer->belief_count; i++) {
        if (!newest[i] || newest[i]->at_us != latest) continue;
        newest_claims++;
        if (!winner || memcmp(&answer->beliefs[i].claim, &winner->claim, sizeof winner->claim) < 0)
            winner = &answer->beliefs[i];
    }
    for (size_t i = 0; i < answer->belief_count; i++) {
        struct reference_belief *b = &answer->beliefs[i];
        if (!newest[i]) continue;
        b->probability = newest[i]->strength;
        if (lens->half_life_us)
            b->probability *= exp2(-((double)latest - (double)newest[i]->at_us) / (double)lens->half_life_us);
        else if (answer->functional && b != winner)
            b->probability = 0;
        sum += b->probability;
    }
    for (size_t i = 0; i < answer->belief_count && lens->half_life_us && answer->functional && sum > 1; i++)
        answer->beliefs[i].probability /= sum;
    if (lens->half_life_us) return; /* whether two tie is a matter of the last bits */
    answer->margin = answer->functional && sum > 0 && newest_claims == 1 ? 1 : 0;
}

void reference_resolve(const struct reference *ref, const struct stock_slot *slot, const struct steme_hash *epoch,
                       const struct steme_lens *lens, struct reference_answer *out)
{
    static struct opinions all;
    static double weights[REFERENCE_OPINIONS];
    double prior = lens->prior > 0 ? lens->prior : 0.5;
    reference_opinions(ref, slot, epoch, &all);
    *out = (struct reference_answer){ .functional = is_functional(ref, slot->predicate), .margin = -1 };
    count_opinions(&all, out);
    if (strcmp(lens->name, "authority") == 0) weigh(ref, &all, lens, weights);
    add_strengths(&all, strcmp(lens->name, "authority") == 0 ? weights : NULL, out);
    if (strcmp(lens->name, "union") == 0)
        list_all(out, prior);
    else if (strcmp(lens->name, "recency") == 0)
        remember_newest(&all, lens, out);
    else if (strcmp(lens->name, "pool") == 0)
        pool(&all, out);
    else if (strcmp(lens->name, "reliability") == 0)
        reference_learn(ref, slot, epoch, lens, out);
    else
        approve(out, prior);
    verdict_of(out, lens->name);
}
