/* SPDX-License-Identifier: Apache-2.0 */
/* What only the real host has: links, pipes, modes, other processes. The rest is in tests/contract/test_host.c. */
#define _GNU_SOURCE /* F_GETFD, mkfifo */
#include "base/check.h"
#include "base/slice.h"
#include "host/host.h"
#include "lib/testing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_place(void **state)
{
    *state = testing_make_temporary();
    return 0;
}

static int close_place(void **state)
{
    testing_remove_temporary(*state);
    return 0;
}

static struct host_file *open_or_fail(const char *path, unsigned flags)
{
    struct host_file *file = NULL;
    struct steme_error err;
    assert_status(host_open(host_posix(), path, flags, &file, &err), STEME_OK, &err, path);
    return file;
}

static void a_symbolic_link_is_not_followed(void **state)
{
    char *target = testing_join(*state, "target"), *link = testing_join(*state, "link");
    char *dir_link = testing_join(*state, "dir_link");
    struct host_file *file = open_or_fail(target, HOST_WRITE | HOST_CREATE);
    host_close(&file);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(symlink(*state, dir_link), 0);
    struct steme_error err;
    struct host_stat facts;
    struct arena arena;
    struct host_entry *entries = NULL;
    size_t count = 0;
    arena_init(&arena, 65536);
    assert_status(host_open(host_posix(), link, HOST_READ, &file, &err), STEME_IO, NULL, "reading through it");
    assert_int_equal(err.os_errno, ELOOP);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_status(host_open(host_posix(), link, HOST_WRITE | HOST_CREATE, &file, &err), STEME_IO, NULL,
                  "writing through it");
    assert_status(host_list(host_posix(), dir_link, &arena, &entries, &count, &err), STEME_IO, NULL,
                  "listing through it");
    assert_status(host_sync_dir(host_posix(), dir_link, &err), STEME_IO, NULL, "syncing through it");
    assert_status(host_stat(host_posix(), link, &facts, &err), STEME_OK, &err, "examining it");
    assert_int_equal(facts.kind, HOST_KIND_OTHER);
    assert_status(host_list(host_posix(), *state, &arena, &entries, &count, &err), STEME_OK, &err, "listing it");
    assert_int_equal(count, 3);
    assert_int_equal(entries[0].kind, HOST_KIND_OTHER);
    arena_deinit(&arena);
    free(target);
    free(link);
    free(dir_link);
}

static void a_link_left_as_the_temporary_file_is_removed_and_not_written_through(void **state)
{
    char *victim = testing_join(*state, "victim"), *path = testing_join(*state, "a");
    char *temporary = testing_join(*state, "a.tmp");
    struct host_file *file = open_or_fail(victim, HOST_WRITE | HOST_CREATE);
    host_close(&file);
    assert_int_equal(symlink(victim, temporary), 0);
    struct steme_error err;
    assert_status(host_replace_file(host_posix(), path, 0, slice_text("new"), &err), STEME_OK, &err, "replaced");
    struct host_stat facts;
    assert_int_equal(host_stat(host_posix(), victim, &facts, NULL), STEME_OK);
    assert_int_equal(facts.size_bytes, 0);
    free(victim);
    free(path);
    free(temporary);
}

