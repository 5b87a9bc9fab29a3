/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * How beliefs shift: what would be believed if some evidence were left out, and what each record changed.
 *
 * Memory as in query.h: what a call returns lives in the snapshot.
 */
#ifndef STEME_SHIFT_H
#define STEME_SHIFT_H

#include "steme/query.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An answer in short. */
struct steme_position {
    enum steme_verdict verdict; /**< how firm */
    bool has_best;              /**< some claim has a probability above 0 */
    struct steme_belief best;   /**< with has_best: the most probable claim */
    size_t belief_count;        /**< live claims */
    bool has_pooled;            /**< the pool lens answered, from one measurement at least */
    struct steme_pooled pooled; /**< with has_pooled */
};

/** How an answer differs from another. */
enum steme_shift_kind {
    STEME_STAYED = 0,  /**< not by more than was asked for */
    STEME_FLIPPED = 1, /**< another claim is best */
    STEME_LOST = 2,    /**< there was an answer, there is none */
    STEME_GAINED = 3,  /**< there was none, there is one */
    STEME_MOVED = 4 /**< the same claim is best, but its probability or the verdict is another; under pool: the mean */
};
/** "stayed", "flipped", "lost", "gained" or "moved". Static storage. */
STEME_API const char *steme_shift_name(enum steme_shift_kind kind);

/** A record that made a difference. */
struct steme_cause {
    struct steme_hash id; /**< record id */
    uint64_t sequence;    /**< number in the log */
    enum steme_type type; /**< what it is */
};

/** One question whose answer differs. */
struct steme_shift {
    struct steme_slice subject;        /**< of the question */
    struct steme_slice predicate;      /**< of the question */
    struct steme_slice key_qualifiers; /**< "name=value, name=value", or empty */
    struct steme_hash slot;            /**< slot id */
    const char *lens;                  /**< name */
    struct steme_position before;      /**< what was believed */
    struct steme_position after;       /**< what is believed */
    enum steme_shift_kind kind;        /**< how they differ; never ::STEME_STAYED */
    /** How far: of the best claim's probability, what it lost or gained. Pooled: of the mean, in the standard errors it
     * had before. */
    double size;
    const struct steme_cause *causes; /**< steme_shifts_each(): the records in between that bear on it, by sequence */
    size_t cause_count;               /**< how many: 1 but for neighbours that bear on every question */
};

/**
 * Evidence to leave out. Masked are the assertions named, those signed by a masked agent, stated by a masked source or
 * within a masked epoch; ballots and endorsements by masked agents, endorsements of masked agents and sources; epochs
 * named, and those declared by masked agents; and what derives from masked assertions.
 */
struct steme_mask {
    const struct steme_hash *agents;     /**< agent ids */
    size_t agent_count;                  /**< how many */
    const struct steme_slice *sources;   /**< names */
    size_t source_count;                 /**< how many */
    const struct steme_hash *assertions; /**< record ids */
    size_t assertion_count;              /**< how many */
    const struct steme_hash *epochs;     /**< record ids */
    size_t epoch_count;                  /**< how many */
    bool direct;                         /**< what derives from masked assertions stays */
};

/** What a mask changes. */
struct steme_impact {
    const struct steme_shift *shifts; /**< flipped, lost and gained first, then moved; the largest first */
    size_t shift_count;               /**< how many: the four below together */
    uint64_t flipped;                 /**< of them */
    uint64_t lost;                    /**< of them */
    uint64_t gained;                  /**< of them: an epoch that superseded others is masked */
    uint64_t moved;                   /**< of them */
    uint64_t judged;                  /**< questions that the mask bears on: they were judged with it and without */
    uint64_t masked;                  /**< assertions that are masked, live or not, in the whole store */
    uint64_t derived;                 /**< of them: only because they derive from one that is */
    uint64_t ballots;                 /**< votes that are masked: by masked agents, and endorsements of who is masked */
};

/**
 * Which beliefs would be others if some evidence had never come. Nothing is written. pattern chooses questions as for
 * steme_resolve_each(), and the lens. threshold: 0..1, how far a probability must move to be listed (under pool: the
 * mean, in standard errors); a change of verdict is always listed. ::STEME_BAD_INPUT: an empty mask, or a threshold out
 * of range. ::STEME_NOT_FOUND: nothing is by an agent or source of the mask, or an id is no assertion's; the message
 * says which.
 */
STEME_API STEME_MUST_CHECK steme_status steme_impact(struct steme_snapshot *snapshot, const struct steme_mask *mask,
                                                     const struct steme_question *pattern, double threshold,
                                                     struct steme_impact *out, struct steme_error *err);

/**
 * What each record changed, in the order of the log, from a sequence number on (UINT64_MAX: nothing, but *next_out says
 * where the log ends) up to the snapshot's moment: every
 * question that a record bears on is judged as of just before it and just after. patterns choose questions and lenses
 * as for steme_resolve_each(). threshold as for steme_impact(); with 0 every change of the best claim's probability is
 * told. Records that bear on all questions (who endorses whom, under authority; epochs; how many values a predicate may
 * have) are taken together where they are neighbours (what reliability learns from is told record by record, at the
 * price of learning a predicate anew for each), and at most 100000 questions are judged for them: where there are
 * more, the store's opener is told. The shift is valid during the visit only; a visit's non-OK answer ends the walk and
 * is returned. *next_out, also then: the sequence number to go on from. Memory does not grow with the log.
 */
STEME_API STEME_MUST_CHECK steme_status steme_shifts_each(
    struct steme_snapshot *snapshot, const struct steme_question *patterns, size_t pattern_count,
    uint64_t since_sequence, double threshold, steme_status (*visit)(void *context, const struct steme_shift *shift),
    void *context, uint64_t *next_out, struct steme_error *err);

#ifdef __cplusplus
}
#endif
#endif
