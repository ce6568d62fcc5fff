"""Student's t: the quantile that an interval of a mean needs, written out.

References
----------
.. [1] M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 1964: 26.5.8 (continued
   fraction of the incomplete beta function), 26.7.1 (distribution of t), 6.1.47 (ratio of gamma
   functions).
.. [2] W. J. Lentz, Generating Bessel functions in Mie scattering calculations using continued
   fractions, Applied Optics 15(3), 1976.
"""

from __future__ import annotations

import math
from functools import lru_cache

from payment_simulator.errors import InputError

_ENOUGH = 1e-15
_SMALLEST = 1e-300
_MOST_TERMS = 10_000
_MOST_STEPS = 200
#: From here on the asymptotic series of the ratio of gamma functions is exact to the last bit.
_MANY = 200
#: Its coefficients: the powers of 1 / x from the first on.
_SERIES = (-1 / 8, 1 / 128, 5 / 1024, -21 / 32768, -399 / 262144, 869 / 4194304)


@lru_cache(maxsize=4096)
def t_quantile(probability: float, degrees: int) -> float:
    """Return the value that Student's t stays below with a probability.

    Parameters
    ----------
    probability : float
        Above 0 and below 1.
    degrees : int
        Degrees of freedom, at least 1.

    Returns
    -------
    float
        Right to 12 digits up to ten thousand degrees, to 9 up to ten million.

    Raises
    ------
    InputError
        There is no such value.
    """
    if not 0.0 < probability < 1.0:
        raise InputError(f"probability: {probability!r}; expected a number between 0 and 1")
    if degrees < 1:
        raise InputError(f"degrees of freedom: {degrees!r}; expected at least 1")
    half = 0.5
    if probability == half:
        return 0.0
    if probability < half:
        return -_upper_quantile(probability, degrees)
    return _upper_quantile(1.0 - probability, degrees)


def t_tail(t: float, degrees: int) -> float:
    """Return the probability that Student's t exceeds a value of 0 or more."""
    square = t * t
    a, b = degrees / 2, 0.5
    x, y = degrees / (degrees + square), square / (degrees + square)
    # Both begin with the same power of x and y; the fraction converges where its argument is small.
    power = math.exp(-a * math.log1p(square / degrees)) * math.sqrt(y)
    front = power * _gamma_ratio(degrees) / math.sqrt(math.pi)
    if x < (a + 1.0) / (a + b + 2.0):
        return 0.5 * front * _fraction(a, b, x) / a
    return 0.5 - 0.5 * front * _fraction(b, a, y) / b


@lru_cache(maxsize=1024)
def _upper_quantile(tail: float, degrees: int) -> float:
    """Return what t exceeds with a probability below one half: Newton's steps, kept in bounds."""
    low, high = 0.0, 1.0
    while t_tail(high, degrees) > tail:
        low, high = high, 2.0 * high
    t = (low + high) / 2.0
    for _ in range(_MOST_STEPS):
        excess = t_tail(t, degrees) - tail
        if excess > 0.0:
            low = t
        else:
            high = t
        following = t + excess / _density(t, degrees)
        if not low < following < high:
            following = (low + high) / 2.0
        before, t = t, following
        if abs(t - before) <= 2.0**-52 * t:
            break
    return t


def _density(t: float, degrees: int) -> float:
    """Return the density of Student's t."""
    power = math.exp(-(degrees + 1) / 2 * math.log1p(t * t / degrees))
    return power * _gamma_ratio(degrees) / math.sqrt(degrees * math.pi)


def _gamma_ratio(degrees: int) -> float:
    """Return gamma((d + 1) / 2) / gamma(d / 2); for many degrees from its series.

    A difference of logarithms of gamma functions would lose a digit with every factor of ten.
    """
    if degrees >= _MANY:
        half = degrees / 2
        total, power = 1.0, 1.0
        for coefficient in _SERIES:
            power /= half
            total += coefficient * power
        return math.sqrt(half) * total
    first = 2 - degrees % 2
    ratio = 1.0 / math.sqrt(math.pi) if first == 1 else math.sqrt(math.pi) / 2.0
    for d in range(first, degrees, 2):
        ratio *= (d + 1) / d
    return ratio


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / _not_zero(d)
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d = 1.0 / _not_zero(1.0 + even * d)
        c = _not_zero(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d = 1.0 / _not_zero(1.0 + odd * d)
        c = _not_zero(1.0 + odd / c)
        value *= d * c
        if abs(d * c - 1.0) <= _ENOUGH:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST
