/* SPDX-License-Identifier: Apache-2.0 */
/* Keys on disk: keys/NAME.key, mode 0600, three lines of text: what it is, seed, public key. The public key is there
 * so that listing needs no secret arithmetic, and as a check of the seed. */
#include "base/buf.h"
#include "base/id16.h"
#include "base/slice.h"
#include "base/text.h"
#include "db/signer.h"
#include "db/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 4 << 20, FILE_MAX_BYTES = 512 };

static const char first_line[] = "stemedb key 1\n";
static const char seed_word[] = "seed ";
static const char public_word[] = "public ";
static const char suffix[] = ".key";

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > SIGNER_NAME_MAX || name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!good) return false;
    }
    return true;
}

static steme_status bad_name(const char *name, struct steme_error *err)
{
    return error_set(err, STEME_BAD_INPUT,
                     "\"%.80s\" can't name a key: use 1 to %u letters, digits, '.', '_' or '-', not beginning with '.' "
                     "or '-'",
                     name, SIGNER_NAME_MAX);
}

static const char *key_path(struct steme_store *store, struct arena *arena, const char *name)
{
    char file[SIGNER_NAME_MAX + sizeof suffix];
    (void)snprintf(file, sizeof file, "%s%s", name, suffix);
    const char *keys = host_join(arena, store->dir, "keys");
    return keys ? host_join(arena, keys, file) : NULL;
}

steme_status steme_signer_from_seed(const uint8_t seed[32], struct steme_signer **out, struct steme_error *err)
{
    steme_status status = sign_init(err);
    if (status) return status;
    struct steme_signer *signer = calloc(1, sizeof *signer);
    if (!signer) return error_set(err, STEME_NO_MEMORY, "no memory for a key");
    sign_secret_from_seed(seed, &signer->secret);
    *out = signer;
    return STEME_OK;
}

void steme_signer_free(struct steme_signer **signer)
{
    if (*signer) sign_wipe(&(*signer)->secret);
    free(*signer);
    *signer = NULL;
}

struct steme_key steme_signer_key(const struct steme_signer *signer) { return signer->secret.key; }

const char *steme_signer_name(const struct steme_signer *signer) { return signer->name; }

/* ---- making ---- */

static steme_status save(struct steme_store *store, const char *path, const struct sign_secret *secret,
                         struct steme_error *err)
{
    char hex[TEXT_HASH_BYTES];
    struct buf text;
    struct host_stat stat;
    if (host_stat(store->host, path, &stat, NULL) == STEME_OK)
        return error_set(err, STEME_EXISTS, "there is a key of that name already: %s", path);
    buf_init(&text, FILE_MAX_BYTES);
    buf_append_text(&text, first_line);
    text_hex(secret->seed, sizeof secret->seed, hex);
    buf_printf(&text, "%s%s\n", seed_word, hex);
    text_hex(secret->key.bytes, sizeof secret->key.bytes, hex);
    buf_printf(&text, "%s%s\n", public_word, hex);
    steme_status status = buf_check(&text, err);
    if (!status) status = host_replace_file(store->host, path, HOST_PRIVATE, buf_slice(&text), err);
    if (text.data) explicit_bzero(text.data, text.size);
    explicit_bzero(hex, sizeof hex);
    buf_deinit(&text);
    return status;
}

steme_status steme_signer_new(struct steme_store *store, const char *name, struct steme_signer **out,
                              struct steme_error *err)
{
    struct arena arena;
    uint8_t seed[32];
    struct steme_signer *signer = NULL;
    if (!name_is_good(name)) return bad_name(name, err);
    if (store->read_only) return error_set(err, STEME_READ_ONLY, "the store is open for reading");
    arena_init(&arena, ARENA_BYTES);
    const char *path = key_path(store, &arena, name);
    steme_status status = path ? host_random(store->host, seed, sizeof seed, err) : arena_full(&arena, err);
    if (!status) status = steme_signer_from_seed(seed, &signer, err);
    pthread_mutex_lock(&store->naming); /* two who want the same name must not both find it free */
    if (!status) status = save(store, path, &signer->secret, err);
    pthread_mutex_unlock(&store->naming);
    explicit_bzero(seed, sizeof seed);
    arena_deinit(&arena);
    if (status) {
        if (signer) steme_signer_free(&signer);
        return error_wrap(err, status, "making the key %s", name);
    }
    (void)snprintf(signer->name, sizeof signer->name, "%s", name);
    store_trust_changed(store);
    *out = signer;
    return STEME_OK;
}

/* ---- loading ---- */

