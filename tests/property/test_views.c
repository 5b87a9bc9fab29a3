/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of every view equal resolving its slots from scratch at its watermark: after every step of the ingestor and
 * of the views, whatever was written, in whatever order, and whatever became of the process or the machine meanwhile.
 * Ten thousand short lives of a store from a seed; SEED=n repeats one, RUNS=n says how many. The index is in memory;
 * one test more drives the real one in a process that is killed. */
#include "base/id16.h"
#include "base/prng.h"
#include "base/slice.h"
#include "base/text.h"
#include "cortex/lens.h"
#include "db/signer.h"
#include "db/snapshot.h"
#include "db/view_spec.h"
#include "host/host_mem.h"
#include "lib/kv_fault.h"
#include "lib/pile.h"
#include "lib/shop.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR "store"

enum {
    RUNS = 10000,
    AGENTS = 6, /* of the pile's; the first two are the store's own */
    TRUSTED = 2,
    MADE_MAX = 256,
    STEPS_MAX = 4000, /* until all views are current */
};

/* What has been written, to be named again. */
struct made {
    enum steme_type type;
    unsigned author;
    struct steme_hash id;
    uint64_t route;
};

struct life {
    struct host *host; /* NULL: the real one */
    struct store_setting setting;
    const char *dir;
    struct steme_store *store;
    struct prng prng;
    struct made made[MADE_MAX];
    size_t made_count;
    uint64_t clock; /* a number for what must differ */
    struct buf want, got;
    uint64_t checks, rows, refreshes, failures;
};

static struct steme_error failure;
static uint64_t running; /* seed of the life that is being lived; 0: none */

static void must(steme_status status, const char *what) { assert_status(status, STEME_OK, &failure, what); }

static unsigned draw(struct life *life, unsigned below) { return (unsigned)prng_below(&life->prng, below); }
static bool chance(struct life *life, unsigned permille) { return prng_chance(&life->prng, permille); }

static const char *pick(struct life *life, const char *const *words, size_t count)
{
    return words[draw(life, (unsigned)count)];
}

static const char *const subjects[] = { "sun", "moon", "mars", "sum" };
static const char *const predicates[] = { "mass", "seen", "kind" };
static const char *const patterns[] = { "", "*", "s*", "su?", "mars", "\\mars", "*o*n", "?" };
static const char *const view_names[] = { "alpha", "beta", "gamma" };
static const char *const lenses[] = { "consensus", "recency", "pool", "union", "authority", "reliability" };

/* ---- writing ---- */

static void remember(struct life *life, enum steme_type type, unsigned author, struct steme_hash id, uint64_t route)
{
    size_t at = life->made_count < MADE_MAX ? life->made_count++ : draw(life, MADE_MAX);
    life->made[at] = (struct made){ type, author, id, route };
}

static struct steme_signer signer_of(unsigned agent) { return (struct steme_signer){ .secret = *pile_agent(agent) }; }

static void put(struct life *life, unsigned agent, const struct steme_record *record, uint64_t route)
{
    struct steme_signer signer = signer_of(agent);
    struct steme_receipt receipt;
    must(steme_write(life->store, &signer, record, &receipt, &failure), "writing");
    remember(life, record->type, agent, receipt.id, route);
}

static const struct made *any_made(struct life *life, enum steme_type type)
{
    for (unsigned tries = 0; tries < 8 && life->made_count; tries++) {
        const struct made *it = &life->made[draw(life, (unsigned)life->made_count)];
        if (it->type == type) return it;
    }
    return NULL;
}

static struct steme_value draw_value(struct life *life)
{
    static uint8_t essay[3000]; /* makes a row that is too long to be kept whole */
    static const char *const names[] = { "one", "two", "three" };
    if (essay[0] == 0) memset(essay, 'e', sizeof essay);
    if (chance(life, 30)) return (struct steme_value){ .kind = STEME_TEXT, .text = slice_of(essay, sizeof essay) };
    if (chance(life, 600))
        return (struct steme_value){ .kind = STEME_ENTITY, .text = slice_text(pick(life, names, 3)) };
    int64_t amount = 1 + draw(life, 3);
    return (struct steme_value){ .kind = STEME_QUANTITY,
                                 .amount = { amount, 0 },
                                 .has_bounds = true,
                                 .lower = { amount - 1, 0 },
                                 .upper = { amount + 1, 0 } };
}

