/* SPDX-License-Identifier: Apache-2.0 */
#include "cortex/judge.h"

#include "base/check.h"
#include "base/slice.h"
#include "lib/indexer.h"
#include "lib/testing.h"
#include "model/identity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

enum { TRUSTED = 3 };

/* A log, its index, and a judge over it that trusts agents 0 to `trusted` - 1. */
struct court {
    struct logbook log;
    struct pile pile;
    size_t written, trusted_count;
    uint8_t trusted[TRUSTED][16];
    struct kv *kv;
    struct reader reader;
    struct judge judge;
    struct arena arena;
    bool open;
};

static int compare_id16(const void *left, const void *right) { return memcmp(left, right, 16); }

static int open_court(void **state)
{
    struct court *c = calloc(1, sizeof *c);
    if (!c) return -1;
    logbook_init(&c->log);
    pile_init(&c->pile);
    arena_init(&c->arena, 256 << 20);
    *state = c;
    return 0;
}

static void adjourn(struct court *c)
{
    if (c->open) {
        judge_deinit(&c->judge);
        reader_deinit(&c->reader);
        kv_close(&c->kv);
    }
    c->open = false;
    arena_deinit(&c->arena);
    arena_init(&c->arena, 256 << 20);
}

static int close_court(void **state)
{
    struct court *c = *state;
    adjourn(c);
    arena_deinit(&c->arena);
    pile_deinit(&c->pile);
    logbook_deinit(&c->log);
    free(c);
    return 0;
}

static void trust(struct court *c, size_t count)
{
    c->trusted_count = count;
    for (unsigned i = 0; i < count; i++) {
        struct steme_hash id = pile_agent_id(i);
        memcpy(c->trusted[i], id.bytes, 16);
    }
    qsort(c->trusted, count, 16, compare_id16);
}

static struct steme_hash say(struct court *c, unsigned agent, struct steme_record record)
{
    return pile_add(&c->pile, agent, record);
}

/* Index what was said and sit. */
static void sit(struct court *c)
{
    struct kv_txn *txn = NULL;
    adjourn(c);
    logbook_write(&c->log, &c->pile, c->written, c->pile.group_count, NULL);
    c->written = c->pile.group_count;
    c->kv = indexer_index(&c->log);
    OK(kv_begin(c->kv, KV_READ, &txn, &failure));
    reader_init(&c->reader, c->log.wal, &txn, UINT64_MAX, STEME_TIME_MAX);
    judge_init(&c->judge, &c->reader, (const uint8_t(*)[16])c->trusted, c->trusted_count);
    c->open = true;
}

static steme_status ask_with(struct court *c, const char *subject, const char *predicate, struct steme_lens lens,
                             struct steme_answer *out, struct judge_weighing *weighing)
{
    struct judge_slot slot = { .subject = slice_text(subject), .predicate = slice_text(predicate) };
    slot.ref = judge_slot_of(slot.subject, slot.predicate, slice_of(NULL, 0), &slot.id);
    return judge_slot(&c->judge, &slot, &lens, &c->arena, out, weighing, &failure);
}

static struct steme_answer ask_lens(struct court *c, const char *name)
{
    struct steme_answer answer;
    if (!c->open) sit(c);
    OK(ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = name }, &answer, NULL));
    return answer;
}

static struct steme_answer ask(struct court *c)
{
    sit(c);
    return ask_lens(c, "consensus");
}

static struct steme_record pluto_is(const char *what, uint32_t ppm)
{
    struct steme_record record = pile_claim("Pluto", "is a", what);
    record.as.assertion.confidence_ppm = ppm;
    return record;
}

static const struct steme_belief *belief_in(const struct steme_answer *answer, const char *what)
{
    for (size_t i = 0; i < answer->belief_count; i++)
        if (slice_equal(answer->beliefs[i].value.text, slice_text(what))) return &answer->beliefs[i];
    fail_msg("nobody believes in %s", what);
    return NULL;
}

#define assert_near(got, want) assert_true(fabs((got) - (want)) < 1e-9)

/* ---- grouping ---- */

