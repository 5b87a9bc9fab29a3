/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/kv_lmdb_internal.h"

#include "base/check.h"

#include <stddef.h>
#include <string.h>

/* The layout of LMDB 0.9's meta pages, in the byte order and word size of the machine (mdb.c: MDB_page, MDB_meta).
 * Page 0 and page 1 hold one each; the one with the greater txnid counts. */
#define MAGIC 0xBEEFC0DEu
#define VERSION 1u
#define PAGE_IS_META 0x08u
#define PAGE_BYTES_MIN 512u
#define PAGE_BYTES_MAX 65536u
#define NO_PAGE SIZE_MAX
#define DEPTH_MAX 32u
#define WALK_TRIES 5u
#define DB_DUPSORT 0x04u
#define DB_INTEGERKEY 0x08u

struct meta_db {
    uint32_t page_bytes; /* in the first (free list) only */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages, leaf_pages, overflow_pages, entries;
    size_t root; /* NO_PAGE: empty */
};

struct meta_page {
    size_t number;
    uint16_t pad, flags;
    uint32_t bounds;
    uint32_t magic, version;
    size_t address, map_bytes;
    struct meta_db free, main;
    size_t last_page, txnid;
};

_Static_assert(sizeof(size_t) != 8 || sizeof(struct meta_page) == 152, "the layout above has no holes");

static steme_status read_meta(struct host_file *file, const char *path, uint64_t offset, struct meta_page *meta,
                              struct steme_error *err)
{
    size_t got = 0;
    steme_status status = host_read_at(file, offset, meta, sizeof(*meta), &got, err);
    if (status) return status;
    if (got < sizeof(*meta))
        return error_set(err, STEME_CORRUPT, "%s is cut short: no header at byte %llu", path,
                         (unsigned long long)offset);
    if (!(meta->flags & PAGE_IS_META) || meta->magic != MAGIC)
        return error_set(err, STEME_CORRUPT, "%s is not an LMDB file: no header at byte %llu", path,
                         (unsigned long long)offset);
    if (meta->version != VERSION)
        return error_set(err, STEME_CORRUPT, "%s is an LMDB file of format %u; this program reads format %u", path,
                         meta->version, VERSION);
    uint32_t page_bytes = meta->free.page_bytes;
    if (page_bytes < PAGE_BYTES_MIN || page_bytes > PAGE_BYTES_MAX || (page_bytes & (page_bytes - 1)))
        return error_set(err, STEME_CORRUPT, "%s: its header says pages of %u bytes", path, page_bytes);
    return STEME_OK;
}

static bool root_sound(const struct meta_db *db, size_t last_page)
{
    if (db->root == NO_PAGE) return db->depth == 0;
    return db->root >= 2 && db->root <= last_page && db->depth >= 1 && db->depth <= DEPTH_MAX;
}

static bool meta_sound(const struct meta_page *meta)
{
    if (meta->last_page < 1 || meta->last_page >= SIZE_MAX / PAGE_BYTES_MAX) return false;
    if ((meta->free.flags & (DB_DUPSORT | DB_INTEGERKEY)) != DB_INTEGERKEY || meta->main.flags != 0) return false;
    return root_sound(&meta->free, meta->last_page) && root_sound(&meta->main, meta->last_page);
}

static const struct meta_page *newer_of(const struct meta_page metas[2])
{
    return metas[0].txnid < metas[1].txnid ? &metas[1] : &metas[0];
}

static steme_status read_metas(struct host_file *file, const char *path, struct meta_page metas[2],
                               struct steme_error *err)
{
    steme_status status = read_meta(file, path, 0, &metas[0], err);
    return status ? status : read_meta(file, path, metas[0].free.page_bytes, &metas[1], err);
}

static struct lmdb_tree tree_of(const struct meta_db *db) { return (struct lmdb_tree){ db->root, db->depth }; }

static struct lmdb_shape shape_of(const struct meta_page *meta)
{
    return (struct lmdb_shape){ meta->free.page_bytes, meta->last_page, tree_of(&meta->free), tree_of(&meta->main) };
}

static steme_status bad_page(const char *path, struct steme_error *err)
{
    return error_set(err, STEME_CORRUPT, "%s: a page of it is not what LMDB needs", path);
}

/* Beside another process's writer, pages of the state we read may be used again before we have read them; then it is
 * tried again. If the writer is always faster, the file was sound when that opened it. */
static steme_status check_pages(struct host_file *file, const char *path, bool leaves, struct meta_page metas[2],
                                struct steme_error *err)
{
    steme_status status = STEME_OK;
    for (unsigned tries = 0; !status && tries < WALK_TRIES; tries++) {
        const struct meta_page *newer = newer_of(metas);
        uint64_t txnid = newer->txnid;
        struct lmdb_shape shape = shape_of(newer);
        bool sound = false;
        status = lmdb_pages_check(file, &shape, leaves, &sound, err);
        if (status || sound) return status;
        status = read_metas(file, path, metas, err);
        if (!status && newer_of(metas)->txnid == txnid) return bad_page(path, err);
    }
    return status;
}

steme_status lmdb_file_check(struct host_file *file, const char *path, bool *leaves_out, struct steme_error *err)
{
    struct meta_page metas[2];
    uint64_t size_bytes = 0;
    steme_status status = read_metas(file, path, metas, err);
    if (status) return status;
    /* After the headers: a writer in another process makes the file longer first, then says so. */
    status = host_size(file, &size_bytes, err);
    if (status) return status;

    const struct meta_page *newer = newer_of(metas);
    if (newer->free.page_bytes != metas[0].free.page_bytes || !meta_sound(newer))
        return error_set(err, STEME_CORRUPT, "%s: its header contradicts itself", path);
    uint64_t want_bytes = ((uint64_t)newer->last_page + 1) * newer->free.page_bytes;
    if (size_bytes < want_bytes)
        return error_set(err, STEME_CORRUPT, "%s is cut short: %llu bytes of %llu", path,
                         (unsigned long long)size_bytes, (unsigned long long)want_bytes);
    *leaves_out = size_bytes <= LMDB_LEAVES_CHECKED_BYTES;
    return check_pages(file, path, *leaves_out, metas, err);
}

/* The header of a state; NULL when later ones have taken its place. */
static const struct meta_page *find_state(const struct meta_page metas[2], uint64_t txnid)
{
    for (size_t i = 0; i < 2; i++)
        if (metas[i].txnid == txnid && meta_sound(&metas[i])) return &metas[i];
    return NULL;
}

steme_status lmdb_file_examine(struct host_file *file, const char *path, uint64_t txnid, struct steme_slice from,
                               struct steme_slice to, struct steme_error *err)
{
    struct meta_page metas[2];
    bool sound = false;
    steme_status status = read_metas(file, path, metas, err);
    const struct meta_page *state = status ? NULL : find_state(metas, txnid);
    if (!state) return status;
    struct lmdb_shape shape = shape_of(state);
    status = lmdb_pages_examine(file, &shape, from, to, &sound, err);
    if (status || sound) return status;
    /* Or was the header read while another process wrote the one that follows it? */
    status = read_metas(file, path, metas, err);
    state = status ? NULL : find_state(metas, txnid);
    if (!state || state->main.root != shape.main.root || state->last_page != shape.last_page) return status;
    return bad_page(path, err);
}
