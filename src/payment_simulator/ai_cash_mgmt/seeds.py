"""Where the randomness of a game comes from: seeds by purpose, and a stream of uniform numbers."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.random import Philox

from payment_simulator.kernels.layout import Floats, Ints

_SEED_BYTES = 8
_UNUSED_BITS = np.uint64(11)
_TINY = 2.0**-53
#: Sums of exp(-1) / k! for k from 0 on, up to where a double cannot tell them from 1.
_POISSON_OF_ONE = np.cumsum([math.exp(-1.0) / math.factorial(k) for k in range(18)])


def derive_seed(master_seed: int, *labels: str | int) -> int:
    """Return the seed of one purpose of a game.

    Seeds of different labels have nothing to do with each other, and none depends on what was
    drawn before: a game that is taken up again, or whose banks make their steps in another
    process, draws the same.

    Parameters
    ----------
    master_seed : int
        The seed of the game.
    labels : str or int
        What it is for, such as ``"judge", 3, "BANK_A"``.

    Returns
    -------
    int
        From 0 to 2^63 - 1.

    Notes
    -----
    The master seed and the labels are written one after the other, each as ``i`` (a whole number,
    in decimal digits, ``-`` before a negative one) or ``s`` (text, in UTF-8), then the number of
    its bytes in decimal digits, ``:``, the bytes, and ``,``. For ``derive_seed(42, "judge", 3)``
    that is ``i2:42,s5:judge,i1:3,``. The seed is the first eight bytes of the SHA-256 of all this,
    the first byte the highest, without the highest bit.
    """
    digest = hashlib.sha256(b"".join(map(_encoded, (master_seed, *labels)))).digest()
    return int.from_bytes(digest[:_SEED_BYTES], "big") & (2**63 - 1)


def _encoded(label: str | int) -> bytes:
    """Return a label so that no two lists of labels give the same bytes."""
    if isinstance(label, str):
        kind, text = b"s", label.encode("utf-8", "surrogatepass")
    else:
        kind, text = b"i", b"%d" % label
    return b"%b%d:%b," % (kind, len(text), text)


class Uniforms:
    """A stream of numbers, evenly spread over [0, 1), that is the same on every machine.

    Parameters
    ----------
    seed : int
        From 0 to 2^64 - 1.

    Notes
    -----
    The words are those of NumPy's ``Philox(key=seed).random_raw()``, which are fixed by the
    algorithm. A word *w* becomes ``floor(w / 2^11) * 2^-53``. What is made of the numbers is
    written out here: NumPy's own samplers may change from one version to the next.
    """

    def __init__(self, seed: int) -> None:
        self._words = Philox(key=seed)

    def take(self, count: int) -> Floats:
        """Return the next numbers of the stream.

        Returns
        -------
        ndarray[float64], shape (count,)
        """
        words = self._words.random_raw(count) >> _UNUSED_BITS
        return words.astype(np.float64) * np.float64(_TINY)

    def index(self, n: int) -> int:
        """Return one of 0 to n - 1, each as likely: ``floor(u * n)``."""
        return int(self.take(1)[0] * n)

    def indices(self, n: int | Ints, count: int) -> Ints:
        """Return places in a list, drawn with replacement: ``floor(u * n)``, below n.

        Parameters
        ----------
        n : int or ndarray[int64], shape (count,)
            Length of the list; of the list of each draw, where there are several.
        count : int
            How many to draw.
        """
        return (self.take(count) * n).astype(np.int64)

    def poisson_of_one(self, count: int) -> Ints:
        """Return Poisson numbers of mean 1: how many sums of ``exp(-1) / k!`` are at most u."""
        return np.searchsorted(_POISSON_OF_ONE, self.take(count), side="right").astype(np.int64)

    def permutation(self, n: int) -> Ints:
        """Return 0 to n - 1 in random order: the places of n numbers of the stream by size."""
        return np.argsort(self.take(n), kind="stable").astype(np.int64)
