/* SPDX-License-Identifier: Apache-2.0 */
/* Reading records: one walk per type checks the bytes and, given an arena, keeps what it meets. */
#include "base/check.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/slice.h"
#include "model/field.h"
#include "model/layout.h"
#include "model/record.h"
#include "model/value.h"

#include <string.h>

/* Walks over a record's body. The first failure sticks, and what is taken after it is empty or NULL. */
struct reader {
    const uint8_t *data;
    size_t at; /* both offsets are multiples of 8 */
    size_t end;
    struct arena *arena; /* where lists are kept; NULL: only check */
    struct steme_error *err;
    steme_status status;
};

static void fail(struct reader *reader, const char *what, const char *problem)
{
    if (reader->status) return;
    reader->status = error_set(reader->err, STEME_BAD_INPUT, "%s %s; the record is read up to its offset %zu", what,
                               problem, reader->at);
}

/* size is a multiple of 8. */
static const uint8_t *take(struct reader *reader, size_t size, const char *what)
{
    if (reader->status) return NULL;
    if (size > reader->end - reader->at) {
        fail(reader, what, "would end behind the record");
        return NULL;
    }
    const uint8_t *at = reader->data + reader->at;
    reader->at += size;
    return at;
}

/* `head` bytes that have been looked at and `size` more, padded with zeros to a multiple of 8. Returns the `size`. */
static struct steme_slice take_padded(struct reader *reader, size_t head, size_t size, const char *what)
{
    size_t left = reader->end - reader->at;
    size_t used = size < left ? head + size : left + 1; /* a size of 4 GiB does not wrap around anywhere */
    size_t whole = pad8(used);
    const uint8_t *at = take(reader, whole, what);
    if (!at) return slice_of(NULL, 0);
    /* Of the last 8 bytes, the upper ones are padding. */
    if (whole != used && load_u64(at + whole - 8) >> (8 * (8 - (whole - used)))) {
        reader->at -= whole;
        fail(reader, what, "is not padded with zeros");
        return slice_of(NULL, 0);
    }
    return slice_of(at + head, size);
}

/* A length and so many bytes. */
static struct steme_slice take_part(struct reader *reader, const char *what)
{
    if (reader->status) return slice_of(NULL, 0);
    if (reader->end - reader->at < 8) {
        fail(reader, what, "is missing");
        return slice_of(NULL, 0);
    }
    return take_padded(reader, PART_LENGTH_BYTES, load_u32(reader->data + reader->at), what);
}

/* The next 8 bytes without taking them, or NULL. Every entry of a list has as many. */
static const uint8_t *peek(struct reader *reader, const char *what)
{
    if (reader->status) return NULL;
    if (reader->end - reader->at < 8) {
        fail(reader, what, "is missing");
        return NULL;
    }
    return reader->data + reader->at;
}

/* Room for a list, NULL where nothing is kept. */
static void *keep(struct reader *reader, size_t count, size_t size)
{
    if (!reader->arena || count == 0 || reader->status) return NULL;
    void *list = arena_alloc(reader->arena, count * size);
    if (!list) reader->status = arena_full(reader->arena, reader->err);
    return list;
}

static steme_status close_record(struct reader *reader)
{
    if (reader->at != reader->end) fail(reader, "the record", "is longer than its parts");
    return reader->status;
}

/* ---- header ---- */

size_t record_size(struct steme_slice bytes)
{
    if (bytes.size < HEADER_BYTES) return 0;
    if (load_u64(bytes.data) >> 8) return 0; /* the seven zeros */
    size_t length = load_u32(bytes.data + AT_LENGTH);
    if (length < AT_BODY || length > STEME_RECORD_MAX || length % 8 != 0) return 0;
    if (load_u16(bytes.data + AT_FORMAT) == 0 || load_u16(bytes.data + AT_RESERVED) != 0) return 0;
    return pad64(length);
}

