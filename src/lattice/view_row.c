/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/view_row.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "model/record.h"

#include <string.h>
#include <xxhash.h>

/* A row: figures at fixed places, then the pooled ones if there are any, then names and values one behind the other. */
enum {
    ROW_FLAGS = 4,
    ROW_VERDICT = 5,
    ROW_SUBJECT = 6, /* u16 sizes of what follows the figures */
    ROW_BELIEFS = 8,
    ROW_VOICES = 12,
    ROW_ASSERTIONS = 16,
    ROW_VOTES = 20,
    ROW_MARGIN = 24,
    ROW_PROBABILITY = 32,
    ROW_SUPPORT = 40,
    ROW_REFUTE = 48,
    ROW_RIVAL_PROBABILITY = 56,
    ROW_SLOT = 64,
    ROW_CLAIM = 96,
    ROW_ASSERTION = 128,
    ROW_PREDICATE = 160,
    ROW_QUALIFIERS = 162,
    ROW_VALUE = 164,
    ROW_RIVAL = 166,
    ROW_BYTES = 168,
    POOLED_BYTES = 24,

    ROW_FUNCTIONAL = 1,
    ROW_POOLED = 2,
    ROW_WHOLE = 4,
    ROW_FLAGS_ALL = 7,

    KEY_BYTES = 49, /* W view16 generation4 route8 predicate4 slot16 */
    KEY_SLOT_AT = 21,

    MARK_BYTES = 48,
    STATE_SHOWN = 4,
    STATE_MARK = 8,
    STATE_ROWS = 56,
    STATE_ROW_BYTES = 64,
    STATE_TRUST = 72,
    STATE_MADE_AT = 104,
    STATE_MAKING = 112,
    STATE_SWEEPING = 116,
    STATE_CURSOR_PREDICATE = 120,
    STATE_BOUND = 128,
    STATE_CURSOR_ROUTE = 176,
    STATE_CURSOR_SLOT = 184,
    STATE_MAKING_ROWS = 200,
    STATE_MAKING_BYTES = 208,
    STATE_MAKING_TRUST = 216,
    STATE_BYTES = 248, /* the fault follows */
};
_Static_assert(STATE_BYTES + VIEW_FAULT_MAX <= KEYS_VALUE_MAX_BYTES, "a state is small");

/* ---- the check ---- */

static uint32_t check_of(struct steme_slice key, const uint8_t *value, size_t size)
{
    return (uint32_t)XXH3_64bits_withSeed(value + 4, size - 4, XXH3_64bits(key.data, key.size));
}

static steme_status unseal(struct steme_slice key, struct steme_slice value, size_t at_least, struct steme_error *err)
{
    if (value.size >= at_least && load_u32(value.data) == check_of(key, value.data, value.size)) return STEME_OK;
    return error_set(err, STEME_CORRUPT, "an index row of kind W fails its check");
}

static void store_f64(uint8_t *at, double number) { memcpy(at, &number, sizeof number); }

static double load_f64(const uint8_t *at)
{
    double number;
    memcpy(&number, at, sizeof number);
    return number;
}

/* ---- state ---- */

static void store_mark(uint8_t *at, const struct wal_mark *mark)
{
    store_u64(at, mark->next_sequence);
    store_u64(at + 8, mark->location);
    memcpy(at + 16, mark->batch.bytes, 32);
}

static struct wal_mark load_mark(const uint8_t *at)
{
    struct wal_mark mark = { .next_sequence = load_u64(at), .location = load_u64(at + 8) };
    memcpy(mark.batch.bytes, at + 16, 32);
    return mark;
}

