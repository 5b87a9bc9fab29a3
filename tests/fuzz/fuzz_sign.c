/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, ids and signatures of any bytes, and honest ones that somebody has been at. An honest signature is valid until
 * a bit of it, of the key or of the id is another; odd points and numbers past their ends are refused; and where the
 * curve's arithmetic can be asked, the verdict is the equation of docs/format/signature.md. */
#include "fuzz/input.h"
#include "model/sign.h"

#include <sodium.h>

enum { MODES = 4, EDITS_MAX = 8 };

struct trial {
    uint8_t key[32];
    struct steme_signature signature;
    struct steme_hash id;
};

/* The y coordinates of the points whose order divides 8, the spellings of the first two past p, and p itself. */
static const char *const odd_points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
static const uint8_t group_order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                         0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                         0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10 };

static bool verify(const struct trial *trial)
{
    struct steme_error err = { 0 };
    steme_status status = sign_verify(trial->key, &trial->id, &trial->signature, &err);
    invariant(status == STEME_OK || (status == STEME_BAD_SIGNATURE && err.message[0] != '\0'));
    return status == STEME_OK;
}

static struct trial sign_honestly(struct steme_slice *input)
{
    uint8_t seed[32];
    struct trial trial;
    struct sign_secret secret;
    input_bytes(input, seed, sizeof seed);
    input_bytes(input, trial.id.bytes, sizeof trial.id.bytes);
    sign_secret_from_seed(seed, &secret);
    memcpy(trial.key, secret.key.bytes, sizeof trial.key);
    trial.signature = sign_record(&secret, &trial.id);
    sign_wipe(&secret);
    invariant(verify(&trial));
    return trial;
}

/* S*B - h*A, the R that the equation wants; false where the library does not compute with such an A or S. */
static bool wanted_r(const struct trial *trial, uint8_t out[32])
{
    crypto_hash_sha512_state state;
    uint8_t digest[64], h[32], product[32], left[32];
    static const uint8_t tag[16] = "steme-record-v1";
    if (!crypto_core_ed25519_is_valid_point(trial->key)) return false;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, trial->signature.bytes, 32);
    crypto_hash_sha512_update(&state, trial->key, 32);
    crypto_hash_sha512_update(&state, tag, sizeof tag);
    crypto_hash_sha512_update(&state, trial->id.bytes, sizeof trial->id.bytes);
    crypto_hash_sha512_final(&state, digest);
    crypto_core_ed25519_scalar_reduce(h, digest);
    if (crypto_scalarmult_ed25519_noclamp(product, h, trial->key) != 0) return false;
    if (crypto_scalarmult_ed25519_base_noclamp(left, trial->signature.bytes + 32) != 0) return false;
    return crypto_core_ed25519_sub(out, left, product) == 0;
}

/* Whether a little-endian number is below another. */
static bool is_below(const uint8_t a[32], const uint8_t b[32])
{
    for (int i = 31; i >= 0; i--)
        if (a[i] != b[i]) return a[i] < b[i];
    return false;
}

static void judge(const struct trial *trial)
{
    uint8_t r[32];
    bool valid = verify(trial);
    bool low = is_below(trial->signature.bytes + 32, group_order);
    invariant(low || !valid);
    if (!low || !wanted_r(trial, r)) return;
    bool holds = memcmp(r, trial->signature.bytes, sizeof r) == 0 && crypto_core_ed25519_is_valid_point(r);
    invariant(holds == valid);
}

/* Bits changed in what was signed honestly: in the key, the signature or the id. */
static void change(struct steme_slice *input)
{
    const struct trial honest = sign_honestly(input);
    struct trial trial = honest;
    for (int edits = 0; input->size >= 2 && edits < EDITS_MAX; edits++) {
        uint8_t at = input_u8(input) % 128;
        uint8_t *part = at < 32 ? trial.key : at < 96 ? trial.signature.bytes : trial.id.bytes;
        part[at < 32 ? at : at < 96 ? at - 32 : at - 96] ^= input_u8(input);
    }
    bool same = memcmp(&trial, &honest, sizeof trial) == 0;
    invariant(verify(&trial) == same);
    judge(&trial);
}

static void put_odd_point(uint8_t to[32], uint8_t which)
{
    size_t size = 0;
    int failed = sodium_hex2bin(to, 32, odd_points[(which >> 1) % countof(odd_points)], 64, NULL, &size, NULL);
    invariant(failed == 0 && size == 32);
    to[31] |= (uint8_t)(which << 7);
}

/* A key or an R that is none, whatever the rest. */
static void try_odd_points(struct steme_slice *input)
{
    struct trial trial = sign_honestly(input);
    uint8_t which = input_u8(input), point = input_u8(input);
    if (which & 2) input_bytes(input, trial.signature.bytes + 32, 31);
    put_odd_point(which & 1 ? trial.key : trial.signature.bytes, point);
    if (which & 4) put_odd_point(which & 1 ? trial.signature.bytes : trial.key, input_u8(input));
    invariant(!verify(&trial));
}

/* S + L, 2L ...: the same number to the equation. */
static void try_large_s(struct steme_slice *input)
{
    struct trial trial = sign_honestly(input);
    for (unsigned times = 1 + input_u8(input) % 14; times > 0; times--) {
        sodium_add(trial.signature.bytes + 32, group_order, sizeof group_order);
        invariant(!verify(&trial));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct steme_slice input = slice_of(data, size);
    struct trial trial;
    steme_status status = sign_init(NULL);
    invariant(status == STEME_OK);
    switch (input_u8(&input) % MODES) {
    case 0:
        input_bytes(&input, &trial, sizeof trial);
        judge(&trial);
        break;
    case 1: change(&input); break;
    case 2: try_odd_points(&input); break;
    default: try_large_s(&input); break;
    }
    return 0;
}
