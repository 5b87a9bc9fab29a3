/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host_mem.h"
#include "base/check.h"
#include "base/prng.h"
#include "base/slice.h"
#include "host/mem_tree.h"
#include "host/os_errno.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALL_KINDS = HOST_MEM_BOOT_ID + 1,
    LIE_KINDS = HOST_MEM_ASTRAY + 1,
    LIE_DIR_BYTES = 64,
    FIRST_PROCESS_ID = 1000
};

/* Where every world begins, so that no run depends on the day it is made. */
static const int64_t first_wall_us = INT64_C(1000000000000000); /* 2001-09-09T01:46:40Z */
static const uint64_t first_monotonic_ns = 1000000000u;

struct fault {
    uint64_t calls_left; /* the call that brings it to 0 fails; 0: switched off */
    int os_errno;
    bool for_ever;
};

struct mapping {
    struct mapping *next;
    const uint8_t *data;
    struct mem_node *node; /* a reference */
};

struct world {
    struct host base;     /* first: a host is the same address */
    pthread_mutex_t lock; /* over all that follows */
    struct mem_tree tree;
    struct mapping *mappings;
    struct prng secrets; /* for host_random() */
    struct prng fate;    /* what survives a cut, how much of a failed write gets through */
    struct steme_hash boot_id;
    uint64_t life; /* goes up with every kill and power cut: handles of an earlier life are dead */
    int64_t wall_us;
    uint64_t wall_rest_ns; /* below a microsecond */
    uint64_t monotonic_ns;
    uint64_t calls[CALL_KINDS], struck[CALL_KINDS];
    uint64_t calls_to_stop; /* 0: it goes on */
    bool stopped;
    bool watched; /* host_mem_look_on() */
    struct fault faults[CALL_KINDS];
    uint64_t calls_to_lie[LIE_KINDS]; /* the call that brings it to 0 is lied about; 0: none */
    uint64_t lies[LIE_KINDS];
    char lie_dir[LIE_DIR_BYTES]; /* where writes go astray to */
    struct host_mem_landing landing;
};

struct mem_file {
    struct host_file base; /* first: a host_file is the same address */
    struct mem_node *node; /* a reference */
    uint64_t life;
    bool writable;
};

static struct world *world_of(struct host *host) { return (struct world *)host; }

static struct mem_file *file_of(struct host_file *file) { return (struct mem_file *)file; }

static struct world *enter(struct host *host)
{
    struct world *world = world_of(host);
    int result = pthread_mutex_lock(&world->lock);
    invariant(result == 0);
    return world;
}

static void leave(struct world *world)
{
    int result = pthread_mutex_unlock(&world->lock);
    invariant(result == 0);
}

/* Whether this call of that kind is to fail: its errno, or 0. */
static int strike(struct world *world, enum host_mem_call call)
{
    const enum host_mem_call slots[2] = { call, HOST_MEM_ANY };
    int os_errno = 0;
    if (world->watched) return 0;
    if (world->calls_to_stop && --world->calls_to_stop == 0) world->stopped = true;
    if (world->stopped) return EIO;
    for (size_t i = 0; i < 2; i++) {
        struct fault *fault = &world->faults[slots[i]];
        world->calls[slots[i]]++;
        if (fault->calls_left == 0 || --fault->calls_left > 0) continue;
        if (!os_errno) os_errno = fault->os_errno;
        if (fault->for_ever) fault->calls_left = 1;
    }
    if (os_errno) {
        world->struck[call]++;
        world->struck[HOST_MEM_ANY]++;
    }
    return os_errno;
}

static bool lies_now(struct world *world, enum host_mem_lie lie)
{
    if (world->watched || !world->calls_to_lie[lie] || --world->calls_to_lie[lie]) return false;
    world->lies[lie]++;
    return true;
}

/* Whether a call on this file is to fail: its handle may have died. */
static int check_file(const struct world *world, const struct mem_file *file, bool writing)
{
    if (file->life != world->life) return EIO;
    return writing && !file->writable ? EBADF : 0;
}

