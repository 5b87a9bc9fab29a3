/* SPDX-License-Identifier: Apache-2.0 */
/* Agents in conversation about few questions: everything is voted on, often before it is there; minds change, votes are
 * withdrawn and retracted, epochs replace one another, times tie, and records of one thread of talk are submitted in
 * any order. */
#include "sim/stock.h"

#include "base/slice.h"

enum { TURNS = 420, TOPICS = 4, ANSWERS = 4, EPOCHS = 4, RECENT = 40 };

struct talk {
    struct stock *stock;
    struct prng prng;
    struct steme_slice topics[TOPICS], questions[3], answers[ANSWERS], sources[3];
    struct steme_slice cardinality, many;
    struct steme_hash epochs[EPOCHS];
    size_t epoch_places[EPOCHS];
    size_t assertions[TURNS], votes[TURNS];
    unsigned assertion_author[TURNS], vote_author[TURNS];
    size_t assertion_count, vote_count;
};

static uint64_t pick(struct talk *talk, uint64_t bound) { return prng_below(&talk->prng, bound); }

/* Few different times, so that they tie; some far ahead of any clock. */
static int64_t some_time(struct talk *talk)
{
    if (pick(talk, 40) == 0) return STOCK_NOON_US + INT64_C(86400000000) * 365;
    return STOCK_NOON_US + (int64_t)pick(talk, 30) * 60000000 - 600000000;
}

static uint32_t some_share(struct talk *talk)
{
    static const uint32_t shares[] = { STEME_PPM, 900000, 500000, 333333, 100000, 1, 0 };
    return shares[pick(talk, countof(shares))];
}

static void say(struct talk *talk)
{
    struct steme_record record = { .type = STEME_ASSERTION };
    struct steme_assertion *a = &record.as.assertion;
    unsigned agent = (unsigned)pick(talk, STOCK_AGENTS);
    a->subject = talk->topics[pick(talk, TOPICS)];
    a->predicate = talk->questions[pick(talk, 3)];
    a->object = (struct steme_value){ .kind = STEME_ENTITY, .text = talk->answers[pick(talk, ANSWERS)] };
    a->confidence_ppm = some_share(talk);
    a->asserted_at_us = some_time(talk);
    a->valid_from_us = STEME_TIME_MIN;
    a->valid_to_us = STEME_TIME_MAX;
    a->negated = pick(talk, 5) == 0;
    if (pick(talk, 4) == 0) {
        a->valid_from_us = STOCK_NOON_US - (int64_t)pick(talk, 4) * 1000000;
        a->valid_to_us = STOCK_NOON_US + (int64_t)(1 + pick(talk, 4)) * 1000000;
    }
    if (pick(talk, 3) == 0) {
        a->has_epoch = true;
        a->epoch = talk->epochs[pick(talk, EPOCHS)];
    }
    if (pick(talk, 4) == 0) a->source = talk->sources[pick(talk, 3)];
    talk->assertion_author[talk->assertion_count] = agent;
    talk->assertions[talk->assertion_count++] = stock_add(talk->stock, agent, &record);
}

static struct steme_target something(struct talk *talk)
{
    struct stock *stock = talk->stock;
    size_t place = talk->assertions[pick(talk, talk->assertion_count)];
    struct steme_hash source = steme_source_id(talk->sources[pick(talk, 3)]);
    switch (pick(talk, 8)) {
    case 0: return stock_on_voice(STEME_ON_AGENT, &stock->agent_ids[pick(talk, STOCK_AGENTS)]);
    case 1: return stock_on_voice(STEME_ON_SOURCE, &source);
    case 2: return stock_on(stock, talk->epoch_places[pick(talk, EPOCHS)]);
    case 3:
    case 4: return stock_on_claim(stock, place, pick(talk, 3) == 0);
    default: return stock_on(stock, place);
    }
}

static void vote(struct talk *talk)
{
    struct steme_record record = { .type = STEME_VOTE };
    unsigned agent = (unsigned)pick(talk, STOCK_AGENTS);
    record.as.vote = (struct steme_vote){ .target = something(talk),
                                          .stance = (enum steme_stance)pick(talk, 3),
                                          .probability_ppm = some_share(talk),
                                          .cast_at_us = some_time(talk) };
    if (pick(talk, 2)) record.as.vote.stance = STEME_SUPPORT;
    talk->vote_author[talk->vote_count] = agent;
    talk->votes[talk->vote_count++] = stock_add(talk->stock, agent, &record);
}