static struct steme_assertion draw_assertion(struct life *life)
{
    static const struct steme_qualifier key = { .name = { (const uint8_t *)"run", 3 },
                                                .value = { (const uint8_t *)"two", 3 },
                                                .key = true };
    struct steme_assertion it = { .subject = slice_text(pick(life, subjects, countof(subjects))),
                                  .predicate = slice_text(pick(life, predicates, countof(predicates))),
                                  .object = draw_value(life),
                                  .negated = chance(life, 150),
                                  .confidence_ppm = 250000 * (1 + draw(life, 4)),
                                  .asserted_at_us = PILE_NOON_US + draw(life, 5),
                                  .valid_from_us = STEME_TIME_MIN,
                                  .valid_to_us = STEME_TIME_MAX };
    const struct made *epoch = chance(life, 250) ? any_made(life, STEME_EPOCH) : NULL;
    it.has_epoch = epoch != NULL;
    if (epoch) it.epoch = epoch->id;
    if (chance(life, 150)) it.source = slice_text("almanac");
    if (chance(life, 100)) it.qualifiers = &key;
    it.qualifier_count = it.qualifiers ? 1 : 0;
    return it;
}

static struct steme_hash id_of(unsigned agent, const struct steme_record *record)
{
    struct steme_record own = *record;
    struct buf bytes;
    if (own.type == STEME_ASSERTION) own.as.assertion.author = pile_agent(agent)->key;
    if (own.type == STEME_VOTE) own.as.vote.voter = pile_agent(agent)->key;
    buf_init(&bytes, STEME_RECORD_MAX);
    must(record_encode(&own, &bytes, &failure), "encoding");
    struct steme_hash id = record_id(buf_slice(&bytes));
    buf_deinit(&bytes);
    return id;
}

static void vote_on(struct life *life, struct steme_target target)
{
    struct steme_record record = pile_vote(target, (enum steme_stance)draw(life, 3));
    record.as.vote.cast_at_us = PILE_NOON_US + draw(life, 4);
    record.as.vote.probability_ppm = 250000 * (1 + draw(life, 4));
    put(life, draw(life, AGENTS), &record, target.route);
}

static void retract(struct life *life, unsigned agent, struct steme_target target)
{
    struct steme_record record = pile_revision(STEME_RETRACT, &target, 1, NULL);
    record.as.revision.revised_at_us = PILE_NOON_US + (int64_t)life->clock++;
    put(life, agent, &record, target.route);
}

/* Sometimes what is said about it comes first. */
static void put_assertion(struct life *life)
{
    unsigned agent = draw(life, AGENTS);
    struct steme_record record = { .type = STEME_ASSERTION, .as.assertion = draw_assertion(life) };
    uint64_t route = route_of_name(record.as.assertion.subject);
    struct steme_target target = { STEME_ON_ASSERTION, route, id_of(agent, &record) };
    if (chance(life, 60)) vote_on(life, target);
    if (chance(life, 40)) retract(life, agent, target);
    put(life, agent, &record, route);
}

static void put_bundle(struct life *life)
{
    struct steme_assertion many[3];
    struct steme_receipt receipts[3];
    struct steme_signer signer = signer_of(draw(life, AGENTS));
    size_t bad = 0;
    for (size_t i = 0; i < countof(many); i++) {
        many[i] = draw_assertion(life);
        many[i].asserted_at_us += (int64_t)i;
    }
    must(steme_write_bundle(life->store, &signer, many, countof(many), receipts, &bad, &failure), "a bundle");
}

static void put_schema(struct life *life)
{
    struct steme_record record = pile_claim(pick(life, predicates, countof(predicates)), "steme:cardinality",
                                            chance(life, 600) ? "steme:many" : "steme:one");
    record.as.assertion.asserted_at_us = PILE_NOON_US + draw(life, 6);
    put(life, draw(life, 1 + TRUSTED), &record, route_of_name(record.as.assertion.subject));
}

