/* SPDX-License-Identifier: Apache-2.0 */
#include "model/field.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/decimal.h"
#include "base/glob.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "model/identity.h"
#include "model/order.h"
#include "steme/limits.h"

#include <string.h>

enum { LANGUAGE_MAX_BYTES = 35, MEDIA_TYPE_MAX_BYTES = 127 };

static const int64_t second_us = 1000000;
static const int64_t day_us = 86400 * (int64_t)1000000;

steme_status field_check_text(struct steme_slice text, const char *what, struct steme_error *err)
{
    if (text.size > STEME_TEXT_MAX)
        return error_set(err, STEME_TOO_LARGE, "%s has %zu bytes, a text at most %u; keep longer ones as a blob", what,
                         text.size, STEME_TEXT_MAX);
    if (text.size == 0) return STEME_OK;
    if (memchr(text.data, 0, text.size))
        return error_set(err, STEME_BAD_INPUT, "%s contains a NUL byte; remove it", what);
    if (!utf8_valid(text))
        return error_set(err, STEME_BAD_INPUT, "%s is not well-formed UTF-8; encode it as UTF-8", what);
    return STEME_OK;
}

/* A name, or nothing. */
static steme_status check_optional_name(struct steme_slice name, const char *what, struct steme_error *err)
{
    return name.size ? utf8_check_name(name, what, err) : STEME_OK;
}

static steme_status check_count(size_t count, size_t limit, const char *what, struct steme_error *err)
{
    if (count <= limit) return STEME_OK;
    return error_set(err, STEME_TOO_LARGE, "%zu %s; one record may have at most %zu", count, what, limit);
}

static steme_status check_ppm(uint32_t ppm, const char *what, struct steme_error *err)
{
    if (ppm <= STEME_PPM) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "%s is %u; it counts parts per million, at most %u", what, ppm, STEME_PPM);
}

static steme_status check_interval(int64_t from, int64_t to, const char *from_what, const char *to_what,
                                   struct steme_error *err)
{
    if (from < to) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "%s is not before %s, which is exclusive; leave some time between them",
                     from_what, to_what);
}

static steme_status check_stance(enum steme_stance stance, struct steme_error *err)
{
    if ((unsigned)stance <= STEME_ABSTAIN) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "stance %u is none; it is 0 (support), 1 (refute) or 2 (abstain)",
                     (unsigned)stance);
}

static bool is_language_byte(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
}

static steme_status check_language(struct steme_slice tag, struct steme_error *err)
{
    bool good = tag.size <= LANGUAGE_MAX_BYTES;
    for (size_t i = 0; good && i < tag.size; i++)
        good = is_language_byte(tag.data[i]);
    if (good) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "language is no tag such as \"en\": at most %d of letters, digits and \"-\"",
                     LANGUAGE_MAX_BYTES);
}

static steme_status check_media_type(struct steme_slice type, struct steme_error *err)
{
    bool good = type.size > 0 && type.size <= MEDIA_TYPE_MAX_BYTES && type.data[0] != ' ' &&
                type.data[type.size - 1] != ' ';
    for (size_t i = 0; good && i < type.size; i++)
        good = type.data[i] >= 0x20 && type.data[i] <= 0x7E;
    if (good) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "media type is none such as \"image/png\": 1 to %d printable ASCII bytes",
                     MEDIA_TYPE_MAX_BYTES);
}

static steme_status check_decimal(struct steme_decimal number, const char *what, struct steme_error *err)
{
    if (decimal_is_canonical(number)) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT,
                     "%s is not a canonical decimal: no trailing zero in the coefficient, 0 with scale 0, "
                     "scale from -%d to %d",
                     what, STEME_SCALE_MAX, STEME_SCALE_MAX);
}

static steme_status check_quantity(const struct steme_value *value, struct steme_error *err)
{
    steme_status status = check_decimal(value->amount, "amount", err);
    if (status) return status;
    if (value->has_bounds) {
        status = check_decimal(value->lower, "lower bound", err);
        if (status) return status;
        status = check_decimal(value->upper, "upper bound", err);
        if (status) return status;
        if (decimal_compare(value->lower, value->amount) > 0)
            return error_set(err, STEME_BAD_INPUT, "lower bound is above the amount; give amount minus error");
        if (decimal_compare(value->amount, value->upper) > 0)
            return error_set(err, STEME_BAD_INPUT, "upper bound is below the amount; give amount plus error");
    }
    return check_optional_name(value->unit, "unit", err);
}

