/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/intake.h"
#include "base/check.h"
#include "base/slice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    REJECTS_SHOWN = 20,
    REJECT_TEXT_BYTES = 16 * STEME_ERROR_MESSAGE_BYTES,
    ARENA_BYTES_MAX = 1 << 28, /* a long line in pieces, and what waits before it */
    ARENA_WAITING_BYTES = 1 << 25,
    BUNDLE_BYTES = STEME_BATCH_BYTES_MAX / 4, /* a bundle is written when its lines hold so much */
    RECORD_OVERHEAD = 1024,  /* what a record has beyond the text of its line, with much room to spare */
    BATCH_RECORDS = 2048,    /* written together unless one bundle has more: memory, and how long an id waits */
    FRAME_OVERHEAD = 256,    /* what the log adds to a record, with room to spare */
    UNIT_BYTES_MAX = 1 << 25 /* of the batch and one more unit before it is measured */
};

steme_status intake_init(struct intake *intake, struct cli *cli, struct steme_error *err)
{
    *intake = (struct intake){ .cli = cli, .bundle_max = INTAKE_BUNDLE_MAX };
    arena_init(&intake->arena, ARENA_BYTES_MAX);
    buf_init(&intake->bytes, UNIT_BYTES_MAX);
    intake->assertions = calloc(INTAKE_BUNDLE_MAX, sizeof *intake->assertions);
    intake->lines = calloc(INTAKE_BUNDLE_MAX, sizeof *intake->lines);
    intake->votes = calloc(INTAKE_VOTES_MAX, sizeof *intake->votes);
    intake->vote_lines = calloc(INTAKE_VOTES_MAX, sizeof *intake->vote_lines);
    intake->receipts = calloc(STEME_BATCH_RECORDS_MAX, sizeof *intake->receipts);
    intake->pieces = calloc(STEME_BATCH_RECORDS_MAX, sizeof *intake->pieces);
    intake->units = calloc(INTAKE_BATCH_UNITS, sizeof *intake->units);
    intake->signed_records = calloc(STEME_BATCH_RECORDS_MAX, sizeof *intake->signed_records);
    if (intake->assertions && intake->lines && intake->votes && intake->vote_lines && intake->receipts &&
        intake->pieces && intake->units && intake->signed_records)
        return STEME_OK;
    return error_set(err, STEME_NO_MEMORY, "no memory for a batch of records");
}

void intake_deinit(struct intake *intake)
{
    arena_deinit(&intake->arena);
    buf_deinit(&intake->bytes);
    free(intake->assertions);
    free(intake->lines);
    free(intake->votes);
    free(intake->vote_lines);
    free(intake->receipts);
    free(intake->pieces);
    free(intake->units);
    free(intake->signed_records);
    *intake = (struct intake){ 0 };
}

bool intake_is_about_line(steme_status status)
{
    enum steme_class class_ = steme_status_class(status);
    return class_ == STEME_CLASS_USAGE || class_ == STEME_CLASS_MISSING || class_ == STEME_CLASS_CONFLICT;
}

void intake_reject(struct intake *intake, uint64_t line, const char *reason)
{
    struct cli *cli = intake->cli;
    intake->rejected++;
    rejects_add(&intake->rejects, line, reason);
    if (!intake->verbose && intake->rejected > REJECTS_SHOWN) return;
    struct buf text;
    buf_init(&text, REJECT_TEXT_BYTES);
    if (cli->json) {
        struct emit json = { .to = &text };
        emit_begin(&json, NULL, '{');
        emit_begin(&json, "rejected", '{');
        emit_count(&json, "line", line);
        emit_word(&json, "reason", reason);
        emit_end(&json, '}');
        emit_end(&json, '}');
    } else {
        buf_printf(&text, "%sline %" PRIu64 ": ", cli->progress ? "\r\033[K" : "", line);
        print_append_clean(&text, slice_text(reason), SIZE_MAX);
    }
    buf_append_text(&text, "\n");
    fwrite(text.data, 1, text.size, stderr);
    if (!intake->verbose && intake->rejected == REJECTS_SHOWN && !cli->json)
        fputs("further rejected lines are only counted (--verbose shows all)\n", stderr);
    buf_deinit(&text);
}

