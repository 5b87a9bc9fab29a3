/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/shop.h"

#include "base/check.h"
#include "base/slice.h"
#include "db/store.h"
#include "lib/testing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOT_MAX = 12, COPY_BYTES = 1 << 16 };

static struct steme_error failure;

#define OK(call) assert_status((call), STEME_OK, &failure, #call)

/* ---- opening ---- */

static void take_notice(void *context, const char *line)
{
    struct shop *shop = context;
    pthread_mutex_lock(&shop->telling);
    shop->notice_count++;
    (void)snprintf(shop->notice, sizeof shop->notice, "%s", line);
    pthread_mutex_unlock(&shop->telling);
}

steme_status shop_open_more(struct shop *shop, bool read_only, struct steme_store **out, struct steme_error *err)
{
    struct steme_open_options options = { .read_only = read_only, .notice = take_notice, .notice_context = shop };
    *out = NULL;
    return steme_open(shop->dir, &options, out, err);
}

void shop_reopen(struct shop *shop, bool read_only)
{
    steme_close(&shop->store);
    shop->notice_count = 0;
    shop->notice[0] = '\0';
    OK(shop_open_more(shop, read_only, &shop->store, &failure));
}

bool shop_was_told(struct shop *shop, const char *text)
{
    pthread_mutex_lock(&shop->telling);
    bool told = strstr(shop->notice, text) != NULL;
    pthread_mutex_unlock(&shop->telling);
    return told;
}

char *shop_path(const struct shop *shop, const char *name) { return testing_join(shop->dir, name); }

int shop_open(void **state)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (!shop) return -1;
    pthread_mutex_init(&shop->telling, NULL);
    shop->root = testing_make_temporary();
    shop->dir = testing_join(shop->root, "store");
    OK(steme_create(shop->dir, &failure));
    shop_reopen(shop, false);
    *state = shop;
    return 0;
}

int shop_close(void **state)
{
    struct shop *shop = *state;
    steme_close(&shop->store);
    testing_remove_temporary(shop->root);
    free(shop->dir);
    pthread_mutex_destroy(&shop->telling);
    free(shop);
    return 0;
}

void shop_keep_key(struct shop *shop, unsigned agent)
{
    char name[32];
    const struct sign_secret *secret = pile_agent(agent);
    (void)snprintf(name, sizeof name, "keys/agent-%u.key", agent);
    char *path = shop_path(shop, name), *seed = testing_hex(slice_of(secret->seed, sizeof secret->seed));
    char *key = testing_hex(slice_of(secret->key.bytes, sizeof secret->key.bytes));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "stemedb key 1\nseed %s\npublic %s\n", seed, key);
    assert_int_equal(fclose(file), 0);
    if (shop->store) store_trust_changed(shop->store); /* whoever keeps views may have listed the keys already */
    free(path);
    free(seed);
    free(key);
}

/* ---- writing ---- */

void shop_catch_up(struct shop *shop)
{
    struct steme_info info;
    OK(steme_info(shop->store, &info, &failure));
    OK(steme_wait(shop->store, info.last_sequence, SHOP_WAIT_MS, &failure));
}

void shop_submit(struct shop *shop, const struct pile *pile, size_t first, size_t last)
{
    static struct steme_receipt receipts[STEME_BUNDLE_MAX + 1];
    for (size_t group = first; group < last; group++)
        OK(steme_submit(shop->store, pile_group(pile, group), pile_group_size(pile, group), receipts, NULL, &failure));
    shop_catch_up(shop);
}

void shop_submit_all(struct shop *shop, const struct pile *pile) { shop_submit(shop, pile, 0, pile->group_count); }

void shop_submit_in(struct shop *shop, const struct pile *pile, const size_t *order, size_t count, struct prng *prng)
{
    static struct steme_signed lot[STEME_BATCH_RECORDS_MAX];
    static struct steme_receipt receipts[STEME_BATCH_RECORDS_MAX];
    for (size_t at = 0; at < count;) {
        size_t groups = 1 + prng_below(prng, LOT_MAX), filled = 0;
        for (; groups && at < count; groups--, at++) {
            size_t size = pile_group_size(pile, order[at]);
            assert_true(filled + size <= countof(lot));
            memcpy(lot + filled, pile_group(pile, order[at]), size * sizeof *lot);
            filled += size;
        }
        OK(steme_submit(shop->store, lot, filled, receipts, NULL, &failure));
    }
    shop_catch_up(shop);
}

