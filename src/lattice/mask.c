/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/mask.h"

#include "base/check.h"
#include "base/id16.h"
#include "base/slice.h"
#include "lattice/derivation.h"
#include "lattice/places.h"
#include "model/record.h"

#include <stdlib.h>

static bool listed(const uint8_t (*ids)[16], size_t count, const uint8_t id[16])
{
    return count && id16_find(ids, count, id) < count;
}

bool mask_has_agent(const struct mask *mask, const uint8_t agent[16])
{
    return listed(mask->agents, mask->agent_count, agent);
}

bool mask_has_source(const struct mask *mask, const uint8_t source[16])
{
    return listed(mask->sources, mask->source_count, source);
}

static int compare_places(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

bool mask_has_assertion(const struct mask *mask, uint64_t location)
{
    return mask->assertion_count && bsearch(&location, mask->assertions, mask->assertion_count,
                                            sizeof *mask->assertions, compare_places) != NULL;
}

bool mask_has_endorsement(const struct mask *mask, enum steme_target_kind kind, const uint8_t target[16],
                          const uint8_t voter[16])
{
    if (mask_has_agent(mask, voter)) return true;
    return kind == STEME_ON_SOURCE ? mask_has_source(mask, target)
                                   : kind == STEME_ON_AGENT && mask_has_agent(mask, target);
}

bool mask_has_epoch(const struct mask *mask, const struct wal_entry *epoch)
{
    if (listed(mask->epochs, mask->epoch_count, epoch->id.bytes)) return true;
    if (!mask->agent_count) return false;
    struct steme_hash author = agent_id(record_author(epoch->bytes));
    return mask_has_agent(mask, author.bytes);
}

/* ---- making one ---- */

struct making {
    struct reader *reader;
    const struct mask_wish *wish;
    struct arena *arena;
    struct mask *mask;
    struct touched *touched;
    struct places masked;
    bool *met_agents, *met_sources, *met_epochs; /* which of the mask's sorted lists somebody answered to */
    uint8_t author[32]; /* asked for last, and its agent id: records of one author come together */
    struct steme_hash author_id;
};

static steme_status copy_ids(struct arena *arena, const uint8_t (*from)[16], size_t count, const uint8_t (**out)[16],
                             size_t *count_out, struct steme_error *err)
{
    uint8_t(*ids)[16] = arena_calloc(arena, count, sizeof *ids);
    if (!ids) return arena_full(arena, err);
    if (count) memcpy(ids, from, count * sizeof *ids);
    *count_out = id16_sort(ids, count);
    *out = (const uint8_t(*)[16])ids;
    return STEME_OK;
}

static void meet(const uint8_t (*ids)[16], size_t count, bool *met, const uint8_t id[16])
{
    size_t at = count ? id16_find(ids, count, id) : 0;
    if (at < count) met[at] = true;
}

static const uint8_t *author_of(struct making *m, const struct wal_entry *entry)
{
    const uint8_t *key = record_author(entry->bytes);
    if (memcmp(key, m->author, sizeof m->author) != 0) {
        memcpy(m->author, key, sizeof m->author);
        m->author_id = agent_id(key);
    }
    return m->author_id.bytes;
}

/* Whether what a slot row and its record say is masked by itself; the record is read only where an agent is masked. */
static steme_status is_masked(struct making *m, const struct slot_row *row, bool *out, struct steme_error *err)
{
    const struct mask *mask = m->mask;
    struct wal_entry entry;
    *out = mask_has_source(mask, row->voice) || (row->has_epoch && listed(mask->epochs, mask->epoch_count, row->epoch));
    meet(mask->sources, mask->source_count, m->met_sources, row->voice);
    if (row->has_epoch) meet(mask->epochs, mask->epoch_count, m->met_epochs, row->epoch);
    if (!mask->agent_count) return STEME_OK;
    steme_status status = evidence_record(m->reader, row->location, &entry, err);
    if (status) return status;
    if (entry.bytes.data[0] != STEME_ASSERTION)
        return error_set(err, STEME_CORRUPT, "the index calls a record an assertion that is none");
    const uint8_t *author = author_of(m, &entry);
    meet(mask->agents, mask->agent_count, m->met_agents, author);
    *out = *out || mask_has_agent(mask, author);
    return STEME_OK;
}

static steme_status scan_assertions(struct making *m, struct steme_error *err)
{
    static const uint8_t tag[] = { 'S' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    if (!m->mask->agent_count && !m->mask->source_count && !m->mask->epoch_count) return STEME_OK;
    steme_status status = kv_seek(m->reader->txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        struct slot_row row;
        bool masked = false;
        status = row_slot(pair.key, pair.value, NULL, &row, err);
        if (!status && row.location < m->reader->limit) status = is_masked(m, &row, &masked, err);
        if (!status && masked) status = places_add(&m->masked, row.location, m->arena, NULL, err);
        if (status) break;
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

static steme_status add_named(struct making *m, struct mask_miss *miss, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < m->wish->assertion_count; i++) {
        enum steme_type type = STEME_BUNDLE;
        uint64_t location = 0;
        status = evidence_locate(m->reader, m->wish->assertions[i], &type, &location, err);
        bool found = !status && type == STEME_ASSERTION;
        if (!found && !miss->list) *miss = (struct mask_miss){ 'i', i };
        if (found) status = places_add(&m->masked, location, m->arena, NULL, err);
        if (status == STEME_NOT_FOUND) status = STEME_OK;
    }
    return status;
}

static steme_status add_child(void *context, const struct wal_entry *child, struct steme_error *err)
{
    struct making *m = context;
    return places_add(&m->masked, child->location, m->arena, NULL, err);
}

/* What each masked assertion touches; and what derives from it joins the list that is walked. */
static steme_status follow(struct making *m, struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < m->masked.count; i++) {
        struct wal_entry entry;
        status = evidence_record(m->reader, m->masked.items[i], &entry, err);
        if (!status) status = touched_add(m->reader, &entry, 1, m->arena, m->touched, err);
        if (!status && !m->wish->direct) status = derivation_children(m->reader, &entry.id, add_child, m, err);
    }
    return status;
}

/* Ballots of one kind of row by masked agents, and endorsements of masked ones. */
static steme_status scan_ballots(struct making *m, uint8_t tag, struct steme_error *err)
{
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice prefix = slice_of(&tag, 1);
    steme_status status = kv_seek(m->reader->txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        struct ballot_row row;
        struct wal_entry entry;
        status = row_ballot(pair.key, pair.value, &row, err);
        if (status) break;
        if (row.location >= m->reader->limit) continue;
        bool masked = mask_has_agent(m->mask, row.voter);
        meet(m->mask->agents, m->mask->agent_count, m->met_agents, row.voter);
        if (tag == 'A')
            masked = mask_has_endorsement(m->mask, (enum steme_target_kind)pair.key.data[1], pair.key.data + 2,
                                          row.voter);
        if (!masked) continue;
        m->mask->ballot_count++;
        status = evidence_named(m->reader, row.location, row.vote, &entry, err);
        if (!status) status = touched_add(m->reader, &entry, 1, m->arena, m->touched, err);
        if (status) break;
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* An epoch that is masked supersedes nothing any more. */
static steme_status scan_epochs(struct making *m, struct steme_error *err)
{
    static const uint8_t tag[] = { 'E' };
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    struct steme_slice prefix = slice_of(tag, sizeof tag);
    steme_status status = kv_seek(m->reader->txn, prefix, prefix, &cursor, &pair, err);
    for (; !status; status = kv_next(&cursor, &pair, err)) {
        uint64_t location = 0;
        struct wal_entry entry;
        bool later = false;
        status = row_location(pair.value, &location, err);
        if (!status) status = evidence_later(m->reader, location, key_last_id(pair.key), &later, err);
        if (!status && later) continue;
        if (!status) status = evidence_named(m->reader, location, key_last_id(pair.key), &entry, err);
        if (status) break;
        meet(m->mask->agents, m->mask->agent_count, m->met_agents, author_of(m, &entry));
        meet(m->mask->epochs, m->mask->epoch_count, m->met_epochs, entry.id.bytes);
        if (mask_has_epoch(m->mask, &entry)) m->touched->epochs = true;
    }
    kv_cursor_end(&cursor);
    return status == STEME_NOT_FOUND ? STEME_OK : status;
}

/* The first of the wishes that nobody met. */
static void note_miss(const uint8_t (*wishes)[16], size_t wish_count, const uint8_t (*ids)[16], size_t count,
                      const bool *met, char list, struct mask_miss *miss)
{
    for (size_t i = 0; !miss->list && i < wish_count; i++)
        if (!met[id16_find(ids, count, wishes[i])]) *miss = (struct mask_miss){ list, i };
}

static steme_status begin(struct making *m, struct steme_error *err)
{
    const struct mask_wish *wish = m->wish;
    struct mask *mask = m->mask;
    steme_status status = copy_ids(m->arena, wish->agents, wish->agent_count, &mask->agents, &mask->agent_count, err);
    if (!status)
        status = copy_ids(m->arena, wish->sources, wish->source_count, &mask->sources, &mask->source_count, err);
    if (!status) status = copy_ids(m->arena, wish->epochs, wish->epoch_count, &mask->epochs, &mask->epoch_count, err);
    if (status) return status;
    m->met_agents = arena_calloc(m->arena, mask->agent_count, sizeof *m->met_agents);
    m->met_sources = arena_calloc(m->arena, mask->source_count, sizeof *m->met_sources);
    m->met_epochs = arena_calloc(m->arena, mask->epoch_count, sizeof *m->met_epochs);
    return m->met_agents && m->met_sources && m->met_epochs ? STEME_OK : arena_full(m->arena, err);
}

steme_status mask_make(struct reader *reader, const struct mask_wish *wish, struct arena *arena, struct mask *out,
                       struct touched *touched, struct mask_miss *miss_out, struct steme_error *err)
{
    struct mask mask = { 0 };
    struct mask_miss miss = { 0 };
    struct making m = { .reader = reader, .wish = wish, .arena = arena, .mask = &mask, .touched = touched };
    invariant(!reader->mask);
    m.author_id = agent_id(m.author);
    steme_status status = begin(&m, err);
    if (!status) status = add_named(&m, &miss, err);
    if (!status) status = scan_assertions(&m, err);
    size_t direct_count = m.masked.count;
    if (!status) status = follow(&m, err);
    if (!status && mask.agent_count) status = scan_ballots(&m, 'V', err);
    if (!status && (mask.agent_count || mask.source_count)) status = scan_ballots(&m, 'A', err);
    if (!status && (mask.agent_count || mask.epoch_count)) status = scan_epochs(&m, err);
    if (!status) status = touched_settle(reader, arena, touched, err);
    if (status) return status;
    note_miss(wish->agents, wish->agent_count, mask.agents, mask.agent_count, m.met_agents, 'a', &miss);
    note_miss(wish->sources, wish->source_count, mask.sources, mask.source_count, m.met_sources, 's', &miss);
    note_miss(wish->epochs, wish->epoch_count, mask.epochs, mask.epoch_count, m.met_epochs, 'e', &miss);
    if (m.masked.count) qsort(m.masked.items, m.masked.count, sizeof *m.masked.items, compare_places);
    mask.assertions = m.masked.items;
    mask.assertion_count = m.masked.count;
    mask.derived_count = m.masked.count - direct_count;
    *out = mask;
    *miss_out = miss;
    return STEME_OK;
}
