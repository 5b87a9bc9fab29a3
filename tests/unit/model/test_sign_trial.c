/* SPDX-License-Identifier: Apache-2.0 */
/* sign_init() on libraries that are not as they should be. The linker puts the functions below in the place of
 * libsodium's (--wrap). A verdict is kept for the life of a process, so each case has one of its own. */
#include "base/check.h"
#include "base/slice.h"
#include "lib/testing.h"
#include "model/sign.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum fault { SOUND, ACCEPTS_ALL, REFUSES_ALL, COFACTORED, REFUSES_MIXED_ORDER, SIGNS_OTHERWISE, DOES_NOT_START };
static enum fault fault;

int __real_crypto_sign_ed25519_verify_detached(const unsigned char *signature, const unsigned char *message,
                                               unsigned long long size, const unsigned char *key);
int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *signature, const unsigned char *message,
                                               unsigned long long size, const unsigned char *key);
int __real_crypto_sign_ed25519_detached(unsigned char *signature, unsigned long long *signature_size,
                                        const unsigned char *message, unsigned long long size,
                                        const unsigned char *secret);
int __wrap_crypto_sign_ed25519_detached(unsigned char *signature, unsigned long long *signature_size,
                                        const unsigned char *message, unsigned long long size,
                                        const unsigned char *secret);
int __real_sodium_init(void);
int __wrap_sodium_init(void);

int __wrap_crypto_sign_ed25519_verify_detached(const unsigned char *signature, const unsigned char *message,
                                               unsigned long long size, const unsigned char *key)
{
    /* Vectors 3 and 4 by the first byte of their messages. */
    if (fault == ACCEPTS_ALL || (fault == COFACTORED && size && message[0] == 0xe4)) return 0;
    if (fault == REFUSES_ALL || (fault == REFUSES_MIXED_ORDER && size && message[0] == 0x9b)) return -1;
    return __real_crypto_sign_ed25519_verify_detached(signature, message, size, key);
}

int __wrap_crypto_sign_ed25519_detached(unsigned char *signature, unsigned long long *signature_size,
                                        const unsigned char *message, unsigned long long size,
                                        const unsigned char *secret)
{
    int result = __real_crypto_sign_ed25519_detached(signature, signature_size, message, size, secret);
    if (fault == SIGNS_OTHERWISE) signature[0] ^= 1; /* as a randomised signer would */
    return result;
}

int __wrap_sodium_init(void) { return fault == DOES_NOT_START ? -1 : __real_sodium_init(); }

static const struct {
    const char *name;
    enum fault fault;
    steme_status want;
    const char *says;
} libraries[] = {
    { "one that is sound", SOUND, STEME_OK, "" },
    { "one that accepts all", ACCEPTS_ALL, STEME_UNSUPPORTED, "vector 4" },
    { "one that refuses all", REFUSES_ALL, STEME_UNSUPPORTED, "vector 3" },
    { "one with the cofactored equation", COFACTORED, STEME_UNSUPPORTED, "vector 4" },
    { "one that refuses points of mixed order", REFUSES_MIXED_ORDER, STEME_UNSUPPORTED, "vector 3" },
    { "one that signs otherwise", SIGNS_OTHERWISE, STEME_UNSUPPORTED, "vector 12" },
    { "one that does not start", DOES_NOT_START, STEME_UNSUPPORTED, "does not start" },
};

/* In a process of its own. Whatever the first call says, the second one says too. */
static bool try_library(size_t row)
{
    struct steme_error err = { .message = "" };
    fault = libraries[row].fault;
    for (int call = 0; call < 2; call++) {
        steme_status status = sign_init(&err);
        if (status != libraries[row].want || !strstr(err.message, libraries[row].says)) return false;
    }
    return true;
}

static void a_library_that_decides_otherwise_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(libraries); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) exit(try_library(i) ? 0 : 1);
        int how = -1;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_row(WIFEXITED(how) && WEXITSTATUS(how) == 0, libraries[i].name);
    }
}

/* A verdict without a trial would be worth nothing. */
static void verifying_before_the_trial_is_a_broken_promise(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const uint8_t zeros[64];
        if (!freopen("/dev/null", "w", stderr)) exit(0);
        steme_status status = sign_verify_message(zeros, slice_of(NULL, 0), zeros, NULL);
        exit(status == STEME_OK ? 0 : 1); /* not reached */
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_that_decides_otherwise_is_refused),
        cmocka_unit_test(verifying_before_the_trial_is_a_broken_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
