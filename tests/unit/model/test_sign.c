/* SPDX-License-Identifier: Apache-2.0 */
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "model/sign.h"
#include "model/sign_vectors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void make_secret(uint8_t first, struct sign_secret *out)
{
    uint8_t seed[32] = { first };
    sign_secret_from_seed(seed, out);
}

static void a_record_signed_is_a_record_verified(void **state)
{
    (void)state;
    struct sign_secret secret;
    make_secret(1, &secret);
    for (unsigned i = 0; i < 50; i++) {
        struct steme_hash id = { { (uint8_t)i, 7 } };
        struct steme_error err;
        struct steme_signature signature = sign_record(&secret, &id), again = sign_record(&secret, &id);
        assert_memory_equal(&signature, &again, sizeof signature); /* no randomness in it */
        assert_status(sign_verify(secret.key.bytes, &id, &signature, &err), STEME_OK, &err, "signed");
    }
}

/* RFC 8032, tests 1 to 3. */
static const struct {
    const char *seed, *key;
} pairs[] = {
    { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
    { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c" },
    { "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025" },
};

static void a_seed_makes_the_key_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(pairs); i++) {
        struct steme_slice seed = testing_bytes(pairs[i].seed), key = testing_bytes(pairs[i].key);
        struct sign_secret secret;
        sign_secret_from_seed(seed.data, &secret);
        assert_memory_equal(secret.key.bytes, key.data, 32);
        assert_memory_equal(secret.seed, seed.data, 32);
        assert_memory_equal(secret.expanded + 32, key.data, 32);
        testing_free(key);
        testing_free(seed);
    }
}

static void a_wiped_secret_is_gone(void **state)
{
    (void)state;
    struct sign_secret secret, zero;
    memset(&zero, 0, sizeof zero);
    make_secret(9, &secret);
    sign_wipe(&secret);
    assert_memory_equal(&secret, &zero, sizeof zero);
}

