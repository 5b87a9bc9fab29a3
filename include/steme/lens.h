/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Lenses: how to believe. A lens is a pure function of a slot's evidence and its parameters; the same input gives the
 * same answer on any machine. The formulas stand in docs/lenses.md and at the top of each lens's source.
 */
#ifndef STEME_LENS_H
#define STEME_LENS_H

#include "steme/status.h"
#include "steme/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How the reliability lens learns. */
enum steme_method {
    STEME_METHOD_AUTO = 0,      /**< by the data: the answer says which, and why */
    STEME_METHOD_ONE_COIN = 1,  /**< one probability of being right for each voice */
    STEME_METHOD_CONFUSION = 2, /**< what each voice says where the truth is this or that; few different objects */
    STEME_METHOD_ACCURACY = 3,  /**< one probability for each voice, over objects without a fixed list */
    STEME_METHOD_NUMBERS = 4    /**< in answers only: a variance for each voice, chosen where most claims are numbers */
};

/** "auto", "one-coin", "confusion", "accuracy" or "numbers". Static storage. */
STEME_API const char *steme_method_name(enum steme_method method);

/** Choice of a lens and its parameters. Zeroed but for `name` it has the defaults. */
struct steme_lens {
    const char *name;              /**< as in steme_lens_list(); NULL: "consensus" */
    int64_t half_life_us;          /**< recency: a claim's weight halves with this age; 0: only the newest counts */
    const struct steme_key *roots; /**< authority: agents that weigh 1 by decree; borrowed for the call */
    size_t root_count;             /**< authority: how many; 0: the store's own keys */
    double damping;                /**< authority: share of its weight an agent passes on, 0 < d < 1; 0: 0.85 */
    double prior; /**< consensus, authority, union, reliability: weight of "none of these", in voices; 0: 0.5 */
    enum steme_method method; /**< reliability: how to learn; another than AUTO takes numbers for mere labels */
    bool copying;             /**< reliability: look for voices that copy one another, and discount them */
    bool uncalibrated;        /**< reliability: leave out the temperature that keeps probabilities honest */
};

/** Members of ::steme_lens that a lens may look at, as bits. */
enum steme_lens_parameter {
    STEME_LENS_HALF_LIFE = 1 << 0,   /**< `half_life_us` */
    STEME_LENS_ROOTS = 1 << 1,       /**< `roots` */
    STEME_LENS_DAMPING = 1 << 2,     /**< `damping` */
    STEME_LENS_PRIOR = 1 << 3,       /**< `prior` */
    STEME_LENS_METHOD = 1 << 4,      /**< `method` */
    STEME_LENS_COPYING = 1 << 5,     /**< `copying` */
    STEME_LENS_UNCALIBRATED = 1 << 6 /**< `uncalibrated` */
};

/** One lens, for listings. */
struct steme_lens_info {
    const char *name;    /**< as in ::steme_lens */
    const char *summary; /**< one line: what it believes */
    const char *detail;  /**< a paragraph: formula and parameters */
    unsigned parameters; /**< bits of ::steme_lens_parameter: those it takes; the others change nothing */
};

/** The lenses there are, in the order to list them; *count_out (not NULL) says how many. Static storage. */
STEME_API const struct steme_lens_info *steme_lens_list(size_t *count_out);

/** How firm an answer is. */
enum steme_verdict {
    STEME_UNDECIDED = 0, /**< no live evidence: unknown, which is an answer */
    STEME_CONTESTED = 1, /**< no claim reaches one half */
    STEME_LEANING = 2,   /**< the best claim reaches one half, not nine tenths; or a live rival has a tenth or more */
    STEME_SETTLED = 3,   /**< the best claim reaches nine tenths and no rival a tenth */
    STEME_LISTED = 4 /**< the lens does not decide (union), or each claim is judged alone (a many-valued predicate) */
};

/** "unknown", "contested", "leaning", "settled" or "listed". Static storage. */
STEME_API const char *steme_verdict_name(enum steme_verdict verdict);

