/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and marks over a square of 0..1 by 0..1, as SVG that is readable on light and on dark ground and without
 * colour. Pure; the buffer's first failure sticks. */
#ifndef CARD_CHART_H
#define CARD_CHART_H

#include "base/buf.h"
#include "faces/card/card.h"

enum { CHART_SERIES_MAX = 32 };

struct chart {
    const char *title, *what; /* two lines on top; cut with an ellipsis where the picture ends */
    const char *across, *up;  /* what the axes are */
    /* Of the lines, for the legend: the picture grows with it. At most CHART_SERIES_MAX, no two drawn alike. */
    const char *const *names;
    size_t name_count;
};

struct chart_point {
    double x, y;
    double radius; /* of its mark */
};

/* Frame, axes and style; then guides and series; then the end. */
void chart_begin(struct buf *to, const struct chart *chart);
/* A dashed line. */
void chart_guide(struct buf *to, double x1, double y1, double x2, double y2);
/* The n-th line, n from 0 and below name_count, with its name in the legend. */
void chart_series(struct buf *to, const struct chart *chart, size_t series, const struct chart_point *points,
                  size_t count);
/* The same of a card: what is said across, what is so up, marks by how many answers a tenth has. */
void chart_card(struct buf *to, const struct chart *chart, size_t series, const struct card *card);
void chart_end(struct buf *to);

#endif