/* Whether a day, counted from 1970-01-01 in the proleptic Gregorian calendar, begins a year or a month. Years are
 * reckoned from 1 March here, so that a leap day is the last of its year. */
static void find_civil_day(int64_t days, bool *first_of_year, bool *first_of_month)
{
    int64_t since_march = days + 719468;   /* since 0000-03-01 */
    int64_t of_era = since_march % 146097; /* 400 years */
    if (of_era < 0) of_era += 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* 0 is March */
    *first_of_month = of_year == (153 * month + 2) / 5;
    *first_of_year = *first_of_month && month == 10;
}

static steme_status check_time(int64_t us, enum steme_precision precision, struct steme_error *err)
{
    bool first_of_year = false, first_of_month = false;
    if (us % day_us == 0) find_civil_day(us / day_us, &first_of_year, &first_of_month);
    bool good = false;
    switch (precision) {
    case STEME_YEAR: good = first_of_year; break;
    case STEME_MONTH: good = first_of_month; break;
    case STEME_DAY: good = us % day_us == 0; break;
    case STEME_SECOND: good = us % second_us == 0; break;
    case STEME_MICROSECOND: good = true; break;
    default: return error_set(err, STEME_BAD_INPUT, "time precision %u is none; 0 to 4 are", (unsigned)precision);
    }
    if (good) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT,
                     "time is finer than its precision; give the start of the year, month, day or second, in UTC");
}

steme_status field_check_value(const struct steme_value *value, struct steme_error *err)
{
    steme_status status = STEME_OK;
    switch (value->kind) {
    case STEME_ENTITY: return utf8_check_name(value->text, "object", err);
    case STEME_TEXT:
        status = field_check_text(value->text, "object", err);
        if (!status) status = check_language(value->language, err);
        break;
    case STEME_DECIMAL: status = check_decimal(value->amount, "object", err); break;
    case STEME_QUANTITY: status = check_quantity(value, err); break;
    case STEME_TIME: status = check_time(value->time_us, value->precision, err); break;
    case STEME_BLOB: status = check_media_type(value->media_type, err); break;
    case STEME_INTEGER:
    case STEME_BOOLEAN:
    case STEME_UNKNOWN:
    case STEME_NONE: break;
    default: status = error_set(err, STEME_BAD_INPUT, "value kind %u is none; 0 to 9 are", (unsigned)value->kind);
    }
    return status;
}

steme_status field_check_assertion(const struct steme_assertion *assertion, struct steme_error *err)
{
    steme_status status = utf8_check_name(assertion->subject, "subject", err);
    if (status) return status;
    status = utf8_check_name(assertion->predicate, "predicate", err);
    if (status) return status;
    status = field_check_value(&assertion->object, err);
    if (status) return status;
    status = check_optional_name(assertion->source, "source", err);
    if (status) return status;
    status = check_ppm(assertion->confidence_ppm, "confidence", err);
    if (status) return status;
    status = check_interval(assertion->valid_from_us, assertion->valid_to_us, "valid_from", "valid_to", err);
    if (status) return status;
    status = check_count(assertion->qualifier_count, STEME_QUALIFIERS_MAX, "qualifiers", err);
    if (status) return status;
    status = check_count(assertion->evidence_count, STEME_EVIDENCE_MAX, "evidence entries", err);
    if (status) return status;
    return check_count(assertion->parent_count, STEME_PARENTS_MAX, "parents", err);
}

steme_status field_check_qualifier(const struct steme_qualifier *qualifier, size_t index, struct steme_error *err)
{
    steme_status status = utf8_check_name(qualifier->name, "name", err);
    if (!status) status = utf8_check_name(qualifier->value, "value", err);
    return status ? error_wrap(err, status, "qualifier %zu", index + 1) : STEME_OK;
}