static void flip(void *bytes, size_t bit)
{
    uint8_t *at = bytes;
    at[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct sign_secret secret;
    make_secret(2, &secret);
    struct steme_hash id = { { 0xAB, 0xCD } };
    struct steme_signature signature = sign_record(&secret, &id);
    struct {
        const char *name;
        void *bytes;
        size_t size;
    } parts[] = {
        { "key", secret.key.bytes, sizeof secret.key },
        { "id", id.bytes, sizeof id },
        { "signature", signature.bytes, sizeof signature },
    };
    for (size_t i = 0; i < countof(parts); i++) {
        for (size_t bit = 0; bit < parts[i].size * 8; bit++) {
            struct steme_error err;
            flip(parts[i].bytes, bit);
            steme_status status = sign_verify(secret.key.bytes, &id, &signature, &err);
            assert_status(status, STEME_BAD_SIGNATURE, &err, parts[i].name);
            flip(parts[i].bytes, bit);
        }
    }
    assert_status(sign_verify(secret.key.bytes, &id, &signature, NULL), STEME_OK, NULL, "as it was");
}

/* A signature of this format signs nothing else, and nothing else signs a record. */
static void a_signature_is_for_records_only(void **state)
{
    (void)state;
    struct sign_secret secret;
    make_secret(3, &secret);
    struct steme_hash id = { { 5 } };
    struct steme_signature signature = sign_record(&secret, &id);
    uint8_t message[48] = "steme-record-v1";
    memcpy(message + 16, id.bytes, sizeof id.bytes);
    const uint8_t *key = secret.key.bytes;
    assert_status(sign_verify_message(key, slice_of(message, 48), signature.bytes, NULL), STEME_OK, NULL, "tag and id");
    static const struct {
        const char *name;
        size_t from, to;
    } others[] = {
        { "the id alone", 16, 48 }, { "the tag alone", 0, 16 },     { "nothing", 0, 0 },
        { "cut by one", 0, 47 },    { "without the first", 1, 48 },
    };
    for (size_t i = 0; i < countof(others); i++) {
        struct steme_slice other = slice_of(message + others[i].from, others[i].to - others[i].from);
        steme_status status = sign_verify_message(key, other, signature.bytes, NULL);
        assert_status(status, STEME_BAD_SIGNATURE, NULL, others[i].name);
    }
    message[14] = '2';
    assert_status(sign_verify_message(key, slice_of(message, 48), signature.bytes, NULL), STEME_BAD_SIGNATURE, NULL,
                  "a later tag");
}

static void another_key_is_refused(void **state)
{
    (void)state;
    struct sign_secret secret, other;
    make_secret(3, &secret);
    make_secret(4, &other);
    struct steme_hash id = { { 5 } };
    struct steme_signature signature = sign_record(&secret, &id);
    struct steme_error err;
    assert_status(sign_verify(other.key.bytes, &id, &signature, &err), STEME_BAD_SIGNATURE, &err, "another key");
    assert_non_null(strstr(err.message, "does not verify"));
}

/* ---- the rule ---- */

static void the_rule_accepts_one_of_the_twelve_disputed_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(sign_vectors); i++) {
        struct steme_slice message = testing_bytes(sign_vectors[i].message), key = testing_bytes(sign_vectors[i].key);
        struct steme_slice signature = testing_bytes(sign_vectors[i].signature);
        bool accepted = i == 3 || i == 12; /* written out again: the table of the library must not drift unseen */
        struct steme_error err;
        steme_status status = sign_verify_message(key.data, message, signature.data, &err);
        assert_status(status, accepted ? STEME_OK : STEME_BAD_SIGNATURE, &err, sign_vectors[i].what);
        assert_row(sign_vectors[i].accepted == accepted, sign_vectors[i].what);
        testing_free(signature);
        testing_free(key);
        testing_free(message);
    }
}

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define ONES "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Points that are none: every one as a key and as an R. */
static const struct {
    const char *name, *hex, *says;
} bad_points[] = {
    { "order 4", "00" ZEROS, "small order" },
    { "order 4, the other",
      "00"
      "000000000000000000000000000000000000000000000000000000000000"
      "80",
      "small order" },
    { "neutral", "01" ZEROS, "small order" },
    { "neutral with a sign",
      "01"
      "000000000000000000000000000000000000000000000000000000000000"
      "80",
      "small order" },
    { "order 2", "ec" ONES "7f", "small order" },
    { "order 2 with a sign", "ec" ONES "ff", "small order" },
    { "order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "small order" },
    { "order 8, negative", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", "small order" },
    { "order 8, the others", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "small order" },
    { "order 8, the others, negative", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
      "small order" },
    { "0 written as p", "ed" ONES "7f", "not canonical" },
    { "1 written as p + 1", "ee" ONES "7f", "not canonical" },
    { "2 written as p + 2", "ef" ONES "7f", "not canonical" },
    { "18 written as 2^255 - 1", "ff" ONES "7f", "not canonical" },
    { "18 written as 2^255 - 1, negative", "ff" ONES "ff", "not canonical" },
};

static void points_that_are_none_are_refused_by_us(void **state)
{
    (void)state;
    struct sign_secret secret;
    make_secret(6, &secret);
    struct steme_hash id = { { 1 } };
    struct steme_signature signature = sign_record(&secret, &id);
    for (size_t i = 0; i < countof(bad_points); i++) {
        struct steme_slice point = testing_bytes(bad_points[i].hex);
        assert_row(point.size == 32, bad_points[i].name);
        struct steme_signature other = signature;
        struct steme_error err = { .message = "" };
        assert_status(sign_verify(point.data, &id, &signature, &err), STEME_BAD_SIGNATURE, &err, bad_points[i].name);
        assert_row(strstr(err.message, "public key") && strstr(err.message, bad_points[i].says), bad_points[i].name);
        memcpy(other.bytes, point.data, 32);
        assert_status(sign_verify(secret.key.bytes, &id, &other, &err), STEME_BAD_SIGNATURE, &err, bad_points[i].name);
        assert_row(strstr(err.message, "signature's R") && strstr(err.message, bad_points[i].says), bad_points[i].name);
        testing_free(point);
    }
}

/* S, S + L, and the numbers around L. */
static void only_the_smallest_s_is_accepted(void **state)
{
    (void)state;
    static const char order[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    struct sign_secret secret;
    make_secret(7, &secret);
    struct steme_hash id = { { 1 } };
    struct steme_signature signature = sign_record(&secret, &id), other = signature;
    struct steme_slice bound = testing_bytes(order);
    struct steme_error err;
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)signature.bytes[32 + i] + bound.data[i];
        other.bytes[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    assert_status(sign_verify(secret.key.bytes, &id, &other, &err), STEME_BAD_SIGNATURE, &err, "S + L");
    assert_non_null(strstr(err.message, "not below L"));
    memcpy(other.bytes + 32, bound.data, 32);
    assert_status(sign_verify(secret.key.bytes, &id, &other, &err), STEME_BAD_SIGNATURE, &err, "L");
    assert_non_null(strstr(err.message, "not below L"));
    other.bytes[32]--;
    assert_status(sign_verify(secret.key.bytes, &id, &other, &err), STEME_BAD_SIGNATURE, &err, "L - 1");
    assert_non_null(strstr(err.message, "does not verify")); /* a number it may be, but not this one */
    testing_free(bound);
}

/* ---- Wycheproof ---- */

static struct steme_slice json_bytes(const json_t *object, const char *name)
{
    const char *hex = json_string_value(json_object_get(object, name));
    assert_non_null(hex);
    return testing_bytes(hex);
}

/* Returns how many are valid. */
static size_t check_group(const json_t *group, size_t *count)
{
    size_t index, valid = 0;
    json_t *test;
    struct steme_slice key = json_bytes(json_object_get(group, "publicKey"), "pk");
    assert_int_equal(key.size, 32);
    json_array_foreach(json_object_get(group, "tests"), index, test)
    {
        const char *result = json_string_value(json_object_get(test, "result"));
        const char *comment = json_string_value(json_object_get(test, "comment"));
        struct steme_slice message = json_bytes(test, "msg"), signature = json_bytes(test, "sig");
        assert_true(result && comment);
        bool accepted = signature.size == 64 &&
                        sign_verify_message(key.data, message, signature.data, NULL) == STEME_OK;
        assert_row(accepted == (strcmp(result, "valid") == 0), comment);
        valid += accepted;
        ++*count;
        testing_free(signature);
        testing_free(message);
    }
    testing_free(key);
    return valid;
}

static void wycheproof_agrees(void **state)
{
    (void)state;
    char *path = testing_data_path("vectors/wycheproof/ed25519_test.json");
    if (!path) skip();
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error), *group;
    if (!root) fail_msg("%s: %s", path, error.text);
    size_t index, count = 0, valid = 0;
    json_array_foreach(json_object_get(root, "testGroups"), index, group) valid += check_group(group, &count);
    assert_int_equal(count, 151);
    assert_int_equal(valid, 88);
    json_decref(root);
    free(path);
}

static int start(void **state)
{
    (void)state;
    struct steme_error err;
    if (sign_init(&err)) return -1;
    return sign_init(NULL) == STEME_OK ? 0 : -1; /* later calls are free */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_signed_is_a_record_verified),
        cmocka_unit_test(a_seed_makes_the_key_of_rfc_8032),
        cmocka_unit_test(a_wiped_secret_is_gone),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(a_signature_is_for_records_only),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(the_rule_accepts_one_of_the_twelve_disputed_cases),
        cmocka_unit_test(points_that_are_none_are_refused_by_us),
        cmocka_unit_test(only_the_smallest_s_is_accepted),
        cmocka_unit_test(wycheproof_agrees),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