void shop_submit_mixed(struct shop *shop, const struct pile *pile, struct prng *prng)
{
    size_t *order = calloc(pile->group_count + 1, sizeof *order);
    assert_non_null(order);
    pile_shuffle(order, pile->group_count, prng);
    shop_submit_in(shop, pile, order, pile->group_count, prng);
    free(order);
}

void shop_fill(struct shop *shop, uint64_t seed, size_t groups)
{
    struct pile pile;
    struct prng prng = { seed };
    pile_init(&pile);
    pile_draw(&pile, &prng, groups);
    shop_submit_mixed(shop, &pile, &prng);
    pile_deinit(&pile);
}

/* ---- looking ---- */

struct steme_snapshot *shop_look_at(struct steme_store *store, struct steme_moment moment)
{
    struct steme_snapshot *snapshot = NULL;
    OK(steme_snapshot_open(store, &moment, &snapshot, &failure));
    return snapshot;
}

struct steme_snapshot *shop_look(struct steme_store *store) { return shop_look_at(store, steme_moment_now()); }

static void add_hash(struct buf *out, const struct steme_hash *hash)
{
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(hash, hex);
    buf_printf(out, " %.16s", hex);
}

static steme_status add_answer(void *context, const struct steme_answer *a)
{
    struct buf *out = context;
    buf_printf(out, "%s %.*s | %.*s | %.*s: %s %s voices %u assertions %u votes %u margin %.17g", a->lens,
               SLICE_PRINT(a->subject), SLICE_PRINT(a->predicate), SLICE_PRINT(a->key_qualifiers),
               steme_verdict_name(a->verdict), a->functional ? "functional" : "many", a->voices, a->assertions,
               a->votes, a->margin);
    add_hash(out, &a->slot);
    if (a->has_pooled)
        buf_printf(out, " pooled %zu %zu %.17g %.17g %.17g", a->pooled.count, a->pooled.left_out, a->pooled.mean,
                   a->pooled.error, a->pooled.tau2);
    buf_append_text(out, "\n");
    for (size_t i = 0; i < a->belief_count; i++) {
        const struct steme_belief *b = &a->beliefs[i];
        char value[256];
        (void)steme_print_value(&b->value, value, sizeof value);
        buf_printf(out, "  %.17g %s +%.17g -%.17g voices %u %u assertions %u %u votes %u %u at %" PRId64,
                   b->probability, value, b->support, b->refute, b->support_voices, b->refute_voices, b->assertions,
                   b->refutations, b->votes_for, b->votes_against, b->latest_at_us);
        add_hash(out, &b->claim);
        add_hash(out, &b->assertion);
        buf_append_text(out, "\n");
    }
    return STEME_OK;
}

static void add_ballots(struct buf *out, const char *what, const struct steme_ballot *ballots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "    %s%s", what, ballots[i].counts ? " counts" : "");
        add_hash(out, &ballots[i].entry.id);
        buf_append_text(out, "\n");
    }
}

static void add_testimony(struct buf *out, const struct steme_testimony *t)
{
    buf_printf(out, "  %s weight %.17g", steme_standing_name(t->standing), t->weight);
    add_hash(out, &t->entry.id);
    add_hash(out, &t->claim);
    add_hash(out, &t->voice);
    buf_append_text(out, "\n");
    add_ballots(out, "vote", t->ballots, t->ballot_count);
    for (size_t i = 0; i < t->revision_count; i++) {
        buf_printf(out, "    revision%s", t->revisions[i].effective ? " effective" : "");
        add_hash(out, &t->revisions[i].entry.id);
        buf_append_text(out, "\n");
    }
}

static steme_status add_tally(struct steme_snapshot *snapshot, const struct steme_target *target, struct buf *out,
                              struct steme_error *err)
{
    struct steme_tally tally;
    steme_status status = steme_tally(snapshot, target, &tally, err);
    if (status) return status;
    buf_printf(out, "tally %d", (int)target->kind);
    add_hash(out, &target->hash);
    buf_printf(out, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, tally.support, tally.refute,
               tally.abstain, tally.support_ppm, tally.refute_ppm);
    buf_printf(out, " %" PRIu64 " of %" PRIu64 "\n", tally.retracted, tally.ballots);
    return STEME_OK;
}

