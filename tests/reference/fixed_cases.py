"""Generated cases in a file, and a hash of all that comes of them.

Run as a program it tells whether the engine does the same in another mode of Numba. The cases come
from a file, because what Hypothesis generates depends on the modules that a process has loaded.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from payment_simulator.errors import SimulationError
from tests.reference.agreement import play_engine
from tests.strategies.scenarios import Case, cases

ARRAYS = ("cost", "balance", "pay", "stat", "delay", "log", "trace", "bill", "toll")


def write_cases(path: Path, n_cases: int) -> None:
    """Generate cases and write them to a file."""
    found: list[Case] = []

    @given(cases())
    @settings(
        max_examples=n_cases,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    path.write_bytes(pickle.dumps(found))


def fingerprint(path: Path) -> str:
    """Return a hash of what the cases of a file come to; errors count as results."""
    digest = hashlib.sha256()
    for case in pickle.loads(path.read_bytes()):
        try:
            run = play_engine(case)
        except SimulationError as error:
            digest.update(str(error).encode())
            continue
        for name in ARRAYS:
            digest.update(getattr(run, name).tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    print(fingerprint(Path(sys.argv[1])))