static void put_vote(struct life *life)
{
    const struct made *it = any_made(life, STEME_ASSERTION);
    unsigned what = draw(life, 10);
    if (what < 2) {
        vote_on(life, pile_on(STEME_ON_AGENT, pile_agent_id(draw(life, AGENTS))));
    } else if (what < 3) {
        vote_on(life, pile_on(STEME_ON_SOURCE, source_id(slice_text("almanac"))));
    } else if (what < 6) {
        struct steme_assertion claim = draw_assertion(life);
        if (claim.object.kind != STEME_ENTITY) return;
        char subject[16], predicate[16], object[16];
        snprintf(subject, sizeof subject, "%.*s", SLICE_PRINT(claim.subject));
        snprintf(predicate, sizeof predicate, "%.*s", SLICE_PRINT(claim.predicate));
        snprintf(object, sizeof object, "%.*s", SLICE_PRINT(claim.object.text));
        vote_on(life, pile_on_claim(subject, predicate, object, chance(life, 300)));
    } else if (it) {
        vote_on(life, (struct steme_target){ STEME_ON_ASSERTION, it->route, it->id });
    }
}

/* By the author as a rule, on an assertion, a vote or an endorsement; sometimes under a wrong route or kind. */
static void put_revision(struct life *life)
{
    const struct made *it = any_made(life, chance(life, 600) ? STEME_ASSERTION : STEME_VOTE);
    if (!it) return;
    unsigned agent = chance(life, 850) ? it->author : draw(life, AGENTS);
    enum steme_target_kind kind = it->type == STEME_VOTE ? STEME_ON_VOTE : STEME_ON_ASSERTION;
    if (chance(life, 80)) kind = kind == STEME_ON_VOTE ? STEME_ON_ASSERTION : STEME_ON_VOTE;
    struct steme_target target = { kind, chance(life, 50) ? it->route + 1 : it->route, it->id };
    if (chance(life, 700)) {
        retract(life, agent, target);
        return;
    }
    const struct steme_hash instead = pile_agent_id(0); /* any id but its own */
    struct steme_record record = pile_revision(chance(life, 500) ? STEME_CORRECT : STEME_UPDATE, &target, 1, &instead);
    record.as.revision.revised_at_us = PILE_NOON_US + (int64_t)life->clock++;
    put(life, agent, &record, target.route);
}

static void put_epoch(struct life *life)
{
    const struct made *old = any_made(life, STEME_EPOCH);
    char name[32];
    snprintf(name, sizeof name, "epoch %u", (unsigned)life->clock++);
    struct steme_record record = pile_epoch(name, old ? &old->id : NULL, old && chance(life, 600) ? 1 : 0);
    unsigned agent = old && chance(life, 700) ? old->author : draw(life, AGENTS);
    struct steme_hash id = { { 0 } };
    put(life, agent, &record, route_of_hash(&id));
}

static void put_view(struct life *life)
{
    const char *name = pick(life, view_names, countof(view_names));
    struct steme_signer signer = signer_of(draw(life, TRUSTED));
    struct steme_receipt receipt;
    if (chance(life, 200)) {
        steme_status status = steme_view_drop(life->store, &signer, slice_text(name), &receipt, &failure);
        assert_true(status == STEME_OK || status == STEME_NOT_FOUND);
        return;
    }
    const struct made *epoch = chance(life, 200) ? any_made(life, STEME_EPOCH) : NULL;
    struct steme_view_spec spec = { .name = slice_text(name),
                                    .subjects = slice_text(pick(life, patterns, countof(patterns))),
                                    .epoch = epoch ? &epoch->id : NULL,
                                    .lens = { .name = pick(life, lenses, countof(lenses)) } };
    if (chance(life, 400)) spec.predicate = slice_text(pick(life, predicates, countof(predicates)));
    if (chance(life, 200)) spec.lens.half_life_us = 3;
    if (chance(life, 200)) spec.lens.prior = 0.25;
    /* Not confusion: it answers only where there are labels enough, and a view of it has a fault elsewhere. */
    if (chance(life, 100)) spec.lens.method = STEME_METHOD_ONE_COIN;
    if (chance(life, 100)) spec.lens.method = STEME_METHOD_ACCURACY;
    if (chance(life, 200)) spec.lens.copying = true;
    if (chance(life, 200)) spec.lens.uncalibrated = true;
    if (chance(life, 300)) {
        spec.lens.damping = 0.5;
        spec.lens.roots = &pile_agent(draw(life, AGENTS))->key;
        spec.lens.root_count = 1;
    }
    must(steme_view_create(life->store, &signer, &spec, &receipt, &failure), "a view");
}

