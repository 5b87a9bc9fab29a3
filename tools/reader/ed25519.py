# SPDX-License-Identifier: Apache-2.0
"""Verification of Ed25519 signatures (RFC 8032) by the rule of docs/format/signature.md. About 5 ms each."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
ORDER_8 = (  # y of the four points of order 8, up to sign
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
)
SMALL_ORDER = {0, 1, P - 1, *ORDER_8}

# A point is (X, Y, Z, T): x = X/Z, y = Y/Z, x y = T/Z.
NEUTRAL = (0, 1, 1, 0)


def add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def negative(p):
    return -p[0] % P, p[1], p[2], -p[3] % P


def encoded(p):
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decoded(data):
    """The point of the curve that 32 bytes mean, or None."""
    number = int.from_bytes(data, "little")
    y, odd = number & (1 << 255) - 1, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_1 % P
    if x * x % P != square or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def sum_of_products(s, p, t, q):
    """s p + t q, both bit by bit in one go."""
    table = (NEUTRAL, p, q, add(p, q))
    result = NEUTRAL
    for bit in range(max(s.bit_length(), t.bit_length()) - 1, -1, -1):
        result = add(result, result)
        choice = (s >> bit & 1) | (t >> bit & 1) << 1
        if choice:
            result = add(result, table[choice])
    return result


def acceptable(data):
    """Canonical, and not of small order, in any spelling."""
    y = int.from_bytes(data, "little") & (1 << 255) - 1
    return y < P and y not in SMALL_ORDER


def verify(key, message, signature):
    if len(key) != 32 or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L or not acceptable(key) or not acceptable(r):
        return False
    a = decoded(key)
    if a is None:
        return False
    h = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L
    return encoded(sum_of_products(s, BASE, h, negative(a))) == r
