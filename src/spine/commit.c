/* SPDX-License-Identifier: Apache-2.0 */
#include "spine/commit.h"

#include "base/check.h"
#include "host/gate.h"
#include "spine/batch.h"

#include <pthread.h>
#include <stdlib.h>

#define AREA_ALIGN 4096u

/* A caller's stake in a group: lives on its stack until the group is done. */
struct ticket {
    struct ticket *next;
    struct commit_place group;
    steme_status status;
};

struct area {
    uint8_t *bytes;           /* the header's room, then frames */
    uint32_t size;            /* in use */
    uint32_t count;           /* records */
    uint64_t number;          /* of the group that fills it: 1, 2, 3 ... */
    struct ticket *tickets;   /* of the callers in it */
    _Atomic uint32_t copying; /* callers not done copying, and one more while the area is open */
};

struct commit {
    struct commit_options options;
    pthread_mutex_t lock; /* guards what follows, up to the gates; held for some instructions */
    struct area areas[2];
    struct area *filling; /* the one that callers enter */
    bool busy;            /* somebody writes, or is about to */
    bool stopping;
    uint64_t line_head, line_tail; /* callers for whom there was no room stand in a line and enter in its order */
    struct steme_error failure;    /* of the last write that failed */

    _Atomic bool sealed;
    struct gate copied; /* number of the last closed group into which all copying is done */
    struct gate room;   /* rises when there may be room for the head of the line */
    struct gate turn;   /* rises when the background thread is to write */
    /* The first caller of a group is its herald: it alone is woken when the group is done, and wakes the others, so
     * that the writer has the next group on the disk while they are being woken. Two gates of each kind, used in turn,
     * so that one group wakes none of the next. A herald's mark of 2n - 1 says that group n needs a caller to write it
     * and that it is he, 2n that it is done. */
    struct gate herald[2];
    struct gate done[2]; /* number of the last group that is done */
    uint64_t untold;     /* the background thread's: a group that is done and whose herald sleeps; 0: none */
    pthread_t thread;
};

static void open_area(struct area *area, uint64_t number)
{
    area->size = BATCH_HEADER_BYTES;
    area->count = 0;
    area->number = number;
    area->tickets = NULL;
    atomic_store(&area->copying, 1);
}

/* One copier less, or the area is closed; who is last says so. */
static void leave_area(struct commit *commit, struct area *area, uint64_t number)
{
    if (atomic_fetch_sub(&area->copying, 1) == 1) gate_advance(&commit->copied, number);
}

/* Close the area that fills and open the other one, which is free: there is one writer at a time. Returns the number
 * of the group that is now to be written. */
static struct area *take_group(struct commit *commit)
{
    pthread_mutex_lock(&commit->lock);
    invariant(commit->busy);
    struct area *taken = commit->filling;
    commit->filling = taken == &commit->areas[0] ? &commit->areas[1] : &commit->areas[0];
    open_area(commit->filling, taken->number + 1);
    gate_advance(&commit->room, gate_mark(&commit->room) + 1);
    pthread_mutex_unlock(&commit->lock);

    leave_area(commit, taken, taken->number);
    while (!gate_wait(&commit->copied, taken->number, UINT64_MAX))
        continue;
    return taken;
}

static steme_status write_group(struct commit *commit, const struct area *area, struct commit_place *place,
                                struct steme_error *failure)
{
    if (atomic_load(&commit->sealed)) return STEME_SEALED;
    return commit->options.write(commit->options.context, area->bytes, area->size, area->count, place, failure);
}

/* Note on its callers' tickets how it went. */
static void settle_group(struct commit *commit, struct area *area, const struct commit_place *place,
                         steme_status status, const struct steme_error *failure)
{
    if (status && status != STEME_SEALED) {
        pthread_mutex_lock(&commit->lock);
        commit->failure = *failure;
        pthread_mutex_unlock(&commit->lock);
        if (status != STEME_NO_SPACE && status != STEME_NO_MEMORY) atomic_store(&commit->sealed, true);
    }
    for (struct ticket *ticket = area->tickets; ticket; ticket = ticket->next) {
        ticket->group = *place;
        ticket->status = status;
    }
}

/* Let a group's callers go on; then their tickets are gone. */
static void tell_group(struct commit *commit, uint64_t number)
{
    if (number) gate_advance(&commit->herald[number & 1u], 2 * number);
}

/* Write one group. Whoever is `busy` calls this, and is not any more afterwards, unless it returns true: then there
 * is another group, and the background thread goes on with it. */
