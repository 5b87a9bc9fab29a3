/* SPDX-License-Identifier: Apache-2.0 */
/* Records on their way in, after somebody has been at the envelope: left out, doubled, moved, signatures exchanged or
 * taken away, bytes changed. What is admitted was signed by its author, bundles have exactly their members, ids are
 * those of the bytes; what is refused is refused with a sentence and a place. */
#include "base/hash.h"
#include "fuzz/input.h"
#include "lib/pile.h"
#include "spine/admission.h"

enum { RECORDS_MAX = 64, EDITS_MAX = 12, GROUPS = 12 };

static struct pile pile;

static void make_pile(void)
{
    struct prng prng = { 7 };
    steme_status status = sign_init(NULL);
    invariant(status == STEME_OK);
    pile_init(&pile);
    pile_draw(&pile, &prng, GROUPS);
    invariant(pile.record_count > GROUPS && pile.record_count <= RECORDS_MAX / 2);
}

/* Three bytes: what, which, with what. */
static size_t edit(struct steme_signed *records, size_t count, struct steme_slice *input)
{
    uint8_t what = input_u8(input);
    size_t which = input_u8(input) % count, other = input_u8(input);
    struct steme_signed moved;
    switch (what % 7) {
    case 0:
        if (count == 1) return count;
        memmove(records + which, records + which + 1, (count - which - 1) * sizeof *records);
        return count - 1;
    case 1:
        if (count == RECORDS_MAX) return count;
        records[count] = records[which];
        return count + 1;
    case 2:
        other %= count;
        moved = records[which];
        records[which] = records[other];
        records[other] = moved;
        return count;
    case 3: records[which].signature = records[other % count].signature; return count;
    case 4: records[which].is_signed = !records[which].is_signed; return count;
    case 5: records[which].signature.bytes[other % 64] ^= (uint8_t)(1 + what / 7); return count;
    default:
        if (records[which].bytes.size == 0) return count;
        records[which].bytes.size = other % 2 && records[which].bytes.size > 64 ? records[which].bytes.size - 64
                                                                                : other % records[which].bytes.size;
        return count;
    }
}

/* Which of the pile's records these bytes are; record_count if none. */
static size_t recognize(struct steme_slice bytes)
{
    size_t k = 0;
    while (k < pile.record_count && !slice_equal(pile.records[k].bytes, bytes))
        k++;
    return k;
}

/* Every signed one is as it was signed, and the unsigned ones are behind their bundle in its order. */
static void check_admitted(const struct steme_signed *records, const struct admitted *admitted, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t k = recognize(records[i].bytes), group = admitted[i].group_count;
        invariant(k < pile.record_count && records[i].is_signed && group >= 1 && group <= count - i);
        invariant(pile.records[k].is_signed);
        invariant(memcmp(&records[i].signature, &pile.records[k].signature, sizeof records[i].signature) == 0);
        for (size_t m = 0; m < group; m++) {
            struct steme_hash id = hash_one(records[i + m].bytes);
            invariant(memcmp(&id, &admitted[i + m].record.id, sizeof id) == 0);
            invariant(slice_equal(pile.records[k + m].bytes, records[i + m].bytes));
            invariant((admitted[i + m].record.signature != NULL) == (m == 0));
            invariant(m == 0 || admitted[i + m].group_count == 0);
        }
        invariant(k + group == pile.record_count || pile.records[k + group].is_signed);
        i += group;
    }
}

/* The input: bytes of a record to try for the first, if its first byte is odd; else edits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    struct steme_signed records[RECORDS_MAX];
    struct steme_error err = { 0 };
    struct arena arena;
    struct admitted *admitted = NULL;
    size_t bad = SIZE_MAX;
    if (pile.record_count == 0) make_pile();
    size_t count = pile.record_count;
    memcpy(records, pile.records, count * sizeof *records);
    bool whole = input_u8(&input) & 1;
    bool untouched = input.size == 0;
    if (whole && !untouched) records[0].bytes = input;
    for (int edits = 0; !whole && input.size >= 3 && edits < EDITS_MAX; edits++)
        count = edit(records, count, &input);
    arena_init(&arena, 1 << 22);
    steme_status status = admission_check(records, count, true, &arena, &admitted, &bad, &err);
    invariant(!untouched || status == STEME_OK);
    if (status)
        invariant(bad <= count && err.message[0] != '\0' && status != STEME_NO_MEMORY && status != STEME_IO);
    else
        check_admitted(records, admitted, count);
    arena_deinit(&arena);
    return 0;
}