static void ten_assertions_of_one_voice_are_one_opinion(void **state)
{
    struct court *c = *state;
    for (uint32_t i = 1; i <= 10; i++)
        say(c, 0, pluto_is("planet", i * 50000));
    struct steme_answer answer = ask(c);
    const struct steme_belief *b = belief_in(&answer, "planet");
    assert_int_equal(b->assertions, 10);
    assert_int_equal(b->support_voices, 1);
    assert_near(b->support, 0.5); /* the surest of them */
    assert_int_equal(answer.voices, 1);
    assert_int_equal(answer.assertions, 10);
}

static void an_author_who_also_votes_is_one_voice(void **state)
{
    struct court *c = *state;
    struct steme_hash id = say(c, 0, pluto_is("planet", 400000));
    struct steme_record vote = pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT);
    vote.as.vote.probability_ppm = 900000;
    say(c, 0, vote);
    struct steme_answer answer = ask(c);
    const struct steme_belief *b = belief_in(&answer, "planet");
    assert_int_equal(b->support_voices, 1);
    assert_near(b->support, 0.9);
    assert_int_equal(b->votes_for, 1);
    assert_int_equal(answer.voices, 1);
    assert_int_equal(answer.votes, 1);
}

static void votes_and_assertions_meet_by_claim(void **state)
{
    struct court *c = *state;
    struct steme_record denial = pluto_is("planet", STEME_PPM);
    denial.as.assertion.negated = true;
    struct steme_hash planet = say(c, 0, pluto_is("planet", STEME_PPM));
    say(c, 1, pluto_is("comet", STEME_PPM));
    say(c, 2, denial);
    say(c, 3, pile_vote(pile_on_assertion("Pluto", planet), STEME_SUPPORT));
    say(c, 4, pile_vote(pile_on_assertion("Pluto", planet), STEME_REFUTE));
    say(c, 5, pile_vote(pile_on_claim("Pluto", "is a", "comet", false), STEME_REFUTE));
    say(c, 6, pile_vote(pile_on_claim("Pluto", "is a", "comet", true), STEME_REFUTE));
    say(c, 7, pile_vote(pile_on_claim("Pluto", "is a", "star", false), STEME_SUPPORT)); /* no such claim */
    struct steme_answer answer = ask(c);
    assert_int_equal(answer.belief_count, 2);
    const struct steme_belief *p = belief_in(&answer, "planet"), *k = belief_in(&answer, "comet");
    assert_int_equal(p->support_voices, 2);
    assert_int_equal(p->refute_voices, 2);
    assert_int_equal(p->assertions, 1);
    assert_int_equal(p->refutations, 1);
    assert_int_equal(p->votes_for, 1);
    assert_int_equal(p->votes_against, 1);
    assert_int_equal(k->support_voices, 2);
    assert_int_equal(k->refute_voices, 1);
    assert_int_equal(answer.voices, 7);
    assert_int_equal(answer.votes, 4);
}

static void a_claim_that_is_only_denied_is_listed_and_not_believed(void **state)
{
    struct court *c = *state;
    struct steme_record denial = pluto_is("planet", STEME_PPM);
    denial.as.assertion.negated = true;
    say(c, 0, denial);
    struct steme_answer answer = ask(c);
    const struct steme_belief *b = belief_in(&answer, "planet");
    assert_int_equal(b->assertions, 0);
    assert_int_equal(b->refutations, 1);
    assert_near(b->probability, 0);
    assert_int_equal(answer.verdict, STEME_UNDECIDED);
}

/* ---- which assertion stands for a claim ---- */

static void the_newest_assertion_stands_for_its_claim(void **state)
{
    struct court *c = *state;
    struct steme_record old = pluto_is("planet", STEME_PPM), new = pluto_is("planet", 10), denial = new;
    old.as.assertion.asserted_at_us -= 10;
    denial.as.assertion.negated = true;
    denial.as.assertion.asserted_at_us += 10;
    say(c, 0, old);
    struct steme_hash newest = say(c, 1, new);
    say(c, 2, denial);
    say(c, 3, old);
    struct steme_answer answer = ask(c);
    assert_memory_equal(&answer.beliefs[0].assertion, &newest, sizeof newest);
    assert_int_equal(answer.beliefs[0].latest_at_us, PILE_NOON_US);
}

