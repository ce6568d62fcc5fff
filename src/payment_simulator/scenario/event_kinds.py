"""What a scenario makes happen at given ticks, whatever the banks do."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from payment_simulator.scenario.values import (
    MAX_RATE,
    Flag,
    Name,
    PositiveCents,
    PositiveTicks,
    Priority,
    Section,
    SignedCents,
    Ticks,
    Weight,
    misfit,
    number_in,
    quoted,
    typed,
)

_Multiplier = Annotated[float, number_in(0.0, MAX_RATE)]


class OneTime(Section):
    """At one tick of the run."""

    type: Literal["OneTime"] = "OneTime"
    tick: Ticks

    def ticks(self, n_ticks: int) -> range:
        """Return the ticks, of a run of ``n_ticks``, at which it happens."""
        return range(self.tick, min(self.tick + 1, n_ticks))


class Repeating(Section):
    """At a tick of the run, and again after every interval."""

    type: Literal["Repeating"] = "Repeating"
    start_tick: Ticks
    interval: PositiveTicks

    def ticks(self, n_ticks: int) -> range:
        """Return the ticks, of a run of ``n_ticks``, at which it happens."""
        return range(self.start_tick, n_ticks, self.interval)


Schedule = Annotated[
    OneTime | Repeating, Field(discriminator="type"), typed("OneTime", "Repeating")
]


class _Scheduled(Section):
    """An event, with the times at which it happens."""

    schedule: Schedule

    def ticks(self, n_ticks: int) -> range:
        """Return the ticks, of a run of ``n_ticks``, at which it happens."""
        return self.schedule.ticks(n_ticks)


class _Payment(_Scheduled):
    """An event that moves money from one bank to another."""

    from_agent: Name
    to_agent: Name
    amount: PositiveCents

    @model_validator(mode="after")
    def _check_banks(self) -> Self:
        if self.from_agent == self.to_agent:
            raise misfit(f"{quoted(self.to_agent)} pays itself; expected another bank", "to_agent")
        return self


class DirectTransfer(_Payment):
    """Moves money between two balances, unconditionally."""

    type: Literal["DirectTransfer"] = "DirectTransfer"


class CustomTransactionArrival(_Payment):
    """A payment that joins Queue 1 of its sender.

    Attributes
    ----------
    deadline : int, optional
        Ticks after arrival; the last tick of the day where not given.
    """

    type: Literal["CustomTransactionArrival"] = "CustomTransactionArrival"
    priority: Priority = 5
    deadline: Ticks | None = None
    is_divisible: Flag = False


class ScheduledSettlement(_Payment):
    """A payment that is released at once, highly urgent, without its bank being asked."""

    type: Literal["ScheduledSettlement"] = "ScheduledSettlement"


class CollateralAdjustment(_Scheduled):
    """Changes what a bank has posted, not below zero."""

    type: Literal["CollateralAdjustment"] = "CollateralAdjustment"
    agent: Name
    delta: SignedCents


class GlobalArrivalRateChange(_Scheduled):
    """Sets the multiplier on the arrival rates of all banks."""

    type: Literal["GlobalArrivalRateChange"] = "GlobalArrivalRateChange"
    multiplier: _Multiplier


class AgentArrivalRateChange(_Scheduled):
    """Sets the multiplier on the arrival rates of one bank."""

    type: Literal["AgentArrivalRateChange"] = "AgentArrivalRateChange"
    agent: Name
    multiplier: _Multiplier


class CounterpartyWeightChange(_Scheduled):
    """Sets the weight of one receiver; balanced, the others keep the sum what it was."""

    type: Literal["CounterpartyWeightChange"] = "CounterpartyWeightChange"
    agent: Name
    counterparty: Name
    new_weight: Weight
    auto_balance_others: Flag = False

    @model_validator(mode="after")
    def _check_banks(self) -> Self:
        if self.agent == self.counterparty:
            raise misfit(
                f"{quoted(self.counterparty)} pays itself; expected another bank", "counterparty"
            )
        return self


class DeadlineWindowChange(_Scheduled):
    """Sets the multipliers of the two ends of every window of deadlines."""

    type: Literal["DeadlineWindowChange"] = "DeadlineWindowChange"
    min_ticks_multiplier: _Multiplier | None = None
    max_ticks_multiplier: _Multiplier | None = None

    @model_validator(mode="after")
    def _check_one_given(self) -> Self:
        if self.min_ticks_multiplier is None and self.max_ticks_multiplier is None:
            raise misfit(
                "it changes nothing; expected min_ticks_multiplier, max_ticks_multiplier, or both"
            )
        return self


#: Events that make a payment.
PaymentEvent = CustomTransactionArrival | ScheduledSettlement

Event = Annotated[
    DirectTransfer
    | CustomTransactionArrival
    | ScheduledSettlement
    | CollateralAdjustment
    | GlobalArrivalRateChange
    | AgentArrivalRateChange
    | CounterpartyWeightChange
    | DeadlineWindowChange,
    Field(discriminator="type"),
    typed(
        "DirectTransfer",
        "CustomTransactionArrival",
        "ScheduledSettlement",
        "CollateralAdjustment",
        "GlobalArrivalRateChange",
        "AgentArrivalRateChange",
        "CounterpartyWeightChange",
        "DeadlineWindowChange",
    ),
]
