/* SPDX-License-Identifier: Apache-2.0 */
/* A log, its index, and what evidence_gather() finds there: what the tests of evidence share. */
#ifndef TESTS_UNIT_LATTICE_EVIDENCE_WORLD_H
#define TESTS_UNIT_LATTICE_EVIDENCE_WORLD_H

#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "lattice/evidence.h"
#include "lattice/moment.h"
#include "lib/indexer.h"
#include "lib/testing.h"
#include "model/identity.h"

#include <stdlib.h>
#include <string.h>

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

enum { SECOND = 1000000 };

/* A log, its index, and what was last gathered of it. */
struct world {
    struct logbook log;
    struct pile pile;
    size_t written; /* groups of the pile that are in the log */
    struct kv *kv;
    bool reading;
    struct reader reader;
    struct arena arena;
    struct evidence found;
};

/* What to look at. Zeroed but for these: the latest, at any time, in any epoch. */
struct look {
    uint64_t as_of;
    int64_t as_of_us, valid_at_us;
    const uint8_t *epoch;
};
#define LATEST                                                                         \
    {                                                                                  \
        .as_of = UINT64_MAX, .as_of_us = STEME_TIME_MAX, .valid_at_us = STEME_TIME_MAX \
    }
static const struct look latest = LATEST;

static inline int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) return -1;
    logbook_init(&w->log);
    pile_init(&w->pile);
    arena_init(&w->arena, 64 << 20);
    *state = w;
    return 0;
}

static inline void stop_looking(struct world *w)
{
    if (w->reading) reader_deinit(&w->reader);
    w->reading = false;
    kv_close(&w->kv);
    arena_deinit(&w->arena);
    arena_init(&w->arena, 64 << 20);
}

static inline int close_world(void **state)
{
    struct world *w = *state;
    stop_looking(w);
    arena_deinit(&w->arena);
    pile_deinit(&w->pile);
    logbook_deinit(&w->log);
    free(w);
    return 0;
}

static inline struct steme_hash say(struct world *w, unsigned agent, struct steme_record record)
{
    return pile_add(&w->pile, agent, record);
}

static inline void write_rest(struct world *w)
{
    logbook_write(&w->log, &w->pile, w->written, w->pile.group_count, NULL);
    w->written = w->pile.group_count;
}

static inline struct slot_ref slot_of(const char *subject, const char *predicate)
{
    struct steme_hash name = hash_one(slice_text(predicate));
    struct steme_hash id = slot_id(slice_text(subject), slice_text(predicate), slice_of(NULL, 0));
    struct slot_ref slot = { .route = route_of_name(slice_text(subject)) };
    for (size_t i = 0; i < 4; i++)
        slot.predicate = slot.predicate << 8 | name.bytes[i];
    memcpy(slot.slot, id.bytes, sizeof slot.slot);
    return slot;
}

/* Begin to read what is indexed, up to the look's bounds. */
static inline steme_status begin_reading(struct world *w, const struct look *look)
{
    struct kv_txn *txn = NULL;
    uint64_t limit = 0, sequence = 0;
    OK(kv_begin(w->kv, KV_READ, &txn, &failure));
    steme_status status = moment_limit(w->log.wal, txn, look->as_of, look->as_of_us, &limit, &sequence, &failure);
    if (status) {
        kv_abort(&txn);
        return status;
    }
    reader_init(&w->reader, w->log.wal, &txn, limit, look->valid_at_us);
    assert_null(txn);
    w->reading = true;
    return STEME_OK;
}

static inline void look_at(struct world *w, const char *subject, const char *predicate, const struct look *look)
{
    struct slot_ref slot = slot_of(subject, predicate);
    stop_looking(w);
    write_rest(w);
    w->kv = indexer_index(&w->log);
    OK(begin_reading(w, look));
    OK(evidence_gather(&w->reader, &slot, look->epoch, &w->arena, &w->found, &failure));
    struct testimony **all = calloc(w->found.testimony_count + 1, sizeof(struct testimony *));
    assert_non_null(all);
    for (size_t i = 0; i < w->found.testimony_count; i++)
        all[i] = &w->found.testimonies[i];
    OK(evidence_read(&w->reader, &slot, all, w->found.testimony_count, &w->arena, &failure));
    free(all);
}

static inline void look_at_pluto(struct world *w) { look_at(w, "Pluto", "is a", &latest); }

static inline const struct testimony *testimony_of(const struct world *w, const struct steme_hash *id)
{
    for (size_t i = 0; i < w->found.testimony_count; i++)
        if (memcmp(&w->found.testimonies[i].entry->id, id, sizeof *id) == 0) return &w->found.testimonies[i];
    return NULL;
}

static inline enum steme_standing standing_of(const struct world *w, struct steme_hash id)
{
    const struct testimony *t = testimony_of(w, &id);
    assert_non_null(t);
    return t->standing;
}

static inline size_t ballots(const struct world *w, bool support)
{
    size_t count = 0;
    for (size_t i = 0; i < w->found.ballot_count; i++)
        count += w->found.ballots[i].support == support;
    return count;
}

#define assert_ballots(w, want_support, want_refute)        \
    do {                                                    \
        assert_int_equal(ballots(w, true), (want_support)); \
        assert_int_equal(ballots(w, false), (want_refute)); \
    } while (0)

static inline struct steme_record pluto_is(const char *what) { return pile_claim("Pluto", "is a", what); }

static inline struct steme_record cast_at(struct steme_record vote, int64_t offset_us, uint32_t ppm)
{
    vote.as.vote.cast_at_us += offset_us;
    vote.as.vote.probability_ppm = ppm;
    return vote;
}

static inline struct steme_hash say_in(struct world *w, const char *what, const struct steme_hash *epoch)
{
    struct steme_record record = pluto_is(what);
    record.as.assertion.has_epoch = true;
    record.as.assertion.epoch = *epoch;
    return say(w, 0, record);
}

#define EVIDENCE_CASE(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

#endif