static steme_status report_file(struct steme_error *err, int os_errno, bool writing, const char *verb,
                                const struct mem_file *file)
{
    if (!os_errno) return STEME_OK;
    return error_set_os(err, os_errno_status(os_errno, writing), os_errno, "can't %s file %llu in memory", verb,
                        (unsigned long long)file->node->number);
}

static steme_status report_path(struct steme_error *err, int os_errno, bool writing, const char *verb, const char *path)
{
    if (!os_errno) return STEME_OK;
    return error_set_os(err, os_errno_status(os_errno, writing), os_errno, "can't %s %s in memory", verb, path);
}

/* The file at path, made if the flags say so. */
static int find_file(struct world *world, const char *path, unsigned flags, struct mem_node **node_out)
{
    int failure = mem_tree_find(&world->tree, path, node_out);
    if (failure == ENOENT && (flags & HOST_CREATE)) return mem_tree_create(&world->tree, path, false, node_out);
    if (failure) return failure;
    if (flags & HOST_EXCLUSIVE) return EEXIST;
    return (*node_out)->is_dir ? EISDIR : 0;
}

static steme_status open_file(struct host *host, const char *path, unsigned flags, struct host_file **file_out,
                              struct steme_error *err)
{
    struct mem_file *file = malloc(sizeof *file);
    struct mem_node *node = NULL;
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_OPEN);
    if (!failure && !file) failure = ENOMEM;
    if (!failure) failure = find_file(world, path, flags, &node);
    if (!failure) {
        mem_node_hold(node);
        *file = (struct mem_file){ { host }, node, world->life, (flags & HOST_WRITE) != 0 };
    }
    leave(world);
    if (failure)
        free(file);
    else
        *file_out = &file->base;
    return report_path(err, failure, (flags & HOST_WRITE) != 0, "open", path);
}

static void close_file(struct host_file *base)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    if (file->node->lock_holder == file) file->node->lock_holder = NULL;
    mem_node_release(&world->tree, file->node);
    leave(world);
    free(file);
}