/* By nobody the store trusts: nothing may come of it. */
static void put_proposal(struct life *life)
{
    struct steme_record record = { .type = STEME_VIEW };
    record.as.view = (struct steme_view){ .name = slice_text(pick(life, view_names, countof(view_names))),
                                          .created_at_us = INT64_MAX,
                                          .lens = slice_text("union") };
    put(life, TRUSTED, &record, 0);
}

static void put_something(struct life *life)
{
    unsigned what = draw(life, 100);
    if (what < 45)
        put_assertion(life);
    else if (what < 48)
        put_bundle(life);
    else if (what < 66)
        put_vote(life);
    else if (what < 80)
        put_revision(life);
    else if (what < 85)
        put_epoch(life);
    else if (what < 89)
        put_schema(life);
    else if (what < 98)
        put_view(life);
    else
        put_proposal(life);
}

/* ---- the property ---- */

static void say_value(struct buf *out, const struct steme_value *value)
{
    struct buf bytes;
    buf_init(&bytes, STEME_RECORD_MAX);
    must(value_encode(value, &bytes, &failure), "a value");
    struct steme_hash id = record_id(buf_slice(&bytes));
    char hex[2 * sizeof id.bytes + 1];
    text_hex(id.bytes, sizeof id.bytes, hex);
    buf_append_text(out, hex);
    buf_deinit(&bytes);
}

static void say_hash(struct buf *out, const struct steme_hash *hash)
{
    char hex[2 * sizeof hash->bytes + 1];
    text_hex(hash->bytes, sizeof hash->bytes, hex);
    buf_printf(out, " %s", hex);
}

static void say_row(struct buf *out, const struct steme_view_row *row)
{
    buf_printf(out, "%.*s | %.*s | %.*s", SLICE_PRINT(row->subject), SLICE_PRINT(row->predicate),
               SLICE_PRINT(row->key_qualifiers));
    say_hash(out, &row->slot);
    buf_printf(out, " %d %d %u %u %u %u %a", row->verdict, row->functional, row->beliefs, row->voices, row->assertions,
               row->votes, row->margin);
    if (row->beliefs) {
        buf_printf(out, " %a %a %a", row->probability, row->support, row->refute);
        say_hash(out, &row->claim);
        say_hash(out, &row->assertion);
        say_value(out, &row->value);
    }
    if (row->beliefs > 1) {
        buf_printf(out, " rival %a ", row->rival_probability);
        say_value(out, &row->rival);
    }
    if (row->has_pooled)
        buf_printf(out, " pooled %a %a %a", row->pooled_mean, row->pooled_error, row->pooled_tension_p);
    buf_append_text(out, "\n");
}

struct scan {
    const struct steme_view_info *view;
    struct buf *out;
    uint64_t count;
};

static steme_status take_answer(void *context, const struct steme_answer *answer)
{
    struct scan *scan = context;
    const struct steme_view *it = &scan->view->definition;
    struct steme_view_row row;
    bool wanted = it->predicate.size == 0 || slice_equal(it->predicate, answer->predicate);
    if (!wanted || !steme_glob_match(it->subjects, answer->subject)) return STEME_OK;
    view_row_of(answer, &row);
    say_row(scan->out, &row);
    scan->count++;
    return STEME_OK;
}

static steme_status take_row(void *context, const struct steme_view_row *row)
{
    struct scan *scan = context;
    say_row(scan->out, row);
    scan->count++;
    return STEME_OK;
}

