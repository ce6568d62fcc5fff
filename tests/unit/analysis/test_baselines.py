"""What other policies would have cost on the held-out days of a recorded game."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.games import FRACTION, Told, castro, fraction, play, ten_days, twelve

from payment_simulator.ai_cash_mgmt import GameRepository, game_setup
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval
from payment_simulator.analysis.compare import compare_games, optimum
from payment_simulator.analysis.compare.baselines import GameBaselines, game_baselines
from payment_simulator.analysis.compare.optimum import social_optimum
from payment_simulator.analysis.compare.restore import restored
from payment_simulator.analysis.opening import open_record
from payment_simulator.errors import InputError, PaymentSimulatorError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.policy import parse_policy

TWO_PARAMETERS = {
    "allowed_parameters": [
        {"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.1},
        {"name": "urgency_threshold", "min_value": 1, "max_value": 5, "step": 2},
    ]
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play one game of each sort into a file."""
    path = tmp_path_factory.mktemp("games") / "games.db"
    play(path, castro())
    play(path, twelve(master_seed=1))
    play(path, twelve(game_id="again", master_seed=2, acceptance={"confidence": 0.8}))
    play(path, twelve(game_id="observed", bootstrap={"num_samples": 6, "sample_method": "bootstrap",
                                                     "observed_runs": 5}))  # fmt: skip
    play(path, ten_days())
    return path


@pytest.fixture
def games(path: Path) -> Iterator[GameRepository]:
    with open_record(path) as repo:
        yield repo


def totals(found: GameBaselines) -> dict[str, float]:
    return {one.name: one.total for one in found.baselines}


def test_the_two_period_game_gains_all_that_there_is(games: GameRepository):
    found = game_baselines(games, "castro")
    assert totals(found) == {"start": 10000.0, "fifo": 10000.0, "optimum": 2000.0, "final": 2000.0}
    best = found.baselines[2]
    assert best.parameters == {"BANK_A": {FRACTION: 0.0}, "BANK_B": {FRACTION: 0.2}}
    assert best.costs == {"BANK_A": 0.0, "BANK_B": 2000.0}
    assert (found.optimum, found.share_of_possible_gain) == ("social optimum", 1.0)
    assert found.num_samples == 1
    assert found.notes == ()
    difference = found.baselines[0].total_above_final
    assert (difference.mean, difference.low, difference.high) == (8000.0, None, None)


@pytest.mark.parametrize("game", ["castro", "twelve", "again", "observed", "ten_days"])
def test_what_was_recorded_is_found_again_to_the_bit(games: GameRepository, game: str):
    found = {one.name: one for one in game_baselines(games, game).baselines}
    for outcome in games.get_game_outcomes(game):
        assert found["start"].costs[outcome.agent_id] == outcome.start_cost
        assert found["final"].costs[outcome.agent_id] == outcome.final_cost
    session = games.get_game_session(game)
    assert session is not None
    assert found["final"].total == session.final_cost


@pytest.mark.parametrize("game", ["twelve", "again", "observed"])
def test_differences_are_those_of_the_record(games: GameRepository, game: str):
    found = {one.name: one for one in game_baselines(games, game).baselines}
    for outcome in games.get_game_outcomes(game):
        difference = found["start"].above_final[outcome.agent_id]
        assert (difference.low, difference.high) == (
            outcome.improvement_low,
            outcome.improvement_high,
        )
        assert difference.mean == pytest.approx(outcome.cost_improvement, rel=1e-12)
    none = found["final"].total_above_final
    assert (none.mean, none.low, none.high) == (0.0, 0.0, 0.0)


def test_the_difference_of_all_banks_is_paired(games: GameRepository):
    setup = restored(games, "twelve")
    final = tuple(parse_policy(o.final_policy_json) for o in games.get_game_outcomes("twelve"))
    days = setup.sampler.days("final")
    start, end = (
        Arena(setup.scenario).play([profile], days).total_cost[:, 0].sum(axis=1)
        for profile in (setup.scenario.policies, final)
    )
    found = game_baselines(games, "twelve")
    difference = found.baselines[0].total_above_final
    assert (difference.low, difference.high) == pytest.approx(interval(start - end, 0.95))


def test_the_optimum_is_the_least_of_the_grid_on_these_days(games: GameRepository):
    setup = restored(games, "twelve")
    final = tuple(parse_policy(o.final_policy_json) for o in games.get_game_outcomes("twelve"))
    days, arena = setup.sampler.days("final"), Arena(setup.scenario)
    values = np.arange(21) / 20

    def total(*shares: float) -> float:
        profile = tuple(
            parse_policy(_with_share(policy, share))
            for policy, share in zip(final, shares, strict=True)
        )
        return sum(arena.mean_costs(profile, days).values())

    expected = min(total(a, b) for a in values for b in values)
    assert totals(game_baselines(games, "twelve"))["optimum"] == pytest.approx(expected)


