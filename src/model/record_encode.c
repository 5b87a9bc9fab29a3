/* SPDX-License-Identifier: Apache-2.0 */
/* Writing records: check the fields, put the lists in order, measure, then fill one stretch of the buffer. */
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "model/field.h"
#include "model/layout.h"
#include "model/order.h"
#include "model/record.h"
#include "model/value.h"

#include <string.h>

/* The largest of each type stays within STEME_RECORD_MAX, so no length is checked below. A part has at most 11 bytes of
 * length and padding. */
enum {
    PART_EXTRA = 11,
    NAME_PART = STEME_NAME_MAX + PART_EXTRA,
    TEXT_PART = STEME_TEXT_MAX + 64 + PART_EXTRA, /* with a value's head and language tag */
    ASSERTION_LARGEST = ASSERTION_PARTS + 3 * NAME_PART + TEXT_PART + HASH_BYTES +
                        STEME_QUALIFIERS_MAX * (2 * STEME_NAME_MAX + QUALIFIER_BYTES + 7) +
                        STEME_EVIDENCE_MAX * (2 * STEME_NAME_MAX + EVIDENCE_BYTES + 7) + STEME_PARENTS_MAX * HASH_BYTES,
    EPOCH_LARGEST = EPOCH_PARTS + NAME_PART + TEXT_PART + STEME_PARENTS_MAX * HASH_BYTES,
    REVISION_LARGEST = REVISION_PARTS + STEME_TARGETS_MAX * (TARGET_BYTES + HASH_BYTES) + TEXT_PART,
    BUNDLE_LARGEST = BUNDLE_PARTS + STEME_BUNDLE_MAX * HASH_BYTES,
    VIEW_LARGEST = VIEW_PARTS + 4 * NAME_PART + HASH_BYTES +
                   STEME_VIEW_PARAMETERS_MAX * (2 * STEME_NAME_MAX + QUALIFIER_BYTES + 7)
};
_Static_assert(VIEW_LARGEST + 63 <= STEME_RECORD_MAX, "see above");
_Static_assert(ASSERTION_LARGEST + 63 <= STEME_RECORD_MAX && EPOCH_LARGEST + 63 <= STEME_RECORD_MAX, "see above");
_Static_assert(REVISION_LARGEST + 63 <= STEME_RECORD_MAX && BUNDLE_LARGEST + 63 <= STEME_RECORD_MAX, "see above");

/* ---- pieces; each returns where the next begins ---- */

static uint8_t *put_bytes(uint8_t *at, struct steme_slice bytes)
{
    if (bytes.size) memcpy(at, bytes.data, bytes.size);
    return at + bytes.size;
}

static uint8_t *put_part(uint8_t *at, struct steme_slice bytes)
{
    store_u32(at, (uint32_t)bytes.size);
    put_bytes(at + PART_LENGTH_BYTES, bytes);
    return at + part_bytes(bytes.size);
}

static uint8_t *put_hashes(uint8_t *at, const struct steme_hash *hashes, const uint16_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++, at += HASH_BYTES)
        memcpy(at, hashes[order[i]].bytes, HASH_BYTES);
    return at;
}

/* Append a record of `length` bytes and its padding to out: header and author are written, the rest is zero. NULL when
 * out has no room; it is then as it was, and *status says why. */
static uint8_t *begin_record(struct buf *out, enum steme_type type, const struct steme_key *author, size_t length,
                             steme_status *status, struct steme_error *err)
{
    steme_status before = out->status;
    uint8_t *at = buf_extend(out, pad64(length));
    if (!at) {
        *status = buf_check(out, err);
        out->status = before;
        return NULL;
    }
    memset(at, 0, pad64(length));
    at[AT_TYPE] = (uint8_t)type;
    store_u32(at + AT_LENGTH, (uint32_t)length);
    store_u16(at + AT_FORMAT, RECORD_FORMAT);
    memcpy(at + AT_AUTHOR, author->bytes, sizeof author->bytes);
    return at;
}

/* ---- lists ---- */

/* Fill order; no two items of the list may be alike. */
static steme_status order_list(uint16_t *order, size_t count, order_compare_fn *compare, const void *list,
                               const char *what, struct steme_error *err)
{
    order_items(order, count, compare, list);
    size_t first, second;
    if (!order_twins(order, count, compare, list, &first, &second)) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "%s %zu and %zu are the same; list each once", what, first + 1, second + 1);
}

