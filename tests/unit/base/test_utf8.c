/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "base/utf8.h"
#include "lib/testing.h"
#include "steme/limits.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

static const struct {
    const char *name, *hex;
    bool want;
} texts[] = {
    { "nothing", "", true },
    { "ASCII, NUL too", "00 41 7f", true },
    { "two bytes, least and most", "c280 dfbf", true },
    { "three bytes, least and most", "e0a080 efbfbf", true },
    { "around the surrogates", "ed9fbf ee8080", true },
    { "four bytes, least and most", "f0908080 f48fbfbf", true },
    { "a continuation byte alone", "80", false },
    { "overlong in two bytes", "c0af", false },
    { "overlong in two bytes, the last such", "c1bf", false },
    { "overlong in three bytes", "e09fbf", false },
    { "overlong in four bytes", "f08fbfbf", false },
    { "a surrogate", "eda080", false },
    { "the last surrogate", "edbfbf", false },
    { "past U+10FFFF", "f4908080", false },
    { "five bytes", "f888808080", false },
    { "0xFF", "ff", false },
    { "cut after one of two", "41 c3", false },
    { "cut after two of three", "e282", false },
    { "cut after three of four", "f09f8c", false },
    { "two bytes and then ASCII", "c341", false },
    { "bad after eight good ones", "4142434445464748 ff", false },
    { "bad within eight", "41424344ff464748", false },
    { "good beyond eight", "41424344454647 e282ac 4142434445464748", true },
};

static void only_well_formed_text_is_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(texts); i++) {
        struct steme_slice text = testing_bytes(texts[i].hex);
        assert_row(utf8_valid(text) == texts[i].want, texts[i].name);
        testing_free(text);
    }
}

/* The definition of RFC 3629, straight. */
static size_t decode_slowly(const uint8_t *at, size_t left)
{
    static const struct {
        uint32_t mask, lead, least;
        size_t size;
    } forms[] = {
        { 0x80, 0x00, 0, 1 },
        { 0xE0, 0xC0, 0x80, 2 },
        { 0xF0, 0xE0, 0x800, 3 },
        { 0xF8, 0xF0, 0x10000, 4 },
    };
    for (size_t f = 0; f < countof(forms); f++) {
        if ((at[0] & forms[f].mask) != forms[f].lead || forms[f].size > left) continue;
        uint32_t point = at[0] & ~forms[f].mask & 0xFFu;
        for (size_t i = 1; i < forms[f].size; i++) {
            if ((at[i] & 0xC0u) != 0x80u) return 0;
            point = point << 6 | (at[i] & 0x3Fu);
        }
        bool fine = point >= forms[f].least && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        return fine ? forms[f].size : 0;
    }
    return 0;
}

