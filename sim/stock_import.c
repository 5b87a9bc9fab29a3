/* SPDX-License-Identifier: Apache-2.0 */
/* An importer at work: tables of measurements and names relayed from sources, in bundles that overlap, come twice, or
 * come again row by row; now and then a batch of loose rows, and a little checking of what came in. */
#include "sim/stock.h"

#include "base/slice.h"

enum { TABLES = 60, ROWS_MAX = 64, SOURCES = 9, SUBJECTS = 6, LOOSE = 60, CHECKS = 40 };

struct importer {
    struct stock *stock;
    struct prng prng;
    struct steme_slice sources[SOURCES], subjects[SUBJECTS];
    struct steme_slice kinds[4], radius, is_a, part_of, unit_km, unit_m, long_text;
    struct steme_slice of, page, day, night, uri[3], locator, essay;
    struct steme_hash ids[4096]; /* of those, for parents and evidence */
    size_t assertions[4096];
    size_t assertion_count;
};

static int64_t near_noon(struct prng *prng)
{
    return STOCK_NOON_US + (int64_t)prng_below(prng, 2000) * 1000000 - 500000000;
}

static struct steme_decimal tenths(int64_t coefficient)
{
    struct steme_decimal decimal = { coefficient, 1 };
    while (decimal.coefficient && decimal.coefficient % 10 == 0) {
        decimal.coefficient /= 10;
        decimal.scale--;
    }
    return decimal;
}

static struct steme_value measured(struct importer *in)
{
    struct prng *prng = &in->prng;
    int64_t amount = 2370 + (int64_t)prng_below(prng, 12), error = 1 + (int64_t)prng_below(prng, 7);
    struct steme_value value = { .kind = STEME_QUANTITY, .amount = tenths(amount), .unit = in->unit_km };
    if (prng_chance(prng, 60)) value.unit = in->unit_m;
    value.has_bounds = !prng_chance(prng, 100);
    if (!value.has_bounds) return value;
    value.lower = tenths(amount - error);
    value.upper = tenths(amount + error);
    return value;
}

/* What rows lean on and are told of: qualifiers, evidence, parents. In the stock's arena. */
static void draw_trimmings(struct importer *in, struct steme_assertion *row)
{
    struct prng *prng = &in->prng;
    struct arena *arena = &in->stock->arena;
    struct steme_qualifier *qualifiers = arena_calloc(arena, 2, sizeof *qualifiers);
    struct steme_evidence *evidence = arena_calloc(arena, 2, sizeof *evidence);
    invariant(qualifiers && evidence);
    if (prng_chance(prng, 100))
        qualifiers[row->qualifier_count++] = (struct steme_qualifier){ in->of,
                                                                       prng_chance(prng, 500) ? in->day : in->night,
                                                                       true };
    if (prng_chance(prng, 150))
        qualifiers[row->qualifier_count++] = (struct steme_qualifier){ in->page, in->kinds[prng_below(prng, 4)],
                                                                       false };
    if (prng_chance(prng, 150))
        evidence[row->evidence_count++] = (struct steme_evidence){ .stance = (enum steme_stance)prng_below(prng, 3),
                                                                   .uri = in->uri[prng_below(prng, 3)],
                                                                   .locator = in->locator };
    row->qualifiers = qualifiers;
    row->evidence = evidence;
    if (!in->assertion_count || !prng_chance(prng, 100)) return;
    const struct steme_hash *earlier = &in->ids[prng_below(prng, in->assertion_count)];
    row->parents = earlier;
    row->parent_count = 1;
    if (!prng_chance(prng, 300)) return;
    evidence[row->evidence_count++] = (struct steme_evidence){ .has_target = true, .target = *earlier };
}

static struct steme_assertion draw_row(struct importer *in)
{
    struct prng *prng = &in->prng;
    struct steme_assertion row = { .subject = in->subjects[prng_below(prng, SUBJECTS)],
                                   .confidence_ppm = (uint32_t)(1 + prng_below(prng, STEME_PPM)),
                                   .asserted_at_us = near_noon(prng),
                                   .valid_from_us = STEME_TIME_MIN,
                                   .valid_to_us = STEME_TIME_MAX };
    switch (prng_below(prng, 4)) {
    case 0:
        row.predicate = in->is_a;
        row.object = (struct steme_value){ .kind = STEME_ENTITY, .text = in->kinds[prng_below(prng, 4)] };
        break;
    case 1:
        row.predicate = in->part_of;
        row.object = (struct steme_value){ .kind = STEME_TEXT, .text = in->long_text };
        row.object.text.size -= prng_below(prng, 6);
        if (prng_chance(prng, 20)) row.object.text = in->essay;
        break;
    default:
        row.predicate = in->radius;
        row.object = measured(in);
        break;
    }
    if (prng_chance(prng, 800)) row.source = in->sources[prng_below(prng, SOURCES)];
    if (prng_chance(prng, 100)) row.confidence_ppm = STEME_PPM;
    row.negated = prng_chance(prng, 120);
    draw_trimmings(in, &row);
    return row;
}

static void remember(struct importer *in, size_t place)
{
    if (in->assertion_count == countof(in->assertions)) return;
    in->ids[in->assertion_count] = in->stock->records[place].id;
    in->assertions[in->assertion_count++] = place;
}

