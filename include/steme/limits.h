/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Every bound in one place, with its reason. Over a bound is ::STEME_TOO_LARGE, never a crash.
 */
#ifndef STEME_LIMITS_H
#define STEME_LIMITS_H

/** Bytes in a name (subject, predicate, entity, source, unit, qualifier): a line of text; names are keys,
 * not documents. */
#define STEME_NAME_MAX 1024u
/** Bytes in a text (text value, reason, description): a long abstract; longer things are blobs. */
#define STEME_TEXT_MAX 65536u
/** Qualifiers of one assertion: Wikidata's busiest statements have about 20. */
#define STEME_QUALIFIERS_MAX 64u
/** Evidence entries of one assertion. */
#define STEME_EVIDENCE_MAX 256u
/** Parents of an assertion, superseded epochs of an epoch. */
#define STEME_PARENTS_MAX 256u
/** Targets, and replacements, of one revision. */
#define STEME_TARGETS_MAX 1024u
/** Members of one bundle: its id list is 128 KiB and hashing beats signing a thousandfold; more would only delay the
 * acknowledgement. */
#define STEME_BUNDLE_MAX 4096u
/** Bytes of one encoded record: holds every record the bounds above allow, and bounds what a decoder may be asked to
 * look at. */
#define STEME_RECORD_MAX 1048576u
/** Largest scale of a decimal, either sign: physics needs about 60; beyond is a typing error. */
#define STEME_SCALE_MAX 99
/** Records in one write to the log, and their bytes: bounds memory held for a group commit and the time one sync
 * takes. */
#define STEME_BATCH_RECORDS_MAX 8192u
/** See ::STEME_BATCH_RECORDS_MAX. */
#define STEME_BATCH_BYTES_MAX 8388608u
/** A segment of the log, bytes; a batch never crosses a segment, so this is at least twice ::STEME_BATCH_BYTES_MAX. */
#define STEME_SEGMENT_BYTES 67108864u
/** An asserted_at or cast_at may be at most this far ahead of the receive time, microseconds; later ones count as the
 * receive time. */
#define STEME_CLOCK_AHEAD_MAX_US 600000000
/** Bytes a store's quarantine may hold: past it the store does not open for writing rather than throw anything away. */
#define STEME_QUARANTINE_MAX_BYTES 17179869184u
/** Derived assertions that are looked at to count what depends on one question; past it the count is "at least". */
#define STEME_DEPENDANTS_MAX 100000u
/** Assertions, ballots or endorsements one question may gather into memory before it is refused. */
#define STEME_EVIDENCE_ROWS_MAX 1000000u

/** Parameters of a view's lens: room for as many roots as a person would name. */
#define STEME_VIEW_PARAMETERS_MAX 256u
/** Views that are kept current: each costs a look at every record that comes in. Further ones are refused, or listed
 * as waiting where they came by a copy. */
#define STEME_VIEWS_MAX 64u

#endif