/** One claim of a slot as a lens sees it. */
struct steme_belief {
    struct steme_hash claim;     /**< claim id (positive) */
    struct steme_value value;    /**< the object */
    double probability;          /**< 0..1; over the claims of a functional slot they sum to at most 1 */
    double support;              /**< weight for it, in the lens's unit (voices; for pool 1/variance) */
    double refute;               /**< weight against it, in the same unit */
    uint32_t support_voices;     /**< distinct voices for it, assertions and ballots together */
    uint32_t refute_voices;      /**< distinct voices against it */
    uint32_t assertions;         /**< live assertions for it */
    uint32_t refutations;        /**< live assertions of "not" it */
    uint32_t votes_for;          /**< ballots that count, supporting */
    uint32_t votes_against;      /**< ballots that count, refuting */
    int64_t latest_at_us;        /**< time of its newest live assertion, as recency counts it */
    struct steme_hash assertion; /**< a live assertion that makes it: the newest, ties by smallest id */
};

/**
 * What the pool or the reliability lens computed over the measurements of a slot. All in the slot's unit. Of
 * reliability (which pools integers and decimals as well, and quantities without bounds) the fixed mean is the mean,
 * and tau2 is 0: its errors are learned and hold the scatter already.
 */
struct steme_pooled {
    size_t count;            /**< measurements pooled: live quantities with bounds, one for each claim and voice */
    size_t left_out;         /**< live quantities without bounds, or in another unit */
    double fixed_mean;       /**< inverse-variance mean */
    double fixed_error;      /**< its standard error */
    double mean;             /**< DerSimonian-Laird random-effects mean: the answer */
    double error;            /**< its standard error */
    double tau2;             /**< between-measurement variance */
    double chi2;             /**< Cochran's Q about fixed_mean */
    size_t degrees;          /**< count - 1 */
    double i2;               /**< share of the scatter that errors do not explain, 0..1; NAN for one measurement */
    double birge;            /**< sqrt(chi2 / degrees); NAN for one measurement */
    double tension_p;        /**< probability of a chi2 this large if all measured the same; NAN for one measurement */
    struct steme_slice unit; /**< as in the measurements */
};

/** What the reliability lens learned from, and how: all slots of the predicate, as of the answer's moment. */
struct steme_learned {
    enum steme_method method; /**< the one used; never AUTO */
    const char *because;      /**< why that one: a clause; static storage */
    uint64_t as_of_sequence;  /**< last sequence number of what it was learned from */
    size_t items;             /**< questions (of a many-valued predicate: claims) it was learned over */
    size_t voices;            /**< voices heard in them */
    size_t answers;           /**< what those said: one for each voice and claim */
    size_t iterations;        /**< rounds until it stood still */
    double temperature;       /**< what log odds are divided by; 1: they stay as they are */
};

/** What is believed about a slot. */
struct steme_answer {
    struct steme_slice subject;         /**< of the question */
    struct steme_slice predicate;       /**< of the question */
    struct steme_slice key_qualifiers;  /**< "name=value, name=value" of the question, or empty */
    struct steme_hash slot;             /**< slot id */
    enum steme_verdict verdict;         /**< how firm */
    bool functional;                    /**< its claims compete */
    const struct steme_belief *beliefs; /**< most probable first; ties by newest, then claim id */
    size_t belief_count;                /**< live claims */
    uint32_t voices;                    /**< independent voices heard */
    uint32_t assertions;                /**< live assertions weighed */
    uint32_t votes;                     /**< ballots that count */
    double margin;   /**< further full-confidence voices for the runner-up (or against the best) that would flip it */
    bool has_pooled; /**< the pool lens answered, or the reliability lens from numbers */
    struct steme_pooled pooled;   /**< with has_pooled */
    bool has_learned;             /**< the reliability lens answered */
    struct steme_learned learned; /**< with has_learned */
    const char *lens;             /**< name */
    uint64_t as_of_sequence;      /**< last sequence number looked at */
    int64_t valid_at_us;          /**< world time asked for; STEME_TIME_MAX: any (what is valid without end or now) */
};

#ifdef __cplusplus
}
#endif
#endif