def _with_share(policy: Any, share: float) -> Any:
    from payment_simulator.policy import to_dict

    found = to_dict(policy)
    return {**found, "parameters": {**found.get("parameters", {}), FRACTION: float(share)}}


def test_results_do_not_depend_on_threads(games: GameRepository):
    wanted = ["castro", "twelve", "observed", "ten_days"]
    one, two = (compare_games(games, wanted, baselines=True, threads=n).to_dict() for n in (1, 2))
    assert json.dumps(one) == json.dumps(two)


def test_a_descent_finds_what_all_combinations_have(
    games: GameRepository, monkeypatch: pytest.MonkeyPatch
):
    whole = game_baselines(games, "castro")
    monkeypatch.setattr(optimum, "MAX_PROFILES", 100)
    found = game_baselines(games, "castro")
    assert (found.optimum, whole.optimum) == ("best found", "social optimum")
    # From the last policies of this game, which are the optimum.
    assert totals(found) == totals(whole)


def test_a_descent_never_ends_above_where_it_is_on_the_grid(
    games: GameRepository, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(optimum, "MAX_PROFILES", 1)
    setup = restored(games, "twelve")
    days = setup.sampler.days("final")
    start = setup.scenario.policies
    told: list[tuple[int, int]] = []
    best = social_optimum(setup, start, days, lambda done, total: told.append((done, total)))
    costs = Arena(setup.scenario).mean_costs
    assert not best.is_exhaustive
    assert sum(costs(best.profile, days).values()) <= sum(costs(start, days).values())
    assert best.n_profiles % 21 == 0
    assert told[-1][0] == best.n_profiles * len(days)
    assert all(done <= total for done, total in told)


def test_banks_of_several_parameters_are_gone_through_one_by_one(db_path: Path):
    agents = {
        bank: {"constraints": TWO_PARAMETERS, "proposer": {"kind": "grid"}}
        for bank in ("BANK_A", "BANK_B")
    }
    scenario = Path(castro().scenario_config).read_text("utf-8")
    text = scenario.replace("  - id: BANK_", "  - policy: {type: Deadline}\n    id: BANK_")
    file = db_path.with_name("deadline.yaml")
    file.write_text(text, "utf-8")
    play(db_path, castro(scenario_config=str(file), optimized_agents=agents, constraints=None,
                         convergence={"stability_window": 2, "max_iterations": 2}))  # fmt: skip
    with open_record(db_path) as repo:
        found = game_baselines(repo, "castro")
        group = compare_games(repo, ["castro"], baselines=True)
    assert found.optimum == "best found"
    by_name = totals(found)
    assert by_name["optimum"] <= by_name["final"]
    assert set(found.baselines[2].parameters["BANK_A"]) == {FRACTION, "urgency_threshold"}
    # These banks do not begin with Fifo, which is played with the shares that they begin with.
    assert by_name["fifo"] == 10000.0
    assert group.rows()[0]["game_fifo_baseline_cost"] == 10000.0


def test_a_running_simulation_has_the_baselines_that_make_sense(games: GameRepository):
    found = game_baselines(games, "ten_days")
    assert list(totals(found)) == ["start", "fifo", "final"]
    assert (found.share_of_possible_gain, found.optimum) == (None, None)
    assert found.num_samples == 1
    assert "there is no social optimum" in found.notes[0]


def test_means_of_baselines_over_seeds(db_path: Path):
    for seed in (1, 2):
        play(db_path, twelve(game_id=f"s{seed}", master_seed=seed))
    with open_record(db_path) as repo:
        found = compare_games(repo, ["s1", "s2"], baselines=True)
    (group,) = found.groups
    estimates = {e.quantity: e for e in group.estimates if e.bank is None}
    gained = [own.share_of_possible_gain for own in found.baselines.values()]
    assert None not in gained
    assert estimates["share_of_possible_gain"].mean == pytest.approx(sum(filter(None, gained)) / 2)
    assert estimates["fifo_cost"].n == estimates["optimum_cost"].n == 2


def test_no_proposer_of_a_record_is_made(
    db_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A module and a server that a record names are left alone."""
    (tmp_path / "trap.py").write_text("raise SystemExit('the trap is sprung')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    agents = {
        "BANK_A": {"proposer": {"kind": "python", "object": "trap:Trap"}},
        "BANK_B": {"proposer": {"kind": "llm", "model": "openai:none",
                                "base_url": "http://127.0.0.1:9/v1"}},
    }  # fmt: skip
    own = {bank: Told(fraction(0.3)) for bank in agents}
    play(db_path, castro(optimized_agents=agents), proposers=own)

    def no_proposer(*_: Any) -> None:
        raise AssertionError("a proposer was made")

    monkeypatch.setattr(game_setup, "make_proposer", no_proposer)
    with open_record(db_path) as repo:
        found = game_baselines(repo, "castro")
    assert totals(found)["optimum"] == 2000.0
    assert "trap" not in sys.modules


def changed(path: Path, sql: str) -> GameBaselines:
    """Change a record behind its back, and return the baselines of its game."""
    with DatabaseManager(path) as manager:
        manager.conn.execute(sql)
    with open_record(path) as repo:
        return game_baselines(repo, "castro")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("DELETE FROM provenance_files", "does not hold the texts"),
        ("DELETE FROM provenance_files WHERE role = 'scenario'", "the text of its scenario"),
        ("UPDATE text_pieces SET content = content || ' '", "the text was changed"),
        ("DELETE FROM game_outcomes", "was not played to its end"),
        ("DELETE FROM game_outcomes WHERE agent_id = 'BANK_A'", "not of the banks of its scenario"),
        ("UPDATE game_sessions SET config_json = 'x'", "config_json: not JSON"),
        ("UPDATE game_sessions SET master_seed = 7", "has the seed 42, the game 7"),
        ("UPDATE game_outcomes SET final_policy_json = '{}'", "BANK_A"),
    ],
)
def test_a_game_that_cannot_be_played_again_says_why(db_path: Path, sql: str, said: str):
    play(db_path, castro())
    with pytest.raises(PaymentSimulatorError, match=said) as caught:
        changed(db_path, sql)
    assert "\n" not in str(caught.value)
    with open_record(db_path) as repo:
        found = compare_games(repo, ["castro"], baselines=True)
    assert found.baselines == {}
    assert any(note.startswith("No baselines of castro: ") for note in found.notes)


def test_a_record_that_differs_from_what_is_played_is_told(db_path: Path):
    play(db_path, castro())
    found = changed(
        db_path,
        "UPDATE game_outcomes SET start_cost = 5001, cost_improvement = 3001 "
        "WHERE agent_id = 'BANK_B'",
    )
    (note,) = found.notes
    assert note.startswith("the start cost of BANK_B is recorded as 5001.0 cents, played once more")


def test_too_much_work_is_refused_with_a_way_out(
    games: GameRepository, monkeypatch: pytest.MonkeyPatch
):
    # Enough for the four profiles on 8 days of 12 ticks and 2 banks, not for the grid.
    monkeypatch.setattr(optimum, "MAX_BANK_TICKS", 4 * 8 * 12 * 2)
    found = game_baselines(games, "twelve")
    assert list(totals(found)) == ["start", "fifo", "final"]
    assert found.share_of_possible_gain is None
    assert "441 combinations on 8 days" in found.notes[0]
    assert "payment-sim equilibrium plays a smaller grid" in found.notes[0]
    monkeypatch.setattr(optimum, "MAX_BANK_TICKS", 10)
    with pytest.raises(InputError, match="4 combinations on 8 days"):
        game_baselines(games, "twelve")


def test_where_nothing_can_be_gained_there_is_no_share_of_it(db_path: Path):
    agents = {
        bank: {"constraints": {"allowed_parameters": [
            {"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.05, "default": share}
        ]}}
        for bank, share in (("BANK_A", 0.0), ("BANK_B", 0.2))
    }  # fmt: skip
    play(db_path, castro(optimized_agents=agents, constraints=None))
    with open_record(db_path) as repo:
        found = game_baselines(repo, "castro")
    assert found.share_of_possible_gain is None
    assert "cost no more than the social optimum" in found.notes[0]


def test_last_policies_between_the_points_of_the_grid_may_be_better_than_it(db_path: Path):
    constraints = {"allowed_parameters": [{"name": FRACTION, "min_value": 0, "max_value": 1}]}
    config = castro(constraints=constraints, equilibrium={"grid_points": 4})
    shares = {"BANK_A": 0.0, "BANK_B": 0.2}
    play(db_path, config, proposers={b: Told(fraction(share)) for b, share in shares.items()})
    with open_record(db_path) as repo:
        found = game_baselines(repo, "castro")
    assert found.share_of_possible_gain is not None
    assert found.share_of_possible_gain > 1
    assert "they lie between its points" in found.notes[0]
