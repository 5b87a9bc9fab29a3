/* SPDX-License-Identifier: Apache-2.0 */
/* A public set with known truth, from the shared test data: claims.tsv (or claims.tsv.gz) and truth.tsv as they are, as
 * rel_data or as measures. */
#ifndef TESTS_UNIT_CORTEX_TRUTH_SET_H
#define TESTS_UNIT_CORTEX_TRUTH_SET_H

#include "cortex/reliability.h"
#include "slot.h"

/* Texts to numbers, in the order in which they come. */
struct names {
    char **texts;
    uint32_t *table; /* number + 1; 0: free */
    size_t count, capacity;
};

struct truth_row {
    uint32_t item, voice, label;
};

struct truth_set {
    struct names voices, items, labels;
    struct truth_row *rows; /* by item, voice, label */
    size_t row_count;
    struct rel_item *rel_items;
    struct rel_answer *answers;
    uint32_t *values;
    struct rel_data data;
    uint32_t *truths; /* by item: label, or one of the two below */
    double *numbers;  /* by item: the truth as a number, where it is one */
    size_t truth_count;
};

#define TRUTH_UNKNOWN UINT32_MAX
#define TRUTH_UNSAID (UINT32_MAX - 1) /* one that nobody said of any item */

struct truth_score {
    double accuracy, log_loss, brier, ece;
};

static inline size_t names_slot(const struct names *names, const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 1099511628211u;
    size_t at = hash & (names->capacity - 1);
    while (names->table[at] && strcmp(names->texts[names->table[at] - 1], text) != 0)
        at = (at + 1) & (names->capacity - 1);
    return at;
}

static inline void names_grow(struct names *names)
{
    size_t capacity = names->capacity ? names->capacity * 2 : 1024;
    free(names->table);
    names->table = calloc(capacity, sizeof *names->table);
    names->texts = realloc(names->texts, capacity * sizeof *names->texts);
    assert_true(names->table && names->texts);
    names->capacity = capacity;
    for (size_t n = 0; n < names->count; n++)
        names->table[names_slot(names, names->texts[n])] = (uint32_t)n + 1;
}

/* UINT32_MAX for one that is new, unless it is to be added. */
static inline uint32_t names_number(struct names *names, const char *text, bool add)
{
    if (2 * (names->count + 1) > names->capacity) names_grow(names);
    size_t at = names_slot(names, text);
    if (names->table[at]) return names->table[at] - 1;
    if (!add) return UINT32_MAX;
    names->texts[names->count] = strdup(text);
    names->table[at] = (uint32_t)++names->count;
    return names->table[at] - 1;
}

static inline void names_free(struct names *names)
{
    for (size_t n = 0; n < names->count; n++)
        free(names->texts[n]);
    free(names->texts);
    free(names->table);
}

/* A file of the set, unpacked where it has to be; NULL if it is not there. */
static inline FILE *truth_open(const char *name, const char *file, bool *is_pipe)
{
    char part[128], command[4096];
    snprintf(part, sizeof part, "truth/%s/%s", name, file);
    char *path = testing_data_path(part);
    if (!path) return NULL;
    *is_pipe = strlen(file) > 3 && strcmp(file + strlen(file) - 3, ".gz") == 0;
    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    FILE *in = *is_pipe ? popen(command, "r") : fopen(path, "r");
    free(path);
    return in;
}

/* Tab-separated fields of a line, at most `most`; the rest are empty. */
static inline bool truth_line(FILE *in, char **line, size_t *capacity, char **fields, size_t most)
{
    ssize_t length = getline(line, capacity, in);
    if (length <= 0) return false;
    if ((*line)[length - 1] == '\n') (*line)[length - 1] = 0;
    char *at = *line;
    for (size_t f = 0; f < most; f++) {
        fields[f] = at;
        size_t field = strcspn(at, "\t");
        at += field;
        if (*at) *at++ = 0;
    }
    return true;
}

static inline int truth_compare_rows(const void *left, const void *right)
{
    const struct truth_row *a = left, *b = right;
    if (a->item != b->item) return a->item < b->item ? -1 : 1;
    if (a->voice != b->voice) return a->voice < b->voice ? -1 : 1;
    return (a->label > b->label) - (a->label < b->label);
}

static inline void truth_read_claims(struct truth_set *set, FILE *in)
{
    char *line = NULL, *fields[4], slot[4096];
    size_t capacity = 0, room = 0;
    assert_true(truth_line(in, &line, &capacity, fields, 4)); /* the heading */
    while (truth_line(in, &line, &capacity, fields, 4)) {
        if (set->row_count == room) {
            room = room ? 2 * room : 4096;
            set->rows = realloc(set->rows, room * sizeof *set->rows);
            assert_non_null(set->rows);
        }
        snprintf(slot, sizeof slot, "%s\t%s", fields[1], fields[2]);
        struct truth_row *row = &set->rows[set->row_count++];
        row->voice = names_number(&set->voices, fields[0], true);
        row->item = names_number(&set->items, slot, true);
        row->label = names_number(&set->labels, fields[3], true);
    }
    free(line);
    qsort(set->rows, set->row_count, sizeof *set->rows, truth_compare_rows);
}

