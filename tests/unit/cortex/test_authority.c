/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/authority.h"
#include "slot.h"

#include "steme/limits.h"

/* Voices in tables are letters, in loops numbers; both become ids. */
static void set_id(uint8_t id[16], unsigned number)
{
    memset(id, 0, 16);
    for (unsigned i = 0; i < 4; i++)
        id[i] = (uint8_t)(number >> (24 - 8 * i));
}

static struct endorsement edge(unsigned from, unsigned to, double probability)
{
    struct endorsement made = { .probability = probability };
    set_id(made.from, from);
    set_id(made.to, to);
    return made;
}

static double weight_of(const struct authority *authority, unsigned voice)
{
    uint8_t id[16];
    set_id(id, voice);
    return authority_weight(authority, id);
}

enum { EDGES = 12, WANTS = 10 };

static const struct {
    const char *name;
    const char *roots;
    double damping;
    struct {
        char from, to;
        double probability;
    } edges[EDGES];
    struct {
        char voice;
        double weight;
    } want[WANTS];
} graphs[] = {
    { "nobody at all", "", 0.85, { { 0 } }, { { 'A', 0 } } },
    { "a root weighs 1, a stranger 0", "R", 0.85, { { 0 } }, { { 'R', 1 }, { 'A', 0 } } },
    { "without roots nobody weighs", "", 0.85, { { 'A', 'B', 1 }, { 'B', 'A', 1 } }, { { 'A', 0 }, { 'B', 0 } } },
    { "strangers lend each other nothing",
      "R",
      0.85,
      { { 'A', 'B', 1 }, { 'B', 'A', 1 }, { 'A', 'R', 1 } },
      { { 'R', 1 }, { 'A', 0 }, { 'B', 0 } } },
    { "one endorsement, however sure", "R", 0.85, { { 'R', 'A', 0.01 } }, { { 'R', 1 }, { 'A', 0.85 } } },
    { "split by probability", "R", 0.8, { { 'R', 'A', 0.2 }, { 'R', 'B', 0.6 } }, { { 'A', 0.2 }, { 'B', 0.6 } } },
    { "a refuting ballot hands on nothing and takes no share",
      "R",
      0.8,
      { { 'R', 'A', 0 }, { 'R', 'B', 1 } },
      { { 'A', 0 }, { 'B', 0.8 } } },
    { "endorsing oneself takes no share",
      "R",
      0.8,
      { { 'R', 'A', 1 }, { 'A', 'A', 1 }, { 'A', 'B', 1 } },
      { { 'A', 0.8 }, { 'B', 0.64 } } },
    { "of two ballots on one voice the greater",
      "R",
      0.8,
      { { 'R', 'A', 0.2 }, { 'R', 'B', 0.8 }, { 'R', 'A', 0.8 } },
      { { 'A', 0.4 }, { 'B', 0.4 } } },
    { "eight steps and no further",
      "R",
      0.5,
      { { 'R', 'A', 1 },
        { 'A', 'B', 1 },
        { 'B', 'C', 1 },
        { 'C', 'D', 1 },
        { 'D', 'E', 1 },
        { 'E', 'F', 1 },
        { 'F', 'G', 1 },
        { 'G', 'H', 1 },
        { 'H', 'I', 1 } },
      { { 'A', 0.5 }, { 'D', 0.0625 }, { 'G', 0.0078125 }, { 'H', 0.00390625 }, { 'I', 0 } } },
    { "roads meet",
      "R",
      0.8,
      { { 'R', 'A', 1 }, { 'R', 'B', 1 }, { 'A', 'C', 1 }, { 'B', 'C', 1 } },
      { { 'A', 0.4 }, { 'B', 0.4 }, { 'C', 0.64 } } },
    { "at most 1, and no more than that is handed on",
      "RST",
      0.8,
      { { 'R', 'A', 1 }, { 'S', 'A', 1 }, { 'T', 'A', 1 }, { 'A', 'B', 1 } },
      { { 'R', 1 }, { 'A', 1 }, { 'B', 0.8 } } },
    { "a root gains nothing by endorsement, its share is gone",
      "R",
      0.8,
      { { 'R', 'A', 1 }, { 'A', 'R', 1 }, { 'A', 'B', 1 } },
      { { 'R', 1 }, { 'A', 0.8 }, { 'B', 0.32 } } },
    { "a circle: walks of odd length to A, of even length to B",
      "R",
      0.5,
      { { 'R', 'A', 1 }, { 'A', 'B', 1 }, { 'B', 'A', 1 } },
      { { 'A', 0.5 + 0.125 + 0.03125 + 0.0078125 }, { 'B', 0.25 + 0.0625 + 0.015625 + 0.00390625 } } },
    { "a circle does not blow up",
      "R",
      0.99,
      { { 'R', 'A', 1 }, { 'A', 'B', 1 }, { 'B', 'A', 1 } },
      { { 'A', 1 }, { 'B', 0.99 } } },
};

