/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdio.h>

static void put_text(FILE *file, const char *name, const char *text)
{
    fprintf(file, "\"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        fputc(*text, file);
    }
    fputs("\", ", file);
}

static void put_numbers(FILE *file, const char *name, const double *values, size_t count)
{
    fprintf(file, "\"%s\": [", name);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%.9g", i ? ", " : "", values[i]);
    fputs("], ", file);
}

void json_line(const struct figure *figure, const char *path)
{
    FILE *file = fopen(path, "ae");
    must_hold(file != NULL, path);
    struct spread ratio = figure_ratio(figure);
    fputc('{', file);
    put_text(file, "letter", figure->letter);
    put_text(file, "what", figure->what);
    put_text(file, "unit", figure->unit);
    put_numbers(file, "ours", figure->ours, figure->rounds);
    put_numbers(file, "theirs", figure->theirs, figure->rounds);
    fprintf(file, "\"ratio\": {\"least\": %.6g, \"median\": %.6g, \"most\": %.6g}, ", ratio.least, ratio.median,
            ratio.most);
    fprintf(file, "\"%s\": %.6g, ", figure->bound == FIGURE_AT_LEAST ? "at_least" : "at_most", figure->limit);
    put_text(file, "note", figure->note);
    fprintf(file, "\"met\": %s}\n", figure_met(figure) ? "true" : "false");
    must_hold(fclose(file) == 0, path);
}

void report(const struct figure *figure, const struct options *options)
{
    table_row(figure);
    if (options->json) json_line(figure, options->json);
}
