/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a store's identity file, the check put behind them or not, or as edits of a good one. What is believed
 * comes back the same when it is written again; what is not says why. */
#include "base/buf.h"
#include "base/hash.h"
#include "base/text.h"
#include "db/home.h"
#include "fuzz/input.h"
#include "host/host_mem.h"

enum { FILE_MAX_BYTES = 2048, ROOM_BYTES = 4096 };

static void must(steme_status status) { invariant(status == STEME_OK); }

static void put_file(struct host *host, const char *path, struct steme_slice bytes)
{
    must(host_replace_file(host, path, 0, bytes, NULL));
}

static void append_check(struct buf *text)
{
    char hex[TEXT_HASH_BYTES];
    struct steme_hash check = hash_one(buf_slice(text));
    text_hex(check.bytes, sizeof check.bytes, hex);
    buf_printf(text, "check %s\n", hex);
}

/* A good file, as it is written; then pairs of place and value. */
static void edit_good(struct host *host, struct steme_slice *input, struct buf *text)
{
    struct home_identity identity = { .created_at_us = 1700000000000000 };
    struct arena arena;
    struct steme_slice good;
    arena_init(&arena, ROOM_BYTES);
    input_bytes(input, identity.id.bytes, sizeof identity.id.bytes);
    must(home_finish(host, "other", &identity, NULL));
    must(host_read_file(host, "other/store", FILE_MAX_BYTES, &arena, &good, NULL));
    buf_append(text, good.data, good.size);
    while (input->size >= 2) {
        size_t at = input_u8(input) % good.size;
        text->data[at] = input_u8(input);
    }
    arena_deinit(&arena);
}

static void check_again(struct host *host, const struct home_identity *identity)
{
    struct home_identity again;
    must(home_finish(host, "other", identity, NULL));
    must(home_identify(host, "other", &again, NULL));
    invariant(memcmp(&again.id, &identity->id, sizeof again.id) == 0);
    invariant(again.created_at_us == identity->created_at_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    struct steme_error err = { 0 };
    struct home_identity identity;
    struct buf text;
    struct host *host = host_mem_new(1);
    uint8_t mode = input_u8(&input);
    invariant(host);
    must(host_make_dir(host, "s", NULL));
    must(host_make_dir(host, "other", NULL));
    buf_init(&text, ROOM_BYTES);
    if (mode & 1)
        edit_good(host, &input, &text);
    else
        buf_append(&text, input.data, input.size < FILE_MAX_BYTES ? input.size : FILE_MAX_BYTES);
    if (mode & 2) append_check(&text);
    must(buf_check(&text, NULL));
    put_file(host, "s/store", buf_slice(&text));
    steme_status status = home_identify(host, "s", &identity, &err);
    if (status)
        invariant((status == STEME_CORRUPT || status == STEME_NEWER) && err.message[0] != '\0');
    else
        check_again(host, &identity);
    buf_deinit(&text);
    host_mem_free(host);
    return 0;
}