static void a_pipe_is_refused_at_once(void **state)
{
    char *path = testing_join(*state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct host_file *file = NULL;
    struct steme_error err;
    assert_status(host_open(host_posix(), path, HOST_READ, &file, &err), STEME_IO, NULL, "reading");
    assert_non_null(strstr(err.message, "no regular file"));
    assert_status(host_open(host_posix(), path, HOST_WRITE, &file, &err), STEME_IO, NULL, "writing");
    assert_status(host_open(host_posix(), "/dev/null", HOST_READ, &file, &err), STEME_IO, NULL, "a device");
    assert_null(file);
    free(path);
}

static void a_new_file_has_the_mode_that_was_asked_for(void **state)
{
    static const struct {
        const char *name;
        unsigned flags;
        mode_t want;
    } rows[] = {
        { "plain", HOST_WRITE | HOST_CREATE, 0644 },
        { "secret", HOST_WRITE | HOST_CREATE | HOST_PRIVATE, 0600 },
    };
    mode_t mask = umask(022);
    for (size_t i = 0; i < countof(rows); i++) {
        char *path = testing_join(*state, rows[i].name);
        struct host_file *file = open_or_fail(path, rows[i].flags);
        host_close(&file);
        struct stat facts;
        assert_int_equal(stat(path, &facts), 0);
        assert_row((facts.st_mode & 0777) == rows[i].want, rows[i].name);
        free(path);
    }
    char *path = testing_join(*state, "key"), *temporary = testing_join(*state, "key.tmp");
    struct host_file *left = open_or_fail(temporary, HOST_WRITE | HOST_CREATE); /* of mode 0644, by a crash */
    host_close(&left);
    assert_int_equal(host_replace_file(host_posix(), path, HOST_PRIVATE, slice_text("secret"), NULL), STEME_OK);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    umask(mask);
    free(path);
    free(temporary);
}

static void a_child_does_not_inherit_an_open_file(void **state)
{
    char *path = testing_join(*state, "a");
    int below = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(below >= 0);
    close(below); /* the next one opened gets this number */
    struct host_file *file = open_or_fail(path, HOST_WRITE | HOST_CREATE);
    int flags = fcntl(below, F_GETFD);
    assert_true(flags >= 0 && (flags & FD_CLOEXEC));
    host_close(&file);
    assert_int_equal(fcntl(below, F_GETFD), -1); /* and it is closed */
    free(path);
}

static void a_lock_binds_other_processes_and_dies_with_its_holder(void **state)
{
    char *path = testing_join(*state, "lock");
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct host_file *held = NULL;
        steme_status status = host_open(host_posix(), path, HOST_WRITE | HOST_CREATE, &held, NULL);
        if (!status) status = host_lock(held, NULL);
        char byte = (char)status;
        if (write(ready[1], &byte, 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    char byte = 1;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, STEME_OK);
    struct host_file *file = open_or_fail(path, HOST_WRITE);
    struct steme_error err;
    assert_status(host_lock(file, &err), STEME_LOCKED, NULL, "while it is held");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_status(host_lock(file, &err), STEME_OK, &err, "when the holder is dead");
    host_close(&file);
    close(ready[0]);
    close(ready[1]);
    free(path);
}

static void a_file_that_may_not_grow_fails_with_the_reason(void **state)
{
    char *path = testing_join(*state, "a");
    struct host_file *file = open_or_fail(path, HOST_WRITE | HOST_CREATE);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static const uint8_t text[6000];
    struct steme_slice piece = slice_of(text, sizeof text); /* the system writes 4096 of them at first */
    struct steme_error write_err, allocate_err;
    steme_status wrote = host_write_at(file, 0, &piece, 1, &write_err);
    steme_status allocated = host_allocate(file, 10000, &allocate_err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_status(wrote, STEME_IO, NULL, "write");
    assert_int_equal(write_err.os_errno, EFBIG);
    assert_status(allocated, STEME_IO, NULL, "allocate");
    assert_int_equal(allocate_err.os_errno, EFBIG);
    host_close(&file);
    free(path);
}

static void a_place_that_may_not_be_written_is_read_only(void **state)
{
    if (geteuid() == 0) {
        print_message("skipped: the superuser may write anywhere\n");
        skip();
    }
    char *dir = testing_join(*state, "dir"), *path = testing_join(*state, "dir/a");
    assert_int_equal(host_make_dir(host_posix(), dir, NULL), STEME_OK);
    struct host_file *file = open_or_fail(path, HOST_WRITE | HOST_CREATE);
    host_close(&file);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(host_open(host_posix(), path, HOST_WRITE, &file, NULL), STEME_READ_ONLY);
    assert_int_equal(host_open(host_posix(), path, HOST_READ, &file, NULL), STEME_IO);
    assert_int_equal(chmod(dir, 0500), 0);
    assert_int_equal(host_remove(host_posix(), path, NULL), STEME_READ_ONLY);
    assert_int_equal(host_replace_file(host_posix(), path, 0, slice_text("x"), NULL), STEME_READ_ONLY);
    assert_int_equal(chmod(dir, 0700), 0);
    free(dir);
    free(path);
}

/* ---- calls that are interrupted, do less than they were asked, or fail once ---- */

/* These stand in the place of the C library's. */
static struct {
    unsigned interrupts; /* so many of the next calls end with EINTR */
    size_t most;         /* bytes that a read or write moves at most; 0: all */
    int sync_errno;      /* the next sync fails with it, and later ones do not; 0: none */
    unsigned syncs;
} hiccup;

static bool interrupted(void)
{
    if (!hiccup.interrupts) return false;
    hiccup.interrupts--;
    errno = EINTR;
    return true;
}

static int sync_or_fail(long call, int descriptor)
{
    hiccup.syncs++;
    if (!hiccup.sync_errno) return (int)syscall(call, descriptor);
    errno = hiccup.sync_errno;
    hiccup.sync_errno = 0;
    return -1;
}

ssize_t pread(int descriptor, void *to, size_t size, off_t offset)
{
    if (interrupted()) return -1;
    return syscall(SYS_pread64, descriptor, to, hiccup.most && size > hiccup.most ? hiccup.most : size, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *vectors, int count, off_t offset)
{
    if (interrupted()) return -1;
    size_t size = vectors->iov_len; /* the first alone, which is a short write if there are more */
    if (hiccup.most && size > hiccup.most) size = hiccup.most;
    return count ? syscall(SYS_pwrite64, descriptor, vectors->iov_base, size, offset) : 0;
}

int ftruncate(int descriptor, off_t size) { return interrupted() ? -1 : (int)syscall(SYS_ftruncate, descriptor, size); }

int fallocate(int descriptor, int mode, off_t offset, off_t size)
{
    return interrupted() ? -1 : (int)syscall(SYS_fallocate, descriptor, mode, offset, size);
}

int flock(int descriptor, int operation) { return interrupted() ? -1 : (int)syscall(SYS_flock, descriptor, operation); }

ssize_t getrandom(void *to, size_t size, unsigned flags)
{
    if (interrupted()) return -1;
    return syscall(SYS_getrandom, to, hiccup.most && size > hiccup.most ? hiccup.most : size, flags);
}

int fdatasync(int descriptor) { return sync_or_fail(SYS_fdatasync, descriptor); }

int fsync(int descriptor) { return sync_or_fail(SYS_fsync, descriptor); }

static const struct {
    const char *name;
    unsigned interrupts;
    size_t most;
} hiccups[] = {
    { "nothing happens", 0, 0 },       { "a signal", 1, 0 },
    { "many signals", 50, 0 },         { "a byte at a time", 0, 1 },
    { "pieces of 700 bytes", 0, 700 }, { "signals, and pieces of 7 bytes", 9, 7 },
};

static void an_interrupted_or_partial_call_goes_on(void **state)
{
    char *path = testing_join(*state, "a");
    static uint8_t wrote[3][1500], got[5000], random[64];
    static const uint8_t zeros[64];
    for (size_t i = 0; i < sizeof wrote; i++)
        ((uint8_t *)wrote)[i] = (uint8_t)(i * 7 + i / 256);
    const struct steme_slice pieces[] = { slice_of(wrote[0], 1500), slice_of(wrote[1], 1500),
                                          slice_of(wrote[2], 1500) };
    for (size_t i = 0; i < countof(hiccups); i++) {
        const char *name = hiccups[i].name;
        struct host_file *file = open_or_fail(path, HOST_WRITE | HOST_CREATE);
        struct steme_error err;
        uint64_t size = 0;
        size_t count = 0;
#define ANEW() (hiccup.interrupts = hiccups[i].interrupts)
        hiccup.most = hiccups[i].most;
        ANEW();
        assert_status(host_truncate(file, 0, &err), STEME_OK, &err, name);
        ANEW();
        assert_status(host_allocate(file, 4600, &err), STEME_OK, &err, name);
        ANEW();
        assert_status(host_write_at(file, 100, pieces, countof(pieces), &err), STEME_OK, &err, name);
        ANEW();
        assert_status(host_read_at(file, 100, got, sizeof got, &count, &err), STEME_OK, &err, name);
        assert_row(count == sizeof wrote && memcmp(got, wrote, sizeof wrote) == 0, name);
        assert_status(host_size(file, &size, &err), STEME_OK, &err, name);
        assert_row(size == 4600, name);
        ANEW();
        assert_status(host_lock(file, &err), STEME_OK, &err, name);
        ANEW();
        memset(random, 0, sizeof random);
        assert_status(host_random(host_posix(), random, sizeof random, &err), STEME_OK, &err, name);
        assert_row(memcmp(random + 32, zeros, 32) != 0, name);
#undef ANEW
        hiccup.interrupts = 0;
        hiccup.most = 0;
        host_close(&file);
    }
    free(path);
}

/* The kernel tells of a lost write once. Asked again it says that all is well. */
static void a_failed_sync_is_told_and_not_tried_again(void **state)
{
    static const int reasons[] = { EIO, EINTR, ENOSPC, EDQUOT };
    char *path = testing_join(*state, "a");
    struct host_file *file = open_or_fail(path, HOST_WRITE | HOST_CREATE);
    for (size_t i = 0; i < 2 * countof(reasons); i++) {
        bool dir = i % 2;
        struct steme_error err;
        hiccup.syncs = 0;
        hiccup.sync_errno = reasons[i / 2];
        steme_status status = dir ? host_sync_dir(host_posix(), *state, &err) : host_sync(file, &err);
        assert_row(status != STEME_OK, dir ? "a directory" : "a file");
        assert_int_equal(err.os_errno, reasons[i / 2]);
        assert_int_equal(hiccup.syncs, 1);
    }
    assert_int_equal(host_sync(file, NULL), STEME_OK);
    host_close(&file);
    free(path);
}

static void a_long_path_is_refused_with_the_reason(void **state)
{
    (void)state;
    static char path[5000];
    memset(path, 'a', sizeof path - 1);
    struct host_file *file = NULL;
    struct steme_error err;
    assert_status(host_open(host_posix(), path, HOST_READ, &file, &err), STEME_IO, NULL, "long");
    assert_int_equal(err.os_errno, ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_symbolic_link_is_not_followed, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_link_left_as_the_temporary_file_is_removed_and_not_written_through,
                                        open_place, close_place),
        cmocka_unit_test_setup_teardown(a_pipe_is_refused_at_once, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_new_file_has_the_mode_that_was_asked_for, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_child_does_not_inherit_an_open_file, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_lock_binds_other_processes_and_dies_with_its_holder, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_file_that_may_not_grow_fails_with_the_reason, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_place_that_may_not_be_written_is_read_only, open_place, close_place),
        cmocka_unit_test_setup_teardown(an_interrupted_or_partial_call_goes_on, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_failed_sync_is_told_and_not_tried_again, open_place, close_place),
        cmocka_unit_test(a_long_path_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
