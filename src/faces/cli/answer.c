/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/answer.h"
#include "base/slice.h"
#include "faces/cli/object.h"
#include "faces/cli/show.h"
#include "faces/cli/wire.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALUE_COLUMNS_MAX = 60, ERROR_DIGITS = 2, MEAN_DIGITS_MIN = 4, DECIMALS_MAX = 15 };

const char *answer_share_text(double probability, char out[SHARE_TEXT_BYTES])
{
    if (probability > 0 && probability < 0.0005)
        snprintf(out, SHARE_TEXT_BYTES, "< 0.1 %%");
    else if (probability < 1 && probability >= 0.9995)
        snprintf(out, SHARE_TEXT_BYTES, "> 99.9 %%");
    else
        snprintf(out, SHARE_TEXT_BYTES, "%.1f %%", 100 * probability);
    return out;
}

/* Decimals that show `digits` significant digits of a number. */
static int decimals_for(double number, int digits)
{
    double size = fabs(number);
    if (!(size > 0) || !isfinite(size)) return 0;
    return digits - 1 - (int)floor(log10(size));
}

const char *answer_measure_text(double mean, double error, struct steme_slice unit, char out[MEASURE_TEXT_BYTES])
{
    int decimals = decimals_for(error, ERROR_DIGITS);
    int needed = decimals_for(mean, MEAN_DIGITS_MIN);
    if (needed > decimals) decimals = needed;
    const char *space = unit.size ? " " : "";
    int unit_size = unit.size > 40 ? 40 : (int)unit.size;
    const char *unit_text = unit.size ? (const char *)unit.data : "";
    if (decimals > DECIMALS_MAX || fabs(mean) >= 1e15)
        snprintf(out, MEASURE_TEXT_BYTES, "%.5g ± %.2g%s%.*s", mean, error, space, unit_size, unit_text);
    else
        snprintf(out, MEASURE_TEXT_BYTES, "%.*f ± %.*f%s%.*s", decimals > 0 ? decimals : 0, mean,
                 decimals > 0 ? decimals : 0, error, space, unit_size, unit_text);
    return out;
}

static enum print_colour verdict_colour(enum steme_verdict verdict)
{
    switch (verdict) {
    case STEME_SETTLED: return PRINT_GREEN;
    case STEME_LEANING: return PRINT_YELLOW;
    case STEME_CONTESTED: return PRINT_RED;
    case STEME_UNDECIDED:
    case STEME_LISTED: return PRINT_CYAN;
    }
    return PRINT_PLAIN;
}

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

static void print_pooled(const struct cli *cli, const struct steme_answer *answer)
{
    const struct steme_pooled *pooled = &answer->pooled;
    FILE *out = cli->print.out;
    char text[MEASURE_TEXT_BYTES];
    fputs("   ", out);
    print_coloured(&cli->print, PRINT_BOLD, "%s", answer_measure_text(pooled->mean, pooled->error, pooled->unit, text));
    const char *kind = answer->has_learned ? "mean by learned errors" : "random-effects mean";
    fprintf(out, "  %s of %zu measurement%s", kind, pooled->count, plural(pooled->count));
    if (pooled->left_out > 0) fprintf(out, ", %zu left out", pooled->left_out);
    fputc('\n', out);
    if (pooled->count < 2) return;
    if (answer->has_learned) {
        fprintf(out, "   scatter in learned errors: chi2 %.1f for %zu degree%s, p %.2g\n", pooled->chi2,
                pooled->degrees, plural(pooled->degrees), pooled->tension_p);
        return;
    }
    fprintf(out, "   %s  if errors were all: chi2 %.1f for %zu degree%s, p %.2g\n",
            answer_measure_text(pooled->fixed_mean, pooled->fixed_error, pooled->unit, text), pooled->chi2,
            pooled->degrees, pooled->degrees == 1 ? "" : "s", pooled->tension_p);
    fprintf(out, "   scatter beyond the errors: tau2 %.4g, I2 %.0f %%, Birge ratio %.2f\n", pooled->tau2,
            100 * pooled->i2, pooled->birge);
}

