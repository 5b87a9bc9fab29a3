/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the program: its command line, its store, and what verbs share. A verb opens what it needs through here;
 * cli_run() closes it. One thread. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "faces/cli/emit.h"
#include "faces/cli/options.h"
#include "faces/cli/print.h"
#include "steme/steme.h"

#include <stdbool.h>

struct cli;

/* One row of the table of verbs. */
struct verb {
    const char *name;  /* one word, or two: "key new" */
    const char *group; /* heading in the list of verbs; NULL: not listed */
    const char *summary;
    const char *arguments; /* as in the usage line; "" */
    size_t arguments_min;
    size_t arguments_max;
    const char *details;  /* paragraphs; lines as they are printed */
    const char *examples; /* lines: a command, two spaces and '#' before what it does */
    const struct option_spec *options[OPTION_TABLES_MAX - 1]; /* besides the ones all verbs take; ends with NULL */
    steme_status (*run)(struct cli *cli, struct steme_error *err);
};

struct key_name {
    const char *name;
    struct steme_key key;
};

struct cli {
    const struct verb *verb;
    struct options options;
    struct print print; /* standard output */
    bool json;
    bool progress; /* somebody watches standard error */
    bool progress_on_screen;
    int64_t progress_at_us;
    int64_t now_us;     /* of this run: every record it writes, every "now" it was told */
    char dir[4096];     /* of the store, once it is open */
    char hint[512];     /* what to do about the error; "" */
    struct arena arena; /* until the end of the run */
    struct steme_store *store;
    bool writes; /* the store is open for writing */
    struct steme_snapshot *snapshot;
    struct steme_signer *signer;
    struct key_name *keys; /* of the store, once asked for */
    size_t key_count;
    bool keys_loaded;
};

/* The whole program: returns the exit code. */
int cli_run(int argc, char **argv);

/* What every verb takes: --dir, --json, --table, --help. */
extern const struct option_spec cli_common_options[];
/* --as */
extern const struct option_spec cli_signer_options[];
/* --as-of, --valid-at: what moment_of() reads */
extern const struct option_spec cli_moment_options[];
/* What a store's directory is called where it is looked for. */
#define CLI_STORE_DIR ".steme"

/* The lens of who names none. */
#define CLI_LENS "consensus"

/* --lens, once or repeated, and the parameters of lenses: what cli_lens() reads */
extern const struct option_spec cli_one_lens[];
extern const struct option_spec cli_many_lenses[];
extern const struct option_spec cli_lens_options[];

/* Say what to do about the error that is about to be returned; the last one said is shown. */
void cli_hint(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A remark on standard error. Any thread. */
void cli_note(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Value of an option, or NULL. */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
/* The index-th argument, NULL past the last. */
const char *cli_argument(const struct cli *cli, size_t index);

/* Find and open the store: --dir, else STEME_DIR, else upward from the working directory. */
MUST_CHECK steme_status cli_open(struct cli *cli, bool for_writing, struct steme_error *err);
/* Close what is open of the store. */
void cli_close(struct cli *cli);
/* Open a snapshot of all that is durable, at the moment asked for where the verb has those options. Opens the store for
 * reading unless it is open. A snapshot already open is kept. */
MUST_CHECK steme_status cli_snapshot(struct cli *cli, struct steme_error *err);
/* The key named by --as, else the default. Needs the store open. */
MUST_CHECK steme_status cli_signer(struct cli *cli, struct steme_error *err);

/* Give a hint where a directory holds one part of a store, its identity or its log, and not the other: what is lost has
 * to be put back, and nothing made anew. */
bool cli_hint_lost_part(struct cli *cli, const char *dir);

/* The path of the store to make or open, without opening: false where it must be looked for upward. */
bool cli_named_dir(const struct cli *cli, const char **out);

/* A whole or abbreviated record id. Whole ones need not be in the store. */
MUST_CHECK steme_status cli_find_id(struct cli *cli, const char *text, struct steme_hash *out, struct steme_error *err);
/* An epoch by name, id or abbreviated id. */
MUST_CHECK steme_status cli_find_epoch(struct cli *cli, struct steme_slice text, struct steme_hash *out,
                                       struct steme_error *err);
/* A public key: by the name of a key in the store, or as 64 hex digits. */
MUST_CHECK steme_status cli_find_key(struct cli *cli, const char *text, struct steme_key *out, struct steme_error *err);
/* STEME_BAD_INPUT where there is no such lens, with the nearest in the message. */
MUST_CHECK steme_status cli_check_lens(const char *name, struct steme_error *err);
/* The lens asked for; roots live in the arena. absent: the lens where none is named, to which a setting has to belong;
 * NULL where it is all of them. Its name is left NULL then. STEME_BAD_INPUT: such as a setting of another lens. */
MUST_CHECK steme_status cli_lens(struct cli *cli, const char *absent, struct steme_lens *out, struct steme_error *err);
/* STEME_BAD_INPUT with what was likely meant, unless there is such a lens. */
MUST_CHECK steme_status cli_check_lens(const char *name, struct steme_error *err);
/* One "name=value" per use of an option. */
MUST_CHECK steme_status cli_qualifiers(struct cli *cli, const char *option, bool key, struct steme_qualifier *out,
                                       struct steme_error *err);

/* The keys of the store by name, in cli->keys; with a failure those that are sound. */
MUST_CHECK steme_status cli_load_keys(struct cli *cli, struct steme_error *err);
/* How a key is called here: its name in the store, else its first digits, also where keys can't be read: names are a
 * convenience. Lives in the arena. */
const char *cli_key_name(struct cli *cli, const struct steme_key *key);

/* Print a JSON document begun on *line as one line, and clear it. Reports what kept it from being whole. */
MUST_CHECK steme_status cli_print_line(struct cli *cli, struct buf *line, struct steme_error *err);
/* STEME_IO once standard output failed: so that long walks end. */
MUST_CHECK steme_status cli_check_output(struct cli *cli, struct steme_error *err);
/* STEME_CORRUPT where records were left out of what was printed, because they are damaged or can't be read. */
MUST_CHECK steme_status cli_check_left_out(struct cli *cli, uint64_t count, struct steme_error *err);
/* Tell of a written record: its id, or JSON with --json. */
MUST_CHECK steme_status cli_print_receipt(struct cli *cli, const struct steme_receipt *receipt,
                                          struct steme_error *err);

/* A line on standard error that is written over by the next; "" takes it away. At most five a second. */
void cli_progress(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The first 12 digits of an id: what people see. */
enum { SHORT_ID_BYTES = 13 };
const char *cli_short_id(const struct steme_hash *id, char out[SHORT_ID_BYTES]);

#endif
