/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The vocabulary: values, the six record types, and the identities made from them. Plain data.
 *
 * Text and bytes are borrowed slices: whoever fills a structure keeps the memory alive for the call; where
 * the library fills one, the function says until when it is valid. Numbers are exact: probabilities and
 * confidences are parts per million, times are microseconds since 1970-01-01T00:00:00Z, decimals are a
 * coefficient and a scale. Byte formats: docs/format/record.md.
 */
#ifndef STEME_TYPES_H
#define STEME_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Borrowed bytes; text is UTF-8 without a closing NUL. An empty slice may have data NULL. */
struct steme_slice {
    const uint8_t *data; /**< first byte */
    size_t size;         /**< bytes */
};

/** A BLAKE3-256 digest: the id of a record, slot, claim, agent or source. */
struct steme_hash {
    uint8_t bytes[32]; /**< as BLAKE3 gives them; printed as 64 lower-case hex digits in this order */
};

/** An Ed25519 public key: who signs. */
struct steme_key {
    uint8_t bytes[32]; /**< RFC 8032 encoding */
};

/** An Ed25519 signature over a domain tag and a record id. */
struct steme_signature {
    uint8_t bytes[64]; /**< R then S, RFC 8032 encoding */
};

/** One whole: probabilities and confidences run from 0 to this. */
#define STEME_PPM 1000000u
/** valid_from of what was always so. */
#define STEME_TIME_MIN INT64_MIN
/** valid_to of what has no end; valid_at or as_of that asks for "now". */
#define STEME_TIME_MAX INT64_MAX

/** What a value is. The numbers are part of the format. */
enum steme_kind {
    STEME_ENTITY = 0,   /**< a name: another subject */
    STEME_TEXT = 1,     /**< any UTF-8 text, with an optional language tag */
    STEME_INTEGER = 2,  /**< 64 bit signed */
    STEME_DECIMAL = 3,  /**< exact decimal number */
    STEME_QUANTITY = 4, /**< decimal amount with optional bounds and unit */
    STEME_TIME = 5,     /**< an instant with a precision */
    STEME_BOOLEAN = 6,  /**< true or false */
    STEME_BLOB = 7,     /**< bytes kept elsewhere, named by their hash */
    STEME_UNKNOWN = 8,  /**< there is a value, but the author does not know it */
    STEME_NONE = 9      /**< there is no value */
};

/** coefficient x 10^-scale, exactly. Canonical: no trailing zero in the coefficient, 0 has scale 0. */
struct steme_decimal {
    int64_t coefficient; /**< significant digits with sign; not INT64_MIN */
    int32_t scale;       /**< -STEME_SCALE_MAX .. STEME_SCALE_MAX; negative means trailing zeros */
};

/** How much of an instant is meant; what is finer must be zero in the instant. */
enum steme_precision {
    STEME_YEAR = 0,       /**< the whole year */
    STEME_MONTH = 1,      /**< the whole month */
    STEME_DAY = 2,        /**< the whole day, UTC */
    STEME_SECOND = 3,     /**< one second */
    STEME_MICROSECOND = 4 /**< one microsecond */
};

/** A typed value. Only the members that its kind names are looked at; the rest are zero. */
struct steme_value {
    enum steme_kind kind;           /**< which members count */
    struct steme_slice text;        /**< ENTITY: the name. TEXT: the text */
    struct steme_slice language;    /**< TEXT: BCP 47 tag such as "en", or empty */
    int64_t integer;                /**< INTEGER */
    struct steme_decimal amount;    /**< DECIMAL, QUANTITY */
    bool has_bounds;                /**< QUANTITY: lower and upper are given */
    struct steme_decimal lower;     /**< QUANTITY: amount - minus; at most amount */
    struct steme_decimal upper;     /**< QUANTITY: amount + plus; at least amount. One sigma by convention */
    struct steme_slice unit;        /**< QUANTITY: a name such as "km/s/Mpc", or empty for a pure number */
    int64_t time_us;                /**< TIME: start of the precision period */
    enum steme_precision precision; /**< TIME */
    bool boolean;                   /**< BOOLEAN */
    struct steme_hash blob;         /**< BLOB: BLAKE3-256 of the bytes */
    uint64_t blob_bytes;            /**< BLOB: how many */
    struct steme_slice media_type;  /**< BLOB: such as "image/png" */
};

