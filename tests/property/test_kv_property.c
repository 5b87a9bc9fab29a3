/* SPDX-License-Identifier: Apache-2.0 */
/* The same random operations against a sorted array, which anybody can see to be right, and against each ordered store;
 * every answer is compared, and lmdb is closed and opened again now and then. SEED=n repeats one run, STEPS=n makes the
 * runs longer. */
#include "base/check.h"
#include "base/prng.h"
#include "base/slice.h"
#include "lib/kv_fault.h"
#include "lib/testing.h"
#include "spine/kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 600, SNAPSHOTS = 3, SCAN_MAX = 12 };

/* --- The model ---------------------------------------------------------------------------------------------------- */

struct row {
    uint8_t key_bytes[KV_KEY_MAX];
    uint16_t key_size;
    uint32_t value_size;
    uint64_t value_seed; /* its bytes follow from it */
};

struct model {
    struct row rows[KEYS_MAX];
    size_t count;
};

static struct steme_slice row_key(const struct row *row) { return slice_of(row->key_bytes, row->key_size); }

/* Index of the first row whose key is >= key. */
static size_t model_ceiling(const struct model *model, struct steme_slice key)
{
    size_t i = 0;
    while (i < model->count && slice_compare(row_key(&model->rows[i]), key) < 0)
        i++;
    return i;
}

static bool model_has(const struct model *model, size_t at, struct steme_slice key)
{
    return at < model->count && slice_equal(row_key(&model->rows[at]), key);
}

static void model_put(struct model *model, struct steme_slice key, uint32_t value_size, uint64_t value_seed)
{
    size_t at = model_ceiling(model, key);
    struct row *row = &model->rows[at];
    if (!model_has(model, at, key)) {
        memmove(row + 1, row, (model->count - at) * sizeof(*row));
        model->count++;
        row->key_size = (uint16_t)key.size;
        memcpy(row->key_bytes, key.data, key.size);
    }
    row->value_size = value_size;
    row->value_seed = value_seed;
}

static void model_remove(struct model *model, size_t at)
{
    model->count--;
    memmove(&model->rows[at], &model->rows[at + 1], (model->count - at) * sizeof(struct row));
}

static struct steme_slice value_bytes(uint32_t size, uint64_t seed, uint8_t *scratch)
{
    struct prng prng = { seed };
    prng_fill(&prng, scratch, size);
    return slice_of(scratch, size);
}

static bool value_is(const struct row *row, struct steme_slice value)
{
    static uint8_t scratch[KV_VALUE_MAX];
    return slice_equal(value, value_bytes(row->value_size, row->value_seed, scratch));
}

/* --- The stores --------------------------------------------------------------------------------------------------- */

enum { MEM, LMDB, FAULT, GUARDED_MEM, GUARDED_LMDB, STORES };
static const char *const names[STORES] = { "mem", "lmdb", "fault over lmdb", "guard over mem", "guard over lmdb" };

struct store {
    struct kv *kv;
    char *dir;
    struct kv_txn *writer;
    struct kv_cursor scan; /* a scan of the writer's that goes on while it writes */
    struct kv_txn *snapshots[SNAPSHOTS];
};

struct run {
    struct prng prng;
    uint64_t seed;
    unsigned step;
    struct model committed, working; /* working: what the writer sees */
    bool writing;
    struct model *snapshots[SNAPSHOTS]; /* NULL: none open */
    bool scanning;
    struct row scanned; /* the pair the scan gave last */
    struct store stores[STORES];
};

static struct steme_error err;

static void check(struct run *run, int store, bool holds, const char *what)
{
    if (holds) return;
    print_error("SEED=%llu, step %u, %s: %s differs from the model; last error: %s\n", (unsigned long long)run->seed,
                run->step, names[store], what, err.message);
    fail();
}

static void check_status(struct run *run, int store, steme_status got, steme_status want, const char *what)
{
    if (got == want) return;
    print_error("got %s, want %s\n", steme_status_name(got), steme_status_name(want));
    check(run, store, false, what);
}

static bool is_mem(int store) { return store == MEM || store == GUARDED_MEM; }

