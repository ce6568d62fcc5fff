"""Whole games: what is played, what is recorded, how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.games import FRACTION, Told, castro, fraction, play, stay, tables, ten_days, twelve

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator
from payment_simulator.errors import InputError
from payment_simulator.persistence.connection import DatabaseManager


def test_the_two_period_game_ends_in_its_equilibrium(db_path: Path) -> None:
    result = play(db_path, castro())
    assert result.status == "converged"
    assert result.converged
    assert result.banks["BANK_A"].parameters == {FRACTION: 0.0}
    assert result.banks["BANK_B"].parameters == {FRACTION: 0.2}
    assert result.banks["BANK_A"].final_cost == 0.0
    assert result.banks["BANK_B"].final_cost == pytest.approx(2_000)
    assert result.banks["BANK_A"].start_cost == pytest.approx(5_000)
    assert result.distance_from_equilibrium == 0.0
    assert result.final_cost == pytest.approx(2_000)


def test_every_step_is_one_row_that_means_what_it_says(db_path: Path) -> None:
    play(db_path, castro())
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        session = repo.get_game_session("castro")
        steps = repo.get_policy_iterations("castro")
        assert session is not None
        assert session.total_iterations == len(steps) / 2
        assert session.completed_at is not None
        assert session.completed_at > session.started_at
        assert [(s.iteration_number, s.agent_id) for s in steps] == [
            (k, bank)
            for k in range(1, session.total_iterations + 1)
            for bank in ("BANK_A", "BANK_B")
        ]
        first = steps[0]
        assert first.trigger_tick == 1  # the last tick of a day of two
        assert first.llm_model == "grid/exhaustive"
        assert first.tokens_used == 0
        assert first.cost_improvement == first.old_cost - first.new_cost > 0
        assert json.loads(first.old_policy_json)["parameters"] == {FRACTION: 0.5}
        assert json.loads(first.new_policy_json)["parameters"] == {FRACTION: 0.0}
        assert steps[2].old_policy_json == first.new_policy_json
        assert not steps[2].was_accepted
        assert steps[2].cost_improvement == 0.0
        samples = repo.get_evaluation_samples("castro", "BANK_A", 1)
        assert [(s.old_cost, s.new_cost) for s in samples] == [(first.old_cost, first.new_cost)]
        [context] = repo.get_iteration_contexts("castro", "BANK_B", 1)
        assert json.loads(context.context_json)["decision"]["accepted"] is True
        [diff] = repo.get_policy_diffs("castro", "BANK_A", 1)
        assert json.loads(diff.parameter_changes_json) == {FRACTION: {"old": 0.5, "new": 0.0}}
        assert {f.role for f in repo.get_provenance_files("castro")} == {
            "game_file",
            "scenario",
            "policy",
        }
        [certificate] = repo.get_equilibrium_certificates("castro")
        [equilibrium] = json.loads(certificate.pure_equilibria_json or "null")
        assert equilibrium["point"] == {"BANK_A": 0.0, "BANK_B": 0.2}
        runs = {run.purpose: run for run in repo.list_simulation_runs("castro")}
        assert runs["start"].total_cost == pytest.approx(10_000)
        assert runs["final"].total_cost == pytest.approx(2_000)
        assert len(repo.get_transactions(runs["final"].run_id)) == 3


@pytest.mark.parametrize(("update", "is_seen"), [("sequential", True), ("simultaneous", False)])
def test_the_order_of_updates_decides_what_the_second_bank_sees(
    db_path: Path, update: str, is_seen: bool
) -> None:
    parameter = {"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.05, "default": 0.1}
    config = castro(
        update=update,
        scenario_config=str(Path(castro().scenario_config).with_name("three_period.yaml")),
        constraints={"allowed_parameters": [parameter]},
        convergence={"stability_window": 2, "max_iterations": 1},
        equilibrium=None,
    )
    # What A sends in time, B need not fund.
    told = {"BANK_A": Told(fraction(0.2)), "BANK_B": Told(stay)}
    play(db_path, config, proposers=told)
    with DatabaseManager(db_path, read_only=True) as manager:
        first, second = GameRepository(manager.conn).get_policy_iterations("castro")
    assert first.was_accepted
    assert (second.old_cost < first.old_cost) is is_seen


def test_nothing_better_changes_nothing_and_converges_by_the_window(db_path: Path) -> None:
    told = {"BANK_A": Told(stay), "BANK_B": Told(stay)}
    result = play(db_path, castro(), proposers=told)
    assert (result.status, result.iterations) == ("converged", 3)
    with DatabaseManager(db_path, read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("castro")
    assert not any(step.was_accepted for step in steps)
    assert {step.new_policy_json for step in steps} == {steps[0].old_policy_json}
    assert {step.cost_improvement for step in steps} == {0.0}


def test_a_game_that_is_still_moving_is_completed(db_path: Path) -> None:
    told = {"BANK_A": Told(lambda s: fraction(0.5 - 0.1 * s.iteration)(s)), "BANK_B": Told(stay)}
    config = castro(convergence={"stability_window": 3, "max_iterations": 4})
    result = play(db_path, config, proposers=told)
    assert (result.status, result.iterations, result.converged) == ("completed", 4, False)


def test_a_best_response_check_keeps_a_lazy_game_going(db_path: Path) -> None:
    rule = {"stability_window": 2, "max_iterations": 5, "best_response_check": True}
    told = {"BANK_A": Told(stay), "BANK_B": Told(stay)}
    result = play(db_path, castro(convergence=rule), proposers=told)
    assert result.status == "completed"
    assert result.distance_from_equilibrium is not None
    assert result.distance_from_equilibrium > 1_000


def test_a_best_response_check_is_met_at_the_equilibrium(db_path: Path) -> None:
    rule = {"stability_window": 2, "max_iterations": 9, "best_response_check": True}
    assert play(db_path, castro(convergence=rule)).status == "converged"


@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", ["fresh", "bootstrap", "permutation", "stratified", "day_block"])
def test_random_days_are_the_same_for_any_number_of_threads(tmp_path: Path, method: str) -> None:
    config = twelve(bootstrap={"num_samples": 6, "sample_method": method})
    for threads in (1, 3):
        play(tmp_path / f"{threads}.db", config, threads=threads)
    assert tables(tmp_path / "1.db") == tables(tmp_path / "3.db")


def test_another_seed_gives_another_game(tmp_path: Path) -> None:
    for seed in (1, 2):
        play(tmp_path / f"{seed}.db", twelve(master_seed=seed))
    one, two = (tables(tmp_path / f"{seed}.db")["evaluation_samples"] for seed in (1, 2))
    assert one != two


def test_costs_at_the_end_are_of_the_same_days_with_an_interval(db_path: Path) -> None:
    result = play(db_path, twelve(bootstrap={"num_samples": 30}))
    for bank in result.banks.values():
        assert bank.interval is not None
        low, high = bank.interval
        assert low < bank.start_cost - bank.final_cost < high


def test_a_running_simulation_is_optimised_at_the_end_of_days(db_path: Path) -> None:
    result = play(db_path, ten_days())
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        steps = repo.get_policy_iterations("ten_days", "BANK_A")
        assert [step.trigger_tick for step in steps] == [11, 23, 35, 47]
        assert any(step.was_accepted for step in steps)
        final = repo.get_simulation_run("ten_days/final")
        assert final is not None
        events = repo.get_simulation_events("ten_days/final")
        costs = repo.get_daily_costs("ten_days/final")
    # What a bank funds at the open of a day is what the step before it decided.
    funded = [e.amount_cents for e in events if e.event_type == "fund" and e.agent_id == "BANK_A"]
    shares = [0.5]
    for step in steps:
        policy = json.loads(step.new_policy_json if step.was_accepted else step.old_policy_json)
        shares.append(policy["parameters"][FRACTION])
    assert funded[: len(shares)] == [round(10_000_000 * share) for share in shares]
    assert result.final_cost == pytest.approx(sum(cost.cost for cost in costs))
    assert result.status == "completed"


def test_a_running_simulation_is_optimised_every_so_many_ticks(db_path: Path) -> None:
    schedule = {"type": "every_x_ticks", "interval_ticks": 30}
    play(db_path, ten_days(optimization_schedule=schedule))
    with DatabaseManager(db_path, read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("ten_days", "BANK_B")
    assert [step.trigger_tick for step in steps] == [29, 59, 89]


def test_costs_of_a_running_simulation_are_those_to_come(db_path: Path) -> None:
    play(db_path, ten_days())
    with DatabaseManager(db_path, read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("ten_days", "BANK_A")
    # Fewer days are left at every step.
    assert steps[0].old_cost > steps[-1].old_cost > 0


def test_a_game_is_played_once(db_path: Path) -> None:
    play(db_path, castro())
    with pytest.raises(InputError, match=r"'castro' is in the record already \(converged\)"):
        play(db_path, castro())


def test_a_game_without_a_name_gets_one(db_path: Path) -> None:
    with DatabaseManager(db_path) as manager:
        game = GameOrchestrator(castro(game_id=None), GameRepository(manager.conn))
        assert game.game_id.startswith("two_period-42-")
        assert game.play().game_id == game.game_id


def test_a_search_over_nothing_is_refused(db_path: Path) -> None:
    constraints = {
        "allowed_parameters": [{"name": "patience", "min_value": 0, "max_value": 9, "default": 1}]
    }
    with pytest.raises(InputError, match="patience"):
        play(db_path, castro(constraints=constraints))


def test_a_proposer_for_a_bank_that_does_not_play_is_refused(db_path: Path) -> None:
    with pytest.raises(InputError, match="bank 'BANK_C' is not optimised"):
        play(db_path, castro(), proposers={"BANK_C": Told(stay)})


def test_a_settlement_floor_binds(db_path: Path) -> None:
    acceptance = {"rule": "mean", "min_settlement_rate": 1.0}
    scenario = """