static bool run_turn(struct commit *commit, bool in_background)
{
    struct commit_place place = { 0 };
    struct steme_error failure = { 0 };
    struct area *area = take_group(commit);
    uint64_t number = area->number;
    steme_status status = write_group(commit, area, &place, &failure);
    /* Waking costs the one who wakes about as much as a fifth of a sync: so it is done here, with the next group on its
     * way to the disk. */
    tell_group(commit, commit->untold);
    commit->untold = 0;
    if (!status) status = commit->options.sync(commit->options.context, &failure);
    settle_group(commit, area, &place, status, &failure);

    pthread_mutex_lock(&commit->lock);
    bool more = commit->filling->tickets != NULL;
    commit->busy = more;
    pthread_mutex_unlock(&commit->lock);

    if (more && in_background) {
        commit->untold = number;
        return true;
    }
    if (more && commit->options.committer)
        gate_advance(&commit->turn, gate_mark(&commit->turn) + 1);
    else if (more)
        gate_advance(&commit->herald[(number + 1) & 1u], 2 * (number + 1) - 1);
    tell_group(commit, number);
    return more;
}

static void *run_committer(void *context)
{
    struct commit *commit = context;
    for (uint64_t turn = 1;; turn++) {
        while (!gate_wait(&commit->turn, turn, UINT64_MAX))
            continue;
        pthread_mutex_lock(&commit->lock);
        bool stopping = commit->stopping;
        pthread_mutex_unlock(&commit->lock);
        if (stopping) return NULL;
        while (run_turn(commit, true))
            continue;
    }
}

static bool has_room(const struct commit *commit, uint32_t size, uint32_t count)
{
    const struct area *area = commit->filling;
    return size <= commit->options.bytes_max - area->size && count <= commit->options.records_max - area->count;
}

/* With the lock: stand in line until the area has room for us and it is our turn. The lock is given away meanwhile. */
static void wait_for_room(struct commit *commit, uint32_t size, uint32_t count)
{
    if (commit->line_head == commit->line_tail && has_room(commit, size, count)) return;
    uint64_t place = commit->line_tail++;
    while (place != commit->line_head || !has_room(commit, size, count)) {
        uint64_t seen = gate_mark(&commit->room);
        pthread_mutex_unlock(&commit->lock);
        gate_wait(&commit->room, seen + 1, UINT64_MAX);
        pthread_mutex_lock(&commit->lock);
    }
    commit->line_head++;
    if (commit->line_head != commit->line_tail) gate_advance(&commit->room, gate_mark(&commit->room) + 1);
}

/* A caller's room in a group. */
struct slot {
    struct area *area;
    uint64_t number; /* of the group */
    uint32_t offset; /* of our first frame in it */
    uint32_t index;  /* of our first record in it */
    bool herald;     /* we are its first caller */
    bool lead;       /* nobody writes: we do, at once */
};

static struct slot enter_group(struct commit *commit, uint32_t size, uint32_t count, struct ticket *ticket)
{
    pthread_mutex_lock(&commit->lock);
    wait_for_room(commit, size, count);
    struct area *area = commit->filling;
    struct slot slot = { area, area->number, area->size, area->count, !area->tickets, !commit->busy };
    area->size += size;
    area->count += count;
    atomic_fetch_add(&area->copying, 1);
    ticket->next = area->tickets;
    area->tickets = ticket;
    commit->busy = true;
    pthread_mutex_unlock(&commit->lock);
    return slot;
}

/* Until our group is done: write it if that is up to us, or sleep; then wake the others if that is. */
static void finish_group(struct commit *commit, const struct slot *slot)
{
    struct gate *herald = &commit->herald[slot->number & 1u];
    struct gate *done = &commit->done[slot->number & 1u];
    if (!slot->herald) {
        while (!gate_wait(done, slot->number, UINT64_MAX))
            continue;
        return;
    }
    while (!slot->lead && !gate_wait(herald, 2 * slot->number - 1, UINT64_MAX))
        continue;
    if (gate_mark(herald) < 2 * slot->number) run_turn(commit, false);
    gate_advance(done, slot->number);
}

/* How a failed group looks to one of its callers. */
static steme_status report_failure(struct commit *commit, steme_status status, struct steme_error *err)
{
    pthread_mutex_lock(&commit->lock);
    struct steme_error failure = commit->failure;
    pthread_mutex_unlock(&commit->lock);
    if (status == STEME_SEALED)
        return error_set(
            err, status,
            "nothing is appended any more because an earlier write failed (%s): close the store and open it again",
            failure.message);
    if (err) *err = failure;
    return status;
}

