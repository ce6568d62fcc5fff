"""How much is tried: what a change can wait for, or, if it is asked for, what a release can."""

from __future__ import annotations

import os

#: Set the variable to 1 to have everything tried that somebody thought of.
THOROUGH = os.environ.get("PAYMENT_SIM_THOROUGH") == "1"
#: The engine's tests are run again as plain Python and with every index checked.
AGAIN = any(os.environ.get(name) for name in ("NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"))


def tries(usual: int, thorough: int) -> int:
    """Return how many examples, moments or seeds are tried."""
    if THOROUGH:
        return thorough
    return max(1, usual // 3) if AGAIN else usual
