/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS "%-2s %-72s %-13s %-13s %-21s %-9s %s\n"

/* Three digits and a unit: "46.8 k rec/s". */
static void put_value(char *to, size_t size, double value, const char *unit)
{
    static const struct {
        double from;
        const char *prefix;
    } scales[] = { { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" }, { 0, "" } };
    size_t i = 0;
    while (value < scales[i].from)
        i++;
    double shown = scales[i].from > 0 ? value / scales[i].from : value;
    int decimals = shown < 10 ? 2 : shown < 100 ? 1 : 0;
    snprintf(to, size, "%.*f %s%s", decimals, shown, scales[i].prefix, unit);
}

void table_head(void)
{
    printf(COLUMNS, "", "what / against what, in the same round", "ours", "theirs", "ratio (least..most)", "wanted",
           "");
}

void table_row(const struct figure *figure)
{
    char ours[32], theirs[32], ratio[48], wanted[24];
    struct spread spread = figure_ratio(figure);
    put_value(ours, sizeof ours, spread_of(figure->ours, figure->rounds).median, figure->unit);
    put_value(theirs, sizeof theirs, spread_of(figure->theirs, figure->rounds).median, figure->unit);
    snprintf(ratio, sizeof ratio, "%.3g (%.3g..%.3g)", spread.median, spread.least, spread.most);
    snprintf(wanted, sizeof wanted, "%s %.3g", figure->bound == FIGURE_AT_LEAST ? ">=" : "<=", figure->limit);
    printf(COLUMNS, figure->letter, figure->what, ours, theirs, ratio, wanted, figure_met(figure) ? "PASS" : "FAIL");
    if (figure->note[0]) printf("   - %s\n", figure->note);
    fflush(stdout);
}
