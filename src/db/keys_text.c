/* SPDX-License-Identifier: Apache-2.0 */
/* The index's rows as text, in the logical form of the design whatever the bytes are: "H:{hash}",
 * "V:{assertion}:{vote}", "S:{subject}:{predicate}:{assertion}". Whole hashes and names come from the records the rows
 * point to. */
#include "base/buf.h"
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "base/text.h"
#include "db/snapshot.h"
#include "lattice/tally.h"
#include "lattice/view_row.h"
#include "model/record.h"

#include <inttypes.h>

enum { LINE_MAX_BYTES = 8192 };

struct line {
    struct buf key, value;
};

static void add_hex(struct buf *out, const uint8_t *bytes, size_t size)
{
    char hex[TEXT_HASH_BYTES];
    text_hex(bytes, size, hex);
    buf_append_text(out, hex);
}

static void add_location(struct buf *out, uint64_t location)
{
    buf_printf(out, "%" PRIu64 "@%" PRIu64, location >> 32, location & UINT32_MAX);
}

static void add_time(struct buf *out, int64_t us)
{
    char text[TEXT_TIME_BYTES];
    (void)text_print_time(us, STEME_MICROSECOND, text);
    buf_append_text(out, text);
}

static steme_status print_id_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                 struct steme_error *err)
{
    uint64_t location = 0;
    struct wal_entry frame;
    steme_status status = row_id(pair->value, NULL, &location, err);
    if (!status) status = evidence_named(&s->reader, location, key_last_id(pair->key), &frame, err);
    if (status) return status;
    buf_append_text(&line->key, "H:");
    add_hex(&line->key, frame.id.bytes, sizeof frame.id.bytes);
    add_location(&line->value, location);
    return STEME_OK;
}

static steme_status print_slot_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                   struct steme_error *err)
{
    struct slot_row row;
    struct wal_entry frame;
    struct assertion_view view;
    steme_status status = row_slot(pair->key, pair->value, NULL, &row, err);
    if (!status) status = evidence_record(&s->reader, row.location, &frame, err);
    if (!status) status = assertion_view_trusted(frame.bytes, &view, err);
    if (status) return status;
    buf_append_text(&line->key, "S:");
    buf_append_slice(&line->key, view.subject);
    buf_append_text(&line->key, ":");
    buf_append_slice(&line->key, view.predicate);
    buf_append_text(&line->key, ":");
    add_hex(&line->key, frame.id.bytes, sizeof frame.id.bytes);
    add_location(&line->value, row.location);
    buf_append_text(&line->value, " claim ");
    add_hex(&line->value, row.claim, sizeof row.claim);
    buf_append_text(&line->value, " voice ");
    add_hex(&line->value, row.voice, sizeof row.voice);
    buf_printf(&line->value, " confidence %" PRIu32 "%s asserted ", row.confidence_ppm, row.negated ? " not" : "");
    add_time(&line->value, row.at_us);
    return STEME_OK;
}

static steme_status print_ballot_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                     struct steme_error *err)
{
    static const char *const stances[] = { "support", "refute", "abstain" };
    struct ballot_row row;
    struct wal_entry frame;
    struct steme_record record;
    struct arena_mark start = arena_mark(&s->arena);
    steme_status status = row_ballot(pair->key, pair->value, &row, err);
    if (!status) status = evidence_named(&s->reader, row.location, row.vote, &frame, err);
    if (!status) status = record_decode(frame.bytes, &s->arena, &record, err);
    if (!status && record.type != STEME_VOTE)
        status = error_set(err, STEME_CORRUPT, "the index calls a record a vote that is none");
    if (!status) {
        buf_printf(&line->key, "%c:", pair->key.data[0]);
        add_hex(&line->key, record.as.vote.target.hash.bytes, 32);
        buf_append_text(&line->key, ":");
        add_hex(&line->key, frame.id.bytes, sizeof frame.id.bytes);
        add_location(&line->value, row.location);
        buf_printf(&line->value, " %s %" PRIu32 " cast ", stances[record.as.vote.stance], row.probability_ppm);
        add_time(&line->value, row.cast_at_us);
    }
    arena_rewind(&s->arena, start);
    return status;
}

