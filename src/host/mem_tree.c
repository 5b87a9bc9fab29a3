/* SPDX-License-Identifier: Apache-2.0 */
#include "host/mem_tree.h"
#include "base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 256 }; /* a component of a path with its NUL, as in Linux */

/* One end of a change: a name in a directory, or none (dir NULL). */
struct mem_place {
    struct mem_node *dir; /* a reference */
    char *name;           /* owned */
};

struct mem_change {
    struct mem_change *next;
    struct mem_place from, to; /* to alone: created; from alone: removed; both: renamed */
    struct mem_node *node;     /* a reference */
    bool lost;                 /* a failed sync dropped it */
    bool chosen;               /* scratch of sync and cut */
};

/* Names of one directory. */

static struct mem_entry *find_name(const struct mem_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i].name, name) == 0) return &names->list[i];
    return NULL;
}

static int reserve_name(struct mem_names *names)
{
    if (names->count < names->capacity) return 0;
    size_t capacity = names->capacity ? names->capacity * 2 : 8;
    struct mem_entry *list = realloc(names->list, capacity * sizeof *list);
    if (!list) return ENOMEM;
    names->list = list;
    names->capacity = capacity;
    return 0;
}

/* Takes name. There is room. */
static void set_name(struct mem_tree *tree, struct mem_names *names, char *name, struct mem_node *node)
{
    mem_node_hold(node);
    struct mem_entry *entry = find_name(names, name);
    if (entry) {
        struct mem_node *replaced = entry->node;
        entry->node = node;
        free(name);
        mem_node_release(tree, replaced);
        return;
    }
    invariant(names->count < names->capacity);
    names->list[names->count++] = (struct mem_entry){ name, node };
}

static void drop_entry(struct mem_tree *tree, struct mem_names *names, struct mem_entry *entry)
{
    struct mem_entry gone = *entry;
    *entry = names->list[--names->count];
    free(gone.name);
    mem_node_release(tree, gone.node);
}

static void drop_names(struct mem_tree *tree, struct mem_names *names)
{
    while (names->count > 0)
        drop_entry(tree, names, &names->list[names->count - 1]);
    free(names->list);
    *names = (struct mem_names){ 0 };
}

/* Nodes. */

static struct mem_node *new_node(struct mem_tree *tree, bool is_dir)
{
    struct mem_node *node = calloc(1, sizeof *node);
    if (!node) return NULL;
    node->is_dir = is_dir;
    node->number = ++tree->number_next;
    node->before = tree->last;
    if (tree->last)
        tree->last->after = node;
    else
        tree->first = node;
    tree->last = node;
    return node;
}

static void unlink_node(struct mem_tree *tree, struct mem_node *node)
{
    if (node->before)
        node->before->after = node->after;
    else
        tree->first = node->after;
    if (node->after)
        node->after->before = node->before;
    else
        tree->last = node->before;
}

void mem_node_hold(struct mem_node *node) { node->references++; }

/* Put the nodes that only these names held on the list of the dead. */
static struct mem_node *bury_names(struct mem_names *names, struct mem_node *dead)
{
    for (size_t i = 0; i < names->count; i++) {
        struct mem_node *node = names->list[i].node;
        free(names->list[i].name);
        if (--node->references > 0) continue;
        node->next_dead = dead;
        dead = node;
    }
    free(names->list);
    *names = (struct mem_names){ 0 };
    return dead;
}

void mem_node_release(struct mem_tree *tree, struct mem_node *node)
{
    if (--node->references > 0) return;
    struct mem_node *dead = node; /* a list and no recursion: directories may be deep */
    dead->next_dead = NULL;
    while (dead) {
        struct mem_node *gone = dead;
        dead = gone->next_dead;
        dead = bury_names(&gone->now, dead);
        dead = bury_names(&gone->durable, dead);
        unlink_node(tree, gone);
        mem_bytes_deinit(&gone->bytes);
        free(gone);
    }
}

/* Changes. */

static void drop_place(struct mem_tree *tree, struct mem_place *place)
{
    free(place->name);
    if (place->dir) mem_node_release(tree, place->dir);
    *place = (struct mem_place){ 0 };
}

