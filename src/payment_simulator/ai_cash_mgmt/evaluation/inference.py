"""Bounds and intervals of a mean, for samples that may be skewed or have heavy tails.

What a policy gains on sample days is often skewed: small gains on most days, a large loss on a few.
Student's t then claims too much, because mean and standard deviation of a sample go together: a
sample without the rare loss has a high mean and a small deviation. So two bounds are computed, by
Student's t and by Hall's transformation [1]_, which corrects for skewness, and the wider one is
taken. How often it is wrong was measured: see ``docs/explanation/inference.md``.

References
----------
.. [1] P. Hall, On the removal of skewness by transformation, Journal of the Royal Statistical
   Society B 54(1), 1992: the monotone cubic, equation 2.4, and its inverse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.student import t_quantile
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Floats

_FEWEST_FOR_SKEWNESS = 3
#: Skewness of a mean below which the transformation cannot be told from the identity.
_NO_SKEWNESS = 1e-9


def mean(values: Floats) -> float:
    """Return the mean; its sum is rounded once, so no larger sum is ever found the smaller."""
    if len(values) == 0:
        raise InputError("no sample; expected at least one")
    return math.fsum(values.tolist()) / len(values)


def lower_bound(values: Floats, error: float, n_observed: float | None = None) -> float | None:
    """Return a one-sided lower bound of a mean.

    Parameters
    ----------
    values : ndarray[float64], shape (samples,)
    error : float
        How likely the mean may be to lie below the bound, between 0 and 1.
    n_observed : float, optional
        Of how many observed runs the samples were drawn again: the mean is then no better known
        than these allow.

    Returns
    -------
    float or None
        None where the sample has no spread, or is a single value: it cannot tell how much other
        samples would differ.
    """
    moments = _moments(values, n_observed)
    return None if moments is None else moments.mean - moments.below(1.0 - error)


def interval(
    values: Floats, confidence: float, n_observed: float | None = None
) -> tuple[float, float] | None:
    """Return the two-sided interval of a mean.

    Parameters
    ----------
    values : ndarray[float64], shape (samples,)
    confidence : float
        Between 0 and 1.
    n_observed : float, optional
        As in :func:`lower_bound`.

    Returns
    -------
    tuple of float, or None
        Lower and upper end; None where the sample has no spread, or is a single value.
    """
    moments = _moments(values, n_observed)
    if moments is None:
        return None
    probability = (1.0 + confidence) / 2.0
    return moments.mean - moments.below(probability), moments.mean + moments.above(probability)


@dataclass(frozen=True)
class _Moments:
    """What bounds are computed from.

    Attributes
    ----------
    mean, standard_error : float
    size : float
        Samples; fewer, where they were drawn again from few observed runs.
    skewness : float
        Of the mean: that of the sample over the root of its size.
    """

    mean: float
    standard_error: float
    size: float
    skewness: float

    def below(self, probability: float) -> float:
        """Return how far below the estimate the mean may lie."""
        return self._margin(probability, self.skewness)

    def above(self, probability: float) -> float:
        """Return how far above the estimate the mean may lie."""
        return self._margin(probability, -self.skewness)

    def _margin(self, probability: float, skewness: float) -> float:
        t = t_quantile(probability, max(1, math.floor(self.size) - 1))
        return self.standard_error * max(t, _transformed(t, skewness))


def _transformed(t: float, skewness: float) -> float:
    """Return the quantile of the studentised mean that Hall's transformation gives for a t."""
    if abs(skewness) < _NO_SKEWNESS:
        return t
    return 3.0 * (float(np.cbrt(1.0 + skewness * (t - skewness / 6.0))) - 1.0) / skewness


def _moments(values: Floats, n_observed: float | None) -> _Moments | None:
    n, middle = len(values), mean(values)
    second = math.fsum(((values - middle) ** 2).tolist()) / n
    if second == 0.0:  # all are equal, or differ by less than can be squared
        return None
    size = n if n_observed is None else 1.0 / (1.0 / n + 1.0 / n_observed)
    error = math.sqrt(second * n / (n - 1.0) / size)
    return _Moments(middle, error, size, _skewness(values) / math.sqrt(size))


def _skewness(values: Floats) -> float:
    """Return the skewness of a sample, adjusted for its size; 0 where it cannot be told.

    The sample has a spread.
    """
    n = len(values)
    if n < _FEWEST_FOR_SKEWNESS:
        return 0.0
    off = values - mean(values)
    second = math.fsum((off**2).tolist()) / n
    third = math.fsum(((off / math.sqrt(second)) ** 3).tolist()) / n
    return third * math.sqrt(n * (n - 1.0)) / (n - 2.0)