/* Count what was acknowledged; a bundle itself is only the envelope of its members. */
static void count_receipt(struct intake *intake, const struct steme_receipt *receipt)
{
    if (receipt->duplicate)
        intake->duplicates++;
    else
        intake->written++;
    if (!intake->print_ids) return;
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(&receipt->id, hex);
    fprintf(intake->cli->print.out, "%s\n", hex);
}

static steme_status publish(struct intake *intake, struct steme_error *err)
{
    if (!intake->print_ids) return STEME_OK;
    fflush(intake->cli->print.out);
    return cli_check_output(intake->cli, err);
}

/* ---- what the caller's key signs ---- */

/* Encode as it would be written, to judge it. */
static steme_status check_draft(const struct steme_record *record, struct steme_error *err)
{
    static uint8_t scratch[STEME_RECORD_MAX];
    size_t size;
    return steme_encode(record, scratch, sizeof scratch, &size, err);
}

static void remove_assertion(struct intake *intake, size_t index)
{
    size_t behind = intake->assertion_count - index - 1;
    memmove(intake->assertions + index, intake->assertions + index + 1, behind * sizeof *intake->assertions);
    memmove(intake->lines + index, intake->lines + index + 1, behind * sizeof *intake->lines);
    intake->assertion_count--;
}

static steme_status check_assertions(struct intake *intake, struct steme_error *err)
{
    for (size_t i = 0; i < intake->assertion_count; i++) {
        struct steme_record record = { .type = STEME_ASSERTION, .as.assertion = intake->assertions[i] };
        steme_status status = check_draft(&record, err);
        if (status && !intake_is_about_line(status)) return status;
        if (status)
            intake_reject(intake, intake->lines[i], err->message);
        else
            intake->written++;
    }
    return STEME_OK;
}

/* The bundle is refused whole when one assertion is bad: that one is taken out and the rest tried again. */
static steme_status write_assertions(struct intake *intake, struct steme_error *err)
{
    while (intake->assertion_count > 0) {
        size_t bad = intake->assertion_count;
        steme_status status = steme_write_bundle(intake->cli->store, intake->cli->signer, intake->assertions,
                                                 intake->assertion_count, intake->receipts, &bad, err);
        if (!status) break;
        if (bad >= intake->assertion_count || !intake_is_about_line(status)) return status;
        intake_reject(intake, intake->lines[bad], err->message);
        remove_assertion(intake, bad);
    }
    for (size_t i = 0; i < intake->assertion_count; i++)
        count_receipt(intake, &intake->receipts[i]);
    return publish(intake, err);
}

static steme_status flush_assertions(struct intake *intake, struct steme_error *err)
{
    steme_status status = intake->dry_run ? check_assertions(intake, err) : write_assertions(intake, err);
    intake->assertion_count = 0;
    intake->assertion_bytes = 0;
    return status;
}

static steme_status check_votes(struct intake *intake, struct steme_error *err)
{
    for (size_t i = 0; i < intake->vote_count; i++) {
        steme_status status = check_draft(&intake->votes[i], err);
        if (status && !intake_is_about_line(status)) return status;
        if (status)
            intake_reject(intake, intake->vote_lines[i], err->message);
        else
            intake->written++;
    }
    return STEME_OK;
}