static void free_change(struct mem_tree *tree, struct mem_change *change)
{
    drop_place(tree, &change->from);
    drop_place(tree, &change->to);
    if (change->node) mem_node_release(tree, change->node);
    free(change);
}

static int set_place(struct mem_place *place, struct mem_node *dir, const char *name)
{
    place->name = strdup(name);
    if (!place->name) return ENOMEM;
    mem_node_hold(dir);
    place->dir = dir;
    return 0;
}

/* A change that is not in the list yet. Either directory may be NULL. */
static struct mem_change *new_change(struct mem_tree *tree, struct mem_node *node, struct mem_node *from_dir,
                                     const char *from, struct mem_node *to_dir, const char *to)
{
    struct mem_change *change = calloc(1, sizeof *change);
    if (!change) return NULL;
    mem_node_hold(node);
    change->node = node;
    int failure = from_dir ? set_place(&change->from, from_dir, from) : 0;
    if (!failure && to_dir) failure = set_place(&change->to, to_dir, to);
    if (!failure) return change;
    free_change(tree, change);
    return NULL;
}

static void append_change(struct mem_tree *tree, struct mem_change *change)
{
    if (tree->newest)
        tree->newest->next = change;
    else
        tree->oldest = change;
    tree->newest = change;
}

static bool same_place(const struct mem_place *a, const struct mem_place *b)
{
    return a->dir && a->dir == b->dir && strcmp(a->name, b->name) == 0;
}

/* Whether the order of the two matters. */
static bool touch_the_same(const struct mem_change *a, const struct mem_change *b)
{
    return a->node == b->node || same_place(&a->from, &b->from) || same_place(&a->from, &b->to) ||
           same_place(&a->to, &b->from) || same_place(&a->to, &b->to);
}

/* The disk takes the change. Memory for names is a must here: a world that lies is worth less than none. */
static void apply_change(struct mem_tree *tree, const struct mem_change *change)
{
    if (change->from.dir) {
        struct mem_entry *entry = find_name(&change->from.dir->durable, change->from.name);
        if (entry && entry->node == change->node) drop_entry(tree, &change->from.dir->durable, entry);
    }
    if (change->to.dir) {
        int failure = reserve_name(&change->to.dir->durable);
        if (failure) failure = reserve_name(&change->to.dir->durable); /* a simulation lets one allocation fail */
        char *name = strdup(change->to.name);
        invariant(!failure && name);
        set_name(tree, &change->to.dir->durable, name, change->node);
    }
}

/* Apply the chosen changes in order and take them from the list. */
static void settle_chosen(struct mem_tree *tree)
{
    struct mem_change **link = &tree->oldest, *newest = NULL;
    while (*link) {
        struct mem_change *change = *link;
        if (change->chosen) {
            *link = change->next;
            apply_change(tree, change);
            free_change(tree, change);
        } else {
            newest = change;
            link = &change->next;
        }
    }
    tree->newest = newest;
}

/* Choose what the chosen ones build on, until nothing more is found. */
static void choose_causes(struct mem_tree *tree)
{
    for (bool more = true; more;) {
        more = false;
        for (struct mem_change *early = tree->oldest; early; early = early->next)
            for (struct mem_change *late = early->next; late && !early->chosen; late = late->next)
                if (late->chosen && touch_the_same(early, late)) early->chosen = more = true;
    }
}

static bool settled_by(const struct mem_change *change, const struct mem_node *dir)
{
    return change->to.dir ? change->to.dir == dir : change->from.dir == dir;
}

static bool builds_on_lost(const struct mem_tree *tree, const struct mem_change *change)
{
    for (const struct mem_change *early = tree->oldest; early != change; early = early->next)
        if (early->lost && touch_the_same(early, change)) return true;
    return false;
}

void mem_tree_sync_dir(struct mem_tree *tree, struct mem_node *dir)
{
    bool any = false;
    for (struct mem_change *change = tree->oldest; change; change = change->next) {
        change->lost = change->lost || builds_on_lost(tree, change);
        change->chosen = !change->lost && settled_by(change, dir);
        any = any || change->chosen;
    }
    if (!any) return;
    choose_causes(tree);
    settle_chosen(tree);
}

