"""Samplers that learn nothing: chance, and an even covering of the space."""

from __future__ import annotations

import math
from collections.abc import Sequence

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, Values
from payment_simulator.ai_cash_mgmt.seeds import Uniforms


class Chance:
    """Draws every value by chance.

    Parameters
    ----------
    axes : sequence of Axis
    seed : int
    """

    def __init__(self, axes: Sequence[Axis], seed: int) -> None:
        self._axes = axes
        self._uniforms = Uniforms(seed)

    def ask(self) -> Values:
        """Return a point, each as likely."""
        places = self._uniforms.take(len(self._axes)).tolist()
        return tuple(a.value(place) for a, place in zip(self._axes, places, strict=True))

    def tell(self, values: Values, cost: float) -> None:
        """Take no note: chance has no memory."""


class EvenCovering:
    """Covers the space evenly, however many tries there are.

    Parameters
    ----------
    axes : sequence of Axis
    seed : int
        Moves the whole pattern.

    Notes
    -----
    The additive recurrence of M. Roberts ("The unreasonable effectiveness of quasirandom
    sequences", 2018): position *k* on axis *i* is the fraction of ``shift + k / g^(i + 1)``, *g*
    being the root above 1 of ``x^(d + 1) = x + 1`` for *d* axes.
    """

    def __init__(self, axes: Sequence[Axis], seed: int) -> None:
        self._axes = axes
        root = 2.0
        for _ in range(64):
            root = (1.0 + root) ** (1.0 / (len(axes) + 1))
        self._strides = [root ** -(i + 1) for i in range(len(axes))]
        self._place: list[float] = Uniforms(seed).take(len(axes)).tolist()

    def ask(self) -> Values:
        """Return the next point of the pattern."""
        moved = zip(self._place, self._strides, strict=True)
        self._place = [math.fmod(place + stride, 1.0) for place, stride in moved]
        return tuple(a.value(place) for a, place in zip(self._axes, self._place, strict=True))

    def tell(self, values: Values, cost: float) -> None:
        """Take no note: the pattern does not depend on costs."""
