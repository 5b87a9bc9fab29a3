/* SPDX-License-Identifier: Apache-2.0 */
#include "model/sign.h"
#include "base/check.h"
#include "base/hash.h"
#include "base/slice.h"
#include "model/sign_vectors.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

enum {
    TAG_BYTES = 16,
    POINT_BYTES = 32, /* R, A; and S, which is a number */
    MESSAGE_BYTES = TAG_BYTES + HASH_BYTES,
    SIGN_BIT = 0x80 /* of the x coordinate, in a point's last byte */
};
_Static_assert(sizeof((struct sign_secret *)0)->seed == crypto_sign_ed25519_SEEDBYTES, "libsodium's sizes");
_Static_assert(sizeof((struct sign_secret *)0)->expanded == crypto_sign_ed25519_SECRETKEYBYTES, "libsodium's sizes");
_Static_assert(sizeof(struct steme_key) == crypto_sign_ed25519_PUBLICKEYBYTES, "libsodium's sizes");
_Static_assert(sizeof(struct steme_signature) == crypto_sign_ed25519_BYTES, "libsodium's sizes");

static const char record_tag[TAG_BYTES] = "steme-record-v1"; /* its NUL is part of the tag */

/* ---- the checks that are ours, so that no version of the library decides them ---- */

/* L, the order of the base point: 2^252 + 27742317777372353535851937790883648493, little-endian. */
static const uint8_t group_order[POINT_BYTES] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
};

/* p = 2^255 - 19, little-endian. */
static const uint8_t field_prime[POINT_BYTES] = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};

/* y coordinates of the 8 points whose order divides 8, little-endian. Two points share a y and differ in the sign of
 * x, but for y = 1 and y = -1, where x = 0: a sign there makes no other point but a second spelling, refused too. */
static const uint8_t small_order_y[][POINT_BYTES] = {
    { 0x00 }, /* order 4 */
    { 0x01 }, /* the neutral element */
    { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f }, /* order 2 */
    { 0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
      0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05 }, /* order 8 */
    { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
      0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a }, /* order 8 */
};

/* As little-endian numbers. Nothing here is secret, so it may stop early. */
static bool is_below(const uint8_t number[POINT_BYTES], const uint8_t bound[POINT_BYTES])
{
    size_t i = POINT_BYTES - 1;
    while (i > 0 && number[i] == bound[i])
        i--;
    return number[i] < bound[i];
}

/* Why a point can't be one, or NULL. Whether it lies on the curve is left to the equation. */
static const char *judge_point(const uint8_t point[POINT_BYTES])
{
    uint8_t y[POINT_BYTES];
    memcpy(y, point, sizeof y);
    y[POINT_BYTES - 1] &= (uint8_t)~SIGN_BIT;
    if (!is_below(y, field_prime)) return "is not canonical";
    for (size_t i = 0; i < countof(small_order_y); i++)
        if (memcmp(y, small_order_y[i], sizeof y) == 0) return "is of small order";
    return NULL;
}

static steme_status refuse(const char *what, const char *problem, struct steme_error *err)
{
    return error_set(err, STEME_BAD_SIGNATURE, "%s %s; it was not made for this record by this key", what, problem);
}

static steme_status verify(const uint8_t key[POINT_BYTES], struct steme_slice message, const uint8_t signature[64],
                           struct steme_error *err)
{
    if (!is_below(signature + POINT_BYTES, group_order)) return refuse("the signature's S", "is not below L", err);
    const char *problem = judge_point(key);
    if (problem) return refuse("the public key", problem, err);
    problem = judge_point(signature);
    if (problem) return refuse("the signature's R", problem, err);
    if (crypto_sign_ed25519_verify_detached(signature, message.data, message.size, key) == 0) return STEME_OK;
    return refuse("the signature", "does not verify", err);
}

/* ---- the library on trial ---- */