/* A revision of a target, or an assertion derived from another: the key ends with the two ids. */
static steme_status print_link_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                   struct steme_error *err)
{
    uint64_t location = 0;
    struct wal_entry frame;
    if (pair->key.size < 1 + 2 * KEYS_ID_BYTES)
        return error_set(err, STEME_CORRUPT, "the index has a row whose key is too short");
    steme_status status = row_location(pair->value, &location, err);
    if (!status) status = evidence_named(&s->reader, location, key_last_id(pair->key), &frame, err);
    if (status) return status;
    buf_printf(&line->key, "%c:", pair->key.data[0]);
    add_hex(&line->key, key_last_id(pair->key) - KEYS_ID_BYTES, KEYS_ID_BYTES);
    buf_append_text(&line->key, ":");
    add_hex(&line->key, frame.id.bytes, sizeof frame.id.bytes);
    add_location(&line->value, location);
    return STEME_OK;
}

/* An epoch, or what defines a view. */
static steme_status print_epoch_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                    struct steme_error *err)
{
    uint64_t location = 0;
    struct wal_entry frame;
    steme_status status = row_location(pair->value, &location, err);
    if (!status) status = evidence_named(&s->reader, location, key_last_id(pair->key), &frame, err);
    if (status) return status;
    buf_printf(&line->key, "%c:", pair->key.data[0]);
    add_hex(&line->key, frame.id.bytes, sizeof frame.id.bytes);
    add_location(&line->value, location);
    return STEME_OK;
}

static steme_status print_batch_row(const struct kv_pair *pair, struct line *line, struct steme_error *err)
{
    struct batch_row row;
    steme_status status = row_batch(pair->key, pair->value, &row, err);
    if (status) return status;
    buf_printf(&line->key, "R:%" PRIu64, row.first_sequence);
    add_time(&line->value, row.received_at_us);
    buf_append_text(&line->value, " ");
    add_location(&line->value, row.location);
    return STEME_OK;
}

static steme_status print_applied_row(const struct kv_pair *pair, struct line *line, struct steme_error *err)
{
    struct applied_row row;
    steme_status status = row_applied(pair->key, pair->value, &row, err);
    if (status) return status;
    buf_append_text(&line->key, "M:applied");
    buf_printf(&line->value, "next %" PRIu64 " at ", row.mark.next_sequence);
    add_location(&line->value, row.mark.location);
    buf_append_text(&line->value, " batch ");
    add_hex(&line->value, row.mark.batch.bytes, sizeof row.mark.batch.bytes);
    buf_printf(&line->value, " duplicates %" PRIu64 " dead %" PRIu64, row.duplicates, row.dead_letters);
    return STEME_OK;
}

static steme_status print_dead_row(const struct kv_pair *pair, struct line *line, struct steme_error *err)
{
    if (pair->key.size != 9 || pair->value.size < 32)
        return error_set(err, STEME_CORRUPT, "a dead letter's row has a wrong length");
    buf_append_text(&line->key, "D:");
    add_location(&line->key, load_u64be(pair->key.data + 1));
    add_hex(&line->value, pair->value.data, 32);
    buf_append_text(&line->value, " ");
    buf_append(&line->value, pair->value.data + 32, pair->value.size - 32);
    return STEME_OK;
}

/* The tally that a row keeps, as of the snapshot's moment. */
static steme_status tally_then(struct steme_snapshot *s, const struct kv_pair *pair, struct tally *out,
                               struct steme_error *err)
{
    struct key_bytes target = { .size = pair->key.size - 1 };
    struct arena_mark start = arena_mark(&s->arena);
    if (target.size > sizeof target.data)
        return error_set(err, STEME_CORRUPT, "the index has a tally of too long a key");
    memcpy(target.data, pair->key.data + 1, target.size);
    steme_status status = tally_at(&s->reader, &target, &s->arena, out, err);
    arena_rewind(&s->arena, start);
    return status;
}

