"""Simulation runs as they are looked at: against what the simulator itself measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders import (
    a_record,
    a_session,
)
from tests.games import castro, play, twelve

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    GameRepository,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.analysis import runs as module
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.runs import (
    PAYMENT_SORTS,
    PaymentFilter,
    bank_series,
    count_payments,
    count_runs,
    get_run,
    list_payments,
    list_runs,
    payment_life,
    run_banks,
    run_costs,
    throughput,
)
from payment_simulator.errors import InputError, RunNotFoundError
from payment_simulator.persistence.connection import DatabaseManager


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record with two games that were played, and their runs."""
    path = tmp_path_factory.mktemp("runs") / "simulation.db"
    play(path, castro())
    play(path, twelve())
    return path


@pytest.fixture(scope="module", params=["file", "writer"])
def read(played: Path, request: Any) -> Any:
    """Return the record as it is read from its file, and through a process that writes it."""
    if request.param == "file":
        with open_record(played) as repo:
            yield repo
        return
    with DatabaseManager(played), open_record(played) as repo:
        yield repo


RUN = "twelve/final"


def test_runs_are_listed_newest_first(read: GameRepository):
    assert [run.run_id for run in list_runs(read)] == [
        "twelve/final",
        "twelve/start",
        "castro/final",
        "castro/start",
    ]
    assert [run.run_id for run in list_runs(read, game_id="castro", limit=1, offset=1)] == [
        "castro/start"
    ]
    assert (count_runs(read), count_runs(read, game_id="castro")) == (4, 2)
    kept = get_run(read, RUN)
    assert list_runs(read)[0].total_cost == kept.total_cost
    assert list_runs(read)[0].started_at == kept.started_at


def test_a_run_that_is_not_there(read: GameRepository):
    with pytest.raises(RunNotFoundError):
        get_run(read, "none")
    assert run_banks(read, "none") == []


def test_costs_are_those_that_were_measured(read: GameRepository):
    run = get_run(read, RUN)
    costs = run_costs(read, RUN)
    assert costs == json.loads(run.measures_json)["costs"]
    assert sum(sum(kinds.values()) for kinds in costs.values()) == pytest.approx(run.total_cost)


def test_throughput_is_that_which_was_measured(read: GameRepository):
    run = get_run(read, RUN)
    expected = json.loads(run.measures_json)["throughput"]
    assert throughput(read, run, 0, run.num_days - 1) == pytest.approx(expected)


def test_banks_through_the_day_are_as_they_were_kept(read: GameRepository):
    run = get_run(read, RUN)
    assert run_banks(read, RUN) == ["BANK_A", "BANK_B"]
    kept = [state for state in read.get_bank_states(RUN) if state.agent_id == "BANK_B"]
    found = bank_series(read, run, ["BANK_B", "nobody"], 0, 0)
    assert list(found) == ["BANK_B"]
    for name in ("tick", "balance_cents", "credit_limit_cents", "queue1_cents", "queue2_count"):
        assert getattr(found["BANK_B"], name) == tuple(getattr(state, name) for state in kept)


