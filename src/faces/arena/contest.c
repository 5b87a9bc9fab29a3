/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/contest.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/arena/interrupt.h"
#include "faces/arena/play.h"
#include "faces/cli/unknown.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 64 }; /* two for each doubling */

struct bout {
    struct contest *contest;
    struct stage stage;
    struct play play;
    const struct contest_watch *watch;
    struct arena *arena;
    struct steme_snapshot *snapshot; /* of the moment that is judged */
    double *chances;                 /* of each choice */
};

/* ---- judging ---- */

/* The number of the choice a claim is for; choices for a claim that is none of them. */
static size_t choice_of(const struct scenario *scenario, const struct steme_value *value)
{
    static const char word[] = "answer:";
    size_t number = 0;
    if (value->kind != STEME_ENTITY || !slice_starts(value->text, slice_text(word))) return scenario->choices;
    for (size_t i = sizeof word - 1; i < value->text.size && number < scenario->choices; i++)
        number = number * 10 + (size_t)(value->text.data[i] - '0');
    return number;
}

static void score_choice(struct bout *bout, uint32_t question, const struct steme_answer *answer, struct card *card)
{
    const struct scenario *scenario = bout->contest->scenario;
    memset(bout->chances, 0, scenario->choices * sizeof *bout->chances);
    for (size_t i = 0; i < answer->belief_count; i++) {
        size_t choice = choice_of(scenario, &answer->beliefs[i].value);
        if (choice < scenario->choices) bout->chances[choice] += answer->beliefs[i].probability;
    }
    size_t truth = (size_t)opinion_truth(scenario, question);
    card_add_choice(card, bout->chances, scenario->choices, truth, answer->verdict == STEME_SETTLED);
}

/* A lens that pools says "within the tolerance of my mean" with the probability that its error gives to that; any other
 * says it of its best claim, with all probability that it gives to claims so near. */
static void score_number(struct bout *bout, uint32_t question, const struct steme_answer *answer, struct card *card)
{
    const struct scenario *scenario = bout->contest->scenario;
    double tolerance = (double)scenario->tolerance / 1000;
    double truth = (double)opinion_truth(scenario, question) / 1000;
    double best = 0, chance = 0;
    bool unknown = !answer->has_pooled && (answer->belief_count == 0 || !(answer->beliefs[0].probability > 0));
    if (answer->has_pooled) {
        best = answer->pooled.mean;
        chance = erf(tolerance / (answer->pooled.error * sqrt(2)));
    } else if (!unknown) {
        best = steme_decimal_double(answer->beliefs[0].value.amount);
        for (size_t i = 0; i < answer->belief_count; i++)
            if (fabs(steme_decimal_double(answer->beliefs[i].value.amount) - best) <= tolerance)
                chance += answer->beliefs[i].probability;
    }
    card_add_number(card, unknown, !unknown && fabs(best - truth) <= tolerance, fmin(1, chance),
                    answer->verdict == STEME_SETTLED);
}

/* Ask every question of the row's kind, at the open snapshot. */
static steme_status judge_row(struct bout *bout, const struct contest_row *row, struct card *card,
                              struct steme_error *err)
{
    const struct scenario *scenario = bout->contest->scenario;
    struct steme_lens lens = row->lens->lens;
    lens.roots = bout->play.roots;
    lens.root_count = scenario->roots;
    uint32_t begin = row->numbers ? scenario->questions : 0;
    uint32_t end = row->numbers ? scenario->questions + scenario->numbers : scenario->questions;
    steme_status status = STEME_OK;
    *card = (struct card){ 0 };
    for (uint32_t q = begin; q < end && !status; q++) {
        status = interrupt_check(err);
        if (status) break;
        char name[PLAY_NAME_BYTES];
        struct steme_answer answer;
        struct steme_question question = { .subject = play_subject(scenario, q, name),
                                           .predicate = play_predicate(scenario, q),
                                           .lens = lens };
        status = steme_resolve(bout->snapshot, &question, &answer, err);
        if (!status && row->numbers) score_number(bout, q, &answer, card);
        if (!status && !row->numbers) score_choice(bout, q, &answer, card);
        steme_snapshot_clear(bout->snapshot);
    }
    return status;
}

/* See the store as it was with so many attackers. */
static steme_status look_at(struct bout *bout, uint32_t attackers, struct steme_error *err)
{
    struct steme_moment moment = steme_moment_now();
    moment.as_of_sequence = bout->play.marks[attackers];
    steme_snapshot_close(&bout->snapshot);
    return steme_snapshot_open(bout->stage.store, &moment, &bout->snapshot, err);
}

/* ---- growing the attack ---- */

/* 0, 1, 2, 3, 4, 6, 8, 12, 16, ... */
static uint32_t next_size(uint32_t size)
{
    if (size < 2) return size + 1;
    bool power = (size & (size - 1)) == 0;
    return power ? size + size / 2 : size / 3 * 4;
}

