/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/arena/plot.h"
#include "base/check.h"
#include "faces/card/chart.h"

enum { POINTS_MAX = 64 };

static double share_of(const struct scenario *scenario, uint32_t attackers)
{
    double others = scenario_others(scenario);
    bool among = scenario->attackers && scenario->attackers->kind == SCENARIO_COMPROMISED;
    return attackers / (among ? others : others + attackers);
}

/* Of the lenses that have a row of the kind, in order. */
static size_t list_names(const struct contest *contest, bool numbers, const char *out[SCENARIO_LENSES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < contest->row_count; i++)
        if (contest->rows[i].numbers == numbers) out[count++] = contest->rows[i].lens->name;
    return count;
}

void plot_attack(const struct contest *contest, bool numbers, struct buf *to)
{
    const struct scenario *scenario = contest->scenario;
    const char *names[SCENARIO_LENSES_MAX];
    struct chart chart = { .title = scenario->name,
                           .what = numbers ? "measurements answered right" : "questions answered right",
                           .across = "share of attackers among all who answer",
                           .up = "right answers",
                           .names = names,
                           .name_count = list_names(contest, numbers, names) };
    chart_begin(to, &chart);
    chart_guide(to, 0, 0.5, 1, 0.5);
    double here = share_of(scenario, scenario_attack(scenario));
    chart_guide(to, here, 0, here, 1);
    size_t series = 0;
    for (size_t i = 0; i < contest->row_count; i++) {
        const struct contest_row *row = &contest->rows[i];
        struct chart_point points[POINTS_MAX];
        if (row->numbers != numbers) continue;
        invariant(row->point_count <= POINTS_MAX);
        for (size_t p = 0; p < row->point_count; p++)
            points[p] = (struct chart_point){ share_of(scenario, row->points[p].attackers),
                                              card_accuracy(&row->points[p].card), 3 };
        chart_series(to, &chart, series++, points, row->point_count);
    }
    chart_end(to);
}

void plot_calibration(const struct contest *contest, bool numbers, struct buf *to)
{
    const char *names[SCENARIO_LENSES_MAX];
    struct chart chart = { .title = contest->scenario->name,
                           .what = numbers ? "measurements: what is said, and what is so"
                                           : "what is said, and what is so",
                           .across = "probability stated",
                           .up = "right answers",
                           .names = names,
                           .name_count = list_names(contest, numbers, names) };
    chart_begin(to, &chart);
    chart_guide(to, 0, 0, 1, 1);
    size_t series = 0;
    for (size_t i = 0; i < contest->row_count; i++)
        if (contest->rows[i].numbers == numbers) chart_card(to, &chart, series++, &contest->rows[i].card);
    chart_end(to);
}
