/* SPDX-License-Identifier: Apache-2.0 */
/* What only lmdb has to show of its files: opening, damage. Its map, handles and processes are in test_kv_lmdb_map.c,
 * what it shares with every ordered store is in tests/contract. */
#define _GNU_SOURCE /* unshare */
#include "base/check.h"
#include "base/codec.h"
#include "base/slice.h"
#include "lib/kv_testing.h"
#include "lib/testing.h"
#include "spine/kv_lmdb_internal.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTHING slice_of(NULL, 0)

static struct steme_error err;

static struct steme_slice read_all(const char *path)
{
    struct host_file *file = NULL;
    uint64_t size = 0;
    size_t got = 0;
    assert_status(host_open(host_posix(), path, HOST_READ, &file, &err), STEME_OK, &err, path);
    assert_status(host_size(file, &size, &err), STEME_OK, &err, path);
    uint8_t *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    assert_status(host_read_at(file, 0, bytes, size, &got, &err), STEME_OK, &err, path);
    host_close(&file);
    return slice_of(bytes, got);
}

static void write_all(const char *path, struct steme_slice bytes)
{
    struct host_file *file = NULL;
    assert_status(host_open(host_posix(), path, HOST_WRITE | HOST_CREATE, &file, &err), STEME_OK, &err, path);
    assert_status(host_truncate(file, 0, &err), STEME_OK, &err, path);
    if (bytes.size) assert_status(host_write_at(file, 0, &bytes, 1, &err), STEME_OK, &err, path);
    host_close(&file);
}

/* --- Opening ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    const char *data; /* bytes of data.mdb; NULL: there is none */
    size_t size;
    unsigned how;
    steme_status want;
} files[] = {
    { "nothing there, not to be made", NULL, 0, KV_TESTING_PLAIN, STEME_NOT_FOUND },
    { "nothing there, only to be read", NULL, 0, KV_TESTING_READ_ONLY, STEME_NOT_FOUND },
    { "nothing there, to be made", NULL, 0, KV_TESTING_CREATE, STEME_OK },
    { "to be made and only read", NULL, 0, KV_TESTING_CREATE | KV_TESTING_READ_ONLY, STEME_BAD_INPUT },
    { "an empty file to be made", "", 0, KV_TESTING_CREATE, STEME_OK },
    { "an empty file", "", 0, KV_TESTING_PLAIN, STEME_CORRUPT },
    { "an empty file to be read", "", 0, KV_TESTING_READ_ONLY, STEME_CORRUPT },
    { "one byte", "x", 1, KV_TESTING_CREATE, STEME_CORRUPT },
    { "a text", "this is no database, but it is a text of some length", 52, KV_TESTING_CREATE, STEME_CORRUPT },
};

static void opening_judges_what_is_there(void **state)
{
    for (size_t i = 0; i < countof(files); i++) {
        struct kv *kv = NULL;
        char *dir = testing_join(*state, "index"), *path = testing_join(dir, "data.mdb");
        if (files[i].data) {
            assert_status(host_make_dir(host_posix(), dir, &err), STEME_OK, &err, dir);
            write_all(path, slice_of(files[i].data, files[i].size));
        }
        err = (struct steme_error){ 0 };
        steme_status status = kv_testing_open(dir, files[i].how, 0, &kv, &err);
        assert_status(status, files[i].want, &err, files[i].name);
        if (status) {
            assert_row(err.status == status && err.message[0], files[i].name);
            assert_row(kv == NULL, files[i].name);
        } else {
            kv_pairs_load(kv, 0, 10, 20);
            kv_close(&kv);
            kv = kv_testing_lmdb(dir, KV_TESTING_READ_ONLY);
            assert_int_equal(kv_pairs_in(kv), 10);
            kv_close(&kv);
        }
        free(path);
        if (access(dir, F_OK) == 0)
            testing_remove_temporary(dir);
        else
            free(dir);
    }
}