steme_status field_check_evidence(const struct steme_evidence *evidence, size_t index, struct steme_error *err)
{
    steme_status status = check_stance(evidence->stance, err);
    if (!status && !evidence->has_target) status = utf8_check_name(evidence->uri, "uri", err);
    if (!status) status = check_optional_name(evidence->locator, "locator", err);
    return status ? error_wrap(err, status, "evidence %zu", index + 1) : STEME_OK;
}

/* An id is its own route where it has no subject. */
static steme_status check_route(const struct steme_target *target, struct steme_error *err)
{
    if (target->route == route_of_hash(&target->hash)) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT,
                     "the target's route is wrong; that of an agent, source or epoch is the first 8 bytes of its hash");
}

static steme_status check_vote_target(const struct steme_target *target, struct steme_error *err)
{
    switch (target->kind) {
    case STEME_ON_ASSERTION:
    case STEME_ON_CLAIM: return STEME_OK;
    case STEME_ON_AGENT:
    case STEME_ON_SOURCE:
    case STEME_ON_EPOCH: return check_route(target, err);
    case STEME_ON_VOTE: return error_set(err, STEME_BAD_INPUT, "a vote can't be on a vote; vote on what it is about");
    default:
        return error_set(err, STEME_BAD_INPUT, "target kind %u is none; a vote has 0 to 4", (unsigned)target->kind);
    }
}

steme_status field_check_vote(const struct steme_vote *vote, struct steme_error *err)
{
    steme_status status = check_vote_target(&vote->target, err);
    if (status) return status;
    status = check_stance(vote->stance, err);
    if (status) return status;
    status = check_ppm(vote->probability_ppm, "probability", err);
    if (status) return status;
    return field_check_text(vote->reason, "reason", err);
}

steme_status field_check_epoch(const struct steme_epoch *epoch, struct steme_error *err)
{
    steme_status status = utf8_check_name(epoch->name, "name", err);
    if (status) return status;
    status = field_check_text(epoch->description, "description", err);
    if (status) return status;
    status = check_interval(epoch->from_us, epoch->to_us, "from", "to", err);
    if (status) return status;
    return check_count(epoch->supersedes_count, STEME_PARENTS_MAX, "superseded epochs", err);
}

steme_status field_check_target(const struct steme_target *target, size_t index, struct steme_error *err)
{
    steme_status status = STEME_OK;
    switch (target->kind) {
    case STEME_ON_ASSERTION:
    case STEME_ON_VOTE: break;
    case STEME_ON_EPOCH: status = check_route(target, err); break;
    case STEME_ON_CLAIM:
    case STEME_ON_AGENT:
    case STEME_ON_SOURCE:
    default:
        status = error_set(err, STEME_BAD_INPUT,
                           "kind %u can't be revised; assertions (0), epochs (4) and votes (5) can",
                           (unsigned)target->kind);
    }
    return status ? error_wrap(err, status, "target %zu", index + 1) : STEME_OK;
}

steme_status field_check_revision(const struct steme_revision *revision, struct steme_error *err)
{
    if ((unsigned)revision->kind > STEME_UPDATE)
        return error_set(err, STEME_BAD_INPUT, "revision kind %u is none; it is 0 (retract), 1 (correct) or 2 (update)",
                         (unsigned)revision->kind);
    if (revision->target_count == 0)
        return error_set(err, STEME_BAD_INPUT, "a revision without targets; name at least one record");
    steme_status status = check_count(revision->target_count, STEME_TARGETS_MAX, "targets", err);
    if (status) return status;
    status = check_count(revision->replacement_count, STEME_TARGETS_MAX, "replacements", err);
    if (status) return status;
    if (revision->kind == STEME_RETRACT && revision->replacement_count > 0)
        return error_set(err, STEME_BAD_INPUT, "a retraction with replacements; make it a correction or an update");
    if (revision->kind != STEME_RETRACT && revision->replacement_count == 0)
        return error_set(err, STEME_BAD_INPUT, "a correction or update without replacements; retract instead");
    return field_check_text(revision->reason, "reason", err);
}

steme_status field_check_bundle(const struct steme_bundle *bundle, struct steme_error *err)
{
    if (bundle->member_count == 0)
        return error_set(err, STEME_BAD_INPUT, "a bundle without members; give at least one assertion");
    return check_count(bundle->member_count, STEME_BUNDLE_MAX, "members", err);
}