static void weight_flows_from_roots_along_endorsements(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(graphs); i++) {
        const char *name = graphs[i].name;
        struct endorsement edges[EDGES];
        size_t count = 0, roots = strlen(graphs[i].roots);
        for (; count < EDGES && graphs[i].edges[count].from; count++)
            edges[count] = edge((unsigned)graphs[i].edges[count].from, (unsigned)graphs[i].edges[count].to,
                                graphs[i].edges[count].probability);
        uint8_t root_ids[4][16];
        for (size_t r = 0; r < roots; r++)
            set_id(root_ids[r], (unsigned)graphs[i].roots[r]);
        struct arena arena;
        arena_init(&arena, 1 << 20);
        const struct authority *authority;
        struct steme_error err;
        assert_status(authority_build(edges, count, (const uint8_t(*)[16])root_ids, roots, graphs[i].damping, &arena,
                                      &authority, &err),
                      STEME_OK, &err, name);
        for (size_t w = 0; w < WANTS && graphs[i].want[w].voice; w++)
            assert_close(weight_of(authority, (unsigned)graphs[i].want[w].voice), graphs[i].want[w].weight, 1e-15,
                         "weight", name);
        for (size_t r = 0; r < roots; r++)
            assert_true(weight_of(authority, (unsigned)graphs[i].roots[r]) == 1);
        arena_deinit(&arena);
    }
}

enum { SWARM = 10000, FIRST = 100, TRUSTED = 2, ROOT = 1 };

/* One root endorses one agent, who endorses a swarm of keys. */
static double weigh_swarm(bool in_league, double *trusted_out)
{
    static struct endorsement edges[1 + SWARM * 4];
    size_t count = 0;
    edges[count++] = edge(ROOT, TRUSTED, 1);
    for (unsigned i = 0; i < SWARM; i++) {
        edges[count++] = edge(TRUSTED, FIRST + i, 1);
        if (!in_league) continue;
        edges[count++] = edge(FIRST + i, FIRST + (i + 1) % SWARM, 1);
        edges[count++] = edge(FIRST + i, FIRST + (i * 7 + 3) % SWARM, 0.5);
        edges[count++] = edge(FIRST + i, TRUSTED, 0.1);
    }
    uint8_t root[1][16];
    set_id(root[0], ROOT);
    struct arena arena;
    arena_init(&arena, 64u << 20);
    const struct authority *authority;
    assert_int_equal(authority_build(edges, count, (const uint8_t(*)[16])root, 1, 0.85, &arena, &authority, NULL),
                     STEME_OK);
    double sum = 0;
    for (unsigned i = 0; i < SWARM; i++)
        sum += weight_of(authority, FIRST + i);
    *trusted_out = weight_of(authority, TRUSTED);
    arena_deinit(&arena);
    return sum;
}