static void of_equals_the_smallest_id_stands_for_the_claim(void **state)
{
    (void)state;
    struct steme_hash smallest[2];
    for (unsigned turn = 0; turn < 2; turn++) {
        void *own = NULL;
        assert_int_equal(open_court(&own), 0);
        struct court *c = own;
        memset(&smallest[turn], 0xff, sizeof smallest[turn]);
        for (unsigned i = 0; i < 6; i++) {
            struct steme_hash id = say(c, turn ? 5 - i : i, pluto_is("planet", STEME_PPM));
            if (memcmp(&id, &smallest[turn], sizeof id) < 0) smallest[turn] = id;
        }
        struct steme_answer answer = ask(c);
        assert_memory_equal(&answer.beliefs[0].assertion, &smallest[turn], sizeof smallest[turn]);
        (void)close_court(&own);
    }
    assert_memory_equal(&smallest[0], &smallest[1], sizeof smallest[0]);
}

/* ---- nothing to go by ---- */

static void without_live_evidence_the_answer_is_unknown(void **state)
{
    struct court *c = *state;
    struct steme_hash id = say(c, 0, pluto_is("planet", STEME_PPM));
    struct steme_target target = pile_on_assertion("Pluto", id);
    say(c, 0, pile_revision(STEME_RETRACT, &target, 1, NULL));
    say(c, 1, pile_vote(target, STEME_SUPPORT));
    struct steme_answer answer = ask(c);
    assert_int_equal(answer.verdict, STEME_UNDECIDED);
    assert_int_equal(answer.belief_count, 0);
    assert_true(slice_equal(answer.subject, slice_text("Pluto")));
    OK(ask_with(c, "Charon", "is a", (struct steme_lens){ .name = NULL }, &answer, NULL));
    assert_int_equal(answer.belief_count, 0);
    assert_true(slice_equal(answer.subject, slice_text("Charon")));
}

static void a_slot_whose_names_nobody_knows_takes_them_from_its_evidence(void **state)
{
    struct court *c = *state;
    struct steme_answer answer, named;
    struct steme_lens lens = { .name = "union" };
    say(c, 0, pluto_is("planet", STEME_PPM));
    sit(c);
    OK(ask_with(c, "Pluto", "is a", lens, &named, NULL));
    struct judge_slot slot = { .subject = slice_of(NULL, 0) };
    struct steme_hash unused;
    slot.ref = judge_slot_of(slice_text("Pluto"), slice_text("is a"), slice_of(NULL, 0), &unused);
    OK(judge_slot(&c->judge, &slot, &lens, &c->arena, &answer, NULL, &failure));
    assert_true(slice_equal(answer.subject, slice_text("Pluto")) && slice_equal(answer.predicate, slice_text("is a")));
    assert_memory_equal(&answer.slot, &named.slot, sizeof named.slot);
}

/* ---- one answer or many ---- */

struct word {
    unsigned agent;
    const char *object;
    int64_t at_us;
    enum { PLAIN, AS_TEXT, NEGATED, RELAYED, RETRACTED } how;
};

static const struct {
    const char *name;
    struct word words[3];
    size_t count;
    bool many;
} schemas[] = {
    { "nobody said anything", { { 0 } }, 0, false },
    { "a trusted agent says many", { { 0, "steme:many", 0, PLAIN } }, 1, true },
    { "as a text", { { 0, "steme:many", 0, AS_TEXT } }, 1, true },
    { "a stranger says many", { { 5, "steme:many", 0, PLAIN } }, 1, false },
    { "a trusted agent relays it", { { 0, "steme:many", 0, RELAYED } }, 1, false },
    { "a trusted agent denies it", { { 0, "steme:many", 0, NEGATED } }, 1, false },
    { "it was taken back", { { 0, "steme:many", 0, RETRACTED } }, 1, false },
    { "something else", { { 0, "steme:few", 0, PLAIN } }, 1, false },
    { "the newest word counts", { { 0, "steme:many", 0, PLAIN }, { 1, "steme:one", 5, PLAIN } }, 2, false },
    { "whichever comes first", { { 1, "steme:one", 5, PLAIN }, { 0, "steme:many", 9, PLAIN } }, 2, true },
    { "in a tie it is many", { { 0, "steme:many", 5, PLAIN }, { 1, "steme:one", 5, PLAIN } }, 2, true },
    { "a stranger's later word does not", { { 0, "steme:many", 0, PLAIN }, { 5, "steme:one", 5, PLAIN } }, 2, true },
    { "three words",
      { { 0, "steme:many", 0, PLAIN }, { 1, "steme:one", 5, PLAIN }, { 2, "steme:many", 7, PLAIN } },
      3,
      true },
};

