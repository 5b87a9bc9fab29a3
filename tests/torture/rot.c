/* SPDX-License-Identifier: Apache-2.0 */
/* rot STORE FILE KIND [FIRST STEP [OTHER ...]]: damages copies of a small, cleanly closed store, one damage a copy, and
 * judges each in a process of its own: never a signal, never a wrong answer.
 *
 *   FILE   within the store, such as index/data.mdb
 *   KIND   flip     bit FIRST, FIRST + STEP, ... of the file
 *          cut      the same with its length
 *          zero ones noise   the same with pages: filled so
 *          copy swap   the same with ordered pairs of pages: one over the other, or exchanged
 *          splat    1 to 64 bytes of noise at up to 8 places; FIRST and STEP number the seeds, up to ROUNDS
 *          replace  the file as each OTHER file
 *   ROUNDS MAX END   environment: seeds of splat; at most so many damages (the step grows); none from this number on
 *
 * Prints what was worse than the rest, then one line of figures. Exits 1 where a process was killed or lied. */
#include "judge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FILES_MAX = 64,
    PATH_BYTES = 600,
    PAGE_BYTES = 4096,
    PATIENCE_S = 60,
    EXAMPLES = 8,
    SPLATS_MAX = 8,
    SPLAT_MAX = 64
};

struct file {
    char name[256]; /* within the store */
    uint8_t *bytes;
    size_t size;
    mode_t mode;
};

struct rot {
    struct file files[FILES_MAX]; /* the store as it was; directories have no bytes and mode S_IFDIR */
    size_t file_count;
    struct file *target;
    const char *kind;
    uint64_t first, step, rounds, max, end;
    char work[PATH_BYTES];
    struct judge_golden *golden;   /* shared with the children */
    struct judge_outcome *outcome; /* too */
    uint64_t tried, fates[FATES], rebuilt, signals[65], examples[FATES];
};

static void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void give_up(const char *format, ...)
{
    char text[PATH_BYTES + 128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "rot: %s%s%s\n", text, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

/* ---- the store as it was, and copies of it ---- */

static void join(char out[PATH_BYTES], const char *dir, const char *name)
{
    if (snprintf(out, PATH_BYTES, "%s/%s", dir, name) >= PATH_BYTES) give_up("the path of %s is too long", name);
}

static uint8_t *slurp(const char *path, size_t *size_out)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &stat)) give_up("%s", path);
    uint8_t *bytes = malloc((size_t)stat.st_size + 1);
    if (!bytes || read(fd, bytes, (size_t)stat.st_size) != stat.st_size) give_up("%s", path);
    close(fd);
    *size_out = (size_t)stat.st_size;
    return bytes;
}

/* Directories before what is in them. */
static void take_dir(struct rot *rot, const char *store, const char *within)
{
    char path[PATH_BYTES];
    struct stat stat;
    join(path, store, within);
    DIR *dir = opendir(path);
    if (!dir) give_up("%s", path);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') continue;
        if (rot->file_count == FILES_MAX) give_up("more than %d files in %s", FILES_MAX, store);
        struct file *file = &rot->files[rot->file_count++];
        size_t size = (size_t)snprintf(file->name, sizeof file->name, "%s%s%s", within, *within ? "/" : "",
                                       entry->d_name);
        if (size >= sizeof file->name) give_up("a name is too long");
        join(path, store, file->name);
        if (lstat(path, &stat)) give_up("%s", path);
        file->mode = stat.st_mode;
        if (S_ISREG(stat.st_mode)) file->bytes = slurp(path, &file->size);
        if (S_ISDIR(stat.st_mode) && strchr(file->name, '/') == NULL) take_dir(rot, store, file->name);
    }
    closedir(dir);
}

static void spill(const char *path, const uint8_t *bytes, size_t size, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode & 0777);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) give_up("%s", path);
    close(fd);
}

static void clear_dir(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char inner[PATH_BYTES];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        join(inner, path, entry->d_name);
        if (unlink(inner) == 0) continue;
        if (errno != EISDIR) give_up("%s", inner);
        clear_dir(inner);
        if (rmdir(inner)) give_up("%s", inner);
    }
    closedir(dir);
}

