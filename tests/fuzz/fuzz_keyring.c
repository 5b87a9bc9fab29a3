/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a key's file, under any name. What is loaded signs with the seed that the file holds; what is refused
 * says why without a word of the secret; and listing agrees with loading. */
#include "base/buf.h"
#include "base/text.h"
#include "db/signer.h"
#include "db/store.h"
#include "fuzz/input.h"
#include "host/host_mem.h"

#include <stdio.h>

enum { FILE_MAX_BYTES = 1024, SEED_AT = sizeof "stemedb key 1\nseed " - 1 };

static void must(steme_status status) { invariant(status == STEME_OK); }

/* The file as it is saved, then pairs of place and value. */
static void edit_good(struct steme_slice *input, struct buf *text)
{
    uint8_t seed[32];
    char hex[TEXT_HASH_BYTES];
    struct sign_secret secret;
    input_bytes(input, seed, sizeof seed);
    sign_secret_from_seed(seed, &secret);
    text_hex(seed, sizeof seed, hex);
    buf_printf(text, "stemedb key 1\nseed %s\n", hex);
    text_hex(secret.key.bytes, sizeof secret.key.bytes, hex);
    buf_printf(text, "public %s\n", hex);
    must(buf_check(text, NULL));
    while (input->size >= 2) {
        size_t at = input_u8(input) % text->size;
        text->data[at] = input_u8(input);
    }
    sign_wipe(&secret);
}

/* No 16 digits in a row of what stands where the seed does, unless the name has them. */
static void check_silence(const struct buf *text, const char *name, const char *message)
{
    char part[17] = { 0 };
    for (size_t at = SEED_AT; at + 16 <= text->size && at < SEED_AT + 48; at++) {
        memcpy(part, text->data + at, 16);
        bool digits = strspn(part, "0123456789abcdefABCDEF") == 16;
        invariant(!digits || strstr(name, part) || !strstr(message, part));
    }
}

static void check_loaded(const struct buf *text, const struct steme_signer *signer)
{
    struct sign_secret secret;
    uint8_t seed[32];
    must(text_parse_hex(slice_of(text->data + SEED_AT, 64), "seed", seed, sizeof seed, NULL));
    sign_secret_from_seed(seed, &secret);
    struct steme_key key = steme_signer_key(signer);
    invariant(memcmp(&key, &secret.key, sizeof key) == 0);
    sign_wipe(&secret);
}

struct listed {
    size_t count;
    struct steme_key key;
};

static steme_status list_one(void *context, const char *name, const struct steme_key *key)
{
    struct listed *listed = context;
    invariant(name[0] != '\0' && !strchr(name, '/'));
    listed->count++;
    listed->key = *key;
    return STEME_OK;
}

static void examine(struct steme_store *store, const char *name, const struct buf *text)
{
    struct steme_error err = { 0 };
    struct listed listed = { 0 };
    struct steme_signer *signer = NULL;
    steme_status status = steme_signer_load(store, name, &signer, &err);
    steme_status listing = steme_signer_each(store, list_one, &listed, &err);
    if (status) {
        invariant(status == STEME_CORRUPT || status == STEME_BAD_INPUT || status == STEME_TOO_LARGE);
        invariant(listed.count == 0 && err.message[0] != '\0');
        check_silence(text, name, err.message);
    } else {
        invariant(listing == STEME_OK && listed.count == 1);
        check_loaded(text, signer);
        invariant(memcmp(&listed.key, &signer->secret.key, sizeof listed.key) == 0);
        steme_signer_free(&signer);
    }
}

/* The first byte says how; then a name up to a line feed, then the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    struct steme_store store = { .host = host_mem_new(1), .dir = (char[]){ "s" } };
    char name[80] = "default", path[128];
    struct buf text;
    uint8_t mode = input_u8(&input);
    invariant(store.host);
    must(sign_init(NULL));
    must(host_make_dir(store.host, "s", NULL));
    must(host_make_dir(store.host, "s/keys", NULL));
    if (mode & 2) {
        size_t length = 0;
        memset(name, 0, sizeof name);
        while (input.size > 0 && length < sizeof name - 1 && (name[length] = (char)input_u8(&input)) != '\n')
            length++;
        name[length] = '\0';
    }
    buf_init(&text, FILE_MAX_BYTES);
    if (mode & 1)
        edit_good(&input, &text);
    else
        buf_append(&text, input.data, input.size < FILE_MAX_BYTES ? input.size : FILE_MAX_BYTES);
    must(buf_check(&text, NULL));
    snprintf(path, sizeof path, "s/keys/%s.key", name);
    if (strchr(name, '/')) {
        struct steme_signer *none = NULL;
        steme_status status = steme_signer_load(&store, name, &none, NULL);
        invariant(status == STEME_BAD_INPUT && !none);
    } else {
        must(host_replace_file(store.host, path, HOST_PRIVATE, buf_slice(&text), NULL));
        examine(&store, name, &text);
    }
    buf_deinit(&text);
    host_mem_free(store.host);
    return 0;
}