/* Exactly size bytes: the vectors are ours. */
static void parse_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t used = 0;
    int failed = sodium_hex2bin(out, size, hex, strlen(hex), NULL, &used, NULL);
    invariant(failed == 0);
    invariant(used == size);
}

static bool decides_as_we_do(const struct sign_vector *vector)
{
    uint8_t message[32], key[POINT_BYTES], signature[64];
    size_t message_size = strlen(vector->message) / 2;
    parse_hex(vector->message, message, message_size);
    parse_hex(vector->key, key, sizeof key);
    parse_hex(vector->signature, signature, sizeof signature);
    steme_status status = verify(key, slice_of(message, message_size), signature, NULL);
    return (status == STEME_OK) == vector->accepted;
}

/* The last row's signature, made anew. */
static bool signs_as_rfc_8032(void)
{
    uint8_t seed[32], wanted[64], signature[64];
    parse_hex(sign_vector_seed, seed, sizeof seed);
    parse_hex(sign_vectors[countof(sign_vectors) - 1].signature, wanted, sizeof wanted);
    struct sign_secret secret;
    sign_secret_from_seed(seed, &secret);
    crypto_sign_ed25519_detached(signature, NULL, NULL, 0, secret.expanded);
    return memcmp(signature, wanted, sizeof wanted) == 0;
}

/* Threads that come at the same time all do the trial and find the same. */
enum { UNTRIED = -2, TRUSTED = -1 }; /* or the first vector that failed */
static atomic_int trial = UNTRIED;

static int try_library(void)
{
    for (size_t i = 0; i < countof(sign_vectors); i++)
        if (!decides_as_we_do(&sign_vectors[i])) return (int)i;
    return signs_as_rfc_8032() ? TRUSTED : (int)countof(sign_vectors) - 1;
}

steme_status sign_init(struct steme_error *err)
{
    int result = atomic_load(&trial);
    if (result == UNTRIED) {
        if (sodium_init() < 0)
            return error_set(err, STEME_UNSUPPORTED, "libsodium does not start; it finds no source of randomness");
        result = try_library();
        atomic_store(&trial, result);
    }
    if (result == TRUSTED) return STEME_OK;
    return error_set(err, STEME_UNSUPPORTED,
                     "this libsodium (%s) decides vector %d (%s) otherwise than the format says; install another one",
                     sodium_version_string(), result, sign_vectors[result].what);
}

/* ---- records ---- */

void sign_secret_from_seed(const uint8_t seed[32], struct sign_secret *out)
{
    memcpy(out->seed, seed, sizeof out->seed);
    crypto_sign_ed25519_seed_keypair(out->key.bytes, out->expanded, seed);
}

void sign_wipe(struct sign_secret *secret) { sodium_memzero(secret, sizeof *secret); }

static void lay_message(const struct steme_hash *id, uint8_t message[MESSAGE_BYTES])
{
    memcpy(message, record_tag, TAG_BYTES);
    memcpy(message + TAG_BYTES, id->bytes, HASH_BYTES);
}

struct steme_signature sign_record(const struct sign_secret *secret, const struct steme_hash *id)
{
    uint8_t message[MESSAGE_BYTES];
    lay_message(id, message);
    struct steme_signature signature;
    crypto_sign_ed25519_detached(signature.bytes, NULL, message, sizeof message, secret->expanded);
    return signature;
}

steme_status sign_verify(const uint8_t key[32], const struct steme_hash *id, const struct steme_signature *signature,
                         struct steme_error *err)
{
    uint8_t message[MESSAGE_BYTES];
    lay_message(id, message);
    return sign_verify_message(key, slice_of(message, sizeof message), signature->bytes, err);
}

steme_status sign_verify_message(const uint8_t key[32], struct steme_slice message, const uint8_t signature[64],
                                 struct steme_error *err)
{
    invariant(atomic_load(&trial) == TRUSTED); /* a verdict before sign_init() said yes would be worth nothing */
    return verify(key, message, signature, err);
}
