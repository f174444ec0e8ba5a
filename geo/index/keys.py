"""Keys whose XOR names a set of polygons.

The key of polygon i is a column of the parity-check matrix of a BCH code: (α^i, α^3i, α^5i, …) over GF(2^m).
Any two different sets that differ in at most 2t polygons then have different XORs, for certain and not
just very probably; t is what fits into the bits.
"""

import numpy as np
from numpy.typing import NDArray

# Primitive polynomials over GF(2), by degree.
_PRIMITIVE = {
    3: 0b1011, 4: 0b10011, 5: 0b100101, 6: 0b1000011, 7: 0b10001001, 8: 0b100011101, 9: 0b1000010001,
    10: 0b10000001001, 11: 0b100000000101, 12: 0b1000001010011, 13: 0b10000000011011, 14: 0b100010001000011,
    15: 0b1000000000000011, 16: 0b10001000000001011, 17: 0b100000000000001001, 18: 0b1000000000010000001,
    19: 0b10000000000000100111, 20: 0b100000000000000001001,
}  # fmt: skip


def set_keys(count: int, *, bits: int) -> tuple[NDArray[np.int64], int]:
    """`count` keys of at most `bits` bits, and t: how many polygons may overlap with no two sets alike."""
    if count <= bits:
        return np.left_shift(1, np.arange(count, dtype=np.int64)), count
    m = max(3, (count + 1).bit_length())
    strength = bits // m
    power, value = np.zeros((1 << m) - 1, dtype=np.int64), 1
    for i in range(len(power)):
        power[i] = value
        value <<= 1
        if value >> m:
            value ^= _PRIMITIVE[m]
    positions = np.arange(count, dtype=np.int64)
    keys = np.zeros(count, dtype=np.int64)
    for j in range(strength):
        keys |= power[positions * (2 * j + 1) % len(power)] << (j * m)
    return keys, strength
