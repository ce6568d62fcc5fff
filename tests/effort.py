"""How much is tried: what a change can wait for, or, if it is asked for, what a release can."""

from __future__ import annotations

import os

#: Set the variable to 1 to have everything tried that somebody thought of.
THOROUGH = os.environ.get("PAYMENT_SIM_THOROUGH") == "1"


def tries(usual: int, thorough: int) -> int:
    """Return how many examples, moments or seeds are tried."""
    return thorough if THOROUGH else usual