static steme_status read_at(struct host_file *base, uint64_t offset, void *to, size_t size, size_t *got_out,
                            struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_READ);
    if (!failure) failure = check_file(world, file, false);
    if (!failure) *got_out = mem_bytes_read(&file->node->bytes, offset, to, size);
    if (!failure && *got_out && lies_now(world, HOST_MEM_TURNED)) {
        uint64_t bit = prng_below(&world->fate, 8 * (uint64_t)*got_out);
        ((uint8_t *)to)[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    leave(world);
    return report_file(err, failure, false, "read", file);
}

/* Write the pieces, but at most `most` bytes of them. */
static int write_pieces(struct mem_bytes *bytes, uint64_t offset, const struct steme_slice *pieces, size_t count,
                        uint64_t most)
{
    for (size_t i = 0; i < count && most > 0; i++) {
        struct steme_slice piece = pieces[i];
        if (piece.size > most) piece.size = (size_t)most;
        int failure = mem_bytes_write(bytes, offset, piece);
        if (failure) return failure;
        offset += piece.size;
        most -= piece.size;
    }
    return 0;
}

/* A file of the directory where writes go astray to; NULL when there is none. */
static struct mem_node *stray_file(struct world *world)
{
    struct mem_node *dir = NULL;
    world->landing = (struct host_mem_landing){ 0 };
    if (mem_tree_find(&world->tree, world->lie_dir, &dir) || !dir->is_dir || !dir->now.count) return NULL;
    const struct mem_entry *entry = &dir->now.list[prng_below(&world->fate, dir->now.count)];
    if (entry->node->is_dir || !entry->node->bytes.size) return NULL;
    int length = snprintf(world->landing.name, sizeof world->landing.name, "%s", entry->name);
    invariant(length > 0 && (size_t)length < sizeof world->landing.name);
    return entry->node;
}

/* The write has been made: have the disk forget it, or do it in another place. */
static int lie_about_write(struct world *world, struct mem_node *node, uint64_t offset,
                           const struct steme_slice *pieces, size_t count)
{
    bool astray = lies_now(world, HOST_MEM_ASTRAY), lost = lies_now(world, HOST_MEM_LOST);
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    if (astray || lost) mem_bytes_forget(&node->bytes, offset, offset + size);
    struct mem_node *other = astray ? stray_file(world) : NULL;
    if (!other) return 0;
    uint64_t at = prng_below(&world->fate, (other->bytes.size + MEM_BYTES_PIECE - 1) / MEM_BYTES_PIECE) *
                  MEM_BYTES_PIECE;
    int failure = 0;
    world->landing.from = at;
    world->landing.to = at + size;
    for (size_t i = 0; i < count && !failure; i++) {
        failure = mem_bytes_misplace(&other->bytes, at, pieces[i]);
        at += pieces[i].size;
    }
    return failure;
}

static steme_status write_at(struct host_file *base, uint64_t offset, const struct steme_slice *pieces, size_t count,
                             struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    bool stopped = world->stopped; /* before this call: then nothing of it gets through */
    int struck = strike(world, HOST_MEM_WRITE);
    int failure = stopped ? EIO : check_file(world, file, true);
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    if (!failure && struck) size = prng_below(&world->fate, size + 1);
    if (!failure) failure = write_pieces(&file->node->bytes, offset, pieces, count, size);
    if (!failure && !struck) failure = lie_about_write(world, file->node, offset, pieces, count);
    if (struck) failure = struck;
    leave(world);
    return report_file(err, failure, true, "write", file);
}

static steme_status sync_file(struct host_file *base, struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int struck = strike(world, HOST_MEM_SYNC);
    int failure = check_file(world, file, false);
    if (!failure && struck && !world->stopped)
        mem_bytes_lose(&file->node->bytes);
    else if (!failure && !struck)
        mem_bytes_sync(&file->node->bytes);
    if (struck) failure = struck;
    leave(world);
    return report_file(err, failure, true, "sync", file);
}

static steme_status file_size(struct host_file *base, uint64_t *size_out, struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_SIZE);
    if (!failure) failure = check_file(world, file, false);
    if (!failure) *size_out = file->node->bytes.size;
    leave(world);
    return report_file(err, failure, false, "examine", file);
}

static steme_status truncate_file(struct host_file *base, uint64_t size, struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_TRUNCATE);
    if (!failure) failure = check_file(world, file, true);
    if (!failure) failure = mem_bytes_resize(&file->node->bytes, size);
    leave(world);
    return report_file(err, failure, true, "truncate", file);
}

static steme_status allocate_file(struct host_file *base, uint64_t size, struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_ALLOCATE);
    if (!failure) failure = check_file(world, file, true);
    if (!failure && size > file->node->bytes.size) failure = mem_bytes_resize(&file->node->bytes, size);
    leave(world);
    return report_file(err, failure, true, "reserve blocks for", file);
}

static steme_status map_file(struct host_file *base, uint64_t size, const uint8_t **data_out, struct steme_error *err)
{
    (void)size; /* host_map() has seen that the file is that long, and all of it has an address */
    struct mem_file *file = file_of(base);
    struct mapping *mapping = malloc(sizeof *mapping);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_MAP);
    if (!failure) failure = check_file(world, file, false);
    if (!failure && !mapping) failure = ENOMEM;
    const uint8_t *data = NULL;
    if (!failure) failure = mem_bytes_map(&file->node->bytes, &data);
    if (!failure) {
        mem_node_hold(file->node);
        *mapping = (struct mapping){ world->mappings, data, file->node };
        world->mappings = mapping;
        *data_out = data;
    }
    leave(world);
    if (failure) free(mapping);
    return report_file(err, failure, false, "map", file);
}

