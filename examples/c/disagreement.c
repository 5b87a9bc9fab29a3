/* SPDX-License-Identifier: Apache-2.0 */
/* Two groups disagree about a number: write both claims down, ask, withdraw one, ask again, and ask again as it stood
 * before. Only the public interface is used. Build it against an installed library with
 *
 *     cc disagreement.c $(pkg-config --cflags --libs libsteme) -o disagreement
 */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include <steme/steme.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A real program would clean up and report; this one shows what the library said and ends. */
static void must(steme_status status, const struct steme_error *err)
{
    if (status == STEME_OK) return;
    fprintf(stderr, "disagreement: %s (%s)\n", err->message, steme_status_name(status));
    exit((int)steme_status_class(status));
}

static struct steme_slice text(const char *string)
{
    return (struct steme_slice){ (const uint8_t *)string, strlen(string) };
}

/* amount ± error. All numbers are exact decimals: text goes in, and no floating point is stored or signed. */
static struct steme_value measured(const char *amount, const char *error, const char *unit)
{
    struct steme_error err;
    struct steme_value value = { .kind = STEME_QUANTITY, .unit = text(unit), .has_bounds = true };
    struct steme_decimal sigma;
    must(steme_parse_decimal(text(amount), &value.amount, &err), &err);
    must(steme_parse_decimal(text(error), &sigma, &err), &err);
    must(steme_decimal_sub(value.amount, sigma, &value.lower, &err), &err);
    must(steme_decimal_add(value.amount, sigma, &value.upper, &err), &err);
    return value;
}

/* Sign and write one record, then wait until reads see it. */
static struct steme_receipt write_record(struct steme_store *store, const struct steme_signer *signer,
                                         const struct steme_record *record)
{
    struct steme_error err;
    struct steme_receipt receipt;
    must(steme_write(store, signer, record, &receipt, &err), &err); /* durable when it returns */
    must(steme_wait(store, receipt.sequence, 10000, &err), &err);   /* and now visible */
    return receipt;
}

static struct steme_receipt claim_constant(struct steme_store *store, const struct steme_signer *signer,
                                           const char *amount, const char *error)
{
    const struct steme_record record = {
        .type = STEME_ASSERTION,
        .as.assertion = {
            .subject = text("cosmology:hubble_constant"),
            .predicate = text("value"),
            .object = measured(amount, error, "km/s/Mpc"),
            .confidence_ppm = STEME_PPM,
            .asserted_at_us = steme_now_us(),
            .valid_from_us = STEME_TIME_MIN,
            .valid_to_us = STEME_TIME_MAX,
        },
    };
    return write_record(store, signer, &record);
}

/* What is believed as of a sequence number, under a lens. */
static void ask(struct steme_store *store, const char *lens, uint64_t as_of)
{
    struct steme_error err;
    struct steme_snapshot *snapshot;
    struct steme_moment moment = steme_moment_now();
    moment.as_of_sequence = as_of;
    must(steme_snapshot_open(store, &moment, &snapshot, &err), &err);

    const struct steme_question question = {
        .subject = text("cosmology:hubble_constant"),
        .predicate = text("value"),
        .lens = { .name = lens },
    };
    struct steme_answer answer;
    must(steme_resolve(snapshot, &question, &answer, &err), &err);
    printf("  %s: %s\n", lens, steme_verdict_name(answer.verdict));
    if (answer.has_pooled)
        printf("    pooled %.2f ± %.2f from %zu, tension p = %.1g\n", answer.pooled.mean, answer.pooled.error,
               answer.pooled.count, answer.pooled.tension_p);
    for (size_t i = 0; i < answer.belief_count && !answer.has_pooled; i++) {
        char value[128];
        steme_print_value(&answer.beliefs[i].value, value, sizeof value);
        printf("    %.2f  %s\n", answer.beliefs[i].probability, value);
    }
    steme_snapshot_close(&snapshot);
}

/* The target of a vote or a revision on an assertion. */
static struct steme_target target_of(struct steme_store *store, const struct steme_hash *id)
{
    struct steme_error err;
    struct steme_snapshot *snapshot;
    struct steme_target target;
    must(steme_snapshot_open(store, NULL, &snapshot, &err), &err);
    must(steme_target_of(snapshot, id, &target, &err), &err);
    steme_snapshot_close(&snapshot);
    return target;
}

static void tell_story(struct steme_store *store)
{
    struct steme_error err;
    struct steme_signer *planck, *ladder;
    must(steme_signer_new(store, "planck", &planck, &err), &err);
    must(steme_signer_new(store, "ladder", &ladder, &err), &err);

    struct steme_receipt early = claim_constant(store, planck, "67.36", "0.54");
    struct steme_receipt late = claim_constant(store, ladder, "73.04", "1.04");
    printf("two claims\n");
    ask(store, "consensus", late.sequence);
    ask(store, "pool", late.sequence);

    const struct steme_record ballot = {
        .type = STEME_VOTE,
        .as.vote = {
            .target = target_of(store, &early.id),
            .stance = STEME_REFUTE,
            .probability_ppm = 600000, /* 0.6 */
            .cast_at_us = steme_now_us(),
            .reason = text("5 sigma apart in flat LCDM"),
        },
    };
    struct steme_receipt vote = write_record(store, ladder, &ballot);
    printf("one refutes the other\n");
    ask(store, "consensus", vote.sequence);

    const struct steme_target withdrawn = target_of(store, &late.id);
    const struct steme_record retraction = {
        .type = STEME_REVISION,
        .as.revision = {
            .kind = STEME_RETRACT,
            .targets = &withdrawn,
            .target_count = 1,
            .revised_at_us = steme_now_us(),
            .reason = text("only to show what happens"),
        },
    };
    struct steme_receipt gone = write_record(store, ladder, &retraction); /* by its author: effective */
    printf("one is withdrawn\n");
    ask(store, "consensus", gone.sequence);
    printf("as it stood before\n");
    ask(store, "consensus", gone.sequence - 1);

    steme_signer_free(&ladder);
    steme_signer_free(&planck);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

int main(void)
{
    struct steme_error err;
    struct steme_store *store;
    char dir[] = "/tmp/steme-example.XXXXXX";
    if (!mkdtemp(dir)) {
        perror("disagreement: making a folder in /tmp");
        return 1;
    }
    must(steme_create(dir, &err), &err);
    must(steme_open(dir, NULL, &store, &err), &err);
    tell_story(store);
    steme_close(&store);
    return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS) ? 1 : 0;
}