/* As with a bundle: one that is bad is taken out and the rest tried again. */
static steme_status write_votes(struct intake *intake, struct steme_error *err)
{
    while (intake->vote_count > 0) {
        size_t bad = intake->vote_count;
        steme_status status = steme_write_many(intake->cli->store, intake->cli->signer, intake->votes,
                                               intake->vote_count, intake->receipts, &bad, err);
        if (!status) break;
        if (bad >= intake->vote_count || !intake_is_about_line(status)) return status;
        intake_reject(intake, intake->vote_lines[bad], err->message);
        size_t behind = --intake->vote_count - bad;
        memmove(intake->votes + bad, intake->votes + bad + 1, behind * sizeof *intake->votes);
        memmove(intake->vote_lines + bad, intake->vote_lines + bad + 1, behind * sizeof *intake->vote_lines);
    }
    for (size_t i = 0; i < intake->vote_count; i++)
        count_receipt(intake, &intake->receipts[i]);
    return publish(intake, err);
}

static steme_status flush_votes(struct intake *intake, struct steme_error *err)
{
    steme_status status = intake->dry_run ? check_votes(intake, err) : write_votes(intake, err);
    intake->vote_count = 0;
    intake->vote_bytes = 0;
    return status;
}

steme_status intake_begin_line(struct intake *intake, struct arena **arena_out, struct steme_error *err)
{
    static const struct arena_mark begin;
    steme_status status = STEME_OK;
    /* Lines that were rejected leave their pieces behind, too. */
    if (intake->arena.used_bytes > ARENA_WAITING_BYTES && intake->assertion_count > 0)
        status = flush_assertions(intake, err);
    if (!status && intake->arena.used_bytes > ARENA_WAITING_BYTES && intake->vote_count > 0)
        status = flush_votes(intake, err);
    if (intake->assertion_count == 0 && intake->vote_count == 0) arena_rewind(&intake->arena, begin);
    *arena_out = &intake->arena;
    return status;
}

steme_status intake_assertion(struct intake *intake, const struct steme_assertion *assertion, uint64_t line,
                              size_t bytes, struct steme_error *err)
{
    if (intake->vote_count > 0) { /* keep the order of the file */
        steme_status status = flush_votes(intake, err);
        if (status) return status;
    }
    intake->assertions[intake->assertion_count] = *assertion;
    intake->lines[intake->assertion_count++] = line;
    intake->assertion_bytes += bytes + RECORD_OVERHEAD;
    bool full = intake->assertion_count == intake->bundle_max || intake->assertion_bytes > BUNDLE_BYTES;
    return full ? flush_assertions(intake, err) : STEME_OK;
}

steme_status intake_vote(struct intake *intake, const struct steme_vote *vote, uint64_t line, size_t bytes,
                         struct steme_error *err)
{
    steme_status status = flush_assertions(intake, err); /* what it may be about goes first */
    if (status) return status;
    intake->votes[intake->vote_count] = (struct steme_record){ .type = STEME_VOTE, .as.vote = *vote };
    intake->vote_lines[intake->vote_count++] = line;
    intake->vote_bytes += bytes + RECORD_OVERHEAD;
    bool full = intake->vote_count == INTAKE_VOTES_MAX || intake->vote_bytes > BUNDLE_BYTES;
    return full ? flush_votes(intake, err) : STEME_OK;
}

/* Epochs and revisions are written one by one. */
static steme_status write_draft(struct intake *intake, const struct steme_record *record, uint64_t line,
                                struct steme_error *err)
{
    steme_status status = intake_flush(intake, err); /* what it may be about goes first */
    if (status) return status;
    if (intake->dry_run)
        status = check_draft(record, err);
    else
        status = steme_write(intake->cli->store, intake->cli->signer, record, intake->receipts, err);
    if (status && intake_is_about_line(status)) {
        intake_reject(intake, line, err->message);
        return STEME_OK;
    }
    if (status) return status;
    if (intake->dry_run) {
        intake->written++;
        return STEME_OK;
    }
    count_receipt(intake, intake->receipts);
    return publish(intake, err);
}

