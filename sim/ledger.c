/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/ledger.h"

#include <stdlib.h>
#include <string.h>

void ledger_init(struct ledger *ledger, const struct stock *stock)
{
    *ledger = (struct ledger){ .stock = stock, .next_sequence = 1 };
    ledger->sequences = calloc(stock->count + 1, sizeof *ledger->sequences);
    invariant(ledger->sequences);
}

void ledger_deinit(struct ledger *ledger)
{
    free(ledger->lines);
    free(ledger->sequences);
}

size_t ledger_first(const struct ledger *ledger, size_t place) { return ledger->stock->records[place].first; }

static struct ledger_line *write_line(struct ledger *ledger, uint64_t sequence, size_t place, int64_t now_us)
{
    if (ledger->count == ledger->capacity) {
        ledger->capacity = ledger->capacity ? 2 * ledger->capacity : 256;
        ledger->lines = realloc(ledger->lines, ledger->capacity * sizeof *ledger->lines);
        invariant(ledger->lines);
    }
    size_t first = ledger_first(ledger, place);
    if (!ledger->sequences[first]) ledger->sequences[first] = sequence;
    ledger->next_sequence = sequence + 1;
    ledger->lines[ledger->count] = (struct ledger_line){
        .sequence = sequence, .place = place, .call = ledger->calls, .submitted_at_us = now_us
    };
    return &ledger->lines[ledger->count++];
}

static void note_clock(struct ledger *ledger, int64_t now_us)
{
    if (now_us > ledger->latest_us) ledger->latest_us = now_us;
}

const char *ledger_acknowledge(struct ledger *ledger, size_t first, size_t count, const struct steme_receipt *receipts,
                               int64_t now_us, bool sealed)
{
    size_t call = ledger->count;
    note_clock(ledger, now_us);
    for (size_t i = 0; i < count; i++) {
        const struct steme_receipt *receipt = &receipts[i];
        size_t known = ledger_first(ledger, first + i);
        if (memcmp(&receipt->id, &ledger->stock->records[first + i].id, sizeof receipt->id) != 0)
            return "a receipt names another record";
        if (receipt->duplicate) {
            if (!ledger->sequences[known]) return "a receipt says \"there already\" of a record that was not durable";
            if (receipt->sequence != ledger->sequences[known]) return "a duplicate's receipt has another number";
            continue;
        }
        if (sealed) return "acknowledged after a failed sync, without reopening";
        bool jumps = ledger->rotten || ledger->numbers_jump;
        if (jumps ? receipt->sequence < ledger->next_sequence : receipt->sequence != ledger->next_sequence)
            return "an acknowledged record's number is not the next one";
        ledger->numbers_jump = false;
        write_line(ledger, receipt->sequence, first + i, now_us);
        ledger->acknowledged++;
    }
    ledger->calls += ledger->count > call;
    return NULL;
}

void ledger_doubt(struct ledger *ledger, size_t first, size_t count, int64_t now_us)
{
    note_clock(ledger, now_us);
    ledger->unknown_at_us = now_us;
    ledger->unknown = ledger->unknown_at = first;
    ledger->unknown_count = count;
}

/* ---- the log ---- */

void ledger_begin(struct ledger *ledger)
{
    ledger->begun_count = ledger->count;
    ledger->last_seen = 0;
    for (size_t i = 0; i < ledger->count; i++)
        ledger->lines[i].seen = false;
}

