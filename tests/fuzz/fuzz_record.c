/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: whatever the decoder takes, the encoder must give back to the byte; the checks and the views must agree
 * with it; and identities must be computable. Seeds are the golden records. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "base/slice.h"
#include "model/identity.h"
#include "model/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(struct steme_slice bytes)
{
    struct steme_value value;
    if (value_decode(bytes, &value, NULL)) return;
    struct buf again;
    buf_init(&again, STEME_RECORD_MAX);
    steme_status status = value_encode(&value, &again, NULL);
    invariant(status == STEME_OK);
    invariant(slice_equal(buf_slice(&again), bytes));
    buf_deinit(&again);
}

static void check_identity(const struct assertion_view *view)
{
    struct arena scratch;
    struct identity identity;
    arena_init(&scratch, STEME_RECORD_MAX);
    steme_status status = identity_many(view, 1, &identity, &scratch, NULL);
    invariant(status == STEME_OK);
    struct steme_hash claim = claim_id(&identity.slot, view->object, false);
    invariant(slice_equal(slice_of(&claim, sizeof claim), slice_of(&identity.claim, sizeof claim)));
    arena_deinit(&scratch);
}

static void check_views(struct steme_slice bytes, bool is_assertion, bool is_bundle)
{
    struct assertion_view view, trusted;
    struct bundle_view bundle;
    bool viewed = assertion_view(bytes, &view, NULL) == STEME_OK;
    invariant(viewed == is_assertion);
    bool trusts = assertion_view_trusted(bytes, &trusted, NULL) == STEME_OK;
    invariant(trusts || !viewed);
    if (trusts) check_value(trusted.object);
    if (viewed) {
        invariant(slice_equal(view.key_qualifiers, trusted.key_qualifiers));
        check_identity(&view);
    }
    bool lists = bundle_view(bytes, &bundle, NULL) == STEME_OK;
    invariant(lists || !is_bundle);
}

static void check_record(struct steme_slice bytes)
{
    struct arena arena;
    struct steme_record record;
    enum steme_type type;
    arena_init(&arena, STEME_RECORD_MAX);
    bool checked = record_check(bytes, &type, NULL) == STEME_OK;
    bool decoded = record_decode(bytes, &arena, &record, NULL) == STEME_OK;
    invariant(checked == decoded);
    check_views(bytes, checked && type == STEME_ASSERTION, checked && type == STEME_BUNDLE);
    if (decoded) {
        struct buf again;
        buf_init(&again, STEME_RECORD_MAX);
        steme_status status = record_encode(&record, &again, NULL);
        invariant(status == STEME_OK);
        invariant(slice_equal(buf_slice(&again), bytes));
        invariant(record_size(bytes) == bytes.size);
        buf_deinit(&again);
    }
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice bytes = slice_of(data, size);
    check_record(bytes);
    check_value(bytes);
    return 0;
}
