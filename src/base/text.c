/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "base/check.h"
#include "base/slice.h"
#include "steme/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a reader has not yet taken of the text. */
struct cursor {
    const uint8_t *at, *end;
};

static struct cursor cursor_over(struct steme_slice text)
{
    return (struct cursor){ text.data, text.size ? text.data + text.size : text.data };
}

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

static bool at_digit(const struct cursor *cursor) { return cursor->at < cursor->end && is_digit(*cursor->at); }

static bool take(struct cursor *cursor, char wanted)
{
    bool there = cursor->at < cursor->end && *cursor->at == (uint8_t)wanted;
    if (there) cursor->at++;
    return there;
}

/* [+-]: whether it was a minus. */
static bool take_sign(struct cursor *cursor)
{
    if (take(cursor, '-')) return true;
    take(cursor, '+');
    return false;
}

/* "'the text' problem", with as much of the text as a line of a log can bear. */
static steme_status refuse(steme_status status, struct steme_slice text, const char *problem, struct steme_error *err)
{
    enum { SHOWN = 48 };
    bool cut = text.size > SHOWN;
    return error_set(err, status, "'%.*s%s' %s", (int)(cut ? SHOWN : text.size), (const char *)text.data,
                     cut ? "..." : "", problem);
}

void text_hex(const uint8_t *bytes, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15u];
    }
    out[2 * size] = '\0';
}