static inline void truth_read_truths(struct truth_set *set, FILE *in)
{
    char *line = NULL, *fields[3], slot[4096];
    size_t capacity = 0;
    set->truths = malloc((set->items.count + 1) * sizeof *set->truths);
    set->numbers = calloc(set->items.count + 1, sizeof *set->numbers);
    assert_true(set->truths && set->numbers);
    for (size_t i = 0; i < set->items.count; i++)
        set->truths[i] = TRUTH_UNKNOWN;
    assert_true(truth_line(in, &line, &capacity, fields, 3));
    while (truth_line(in, &line, &capacity, fields, 3)) {
        snprintf(slot, sizeof slot, "%s\t%s", fields[0], fields[1]);
        uint32_t item = names_number(&set->items, slot, false);
        uint32_t label = names_number(&set->labels, fields[2], false);
        assert_true(item != UINT32_MAX);
        set->truths[item] = label == UINT32_MAX ? TRUTH_UNSAID : label;
        set->numbers[item] = strtod(fields[2], NULL);
        set->truth_count++;
    }
    free(line);
}

static inline void truth_make_items(struct truth_set *set)
{
    /* one more than needed: no room is none for an empty set */
    set->rel_items = calloc(set->items.count + 1, sizeof *set->rel_items);
    set->answers = calloc(set->row_count + 1, sizeof *set->answers);
    set->values = calloc(set->row_count + 1, sizeof *set->values);
    assert_true(set->rel_items && set->answers && set->values);
    size_t value_count = 0;
    for (size_t from = 0, to; from < set->row_count; from = to) {
        uint32_t *values = set->values + value_count, count = 0;
        for (to = from; to < set->row_count && set->rows[to].item == set->rows[from].item; to++) {
            uint32_t v = 0;
            while (v < count && values[v] != set->rows[to].label)
                v++;
            if (v == count) values[count++] = set->rows[to].label;
            set->answers[to] = (struct rel_answer){ set->rows[to].voice, v, 1, 0 };
        }
        value_count += count;
        set->rel_items[set->rows[from].item] = (struct rel_item){ values, set->answers + from, to - from, count };
    }
    set->data = (struct rel_data){ set->rel_items, set->items.count, set->voices.count, set->labels.count };
}

static inline void truth_free(struct truth_set *set)
{
    names_free(&set->voices);
    names_free(&set->items);
    names_free(&set->labels);
    free(set->rows);
    free(set->rel_items);
    free(set->answers);
    free(set->values);
    free(set->truths);
    free(set->numbers);
}

/* False where the set is not there. */
static inline bool truth_load(const char *name, bool packed, struct truth_set *set)
{
    *set = (struct truth_set){ 0 };
    bool is_pipe = false;
    FILE *in = truth_open(name, packed ? "claims.tsv.gz" : "claims.tsv", &is_pipe);
    if (!in) return false;
    truth_read_claims(set, in);
    if (is_pipe)
        assert_int_equal(pclose(in), 0);
    else
        fclose(in);
    in = truth_open(name, "truth.tsv", &is_pipe);
    assert_non_null(in);
    truth_read_truths(set, in);
    fclose(in);
    truth_make_items(set);
    return true;
}

struct truth_bins {
    double top[10], hit[10];
};

/* Add one judged item. What p leaves to none of these is spread over `spread` values: all of a closed set, those of the
 * item of an open one. */
static inline void truth_count(const struct rel_item *item, const double *p, uint32_t truth, size_t spread,
                               struct truth_score *score, struct truth_bins *bins)
{
    double total = 0, top = 0, of_truth = 0, squares = 0;
    bool named = false;
    for (uint32_t v = 0; v < item->value_count; v++)
        total += p[v];
    double rest = (1 - total) / (double)spread;
    size_t ties = 0, hits = 0;
    for (uint32_t v = 0; v < item->value_count; v++) {
        double q = p[v] + rest;
        if (q > top + 1e-12) ties = hits = 0;
        if (q > top - 1e-12) {
            ties++;
            hits += item->labels[v] == truth;
            top = fmax(top, q);
        }
        bool is_truth = item->labels[v] == truth;
        if (is_truth) of_truth = q;
        named |= is_truth;
        squares += (q - is_truth) * (q - is_truth);
    }
    size_t unsaid = spread - item->value_count;
    if (!named && unsaid > 0 && truth < TRUTH_UNSAID) {
        of_truth = rest;
        squares += (1 - rest) * (1 - rest) + (double)(unsaid - 1) * rest * rest;
    } else {
        squares += (double)unsaid * rest * rest + (named ? 0 : 1);
    }
    double hit = (double)hits / (double)ties;
    score->accuracy += hit;
    score->log_loss -= log(fmax(of_truth, 1e-6));
    score->brier += squares;
    size_t bin = top < 1 ? (size_t)(top * 10) : 9;
    bins->top[bin] += top;
    bins->hit[bin] += hit;
}

/* model NULL: shares of the vote. */
static inline struct truth_score truth_score(const struct truth_set *set, const struct rel_model *model,
                                             struct arena *arena)
{
    struct truth_score score = { 0 };
    struct truth_bins bins = { 0 };
    bool closed = set->data.label_count <= REL_LABELS_MAX;
    for (size_t i = 0; i < set->data.item_count; i++) {
        const struct rel_item *item = &set->rel_items[i];
        if (set->truths[i] == TRUTH_UNKNOWN) continue;
        double *p = calloc(item->value_count, sizeof *p);
        assert_non_null(p);
        struct steme_error err;
        if (model) assert_status(rel_judge(model, item, arena, p, &err), STEME_OK, &err, "judge");
        for (size_t a = 0; !model && a < item->answer_count; a++)
            p[item->answers[a].value] += 1.0 / (double)item->answer_count;
        truth_count(item, p, set->truths[i], closed ? set->data.label_count : item->value_count, &score, &bins);
        free(p);
    }
    double n = (double)set->truth_count;
    for (size_t b = 0; b < 10; b++)
        score.ece += fabs(bins.top[b] - bins.hit[b]) / n;
    score.accuracy /= n;
    score.log_loss /= n;
    score.brier /= n;
    return score;
}

#endif
