"""What liquidity, delay and failure cost."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from payment_simulator.scenario.values import Cents, Factor, Section, expected, is_whole, misfit

#: The kinds of cost, in the order in which results list them.
COST_KINDS = (
    "liquidity",
    "overdraft",
    "collateral",
    "delay",
    "deadline_penalty",
    "end_of_day",
    "split",
)


class Penalty(Section):
    """A penalty for a payment: a fixed amount, or a share of what is unsettled.

    Attributes
    ----------
    mode : str
        ``fixed`` or ``rate``.
    amount : int
        Cents, in mode ``fixed``; else 0.
    bps_per_event : float
        Basis points of the remaining amount, in mode ``rate``; else 0.
    """

    mode: Literal["fixed", "rate"]
    amount: Cents = 0
    bps_per_event: Factor = 0.0

    @model_validator(mode="before")
    @classmethod
    def _check_mode(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        needed, other = "amount", "bps_per_event"
        if data.get("mode") == "rate":
            needed, other = other, needed
        if data.get("mode") in ("fixed", "rate"):
            if needed not in data:
                raise misfit(f"{needed} is missing; mode {data['mode']} needs it")
            if other in data:
                raise misfit(f"mode {data['mode']} takes {needed} instead; remove this key", other)
        return data


def _as_penalty(value: Any) -> Any:
    if is_whole(value):
        return {"mode": "fixed", "amount": value}
    if isinstance(value, dict | Penalty):
        return value
    raise expected(
        value,
        "a whole number of cents, or {mode: fixed, amount: ...}, "
        "or {mode: rate, bps_per_event: ...}",
    )


_Penalty = Annotated[Penalty, BeforeValidator(_as_penalty)]


class PriorityDelayMultipliers(Section):
    """Factors on the cost of delay, by the band of the priority that a payment arrived with."""

    urgent_multiplier: Factor = 1.0
    normal_multiplier: Factor = 1.0
    low_multiplier: Factor = 1.0


class CostRates(Section):
    """Prices of everything that costs; money in cents, rates in basis points.

    Attributes
    ----------
    eod_penalty : Penalty
        For what is unsettled at the close; also written ``eod_penalty_per_transaction``.
    eod_borrowing_bps : float
        Of what is borrowed at the close, under ``end_of_day: borrow``.
    """

    OTHER_NAMES: ClassVar[dict[str, str]] = {"eod_penalty_per_transaction": "eod_penalty"}

    overdraft_bps_per_tick: Factor = 0.001
    delay_cost_per_tick_per_cent: Factor = 0.0001
    collateral_cost_per_tick_bps: Factor = 0.0002
    liquidity_cost_per_tick_bps: Factor = 0.0
    eod_penalty: _Penalty = Penalty(mode="fixed", amount=10_000)
    deadline_penalty: _Penalty = Penalty(mode="fixed", amount=50_000)
    split_friction_cost: Cents = 1_000
    overdue_delay_multiplier: Factor = 5.0
    eod_borrowing_bps: Factor = 0.0
    priority_delay_multipliers: PriorityDelayMultipliers = PriorityDelayMultipliers()