/* What the view's definition asks, answered from scratch as of its watermark. */
static uint64_t resolve_afresh(struct life *life, const struct steme_view_info *view)
{
    struct steme_moment moment = steme_moment_now();
    struct steme_snapshot *then = NULL;
    struct scan scan = { view, &life->want, 0 };
    const struct steme_view *it = &view->definition;
    struct steme_question pattern = { .epoch = it->has_epoch ? &it->epoch : NULL, .lens = view->lens };
    moment.as_of_sequence = view->watermark;
    must(steme_snapshot_open(life->store, &moment, &then, &failure), "the watermark");
    buf_clear(&life->want);
    must(steme_resolve_each(then, &pattern, take_answer, &scan, &failure), "resolving");
    steme_snapshot_close(&then);
    return scan.count;
}

/* Rows made under other keys than the store has now are of another question: they are on their way out. */
static bool is_of_these_keys(struct steme_snapshot *now, const struct steme_view_info *view)
{
    struct view_state state;
    struct steme_hash trust = views_trust(now->trust);
    must(views_state(now->reader.txn, &view->id, &state, &failure), "a view's state");
    return memcmp(&state.trust, &trust, sizeof trust) == 0;
}

static bool is_trusted(struct steme_snapshot *now, const struct steme_key *author)
{
    struct steme_hash agent = agent_id(author->bytes);
    return id16_find((const uint8_t(*)[16])now->trust->ids, now->trust->count, agent.bytes) < now->trust->count;
}

static void check_view(struct life *life, struct steme_snapshot *now, const struct steme_view_info *view)
{
    struct scan scan = { view, &life->got, 0 };
    uint64_t want = resolve_afresh(life, view);
    buf_clear(&life->got);
    must(steme_view_rows_each(now, view, slice_of(NULL, 0), take_row, &scan, &failure), "rows");
    shop_same_text(&life->got, &life->want, "the rows of a view");
    assert_int_equal(scan.count, want);
    assert_int_equal(view->rows, want);
    life->checks++;
    life->rows += want;
}

static void check_views(struct life *life)
{
    struct steme_snapshot *now = NULL;
    const struct steme_view_info *views = NULL;
    size_t count = 0;
    must(steme_snapshot_open(life->store, NULL, &now, &failure), "a snapshot");
    must(steme_view_list(now, &views, &count, &failure), "the list");
    for (size_t i = 0; i < count; i++) {
        assert_int_not_equal(views[i].standing, STEME_VIEW_FAULTY);
        assert_int_equal(views[i].standing != STEME_VIEW_PROPOSAL, is_trusted(now, &views[i].definition.author));
        life->refreshes += views[i].standing == STEME_VIEW_REFRESHING;
        if (views[i].generation && is_of_these_keys(now, &views[i])) check_view(life, now, &views[i]);
    }
    steme_snapshot_close(&now);
}

/* ---- a life in memory ---- */

static void open_store(struct life *life)
{
    must(store_open_in(&life->setting, life->dir, NULL, &life->store, &failure), "opening");
    struct views_pace *pace = &life->store->views.pace;
    *pace = (struct views_pace){ 1 + draw(life, 3), 1 + draw(life, 3), 1 + draw(life, 8), 1 + draw(life, 3) };
}

/* A step that fails somewhere in the index leaves rows and marks as they were, or both moved on. */
static void fail_a_step(struct life *life)
{
    static const enum kv_fault_call calls[] = { KV_FAULT_COMMIT, KV_FAULT_COMMIT, KV_FAULT_PUT, KV_FAULT_ANY };
    struct index *index = life->store->index;
    struct kv *fault = kv_fault_new(index->kv);
    assert_non_null(fault);
    index->kv = fault;
    index->ingestor.kv = fault;
    kv_fault_fail(fault, calls[draw(life, countof(calls))], 1 + draw(life, 3), STEME_IO, true);
    life->failures += store_step(life->store, NULL) != STEME_OK;
    kv_fault_fail(fault, KV_FAULT_ANY, 0, STEME_OK, false);
    check_views(life);
}

static void step(struct life *life)
{
    must(store_step(life->store, &failure), "a step");
    check_views(life);
}

static void close_and_open(struct life *life)
{
    if (chance(life, 500)) {
        /* The machine stops under it: nothing that closing does reaches the disk. */
        host_mem_stop(life->host, 1);
        steme_close(&life->store);
        if (chance(life, 500))
            host_mem_kill(life->host);
        else
            host_mem_power_cut(life->host, draw(life, 1001));
        host_mem_stop(life->host, 0);
    }
    steme_close(&life->store);
    open_store(life);
}

