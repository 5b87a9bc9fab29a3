/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { CONFLICTS_MAX = 50, HALF = 2, PATIENCE_MS = 20000 };

struct session {
    struct steme_store *store;
    struct steme_snapshot *snapshot;
    uint32_t notices, rebuilds;
    bool told_degraded;
};

static void hear(void *context, const char *line)
{
    struct session *session = context;
    session->notices++;
    session->rebuilds += strstr(line, "index rebuilt") != NULL || strstr(line, "reading the whole log") != NULL;
    session->told_degraded = session->told_degraded || strstr(line, "degraded") != NULL;
}

/* ---- digests ---- */

/* Everything in the order it comes. */
struct digest {
    uint64_t value;
    struct judge_golden *learn; /* slots are remembered there */
    uint64_t count;
};

static void eat(struct digest *digest, const void *bytes, size_t size)
{
    digest->value = XXH3_64bits_withSeed(bytes, size, digest->value);
}

static void eat_slice(struct digest *digest, struct steme_slice slice)
{
    eat(digest, &slice.size, sizeof slice.size);
    if (slice.size) eat(digest, slice.data, slice.size);
}

static void eat_number(struct digest *digest, uint64_t number) { eat(digest, &number, sizeof number); }

static void eat_double(struct digest *digest, double number) { eat(digest, &number, sizeof number); }

static void eat_answer(struct digest *digest, const struct steme_answer *answer)
{
    eat_slice(digest, answer->subject);
    eat_slice(digest, answer->predicate);
    eat_slice(digest, answer->key_qualifiers);
    eat_number(digest, (uint64_t)answer->verdict);
    eat_number(digest, answer->voices);
    eat_number(digest, answer->assertions);
    eat_number(digest, answer->votes);
    eat_double(digest, answer->margin);
    eat_number(digest, answer->as_of_sequence);
    if (answer->has_pooled) eat_double(digest, answer->pooled.mean);
    for (size_t i = 0; i < answer->belief_count; i++) {
        const struct steme_belief *belief = &answer->beliefs[i];
        char text[JUDGE_MESSAGE_BYTES] = "";
        (void)steme_print_value(&belief->value, text, sizeof text);
        eat(digest, text, strlen(text));
        eat(digest, &belief->claim, sizeof belief->claim);
        eat(digest, &belief->assertion, sizeof belief->assertion);
        eat_double(digest, belief->probability);
        eat_double(digest, belief->support);
        eat_double(digest, belief->refute);
        eat_number(digest, belief->votes_for);
        eat_number(digest, belief->votes_against);
        eat_number(digest, (uint64_t)belief->latest_at_us);
    }
}

static void eat_entry(struct digest *digest, const struct steme_entry *entry)
{
    eat(digest, &entry->id, sizeof entry->id);
    eat_number(digest, entry->sequence);
    eat_number(digest, (uint64_t)entry->received_at_us);
    eat_slice(digest, entry->bytes);
    if (entry->is_signed) eat(digest, &entry->signature, sizeof entry->signature);
}

static bool keep_name(char to[JUDGE_NAME_BYTES], struct steme_slice name)
{
    if (name.size >= JUDGE_NAME_BYTES) return false;
    memcpy(to, name.data, name.size);
    to[name.size] = '\0';
    return true;
}

static steme_status take_answer(void *context, const struct steme_answer *answer)
{
    struct digest *digest = context;
    struct judge_golden *learn = digest->learn;
    eat_answer(digest, answer);
    if (!learn) return STEME_OK;
    if (learn->slot_count == JUDGE_SLOTS_MAX) return STEME_TOO_LARGE;
    char(*slot)[JUDGE_NAME_BYTES] = learn->slots[learn->slot_count];
    if (!keep_name(slot[0], answer->subject) || !keep_name(slot[1], answer->predicate)) return STEME_TOO_LARGE;
    learn->slot_count++;
    return STEME_OK;
}

