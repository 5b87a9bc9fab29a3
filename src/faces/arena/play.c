/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/play.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/interrupt.h"

#include <inttypes.h>
#include <stdio.h>

static const char number_unit[] = "unit";

struct steme_slice play_subject(const struct scenario *scenario, uint32_t question, char out[PLAY_NAME_BYTES])
{
    bool number = opinion_is_number(scenario, question);
    snprintf(out, PLAY_NAME_BYTES, "%s:%" PRIu32, number ? "number" : "question",
             number ? question - scenario->questions : question);
    return slice_text(out);
}

struct steme_slice play_predicate(const struct scenario *scenario, uint32_t question)
{
    return slice_text(opinion_is_number(scenario, question) ? "measures" : "is");
}

struct steme_slice play_choice(int64_t answer, char out[PLAY_NAME_BYTES])
{
    snprintf(out, PLAY_NAME_BYTES, "answer:%" PRId64, answer);
    return slice_text(out);
}

static uint32_t question_count(const struct scenario *scenario) { return scenario->questions + scenario->numbers; }

/* ---- keys ---- */

static steme_status open_signer(const struct play *play, struct agent agent, struct steme_signer **out,
                                struct steme_error *err)
{
    uint8_t seed[32];
    struct prng prng = opinion_stream(play->scenario, TOPIC_KEY, agent.group, agent.index, 0);
    prng_fill(&prng, seed, sizeof seed);
    return steme_signer_from_seed(seed, out, err);
}

static struct agent root_agent(const struct play *play, uint32_t index)
{
    return (struct agent){ .group = (uint32_t)play->scenario->group_count, .index = index };
}

/* ---- assertions ---- */

static struct steme_decimal decimal_of(int64_t milli)
{
    struct steme_decimal decimal = { .coefficient = milli, .scale = milli ? 3 : 0 };
    while (decimal.coefficient && decimal.coefficient % 10 == 0) {
        decimal.coefficient /= 10;
        decimal.scale--;
    }
    return decimal;
}

struct draft_names {
    char subject[PLAY_NAME_BYTES];
    char object[PLAY_NAME_BYTES];
};

static void draft_assertion(const struct scenario *scenario, struct agent agent, uint32_t question, int64_t answer,
                            uint32_t confidence_ppm, int64_t at_us, struct draft_names *names,
                            struct steme_assertion *out)
{
    *out = (struct steme_assertion){
        .subject = play_subject(scenario, question, names->subject),
        .predicate = play_predicate(scenario, question),
        .confidence_ppm = confidence_ppm,
        .asserted_at_us = at_us,
        .valid_from_us = STEME_TIME_MIN,
        .valid_to_us = STEME_TIME_MAX,
    };
    if (!opinion_is_number(scenario, question)) {
        out->object = (struct steme_value){ .kind = STEME_ENTITY, .text = play_choice(answer, names->object) };
        return;
    }
    int64_t noise = (int64_t)scenario->groups[agent.group].noise;
    out->object = (struct steme_value){ .kind = STEME_QUANTITY,
                                        .amount = decimal_of(answer),
                                        .has_bounds = true,
                                        .lower = decimal_of(answer - noise),
                                        .upper = decimal_of(answer + noise),
                                        .unit = slice_text(number_unit) };
}

/* Everything one agent asserts in one go. */
struct speech {
    struct steme_assertion *drafts;
    struct draft_names *names;
    uint32_t *questions; /* of each draft */
    struct steme_hash *ids;
    size_t count;
};

static steme_status speech_init(struct speech *speech, struct play *play, struct steme_error *err)
{
    size_t most = question_count(play->scenario);
    speech->drafts = arena_calloc(play->arena, most, sizeof *speech->drafts);
    speech->names = arena_calloc(play->arena, most, sizeof *speech->names);
    speech->questions = arena_calloc(play->arena, most, sizeof *speech->questions);
    speech->ids = arena_calloc(play->arena, most, sizeof *speech->ids);
    speech->count = 0;
    bool whole = speech->drafts && speech->names && speech->questions && speech->ids;
    return whole ? STEME_OK : arena_full(play->arena, err);
}