/* ---- views ---- */

static steme_status check_dropped(const struct steme_view *view, struct steme_error *err)
{
    if (view->subjects.size || view->predicate.size || view->lens.size || view->has_epoch || view->parameter_count)
        return error_set(err, STEME_BAD_INPUT, "a dropped view has a name and nothing more; leave the rest out");
    return STEME_OK;
}

steme_status field_check_view(const struct steme_view *view, struct steme_error *err)
{
    steme_status status = utf8_check_name(view->name, "name", err);
    if (status) return status;
    if (view->dropped) return check_dropped(view, err);
    status = check_optional_name(view->subjects, "subject pattern", err);
    if (!status) status = glob_check(view->subjects, "subject pattern", err);
    if (!status) status = check_optional_name(view->predicate, "predicate", err);
    if (!status) status = utf8_check_name(view->lens, "lens", err);
    if (!status) status = check_count(view->parameter_count, STEME_VIEW_PARAMETERS_MAX, "parameters", err);
    return status;
}

steme_status field_check_parameter(const struct steme_qualifier *parameter, size_t index, struct steme_error *err)
{
    steme_status status = utf8_check_name(parameter->name, "name", err);
    if (!status) status = utf8_check_name(parameter->value, "value", err);
    return status ? error_wrap(err, status, "parameter %zu", index + 1) : STEME_OK;
}

/* ---- bundles: no member twice ---- */

enum {
    TABLE_SLOTS = 8192,   /* twice the members there may be */
    PROBES_PER_MEMBER = 8 /* honest ids, which are digests, need 1.5 */
};
_Static_assert(TABLE_SLOTS >= 2 * STEME_BUNDLE_MAX && STEME_BUNDLE_MAX < UINT16_MAX, "the table stays half empty");

static bool same_hash(const struct steme_hash *a, const struct steme_hash *b)
{
    return load_u64(a->bytes) == load_u64(b->bytes) && memcmp(a, b, sizeof *a) == 0;
}

/* Results of search_table(). */
enum twins { NO_TWINS, TWINS, UNDECIDED };

/* Open addressing by the first bytes of the ids. Their author chooses them, so he can make them all meet in one run;
 * the number of probes is bounded, and past it the question is left open. */
static enum twins search_table(const struct steme_hash *members, size_t count, size_t *first, size_t *second)
{
    uint16_t table[TABLE_SLOTS]; /* index + 1, 0 is free */
    size_t slots = 16;
    while (slots < 2 * count)
        slots *= 2;
    memset(table, 0, slots * sizeof table[0]);
    size_t probes_left = count * PROBES_PER_MEMBER;
    for (size_t i = 0; i < count; i++) {
        size_t at = load_u64(members[i].bytes) & (slots - 1);
        for (; table[at]; at = (at + 1) & (slots - 1)) {
            size_t other = table[at] - 1u;
            if (same_hash(&members[other], &members[i])) {
                *first = other;
                *second = i;
                return TWINS;
            }
            if (probes_left-- == 0) return UNDECIDED;
        }
        table[at] = (uint16_t)(i + 1);
    }
    return NO_TWINS;
}

static int compare_members(const void *list, size_t a, size_t b)
{
    const struct steme_hash *members = list;
    return memcmp(&members[a], &members[b], sizeof *members);
}

static enum twins search_sorted(const struct steme_hash *members, size_t count, size_t *first, size_t *second)
{
    uint16_t order[STEME_BUNDLE_MAX];
    order_items(order, count, compare_members, members);
    return order_twins(order, count, compare_members, members, first, second) ? TWINS : NO_TWINS;
}

steme_status field_check_members(const struct steme_hash *members, size_t count, struct steme_error *err)
{
    invariant(count <= STEME_BUNDLE_MAX);
    size_t first = 0, second = 0;
    enum twins found = search_table(members, count, &first, &second);
    if (found == UNDECIDED) found = search_sorted(members, count, &first, &second);
    if (found == NO_TWINS) return STEME_OK;
    return error_set(err, STEME_BAD_INPUT, "members %zu and %zu are the same; list each once", first + 1, second + 1);
}