static void say_schema(struct court *c, const struct word *word)
{
    struct steme_record record = pile_claim("is a", "steme:cardinality", word->object);
    struct steme_assertion *a = &record.as.assertion;
    a->asserted_at_us += word->at_us;
    a->negated = word->how == NEGATED;
    if (word->how == AS_TEXT) a->object.kind = STEME_TEXT;
    if (word->how == RELAYED) a->source = slice_text("NASA");
    struct steme_target target = pile_on_assertion("is a", say(c, word->agent, record));
    if (word->how == RETRACTED) say(c, word->agent, pile_revision(STEME_RETRACT, &target, 1, NULL));
}

static void a_predicate_is_many_valued_if_a_trusted_agent_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(schemas); i++) {
        void *own = NULL;
        assert_int_equal(open_court(&own), 0);
        struct court *c = own;
        trust(c, TRUSTED);
        say(c, 5, pluto_is("planet", STEME_PPM));
        say(c, 6, pluto_is("comet", STEME_PPM));
        for (size_t k = 0; k < schemas[i].count; k++)
            say_schema(c, &schemas[i].words[k]);
        struct steme_answer answer = ask(c);
        assert_row(answer.functional == !schemas[i].many, schemas[i].name);
        assert_row((answer.verdict == STEME_LISTED) == schemas[i].many, schemas[i].name);
        answer = ask_lens(c, "consensus"); /* as remembered */
        assert_row(answer.functional == !schemas[i].many, schemas[i].name);
        (void)close_court(&own);
    }
}

/* More predicates than are remembered, every second one many-valued. */
static void what_is_forgotten_is_looked_up_again(void **state)
{
    struct court *c = *state;
    enum { PREDICATES = 2 * JUDGE_PREDICATES };
    static char names[PREDICATES][16];
    trust(c, 1);
    for (size_t i = 0; i < PREDICATES; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%zu", i);
        say(c, 5, pile_claim("Pluto", names[i], "this"));
        if (i % 2) say(c, 0, pile_claim(names[i], "steme:cardinality", "steme:many"));
    }
    sit(c);
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < PREDICATES; i++) {
            struct steme_answer answer;
            OK(ask_with(c, "Pluto", names[i], (struct steme_lens){ .name = NULL }, &answer, NULL));
            assert_int_equal(answer.functional, i % 2 == 0);
        }
    }
}

/* ---- authority ---- */

static void endorse(struct court *c, unsigned from, struct steme_target target)
{
    say(c, from, pile_vote(target, STEME_SUPPORT));
}

static void weight_flows_from_the_store_s_own_keys(void **state)
{
    struct court *c = *state;
    trust(c, 1);
    endorse(c, 0, pile_on(STEME_ON_AGENT, pile_agent_id(5)));
    say(c, 5, pluto_is("planet", STEME_PPM));
    say(c, 6, pluto_is("comet", STEME_PPM));
    say(c, 0, pluto_is("star", STEME_PPM));
    sit(c);
    struct steme_answer answer = ask_lens(c, "authority");
    assert_near(belief_in(&answer, "star")->support, 1);
    assert_near(belief_in(&answer, "planet")->support, 0.85);
    assert_near(belief_in(&answer, "comet")->support, 0);
}

