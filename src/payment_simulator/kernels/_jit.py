"""The only place that configures Numba.

Arrays passed between kernels would be reference-counted at every call, which costs four times the
work itself; ``_nrt=False`` leaves that out, and is right because no inner kernel allocates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

#: True where NUMBA_DISABLE_JIT is set: kernels are then plain Python.
IS_INTERPRETED = bool(numba.config.DISABLE_JIT)


def _njit(function: Function, **options: Any) -> Function:
    try:
        return cast(Function, numba.njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function))
    except (KeyError, TypeError):  # a Numba without this private option: slower, the same results
        return cast(Function, numba.njit(**options)(function))


def inlined(function: Function) -> Function:
    """Compile a small kernel into its callers."""
    return _njit(function, forceinline=True)


def kernel(function: Function) -> Function:
    """Compile a kernel that is called as it is: it is large, or called from many places."""
    return _njit(function)


def fingerprint() -> str:
    """Return a hash of the source of every kernel."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
