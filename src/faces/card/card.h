/* SPDX-License-Identifier: Apache-2.0 */
/* A score card: how good the answers of one lens are, by what is true. Pure; sums are taken in the order given. */
#ifndef CARD_CARD_H
#define CARD_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARD_NO_CHOICE SIZE_MAX

enum { CARD_BINS = 10 };

/* Answers whose stated probability lies in one tenth of 0..1. */
struct card_bin {
    uint32_t count;
    double said;  /* sum of the probabilities stated */
    double right; /* sum of the credits earned */
};

struct card {
    uint32_t questions;
    uint32_t unknown; /* nothing was answered */
    uint32_t fooled;  /* settled, and wrong */
    double credit;    /* one for a right answer, 1/k where k claims share the top and the right one is among them */
    double log_loss;  /* sums; see card_add_choice() */
    double brier;
    struct card_bin bins[CARD_BINS];
};

/* An answer to a question with choices. chances[0..count) are the probabilities of the choices, summing to at most 1;
 * what is missing is spread evenly over all of them before log loss (of the right one) and Brier score (over all
 * choices) are taken, so that knowing nothing costs what guessing evenly costs. Without any probability the answer is
 * unknown. truth CARD_NO_CHOICE: the right one is not among them, which is wrong; its probability counts as the least
 * there is, and no choice is right. Then count may be 0. */
void card_add_choice(struct card *card, const double *chances, size_t count, size_t truth, bool settled);
/* An answer by a number: it is right, and was said to be with this probability. unknown counts as an even chance. */
void card_add_number(struct card *card, bool unknown, bool right, double chance, bool settled);

/* Means over the questions; 0 for a card without any. */
double card_accuracy(const struct card *card);
double card_unknown(const struct card *card);
double card_fooled(const struct card *card);
double card_log_loss(const struct card *card); /* nats; a probability under 1e-6 counts as 1e-6 */
double card_brier(const struct card *card);
/* Expected calibration error over the answers given: how far what is said lies from what is so, by tenths. */
double card_calibration(const struct card *card);

#endif
