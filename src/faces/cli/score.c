/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/score.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void score_percent(double share, char out[PRINT_COUNT_BYTES])
{
    snprintf(out, PRINT_COUNT_BYTES, "%.1f%%", 100 * share);
}

void score_emit(struct emit *json, const char *name, double value) { emit_real(json, name, round(value * 1e6) / 1e6); }

void score_emit_card(struct emit *json, const struct card *card)
{
    score_emit(json, "right", card_accuracy(card));
    score_emit(json, "unknown", card_unknown(card));
    score_emit(json, "fooled", card_fooled(card));
    score_emit(json, "log_loss", card_log_loss(card));
    score_emit(json, "brier", card_brier(card));
    score_emit(json, "calibration", card_calibration(card));
}

void score_emit_bins(struct emit *json, const struct card *card)
{
    emit_begin(json, "bins", '[');
    for (size_t i = 0; i < CARD_BINS; i++) {
        const struct card_bin *bin = &card->bins[i];
        if (bin->count == 0) continue;
        emit_begin(json, NULL, '{');
        emit_count(json, "answers", bin->count);
        score_emit(json, "said", bin->said / bin->count);
        score_emit(json, "right", bin->right / bin->count);
        emit_end(json, '}');
    }
    emit_end(json, ']');
}

steme_status score_make_dir(const char *path, struct steme_error *err)
{
    struct stat found;
    if (mkdir(path, 0777) == 0) return STEME_OK;
    if (errno != EEXIST) return error_set_os(err, STEME_IO, errno, "can't make the directory for plots %.300s", path);
    if (stat(path, &found) != 0) return error_set_os(err, STEME_IO, errno, "can't write plots into %.300s", path);
    int problem = S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
    if (!problem && access(path, W_OK | X_OK) != 0) problem = errno;
    return problem ? error_set_os(err, STEME_IO, problem, "can't write plots into %.300s", path) : STEME_OK;
}

steme_status score_write_plot(const char *path, const struct buf *text, struct steme_error *err)
{
    steme_status status = buf_check(text, err);
    if (status) return status;
    FILE *file = fopen(path, "wb");
    if (!file) return error_set_os(err, STEME_IO, errno, "can't write the plot %.300s", path);
    size_t done = fwrite(text->data, 1, text->size, file);
    if (fclose(file) != 0 || done < text->size)
        return error_set_os(err, STEME_IO, errno, "can't write the plot %.300s", path);
    return STEME_OK;
}
