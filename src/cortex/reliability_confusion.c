/* SPDX-License-Identifier: Apache-2.0 */
/* Confusion matrices: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM algorithm"
 * (Applied Statistics 28, 1979), with priors as in LFC (Raykar et al., JMLR 11, 2010), in a hierarchy of our own:
 *
 *   C_v[t][s]   how often voice v says s where the truth is t, expected under what is believed of the items
 *   S[t][s]     the crowd's matrix: sum over v of C_v[t][s], with a few answers of REL_TRUST, over its row's sum
 *   B_v[t][s]   the crowd's matrix, with the odds of the diagonal multiplied by one factor for each voice, and the rest
 *               of the row scaled to fit: a coin of its own, with the crowd's habits. The factor is odds(q_v) /
 *   odds(x_v),
 *               q_v = (sum_t C_v[t][t] + a d) / (n_v + a) being its accuracy, x_v the same for what the crowd would
 *   have
 *               scored on its items, d the mean of S's diagonal
 *   R_v[t][s] = (C_v[t][s] + a B_v[t][s]) / (sum_s C_v[t][s] + a)
 *
 *   a           how alike voices are: from the scatter of their numbers of right answers beyond that of equals, as for
 *   a
 *               beta-binomial (rel_scatter_likeness); 4 to 1000
 *
 * So a voice with many answers has its own matrix, one with few the coin, and one with none the crowd's; a row that a
 * voice seldom meets is filled from its other rows; and in a crowd of equals,
 * where a is great, nothing is made of chance. The prior is learned, so a biased crowd (where everyone prefers one
 * label) is understood as such and does not make the other labels die out, which is how one coin collapses.
 *
 * Items are of two kinds. On an easy one everybody says what is true, so it tells nothing about anyone; that an item
 * whose voices agree was easy is weighed against that it was hard and they agreed all the same:
 *
 *   P(truth t, easy)  ~  easy_t  [all say t]
 *   P(truth t, hard)  ~  hard  truths_t  u_t  prod over answers of R_v[t][said]
 *
 * with the shares easy_t, hard and truths_t learned in the same EM. Without it the crowd's ease on plain items passes
 * for skill on disputed ones (where most items are unanimous, plain Dawid-Skene overrules majorities wrongly). Where
 * items are alike the share comes out near 0. The idea is that of a zero-inflated model (Lambert 1992).
 *
 * A truth is named by those who say it. So
 *   - u_t is 1 for a label that somebody gave the item, and `prior` for one that nobody did;
 *   - truths_t is at most K times the share of answers that say t: where t is the truth its voices are taken to say it
 *     no less often than by chance, 1/K. Else a label that is hardly ever said is free to become the class of whatever
 *     the others don't explain.
 *
 * A word of strength s is taken as R with chance s, and as a throw of the dice otherwise: s R + (1 - s)/K. "Not l" has
 * the chance s (1 - R[t][l]) + (1 - s)(1 - 1/K), and counts as having said one of the others. */
#include "base/check.h"
#include "cortex/numeric.h"
#include "cortex/reliability_model.h"

#include <math.h>
#include <string.h>

/* No chance is smaller: REL_RESCALE of them multiplied are still far from 0. */
static const double chance_min = 1e-9;
enum { RESCALE = 16 };

/* The one that all say; UINT32_MAX where they differ, deny something, or are fewer than two. */
static uint32_t unanimous_label(const struct rel_item *item)
{
    uint32_t value = UINT32_MAX, heads = 0;
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        if (answer->refute > 0) return UINT32_MAX;
        if (answer->support <= 0) continue;
        if (heads > 0 && answer->value != value) return UINT32_MAX;
        value = answer->value;
        heads++;
    }
    return heads > 1 ? item->labels[value] : UINT32_MAX;
}

/* Chances of saying a label at each truth. */
static const double *row_of(const struct rel_state *state, uint32_t voice, uint32_t label)
{
    return state->says + (rel_voice_row(state, voice) * state->labels + label) * state->labels;
}

