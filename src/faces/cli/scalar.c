/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/scalar.h"
#include "base/check.h"
#include "base/slice.h"
#include "steme/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define DAY_US (INT64_C(86400) * SECOND_US)
#define YEAR_US (DAY_US / 4 * 1461) /* 365.25 days */

/* Times that ISO 8601 writes with four digits of year. */
#define ISO_FIRST_US INT64_C(-62135596800000000) /* 0001-01-01 */
#define ISO_END_US INT64_C(253402300800000000)   /* 10000-01-01 */

enum { SHARE_DECIMALS = 6 };

steme_status scalar_parse_share(struct steme_slice text, const char *what, uint32_t *ppm_out, struct steme_error *err)
{
    struct steme_decimal share;
    struct steme_error ignored;
    steme_status status = steme_parse_decimal(text, &share, &ignored);
    if (status)
        return error_set(err, status, "%s must be a decimal number from 0 to 1, such as 0.05, not '%.*s'", what,
                         text.size > 40 ? 40 : (int)text.size, text.size ? (const char *)text.data : "");
    if (share.scale > SHARE_DECIMALS)
        return error_set(err, STEME_BAD_INPUT, "%s has more than 6 decimals; it is kept in parts per million", what);
    int64_t ppm = share.coefficient;
    /* Canonical: a scale of 0 or less means at least 1 unless it is 0, so no more than 7 rounds matter. */
    for (int32_t scale = share.scale; scale < SHARE_DECIMALS && ppm >= 0 && ppm <= STEME_PPM; scale++)
        ppm *= 10;
    if (ppm < 0 || ppm > STEME_PPM)
        return error_set(err, STEME_BAD_INPUT, "%s must be from 0 to 1, not %.*s", what,
                         text.size > 40 ? 40 : (int)text.size, (const char *)text.data);
    *ppm_out = (uint32_t)ppm;
    return STEME_OK;
}

void scalar_print_share(uint32_t ppm, char out[SCALAR_PRINT_BYTES])
{
    int size = snprintf(out, SCALAR_PRINT_BYTES, "%" PRIu32 ".%06" PRIu32, ppm / STEME_PPM, ppm % STEME_PPM);
    while (size > 0 && out[size - 1] == '0')
        out[--size] = '\0';
    if (size > 0 && out[size - 1] == '.') out[--size] = '\0';
}

steme_status scalar_parse_count(const char *text, const char *what, uint64_t max, uint64_t *out,
                                struct steme_error *err)
{
    uint64_t value = 0;
    bool fits = true;
    size_t size = strlen(text);
    if (size == 0 || strspn(text, "0123456789") != size)
        return error_set(err, STEME_BAD_INPUT, "%s must be a whole number, not '%.40s'", what, text);
    for (size_t i = 0; i < size && fits; i++) {
        fits = !__builtin_mul_overflow(value, 10u, &value) &&
               !__builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value);
    }
    if (!fits || value > max)
        return error_set(err, STEME_BAD_INPUT, "%s may be at most %" PRIu64 ", not %.40s", what, max, text);
    *out = value;
    return STEME_OK;
}

steme_status scalar_parse_duration(const char *text, const char *what, int64_t *us_out, struct steme_error *err)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = {
        { "s", SECOND_US }, { "min", 60 * SECOND_US }, { "h", 3600 * SECOND_US },
        { "d", DAY_US },    { "w", 7 * DAY_US },       { "y", YEAR_US },
    };
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 10) {
        int64_t count = 0;
        for (size_t i = 0; i < digits; i++)
            count = count * 10 + (text[i] - '0');
        for (size_t i = 0; i < countof(units); i++) {
            if (strcmp(text + digits, units[i].name) != 0) continue;
            if (count == 0 || __builtin_mul_overflow(count, units[i].us, us_out)) break;
            return STEME_OK;
        }
    }
    return error_set(err, STEME_BAD_INPUT,
                     "%s must be a length of time such as 90s, 15min, 12h, 30d, 2w or 5y, not '%.40s'", what, text);
}

steme_status scalar_parse_time(struct steme_slice text, const char *what, int64_t now_us, int64_t *us_out,
                               struct steme_error *err)
{
    enum steme_precision ignored;
    steme_status status;
    if (slice_equal(text, slice_text("now"))) {
        *us_out = now_us;
        return STEME_OK;
    }
    if (text.size > 1 && text.data[0] == '@')
        status = steme_parse_integer(slice_of(text.data + 1, text.size - 1), us_out, err);
    else
        status = steme_parse_time(text, us_out, &ignored, err);
    return status ? error_wrap(err, status, "%s", what) : STEME_OK;
}

void scalar_print_time(int64_t us, char out[SCALAR_PRINT_BYTES])
{
    char iso[STEME_PRINT_BYTES];
    if (us < ISO_FIRST_US || us >= ISO_END_US) {
        snprintf(out, SCALAR_PRINT_BYTES, "@%" PRId64, us);
        return;
    }
    steme_print_time(us, us % SECOND_US ? STEME_MICROSECOND : STEME_SECOND, iso);
    snprintf(out, SCALAR_PRINT_BYTES, "%.31s", iso);
}

steme_status scalar_parse_as_of(const char *text, int64_t now_us, struct steme_moment *moment, struct steme_error *err)
{
    const char *digits = text;
    bool marked = strncmp(text, "seq:", 4) == 0 || text[0] == '@';
    if (marked) digits += text[0] == '@' ? 1 : 4;
    size_t size = strlen(digits);
    bool whole = size > 0 && strspn(digits, "0123456789") == size;
    if (marked || (whole && size != 4))
        return scalar_parse_count(digits, "as-of", UINT64_MAX - 1, &moment->as_of_sequence, err);
    return scalar_parse_time(slice_text(text), "as-of", now_us, &moment->as_of_us, err);
}
