/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* asprintf, nftw */
#include "lib/testing.h"
#include "base/check.h"
#include "base/slice.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void testing_fail_status(steme_status got, steme_status want, const struct steme_error *err, const char *name,
                         const char *file, int line)
{
    print_error("%s: got %s, want %s%s%s\n", name, steme_status_name(got), steme_status_name(want),
                err && got ? ": " : "", err && got ? err->message : "");
    _fail(file, line);
    abort(); /* never got to: _fail jumps away */
}

void testing_fail_row(const char *condition, const char *name, const char *file, int line)
{
    print_error("%s: %s does not hold\n", name, condition);
    _fail(file, line);
    abort();
}

void testing_assert_row_text(const char *got, const char *want, const char *name, const char *file, int line)
{
    if (strcmp(got, want) == 0) return;
    print_error("%s: got '%s', want '%s'\n", name, got, want);
    _fail(file, line);
}

static int digit_of(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character ? strchr(digits, character | 0x20) : NULL;
    return found ? (int)(found - digits) : -1;
}

struct steme_slice testing_bytes(const char *hex)
{
    uint8_t *scratch = malloc(strlen(hex) / 2 + 1);
    assert_non_null(scratch);
    size_t size = 0;
    for (const char *at = hex; *at;) {
        if (*at == ' ' || *at == '\n') {
            at++;
            continue;
        }
        int high = digit_of(at[0]), low = at[1] ? digit_of(at[1]) : -1;
        assert_true(high >= 0 && low >= 0);
        scratch[size++] = (uint8_t)(16 * high + low);
        at += 2;
    }
    uint8_t *bytes = realloc(scratch, size ? size : 1);
    assert_non_null(bytes);
    return slice_of(bytes, size);
}

void testing_free(struct steme_slice bytes)
{
    union {
        const uint8_t *from;
        void *to;
    } cast = { bytes.data };
    free(cast.to);
}

char *testing_hex(struct steme_slice bytes)
{
    char *hex = malloc(2 * bytes.size + 1);
    assert_non_null(hex);
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes.data[i]);
    hex[2 * bytes.size] = '\0';
    return hex;
}

char *testing_join(const char *dir, const char *name)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0) fail_msg("no memory for a path");
    return path;
}

char *testing_make_temporary(void)
{
    const char *parent = getenv("TMPDIR");
    char *path = testing_join(parent && *parent ? parent : "/tmp", "steme-test-XXXXXX");
    if (!mkdtemp(path)) fail_msg("can't make the directory %s", path);
    return path;
}

static int remove_found(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts, (void)kind, (void)where;
    return remove(path);
}

void testing_remove_temporary(char *path)
{
    enum { DESCRIPTORS = 16 };
    if (!path) return;
    if (nftw(path, remove_found, DESCRIPTORS, FTW_DEPTH | FTW_PHYS)) print_error("can't remove %s\n", path);
    free(path);
}

char *testing_data_path(const char *name)
{
    const char *data = getenv("STEME_SHARED_DATA");
    const char *root = getenv("STEME_SOURCE_ROOT");
    char *dir = data && *data ? strdup(data) : testing_join(root && *root ? root : ".", "../shared/data");
    assert_non_null(dir);
    char *path = testing_join(dir, name);
    free(dir);
    if (access(path, R_OK) == 0) return path;
    print_message("skipped: %s is not there; set STEME_SHARED_DATA to the folder of the shared test data\n", path);
    free(path);
    return NULL;
}
