/* SPDX-License-Identifier: Apache-2.0 */
/* The reference ordered store: a treap in memory. Nodes are shared between snapshots and counted; a write transaction
 * copies the nodes on the path it changes and leaves all others alone, so a reader keeps its root and needs no lock.
 *
 * A treap is a search tree by key and a heap by priority. The priority is a hash of the key, so the shape follows from
 * the keys alone and is balanced for all but keys made to defeat that; those cost time, not stack: nothing here
 * recurses.
 *
 * Writers never fail half-way: own_path() first makes every node that will change private (which may run out of
 * memory and leaves a tree that means the same), then pointers are moved. */
#include "spine/kv.h"

#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A pair; never changes once made. */
struct entry {
    struct entry *next_buried; /* in the write transaction that took it out of the tree */
    _Atomic uint32_t refs;     /* nodes that show it, and the burial list */
    uint32_t value_size;
    uint16_t key_size;
    uint8_t bytes[]; /* key, then value */
};

/* The first bytes of a key as numbers, zeros behind its end: order without a look at the entry, unless equal. */
struct head {
    uint64_t high, low;
};

struct node {
    _Atomic uint32_t refs; /* parents and roots that point here; 1: the only path to it is through its parent */
    uint32_t priority;
    struct node *left, *right;
    struct entry *entry;
    union {
        struct head head;
        struct node *next_dead; /* once refs has reached 0 */
    };
};

/* A key to look for. */
struct probe {
    struct steme_slice key;
    struct head head;
};

struct mem {
    struct kv base;
    pthread_mutex_t writer; /* held from begin to end of the write transaction; checks errors */
    pthread_mutex_t lock;   /* root, open_count */
    struct node *root;
    size_t open_count;
};

struct mem_txn {
    struct kv_txn base;
    struct mem *mem;
    struct node *root;
    struct entry *buried; /* replaced and removed here: kept to the end, because cursors stand on them */
};

static struct steme_slice entry_key(const struct entry *entry) { return slice_of(entry->bytes, entry->key_size); }

static struct steme_slice entry_value(const struct entry *entry)
{
    return slice_of(entry->bytes + entry->key_size, entry->value_size);
}

static struct kv_pair entry_pair(const struct entry *entry)
{
    return (struct kv_pair){ .key = entry_key(entry), .value = entry_value(entry) };
}

static struct entry *entry_new(struct steme_slice key, struct steme_slice value)
{
    struct entry *entry = malloc(sizeof(*entry) + key.size + value.size);
    if (!entry) return NULL;
    entry->next_buried = NULL;
    atomic_init(&entry->refs, 1);
    entry->value_size = (uint32_t)value.size;
    entry->key_size = (uint16_t)key.size;
    memcpy(entry->bytes, key.data, key.size);
    if (value.size) memcpy(entry->bytes + key.size, value.data, value.size);
    return entry;
}

static void entry_release(struct entry *entry)
{
    if (atomic_fetch_sub(&entry->refs, 1) == 1) free(entry);
}

static struct probe probe_of(struct steme_slice key)
{
    uint8_t bytes[16] = { 0 };
    if (key.size) memcpy(bytes, key.data, key.size < sizeof(bytes) ? key.size : sizeof(bytes));
    return (struct probe){ .key = key, .head = { load_u64be(bytes), load_u64be(bytes + 8) } };
}

/* <0, 0, >0: the probe's key against the node's. */
static int node_order(const struct probe *probe, const struct node *node)
{
    if (probe->head.high != node->head.high) return probe->head.high < node->head.high ? -1 : 1;
    if (probe->head.low != node->head.low) return probe->head.low < node->head.low ? -1 : 1;
    return slice_compare(probe->key, entry_key(node->entry));
}

static struct node *node_retain(struct node *node)
{
    if (node) atomic_fetch_add(&node->refs, 1);
    return node;
}

/* Frees the node and all that only it leads to. The dead wait in a list threaded through them. */
static void node_release(struct node *node)
{
    struct node *dead = NULL;
    while (node || dead) {
        if (node && atomic_fetch_sub(&node->refs, 1) == 1) {
            node->next_dead = dead;
            dead = node;
        }
        node = NULL;
        while (dead && !node) { /* one child at a time; the node itself goes when it has none left */
            struct node *gone = dead;
            if (gone->left) {
                node = gone->left;
                gone->left = NULL;
            } else if (gone->right) {
                node = gone->right;
                gone->right = NULL;
            } else {
                dead = gone->next_dead;
                entry_release(gone->entry);
                free(gone);
            }
        }
    }
}