/* A fresh copy of the whole, the target as given. */
static void lay_out(struct rot *rot, const uint8_t *bytes, size_t size)
{
    clear_dir(rot->work);
    for (size_t i = 0; i < rot->file_count; i++) {
        const struct file *file = &rot->files[i];
        char path[PATH_BYTES];
        join(path, rot->work, file->name);
        if (S_ISDIR(file->mode)) {
            if (mkdir(path, 0755)) give_up("%s", path);
        } else if (file == rot->target && bytes) {
            spill(path, bytes, size, file->mode);
        } else {
            spill(path, file->bytes, file->size, file->mode);
        }
    }
}

/* ---- one damage ---- */

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static void make_noise(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)mix(&seed);
}

static void splat(uint8_t *bytes, size_t size, uint64_t seed)
{
    uint64_t places = 1 + mix(&seed) % SPLATS_MAX;
    while (places--) {
        size_t length = (size_t)(1 + mix(&seed) % SPLAT_MAX);
        if (length > size) length = size;
        make_noise(bytes + mix(&seed) % (size - length + 1), length, mix(&seed));
    }
}

static bool is(const struct rot *rot, const char *kind) { return strcmp(rot->kind, kind) == 0; }

/* How many damages of this kind there are. */
static uint64_t possible(const struct rot *rot)
{
    uint64_t pages = (rot->target->size + PAGE_BYTES - 1) / PAGE_BYTES;
    if (is(rot, "flip")) return 8 * (uint64_t)rot->target->size;
    if (is(rot, "cut")) return rot->target->size;
    if (is(rot, "copy") || is(rot, "swap")) return pages * pages;
    if (is(rot, "splat")) return rot->rounds;
    if (is(rot, "zero") || is(rot, "ones") || is(rot, "noise")) return pages;
    give_up("no kind of damage is called %s", rot->kind);
}

static void damage_page(const struct rot *rot, uint8_t *page, size_t size, uint64_t which)
{
    if (is(rot, "noise"))
        make_noise(page, size, which);
    else
        memset(page, is(rot, "ones") ? 0xFF : 0, size);
}

static void exchange_pages(const struct rot *rot, uint8_t *bytes, size_t size, uint64_t which)
{
    uint64_t pages = (size + PAGE_BYTES - 1) / PAGE_BYTES;
    size_t a = (size_t)(which / pages) * PAGE_BYTES, b = (size_t)(which % pages) * PAGE_BYTES;
    size_t length = size - (a > b ? a : b);
    if (length > PAGE_BYTES) length = PAGE_BYTES;
    memmove(bytes + a, rot->target->bytes + b, length);
    if (is(rot, "swap")) memmove(bytes + b, rot->target->bytes + a, length);
}

/* Number `which` done to bytes, a copy of the target. Returns the new size. */
static size_t damage(const struct rot *rot, uint8_t *bytes, uint64_t which)
{
    size_t size = rot->target->size, at = (size_t)which * PAGE_BYTES;
    if (is(rot, "flip"))
        bytes[which / 8] ^= (uint8_t)(1u << (which % 8));
    else if (is(rot, "cut"))
        size = (size_t)which;
    else if (is(rot, "splat"))
        splat(bytes, size, which);
    else if (is(rot, "copy") || is(rot, "swap"))
        exchange_pages(rot, bytes, size, which);
    else
        damage_page(rot, bytes + at, size - at < PAGE_BYTES ? size - at : PAGE_BYTES, which);
    return size;
}

/* ---- judging it ---- */

static void judge_in_child(struct rot *rot)
{
    *rot->outcome = (struct judge_outcome){ .fate = FATE_KILLED };
    (void)fflush(stdout);
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) {
        struct judge_outcome outcome;
        (void)alarm(PATIENCE_S);
        judge_store(rot->work, rot->golden, &outcome);
        *rot->outcome = outcome;
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) give_up("waitpid");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    rot->outcome->fate = FATE_KILLED;
    rot->signals[number]++;
    (void)snprintf(rot->outcome->message, sizeof rot->outcome->message, "%s", number ? strsignal(number) : "it exited");
}

static const char *const fate_names[FATES] = {
    [FATE_SAME] = "same",   [FATE_TOLD] = "told",     [FATE_DEGRADED] = "degraded",
    [FATE_WRONG] = "wrong", [FATE_KILLED] = "killed",
};

static void count(struct rot *rot, const char *name)
{
    enum judge_fate fate = rot->outcome->fate;
    rot->tried++;
    rot->fates[fate]++;
    rot->rebuilt += rot->outcome->rebuilds > 0;
    uint64_t most = fate >= FATE_WRONG ? EXAMPLES : 1;
    if (fate != FATE_SAME && rot->examples[fate]++ < most)
        printf("  %s: %s %s %s: %s\n", fate_names[fate], rot->target->name, rot->kind, name, rot->outcome->message);
}

