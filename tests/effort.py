"""How much is tried: what a change can wait for, or, if it is asked for, what a release can."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

#: Set the variable to 1 to have everything tried that somebody thought of.
THOROUGH = os.environ.get("PAYMENT_SIM_THOROUGH") == "1"
#: The engine's tests are run again as plain Python and with every index checked.
AGAIN = any(os.environ.get(name) for name in ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"))


def tries(usual: int, thorough: int) -> int:
    """Return how many examples, moments or seeds are tried."""
    if THOROUGH:
        return thorough
    return max(1, usual // 3) if AGAIN else usual


def spread(cases: Sequence[T], size: int) -> list[T]:
    """Return so many of the cases, evenly spread, the first and the last among them."""
    if size >= len(cases):
        return list(cases)
    return [cases[round(n * (len(cases) - 1) / max(1, size - 1))] for n in range(size)]
