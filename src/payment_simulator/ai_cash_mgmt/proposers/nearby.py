"""Tries close to the best so far: where in between costs stop falling and begin to rise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, Values
from payment_simulator.ai_cash_mgmt.seeds import Uniforms

#: How far to go towards the nearest points tried, as shares of the distance to them.
_SHARES = tuple(1 / 3 / 4**n for n in range(8))
#: How far a jump goes at most, as a share of the range; at the least, as a share of that.
_FARTHEST, _NEAREST = 0.5, 0.001
#: Points on a line from which two lines can be drawn that meet.
_ENOUGH = 4
#: How far from a bound the points next to it are on a new line.
_EDGE = 1 / 6

#: A position on an axis, and what was paid there.
_Mark: TypeAlias = tuple[float, float]


class Nearby:
    """Comes up with tries close to the best so far.

    Along one parameter, the others as they are, it takes the points where straight lines through
    what was tried on both sides meet, then points on the way to the neighbours on both sides. With
    several parameters it takes the meeting points of all of them together first, and it also jumps,
    in some of them at once.

    Parameters
    ----------
    axes : sequence of Axis
        What is chosen.
    seed : int
        For which parameter comes first, and for jumps.
    """

    def __init__(self, axes: Sequence[Axis], seed: int) -> None:
        self._axes = axes
        self._uniforms = Uniforms(seed)
        self._turn = self._uniforms.index(len(axes))

    def bounds(self, values: Values) -> Iterator[Values]:
        """Go through the bounds of each parameter, the others as they are."""
        for i in self._axes_in_turn():
            for bound in (0.0, 1.0):
                yield self._moved(values, {i: bound})

    def around(self, best: Values, costs: Mapping[Values, float]) -> Iterator[Values]:
        """Go through points close to the best, the closer the later.

        Parameters
        ----------
        best : tuple of float
            Where to look around.
        costs : Mapping of tuple of float to float
            What was tried, the best included, with its cost.
        """
        self._turn += 1
        places = [axis.position(value) for axis, value in zip(self._axes, best, strict=True)]
        yield from self._bends(best, costs)
        lines = [self._line(i, best, costs) for i in range(len(self._axes))]
        turn = self._turn % len(self._axes)
        if len(self._axes) > 1 and len(lines[turn]) < _ENOUGH:
            for place in _spread(places[turn]):
                yield self._moved(best, {turn: place})
        for share in _SHARES:
            for i in self._axes_in_turn():
                for end in _ends(lines[i], places[i]):
                    reach = max(abs(end - places[i]) * share, self._axes[i].grain)
                    yield self._moved(best, {i: places[i] + math.copysign(reach, end - places[i])})
                if len(self._axes) > 1:
                    yield self._moved(best, self._jump(places))

    def _bends(self, best: Values, costs: Mapping[Values, float]) -> Iterator[Values]:
        """Go through points where lines meet: on all axes at once, then on the last one alone.

        What an axis costs is often much the same whatever the other values are, so a line that was
        tried before the best was found serves as well.
        """
        met: dict[int, list[float]] = {}
        for i in self._axes_in_turn():
            line = self._longest_line(i, best, costs)
            found = list(_crossings(line, min(line, key=lambda mark: mark[1])[0]))
            if found:
                met[i] = found
        if len(met) > 1:
            yield self._moved(best, {i: found[0] for i, found in met.items()})
        last = (self._turn - 1) % len(self._axes)
        for place in met.get(last, ()):
            yield self._moved(best, {last: place})

    def _axes_in_turn(self) -> Iterator[int]:
        n_axes = len(self._axes)
        return ((self._turn + n) % n_axes for n in range(n_axes))

    def _line(self, i: int, best: Values, costs: Mapping[Values, float]) -> list[_Mark]:
        """Return what was tried along one axis, all other values being those of the best."""
        others, position = (best[:i], best[i + 1 :]), self._axes[i].position
        return sorted(
            (position(v[i]), cost) for v, cost in costs.items() if (v[:i], v[i + 1 :]) == others
        )

    def _longest_line(self, i: int, best: Values, costs: Mapping[Values, float]) -> list[_Mark]:
        """Return the line along one axis with the most points, that of the best if it has four."""
        own = self._line(i, best, costs)
        if len(own) >= _ENOUGH:
            return own
        tried = Counter((values[:i], values[i + 1 :]) for values in costs)
        (before, after), _ = max(tried.items(), key=lambda item: item[1])
        longest = self._line(i, (*before, best[i], *after), costs)
        return longest if len(longest) > len(own) else own

    def _jump(self, places: Sequence[float]) -> dict[int, float]:
        """Return new positions on some axes, each some way off to one side, near or far."""
        n_axes = len(places)
        chances = self._uniforms.take(3 * n_axes).reshape(3, -1).tolist()
        one = self._uniforms.index(n_axes)
        return {
            i: places[i] + math.copysign(_FARTHEST * _NEAREST**reach, side - 0.5)
            for i, (whether, side, reach) in enumerate(zip(*chances, strict=True))
            if i == one or whether < 0.5  # noqa: PLR2004 - as likely as not
        }

    def _moved(self, values: Values, to: Mapping[int, float]) -> Values:
        """Return the values nearest to other positions on some axes."""
        return tuple(
            axis.value(to[i]) if i in to else value
            for i, (axis, value) in enumerate(zip(self._axes, values, strict=True))
        )


def _spread(place: float) -> tuple[float, ...]:
    """Return positions that make a line with this one: two on either side of most bends."""
    if place < _EDGE:
        return 0.0, 1.0, 0.5, 1.0 - _EDGE
    if place > 1.0 - _EDGE:
        return 0.0, 1.0, _EDGE, 0.5
    return 0.0, 1.0, _EDGE, 1.0 - _EDGE


def _ends(line: Sequence[_Mark], place: float) -> tuple[float, float]:
    """Return the nearest positions tried on both sides; the bounds where there are none."""
    return (
        max((p for p, _ in line if p < place), default=0.0),
        min((p for p, _ in line if p > place), default=1.0),
    )


def _crossings(line: Sequence[_Mark], place: float) -> Iterator[float]:
    """Go through the positions around the best where the lines of both sides meet.

    Where costs are straight but for one bend, that is the bend.
    """
    at = next(n for n, (p, _) in enumerate(line) if p == place)
    for first in (at - 1, at - 2):
        if first >= 0 and first + 4 <= len(line):
            before, left, right, after = line[first : first + 4]
            rise, fall = _slope(right, after), _slope(before, left)
            # Where a run stops there is no line: its number is NaN, and lies between no points.
            if rise > fall:
                met = left[0] + (right[1] - left[1] - rise * (right[0] - left[0])) / (fall - rise)
                if left[0] < met < right[0]:
                    yield met


def _slope(left: _Mark, right: _Mark) -> float:
    is_apart = right[0] > left[0]
    return (right[1] - left[1]) / (right[0] - left[0]) if is_apart else math.inf
