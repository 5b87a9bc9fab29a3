/* SPDX-License-Identifier: Apache-2.0 */
#include "db/home.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/text.h"
#include "host/gate.h"

#include <inttypes.h>
#include <stdio.h>

enum { ARENA_BYTES = 64 << 10, FILE_MAX_BYTES = 1024, LOCK_RETRY_MS = 20, PID_BYTES = 24, PID_LOOKS = 5 };

static const char first_line[] = "stemedb store";

static steme_status join(struct arena *arena, const char *dir, const char *name, const char **out,
                         struct steme_error *err)
{
    *out = host_join(arena, dir, name);
    if (*out) return STEME_OK;
    if (strlen(dir) + strlen(name) + 2 <= ARENA_BYTES) return arena_full(arena, err);
    return error_set(err, STEME_TOO_LARGE, "the path of the store is too long");
}

/* The directory that holds dir: everything before its last component. */
static const char *parent_of(struct arena *arena, const char *dir)
{
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/')
        length--;
    while (length > 0 && dir[length - 1] != '/')
        length--;
    while (length > 1 && dir[length - 1] == '/')
        length--;
    return length ? (const char *)arena_copy(arena, slice_of(dir, length)).data : ".";
}

static steme_status make_home_dir(struct host *host, const char *dir, struct arena *arena, struct steme_error *err)
{
    struct host_entry *entries = NULL;
    size_t count = 0;
    const char *parent = parent_of(arena, dir);
    steme_status status = parent ? host_make_dir(host, dir, err) : arena_full(arena, err);
    if (status == STEME_NOT_FOUND && host_make_dir(host, parent, NULL) == STEME_OK) {
        /* One directory above is made as well, so that `steme init notes` needs no mkdir. */
        const char *above = parent_of(arena, parent);
        status = above ? host_sync_dir(host, above, err) : arena_full(arena, err);
        if (!status) status = host_make_dir(host, dir, err);
    }
    if (status == STEME_OK) {
        status = host_sync_dir(host, parent, err);
        /* A name that a failed sync dropped would not be saved by a later one: whoever tries again makes it anew. */
        if (status) (void)!host_remove(host, dir, NULL);
        return status;
    }
    if (status == STEME_NOT_FOUND)
        return error_set(err, STEME_NOT_FOUND, "the directory that should hold %s does not exist: make it first", dir);
    if (status != STEME_EXISTS) return status;
    status = host_list(host, dir, arena, &entries, &count, err);
    if (status) return error_wrap(err, status, "%s", dir);
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, "store") == 0) return error_set(err, STEME_EXISTS, "%s is a store already", dir);
    if (count)
        return error_set(err, STEME_EXISTS, "%s is a directory with other things in it: choose a new or empty one",
                         dir);
    return host_sync_dir(host, parent, err); /* whoever made it may not have */
}

steme_status home_create(struct host *host, const char *dir, struct home_identity *out, struct steme_error *err)
{
    struct arena arena;
    const char *keys = NULL;
    struct home_identity identity = { .created_at_us = host_wall_us(host) };
    arena_init(&arena, ARENA_BYTES);
    steme_status status = make_home_dir(host, dir, &arena, err);
    if (!status) status = host_random(host, identity.id.bytes, sizeof identity.id.bytes, err);
    if (!status) status = join(&arena, dir, "keys", &keys, err);
    if (!status) status = host_make_dir(host, keys, err);
    if (!status) status = host_sync_dir(host, dir, err);
    if (!status) *out = identity;
    arena_deinit(&arena);
    return status;
}

static steme_status print_identity(const struct home_identity *identity, struct buf *text, struct steme_error *err)
{
    char hex[TEXT_HASH_BYTES];
    text_hex(identity->id.bytes, sizeof identity->id.bytes, hex);
    buf_printf(text, "%s\nformat %u\nid %s\ncreated %" PRId64 "\n", first_line, HOME_FORMAT, hex,
               identity->created_at_us);
    struct steme_hash check = hash_one(buf_slice(text));
    text_hex(check.bytes, sizeof check.bytes, hex);
    buf_printf(text, "check %s\n", hex);
    return buf_check(text, err);
}

steme_status home_finish(struct host *host, const char *dir, const struct home_identity *identity,
                         struct steme_error *err)
{
    struct arena arena;
    struct buf text;
    const char *path = NULL;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&text, FILE_MAX_BYTES);
    steme_status status = print_identity(identity, &text, err);
    if (!status) status = join(&arena, dir, "store", &path, err);
    if (!status) status = host_replace_file(host, path, 0, buf_slice(&text), err);
    /* It may be there without being durable: no store may be opened, and written to, that the next power cut takes. */
    if (status && path) (void)!host_remove(host, path, NULL);
    buf_deinit(&text);
    arena_deinit(&arena);
    return status;
}

/* "name value" at the beginning of *text, up to the end of the line; moves *text behind it. */
static bool take_line(struct steme_slice *text, const char *name, struct steme_slice *value_out)
{
    size_t length = strlen(name);
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    if (!end || !slice_starts(*text, slice_text(name))) return false;
    *value_out = slice_of(text->data + length, (size_t)(end - text->data) - length);
    *text = slice_of(end + 1, text->size - (size_t)(end + 1 - text->data));
    return true;
}

