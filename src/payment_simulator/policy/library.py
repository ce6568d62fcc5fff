"""The policies that come with the package, as JSON files beside this module."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from payment_simulator.errors import PolicyError
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.policy.parse import parse_policy
from payment_simulator.policy.tree import Policy
from payment_simulator.wording import nearest, quoted, shown

_NAMES: Final = (
    "fifo",
    "deadline",
    "liquidity_aware",
    "liquidity_splitting",
    "mock_splitting",
    "limit_aware",
    "offset_seeking",
    "cautious",
    "aggressive",
)
#: Bounds of the parameters, where a policy makes no sense beyond them.
_BOUNDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        FRACTION: (0, 1),
        "num_splits": (2, math.inf),
        "max_splits": (2, math.inf),
        "min_split_amount": (1, math.inf),
        "target_buffer": (0, math.inf),
        "exposure_limit": (0, math.inf),
        "buffer_share": (0, 1),
    }
)


def builtin_names() -> tuple[str, ...]:
    """Return the names of the policies that come with the package."""
    return _NAMES


def builtin(name: str, **parameters: float) -> Policy:
    """Return a policy that comes with the package.

    Parameters
    ----------
    name : str
        As in :func:`builtin_names`, or as scenario files write it: ``LiquidityAware``.
    **parameters : float
        Replace those of the policy. Every policy takes ``initial_liquidity_fraction``.

    Raises
    ------
    PolicyError
        There is no such policy, it has no such parameter, or a number is out of bounds.
    """
    found = {_in_scenarios(known): known for known in _NAMES} | {known: known for known in _NAMES}
    if name not in found:
        raise PolicyError(
            f"built-in policy {shown(name)} is not known; {nearest(str(name), _NAMES)}"
        )
    policy = _read(found[name])
    for given, value in parameters.items():
        _check(policy, given, value)
    replaced = {given: float(value) for given, value in parameters.items()}
    return replace(policy, parameters={**policy.parameters, **replaced})


@cache
def _read(name: str) -> Policy:
    text = files("payment_simulator.policy").joinpath("library", f"{name}.json")
    return parse_policy(text.read_text(encoding="utf-8"), where=f"built-in policy {name}")


def _in_scenarios(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _check(policy: Policy, name: str, value: object) -> None:
    where = f"built-in policy {policy.policy_id}"
    known = [*policy.parameters, FRACTION]
    if name not in known:
        raise PolicyError(f"{where}: parameter {quoted(name)} is not known; {nearest(name, known)}")
    low, high = _BOUNDS.get(name, (-math.inf, math.inf))
    if not _is_within(value, low, high):
        bounds = f" from {low:g}" if math.isfinite(low) else ""
        bounds += f" to {high:g}" if math.isfinite(high) else ""
        raise PolicyError(
            f"{where}: parameter {name} is {shown(value)}; expected a finite number{bounds}"
        )


def _is_within(value: object, low: float, high: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value) and low <= value <= high
    except OverflowError:
        return False
