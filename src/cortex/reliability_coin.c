/* SPDX-License-Identifier: Apache-2.0 */
/* One number for each voice: one-coin Dawid-Skene (ZenCrowd: Demartini et al., WWW 2012) over a closed set of labels,
 * and over open values the source accuracy of Accu (Dong, Berti-Equille, Srivastava, PVLDB 2, 2009), by EM:
 *
 *   q_v = (right_v + a m) / (n_v + a)      n_v answers, of which right_v are expected to be right; m is the crowd's
 *   m   = (sum right_v + 4 m0) / (sum n_v + 4)     m0 = 3/4; a: how alike voices are, as in reliability_confusion.c
 *   P(value x)  ~  prod over its voices of q_v / ((1 - q_v) / f)      P(none of these)  ~  prior (f + 1 - values named)
 *
 * where, of open values, at least one is always left: f is an estimate. With the default prior a voice alone on a value
 * is believed a little more than its accuracy says, since what was named is likelier than what was not.
 *
 * f is the number of false values that an error chooses from. Of a closed set it is K - 1. Of open values Accu sets it
 * by hand (100, say), and it matters: errors are not spread evenly, popular ones repeat. Here it is learned from how
 * often two errors about one item agree, as the number of equally likely values of which they would:
 *
 *   f = (sum over items of expected pairs of wrong answers + 10) / (sum of pairs that are the same and wrong + 1)
 *
 * with ten of them where nothing was heard. A word of strength s is a mixture as in reliability_confusion.c, a value
 * that is named by nobody having the chance 1/(f + 1); a voice that names several values of one item shares its word
 * among them. "Not x" is right where x is false: q_v against 1 - q_v.
 *
 * Since all labels are treated alike and none has a share of its own, none can die out; accuracy is kept within 1..99
 * %, and shrinks to the crowd's, so that two voices that know only one another can't grow certain. */
#include "base/check.h"
#include "cortex/reliability_model.h"

#include <math.h>
#include <string.h>

static const double accuracy_min = 0.01, accuracy_max = 0.99;
/* What the crowd says is at least so much likelier for being said; q f / (1 - q) of the crowd's q. Without a bound,
 * voices that repeat errors make f small, and all that is said count against itself. Half way, in odds, from a coin to
 * REL_TRUST. */
static const double believed_least = 2;
static const double false_values_min = 1, false_values_max = 1e6;

/* How much likelier the answer is where its value is true. */
static double bayes_factor(double accuracy, double s, double false_values)
{
    double noise = 1 / (false_values + 1);
    return (s * accuracy + (1 - s) * noise) / (s * (1 - accuracy) / false_values + (1 - s) * noise);
}

/* What is left of each word of a voice that supports several values. */
static double share_of_word(const struct rel_item *item, size_t from, size_t end)
{
    double total = 0;
    for (size_t a = from; a < end; a++)
        total += item->answers[a].support;
    return total > 1 ? 1 / total : 1;
}

/* Nothing overflows; what falls behind by 1e-300 is out of the race. */
static void rescale(double *weights, size_t count)
{
    for (size_t v = 0; v < count; v++)
        weights[v] = fmax(weights[v] * 1e-100, 1e-300);
}

/* Values that nobody named. Of a closed set there may be none left, of an open one there is always another. */
static double unnamed(const struct rel_state *state, const struct rel_item *item)
{
    double left = state->false_values + 1 - item->value_count;
    return fmax(left, state->method == REL_ONE_COIN ? 1e-12 : 1);
}

void coin_weigh(const struct rel_state *state, const struct rel_item *item, double *weights)
{
    for (uint32_t v = 0; v < item->value_count; v++)
        weights[v] = 1;
    weights[item->value_count] = state->prior * unnamed(state, item);
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        double share = share_of_word(item, from, end);
        size_t row = rel_voice_row(state, item->answers[from].voice);
        double accuracy = state->accuracies[row], count = state->counts[row];
        for (size_t a = from; a < end; a++) {
            const struct rel_answer *answer = &item->answers[a];
            double *weight = &weights[answer->value];
            double support = answer->support * share * count, refute = answer->refute * count;
            if (support > 0) *weight *= bayes_factor(accuracy, support, state->false_values);
            if (refute > 0) *weight /= bayes_factor(accuracy, refute, 1);
            *weight = fmax(*weight, 1e-300);
            if (*weight > 1e100) rescale(weights, (size_t)item->value_count + 1);
        }
    }
}

struct learner {
    const struct rel_data *data;
    struct rel_state *state;
    double *answers, *right, *before; /* by voice; before: right in the step before */
    double *weights, *heads;          /* scratch, by value: weights; sum of strengths */
    double pairs, same;               /* expected pairs of wrong answers, and those of them that agree */
    double heard, moved;              /* sum of answers; share of it that moved in this step */
    bool counts_pairs;                /* false values are learned */
};

static void count_voice(struct learner *learner, const struct rel_item *item, size_t from, size_t end)
{
    double share = share_of_word(item, from, end);
    uint32_t voice = item->answers[from].voice;
    for (size_t a = from; a < end; a++) {
        const struct rel_answer *answer = &item->answers[a];
        double p = learner->weights[answer->value], support = answer->support * share;
        learner->right[voice] += support * p + answer->refute * (1 - p);
        learner->answers[voice] += support + answer->refute;
        learner->heads[answer->value] += support;
    }
}