static int compare_hashes(const void *list, size_t a, size_t b)
{
    const struct steme_hash *hashes = list;
    return memcmp(hashes[a].bytes, hashes[b].bytes, HASH_BYTES);
}

/* Key qualifiers first, so that they are one stretch of bytes. */
static int compare_qualifiers(const void *list, size_t a, size_t b)
{
    const struct steme_qualifier *qualifiers = list;
    const struct steme_qualifier *left = &qualifiers[a], *right = &qualifiers[b];
    if (left->key != right->key) return left->key ? -1 : 1;
    int by_name = slice_compare(left->name, right->name);
    return by_name ? by_name : slice_compare(left->value, right->value);
}

/* An evidence entry's uri, or empty. */
static struct steme_slice evidence_uri(const struct steme_evidence *evidence)
{
    return evidence->has_target ? slice_of(NULL, 0) : evidence->uri;
}

static void write_evidence_head(const struct steme_evidence *evidence, uint8_t head[EVIDENCE_BYTES])
{
    memset(head, 0, EVIDENCE_BYTES);
    head[EVIDENCE_STANCE] = (uint8_t)evidence->stance;
    head[EVIDENCE_HAS_TARGET] = evidence->has_target;
    store_u16(head + EVIDENCE_URI, (uint16_t)evidence_uri(evidence).size);
    store_u16(head + EVIDENCE_LOCATOR, (uint16_t)evidence->locator.size);
}

/* By encoded bytes: the heads first, and where those are equal the lengths are too. */
static int compare_evidence(const void *list, size_t a, size_t b)
{
    const struct steme_evidence *entries = list;
    const struct steme_evidence *left = &entries[a], *right = &entries[b];
    uint8_t left_head[EVIDENCE_BYTES], right_head[EVIDENCE_BYTES];
    write_evidence_head(left, left_head);
    write_evidence_head(right, right_head);
    int by_head = memcmp(left_head, right_head, EVIDENCE_BYTES);
    if (by_head) return by_head;
    int by_target = left->has_target ? memcmp(left->target.bytes, right->target.bytes, HASH_BYTES)
                                     : slice_compare(left->uri, right->uri);
    return by_target ? by_target : slice_compare(left->locator, right->locator);
}

/* By encoded bytes: kind, then route, which is stored big-endian, then hash. */
static int compare_targets(const void *list, size_t a, size_t b)
{
    const struct steme_target *targets = list;
    const struct steme_target *left = &targets[a], *right = &targets[b];
    if (left->kind != right->kind) return left->kind < right->kind ? -1 : 1;
    if (left->route != right->route) return left->route < right->route ? -1 : 1;
    return memcmp(left->hash.bytes, right->hash.bytes, HASH_BYTES);
}

/* ---- assertion ---- */

struct assertion_order {
    uint16_t qualifiers[STEME_QUALIFIERS_MAX];
    uint16_t evidence[STEME_EVIDENCE_MAX];
    uint16_t parents[STEME_PARENTS_MAX];
};

static steme_status order_assertion(const struct steme_assertion *assertion, struct assertion_order *order,
                                    struct steme_error *err)
{
    for (size_t i = 0; i < assertion->qualifier_count; i++) {
        steme_status status = field_check_qualifier(&assertion->qualifiers[i], i, err);
        if (status) return status;
    }
    for (size_t i = 0; i < assertion->evidence_count; i++) {
        steme_status status = field_check_evidence(&assertion->evidence[i], i, err);
        if (status) return status;
    }
    steme_status status = order_list(order->qualifiers, assertion->qualifier_count, compare_qualifiers,
                                     assertion->qualifiers, "qualifiers", err);
    if (status) return status;
    status = order_list(order->evidence, assertion->evidence_count, compare_evidence, assertion->evidence,
                        "evidence entries", err);
    if (status) return status;
    return order_list(order->parents, assertion->parent_count, compare_hashes, assertion->parents, "parents", err);
}