static void validity_agrees_with_the_definition_on_random_bytes(void **state)
{
    (void)state;
    static const uint8_t likely[] = {
        0x41, 0x80, 0xBF, 0xC2, 0xC3, 0xE0, 0xA0, 0xED, 0x9F, 0xEF, 0xF0, 0x90, 0xF4, 0x8F
    };
    struct prng prng = { 7 };
    for (int round = 0; round < 100000; round++) {
        uint8_t bytes[16];
        size_t size = (size_t)prng_below(&prng, sizeof bytes + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = prng_chance(&prng, 950) ? likely[prng_below(&prng, countof(likely))] : (uint8_t)prng_u64(&prng);
        bool want = true;
        for (size_t at = 0; at < size && want;) {
            size_t step = decode_slowly(bytes + at, size - at);
            want = step > 0;
            at += step;
        }
        assert_int_equal(utf8_valid(slice_of(bytes, size)), want);
    }
}

static const struct {
    const char *name, *text;
    steme_status want;
    const char *says;
} names[] = {
    { "a letter", "a", STEME_OK, "" },
    { "short ASCII", "H0", STEME_OK, "" },
    { "ASCII of a word", "abcdefgh", STEME_OK, "" },
    { "long ASCII", "Hubble constant (late universe), 2022 ~", STEME_OK, "" },
    { "accents, composed", "Caf\xC3\xA9 Z\xC3\xBCrich", STEME_OK, "" },
    { "Chinese", "\xE5\x93\x88\xE5\x8B\x83\xE5\xB8\xB8\xE6\x95\xB0", STEME_OK, "" },
    { "Hangul, composed", "\xED\x95\x9C\xEA\xB8\x80", STEME_OK, "" },
    { "Cyrillic and Greek", "\xD0\x9C\xD0\xB8\xD1\x80 \xCE\xB1\xCE\xB2", STEME_OK, "" },
    { "an emoji with a joiner", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC", STEME_OK, "" },
    { "a mark that composes with nothing", "q\xCC\x83", STEME_OK, "" },
    { "private use", "\xEE\x80\x80", STEME_OK, "" },
    { "an inner space, and an inner no-break space",
      "a b\xC2\xA0"
      "c",
      STEME_OK, "" },
    { "empty", "", STEME_BAD_INPUT, "is empty" },
    { "a space in front", " a", STEME_BAD_INPUT, "white space" },
    { "a space behind", "abcdefghi ", STEME_BAD_INPUT, "white space" },
    { "a no-break space in front",
      "\xC2\xA0"
      "a",
      STEME_BAD_INPUT, "white space" },
    { "an ideographic space behind", "a\xE3\x80\x80", STEME_BAD_INPUT, "white space" },
    { "only a space", " ", STEME_BAD_INPUT, "white space" },
    { "a tab", "a\tb", STEME_BAD_INPUT, "U+0009" },
    { "a newline at the end of a word", "abcdefg\n", STEME_BAD_INPUT, "U+000A" },
    { "a newline past a word", "abcdefghijk\nl", STEME_BAD_INPUT, "U+000A" },
    { "DEL", "abcdefgh\x7Fijklmnop", STEME_BAD_INPUT, "U+007F" },
    { "0x1F", "\x1F", STEME_BAD_INPUT, "U+001F" },
    { "a C1 control",
      "a\xC2\x85"
      "b",
      STEME_BAD_INPUT, "U+0085" },
    { "a line separator",
      "a\xE2\x80\xA8"
      "b",
      STEME_BAD_INPUT, "U+2028" },
    { "a paragraph separator",
      "a\xE2\x80\xA9"
      "b",
      STEME_BAD_INPUT, "U+2029" },
    { "malformed", "abc\xFF", STEME_BAD_INPUT, "UTF-8" },
    { "an unassigned code point", "a\xCD\xB8", STEME_BAD_INPUT, "U+0378" },
    { "a noncharacter", "a\xEF\xBF\xBE", STEME_BAD_INPUT, "U+FFFE" },
    { "an accent, decomposed", "Cafe\xCC\x81", STEME_BAD_INPUT, "NFC" },
    { "Hangul, decomposed", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", STEME_BAD_INPUT, "NFC" },
    { "the Angstrom sign", "\xE2\x84\xAB", STEME_BAD_INPUT, "NFC" },
    { "a character excluded from composition", "\xE0\xA5\x98", STEME_BAD_INPUT, "NFC" },
    { "marks out of order", "q\xCC\x83\xCC\xA3", STEME_BAD_INPUT, "NFC" },
    { "marks in order", "q\xCC\xA3\xCC\x83", STEME_OK, "" },
    { "a composed letter and a mark that goes before its own", "\xC3\xA9\xCC\xA3", STEME_BAD_INPUT, "NFC" },
};

static void a_name_has_one_spelling(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(names); i++) {
        struct steme_error err = { 0 };
        assert_status(utf8_check_name(slice_text(names[i].text), "subject", &err), names[i].want, &err, names[i].name);
        if (names[i].want == STEME_OK) continue;
        assert_row(strncmp(err.message, "subject ", 8) == 0, names[i].name);
        assert_row(strstr(err.message, names[i].says) != NULL, names[i].name);
    }
}

/* A character that the normal form may change, or that stands in one of the ranges it surely does not. */
static utf8proc_int32_t random_point(struct prng *prng)
{
    static const struct {
        utf8proc_int32_t first, count;
    } ranges[] = {
        { 0x300, 0x70 },    { 0xC0, 0x180 },    { 0x370, 0x130 },  { 0x900, 0x100 },
        { 0x1100, 0x100 },  { 0x1E00, 0x200 },  { 0x2000, 0x130 }, { 0x3040, 0xC0 },
        { 0x4E00, 0x5300 }, { 0xAC00, 0x2C00 }, { 0xF900, 0x200 }, { 0x1D150, 0x80 },
    };
    size_t i = (size_t)prng_below(prng, countof(ranges));
    return ranges[i].first + (utf8proc_int32_t)prng_below(prng, (uint64_t)ranges[i].count);
}

static void a_name_is_what_normalisation_leaves_alone(void **state)
{
    (void)state;
    struct prng prng = { 13 };
    int accepted = 0, refused = 0;
    for (int round = 0; round < 100000; round++) {
        uint8_t text[64];
        size_t size = 0;
        text[size++] = 'x';
        for (uint64_t left = 1 + prng_below(&prng, 5); left > 0; left--) {
            utf8proc_int32_t point = random_point(&prng);
            utf8proc_category_t category = utf8proc_category(point);
            if (category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_ZL ||
                category == UTF8PROC_CATEGORY_ZP)
                continue;
            size += (size_t)utf8proc_encode_char(point, text + size);
        }
        text[size++] = 'y';
        text[size] = '\0';
        utf8proc_uint8_t *normal = utf8proc_NFC(text);
        assert_non_null(normal);
        steme_status want = strcmp((const char *)normal, (const char *)text) == 0 ? STEME_OK : STEME_BAD_INPUT;
        free(normal);
        assert_int_equal(utf8_check_name(slice_of(text, size), "subject", NULL), want);
        if (want)
            refused++;
        else
            accepted++;
    }
    assert_true(accepted > 10000 && refused > 10000);
}

static void a_nul_is_no_part_of_a_name(void **state)
{
    (void)state;
    assert_int_equal(utf8_check_name(slice_of("a\0b", 3), "subject", NULL), STEME_BAD_INPUT);
    assert_int_equal(utf8_check_name(slice_of("abcdefgh\0", 9), "subject", NULL), STEME_BAD_INPUT);
}

static void every_ascii_byte_is_judged_at_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 20; size++) {
        for (size_t place = 0; place < size; place++) {
            for (int byte = 0; byte < 128; byte++) {
                uint8_t text[20];
                memset(text, 'a', sizeof text);
                text[place] = (uint8_t)byte;
                bool end = place == 0 || place == size - 1;
                bool want = byte > 0x20 && byte < 0x7F;
                want = want || (byte == 0x20 && !end);
                steme_status got = utf8_check_name(slice_of(text, size), "subject", NULL);
                assert_int_equal(got, want ? STEME_OK : STEME_BAD_INPUT);
            }
        }
    }
}

