"""Plays a fixed set of generated cases and prints a hash of all that comes of them.

Run as a program it tells whether the engine does the same in another mode of Numba.
"""

from __future__ import annotations

import hashlib
import sys

from hypothesis import HealthCheck, Phase, given, settings

from payment_simulator.errors import SimulationError
from tests.reference.agreement import play_engine
from tests.strategies.scenarios import Case, cases

ARRAYS = ("cost", "balance", "pay", "stat", "delay", "log", "trace", "bill", "toll")


def fingerprint(n_cases: int) -> str:
    """Return a hash of what the first cases come to; errors count as results."""
    digest = hashlib.sha256()

    @given(cases())
    @settings(
        max_examples=n_cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def play(case: Case) -> None:
        try:
            run = play_engine(case)
        except SimulationError as error:
            digest.update(str(error).encode())
            return
        for name in ARRAYS:
            digest.update(getattr(run, name).tobytes())

    play()
    return digest.hexdigest()


if __name__ == "__main__":
    print(fingerprint(int(sys.argv[1])))
