"""What the scenario makes happen at a tick (step 2, and section 8 of the rules)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.reference.twin.arrivals import Source
from tests.reference.twin.model import World
from tests.reference.twin.queues import new_payment

SETTLEMENT_PRIORITY = 10
SETTLEMENT_CLASS = 0


def do_events(world: World, source: Source) -> None:
    """Do the events of this tick in the order of the file."""
    n_ticks = world.scenario.simulation.ticks_per_day * world.scenario.simulation.num_days
    for event in world.scenario.scenario_events:
        if world.tick in event.schedule.ticks(n_ticks):
            world.note(2, event.type)
            _do(world, source, event)


def _do(world: World, source: Source, event: Any) -> None:
    """Do one event."""
    numbers = source.numbers
    if event.type == "DirectTransfer":
        world.banks[numbers[event.from_agent]].balance -= event.amount
        world.banks[numbers[event.to_agent]].balance += event.amount
    elif event.type == "CollateralAdjustment":
        bank = world.banks[numbers[event.agent]]
        bank.posted = max(0, bank.posted + event.delta)
    elif event.type == "CustomTransactionArrival":
        _make_arrival(world, numbers, event)
    elif event.type == "ScheduledSettlement":
        _make_settlement(world, numbers, event)
    elif event.type == "GlobalArrivalRateChange":
        source.global_rate = event.multiplier
    elif event.type == "AgentArrivalRateChange":
        source.bank_rates[numbers[event.agent]] = event.multiplier
    elif event.type == "CounterpartyWeightChange":
        for stream in source.streams[numbers[event.agent]]:
            stream.weights = reweighed(
                stream.weights,
                numbers[event.counterparty],
                event.new_weight,
                is_balanced=event.auto_balance_others,
            )
    elif event.type == "DeadlineWindowChange":
        if event.min_ticks_multiplier is not None:
            source.earliest_multiplier = event.min_ticks_multiplier
        if event.max_ticks_multiplier is not None:
            source.latest_multiplier = event.max_ticks_multiplier
    else:
        raise AssertionError(f"event {event.type} is not in the rules")


def _make_arrival(world: World, numbers: dict[str, int], event: Any) -> None:
    """Make a payment that joins Queue 1 at step 3."""
    if event.deadline is None:
        deadline_tick = world.last_tick_of_day
    else:
        deadline_tick = world.tick + event.deadline
    payment = new_payment(
        world,
        sender=numbers[event.from_agent],
        receiver=numbers[event.to_agent],
        amount=event.amount,
        deadline_tick=deadline_tick,
        priority=event.priority,
        divisible=event.is_divisible,
    )
    world.arriving.append(payment)


def _make_settlement(world: World, numbers: dict[str, int], event: Any) -> None:
    """Make a payment that enters at step 6 without its bank being asked."""
    payment = new_payment(
        world,
        sender=numbers[event.from_agent],
        receiver=numbers[event.to_agent],
        amount=event.amount,
        deadline_tick=world.last_tick_of_day,
        priority=SETTLEMENT_PRIORITY,
        divisible=False,
    )
    payment.state = "released"
    payment.rtgs_class = SETTLEMENT_CLASS
    world.released.append(payment)


def reweighed(
    weights: Sequence[float], counterparty: int, new: float, *, is_balanced: bool
) -> list[float]:
    """Set one weight; where asked, scale the others so that the sum stays.

    Where the new weight alone exceeds the sum, the others become zero.
    """
    changed = list(weights)
    changed[counterparty] = new
    if not is_balanced:
        return changed
    before, others = 0.0, 0.0
    for position, weight in enumerate(weights):
        before += weight
        if position != counterparty:
            others += weight
    if others == 0:
        return changed
    scale = max(before - new, 0.0) / others
    for position, weight in enumerate(weights):
        if position != counterparty:
            changed[position] = weight * scale
    return changed