static steme_status print_tally_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                                    struct steme_error *err)
{
    static const char *const kinds[] = { "assertion", "claim", "agent", "source", "epoch" };
    struct tally_row row;
    struct tally tally;
    steme_status status = row_tally(pair->key, pair->value, &row, err);
    if (!status && row.last_location >= s->reader.limit) status = tally_then(s, pair, &tally, err);
    if (status) return status;
    if (row.last_location >= s->reader.limit) row = tally.row;
    uint8_t kind = pair->key.data[pair->key.size - KEYS_ID_BYTES - 1];
    if (kind >= countof(kinds)) return error_set(err, STEME_CORRUPT, "the index has a tally of no known kind");
    buf_printf(&line->key, "Y:%s:", kinds[kind]);
    add_hex(&line->key, pair->key.data + pair->key.size - KEYS_ID_BYTES, KEYS_ID_BYTES);
    add_location(&line->value, row.last_location);
    buf_printf(&line->value,
               " ballots %" PRIu64 " support %" PRIu64 " refute %" PRIu64 " abstain %" PRIu64 " retracted %" PRIu64,
               row.ballots, row.support, row.refute, row.abstain, row.retracted);
    buf_printf(&line->value, " ppm %" PRIu64 " %" PRIu64, row.support_ppm, row.refute_ppm);
    return STEME_OK;
}

/* A view's state, or one of its rows. */
static steme_status print_view_row(const struct kv_pair *pair, struct line *line, struct steme_error *err)
{
    enum { STATE_KEY_BYTES = 17, GENERATION_BYTES = 4 };
    struct view_state state;
    struct steme_view_row row;
    bool whole = false;
    steme_status status = STEME_OK;
    if (pair->key.size < STATE_KEY_BYTES) return error_set(err, STEME_CORRUPT, "a view's row has too short a key");
    buf_append_text(&line->key, "W:");
    add_hex(&line->key, pair->key.data + 1, STATE_KEY_BYTES - 1);
    if (pair->key.size == STATE_KEY_BYTES) {
        status = row_view_state(pair->key, pair->value, &state, err);
        if (status) return status;
        buf_printf(&line->value, "shown %" PRIu32 " as of %" PRIu64 " rows %" PRIu64 " making %" PRIu32, state.shown,
                   state.shown ? state.mark.next_sequence - 1 : 0, state.rows, state.making);
        return STEME_OK;
    }
    status = view_row_decode(pair->key, pair->value, &row, &whole, err);
    if (status) return status;
    buf_append_text(&line->key, ":");
    add_hex(&line->key, pair->key.data + STATE_KEY_BYTES, GENERATION_BYTES);
    buf_append_text(&line->key, ":");
    add_hex(&line->key, row.slot.bytes, sizeof row.slot.bytes);
    buf_printf(&line->value, "%s probability %.6f voices %" PRIu32 " votes %" PRIu32 "%s",
               steme_verdict_name(row.verdict), row.probability, row.voices, row.votes, whole ? "" : " (figures only)");
    return STEME_OK;
}

static steme_status print_row(struct steme_snapshot *s, const struct kv_pair *pair, struct line *line,
                              struct steme_error *err)
{
    buf_clear(&line->key);
    buf_clear(&line->value);
    switch (pair->key.data[0]) {
    case 'H': return print_id_row(s, pair, line, err);
    case 'S': return print_slot_row(s, pair, line, err);
    case 'V':
    case 'A': return print_ballot_row(s, pair, line, err);
    case 'X':
    case 'C': return print_link_row(s, pair, line, err);
    case 'K':
    case 'E': return print_epoch_row(s, pair, line, err);
    case 'R': return print_batch_row(pair, line, err);
    case 'M': return print_applied_row(pair, line, err);
    case 'D': return print_dead_row(pair, line, err);
    case 'Y': return print_tally_row(s, pair, line, err);
    case 'W': return print_view_row(pair, line, err);
    default: return error_set(err, STEME_CORRUPT, "the index has a row of no known kind");
    }
}

