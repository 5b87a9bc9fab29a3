/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target without libFuzzer: over an empty input, then over each file of the corpus folders given as
 * arguments, in name order. A finding crashes, as it would under the fuzzer; the name printed last is the culprit. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX_BYTES (16u << 20) /* well over any record; a larger file is there by mistake */
#define PATH_MAX_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not NULL-terminated and exactly as long as the file, so that the address sanitizer sees a read past its end. */
static int replay_file(const char *path)
{
    int result = -1;
    uint8_t *data = NULL;
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0) goto done;
    errno = EFBIG;
    if (info.st_size < 0 || (uintmax_t)info.st_size > INPUT_MAX_BYTES) goto done;
    size_t size = (size_t)info.st_size;
    data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size) goto done;
    printf("# %s, %zu bytes\n", path, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
    result = 0;
done:
    if (result) fprintf(stderr, "can't replay %s: %s\n", path, strerror(errno));
    free(data);
    if (file) fclose(file);
    return result;
}

static int is_input(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* Inputs replayed, or -1. A folder that is not there has nothing to replay: a target may start without a corpus. */
static int replay_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_input, alphasort);
    if (count < 0) return errno == ENOENT ? 0 : -1;
    int failed = 0;
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX_BYTES];
        int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof path || replay_file(path) != 0) failed = 1;
        free(entries[i]);
    }
    free(entries);
    return failed ? -1 : count;
}

int main(int argc, char **argv)
{
    static const uint8_t nothing[1];
    int failed = 0;
    int total = 1;
    LLVMFuzzerTestOneInput(nothing, 0);
    for (int i = 1; i < argc; i++) {
        int count = replay_folder(argv[i]);
        if (count < 0)
            failed = 1;
        else
            total += count;
    }
    printf("%s - %d inputs replayed\n", failed ? "not ok" : "ok", total);
    return failed;
}
