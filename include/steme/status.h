/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Statuses: what a call may answer, in which class, and the detail that goes with a failure.
 *
 * Every call that can fail returns a ::steme_status and takes a `struct steme_error *` last, which may
 * be NULL. Results are written only on ::STEME_OK. The compiler refuses an ignored status.
 */
#ifndef STEME_STATUS_H
#define STEME_STATUS_H

#include <stdarg.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The compiler refuses a caller that drops the status. */
#define STEME_MUST_CHECK __attribute__((warn_unused_result))

/** Marks what the shared library exports; all else is hidden. */
#define STEME_API __attribute__((visibility("default")))

/**
 * One row per status: name, class, sentence. Enum, names, texts and exit codes all come from here.
 * The order is part of the ABI: append only.
 */
#define STEME_STATUS_MAP(X)                                                                           \
    X(OK, DONE, "done")                                                                               \
    X(FAILED, FAILURE, "the call failed")                                                             \
    X(BAD_INPUT, USAGE, "the input is malformed")                                                     \
    X(TOO_LARGE, USAGE, "a documented limit would be exceeded")                                       \
    X(NOT_FOUND, MISSING, "there is no such thing in the store")                                      \
    X(EXISTS, CONFLICT, "it exists already")                                                          \
    X(BAD_SIGNATURE, CONFLICT, "the signature does not verify")                                       \
    X(MISMATCH, CONFLICT, "stored data disagree with what they should be")                            \
    X(IO, DEVICE, "the operating system reported a failure")                                          \
    X(NO_SPACE, DEVICE, "the disk is full")                                                           \
    X(READ_ONLY, DEVICE, "the store can't be written here")                                           \
    X(CORRUPT, DEVICE, "stored bytes fail their checks")                                              \
    X(NEWER, DEVICE, "the data are of a newer format than this program reads")                        \
    X(SEALED, DEVICE, "an earlier write failed: nothing is acknowledged until the store is reopened") \
    X(LOCKED, BUSY, "another process has the store open for writing")                                 \
    X(TIMEOUT, FAILURE, "the time allowed ran out")                                                   \
    X(NO_MEMORY, FAILURE, "memory ran out")                                                           \
    X(UNSUPPORTED, FAILURE, "this build or machine can't do that")

/** What a call answered. */
typedef enum {
#define STEME_STATUS_ENUM(name, class_, text) STEME_##name, /**< See ::STEME_STATUS_MAP. */
    STEME_STATUS_MAP(STEME_STATUS_ENUM)
#undef STEME_STATUS_ENUM
} steme_status;

/** What a face does about a status; the values are the exit codes of the command line. */
enum steme_class {
    STEME_CLASS_DONE = 0,     /**< all is well */
    STEME_CLASS_FAILURE = 1,  /**< it failed, and none of the below says why */
    STEME_CLASS_USAGE = 2,    /**< the caller's input is at fault */
    STEME_CLASS_MISSING = 3,  /**< not found */
    STEME_CLASS_CONFLICT = 4, /**< conflict or failed verification */
    STEME_CLASS_DEVICE = 5,   /**< I/O failure or corrupt store */
    STEME_CLASS_BUSY = 6      /**< locked by somebody else */
};

/** Bytes in the message of a ::steme_error, the closing NUL included. */
#define STEME_ERROR_MESSAGE_BYTES 512

/** Detail for one failed call. Fixed size, so that reporting NO_MEMORY needs none. Owned by the caller. */
struct steme_error {
    steme_status status;                     /**< same as the call returned */
    int os_errno;                            /**< errno of the system call, 0 unless there was one */
    const char *file;                        /**< source file where it was born; static storage */
    int line;                                /**< source line where it was born */
    char message[STEME_ERROR_MESSAGE_BYTES]; /**< outermost context first; UTF-8; no newline at the end */
};

/** Name of a status, such as "NOT_FOUND"; "?" for a number that is none. Static storage. */
STEME_API const char *steme_status_name(steme_status status);
/** One-sentence meaning of a status. Static storage. */
STEME_API const char *steme_status_text(steme_status status);
/** Class of a status: the exit code of the command line. */
STEME_API enum steme_class steme_status_class(steme_status status);

#ifdef __cplusplus
}
#endif
#endif