simulation: {ticks_per_day: 4, num_days: 1}
agents:
  - {id: A, opening_balance: 0, liquidity_pool: 1000}
  - {id: B, opening_balance: 0, liquidity_pool: 1000}
cost_rates: {liquidity_cost_per_tick_bps: 100, eod_penalty: 0, deadline_penalty: 0,
  delay_cost_per_tick_per_cent: 0}
scenario_events:
  - {type: CustomTransactionArrival, schedule: {type: OneTime, tick: 0}, from_agent: A,
     to_agent: B, amount: 600}
"""
    path = db_path.with_name("floor.yaml")
    path.write_text(scenario)
    data = {"scenario_config": str(path), "equilibrium": None, "acceptance": acceptance}
    result = play(db_path, castro(**data))
    # Funding nothing would be cheapest, and nothing would settle.
    assert result.banks["A"].parameters[FRACTION] == 1.0
    assert result.banks["B"].parameters[FRACTION] == 0.0
    with DatabaseManager(db_path, read_only=True) as manager:
        first = GameRepository(manager.conn).get_policy_iterations("castro", "A")[0]
    assert first.cost_improvement > 0
    assert not first.was_accepted


def test_a_configuration_comes_back_from_the_record(db_path: Path) -> None:
    play(db_path, castro())
    with DatabaseManager(db_path, read_only=True) as manager:
        session = GameRepository(manager.conn).get_game_session("castro")
    assert session is not None
    again = GameConfig.from_json(session.config_json)
    assert again.to_json() == session.config_json
