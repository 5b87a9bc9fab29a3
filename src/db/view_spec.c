/* SPDX-License-Identifier: Apache-2.0 */
#include "db/view_spec.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/id16.h"
#include "base/slice.h"
#include "base/text.h"
#include "cortex/lens.h"
#include "model/record.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_BYTES = 32, NUMBER_BYTES = 40, FIXED_PARAMETERS = 6 };

/* ---- parameters ---- */

static steme_status read_number(const struct steme_qualifier *parameter, double *out, struct steme_error *err)
{
    struct steme_decimal decimal = { 0 };
    steme_status status = text_parse_decimal(parameter->value, &decimal, err);
    if (!status) *out = steme_decimal_double(decimal);
    return status;
}

static steme_status read_flag(const struct steme_qualifier *parameter, bool *out, struct steme_error *err)
{
    *out = slice_equal(parameter->value, slice_text("yes"));
    return *out ? STEME_OK : error_set(err, STEME_BAD_INPUT, "it is 'yes' or left out");
}

/* The methods that a caller may ask for: what lens_check() lets pass. */
static steme_status read_method(const struct steme_qualifier *parameter, enum steme_method *out,
                                struct steme_error *err)
{
    for (unsigned i = STEME_METHOD_AUTO; i <= STEME_METHOD_ACCURACY; i++) {
        if (!slice_equal(parameter->value, slice_text(steme_method_name((enum steme_method)i)))) continue;
        *out = (enum steme_method)i;
        return STEME_OK;
    }
    return error_set(err, STEME_BAD_INPUT, "there is no method '%.40s'", (const char *)parameter->value.data);
}

static bool is_called(const struct steme_qualifier *parameter, const char *name)
{
    return slice_equal(parameter->name, slice_text(name));
}

static steme_status read_parameter(const struct steme_qualifier *parameter, struct steme_key *roots,
                                   struct steme_lens *lens, struct steme_error *err)
{
    steme_status status = STEME_UNSUPPORTED;
    if (is_called(parameter, "half-life")) status = text_parse_integer(parameter->value, &lens->half_life_us, err);
    if (is_called(parameter, "damping")) status = read_number(parameter, &lens->damping, err);
    if (is_called(parameter, "prior")) status = read_number(parameter, &lens->prior, err);
    if (is_called(parameter, "method")) status = read_method(parameter, &lens->method, err);
    if (is_called(parameter, "copying")) status = read_flag(parameter, &lens->copying, err);
    if (is_called(parameter, "uncalibrated")) status = read_flag(parameter, &lens->uncalibrated, err);
    if (is_called(parameter, "root"))
        status = text_parse_hex(parameter->value, "root", roots[lens->root_count++].bytes, KEY_BYTES, err);
    if (status == STEME_UNSUPPORTED)
        return error_set(err, status, "the lens has a parameter '%.40s' that this program does not know",
                         (const char *)parameter->name.data);
    return status ? error_wrap(err, status, "the parameter %.40s", (const char *)parameter->name.data) : STEME_OK;
}

/* Names in the mapped log have no NUL: a copy does. */
static steme_status copy_parameter(const struct steme_qualifier *from, struct arena *arena, struct steme_qualifier *out,
                                   struct steme_error *err)
{
    *out = (struct steme_qualifier){ .name = arena_copy(arena, from->name), .value = arena_copy(arena, from->value) };
    return out->name.data && out->value.data ? STEME_OK : arena_full(arena, err);
}

static steme_status read_lens(struct view_spec *spec, struct arena *arena, struct steme_error *err)
{
    const struct steme_view *it = &spec->definition;
    const struct lens_ops *ops = NULL;
    struct steme_slice name = arena_copy(arena, it->lens);
    struct steme_key *roots = arena_calloc(arena, it->parameter_count, sizeof *roots);
    if (!name.data || !roots) return arena_full(arena, err);
    steme_status status = lens_find((const char *)name.data, &ops, err);
    for (size_t i = 0; !status && i < it->parameter_count; i++) {
        struct steme_qualifier parameter;
        status = copy_parameter(&it->parameters[i], arena, &parameter, err);
        if (!status) status = read_parameter(&parameter, roots, &spec->lens, err);
    }
    spec->lens.roots = roots;
    if (!status) status = lens_check(&spec->lens, err);
    if (status) return status;
    spec->lens.name = ops->info.name;
    spec->reach = lens_reach(ops);
    return STEME_OK;
}

