/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/stock.h"

#include "base/buf.h"
#include "base/slice.h"
#include "model/identity.h"
#include "model/record.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 256 << 20 };

/* A simulation without memory for its own stock has nothing to say. */
static void *must(void *memory)
{
    invariant(memory);
    return memory;
}

void stock_init(struct stock *stock, const char *name)
{
    *stock = (struct stock){ .name = name };
    arena_init(&stock->arena, ARENA_BYTES);
    invariant(sign_init(NULL) == STEME_OK);
    for (unsigned i = 0; i < STOCK_AGENTS; i++) {
        uint8_t seed[32] = { (uint8_t)(i + 1), 0x5a };
        sign_secret_from_seed(seed, &stock->agents[i]);
        stock->agent_ids[i] = agent_id(stock->agents[i].key.bytes);
    }
}

void stock_deinit(struct stock *stock)
{
    free(stock->records);
    free(stock->signed_records);
    free(stock->parcels);
    free(stock->by_id);
    free(stock->slots);
    arena_deinit(&stock->arena);
}

struct steme_slice stock_text(struct stock *stock, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    invariant(length > 0 && (size_t)length < sizeof text);
    return arena_copy(&stock->arena, slice_of(text, (size_t)length));
}

void stock_add_parcel(struct stock *stock, size_t first, size_t count)
{
    if (stock->parcel_count == stock->parcel_capacity) {
        stock->parcel_capacity = stock->parcel_capacity ? 2 * stock->parcel_capacity : 256;
        stock->parcels = must(realloc(stock->parcels, stock->parcel_capacity * sizeof *stock->parcels));
    }
    stock->parcels[stock->parcel_count++] = (struct stock_parcel){ first, count };
}

static void identify(struct stock_record *record)
{
    struct assertion_view view;
    record->agent = agent_id(record->author.bytes);
    if (record->record.type != STEME_ASSERTION) return;
    invariant(assertion_view(record->bytes, &view, NULL) == STEME_OK);
    record->slot = slot_id(view.subject, view.predicate, view.key_qualifiers);
    record->claim = claim_id(&record->slot, view.object, false);
    record->voice = view.source.size ? source_id(view.source) : record->agent;
}

static size_t put(struct stock *stock, unsigned agent, const struct steme_record *record, bool is_signed)
{
    struct steme_record own = *record;
    struct buf bytes;
    const struct sign_secret *secret = &stock->agents[agent];
    switch (own.type) {
    case STEME_ASSERTION: own.as.assertion.author = secret->key; break;
    case STEME_VOTE: own.as.vote.voter = secret->key; break;
    case STEME_EPOCH: own.as.epoch.author = secret->key; break;
    case STEME_REVISION: own.as.revision.author = secret->key; break;
    case STEME_BUNDLE: own.as.bundle.author = secret->key; break;
    case STEME_VIEW: own.as.view.author = secret->key; break;
    }
    buf_init(&bytes, STEME_RECORD_MAX);
    invariant(record_encode(&own, &bytes, NULL) == STEME_OK);
    if (stock->count == stock->capacity) {
        stock->capacity = stock->capacity ? 2 * stock->capacity : 256;
        stock->records = must(realloc(stock->records, stock->capacity * sizeof *stock->records));
        stock->signed_records = must(realloc(stock->signed_records, stock->capacity * sizeof *stock->signed_records));
    }
    struct stock_record made = { .bundle = STOCK_NONE, .is_signed = is_signed, .author = secret->key };
    made.bytes = arena_copy(&stock->arena, buf_slice(&bytes));
    made.id = record_id(made.bytes);
    if (is_signed) made.signature = sign_record(secret, &made.id);
    invariant(record_decode(made.bytes, &stock->arena, &made.record, NULL) == STEME_OK);
    identify(&made);
    buf_deinit(&bytes);
    stock->records[stock->count] = made;
    stock->signed_records[stock->count] = (struct steme_signed){ made.bytes, is_signed, made.signature };
    return stock->count++;
}

/* The record signed by itself. Linear, for it is asked only while the stock is made. */
static size_t look_up(const struct stock *stock, const struct steme_hash *id)
{
    for (size_t i = 0; i < stock->count; i++)
        if (stock->records[i].is_signed && memcmp(&stock->records[i].id, id, sizeof *id) == 0) return i;
    return STOCK_NONE;
}

size_t stock_add(struct stock *stock, unsigned agent, const struct steme_record *record)
{
    size_t place = put(stock, agent, record, true);
    size_t earlier = look_up(stock, &stock->records[place].id);
    if (earlier != place) stock->count--;
    stock_add_parcel(stock, earlier, 1);
    return earlier;
}