/* The 64 digits behind `word` at *at, and the newline; moves *at behind it. */
static bool take_hex(struct steme_slice *at, const char *word, uint8_t out[32])
{
    size_t length = strlen(word);
    if (at->size < length + 65 || !slice_starts(*at, slice_text(word)) || at->data[length + 64] != '\n') return false;
    if (text_parse_hex(slice_of(at->data + length, 64), word, out, 32, NULL)) return false;
    *at = slice_of(at->data + length + 65, at->size - length - 65);
    return true;
}

static steme_status not_a_key(const char *path, struct steme_error *err)
{
    return error_set(err, STEME_CORRUPT, "%s is damaged or no key file: put back a copy or move it out of keys/", path);
}

static steme_status parse_key(struct steme_slice text, const char *path, struct sign_secret *out,
                              struct steme_error *err)
{
    uint8_t seed[32], public_key[32];
    size_t length = sizeof first_line - 1;
    bool good = slice_starts(text, slice_text(first_line));
    struct steme_slice rest = good ? slice_of(text.data + length, text.size - length) : text;
    good = good && take_hex(&rest, seed_word, seed) && take_hex(&rest, public_word, public_key) && rest.size == 0;
    if (good) sign_secret_from_seed(seed, out);
    good = good && memcmp(out->key.bytes, public_key, sizeof public_key) == 0;
    explicit_bzero(seed, sizeof seed);
    return good ? STEME_OK : not_a_key(path, err);
}

static steme_status load(struct steme_store *store, const char *name, struct sign_secret *out, struct steme_error *err)
{
    struct arena arena;
    struct steme_slice text = { 0 };
    arena_init(&arena, ARENA_BYTES);
    const char *path = key_path(store, &arena, name);
    steme_status status = path ? host_read_file(store->host, path, FILE_MAX_BYTES, &arena, &text, err)
                               : arena_full(&arena, err);
    if (status == STEME_NOT_FOUND)
        status = error_set(err, status, "there is no key \"%s\": make it with `steme key new %s`", name, name);
    if (status == STEME_TOO_LARGE) status = not_a_key(path, err);
    if (!status) status = parse_key(text, path, out, err);
    if (text.data) explicit_bzero((uint8_t *)(uintptr_t)text.data, text.size);
    arena_deinit(&arena);
    return status;
}

/* Name of the key in this file of keys/; false: it is none. */
static bool key_name(const struct host_entry *entry, char out[SIGNER_NAME_MAX + 1])
{
    size_t length = strlen(entry->name), tail = sizeof suffix - 1;
    if (entry->kind != HOST_KIND_FILE || length <= tail || length - tail > SIGNER_NAME_MAX) return false;
    if (strcmp(entry->name + length - tail, suffix) != 0) return false;
    (void)snprintf(out, SIGNER_NAME_MAX + 1, "%.*s", (int)(length - tail), entry->name);
    return name_is_good(out);
}

/* The names of all keys, in order, without a look into their files. */
static steme_status each_name(struct steme_store *store,
                              steme_status (*visit)(void *context, const char *name, struct steme_error *err),
                              void *context, struct steme_error *err)
{
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, ARENA_BYTES);
    const char *keys = host_join(&arena, store->dir, "keys");
    steme_status status = keys ? host_list(store->host, keys, &arena, &entries, &count, err) : arena_full(&arena, err);
    if (status == STEME_NOT_FOUND) status = STEME_OK;
    for (size_t i = 0; !status && i < count; i++) {
        char name[SIGNER_NAME_MAX + 1];
        if (key_name(&entries[i], name)) status = visit(context, name, err);
    }
    arena_deinit(&arena);
    return status;
}

struct pick {
    char name[SIGNER_NAME_MAX + 1];
    size_t count;
    bool has_default;
};

static steme_status pick_one(void *context, const char *name, struct steme_error *err)
{
    struct pick *pick = context;
    (void)err;
    if (pick->count++ == 0) (void)snprintf(pick->name, sizeof pick->name, "%s", name);
    pick->has_default = pick->has_default || strcmp(name, "default") == 0;
    return STEME_OK;
}

bool signer_is_exposed(struct steme_store *store, const char *name)
{
    struct arena arena;
    struct host_stat stat = { 0 };
    arena_init(&arena, ARENA_BYTES);
    const char *path = key_path(store, &arena, name);
    bool exposed = path && host_stat(store->host, path, &stat, NULL) == STEME_OK && stat.exposed;
    arena_deinit(&arena);
    return exposed;
}

