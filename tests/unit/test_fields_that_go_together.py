"""Checks that look at several fields of a record, and at the lists in it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameOutcomeRecord,
    GameRepository,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    TransactionRecord,
)
from tests.builders import VALUES, a_record, a_session, an_iteration
from tests.saving import bits

COMPARISONS = pytest.mark.parametrize("kind", [PolicyIterationRecord, EvaluationSampleRecord])


def costs(old: float, new: float, gain: float) -> dict[str, float]:
    return {"old_cost": old, "new_cost": new, "cost_improvement": gain}


@COMPARISONS
@pytest.mark.parametrize(
    ("old", "new", "gain"),
    [
        (0.3, 0.1, 0.2),  # 0.3 - 0.1 is 0.19999999999999998
        (1500.0, 1200.0, 300.0000005),
        (100.0, 250.0, -150.0),
        (0.0, 0.0, -0.0),
        (-5.0, -7.0, 2.0),
        (1e15, 1.0, 1e15),
        (1e15, 1e15, 5e5),  # a 1e-9th of the costs
        (5e-324, 0.0, 0.0),
        (1.79e308, 1.7e308, 1.79e308 - 1.7e308),
    ],
)
def test_an_improvement_may_be_off_by_rounding(kind: Any, old: float, new: float, gain: float):
    assert repr(a_record(kind, **costs(old, new, gain)).cost_improvement) == repr(gain)


@COMPARISONS
@pytest.mark.parametrize(
    ("old", "new", "gain"),
    [
        (1500.0, 1200.0, 300.01),
        (1500.0, 1200.0, -300.0),
        (1500.0, 1200.0, 0.0),
        (1500.0, 1200.0, math.nextafter(300.0 + 1.5e-6, math.inf)),
        (1e15, 1e15, 2e6),
        (0.0, 0.0, 2e-6),
        (1.79e308, -1.79e308, 1.79e308),  # whose difference is infinite
    ],
)
def test_an_improvement_that_is_not_the_difference_is_refused(
    kind: Any, old: float, new: float, gain: float
):
    with pytest.raises(ValidationError, match="cost_improvement") as refusal:
        a_record(kind, **costs(old, new, gain))
    assert repr(gain) in str(refusal.value)
    assert repr(old - new) in str(refusal.value)


@COMPARISONS
def test_costs_change_together_or_not_at_all(kind: Any):
    record = a_record(kind)
    before = bits(record)
    with pytest.raises(ValidationError, match="cost_improvement"):
        record.new_cost = 1000.0
    with pytest.raises(ValidationError, match="cost_improvement"):
        record.replace(new_cost=1000.0)
    assert bits(record) == before
    changed = record.replace(new_cost=1000.0, cost_improvement=500.0)
    assert bits(changed) == bits(a_record(kind, **costs(1500.0, 1000.0, 500.0)))
    assert bits(record) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"final_cost": 1201.0}, "cost_improvement is 300.0, expected start_cost - final_cost = 2"),
        ({"cost_improvement": -300.0}, "cost_improvement is -300.0, expected start_cost - final_"),
        ({"improvement_low": 300.01}, "improvement_low is 300.01, expected at most cost_improvem"),
        ({"improvement_high": 299.9}, "improvement_high is 299.9, expected at least cost_improve"),
        ({"improvement_low": 349.5, "improvement_high": 250.5}, "improvement_low is 349.5"),
    ],
)
def test_the_gain_of_a_game_is_a_difference_within_its_interval(
    changes: dict[str, float], said: str
):
    record = a_record(GameOutcomeRecord)
    before = bits(record)
    with pytest.raises(ValidationError, match=said):
        record.replace(**changes)
    assert bits(record) == before


def test_an_interval_may_be_one_point_off_by_rounding():
    mean = {"start_cost": 0.3, "final_cost": 0.1, "cost_improvement": 0.2}
    for point in (0.3 - 0.1, math.nextafter(0.2, 1.0)):
        ends = {"improvement_low": point, "improvement_high": point}
        assert a_record(GameOutcomeRecord, **mean, **ends).improvement_low == point


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"settled_cents": 100_001}, "settled_cents is 100001"),
        ({"amount_cents": 59_999}, "settled_cents is 60000"),
        ({"deadline_tick": 2}, "deadline_tick is 2"),
        ({"released_tick": 2}, "released_tick is 2"),
        ({"settled_tick": 2}, "settled_tick is 2"),
        ({"arrival_tick": 5}, "released_tick is 4"),
    ],
)
def test_the_life_of_a_payment_is_in_order(changes: dict[str, int], named: str):
    record = a_record(TransactionRecord)
    before = bits(record)
    with pytest.raises(ValidationError, match=named):
        record.replace(**changes)
    for name, value in changes.items():
        with pytest.raises(ValidationError, match=named):
            setattr(record, name, value)
    assert bits(record) == before


def test_the_ticks_of_a_payment_may_be_one():
    record = a_record(
        TransactionRecord, arrival_tick=9, deadline_tick=9, released_tick=9, settled_tick=9
    )
    assert record.settled_tick == record.arrival_tick


def test_the_hash_of_a_file_is_filled_in_or_checked():
    values = {n: v for n, v in VALUES[ProvenanceFileRecord].items() if n != "sha256"}
    assert bits(ProvenanceFileRecord(**values)) == bits(a_record(ProvenanceFileRecord))
    with pytest.raises(ValidationError, match=r"sha256 is '0+', expected '5891b5b5"):
        ProvenanceFileRecord(**values, sha256="0" * 64)
    with pytest.raises(ValidationError, match="sha256"):
        a_record(ProvenanceFileRecord, content="hello")
    changed = a_record(ProvenanceFileRecord).replace(content="", sha256="")
    assert changed.sha256 == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_record_keeps_a_list_of_its_own():
    agents = ["BANK_A"]
    record = a_session(optimized_agents=agents)
    copied = record.replace(final_cost=1.0)
    agents.append("BANK_B")
    assert record.optimized_agents == ["BANK_A"]
    record.optimized_agents.append("BANK_C")
    assert copied.optimized_agents == ["BANK_A"]


@pytest.mark.parametrize("item", [None, 7, "\ud800", ["BANK_C"], b"BANK_C"])
def test_a_list_spoilt_in_place_is_caught_at_the_save(item: Any, repo: GameRepository):
    session = a_session()
    repo.save_game_session(session)
    session.optimized_agents.append(item)
    with pytest.raises(ValidationError, match=r"optimized_agents\.2"):
        repo.save_game_session(session)
    iteration = an_iteration()
    iteration.validation_errors.append(item)
    with pytest.raises(ValidationError, match=r"validation_errors\.0"):
        repo.save_policy_iteration(iteration)
    with pytest.raises(ValidationError, match=r"validation_errors\.0"):
        repo.save_policy_iterations([an_iteration(2), iteration])
    stored = repo.get_game_session("game-001")
    assert stored is not None
    assert stored.optimized_agents == ["BANK_A", "BANK_B"]
    assert repo.get_policy_iterations("game-001") == []


def test_a_list_changed_in_place_is_saved_as_it_is(repo: GameRepository):
    session = a_session()
    session.optimized_agents.append('BANK "C", \u00e9\u0000\U0001f600')
    repo.save_game_session(session)
    assert bits(repo.get_game_session("game-001")) == bits(session)
