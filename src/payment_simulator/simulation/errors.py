"""Errors of a run as sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payment_simulator.errors import SimulationError
from payment_simulator.kernels import layout as k

_SENTENCES = {
    k.E_DIVISION: "its policy divides by zero; div0 gives a default instead",
    k.E_NOT_FINITE: "its policy computes a value that is not finite; clamp keeps it in bounds",
    k.E_CONSERVATION: "money was made or lost: this is a fault of the engine, please report it",
    k.E_OVERFLOW: "the payments of the run sum to more than 4e18 cents; expected smaller amounts",
}
#: Errors that are mended by more room.
ROOM = (k.E_PAYMENTS_FULL, k.E_ARRIVALS_FULL, k.E_LOG_FULL)


def simulation_error(
    error: Sequence[int] | np.ndarray, bank_ids: Sequence[str], where: str
) -> SimulationError:
    """Return the exception for an error row: code, tick, bank, payment."""
    code, tick, bank, payment = (int(x) for x in error)
    words = [where, f"tick {tick}"]
    if bank != k.NONE:
        words.append(f"bank {bank_ids[bank]}")
    if payment != k.NONE:
        words.append(f"payment {payment}")
    return SimulationError(f"{', '.join(words)}: {_SENTENCES[code]}")
