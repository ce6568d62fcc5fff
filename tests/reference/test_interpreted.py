"""The engine does the same compiled, interpreted, and compiled with every index checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.effort import AGAIN, tries
from tests.reference.fixed_cases import fingerprint, write_cases

ROOT = Path(__file__).parents[2]
N_CASES = tries(16, 80)


@pytest.fixture(scope="module")
def cases_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the cases once."""
    path = tmp_path_factory.mktemp("cases") / "cases.pickle"
    write_cases(path, N_CASES)
    return path


@pytest.fixture(scope="module")
def here(cases_file: Path) -> str:
    """Return the hash of this process."""
    return fingerprint(cases_file)


@pytest.mark.slow
@pytest.mark.skipif(AGAIN, reason="is itself what compares the modes")
@pytest.mark.parametrize("mode", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_another_mode_of_numba_gives_the_same_bits(mode: str, cases_file: Path, here: str) -> None:
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in {"NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"}
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.reference.fixed_cases", str(cases_file)],
        cwd=ROOT,
        env=plain | {mode: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == here