static void open_store(struct run *run, int i)
{
    struct store *store = &run->stores[i];
    struct kv_lmdb_options options = { .dir = store->dir, .create = true };
    steme_status status = is_mem(i) ? kv_mem_open(&store->kv, &err)
                                    : kv_lmdb_open(host_posix(), &options, &store->kv, &err);
    check_status(run, i, status, STEME_OK, "open");
    if (i == FAULT) store->kv = kv_fault_new(store->kv);
    assert_non_null(store->kv);
    if (i == GUARDED_MEM || i == GUARDED_LMDB) check_status(run, i, kv_guard(store->kv, &err), STEME_OK, "guard");
}

/* --- Random input ------------------------------------------------------------------------------------------------- */

/* Few different bytes and short keys, so that keys collide and are prefixes of each other; some are as long as
 * can be. */
static size_t draw_bytes(struct prng *prng, uint8_t *to, size_t size_max)
{
    static const uint8_t alphabet[] = { 0x00, 0x01, 'a', 'b', 0xfe, 0xff };
    size_t size = (size_t)prng_below(prng, size_max < 5 ? size_max + 1 : 5);
    if (size_max == KV_KEY_MAX && prng_chance(prng, 30)) {
        memset(to, alphabet[prng_below(prng, sizeof(alphabet))], KV_KEY_MAX);
        size = KV_KEY_MAX - (size_t)prng_below(prng, 3);
        to[size - 1] = alphabet[prng_below(prng, sizeof(alphabet))];
        return size;
    }
    for (size_t i = 0; i < size; i++)
        to[i] = alphabet[prng_below(prng, sizeof(alphabet))];
    return size;
}

static struct steme_slice draw_key(struct prng *prng, uint8_t to[KV_KEY_MAX])
{
    size_t size = 0;
    while (size == 0)
        size = draw_bytes(prng, to, KV_KEY_MAX);
    return slice_of(to, size);
}