static steme_status open_record(struct steme_slice bytes, struct reader *reader, struct steme_error *err)
{
    size_t size = record_size(bytes);
    if (size == 0)
        return error_set(err, STEME_BAD_INPUT, "these %zu bytes do not begin with the header of a record", bytes.size);
    unsigned format = load_u16(bytes.data + AT_FORMAT), type = bytes.data[AT_TYPE];
    if (format > RECORD_FORMAT)
        return error_set(err, STEME_NEWER, "the record is of format %u, this program reads up to %d; use a newer one",
                         format, RECORD_FORMAT);
    if (type > STEME_VIEW)
        return error_set(err, STEME_UNSUPPORTED, "record type %u is unknown to this program; use a newer one", type);
    if (bytes.size != size)
        return error_set(err, STEME_BAD_INPUT, "the record's header says %zu bytes, here are %zu", size, bytes.size);
    size_t length = load_u32(bytes.data + AT_LENGTH);
    for (size_t at = length; at < size; at += 8)
        if (load_u64(bytes.data + at))
            return error_set(err, STEME_BAD_INPUT, "the record is not padded with zeros after its %zu bytes", length);
    *reader = (struct reader){ .data = bytes.data, .at = AT_BODY, .end = length, .err = err };
    return STEME_OK;
}

/* The fixed fields of a type: up to the offset at which its parts begin. */
static const uint8_t *take_fixed(struct reader *reader, size_t parts_at)
{
    return take(reader, parts_at - AT_BODY, "the fixed part") ? reader->data : NULL;
}

/* ---- lists of hashes ---- */

/* Strictly ascending hashes. */
static const struct steme_hash *read_hashes(struct reader *reader, size_t count, const char *what)
{
    size_t start = reader->at;
    const uint8_t *at = take(reader, count * HASH_BYTES, what);
    if (!at) return NULL;
    for (size_t i = 1; i < count; i++) {
        if (memcmp(at + (i - 1) * HASH_BYTES, at + i * HASH_BYTES, HASH_BYTES) < 0) continue;
        reader->at = start + i * HASH_BYTES;
        fail(reader, what, "are not in ascending order, each once");
        return NULL;
    }
    struct steme_hash *list = keep(reader, count, sizeof *list);
    if (list) memcpy(list, at, count * sizeof *list);
    return list;
}

static void copy_key(struct steme_key *key, const struct reader *reader)
{
    memcpy(key->bytes, reader->data + AT_AUTHOR, sizeof key->bytes);
}

static void copy_hash(struct steme_hash *hash, const uint8_t *at) { memcpy(hash->bytes, at, sizeof hash->bytes); }

/* ---- assertion ---- */

struct assertion_counts {
    size_t qualifiers, keys, evidence, parents;
    size_t qualifiers_at; /* offset of the first */
};

/* Returns the entry's bytes. */
static struct steme_slice take_qualifier(struct reader *reader, struct steme_qualifier *out)
{
    const uint8_t *head = peek(reader, "a qualifier");
    if (!head) return slice_of(NULL, 0);
    size_t name = load_u16(head + QUALIFIER_NAME), value = load_u16(head + QUALIFIER_VALUE);
    struct steme_slice text = take_padded(reader, QUALIFIER_BYTES, name + value, "a qualifier");
    if (!text.data) return text;
    out->name = slice_of(text.data, name);
    out->value = slice_of(text.data + name, value);
    return text;
}

static void read_fixed(const uint8_t *fixed, struct assertion_view *view, struct assertion_counts *counts)
{
    view->author = fixed + AT_AUTHOR;
    view->asserted_at_us = load_i64(fixed + ASSERTION_ASSERTED_AT);
    view->valid_from_us = load_i64(fixed + ASSERTION_VALID_FROM);
    view->valid_to_us = load_i64(fixed + ASSERTION_VALID_TO);
    view->confidence_ppm = load_u32(fixed + ASSERTION_CONFIDENCE);
    view->negated = fixed[ASSERTION_FLAGS] & FLAG_NEGATED;
    counts->evidence = load_u16(fixed + ASSERTION_EVIDENCE);
    counts->qualifiers = load_u16(fixed + ASSERTION_QUALIFIERS);
    counts->parents = load_u16(fixed + ASSERTION_PARENTS);
    counts->keys = load_u16(fixed + ASSERTION_KEYS);
}