static struct node *node_new(const struct probe *probe, struct steme_slice value)
{
    struct node *node = malloc(sizeof(*node));
    if (!node) return NULL;
    node->entry = entry_new(probe->key, value);
    if (!node->entry) {
        free(node);
        return NULL;
    }
    atomic_init(&node->refs, 1);
    node->priority = (uint32_t)XXH3_64bits(probe->key.data, probe->key.size);
    node->left = node->right = NULL;
    node->head = probe->head;
    return node;
}

/* Make the node at *link private to the transaction; everything on the way to it must be already. */
static bool own(struct node **link)
{
    struct node *shared = *link;
    if (atomic_load(&shared->refs) == 1) return true;
    struct node *copy = malloc(sizeof(*copy));
    if (!copy) return false;
    atomic_init(&copy->refs, 1);
    copy->priority = shared->priority;
    copy->left = node_retain(shared->left);
    copy->right = node_retain(shared->right);
    copy->head = shared->head;
    copy->entry = shared->entry;
    atomic_fetch_add(&copy->entry->refs, 1);
    *link = copy;
    node_release(shared);
    return true;
}

/* Own the search path of the key, down to its node or to where it would hang. */
static bool own_path(struct node **link, const struct probe *probe)
{
    while (*link) {
        if (!own(link)) return false;
        int order = node_order(probe, *link);
        if (order == 0) break;
        link = order < 0 ? &(*link)->left : &(*link)->right;
    }
    return true;
}

static bool own_right_spine(struct node **link)
{
    for (; *link; link = &(*link)->right)
        if (!own(link)) return false;
    return true;
}

static bool own_left_spine(struct node **link)
{
    for (; *link; link = &(*link)->left)
        if (!own(link)) return false;
    return true;
}

/* Hang a node whose key is absent into a tree whose search path for that key is owned. */
static void tree_insert(struct node **link, struct node *fresh, const struct probe *probe)
{
    while (*link && (*link)->priority >= fresh->priority)
        link = node_order(probe, *link) < 0 ? &(*link)->left : &(*link)->right;

    struct node *rest = *link, **below = &fresh->left, **above = &fresh->right;
    *link = fresh;
    while (rest) { /* split what hung here into the keys below and above */
        if (node_order(probe, rest) < 0) {
            *above = rest;
            above = &rest->left;
            rest = rest->left;
        } else {
            *below = rest;
            below = &rest->right;
            rest = rest->right;
        }
    }
    *below = *above = NULL;
}

/* Take the owned node at *link out; its children's inner spines are owned. Returns it without children. */
static struct node *tree_remove(struct node **link)
{
    struct node *gone = *link, *below = gone->left, *above = gone->right;
    while (below && above) {
        if (below->priority >= above->priority) {
            *link = below;
            link = &below->right;
            below = below->right;
        } else {
            *link = above;
            link = &above->left;
            above = above->left;
        }
    }
    *link = below ? below : above;
    gone->left = gone->right = NULL;
    return gone;
}

/* The link to the key's node, or to where it would hang. */
static struct node **tree_find(struct node **link, const struct probe *probe)
{
    while (*link) {
        int order = node_order(probe, *link);
        if (order == 0) break;
        link = order < 0 ? &(*link)->left : &(*link)->right;
    }
    return link;
}

