"""Geometry of the small pictures that templates draw: stacked bars and intervals, in per cent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_WHOLE = 100.0
#: The order in which kinds of cost are stacked.
KINDS = (
    "liquidity",
    "overdraft",
    "collateral",
    "delay",
    "deadline_penalty",
    "end_of_day",
    "split",
)


def bar_width(value: float, largest: float) -> float:
    """Return the length of a bar in per cent of the largest."""
    return round(_WHOLE * max(value, 0.0) / largest, 3) if largest > 0 else 0.0


def in_order(kinds: Iterable[str]) -> list[str]:
    """Return kinds of cost in the order in which they are stacked; those of others come last."""
    found = set(kinds)
    return [*(kind for kind in KINDS if kind in found), *sorted(found - set(KINDS))]


def kinds_of(costs: Mapping[str, float], largest: float) -> list[tuple[str, float, float, float]]:
    """Return the pieces of a stacked bar.

    Returns
    -------
    list of (str, float, float, float)
        Kind, its cost (cents), where its piece begins, and its length, both in per cent. Kinds
        that cost nothing are left out; kinds of other programs come last.
    """
    pieces, start = [], 0.0
    for kind in in_order(costs):
        length = bar_width(costs[kind], largest)
        if length > 0:
            pieces.append((kind, costs[kind], round(start, 3), length))
            start += length
    return pieces


def scale_of(values: Iterable[float]) -> tuple[float, float]:
    """Return the least and the largest of values and 0, with some room at both ends."""
    found = [0.0, *values]
    low, high = min(found), max(found)
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def whisker(value: float, scale: tuple[float, float]) -> float:
    """Return where a value stands on a scale, in per cent."""
    low, high = scale
    return round(_WHOLE * (value - low) / (high - low), 3)