/* Multiply in what was said. *certain is the same for an easy item. */
static void weigh_answer(const struct rel_state *state, const struct rel_answer *answer, uint32_t label,
                         double *weights, double *certain)
{
    uint32_t labels = state->labels;
    const double *row = row_of(state, answer->voice, label);
    double noise = 1.0 / labels, count = state->counts[rel_voice_row(state, answer->voice)];
    double s = answer->support * count, r = answer->refute * count;
    if (s >= 1) {
        for (uint32_t t = 0; t < labels; t++)
            weights[t] *= row[t];
    } else if (s > 0) {
        for (uint32_t t = 0; t < labels; t++)
            weights[t] *= s * row[t] + (1 - s) * noise;
        *certain *= s + (1 - s) * noise;
    }
    if (r <= 0) return;
    for (uint32_t t = 0; t < labels; t++)
        weights[t] *= fmax(r * (1 - row[t]) + (1 - r) * (1 - noise), chance_min);
}

static void rescale(double *weights, uint32_t count, double *certain)
{
    double top = 0;
    for (uint32_t t = 0; t < count; t++)
        top = fmax(top, weights[t]);
    if (top > 1e-100 || top <= 0) return;
    for (uint32_t t = 0; t < count; t++)
        weights[t] /= top;
    *certain = fmin(*certain / top, 1e200);
}

/* Weights of the truths of a hard item; returns the weight of its being easy with the label *easy_label. */
static double weigh_hard(const struct rel_state *state, const struct rel_item *item, double *weights,
                         uint32_t *easy_label)
{
    double certain = 1;
    for (uint32_t t = 0; t < state->labels; t++)
        weights[t] = state->truths[t] * state->prior;
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        uint32_t label = item->labels[answer->value];
        if (answer->support > 0 && label != REL_NEW_LABEL) weights[label] = state->truths[label];
    }
    for (uint32_t t = 0; t < state->labels; t++)
        weights[t] *= state->hard;
    for (size_t a = 0; a < item->answer_count; a++) {
        uint32_t label = item->labels[item->answers[a].value];
        if (label == REL_NEW_LABEL) continue; /* tells nothing about the labels that are known */
        weigh_answer(state, &item->answers[a], label, weights, &certain);
        if (a % RESCALE == RESCALE - 1) rescale(weights, state->labels, &certain);
    }
    *easy_label = unanimous_label(item);
    return *easy_label < state->labels ? state->easy[*easy_label] * certain : 0;
}

/* How often a voice is right, over all truths. */
static double accuracy_of(const struct rel_state *state, uint32_t voice)
{
    double accuracy = 0;
    for (uint32_t t = 0; t < state->labels; t++)
        accuracy += state->truths[t] * row_of(state, voice, t)[t];
    return accuracy;
}

/* Labels that the scope has not met have no rows: a voice says what it says of them with its accuracy, and errs to or
 * from them as to any of K others. They are as likely beforehand as the least likely label. */
static void weigh_new(const struct rel_state *state, const struct rel_item *item, double *weights)
{
    uint32_t labels = state->labels, size = labels;
    double least = 1;
    for (uint32_t t = 0; t < labels; t++)
        least = fmin(least, state->truths[t]);
    for (uint32_t v = 0; v < item->value_count; v++)
        if (item->labels[v] == REL_NEW_LABEL) weights[size++] = least;
    for (size_t a = 0; a < item->answer_count; a++) {
        const struct rel_answer *answer = &item->answers[a];
        double accuracy = accuracy_of(state, answer->voice), error = (1 - accuracy) / labels;
        double s = answer->support * state->counts[rel_voice_row(state, answer->voice)], noise = (1 - s) / (labels + 1);
        bool is_new = item->labels[answer->value] == REL_NEW_LABEL;
        for (uint32_t t = 0; is_new && t < labels; t++)
            weights[t] *= s * error + noise;
        uint32_t at = labels;
        for (uint32_t v = 0; v < item->value_count; v++)
            if (item->labels[v] == REL_NEW_LABEL) weights[at++] *= s * (v == answer->value ? accuracy : error) + noise;
        double unused = 1;
        if (a % RESCALE == RESCALE - 1) rescale(weights, size, &unused);
    }
}

