"""Raw numbers and what they become (section 8 of the rules).

The page says only that ``exp``, ``log`` and the normal quantile are computed with the four
operations. Here they are those of the standard library, whose quantile is Wichura's AS 241 as well.
They may differ from others in the last bit; amounts and numbers of payments are rounded to
integers, so that this shows only where a value lies within that bit of a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from payment_simulator.scenario.distributions import (
    AmountDistribution,
    Exponential,
    LogNormal,
    Normal,
    Uniform,
)

#: No amount is larger, in cents.
MOST_CENTS = 10**15

#: Parts of a Poisson mean are at most this large.
LARGEST_PART = 500

COUNTS, PAYMENTS = 1, 0
WORDS_PER_PAYMENT = 4


def uniforms(
    seed: int, bank: int, day: int, stream_at_tick: int, use: int, number: int
) -> list[float]:
    """Give the first uniform numbers of one use of one stream at one tick.

    Parameters
    ----------
    day : int
        Number of the random day.
    stream_at_tick : int
        Four times the tick of the day, plus the stream.
    use : int
        1 for the number of payments, 0 for the payments.
    """
    generator = np.random.Philox(
        key=np.array([seed, bank], dtype=np.uint64),
        counter=np.array([0, stream_at_tick, day, use], dtype=np.uint64),
    )
    return [to_uniform(int(word)) for word in generator.random_raw(number)]


def to_uniform(word: int) -> float:
    """Turn 64 bits into a number between 0 and 1, neither included."""
    return ((word >> 12) + 0.5) * 2.0**-52


def poisson_parts(mean: float) -> int:
    """Give the number of equal parts that a Poisson mean is cut into."""
    return math.ceil(mean / LARGEST_PART)


def poisson(mean: float, us: Sequence[float]) -> int:
    """Draw a Poisson number by inversion, one uniform number for each part of the mean."""
    return sum(_poisson_part(mean / len(us), u) for u in us)


def _poisson_part(mean: float, u: float) -> int:
    """Draw from a Poisson distribution by adding up its probabilities."""
    probability = math.exp(-mean)
    cumulated = probability
    n = 0
    while u > cumulated and probability > 0:
        n += 1
        probability = probability * mean / n
        cumulated += probability
    return n


def amount(distribution: AmountDistribution, u: float) -> int:
    """Draw an amount in cents."""
    if isinstance(distribution, Uniform):
        drawn = whole(distribution.min, distribution.max, u)
    else:
        drawn = math.floor(_real_amount(distribution, u) + 0.5)
    return min(max(drawn, 1), MOST_CENTS)


def _real_amount(distribution: Normal | LogNormal | Exponential, u: float) -> float:
    """Draw an amount before rounding."""
    if isinstance(distribution, Exponential):
        return -math.log(u) / distribution.rate
    z = NormalDist().inv_cdf(u)
    mean, deviation = distribution.mean, distribution.std_dev
    if isinstance(distribution, Normal):
        return mean + deviation * z
    ratio = deviation / mean
    variance = math.log(1.0 + ratio * ratio)
    exponent = math.log(mean) - variance / 2.0 + math.sqrt(variance) * z
    # Past this the amount is cut to its bound anyway, and further out exp overflows.
    return math.exp(min(exponent, 700.0))


def whole(least: int, most: int, u: float) -> int:
    """Draw a whole number, all from ``least`` to ``most`` alike."""
    return least + math.floor(u * (most - least + 1))


def choice(weights: Sequence[float], u: float) -> int:
    """Draw a position by its weight."""
    threshold = u * _sum(weights)
    running = 0.0
    for position, weight in enumerate(weights):
        running += weight
        if running > threshold:
            return position
    return max(position for position, weight in enumerate(weights) if weight > 0)


def _sum(weights: Sequence[float]) -> float:
    """Add up one after the other (``sum`` corrects rounding from Python 3.12 on)."""
    running = 0.0
    for weight in weights:
        running += weight
    return running