/* 0..15, or -1. */
static int hex_digit(uint8_t byte)
{
    if (is_digit(byte)) return byte - '0';
    uint8_t lower = byte | 0x20u;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

steme_status text_parse_hex(struct steme_slice hex, const char *what, uint8_t *out, size_t size,
                            struct steme_error *err)
{
    if (hex.size != 2 * size)
        return error_set(err, STEME_BAD_INPUT, "%s has %zu characters; it is %zu hex digits", what, hex.size, 2 * size);
    for (size_t i = 0; i < hex.size; i++)
        if (hex_digit(hex.data[i]) < 0)
            return error_set(err, STEME_BAD_INPUT, "character %zu of %s is no hex digit; it is %zu of them", i + 1,
                             what, 2 * size);
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(hex_digit(hex.data[2 * i]) << 4 | hex_digit(hex.data[2 * i + 1]));
    return STEME_OK;
}

steme_status text_parse_hash(struct steme_slice hex, struct steme_hash *out, struct steme_error *err)
{
    return text_parse_hex(hex, "the id", out->bytes, sizeof out->bytes, err);
}

steme_status text_parse_integer(struct steme_slice text, int64_t *out, struct steme_error *err)
{
    struct cursor cursor = cursor_over(text);
    bool negative = take_sign(&cursor);
    if (!at_digit(&cursor)) return refuse(STEME_BAD_INPUT, text, "is no integer; write digits, such as -42", err);
    int64_t number = 0;
    bool fits = true;
    for (; at_digit(&cursor); cursor.at++) {
        int digit = *cursor.at - '0';
        fits = fits && !__builtin_mul_overflow(number, 10, &number) &&
               !__builtin_add_overflow(number, negative ? -digit : digit, &number);
    }
    if (cursor.at != cursor.end) return refuse(STEME_BAD_INPUT, text, "is no integer; write digits, such as -42", err);
    if (!fits) return refuse(STEME_TOO_LARGE, text, "does not fit 64 bits; write it as a decimal, or as text", err);
    *out = number;
    return STEME_OK;
}

/* The digits of a decimal as they are read. */
struct digits {
    int64_t coefficient; /* up to the last digit that is not zero */
    int64_t zeros;       /* read since then: they count only if another digit follows */
    bool fits;
};

static void add_digit(struct digits *digits, int digit)
{
    if (digit == 0) {
        digits->zeros += digits->coefficient != 0;
        return;
    }
    for (int64_t i = 0; i <= digits->zeros && digits->fits; i++)
        digits->fits = !__builtin_mul_overflow(digits->coefficient, 10, &digits->coefficient);
    digits->fits = digits->fits && !__builtin_add_overflow(digits->coefficient, digit, &digits->coefficient);
    digits->zeros = 0;
}

/* An exponent too large to count is as good as any that no number of digits before it can bring back. */
static int64_t take_exponent(struct cursor *cursor)
{
    const int64_t far = INT64_MAX / 4;
    int64_t exponent = 0;
    for (; at_digit(cursor); cursor->at++)
        if (exponent < far / 10)
            exponent = exponent * 10 + (*cursor->at - '0');
        else
            exponent = far;
    return exponent;
}

steme_status text_parse_decimal(struct steme_slice text, struct steme_decimal *out, struct steme_error *err)
{
    static const char shape[] = "is no decimal number; write it like -73.04 or 1.5e-40";
    struct cursor cursor = cursor_over(text);
    struct digits digits = { .fits = true };
    int64_t scale = 0;
    bool negative = take_sign(&cursor);
    if (!at_digit(&cursor)) return refuse(STEME_BAD_INPUT, text, shape, err);
    for (; at_digit(&cursor); cursor.at++)
        add_digit(&digits, *cursor.at - '0');
    if (take(&cursor, '.')) {
        if (!at_digit(&cursor)) return refuse(STEME_BAD_INPUT, text, shape, err);
        for (; at_digit(&cursor); cursor.at++, scale++)
            add_digit(&digits, *cursor.at - '0');
    }
    if (take(&cursor, 'e') || take(&cursor, 'E')) {
        bool down = take_sign(&cursor);
        if (!at_digit(&cursor)) return refuse(STEME_BAD_INPUT, text, shape, err);
        int64_t exponent = take_exponent(&cursor);
        scale += down ? exponent : -exponent;
    }
    if (cursor.at != cursor.end) return refuse(STEME_BAD_INPUT, text, shape, err);
    if (!digits.fits)
        return refuse(STEME_TOO_LARGE, text, "has more digits than the 18 that always fit; round it", err);
    struct steme_decimal number;
    if (decimal_make(negative ? -digits.coefficient : digits.coefficient, scale - digits.zeros, &number, NULL))
        return refuse(STEME_TOO_LARGE, text, "is too far from 1 for a decimal; choose another unit", err);
    *out = number;
    return STEME_OK;
}

/* A printer's place in the caller's array. */
struct printer {
    char *start, *at;
};

static void put_text(struct printer *printer, const char *text, size_t size)
{
    memcpy(printer->at, text, size);
    printer->at += size;
}

static void put_zeros(struct printer *printer, int count)
{
    for (int i = 0; i < count; i++)
        *printer->at++ = '0';
}

static size_t finish(struct printer *printer)
{
    *printer->at = '\0';
    return (size_t)(printer->at - printer->start);
}

/* d.ddde-40 */
static void put_exponent_form(struct printer *printer, const char *digits, int count, int scale)
{
    put_text(printer, digits, 1);
    if (count > 1) {
        *printer->at++ = '.';
        put_text(printer, digits + 1, (size_t)count - 1);
    }
    char exponent[16];
    int size = snprintf(exponent, sizeof exponent, "e%d", count - 1 - scale);
    put_text(printer, exponent, (size_t)size);
}

size_t text_print_decimal(struct steme_decimal number, char out[TEXT_DECIMAL_BYTES])
{
    enum { ZEROS_MAX = 24 };
    invariant(number.scale >= -STEME_SCALE_MAX && number.scale <= STEME_SCALE_MAX);
    struct printer printer = { out, out };
    char text[24];
    int size = snprintf(text, sizeof text, "%" PRId64, number.coefficient);
    int sign = text[0] == '-';
    const char *digits = text + sign;
    int count = size - sign, scale = number.scale;
    put_text(&printer, "-", (size_t)sign);
    if (-scale > ZEROS_MAX || scale - count > ZEROS_MAX) {
        put_exponent_form(&printer, digits, count, scale);
    } else if (scale <= 0) {
        put_text(&printer, digits, (size_t)count);
        if (number.coefficient != 0) put_zeros(&printer, -scale);
    } else if (scale >= count) {
        put_text(&printer, "0.", 2);
        put_zeros(&printer, scale - count);
        put_text(&printer, digits, (size_t)count);
    } else {
        put_text(&printer, digits, (size_t)(count - scale));
        *printer.at++ = '.';
        put_text(&printer, digits + (count - scale), (size_t)scale);
    }
    return finish(&printer);
}

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* The calendar repeats every 400 years. Counting years from March puts the leap day last, where it moves
 * no month. */
enum { DAYS_PER_ERA = 146097, DAYS_BEFORE_1970 = 719468 }; /* the latter since 0000-03-01 */

struct date {
    int64_t year;
    int month, day; /* 1..12, 1..31 */
};

static bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_in_month(int64_t year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01. */
static int64_t days_of(struct date date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
}

static struct date date_of(int64_t days)
{
    days += DAYS_BEFORE_1970;
    int64_t era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = days - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    struct date date = { .day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
                         .month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9) };
    date.year = year_of_era + era * 400 + (date.month <= 2);
    return date;
}

/* Exactly `count` digits. */
static bool take_number(struct cursor *cursor, int count, int *out)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!at_digit(cursor)) return false;
        number = number * 10 + (*cursor->at++ - '0');
    }
    *out = number;
    return true;
}

/* .f to .ffffff; false where a point is not followed by that. No point is fine. */
static bool take_fraction(struct cursor *cursor, int64_t *us, enum steme_precision *precision)
{
    if (!take(cursor, '.')) return true;
    int64_t unit = US_PER_SECOND;
    *precision = STEME_MICROSECOND;
    if (!at_digit(cursor)) return false;
    for (; at_digit(cursor) && unit > 1; cursor->at++) {
        unit /= 10;
        *us += unit * (*cursor->at - '0');
    }
    return !at_digit(cursor);
}

