/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/card/chart.h"
#include "base/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Of the plot, in its own units. The legend stands right of the frame; where it needs more, the picture grows. */
enum {
    WIDTH = 720,
    HEIGHT = 440,
    LEFT = 64,
    TOP = 64,
    SIDE = 320,
    ACROSS = 480,
    LEGEND = LEFT + ACROSS + 32,
    LEGEND_NAME = LEGEND + 46,
    LEGEND_STEP = 24,
    MARGIN = 16,
    TICKS = 4
};

enum { MARKS = 4 };
#define NAME_MAX_WIDTH 520.0 /* forty of the widest letters */
#define TITLE_SCALE 1.4      /* it is larger, and bold */

/* Okabe and Ito's colours, which people with any colour vision tell apart; dashes and marks say the same. */
static const struct {
    const char *colour, *dashes;
} styles[] = {
    { "#0072b2", "" },     { "#d55e00", "8 3" },     { "#009e73", "2 3" }, { "#cc79a7", "10 3 2 3" },
    { "#e69f00", "12 5" }, { "#56b4e9", "4 2 1 2" }, { "#8c6bb1", "1 4" }, { "#999999", "6 6" },
};

/* Lines of the same colour differ in dashes, those of the same dashes in their marks: up to CHART_SERIES_MAX no two are
 * alike, with or without colour. */
static size_t dashes_of(size_t series) { return series % countof(styles); }
static size_t colour_of(size_t series) { return (series + 3 * (series / countof(styles))) % countof(styles); }
static size_t mark_of(size_t series) { return (series + series / countof(styles)) % MARKS; }

/* ---- how much room text takes ---- */

/* Of the letter that begins with this byte, in small type; rather too much, as fonts differ. */
static double letter_width(unsigned char first)
{
    if (first >= 0xE0) return 14; /* among them signs as wide as high */
    if (first >= 0xC0) return 9.5;
    if (first == 'm' || first == 'w' || first == 'M' || first == 'W' || first == '%' || first == '@') return 13;
    return first >= 'A' && first <= 'Z' ? 9.5 : 7.5;
}

static bool goes_on(char byte) { return ((unsigned char)byte & 0xC0) == 0x80; } /* within a letter of UTF-8 */

static double text_width(const char *text)
{
    double width = 0;
    for (; *text; text++)
        if (!goes_on(*text)) width += letter_width((unsigned char)*text);
    return width;
}

/* How many bytes of the text fit, whole letters only. */
static size_t text_fit(const char *text, double room)
{
    size_t end = 0;
    while (text[end]) {
        room -= letter_width((unsigned char)text[end]);
        if (room < 0) break;
        for (end++; goes_on(text[end]); end++) {
        }
    }
    return end;
}

static double name_width(const struct chart *chart)
{
    double widest = 0;
    for (size_t i = 0; i < chart->name_count; i++)
        widest = fmax(widest, text_width(chart->names[i]));
    return fmin(widest, NAME_MAX_WIDTH);
}

static int chart_width(const struct chart *chart)
{
    return (int)fmax(WIDTH, ceil(LEGEND_NAME + name_width(chart) + MARGIN));
}

static int chart_height(const struct chart *chart)
{
    return (int)fmax(HEIGHT, TOP + LEGEND_STEP * (double)chart->name_count + MARGIN);
}

/* ---- pieces ---- */

static void append_bytes(struct buf *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '<': buf_append_text(to, "&lt;"); break;
        case '>': buf_append_text(to, "&gt;"); break;
        case '&': buf_append_text(to, "&amp;"); break;
        case '"': buf_append_text(to, "&quot;"); break;
        default: buf_append(to, text + i, 1);
        }
    }
}

static void append_xml(struct buf *to, const char *text) { append_bytes(to, text, strlen(text)); }

static void append_short(struct buf *to, const char *text, double room)
{
    static const char ellipsis[] = "…";
    if (text_width(text) <= room) {
        append_xml(to, text);
        return;
    }
    append_bytes(to, text, text_fit(text, room - text_width(ellipsis)));
    append_xml(to, ellipsis);
}

/* Of the plot's area; both run from 0 to 1. */
static double place_x(double x) { return LEFT + x * ACROSS; }
static double place_y(double y) { return TOP + (1 - y) * SIDE; }

static void append_line(struct buf *to, const char *kind, double x1, double y1, double x2, double y2)
{
    buf_printf(to, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", kind, place_x(x1),
               place_y(y1), place_x(x2), place_y(y2));
}