static void unmap_file(struct host *host, const uint8_t *data, uint64_t size)
{
    (void)size;
    struct world *world = enter(host);
    struct mapping **link = &world->mappings;
    while (*link && (*link)->data != data)
        link = &(*link)->next;
    struct mapping *mapping = *link;
    invariant(mapping); /* unmapped what was never mapped, or twice */
    *link = mapping->next;
    mem_node_release(&world->tree, mapping->node);
    leave(world);
    free(mapping);
}

static steme_status lock_file(struct host_file *base, struct steme_error *err)
{
    struct mem_file *file = file_of(base);
    struct world *world = enter(base->host);
    int failure = strike(world, HOST_MEM_LOCK);
    if (!failure) failure = check_file(world, file, false);
    const struct mem_file *holder = file->node->lock_holder;
    bool held = holder && holder != file && holder->life == world->life;
    if (!failure && !held) file->node->lock_holder = file;
    leave(world);
    if (!failure && held) return error_set_os(err, STEME_LOCKED, EWOULDBLOCK, "somebody else holds the lock");
    return report_file(err, failure, false, "lock", file);
}

static steme_status stat_path(struct host *host, const char *path, struct host_stat *out, struct steme_error *err)
{
    struct mem_node *node = NULL;
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_STAT);
    if (!failure) failure = mem_tree_find(&world->tree, path, &node);
    if (!failure)
        *out = (struct host_stat){ .kind = node->is_dir ? HOST_KIND_DIR : HOST_KIND_FILE,
                                   .size_bytes = node->bytes.size,
                                   .device = 1,
                                   .inode = node->number };
    leave(world);
    return report_path(err, failure, false, "examine", path);
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct host_entry *)a)->name, ((const struct host_entry *)b)->name);
}

/* The entries in the arena, sorted; NULL when it is full. */
static struct host_entry *copy_entries(const struct mem_names *names, struct arena *arena)
{
    struct host_entry *entries = arena_calloc(arena, names->count, sizeof *entries);
    for (size_t i = 0; entries && i < names->count; i++) {
        struct steme_slice name = arena_copy(arena, slice_text(names->list[i].name));
        if (!name.data) return NULL;
        entries[i].name = (const char *)name.data;
        entries[i].kind = names->list[i].node->is_dir ? HOST_KIND_DIR : HOST_KIND_FILE;
    }
    if (entries) qsort(entries, names->count, sizeof *entries, compare_entries);
    return entries;
}

static steme_status list_dir(struct host *host, const char *path, struct arena *arena, struct host_entry **entries_out,
                             size_t *count_out, struct steme_error *err)
{
    struct mem_node *dir = NULL;
    struct host_entry *entries = NULL;
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_LIST);
    if (!failure) failure = mem_tree_find(&world->tree, path, &dir);
    if (!failure && !dir->is_dir) failure = ENOTDIR;
    if (!failure) entries = copy_entries(&dir->now, arena);
    if (entries) {
        *entries_out = entries;
        *count_out = dir->now.count;
    }
    leave(world);
    if (!failure && !entries) return arena_full(arena, err);
    return report_path(err, failure, false, "list", path);
}

static steme_status make_dir(struct host *host, const char *path, struct steme_error *err)
{
    struct mem_node *node = NULL;
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_MAKE_DIR);
    if (!failure) failure = mem_tree_create(&world->tree, path, true, &node);
    leave(world);
    return report_path(err, failure, true, "make the directory", path);
}

static steme_status sync_dir(struct host *host, const char *path, struct steme_error *err)
{
    struct mem_node *dir = NULL;
    struct world *world = enter(host);
    int struck = strike(world, HOST_MEM_SYNC_DIR);
    int failure = mem_tree_find(&world->tree, path, &dir);
    if (!failure && !dir->is_dir) failure = ENOTDIR;
    if (!failure && struck && !world->stopped)
        mem_tree_lose_dir(&world->tree, dir);
    else if (!failure && !struck)
        mem_tree_sync_dir(&world->tree, dir);
    if (struck) failure = struck;
    leave(world);
    return report_path(err, failure, true, "sync the directory", path);
}

