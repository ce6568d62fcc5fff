"""What payments a bank is given to make at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from payment_simulator.scenario.distributions import (
    AmountDistribution,
    Fixed,
    PriorityDistribution,
)
from payment_simulator.scenario.values import (
    Flag,
    Name,
    Priority,
    Rate,
    Section,
    Ticks,
    Weight,
    checked,
    misfit,
)

DEFAULT_PRIORITY = 5


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == len(("first", "last"))


class ArrivalConfig(Section):
    """Random payments of one kind.

    Attributes
    ----------
    rate_per_tick : float
        Mean of the Poisson number of payments in a tick.
    counterparty_weights : dict of str to float
        Weight of each receiver; empty where all other banks weigh the same.
    deadline_range : tuple of int
        First and last deadline, in ticks after arrival.
    priority : int, optional
        As the file gives it; ``priority_distribution`` holds it too.
    priority_distribution : Fixed, Categorical or UniformPriority
        Always there; all payments have priority 5 where the file says nothing.
    """

    rate_per_tick: Rate
    amount_distribution: AmountDistribution
    counterparty_weights: dict[Name, Weight] = Field(default_factory=dict)
    deadline_range: Annotated[
        tuple[Ticks, Ticks], checked(_is_pair, "[first, last] in ticks after arrival")
    ]
    priority: Priority | None = Field(default=None, exclude=True)
    priority_distribution: PriorityDistribution = Field(
        default_factory=lambda: Fixed(value=DEFAULT_PRIORITY), validate_default=True
    )
    divisible: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _refuse_both(cls, data: Any) -> Any:
        if isinstance(data, dict) and "priority" in data and "priority_distribution" in data:
            raise misfit("priority is given too; expected one of them", "priority_distribution")
        return data

    @field_validator("priority_distribution")
    @classmethod
    def _take_priority(
        cls, given: PriorityDistribution, info: ValidationInfo
    ) -> PriorityDistribution:
        priority = info.data.get("priority")
        return given if priority is None else Fixed(value=priority)

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_window(*self.deadline_range, "deadline_range")
        check_weights(self.counterparty_weights)
        return self


class ArrivalBand(Section):
    """Random payments of one band of priorities; priorities are uniform within the band.

    Attributes
    ----------
    rate_per_tick : float
        Mean of the Poisson number of payments in a tick.
    deadline_offset_min, deadline_offset_max : int
        First and last deadline, in ticks after arrival.
    counterparty_weights : dict of str to float
        Weight of each receiver; empty where all other banks weigh the same.
    """

    rate_per_tick: Rate
    amount_distribution: AmountDistribution
    deadline_offset_min: Ticks
    deadline_offset_max: Ticks
    counterparty_weights: dict[Name, Weight] = Field(default_factory=dict)
    divisible: Flag = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_window(
            self.deadline_offset_min,
            self.deadline_offset_max,
            "deadline_offset_max",
        )
        check_weights(self.counterparty_weights)
        return self


class ArrivalBands(Section):
    """Random payments by band: urgent (priorities 8 to 10), normal (4 to 7), low (0 to 3)."""

    urgent: ArrivalBand | None = None
    normal: ArrivalBand | None = None
    low: ArrivalBand | None = None

    def bands(self) -> Iterator[tuple[str, ArrivalBand]]:
        """Go through the bands that are given, with their names, in the order of drawing."""
        for name in ("urgent", "normal", "low"):
            band = getattr(self, name)
            if band is not None:
                yield name, band


def check_window(first: int, last: int, name: str) -> None:
    """Refuse a window of deadlines that ends before it begins."""
    if first > last:
        raise misfit(f"it begins at {first} and ends at {last}; expected first <= last", name)


def check_weights(weights: dict[str, float]) -> None:
    """Refuse weights under which nobody could be paid; without any, all weigh the same."""
    if weights and not any(weights.values()):
        raise misfit("all are 0; expected at least one above 0", "counterparty_weights")
