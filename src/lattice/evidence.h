/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: what bears on one slot, as of a place in the log and a world time. Read from the index alone where
 * nobody voted on or revised anything about the subject; the log is touched for the rest and for what is returned.
 *
 * A reader is one snapshot: a read transaction, a bound on locations (records at or past it do not exist), a world
 * time. One thread at a time. Results live in the arena handed in. STEME_CORRUPT anywhere here means that the index
 * lies. */
#ifndef LATTICE_EVIDENCE_H
#define LATTICE_EVIDENCE_H

#include "base/arena.h"
#include "lattice/keys.h"
#include "spine/kv.h"
#include "spine/wal.h"
#include "steme/query.h"

struct mask;

struct reader {
    struct wal *wal;
    struct kv_txn *txn;
    uint64_t limit;          /* location: records below it count */
    int64_t valid_at_us;     /* STEME_TIME_MAX: do not ask */
    int64_t ballots_from_us; /* ballots cast before do not count; STEME_TIME_MIN: all do */
    const struct mask *mask; /* what to leave out; NULL: nothing. Set before anything is read, stays the caller's */
    bool shares_txn;         /* txn is another reader's */
    struct arena arena;      /* what lives as long as the reader: epochs */
    bool epochs_known;
    bool kinds_known, any_revision, any_vote; /* whether the index has X and V rows at all, once looked for */
    const uint8_t (*superseded_epochs)[16];   /* sorted */
    size_t superseded_count;
};

/* Takes txn. */
void reader_init(struct reader *reader, struct wal *wal, struct kv_txn **txn, uint64_t limit, int64_t valid_at_us);
/* A second reader over the transaction of one that must outlive it, with a limit of its own and no mask. */
void reader_share(struct reader *reader, const struct reader *from, uint64_t limit);
void reader_deinit(struct reader *reader);
/* One over a transaction that stays the caller's, for any world time; needs no deinit unless epochs are asked for. */
struct reader reader_over(struct wal *wal, struct kv_txn *txn, uint64_t limit);

/* The record a row points to. Whatever is wrong with it, the row lies: STEME_CORRUPT. */
MUST_CHECK steme_status evidence_record(struct reader *reader, uint64_t location, struct wal_entry *out,
                                        struct steme_error *err);

/* The same, and its id begins so: a row without a check of its own is believed only if it names what it points to. */
MUST_CHECK steme_status evidence_named(struct reader *reader, uint64_t location, const uint8_t id[16],
                                       struct wal_entry *out, struct steme_error *err);
/* Whether the record that a row without a check of its own names lies at or past the limit; held against the record all
 * the same, or a row that points too far would go for one that came later. */
MUST_CHECK steme_status evidence_later(struct reader *reader, uint64_t location, const uint8_t id[16], bool *later_out,
                                       struct steme_error *err);

/* One assertion of the slot. */
struct testimony {
    struct slot_row row;
    enum steme_standing standing;
    /* Its record, once that has been read and held against the row; NULL before. */
    const struct wal_entry *entry;
    const struct assertion_view *view;
    const struct identity *identity; /* slot, claim and voice */
};

/* The latest ballot of a voter on an assertion or claim of the slot, turned towards the claim. */
struct claim_ballot {
    uint8_t claim[16];
    bool support; /* of the positive claim */
    struct ballot_row row;
};

struct evidence {
    struct testimony *testimonies; /* by claim, voice, time, ...: no trace of the order of arrival but for equals */
    size_t testimony_count;
    struct claim_ballot *ballots; /* by claim, voter; abstentions and retracted ones left out */
    size_t ballot_count;
};

/* All of one slot. epoch: 32 bytes, only assertions of that epoch or of none; NULL: of any epoch not superseded.
 * STEME_TOO_LARGE past STEME_EVIDENCE_ROWS_MAX rows. */
MUST_CHECK steme_status evidence_gather(struct reader *reader, const struct slot_ref *slot, const uint8_t *epoch,
                                        struct arena *arena, struct evidence *out, struct steme_error *err);