/* From the first part to the last key qualifier: bounds, and whatever else keeps a reader of the view safe. */
static steme_status map_assertion(struct reader *reader, struct assertion_view *view, struct assertion_counts *counts)
{
    const uint8_t *fixed = take_fixed(reader, ASSERTION_PARTS);
    if (!fixed) return reader->status;
    view->bytes = slice_of(reader->data, pad64(reader->end));
    read_fixed(fixed, view, counts);
    unsigned flags = fixed[ASSERTION_FLAGS];
    if (flags & ~(unsigned)FLAGS_ALL) fail(reader, "the flags", "have bits that mean nothing");
    if (load_u16(fixed + ASSERTION_RESERVED)) fail(reader, "the reserved bytes", "are not zero");
    if (counts->keys > counts->qualifiers) fail(reader, "the qualifiers", "are fewer than the key ones among them");
    view->subject = take_part(reader, "the subject");
    view->predicate = take_part(reader, "the predicate");
    view->object = take_part(reader, "the object");
    if (reader->status) return reader->status;
    if (view->object.size == 0 || view->object.data[0] != fixed[ASSERTION_KIND] || view->object.data[0] > STEME_NONE)
        fail(reader, "the object", "is not of the kind that the fixed part says");
    view->kind = (enum steme_kind)fixed[ASSERTION_KIND];
    view->source = flags & FLAG_SOURCE ? take_part(reader, "the source") : slice_of(NULL, 0);
    if (flags & FLAG_SOURCE && view->source.size == 0) fail(reader, "the source", "is empty, but its flag is set");
    view->epoch = flags & FLAG_EPOCH ? take(reader, HASH_BYTES, "the epoch") : NULL;
    counts->qualifiers_at = reader->at;
    struct steme_qualifier ignored;
    for (size_t i = 0; i < counts->keys && !reader->status; i++)
        take_qualifier(reader, &ignored);
    view->key_qualifiers = slice_of(reader->data + counts->qualifiers_at, reader->at - counts->qualifiers_at);
    if (view->key_qualifiers.size == 0) view->key_qualifiers.data = NULL;
    return reader->status;
}

/* They come last: whoever read the record whole has held that against its length. */
static steme_status map_parents(struct reader *reader, const struct assertion_counts *counts,
                                struct assertion_view *view)
{
    size_t bytes = counts->parents * HASH_BYTES;
    if (!reader->status && bytes > reader->end - ASSERTION_PARTS) fail(reader, "the parents", "are cut short");
    view->parent_count = counts->parents;
    view->parents = reader->status ? NULL : reader->data + reader->end - bytes;
    return reader->status;
}

/* Key qualifiers first; within each group by name, then by value. */
static bool in_order(const struct steme_qualifier *a, const struct steme_qualifier *b)
{
    if (a->key != b->key) return true;
    int by_name = slice_compare(a->name, b->name);
    return by_name ? by_name < 0 : slice_compare(a->value, b->value) < 0;
}

static void read_qualifiers(struct reader *reader, const struct assertion_counts *counts, struct steme_assertion *out)
{
    struct steme_qualifier *list = keep(reader, counts->qualifiers, sizeof *list);
    struct steme_qualifier last = { 0 };
    for (size_t i = 0; i < counts->qualifiers && !reader->status; i++) {
        struct steme_qualifier next = { .key = i < counts->keys };
        if (!take_qualifier(reader, &next).data) return;
        reader->status = field_check_qualifier(&next, i, reader->err);
        if (i > 0 && !in_order(&last, &next)) fail(reader, "a qualifier", "is out of order, or there twice");
        if (list) list[i] = next;
        last = next;
    }
    out->qualifiers = list;
    out->qualifier_count = counts->qualifiers;
}