static void count_pairs(struct learner *learner, uint32_t values)
{
    double all = 0;
    for (uint32_t v = 0; v < values; v++)
        all += learner->heads[v];
    for (uint32_t v = 0; v < values; v++) {
        double mine = learner->heads[v], others = all - mine, p = learner->weights[v];
        if (others > 1) learner->pairs += p * others * (others - 1);
        if (mine > 1) learner->same += (1 - p) * mine * (mine - 1);
    }
}

/* weights hold what is believed of the item. */
static void count_item(struct learner *learner, const struct rel_item *item)
{
    for (uint32_t v = 0; v < item->value_count; v++)
        learner->heads[v] = 0;
    for (size_t from = 0, end; from < item->answer_count; from = end) {
        end = rel_voice_end(item, from);
        count_voice(learner, item, from, end);
    }
    if (learner->counts_pairs) count_pairs(learner, item->value_count);
}

static void believe_votes(struct learner *learner, const struct rel_item *item)
{
    double total = 0;
    for (uint32_t v = 0; v < item->value_count; v++)
        learner->weights[v] = 0;
    for (size_t a = 0; a < item->answer_count; a++) {
        learner->weights[item->answers[a].value] += item->answers[a].support;
        total += item->answers[a].support;
    }
    for (uint32_t v = 0; total > 0 && v < item->value_count; v++)
        learner->weights[v] /= total;
}

static void believe_voices(struct learner *learner, const struct rel_item *item)
{
    coin_weigh(learner->state, item, learner->weights);
    double total = 0;
    for (size_t v = 0; v <= item->value_count; v++)
        total += learner->weights[v];
    double share = 1 / total;
    for (uint32_t v = 0; v < item->value_count; v++)
        learner->weights[v] *= share;
}

static void learn_accuracies(struct learner *learner)
{
    struct rel_state *state = learner->state;
    double right = 0, moved = 0;
    learner->heard = 0;
    for (size_t v = 0; v < state->voice_count; v++) {
        right += learner->right[v];
        learner->heard += learner->answers[v];
        moved += fabs(learner->right[v] - learner->before[v]);
    }
    learner->moved = learner->heard > 0 ? moved / learner->heard : 0;
    double crowd = (right + REL_SHRINKAGE * REL_TRUST) / (learner->heard + REL_SHRINKAGE);
    /* A stranger's word speaks for what it says. */
    double least = believed_least / (believed_least + state->false_values);
    if (!learner->counts_pairs) crowd = fmax(crowd, least);
    struct rel_scatter scatter = { 0 };
    for (size_t v = 0; v < state->voice_count; v++)
        rel_scatter_add(&scatter, learner->answers[v], learner->right[v] - crowd * learner->answers[v]);
    double likeness = rel_scatter_likeness(&scatter, crowd);
    for (size_t v = 0; v <= state->voice_count; v++) {
        double answers = v < state->voice_count ? learner->answers[v] : 0;
        double mine = v < state->voice_count ? learner->right[v] : 0;
        double accuracy = (mine + likeness * crowd) / (answers + likeness);
        state->accuracies[v] = fmin(fmax(accuracy, accuracy_min), accuracy_max);
    }
    if (!learner->counts_pairs) return;
    double false_values = (learner->pairs + 10) / (learner->same + 1);
    double needed = believed_least * (1 - crowd) / fmax(crowd, accuracy_min);
    state->false_values = fmin(fmax(false_values, fmax(needed, false_values_min)), false_values_max);
}

static void step_on(struct learner *learner, bool first)
{
    double *right = learner->before;
    learner->before = learner->right;
    learner->right = right;
    learner->pairs = learner->same = 0;
    for (size_t v = 0; v < learner->state->voice_count; v++)
        learner->right[v] = learner->answers[v] = 0;
    for (size_t i = 0; i < learner->data->item_count; i++) {
        const struct rel_item *item = &learner->data->items[i];
        if (!rel_is_checked(item)) continue;
        if (first)
            believe_votes(learner, item);
        else
            believe_voices(learner, item);
        count_item(learner, item);
    }
    learn_accuracies(learner);
}

static size_t most_values(const struct rel_data *data)
{
    size_t most = 0;
    for (size_t i = 0; i < data->item_count; i++)
        if (data->items[i].value_count > most) most = data->items[i].value_count;
    return most;
}

steme_status coin_learn(const struct rel_data *data, struct arena *arena, struct rel_state *out, size_t *steps_out,
                        struct steme_error *err)
{
    out->accuracies = arena_calloc(arena, data->voice_count + 1, sizeof *out->accuracies);
    if (!out->accuracies) return arena_full(arena, err);
    struct arena_mark mark = arena_mark(arena);
    struct learner learner = { .data = data, .state = out, .counts_pairs = out->method == REL_SOURCE_ACCURACY };
    size_t values = most_values(data) + 1;
    learner.answers = arena_calloc(arena, data->voice_count, sizeof *learner.answers);
    learner.right = arena_calloc(arena, data->voice_count, sizeof *learner.right);
    learner.before = arena_calloc(arena, data->voice_count, sizeof *learner.before);
    learner.weights = arena_calloc(arena, values, sizeof *learner.weights);
    learner.heads = arena_calloc(arena, values, sizeof *learner.heads);
    bool full = !learner.answers || !learner.right || !learner.before || !learner.weights || !learner.heads;
    if (full) return arena_full(arena, err);

    step_on(&learner, true);
    size_t step = 0;
    do {
        step_on(&learner, false);
        step++;
    } while (step < REL_STEPS_MAX && learner.moved > REL_STILL);
    arena_rewind(arena, mark);
    *steps_out = step;
    return STEME_OK;
}