static void roots_and_damping_may_be_given(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    struct steme_key root = pile_agent(6)->key;
    trust(c, 1);
    endorse(c, 6, pile_on(STEME_ON_AGENT, pile_agent_id(5)));
    say(c, 5, pluto_is("planet", STEME_PPM));
    say(c, 0, pluto_is("star", STEME_PPM));
    sit(c);
    for (unsigned round = 0; round < 3; round++) {
        struct steme_lens lens = { .name = "authority", .roots = &root, .root_count = 1, .damping = 0.5 };
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
        assert_near(belief_in(&answer, "planet")->support, 0.5);
        assert_near(belief_in(&answer, "star")->support, 0);
        lens.damping = 0.25;
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
        assert_near(belief_in(&answer, "planet")->support, 0.25);
        answer = ask_lens(c, "authority"); /* the store's own keys again */
        assert_near(belief_in(&answer, "planet")->support, 0);
        assert_near(belief_in(&answer, "star")->support, 1);
    }
}

/* One question after the other, the same but for the roots. */
static void other_roots_are_another_question(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    struct steme_key roots[] = { pile_agent(5)->key, pile_agent(6)->key };
    trust(c, 1);
    say(c, 5, pluto_is("planet", STEME_PPM));
    say(c, 6, pluto_is("comet", STEME_PPM));
    sit(c);
    for (unsigned round = 0; round < 4; round++) {
        unsigned own = round % 2;
        struct steme_lens lens = { .name = "authority", .roots = &roots[own], .root_count = 1 };
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
        assert_near(belief_in(&answer, "planet")->support, own ? 0 : 1);
        assert_near(belief_in(&answer, "comet")->support, own ? 1 : 0);
    }
}

/* Sources nobody endorsed share what their agent has, damped; an endorsed one has its own. */
static void made_up_sources_bring_nothing(void **state)
{
    struct court *c = *state;
    static const char *const sources[] = { "one", "two", "three", "four" };
    trust(c, 1);
    for (size_t i = 0; i < countof(sources); i++) {
        for (unsigned twice = 0; twice < 2; twice++) {
            struct steme_record record = pluto_is("planet", STEME_PPM);
            record.as.assertion.source = slice_text(sources[i]);
            record.as.assertion.asserted_at_us += twice; /* the same source twice is one share */
            say(c, 0, record);
        }
    }
    struct steme_record known = pluto_is("comet", STEME_PPM);
    known.as.assertion.source = slice_text("NASA");
    say(c, 5, known); /* by an agent without weight */
    endorse(c, 0, pile_on(STEME_ON_SOURCE, source_id(slice_text("NASA"))));
    sit(c);
    struct steme_answer answer = ask_lens(c, "authority");
    assert_near(belief_in(&answer, "planet")->support, 0.85);
    assert_int_equal(belief_in(&answer, "planet")->support_voices, 4);
    assert_near(belief_in(&answer, "comet")->support, 0.85);
    struct judge_weighing weighing;
    OK(ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = "authority" }, &answer, &weighing));
    assert_int_equal(weighing.evidence.testimony_count, 9);
    for (size_t i = 0; i < 9; i++)
        assert_true(fabs(weighing.weights[i] - 0.85) < 1e-9 || fabs(weighing.weights[i] - 0.85 / 4) < 1e-9);
}

static void a_voter_weighs_what_its_key_weighs(void **state)
{
    struct court *c = *state;
    trust(c, 1);
    struct steme_hash id = say(c, 5, pluto_is("planet", STEME_PPM));
    say(c, 0, pile_vote(pile_on_assertion("Pluto", id), STEME_SUPPORT));
    say(c, 6, pile_vote(pile_on_assertion("Pluto", id), STEME_REFUTE));
    sit(c);
    struct steme_answer answer = ask_lens(c, "authority");
    assert_near(answer.beliefs[0].support, 1);
    assert_near(answer.beliefs[0].refute, 0);
    answer = ask_lens(c, "consensus");
    assert_near(answer.beliefs[0].support, 2);
    assert_near(answer.beliefs[0].refute, 1);
}