/* Returns the entry's bytes. */
static struct steme_slice take_evidence(struct reader *reader, struct steme_evidence *out)
{
    const uint8_t *head = peek(reader, "an evidence entry");
    if (!head) return slice_of(NULL, 0);
    size_t uri = load_u16(head + EVIDENCE_URI), locator = load_u16(head + EVIDENCE_LOCATOR);
    unsigned has_target = head[EVIDENCE_HAS_TARGET];
    if (has_target > 1 || (has_target && uri) || load_u16(head + EVIDENCE_RESERVED)) {
        fail(reader, "an evidence entry", "begins with bytes that none has");
        return slice_of(NULL, 0);
    }
    size_t target = has_target ? HASH_BYTES : uri;
    struct steme_slice rest = take_padded(reader, EVIDENCE_BYTES, target + locator, "an evidence entry");
    if (!rest.data) return rest;
    *out = (struct steme_evidence){ .stance = (enum steme_stance)head[EVIDENCE_STANCE], .has_target = has_target };
    if (has_target)
        copy_hash(&out->target, rest.data);
    else
        out->uri = slice_of(rest.data, uri);
    out->locator = slice_of(rest.data + target, locator);
    return slice_of(head, EVIDENCE_BYTES + rest.size);
}

static void read_evidence(struct reader *reader, const struct assertion_counts *counts, struct steme_assertion *out)
{
    struct steme_evidence *list = keep(reader, counts->evidence, sizeof *list);
    struct steme_slice last = { 0 };
    for (size_t i = 0; i < counts->evidence && !reader->status; i++) {
        struct steme_evidence next;
        struct steme_slice bytes = take_evidence(reader, &next);
        if (!bytes.data) return;
        reader->status = field_check_evidence(&next, i, reader->err);
        if (i > 0 && slice_compare(last, bytes) >= 0)
            fail(reader, "an evidence entry", "is out of order, or there twice");
        if (list) list[i] = next;
        last = bytes;
    }
    out->evidence = list;
    out->evidence_count = counts->evidence;
}

/* Field by field: most callers only check, and clearing the whole structure first would cost as much as that. */
static void copy_view(const struct assertion_view *view, const struct assertion_counts *counts,
                      struct steme_assertion *out)
{
    memcpy(out->author.bytes, view->author, sizeof out->author.bytes);
    out->subject = view->subject;
    out->predicate = view->predicate;
    out->negated = view->negated;
    out->confidence_ppm = view->confidence_ppm;
    out->asserted_at_us = view->asserted_at_us;
    out->valid_from_us = view->valid_from_us;
    out->valid_to_us = view->valid_to_us;
    out->has_epoch = view->epoch != NULL;
    if (view->epoch) copy_hash(&out->epoch, view->epoch);
    out->source = view->source;
    out->qualifier_count = counts->qualifiers;
    out->evidence_count = counts->evidence;
    out->parent_count = counts->parents;
}

/* Members of *out that the record has no use for stay as they are. */
static steme_status read_assertion(struct reader *reader, struct steme_assertion *out, struct assertion_view *view)
{
    struct assertion_counts counts = { 0 };
    view->author = NULL;
    steme_status status = map_assertion(reader, view, &counts);
    if (status) return status;
    invariant(view->author); /* it mapped the whole record */
    copy_view(view, &counts, out);
    status = value_parse(view->object, &out->object, reader->err);
    if (status) return status;
    status = field_check_assertion(out, reader->err);
    if (status) return status;
    reader->at = counts.qualifiers_at; /* the map had no eye for what the key qualifiers say */
    read_qualifiers(reader, &counts, out);
    read_evidence(reader, &counts, out);
    out->parents = read_hashes(reader, counts.parents, "the parents");
    status = close_record(reader);
    return status ? status : map_parents(reader, &counts, view);
}