void value_of_view_state(struct value_bytes *out, struct steme_slice key, const struct view_state *state)
{
    size_t fault = strnlen(state->fault, VIEW_FAULT_MAX - 1);
    uint8_t *at = out->data;
    memset(at, 0, STATE_BYTES);
    store_u32(at + STATE_SHOWN, state->shown);
    store_mark(at + STATE_MARK, &state->mark);
    store_u64(at + STATE_ROWS, state->rows);
    store_u64(at + STATE_ROW_BYTES, state->row_bytes);
    memcpy(at + STATE_TRUST, state->trust.bytes, 32);
    store_i64(at + STATE_MADE_AT, state->made_at_us);
    store_u32(at + STATE_MAKING, state->making);
    at[STATE_SWEEPING] = state->sweeping;
    store_u32(at + STATE_CURSOR_PREDICATE, state->cursor.predicate);
    store_mark(at + STATE_BOUND, &state->bound);
    store_u64(at + STATE_CURSOR_ROUTE, state->cursor.route);
    memcpy(at + STATE_CURSOR_SLOT, state->cursor.slot, 16);
    store_u64(at + STATE_MAKING_ROWS, state->making_rows);
    store_u64(at + STATE_MAKING_BYTES, state->making_bytes);
    memcpy(at + STATE_MAKING_TRUST, state->making_trust.bytes, 32);
    memcpy(at + STATE_BYTES, state->fault, fault);
    out->size = STATE_BYTES + fault;
    store_u32(at, check_of(key, at, out->size));
}

steme_status row_view_state(struct steme_slice key, struct steme_slice value, struct view_state *out,
                            struct steme_error *err)
{
    steme_status status = unseal(key, value, STATE_BYTES, err);
    if (status) return status;
    if (value.size - STATE_BYTES >= VIEW_FAULT_MAX)
        return error_set(err, STEME_CORRUPT, "a view's state has a fault that is too long");
    const uint8_t *at = value.data;
    *out = (struct view_state){ .shown = load_u32(at + STATE_SHOWN),
                                .mark = load_mark(at + STATE_MARK),
                                .rows = load_u64(at + STATE_ROWS),
                                .row_bytes = load_u64(at + STATE_ROW_BYTES),
                                .made_at_us = load_i64(at + STATE_MADE_AT),
                                .making = load_u32(at + STATE_MAKING),
                                .bound = load_mark(at + STATE_BOUND),
                                .cursor = { .route = load_u64(at + STATE_CURSOR_ROUTE),
                                            .predicate = load_u32(at + STATE_CURSOR_PREDICATE) },
                                .making_rows = load_u64(at + STATE_MAKING_ROWS),
                                .making_bytes = load_u64(at + STATE_MAKING_BYTES),
                                .sweeping = at[STATE_SWEEPING] };
    memcpy(out->trust.bytes, at + STATE_TRUST, 32);
    memcpy(out->making_trust.bytes, at + STATE_MAKING_TRUST, 32);
    memcpy(out->cursor.slot, at + STATE_CURSOR_SLOT, 16);
    memcpy(out->fault, at + STATE_BYTES, value.size - STATE_BYTES);
    return STEME_OK;
}

/* ---- rows ---- */

void view_row_of(const struct steme_answer *answer, struct steme_view_row *out)
{
    *out = (struct steme_view_row){ .subject = answer->subject,
                                    .predicate = answer->predicate,
                                    .key_qualifiers = answer->key_qualifiers,
                                    .slot = answer->slot,
                                    .verdict = answer->verdict,
                                    .functional = answer->functional,
                                    .beliefs = (uint32_t)answer->belief_count,
                                    .voices = answer->voices,
                                    .assertions = answer->assertions,
                                    .votes = answer->votes,
                                    .margin = answer->margin,
                                    .has_pooled = answer->has_pooled };
    if (answer->belief_count) {
        const struct steme_belief *best = answer->beliefs;
        out->value = best->value;
        out->probability = best->probability;
        out->support = best->support;
        out->refute = best->refute;
        out->claim = best->claim;
        out->assertion = best->assertion;
    }
    if (answer->belief_count > 1) {
        out->rival = answer->beliefs[1].value;
        out->rival_probability = answer->beliefs[1].probability;
    }
    if (answer->has_pooled) {
        out->pooled_mean = answer->pooled.mean;
        out->pooled_error = answer->pooled.error;
        out->pooled_tension_p = answer->pooled.tension_p;
    }
}