/* As many questions as there are slots in a store: what each takes of the judge's own memory must go back. */
static void many_questions_do_not_fill_the_judge_s_memory(void **state)
{
    struct court *c = *state;
    enum { ROOTS = 512 };
    static struct steme_key roots[ROOTS];
    struct steme_answer answer;
    for (size_t i = 0; i < ROOTS; i++)
        memcpy(roots[i].bytes, &i, sizeof i);
    struct steme_lens lens = { .name = "authority", .roots = roots, .root_count = ROOTS };
    say(c, 5, pluto_is("planet", STEME_PPM));
    sit(c);
    OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
    size_t used = c->judge.arena.used_bytes;
    for (unsigned round = 0; round < 100; round++)
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
    assert_int_equal(c->judge.arena.used_bytes, used);
    for (unsigned round = 0; round < 100; round++) { /* another graph each time */
        lens.damping = 0.1 + 0.001 * round;
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
    }
    assert_true(c->judge.arena.used_bytes < 4 * used);
}

/* ---- failures ---- */

static void a_bad_lens_is_refused(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    say(c, 5, pluto_is("planet", STEME_PPM));
    sit(c);
    assert_int_equal(ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = "oracle" }, &answer, NULL),
                     STEME_BAD_INPUT);
    assert_int_equal(
        ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = "authority", .damping = 2 }, &answer, NULL),
        STEME_BAD_INPUT);
    assert_int_equal(ask_with(c, "Charon", "is a", (struct steme_lens){ .prior = -1 }, &answer, NULL), STEME_BAD_INPUT);
}

static void no_memory_is_told(void **state)
{
    struct court *c = *state;
    struct prng prng = { 4 };
    size_t failed = 0;
    trust(c, 2);
    pile_draw(&c->pile, &prng, 60);
    sit(c);
    for (size_t ceiling = 0;; ceiling += 700, failed++) {
        struct steme_answer answer;
        struct judge_slot slot = { .subject = slice_text("Pluto"), .predicate = slice_text("is a") };
        struct steme_lens lens = { .name = "authority" };
        struct arena arena;
        arena_init(&arena, ceiling);
        slot.ref = judge_slot_of(slot.subject, slot.predicate, slice_of(NULL, 0), &slot.id);
        steme_status status = judge_slot(&c->judge, &slot, &lens, &arena, &answer, NULL, &failure);
        arena_deinit(&arena);
        if (!status) break;
        assert_int_equal(status, STEME_NO_MEMORY);
    }
    assert_true(failed > 5);
}

/* ---- reliability ---- */

/* Of three voices the third is mostly alone; on Pluto it stands against the first. */
static void hold_a_school(struct court *c)
{
    static const char *const planets[] = { "Mars", "Venus", "Earth", "Saturn", "Uranus", "Neptune" };
    for (size_t i = 0; i < countof(planets); i++) {
        say(c, 0, pile_claim(planets[i], "is a", "planet"));
        say(c, 1, pile_claim(planets[i], "is a", "planet"));
        say(c, 2, pile_claim(planets[i], "is a", "star"));
    }
    say(c, 0, pluto_is("dwarf planet", STEME_PPM));
    say(c, 2, pluto_is("planet", STEME_PPM));
}

static void reliability_is_learned_once_for_a_predicate_and_parameters(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    hold_a_school(c);
    say(c, 0, pile_claim("Pluto", "has", "ice"));
    sit(c);
    const struct steme_lens lens = { .name = "reliability" }, raw = { .name = "reliability", .uncalibrated = true };
    for (int i = 0; i < 3; i++) {
        OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
        OK(ask_with(c, "Mars", "is a", lens, &answer, NULL));
    }
    assert_int_equal(c->judge.learning.count, 1);
    OK(ask_with(c, "Pluto", "is a", raw, &answer, NULL));
    assert_int_equal(c->judge.learning.count, 2);
    OK(ask_with(c, "Pluto", "has", lens, &answer, NULL));
    assert_int_equal(c->judge.learning.count, 3);
    assert_int_equal(answer.learned.items, 1);
    OK(ask_with(c, "Pluto", "is a", lens, &answer, NULL));
    assert_int_equal(c->judge.learning.count, 3);
    OK(ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = "consensus" }, &answer, NULL));
    assert_int_equal(c->judge.learning.count, 3); /* others need nothing learned */
    assert_false(answer.has_learned);
}