void answer_print_learned(const struct cli *cli, const struct steme_answer *answer)
{
    const struct steme_learned *it = &answer->learned;
    char items[PRINT_COUNT_BYTES], voices[PRINT_COUNT_BYTES];
    if (!answer->has_learned) return;
    fprintf(cli->print.out, "   learned from %s question%s and %s voice%s as of @%" PRIu64 " by %s, because %s\n",
            print_count(it->items, items), plural(it->items), print_count(it->voices, voices), plural(it->voices),
            it->as_of_sequence, steme_method_name(it->method), it->because);
}

void answer_print_head(const struct cli *cli, const struct steme_answer *answer)
{
    FILE *out = cli->print.out;
    print_coloured(&cli->print, PRINT_BOLD, "%.*s  %.*s", SLICE_PRINT(answer->subject), SLICE_PRINT(answer->predicate));
    if (answer->key_qualifiers.size > 0)
        print_coloured(&cli->print, PRINT_PLAIN, "  [%.*s]", SLICE_PRINT(answer->key_qualifiers));
    fputs("   ", out);
    print_coloured(&cli->print, verdict_colour(answer->verdict), "%s", steme_verdict_name(answer->verdict));
    fprintf(out, "   lens %s   %" PRIu32 " voice%s\n", answer->lens, answer->voices, plural(answer->voices));
    if (answer->has_pooled && answer->pooled.count > 0) print_pooled(cli, answer);
}

size_t answer_value_columns(const struct steme_answer *answer, size_t limit)
{
    size_t widest = 0;
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < answer->belief_count && i < limit; i++) {
        buf_clear(&text);
        show_value(&text, &answer->beliefs[i].value, VALUE_COLUMNS_MAX);
        size_t width = print_width(buf_slice(&text));
        if (width > widest) widest = width;
    }
    buf_deinit(&text);
    return widest;
}

void answer_print_belief(const struct cli *cli, const struct steme_answer *answer, size_t index, size_t columns)
{
    const struct steme_belief *belief = &answer->beliefs[index];
    FILE *out = cli->print.out;
    char share[SHARE_TEXT_BYTES];
    struct buf text;
    buf_init(&text, 1 << 16);
    show_value(&text, &belief->value, VALUE_COLUMNS_MAX);
    size_t width = print_width(buf_slice(&text));
    fprintf(out, "   %8s  ", answer_share_text(belief->probability, share));
    print_coloured(&cli->print, index == 0 ? PRINT_BOLD : PRINT_PLAIN, "%.*s", SLICE_PRINT(buf_slice(&text)));
    fprintf(out, "%*s", width < columns ? (int)(columns - width) : 0, "");
    fprintf(out, "  %" PRIu32 " voice%s", belief->support_voices, plural(belief->support_voices));
    if (belief->refute_voices > 0) fprintf(out, ", %" PRIu32 " against", belief->refute_voices);
    uint64_t votes = (uint64_t)belief->votes_for + belief->votes_against;
    if (votes > 0) fprintf(out, ", %" PRIu64 " vote%s", votes, plural(votes));
    fputc('\n', out);
    buf_deinit(&text);
}

void answer_print(const struct cli *cli, const struct steme_answer *answer, size_t limit)
{
    answer_print_head(cli, answer);
    if (answer->belief_count == 0) fputs("   nobody says anything about it that counts now\n", cli->print.out);
    size_t columns = answer_value_columns(answer, limit);
    for (size_t i = 0; i < answer->belief_count && i < limit; i++)
        answer_print_belief(cli, answer, i, columns);
    if (answer->belief_count > limit)
        print_coloured(&cli->print, PRINT_DIM, "   ... and %zu more (--limit 0 shows all)",
                       answer->belief_count - limit);
    if (answer->belief_count > limit) fputc('\n', cli->print.out);
}

/* ---- JSON ---- */

static void emit_pooled(struct emit *json, const struct steme_pooled *pooled)
{
    emit_begin(json, "pooled", '{');
    emit_count(json, "count", pooled->count);
    emit_count(json, "left_out", pooled->left_out);
    emit_text(json, "unit", pooled->unit);
    emit_real(json, "mean", pooled->mean);
    emit_real(json, "error", pooled->error);
    emit_real(json, "fixed_mean", pooled->fixed_mean);
    emit_real(json, "fixed_error", pooled->fixed_error);
    emit_real(json, "tau2", pooled->tau2);
    emit_real(json, "chi2", pooled->chi2);
    emit_count(json, "degrees", pooled->degrees);
    emit_real(json, "i2", pooled->i2);
    emit_real(json, "birge", pooled->birge);
    emit_real(json, "tension_p", pooled->tension_p);
    emit_end(json, '}');
}

