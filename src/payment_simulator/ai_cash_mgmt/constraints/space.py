"""What the declared parameters of a policy may be, as a space that can be gone through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from payment_simulator.ai_cash_mgmt.constraints.equal_steps import parameter_grid
from payment_simulator.ai_cash_mgmt.constraints.specs import ParameterSpec
from payment_simulator.errors import InputError
from payment_simulator.policy import Policy
from payment_simulator.wording import nearest, quoted

#: The most combinations that a grid may have.
MAX_COMBINATIONS = 20_000
#: A float without a step is proposed to a millionth of its range: what a person can still read.
_RANGE_DIGITS = 6

#: A value for each parameter, in the order in which they are declared.
Values: TypeAlias = tuple[float, ...]


@dataclass(frozen=True)
class Axis:
    """The values of one parameter, at positions from 0 (the first) to 1 (the last).

    Attributes
    ----------
    name : str
        The parameter.
    low, high : float
        First and last value.
    count : int, optional
        How many values there are; None where every number between the ends is one.
    step : float
        From one value to the next, where there is a `count`.
    values : tuple of float
        The values, where they are listed one by one.
    """

    name: str
    low: float
    high: float
    count: int | None = None
    step: float = 0.0
    values: Values = ()

    @classmethod
    def of(cls, spec: ParameterSpec) -> Axis:
        """Return the axis of a parameter."""
        if spec.values is not None:
            values = tuple(value + 0.0 for value in spec.values)
            return cls(spec.name, values[0], values[-1], len(values), values=values)
        low, high = spec.bounds
        step = 1.0 if spec.step is None and spec.param_type == "int" else spec.step
        if step is None:
            return cls(spec.name, low, high)
        # In decimals: 0.3 lies on a step of 0.1, which binary numbers deny.
        steps = (_decimal(high) - _decimal(low)) / _decimal(step)
        return cls(spec.name, low, high, round(steps) + 1, step)

    def value(self, position: float) -> float:
        """Return the value that is nearest to a position."""
        within = min(max(position, 0.0), 1.0)
        if self.count is not None:
            return self.at(round(within * (self.count - 1)))
        if within in {0.0, 1.0}:
            return self.high if within else self.low
        width = _decimal(self.high) - _decimal(self.low)
        unit = Decimal(1).scaleb(width.adjusted() - _RANGE_DIGITS)
        found = (_decimal(self.low) + width * _decimal(within)) / unit
        return min(max(float(round(found) * unit), self.low), self.high)

    def at(self, index: int) -> float:
        """Return a value by its number, where they can be counted."""
        if self.values:
            return self.values[index]
        if self.count is not None and index == self.count - 1:
            return self.high
        return float(_decimal(self.low) + index * _decimal(self.step))

    def position(self, value: float) -> float:
        """Return where a value stands; between two positions where it is on no step."""
        if self.values:
            nearest_one = min(self.values, key=lambda known: abs(known - value))
            return self.values.index(nearest_one) * self.grain
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def grain(self) -> float:
        """The least distance between the positions of two values."""
        if self.count is None:
            return 10.0**-_RANGE_DIGITS
        return 1 / max(self.count - 1, 1)

    def grid(self, points: int) -> Values:
        """Return all values, or so many at equal distances where they cannot be counted."""
        if self.count is None:
            return parameter_grid(self.low, self.high, points)
        return tuple(map(self.at, range(self.count)))


def _decimal(number: float) -> Decimal:
    """Return the number as people write it."""
    return Decimal(repr(float(number)))


class ParameterSpace:
    """All that the declared parameters of a policy may be.

    Parameters
    ----------
    specs : sequence of ParameterSpec
        The parameters.

    Attributes
    ----------
    axes : tuple of Axis
        One for each parameter.

    Raises
    ------
    InputError
        There are none.
    """

    def __init__(self, specs: Sequence[ParameterSpec]) -> None:
        if not specs:
            raise InputError(
                "there is nothing to choose; expected at least one parameter in the constraints, "
                "under allowed_parameters"
            )
        self.axes = tuple(map(Axis.of, specs))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(axis.name for axis in self.axes)

    @property
    def size(self) -> int | None:
        """Number of points; None where they cannot be counted."""
        counts = [axis.count for axis in self.axes]
        return None if None in counts else math.prod(count or 0 for count in counts)

    def point(self, policy: Policy) -> dict[str, float]:
        """Return the parameters of a policy, those that are declared.

        Raises
        ------
        InputError
            It lacks one.
        """
        missing = [name for name in self.names if name not in policy.parameters]
        if missing:
            raise InputError(
                f"policy {quoted(policy.policy_id)} has no parameter {quoted(missing[0])}; "
                f"{nearest(missing[0], policy.parameters)}"
            )
        return {name: float(policy.parameters[name]) for name in self.names}

    def with_point(self, policy: Policy, point: Mapping[str, float]) -> Policy:
        """Return a policy with other values of its parameters."""
        return replace(policy, parameters={**policy.parameters, **point})

    def grid(self, points: int) -> list[dict[str, float]]:
        """Return all combinations; the last parameter changes fastest.

        Parameters
        ----------
        points : int
            How many values a float without a step has.

        Raises
        ------
        InputError
            There are more than ``MAX_COMBINATIONS``.
        """
        counts = [points if axis.count is None else axis.count for axis in self.axes]
        if math.prod(counts) > MAX_COMBINATIONS:
            product = " x ".join(f"{count:,}" for count in counts)
            raise InputError(
                f"the grid has {product} points; expected at most {MAX_COMBINATIONS:,}: take "
                "fewer grid_points, larger steps, or a proposer of kind search"
            )
        values = itertools.product(*(axis.grid(points) for axis in self.axes))
        return [dict(zip(self.names, these, strict=True)) for these in values]
