/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an object, parted by line feeds: object, type, plus, minus, unit, language; an empty part is not given.
 * What is taken must equal itself, print, and, where its printed form is how it is typed, parse to itself again. */
#include "base/check.h"
#include "base/slice.h"
#include "faces/cli/object.h"
#include "faces/cli/scalar.h"
#include "steme/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 6, TEXT_BYTES = 1 << 20 };

static void split(struct steme_slice bytes, struct steme_slice parts[PARTS])
{
    for (size_t i = 0; i < PARTS; i++) {
        const uint8_t *end = bytes.size ? memchr(bytes.data, '\n', bytes.size) : NULL;
        size_t size = end ? (size_t)(end - bytes.data) : bytes.size;
        parts[i] = size ? slice_of(bytes.data, size) : slice_of(NULL, 0);
        bytes = end ? slice_of(end + 1, bytes.size - size - 1) : slice_of(NULL, 0);
    }
}

static void check_again(const struct steme_value *value)
{
    char text[4096];
    struct steme_value again;
    struct object_text parts = { .type = slice_text(object_kind_name(value->kind)) };
    size_t size = steme_print_value(value, text, sizeof text);
    bool typed = value->kind == STEME_INTEGER || value->kind == STEME_DECIMAL || value->kind == STEME_TIME ||
                 value->kind == STEME_BOOLEAN || value->kind == STEME_BLOB;
    if (!typed || size >= sizeof text) return;
    parts.object = slice_of(text, size);
    steme_status status = object_parse(&parts, &again, NULL);
    invariant(status == STEME_OK);
    invariant(object_equal(value, &again));
}

/* Times and shares are typed in the same places; they only have to hold. */
static void check_scalars(struct steme_slice text)
{
    int64_t us;
    uint32_t ppm;
    char printed[SCALAR_PRINT_BYTES];
    if (scalar_parse_time(text, "time", 0, &us, NULL) == STEME_OK) {
        int64_t again;
        scalar_print_time(us, printed);
        steme_status status = scalar_parse_time(slice_text(printed), "time", 0, &again, NULL);
        invariant(status == STEME_OK && again == us);
    }
    if (scalar_parse_share(text, "share", &ppm, NULL) == STEME_OK) {
        uint32_t again;
        scalar_print_share(ppm, printed);
        steme_status status = scalar_parse_share(slice_text(printed), "share", &again, NULL);
        invariant(status == STEME_OK && again == ppm && ppm <= STEME_PPM);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice parts[PARTS];
    struct steme_value value;
    split(slice_of(data, size), parts);
    struct object_text text = { parts[0], parts[1], parts[2], parts[3], parts[4], parts[5] };
    check_scalars(slice_of(data, size));
    if (object_parse(&text, &value, NULL)) return 0;
    invariant(object_equal(&value, &value));
    struct buf plain;
    buf_init(&plain, TEXT_BYTES);
    object_append_plain(&plain, &value);
    buf_deinit(&plain);
    check_again(&value);
    return 0;
}