static void emit_belief(struct emit *json, const struct steme_belief *belief)
{
    char text[2 * STEME_NAME_MAX];
    size_t size = steme_print_value(&belief->value, text, sizeof text);
    emit_begin(json, NULL, '{');
    wire_value(json, "value", &belief->value);
    if (size < sizeof text) emit_text(json, "text", slice_of(text, size)); /* a longer one stands in "value" */
    emit_real(json, "probability", belief->probability);
    emit_real(json, "support", belief->support);
    emit_real(json, "refute", belief->refute);
    emit_count(json, "support_voices", belief->support_voices);
    emit_count(json, "refute_voices", belief->refute_voices);
    emit_count(json, "assertions", belief->assertions);
    emit_count(json, "refutations", belief->refutations);
    emit_count(json, "votes_for", belief->votes_for);
    emit_count(json, "votes_against", belief->votes_against);
    wire_time(json, "latest_at", belief->latest_at_us);
    emit_hash(json, "claim", &belief->claim);
    emit_hash(json, "assertion", &belief->assertion);
    emit_end(json, '}');
}

void answer_emit_learned(struct emit *json, const struct steme_learned *learned)
{
    emit_begin(json, "learned", '{');
    emit_word(json, "method", steme_method_name(learned->method));
    emit_word(json, "because", learned->because);
    emit_count(json, "as_of", learned->as_of_sequence);
    emit_count(json, "items", learned->items);
    emit_count(json, "voices", learned->voices);
    emit_count(json, "answers", learned->answers);
    emit_count(json, "iterations", learned->iterations);
    emit_real(json, "temperature", learned->temperature);
    emit_end(json, '}');
}

void answer_emit(struct emit *json, const struct steme_answer *answer)
{
    emit_text(json, "subject", answer->subject);
    emit_text(json, "predicate", answer->predicate);
    if (answer->key_qualifiers.size > 0) emit_text(json, "key_qualifiers", answer->key_qualifiers);
    emit_word(json, "verdict", steme_verdict_name(answer->verdict));
    emit_word(json, "lens", answer->lens);
    emit_bool(json, "functional", answer->functional);
    emit_count(json, "voices", answer->voices);
    emit_count(json, "assertions", answer->assertions);
    emit_count(json, "votes", answer->votes);
    emit_real(json, "margin", answer->margin);
    emit_count(json, "as_of", answer->as_of_sequence);
    if (answer->valid_at_us != STEME_TIME_MAX) wire_time(json, "valid_at", answer->valid_at_us);
    emit_hash(json, "slot", &answer->slot);
    if (answer->has_pooled) emit_pooled(json, &answer->pooled);
    if (answer->has_learned) answer_emit_learned(json, &answer->learned);
    emit_begin(json, "beliefs", '[');
    for (size_t i = 0; i < answer->belief_count; i++)
        emit_belief(json, &answer->beliefs[i]);
    emit_end(json, ']');
}

/* ---- TSV ---- */

void answer_append_tsv(struct buf *to, const struct steme_answer *answer)
{
    for (size_t i = 0; i < answer->belief_count; i++) {
        const struct steme_belief *belief = &answer->beliefs[i];
        /* The smallest step back undoes what 0.3 * 1e6 = 299999.99999999994 would lose. */
        double ppm = floor(belief->probability * STEME_PPM + 1e-7);
        buf_append_slice(to, answer->subject);
        buf_append_text(to, "\t");
        buf_append_slice(to, answer->predicate);
        buf_append_text(to, "\t");
        object_append_plain(to, &belief->value);
        buf_printf(to, "\t%.6f\t", ppm / STEME_PPM);
        buf_append_slice(to, answer->key_qualifiers);
        buf_printf(to, "\t%s\n", object_kind_name(belief->value.kind));
    }
}