static void store_figures(uint8_t *at, const struct steme_view_row *row)
{
    memset(at, 0, ROW_BYTES);
    at[ROW_FLAGS] = (uint8_t)((row->functional ? ROW_FUNCTIONAL : 0) | (row->has_pooled ? ROW_POOLED : 0));
    at[ROW_VERDICT] = (uint8_t)row->verdict;
    store_u32(at + ROW_BELIEFS, row->beliefs);
    store_u32(at + ROW_VOICES, row->voices);
    store_u32(at + ROW_ASSERTIONS, row->assertions);
    store_u32(at + ROW_VOTES, row->votes);
    store_f64(at + ROW_MARGIN, row->margin);
    store_f64(at + ROW_PROBABILITY, row->probability);
    store_f64(at + ROW_SUPPORT, row->support);
    store_f64(at + ROW_REFUTE, row->refute);
    store_f64(at + ROW_RIVAL_PROBABILITY, row->rival_probability);
    memcpy(at + ROW_SLOT, row->slot.bytes, 32);
    memcpy(at + ROW_CLAIM, row->claim.bytes, 32);
    memcpy(at + ROW_ASSERTION, row->assertion.bytes, 32);
}

/* Names and values, and their sizes where they belong; start is where the row begins in out. */
static steme_status append_texts(const struct steme_view_row *row, size_t start, struct buf *out,
                                 struct steme_error *err)
{
    steme_status status = STEME_OK;
    size_t sizes[5] = { row->subject.size, row->predicate.size, row->key_qualifiers.size };
    buf_append_slice(out, row->subject);
    buf_append_slice(out, row->predicate);
    buf_append_slice(out, row->key_qualifiers);
    size_t before = out->size;
    if (row->beliefs) status = value_encode(&row->value, out, err);
    sizes[3] = out->size - before;
    before = out->size;
    if (!status && row->beliefs > 1) status = value_encode(&row->rival, out, err);
    sizes[4] = out->size - before;
    if (!status) status = buf_check(out, err);
    if (status || out->size - start > VIEW_ROW_MAX) return status;
    uint8_t *at = out->data + start;
    at[ROW_FLAGS] |= ROW_WHOLE;
    store_u16(at + ROW_SUBJECT, (uint16_t)sizes[0]);
    for (size_t i = 1; i < countof(sizes); i++)
        store_u16(at + ROW_PREDICATE + 2 * (i - 1), (uint16_t)sizes[i]);
    return STEME_OK;
}

steme_status view_row_encode(struct steme_slice key, const struct steme_answer *answer, struct buf *out,
                             struct steme_error *err)
{
    struct steme_view_row row;
    size_t start = out->size, figures = ROW_BYTES + (answer->has_pooled ? POOLED_BYTES : 0u);
    view_row_of(answer, &row);
    uint8_t *at = buf_extend(out, figures);
    if (!at) return buf_check(out, err);
    store_figures(at, &row);
    if (row.has_pooled) {
        store_f64(at + ROW_BYTES, row.pooled_mean);
        store_f64(at + ROW_BYTES + 8, row.pooled_error);
        store_f64(at + ROW_BYTES + 16, row.pooled_tension_p);
    }
    steme_status status = append_texts(&row, start, out, err);
    if (status) return status;
    if (!(out->data[start + ROW_FLAGS] & ROW_WHOLE)) out->size = start + figures;
    store_u32(out->data + start, check_of(key, out->data + start, out->size - start));
    return STEME_OK;
}