void confusion_weigh(const struct rel_state *state, const struct rel_item *item, double *weights)
{
    uint32_t easy_label;
    double easy = weigh_hard(state, item, weights, &easy_label);
    if (easy > 0) weights[easy_label] += easy;
    bool has_new = false;
    for (uint32_t v = 0; v < item->value_count; v++)
        has_new |= item->labels[v] == REL_NEW_LABEL;
    if (has_new) weigh_new(state, item, weights);
}

/* ---- learning ---- */

struct learner {
    const struct rel_data *data;
    struct rel_state *state;
    size_t cells;            /* of all voices' matrices */
    double *counts, *before; /* as state->says: expected answers at hard items; of the step before */
    double *crowd;           /* S, as one matrix of state->says */
    double *said;            /* by label: share of answers that say it */
    double *truths, *easy;   /* by label: expected items */
    double *weights, *base;  /* scratch: K; K * K */
    double answers;          /* sum of strengths */
    double likeness;         /* a */
};

/* Let an answer count where the truth may be, weights[t] being how much the item is a hard one with truth t. */
static void count_answer(struct learner *learner, const struct rel_answer *answer, uint32_t label,
                         const double *weights)
{
    uint32_t labels = learner->state->labels;
    double *row = learner->counts + ((size_t)answer->voice * labels + label) * labels;
    if (answer->support > 0)
        for (uint32_t t = 0; t < labels; t++)
            row[t] += answer->support * weights[t];
    if (answer->refute <= 0) return;
    double *others = learner->counts + (size_t)answer->voice * labels * labels;
    const double *says = row_of(learner->state, answer->voice, 0);
    for (uint32_t s = 0; s < labels; s++) {
        if (s == label) continue;
        for (uint32_t t = 0; t < labels; t++) {
            double rest = fmax(1 - says[(size_t)label * labels + t], chance_min);
            others[(size_t)s * labels + t] += answer->refute * weights[t] * says[(size_t)s * labels + t] / rest;
        }
    }
}

static void count_answers(struct learner *learner, const struct rel_item *item)
{
    for (size_t a = 0; a < item->answer_count; a++)
        count_answer(learner, &item->answers[a], item->labels[item->answers[a].value], learner->weights);
}

static void forget_counts(struct learner *learner)
{
    double *counts = learner->counts;
    learner->counts = learner->before;
    learner->before = counts;
    memset(learner->counts, 0, learner->cells * sizeof *learner->counts);
    for (uint32_t t = 0; t < learner->state->labels; t++)
        learner->truths[t] = learner->easy[t] = 0;
}

/* What is believed before anything is learned: the shares of the vote, and three of ten unanimous items easy. */
static void count_votes(struct learner *learner)
{
    const double easy_at_first = 0.3;
    uint32_t labels = learner->state->labels;
    forget_counts(learner);
    for (size_t i = 0; i < learner->data->item_count; i++) {
        const struct rel_item *item = &learner->data->items[i];
        double total = 0;
        for (uint32_t t = 0; t < labels; t++)
            learner->weights[t] = 0;
        for (size_t a = 0; a < item->answer_count; a++) {
            learner->weights[item->labels[item->answers[a].value]] += item->answers[a].support;
            total += item->answers[a].support;
        }
        if (total <= 0) continue;
        uint32_t label = unanimous_label(item);
        double easy = label < labels ? easy_at_first : 0;
        for (uint32_t t = 0; t < labels; t++) {
            learner->said[t] += learner->weights[t];
            learner->answers += learner->weights[t];
            learner->weights[t] *= (1 - easy) / total;
            learner->truths[t] += learner->weights[t];
        }
        if (easy > 0) learner->easy[label] += easy;
        if (rel_is_checked(item)) count_answers(learner, item);
    }
    for (uint32_t t = 0; t < labels; t++)
        learner->said[t] = (learner->said[t] + REL_SHRINKAGE / labels) / (learner->answers + REL_SHRINKAGE);
}

