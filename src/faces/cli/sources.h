/* SPDX-License-Identifier: Apache-2.0 */
/* Names of sources by their ids: a vote on a source holds the id alone, and the name stands in assertions. A table of
 * fixed size that remembers what it was shown, the first name in each place; so a name may be unknown, never wrong. */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include "base/arena.h"
#include "steme/types.h"

enum { SOURCES_MAX = 4096 };

struct sources {
    struct arena *arena; /* of the names and the table; borrowed */
    struct source_place {
        struct steme_hash id;
        struct steme_slice name; /* empty: the place is free */
    } * places;                  /* SOURCES_MAX, once there is a name */
};

/* Remember the source of an assertion; other records, and ones without a source, are passed over. Without memory for it
 * the name stays unknown. */
void sources_see(struct sources *sources, const struct steme_record *record);
/* The name of the source with that id; empty where it is not known. Lives in the arena. */
struct steme_slice sources_name(const struct sources *sources, const struct steme_hash *id);

#endif