/* The same for rows that were read already: found has the slot's rows as live testimonies. Sets what became of each,
 * puts them in order (in the arena, if there are several) and adds the ballots. */
MUST_CHECK steme_status evidence_weigh(struct reader *reader, const struct slot_ref *slot, const uint8_t *epoch,
                                       struct arena *arena, struct evidence *found, struct steme_error *err);
/* The testimony that one assertion gives: its record is that entry, read from the log. STEME_CORRUPT where the index
 * knows the record but not its row. */
MUST_CHECK steme_status evidence_of_record(struct reader *reader, const struct wal_entry *entry, struct arena *arena,
                                           struct testimony *out, struct steme_error *err);

/* Read the records of testimonies that have no entry yet, many at once, and hold each against its row: slot, claim,
 * polarity and confidence must be what the record says. */
MUST_CHECK steme_status evidence_read(struct reader *reader, const struct slot_ref *slot,
                                      struct testimony **testimonies, size_t count, struct arena *arena,
                                      struct steme_error *err);
/* The same for testimonies of many slots: slots[i] is that of testimonies[i]. */
MUST_CHECK steme_status evidence_read_across(struct reader *reader, const struct slot_ref *slots,
                                             struct testimony **testimonies, size_t count, struct arena *arena,
                                             struct steme_error *err);
/* The same for all of one slot. */
MUST_CHECK steme_status evidence_read_all(struct reader *reader, const struct slot_ref *slot,
                                          const struct evidence *evidence, struct arena *arena,
                                          struct steme_error *err);

/* Every ballot on a target below the limit, of all voters, sorted by voter then vote; `latest` marks the one of each
 * voter that counts before abstentions and retractions are looked at; none where it was cast before ballots_from_us. */
struct cast {
    struct ballot_row row;
    bool latest;
};
MUST_CHECK steme_status evidence_ballots(struct reader *reader, enum steme_target_kind kind, uint64_t route,
                                         const uint8_t target[16], struct arena *arena, struct cast **out,
                                         size_t *count_out, struct steme_error *err);

/* Whether its voter took a ballot back by a revision, which must lie under the route of the ballot's target: *last_out
 * is the location of the last such revision below the limit, 0 if there is none. */
MUST_CHECK steme_status evidence_taken_back(struct reader *reader, uint64_t route, const struct ballot_row *row,
                                            struct arena *arena, uint64_t *last_out, struct steme_error *err);
/* Whether the index has any revision at all; looked for once. */
MUST_CHECK steme_status evidence_any_revision(struct reader *reader, bool *out, struct steme_error *err);

/* The latest ballot of each voter on each agent and source of the whole store, below the limit, abstentions and
 * retracted ones left out: the edges that authority flows along. */
struct endorsement_row {
    uint8_t from[16], to[16];
    uint32_t probability_ppm; /* 0 for a refuting ballot */
};
MUST_CHECK steme_status evidence_endorsements(struct reader *reader, struct arena *arena, struct endorsement_row **out,
                                              size_t *count_out, struct steme_error *err);

/* Revisions that name a target, below the limit, by id. */
MUST_CHECK steme_status evidence_revisions(struct reader *reader, uint64_t route, const uint8_t target[16],
                                           struct arena *arena, struct wal_entry **out, size_t *count_out,
                                           struct steme_error *err);

/* The next slot at or behind *slot in the order of the index, with this route if only_route. STEME_NOT_FOUND at the
 * end. */
MUST_CHECK steme_status evidence_next_slot(struct reader *reader, struct slot_ref *slot, bool only_route,
                                           struct steme_error *err);

/* The place right behind a slot; false past the last there can be. */
bool evidence_step_slot(struct slot_ref *slot);

/* Location of the record whose id begins so, and its type. STEME_NOT_FOUND, also when it lies at or past the limit. */
MUST_CHECK steme_status evidence_locate(struct reader *reader, const uint8_t id[16], enum steme_type *type_out,
                                        uint64_t *location_out, struct steme_error *err);

#endif