static void keep_key(struct life *life, unsigned agent)
{
    char path[64], text[256], seed[65], key[65];
    const struct sign_secret *secret = pile_agent(agent);
    text_hex(secret->seed, 32, seed);
    text_hex(secret->key.bytes, 32, key);
    snprintf(path, sizeof path, DIR "/keys/agent-%u.key", agent);
    snprintf(text, sizeof text, "stemedb key 1\nseed %s\npublic %s\n", seed, key);
    must(host_replace_file(life->host, path, HOST_PRIVATE, slice_text(text), &failure), "a key");
    if (life->store) store_trust_changed(life->store);
}

static void something_happens(struct life *life)
{
    unsigned what = draw(life, 1000);
    if (what < 560)
        put_something(life);
    else if (what < 940)
        step(life);
    else if (what < 960)
        fail_a_step(life);
    else if (what < 975)
        close_and_open(life);
    else if (what < 985)
        must(steme_rebuild(life->store, &failure), "rebuilding");
    else if (what < 990)
        keep_key(life, TRUSTED + draw(life, AGENTS - TRUSTED));
    else
        (void)(steme_view_refresh(life->store, slice_text(pick(life, view_names, countof(view_names))), NULL) == 0);
}

/* In the end all views are current, as of the last record. */
static void settle(struct life *life)
{
    struct steme_snapshot *now = NULL;
    const struct steme_view_info *views = NULL;
    struct steme_info info;
    size_t count = 0, steps = 0;
    do
        must(store_step(life->store, &failure), "a step");
    while (atomic_load(&life->store->views.pending) && ++steps < STEPS_MAX);
    assert_in_range(steps, 0, STEPS_MAX - 1);
    check_views(life);
    must(steme_info(life->store, &info, &failure), "info");
    must(steme_snapshot_open(life->store, NULL, &now, &failure), "a snapshot");
    must(steme_view_list(now, &views, &count, &failure), "the list");
    for (size_t i = 0; i < count; i++) {
        if (views[i].standing == STEME_VIEW_PROPOSAL) continue;
        assert_int_equal(views[i].standing, STEME_VIEW_CURRENT);
        assert_int_equal(views[i].watermark, info.last_sequence);
        assert_true(is_of_these_keys(now, &views[i]));
    }
    steme_snapshot_close(&now);
}

/* No row is left of generations that are no longer shown, or of views that are no more. */
static void nothing_is_left_over(struct life *life)
{
    static const uint8_t tag[] = { 'W' };
    struct steme_snapshot *now = NULL;
    const struct steme_view_info *views = NULL;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    size_t count = 0;
    uint64_t want = 0, got = 0, bytes = 0, counted = 0;
    must(steme_snapshot_open(life->store, NULL, &now, &failure), "a snapshot");
    must(steme_view_list(now, &views, &count, &failure), "the list");
    for (size_t i = 0; i < count; i++)
        if (views[i].standing == STEME_VIEW_CURRENT) {
            want += views[i].rows + 1;
            bytes += views[i].bytes;
        }
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status status = kv_seek(now->reader.txn, prefix, prefix, &cursor, &pair, &failure);
    for (; !status; status = kv_next(&cursor, &pair, &failure)) {
        got++;
        if (pair.key.size > 17) counted += pair.key.size + pair.value.size;
    }
    kv_cursor_end(&cursor);
    assert_int_equal(got, want);
    assert_int_equal(counted, bytes);
    steme_snapshot_close(&now);
}