steme_status steme_signer_load(struct steme_store *store, const char *name, struct steme_signer **out,
                               struct steme_error *err)
{
    struct pick pick = { .count = 0 };
    steme_status status = name ? STEME_OK : each_name(store, pick_one, &pick, err);
    if (!name && !status && pick.count == 0)
        status = error_set(err, STEME_NOT_FOUND, "the store has no key: make one with `steme key new NAME`");
    if (!name && !status && pick.count > 1 && !pick.has_default)
        status = error_set(err, STEME_BAD_INPUT, "the store has %zu keys and none is named \"default\": say which",
                           pick.count);
    if (status) return status;
    if (!name) name = pick.has_default ? "default" : pick.name;
    if (!name_is_good(name)) return bad_name(name, err);
    struct steme_signer *signer = calloc(1, sizeof *signer);
    if (!signer) return error_set(err, STEME_NO_MEMORY, "no memory for a key");
    status = load(store, name, &signer->secret, err);
    if (status) {
        steme_signer_free(&signer);
        return status;
    }
    if (signer_is_exposed(store, name))
        store_notice(store, "others than its owner can read or write keys/%s%s: chmod 600 ends that", name, suffix);
    (void)snprintf(signer->name, sizeof signer->name, "%s", name);
    *out = signer;
    return STEME_OK;
}

struct each_key {
    struct steme_store *store;
    steme_status (*visit)(void *context, const char *name, const struct steme_key *key);
    void *context;
    steme_status damaged; /* what the first damaged key said */
    struct steme_error error;
};

static steme_status visit_key(void *context, const char *name, struct steme_error *err)
{
    struct each_key *each = context;
    struct sign_secret secret;
    struct steme_error error;
    steme_status status = load(each->store, name, &secret, &error);
    if (!status) {
        status = each->visit(each->context, name, &secret.key);
    } else if (status == STEME_CORRUPT) {
        if (!each->damaged) each->error = error;
        each->damaged = status;
        status = STEME_OK;
    } else if (err) {
        *err = error;
    }
    sign_wipe(&secret);
    return status;
}

steme_status steme_signer_each(struct steme_store *store,
                               steme_status (*visit)(void *context, const char *name, const struct steme_key *key),
                               void *context, struct steme_error *err)
{
    struct each_key each = { .store = store, .visit = visit, .context = context };
    steme_status status = each_name(store, visit_key, &each, err);
    if (status || !each.damaged) return status;
    if (err) *err = each.error;
    return each.damaged;
}

/* ---- whom the store trusts: its own keys ---- */

struct trusted {
    struct trust *trust;
    size_t capacity;
};

static steme_status add_trusted(void *context, const char *name, const struct steme_key *key)
{
    struct trusted *list = context;
    (void)name;
    if (list->trust->count == list->capacity) {
        size_t capacity = 2 * list->capacity;
        struct trust *grown = realloc(list->trust, sizeof *grown + capacity * sizeof grown->ids[0]);
        if (!grown) return STEME_NO_MEMORY;
        list->trust = grown;
        list->capacity = capacity;
    }
    struct steme_hash id = agent_id(key->bytes);
    memcpy(list->trust->ids[list->trust->count++], id.bytes, 16);
    return STEME_OK;
}

static steme_status load_trust(struct steme_store *store, struct trust **out, struct steme_error *err)
{
    struct trusted list = { .capacity = 8 };
    list.trust = calloc(1, sizeof *list.trust + list.capacity * sizeof list.trust->ids[0]);
    if (!list.trust) return error_set(err, STEME_NO_MEMORY, "no memory to list the store's keys");
    steme_status status = steme_signer_each(store, add_trusted, &list, err);
    if (status) {
        free(list.trust);
        return status;
    }
    list.trust->count = id16_sort(list.trust->ids, list.trust->count);
    atomic_init(&list.trust->refs, 1);
    *out = list.trust;
    return STEME_OK;
}

steme_status store_trust(struct steme_store *store, struct trust **out, struct steme_error *err)
{
    steme_status status = STEME_OK;
    pthread_mutex_lock(&store->sharing);
    if (!store->trust) status = load_trust(store, &store->trust, err);
    if (!status) {
        atomic_fetch_add(&store->trust->refs, 1);
        *out = store->trust;
    }
    pthread_mutex_unlock(&store->sharing);
    return status;
}

void trust_release(struct trust **trust)
{
    struct trust *it = *trust;
    *trust = NULL;
    if (it && atomic_fetch_sub(&it->refs, 1) == 1) free(it);
}

void store_trust_changed(struct steme_store *store)
{
    pthread_mutex_lock(&store->sharing);
    trust_release(&store->trust);
    pthread_mutex_unlock(&store->sharing);
}
