/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/card/card.h"
#include "base/check.h"

#include <math.h>

#define LEAST_CHANCE 1e-6 /* what the format of records resolves */
#define SAME_CHANCE 1e-9  /* apart by rounding only */

static void add_bin(struct card *card, double said, double credit)
{
    size_t bin = said < 1 ? (size_t)(said * CARD_BINS) : CARD_BINS - 1;
    card->bins[bin].count++;
    card->bins[bin].said += said;
    card->bins[bin].right += credit;
}

void card_add_choice(struct card *card, const double *chances, size_t count, size_t truth, bool settled)
{
    bool claimed = truth != CARD_NO_CHOICE;
    invariant(claimed ? truth < count : true);
    double best = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        best = fmax(best, chances[i]);
        sum += chances[i];
    }
    card->questions++;
    if (best > 0) {
        size_t ties = 0;
        for (size_t i = 0; i < count; i++)
            ties += chances[i] >= best - SAME_CHANCE;
        bool right = claimed && chances[truth] >= best - SAME_CHANCE;
        double credit = right ? 1 / (double)ties : 0;
        card->credit += credit;
        card->fooled += settled && !right;
        add_bin(card, best, credit);
    } else {
        card->unknown++;
    }
    double spread = count ? fmax(0, 1 - sum) / (double)count : 0;
    card->log_loss -= log(fmax(LEAST_CHANCE, claimed ? chances[truth] + spread : 0));
    card->brier += !claimed; /* of the right one, which was given nothing */
    for (size_t i = 0; i < count; i++) {
        double off = chances[i] + spread - (i == truth);
        card->brier += off * off;
    }
}

void card_add_number(struct card *card, bool unknown, bool right, double chance, bool settled)
{
    card->questions++;
    if (unknown) {
        card->unknown++;
        chance = 0.5;
    } else {
        card->credit += right;
        card->fooled += settled && !right;
        add_bin(card, chance, right);
    }
    card->log_loss -= log(fmax(LEAST_CHANCE, right ? chance : 1 - chance));
    card->brier += (chance - right) * (chance - right);
}

static double mean(const struct card *card, double sum) { return card->questions ? sum / card->questions : 0; }

double card_accuracy(const struct card *card) { return mean(card, card->credit); }
double card_unknown(const struct card *card) { return mean(card, card->unknown); }
double card_fooled(const struct card *card) { return mean(card, card->fooled); }
double card_log_loss(const struct card *card) { return mean(card, card->log_loss); }
double card_brier(const struct card *card) { return mean(card, card->brier); }

double card_calibration(const struct card *card)
{
    double sum = 0;
    uint32_t answered = 0;
    for (size_t i = 0; i < CARD_BINS; i++) {
        sum += fabs(card->bins[i].said - card->bins[i].right);
        answered += card->bins[i].count;
    }
    return answered ? sum / answered : 0;
}
