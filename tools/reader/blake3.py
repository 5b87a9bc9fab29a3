# SPDX-License-Identifier: Apache-2.0
"""BLAKE3, the default hash with 32 bytes of output, written from its specification (O'Connor, Aumasson, Neves,
Wilcox-O'Hearn: "BLAKE3, one function, fast everywhere", 2020). Slow: about 0.1 ms for 64 bytes."""
import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)  # of a block's words, from round to round
BLOCK, CHUNK = 64, 1024
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
MASK = 0xFFFFFFFF


def schedule():
    """For each of the 7 rounds: which four words of the state each of its 8 quarter-rounds mixes, with which two words
    of the block."""
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    order = tuple(range(16))
    for _ in range(7):
        for number, lanes in enumerate(columns + diagonals):
            yield *lanes, order[2 * number], order[2 * number + 1]
        order = tuple(order[word] for word in PERMUTATION)


SCHEDULE = tuple(schedule())


def compress(chaining, block, counter, length, flags):
    """One block of 64 bytes into a chaining value of 8 words."""
    words = struct.unpack("<16I", block)
    state = [*chaining, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for a, b, c, d, x, y in SCHEDULE:
        va, vb, vc, vd = state[a], state[b], state[c], state[d]
        va = (va + vb + words[x]) & MASK
        vd ^= va
        vd = (vd >> 16 | vd << 16) & MASK
        vc = (vc + vd) & MASK
        vb ^= vc
        vb = (vb >> 12 | vb << 20) & MASK
        va = (va + vb + words[y]) & MASK
        vd ^= va
        vd = (vd >> 8 | vd << 24) & MASK
        vc = (vc + vd) & MASK
        vb ^= vc
        state[a], state[b], state[c], state[d] = va, (vb >> 7 | vb << 25) & MASK, vc, vd
    return [low ^ high for low, high in zip(state[:8], state[8:])]


def chunk_value(chunk, counter, root):
    """The chaining value of at most 1024 bytes; an empty input has one empty block."""
    value = IV
    last = max(0, len(chunk) - 1) // BLOCK * BLOCK
    for at in range(0, last + 1, BLOCK):
        block = chunk[at : at + BLOCK]
        flags = (CHUNK_START if at == 0 else 0) | (CHUNK_END | root if at == last else 0)
        value = compress(value, block.ljust(BLOCK, b"\0"), counter, len(block), flags)
    return value


def tree_value(data, first, root):
    """The left half of a tree is the largest power of two of chunks that leaves something for the right one."""
    if len(data) <= CHUNK:
        return chunk_value(data, first, root)
    left = 1 << ((len(data) - 1) // CHUNK).bit_length() - 1
    halves = tree_value(data[: left * CHUNK], first, 0) + tree_value(data[left * CHUNK :], first + left, 0)
    return compress(IV, struct.pack("<16I", *halves), 0, BLOCK, PARENT | root)


def blake3(data):
    return struct.pack("<8I", *tree_value(bytes(data), 0, ROOT))
