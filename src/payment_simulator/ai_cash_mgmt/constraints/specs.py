"""What a parameter of a policy may be, as a game file declares it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from payment_simulator.policy.grammar import FRACTION, MAX_NAME
from payment_simulator.scenario.places import Missing
from payment_simulator.scenario.values import Name, Section, describe, is_number, misfit, number_in

#: No parameter is larger; every whole number up to it is exact in float64.
MAX_VALUE = 10**15
#: The most steps from the lowest to the highest value.
MAX_STEPS = 10**9
#: A value counts as lying on a step when it is this near, relative to the number of steps.
STEP_TOLERANCE = 1e-9

_Bound = Annotated[float, number_in(-MAX_VALUE, MAX_VALUE)]


class ParameterSpec(Section):
    """A parameter that agents may set.

    Attributes
    ----------
    name : str
        As the policy has it.
    param_type : {"float", "int", "enum"}
        A number, a whole number, or one of some numbers.
    min_value, max_value : float, optional
        Bounds, both allowed; every ``float`` and ``int`` has them, no ``enum`` has.
    step : float, optional
        Distance between allowed values, counted from `min_value`.
    default : float, optional
        Value at the start, for a bank whose policy does not have the parameter. It may lie off
        the steps.
    values : tuple of float, optional
        The numbers of an ``enum``.
    """

    name: Annotated[Name, Field(max_length=MAX_NAME)]
    param_type: Literal["float", "int", "enum"] = "float"
    min_value: _Bound | None = None
    max_value: _Bound | None = None
    step: _Bound | None = None
    default: _Bound | None = None
    values: tuple[_Bound, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.param_type == "enum":
            self._check_values()
        else:
            self._check_range()
        low, high = self.bounds
        if self.name == FRACTION and not 0 <= low <= high <= 1:
            at = "values" if self.values else "min_value" if low < 0 else "max_value"
            raise misfit(f"{FRACTION} is a share; expected numbers from 0 to 1", at)
        if self.default is not None:
            problem = self.problem(self.default, on_step=False)
            if problem:
                raise misfit(problem, "default")
        return self

    def _check_values(self) -> None:
        for key in ("min_value", "max_value", "step"):
            if getattr(self, key) is not None:
                raise misfit("it belongs to param_type float and int; expected values", key)
        if not self.values:
            raise misfit("missing; an enum needs a list of numbers", Missing("values"))
        if len(set(self.values)) < len(self.values):
            raise misfit("a number is here twice; expected each once", "values")

    def _check_range(self) -> None:
        if self.values is not None:
            raise misfit(
                "it belongs to param_type enum; expected min_value and max_value", "values"
            )
        for key in ("min_value", "max_value"):
            if getattr(self, key) is None:
                raise misfit("missing; expected both bounds of what may be tried", Missing(key))
        if self.param_type == "int":
            for key in ("min_value", "max_value", "step"):
                value = getattr(self, key)
                if value is not None and not value.is_integer():
                    raise misfit(f"{value!r} was given; expected a whole number", key)
        low, high = self.bounds
        if low >= high:
            raise misfit(
                f"{plain(high)} is not above min_value {plain(low)}; expected a range, "
                "or an enum with one value",
                "max_value",
            )
        if self.step is not None:
            self._check_step(self.step, low, high)

    def _check_step(self, step: float, low: float, high: float) -> None:
        if not 0 < step <= high - low:
            raise misfit(
                f"{plain(step)} was given; expected more than 0, and at most the range "
                f"({plain(high - low)})",
                "step",
            )
        if (high - low) / step > MAX_STEPS:
            raise misfit(f"more than {MAX_STEPS:,} steps; leave it out for a free number", "step")
        if not self._is_on_step(high):
            last = self._near_step(high, is_below=True)
            raise misfit(
                f"{plain(high)} is not on a step of {plain(step)} from {plain(low)}; "
                f"expected {plain(last)}, or another step",
                "max_value",
            )

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        if self.values is not None:
            return min(self.values), max(self.values)
        # The check of the section let no other spec without values through.
        return self.min_value or 0.0, self.max_value or 0.0

    def expectation(self) -> str:
        """Say in words what is allowed."""
        if self.values is not None:
            return f"one of {', '.join(plain(value) for value in self.values)}"
        low, high = self.bounds
        kind = "a whole number" if self.param_type == "int" else "a number"
        steps = f" in steps of {plain(self.step)}" if self.step is not None else ""
        return f"{kind} from {plain(low)} to {plain(high)}{steps}"

    def problem(self, value: Any, *, on_step: bool = True) -> str | None:
        """Say why a value is not allowed; None if it is.

        Parameters
        ----------
        value : Any
            What is proposed.
        on_step : bool
            Whether it has to lie on a step. A value at the start need not.
        """
        low, high = self.bounds
        if not is_number(value):
            return f"{describe(value)}; expected {self.expectation()}"
        is_fine = low <= value <= high if self.values is None else value in self.values
        if not is_fine or (self.param_type == "int" and value != int(value)):
            return f"{plain(value)} was given; expected {self.expectation()}"
        if on_step and self.step is not None and not self._is_on_step(value):
            near = plain(self._near_step(value))
            return f"{plain(value)} is off the steps; expected {self.expectation()}, nearest {near}"
        return None

    def _is_on_step(self, value: float) -> bool:
        low, step = self.bounds[0], self.step or 1.0
        steps = (value - low) / step
        # Large numbers lie further apart than small steps are exact.
        spacing = math.ulp(max(abs(value), abs(low))) / step
        return abs(steps - round(steps)) <= STEP_TOLERANCE * max(1.0, abs(steps)) + spacing

    def _near_step(self, value: float, *, is_below: bool = False) -> float:
        """Return the allowed value nearest to a value, in exact decimals."""
        low, step = Decimal(repr(self.bounds[0])), Decimal(repr(self.step))
        steps = (Decimal(repr(float(value))) - low) / step
        return float(low + step * (int(steps) if is_below else round(steps)))


def plain(value: float) -> str:
    """Return a number as JSON would have it, whole numbers without a fraction."""
    return str(int(value)) if value == int(value) else repr(float(value))