/* ---- the other types ---- */

static steme_status read_vote(struct reader *reader, struct steme_vote *out)
{
    const uint8_t *fixed = take_fixed(reader, VOTE_PARTS);
    if (!fixed) return reader->status;
    if (load_u16(fixed + VOTE_RESERVED)) fail(reader, "the reserved bytes", "are not zero");
    *out = (struct steme_vote){
        .target = { .kind = (enum steme_target_kind)fixed[VOTE_TARGET_KIND], .route = load_u64be(fixed + VOTE_ROUTE) },
        .stance = (enum steme_stance)fixed[VOTE_STANCE],
        .probability_ppm = load_u32(fixed + VOTE_PROBABILITY),
        .cast_at_us = load_i64(fixed + VOTE_CAST_AT),
        .reason = take_part(reader, "the reason"),
    };
    copy_key(&out->voter, reader);
    copy_hash(&out->target.hash, fixed + VOTE_HASH);
    if (reader->status) return reader->status;
    steme_status status = field_check_vote(out, reader->err);
    return status ? status : close_record(reader);
}

static steme_status read_epoch(struct reader *reader, struct steme_epoch *out)
{
    const uint8_t *fixed = take_fixed(reader, EPOCH_PARTS);
    if (!fixed) return reader->status;
    if (load_u64(fixed + EPOCH_SUPERSEDES) >> (8 * (EPOCH_RESERVED - EPOCH_SUPERSEDES)))
        fail(reader, "the reserved bytes", "are not zero");
    *out = (struct steme_epoch){
        .declared_at_us = load_i64(fixed + EPOCH_DECLARED_AT),
        .from_us = load_i64(fixed + EPOCH_FROM),
        .to_us = load_i64(fixed + EPOCH_TO),
        .supersedes_count = load_u16(fixed + EPOCH_SUPERSEDES),
    };
    copy_key(&out->author, reader);
    out->name = take_part(reader, "the name");
    out->description = take_part(reader, "the description");
    if (reader->status) return reader->status;
    steme_status status = field_check_epoch(out, reader->err);
    if (status) return status;
    out->supersedes = read_hashes(reader, out->supersedes_count, "the superseded epochs");
    return close_record(reader);
}

static void read_targets(struct reader *reader, struct steme_revision *out)
{
    struct steme_target *list = keep(reader, out->target_count, sizeof *list);
    const uint8_t *last = NULL;
    for (size_t i = 0; i < out->target_count && !reader->status; i++) {
        const uint8_t *at = take(reader, TARGET_BYTES, "a target");
        if (!at) return;
        if (load_u64(at) >> 8) fail(reader, "a target", "has reserved bytes that are not zero");
        struct steme_target next = { .kind = (enum steme_target_kind)at[TARGET_KIND],
                                     .route = load_u64be(at + TARGET_ROUTE) };
        copy_hash(&next.hash, at + TARGET_HASH);
        if (!reader->status) reader->status = field_check_target(&next, i, reader->err);
        if (last && memcmp(last, at, TARGET_BYTES) >= 0) fail(reader, "a target", "is out of order, or there twice");
        if (list) list[i] = next;
        last = at;
    }
    out->targets = list;
}

static steme_status read_revision(struct reader *reader, struct steme_revision *out)
{
    const uint8_t *fixed = take_fixed(reader, REVISION_PARTS);
    if (!fixed) return reader->status;
    if (fixed[REVISION_RESERVED] || load_u16(fixed + REVISION_RESERVED_END))
        fail(reader, "the reserved bytes", "are not zero");
    *out = (struct steme_revision){
        .kind = (enum steme_revision_kind)fixed[REVISION_KIND],
        .target_count = load_u16(fixed + REVISION_TARGETS),
        .replacement_count = load_u16(fixed + REVISION_REPLACEMENTS),
        .revised_at_us = load_i64(fixed + REVISION_REVISED_AT),
    };
    copy_key(&out->author, reader);
    if (reader->status) return reader->status;
    steme_status status = field_check_revision(out, reader->err); /* the counts are good; the reason is still to come */
    if (status) return status;
    read_targets(reader, out);
    out->replacements = read_hashes(reader, out->replacement_count, "the replacements");
    out->reason = take_part(reader, "the reason");
    if (reader->status) return reader->status;
    status = field_check_text(out->reason, "reason", reader->err);
    return status ? status : close_record(reader);
}