static steme_status take_entry(void *context, const struct steme_entry *entry)
{
    struct digest *digest = context;
    digest->count++;
    eat_entry(digest, entry);
    return STEME_OK;
}

static steme_status take_key(void *context, struct steme_slice key, struct steme_slice value)
{
    eat_slice(context, key);
    eat_slice(context, value);
    return STEME_OK;
}

static struct steme_slice name_of(const char *text)
{
    return (struct steme_slice){ .data = (const uint8_t *)text, .size = strlen(text) };
}

/* ---- the parts ---- */

static steme_status all_questions(struct session *session, const struct judge_golden *golden, struct digest *digest,
                                  struct steme_error *err)
{
    size_t count = 0;
    const struct steme_lens_info *lenses = steme_lens_list(&count);
    steme_status status = STEME_OK;
    (void)golden;
    for (size_t i = 0; !status && i < count; i++) {
        struct steme_question pattern = { .lens = { .name = lenses[i].name } };
        eat(digest, lenses[i].name, strlen(lenses[i].name));
        status = steme_resolve_each(session->snapshot, &pattern, take_answer, digest, err);
        digest->learn = NULL; /* one lens names all slots */
    }
    return status;
}

static steme_status each_question(struct session *session, const struct judge_golden *golden, struct digest *digest,
                                  struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < golden->slot_count; i++) {
        struct steme_question question = { .subject = name_of(golden->slots[i][0]),
                                           .predicate = name_of(golden->slots[i][1]) };
        struct steme_answer answer;
        status = steme_resolve(session->snapshot, &question, &answer, err);
        if (!status) eat_answer(digest, &answer);
        steme_snapshot_clear(session->snapshot);
    }
    return status;
}

static steme_status history(struct session *session, const struct judge_golden *golden, struct digest *digest,
                            struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < golden->slot_count; i++) {
        const struct steme_testimony *items = NULL;
        size_t count = 0;
        if (i && strcmp(golden->slots[i][0], golden->slots[i - 1][0]) == 0) continue;
        struct steme_slice any = { 0 };
        status = steme_history(session->snapshot, name_of(golden->slots[i][0]), any, &items, &count, err);
        if (status) break;
        for (size_t j = 0; j < count; j++) {
            eat_entry(digest, &items[j].entry);
            eat_number(digest, (uint64_t)items[j].standing);
            for (size_t k = 0; k < items[j].ballot_count; k++) {
                eat_entry(digest, &items[j].ballots[k].entry);
                eat_number(digest, items[j].ballots[k].counts);
            }
            for (size_t k = 0; k < items[j].revision_count; k++)
                eat_entry(digest, &items[j].revisions[k].entry);
        }
        steme_snapshot_clear(session->snapshot);
    }
    return status;
}

static steme_status earlier(struct session *session, const struct judge_golden *golden, struct digest *digest,
                            struct steme_error *err)
{
    struct steme_moment moment = steme_moment_now();
    struct steme_snapshot *snapshot = NULL;
    struct steme_question pattern = { 0 };
    moment.as_of_sequence = golden->record_count / HALF;
    steme_status status = steme_snapshot_open(session->store, &moment, &snapshot, err);
    if (!status) status = steme_resolve_each(snapshot, &pattern, take_answer, digest, err);
    steme_snapshot_close(&snapshot);
    return status;
}

static steme_status conflicts(struct session *session, const struct judge_golden *golden, struct digest *digest,
                              struct steme_error *err)
{
    const struct steme_conflict *items = NULL;
    const struct steme_lens lens = { 0 };
    size_t count = 0;
    (void)golden;
    steme_status status = steme_conflicts(session->snapshot, &lens, CONFLICTS_MAX, &items, &count, err);
    for (size_t i = 0; !status && i < count; i++)
        eat_answer(digest, &items[i].answer);
    return status;
}

