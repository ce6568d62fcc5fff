"""How much room a run is given, and how it grows when it turns out too small."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from payment_simulator.errors import SimulationError
from payment_simulator.kernels import layout as k
from payment_simulator.kernels.draw import SH_RATE, Sources

_MOST = 200_000_000


@dataclass(frozen=True)
class Room:
    """Rows of the arrays of a world.

    Attributes
    ----------
    payments, arrivals, log : int
        Rows for payments, for arrivals of the run, for events.
    is_full : bool
        Whether the life of every payment and bank is written down tick by tick.
    """

    payments: int
    arrivals: int
    log: int
    is_full: bool

    def grown(self, error: int) -> Room:
        """Return more room where an error says it was too little.

        Raises
        ------
        SimulationError
            There is no end to it.
        """
        grown = {
            k.E_PAYMENTS_FULL: replace(self, payments=2 * self.payments + 64),
            k.E_ARRIVALS_FULL: replace(
                self, arrivals=2 * self.arrivals + 64, payments=self.payments + self.arrivals + 64
            ),
            k.E_LOG_FULL: replace(self, log=2 * self.log + 64),
        }[error]
        if max(grown.payments, grown.arrivals, grown.log) > _MOST:
            raise SimulationError(
                f"the run makes more than {_MOST:,} payments or events; splits that split again "
                "without end are the usual cause (the field is_split tells children apart)"
            )
        return grown


def expected_arrivals(sources: Sources, ticks: int) -> int:
    """Return a number of arrivals that a run will rarely exceed."""
    factor = 1.0
    if len(sources.change):
        factor = max(1.0, float(np.max(sources.change_to))) ** 2
    mean = float(sources.shape[:, SH_RATE].sum()) * ticks * min(factor, 4.0)
    return len(sources.fixed) + math.ceil(mean + 6.0 * math.sqrt(mean)) + 16