static void count_beliefs(struct learner *learner)
{
    uint32_t labels = learner->state->labels;
    forget_counts(learner);
    for (size_t i = 0; i < learner->data->item_count; i++) {
        const struct rel_item *item = &learner->data->items[i];
        if (item->answer_count == 0) continue;
        uint32_t label;
        double easy = weigh_hard(learner->state, item, learner->weights, &label), total = easy;
        for (uint32_t t = 0; t < labels; t++)
            total += learner->weights[t];
        double share = 1 / total;
        for (uint32_t t = 0; t < labels; t++) {
            learner->weights[t] *= share;
            learner->truths[t] += learner->weights[t];
        }
        if (easy > 0) learner->easy[label] += easy * share;
        if (rel_is_checked(item)) count_answers(learner, item);
    }
}

/* Share of the answers that moved since the step before. */
static double moved(const struct learner *learner)
{
    double total = 0;
    for (size_t c = 0; c < learner->cells; c++)
        total += fabs(learner->counts[c] - learner->before[c]);
    return learner->answers > 0 ? total / learner->answers : 0;
}

static void learn_truths(struct learner *learner)
{
    struct rel_state *state = learner->state;
    uint32_t labels = state->labels;
    double hard = 1, easy = 0, total = 0; /* one item more of each kind, split over the labels */
    for (uint32_t t = 0; t < labels; t++) {
        hard += learner->truths[t];
        easy += learner->easy[t] + 0.5 / labels;
    }
    for (uint32_t t = 0; t < labels; t++) {
        state->easy[t] = (learner->easy[t] + 0.5 / labels) / (hard + easy);
        double share = (learner->truths[t] + 1.0 / labels) / hard;
        state->truths[t] = fmax(fmin(share, labels * learner->said[t]), 1e-12);
        total += state->truths[t];
    }
    state->hard = hard / (hard + easy);
    for (uint32_t t = 0; t < labels; t++)
        state->truths[t] /= total;
}

/* S, and the mean of its diagonal. */
static double learn_crowd(struct learner *learner)
{
    uint32_t labels = learner->state->labels;
    size_t size = (size_t)labels * labels;
    for (size_t c = 0; c < size; c++)
        learner->crowd[c] = REL_SHRINKAGE * (c % (labels + 1) == 0 ? REL_TRUST : (1 - REL_TRUST) / (labels - 1));
    for (size_t c = 0; c < learner->cells; c += size)
        for (size_t k = 0; k < size; k++)
            learner->crowd[k] += learner->counts[c + k];
    double diagonal = 0;
    for (uint32_t t = 0; t < labels; t++) {
        double total = 0;
        for (uint32_t s = 0; s < labels; s++)
            total += learner->crowd[(size_t)s * labels + t];
        for (uint32_t s = 0; s < labels; s++)
            learner->crowd[(size_t)s * labels + t] /= total;
        diagonal += learner->crowd[(size_t)t * (labels + 1)];
    }
    return diagonal / labels;
}

static double odds(double share) { return fmax(share, chance_min) / fmax(1 - share, chance_min); }

/* Of one voice's answers about hard items: all, those that are right, and those that the crowd would have right. */
struct record {
    double answers, right, expected;
};

static struct record record_of(const struct learner *learner, const double *counts)
{
    uint32_t labels = learner->state->labels;
    struct record record = { 0 };
    for (uint32_t t = 0; t < labels; t++) {
        double row = 0;
        for (uint32_t s = 0; s < labels; s++)
            row += counts[(size_t)s * labels + t];
        record.answers += row;
        record.right += counts[(size_t)t * (labels + 1)];
        record.expected += row * learner->crowd[(size_t)t * (labels + 1)];
    }
    return record;
}

/* a: how alike voices are, by how much more their records scatter than chance makes those of equals. */
static double learn_likeness(const struct learner *learner, double diagonal)
{
    struct rel_scatter scatter = { 0 };
    size_t size = (size_t)learner->state->labels * learner->state->labels;
    for (size_t v = 0; v < learner->state->voice_count; v++) {
        struct record record = record_of(learner, learner->counts + v * size);
        rel_scatter_add(&scatter, record.answers, record.right - record.expected);
    }
    return rel_scatter_likeness(&scatter, diagonal);
}