/* Mostly one's own, sometimes another's, which is only a proposal. */
static void revise(struct talk *talk)
{
    struct stock *stock = talk->stock;
    struct steme_target targets[2];
    size_t count = 0;
    unsigned agent = (unsigned)pick(talk, STOCK_AGENTS);
    if (pick(talk, 3) == 0 && talk->vote_count) {
        size_t at = pick(talk, talk->vote_count);
        targets[count++] = stock_on(stock, talk->votes[at]);
        if (pick(talk, 4)) agent = talk->vote_author[at];
    } else {
        size_t at = pick(talk, talk->assertion_count);
        targets[count++] = stock_on(stock, talk->assertions[at]);
        if (pick(talk, 4)) agent = talk->assertion_author[at];
        size_t other = pick(talk, talk->assertion_count);
        if (talk->assertions[other] != talk->assertions[at] && pick(talk, 3) == 0)
            targets[count++] = stock_on(stock, talk->assertions[other]);
    }
    struct steme_hash instead = stock->records[talk->assertions[pick(talk, talk->assertion_count)]].id;
    struct steme_record record = { .type = STEME_REVISION };
    record.as.revision = (struct steme_revision){ .kind = (enum steme_revision_kind)pick(talk, 3),
                                                  .targets = targets,
                                                  .target_count = count,
                                                  .revised_at_us = some_time(talk) };
    if (record.as.revision.kind != STEME_RETRACT) {
        record.as.revision.replacements = &instead;
        record.as.revision.replacement_count = 1;
    }
    stock_add(stock, agent, &record);
}

static void declare_epochs(struct talk *talk)
{
    for (unsigned i = 0; i < EPOCHS; i++) {
        struct steme_record record = { .type = STEME_EPOCH };
        record.as.epoch = (struct steme_epoch){ .name = stock_text(talk->stock, "epoch %u", i),
                                                .declared_at_us = STOCK_NOON_US,
                                                .from_us = STEME_TIME_MIN,
                                                .to_us = STEME_TIME_MAX };
        if (i >= 2) { /* 2 replaces 0, by the same author; 3 would like to replace 1 */
            record.as.epoch.supersedes = &talk->epochs[i - 2];
            record.as.epoch.supersedes_count = 1;
        }
        talk->epoch_places[i] = stock_add(talk->stock, i == 2 ? 0 : i, &record);
        talk->epochs[i] = talk->stock->records[talk->epoch_places[i]].id;
    }
}

/* What the second question's answers do: a trusted agent, and a stranger who has no say. */
static void declare_schema(struct talk *talk)
{
    for (unsigned i = 0; i < 2; i++) {
        struct steme_record record = { .type = STEME_ASSERTION };
        record.as.assertion = (struct steme_assertion){ .subject = talk->questions[1 + i],
                                                        .predicate = talk->cardinality,
                                                        .object = { .kind = STEME_ENTITY, .text = talk->many },
                                                        .confidence_ppm = STEME_PPM,
                                                        .asserted_at_us = STOCK_NOON_US,
                                                        .valid_from_us = STEME_TIME_MIN,
                                                        .valid_to_us = STEME_TIME_MAX };
        stock_add(talk->stock, i ? STOCK_TRUSTED : 0, &record);
    }
}

/* Views by a trusted agent, through different lenses, one defined anew and one dropped; and a stranger's. */
static void declare_views(struct talk *talk)
{
    static const char *const lenses[] = { "consensus", "authority", "recency", "union", "pool", "consensus" };
    static const char *const names[] = { "all", "trusted", "newest", "all", "gone", "stranger's" };
    static const char *const patterns[] = { "", "topic*", "*", "topic ?", "", "" };
    for (unsigned i = 0; i <= countof(lenses); i++) {
        bool drops = i == countof(lenses);
        struct steme_record record = { .type = STEME_VIEW };
        record.as.view = (struct steme_view){ .name = slice_text(names[drops ? 4 : i]),
                                              .created_at_us = STOCK_NOON_US + i,
                                              .dropped = drops };
        if (!drops) {
            record.as.view.lens = slice_text(lenses[i]);
            record.as.view.subjects = slice_text(patterns[i]);
        }
        stock_add(talk->stock, i == 5 ? STOCK_TRUSTED : 0, &record);
    }
}

/* A few records of the last turns in one call. */
static void gather(struct talk *talk)
{
    struct stock *stock = talk->stock;
    size_t count = 2 + pick(talk, 4), back = pick(talk, RECENT);
    if (stock->count < count + back) return;
    stock_add_parcel(stock, stock->count - count - back, count);
}

void stock_talk(struct stock *stock, uint64_t seed)
{
    static struct talk talk; /* too large for the stack */
    stock_init(stock, "talk");
    talk = (struct talk){ .stock = stock, .prng = { seed ^ 0x74616c6bu } };
    for (unsigned i = 0; i < TOPICS; i++)
        talk.topics[i] = stock_text(stock, "topic %u", i);
    for (unsigned i = 0; i < 3; i++) {
        talk.questions[i] = stock_text(stock, "question %u", i);
        talk.sources[i] = stock_text(stock, "rumour %u", i);
    }
    for (unsigned i = 0; i < ANSWERS; i++)
        talk.answers[i] = stock_text(stock, "answer %u", i);
    talk.cardinality = stock_text(stock, "steme:cardinality");
    talk.many = stock_text(stock, "steme:many");
    declare_epochs(&talk);
    declare_schema(&talk);
    declare_views(&talk);
    for (unsigned i = 0; i < 30; i++)
        say(&talk);
    for (unsigned turn = 30; turn < TURNS; turn++) {
        switch (pick(&talk, 10)) {
        case 0:
        case 1:
        case 2: say(&talk); break;
        case 3: revise(&talk); break;
        case 4: gather(&talk); break;
        default: vote(&talk); break;
        }
    }
    stock_finish(stock);
}