static size_t qualifier_bytes(const struct steme_qualifier *qualifier)
{
    return pad8(QUALIFIER_BYTES + qualifier->name.size + qualifier->value.size);
}

static size_t evidence_bytes(const struct steme_evidence *evidence)
{
    size_t target = evidence->has_target ? HASH_BYTES : evidence->uri.size;
    return pad8(EVIDENCE_BYTES + target + evidence->locator.size);
}

static size_t assertion_bytes(const struct steme_assertion *assertion)
{
    size_t length = ASSERTION_PARTS + part_bytes(assertion->subject.size) + part_bytes(assertion->predicate.size) +
                    part_bytes(value_bytes(&assertion->object));
    if (assertion->source.size) length += part_bytes(assertion->source.size);
    if (assertion->has_epoch) length += HASH_BYTES;
    for (size_t i = 0; i < assertion->qualifier_count; i++)
        length += qualifier_bytes(&assertion->qualifiers[i]);
    for (size_t i = 0; i < assertion->evidence_count; i++)
        length += evidence_bytes(&assertion->evidence[i]);
    return length + assertion->parent_count * HASH_BYTES;
}

static uint8_t *put_qualifier(uint8_t *at, const struct steme_qualifier *qualifier)
{
    store_u16(at + QUALIFIER_NAME, (uint16_t)qualifier->name.size);
    store_u16(at + QUALIFIER_VALUE, (uint16_t)qualifier->value.size);
    put_bytes(put_bytes(at + QUALIFIER_BYTES, qualifier->name), qualifier->value);
    return at + qualifier_bytes(qualifier);
}

static uint8_t *put_evidence(uint8_t *at, const struct steme_evidence *evidence)
{
    write_evidence_head(evidence, at);
    struct steme_slice target = evidence_uri(evidence);
    if (evidence->has_target) target = slice_of(evidence->target.bytes, HASH_BYTES);
    put_bytes(put_bytes(at + EVIDENCE_BYTES, target), evidence->locator);
    return at + evidence_bytes(evidence);
}

static void write_assertion_head(const struct steme_assertion *assertion, uint8_t *record)
{
    size_t keys = 0;
    for (size_t i = 0; i < assertion->qualifier_count; i++)
        keys += assertion->qualifiers[i].key;
    unsigned flags = (assertion->negated ? FLAG_NEGATED : 0u) | (assertion->has_epoch ? FLAG_EPOCH : 0u) |
                     (assertion->source.size ? FLAG_SOURCE : 0u);
    store_i64(record + ASSERTION_ASSERTED_AT, assertion->asserted_at_us);
    store_i64(record + ASSERTION_VALID_FROM, assertion->valid_from_us);
    store_i64(record + ASSERTION_VALID_TO, assertion->valid_to_us);
    store_u32(record + ASSERTION_CONFIDENCE, assertion->confidence_ppm);
    record[ASSERTION_FLAGS] = (uint8_t)flags;
    record[ASSERTION_KIND] = (uint8_t)assertion->object.kind;
    store_u16(record + ASSERTION_EVIDENCE, (uint16_t)assertion->evidence_count);
    store_u16(record + ASSERTION_QUALIFIERS, (uint16_t)assertion->qualifier_count);
    store_u16(record + ASSERTION_PARENTS, (uint16_t)assertion->parent_count);
    store_u16(record + ASSERTION_KEYS, (uint16_t)keys);
}

static steme_status encode_assertion(const struct steme_assertion *assertion, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_assertion(assertion, err);
    if (status) return status;
    struct assertion_order order;
    status = order_assertion(assertion, &order, err);
    if (status) return status;
    size_t length = assertion_bytes(assertion);
    uint8_t *record = begin_record(out, STEME_ASSERTION, &assertion->author, length, &status, err);
    if (!record) return status;
    write_assertion_head(assertion, record);
    uint8_t *at = put_part(record + ASSERTION_PARTS, assertion->subject);
    at = put_part(at, assertion->predicate);
    size_t object_bytes = value_bytes(&assertion->object);
    store_u32(at, (uint32_t)object_bytes);
    value_write(&assertion->object, at + PART_LENGTH_BYTES);
    at += part_bytes(object_bytes);
    if (assertion->source.size) at = put_part(at, assertion->source);
    if (assertion->has_epoch) at = put_bytes(at, slice_of(assertion->epoch.bytes, HASH_BYTES));
    for (size_t i = 0; i < assertion->qualifier_count; i++)
        at = put_qualifier(at, &assertion->qualifiers[order.qualifiers[i]]);
    for (size_t i = 0; i < assertion->evidence_count; i++)
        at = put_evidence(at, &assertion->evidence[order.evidence[i]]);
    at = put_hashes(at, assertion->parents, order.parents, assertion->parent_count);
    invariant(at == record + length); /* what was measured is what was written */
    return STEME_OK;
}