/* Its answers, or only the corrections of them. */
static steme_status speak(struct play *play, struct agent agent, const struct steme_signer *signer, bool corrections,
                          struct speech *speech, struct steme_error *err)
{
    const struct scenario *scenario = play->scenario;
    steme_status status = speech_init(speech, play, err);
    for (uint32_t q = 0; q < question_count(scenario) && !status; q++) {
        struct opinion it = opinion_of(scenario, agent, q);
        if (!it.spoken || (corrections && !it.corrected)) continue;
        size_t i = speech->count++;
        int64_t answer = corrections ? opinion_truth(scenario, q) : it.answer;
        speech->questions[i] = q;
        draft_assertion(scenario, agent, q, answer, it.confidence_ppm, corrections ? it.again_us : it.at_us,
                        &speech->names[i], &speech->drafts[i]);
    }
    if (status || speech->count == 0) return status;
    return stage_bundle(play->stage, signer, speech->drafts, speech->count, speech->ids, err);
}

/* One revision puts `now` in the place of those of `before` that are about the same questions. */
static steme_status revise(struct play *play, const struct steme_signer *signer, const struct speech *before,
                           const struct speech *now, enum steme_revision_kind kind, int64_t at_us,
                           struct steme_error *err)
{
    struct steme_target *targets = arena_calloc(play->arena, before->count + 1, sizeof *targets);
    struct steme_hash *replacements = arena_calloc(play->arena, before->count + 1, sizeof *replacements);
    size_t count = 0;
    if (!targets || !replacements) return arena_full(play->arena, err);
    for (size_t i = 0, k = 0; i < before->count; i++) {
        while (k < now->count && now->questions[k] < before->questions[i])
            k++; /* both go by questions */
        if (k == now->count || now->questions[k] != before->questions[i]) continue;
        targets[count] = (struct steme_target){ .kind = STEME_ON_ASSERTION,
                                                .route = steme_route(before->drafts[i].subject),
                                                .hash = before->ids[i] };
        replacements[count++] = now->ids[k];
    }
    if (count == 0) return STEME_OK;
    struct steme_record record = { .type = STEME_REVISION,
                                   .as.revision = { .kind = kind,
                                                    .targets = targets,
                                                    .target_count = count,
                                                    .replacements = replacements,
                                                    .replacement_count = count,
                                                    .revised_at_us = at_us } };
    return stage_write(play->stage, signer, &record, err);
}

/* What the agent stands by in the end: a correction takes the place of what it corrects. Both go by questions. */
static void keep_corrected(struct speech *answers, const struct speech *corrections)
{
    for (size_t i = 0, k = 0; k < corrections->count; i++)
        if (answers->questions[i] == corrections->questions[k]) answers->ids[i] = corrections->ids[k++];
}

static steme_status assert_all(struct play *play, struct agent agent, const struct steme_signer *signer,
                               struct speech *answers, struct steme_error *err)
{
    struct speech corrections;
    steme_status status = speak(play, agent, signer, false, answers, err);
    if (!status) status = speak(play, agent, signer, true, &corrections, err);
    if (!status && corrections.count > 0)
        status = revise(play, signer, answers, &corrections, STEME_CORRECT, corrections.drafts[0].asserted_at_us, err);
    if (!status) keep_corrected(answers, &corrections);
    return status;
}

/* ---- votes ---- */

/* What an agent says when the month is over. */
static int64_t final_answer(const struct scenario *scenario, const struct opinion *it, uint32_t question)
{
    return it->corrected ? opinion_truth(scenario, question) : it->answer;
}

static steme_status write_vote(struct play *play, const struct steme_signer *signer, struct steme_target target,
                               enum steme_stance stance, uint32_t probability_ppm, struct steme_error *err)
{
    struct steme_record record = { .type = STEME_VOTE,
                                   .as.vote = { .target = target,
                                                .stance = stance,
                                                .probability_ppm = probability_ppm,
                                                .cast_at_us = opinion_votes_us() } };
    return stage_write(play->stage, signer, &record, err);
}

/* For each question maybe one vote, on an answer of somebody else that stood before the attack: for it when it is what
 * the voter says itself, else against it. */
