/* SPDX-License-Identifier: Apache-2.0 */
/* One record of every type, with every kind of value between them: what the golden files hold, and the records from
 * which other tests start. All are by one author, whose seed is the bytes 0 to 31. */
#ifndef TESTS_GOLDEN_SAMPLES_H
#define TESTS_GOLDEN_SAMPLES_H

#include "base/buf.h"
#include "model/sign.h"
#include "steme/types.h"

#include <stddef.h>

#define SAMPLES_MAX 32

struct sample {
    const char *name; /* of the golden file, without .hex */
    const char *what; /* first line of the golden file */
    struct steme_record record;
};

/* Fill out and return how many. What they point to lives as long as the program. Needs sign_init(). */
size_t samples_make(struct sample out[SAMPLES_MAX]);
/* The sample of that name; fails the test if there is none. */
struct steme_record sample_named(const char *name);
/* Its canonical bytes, malloc'ed to the very byte: testing_free(). */
struct steme_slice sample_bytes(const struct steme_record *record);
void sample_author(struct sign_secret *out);

#endif