static struct ledger_line *find_line(struct ledger *ledger, uint64_t sequence)
{
    size_t low = 0, high = ledger->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger->lines[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ledger->count && ledger->lines[low].sequence == sequence ? &ledger->lines[low] : NULL;
}

static bool same_id(const struct steme_hash *a, const struct steme_hash *b) { return memcmp(a, b, sizeof *a) == 0; }

/* Bytes and signature as they were submitted. An assertion may have been both signed by itself and in a bundle. */
static const char *check_content(const struct ledger *ledger, const struct steme_entry *entry)
{
    const struct stock *stock = ledger->stock;
    size_t place = stock_find(stock, &entry->id);
    if (place == STOCK_NONE) return "the log has a record that was never submitted";
    const struct stock_record *record = &stock->records[place];
    if (entry->bytes.size != record->bytes.size ||
        memcmp(entry->bytes.data, record->bytes.data, record->bytes.size) != 0)
        return "a record's bytes are not those submitted";
    if (!entry->is_signed) return NULL;
    for (size_t i = 0; i < stock->count; i++)
        if (stock->records[i].is_signed && same_id(&stock->records[i].id, &entry->id))
            return memcmp(&stock->records[i].signature, &entry->signature, sizeof entry->signature)
                     ? "a record's signature is not the one submitted"
                     : NULL;
    return "a record that was never signed by itself has a signature";
}

/* A record that was in doubt and is there: the next of its call that is not there yet. */
static struct ledger_line *settle(struct ledger *ledger, const struct steme_entry *entry)
{
    while (ledger->unknown_at < ledger->unknown + ledger->unknown_count) {
        size_t place = ledger->unknown_at++;
        if (!same_id(&ledger->stock->records[place].id, &entry->id)) continue;
        ledger->recovered++;
        return write_line(ledger, entry->sequence, place, ledger->unknown_at_us);
    }
    return NULL;
}

/* A call is there whole or not at all. */
static bool is_settled_whole(const struct ledger *ledger)
{
    if (ledger->count == ledger->begun_count) return true;
    for (size_t i = 0; i < ledger->unknown_count; i++)
        if (!ledger->sequences[ledger_first(ledger, ledger->unknown + i)]) return false;
    return true;
}

static const char *check_time(const struct ledger *ledger, struct ledger_line *line, int64_t received_at_us)
{
    if (received_at_us > ledger->latest_us) return "a receive time lies ahead of every clock";
    if (line->received_known && line->received_at_us != received_at_us) return "a receive time has changed";
    if (received_at_us < line->submitted_at_us) return "a receive time lies before the call";
    if (line > ledger->lines && line[-1].received_known && line[-1].received_at_us > received_at_us)
        return "receive times decrease along the log";
    line->received_at_us = received_at_us;
    line->received_known = true;
    return NULL;
}

const char *ledger_see(struct ledger *ledger, const struct steme_entry *entry, bool opened)
{
    const char *wrong = check_content(ledger, entry);
    if (wrong) return wrong;
    if (entry->sequence <= ledger->last_seen) return "entries are not in the order of their numbers";
    ledger->last_seen = entry->sequence;
    struct ledger_line *line = find_line(ledger, entry->sequence);
    if (!line) {
        if (!opened) return "a record is readable that was never acknowledged";
        if (entry->sequence < ledger->next_sequence) return "a record took the number of another";
        line = settle(ledger, entry);
        if (!line) return "a record is there that nobody submitted since the last opening";
    }
    if (!same_id(&ledger->stock->records[line->place].id, &entry->id)) return "a number stands for another record";
    if (line->seen) return "a number is there twice";
    line->seen = true;
    return check_time(ledger, line, entry->received_at_us);
}

/* Look anew for first copies, among what was seen. */
static void find_first_copies(struct ledger *ledger)
{
    memset(ledger->sequences, 0, ledger->stock->count * sizeof *ledger->sequences);
    for (size_t i = 0; i < ledger->count; i++) {
        size_t first = ledger_first(ledger, ledger->lines[i].place);
        if (ledger->lines[i].seen && !ledger->sequences[first]) ledger->sequences[first] = ledger->lines[i].sequence;
    }
}

/* Whether the record of a line is gone. Where it is there in another place, the line may only not be shown: behind
 * damage, later copies in the same batch are passed over. */
static bool is_gone(const struct ledger *ledger, size_t i)
{
    return !ledger->lines[i].seen && !ledger->sequences[ledger_first(ledger, ledger->lines[i].place)];
}

void ledger_hit(struct ledger *ledger, uint64_t first_sequence, uint64_t last_sequence)
{
    for (size_t i = 0; i < ledger->count; i++)
        ledger->lines[i].hit |= ledger->lines[i].sequence >= first_sequence &&
                                ledger->lines[i].sequence <= last_sequence;
}

void ledger_touch(struct ledger *ledger, uint64_t first_sequence, uint64_t last_sequence)
{
    for (size_t i = 0; i < ledger->count; i++)
        ledger->lines[i].touched |= ledger->lines[i].sequence >= first_sequence &&
                                    ledger->lines[i].sequence <= last_sequence;
}

void ledger_rot(struct ledger *ledger) { ledger->rotten = ledger->scarred = true; }

void ledger_unhit(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        ledger->lines[i].hit = false;
}

/* The first line that may be missing without being told. */
static size_t begin_of_tail(const struct ledger *ledger, enum ledger_tail tail)
{
    size_t first = ledger->count;
    if (tail == LEDGER_WHOLE) return first;
    while (first > 0 && ledger->lines[first - 1].call == ledger->lines[ledger->count - 1].call)
        first--;
    while (tail == LEDGER_HIT && first > 0 && ledger->lines[first - 1].hit && !ledger->lines[first - 1].seen)
        first--;
    return first;
}

static bool is_told(const struct ledger_report *report, uint64_t sequence)
{
    for (size_t i = 0; i < report->count; i++)
        if (sequence >= report->ranges[i].first && sequence - report->ranges[i].first < report->ranges[i].count)
            return true;
    return false;
}

/* Also what a torn tail took of copies: its numbers are given anew. */
static void strike_out(struct ledger *ledger, size_t tail)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        bool cut = i >= tail && !ledger->lines[i].seen;
        if (cut || is_gone(ledger, i)) continue;
        ledger->lines[kept] = ledger->lines[i];
        ledger->lines[kept].hidden = !ledger->lines[kept].seen;
        kept++;
    }
    ledger->count = kept;
    ledger->next_sequence = 1;
    for (size_t i = 0; i < kept; i++)
        if (ledger->lines[i].seen) ledger->next_sequence = ledger->lines[i].sequence + 1;
}