/** Type byte of a record. The numbers are part of the format. */
enum steme_type {
    STEME_ASSERTION = 0, /**< one signed act of claiming */
    STEME_VOTE = 1,      /**< a ballot */
    STEME_EPOCH = 2,     /**< a paradigm */
    STEME_REVISION = 3,  /**< retract, correct or update */
    STEME_BUNDLE = 4,    /**< many assertions under one signature */
    STEME_VIEW = 5       /**< a standing question: which slots, through which lens */
};

/** For or against. The numbers are part of the format. */
enum steme_stance {
    STEME_SUPPORT = 0, /**< speaks for it */
    STEME_REFUTE = 1,  /**< speaks against it */
    STEME_ABSTAIN = 2  /**< vote: withdraws an earlier ballot; evidence: context only */
};

/** Detail of an assertion. A key qualifier is part of the question, the others describe the act. */
struct steme_qualifier {
    struct steme_slice name;  /**< a name */
    struct steme_slice value; /**< a name */
    bool key;                 /**< part of the slot */
};

/** What an assertion leans on. */
struct steme_evidence {
    enum steme_stance stance;   /**< ABSTAIN means context */
    bool has_target;            /**< target is a record or blob id; else uri */
    struct steme_hash target;   /**< with has_target */
    struct steme_slice uri;     /**< without: a name such as "doi:10.1086/300499" */
    struct steme_slice locator; /**< page, table, line ...; may be empty */
};

/** One signed act of claiming that subject's predicate is (or is not) a value. */
struct steme_assertion {
    struct steme_key author;                  /**< who signs; filled by the library when it signs */
    struct steme_slice subject;               /**< a name */
    struct steme_slice predicate;             /**< a name */
    struct steme_value object;                /**< the value */
    bool negated;                             /**< "not X": evidence against claim X */
    uint32_t confidence_ppm;                  /**< 0..STEME_PPM */
    int64_t asserted_at_us;                   /**< author's clock */
    int64_t valid_from_us;                    /**< world time, inclusive; STEME_TIME_MIN: always */
    int64_t valid_to_us;                      /**< world time, exclusive; STEME_TIME_MAX: for ever */
    bool has_epoch;                           /**< it is meant within an epoch */
    struct steme_hash epoch;                  /**< id of the epoch record */
    struct steme_slice source;                /**< entity that states it when the author only relays; may be empty */
    const struct steme_qualifier *qualifiers; /**< any order; sorted when encoded; no two alike */
    size_t qualifier_count;                   /**< at most STEME_QUALIFIERS_MAX */
    const struct steme_evidence *evidence;    /**< any order; sorted when encoded; no two alike */
    size_t evidence_count;                    /**< at most STEME_EVIDENCE_MAX */
    const struct steme_hash *parents;         /**< assertions it was derived from; any order; no two alike */
    size_t parent_count;                      /**< at most STEME_PARENTS_MAX */
};

/** What a vote or a revision is about. The numbers are part of the format. */
enum steme_target_kind {
    STEME_ON_ASSERTION = 0, /**< hash: record id; route: of its subject */
    STEME_ON_CLAIM = 1,     /**< hash: claim id; route: of its subject */
    STEME_ON_AGENT = 2,     /**< hash: agent id; route: its first 8 bytes. A vote on an agent is an endorsement */
    STEME_ON_SOURCE = 3,    /**< hash: source id; route: its first 8 bytes */
    STEME_ON_EPOCH = 4,     /**< hash: record id; route: its first 8 bytes */
    STEME_ON_VOTE = 5       /**< revisions only; hash: record id; route: of the vote's target */
};

/** A thing that is voted on or revised. */
struct steme_target {
    enum steme_target_kind kind; /**< what hash and route mean */
    uint64_t route;              /**< first 8 bytes, big-endian, of BLAKE3(subject); see ::steme_target_kind */
    struct steme_hash hash;      /**< whole id */
};

