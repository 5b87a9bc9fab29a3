/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of a simulated world: names as programs see them now, names as the disk holds them, and the
 * changes in between.
 *
 * A change (create, remove, rename) becomes durable when the directory it adds a name to is synced, or, for a
 * removal, the one it takes a name from; a rename between two directories is durable as a whole or not at all.
 * Changes of the same name or the same file keep their order, as a journal would keep it: one never reaches the
 * disk without those before it. Syncing a file does not make its name durable. Not thread-safe.
 *
 * The ones that return int answer 0 or an errno; after an errno nothing has changed. */
#ifndef HOST_MEM_TREE_H
#define HOST_MEM_TREE_H

#include "host/mem_bytes.h"

struct mem_entry {
    char *name;            /* owned */
    struct mem_node *node; /* a reference */
};

struct mem_names {
    struct mem_entry *list; /* in no order */
    size_t count, capacity;
};

/* A file or a directory. Lives while a name, a change, or somebody outside holds a reference. */
struct mem_node {
    struct mem_node *before, *after; /* all nodes of the tree, oldest first */
    struct mem_node *next_dead;
    uint64_t number; /* the inode: never used twice */
    size_t references;
    bool is_dir;
    struct mem_bytes bytes;        /* of a file */
    struct mem_names now, durable; /* of a directory */
    const void *lock_holder;       /* for the host: who locked the file */
};

struct mem_change;

struct mem_tree {
    struct mem_node *root;
    struct mem_node *first, *last;
    struct mem_change *oldest, *newest; /* not yet durable */
    uint64_t number_next;
};

int mem_tree_init(struct mem_tree *tree);    /* with the root directory; ENOMEM */
void mem_tree_deinit(struct mem_tree *tree); /* frees every node, referenced or not; safe on zeroed */

void mem_node_hold(struct mem_node *node);
void mem_node_release(struct mem_tree *tree, struct mem_node *node);

/* Paths start at the root, with or without "/"; "." and empty components mean nothing, ".." is EINVAL. *node_out
 * is borrowed. */
int mem_tree_find(const struct mem_tree *tree, const char *path, struct mem_node **node_out);
/* EEXIST when it is there. */
int mem_tree_create(struct mem_tree *tree, const char *path, bool is_dir, struct mem_node **node_out);
/* As rename(2): a file may replace a file, a directory an empty directory. */
int mem_tree_rename(struct mem_tree *tree, const char *from, const char *to);
int mem_tree_remove(struct mem_tree *tree, const char *path); /* a file or an empty directory */

void mem_tree_sync_dir(struct mem_tree *tree, struct mem_node *dir);
/* A failed sync of the directory: its unsynced changes will be gone at the next power cut, and with them all that
 * build on them. */
void mem_tree_lose_dir(struct mem_tree *tree, struct mem_node *dir);
/* Power cut, directories and files. */
void mem_tree_cut(struct mem_tree *tree, unsigned keep_permille, struct prng *prng);

#endif