def test_long_lines_are_thinned_to_the_last_tick_of_each_point(
    read: GameRepository, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MOST_POINTS", 3)
    run = get_run(read, RUN)
    found = bank_series(read, run, ["BANK_A"], 0, 0)["BANK_A"]
    assert found.tick == (3, 7, 11)
    by_tick = {s.tick: s.balance_cents for s in read.get_bank_states(RUN) if s.agent_id == "BANK_A"}
    assert found.balance_cents == tuple(by_tick[tick] for tick in found.tick)


@pytest.mark.parametrize("sort", PAYMENT_SORTS)
@pytest.mark.parametrize("is_descending", [False, True])
def test_payments_are_sorted(read: GameRepository, sort: str, is_descending: bool):
    keys: dict[str, Any] = {
        "number": lambda p: p.payment_number,
        "amount": lambda p: p.amount_cents,
        "arrival": lambda p: p.arrival_tick,
        "settled": lambda p: p.settled_tick,
        "wait": lambda p: p.settled_tick - p.arrival_tick,
        "priority": lambda p: p.priority,
        "cost": lambda p: p.delay_cost + p.penalty_cost,
    }
    found = list_payments(read, RUN, PaymentFilter(), sort=sort, descending=is_descending)
    settled = [payment for payment in found if payment.settled_tick is not None]
    values = [keys[sort](payment) for payment in settled]
    assert values == sorted(values, reverse=is_descending)
    assert len(found) == get_run(read, RUN).num_payments


def test_payments_are_filtered_counted_and_paged(read: GameRepository):
    everything = read.get_transactions(RUN)
    chosen = PaymentFilter(sender="BANK_A", first_tick=2, last_tick=6)
    expected = [p for p in everything if p.sender_id == "BANK_A" and 2 <= p.arrival_tick <= 6]
    assert expected
    assert list_payments(read, RUN, chosen) == expected
    assert count_payments(read, RUN, chosen) == (
        len(expected),
        sum(p.amount_cents for p in expected),
    )
    assert list_payments(read, RUN, chosen, limit=1, offset=1) == expected[1:2]
    assert count_payments(read, RUN, PaymentFilter(receiver="BANK_A", status="dropped")) == (0, 0)
    with pytest.raises(InputError, match="sort"):
        list_payments(read, RUN, chosen, sort="1; DROP TABLE transactions")


def test_a_payment_has_its_events_in_order(read: GameRepository):
    life = payment_life(read, RUN, 3)
    expected = [e for e in read.get_simulation_events(RUN) if e.payment_number == 3]
    assert list(life.events) == expected
    assert life.events[0].event_type == "arrive"
    assert life.payment == read.get_transactions(RUN)[3]
    with pytest.raises(InputError, match="payment 999 is not in run"):
        payment_life(read, RUN, 999)


def test_parts_of_a_payment_are_found(repo: GameRepository):
    repo.save_game_session(a_session())
    repo.save_simulation_run(a_record(SimulationRunRecord))
    repo.save_transactions(
        "run-001",
        [
            a_record(TransactionRecord, payment_number=1, parent_payment_number=None),
            a_record(TransactionRecord, payment_number=3),
            a_record(TransactionRecord, payment_number=2),
        ],
    )
    repo.save_simulation_events("run-001", [a_record(SimulationEventRecord)])
    life = payment_life(repo, "run-001", 1)
    assert [part.payment_number for part in life.parts] == [2, 3]
    assert life.events == ()
    assert len(payment_life(repo, "run-001", 2).events) == 1


def test_amounts_beyond_64_bits_are_summed(repo: GameRepository):
    repo.save_game_session(a_session())
    repo.save_simulation_run(a_record(SimulationRunRecord, num_days=2))
    largest = 2**63 - 1
    repo.save_transactions(
        "run-001",
        [a_record(TransactionRecord, payment_number=n, amount_cents=largest) for n in (1, 2)],
    )
    states = [
        a_record(BankStateRecord, tick=tick, day=tick // 12, sent_cents=largest, agent_id=bank)
        for tick in (0, 1, 13)
        for bank in ("BANK_A", "BANK_B")
    ]
    repo.save_bank_states("run-001", states)
    assert count_payments(repo, "run-001", PaymentFilter()) == (2, 2 * largest)
    run = get_run(repo, "run-001")
    assert throughput(repo, run, 0, 0)[:2] == [0.5, 1.0]
    assert throughput(repo, run, 1, 1)[:2] == [0.0, 1.0]
    assert throughput(repo, run, 0, 1)[:2] == [0.25, 1.0]
    repo.save_simulation_run(a_record(SimulationRunRecord, run_id="run-002"))
    assert throughput(repo, get_run(repo, "run-002"), 0, 0) == []