static steme_status vote_on_answers(struct play *play, struct agent agent, const struct steme_signer *signer,
                                    struct steme_error *err)
{
    const struct scenario *scenario = play->scenario;
    uint32_t chance = scenario->groups[agent.group].votes;
    steme_status status = STEME_OK;
    for (uint32_t q = 0; q < question_count(scenario) && !status; q++) {
        const struct play_topic *topic = &play->topics[q];
        struct prng prng = opinion_stream(scenario, TOPIC_VOTE, agent.group, agent.index, q);
        if (topic->count == 0 || prng_below(&prng, STEME_PPM) >= chance) continue;
        const struct play_saying *saying = &topic->sayings[prng_below(&prng, topic->count)];
        if (saying->agent.group == agent.group && saying->agent.index == agent.index) continue;
        char name[PLAY_NAME_BYTES];
        struct opinion own = opinion_of(scenario, agent, q);
        struct steme_target target = { .kind = STEME_ON_ASSERTION,
                                       .route = steme_route(play_subject(scenario, q, name)),
                                       .hash = saying->id };
        bool same = opinion_agrees(scenario, q, final_answer(scenario, &own, q), saying->answer);
        status = write_vote(play, signer, target, same ? STEME_SUPPORT : STEME_REFUTE, own.confidence_ppm, err);
    }
    return status;
}

static steme_status endorse(struct play *play, struct agent from, const struct steme_signer *to,
                            struct steme_error *err)
{
    struct steme_signer *signer = NULL;
    struct steme_key key = steme_signer_key(to);
    struct steme_hash id = steme_agent_id(&key);
    struct steme_target target = { .kind = STEME_ON_AGENT, .hash = id };
    for (size_t i = 0; i < sizeof target.route; i++)
        target.route = target.route << 8 | id.bytes[i];
    steme_status status = open_signer(play, from, &signer, err);
    if (!status) status = write_vote(play, signer, target, STEME_SUPPORT, STEME_PPM, err);
    if (signer) steme_signer_free(&signer);
    return status;
}

/* Which members are endorsed: spread evenly, so that of the first n it is always the share that is asked for. */
static bool is_endorsed(const struct scenario_group *group, uint32_t index)
{
    uint64_t share = group->endorsed;
    return (index + 1) * share / STEME_PPM > index * share / STEME_PPM;
}

/* The roots endorse it, and it swaps endorsements with fellows who came before. */
static steme_status meet(struct play *play, struct agent agent, const struct steme_signer *signer,
                         struct steme_error *err)
{
    const struct scenario_group *group = &play->scenario->groups[agent.group];
    steme_status status = STEME_OK;
    for (uint32_t i = 0; i < play->scenario->roots && is_endorsed(group, agent.index) && !status; i++)
        status = endorse(play, root_agent(play, i), signer, err);
    if (agent.index == 0) return status;
    struct prng prng = opinion_stream(play->scenario, TOPIC_FELLOW, agent.group, agent.index, 0);
    uint32_t start = (uint32_t)prng_below(&prng, agent.index);
    for (uint32_t i = 0; i < group->endorses && i < agent.index && !status; i++) {
        struct agent fellow = { .group = agent.group, .index = (start + i) % agent.index };
        struct steme_signer *other = NULL;
        status = open_signer(play, fellow, &other, err);
        if (!status) status = endorse(play, agent, other, err);
        if (!status) status = endorse(play, fellow, signer, err);
        if (other) steme_signer_free(&other);
    }
    return status;
}

/* ---- in their order ---- */

static void remember(struct play *play, struct agent agent, const struct speech *speech)
{
    for (size_t i = 0; i < speech->count; i++) {
        uint32_t q = speech->questions[i];
        struct play_topic *topic = &play->topics[q];
        struct opinion it = opinion_of(play->scenario, agent, q);
        int64_t answer = final_answer(play->scenario, &it, q);
        topic->sayings[topic->count++] = (struct play_saying){ speech->ids[i], answer, agent };
    }
}

enum scene { SCENE_ASSERT, SCENE_VOTE, SCENE_TURN, SCENE_ALL };

/* The thief of a key takes back what its owner said, and says what he wants believed. */
static steme_status turn(struct play *play, struct agent agent, const struct steme_signer *signer,
                         struct steme_error *err)
{
    struct speech before, lies;
    steme_status status = speech_init(&before, play, err);
    for (uint32_t q = 0; q < question_count(play->scenario) && !status; q++) {
        const struct play_topic *topic = &play->topics[q];
        for (size_t i = 0; i < topic->count; i++) {
            if (topic->sayings[i].agent.group != agent.group || topic->sayings[i].agent.index != agent.index) continue;
            before.questions[before.count] = q;
            before.ids[before.count] = topic->sayings[i].id;
            before.drafts[before.count].subject = play_subject(play->scenario, q, before.names[before.count].subject);
            before.count++;
        }
    }
    agent.turned = true;
    if (!status) status = speak(play, agent, signer, false, &lies, err);
    if (!status) status = revise(play, signer, &before, &lies, STEME_UPDATE, lies.drafts[0].asserted_at_us, err);
    return status;
}

