"""The smaller sections of a scenario file."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from payment_simulator.scenario.values import (
    MAX_SEED,
    MAX_TICKS,
    UNKNOWN_KEY,
    Flag,
    Name,
    PositiveTicks,
    Priority,
    Section,
    Text,
    checked,
    misfit,
    whole_in,
)

#: What a payments file may tell of a payment.
PAYMENT_COLUMNS = (
    "day",
    "tick",
    "time",
    "sender",
    "receiver",
    "amount",
    "priority",
    "deadline",
    "divisible",
)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != "" and "\0" not in value


class SimulationConfig(Section):
    """How long the run is, and what its randomness is drawn from."""

    ticks_per_day: PositiveTicks
    num_days: Annotated[int, whole_in(1, MAX_TICKS, "days")]
    rng_seed: Annotated[int, whole_in(0, MAX_SEED)] = 42

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        n_ticks = self.ticks_per_day * self.num_days
        if n_ticks > MAX_TICKS:
            raise misfit(
                f"ticks_per_day * num_days is {n_ticks}; expected at most {MAX_TICKS} ticks",
                "num_days",
            )
        return self


class PriorityEscalation(Section):
    """How the present priority rises towards the deadline.

    Attributes
    ----------
    start_escalating_at_ticks : int
        Ticks before the deadline; also written ``threshold_ticks``.
    max_boost : int
        Steps of priority at the deadline.
    """

    OTHER_NAMES: ClassVar[dict[str, str]] = {"threshold_ticks": "start_escalating_at_ticks"}

    enabled: Flag = False
    curve: Literal["linear", "quadratic", "step"] = "linear"
    start_escalating_at_ticks: PositiveTicks = 20
    max_boost: Priority = 3

    @model_validator(mode="after")
    def _check_enabled(self) -> Self:
        if self.model_fields_set and "enabled" not in self.model_fields_set:
            raise misfit("enabled is missing; expected enabled: true or enabled: false")
        return self


class Toggles(Section):
    """Names of what is allowed, or of what is not.

    Attributes
    ----------
    include, exclude : tuple of str, optional
        One of them at most is given.
    """

    include: tuple[Name, ...] | None = None
    exclude: tuple[Name, ...] | None = None

    @model_validator(mode="after")
    def _refuse_both(self) -> Self:
        if self.include is not None and self.exclude is not None:
            raise misfit("include is given too; expected one of them", "exclude")
        return self


class PaymentsFile(Section):
    """Where observed payments are read from.

    Attributes
    ----------
    path : str
        CSV or Parquet, relative to the scenario file.
    columns : dict of str to str
        Our name of a column to the file's; None says that the file has no such column.
    on_error : str
        ``refuse`` the file for a bad line, or ``skip`` the line and count it.
    """

    path: Annotated[str, checked(_is_path, "the path of a CSV or Parquet file", is_text=True)]
    columns: dict[str, Text | None] = Field(default_factory=dict)
    on_error: Literal["refuse", "skip"] = "refuse"

    @field_validator("columns")
    @classmethod
    def _check_columns(cls, columns: dict[str, str | None]) -> dict[str, str | None]:
        for name in columns:
            if name not in PAYMENT_COLUMNS:
                raise PydanticCustomError(
                    UNKNOWN_KEY, "{key}", {"key": name, "known": PAYMENT_COLUMNS}
                )
        return columns