const char *ledger_end(struct ledger *ledger, bool opened, const struct ledger_report *report, enum ledger_tail tail)
{
    size_t unseen = 0, lost = 0, untold = 0, untouched = 0, first_of_tail = begin_of_tail(ledger, tail);
    if (!ledger->rotten && !is_settled_whole(ledger)) return "a call is there in part";
    for (size_t i = 0; i < ledger->count; i++)
        unseen += !ledger->lines[i].seen && !ledger->lines[i].hidden;
    if (ledger->rotten) find_first_copies(ledger);
    for (size_t i = 0; i < ledger->count; i++) {
        bool gone = is_gone(ledger, i);
        lost += gone;
        untold += gone && i < first_of_tail && !is_told(report, ledger->lines[i].sequence);
        untouched += gone && i < first_of_tail && !ledger->lines[i].touched;
    }
    ledger->calls += ledger->count > ledger->begun_count;
    if (opened) ledger->unknown_count = 0;
    bool rotten = ledger->rotten;
    if (opened) ledger->rotten = false; /* all has been read: what was to be lost is lost */
    if (opened && rotten) ledger->numbers_jump = true;
    if (!unseen) return NULL;
    if (!rotten) return "an acknowledged record is not there";
    if (untold) return "acknowledged records are gone, and the store does not say so";
    if (untouched) return "acknowledged records are gone that no damage touched";
    ledger->lost += lost;
    strike_out(ledger, first_of_tail);
    return NULL;
}

uint64_t ledger_last(const struct ledger *ledger)
{
    return ledger->count ? ledger->lines[ledger->count - 1].sequence : 0;
}

size_t ledger_entries(const struct ledger *ledger, uint64_t up_to, int64_t up_to_us, struct reference_entry *out)
{
    size_t count = 0;
    for (size_t i = 0; i < ledger->count; i++) {
        const struct ledger_line *line = &ledger->lines[i];
        size_t first = ledger_first(ledger, line->place);
        if (line->received_at_us > up_to_us) break;
        if (line->sequence > up_to || ledger->sequences[first] != line->sequence) continue;
        out[count++] = (struct reference_entry){ &ledger->stock->records[first], line->sequence, line->received_at_us };
    }
    return count;
}
