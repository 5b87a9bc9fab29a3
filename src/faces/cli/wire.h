/* SPDX-License-Identifier: Apache-2.0 */
/* Records as JSON, lossless both ways (docs/format/ndjson.md). Ids, keys and signatures are hex, decimals and shares
 * are strings ("67.4", "0.85"), times ISO 8601 strings, or "@MICROSECONDS" where ISO ends. What is empty, false or
 * "always" is left out. JSON is never hashed or signed: an id is checked against the bytes that the fields encode to.
 *
 *   value       {"kind":"quantity","amount":"67.4","lower":"66.9","upper":"67.9","unit":"km/s/Mpc"}
 *   assertion   {"id","type":"assertion","author","subject","predicate","object":value,"negated","confidence",
 *               "asserted_at","valid_from","valid_to","epoch","source","qualifiers":[{"name","value","key"}],
 *               "evidence":[{"stance","target"|"uri","locator"}],"parents":[id],"signature"}
 *   vote        {"id","type":"vote","voter","target":{"kind","id","route"},"stance","probability","cast_at","reason",
 *               "signature"}
 *   epoch       {"id","type":"epoch","author","name","description","declared_at","from","to","supersedes":[id],
 *               "signature"}
 *   revision    {"id","type":"revision","author","kind","targets":[target],"replacements":[id],"revised_at","reason",
 *               "signature"}
 *   bundle      {"id","type":"bundle","author","signature","members":[assertion without signature]}
 *
 * One thread at a time. */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H

#include "base/arena.h"
#include "faces/cli/emit.h"
#include "steme/query.h"

#include <stdbool.h>

/* ---- writing ---- */

void wire_value(struct emit *json, const char *name, const struct steme_value *value);
void wire_time(struct emit *json, const char *name, int64_t us);
void wire_key(struct emit *json, const char *name, const struct steme_key *key);
/* Begin the object of an entry and write all there is, up to but not including the closing brace; of a bundle all but
 * "members". with_log adds "sequence" and "received_at". */
void wire_begin_entry(struct emit *json, const char *name, const struct steme_entry *entry, bool with_log);

/* "support", "refute", "abstain"; for evidence "supports", "refutes", "context". */
const char *wire_stance_name(enum steme_stance stance);
const char *wire_evidence_stance_name(enum steme_stance stance);
/* "assertion", "vote", "epoch", "revision" or "bundle". */
const char *wire_type_name(enum steme_type type);
/* "assertion", "claim", "agent", "source", "epoch" or "vote". */
const char *wire_target_kind_name(enum steme_target_kind kind);
/* "retract", "correct" or "update". */
const char *wire_revision_kind_name(enum steme_revision_kind kind);

/* ---- reading ---- */

enum { WIRE_DEPTH_MAX = 16 }; /* nesting a line may have: ours has 6 */

/* A line read. A draft has neither id nor signature and is to be signed by whoever reads it. */
struct wire_record {
    struct steme_record record;
    bool is_draft;
    bool has_author;                  /* drafts may leave the author (voter) out */
    struct steme_hash id;             /* as stated, not checked; not in a draft */
    struct steme_signature signature; /* not in a draft, not in a member */
    struct wire_record *members;      /* of a bundle; their ids are in record.as.bundle.members, too */
    size_t member_count;
};

/* Read one line. Everything it refers to is copied into the arena. now_us: time of the act where a draft states none.
 * STEME_BAD_INPUT: no JSON object, a member unknown (the message names the nearest known), missing, twice, or of the
 * wrong type or range; nesting over WIRE_DEPTH_MAX. Content is judged by whoever encodes the record. */
MUST_CHECK steme_status wire_read(struct steme_slice line, int64_t now_us, struct arena *arena, struct wire_record *out,
                                  struct steme_error *err);

#endif