/* Room for the ids is left to the caller: they lie in one stretch as they are. */
static steme_status map_bundle(struct reader *reader, struct bundle_view *out)
{
    const uint8_t *fixed = take_fixed(reader, BUNDLE_PARTS);
    if (!fixed) return reader->status;
    if (load_u64(fixed + BUNDLE_MEMBERS) >> (8 * (BUNDLE_RESERVED - BUNDLE_MEMBERS)))
        fail(reader, "the reserved bytes", "are not zero");
    *out = (struct bundle_view){ .author = fixed + AT_AUTHOR, .member_count = load_u16(fixed + BUNDLE_MEMBERS) };
    out->members = take(reader, out->member_count * HASH_BYTES, "the list of members");
    return close_record(reader);
}

static steme_status read_bundle(struct reader *reader, struct steme_bundle *out)
{
    struct bundle_view view = { 0 };
    steme_status status = map_bundle(reader, &view);
    if (status) return status;
    *out = (struct steme_bundle){ .member_count = view.member_count };
    copy_key(&out->author, reader);
    status = field_check_bundle(out, reader->err);
    if (status) return status;
    const struct steme_hash *members = (const struct steme_hash *)view.members; /* bytes both, no alignment */
    status = field_check_members(members, view.member_count, reader->err);
    if (status) return status;
    struct steme_hash *list = keep(reader, view.member_count, sizeof *list);
    if (list) memcpy(list, members, view.member_count * sizeof *list);
    out->members = list;
    return reader->status;
}

static void read_parameters(struct reader *reader, struct steme_view *out)
{
    struct steme_qualifier *list = keep(reader, out->parameter_count, sizeof *list);
    struct steme_qualifier last = { 0 };
    for (size_t i = 0; i < out->parameter_count && !reader->status; i++) {
        struct steme_qualifier next = { 0 };
        if (!take_qualifier(reader, &next).data) return;
        reader->status = field_check_parameter(&next, i, reader->err);
        if (i > 0 && !in_order(&last, &next)) fail(reader, "a parameter", "is out of order, or there twice");
        if (list) list[i] = next;
        last = next;
    }
    out->parameters = list;
}

static steme_status read_view(struct reader *reader, struct steme_view *out)
{
    const uint8_t *fixed = take_fixed(reader, VIEW_PARTS);
    if (!fixed) return reader->status;
    unsigned flags = fixed[VIEW_FLAGS];
    if (flags & ~(unsigned)VIEW_FLAGS_ALL) fail(reader, "the flags", "have bits that mean nothing");
    if (fixed[VIEW_RESERVED] || load_u32(fixed + VIEW_RESERVED_END)) fail(reader, "the reserved bytes", "are not zero");
    *out = (struct steme_view){
        .created_at_us = load_i64(fixed + VIEW_CREATED_AT),
        .dropped = flags & VIEW_FLAG_DROPPED,
        .has_epoch = flags & VIEW_FLAG_EPOCH,
        .parameter_count = load_u16(fixed + VIEW_PARAMETERS),
    };
    copy_key(&out->author, reader);
    out->name = take_part(reader, "the name");
    out->subjects = take_part(reader, "the subject pattern");
    out->predicate = take_part(reader, "the predicate");
    out->lens = take_part(reader, "the lens");
    const uint8_t *epoch = out->has_epoch ? take(reader, HASH_BYTES, "the epoch") : NULL;
    if (epoch) copy_hash(&out->epoch, epoch);
    if (reader->status) return reader->status;
    steme_status status = field_check_view(out, reader->err);
    if (status) return status;
    read_parameters(reader, out);
    return close_record(reader);
}