/* ---- the other types ---- */

static steme_status encode_vote(const struct steme_vote *vote, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_vote(vote, err);
    if (status) return status;
    size_t length = VOTE_PARTS + part_bytes(vote->reason.size);
    uint8_t *record = begin_record(out, STEME_VOTE, &vote->voter, length, &status, err);
    if (!record) return status;
    store_i64(record + VOTE_CAST_AT, vote->cast_at_us);
    record[VOTE_TARGET_KIND] = (uint8_t)vote->target.kind;
    record[VOTE_STANCE] = (uint8_t)vote->stance;
    store_u32(record + VOTE_PROBABILITY, vote->probability_ppm);
    store_u64be(record + VOTE_ROUTE, vote->target.route);
    memcpy(record + VOTE_HASH, vote->target.hash.bytes, HASH_BYTES);
    put_part(record + VOTE_PARTS, vote->reason);
    return STEME_OK;
}

static steme_status encode_epoch(const struct steme_epoch *epoch, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_epoch(epoch, err);
    if (status) return status;
    uint16_t order[STEME_PARENTS_MAX];
    status = order_list(order, epoch->supersedes_count, compare_hashes, epoch->supersedes, "superseded epochs", err);
    if (status) return status;
    size_t length = EPOCH_PARTS + part_bytes(epoch->name.size) + part_bytes(epoch->description.size) +
                    epoch->supersedes_count * HASH_BYTES;
    uint8_t *record = begin_record(out, STEME_EPOCH, &epoch->author, length, &status, err);
    if (!record) return status;
    store_i64(record + EPOCH_DECLARED_AT, epoch->declared_at_us);
    store_i64(record + EPOCH_FROM, epoch->from_us);
    store_i64(record + EPOCH_TO, epoch->to_us);
    store_u16(record + EPOCH_SUPERSEDES, (uint16_t)epoch->supersedes_count);
    uint8_t *at = put_part(record + EPOCH_PARTS, epoch->name);
    at = put_part(at, epoch->description);
    put_hashes(at, epoch->supersedes, order, epoch->supersedes_count);
    return STEME_OK;
}

static uint8_t *put_target(uint8_t *at, const struct steme_target *target)
{
    at[TARGET_KIND] = (uint8_t)target->kind;
    store_u64be(at + TARGET_ROUTE, target->route);
    memcpy(at + TARGET_HASH, target->hash.bytes, HASH_BYTES);
    return at + TARGET_BYTES;
}

static steme_status encode_revision(const struct steme_revision *revision, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_revision(revision, err);
    if (status) return status;
    for (size_t i = 0; i < revision->target_count; i++) {
        status = field_check_target(&revision->targets[i], i, err);
        if (status) return status;
    }
    uint16_t targets[STEME_TARGETS_MAX], replacements[STEME_TARGETS_MAX];
    status = order_list(targets, revision->target_count, compare_targets, revision->targets, "targets", err);
    if (status) return status;
    status = order_list(replacements, revision->replacement_count, compare_hashes, revision->replacements,
                        "replacements", err);
    if (status) return status;
    size_t length = REVISION_PARTS + revision->target_count * TARGET_BYTES + revision->replacement_count * HASH_BYTES +
                    part_bytes(revision->reason.size);
    uint8_t *record = begin_record(out, STEME_REVISION, &revision->author, length, &status, err);
    if (!record) return status;
    store_i64(record + REVISION_REVISED_AT, revision->revised_at_us);
    record[REVISION_KIND] = (uint8_t)revision->kind;
    store_u16(record + REVISION_TARGETS, (uint16_t)revision->target_count);
    store_u16(record + REVISION_REPLACEMENTS, (uint16_t)revision->replacement_count);
    uint8_t *at = record + REVISION_PARTS;
    for (size_t i = 0; i < revision->target_count; i++)
        at = put_target(at, &revision->targets[targets[i]]);
    at = put_hashes(at, revision->replacements, replacements, revision->replacement_count);
    put_part(at, revision->reason);
    return STEME_OK;
}