static steme_status ids(struct session *session, const struct judge_golden *golden, struct digest *digest,
                        struct steme_error *err)
{
    for (size_t i = 0; i < golden->record_count; i++) {
        struct steme_entry entry;
        steme_status status = steme_get(session->snapshot, &golden->records[i].id, &entry, err);
        if (status && status != STEME_NOT_FOUND) return status;
        eat_number(digest, (uint64_t)status);
        if (!status) eat_entry(digest, &entry);
        steme_snapshot_clear(session->snapshot);
    }
    return STEME_OK;
}

static steme_status export_all(struct session *session, const struct judge_golden *golden, struct digest *digest,
                               struct steme_error *err)
{
    (void)golden;
    return steme_export_each(session->snapshot, take_entry, digest, err);
}

static steme_status log_all(struct session *session, const struct judge_golden *golden, struct digest *digest,
                            struct steme_error *err)
{
    (void)golden;
    return steme_log_each(session->snapshot, 1, take_entry, digest, err);
}

static steme_status keys(struct session *session, const struct judge_golden *golden, struct digest *digest,
                         struct steme_error *err)
{
    struct steme_slice all = { 0 };
    (void)golden;
    return steme_keys_each(session->snapshot, all, take_key, digest, err);
}

static steme_status epochs(struct session *session, const struct judge_golden *golden, struct digest *digest,
                           struct steme_error *err)
{
    const struct steme_entry *items = NULL;
    size_t count = 0;
    (void)golden;
    steme_status status = steme_epochs(session->snapshot, &items, &count, err);
    for (size_t i = 0; !status && i < count; i++)
        eat_entry(digest, &items[i]);
    return status;
}

static steme_status counts(struct session *session, const struct judge_golden *golden, struct digest *digest,
                           struct steme_error *err)
{
    struct steme_info info;
    (void)golden;
    steme_status status = steme_info(session->store, &info, err);
    if (status) return status;
    eat(digest, &info.store_id, sizeof info.store_id);
    eat_number(digest, (uint64_t)info.created_at_us);
    eat_number(digest, info.last_sequence);
    eat_number(digest, info.indexed_sequence);
    eat(digest, info.records, sizeof info.records);
    eat_number(digest, info.dead_letters);
    return STEME_OK;
}

/* A key that can't be loaded is no lie, but no answer of the store either, so it is not what fails it. */
static steme_status signer(struct session *session, const struct judge_golden *golden, struct digest *digest,
                           struct steme_error *err)
{
    struct steme_signer *mine = NULL;
    (void)golden;
    steme_status status = steme_signer_load(session->store, "default", &mine, err);
    if (status) return status;
    struct steme_key key = steme_signer_key(mine);
    eat(digest, &key, sizeof key);
    steme_signer_free(&mine);
    return STEME_OK;
}

static const struct {
    const char *name;
    steme_status (*ask)(struct session *, const struct judge_golden *, struct digest *, struct steme_error *);
} parts[PARTS] = {
    [PART_ALL_QUESTIONS] = { "all questions", all_questions },
    [PART_EACH_QUESTION] = { "questions by name", each_question },
    [PART_HISTORY] = { "history", history },
    [PART_EARLIER] = { "answers as of half way", earlier },
    [PART_CONFLICTS] = { "conflicts", conflicts },
    [PART_IDS] = { "records by id", ids },
    [PART_EXPORT] = { "export", export_all },
    [PART_LOG] = { "log", log_all },
    [PART_KEYS] = { "keys", keys },
    [PART_EPOCHS] = { "epochs", epochs },
    [PART_COUNTS] = { "counts", counts },
    [PART_SIGNER] = { "the key that signs", signer },
};

/* ---- a session ---- */

static steme_status ask_part(struct session *session, size_t part, const struct judge_golden *golden,
                             struct judge_golden *learn, struct judge_answers *out, struct steme_error *err)
{
    struct digest digest = { .learn = part == PART_ALL_QUESTIONS ? learn : NULL };
    steme_status status = parts[part].ask(session, golden, &digest, err);
    if (part == PART_LOG) out->records = digest.count;
    out->part[part] = digest.value;
    steme_snapshot_clear(session->snapshot);
    return status;
}