size_t stock_add_bundle(struct stock *stock, unsigned agent, const struct steme_assertion *assertions, size_t count)
{
    struct steme_hash *ids = must(calloc(count, sizeof *ids));
    size_t first = stock->count;
    for (size_t i = 0; i < count; i++) { /* once to learn the ids */
        struct steme_record member = { .type = STEME_ASSERTION, .as.assertion = assertions[i] };
        size_t place = put(stock, agent, &member, false);
        ids[i] = stock->records[place].id;
        stock->count--;
    }
    struct steme_record list = { .type = STEME_BUNDLE, .as.bundle = { .members = ids, .member_count = count } };
    size_t bundle = put(stock, agent, &list, true);
    for (size_t i = 0; i < count; i++) {
        struct steme_record member = { .type = STEME_ASSERTION, .as.assertion = assertions[i] };
        size_t place = put(stock, agent, &member, false);
        stock->records[place].bundle = bundle;
    }
    free(ids);
    stock_add_parcel(stock, first, count + 1);
    return bundle;
}

/* ---- look-ups ---- */

static const struct stock *sorting; /* qsort has no context; one thread makes stocks */

static int compare_ids(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    int order = memcmp(&sorting->records[a].id, &sorting->records[b].id, sizeof(struct steme_hash));
    return order ? order : (a > b) - (a < b);
}

static void list_key_qualifiers(struct stock *stock, const struct steme_assertion *assertion, struct stock_slot *slot)
{
    size_t count = assertion->qualifier_count;
    struct steme_qualifier *keys = must(arena_calloc(&stock->arena, count + 1, sizeof *keys));
    for (size_t i = 0; i < count; i++)
        if (assertion->qualifiers[i].key) keys[slot->key_qualifier_count++] = assertion->qualifiers[i];
    slot->key_qualifiers = keys;
}

static void list_slots(struct stock *stock)
{
    stock->slots = must(calloc(stock->count + 1, sizeof *stock->slots));
    for (size_t i = 0; i < stock->count; i++) {
        const struct stock_record *record = &stock->records[i];
        size_t at = 0;
        if (record->record.type != STEME_ASSERTION) continue;
        while (at < stock->slot_count && memcmp(&stock->slots[at].slot, &record->slot, sizeof record->slot) != 0)
            at++;
        if (at < stock->slot_count) continue;
        const struct steme_assertion *assertion = &record->record.as.assertion;
        struct stock_slot *slot = &stock->slots[stock->slot_count++];
        *slot = (struct stock_slot){ assertion->subject, assertion->predicate, NULL, 0, record->slot };
        list_key_qualifiers(stock, assertion, slot);
    }
}

void stock_finish(struct stock *stock)
{
    stock->by_id = must(calloc(stock->count + 1, sizeof *stock->by_id));
    for (size_t i = 0; i < stock->count; i++)
        stock->by_id[i] = i;
    sorting = stock;
    qsort(stock->by_id, stock->count, sizeof *stock->by_id, compare_ids);
    for (size_t i = 0; i < stock->count; i++)
        stock->records[i].first = stock_find(stock, &stock->records[i].id);
    list_slots(stock);
}

size_t stock_find(const struct stock *stock, const struct steme_hash *id)
{
    size_t low = 0, high = stock->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&stock->records[stock->by_id[middle]].id, id, sizeof *id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == stock->count || memcmp(&stock->records[stock->by_id[low]].id, id, sizeof *id) != 0) return STOCK_NONE;
    return stock->by_id[low];
}

/* ---- targets ---- */

struct steme_target stock_on_voice(enum steme_target_kind kind, const struct steme_hash *id)
{
    return (struct steme_target){ kind, route_of_hash(id), *id };
}

struct steme_target stock_on(const struct stock *stock, size_t place)
{
    const struct stock_record *record = &stock->records[place];
    switch (record->record.type) {
    case STEME_ASSERTION:
        return (struct steme_target){ STEME_ON_ASSERTION, route_of_name(record->record.as.assertion.subject),
                                      record->id };
    case STEME_VOTE: return (struct steme_target){ STEME_ON_VOTE, record->record.as.vote.target.route, record->id };
    case STEME_EPOCH: return stock_on_voice(STEME_ON_EPOCH, &record->id);
    case STEME_REVISION:
    case STEME_BUNDLE:
    case STEME_VIEW: break;
    }
    invariant(false); /* nothing votes on or revises these */
}

struct steme_target stock_on_claim(const struct stock *stock, size_t assertion, bool negated)
{
    const struct stock_record *record = &stock->records[assertion];
    struct steme_hash claim = record->claim;
    claim.bytes[31] |= negated;
    return (struct steme_target){ STEME_ON_CLAIM, route_of_name(record->record.as.assertion.subject), claim };
}