/* A number that reads back as the same, with as few digits as that takes. */
static steme_status print_number(double number, char out[NUMBER_BYTES], struct steme_error *err)
{
    enum { DIGITS_MAX = 18 };
    for (int digits = 1; digits <= DIGITS_MAX; digits++) {
        struct steme_decimal decimal;
        snprintf(out, NUMBER_BYTES, "%.*g", digits, number);
        if (text_parse_decimal(slice_text(out), &decimal, NULL)) continue;
        double again = steme_decimal_double(decimal);
        if (!(again < number || again > number)) return STEME_OK;
    }
    return error_set(err, STEME_BAD_INPUT, "a parameter of %g can't be written down exactly; give it fewer digits",
                     number);
}

static steme_status add_parameter(struct steme_qualifier *list, size_t *count, const char *name, const char *value,
                                  struct arena *arena, struct steme_error *err)
{
    struct steme_slice copy = arena_copy(arena, slice_text(value));
    if (!copy.data) return arena_full(arena, err);
    list[(*count)++] = (struct steme_qualifier){ .name = slice_text(name), .value = copy };
    return STEME_OK;
}

steme_status view_spec_parameters(const struct steme_lens *lens, struct arena *arena, struct steme_qualifier **out,
                                  size_t *count_out, struct steme_error *err)
{
    char text[2 * KEY_BYTES + NUMBER_BYTES];
    size_t count = 0;
    struct steme_qualifier *list = arena_calloc(arena, lens->root_count + FIXED_PARAMETERS, sizeof *list);
    if (!list) return arena_full(arena, err);
    steme_status status = STEME_OK;
    if (lens->half_life_us) {
        snprintf(text, sizeof text, "%" PRId64, lens->half_life_us);
        status = add_parameter(list, &count, "half-life", text, arena, err);
    }
    if (!status && lens->damping > 0) status = print_number(lens->damping, text, err);
    if (!status && lens->damping > 0) status = add_parameter(list, &count, "damping", text, arena, err);
    if (!status && lens->prior > 0) status = print_number(lens->prior, text, err);
    if (!status && lens->prior > 0) status = add_parameter(list, &count, "prior", text, arena, err);
    if (!status && lens->method != STEME_METHOD_AUTO)
        status = add_parameter(list, &count, "method", steme_method_name(lens->method), arena, err);
    if (!status && lens->copying) status = add_parameter(list, &count, "copying", "yes", arena, err);
    if (!status && lens->uncalibrated) status = add_parameter(list, &count, "uncalibrated", "yes", arena, err);
    for (size_t i = 0; !status && i < lens->root_count; i++) {
        text_hex(lens->roots[i].bytes, KEY_BYTES, text);
        status = add_parameter(list, &count, "root", text, arena, err);
    }
    *out = list;
    *count_out = count;
    return status;
}

/* ---- which slots ---- */

static void place_spec(struct view_spec *spec)
{
    const struct steme_view *it = &spec->definition;
    struct steme_hash predicate = hash_one(it->predicate);
    spec->predicate = (uint32_t)(load_u64be(predicate.bytes) >> 32);
    spec->only_route = glob_is_name(it->subjects);
    spec->route = spec->only_route ? route_of_name(it->subjects) : 0;
}

bool view_spec_may_have(const struct view_spec *spec, const struct slot_ref *slot)
{
    if (spec->only_route && slot->route != spec->route) return false;
    return spec->definition.predicate.size == 0 || slot->predicate == spec->predicate;
}

bool view_spec_is_remade(const struct view_spec *spec, const struct touched *touched)
{
    return spec->definition.predicate.size ? touched_has_all_of(touched, spec->predicate, spec->reach)
                                           : touched_widely(touched, spec->reach);
}

bool view_spec_has(const struct view_spec *spec, struct steme_slice subject, struct steme_slice predicate)
{
    const struct steme_view *it = &spec->definition;
    if (it->predicate.size && !slice_equal(it->predicate, predicate)) return false;
    return glob_match(it->subjects, subject);
}

/* ---- which records count ---- */

struct spec_list {
    struct view_spec *items;
    size_t count, capacity;
};

static steme_status add_spec(struct spec_list *list, const struct view_spec *spec, struct arena *arena,
                             struct steme_error *err)
{
    if (list->count >= STEME_EVIDENCE_ROWS_MAX)
        return error_set(err, STEME_TOO_LARGE, "more than %u records define views", STEME_EVIDENCE_ROWS_MAX);
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct view_spec *grown = arena_alloc(arena, capacity * sizeof *grown);
        if (!grown) return arena_full(arena, err);
        if (list->count) memcpy(grown, list->items, list->count * sizeof *grown);
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *spec;
    return STEME_OK;
}

