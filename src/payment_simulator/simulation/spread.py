"""Means, their errors, and how unequal amounts are."""

from __future__ import annotations

import math

import numpy as np

from payment_simulator.kernels.layout import Floats


def gini(values: Floats) -> Floats:
    """Return the Gini coefficient of amounts not below zero, over the last axis.

    Half the mean difference between two of them ÷ their mean; 0 where all are 0.
    """
    n = values.shape[-1]
    ordered = np.sort(values, axis=-1)
    ranks = 2.0 * np.arange(1, n + 1) - n - 1
    weighted: Floats = (ordered * ranks).sum(axis=-1)
    return ratio(weighted, n * values.sum(axis=-1), 0.0)


def ratio(over: Floats, under: Floats, otherwise: float = math.nan) -> Floats:
    """Return one number over another, or `otherwise` where the other is not above 0."""
    result: Floats = np.full(np.broadcast_shapes(np.shape(over), np.shape(under)), otherwise)
    np.divide(over, under, out=result, where=np.asarray(under) > 0)
    return result


def mean(values: Floats) -> float | None:
    """Return the mean of the values that are not NaN, rounded once; None without any."""
    defined: list[float] = values[~np.isnan(values)].tolist()
    if not defined:
        return None
    # The mean of equal values is that value to the bit, whatever the division would round to.
    low, high = min(defined), max(defined)
    return min(max(math.fsum(defined) / len(defined), low), high)


def standard_error(values: Floats) -> float | None:
    """Return the standard error of the mean of the values that are not NaN; None below two."""
    defined = values[~np.isnan(values)].tolist()
    middle = mean(values)
    if middle is None or len(defined) < 2:  # noqa: PLR2004 - one value says nothing of its spread
        return None
    squares = math.fsum((value - middle) ** 2 for value in defined)
    return math.sqrt(squares / (len(defined) - 1) / len(defined))