/* Z, +hh:mm, -hh:mm or nothing. */
static bool take_zone(struct cursor *cursor, int64_t *us)
{
    if (cursor->at == cursor->end || take(cursor, 'Z')) return true;
    int64_t sign = *cursor->at == '-' ? -1 : 1;
    int hour = 0, minute = 0;
    if (!take(cursor, '+') && !take(cursor, '-')) return false;
    if (!take_number(cursor, 2, &hour) || !take(cursor, ':') || !take_number(cursor, 2, &minute)) return false;
    *us -= sign * (hour * US_PER_HOUR + minute * US_PER_MINUTE);
    return hour <= 23 && minute <= 59;
}

/* hh:mm:ss with fraction and zone, added to *us. */
static bool take_clock(struct cursor *cursor, int64_t *us, enum steme_precision *precision)
{
    int hour = 0, minute = 0, second = 0;
    if (!take_number(cursor, 2, &hour) || !take(cursor, ':')) return false;
    if (!take_number(cursor, 2, &minute) || !take(cursor, ':') || !take_number(cursor, 2, &second)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    *precision = STEME_SECOND;
    *us += hour * US_PER_HOUR + minute * US_PER_MINUTE + second * US_PER_SECOND;
    return take_fraction(cursor, us, precision) && take_zone(cursor, us);
}

static bool take_date(struct cursor *cursor, struct date *date, enum steme_precision *precision)
{
    int year = 0;
    *date = (struct date){ .month = 1, .day = 1 };
    *precision = STEME_YEAR;
    if (!take_number(cursor, 4, &year) || year < 1) return false;
    date->year = year;
    if (!take(cursor, '-')) return true;
    *precision = STEME_MONTH;
    if (!take_number(cursor, 2, &date->month) || date->month < 1 || date->month > 12) return false;
    if (!take(cursor, '-')) return true;
    *precision = STEME_DAY;
    return take_number(cursor, 2, &date->day) && date->day >= 1 && date->day <= days_in_month(date->year, date->month);
}

steme_status text_parse_time(struct steme_slice text, int64_t *us_out, enum steme_precision *precision_out,
                             struct steme_error *err)
{
    static const char shape[] = "is no time; write 1994, 1994-10, 1994-10-27 or 1994-10-27T12:34:56.5Z, and a day and "
                                "hour that exist";
    struct cursor cursor = cursor_over(text);
    struct date date;
    enum steme_precision precision;
    if (!take_date(&cursor, &date, &precision)) return refuse(STEME_BAD_INPUT, text, shape, err);
    int64_t us = days_of(date) * US_PER_DAY;
    if (precision == STEME_DAY && take(&cursor, 'T') && !take_clock(&cursor, &us, &precision))
        return refuse(STEME_BAD_INPUT, text, shape, err);
    if (cursor.at != cursor.end) return refuse(STEME_BAD_INPUT, text, shape, err);
    const struct date first = { .year = 1, .month = 1, .day = 1 }, end = { .year = 10000, .month = 1, .day = 1 };
    if (us < days_of(first) * US_PER_DAY || us >= days_of(end) * US_PER_DAY)
        return refuse(STEME_BAD_INPUT, text, "is outside the years 0001 to 9999 in UTC", err);
    *us_out = us;
    *precision_out = precision;
    return STEME_OK;
}

size_t text_print_time(int64_t us, enum steme_precision precision, char out[TEXT_TIME_BYTES])
{
    int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    struct date date = date_of(days);
    const char *year_format = date.year >= 1 && date.year <= 9999 ? "%04" PRId64 : "%+07" PRId64;
    char text[2 * TEXT_TIME_BYTES]; /* more than the longest, as the compiler can see */
    size_t ends[STEME_MICROSECOND + 1];
    ends[STEME_YEAR] = (size_t)snprintf(text, sizeof text, year_format, date.year);
    char *at = text + ends[STEME_YEAR];
    size_t room = sizeof text - ends[STEME_YEAR];
    snprintf(at, room, "-%02d-%02dT%02d:%02d:%02d.%06d", date.month, date.day, (int)(rest / US_PER_HOUR),
             (int)(rest / US_PER_MINUTE % 60), (int)(rest / US_PER_SECOND % 60), (int)(rest % US_PER_SECOND));
    ends[STEME_MONTH] = ends[STEME_YEAR] + strlen("-MM");
    ends[STEME_DAY] = ends[STEME_MONTH] + strlen("-DD");
    ends[STEME_SECOND] = ends[STEME_DAY] + strlen("Thh:mm:ss");
    ends[STEME_MICROSECOND] = ends[STEME_SECOND] + strlen(".ffffff");
    invariant((size_t)precision < countof(ends));
    struct printer printer = { out, out };
    put_text(&printer, text, ends[precision]);
    if (precision >= STEME_SECOND) *printer.at++ = 'Z';
    return finish(&printer);
}