/* How much better than the crowd a voice is on its items, as a factor of odds. */
static double skill(const struct learner *learner, const double *counts, double diagonal)
{
    double a = learner->likeness;
    struct record record = record_of(learner, counts);
    double mine = (record.right + a * diagonal) / (record.answers + a);
    double theirs = (record.expected + a * diagonal) / (record.answers + a);
    return odds(mine) / odds(theirs);
}

/* B_v, then R_v. */
static void learn_voice(const struct learner *learner, const double *counts, double diagonal, double *says)
{
    uint32_t labels = learner->state->labels;
    double factor = skill(learner, counts, diagonal);
    for (uint32_t t = 0; t < labels; t++) {
        double crowd = learner->crowd[(size_t)t * (labels + 1)];
        double better = odds(crowd) * factor, coin = better / (1 + better);
        double rest = (1 - coin) / fmax(1 - crowd, chance_min), total = 0;
        for (uint32_t s = 0; s < labels; s++) {
            size_t cell = (size_t)s * labels + t;
            says[cell] = counts[cell] + learner->likeness * (s == t ? coin : learner->crowd[cell] * rest);
            total += says[cell];
        }
        for (uint32_t s = 0; s < labels; s++)
            says[(size_t)s * labels + t] = fmax(says[(size_t)s * labels + t] / total, chance_min);
    }
}

static void learn_voices(struct learner *learner)
{
    struct rel_state *state = learner->state;
    size_t size = (size_t)state->labels * state->labels;
    double diagonal = learn_crowd(learner);
    learner->likeness = learn_likeness(learner, diagonal);
    for (size_t v = 0; v < state->voice_count; v++)
        learn_voice(learner, learner->counts + v * size, diagonal, state->says + v * size);
    for (size_t c = 0; c < size; c++)
        state->says[state->voice_count * size + c] = fmax(learner->crowd[c], chance_min);
}

steme_status confusion_learn(const struct rel_data *data, struct arena *arena, struct rel_state *out, size_t *steps_out,
                             struct steme_error *err)
{
    uint32_t labels = out->labels;
    size_t size = (size_t)labels * labels, cells = data->voice_count * size;
    out->says = arena_calloc(arena, cells + size, sizeof *out->says);
    out->truths = arena_calloc(arena, labels, sizeof *out->truths);
    out->easy = arena_calloc(arena, labels, sizeof *out->easy);
    if (!out->says || !out->truths || !out->easy) return arena_full(arena, err);
    struct arena_mark mark = arena_mark(arena);
    struct learner learner = { .data = data, .state = out, .cells = cells };
    learner.counts = arena_calloc(arena, cells, sizeof *learner.counts);
    learner.before = arena_calloc(arena, cells, sizeof *learner.before);
    learner.crowd = arena_calloc(arena, size, sizeof *learner.crowd);
    learner.said = arena_calloc(arena, labels, sizeof *learner.said);
    learner.truths = arena_calloc(arena, labels, sizeof *learner.truths);
    learner.easy = arena_calloc(arena, labels, sizeof *learner.easy);
    learner.weights = arena_calloc(arena, labels, sizeof *learner.weights);
    bool full = !learner.counts || !learner.before || !learner.crowd || !learner.said || !learner.truths ||
                !learner.easy || !learner.weights;
    if (full) return arena_full(arena, err);

    for (size_t c = 0; c < cells; c++)
        out->says[c] = 1.0 / labels; /* what a refutation is spread by, before anything is known */
    count_votes(&learner);
    size_t step = 0;
    do {
        learn_voices(&learner);
        learn_truths(&learner);
        count_beliefs(&learner);
        step++;
    } while (step < REL_STEPS_MAX && moved(&learner) > REL_STILL);
    arena_rewind(arena, mark);
    *steps_out = step;
    return STEME_OK;
}
