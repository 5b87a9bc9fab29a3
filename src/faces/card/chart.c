/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/card/chart.h"
#include "base/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Of the plot, in its own units. The legend stands right of the frame. */
enum {
    WIDTH = 720,
    HEIGHT = 440,
    LEFT = 64,
    TOP = 64,
    SIDE = 320,
    ACROSS = 480,
    LEGEND = LEFT + ACROSS + 24,
    TICKS = 4
};

/* Okabe and Ito's colours, which people with any colour vision tell apart; dashes and marks say the same. */
static const struct {
    const char *colour, *dashes;
} styles[] = {
    { "#0072b2", "" },     { "#d55e00", "8 3" },     { "#009e73", "2 3" }, { "#cc79a7", "10 3 2 3" },
    { "#e69f00", "14 4" }, { "#56b4e9", "4 2 1 2" }, { "#8c6bb1", "1 4" }, { "#999999", "6 6" },
};

static size_t style_of(size_t series) { return series % countof(styles); }

/* ---- pieces ---- */

static void append_xml(struct buf *to, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': buf_append_text(to, "&lt;"); break;
        case '>': buf_append_text(to, "&gt;"); break;
        case '&': buf_append_text(to, "&amp;"); break;
        case '"': buf_append_text(to, "&quot;"); break;
        default: buf_append(to, text, 1);
        }
    }
}

/* Of the plot's area; both run from 0 to 1. */
static double place_x(double x) { return LEFT + x * ACROSS; }
static double place_y(double y) { return TOP + (1 - y) * SIDE; }

static void append_line(struct buf *to, const char *kind, double x1, double y1, double x2, double y2)
{
    buf_printf(to, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind, place_x(x1),
               place_y(y1), place_x(x2), place_y(y2));
}

static void append_text(struct buf *to, const char *kind, double x, double y, const char *turn, const char *text)
{
    buf_printf(to, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s>", kind, x, y, turn);
    append_xml(to, text);
    buf_append_text(to, "</text>\n");
}

/* A mark of its own for each series: disc, square, triangle, diamond, then again. */
static void append_mark(struct buf *to, size_t series, double x, double y, double radius)
{
    double r = radius;
    size_t style = style_of(series);
    switch (series % 4) {
    case 0: buf_printf(to, "<circle class=\"m%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", style, x, y, r); break;
    case 1:
        buf_printf(to, "<rect class=\"m%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n", style, x - r,
                   y - r, 2 * r, 2 * r);
        break;
    case 2:
        buf_printf(to, "<path class=\"m%zu\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"/>\n", style, x, y - r, x + r, y + r,
                   x - r, y + r);
        break;
    default:
        buf_printf(to, "<path class=\"m%zu\" d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fZ\"/>\n", style, x, y - r,
                   x + r, y, x, y + r, x - r, y);
    }
}

static void append_style(struct buf *to)
{
    buf_append_text(to, "<style>\n"
                        "text { font: 13px system-ui, sans-serif; fill: #222 }\n"
                        ".title { font-size: 17px; font-weight: 600 }\n"
                        ".end { text-anchor: end }\n"
                        ".middle { text-anchor: middle }\n"
                        ".ground { fill: #fff }\n"
                        ".grid { stroke: #ddd }\n"
                        ".guide { stroke: #666; stroke-dasharray: 5 4 }\n"
                        ".line { fill: none; stroke-width: 2; stroke-linejoin: round }\n");
    for (size_t i = 0; i < countof(styles); i++)
        buf_printf(to, ".s%zu { stroke: %s%s%s } .m%zu { fill: %s }\n", i, styles[i].colour,
                   styles[i].dashes[0] ? "; stroke-dasharray: " : "", styles[i].dashes, i, styles[i].colour);
    buf_append_text(to, "@media (prefers-color-scheme: dark) {\n"
                        "text { fill: #ddd } .ground { fill: #16181d } .grid { stroke: #333 } .guide { stroke: #999 }\n"
                        ".s0 { stroke: #4aa8e0 } .m0 { fill: #4aa8e0 }\n"
                        "}\n"
                        "</style>\n");
}

void chart_begin(struct buf *to, const struct chart *chart)
{
    char label[16];
    buf_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "role=\"img\">\n<title>",
               WIDTH, HEIGHT, WIDTH, HEIGHT);
    append_xml(to, chart->title);
    buf_append_text(to, ": ");
    append_xml(to, chart->what);
    buf_append_text(to, "</title>\n");
    append_style(to);
    buf_append_text(to, "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n");
    append_text(to, "title", LEFT, 26, "", chart->title);
    append_text(to, "", LEFT, 48, "", chart->what);
    for (int i = 0; i <= TICKS; i++) {
        double at = (double)i / TICKS;
        append_line(to, "grid", 0, at, 1, at);
        append_line(to, "grid", at, 0, at, 1);
        snprintf(label, sizeof label, "%d %%", 100 * i / TICKS);
        append_text(to, "end", LEFT - 8, place_y(at) + 4, "", label);
        append_text(to, "middle", place_x(at), TOP + SIDE + 20, "", label);
    }
    append_text(to, "middle", place_x(0.5), TOP + SIDE + 44, "", chart->across);
    snprintf(label, sizeof label, "%d", TOP + SIDE / 2);
    buf_printf(to, "<text class=\"middle\" transform=\"translate(16 %s) rotate(-90)\">", label);
    append_xml(to, chart->up);
    buf_append_text(to, "</text>\n");
}

static void append_legend(struct buf *to, size_t series, const char *name)
{
    double y = TOP + 12 + (double)series * 24;
    buf_printf(to, "<line class=\"line s%zu\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", style_of(series),
               LEGEND, y, LEGEND + 36, y);
    append_mark(to, series, LEGEND + 18, y, 4);
    append_text(to, "", LEGEND + 46, y + 4, "", name);
}

/* ---- what is drawn ---- */

void chart_guide(struct buf *to, double x1, double y1, double x2, double y2)
{
    append_line(to, "guide", x1, y1, x2, y2);
}

void chart_series(struct buf *to, size_t series, const char *name, const struct chart_point *points, size_t count)
{
    buf_printf(to, "<polyline class=\"line s%zu\" points=\"", style_of(series));
    for (size_t i = 0; i < count; i++)
        buf_printf(to, "%s%.1f,%.1f", i ? " " : "", place_x(points[i].x), place_y(points[i].y));
    buf_append_text(to, "\"/>\n");
    for (size_t i = 0; i < count; i++)
        append_mark(to, series, place_x(points[i].x), place_y(points[i].y), points[i].radius);
    append_legend(to, series, name);
}

void chart_card(struct buf *to, size_t series, const char *name, const struct card *card)
{
    struct chart_point points[CARD_BINS];
    size_t count = 0;
    for (size_t b = 0; b < CARD_BINS; b++) {
        const struct card_bin *bin = &card->bins[b];
        if (bin->count == 0) continue;
        points[count++] = (struct chart_point){ bin->said / bin->count, bin->right / bin->count,
                                                2.5 + 6 * sqrt((double)bin->count / card->questions) };
    }
    chart_series(to, series, name, points, count);
}

void chart_end(struct buf *to) { buf_append_text(to, "</svg>\n"); }