static void the_voice_that_was_right_elsewhere_wins(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    struct judge_weighing weighing;
    hold_a_school(c);
    sit(c);
    OK(ask_with(c, "Pluto", "is a", (struct steme_lens){ .name = "reliability" }, &answer, &weighing));
    assert_true(answer.has_learned);
    assert_int_equal(answer.learned.items, 7);
    assert_int_equal(answer.learned.voices, 3);
    assert_int_equal(answer.learned.answers, 20);
    assert_true(belief_in(&answer, "dwarf planet")->probability > belief_in(&answer, "planet")->probability);
    assert_true(belief_in(&answer, "dwarf planet")->support > belief_in(&answer, "planet")->support);
    double least = weighing.weights[0], most = weighing.weights[0];
    for (size_t i = 0; i < weighing.evidence.testimony_count; i++) {
        least = fmin(least, weighing.weights[i]);
        most = fmax(most, weighing.weights[i]);
    }
    assert_near(most, belief_in(&answer, "dwarf planet")->support);
    assert_near(least, belief_in(&answer, "planet")->support);
}

static void a_scope_of_other_epochs_is_another_lesson(void **state)
{
    struct court *c = *state;
    struct steme_answer answer;
    struct steme_hash usage = say(c, 0, pile_epoch("usage", NULL, 0));
    struct steme_record record = pluto_is("planet", STEME_PPM);
    const struct steme_lens lens = { .name = "reliability" };
    record.as.assertion.has_epoch = true;
    record.as.assertion.epoch = usage;
    say(c, 0, record);
    say(c, 1, pile_claim("Mars", "is a", "planet"));
    sit(c);
    struct judge_slot slot = { .subject = slice_text("Pluto"), .predicate = slice_text("is a") };
    slot.ref = judge_slot_of(slot.subject, slot.predicate, slice_of(NULL, 0), &slot.id);
    OK(judge_slot(&c->judge, &slot, &lens, &c->arena, &answer, NULL, &failure));
    uint8_t other[32] = { 1 };
    slot.epoch = other;
    OK(judge_slot(&c->judge, &slot, &lens, &c->arena, &answer, NULL, &failure));
    assert_int_equal(answer.belief_count, 0); /* nothing live: nothing to learn for */
    assert_int_equal(c->judge.learning.count, 1);
    slot.epoch = usage.bytes;
    OK(judge_slot(&c->judge, &slot, &lens, &c->arena, &answer, NULL, &failure));
    assert_int_equal(c->judge.learning.count, 2);
    assert_int_equal(answer.learned.items, 2);
}

int main(void)
{
#define CASE(function) cmocka_unit_test_setup_teardown(function, open_court, close_court)
    const struct CMUnitTest tests[] = {
        CASE(ten_assertions_of_one_voice_are_one_opinion),
        CASE(reliability_is_learned_once_for_a_predicate_and_parameters),
        CASE(the_voice_that_was_right_elsewhere_wins),
        CASE(a_scope_of_other_epochs_is_another_lesson),
        CASE(an_author_who_also_votes_is_one_voice),
        CASE(votes_and_assertions_meet_by_claim),
        CASE(a_claim_that_is_only_denied_is_listed_and_not_believed),
        CASE(the_newest_assertion_stands_for_its_claim),
        cmocka_unit_test(of_equals_the_smallest_id_stands_for_the_claim),
        CASE(without_live_evidence_the_answer_is_unknown),
        CASE(a_slot_whose_names_nobody_knows_takes_them_from_its_evidence),
        cmocka_unit_test(a_predicate_is_many_valued_if_a_trusted_agent_says_so),
        CASE(what_is_forgotten_is_looked_up_again),
        CASE(weight_flows_from_the_store_s_own_keys),
        CASE(roots_and_damping_may_be_given),
        CASE(other_roots_are_another_question),
        CASE(made_up_sources_bring_nothing),
        CASE(a_voter_weighs_what_its_key_weighs),
        CASE(many_questions_do_not_fill_the_judge_s_memory),
        CASE(a_bad_lens_is_refused),
        CASE(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
