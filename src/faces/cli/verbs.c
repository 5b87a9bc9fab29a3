/* SPDX-License-Identifier: Apache-2.0 */
#include "faces/cli/verbs.h"
#include "base/check.h"
#include "faces/cli/unknown.h"

#include <stdio.h>
#include <string.h>

enum { ANY_NUMBER = 1 << 20 }; /* of arguments: the system's own bound on a command line comes first */

static const char group_store[] = "Make and keep a store";
static const char group_write[] = "Write";
static const char group_ask[] = "Ask";
static const char group_look[] = "Look at records";

const struct verb verbs[] = {
    {
        .name = "init",
        .group = group_store,
        .arguments = "[DIR]",
        .arguments_max = 1,
        .run = verb_init,
        .summary = "make an empty store, with a key to sign with",
        .details = "The store is DIR/.steme, else .steme here; with --dir or $STEME_DIR it is that directory itself.\n"
                   "A key named default is made in it, so that you can assert at once.",
        .examples = "steme init            # make ./.steme\n"
                    "steme init notes      # make notes/.steme\n"
                    "steme init --dir /srv/facts",
    },
    {
        .name = "status",
        .group = group_store,
        .arguments = "",
        .run = verb_status,
        .summary = "what the store holds, and its health",
        .examples = "steme status\n"
                    "steme status --json | jq .records",
    },
    {
        .name = "verify",
        .group = group_store,
        .arguments = "",
        .run = verb_verify,
        .summary = "check every checksum, id, signature and key, and the index against the log",
        .details =
            "Reads the whole store and changes nothing in it but the index: one that is missing or unfit is made anew\n"
            "before, as by every verb. Exit code 4 when anything is wrong.",
        .examples = "steme verify\n"
                    "steme verify --json",
    },
    {
        .name = "rebuild",
        .group = group_store,
        .arguments = "",
        .run = verb_rebuild,
        .summary = "make the index anew from the log",
        .details = "The log is the truth and the index a cache: answers are the same before and after.",
        .examples = "steme rebuild",
    },
    {
        .name = "bench",
        .group = group_store,
        .arguments = "",
        .options = { bench_options },
        .run = verb_bench,
        .summary = "measure this machine in a store that is thrown away",
        .details = "The store is made under $TMPDIR, else /tmp. Put $TMPDIR on the disk you mean to use.",
        .examples = "steme bench\n"
                    "TMPDIR=/srv steme bench --count 1000000 --json",
    },
    {
        .name = "key new",
        .group = group_store,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_key_new,
        .summary = "make a key to sign with",
        .details =
            "It is kept in the store's keys directory, readable by you alone. It can't be made again: keep a copy.",
        .examples = "steme key new alice\n"
                    "steme assert Pluto is_a planet --as alice",
    },
    {
        .name = "key list",
        .group = group_store,
        .arguments = "",
        .run = verb_key_list,
        .summary = "the keys kept in the store",
        .examples = "steme key list",
    },
    {
        .name = "key show",
        .group = group_store,
        .arguments = "NAME|HEX",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_key_show,
        .summary = "a key's public half and its agent id",
        .examples = "steme key show alice",
    },
    {
        .name = "assert",
        .group = group_write,
        .arguments = "SUBJECT PREDICATE [OBJECT]",
        .arguments_min = 2,
        .arguments_max = 3,
        .run = verb_assert,
        .options = { assert_options, object_options, cli_signer_options },
        .summary = "state something, signed",
        .details = "Prints the id of the record, once it is on stable storage.\n"
                   "An object is a text unless --type says else; with --plus, --minus or --unit it is a quantity.\n"
                   "Types unknown (there is a value, nobody knows it) and none (there is no value) take no object.\n"
                   "A blob is HASH:SIZE:MEDIA. Times are ISO 8601: 1994, 1994-10-27, 1994-10-27T12:34:56Z.",
        .examples = "steme assert Pluto is_a planet --type entity --source Tombaugh --asserted-at 1930\n"
                    "steme assert Pluto is_a planet --type entity --not --evidence supports=doi:10.1086/502980\n"
                    "steme assert cosmology:hubble_constant value 67.4 --plus 0.5 --unit km/s/Mpc --confidence 0.9\n"
                    "steme assert Berlin population 3677472 --type integer --valid-from 2022 --key of=city",
    },
    {
        .name = "vote",
        .group = group_write,
        .arguments = "ID support|refute|abstain",
        .arguments_min = 0,
        .arguments_max = 4,
        .run = verb_vote,
        .options = { vote_options, object_options, cli_signer_options },
        .summary = "support or refute a record, a claim, an agent or a source",
        .details =
            "The latest vote of a voter on a target counts; abstain withdraws it. Forms:\n"
            "    vote ID STANCE                                 an assertion or an epoch\n"
            "    vote --claim SUBJECT PREDICATE OBJECT STANCE   a claim, whoever makes it\n"
            "    vote --claim-id ID --subject SUBJECT STANCE    a claim by its id\n"
            "    vote --agent KEY STANCE                        a signer: an endorsement\n"
            "    vote --source NAME STANCE                      a source\n"
            "    vote --batch FILE                              many, a line each; - is standard input\n"
            "A TSV file of votes begins with a header: stance, and kind and target (assertion ID, epoch NAME,\n"
            "agent KEY, source NAME, claim ID with a column subject) or subject, predicate, object and type;\n"
            "also probability, reason and time (when it was cast). NDJSON is as import takes it, votes only.\n"
            "Many votes share one sync. Lines that can't go in are listed, the rest goes in, the exit code is 1.",
        .examples = "steme vote 3f2a9c support --reason 'repeated it'\n"
                    "steme vote --claim Pluto is_a planet refute --probability 0.8\n"
                    "steme vote --agent alice support --as bob\n"
                    "steme vote --batch votes.tsv --ids",
    },
    {
        .name = "retract",
        .group = group_write,
        .arguments = "ID...",
        .arguments_min = 1,
        .arguments_max = ANY_NUMBER,
        .run = verb_retract,
        .options = { retract_options, cli_signer_options },
        .summary = "withdraw records; they stay in history",
        .details = "In force for records of your own key; for others' it is a proposal.",
        .examples = "steme retract 3f2a9c --reason 'wrong units'",
    },
    {
        .name = "supersede",
        .group = group_write,
        .arguments = "OLD... --with NEW... --kind update|correct",
        .arguments_min = 1,
        .arguments_max = ANY_NUMBER,
        .run = verb_supersede,
        .options = { supersede_options, cli_signer_options },
        .summary = "put newer records in the place of older ones",
        .details = "update: the world changed. correct: it was wrong from the start.\n"
                   "In force for records of your own key; for others' it is a proposal.",
        .examples = "steme supersede 3f2a9c --with 77b01d --kind correct --reason 'typing error'",
    },
    {
        .name = "epoch new",
        .group = group_write,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_epoch_new,
        .options = { epoch_new_options, cli_signer_options },
        .summary = "declare a paradigm within which things are meant",
        .examples = "steme epoch new 'planet by usage' --to 2006-08-24\n"
                    "steme epoch new 'planet by IAU 2006' --from 2006-08-24 --supersedes 'planet by usage'",
    },
    {
        .name = "epoch list",
        .group = group_write,
        .arguments = "",
        .run = verb_epoch_list,
        .options = { cli_moment_options },
        .summary = "the epochs there are",
        .examples = "steme epoch list",
    },
    {
        .name = "epoch show",
        .group = group_write,
        .arguments = "NAME|ID",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_epoch_show,
        .options = { cli_moment_options },
        .summary = "one epoch in full",
        .examples = "steme epoch show 'planet by IAU 2006'",
    },
    {
        .name = "import",
        .group = group_write,
        .arguments = "FILE|-",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_import,
        .options = { import_options, cli_signer_options },
        .summary = "write many records from NDJSON or TSV",
        .details =
            "TSV: a header names the columns, out of agent subject predicate object type confidence plus\n"
            "minus unit time valid_from valid_to source epoch; subject, predicate and object are needed.\n"
            "Your key signs. An agent is who states it (its voice); a source next to an agent is evidence.\n"
            "Empty fields are absent; \\\\ \\t \\n \\r stand for themselves in an object; lines may end in CR LF.\n"
            "NDJSON: what `steme export` prints, with its signatures; or drafts, the same without id, author and\n"
            "signature, which your key signs.\n"
            "Lines that can't go in are listed with their number and the reason; the rest goes in, and the exit code\n"
            "is then 1. Importing a file again writes nothing twice, if its rows state their time.",
        .examples = "steme import measurements.tsv --rejects bad.tsv\n"
                    "zcat archive.ndjson.gz | steme import - --format ndjson\n"
                    "steme --dir old/.steme export | steme --dir new/.steme import -",
    },
    {
        .name = "export",
        .group = group_write,
        .arguments = "",
        .run = verb_export,
        .options = { export_options, cli_moment_options },
        .summary = "print all records as NDJSON, lossless",
        .details =
            "One record a line in the order of their ids, so that equal stores print equal exports; a bundle with its\n"
            "members in one line. --log prints in the order of the log, with numbers and receive times, which import\n"
            "leaves aside.",
        .examples = "steme export > backup.ndjson\n"
                    "steme export --log | jq -c 'select(.type==\"vote\")'",
    },
    {
        .name = "resolve",
        .group = group_ask,
        .arguments = "SUBJECT PREDICATE | --all",
        .arguments_max = 2,
        .run = verb_resolve,
        .options = { resolve_options, cli_one_lens, cli_lens_options, cli_moment_options },
        .summary = "what is believed, through a lens",
        .details =
            "Prints the verdict and the claims, most probable first. \"unknown\" is an answer, not an error.\n"
            "--all --format tsv prints subject, predicate, object, probability, key qualifiers and type of each live\n"
            "claim of each question, which subject, predicate and key qualifiers make; the probabilities of one\n"
            "question sum to at most 1, unless its predicate allows many values.",
        .examples = "steme resolve cosmology:hubble_constant value --lens pool\n"
                    "steme resolve Pluto is_a --valid-at 1990 --lens authority --root alice\n"
                    "steme resolve Pluto is_a --as-of @120 --json\n"
                    "steme resolve --all --predicate is_a --format tsv",
    },
    {
        .name = "why",
        .group = group_ask,
        .arguments = "SUBJECT PREDICATE",
        .arguments_min = 2,
        .arguments_max = 2,
        .run = verb_why,
        .options = { why_options, cli_one_lens, cli_lens_options, cli_moment_options },
        .summary = "the same, down to the signed records",
        .examples = "steme why Pluto is_a\n"
                    "steme why cosmology:hubble_constant value --lens pool --json",
    },
    {
        .name = "history",
        .group = group_ask,
        .arguments = "SUBJECT [PREDICATE]",
        .arguments_min = 1,
        .arguments_max = 2,
        .run = verb_history,
        .options = { cli_moment_options },
        .summary = "all that was ever asserted about a subject",
        .examples = "steme history Pluto\n"
                    "steme history Pluto is_a",
    },
    {
        .name = "conflicts",
        .group = group_ask,
        .arguments = "",
        .run = verb_conflicts,
        .options = { conflicts_options, cli_one_lens, cli_lens_options, cli_moment_options },
        .summary = "the questions where live claims disagree, most contested first",
        .examples = "steme conflicts --limit 5\n"
                    "steme conflicts --rank\n"
                    "steme conflicts --lens recency --half-life 365d",
    },
    {
        .name = "impact",
        .group = group_ask,
        .arguments = "--without KIND:WHAT...",
        .run = verb_impact,
        .options = { impact_options, cli_many_lenses, cli_lens_options, cli_moment_options },
        .summary = "which beliefs would flip or move without some evidence",
        .details =
            "Nothing is written. What is left out counts as if it had never come: assertions, votes and endorsements\n"
            "of an agent (a key's name, its hex digits, or agent-id:HEX), assertions of a source or within an epoch,\n"
            "and all that derives from them, unless --direct. flipped: another claim is best;\n"
            "lost: no answer is left; gained: there was none; moved: the probability by more than --threshold, or the\n"
            "verdict. Under pool the mean moves, in standard errors. --lens may be repeated.",
        .examples = "steme impact --without source:NASA\n"
                    "steme impact --without agent:alice --without agent:bob --lens authority\n"
                    "steme impact --without assertion:3f2a9c --direct --json",
    },
    {
        .name = "watch",
        .group = group_ask,
        .arguments = "",
        .run = verb_watch,
        .options = { watch_options, cli_many_lenses, cli_lens_options },
        .summary = "tell each change of a belief as it happens, with the record that caused it",
        .details =
            "One JSON document a line; on a terminal, or with --table, a line for people. Each question that a record\n"
            "bears on is judged as of just before the record and just after. --lens may be repeated. It works beside\n"
            "a writer, and ends with an interrupt, --once or --count.",
        .examples = "steme watch --subject Pluto\n"
                    "steme watch --since 1 --once --lens recency\n"
                    "steme watch --subject 'cosmology:*' --lens pool --lens consensus --threshold 0.05\n"
                    "steme watch --view hubble",
    },
    {
        .name = "lens list",
        .group = group_ask,
        .arguments = "",
        .run = verb_lens_list,
        .summary = "the ways to judge, with their formulas",
        .examples = "steme lens list",
    },
    {
        .name = "view create",
        .group = group_ask,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = { view_create_options, cli_one_lens, cli_lens_options, cli_signer_options },
        .run = verb_view_create,
        .summary = "keep the answers to many questions, through one lens, up to date",
        .details =
            "A view is a record: signed, in the log, exported with the rest. Its rows are derived, and kept current\n"
            "by whoever has the store open for writing. A view of the same name is replaced.",
        .examples = "steme view create hubble --subject 'Hubble*' --lens pool\n"
                    "steme view create trusted --predicate is_a --lens authority --root alice",
    },
    {
        .name = "view list",
        .group = group_ask,
        .arguments = "",
        .run = verb_view_list,
        .summary = "the views there are, and how far their rows are",
        .details = "One whose definition is not by a key of this store is a proposal: it has no rows.",
        .examples = "steme view list",
    },
    {
        .name = "view show",
        .group = group_ask,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_view_show,
        .summary = "what a view asks, and how far its rows are",
        .examples = "steme view show hubble",
    },
    {
        .name = "view rows",
        .group = group_ask,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = { view_rows_options },
        .run = verb_view_rows,
        .summary = "the answers that a view holds",
        .details =
            "They are what resolving each question as of the watermark gives. With --json the view itself comes\n"
            "first, watermark included, then a line for each row; else the watermark is told on standard error.",
        .examples = "steme view rows hubble\n"
                    "steme view rows hubble --at-least 1042 --json",
    },
    {
        .name = "view refresh",
        .group = group_ask,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = { view_refresh_options },
        .run = verb_view_refresh,
        .summary = "make a view's rows anew from the evidence",
        .details = "They are kept current without it; the old rows can be read meanwhile.",
        .examples = "steme view refresh hubble",
    },
    {
        .name = "view drop",
        .group = group_ask,
        .arguments = "NAME",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = { cli_signer_options },
        .run = verb_view_drop,
        .summary = "end a view",
        .details = "A record that says so; the answers are as before, only that nobody keeps them any more.",
        .examples = "steme view drop hubble",
    },
    {
        .name = "voices",
        .group = group_ask,
        .arguments = "",
        .run = verb_voices,
        .options = { voices_options, cli_one_lens, cli_lens_options, cli_moment_options },
        .summary = "how often each voice has been right, as far as can be learned",
        .details =
            "What the reliability lens learned of each voice of a predicate, without knowing the truth: the answers\n"
            "it gave, how many of them are expected to be right, its accuracy with a 95 % interval, what it weighs\n"
            "(a voice of whom nothing is known weighs 1), and with --copying how far it is independent. Of numbers:\n"
            "how far off it is.",
        .examples = "steme voices --predicate is_a\n"
                    "steme voices --copying --sort weight --limit 0\n"
                    "steme voices --as-of @120 --json",
    },
    {
        .name = "calibrate",
        .group = group_ask,
        .arguments = "--truth FILE",
        .run = verb_calibrate,
        .options = { calibrate_options, cli_many_lenses, cli_lens_options, cli_moment_options },
        .summary = "hold the answers of each lens against what is true",
        .details =
            "FILE is TSV with a header: subject, predicate, object, and type if the kind matters; it answers a\n"
            "question once. Printed for each lens, or those named (--lens may be repeated): how many answers are\n"
            "right (k that tie are worth 1/k), log loss, Brier score and calibration error of the probabilities, less\n"
            "is better. What they lack to 1 is spread evenly over what is claimed; a truth that nobody claims counts\n"
            "as wrong, with the log loss of 1e-6, which is the most. Of numbers: mean and root mean square of the\n"
            "error, and how often the truth lies within 1.96 of the stated errors.",
        .examples = "steme calibrate --truth truth.tsv\n"
                    "steme calibrate --truth truth.tsv --lens consensus --lens reliability --svg plots\n"
                    "steme calibrate --truth truth.tsv --format tsv > cards.tsv",
    },
    {
        .name = "arena",
        .group = group_ask,
        .arguments = "SCENARIO...",
        .arguments_min = 1,
        .arguments_max = ANY_NUMBER,
        .run = verb_arena,
        .options = { arena_options },
        .summary = "try lenses on made-up agents whose honesty is known",
        .details =
            "A scenario is a text file: groups of agents (honest, noisy, careless, lying, colluding, sybil,\n"
            "compromised) and questions whose answers are known. They act in a store that is thrown away, under\n"
            "$TMPDIR, else /tmp. Printed for each lens: how many answers are right, unknown, or settled and wrong\n"
            "(fooled); log loss, Brier score and calibration error of its probabilities, less is better; and the\n"
            "fewest attackers that leave fewer than half of the answers right. A scenario called - is read from\n"
            "standard input. docs/arena.md explains it all; it and examples/arena are installed in\n"
            "share/doc/stemedb.",
        .examples = "steme arena examples/arena/sybil-swarm.arena\n"
                    "steme arena examples/arena/*.arena --format tsv > cards.tsv\n"
                    "steme arena mine.arena --lens authority --svg plots",
    },
    {
        .name = "log",
        .group = group_look,
        .arguments = "",
        .run = verb_log,
        .options = { log_options, cli_moment_options },
        .summary = "records in the order they were received",
        .examples = "steme log --since 100 --limit 20\n"
                    "steme log --follow --json",
    },
    {
        .name = "show",
        .group = group_look,
        .arguments = "ID",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_show,
        .options = { cli_moment_options },
        .summary = "one record in full, with its standing, votes and revisions",
        .details = "An id may be cut to its first digits, 4 at least, where they name one record.",
        .examples = "steme show 3f2a9c",
    },
    {
        .name = "cat",
        .group = group_look,
        .arguments = "ID",
        .arguments_min = 1,
        .arguments_max = 1,
        .run = verb_cat,
        .options = { cli_moment_options },
        .summary = "the canonical bytes of a record",
        .details = "An id is the BLAKE3 hash of these bytes.",
        .examples = "steme cat 3f2a9c | b3sum    # prints the id",
    },
    {
        .name = "keys",
        .group = group_look,
        .arguments = "[PREFIX]",
        .arguments_max = 1,
        .run = verb_keys,
        .options = { cli_moment_options },
        .summary = "the logical keys of the index that begin with a prefix",
        .examples = "steme keys S:Pluto\n"
                    "steme keys | wc -l",
    },
    {
        .name = "help",
        .group = group_look,
        .arguments = "[VERB]",
        .arguments_max = 2,
        .run = verb_help,
        .summary = "how a verb is used, with examples",
        .examples = "steme help\n"
                    "steme help resolve\n"
                    "steme help key",
    },
    {
        .name = "version",
        .arguments = "",
        .run = verb_version,
        .summary = "the version of the program",
        .examples = "steme --version",
    },
    {
        .name = "completion",
        .arguments = "",
        .run = verb_completion,
        .summary = "print the completion of bash for steme",
        .examples = "source <(steme completion)",
    },
};

