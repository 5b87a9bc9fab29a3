/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that flow from fixed roots, as in TrustRank (Gyöngyi, Garcia-Molina and Pedersen 2004; the walk is
 * PageRank's, Page and others 1999), with a bound on steps and on weight. With q(u,v) the probability of u's supporting
 * ballot on v, u != v, and d the damping:
 *
 *   share(u,v) = q(u,v) / sum over all x of q(u,x)
 *   w_0(v)     = 1 for a root, else 0
 *   w_k+1(v)   = 1 for a root, else min(1, sum over all u of d * w_k(u) * share(u,v))
 *   weight(v)  = w_8(v)                                                                   8 = AUTHORITY_DEPTH
 *
 * Short of the limit of 1 that is the sum over all walks of at most 8 steps from a root that meet no other root, of the
 * product of d * share along the walk. The limit holds at every step, so nobody hands on more than d. Weights never
 * fall from step to step.
 *
 * Steps run over the edges sorted by receiver, then giver: sums are taken in one order, whatever order they came in. */
#include "cortex/authority.h"
#include "base/check.h"
#include "base/id16.h"
#include "cortex/numeric.h"
#include "steme/limits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An endorsement between voices known by index. */
struct edge {
    uint32_t from, to;
    double share; /* first the ballot's probability, then d * share(from, to) */
};

struct authority {
    uint8_t (*voices)[16]; /* sorted, no two alike */
    double *weights;       /* of each */
    size_t count;
};

/* What authority_build() works with. All of it is in the arena. */
struct flow {
    struct authority *authority;
    struct edge *edges; /* sorted by giver, then receiver; after sort_by_receiver() by receiver, then giver */
    size_t edge_count;
    size_t *arrivals; /* voice i receives edges[arrivals[i] .. arrivals[i + 1]) */
    bool *is_root;    /* of each voice */
};

/* By giver, receiver, then the greatest probability first. */
static int compare_endorsements(const void *left, const void *right)
{
    const struct endorsement *a = left, *b = right;
    int order = memcmp(a->from, b->from, sizeof a->from);
    if (!order) order = memcmp(a->to, b->to, sizeof a->to);
    return order ? order : (a->probability < b->probability) - (a->probability > b->probability);
}

static bool same_voices(const struct endorsement *a, const struct endorsement *b)
{
    return memcmp(a->from, b->from, sizeof a->from) == 0 && memcmp(a->to, b->to, sizeof a->to) == 0;
}

/* Endorsements that hand something on, sorted, of equal ones the greatest. Returns how many. */
static size_t keep_effective(const struct endorsement *edges, size_t count, struct endorsement *kept)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        invariant(edges[i].probability >= 0 && edges[i].probability <= 1);
        if (edges[i].probability > 0 && memcmp(edges[i].from, edges[i].to, sizeof edges[i].from) != 0)
            kept[taken++] = edges[i];
    }
    if (taken == 0) return 0;
    qsort(kept, taken, sizeof *kept, compare_endorsements);
    size_t distinct = 1;
    for (size_t i = 1; i < taken; i++)
        if (!same_voices(&kept[i], &kept[distinct - 1])) kept[distinct++] = kept[i];
    return distinct;
}

/* Every voice that is named, sorted, once. Returns how many. */
static size_t name_voices(const struct endorsement *kept, size_t kept_count, const uint8_t (*roots)[16],
                          size_t root_count, uint8_t (*voices)[16])
{
    size_t named = 0;
    for (size_t i = 0; i < kept_count; i++) {
        memcpy(voices[named++], kept[i].from, sizeof *voices);
        memcpy(voices[named++], kept[i].to, sizeof *voices);
    }
    for (size_t i = 0; i < root_count; i++)
        memcpy(voices[named++], roots[i], sizeof *voices);
    return id16_sort(voices, named);
}

/* Index of a voice; authority->count if it is not named. */
static size_t find_voice(const struct authority *authority, const uint8_t voice[16])
{
    return id16_find((const uint8_t(*)[16])authority->voices, authority->count, voice);
}

static void link_voices(struct flow *flow, const struct endorsement *kept, const uint8_t (*roots)[16],
                        size_t root_count)
{
    for (size_t i = 0; i < flow->edge_count; i++) {
        flow->edges[i] = (struct edge){
            .from = (uint32_t)find_voice(flow->authority, kept[i].from),
            .to = (uint32_t)find_voice(flow->authority, kept[i].to),
            .share = kept[i].probability,
        };
    }
    for (size_t i = 0; i < root_count; i++)
        flow->is_root[find_voice(flow->authority, roots[i])] = true;
}

