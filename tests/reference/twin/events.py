"""What the scenario makes happen at a tick (step 2, and section 8 of the rules)."""

from __future__ import annotations

from collections.abc import Sequence

from payment_simulator.scenario.event_kinds import (
    AgentArrivalRateChange,
    CollateralAdjustment,
    CounterpartyWeightChange,
    CustomTransactionArrival,
    DeadlineWindowChange,
    DirectTransfer,
    Event,
    GlobalArrivalRateChange,
    ScheduledSettlement,
)
from tests.reference.twin.arrivals import Source
from tests.reference.twin.model import World
from tests.reference.twin.queues import new_payment

SETTLEMENT_PRIORITY = 10
SETTLEMENT_CLASS = 0


def do_events(world: World, source: Source) -> None:
    """Do the events of this tick in the order of the file."""
    for event in world.scenario.scenario_events:
        if world.tick in event.ticks(world.scenario.n_ticks):
            world.note(2, event.type)
            _do(world, source, event)


def _do(world: World, source: Source, event: Event) -> None:
    """Do one event."""
    numbers = source.numbers
    match event:
        case DirectTransfer():
            world.banks[numbers[event.from_agent]].balance -= event.amount
            world.banks[numbers[event.to_agent]].balance += event.amount
        case CollateralAdjustment():
            bank = world.banks[numbers[event.agent]]
            bank.posted = max(0, bank.posted + event.delta)
        case CustomTransactionArrival():
            _make_arrival(world, numbers, event)
        case ScheduledSettlement():
            _make_settlement(world, numbers, event)
        case _:
            _change_draws(source, event)


def _change_draws(source: Source, event: Event) -> None:
    """Change how payments are drawn, from this tick to the end of the run."""
    numbers = source.numbers
    match event:
        case GlobalArrivalRateChange():
            source.global_rate = event.multiplier
        case AgentArrivalRateChange():
            source.bank_rates[numbers[event.agent]] = event.multiplier
        case CounterpartyWeightChange():
            for stream in source.streams[numbers[event.agent]]:
                stream.weights = reweighed(
                    stream.weights,
                    numbers[event.counterparty],
                    event.new_weight,
                    is_balanced=event.auto_balance_others,
                )
        case DeadlineWindowChange():
            if event.min_ticks_multiplier is not None:
                source.earliest_multiplier = event.min_ticks_multiplier
            if event.max_ticks_multiplier is not None:
                source.latest_multiplier = event.max_ticks_multiplier
        case _:
            raise AssertionError(f"event {event.type} is not in the rules")


def _make_arrival(world: World, numbers: dict[str, int], event: CustomTransactionArrival) -> None:
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


def _make_settlement(world: World, numbers: dict[str, int], event: ScheduledSettlement) -> None:
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