static steme_status read_spec(struct reader *reader, const struct kv_pair *pair, const struct trust *trust,
                              struct spec_list *list, struct arena *arena, struct steme_error *err)
{
    uint64_t location = 0;
    struct wal_entry entry;
    struct steme_record record;
    bool later = false;
    steme_status status = row_location(pair->value, &location, err);
    if (!status) status = evidence_later(reader, location, key_last_id(pair->key), &later, err);
    if (status || later) return status;
    status = evidence_named(reader, location, key_last_id(pair->key), &entry, err);
    if (!status) status = record_decode(entry.bytes, arena, &record, err);
    if (status) return status;
    if (record.type != STEME_VIEW) return error_set(err, STEME_CORRUPT, "the index calls a record a view that is none");
    struct view_spec spec = { .id = entry.id, .sequence = entry.sequence, .definition = record.as.view };
    struct steme_hash author = agent_id(record.as.view.author.bytes);
    spec.proposal = id16_find((const uint8_t(*)[16])trust->ids, trust->count, author.bytes) >= trust->count;
    return add_spec(list, &spec, arena, err);
}

static int compare_age(const struct view_spec *a, const struct view_spec *b)
{
    int64_t at = a->definition.created_at_us, bt = b->definition.created_at_us;
    if (at != bt) return at < bt ? -1 : 1;
    return memcmp(&a->id, &b->id, sizeof a->id);
}

/* Whether two records are about the same view: the store's own keys share their names. */
static int compare_views(const struct view_spec *a, const struct view_spec *b)
{
    if (a->proposal != b->proposal) return a->proposal ? 1 : -1;
    int order = slice_compare(a->definition.name, b->definition.name);
    if (!order && a->proposal) order = memcmp(&a->definition.author, &b->definition.author, sizeof(struct steme_key));
    return order;
}

/* The latest of each view first. */
static int compare_latest(const void *left, const void *right)
{
    int order = compare_views(left, right);
    return order ? order : compare_age(right, left);
}

static int compare_oldest(const void *left, const void *right)
{
    const struct view_spec *a = left, *b = right;
    if (a->proposal != b->proposal) return a->proposal ? 1 : -1;
    return compare_age(a, b);
}

static int compare_names(const void *left, const void *right)
{
    const struct view_spec *a = left, *b = right;
    int order = slice_compare(a->definition.name, b->definition.name);
    return order ? order : memcmp(&a->id, &b->id, sizeof a->id);
}

/* Leave the one record of each view that counts, unless it drops the view. */
static void keep_latest(struct spec_list *list)
{
    struct view_spec latest;
    size_t kept = 0;
    if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_latest);
    for (size_t i = 0; i < list->count; i++) {
        if (i && compare_views(&list->items[i], &latest) == 0) continue;
        latest = list->items[i]; /* its place may be written over */
        if (!latest.definition.dropped) list->items[kept++] = latest;
    }
    list->count = kept;
}

static void choose(struct spec_list *list)
{
    keep_latest(list);
    if (list->count == 0) return;
    qsort(list->items, list->count, sizeof *list->items, compare_oldest);
    for (size_t i = STEME_VIEWS_MAX; i < list->count; i++)
        list->items[i].waiting = !list->items[i].proposal;
    qsort(list->items, list->count, sizeof *list->items, compare_names);
}

steme_status view_spec_list(struct reader *reader, const struct trust *trust, struct arena *arena,
                            struct view_spec **out, size_t *count_out, struct steme_error *err)
{
    static const uint8_t tag[] = { 'K' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct spec_list list = { 0 };
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status more = kv_seek(reader->txn, prefix, prefix, &cursor, &pair, err), status = STEME_OK;
    for (; !more && !status; more = status ? more : kv_next(&cursor, &pair, err))
        status = read_spec(reader, &pair, trust, &list, arena, err);
    kv_cursor_end(&cursor);
    if (status) return status;
    if (more != STEME_NOT_FOUND) return more;
    choose(&list);
    for (size_t i = 0; i < list.count; i++) {
        struct view_spec *spec = &list.items[i];
        place_spec(spec);
        struct steme_error why;
        status = read_lens(spec, arena, &why);
        if (status == STEME_NO_MEMORY) return arena_full(arena, err);
        if (status) snprintf(spec->fault, sizeof spec->fault, "%.*s", (int)sizeof spec->fault - 1, why.message);
    }
    *out = list.items;
    *count_out = list.count;
    return STEME_OK;
}
