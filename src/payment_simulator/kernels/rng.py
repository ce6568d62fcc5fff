"""Random numbers that depend on their place alone: Philox4x64-10.

References
----------
.. [1] J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random numbers: as easy as
   1, 2, 3, SC'11.
"""

from __future__ import annotations

import numpy as np

from payment_simulator.kernels._jit import inlined

_MULTIPLIER_0 = np.uint64(0xD2E7470EE14C6C93)
_MULTIPLIER_1 = np.uint64(0xCA5A826395121157)
_WEYL_0 = np.uint64(0x9E3779B97F4A7C15)
_WEYL_1 = np.uint64(0xBB67AE8584CAA73B)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_TWELVE = np.uint64(12)
_ROUNDS = 10
_TINY = 2.0**-52


@inlined
def _high(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the upper 64 bits of a product of 128."""
    a_low, a_high = a & _LOW, a >> _HALF
    b_low, b_high = b & _LOW, b >> _HALF
    middle = a_high * b_low + ((a_low * b_low) >> _HALF)
    other = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _HALF) + (other >> _HALF)


@inlined
def philox(
    key_0: np.uint64, key_1: np.uint64, c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four words of a block.

    Parameters
    ----------
    key_0, key_1 : uint64
        The key.
    c0, c1, c2, c3 : uint64
        The counter, its lowest word first.
    """
    for _ in range(_ROUNDS):
        high_0, low_0 = _high(_MULTIPLIER_0, c0), _MULTIPLIER_0 * c0
        high_1, low_1 = _high(_MULTIPLIER_1, c2), _MULTIPLIER_1 * c2
        c0, c1, c2, c3 = high_1 ^ c1 ^ key_0, low_1, high_0 ^ c3 ^ key_1, low_0
        key_0 = key_0 + _WEYL_0
        key_1 = key_1 + _WEYL_1
    return c0, c1, c2, c3


@inlined
def uniform(word: np.uint64) -> float:
    """Return a number in the open interval (0, 1) from the upper 52 bits of a word."""
    return (float(word >> _TWELVE) + 0.5) * _TINY