static const struct steme_key *stated_author(const struct steme_record *record)
{
    switch (record->type) {
    case STEME_ASSERTION: return &record->as.assertion.author;
    case STEME_VOTE: return &record->as.vote.voter;
    case STEME_EPOCH: return &record->as.epoch.author;
    case STEME_REVISION: return &record->as.revision.author;
    case STEME_BUNDLE: return &record->as.bundle.author;
    case STEME_VIEW: return &record->as.view.author;
    }
    unreachable_here();
}

static steme_status take_draft(struct intake *intake, const struct wire_record *record, uint64_t line, size_t bytes,
                               struct steme_error *err)
{
    struct steme_key mine = { 0 };
    if (intake->cli->signer) mine = steme_signer_key(intake->cli->signer);
    if (record->has_author && memcmp(stated_author(&record->record), &mine, sizeof mine) != 0) {
        intake_reject(intake, line,
                      "its author is another key, and it has no signature: leave the author out to sign it");
        return STEME_OK;
    }
    if (record->record.type == STEME_VOTE) return intake_vote(intake, &record->record.as.vote, line, bytes, err);
    if (record->record.type != STEME_ASSERTION) return write_draft(intake, &record->record, line, err);
    return intake_assertion(intake, &record->record.as.assertion, line, bytes, err);
}

/* ---- what is signed already ---- */

/* Encode a record into the batch and hold it against its stated id. */
static steme_status encode_piece(struct intake *intake, const struct wire_record *record, struct steme_error *err)
{
    struct intake_piece *piece = &intake->pieces[intake->piece_count];
    struct steme_hash id;
    size_t size = 0;
    size_t offset = intake->bytes.size;
    uint8_t *to = buf_extend(&intake->bytes, STEME_RECORD_MAX);
    if (!to) return buf_check(&intake->bytes, err);
    steme_status status = steme_encode(&record->record, to, STEME_RECORD_MAX, &size, err);
    intake->bytes.size = offset + (status ? 0 : size);
    if (!status) status = steme_record_id(slice_of(to, size), &id, err);
    if (status) return status;
    if (memcmp(&id, &record->id, sizeof id) != 0) {
        char hex[STEME_PRINT_BYTES];
        steme_print_hash(&id, hex);
        return error_set(err, STEME_MISMATCH, "the fields do not have the id that is stated: they have %s", hex);
    }
    *piece = (struct intake_piece){ .offset = offset, .size = size };
    intake->piece_count++;
    return STEME_OK;
}

/* A record, and of a bundle its members behind it. */
static steme_status encode_unit(struct intake *intake, const struct wire_record *record, struct steme_error *err)
{
    size_t first = intake->piece_count;
    size_t offset = intake->bytes.size;
    steme_status status = encode_piece(intake, record, err);
    for (size_t i = 0; i < record->member_count && !status; i++)
        status = encode_piece(intake, &record->members[i], err);
    if (status) {
        intake->piece_count = first;
        intake->bytes.size = offset;
        intake->bytes.status = STEME_OK;
        return status;
    }
    intake->pieces[first].is_signed = true;
    intake->pieces[first].signature = record->signature;
    return STEME_OK;
}

/* Hand units[first, first + count) to the library. *bad_out: the unit at fault, or first + count. */
static steme_status submit_units(struct intake *intake, size_t first, size_t count, size_t *bad_out,
                                 struct steme_error *err)
{
    size_t from = intake->units[first].first;
    size_t to = intake->units[first + count - 1].first + intake->units[first + count - 1].count;
    size_t bad = to - from;
    for (size_t i = from; i < to; i++) {
        const struct intake_piece *piece = &intake->pieces[i];
        intake->signed_records[i - from] = (struct steme_signed){
            .bytes = slice_of(intake->bytes.data + piece->offset, piece->size),
            .is_signed = piece->is_signed,
            .signature = piece->signature,
        };
    }
    steme_status status = steme_submit(intake->cli->store, intake->signed_records, to - from, intake->receipts, &bad,
                                       err);
    *bad_out = first + count;
    for (size_t i = first; status && i < first + count && bad < to - from; i++)
        if (from + bad >= intake->units[i].first) *bad_out = i;
    for (size_t i = first; !status && i < first + count; i++)
        for (size_t k = intake->units[i].count > 1 ? 1 : 0; k < intake->units[i].count; k++)
            count_receipt(intake, &intake->receipts[intake->units[i].first - from + k]);
    return status;
}

