/* SPDX-License-Identifier: Apache-2.0 */
#include "lattice/derivation.h"

#include "base/hash.h"
#include "model/record.h"

#include <string.h>

/* Whether one of the parents begins as this id does, in so many bytes. */
static bool names_parent(const struct assertion_view *view, const struct steme_hash *parent, size_t bytes)
{
    for (size_t i = 0; i < view->parent_count; i++)
        if (memcmp(view->parents + i * HASH_BYTES, parent, bytes) == 0) return true;
    return false;
}

/* *is_child_out false: it lies behind the limit, or what it names only begins like the parent's id. */
static steme_status read_child(struct reader *reader, const struct kv_pair *pair, const struct steme_hash *parent,
                               struct wal_entry *out, bool *is_child_out, struct steme_error *err)
{
    struct assertion_view view;
    uint64_t location = 0;
    bool later = false;
    *is_child_out = false;
    steme_status status = row_location(pair->value, &location, err);
    if (!status) status = evidence_later(reader, location, key_last_id(pair->key), &later, err);
    if (status || later) return status;
    status = evidence_named(reader, location, key_last_id(pair->key), out, err);
    if (status) return status;
    if (assertion_view_trusted(out->bytes, &view, err) || !names_parent(&view, parent, KEYS_ID_BYTES))
        return error_set(err, STEME_CORRUPT, "the index calls a record derived from one that it does not name");
    *is_child_out = names_parent(&view, parent, HASH_BYTES);
    return STEME_OK;
}

steme_status derivation_children(struct reader *reader, const struct steme_hash *parent,
                                 steme_status (*visit)(void *context, const struct wal_entry *child,
                                                       struct steme_error *err),
                                 void *context, struct steme_error *err)
{
    struct key_bytes prefix;
    struct kv_cursor cursor = { 0 };
    struct kv_pair pair;
    key_child_prefix(&prefix, parent->bytes);
    steme_status status = STEME_OK;
    steme_status at = kv_seek(reader->txn, key_slice(&prefix), key_slice(&prefix), &cursor, &pair, err);
    for (; !at; at = kv_next(&cursor, &pair, err)) {
        struct wal_entry child;
        bool is_child = false;
        status = read_child(reader, &pair, parent, &child, &is_child, err);
        if (!status && is_child) status = visit(context, &child, err);
        if (status) break;
    }
    kv_cursor_end(&cursor);
    return status || at == STEME_NOT_FOUND ? status : at;
}