static steme_status act(struct play *play, struct agent agent, enum scene scene, struct steme_error *err)
{
    struct arena_mark mark = arena_mark(play->arena);
    struct steme_signer *signer = NULL;
    struct speech speech;
    steme_status status = interrupt_check(err);
    if (!status) status = open_signer(play, agent, &signer, err);
    if (!status && (scene == SCENE_ASSERT || scene == SCENE_ALL)) {
        status = assert_all(play, agent, signer, &speech, err);
        if (!status && scene == SCENE_ASSERT) remember(play, agent, &speech);
    }
    if (!status && (scene == SCENE_VOTE || scene == SCENE_ALL)) {
        status = vote_on_answers(play, agent, signer, err);
        if (!status) status = meet(play, agent, signer, err);
    }
    if (!status && scene == SCENE_TURN) status = turn(play, agent, signer, err);
    if (signer) steme_signer_free(&signer);
    arena_rewind(play->arena, mark);
    return status;
}

static steme_status act_all(struct play *play, enum scene scene, struct steme_error *err)
{
    const struct scenario *scenario = play->scenario;
    steme_status status = STEME_OK;
    for (uint32_t g = 0; g < scenario->group_count; g++) {
        const struct scenario_group *group = &scenario->groups[g];
        bool attacks = group == scenario->attackers;
        if (attacks && (group->kind != SCENARIO_COMPROMISED || scene == SCENE_TURN)) continue;
        uint32_t count = scene == SCENE_TURN ? group->stolen : group->count;
        for (uint32_t i = 0; i < count && !status; i++)
            status = act(play, (struct agent){ .group = g, .index = i }, scene, err);
    }
    return status;
}

static steme_status prepare(struct play *play, struct steme_error *err)
{
    const struct scenario *scenario = play->scenario;
    size_t others = scenario_others(scenario);
    play->topics = arena_calloc(play->arena, question_count(scenario), sizeof *play->topics);
    play->roots = arena_calloc(play->arena, scenario->roots, sizeof *play->roots);
    play->marks = arena_calloc(play->arena, (size_t)scenario_attack_max(scenario) + 1, sizeof *play->marks);
    if (!play->topics || !play->roots || !play->marks) return arena_full(play->arena, err);
    for (uint32_t q = 0; q < question_count(scenario); q++) {
        play->topics[q].sayings = arena_calloc(play->arena, others, sizeof *play->topics[q].sayings);
        if (!play->topics[q].sayings) return arena_full(play->arena, err);
    }
    for (uint32_t i = 0; i < scenario->roots; i++) {
        struct steme_signer *signer = NULL;
        steme_status status = open_signer(play, root_agent(play, i), &signer, err);
        if (status) return status;
        play->roots[i] = steme_signer_key(signer);
        steme_signer_free(&signer);
    }
    return STEME_OK;
}

steme_status play_begin(struct play *play, const struct scenario *scenario, struct stage *stage, struct arena *arena,
                        struct steme_error *err)
{
    *play = (struct play){ .scenario = scenario, .stage = stage, .arena = arena };
    steme_status status = prepare(play, err);
    if (!status) status = act_all(play, SCENE_ASSERT, err);
    if (!status) status = act_all(play, SCENE_VOTE, err);
    if (!status) status = act_all(play, SCENE_TURN, err);
    if (!status) status = stage_flush(stage, err);
    if (!status) play->marks[0] = stage->written;
    return status;
}

steme_status play_attack(struct play *play, uint32_t count, struct steme_error *err)
{
    const struct scenario_group *group = play->scenario->attackers;
    invariant(count <= scenario_attack_max(play->scenario));
    steme_status status = STEME_OK;
    while (play->attackers < count && !status) {
        struct agent agent = { .group = (uint32_t)(group - play->scenario->groups), .index = play->attackers };
        status = act(play, agent, group->kind == SCENARIO_COMPROMISED ? SCENE_TURN : SCENE_ALL, err);
        if (!status) play->marks[++play->attackers] = play->stage->written;
    }
    return status ? status : stage_flush(play->stage, err);
}