/* Probabilities into shares of what the giver hands on. Edges are sorted by giver. */
static void split_shares(struct flow *flow, double damping)
{
    for (size_t from = 0, to; from < flow->edge_count; from = to) {
        struct sum sum = { 0 };
        for (to = from; to < flow->edge_count && flow->edges[to].from == flow->edges[from].from; to++)
            sum_add(&sum, flow->edges[to].share);
        for (size_t i = from; i < to; i++)
            flow->edges[i].share = damping * (flow->edges[i].share / sum_value(&sum));
    }
}

/* A counting sort into `sorted`, which takes the place of the edges; stable, so givers stay in order. */
static void sort_by_receiver(struct flow *flow, struct edge *sorted)
{
    size_t *arrivals = flow->arrivals, voices = flow->authority->count;
    for (size_t i = 0; i < flow->edge_count; i++)
        arrivals[flow->edges[i].to]++;
    size_t end = 0;
    for (size_t i = 0; i <= voices; i++) { /* counts to ends; the last entry, a count of 0, to the total */
        end += arrivals[i];
        arrivals[i] = end;
    }
    for (size_t i = flow->edge_count; i > 0; i--)
        sorted[--arrivals[flow->edges[i - 1].to]] = flow->edges[i - 1];
    flow->edges = sorted;
}

/* One step: w_k to w_k+1. */
static void step(const struct flow *flow, const double *now, double *next)
{
    for (size_t i = 0; i < flow->authority->count; i++) {
        struct sum sum = { 0 };
        for (size_t at = flow->arrivals[i]; at < flow->arrivals[i + 1]; at++)
            sum_add(&sum, now[flow->edges[at].from] * flow->edges[at].share);
        next[i] = flow->is_root[i] ? 1 : fmin(1, sum_value(&sum));
    }
}

static void run(struct flow *flow, double *spare)
{
    double *now = flow->authority->weights, *next = spare;
    for (size_t i = 0; i < flow->authority->count; i++)
        now[i] = flow->is_root[i];
    for (unsigned depth = 0; depth < AUTHORITY_DEPTH; depth++) {
        step(flow, now, next);
        double *swap = now;
        now = next;
        next = swap;
    }
    flow->authority->weights = now;
}

steme_status authority_build(const struct endorsement *edges, size_t edge_count, const uint8_t (*roots)[16],
                             size_t root_count, double damping, struct arena *arena, const struct authority **out,
                             struct steme_error *err)
{
    const size_t most = STEME_EVIDENCE_ROWS_MAX;
    if (!(damping > 0 && damping < 1))
        return error_set(err, STEME_BAD_INPUT, "damping is %g; give a share between 0 and 1, both excluded", damping);
    if (edge_count > most || root_count > most)
        return error_set(err, STEME_TOO_LARGE, "%zu endorsements and %zu roots; at most %zu of each are weighed",
                         edge_count, root_count, most);

    struct authority *authority = arena_calloc(arena, 1, sizeof *authority);
    struct endorsement *kept = arena_calloc(arena, edge_count, sizeof *kept);
    if (!authority || !kept) return arena_full(arena, err);
    size_t kept_count = keep_effective(edges, edge_count, kept);
    authority->voices = arena_calloc(arena, 2 * kept_count + root_count, sizeof *authority->voices);
    if (!authority->voices) return arena_full(arena, err);
    authority->count = name_voices(kept, kept_count, roots, root_count, authority->voices);
    authority->weights = arena_calloc(arena, authority->count, sizeof *authority->weights);

    struct flow flow = { .authority = authority, .edge_count = kept_count };
    flow.edges = arena_calloc(arena, kept_count, sizeof *flow.edges);
    flow.arrivals = arena_calloc(arena, authority->count + 1, sizeof *flow.arrivals);
    flow.is_root = arena_calloc(arena, authority->count, sizeof *flow.is_root);
    struct edge *sorted = arena_calloc(arena, kept_count, sizeof *sorted);
    double *spare = arena_calloc(arena, authority->count, sizeof *spare);
    if (!authority->weights || !flow.edges || !flow.arrivals || !flow.is_root || !sorted || !spare)
        return arena_full(arena, err);
    link_voices(&flow, kept, roots, root_count);
    split_shares(&flow, damping);
    sort_by_receiver(&flow, sorted);
    run(&flow, spare);
    *out = authority;
    return STEME_OK;
}

double authority_weight(const struct authority *authority, const uint8_t voice[16])
{
    size_t at = find_voice(authority, voice);
    return at < authority->count ? authority->weights[at] : 0;
}