const size_t verb_count = countof(verbs);

/* Verbs of two words whose first is `first`; *found gets the one whose second is `second`. */
static size_t match_second(const char *first, const char *second, const char **seconds, const struct verb **found)
{
    size_t size = strlen(first);
    size_t count = 0;
    for (size_t i = 0; i < verb_count; i++) {
        if (strncmp(verbs[i].name, first, size) != 0 || verbs[i].name[size] != ' ') continue;
        seconds[count++] = verbs[i].name + size + 1;
        if (second && strcmp(second, verbs[i].name + size + 1) == 0) *found = &verbs[i];
    }
    return count;
}

steme_status verbs_find(const char *const *words, size_t count, const struct verb **out, size_t *used_out,
                        struct steme_error *err)
{
    const char *names[countof(verbs)];
    const struct verb *found = NULL;
    if (count == 0) return error_set(err, STEME_BAD_INPUT, "a verb is missing");
    for (size_t i = 0; i < verb_count; i++) {
        if (strcmp(words[0], verbs[i].name) != 0) continue;
        *out = &verbs[i];
        *used_out = 1;
        return STEME_OK;
    }
    const char *second = count > 1 && words[1][0] != '-' ? words[1] : NULL;
    size_t seconds = match_second(words[0], second, names, &found);
    if (found) {
        *out = found;
        *used_out = 2;
        return STEME_OK;
    }
    if (seconds > 0) {
        char verb[64];
        snprintf(verb, sizeof verb, second ? "'%.40s' verb" : "'%.40s'", words[0]);
        if (!second) return unknown_missing(err, verb, names, seconds);
        return unknown_word(err, STEME_BAD_INPUT, verb, second, names, seconds);
    }
    size_t name_count = 0;
    char firsts[countof(verbs)][16]; /* "key new" is meant by "kye", too */
    for (size_t i = 0; i < verb_count; i++) {
        if (!verbs[i].group) continue;
        snprintf(firsts[i], sizeof firsts[i], "%.*s", (int)strcspn(verbs[i].name, " "), verbs[i].name);
        names[name_count++] = firsts[i];
    }
    return unknown_word(err, STEME_BAD_INPUT, "verb", words[0], names, name_count);
}