static steme_status add_why(struct steme_snapshot *snapshot, const struct steme_question *question, struct buf *out,
                            struct steme_error *err)
{
    struct steme_explanation e;
    steme_status status = steme_why(snapshot, question, &e, err);
    if (status) return status;
    buf_append_text(out, "why ");
    (void)!add_answer(out, &e.answer);
    for (size_t i = 0; !status && i < e.testimony_count; i++) {
        struct steme_target target = { STEME_ON_ASSERTION, steme_route(e.answer.subject), e.testimonies[i].entry.id };
        add_testimony(out, &e.testimonies[i]);
        status = add_tally(snapshot, &target, out, err);
    }
    add_ballots(out, "claim vote", e.claim_ballots, e.claim_ballot_count);
    for (size_t i = 0; !status && i < e.answer.belief_count; i++) {
        struct steme_target target = { STEME_ON_CLAIM, steme_route(e.answer.subject), e.answer.beliefs[i].claim };
        status = add_tally(snapshot, &target, out, err);
    }
    return status;
}

/* Questions met on the way over all slots, to be asked one by one. */
struct questions {
    struct steme_question list[512];
    struct arena names;
    size_t count;
};

static steme_status note_question(void *context, const struct steme_answer *a)
{
    static const struct steme_qualifier band = { { (const uint8_t *)"band", 4 }, { (const uint8_t *)"K", 1 }, true };
    struct questions *questions = context;
    assert_true(questions->count < countof(questions->list));
    questions->list[questions->count++] = (struct steme_question){
        .subject = arena_copy(&questions->names, a->subject),
        .predicate = arena_copy(&questions->names, a->predicate),
        .key_qualifiers = &band,
        .key_qualifier_count = a->key_qualifiers.size ? 1 : 0
    };
    return STEME_OK;
}

static steme_status ask_all(struct steme_snapshot *snapshot, const struct steme_hash *epoch, struct buf *out,
                            struct steme_error *err)
{
    size_t lens_count = 0;
    const struct steme_lens_info *lenses = steme_lens_list(&lens_count);
    steme_status status = STEME_OK;
    for (size_t i = 0; !status && i < lens_count; i++) {
        struct steme_question pattern = { .epoch = epoch, .lens = { .name = lenses[i].name } };
        status = steme_resolve_each(snapshot, &pattern, add_answer, out, err);
    }
    return status;
}

static steme_status explain_all(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    struct questions *questions = calloc(1, sizeof *questions);
    struct steme_question pattern = { .epoch = NULL };
    assert_non_null(questions);
    arena_init(&questions->names, SHOP_TEXT_BYTES);
    steme_status status = steme_resolve_each(snapshot, &pattern, note_question, questions, err);
    for (size_t i = 0; !status && i < questions->count; i++) {
        struct steme_question question = questions->list[i];
        status = add_why(snapshot, &question, out, err);
        question.lens.name = "authority";
        if (!status) status = add_why(snapshot, &question, out, err);
        steme_snapshot_clear(snapshot);
    }
    arena_deinit(&questions->names);
    free(questions);
    return status;
}

static steme_status add_conflicts(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    const struct steme_conflict *conflicts = NULL;
    size_t count = 0;
    struct steme_lens lens = { 0 };
    steme_status status = steme_conflicts(snapshot, &lens, 100, &conflicts, &count, err);
    for (size_t i = 0; !status && i < count; i++) {
        buf_printf(out, "conflict %.17g ", conflicts[i].contest);
        (void)!add_answer(out, &conflicts[i].answer);
    }
    return status;
}

steme_status shop_answers(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    const struct steme_entry *epochs = NULL;
    struct steme_hash ids[64];
    size_t count = 0, known = 0;
    steme_status status = ask_all(snapshot, NULL, out, err);
    if (!status) status = explain_all(snapshot, out, err);
    if (!status) status = add_conflicts(snapshot, out, err);
    if (!status) status = steme_epochs(snapshot, &epochs, &count, err);
    for (; !status && known < count && known < countof(ids); known++) {
        ids[known] = epochs[known].id;
        buf_printf(out, "epoch %.*s", SLICE_PRINT(epochs[known].record.as.epoch.name));
        add_hash(out, &epochs[known].id);
        buf_append_text(out, "\n");
    }
    for (size_t i = 0; !status && i < known && i < 3; i++)
        status = ask_all(snapshot, &ids[i], out, err);
    steme_snapshot_clear(snapshot);
    return status ? status : buf_check(out, err);
}

