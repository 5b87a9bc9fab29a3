/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "report.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 5, QUICK_DIVISOR = 10 };

static _Noreturn void refuse(const char *program)
{
    fprintf(stderr, "usage: %s --head | --dir SCRATCH [--json FILE] [--rounds 1..%u] [--quick]\n", program,
            FIGURE_ROUNDS_MAX);
    exit(2);
}

static size_t parse_rounds(const char *text, const char *program)
{
    char *end = NULL;
    errno = 0;
    unsigned long rounds = strtoul(text, &end, 10);
    if (errno || end == text || *end || rounds < 1 || rounds > FIGURE_ROUNDS_MAX) refuse(program);
    return rounds;
}

struct options options_parse(int argc, char **argv)
{
    static const struct option known[] = {
        { "dir", required_argument, NULL, 'd' },    { "json", required_argument, NULL, 'j' },
        { "rounds", required_argument, NULL, 'r' }, { "quick", no_argument, NULL, 'q' },
        { "head", no_argument, NULL, 'h' },         { NULL, 0, NULL, 0 },
    };
    struct options options = { .rounds = ROUNDS };
    for (int found; (found = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (found) {
        case 'd': options.dir = optarg; break;
        case 'j': options.json = optarg; break;
        case 'r': options.rounds = parse_rounds(optarg, argv[0]); break;
        case 'q': options.quick = true; break;
        case 'h': table_head(); exit(0);
        default: refuse(argv[0]);
        }
    }
    if (!options.dir || optind != argc) refuse(argv[0]);
    return options;
}

size_t options_scale(const struct options *options, size_t full)
{
    return options->quick ? full / QUICK_DIVISOR : full;
}

double options_seconds(const struct options *options, double full)
{
    return options->quick ? full / QUICK_DIVISOR : full;
}

void must(steme_status status, const struct steme_error *err, const char *what)
{
    if (status == STEME_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, steme_status_name(status), err ? err->message : "");
    exit(1);
}

void must_hold(bool holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "failed");
    exit(1);
}

void *must_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    must_hold(memory != NULL, "memory for a benchmark");
    return memory;
}