static steme_status rename_path(struct host *host, const char *from, const char *to, struct steme_error *err)
{
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_RENAME);
    if (!failure) failure = mem_tree_rename(&world->tree, from, to);
    leave(world);
    return report_path(err, failure, true, "rename", from);
}

static steme_status remove_path(struct host *host, const char *path, struct steme_error *err)
{
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_REMOVE);
    if (!failure) failure = mem_tree_remove(&world->tree, path);
    leave(world);
    return report_path(err, failure, true, "remove", path);
}

static int64_t wall_us(struct host *host)
{
    struct world *world = enter(host);
    int64_t now = world->wall_us;
    leave(world);
    return now;
}

static uint64_t monotonic_ns(struct host *host)
{
    struct world *world = enter(host);
    uint64_t now = world->monotonic_ns;
    leave(world);
    return now;
}

static steme_status random_bytes(struct host *host, void *to, size_t size, struct steme_error *err)
{
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_RANDOM);
    if (!failure) prng_fill(&world->secrets, to, size);
    leave(world);
    return report_path(err, failure, false, "get random bytes from", "the system");
}

static steme_status boot_id(struct host *host, struct steme_hash *out, struct steme_error *err)
{
    struct world *world = enter(host);
    int failure = strike(world, HOST_MEM_BOOT_ID);
    if (!failure) *out = world->boot_id;
    leave(world);
    return report_path(err, failure, false, "read", "the boot id");
}

static int64_t process_id(struct host *host)
{
    struct world *world = enter(host);
    int64_t id = FIRST_PROCESS_ID + (int64_t)world->life;
    leave(world);
    return id;
}

static const struct host_ops mem_ops = {
    .open = open_file,
    .close = close_file,
    .read_at = read_at,
    .write_at = write_at,
    .sync = sync_file,
    .size = file_size,
    .truncate = truncate_file,
    .allocate = allocate_file,
    .map = map_file,
    .unmap = unmap_file,
    .lock = lock_file,
    .stat = stat_path,
    .list = list_dir,
    .make_dir = make_dir,
    .sync_dir = sync_dir,
    .rename = rename_path,
    .remove = remove_path,
    .wall_us = wall_us,
    .monotonic_ns = monotonic_ns,
    .random = random_bytes,
    .boot_id = boot_id,
    .process_id = process_id,
};

struct host *host_mem_new(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    if (!world) return NULL;
    if (mem_tree_init(&world->tree) || pthread_mutex_init(&world->lock, NULL)) {
        mem_tree_deinit(&world->tree);
        free(world);
        return NULL;
    }
    struct prng prng = { seed };
    world->base.ops = &mem_ops;
    world->secrets = prng_fork(&prng);
    world->fate = prng_fork(&prng);
    world->wall_us = first_wall_us;
    world->monotonic_ns = first_monotonic_ns;
    prng_fill(&world->fate, world->boot_id.bytes, sizeof world->boot_id.bytes);
    return &world->base;
}

void host_mem_free(struct host *host)
{
    if (!host) return;
    struct world *world = world_of(host);
    invariant(!world->mappings);
    mem_tree_deinit(&world->tree);
    pthread_mutex_destroy(&world->lock);
    free(world);
}

/* The process is gone: its handles are dead. */
static void end_life(struct world *world)
{
    world->life++;
    world->stopped = false;
    world->calls_to_stop = 0;
}

void host_mem_power_cut(struct host *host, unsigned keep_permille)
{
    invariant(keep_permille <= 1000);
    struct world *world = enter(host);
    end_life(world);
    mem_tree_cut(&world->tree, keep_permille, &world->fate);
    prng_fill(&world->fate, world->boot_id.bytes, sizeof world->boot_id.bytes);
    leave(world);
}