static steme_status encode_bundle(const struct steme_bundle *bundle, struct buf *out, struct steme_error *err)
{
    steme_status status = field_check_bundle(bundle, err);
    if (status) return status;
    status = field_check_members(bundle->members, bundle->member_count, err);
    if (status) return status;
    size_t size = bundle->member_count * HASH_BYTES;
    uint8_t *record = begin_record(out, STEME_BUNDLE, &bundle->author, BUNDLE_PARTS + size, &status, err);
    if (!record) return status;
    store_u16(record + BUNDLE_MEMBERS, (uint16_t)bundle->member_count);
    memcpy(record + BUNDLE_PARTS, bundle->members, size); /* in the author's order */
    return STEME_OK;
}

static steme_status order_parameters(const struct steme_view *view, uint16_t *order, struct steme_error *err)
{
    struct steme_qualifier plain[STEME_VIEW_PARAMETERS_MAX];
    for (size_t i = 0; i < view->parameter_count; i++) {
        steme_status status = field_check_parameter(&view->parameters[i], i, err);
        if (status) return status;
        plain[i] = view->parameters[i];
        plain[i].key = false;
    }
    return order_list(order, view->parameter_count, compare_qualifiers, plain, "parameters", err);
}

static size_t view_bytes(const struct steme_view *view)
{
    size_t length = VIEW_PARTS + part_bytes(view->name.size) + part_bytes(view->subjects.size) +
                    part_bytes(view->predicate.size) + part_bytes(view->lens.size);
    if (view->has_epoch) length += HASH_BYTES;
    for (size_t i = 0; i < view->parameter_count; i++)
        length += qualifier_bytes(&view->parameters[i]);
    return length;
}

static steme_status encode_view(const struct steme_view *view, struct buf *out, struct steme_error *err)
{
    uint16_t order[STEME_VIEW_PARAMETERS_MAX];
    steme_status status = field_check_view(view, err);
    if (!status) status = order_parameters(view, order, err);
    if (status) return status;
    size_t length = view_bytes(view);
    uint8_t *record = begin_record(out, STEME_VIEW, &view->author, length, &status, err);
    if (!record) return status;
    store_i64(record + VIEW_CREATED_AT, view->created_at_us);
    record[VIEW_FLAGS] = (uint8_t)((view->dropped ? VIEW_FLAG_DROPPED : 0) | (view->has_epoch ? VIEW_FLAG_EPOCH : 0));
    store_u16(record + VIEW_PARAMETERS, (uint16_t)view->parameter_count);
    uint8_t *at = put_part(record + VIEW_PARTS, view->name);
    at = put_part(at, view->subjects);
    at = put_part(at, view->predicate);
    at = put_part(at, view->lens);
    if (view->has_epoch) at = put_bytes(at, slice_of(view->epoch.bytes, HASH_BYTES));
    for (size_t i = 0; i < view->parameter_count; i++)
        at = put_qualifier(at, &view->parameters[order[i]]);
    invariant(at == record + length); /* what was measured is what was written */
    return STEME_OK;
}

steme_status record_encode(const struct steme_record *record, struct buf *out, struct steme_error *err)
{
    switch (record->type) {
    case STEME_ASSERTION: return encode_assertion(&record->as.assertion, out, err);
    case STEME_VOTE: return encode_vote(&record->as.vote, out, err);
    case STEME_EPOCH: return encode_epoch(&record->as.epoch, out, err);
    case STEME_REVISION: return encode_revision(&record->as.revision, out, err);
    case STEME_BUNDLE: return encode_bundle(&record->as.bundle, out, err);
    case STEME_VIEW: return encode_view(&record->as.view, out, err);
    default:
        return error_set(err, STEME_BAD_INPUT, "record type %u is none; 0 to %d are", (unsigned)record->type,
                         STEME_VIEW);
    }
}
