"""Sorting whole numbers in place, without allocating."""

from __future__ import annotations

from payment_simulator.kernels._jit import kernel
from payment_simulator.kernels.layout import (
    Ints,
)


@kernel
def sort(key: Ints, n: int) -> None:
    """Sort the first n entries of row 0 upwards; row 1 is room to merge.

    Parameters
    ----------
    key : ndarray[int64], shape (2, m)
        Modified in place.
    n : int
        At most m.

    Notes
    -----
    Merges runs that are in order already, bottom up: keys that come nearly sorted, as payments in
    the order of their arrival do, cost one look.
    """
    is_sorted = True
    for i in range(1, n):
        if key[0, i] < key[0, i - 1]:
            is_sorted = False
            break
    if is_sorted:
        return
    width = 1
    source = 0
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            i, j = low, middle
            for k in range(low, high):
                if i < middle and (j >= high or key[source, i] <= key[source, j]):
                    key[1 - source, k] = key[source, i]
                    i += 1
                else:
                    key[1 - source, k] = key[source, j]
                    j += 1
        width *= 2
        source = 1 - source
    if source == 1:
        for i in range(n):
            key[0, i] = key[1, i]