static void learn(struct rot *rot)
{
    lay_out(rot, NULL, 0);
    pid_t child = fork();
    if (child < 0) give_up("fork");
    if (child == 0) _exit(judge_learn(rot->work, rot->golden, rot->outcome) ? 0 : 1);
    int status = 0;
    errno = 0;
    if (waitpid(child, &status, 0) != child || status) give_up("the store as it is: %s", rot->outcome->message);
    lay_out(rot, NULL, 0);
    judge_in_child(rot);
    errno = 0;
    if (rot->outcome->fate != FATE_SAME) give_up("undamaged, it does not say the same: %s", rot->outcome->message);
}

static void try_all(struct rot *rot)
{
    uint64_t end = possible(rot), step = rot->step;
    if (rot->end && rot->end < end) end = rot->end;
    if (rot->max && (end - rot->first) / step > rot->max) step = ((end - rot->first) / rot->max) | 1;
    uint8_t *bytes = malloc(rot->target->size + 1);
    if (!bytes) give_up("no memory");
    for (uint64_t which = rot->first; which < end; which += step) {
        char name[32];
        memcpy(bytes, rot->target->bytes, rot->target->size);
        size_t size = damage(rot, bytes, which);
        if (size == rot->target->size && memcmp(bytes, rot->target->bytes, size) == 0) continue;
        lay_out(rot, bytes, size);
        judge_in_child(rot);
        (void)snprintf(name, sizeof name, "%" PRIu64, which);
        count(rot, name);
    }
    free(bytes);
}

static void replace_all(struct rot *rot, char **others)
{
    for (; *others; others++) {
        size_t size = 0;
        uint8_t *bytes = slurp(*others, &size);
        lay_out(rot, bytes, size);
        judge_in_child(rot);
        count(rot, *others);
        free(bytes);
    }
}

static uint64_t number_of(const char *text, uint64_t otherwise) { return text ? strtoull(text, NULL, 10) : otherwise; }

static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) give_up("no memory");
    return memory;
}

static void prepare(struct rot *rot, const char *store, const char *name)
{
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* copies need no disk */
    rot->golden = share(sizeof *rot->golden);
    rot->outcome = share(sizeof *rot->outcome);
    take_dir(rot, store, "");
    for (size_t i = 0; i < rot->file_count; i++)
        if (strcmp(rot->files[i].name, name) == 0 && rot->files[i].bytes) rot->target = &rot->files[i];
    errno = 0;
    if (!rot->target) give_up("there is no file %s in %s", name, store);
    (void)snprintf(rot->work, sizeof rot->work, "%s/steme-rot.XXXXXX", where);
    if (!mkdtemp(rot->work)) give_up("%s", rot->work);
    learn(rot);
}

static struct rot rot;

int main(int argc, char **argv)
{
    errno = 0;
    if (argc < 4) give_up("usage: rot STORE FILE KIND [FIRST STEP [OTHER ...]]");
    rot.kind = argv[3];
    rot.first = number_of(argc > 4 ? argv[4] : NULL, 0);
    rot.step = number_of(argc > 5 ? argv[5] : NULL, 1);
    rot.rounds = number_of(getenv("ROUNDS"), 1000);
    rot.max = number_of(getenv("MAX"), 0);
    rot.end = number_of(getenv("END"), 0);
    if (!rot.step) rot.step = 1;
    prepare(&rot, argv[1], argv[2]);
    if (is(&rot, "replace"))
        replace_all(&rot, argc > 6 ? argv + 6 : argv + argc);
    else
        try_all(&rot);
    clear_dir(rot.work);
    (void)rmdir(rot.work);
    printf("tried %" PRIu64 " same %" PRIu64 " told %" PRIu64 " degraded %" PRIu64 " wrong %" PRIu64 " killed %" PRIu64
           " rebuilt %" PRIu64 "\n",
           rot.tried, rot.fates[FATE_SAME], rot.fates[FATE_TOLD], rot.fates[FATE_DEGRADED], rot.fates[FATE_WRONG],
           rot.fates[FATE_KILLED], rot.rebuilt);
    return rot.fates[FATE_WRONG] || rot.fates[FATE_KILLED];
}