/* ---- public ---- */

static steme_status read_record(struct steme_slice bytes, struct arena *arena, struct steme_record *out,
                                struct steme_error *err)
{
    struct reader reader = { 0 };
    steme_status status = open_record(bytes, &reader, err);
    if (status) return status;
    reader.arena = arena;
    out->type = (enum steme_type)bytes.data[AT_TYPE];
    struct assertion_view view;
    switch (out->type) {
    case STEME_ASSERTION: return read_assertion(&reader, &out->as.assertion, &view);
    case STEME_VOTE: return read_vote(&reader, &out->as.vote);
    case STEME_EPOCH: return read_epoch(&reader, &out->as.epoch);
    case STEME_REVISION: return read_revision(&reader, &out->as.revision);
    case STEME_BUNDLE: return read_bundle(&reader, &out->as.bundle);
    case STEME_VIEW: return read_view(&reader, &out->as.view);
    default: unreachable_here(); /* open_record() knows the types */
    }
}

steme_status record_check(struct steme_slice bytes, enum steme_type *type_out, struct steme_error *err)
{
    struct steme_record record;
    steme_status status = read_record(bytes, NULL, &record, err);
    if (!status) *type_out = record.type;
    return status;
}

steme_status record_decode(struct steme_slice bytes, struct arena *arena, struct steme_record *out,
                           struct steme_error *err)
{
    struct arena_mark mark = arena_mark(arena);
    struct steme_record record = { 0 };
    steme_status status = read_record(bytes, arena, &record, err);
    if (status)
        arena_rewind(arena, mark);
    else
        *out = record;
    return status;
}

struct steme_hash record_id(struct steme_slice bytes) { return hash_one(bytes); }

/* Open a record that must be of one type. */
static steme_status open_type(struct steme_slice bytes, enum steme_type type, const char *what, struct reader *reader,
                              struct steme_error *err)
{
    steme_status status = open_record(bytes, reader, err);
    if (status || bytes.data[AT_TYPE] == type) return status;
    return error_set(err, STEME_BAD_INPUT, "the record is no %s but of type %u", what, bytes.data[AT_TYPE]);
}

steme_status assertion_view(struct steme_slice bytes, struct assertion_view *out, struct steme_error *err)
{
    struct reader reader = { 0 };
    steme_status status = open_type(bytes, STEME_ASSERTION, "assertion", &reader, err);
    if (status) return status;
    struct steme_assertion assertion;
    struct assertion_view view;
    status = read_assertion(&reader, &assertion, &view);
    if (!status) *out = view;
    return status;
}

steme_status assertion_view_trusted(struct steme_slice bytes, struct assertion_view *out, struct steme_error *err)
{
    struct reader reader = { 0 };
    steme_status status = open_type(bytes, STEME_ASSERTION, "assertion", &reader, err);
    if (status) return status;
    struct assertion_counts counts = { 0 };
    struct assertion_view view;
    status = map_assertion(&reader, &view, &counts);
    if (!status) status = map_parents(&reader, &counts, &view);
    if (!status) *out = view;
    return status;
}

steme_status bundle_view(struct steme_slice bytes, struct bundle_view *out, struct steme_error *err)
{
    struct reader reader = { 0 };
    steme_status status = open_type(bytes, STEME_BUNDLE, "bundle", &reader, err);
    if (status) return status;
    struct bundle_view view = { 0 };
    status = map_bundle(&reader, &view);
    if (!status) *out = view;
    return status;
}

const uint8_t *record_author(struct steme_slice bytes)
{
    invariant(bytes.size >= AT_BODY); /* or it was never checked */
    return bytes.data + AT_AUTHOR;
}