/* One bad record fails a call. It is taken out; the call shrinks, so that a file full of bad records does not make the
 * library look at the good ones over and over. */
static steme_status write_units(struct intake *intake, struct steme_error *err)
{
    size_t at = 0;
    size_t chunk = intake->unit_count;
    while (at < intake->unit_count) {
        size_t count = 0;
        while (count < chunk && at + count < intake->unit_count && !intake->units[at + count].rejected)
            count++;
        if (count == 0) {
            at++; /* rejected already */
            continue;
        }
        size_t bad;
        steme_status status = submit_units(intake, at, count, &bad, err);
        if (!status) {
            at += count;
            chunk *= 2;
            continue;
        }
        if (!intake_is_about_line(status)) return status;
        if (bad == at + count && count == 1) bad = at;
        if (bad < at + count) {
            intake->units[bad].rejected = true;
            intake_reject(intake, intake->units[bad].line, err->message);
        }
        chunk = count > 4 ? count / 4 : 1;
    }
    return publish(intake, err);
}

static steme_status flush_units(struct intake *intake, struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (intake->dry_run)
        intake->written += intake->piece_count;
    else
        status = write_units(intake, err);
    intake->unit_count = 0;
    intake->piece_count = 0;
    buf_clear(&intake->bytes);
    return status;
}

/* Whether the batch with one more unit, as long as its line, might pass what the library takes in one call. */
static bool batch_is_full(const struct intake *intake, size_t records, size_t line_bytes)
{
    size_t bytes = intake->bytes.size + intake->piece_count * FRAME_OVERHEAD;
    return intake->unit_count == INTAKE_BATCH_UNITS ||
           (intake->unit_count > 0 && intake->piece_count + records > BATCH_RECORDS) ||
           (intake->unit_count > 0 && bytes + 2 * line_bytes + records * RECORD_OVERHEAD > STEME_BATCH_BYTES_MAX);
}

static steme_status take_signed(struct intake *intake, const struct wire_record *record, uint64_t line, size_t bytes,
                                struct steme_error *err)
{
    steme_status status = STEME_OK;
    if (intake->assertion_count > 0) status = flush_assertions(intake, err); /* keep the order of the file */
    if (!status && intake->vote_count > 0) status = flush_votes(intake, err);
    if (!status && batch_is_full(intake, 1 + record->member_count, bytes)) status = flush_units(intake, err);
    if (status) return status;
    struct intake_unit unit = { .line = line, .first = intake->piece_count, .count = 1 + record->member_count };
    status = encode_unit(intake, record, err);
    if (status && intake_is_about_line(status)) {
        intake_reject(intake, line, err->message);
        return STEME_OK;
    }
    if (!status) intake->units[intake->unit_count++] = unit;
    return status;
}

steme_status intake_record(struct intake *intake, const struct wire_record *record, uint64_t line, size_t bytes,
                           struct steme_error *err)
{
    if (record->is_draft && intake->unit_count > 0) {
        steme_status status = flush_units(intake, err);
        if (status) return status;
    }
    return record->is_draft ? take_draft(intake, record, line, bytes, err)
                            : take_signed(intake, record, line, bytes, err);
}

steme_status intake_flush(struct intake *intake, struct steme_error *err)
{
    steme_status status = flush_assertions(intake, err);
    if (!status) status = flush_votes(intake, err);
    return status ? status : flush_units(intake, err);
}