static void a_swarm_of_keys_shares_what_its_one_endorser_hands_on(void **state)
{
    (void)state;
    double trusted, sum = weigh_swarm(false, &trusted);
    assert_close(trusted, 0.85, 0, "weight", "the endorser");
    assert_true(sum <= 0.85 * trusted * (1 + 1e-12) && sum >= 0.85 * trusted * (1 - 1e-12));
}

static void a_swarm_in_league_stays_within_its_bound(void **state)
{
    (void)state;
    double trusted, sum = weigh_swarm(true, &trusted), bound = 0, power = 1;
    for (unsigned k = 0; k < AUTHORITY_DEPTH; k++)
        bound += power *= 0.85;
    assert_true(sum <= bound * trusted);
    assert_true(trusted <= 1 && trusted <= 0.85 / (1 - 0.85 * 0.85));
}

enum { VOICES = 200, LINKS = 3000, ROOTS = 5 };

struct random_graph {
    struct endorsement edges[LINKS];
    uint8_t roots[ROOTS][16];
};

static void draw_graph(struct prng *prng, struct random_graph *graph)
{
    for (size_t i = 0; i < LINKS; i++) {
        unsigned from = (unsigned)prng_below(prng, VOICES), to = (unsigned)prng_below(prng, VOICES / 2);
        graph->edges[i] = edge(from, to, (double)prng_below(prng, 1000001) / 1e6);
        if (i > 0 && prng_chance(prng, 50)) { /* the same two again */
            graph->edges[i] = graph->edges[prng_below(prng, i)];
            graph->edges[i].probability = (double)prng_below(prng, 1000001) / 1e6;
        }
    }
    for (size_t i = 0; i < ROOTS; i++)
        set_id(graph->roots[i], (unsigned)prng_below(prng, VOICES)); /* maybe twice */
}

static void shuffle(struct prng *prng, struct random_graph *graph)
{
    for (size_t i = LINKS - 1; i > 0; i--) {
        size_t j = (size_t)prng_below(prng, i + 1);
        struct endorsement swap = graph->edges[i];
        graph->edges[i] = graph->edges[j];
        graph->edges[j] = swap;
    }
    for (size_t i = ROOTS - 1; i > 0; i--) {
        size_t j = (size_t)prng_below(prng, i + 1);
        uint8_t swap[16];
        memcpy(swap, graph->roots[i], 16);
        memcpy(graph->roots[i], graph->roots[j], 16);
        memcpy(graph->roots[j], swap, 16);
    }
}

static void weigh_all(const struct random_graph *graph, double weights[VOICES])
{
    struct arena arena;
    arena_init(&arena, 8u << 20);
    const struct authority *authority;
    assert_int_equal(authority_build(graph->edges, LINKS, graph->roots, ROOTS, 0.85, &arena, &authority, NULL),
                     STEME_OK);
    for (unsigned i = 0; i < VOICES; i++)
        weights[i] = weight_of(authority, i);
    arena_deinit(&arena);
}

static void the_order_of_arrival_does_not_change_a_bit(void **state)
{
    (void)state;
    struct prng prng = seeded(76);
    static struct random_graph graph;
    for (int round = 0; round < 10; round++) {
        draw_graph(&prng, &graph);
        double first[VOICES], again[VOICES];
        weigh_all(&graph, first);
        for (int turn = 0; turn < 5; turn++) {
            shuffle(&prng, &graph);
            weigh_all(&graph, again);
            assert_memory_equal(first, again, sizeof first);
        }
    }
}