void mem_tree_lose_dir(struct mem_tree *tree, struct mem_node *dir)
{
    for (struct mem_change *change = tree->oldest; change; change = change->next)
        if (settled_by(change, dir)) change->lost = true;
}

/* What programs see after a power cut is what the disk holds. */
static void take_durable(struct mem_tree *tree, struct mem_node *dir)
{
    struct mem_names copy = { 0 };
    for (size_t i = 0; i < dir->durable.count; i++) {
        int failure = reserve_name(&copy);
        char *name = strdup(dir->durable.list[i].name);
        invariant(!failure && name);
        set_name(tree, &copy, name, dir->durable.list[i].node);
    }
    drop_names(tree, &dir->now);
    dir->now = copy;
}

void mem_tree_cut(struct mem_tree *tree, unsigned keep_permille, struct prng *prng)
{
    for (struct mem_change *change = tree->oldest; change; change = change->next) {
        change->chosen = prng_chance(prng, keep_permille) && !change->lost;
        for (struct mem_change *early = tree->oldest; early != change && change->chosen; early = early->next)
            if (!early->chosen && touch_the_same(early, change)) change->chosen = false;
    }
    settle_chosen(tree);
    while (tree->oldest) {
        struct mem_change *change = tree->oldest;
        tree->oldest = change->next;
        free_change(tree, change);
    }
    tree->newest = NULL;
    for (struct mem_node *node = tree->first; node; node = node->after)
        mem_node_hold(node); /* none dies on the way */
    for (struct mem_node *node = tree->first; node; node = node->after) {
        if (node->is_dir)
            take_durable(tree, node);
        else
            mem_bytes_cut(&node->bytes, keep_permille, prng);
    }
    for (struct mem_node *node = tree->first, *next; node; node = next) {
        next = node->after; /* still held, so it outlives node */
        mem_node_release(tree, node);
    }
}

/* Paths. */

/* The next component: 0 and a name (empty at the end of the path), or an errno. */
static int next_component(const char **path, char name[NAME_BYTES])
{
    for (;;) {
        const char *at = *path;
        while (*at == '/')
            at++;
        size_t size = strcspn(at, "/");
        if (size >= NAME_BYTES) return ENAMETOOLONG;
        memcpy(name, at, size);
        name[size] = '\0';
        *path = at + size;
        if (strcmp(name, "..") == 0) return EINVAL;
        if (strcmp(name, ".") != 0) return 0;
    }
}

/* The directory that holds the last component, and that component: empty when the path is the root. A path that
 * leads through `forbidden` is EINVAL. */
static int find_parent(const struct mem_tree *tree, const char *path, const struct mem_node *forbidden,
                       struct mem_node **dir_out, char name[NAME_BYTES])
{
    char next[NAME_BYTES];
    struct mem_node *dir = tree->root;
    int failure = next_component(&path, name);
    while (!failure) {
        failure = next_component(&path, next);
        if (failure || next[0] == '\0') break;
        const struct mem_entry *entry = find_name(&dir->now, name);
        if (!entry) return ENOENT;
        if (!entry->node->is_dir) return ENOTDIR;
        if (entry->node == forbidden) return EINVAL;
        dir = entry->node;
        memcpy(name, next, sizeof next);
    }
    if (!failure) *dir_out = dir;
    return failure;
}

int mem_tree_find(const struct mem_tree *tree, const char *path, struct mem_node **node_out)
{
    struct mem_node *dir = NULL;
    char name[NAME_BYTES];
    if (path[0] == '\0') return ENOENT;
    int failure = find_parent(tree, path, NULL, &dir, name);
    if (failure) return failure;
    const struct mem_entry *entry = find_name(&dir->now, name);
    if (name[0] != '\0' && !entry) return ENOENT;
    *node_out = entry ? entry->node : tree->root;
    return 0;
}