static steme_status begin(struct session *session, const char *dir, bool read_only, struct steme_error *err)
{
    struct steme_open_options options = { .read_only = read_only, .notice = hear, .notice_context = session };
    struct steme_info info;
    steme_status status = steme_open(dir, &options, &session->store, err);
    if (!status && !read_only) {
        status = steme_info(session->store, &info, err);
        if (!status) status = steme_wait(session->store, info.last_sequence, PATIENCE_MS, err);
    }
    return status ? status : steme_snapshot_open(session->store, NULL, &session->snapshot, err);
}

/* After all was asked: reading finds damage too. */
static steme_status ask_health(struct session *session, struct judge_answers *out, struct steme_error *err)
{
    struct steme_info info;
    steme_status status = steme_info(session->store, &info, err);
    if (status) return status;
    out->missing = info.missing_sequences;
    out->degraded = info.degraded;
    return STEME_OK;
}

static void end(struct session *session)
{
    steme_snapshot_close(&session->snapshot);
    steme_close(&session->store);
}

/* ---- learning ---- */

static int compare_records(const void *left, const void *right)
{
    const struct judge_record *a = left, *b = right;
    return memcmp(&a->id, &b->id, sizeof a->id);
}

static steme_status take_record(void *context, const struct steme_entry *entry)
{
    struct judge_golden *golden = context;
    struct digest digest = { 0 };
    if (golden->record_count == JUDGE_RECORDS_MAX) return STEME_TOO_LARGE;
    eat_entry(&digest, entry);
    golden->records[golden->record_count++] = (struct judge_record){ entry->id, digest.value };
    return STEME_OK;
}

bool judge_learn(const char *dir, struct judge_golden *out, struct judge_outcome *why)
{
    struct session session = { 0 };
    struct steme_error error = { 0 };
    memset(out, 0, sizeof *out);
    steme_status status = begin(&session, dir, true, &error);
    if (!status) status = steme_export_each(session.snapshot, take_record, out, &error);
    qsort(out->records, out->record_count, sizeof out->records[0], compare_records);
    for (size_t part = 0; !status && part < PARTS; part++)
        status = ask_part(&session, part, out, out, &out->answers, &error);
    if (!status) status = ask_health(&session, &out->answers, &error);
    if (status) (void)snprintf(why->message, sizeof why->message, "status %d: %.300s", (int)status, error.message);
    end(&session);
    return status == STEME_OK;
}

/* ---- judging ---- */

static void find(struct judge_outcome *out, enum judge_fate fate, const char *who, const char *what)
{
    if (fate <= out->fate) return;
    out->fate = fate;
    (void)snprintf(out->message, sizeof out->message, "%s: %.380s", who, what);
}

/* An error is clear if it has a message and a class that says that the store, not its caller, is at fault. */
static void find_error(struct judge_outcome *out, const char *who, const char *doing, steme_status status,
                       const struct steme_error *error)
{
    char text[JUDGE_MESSAGE_BYTES];
    enum steme_class class = steme_status_class(status);
    bool clear = error->message[0] && (class == STEME_CLASS_DEVICE || class == STEME_CLASS_CONFLICT);
    (void)snprintf(text, sizeof text, "%s: class %d: %.250s", doing, (int)class, error->message);
    find(out, clear ? FATE_TOLD : FATE_WRONG, who, text);
}

struct subset {
    const struct judge_golden *golden;
    size_t foreign;
};

static steme_status check_known(void *context, const struct steme_entry *entry)
{
    struct subset *subset = context;
    struct digest digest = { 0 };
    struct judge_record key = { .id = entry->id };
    eat_entry(&digest, entry);
    const struct judge_record *known = bsearch(&key, subset->golden->records, subset->golden->record_count, sizeof key,
                                               compare_records);
    subset->foreign += !known || known->digest != digest.value;
    return STEME_OK;
}