static steme_status sweep(struct bout *bout, struct steme_error *err)
{
    struct contest *contest = bout->contest;
    uint32_t most = scenario_attack_max(contest->scenario);
    steme_status status = STEME_OK;
    for (uint32_t size = 0; !status; size = next_size(size) < most ? next_size(size) : most) {
        bout->watch->progress(bout->watch->context, "attackers", size, most);
        status = play_attack(&bout->play, size, err);
        if (!status) status = look_at(bout, size, err);
        for (size_t i = 0; i < contest->row_count && !status; i++) {
            struct contest_row *row = &contest->rows[i];
            struct contest_point *point = &row->points[row->point_count++];
            invariant(row->point_count <= POINTS_MAX);
            point->attackers = size;
            status = judge_row(bout, row, &point->card, err);
        }
        if (size == most) break;
    }
    return status;
}

static bool is_flipped(const struct card *card) { return card_accuracy(card) < 0.5; }

/* Between the first size looked at that flips the row and the one before. */
static steme_status find_flip(struct bout *bout, struct contest_row *row, struct steme_error *err)
{
    size_t first = 0;
    while (first < row->point_count && !is_flipped(&row->points[first].card))
        first++;
    if (first == row->point_count) return STEME_OK;
    uint32_t high = row->points[first].attackers;
    uint32_t low = first ? row->points[first - 1].attackers : high;
    steme_status status = STEME_OK;
    while (low + 1 < high && !status) {
        struct card card;
        uint32_t middle = low + (high - low) / 2;
        status = look_at(bout, middle, err);
        if (!status) status = judge_row(bout, row, &card, err);
        if (!status && is_flipped(&card))
            high = middle;
        else
            low = middle;
    }
    row->flips = true;
    row->flip = high;
    return status;
}

static steme_status judge_all(struct bout *bout, struct steme_error *err)
{
    struct contest *contest = bout->contest;
    const struct scenario *scenario = contest->scenario;
    steme_status status = play_begin(&bout->play, scenario, &bout->stage, bout->arena, err);
    if (!status) status = sweep(bout, err);
    if (!status) status = look_at(bout, scenario_attack(scenario), err);
    for (size_t i = 0; i < contest->row_count && !status; i++)
        status = judge_row(bout, &contest->rows[i], &contest->rows[i].card, err);
    for (size_t i = 0; i < contest->row_count && !status && scenario->attackers; i++)
        status = find_flip(bout, &contest->rows[i], err);
    contest->records = bout->stage.written;
    return status;
}

/* ---- the rows ---- */

/* Choices are no measurements, and a lens that decides nothing picks no number. */
static bool makes_sense(const struct scenario *scenario, const struct scenario_lens *lens, bool numbers)
{
    if (numbers) return scenario->numbers > 0 && strcmp(lens->lens.name, "union") != 0;
    return scenario->questions > 0 && strcmp(lens->lens.name, "pool") != 0;
}

static steme_status find_lens(const struct scenario *scenario, const char *lens, const struct scenario_lens **out,
                              struct steme_error *err)
{
    const char *names[SCENARIO_LENSES_MAX];
    for (size_t i = 0; i < scenario->lens_count; i++) {
        names[i] = scenario->lenses[i].name;
        if (strcmp(lens, names[i]) != 0) continue;
        *out = &scenario->lenses[i];
        return STEME_OK;
    }
    return unknown_word(err, STEME_BAD_INPUT, "lens", lens, names, scenario->lens_count);
}

steme_status contest_begin(const struct scenario *scenario, const char *lens, struct arena *arena, struct contest *out,
                           struct steme_error *err)
{
    struct contest contest = { .scenario = scenario };
    const struct scenario_lens *only = NULL;
    steme_status status = lens ? find_lens(scenario, lens, &only, err) : STEME_OK;
    if (status) return status;
    contest.rows = arena_calloc(arena, 2 * scenario->lens_count, sizeof *contest.rows);
    if (!contest.rows) return arena_full(arena, err);
    for (size_t i = 0; i < 2 * scenario->lens_count; i++) {
        bool numbers = i >= scenario->lens_count;
        const struct scenario_lens *it = &scenario->lenses[numbers ? i - scenario->lens_count : i];
        if ((only && it != only) || !makes_sense(scenario, it, numbers)) continue;
        struct contest_row *row = &contest.rows[contest.row_count++];
        *row = (struct contest_row){ .lens = it, .numbers = numbers };
        row->points = arena_calloc(arena, POINTS_MAX, sizeof *row->points);
        if (!row->points) return arena_full(arena, err);
    }
    if (contest.row_count == 0) /* some lens judges either kind, so it was `only` that did not */
        return error_set(err, STEME_BAD_INPUT,
                         "the lens %s judges %s, and the scenario asks for none: choose another lens", lens,
                         scenario->numbers ? "choices" : "numbers");
    *out = contest;
    return STEME_OK;
}

steme_status contest_run(struct contest *contest, const struct contest_watch *watch, struct arena *arena,
                         struct steme_error *err)
{
    struct bout bout = { .contest = contest, .watch = watch, .arena = arena };
    bout.chances = arena_calloc(arena, contest->scenario->choices, sizeof *bout.chances);
    if (!bout.chances) return arena_full(arena, err);
    steme_status status = stage_open(&bout.stage, err);
    if (!status) status = judge_all(&bout, err);
    steme_snapshot_close(&bout.snapshot);
    char dir[sizeof bout.stage.dir];
    snprintf(dir, sizeof dir, "%s", bout.stage.dir);
    bool clean = stage_close(&bout.stage);
    if (!status && !clean) status = error_set(err, STEME_IO, "can't remove the store of the scenario: %.300s", dir);
    return status;
}