static void append_text(struct buf *to, const char *kind, double x, double y, double room, const char *text)
{
    buf_printf(to, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", kind, x, y);
    append_short(to, text, room);
    buf_append_text(to, "</text>\n");
}

/* Disc, square, triangle, diamond. */
static void append_mark(struct buf *to, size_t series, double x, double y, double radius)
{
    double r = radius;
    size_t style = colour_of(series);
    switch (mark_of(series)) {
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
        buf_printf(to, ".s%zu { stroke: %s } .m%zu { fill: %s } .d%zu { stroke-dasharray: %s }\n", i, styles[i].colour,
                   i, styles[i].colour, i, styles[i].dashes[0] ? styles[i].dashes : "none");
    buf_append_text(to, "@media (prefers-color-scheme: dark) {\n"
                        "text { fill: #ddd } .ground { fill: #16181d } .grid { stroke: #333 } .guide { stroke: #999 }\n"
                        ".s0 { stroke: #4aa8e0 } .m0 { fill: #4aa8e0 }\n"
                        "}\n"
                        "</style>\n");
}

void chart_begin(struct buf *to, const struct chart *chart)
{
    char label[16];
    int width = chart_width(chart), height = chart_height(chart);
    double room = width - LEFT - MARGIN;
    invariant(chart->name_count <= CHART_SERIES_MAX);
    buf_printf(to,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
               "role=\"img\">\n<title>",
               width, height, width, height);
    append_xml(to, chart->title);
    buf_append_text(to, ": ");
    append_xml(to, chart->what);
    buf_append_text(to, "</title>\n");
    append_style(to);
    buf_append_text(to, "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n");
    append_text(to, "title", LEFT, 26, room / TITLE_SCALE, chart->title);
    append_text(to, "", LEFT, 48, room, chart->what);
    for (int i = 0; i <= TICKS; i++) {
        double at = (double)i / TICKS;
        append_line(to, "grid", 0, at, 1, at);
        append_line(to, "grid", at, 0, at, 1);
        snprintf(label, sizeof label, "%d %%", 100 * i / TICKS);
        append_text(to, "end", LEFT - 8, place_y(at) + 4, LEFT, label);
        append_text(to, "middle", place_x(at), TOP + SIDE + 20, LEFT, label);
    }
    append_text(to, "middle", place_x(0.5), TOP + SIDE + 44, ACROSS, chart->across);
    snprintf(label, sizeof label, "%d", TOP + SIDE / 2);
    buf_printf(to, "<text class=\"middle\" transform=\"translate(16 %s) rotate(-90)\">", label);
    append_xml(to, chart->up);
    buf_append_text(to, "</text>\n");
}

static void append_legend(struct buf *to, size_t series, const char *name)
{
    double y = TOP + 12 + (double)series * LEGEND_STEP;
    buf_printf(to, "<line class=\"line s%zu d%zu\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", colour_of(series),
               dashes_of(series), LEGEND, y, LEGEND + 36, y);
    append_mark(to, series, LEGEND + 18, y, 4);
    append_text(to, "", LEGEND_NAME, y + 4, NAME_MAX_WIDTH, name);
}

/* ---- what is drawn ---- */

void chart_guide(struct buf *to, double x1, double y1, double x2, double y2)
{
    append_line(to, "guide", x1, y1, x2, y2);
}

void chart_series(struct buf *to, const struct chart *chart, size_t series, const struct chart_point *points,
                  size_t count)
{
    invariant(series < chart->name_count);
    buf_printf(to, "<polyline class=\"line s%zu d%zu\" points=\"", colour_of(series), dashes_of(series));
    for (size_t i = 0; i < count; i++)
        buf_printf(to, "%s%.1f,%.1f", i ? " " : "", place_x(points[i].x), place_y(points[i].y));
    buf_append_text(to, "\"/>\n");
    for (size_t i = 0; i < count; i++)
        append_mark(to, series, place_x(points[i].x), place_y(points[i].y), points[i].radius);
    append_legend(to, series, chart->names[series]);
}

void chart_card(struct buf *to, const struct chart *chart, size_t series, const struct card *card)
{
    struct chart_point points[CARD_BINS];
    size_t count = 0;
    for (size_t b = 0; b < CARD_BINS; b++) {
        const struct card_bin *bin = &card->bins[b];
        if (bin->count == 0) continue;
        points[count++] = (struct chart_point){ bin->said / bin->count, bin->right / bin->count,
                                                2.5 + 6 * sqrt((double)bin->count / card->questions) };
    }
    chart_series(to, chart, series, points, count);
}

void chart_end(struct buf *to) { buf_append_text(to, "</svg>\n"); }