/* Framed size of the records, or an error when they can't be in one group. */
static steme_status measure(const struct commit *commit, const struct wal_record *records, size_t count,
                            uint32_t *size_out, struct steme_error *err)
{
    uint64_t size = BATCH_HEADER_BYTES;
    if (count > commit->options.records_max)
        return error_set(err, STEME_TOO_LARGE, "%zu records in one append, at most %u allowed: split them", count,
                         commit->options.records_max);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = records[i].bytes.size;
        invariant(bytes > 0 && bytes % 64 == 0); /* canonical records are; framing relies on it */
        if (bytes > STEME_RECORD_MAX)
            return error_set(err, STEME_TOO_LARGE, "a record has %zu bytes, at most %u allowed", bytes,
                             STEME_RECORD_MAX);
        size += frame_bytes_of(&records[i]);
    }
    if (size > commit->options.bytes_max)
        return error_set(err, STEME_TOO_LARGE, "one append takes %llu bytes of log, at most %u allowed: split it",
                         (unsigned long long)size, commit->options.bytes_max);
    *size_out = (uint32_t)size - BATCH_HEADER_BYTES;
    return STEME_OK;
}

steme_status commit_append(struct commit *commit, const struct wal_record *records, size_t count,
                           struct wal_place *places, struct steme_error *err)
{
    uint32_t size = 0;
    struct ticket ticket = { 0 };
    invariant(count > 0);
    steme_status status = measure(commit, records, count, &size, err);
    if (status) return status;
    if (atomic_load(&commit->sealed)) return report_failure(commit, STEME_SEALED, err);

    struct slot slot = enter_group(commit, size, (uint32_t)count, &ticket);
    uint32_t offset = slot.offset;
    for (size_t i = 0; i < count; i++) {
        frame_write(slot.area->bytes + offset, &records[i], offset);
        offset += frame_bytes_of(&records[i]);
    }
    leave_area(commit, slot.area, slot.number);
    finish_group(commit, &slot);
    if (ticket.status) return report_failure(commit, ticket.status, err);

    offset = slot.offset;
    for (size_t i = 0; i < count; i++) {
        places[i].sequence = ticket.group.first_sequence + slot.index + i;
        places[i].location = ticket.group.location + offset;
        offset += frame_bytes_of(&records[i]);
    }
    return STEME_OK;
}

bool commit_sealed(struct commit *commit) { return atomic_load(&commit->sealed); }

steme_status commit_new(const struct commit_options *options, struct commit **out, struct steme_error *err)
{
    size_t area_bytes = ((size_t)options->bytes_max + AREA_ALIGN - 1u) / AREA_ALIGN * AREA_ALIGN;
    struct commit *commit = calloc(1, sizeof *commit);
    if (!commit) return error_set(err, STEME_NO_MEMORY, "no memory for appending to the log");
    commit->options = *options;
    int failed = pthread_mutex_init(&commit->lock, NULL);
    invariant(!failed); /* the default kind needs no resource */
    gate_init(&commit->copied, 0);
    gate_init(&commit->room, 0);
    gate_init(&commit->turn, 0);
    for (size_t i = 0; i < countof(commit->done); i++) {
        gate_init(&commit->herald[i], 0);
        gate_init(&commit->done[i], 0);
    }
    commit->areas[0].bytes = aligned_alloc(AREA_ALIGN, area_bytes);
    commit->areas[1].bytes = aligned_alloc(AREA_ALIGN, area_bytes);
    commit->filling = &commit->areas[0];
    open_area(commit->filling, 1);

    steme_status status = STEME_OK;
    if (!commit->areas[0].bytes || !commit->areas[1].bytes)
        status = error_set(err, STEME_NO_MEMORY, "no memory for two write areas of %zu bytes", area_bytes);
    commit->options.committer = false; /* until it runs */
    if (!status && options->committer) {
        failed = pthread_create(&commit->thread, NULL, run_committer, commit);
        if (failed)
            status = error_set_os(err, STEME_FAILED, failed, "can't start the thread that writes the log");
        else
            commit->options.committer = true;
    }
    if (status)
        commit_free(&commit);
    else
        *out = commit;
    return status;
}

void commit_free(struct commit **commit_in)
{
    struct commit *commit = *commit_in;
    *commit_in = NULL;
    if (!commit) return;
    if (commit->options.committer) {
        pthread_mutex_lock(&commit->lock);
        commit->stopping = true;
        pthread_mutex_unlock(&commit->lock);
        gate_advance(&commit->turn, gate_mark(&commit->turn) + 1);
        pthread_join(commit->thread, NULL);
    }
    pthread_mutex_destroy(&commit->lock);
    free(commit->areas[0].bytes);
    free(commit->areas[1].bytes);
    free(commit);
}