static uint32_t draw_value_size(struct prng *prng)
{
    if (prng_chance(prng, 10)) return KV_VALUE_MAX - (uint32_t)prng_below(prng, 3);
    if (prng_chance(prng, 100)) return (uint32_t)prng_below(prng, 9000);
    return (uint32_t)prng_below(prng, 100);
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

/* A reader: the writer's own view, or a snapshot. */
struct view {
    const struct model *model;
    int snapshot; /* -1: the writer */
};

static struct kv_txn *txn_of(struct run *run, int store, const struct view *view)
{
    return view->snapshot < 0 ? run->stores[store].writer : run->stores[store].snapshots[view->snapshot];
}

static bool draw_view(struct run *run, struct view *view)
{
    int slot = (int)prng_below(&run->prng, SNAPSHOTS + 1) - 1;
    if (slot < 0 ? !run->writing : !run->snapshots[slot]) return false;
    *view = (struct view){ slot < 0 ? &run->working : run->snapshots[slot], slot };
    return true;
}

static void check_pair(struct run *run, int store, const struct row *row, struct kv_pair pair, const char *what)
{
    check(run, store, slice_equal(pair.key, row_key(row)), what);
    check(run, store, value_is(row, pair.value), what);
}

static void step_get(struct run *run, const struct view *view)
{
    uint8_t bytes[KV_KEY_MAX];
    struct steme_slice key = draw_key(&run->prng, bytes), value;
    size_t at = model_ceiling(view->model, key);
    bool there = model_has(view->model, at, key);
    for (int i = 0; i < STORES; i++) {
        steme_status status = kv_get(txn_of(run, i, view), key, &value, &err);
        check_status(run, i, status, there ? STEME_OK : STEME_NOT_FOUND, "get");
        if (there) check(run, i, value_is(&view->model->rows[at], value), "the value got");
    }
}

static void step_scan(struct run *run, const struct view *view)
{
    uint8_t prefix_bytes[KV_KEY_MAX], from_bytes[KV_KEY_MAX];
    struct steme_slice prefix = slice_of(prefix_bytes, draw_bytes(&run->prng, prefix_bytes, 2)), from = { 0 };
    if (prng_chance(&run->prng, 500)) { /* from: the prefix and some more */
        if (prefix.size) memcpy(from_bytes, prefix_bytes, prefix.size);
        from = slice_of(from_bytes, prefix.size + draw_bytes(&run->prng, from_bytes + prefix.size, 3));
    }
    unsigned length = (unsigned)prng_below(&run->prng, SCAN_MAX);
    if (prng_chance(&run->prng, 30)) length = KEYS_MAX + 1;
    for (int i = 0; i < STORES; i++) {
        struct kv_cursor cursor;
        struct kv_pair pair;
        size_t at = model_ceiling(view->model, from.size ? from : prefix);
        steme_status status = kv_seek(txn_of(run, i, view), prefix, from, &cursor, &pair, &err);
        for (unsigned k = 0;; k++, at++) {
            bool there = at < view->model->count && slice_starts(row_key(&view->model->rows[at]), prefix);
            check_status(run, i, status, there ? STEME_OK : STEME_NOT_FOUND, k ? "next" : "seek");
            if (!there || k == length) break;
            check_pair(run, i, &view->model->rows[at], pair, k ? "the pair of next" : "the pair of seek");
            status = kv_next(&cursor, &pair, &err);
        }
        if (prng_chance(&run->prng, 800)) kv_cursor_end(&cursor); /* else it ends with its transaction */
    }
}

static void step_last(struct run *run, const struct view *view)
{
    uint8_t prefix_bytes[KV_KEY_MAX], below_bytes[KV_KEY_MAX];
    struct steme_slice prefix = slice_of(prefix_bytes, draw_bytes(&run->prng, prefix_bytes, 2));
    struct steme_slice below = slice_of(below_bytes, draw_bytes(&run->prng, below_bytes, 3));
    const struct row *want = NULL;
    for (size_t i = 0; i < view->model->count; i++) {
        const struct row *row = &view->model->rows[i];
        bool in_bound = below.size == 0 || slice_compare(row_key(row), below) < 0;
        if (in_bound && slice_starts(row_key(row), prefix)) want = row;
    }
    for (int i = 0; i < STORES; i++) {
        struct kv_pair pair;
        steme_status status = kv_last(txn_of(run, i, view), prefix, below, &pair, &err);
        check_status(run, i, status, want ? STEME_OK : STEME_NOT_FOUND, "last");
        if (want) check_pair(run, i, want, pair, "the pair of last");
    }
}

/* --- Writing ------------------------------------------------------------------------------------------------------ */

static void step_put(struct run *run, bool fresh)
{
    static uint8_t scratch[KV_VALUE_MAX];
    uint8_t bytes[KV_KEY_MAX];
    struct steme_slice key = draw_key(&run->prng, bytes), present;
    uint32_t size = draw_value_size(&run->prng);
    uint64_t seed = prng_u64(&run->prng);
    struct steme_slice value = value_bytes(size, seed, scratch);
    size_t at = model_ceiling(&run->working, key);
    bool there = model_has(&run->working, at, key);
    if (!there && run->working.count == KEYS_MAX) return;
    for (int i = 0; i < STORES; i++) {
        struct kv_txn *txn = run->stores[i].writer;
        steme_status status = fresh ? kv_put_fresh(txn, key, value, &present, &err) : kv_put(txn, key, value, &err);
        check_status(run, i, status, fresh && there ? STEME_EXISTS : STEME_OK, fresh ? "put fresh" : "put");
        if (fresh && there) check(run, i, value_is(&run->working.rows[at], present), "the value present");
    }
    if (!fresh || !there) model_put(&run->working, key, size, seed);
}

/* One pair's value put under another's key, both as the store lent them. */
static void step_copy(struct run *run)
{
    if (run->working.count == 0) return;
    struct row to = run->working.rows[prng_below(&run->prng, run->working.count)];
    struct row from = run->working.rows[prng_below(&run->prng, run->working.count)];
    for (int i = 0; i < STORES; i++) {
        struct kv_txn *txn = run->stores[i].writer;
        struct steme_slice value;
        struct kv_pair pair;
        struct kv_cursor cursor;
        check_status(run, i, kv_get(txn, row_key(&from), &value, &err), STEME_OK, "get to copy");
        check_status(run, i, kv_seek(txn, row_key(&to), row_key(&to), &cursor, &pair, &err), STEME_OK, "seek to copy");
        check_status(run, i, kv_put(txn, pair.key, value, &err), STEME_OK, "put a copy");
        kv_cursor_end(&cursor);
    }
    model_put(&run->working, row_key(&to), from.value_size, from.value_seed);
}

static void step_append(struct run *run)
{
    uint8_t bytes[KV_KEY_MAX];
    struct steme_slice key = draw_key(&run->prng, bytes);
    size_t count = run->working.count;
    if (count == KEYS_MAX) return;
    if (count && prng_chance(&run->prng, 500)) { /* right behind the last, if there is room for a byte more */
        const struct row *last = &run->working.rows[count - 1];
        memcpy(bytes, last->key_bytes, last->key_size);
        size_t size = last->key_size < KV_KEY_MAX ? last->key_size + 1u : last->key_size;
        bytes[size - 1] = (uint8_t)prng_u64(&run->prng);
        key = slice_of(bytes, size);
    }
    bool above = count == 0 || slice_compare(key, row_key(&run->working.rows[count - 1])) > 0;
    for (int i = 0; i < STORES; i++) {
        steme_status status = kv_append(run->stores[i].writer, key, slice_of(NULL, 0), &err);
        check_status(run, i, status, above ? STEME_OK : STEME_BAD_INPUT, "append");
    }
    if (above) model_put(&run->working, key, 0, 0);
}

static void remove_key(struct run *run, struct steme_slice key)
{
    size_t at = model_ceiling(&run->working, key);
    bool there = model_has(&run->working, at, key);
    for (int i = 0; i < STORES; i++) {
        steme_status status = kv_remove(run->stores[i].writer, key, &err);
        check_status(run, i, status, there ? STEME_OK : STEME_NOT_FOUND, "remove");
    }
    if (there) model_remove(&run->working, at);
}

static void step_remove(struct run *run)
{
    uint8_t bytes[KV_KEY_MAX];
    struct steme_slice key = draw_key(&run->prng, bytes);
    if (run->working.count && prng_chance(&run->prng, 700)) { /* one that is there */
        struct row row = run->working.rows[prng_below(&run->prng, run->working.count)];
        remove_key(run, row_key(&row));
    } else {
        remove_key(run, key);
    }
}

/* Whole ranges go, so that pages empty and trees shrink. */
static void step_remove_many(struct run *run)
{
    uint8_t bytes[KV_KEY_MAX];
    struct steme_slice from = draw_key(&run->prng, bytes);
    uint64_t count = prng_below(&run->prng, 200);
    size_t at = model_ceiling(&run->working, from);
    while (count-- && at < run->working.count) {
        struct row row = run->working.rows[at];
        remove_key(run, row_key(&row));
    }
}

/* A scan of the writer's own that lives across its changes. */
static void step_slow_scan(struct run *run)
{
    struct kv_pair pair;
    size_t at = 0;
    if (run->scanning) {
        at = model_ceiling(&run->working, row_key(&run->scanned));
        if (model_has(&run->working, at, row_key(&run->scanned))) at++;
    }
    bool there = at < run->working.count;
    for (int i = 0; i < STORES; i++) {
        struct store *store = &run->stores[i];
        steme_status status = run->scanning ? kv_next(&store->scan, &pair, &err)
                                            : kv_seek(store->writer, slice_of(NULL, 0), slice_of(NULL, 0), &store->scan,
                                                      &pair, &err);
        check_status(run, i, status, there ? STEME_OK : STEME_NOT_FOUND, "the slow scan");
        if (there) check_pair(run, i, &run->working.rows[at], pair, "the pair of the slow scan");
    }
    run->scanning = there;
    if (there) run->scanned = run->working.rows[at];
}

static void step_write(struct run *run)
{
    uint64_t draw = prng_below(&run->prng, 100);
    if (draw < 45)
        step_put(run, false);
    else if (draw < 52)
        step_put(run, true);
    else if (draw < 60)
        step_copy(run);
    else if (draw < 65)
        step_append(run);
    else if (draw < 84)
        step_remove(run);
    else if (draw < 85)
        step_remove_many(run);
    else
        step_slow_scan(run);
}

/* --- Transactions ------------------------------------------------------------------------------------------------- */

static void step_writer(struct run *run)
{
    bool keep = prng_chance(&run->prng, 750);
    for (int i = 0; i < STORES; i++) {
        struct store *store = &run->stores[i];
        steme_status status = STEME_OK;
        if (!run->writing)
            status = kv_begin(store->kv, KV_WRITE, &store->writer, &err);
        else if (keep)
            status = kv_commit(&store->writer, &err);
        else
            kv_abort(&store->writer);
        check_status(run, i, status, STEME_OK, run->writing ? "commit" : "begin");
    }
    if (run->writing && keep) run->committed = run->working;
    run->working = run->committed;
    run->writing = !run->writing;
    run->scanning = false;
}

static void step_snapshot(struct run *run)
{
    size_t slot = (size_t)prng_below(&run->prng, SNAPSHOTS);
    bool open = !run->snapshots[slot];
    for (int i = 0; i < STORES; i++) {
        struct store *store = &run->stores[i];
        if (open)
            check_status(run, i, kv_begin(store->kv, KV_READ, &store->snapshots[slot], &err), STEME_OK,
                         "begin to read");
        else
            kv_abort(&store->snapshots[slot]);
    }
    if (open) {
        run->snapshots[slot] = malloc(sizeof(struct model));
        assert_non_null(run->snapshots[slot]);
        *run->snapshots[slot] = run->committed;
    } else {
        free(run->snapshots[slot]);
        run->snapshots[slot] = NULL;
    }
}

static void end_all(struct run *run)
{
    for (int i = 0; i < STORES; i++) {
        kv_abort(&run->stores[i].writer);
        for (size_t k = 0; k < SNAPSHOTS; k++)
            kv_abort(&run->stores[i].snapshots[k]);
    }
    for (size_t k = 0; k < SNAPSHOTS; k++) {
        free(run->snapshots[k]);
        run->snapshots[k] = NULL;
    }
    run->working = run->committed;
    run->writing = run->scanning = false;
}

static void step_reopen(struct run *run)
{
    end_all(run);
    for (int i = 0; i < STORES; i++) {
        if (is_mem(i)) continue; /* it would be empty */
        kv_close(&run->stores[i].kv);
        open_store(run, i);
    }
}

static void step_any(struct run *run)
{
    struct view view;
    uint64_t draw = prng_below(&run->prng, 1000);
    if (draw < 3)
        step_reopen(run);
    else if (draw < 40)
        step_writer(run);
    else if (draw < 70)
        step_snapshot(run);
    else if (draw < 600 && run->writing)
        step_write(run);
    else if (draw >= 600 && draw < 730 && draw_view(run, &view))
        step_get(run, &view);
    else if (draw >= 730 && draw < 880 && draw_view(run, &view))
        step_scan(run, &view);
    else if (draw >= 880 && draw_view(run, &view))
        step_last(run, &view);
}

static void run_seed(uint64_t seed, unsigned steps)
{
    struct run *run = calloc(1, sizeof(*run));
    assert_non_null(run);
    run->seed = seed;
    run->prng = (struct prng){ seed };
    for (int i = 0; i < STORES; i++) {
        run->stores[i].dir = testing_make_temporary();
        open_store(run, i);
    }
    for (run->step = 0; run->step < steps; run->step++)
        step_any(run);
    end_all(run);
    for (int i = 0; i < STORES; i++) {
        kv_close(&run->stores[i].kv);
        testing_remove_temporary(run->stores[i].dir);
    }
    free(run);
}

static void every_store_answers_as_the_sorted_array_does(void **state)
{
    (void)state;
    const char *seed = getenv("SEED"), *steps = getenv("STEPS");
    unsigned step_count = steps ? (unsigned)strtoul(steps, NULL, 10) : 4000;
    if (seed) {
        run_seed(strtoull(seed, NULL, 10), step_count);
        return;
    }
    for (uint64_t i = 1; i <= 8; i++)
        run_seed(i, step_count);
    uint64_t drawn = 0;
    assert_status(host_random(host_posix(), &drawn, sizeof(drawn), &err), STEME_OK, &err, "a seed");
    print_message("SEED=%llu\n", (unsigned long long)drawn);
    run_seed(drawn, step_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_store_answers_as_the_sorted_array_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
