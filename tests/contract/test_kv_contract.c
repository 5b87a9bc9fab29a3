/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "contract/kv_contract.h"
#include "lib/kv_fault.h"

static steme_status open_mem(const char *dir, struct kv **out, struct steme_error *err)
{
    (void)dir;
    return kv_mem_open(out, err);
}

static steme_status open_lmdb(const char *dir, struct kv **out, struct steme_error *err)
{
    struct kv_lmdb_options options = { .dir = dir, .create = true };
    return kv_lmdb_open(host_posix(), &options, out, err);
}

static steme_status put_fault_before(steme_status status, struct kv **kv, struct steme_error *err)
{
    if (status) return status;
    *kv = kv_fault_new(*kv);
    if (!*kv) return error_set(err, STEME_NO_MEMORY, "no memory for the store in front");
    return STEME_OK;
}

static steme_status open_fault_mem(const char *dir, struct kv **out, struct steme_error *err)
{
    return put_fault_before(open_mem(dir, out, err), out, err);
}

static steme_status open_fault_lmdb(const char *dir, struct kv **out, struct steme_error *err)
{
    return put_fault_before(open_lmdb(dir, out, err), out, err);
}

static steme_status guard(steme_status status, struct kv **kv, struct steme_error *err)
{
    return status ? status : kv_guard(*kv, err);
}

static steme_status open_guarded_mem(const char *dir, struct kv **out, struct steme_error *err)
{
    return guard(open_mem(dir, out, err), out, err);
}

static steme_status open_guarded_lmdb(const char *dir, struct kv **out, struct steme_error *err)
{
    return guard(open_lmdb(dir, out, err), out, err);
}

static const struct kv_contract_store stores[] = {
    { "mem", open_mem, false },
    { "lmdb", open_lmdb, true },
    { "fault over mem", open_fault_mem, false },
    { "fault over lmdb", open_fault_lmdb, true },
    { "guard over mem", open_guarded_mem, false },
    { "guard over lmdb", open_guarded_lmdb, true },
};

int main(void)
{
    int failed = 0;
    for (size_t i = 0; i < countof(stores); i++)
        failed += kv_contract_run(&stores[i]);
    return failed;
}
