"""The only way into the engine: compiled at first use, kept on disk, or interpreted."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from payment_simulator.kernels._jit import IS_INTERPRETED, fingerprint, numba
from payment_simulator.kernels.draw import Sources
from payment_simulator.kernels.layout import World
from payment_simulator.kernels.run import Base, Job, Profiles, Results, play_job

COMPILING = "Compiling the settlement engine (once on this machine, about a minute) ..."
NOT_KEPT = (
    "the compiled engine cannot be kept on disk, so every start compiles it anew: {folder} cannot "
    "be written; set PAYMENT_SIM_CACHE to a folder that can"
)


def cache_folder() -> Path:
    """Return where compiled engines are kept: a folder of its own for every version of the kernels.

    Numba looks for changes in the file of the entry alone, and would run old code after a change of
    any other kernel.
    """
    chosen = os.environ.get("PAYMENT_SIM_CACHE")
    if chosen:
        root = Path(chosen)
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    checks = "-checked" if numba.config.BOUNDSCHECK else ""
    return root / "payment-simulator" / f"engine-{fingerprint()[:16]}{checks}"


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _forget_others(folder: Path) -> None:
    """Remove engines of other versions that nobody has used for a month or so."""
    month = 30 * 24 * 3600
    newest = folder.stat().st_mtime
    for other in folder.parent.glob("engine-*"):
        if other != folder and newest - other.stat().st_mtime > month:
            shutil.rmtree(other, ignore_errors=True)


@cache
def _entry() -> tuple[Any, Path | None]:
    """Return the entry, compiled or to be compiled, and the folder it is kept in."""
    folder = cache_folder()
    options = {"nogil": True, "_nrt": False, "no_cfunc_wrapper": True}
    if not _is_writable(folder):
        warnings.warn(NOT_KEPT.format(folder=folder), RuntimeWarning, stacklevel=4)
        return numba.njit(**options)(play_job), None
    _forget_others(folder)
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder)
    try:
        return numba.njit(cache=True, **options)(play_job), folder
    finally:
        numba.config.CACHE_DIR = before


@cache
def _announce() -> None:
    """Say that the first use compiles, unless the engine is on disk already."""
    _, folder = _entry()
    if folder is None or not any(folder.rglob("*.nbi")):
        sys.stderr.write(COMPILING + "\n")
        sys.stderr.flush()


def run_engine(
    w: World, b: Base, profiles: Profiles, d: Sources, job: Job, seed: int, out: Results
) -> None:
    """Play a job; see :func:`payment_simulator.kernels.run.play_job`."""
    if IS_INTERPRETED:
        with np.errstate(over="ignore"):  # Philox multiplies modulo 2^64
            play_job(w, b, profiles, d, job, np.uint64(seed), out)
        return
    _announce()
    _entry()[0](w, b, profiles, d, job, np.uint64(seed), out)