void host_mem_kill(struct host *host)
{
    struct world *world = enter(host);
    end_life(world);
    leave(world);
}

void host_mem_stop(struct host *host, uint64_t nth)
{
    struct world *world = enter(host);
    world->calls_to_stop = nth;
    leave(world);
}

bool host_mem_stopped(struct host *host)
{
    struct world *world = enter(host);
    bool stopped = world->stopped;
    leave(world);
    return stopped;
}

void host_mem_set_wall_us(struct host *host, int64_t now)
{
    struct world *world = enter(host);
    world->wall_us = now;
    leave(world);
}

void host_mem_advance_ns(struct host *host, uint64_t ns)
{
    struct world *world = enter(host);
    world->monotonic_ns += ns;
    world->wall_rest_ns += ns % 1000;
    world->wall_us += (int64_t)(ns / 1000 + world->wall_rest_ns / 1000);
    world->wall_rest_ns %= 1000;
    leave(world);
}

void host_mem_fail(struct host *host, enum host_mem_call call, uint64_t nth, int os_errno, bool for_ever)
{
    invariant(os_errno > 0 || nth == 0);
    struct world *world = enter(host);
    if (nth == 0)
        memset(world->faults, 0, sizeof world->faults);
    else
        world->faults[call] = (struct fault){ nth, os_errno, for_ever };
    leave(world);
}

void host_mem_look_on(struct host *host, bool looking)
{
    struct world *world = enter(host);
    world->watched = looking;
    leave(world);
}

uint64_t host_mem_calls(struct host *host, enum host_mem_call call)
{
    struct world *world = enter(host);
    uint64_t calls = world->calls[call];
    leave(world);
    return calls;
}

uint64_t host_mem_struck(struct host *host, enum host_mem_call call)
{
    struct world *world = enter(host);
    uint64_t struck = world->struck[call];
    leave(world);
    return struck;
}

void host_mem_lie(struct host *host, enum host_mem_lie lie, uint64_t nth, const char *dir)
{
    struct world *world = enter(host);
    world->calls_to_lie[lie] = nth;
    if (dir) {
        size_t length = strlen(dir);
        invariant(length < sizeof world->lie_dir);
        memcpy(world->lie_dir, dir, length + 1);
    }
    leave(world);
}

uint64_t host_mem_lies(struct host *host, enum host_mem_lie lie)
{
    struct world *world = enter(host);
    uint64_t lies = world->lies[lie];
    leave(world);
    return lies;
}

struct host_mem_landing host_mem_landing(struct host *host)
{
    struct world *world = enter(host);
    struct host_mem_landing landing = world->landing;
    leave(world);
    return landing;
}

steme_status host_mem_poke(struct host *host, const char *path, uint64_t offset, struct steme_slice bytes,
                           struct steme_error *err)
{
    struct mem_node *node = NULL;
    struct world *world = enter(host);
    int failure = find_file(world, path, HOST_READ, &node);
    if (!failure) failure = mem_bytes_poke(&node->bytes, offset, bytes);
    leave(world);
    if (failure == EINVAL)
        return error_set(err, STEME_BAD_INPUT, "%zu bytes at offset %llu are not inside %s", bytes.size,
                         (unsigned long long)offset, path);
    return report_path(err, failure, true, "change bytes of", path);
}

steme_status host_mem_shorten(struct host *host, const char *path, uint64_t size, struct steme_error *err)
{
    struct mem_node *node = NULL;
    struct world *world = enter(host);
    int failure = find_file(world, path, HOST_READ, &node);
    if (!failure && size > node->bytes.size) failure = EINVAL;
    if (!failure) failure = mem_bytes_resize(&node->bytes, size);
    if (!failure) mem_bytes_sync(&node->bytes);
    leave(world);
    if (failure == EINVAL)
        return error_set(err, STEME_BAD_INPUT, "%s is shorter than %llu bytes", path, (unsigned long long)size);
    return report_path(err, failure, true, "shorten", path);
}