/* Whether there was no ballot yet. */
static steme_status is_untallied(struct steme_snapshot *s, const struct kv_pair *pair, bool *out,
                                 struct steme_error *err)
{
    struct tally tally;
    steme_status status = tally_then(s, pair, &tally, err);
    *out = !status && tally.row.ballots == 0;
    return status;
}

/* Rows of records that came after the snapshot's moment. */
static steme_status is_later(struct steme_snapshot *s, const struct kv_pair *pair, bool *out, struct steme_error *err)
{
    uint64_t location = 0;
    steme_status status = row_place(pair->key, pair->value, &location, err);
    *out = location >= s->reader.limit;
    char tag = (char)pair->key.data[0];
    if (tag == 'Y' && !status && *out) return is_untallied(s, pair, out, err);
    bool unchecked = tag == 'H' || tag == 'X' || tag == 'C' || tag == 'E' || tag == 'K';
    if (!status && *out && unchecked) status = evidence_later(&s->reader, location, key_last_id(pair->key), out, err);
    return status;
}

/* A walk over rows as text; where it stands is kept outside of any cursor, so that it survives a renewed index. */
struct key_walk {
    struct steme_slice prefix;
    steme_status (*visit)(void *context, struct steme_slice key, struct steme_slice value);
    void *context;
    struct line line;
    struct key_bytes from; /* rows at and behind it are still to come */
    bool lied;             /* the status is about a row, not what a visitor answered */
};

/* Look for the next row behind this one from now on. */
static steme_status move_behind(struct key_walk *walk, struct steme_slice key, struct steme_error *err)
{
    if (key.size >= sizeof walk->from.data)
        return error_set(err, STEME_CORRUPT, "the index has a row whose key is too long");
    memcpy(walk->from.data, key.data, key.size);
    walk->from.data[key.size] = 0;
    walk->from.size = key.size + 1;
    return STEME_OK;
}

static steme_status take_row(struct steme_snapshot *s, struct key_walk *walk, const struct kv_pair *pair,
                             struct steme_error *err)
{
    bool later = false;
    walk->lied = true;
    steme_status status = is_later(s, pair, &later, err);
    if (!status && !later) status = print_row(s, pair, &walk->line, err);
    if (!status) status = buf_check(&walk->line.key, err);
    if (!status) status = buf_check(&walk->line.value, err);
    if (!status) status = move_behind(walk, pair->key, err);
    walk->lied = status != STEME_OK;
    if (status || later || !slice_starts(buf_slice(&walk->line.key), walk->prefix)) return status;
    return walk->visit(walk->context, buf_slice(&walk->line.key), buf_slice(&walk->line.value));
}

static steme_status keys_from(struct steme_snapshot *s, struct key_walk *walk, struct steme_error *err)
{
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    /* The first letter is the same in both forms; the rest is compared as text. */
    struct steme_slice under = slice_of(walk->prefix.data, walk->prefix.size ? 1 : 0);
    struct steme_slice from = walk->from.size ? key_slice(&walk->from) : under;
    walk->lied = true;
    steme_status status = STEME_OK, at = kv_seek(s->reader.txn, under, from, &cursor, &pair, err);
    for (; !at; at = kv_next(&cursor, &pair, err)) {
        status = take_row(s, walk, &pair, err);
        if (status) break;
        walk->lied = true; /* what the cursor says next is about the index */
    }
    kv_cursor_end(&cursor);
    return walk_status(status, at);
}

steme_status steme_keys_each(struct steme_snapshot *s, struct steme_slice prefix,
                             steme_status (*visit)(void *context, struct steme_slice key, struct steme_slice value),
                             void *context, struct steme_error *err)
{
    struct key_walk walk = { .prefix = prefix, .visit = visit, .context = context };
    unsigned attempt = 0;
    steme_status status;
    buf_init(&walk.line.key, LINE_MAX_BYTES);
    buf_init(&walk.line.value, LINE_MAX_BYTES);
    do
        status = keys_from(s, &walk, err);
    while (walk.lied && snapshot_renewed(s, status, &attempt, err));
    buf_deinit(&walk.line.key);
    buf_deinit(&walk.line.value);
    return status;
}