static steme_status parse_identity(struct steme_slice whole, const char *path, struct home_identity *out,
                                   struct steme_error *err)
{
    struct steme_slice rest = whole, value;
    struct home_identity identity;
    int64_t format = 0;
    if (!take_line(&rest, first_line, &value) || value.size || !take_line(&rest, "format ", &value) ||
        text_parse_integer(value, &format, NULL) || format < 1)
        return error_set(err, STEME_CORRUPT, "%s is not a store's identity file", path);
    if (format > HOME_FORMAT)
        return error_set(err, STEME_NEWER, "%s is of format %" PRId64 "; this program reads up to %u: use a newer one",
                         path, format, HOME_FORMAT);
    if (!take_line(&rest, "id ", &value) || text_parse_hash(value, &identity.id, NULL) ||
        !take_line(&rest, "created ", &value) || text_parse_integer(value, &identity.created_at_us, NULL))
        return error_set(err, STEME_CORRUPT, "%s is damaged", path);
    struct steme_hash check, wanted = hash_one(slice_of(whole.data, whole.size - rest.size));
    if (!take_line(&rest, "check ", &value) || text_parse_hash(value, &check, NULL) || rest.size ||
        memcmp(&check, &wanted, sizeof check) != 0)
        return error_set(err, STEME_CORRUPT, "%s is damaged: its check does not hold", path);
    *out = identity;
    return STEME_OK;
}

steme_status home_identify(struct host *host, const char *dir, struct home_identity *out, struct steme_error *err)
{
    struct arena arena;
    struct steme_slice text;
    const char *path = NULL;
    arena_init(&arena, ARENA_BYTES);
    steme_status status = join(&arena, dir, "store", &path, err);
    if (!status) status = host_read_file(host, path, FILE_MAX_BYTES, &arena, &text, err);
    if (status == STEME_NOT_FOUND)
        status = error_set(err, STEME_NOT_FOUND, "%s is not a store", dir);
    else if (status == STEME_TOO_LARGE && path)
        status = error_set(err, STEME_CORRUPT, "%s is not a store's identity file: it is too long", path);
    else if (!status)
        status = parse_identity(text, path, out, err);
    arena_deinit(&arena);
    return status;
}

/* ---- locks ---- */

/* Sleep without a clock call of our own: nobody ever advances this gate. */
static void pause_ms(uint32_t ms)
{
    struct gate gate;
    gate_init(&gate, 0);
    (void)gate_wait(&gate, 1, (uint64_t)ms * 1000000);
}

/* Digits of the process id at the beginning of a lock file, which a newline ends; 0 if there is none. */
static size_t read_pid(struct host_file *file, char pid[PID_BYTES])
{
    size_t got = 0, digits = 0;
    if (host_read_at(file, 0, (uint8_t *)pid, PID_BYTES, &got, NULL)) return 0;
    while (digits < got && pid[digits] >= '0' && pid[digits] <= '9')
        digits++;
    return digits < got && pid[digits] == '\n' ? digits : 0;
}

/* Who has just taken the lock may not yet have written down who he is: look again for a while. */
static steme_status say_holder(struct host_file *file, const char *path, struct steme_error *err)
{
    char pid[PID_BYTES];
    size_t digits = read_pid(file, pid);
    for (int looks = 1; !digits && looks < PID_LOOKS; looks++) {
        pause_ms(LOCK_RETRY_MS);
        digits = read_pid(file, pid);
    }
    if (!digits) return error_set(err, STEME_LOCKED, "%s is held by another process", path);
    return error_set(err, STEME_LOCKED, "%s is held by process %.*s, which has the store open", path, (int)digits, pid);
}

static steme_status write_pid(struct host *host, struct host_file *file, struct steme_error *err)
{
    char pid[PID_BYTES];
    int length = snprintf(pid, sizeof pid, "%" PRId64 "\n", host_process_id(host));
    struct steme_slice piece = slice_of(pid, (size_t)length);
    steme_status status = host_truncate(file, 0, err);
    return status ? status : host_write_at(file, 0, &piece, 1, err);
}

steme_status home_lock(struct host *host, const char *dir, const char *name, uint32_t wait_ms, struct host_file **out,
                       struct steme_error *err)
{
    struct arena arena;
    struct host_file *file = NULL;
    const char *path = NULL;
    arena_init(&arena, ARENA_BYTES);
    steme_status status = join(&arena, dir, name, &path, err);
    if (!status) status = host_open(host, path, HOST_WRITE | HOST_CREATE, &file, err);
    if (status) goto done;
    status = host_lock(file, err);
    for (uint32_t waited = 0; status == STEME_LOCKED && waited < wait_ms; waited += LOCK_RETRY_MS) {
        pause_ms(LOCK_RETRY_MS);
        status = host_lock(file, err);
    }
    if (status == STEME_LOCKED) status = say_holder(file, path, err);
    if (!status) status = write_pid(host, file, err);
    if (status) goto done;
    *out = file;
    file = NULL;
done:
    host_close(&file);
    arena_deinit(&arena);
    return status;
}