/* A table, with some rows that an earlier one had; sometimes the table comes again, sometimes a row of it alone. */
static void draw_table(struct importer *in, struct steme_assertion *earlier, size_t *earlier_count)
{
    struct steme_assertion rows[ROWS_MAX];
    size_t count = 1 + prng_below(&in->prng, prng_chance(&in->prng, 300) ? ROWS_MAX : 6);
    unsigned agent = (unsigned)prng_below(&in->prng, STOCK_AGENTS);
    size_t reused = *earlier_count ? prng_below(&in->prng, *earlier_count + 1) : 0;
    if (reused > count) reused = count;
    for (size_t i = 0; i < count; i++)
        rows[i] = i < reused ? earlier[i] : draw_row(in);
    for (size_t i = 0; i < count; i++)
        rows[i].asserted_at_us += i < reused ? 0 : (int64_t)i; /* no two alike */
    size_t bundle = stock_add_bundle(in->stock, agent, rows, count);
    for (size_t i = 1; i <= count; i++)
        remember(in, bundle + i);
    if (prng_chance(&in->prng, 200)) {
        struct steme_record alone = { .type = STEME_ASSERTION, .as.assertion = rows[prng_below(&in->prng, count)] };
        stock_add(in->stock, agent, &alone);
    }
    if (prng_chance(&in->prng, 300)) stock_add_parcel(in->stock, bundle, count + 1);
    *earlier_count = count < 4 ? count : 4;
    for (size_t i = 0; i < *earlier_count; i++)
        earlier[i] = rows[i];
}

/* Rows under signatures of their own, several in one call. */
static void draw_loose(struct importer *in)
{
    size_t first = in->stock->count, count = 1 + prng_below(&in->prng, 5);
    for (size_t i = 0; i < count; i++) {
        struct steme_record record = { .type = STEME_ASSERTION, .as.assertion = draw_row(in) };
        remember(in, stock_add(in->stock, (unsigned)prng_below(&in->prng, STOCK_AGENTS), &record));
    }
    if (in->stock->count == first + count) stock_add_parcel(in->stock, first, count);
}

static void draw_check(struct importer *in)
{
    struct prng *prng = &in->prng;
    size_t place = in->assertions[prng_below(prng, in->assertion_count)];
    struct steme_record vote = { .type = STEME_VOTE,
                                 .as.vote = { .target = stock_on(in->stock, place),
                                              .stance = prng_chance(prng, 700) ? STEME_SUPPORT : STEME_REFUTE,
                                              .probability_ppm = (uint32_t)(1 + prng_below(prng, STEME_PPM)),
                                              .cast_at_us = near_noon(prng) } };
    stock_add(in->stock, (unsigned)prng_below(prng, STOCK_AGENTS), &vote);
    if (!prng_chance(prng, 300)) return;
    const struct stock_record *record = &in->stock->records[place];
    unsigned agent = 0;
    while (memcmp(&in->stock->agents[agent].key, &record->author, sizeof record->author) != 0)
        agent++;
    struct steme_target target = stock_on(in->stock, place);
    struct steme_record retraction = { .type = STEME_REVISION,
                                       .as.revision = { .kind = STEME_RETRACT,
                                                        .targets = &target,
                                                        .target_count = 1,
                                                        .revised_at_us = near_noon(prng) } };
    stock_add(in->stock, agent, &retraction);
}

/* A text larger than a page. */
static struct steme_slice draw_essay(struct stock *stock)
{
    enum { ESSAY_BYTES = 9000 };
    char *text = arena_calloc(&stock->arena, ESSAY_BYTES, 1);
    invariant(text);
    for (size_t i = 0; i < ESSAY_BYTES; i++)
        text[i] = (char)('a' + i % 23);
    return slice_of(text, ESSAY_BYTES);
}

void stock_import(struct stock *stock, uint64_t seed)
{
    static struct importer in; /* too large for the stack */
    struct steme_assertion earlier[4];
    size_t earlier_count = 0;
    stock_init(stock, "import");
    in = (struct importer){ .stock = stock, .prng = { seed ^ 0x696d706f7274u } };
    for (unsigned i = 0; i < SOURCES; i++)
        in.sources[i] = stock_text(stock, "doi:10.1000/%u", i);
    for (unsigned i = 0; i < SUBJECTS; i++)
        in.subjects[i] = stock_text(stock, "Asteroid %u", i);
    for (unsigned i = 0; i < 4; i++)
        in.kinds[i] = stock_text(stock, "kind %u", i);
    in.radius = stock_text(stock, "radius");
    in.is_a = stock_text(stock, "is a");
    in.part_of = stock_text(stock, "told as");
    in.of = stock_text(stock, "of");
    in.page = stock_text(stock, "page");
    in.day = stock_text(stock, "day");
    in.night = stock_text(stock, "night");
    for (unsigned i = 0; i < 3; i++)
        in.uri[i] = stock_text(stock, "https://example.org/%u", i);
    in.locator = stock_text(stock, "table 2");
    in.essay = draw_essay(stock);
    in.unit_km = stock_text(stock, "km");
    in.unit_m = stock_text(stock, "m");
    in.long_text = stock_text(stock, "a longer text, as tables sometimes have in a column that nobody named ...");
    for (unsigned i = 0; i < TABLES; i++)
        draw_table(&in, earlier, &earlier_count);
    for (unsigned i = 0; i < LOOSE; i++)
        draw_loose(&in);
    for (unsigned i = 0; i < CHECKS; i++)
        draw_check(&in);
    stock_finish(stock);
}
