/* SPDX-License-Identifier: Apache-2.0 */
/* Frozen bytes, ids and signatures of records: record/<name>.hex. A difference means that the format changed, which old
 * stores and other people's programs would notice first. Where the change is meant, run with STEME_GOLDEN_WRITE=1 and
 * commit the new files together with the reason. */
#include "base/arena.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "golden/samples.h"
#include "lib/testing.h"
#include "model/identity.h"
#include "model/record.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 65536, LINE_BYTES = 32 };

static char *golden_path(const char *name)
{
    const char *root = getenv("STEME_SOURCE_ROOT");
    char *folder = testing_join(root && *root ? root : ".", "tests/golden/record");
    char *path = testing_join(folder, name);
    free(folder);
    return path;
}

static void add_line(struct buf *text, const char *label, const void *bytes, size_t size)
{
    char *hex = testing_hex(slice_of(bytes, size));
    buf_printf(text, "# %-9s %s\n", label, hex);
    free(hex);
}

/* What a claim amounts to, in the words of docs/format/identity.md. */
static void add_identity(struct buf *text, struct steme_slice bytes)
{
    struct assertion_view view;
    struct identity identity;
    struct steme_error err;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_status(assertion_view(bytes, &view, &err), STEME_OK, &err, "view");
    assert_status(identity_many(&view, 1, &identity, &arena, &err), STEME_OK, &err, "identity");
    arena_deinit(&arena);
    struct steme_hash claim = claim_id(&identity.slot, view.object, view.negated);
    buf_printf(text, "# %-9s %016llx\n", "route", (unsigned long long)identity.route);
    buf_printf(text, "# %-9s %08x\n", "predicate", identity.predicate);
    add_line(text, "slot", identity.slot.bytes, HASH_BYTES);
    add_line(text, "claim", claim.bytes, HASH_BYTES);
    add_line(text, "voice", identity.voice.bytes, HASH_BYTES);
}

static void render(const struct sample *sample, struct buf *text)
{
    struct steme_slice bytes = sample_bytes(&sample->record);
    struct steme_hash id = record_id(bytes);
    struct sign_secret secret;
    sample_author(&secret);
    struct steme_signature signature = sign_record(&secret, &id);
    buf_printf(text, "# %s\n", sample->what);
    add_line(text, "id", id.bytes, HASH_BYTES);
    add_line(text, "signature", signature.bytes, sizeof signature.bytes);
    if (sample->record.type == STEME_ASSERTION) add_identity(text, bytes);
    for (size_t at = 0; at < bytes.size; at += LINE_BYTES) {
        char *hex = testing_hex(slice_of(bytes.data + at, LINE_BYTES));
        buf_printf(text, "%s\n", hex);
        free(hex);
    }
    testing_free(bytes);
}

/* malloc'ed, with a NUL. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s is missing; make it with STEME_GOLDEN_WRITE=1", path);
    char *text = calloc(1, FILE_MAX_BYTES);
    assert_non_null(text);
    size_t size = fread(text, 1, FILE_MAX_BYTES, file);
    assert_true(size < FILE_MAX_BYTES);
    fclose(file);
    return text;
}

static void write_file(const char *path, const struct buf *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text->data, 1, text->size, file), text->size);
    assert_int_equal(fclose(file), 0);
    print_message("wrote %s\n", path);
}

static void every_record_has_its_golden_bytes(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    for (size_t i = 0; i < count; i++) {
        struct buf text;
        buf_init(&text, FILE_MAX_BYTES);
        render(&samples[i], &text);
        buf_append(&text, "", 1);
        assert_int_equal(text.status, STEME_OK);
        text.size--;
        char name[64];
        snprintf(name, sizeof name, "%s.hex", samples[i].name);
        char *path = golden_path(name);
        if (getenv("STEME_GOLDEN_WRITE")) write_file(path, &text);
        char *want = read_file(path);
        assert_row_text((const char *)text.data, want, samples[i].name);
        free(want);
        free(path);
        buf_deinit(&text);
    }
}

/* The record in a golden file: the lines that are no comment. */
static struct steme_slice golden_bytes(char *text)
{
    char *to = text;
    for (char *line = text; *line;) {
        size_t size = strcspn(line, "\n");
        size += line[size] == '\n';
        if (*line != '#') {
            memmove(to, line, size);
            to += size;
        }
        line += size;
    }
    *to = '\0';
    return testing_bytes(text);
}

/* Of each golden file: what an old store holds is read, and written back as it was. */
static void every_golden_file_is_read_and_encoded_alike(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples), seen = 0;
    char *folder = golden_path("");
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (entry->d_name[0] == '.') continue;
        char *path = golden_path(entry->d_name), *text = read_file(path);
        struct steme_slice bytes = golden_bytes(text);
        struct steme_record record;
        struct steme_error err;
        assert_status(record_decode(bytes, &arena, &record, &err), STEME_OK, &err, entry->d_name);
        struct steme_slice again = sample_bytes(&record);
        assert_row(slice_equal(again, bytes), entry->d_name);
        testing_free(again);
        testing_free(bytes);
        free(text);
        free(path);
        seen++;
    }
    arena_deinit(&arena);
    closedir(directory);
    free(folder);
    assert_int_equal(seen, count); /* no file that nothing renders */
}

/* An independent program agrees on what the id is. */
static void b3sum_prints_the_id(void **state)
{
    (void)state;
    if (system("command -v b3sum >/dev/null 2>&1") != 0) {
        print_message("skipped: there is no b3sum here\n");
        skip();
    }
    struct steme_record record = sample_named("assertion_full");
    struct steme_slice bytes = sample_bytes(&record);
    struct steme_hash id = record_id(bytes);
    char *folder = testing_make_temporary(), *path = testing_join(folder, "record");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
    char command[512], printed[65] = "";
    snprintf(command, sizeof command, "b3sum --no-names '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fread(printed, 1, 64, pipe), 64);
    assert_int_equal(pclose(pipe), 0);
    char *want = testing_hex(slice_of(id.bytes, HASH_BYTES));
    assert_string_equal(printed, want);
    free(want);
    free(path);
    testing_remove_temporary(folder);
    testing_free(bytes);
}

static void every_golden_signature_verifies(void **state)
{
    (void)state;
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.hex", samples[i].name);
        char *path = golden_path(name), *text = read_file(path);
        const char *line = strstr(text, "# signature ");
        assert_non_null(line);
        char hex[129] = "";
        memcpy(hex, line + strlen("# signature "), 128);
        struct steme_slice signature = testing_bytes(hex), bytes = golden_bytes(text);
        assert_int_equal(signature.size, sizeof(struct steme_signature));
        struct steme_signature copy;
        memcpy(copy.bytes, signature.data, sizeof copy.bytes);
        struct steme_hash id = record_id(bytes);
        struct steme_error err;
        assert_status(sign_verify(record_author(bytes), &id, &copy, &err), STEME_OK, &err, samples[i].name);
        testing_free(signature);
        testing_free(bytes);
        free(text);
        free(path);
    }
}

static int start(void **state)
{
    (void)state;
    struct steme_error err;
    return sign_init(&err) == STEME_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_record_has_its_golden_bytes),
        cmocka_unit_test(every_golden_file_is_read_and_encoded_alike),
        cmocka_unit_test(every_golden_signature_verifies),
        cmocka_unit_test(b3sum_prints_the_id),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
