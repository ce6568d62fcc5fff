"""The only way into the engine: compiled at first use, kept on disk, or interpreted."""

from __future__ import annotations

import sys
import warnings
from functools import cache
from typing import Any

import numba
import numpy as np

from payment_simulator.kernels._jit import IS_INTERPRETED, fingerprint
from payment_simulator.kernels.draw import Sources
from payment_simulator.kernels.layout import (
    World,
)
from payment_simulator.kernels.run import Base, Job, Profiles, Results, play_job

COMPILING = "Compiling the settlement engine (once on this machine, under a minute) ..."
NOT_KEPT = (
    "the compiled engine cannot be kept on disk, so every start compiles it anew: neither the folder "
    "of the package nor the user's cache folder can be written; NUMBA_CACHE_DIR names another one"
)


def _make_entry(stamp: int, **options: Any) -> Any:
    """Return the entry; the stamp that it closes over is part of the key of Numba's cache.

    Numba looks for changes in the file of the entry alone, and would run old code after a change of
    any other kernel.
    """

    def play_runs(
        w: World,
        b: Base,
        profiles: Profiles,
        d: Sources,
        job: Job,
        seed: np.uint64,
        out: Results,
    ) -> None:
        if stamp >= 0:
            play_job(w, b, profiles, d, job, seed, out)

    return numba.njit(nogil=True, no_cfunc_wrapper=True, **options)(play_runs)


@cache
def _entry() -> Any:
    stamp = int(fingerprint()[:15], 16)
    try:
        return _make_entry(stamp, cache=True)
    except RuntimeError:  # Numba finds no folder that it can write
        warnings.warn(NOT_KEPT, RuntimeWarning, stacklevel=2)
        return _make_entry(stamp)


@cache
def _announce() -> None:
    """Say that the first use compiles, unless it is on disk already."""
    overloads = getattr(_entry(), "_cache", None)
    index = getattr(getattr(overloads, "_cache_file", None), "_index_path", None)
    try:
        known = index is not None and overloads._cache_file._load_index()
    except Exception:  # noqa: BLE001 - private to Numba: at worst the line is printed needlessly
        known = None
    if not known:
        print(COMPILING, file=sys.stderr, flush=True)


def run_engine(
    w: World, b: Base, profiles: Profiles, d: Sources, job: Job, seed: int, out: Results
) -> None:
    """Play a job; see :func:`payment_simulator.kernels.run.play_job`."""
    if IS_INTERPRETED:
        with np.errstate(over="ignore"):  # Philox multiplies modulo 2^64
            _make_entry(0)(w, b, profiles, d, job, np.uint64(seed), out)
        return
    _announce()
    _entry()(w, b, profiles, d, job, np.uint64(seed), out)
