"""The only place that configures Numba.

Three private options of Numba make the engine fast to run and to compile; without them it is
slower and gives the same results:

* ``_nrt=False``: arrays passed between kernels would be reference-counted at every call, which
  costs four times the work itself. It is right because no kernel allocates.
* ``no_cpython_wrapper``: nothing but the entry is called from Python.
* constants are not told apart by their value when kernels are specialised (:func:`_widen`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba as _numba
from numba.core import types as _types

#: Untyped: the options used here are not in Numba's published types.
numba: Any = _numba
types: Any = _types
Function = TypeVar("Function", bound=Callable[..., Any])

#: True where NUMBA_DISABLE_JIT is set: kernels are then plain Python.
IS_INTERPRETED = bool(numba.config.DISABLE_JIT)


def _widen(dispatcher: Any) -> None:
    """Let a kernel be compiled once for an argument's type, not once for each constant passed."""
    resolve = dispatcher.get_call_template

    def get_call_template(args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
        wide = tuple(types.unliteral(arg) for arg in args)
        return resolve(wide, {name: types.unliteral(arg) for name, arg in kws.items()})

    dispatcher.get_call_template = get_call_template


def _njit(function: Function, **options: Any) -> Function:
    if IS_INTERPRETED:
        return function
    try:
        dispatcher = numba.njit(
            _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options
        )(function)
        _widen(dispatcher)
    except (AttributeError, KeyError, TypeError):  # another Numba than those tested
        dispatcher = numba.njit(**options)(function)
    return cast("Function", dispatcher)


def inlined(function: Function) -> Function:
    """Compile a kernel into its callers."""
    return _njit(function, forceinline=True)


def kernel(function: Function) -> Function:
    """Compile a kernel that is called as it is, because it is called from several places."""
    return _njit(function)


def fingerprint() -> str:
    """Return a hash of the source of every kernel."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