/* First entry whose key is >= key, or > key if above. */
static struct entry *tree_ceiling(const struct node *node, struct steme_slice key, bool above)
{
    struct probe probe = probe_of(key);
    struct entry *best = NULL;
    while (node) {
        int order = node_order(&probe, node);
        if (order < 0 || (order == 0 && !above)) {
            best = node->entry;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

/* Last entry whose key is < below; empty below: the last of all. */
static struct entry *tree_floor(const struct node *node, struct steme_slice below)
{
    struct probe probe = probe_of(below);
    struct entry *best = NULL;
    while (node) {
        if (below.size == 0 || node_order(&probe, node) > 0) {
            best = node->entry;
            node = node->right;
        } else {
            node = node->left;
        }
    }
    return best;
}

static steme_status memory_out(struct steme_error *err)
{
    return error_set(err, STEME_NO_MEMORY, "no memory for the ordered store in memory");
}

static steme_status mem_begin(struct kv *kv, enum kv_mode mode, struct kv_txn **out, struct steme_error *err)
{
    struct mem *mem = (struct mem *)kv;
    struct mem_txn *txn = calloc(1, sizeof(*txn));
    if (!txn) return memory_out(err);
    txn->mem = mem;
    if (mode == KV_WRITE) {
        int failed = pthread_mutex_lock(&mem->writer);
        invariant(failed == 0); /* EDEADLK: this thread has a write transaction open and would wait for itself */
    }
    pthread_mutex_lock(&mem->lock);
    txn->root = node_retain(mem->root);
    mem->open_count++;
    pthread_mutex_unlock(&mem->lock);
    *out = &txn->base;
    return STEME_OK;
}

static void mem_abort(struct kv_txn *base)
{
    struct mem_txn *txn = (struct mem_txn *)base;
    struct mem *mem = txn->mem;
    node_release(txn->root);
    while (txn->buried) {
        struct entry *entry = txn->buried;
        txn->buried = entry->next_buried;
        entry->next_buried = NULL;
        entry_release(entry);
    }
    pthread_mutex_lock(&mem->lock);
    mem->open_count--;
    pthread_mutex_unlock(&mem->lock);
    if (txn->base.mode == KV_WRITE) {
        int failed = pthread_mutex_unlock(&mem->writer);
        invariant(failed == 0); /* EPERM: another thread began it */
    }
    free(txn);
}

static steme_status mem_commit(struct kv_txn *base, struct steme_error *err)
{
    (void)err; /* nothing can fail: the tree is ready */
    struct mem_txn *txn = (struct mem_txn *)base;
    struct mem *mem = txn->mem;
    pthread_mutex_lock(&mem->lock);
    struct node *old = mem->root;
    mem->root = txn->root;
    txn->root = old; /* its reference goes with the transaction */
    pthread_mutex_unlock(&mem->lock);
    mem_abort(base);
    return STEME_OK;
}

static steme_status mem_get(struct kv_txn *base, struct steme_slice key, struct steme_slice *out,
                            struct steme_error *err)
{
    (void)err;
    struct mem_txn *txn = (struct mem_txn *)base;
    struct probe probe = probe_of(key);
    const struct node *node = *tree_find(&txn->root, &probe);
    if (!node) return STEME_NOT_FOUND;
    *out = entry_value(node->entry);
    return STEME_OK;
}

/* A cursor is the entry it gave last. Going on means searching the tree for what is behind it: slower than a
 * stack of nodes, and right whatever has happened to the tree meanwhile. */
static steme_status mem_seek(struct kv_txn *base, struct steme_slice from, struct kv_cursor *cursor,
                             struct kv_pair *out, struct steme_error *err)
{
    (void)err;
    struct mem_txn *txn = (struct mem_txn *)base;
    struct entry *entry = tree_ceiling(txn->root, from, false);
    if (!entry) return STEME_NOT_FOUND;
    cursor->impl[0] = entry;
    *out = entry_pair(entry);
    return STEME_OK;
}

static steme_status mem_next(struct kv_cursor *cursor, struct kv_pair *out, struct steme_error *err)
{
    (void)err;
    struct mem_txn *txn = (struct mem_txn *)cursor->txn;
    struct entry *entry = tree_ceiling(txn->root, entry_key(cursor->impl[0]), true);
    if (!entry) return STEME_NOT_FOUND;
    cursor->impl[0] = entry;
    *out = entry_pair(entry);
    return STEME_OK;
}

static void mem_cursor_end(struct kv_cursor *cursor) { cursor->impl[0] = NULL; }

static steme_status mem_last(struct kv_txn *base, struct steme_slice below, struct kv_pair *out,
                             struct steme_error *err)
{
    (void)err;
    struct mem_txn *txn = (struct mem_txn *)base;
    struct entry *entry = tree_floor(txn->root, below);
    if (!entry) return STEME_NOT_FOUND;
    *out = entry_pair(entry);
    return STEME_OK;
}

static void bury(struct mem_txn *txn, struct entry *entry)
{
    entry->next_buried = txn->buried;
    txn->buried = entry;
}

static steme_status insert_absent(struct mem_txn *txn, const struct probe *probe, struct steme_slice value,
                                  struct steme_error *err)
{
    struct node *fresh = node_new(probe, value);
    if (!fresh) return memory_out(err);
    if (!own_path(&txn->root, probe)) {
        node_release(fresh);
        return memory_out(err);
    }
    tree_insert(&txn->root, fresh, probe);
    return STEME_OK;
}

static steme_status mem_put(struct kv_txn *base, struct steme_slice key, struct steme_slice value, bool fresh,
                            struct steme_slice *present_out, struct steme_error *err)
{
    struct mem_txn *txn = (struct mem_txn *)base;
    struct probe probe = probe_of(key);
    const struct node *present = *tree_find(&txn->root, &probe);
    if (!present) return insert_absent(txn, &probe, value, err);
    if (fresh) {
        if (present_out) *present_out = entry_value(present->entry);
        return STEME_EXISTS;
    }
    struct entry *entry = entry_new(key, value);
    if (!entry) return memory_out(err);
    if (!own_path(&txn->root, &probe)) {
        entry_release(entry);
        return memory_out(err);
    }
    struct node *node = *tree_find(&txn->root, &probe);
    invariant(node); /* the path was copied, not changed */
    bury(txn, node->entry);
    node->entry = entry;
    return STEME_OK;
}

static steme_status mem_append(struct kv_txn *base, struct steme_slice key, struct steme_slice value,
                               struct steme_error *err)
{
    struct mem_txn *txn = (struct mem_txn *)base;
    struct probe probe = probe_of(key);
    const struct entry *last = tree_floor(txn->root, slice_of(NULL, 0));
    if (last && slice_compare(key, entry_key(last)) <= 0)
        return error_set(err, STEME_BAD_INPUT, "append to the ordered store: the key is not above the last one");
    return insert_absent(txn, &probe, value, err);
}

static steme_status mem_remove(struct kv_txn *base, struct steme_slice key, struct steme_error *err)
{
    struct mem_txn *txn = (struct mem_txn *)base;
    struct probe probe = probe_of(key);
    if (!*tree_find(&txn->root, &probe)) return STEME_NOT_FOUND;
    if (!own_path(&txn->root, &probe)) return memory_out(err);
    struct node **link = tree_find(&txn->root, &probe);
    invariant(*link); /* the path was copied, not changed */
    if (!own_right_spine(&(*link)->left) || !own_left_spine(&(*link)->right)) return memory_out(err);
    struct node *gone = tree_remove(link);
    atomic_fetch_add(&gone->entry->refs, 1);
    bury(txn, gone->entry);
    node_release(gone);
    return STEME_OK;
}

static steme_status mem_sync(struct kv *kv, struct steme_error *err)
{
    (void)kv;
    (void)err;
    return STEME_OK; /* memory has no stable storage; what is committed is as safe as it gets */
}

static void mem_close(struct kv *kv)
{
    struct mem *mem = (struct mem *)kv;
    invariant(mem->open_count == 0);
    node_release(mem->root);
    pthread_mutex_destroy(&mem->lock);
    pthread_mutex_destroy(&mem->writer);
    free(mem);
}

static const struct kv_ops mem_ops = {
    .name = "mem",
    .begin = mem_begin,
    .get = mem_get,
    .seek = mem_seek,
    .next = mem_next,
    .last = mem_last,
    .cursor_end = mem_cursor_end,
    .put = mem_put,
    .append = mem_append,
    .remove = mem_remove,
    .commit = mem_commit,
    .abort = mem_abort,
    .sync = mem_sync,
    .close = mem_close,
};

steme_status kv_mem_open(struct kv **out, struct steme_error *err)
{
    pthread_mutexattr_t checks;
    struct mem *mem = calloc(1, sizeof(*mem));
    if (!mem) return memory_out(err);
    mem->base.ops = &mem_ops;
    pthread_mutex_init(&mem->lock, NULL);
    pthread_mutexattr_init(&checks);
    pthread_mutexattr_settype(&checks, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mem->writer, &checks);
    pthread_mutexattr_destroy(&checks);
    *out = &mem->base;
    return STEME_OK;
}
