"""Scheduled events: when they happen, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from payment_simulator.scenario import expand_events, parse_scenario
from payment_simulator.scenario.event_kinds import OneTime, Repeating
from tests.unit.scenario.samples import FULL, refusal, small


def transfer(amount: int, schedule: dict[str, Any]) -> dict[str, Any]:
    """Return an event that can be told by its amount."""
    banks = {"from_agent": "A", "to_agent": "B"}
    return {"type": "DirectTransfer", **banks, "amount": amount, "schedule": schedule}


def once(tick: int) -> dict[str, Any]:
    """Return a schedule of one tick."""
    return {"type": "OneTime", "tick": tick}


def again(start: int, interval: int) -> dict[str, Any]:
    """Return a schedule that repeats."""
    return {"type": "Repeating", "start_tick": start, "interval": interval}


def happenings(*events: dict[str, Any]) -> list[tuple[int, int]]:
    """Return ticks and amounts of what happens in a run of 20 ticks."""
    scenario = parse_scenario(small(scenario_events=list(events)))
    return [(tick, event.amount) for tick, event in expand_events(scenario)]  # type: ignore[union-attr]


def test_ticks_of_schedules() -> None:
    assert list(OneTime(tick=3).ticks(20)) == [3]
    assert list(OneTime(tick=19).ticks(20)) == [19]
    assert list(OneTime(tick=20).ticks(20)) == []
    assert list(Repeating(start_tick=2, interval=7).ticks(20)) == [2, 9, 16]
    assert list(Repeating(start_tick=2, interval=7).ticks(16)) == [2, 9]
    assert list(Repeating(start_tick=2, interval=100).ticks(20)) == [2]
    assert list(Repeating(start_tick=20, interval=1).ticks(20)) == []


def test_happenings_are_in_the_order_of_ticks_and_within_a_tick_of_the_file() -> None:
    assert happenings(
        transfer(1, once(9)), transfer(2, again(2, 7)), transfer(3, once(2)), transfer(4, once(9))
    ) == [(2, 2), (2, 3), (9, 1), (9, 2), (9, 4), (16, 2)]


def test_no_events() -> None:
    assert expand_events(parse_scenario(small())) == ()


@pytest.mark.parametrize("schedule", [once(20), once(10_000_000), again(20, 1)])
def test_what_never_happens_is_refused(schedule: dict[str, Any]) -> None:
    data = small(scenario_events=[transfer(1, once(0)), transfer(1, schedule)])
    message = refusal(data)
    assert "scenario_events[1].schedule: it first falls on tick" in message
    assert message.endswith("expected a tick from 0 to 19")


def test_too_many_happenings_are_refused() -> None:
    data = small(simulation={"ticks_per_day": 10_000_000, "num_days": 1})
    data["scenario_events"] = [transfer(1, again(0, 1))]
    assert parse_scenario(data).n_ticks == 10_000_000
    data["scenario_events"].append(transfer(1, once(0)))
    assert "scenario_events: they happen 10000001 times" in refusal(data)


def test_kinds_and_their_defaults() -> None:
    kinds = [event.type for event in parse_scenario(FULL).scenario_events]
    assert kinds == [event["type"] for event in FULL["scenario_events"]]
    arrival = transfer(5, once(1)) | {"type": "CustomTransactionArrival"}
    (event,) = parse_scenario(small(scenario_events=[arrival])).scenario_events
    assert event.type == "CustomTransactionArrival"
    assert (event.priority, event.deadline, event.is_divisible) == (5, None, False)
    weight = {"type": "CounterpartyWeightChange", "agent": "A", "counterparty": "B"}
    weight |= {"new_weight": 0, "schedule": once(1)}
    (event,) = parse_scenario(small(scenario_events=[weight])).scenario_events
    assert event.type == "CounterpartyWeightChange"
    assert not event.auto_balance_others


def test_a_change_of_deadlines_that_changes_nothing_is_refused() -> None:
    event = {"type": "DeadlineWindowChange", "schedule": once(1)}
    message = refusal(small(scenario_events=[event]))
    assert "scenario_events[0]: it changes nothing; expected min_ticks_multiplier" in message
    event["max_ticks_multiplier"] = 2
    (kept,) = parse_scenario(small(scenario_events=[event])).scenario_events
    assert kept.type == "DeadlineWindowChange"
    assert (kept.min_ticks_multiplier, kept.max_ticks_multiplier) == (None, 2.0)
