/* SPDX-License-Identifier: Apache-2.0 */
/* Six lines as the parts of a value: object (with escapes), type, plus, minus, unit, language; an empty one is absent.
 * What is read and fit for a record goes through JSON and back to the same canonical bytes; any text survives its
 * escapes; the whole, as a time or a share, reads back as it prints. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "faces/cli/wire.h"
#include "steme/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_MAX_BYTES ((size_t)1 << 28)

static struct steme_slice next_part(struct steme_slice *rest)
{
    struct steme_slice part = *rest;
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (end) part.size = (size_t)(end - part.data);
    *rest = end ? slice_of(end + 1, rest->size - part.size - 1) : slice_of(NULL, 0);
    return part.size ? part : slice_of(NULL, 0);
}

/* The canonical bytes of an assertion of the value; false where no record can hold it. */
static bool encode(struct buf *bytes, const struct steme_value *value)
{
    struct steme_record record = {
        .type = STEME_ASSERTION,
        .as.assertion = {
            .subject = slice_text("s"),
            .predicate = slice_text("p"),
            .object = *value,
            .confidence_ppm = STEME_PPM,
            .valid_from_us = STEME_TIME_MIN,
            .valid_to_us = STEME_TIME_MAX,
        },
    };
    size_t size;
    uint8_t *to = buf_extend(bytes, STEME_RECORD_MAX);
    invariant(to);
    bool fits = steme_encode(&record, to, STEME_RECORD_MAX, &size, NULL) == STEME_OK;
    bytes->size = fits ? size : 0;
    return fits;
}

static void check_json(const struct steme_value *value, struct arena *arena)
{
    struct buf line, bytes, bytes_again;
    struct wire_record record;
    struct steme_error err;
    buf_init(&line, MEMORY_MAX_BYTES);
    buf_init(&bytes, STEME_RECORD_MAX);
    buf_init(&bytes_again, STEME_RECORD_MAX);
    if (encode(&bytes, value)) {
        struct emit json = { .to = &line };
        emit_begin(&json, NULL, '{');
        emit_word(&json, "type", "assertion");
        emit_word(&json, "subject", "s");
        emit_word(&json, "predicate", "p");
        wire_value(&json, "object", value);
        emit_end(&json, '}');
        steme_status status = wire_read(buf_slice(&line), 0, arena, &record, &err);
        invariant(status == STEME_OK && object_equal(value, &record.record.as.assertion.object));
        bool fits = encode(&bytes_again, &record.record.as.assertion.object);
        invariant(fits && slice_equal(buf_slice(&bytes), buf_slice(&bytes_again)));
    }
    buf_deinit(&bytes_again);
    buf_deinit(&bytes);
    buf_deinit(&line);
}

static void check_escapes(struct steme_slice text, struct arena *arena)
{
    struct steme_value value = { .kind = STEME_TEXT, .text = text };
    struct steme_slice again;
    struct buf plain;
    struct steme_error err;
    buf_init(&plain, MEMORY_MAX_BYTES);
    object_append_plain(&plain, &value);
    steme_status status = object_unescape(buf_slice(&plain), arena, &again, &err);
    invariant(status == STEME_OK && slice_equal(text, again));
    buf_deinit(&plain);
}

/* Times and shares are typed in the same places: what is read prints, and reads back. */
static void check_scalars(struct steme_slice text)
{
    char printed[SCALAR_PRINT_BYTES];
    int64_t us, us_again;
    uint32_t ppm, ppm_again;
    if (scalar_parse_time(text, "time", 0, &us, NULL) == STEME_OK) {
        scalar_print_time(us, printed);
        steme_status status = scalar_parse_time(slice_text(printed), "time", 0, &us_again, NULL);
        invariant(status == STEME_OK && us == us_again);
    }
    if (scalar_parse_share(text, "share", &ppm, NULL) == STEME_OK) {
        scalar_print_share(ppm, printed);
        steme_status status = scalar_parse_share(slice_text(printed), "share", &ppm_again, NULL);
        invariant(status == STEME_OK && ppm == ppm_again && ppm <= STEME_PPM);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct object_text text;
    struct steme_value value;
    struct steme_error err = { 0 };
    struct steme_slice rest = slice_of(data, size);
    struct steme_slice *const parts[] = {
        &text.object, &text.type, &text.plus, &text.minus, &text.unit, &text.language
    };
    arena_init(&arena, MEMORY_MAX_BYTES);
    check_escapes(rest, &arena);
    check_scalars(rest);
    for (size_t i = 0; i < countof(parts); i++)
        *parts[i] = next_part(&rest);
    steme_status status = object_unescape(text.object, &arena, &text.object, &err);
    if (!status) status = object_parse(&text, &value, &err);
    if (status)
        invariant((status == STEME_BAD_INPUT || status == STEME_TOO_LARGE) && err.message[0] != '\0');
    else
        check_json(&value, &arena);
    arena_deinit(&arena);
    return 0;
}