static void a_directory_without_a_name_is_refused(void **state)
{
    (void)state;
    struct kv *kv = NULL;
    assert_int_equal(kv_testing_open(NULL, KV_TESTING_CREATE, 0, &kv, &err), STEME_BAD_INPUT);
    assert_int_equal(kv_testing_open("", KV_TESTING_CREATE, 0, &kv, &err), STEME_BAD_INPUT);
}

static void a_directory_in_no_directory_is_not_found(void **state)
{
    struct kv *kv = NULL;
    char *dir = testing_join(*state, "no/such");
    assert_int_equal(kv_testing_open(dir, KV_TESTING_CREATE, 0, &kv, &err), STEME_NOT_FOUND);
    free(dir);
}

static void what_is_opened_for_reading_is_not_written(void **state)
{
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    struct kv_txn *txn = NULL;
    kv_pairs_load(kv, 0, 10, 20);
    kv_close(&kv);
    kv = kv_testing_lmdb(*state, KV_TESTING_READ_ONLY);
    assert_int_equal(kv_begin(kv, KV_WRITE, &txn, &err), STEME_READ_ONLY);
    assert_null(txn);
    assert_int_equal(kv_sync(kv, &err), STEME_READ_ONLY);
    assert_int_equal(kv_sync(kv, &err), STEME_READ_ONLY); /* and not SEALED: nothing has failed */
    assert_int_equal(kv_pairs_in(kv), 10);
    kv_close(&kv);
}

static int open_as_nobody(void *context)
{
    struct kv *kv = NULL;
    if (geteuid() == 0 && (setgid(65534) || setuid(65534))) return 99;
    return (int)kv_testing_open(context, KV_TESTING_READ_ONLY, 0, &kv, &err);
}

static void a_lock_file_that_may_not_be_written_is_said_so(void **state)
{
    const char *dir = *state;
    struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_CREATE);
    kv_close(&kv);
    char *lock = testing_join(dir, "lock.mdb");
    assert_int_equal(chmod(lock, 0444), 0);
    assert_int_equal(chmod(dir, 0555), 0);
    assert_int_equal(kv_testing_child(open_as_nobody, *state), STEME_READ_ONLY);
    assert_int_equal(chmod(dir, 0755), 0);
    free(lock);
}

enum { NO_PERMISSION = 77 };

/* The directory, read-only in a world of this process's own. */
static int read_where_nothing_can_be_written(void *context)
{
    const char *dir = context;
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    uint64_t count = 0;
    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL)) return NO_PERMISSION;
    if (mount(dir, dir, "none", MS_BIND, NULL)) return NO_PERMISSION;
    if (mount("none", dir, "none", MS_BIND | MS_REMOUNT | MS_RDONLY, NULL)) return NO_PERMISSION;
    if (kv_testing_open(dir, KV_TESTING_PLAIN, 0, &kv, &err) != STEME_READ_ONLY) return 1;
    if (kv_testing_open(dir, KV_TESTING_READ_ONLY, 0, &kv, &err)) return 2;
    if (kv_begin(kv, KV_READ, &txn, &err) || kv_pairs_count(txn, &count, &err) || count != 100) return 3;
    kv_abort(&txn);
    kv_close(&kv);
    return 0;
}

