"""Values at equal distances, as exactly as their decimals say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

import numpy as np

from payment_simulator.errors import InputError
from payment_simulator.wording import shown

#: The most values that one bank may have.
MAX_VALUES = 200_000
#: Digits to which values of a grid are rounded: enough to tell them apart, too few for 0.1 x 3.
_DIGITS = 12


def parameter_grid(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return values at equal distances, the first and the last included.

    Parameters
    ----------
    low, high : float
        First and last value.
    count : int
        Number of values, 2 or more; 1 where `low` is `high`.

    Returns
    -------
    tuple of float
        Those between the ends are rounded to 12 significant digits: 0.15, not
        0.15000000000000002.

    Raises
    ------
    InputError
        The ends are no finite numbers in their order, or too close for so many values.

    Examples
    --------
    >>> parameter_grid(0, 1, 5)
    (0.0, 0.25, 0.5, 0.75, 1.0)
    """
    first, last = finite(low, "the lowest value"), finite(high, "the highest value")
    is_count = type(count) is int and 1 <= count <= MAX_VALUES
    if not is_count:
        raise InputError(
            f"a grid of {shown(count)} values; expected a whole number from 1 to {MAX_VALUES:,}"
        )
    if count == 1 and first == last:
        return (first,)
    if count == 1 or first >= last:
        raise InputError(
            f"a grid of {count:,} from {shown(low)} to {shown(high)}; expected the lowest value "
            "below the highest, and 2 values or more"
        )
    values = (first, *_between(first, last, count), last)
    if any(here >= there for here, there in pairwise(values)):
        raise InputError(
            f"a grid of {count:,} from {shown(low)} to {shown(high)}: these are too close for so "
            f"many values of {_DIGITS} digits; expected fewer values"
        )
    return values


def _between(first: float, last: float, count: int) -> Iterator[float]:
    exact, rounded = Context(prec=60), Context(prec=_DIGITS)
    ends, steps = (Decimal(repr(first)), Decimal(repr(last))), count - 1
    for step in range(1, steps):
        from_first = exact.multiply(ends[0], Decimal(steps - step))
        sum_ = exact.add(from_first, exact.multiply(ends[1], Decimal(step)))
        # Rounded once: the sum is exact, but for ends of more than 30 orders of magnitude.
        yield float(rounded.divide(sum_, Decimal(steps)))


def finite(value: Any, what: str) -> float:
    """Return a value as a finite number, or raise ``InputError`` that calls it what it is."""
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not is_number or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
        raise InputError(f"{what} is {shown(value)}; expected a finite number")
    return float(value) + 0.0