static void weights_stay_in_bounds_on_any_graph(void **state)
{
    (void)state;
    struct prng prng = seeded(77);
    static struct random_graph graph;
    double bound = 0, power = 1;
    for (unsigned k = 0; k < AUTHORITY_DEPTH; k++)
        bound += power *= 0.85;
    for (int round = 0; round < 50; round++) {
        draw_graph(&prng, &graph);
        double weights[VOICES], sum = 0;
        weigh_all(&graph, weights);
        for (unsigned i = 0; i < VOICES; i++) {
            uint8_t id[16];
            set_id(id, i);
            bool is_root = false;
            for (size_t r = 0; r < ROOTS; r++)
                is_root |= memcmp(id, graph.roots[r], 16) == 0;
            assert_true(is_root ? weights[i] == 1 : weights[i] >= 0 && weights[i] <= 1);
            if (!is_root) sum += weights[i];
            if (!is_root && i >= VOICES / 2) assert_true(weights[i] == 0); /* nobody endorses those */
        }
        assert_true(sum <= ROOTS * bound * (1 + 1e-12)); /* reached where nothing flows back to a root */
    }
}

static void a_damping_that_is_no_proper_share_is_refused(void **state)
{
    (void)state;
    static const double dampings[] = { 0, 1, -0.5, 1.5, NAN, INFINITY };
    for (size_t i = 0; i < countof(dampings); i++) {
        struct arena arena;
        arena_init(&arena, 1 << 20);
        const struct authority *authority;
        struct steme_error err;
        assert_int_equal(authority_build(NULL, 0, NULL, 0, dampings[i], &arena, &authority, &err), STEME_BAD_INPUT);
        assert_non_null(strstr(err.message, "damping"));
        arena_deinit(&arena);
    }
}

static void too_many_endorsements_or_roots_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct authority *authority;
    const size_t many = STEME_EVIDENCE_ROWS_MAX + 1; /* nothing is read of them */
    assert_int_equal(authority_build(NULL, many, NULL, 0, 0.85, &arena, &authority, NULL), STEME_TOO_LARGE);
    assert_int_equal(authority_build(NULL, 0, NULL, many, 0.85, &arena, &authority, NULL), STEME_TOO_LARGE);
    arena_deinit(&arena);
}

static void a_full_arena_is_reported_at_every_step(void **state)
{
    (void)state;
    struct endorsement edges[20];
    for (unsigned i = 0; i < countof(edges); i++)
        edges[i] = edge(i, i + 1, 1);
    uint8_t root[1][16];
    set_id(root[0], 0);
    steme_status status = STEME_NO_MEMORY;
    size_t room = 0;
    for (; status != STEME_OK; room += 16) {
        assert_true(room < 65536);
        struct arena arena;
        arena_init(&arena, room);
        const struct authority *authority;
        status = authority_build(edges, countof(edges), (const uint8_t(*)[16])root, 1, 0.85, &arena, &authority, NULL);
        assert_true(status == STEME_OK || status == STEME_NO_MEMORY);
        arena_deinit(&arena);
    }
    assert_true(room < countof(edges) * 160 + 256); /* what the header says it takes */
}

static void build_with(void *context)
{
    const struct endorsement made = edge(1, 2, *(double *)context);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    const struct authority *authority;
    if (authority_build(&made, 1, NULL, 0, 0.85, &arena, &authority, NULL)) _exit(3);
}

static void an_improbable_probability_is_a_broken_promise(void **state)
{
    (void)state;
    static const double probabilities[] = { -0.1, 1.1, NAN };
    for (size_t i = 0; i < countof(probabilities); i++) {
        double probability = probabilities[i];
        assert_dies(build_with, &probability, "probability");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_flows_from_roots_along_endorsements),
        cmocka_unit_test(a_swarm_of_keys_shares_what_its_one_endorser_hands_on),
        cmocka_unit_test(a_swarm_in_league_stays_within_its_bound),
        cmocka_unit_test(the_order_of_arrival_does_not_change_a_bit),
        cmocka_unit_test(weights_stay_in_bounds_on_any_graph),
        cmocka_unit_test(a_damping_that_is_no_proper_share_is_refused),
        cmocka_unit_test(too_many_endorsements_or_roots_are_refused),
        cmocka_unit_test(a_full_arena_is_reported_at_every_step),
        cmocka_unit_test(an_improbable_probability_is_a_broken_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