/* It says that it lost something: nothing of what it has is invented, and what is gone is counted. */
static void judge_degraded(struct session *session, const struct judge_golden *golden, const struct judge_answers *got,
                           const char *who, struct judge_outcome *out)
{
    struct subset subset = { .golden = golden };
    struct steme_error error = { 0 };
    char text[JUDGE_MESSAGE_BYTES];
    steme_status status = steme_log_each(session->snapshot, 1, check_known, &subset, &error);
    if (status) find_error(out, who, "log", status, &error);
    if (subset.foreign) find(out, FATE_WRONG, who, "a record that was never written, or another than was");
    uint64_t want = golden->answers.records + golden->answers.missing;
    (void)snprintf(text, sizeof text, "degraded: %" PRIu64 " records and %" PRIu64 " missing, of %" PRIu64,
                   got->records, got->missing, want);
    find(out, got->records + got->missing < want ? FATE_WRONG : FATE_DEGRADED, who, text);
    if (!session->told_degraded) find(out, FATE_WRONG, who, "degraded without a notice");
}

struct findings {
    uint64_t index, others;
    char first[256];
};

static void take_finding(void *context, const struct steme_finding *finding)
{
    struct findings *findings = context;
    bool index = strcmp(finding->part, "index") == 0;
    if (index && !findings->index) (void)snprintf(findings->first, sizeof findings->first, "%s", finding->message);
    findings->index += index;
    findings->others += !index;
}

static void verify(struct session *session, bool degraded, const char *who, struct judge_outcome *out)
{
    struct steme_verification totals;
    struct steme_error error = { 0 };
    struct findings findings = { 0 };
    char text[JUDGE_MESSAGE_BYTES];
    steme_status status = steme_verify(session->store, take_finding, &findings, &totals, &error);
    if (status) {
        find_error(out, who, "verify", status, &error);
        return;
    }
    /* A finding is a report, so no lie; but asking came first, and must have noticed what answers turn on. */
    (void)snprintf(text, sizeof text, "verify: index: %s", findings.first);
    if (findings.index) find(out, FATE_TOLD, who, text);
    if (findings.others && !degraded) find(out, FATE_TOLD, who, "verify finds damage in a store that is well");
    if (totals.valid_bytes + totals.padding_bytes + totals.damaged_bytes != totals.file_bytes)
        find(out, FATE_WRONG, who, "verify: bytes do not add up");
}

static void judge_session(const char *dir, bool read_only, const struct judge_golden *golden, struct judge_outcome *out)
{
    static struct judge_answers got;
    struct session session = { 0 };
    struct steme_error error = { 0 };
    const char *who = read_only ? "reader" : "writer";
    char text[JUDGE_MESSAGE_BYTES];
    const char *differs = NULL;
    memset(&got, 0, sizeof got);
    steme_status status = begin(&session, dir, read_only, &error);
    if (status) find_error(out, who, "opening", status, &error);
    for (size_t part = 0; !status && part < PARTS; part++) {
        steme_status one = ask_part(&session, part, golden, NULL, &got, &error);
        if (one) find_error(out, who, parts[part].name, one, &error);
        if (!one && got.part[part] != golden->answers.part[part] && !differs) differs = parts[part].name;
    }
    if (!status) status = ask_health(&session, &got, &error);
    if (!status && differs && got.degraded) {
        judge_degraded(&session, golden, &got, who, out);
    } else if (!status && differs) {
        (void)snprintf(text, sizeof text, "%s differ, and the store says it is well (%u notices, %u rebuilds)", differs,
                       session.notices, session.rebuilds);
        find(out, FATE_WRONG, who, text);
    } else if (!status && golden->answers.degraded && !got.degraded) {
        find(out, FATE_WRONG, who, "the store was degraded and says it is well");
    }
    if (!status && !read_only) verify(&session, got.degraded, who, out);
    out->rebuilds += session.rebuilds;
    end(&session);
}

void judge_store(const char *dir, const struct judge_golden *golden, struct judge_outcome *out)
{
    *out = (struct judge_outcome){ 0 };
    judge_session(dir, true, golden, out);
    judge_session(dir, false, golden, out);
}
