/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary directory on the real disk, and everything it says as text, so that two states can be compared
 * to the letter. Fails the test where something does not work that should. One thread, but for the notices. */
#ifndef TESTS_LIB_SHOP_H
#define TESTS_LIB_SHOP_H

#include "base/buf.h"
#include "lib/pile.h"
#include "steme/steme.h"

#include <pthread.h>

#define SHOP_WAIT_MS 20000u
#define SHOP_TEXT_BYTES (64u << 20)

struct shop {
    char *root; /* a temporary directory */
    char *dir;  /* the store in it */
    struct steme_store *store;
    pthread_mutex_t telling; /* the two below */
    size_t notice_count;
    char notice[640]; /* the last one */
};

/* cmocka's setup and teardown: *state is a struct shop with an empty store open for writing. */
int shop_open(void **state);
int shop_close(void **state);
#define SHOP_CASE(function) cmocka_unit_test_setup_teardown(function, shop_open, shop_close)

/* Close the store if it is open and open it (again). */
void shop_reopen(struct shop *shop, bool read_only);
/* Open one more handle on its directory; NULL and the status where that fails. */
steme_status shop_open_more(struct shop *shop, bool read_only, struct steme_store **out, struct steme_error *err);
/* Notices so far that have this text in them; the last one only. */
bool shop_was_told(struct shop *shop, const char *text);
/* "dir/name"; malloc'ed. */
char *shop_path(const struct shop *shop, const char *name);

/* Put a made-up agent's key into the store's keys, before anything is asked: it is trusted from then on. */
void shop_keep_key(struct shop *shop, unsigned agent);

/* Submit groups first..last-1, one by one, or all, and wait until they are indexed. */
void shop_submit(struct shop *shop, const struct pile *pile, size_t first, size_t last);
void shop_submit_all(struct shop *shop, const struct pile *pile);
/* Submit them in this order, an odd lot at a time: first..last are places in `order`. */
void shop_submit_in(struct shop *shop, const struct pile *pile, const size_t *order, size_t count, struct prng *prng);
/* The same with all of the pile in a random order. */
void shop_submit_mixed(struct shop *shop, const struct pile *pile, struct prng *prng);
/* Submit so many groups drawn from a seed, mixed. */
void shop_fill(struct shop *shop, uint64_t seed, size_t groups);
void shop_catch_up(struct shop *shop);

struct steme_snapshot *shop_look(struct steme_store *store);
struct steme_snapshot *shop_look_at(struct steme_store *store, struct steme_moment moment);

/* What a snapshot says, appended as lines. answers: every slot under every lens, why, tallies, epochs; nothing that
 * depends on the order of arrival. export: every record in the order of ids. keys: the logical rows. log: in order. */
MUST_CHECK steme_status shop_answers(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err);
MUST_CHECK steme_status shop_export(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err);
MUST_CHECK steme_status shop_keys(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err);
MUST_CHECK steme_status shop_log(struct steme_snapshot *snapshot, struct buf *out, struct steme_error *err);
/* All of the first three of what is indexed now; the caller's buf is cleared first. */
void shop_say(struct steme_store *store, struct buf *out);

/* Both texts are the same, or the test fails and prints the row's name and the first line that differs. */
void shop_same_text(const struct buf *got, const struct buf *want, const char *name);

/* Change files past the store: invert a byte, remove, copy the whole directory (the store closed). */
void shop_flip(const char *path, uint64_t offset);
uint64_t shop_file_bytes(const char *path);
void shop_copy_dir(const char *from, const char *to);

#endif