static steme_status add_entry(void *context, const struct steme_entry *entry)
{
    struct buf *out = context;
    char hex[STEME_PRINT_BYTES];
    steme_print_hash(&entry->id, hex);
    buf_printf(out, "%s %d %s", hex, (int)entry->record.type, entry->is_signed ? "signed" : "in");
    if (!entry->is_signed) add_hash(out, &entry->bundle);
    for (size_t i = 0; i < entry->bytes.size; i++)
        buf_printf(out, "%02x", entry->bytes.data[i]);
    for (size_t i = 0; entry->is_signed && i < sizeof entry->signature; i++)
        buf_printf(out, "%02x", entry->signature.bytes[i]);
    buf_append_text(out, "\n");
    return STEME_OK;
}

steme_status shop_export(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    steme_status status = steme_export_each(snapshot, add_entry, out, err);
    return status ? status : buf_check(out, err);
}

steme_status shop_log(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    steme_status status = steme_log_each(snapshot, 0, add_entry, out, err);
    return status ? status : buf_check(out, err);
}

static steme_status add_key(void *context, struct steme_slice key, struct steme_slice value)
{
    struct buf *out = context;
    buf_append_slice(out, key);
    buf_append_text(out, " -> ");
    buf_append_slice(out, value);
    buf_append_text(out, "\n");
    return STEME_OK;
}

steme_status shop_keys(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err)
{
    steme_status status = steme_keys_each(snapshot, slice_of(NULL, 0), add_key, out, err);
    return status ? status : buf_check(out, err);
}

void shop_say(struct steme_store *store, struct buf *out)
{
    struct steme_snapshot *snapshot = shop_look(store);
    buf_clear(out);
    OK(shop_answers(snapshot, out, &failure));
    OK(shop_export(snapshot, out, &failure));
    OK(shop_keys(snapshot, out, &failure));
    steme_snapshot_close(&snapshot);
}

static struct steme_slice line_at(const struct buf *text, size_t at)
{
    const uint8_t *begin = text->data + at, *end = memchr(begin, '\n', text->size - at);
    return slice_of(begin, end ? (size_t)(end - begin) : text->size - at);
}

void shop_same_text(const struct buf *got, const struct buf *want, const char *name)
{
    size_t line = 0, at = 0;
    if (slice_equal(buf_slice(got), buf_slice(want))) return;
    for (size_t i = 0; i < got->size && i < want->size && got->data[i] == want->data[i]; i++) {
        if (got->data[i] != '\n') continue;
        line++;
        at = i + 1;
    }
    print_error("%s: line %zu differs (%zu and %zu bytes in all)\n  got  %.*s\n  want %.*s\n", name, line, got->size,
                want->size, SLICE_PRINT(line_at(got, at)), SLICE_PRINT(line_at(want, at)));
    fail();
}

/* ---- files ---- */

void shop_flip(const char *path, uint64_t offset)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_true(byte != EOF);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_true(fputc(byte ^ 0xff, file) != EOF);
    assert_int_equal(fclose(file), 0);
}

uint64_t shop_file_bytes(const char *path)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    return (uint64_t)facts.st_size;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[COPY_BYTES];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out);
    for (size_t got; (got = fread(bytes, 1, sizeof bytes, in)) > 0;)
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    assert_int_equal(fclose(in) | fclose(out), 0);
}

void shop_copy_dir(const char *from, const char *to)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, 1 << 20);
    OK(host_make_dir(host_posix(), to, &failure));
    OK(host_list(host_posix(), from, &arena, &entries, &count, &failure));
    for (size_t i = 0; i < count; i++) {
        char *source = testing_join(from, entries[i].name), *target = testing_join(to, entries[i].name);
        if (entries[i].kind == HOST_KIND_DIR)
            shop_copy_dir(source, target);
        else
            copy_file(source, target);
        free(source);
        free(target);
    }
    arena_deinit(&arena);
}