static void load_figures(const uint8_t *at, struct steme_view_row *row)
{
    *row = (struct steme_view_row){ .verdict = (enum steme_verdict)at[ROW_VERDICT],
                                    .functional = at[ROW_FLAGS] & ROW_FUNCTIONAL,
                                    .has_pooled = at[ROW_FLAGS] & ROW_POOLED,
                                    .beliefs = load_u32(at + ROW_BELIEFS),
                                    .voices = load_u32(at + ROW_VOICES),
                                    .assertions = load_u32(at + ROW_ASSERTIONS),
                                    .votes = load_u32(at + ROW_VOTES),
                                    .margin = load_f64(at + ROW_MARGIN),
                                    .probability = load_f64(at + ROW_PROBABILITY),
                                    .support = load_f64(at + ROW_SUPPORT),
                                    .refute = load_f64(at + ROW_REFUTE),
                                    .rival_probability = load_f64(at + ROW_RIVAL_PROBABILITY) };
    memcpy(row->slot.bytes, at + ROW_SLOT, 32);
    memcpy(row->claim.bytes, at + ROW_CLAIM, 32);
    memcpy(row->assertion.bytes, at + ROW_ASSERTION, 32);
}

/* `size` bytes from *at on, which moves behind them; *at NULL once the row has no more. */
static struct steme_slice take(const uint8_t **at, const uint8_t *end, size_t size)
{
    struct steme_slice none = { 0 };
    if (!*at || (size_t)(end - *at) < size) {
        *at = NULL;
        return none;
    }
    struct steme_slice part = slice_of(*at, size);
    *at += size;
    return part;
}

static steme_status load_texts(struct steme_slice value, size_t figures, struct steme_view_row *row,
                               struct steme_error *err)
{
    const uint8_t *at = value.data + figures, *end = value.data + value.size;
    row->subject = take(&at, end, load_u16(value.data + ROW_SUBJECT));
    row->predicate = take(&at, end, load_u16(value.data + ROW_PREDICATE));
    row->key_qualifiers = take(&at, end, load_u16(value.data + ROW_QUALIFIERS));
    struct steme_slice best = take(&at, end, load_u16(value.data + ROW_VALUE));
    struct steme_slice rival = take(&at, end, load_u16(value.data + ROW_RIVAL));
    if (at != end || (best.size > 0) != (row->beliefs > 0) || (rival.size > 0) != (row->beliefs > 1))
        return error_set(err, STEME_CORRUPT, "a view's row does not have the length it says");
    steme_status status = best.size ? value_decode(best, &row->value, err) : STEME_OK;
    if (!status && rival.size) status = value_decode(rival, &row->rival, err);
    return status ? error_wrap(err, STEME_CORRUPT, "a view's row holds a value that is none") : STEME_OK;
}

steme_status view_row_decode(struct steme_slice key, struct steme_slice value, struct steme_view_row *out,
                             bool *whole_out, struct steme_error *err)
{
    struct steme_view_row row;
    steme_status status = unseal(key, value, ROW_BYTES, err);
    if (status) return status;
    unsigned flags = value.data[ROW_FLAGS];
    size_t figures = ROW_BYTES + (flags & ROW_POOLED ? POOLED_BYTES : 0u);
    if (key.size != KEY_BYTES || flags & ~(unsigned)ROW_FLAGS_ALL || value.data[ROW_VERDICT] > STEME_LISTED ||
        value.size < figures || memcmp(value.data + ROW_SLOT, key.data + KEY_SLOT_AT + 12, 16) != 0)
        return error_set(err, STEME_CORRUPT, "a view's row has bytes that mean nothing");
    load_figures(value.data, &row);
    if (row.has_pooled) {
        row.pooled_mean = load_f64(value.data + ROW_BYTES);
        row.pooled_error = load_f64(value.data + ROW_BYTES + 8);
        row.pooled_tension_p = load_f64(value.data + ROW_BYTES + 16);
    }
    *whole_out = flags & ROW_WHOLE;
    if (*whole_out)
        status = load_texts(value, figures, &row, err);
    else if (value.size != figures)
        status = error_set(err, STEME_CORRUPT, "a view's row is longer than it says");
    if (!status) *out = row;
    return status;
}

void view_row_slot(struct steme_slice key, struct slot_ref *out)
{
    invariant(key.size == KEY_BYTES);
    out->route = load_u64be(key.data + KEY_SLOT_AT);
    out->predicate = __builtin_bswap32(load_u32(key.data + KEY_SLOT_AT + 8));
    memcpy(out->slot, key.data + KEY_SLOT_AT + 12, 16);
}
