"""How amounts and priorities of random payments are spread."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from payment_simulator.scenario.values import (
    MAX_CENTS,
    Cents,
    PositiveCents,
    Priority,
    Section,
    Weight,
    misfit,
    number_in,
    typed,
)

#: An amount drawn with a smaller rate could not be told from the largest amount there is.
MIN_LAMBDA = 1e-15
MAX_LAMBDA = 1e6

_Mean = Annotated[float, number_in(-float(MAX_CENTS), float(MAX_CENTS), "cents")]
_Spread = Annotated[float, number_in(0.0, float(MAX_CENTS), "cents")]
_MeanOfLogNormal = Annotated[float, number_in(MIN_LAMBDA, float(MAX_CENTS), "cents")]


class Normal(Section):
    """The normal distribution, in cents."""

    type: Literal["Normal"] = "Normal"
    mean: _Mean
    std_dev: _Spread


class LogNormal(Section):
    """The lognormal distribution, by mean and standard deviation of the amount itself, in cents."""

    type: Literal["LogNormal"] = "LogNormal"
    mean: _MeanOfLogNormal
    std_dev: _Spread


class Uniform(Section):
    """All whole amounts from ``min`` to ``max`` cents, equally likely."""

    type: Literal["Uniform"] = "Uniform"
    min: Cents
    max: PositiveCents

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min > self.max:
            raise misfit(f"min {self.min} is above max {self.max}; expected min <= max")
        return self


class Exponential(Section):
    """The exponential distribution; its mean is ``1 / rate`` cents.

    Attributes
    ----------
    rate : float
        The key ``lambda`` of the file, per cent.
    """

    type: Literal["Exponential"] = "Exponential"
    rate: Annotated[float, number_in(MIN_LAMBDA, MAX_LAMBDA, "per cent")] = Field(alias="lambda")


AmountDistribution = Annotated[
    Normal | LogNormal | Uniform | Exponential,
    Field(discriminator="type"),
    typed("Normal", "LogNormal", "Uniform", "Exponential"),
]


class Fixed(Section):
    """Always the same priority."""

    type: Literal["Fixed"] = "Fixed"
    value: Priority


class Categorical(Section):
    """Priorities with weights, which need not sum to one."""

    type: Literal["Categorical"] = "Categorical"
    values: tuple[Priority, ...]
    weights: tuple[Weight, ...]

    @model_validator(mode="after")
    def _check_weights(self) -> Self:
        if len(self.values) != len(self.weights):
            raise misfit(
                f"{len(self.values)} values and {len(self.weights)} weights; "
                "expected a weight for every value"
            )
        if not any(self.weights):
            raise misfit("no value has a weight above 0; expected at least one that has")
        return self


class UniformPriority(Section):
    """All priorities from ``min`` to ``max``, equally likely."""

    type: Literal["Uniform"] = "Uniform"
    min: Priority
    max: Priority

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.min > self.max:
            raise misfit(f"min {self.min} is above max {self.max}; expected min <= max")
        return self


PriorityDistribution = Annotated[
    Fixed | Categorical | UniformPriority,
    Field(discriminator="type"),
    typed("Fixed", "Categorical", "Uniform"),
]