static void a_file_system_that_is_read_only_is_enough_to_read(void **state)
{
    char *lock = testing_join(*state, "lock.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 100, 50);
    kv_close(&kv);
    int with_lock = kv_testing_child(read_where_nothing_can_be_written, *state);
    assert_int_equal(unlink(lock), 0);
    int without = kv_testing_child(read_where_nothing_can_be_written, *state);
    free(lock);
    if (with_lock == NO_PERMISSION) skip();
    assert_int_equal(with_lock, 0);
    assert_int_equal(without, 0);
}

/* --- Damage ------------------------------------------------------------------------------------------------------- */

struct damaged {
    const char *dir;
    unsigned how;
};

enum { SOUND = 0, SAID_CORRUPT = 1, SAID_ELSE = 2 };

static int open_and_read(void *context)
{
    const struct damaged *damaged = context;
    struct kv *kv = NULL;
    struct kv_txn *txn = NULL;
    uint64_t count = 0;
    steme_status status = kv_testing_open(damaged->dir, damaged->how, 0, &kv, &err);
    if (!status) status = kv_begin(kv, KV_READ, &txn, &err);
    if (!status) status = kv_pairs_count(txn, &count, &err);
    kv_abort(&txn);
    kv_close(&kv);
    if (status && status != STEME_CORRUPT) fprintf(stderr, "%s: %s\n", steme_status_name(status), err.message);
    return status == STEME_OK ? SOUND : status == STEME_CORRUPT ? SAID_CORRUPT : SAID_ELSE;
}

static void a_file_cut_anywhere_is_corrupt_or_whole_and_kills_nobody(void **state)
{
    enum { STEP = 512, LEAST_CASES = 100 };
    char *path = testing_join(*state, "data.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    for (uint64_t i = 0; i < 4; i++)
        kv_pairs_load(kv, 20 * i, 20, 700);
    kv_close(&kv);
    struct steme_slice whole = read_all(path);
    assert_true(whole.size >= STEP * LEAST_CASES);
    for (unsigned how = KV_TESTING_PLAIN; how <= KV_TESTING_READ_ONLY; how += KV_TESTING_READ_ONLY) {
        struct damaged damaged = { *state, how };
        assert_int_equal(kv_testing_child(open_and_read, &damaged), SOUND);
        size_t sound = 0;
        for (size_t size = 0; size < whole.size; size += STEP) {
            write_all(path, slice_of(whole.data, size));
            int answer = kv_testing_child(open_and_read, &damaged);
            if (answer == SOUND) sound++;
            if (answer == SOUND || answer == SAID_CORRUPT) continue;
            print_error("cut to %zu bytes: %d\n", size, answer);
            fail();
        }
        assert_int_equal(sound, 0); /* this file ends with a page in use */
        write_all(path, whole);
    }
    testing_free(whole);
    free(path);
}

/* Of a large file the leaves are not looked at when it is opened: its length alone tells. */
static void a_large_file_cut_by_half_a_page_is_corrupt(void **state)
{
    enum { ROWS = 700, LOADS = 36, LARGE_BYTES = 17 << 20, CUT_BYTES = 2048 };
    char *path = testing_join(*state, "data.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    for (uint64_t i = 0; i < LOADS; i++)
        kv_pairs_load(kv, ROWS * i, ROWS, 700);
    kv_close(&kv);
    struct damaged damaged = { *state, KV_TESTING_PLAIN };
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    uint64_t size = (uint64_t)stat_now.st_size;
    assert_true(size > LARGE_BYTES);
    assert_int_equal(kv_testing_child(open_and_read, &damaged), SOUND);
    assert_int_equal(truncate(path, (off_t)(size - CUT_BYTES)), 0);
    assert_int_equal(kv_testing_child(open_and_read, &damaged), SAID_CORRUPT);
    free(path);
}

/* Where things are in LMDB's meta pages; see kv_lmdb_file.c. */
enum { PAGE = 4096, FLAGS = 10, MAGIC = 16, VERSION = 20, PAGE_BYTES = 40, MAIN = 88, DEPTH = 94, ROOT = 128 };
enum { LAST_PAGE = 136, TXNID = 144 };

static size_t newer_meta(const uint8_t *file)
{
    return load_u64(file + TXNID) < load_u64(file + PAGE + TXNID) ? PAGE : 0;
}

static const struct {
    const char *name;
    size_t at;
    uint64_t value;
    size_t bytes;
} headers[] = {
    { "no meta page", FLAGS, 0, 2 },
    { "another magic", MAGIC, 0xBEEFC0DF, 4 },
    { "a newer format", VERSION, 2, 4 },
    { "no page size", PAGE_BYTES, 0, 4 },
    { "an odd page size", PAGE_BYTES, 4095, 4 },
    { "too small a page size", PAGE_BYTES, 256, 4 },
    { "another page size", PAGE_BYTES, 8192, 4 },
    { "far too big a page size", PAGE_BYTES, 1u << 30, 4 },
    { "duplicate keys", MAIN + 4, 4, 2 },
    { "a depth LMDB has no stack for", DEPTH, 33, 2 },
    { "no depth", DEPTH, 0, 2 },
    { "a root in the meta pages", ROOT, 1, 8 },
    { "a root behind the end", ROOT, 1u << 20, 8 },
    { "no root but a depth", ROOT, UINT64_MAX, 8 },
    { "no pages", LAST_PAGE, 0, 8 },
    { "more pages than there are", LAST_PAGE, 1u << 20, 8 },
    { "more pages than can be", LAST_PAGE, UINT64_MAX - 1, 8 },
};

static void a_header_that_contradicts_itself_is_corrupt(void **state)
{
    char *path = testing_join(*state, "data.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    kv_pairs_load(kv, 0, 500, 100);
    kv_close(&kv);
    struct steme_slice whole = read_all(path);
    struct damaged damaged = { *state, KV_TESTING_READ_ONLY };
    uint8_t *bytes = malloc(whole.size);
    assert_non_null(bytes);
    for (size_t i = 0; i < countof(headers); i++) {
        memcpy(bytes, whole.data, whole.size);
        memcpy(bytes + newer_meta(bytes) + headers[i].at, &headers[i].value, headers[i].bytes);
        write_all(path, slice_of(bytes, whole.size));
        int answer = kv_testing_child(open_and_read, &damaged);
        if (answer != SAID_CORRUPT) print_error("%s: %d\n", headers[i].name, answer);
        assert_int_equal(answer, SAID_CORRUPT);
    }
    free(bytes);
    testing_free(whole);
    free(path);
}

/* --- Pages -------------------------------------------------------------------------------------------------------- */

/* A file with a branch as its root, and free pages; see kv_lmdb_pages.c. */
enum { FREE_ROOT = 80, PAGE_FLAGS = 10, LOWER = 12, UPPER = 14, OFFSETS = 16, NODE_FLAGS = 4, NODE_KEY_SIZE = 6 };

static uint8_t *page_at(uint8_t *file, uint64_t number) { return file + number * PAGE; }

static uint8_t *root_of(uint8_t *file) { return page_at(file, load_u64(file + newer_meta(file) + ROOT)); }

static uint8_t *node_of(uint8_t *page, size_t index) { return page + load_u16(page + OFFSETS + 2 * index); }

static uint8_t *leaf_of(uint8_t *file) { return page_at(file, load_u32(node_of(root_of(file), 1))); }

static uint8_t *free_leaf_of(uint8_t *file) { return page_at(file, load_u64(file + newer_meta(file) + FREE_ROOT)); }

static void misplace(uint8_t *file) { root_of(file)[0] ^= 1; }
static void call_branch_leaf(uint8_t *file) { root_of(file)[PAGE_FLAGS] = 2; }
static void call_branch_dirty(uint8_t *file) { root_of(file)[PAGE_FLAGS] |= 0x10; }
static void cut_branch(uint8_t *file) { store_u16(root_of(file) + LOWER, OFFSETS + 2); }
static void lead_nowhere(uint8_t *file) { store_u32(node_of(root_of(file), 1), 1u << 20); }
static void lead_twice(uint8_t *file) { memcpy(node_of(root_of(file), 1), node_of(root_of(file), 2), 4); }
static void lead_to_header(uint8_t *file) { store_u32(node_of(root_of(file), 1), 1); }
static void call_leaf_branch(uint8_t *file) { leaf_of(file)[PAGE_FLAGS] = 1; }
static void call_leaf_dirty(uint8_t *file) { leaf_of(file)[PAGE_FLAGS] |= 0x10; }
static void shift_nodes(uint8_t *file) { leaf_of(file)[UPPER] ^= 8; }
static void point_outside(uint8_t *file) { store_u16(leaf_of(file) + OFFSETS, 0xfff0); }
static void point_twice(uint8_t *file) { memcpy(leaf_of(file) + OFFSETS, leaf_of(file) + OFFSETS + 2, 2); }
static void promise_duplicates(uint8_t *file) { node_of(leaf_of(file), 0)[NODE_FLAGS] |= 4; }
static void lengthen_key(uint8_t *file) { store_u16(node_of(leaf_of(file), 0) + NODE_KEY_SIZE, 0x8008); }
static void call_root_free(uint8_t *file)
{
    uint8_t *ids = node_of(free_leaf_of(file), 0) + 8 + 8;
    assert_true(load_u64(ids) > 0);
    store_u64(ids + 8, load_u64(file + newer_meta(file) + ROOT));
}
static void promise_free_pages(uint8_t *file) { node_of(free_leaf_of(file), 0)[8 + 8 + 1] ^= 0x80; }

static const struct {
    const char *name;
    void (*damage)(uint8_t *file);
} pages[] = {
    { "a page under another number", misplace },
    { "a branch that says it is a leaf", call_branch_leaf },
    { "a branch that LMDB takes for its own copy", call_branch_dirty },
    { "a branch with one key", cut_branch },
    { "a page number past the end", lead_nowhere },
    { "two ways to a page", lead_twice },
    { "a way to a header", lead_to_header },
    { "a leaf that says it is a branch", call_leaf_branch },
    { "a leaf that LMDB takes for its own copy", call_leaf_dirty },
    { "a gap before the nodes", shift_nodes },
    { "a node outside its page", point_outside },
    { "a node twice", point_twice },
    { "a row that has duplicates", promise_duplicates },
    { "a key that is too long", lengthen_key },
    { "the root called free", call_root_free },
    { "more free pages than are listed", promise_free_pages },
};

static void a_page_that_would_lead_lmdb_astray_is_corrupt(void **state)
{
    char *path = testing_join(*state, "data.mdb");
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    for (unsigned round = 0; round < 3; round++)
        kv_pairs_load(kv, 0, 400, 100);
    kv_close(&kv);
    struct steme_slice whole = read_all(path);
    struct damaged damaged = { *state, KV_TESTING_PLAIN };
    uint8_t *bytes = malloc(whole.size);
    assert_non_null(bytes);
    assert_int_equal(kv_testing_child(open_and_read, &damaged), SOUND);
    for (size_t i = 0; i < countof(pages); i++) {
        memcpy(bytes, whole.data, whole.size);
        pages[i].damage(bytes);
        write_all(path, slice_of(bytes, whole.size));
        int answer = kv_testing_child(open_and_read, &damaged);
        if (answer != SAID_CORRUPT) print_error("%s: %d\n", pages[i].name, answer);
        assert_int_equal(answer, SAID_CORRUPT);
    }
    free(bytes);
    testing_free(whole);
    free(path);
}

/* A branch page with one key is what LMDB asserts never to meet; opening would find it, so it comes afterwards. */
static void break_root(const char *path)
{
    struct steme_slice whole = read_all(path);
    uint64_t root = load_u64(whole.data + newer_meta(whole.data) + ROOT);
    assert_true(load_u16(whole.data + root * PAGE + 10) & 1); /* a branch */
    uint8_t lower[2];
    store_u16(lower, 16 + 2);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, lower, sizeof lower, (off_t)(root * PAGE + 12)), sizeof lower);
    close(fd);
    testing_free(whole);
}

static void an_assertion_of_lmdb_ends_the_index_and_not_the_process(void **state)
{
    for (enum kv_mode mode = KV_READ; mode <= KV_WRITE; mode++) {
        char *dir = testing_join(*state, mode == KV_READ ? "read" : "write");
        char *path = testing_join(dir, "data.mdb"), *lock = testing_join(dir, "lock.mdb");
        struct kv *kv = kv_testing_lmdb(dir, KV_TESTING_CREATE);
        kv_pairs_load(kv, 0, 1000, 100);
        kv_close(&kv);

        struct steme_slice value;
        kv = kv_testing_lmdb(dir, KV_TESTING_CREATE);
        break_root(path);
        struct kv_txn *txn = kv_testing_begin(kv, mode), *other = NULL;
        if (mode == KV_READ)
            assert_int_equal(kv_get(txn, slice_text("k"), &value, &err), STEME_CORRUPT);
        else
            assert_int_equal(kv_put(txn, slice_text("k"), NOTHING, &err), STEME_CORRUPT);
        assert_int_equal(kv_begin(kv, KV_READ, &other, &err), STEME_CORRUPT);
        assert_non_null(strstr(err.message, "Assertion"));
        assert_int_equal(mode == KV_WRITE ? kv_commit(&txn, &err) : STEME_CORRUPT, STEME_CORRUPT);
        kv_abort(&txn);
        assert_int_equal(kv_begin(kv, KV_WRITE, &other, &err), STEME_CORRUPT);
        kv_close(&kv);

        /* LMDB can't close what it left in the middle, so the files are spoilt for this process */
        if (mode == KV_WRITE) assert_int_equal(kv_testing_open(dir, KV_TESTING_CREATE, 0, &kv, &err), STEME_CORRUPT);

        /* What the caller does then: discard it and make it anew. */
        assert_int_equal(unlink(path), 0);
        assert_int_equal(unlink(lock), 0);
        kv = kv_testing_lmdb(dir, KV_TESTING_CREATE);
        kv_pairs_load(kv, 0, 100, 100);
        assert_int_equal(kv_pairs_in(kv), 100);
        kv_close(&kv);
        free(lock);
        free(path);
        free(dir);
    }
}

/* LMDB does not write pages that are free again at the end of the file; the file must not look cut for that. */
static void a_file_whose_last_pages_are_free_is_whole(void **state)
{
    char *path = testing_join(*state, "data.mdb");
    struct prng prng = { 5 };
    struct kv *kv = kv_testing_lmdb(*state, KV_TESTING_CREATE);
    for (int round = 0; round < 200; round++) {
        struct kv_txn *txn = kv_testing_begin(kv, KV_WRITE);
        struct kv_pairs pairs = { prng_below(&prng, 2000), prng_below(&prng, 300), 8 + prng_below(&prng, 4000) };
        assert_status(kv_pairs_put(txn, &pairs, &err), STEME_OK, &err, "load");
        struct kv_pair pair;
        uint64_t remove = prng_below(&prng, 400);
        while (remove-- && kv_last(txn, NOTHING, NOTHING, &pair, &err) == STEME_OK)
            assert_status(kv_remove(txn, pair.key, &err), STEME_OK, &err, "remove");
        assert_status(kv_commit(&txn, &err), STEME_OK, &err, "commit");

        struct host_file *file = NULL;
        bool leaves = false;
        assert_status(host_open(host_posix(), path, HOST_READ, &file, &err), STEME_OK, &err, path);
        assert_status(lmdb_file_check(file, path, &leaves, &err), STEME_OK, &err, "after a commit");
        assert_true(leaves);
        host_close(&file);
    }
    kv_close(&kv);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TESTING_CASE(opening_judges_what_is_there),
        KV_TESTING_CASE(a_directory_without_a_name_is_refused),
        KV_TESTING_CASE(a_directory_in_no_directory_is_not_found),
        KV_TESTING_CASE(what_is_opened_for_reading_is_not_written),
        KV_TESTING_CASE(a_lock_file_that_may_not_be_written_is_said_so),
        KV_TESTING_CASE(a_file_system_that_is_read_only_is_enough_to_read),
        KV_TESTING_CASE(a_file_cut_anywhere_is_corrupt_or_whole_and_kills_nobody),
        KV_TESTING_CASE(a_large_file_cut_by_half_a_page_is_corrupt),
        KV_TESTING_CASE(a_header_that_contradicts_itself_is_corrupt),
        KV_TESTING_CASE(a_page_that_would_lead_lmdb_astray_is_corrupt),
        KV_TESTING_CASE(an_assertion_of_lmdb_ends_the_index_and_not_the_process),
        KV_TESTING_CASE(a_file_whose_last_pages_are_free_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