int mem_tree_create(struct mem_tree *tree, const char *path, bool is_dir, struct mem_node **node_out)
{
    struct mem_node *dir = NULL;
    char name[NAME_BYTES];
    if (path[0] == '\0') return ENOENT;
    int failure = find_parent(tree, path, NULL, &dir, name);
    if (failure) return failure;
    if (name[0] == '\0' || find_name(&dir->now, name)) return EEXIST;
    failure = reserve_name(&dir->now);
    if (failure) return failure;
    char *copy = strdup(name);
    struct mem_node *node = copy ? new_node(tree, is_dir) : NULL;
    if (!node) {
        free(copy);
        return ENOMEM;
    }
    mem_node_hold(node);
    struct mem_change *change = new_change(tree, node, NULL, NULL, dir, name);
    if (change) {
        set_name(tree, &dir->now, copy, node);
        append_change(tree, change);
        *node_out = node;
    } else {
        free(copy);
        failure = ENOMEM;
    }
    mem_node_release(tree, node);
    return failure;
}

/* Whether node may take the place of what stands there now. */
static int check_replace(const struct mem_node *node, const struct mem_node *there)
{
    if (node->is_dir && !there->is_dir) return ENOTDIR;
    if (!node->is_dir && there->is_dir) return EISDIR;
    return there->is_dir && there->now.count > 0 ? ENOTEMPTY : 0;
}

int mem_tree_rename(struct mem_tree *tree, const char *from, const char *to)
{
    struct mem_node *from_dir = NULL, *to_dir = NULL;
    char from_name[NAME_BYTES], to_name[NAME_BYTES];
    int failure = find_parent(tree, from, NULL, &from_dir, from_name);
    if (failure) return failure;
    const struct mem_entry *entry = find_name(&from_dir->now, from_name);
    if (!entry) return from_name[0] == '\0' ? EBUSY : ENOENT;
    struct mem_node *node = entry->node;
    failure = find_parent(tree, to, node, &to_dir, to_name); /* a directory can't go into itself */
    if (failure) return failure;
    if (to_name[0] == '\0') return to[0] == '\0' ? ENOENT : EBUSY;
    const struct mem_entry *there = find_name(&to_dir->now, to_name);
    if (there && there->node == node) return 0;
    if (there) failure = check_replace(node, there->node);
    if (!failure) failure = reserve_name(&to_dir->now);
    if (failure) return failure;
    char *copy = strdup(to_name);
    struct mem_change *change = copy ? new_change(tree, node, from_dir, from_name, to_dir, to_name) : NULL;
    if (!change) {
        free(copy);
        return ENOMEM;
    }
    set_name(tree, &to_dir->now, copy, node);
    drop_entry(tree, &from_dir->now, find_name(&from_dir->now, from_name)); /* where it is may have moved */
    append_change(tree, change);
    return 0;
}

int mem_tree_remove(struct mem_tree *tree, const char *path)
{
    struct mem_node *dir = NULL;
    char name[NAME_BYTES];
    int failure = find_parent(tree, path, NULL, &dir, name);
    if (failure) return failure;
    struct mem_entry *entry = find_name(&dir->now, name);
    if (!entry) return name[0] == '\0' && path[0] != '\0' ? EBUSY : ENOENT;
    if (entry->node->is_dir && entry->node->now.count > 0) return ENOTEMPTY;
    struct mem_change *change = new_change(tree, entry->node, dir, name, NULL, NULL);
    if (!change) return ENOMEM;
    append_change(tree, change);
    drop_entry(tree, &dir->now, entry);
    return 0;
}

int mem_tree_init(struct mem_tree *tree)
{
    *tree = (struct mem_tree){ 0 };
    tree->root = new_node(tree, true);
    if (!tree->root) return ENOMEM;
    mem_node_hold(tree->root);
    return 0;
}

void mem_tree_deinit(struct mem_tree *tree)
{
    for (struct mem_change *change = tree->oldest, *next; change; change = next) {
        next = change->next;
        free(change->from.name);
        free(change->to.name);
        free(change);
    }
    for (struct mem_node *node = tree->first, *next; node; node = next) {
        next = node->after;
        for (size_t i = 0; i < node->now.count; i++)
            free(node->now.list[i].name);
        for (size_t i = 0; i < node->durable.count; i++)
            free(node->durable.list[i].name);
        free(node->now.list);
        free(node->durable.list);
        mem_bytes_deinit(&node->bytes);
        free(node);
    }
    *tree = (struct mem_tree){ 0 };
}