static void live(struct life *life, uint64_t seed, unsigned happenings)
{
    life->prng = (struct prng){ seed };
    life->made_count = 0;
    life->clock = 1;
    life->host = host_mem_new(seed);
    assert_non_null(life->host);
    life->dir = DIR;
    life->setting = (struct store_setting){ life->host, 64 << 10, true, NULL };
    host_mem_set_wall_us(life->host, PILE_NOON_US);
    must(store_create_in(&life->setting, DIR, &failure), "creating");
    for (unsigned i = 0; i < TRUSTED; i++)
        keep_key(life, i);
    open_store(life);
    put_view(life);
    put_view(life);
    for (unsigned i = 0; i < happenings; i++)
        something_happens(life);
    settle(life);
    nothing_is_left_over(life);
    steme_close(&life->store);
    host_mem_free(life->host);
    life->host = NULL;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void rows_are_what_resolving_from_scratch_gives(void **state)
{
    (void)state;
    struct life life = { 0 };
    uint64_t seed = number("SEED", 1), runs = getenv("SEED") ? 1 : number("RUNS", RUNS);
    buf_init(&life.want, SHOP_TEXT_BYTES);
    buf_init(&life.got, SHOP_TEXT_BYTES);
    for (uint64_t i = 0; i < runs; i++) {
        running = seed + i;
        live(&life, running, 20);
    }
    running = 0;
    print_message("%llu lives, %llu views compared, %llu rows, %llu while being refreshed, %llu failed steps\n",
                  (unsigned long long)runs, (unsigned long long)life.checks, (unsigned long long)life.rows,
                  (unsigned long long)life.refreshes, (unsigned long long)life.failures);
    if (runs >= 100) {
        assert_true(life.checks > runs);
        assert_true(life.refreshes > runs / 10);
        assert_true(life.failures > runs / 20);
    }
    buf_deinit(&life.want);
    buf_deinit(&life.got);
}

static int tell_seed(void **state)
{
    (void)state;
    if (running) print_message("it was SEED=%llu\n", (unsigned long long)running);
    return 0;
}

/* ---- the real index, in a process that is killed ---- */

/* Write for as long as the process lives. */
_Noreturn static void write_on(const char *dir, uint64_t seed)
{
    struct life life = { .prng = { seed }, .dir = dir, .clock = seed };
    must(steme_open(dir, NULL, &life.store, &failure), "opening");
    pthread_mutex_lock(&life.store->ingesting); /* the runner may be at it already */
    life.store->views.pace = (struct views_pace){ 3, 3, 50, 5 };
    pthread_mutex_unlock(&life.store->ingesting);
    for (;;)
        put_something(&life);
}

static void kill_while_writing(const char *dir, uint64_t seed, unsigned delay_ms)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) write_on(dir, seed);
    usleep(delay_ms * 1000u);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

/* What the killed process left in the index, before anybody goes on with it. */
static void look_at_what_is_left(struct life *life)
{
    struct store_setting setting = { .host = host_posix(), .alone = true };
    struct applied_row applied = { 0 };
    struct index *index = NULL;
    const char *why = NULL;
    steme_status status = index_open(host_posix(), life->dir, INDEX_MAINTAIN, &index, &applied, &why, &failure);
    must(status, "the index");
    must(store_open_in(&setting, life->dir, NULL, &life->store, &failure), "the log");
    must(index_attach(index, life->store->wal, &applied, &failure), "joining them");
    struct index *empty = life->store->index;
    life->store->index = index;
    index_release(&empty);
    check_views(life);
    steme_close(&life->store);
}

static void a_killed_process_leaves_rows_that_agree_with_their_mark(void **state)
{
    struct shop *shop = *state;
    struct life life = { .dir = shop->dir };
    uint64_t seed = number("SEED", 1);
    shop_keep_key(shop, 0);
    shop_keep_key(shop, 1);
    steme_close(&shop->store);
    buf_init(&life.want, SHOP_TEXT_BYTES);
    buf_init(&life.got, SHOP_TEXT_BYTES);
    for (uint64_t i = 0; i < 8 || (life.checks < 8 && i < 100); i++) { /* on a busy machine some come to nothing */
        struct prng prng = { seed + i };
        kill_while_writing(shop->dir, seed + i, 20 + (unsigned)(prng_below(&prng, 120) + 20 * i));
        look_at_what_is_left(&life);
    }
    assert_true(life.checks > 0);
    buf_deinit(&life.want);
    buf_deinit(&life.got);
    shop_reopen(shop, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_are_what_resolving_from_scratch_gives, tell_seed),
        SHOP_CASE(a_killed_process_leaves_rows_that_agree_with_their_mark),
    };
    if (sign_init(NULL)) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