/** A ballot. The latest of a voter on a target counts: greatest cast_at, ties by greatest record id. */
struct steme_vote {
    struct steme_key voter;     /**< who signs; filled by the library when it signs */
    struct steme_target target; /**< what it is about */
    enum steme_stance stance;   /**< ABSTAIN withdraws */
    uint32_t probability_ppm;   /**< weight of the ballot: how sure the voter is of the stance, 0..STEME_PPM */
    int64_t cast_at_us;         /**< voter's clock */
    struct steme_slice reason;  /**< text; may be empty */
};

/** A paradigm: within it a question may have another answer. */
struct steme_epoch {
    struct steme_key author;             /**< who signs; filled by the library when it signs */
    struct steme_slice name;             /**< a name */
    struct steme_slice description;      /**< text; may be empty */
    int64_t declared_at_us;              /**< author's clock */
    int64_t from_us;                     /**< world time, inclusive; STEME_TIME_MIN: always */
    int64_t to_us;                       /**< world time, exclusive; STEME_TIME_MAX: still open */
    const struct steme_hash *supersedes; /**< epochs it replaces; any order; no two alike */
    size_t supersedes_count;             /**< at most STEME_PARENTS_MAX */
};

/** Why records are revised. The numbers are part of the format. */
enum steme_revision_kind {
    STEME_RETRACT = 0, /**< withdrawn; nothing takes its place */
    STEME_CORRECT = 1, /**< it was wrong from the start */
    STEME_UPDATE = 2   /**< the world changed */
};

/** Withdraws or replaces records. Effective for the author's own; by anyone else a proposal. */
struct steme_revision {
    struct steme_key author;               /**< who signs; filled by the library when it signs */
    enum steme_revision_kind kind;         /**< why */
    const struct steme_target *targets;    /**< 1..STEME_TARGETS_MAX; ASSERTION, EPOCH or VOTE; no two alike */
    size_t target_count;                   /**< how many */
    const struct steme_hash *replacements; /**< records that take their place; none for RETRACT; no two alike */
    size_t replacement_count;              /**< at most STEME_TARGETS_MAX */
    int64_t revised_at_us;                 /**< author's clock */
    struct steme_slice reason;             /**< text; may be empty */
};

/** Many assertions of one author under one signature: the list of their ids, in order. */
struct steme_bundle {
    struct steme_key author;          /**< of the bundle and of every member */
    const struct steme_hash *members; /**< record ids of assertions, in the order they are logged; no two alike */
    size_t member_count;              /**< 1..STEME_BUNDLE_MAX */
};

/**
 * A materialized view: the answers to all slots that match a pattern, through one lens, kept up to date. Of the records
 * of one name by the store's own keys the latest counts (greatest created_at, ties by greatest id); by anybody else it
 * is a proposal. One that is `dropped` ends the view of its name and has none of the fields behind that.
 */
struct steme_view {
    struct steme_key author;      /**< who signs; filled by the library when it signs */
    struct steme_slice name;      /**< a name */
    int64_t created_at_us;        /**< author's clock */
    bool dropped;                 /**< there is no such view any more */
    struct steme_slice subjects;  /**< pattern over the subject's name, see steme_glob_match(); empty: any */
    struct steme_slice predicate; /**< a name; empty: any */
    struct steme_slice lens;      /**< name of the lens */
    bool has_epoch;               /**< only assertions of this epoch or of none */
    struct steme_hash epoch;      /**< with has_epoch: id of the epoch record */
    /** Parameters of the lens by name ("damping", "half-life", "prior", "root"); a name may be there with several
     * values. Any order; sorted when encoded; no two alike; `key` is not looked at. */
    const struct steme_qualifier *parameters;
    size_t parameter_count; /**< at most STEME_VIEW_PARAMETERS_MAX */
};

/** Any record, decoded. */
struct steme_record {
    enum steme_type type; /**< which member of `as` */
    union {
        struct steme_assertion assertion; /**< type STEME_ASSERTION */
        struct steme_vote vote;           /**< type STEME_VOTE */
        struct steme_epoch epoch;         /**< type STEME_EPOCH */
        struct steme_revision revision;   /**< type STEME_REVISION */
        struct steme_bundle bundle;       /**< type STEME_BUNDLE */
        struct steme_view view;           /**< type STEME_VIEW */
    } as;                                 /**< the record */
};

#ifdef __cplusplus
}
#endif
#endif