static void a_name_has_a_largest_length(void **state)
{
    (void)state;
    static char text[STEME_NAME_MAX + 2];
    struct steme_error err;
    memset(text, 'a', sizeof text);
    assert_status(utf8_check_name(slice_of(text, STEME_NAME_MAX), "unit", &err), STEME_OK, &err, "the longest");
    assert_status(utf8_check_name(slice_of(text, STEME_NAME_MAX + 1), "unit", &err), STEME_TOO_LARGE, NULL, "longer");
    assert_non_null(strstr(err.message, "1024"));
}

/* The longest names of characters that decompose most: nothing may overflow, and none takes long. */
static void hostile_names_are_judged_in_bounded_space(void **state)
{
    (void)state;
    static const char *const units[] = {
        "\xCE\x90",         /* two bytes to three code points */
        "\xE1\xBE\x82",     /* three bytes to four */
        "\xF0\x9D\x85\xA0", /* four bytes to three, excluded */
        "\xCC\x81",         "\xCD\x84", "\xED\x95\x9C", "\xEF\xB7\xBA",
    };
    for (size_t i = 0; i < countof(units); i++) {
        char text[STEME_NAME_MAX];
        size_t size = 0, unit = strlen(units[i]);
        for (; size + unit <= sizeof text; size += unit)
            memcpy(text + size, units[i], unit);
        steme_status status = utf8_check_name(slice_of(text, size), "subject", NULL);
        assert_true(status == STEME_OK || status == STEME_BAD_INPUT);
    }
    char marks[STEME_NAME_MAX]; /* every second mark out of order: sorting them would be quadratic */
    for (size_t at = 0; at + 4 <= sizeof marks; at += 4)
        memcpy(marks + at, "\xCC\x81\xCC\xA3", 4);
    assert_int_equal(utf8_check_name(slice_of(marks, sizeof marks), "subject", NULL), STEME_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_text_is_valid),
        cmocka_unit_test(validity_agrees_with_the_definition_on_random_bytes),
        cmocka_unit_test(a_name_has_one_spelling),
        cmocka_unit_test(a_name_is_what_normalisation_leaves_alone),
        cmocka_unit_test(a_nul_is_no_part_of_a_name),
        cmocka_unit_test(every_ascii_byte_is_judged_at_every_place),
        cmocka_unit_test(a_name_has_a_largest_length),
        cmocka_unit_test(hostile_names_are_judged_in_bounded_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
