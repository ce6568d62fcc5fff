"""Every example, scenario or game, is checked, plays, and shows what its header says."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from tests.command_line import payment_sim
from tests.games import Told, fraction

from payment_simulator.ai_cash_mgmt import GameConfig, GameRepository, game_setup
from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid, parameter_grid
from payment_simulator.kernels import layout as k
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.policy import load_policy
from payment_simulator.policy.check import policy_notes
from payment_simulator.scenario import Scenario, load_scenario, parse_scenario
from payment_simulator.simulation import Run, simulate, simulate_batch
from payment_simulator.simulation.metrics import measures
from payment_simulator.simulation.tick_metrics import settled_by_method

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
GAMES = sorted((ROOT / "examples" / "games").glob("*.yaml"))
_RUNS: dict[str, Run] = {}


def run_of(name: str) -> Run:
    """Play an example once for all tests: without the compiler, fifty banks take their time."""
    if name not in _RUNS:
        _RUNS[name] = simulate(load_scenario(FOLDER / f"{name}.yaml"))
    return _RUNS[name]


def changed(name: str, old: str, new: str) -> Scenario:
    """Return an example with one text replaced."""
    text = (FOLDER / f"{name}.yaml").read_text("utf-8")
    assert text.count(old) == 1
    return parse_scenario(text.replace(old, new), folder=FOLDER)


def test_all_eight_are_there():
    assert [file.stem for file in FILES] == [
        "fifty_banks",
        "gridlock",
        "liquidity_delay",
        "stressed_month",
        "ten_days",
        "three_period",
        "twelve_period",
        "two_period",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_says_what_it_shows_and_where_it_comes_from(file: Path):
    text = file.read_text("utf-8")
    header = text[: text.index("\nname:")]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "# What it shows: " in header
    assert re.search(r"\b(our|Ours)\b", header)
    scenario = load_scenario(file)
    assert scenario.name == file.stem
    assert scenario.description
    assert scenario.source


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_valid_and_runs(file: Path):
    assert payment_sim("scenario", "check", file).code == 0
    run = run_of(file.stem)
    assert run.n_ticks == run.scenario.n_ticks
    assert len(run.pay)
    money = run.balance.sum() - sum(agent.opening_balance for agent in run.scenario.agents)
    borrowed = run.log[run.log[:, k.L_KIND] == k.LOG_BORROW, k.L_AMOUNT].sum()
    repaid = run.log[run.log[:, k.L_KIND] == k.LOG_REPAY_BORROWED, k.L_AMOUNT].sum()
    assert money == borrowed + repaid  # what is repaid is negative
    json.dumps(measures(run), allow_nan=False)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_commands_in_its_header_are_real(file: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    for command in re.findall(r"^#     payment-sim (.*)$", file.read_text("utf-8"), re.MULTILINE):
        outcome = payment_sim(*command.split())
        assert outcome.code == 0, outcome.err


def test_policies_that_examples_use_have_no_loose_ends():
    files = sorted((FOLDER / "policies").glob("*.json"))
    assert files
    for file in files:
        assert policy_notes(load_policy(file)) == []


def test_two_periods():
    found = explore_grid(
        load_scenario(FOLDER / "two_period.yaml"),
        "initial_liquidity_fraction",
        parameter_grid(0, 1, 21),
        samples=1,
    )
    assert [point.point for point in found.pure_equilibria] == [{"BANK_A": 0.0, "BANK_B": 0.2}]
    assert found.pure_equilibria[0].costs == {"BANK_A": 0.0, "BANK_B": 2_000.0}


def test_three_periods():
    found = explore_grid(
        load_scenario(FOLDER / "three_period.yaml"),
        "initial_liquidity_fraction",
        parameter_grid(0, 1, 21),
        samples=1,
    )
    assert [point.point for point in found.pure_equilibria] == [{"BANK_A": 0.2, "BANK_B": 0.2}]


def test_twelve_periods_send_the_same_value_on_average():
    scenario = load_scenario(FOLDER / "twelve_period.yaml")
    means = [
        agent.arrival_config.rate_per_tick * agent.arrival_config.amount_distribution.mean
        for agent in scenario.agents
    ]
    assert [12 * mean / 10_000_000 for mean in means] == pytest.approx([0.72, 0.72])
    batch = simulate_batch(scenario, samples=30)
    assert np.ptp(batch.total_cost[:, 0, 0]) > 0
    assert (batch.settlement_rate == 1.0).all()


def test_funding_a_half_is_best_against_an_urgent_payment():
    scenario = load_scenario(FOLDER / "liquidity_delay.yaml")
    found = explore_grid(
        scenario, "initial_liquidity_fraction", parameter_grid(0, 1, 11), banks=["FOCAL"], samples=1
    )
    assert [point.point for point in found.pure_equilibria] == [{"FOCAL": 0.5}]
    assert found.pure_equilibria[0].costs["FOCAL"] == 7_500.0  # 1.5 % of 5,000.00
    nothing = simulate(
        changed("liquidity_delay", "liquidity_allocation_fraction: 0.5", "limits: {}")
    )
    assert nothing.costs["FOCAL"]["liquidity"] == 15_000.0


def test_ten_days_cost_differently_under_the_same_policies():
    run = run_of("ten_days")
    by_day = run.cost.sum(axis=(1, 2))
    assert by_day.shape == (10,)
    assert by_day.max() > 10 * by_day.min()
    length = run.scenario.simulation.ticks_per_day
    borrowed, repaid = (
        run.log[run.log[:, k.L_KIND] == kind] for kind in (k.LOG_BORROW, k.LOG_REPAY_BORROWED)
    )
    # All but the last, which is borrowed at the end of the run.
    assert repaid[:, k.L_AMOUNT].tolist() == (-borrowed[:-1, k.L_AMOUNT]).tolist()
    assert (repaid[:, k.L_TICK] == borrowed[:-1, k.L_TICK] + 1).all()
    assert set(repaid[:, k.L_TICK] % length) == {0}


def test_gridlock_needs_multilateral_offsetting():
    run = run_of("gridlock")
    assert settled_by_method(run)["multilateral"] == measures(run)["value_settled"] == 60_000
    assert set(run.pay[:, k.P_SETTLED].tolist()) == {5}
    assert run.balance.tolist() == [0, 0, 0, 0]
    without = simulate(changed("gridlock", ", cycles, multilateral]", ", cycles]"))
    assert measures(without)["value_settled"] == 0


def test_a_stressed_month_shows_its_stress():
    run = run_of("stressed_month")
    length = run.scenario.simulation.ticks_per_day
    queued = (run.trace[:, :, k.T_Q1_VALUE] + run.trace[:, :, k.T_Q2_VALUE]).sum(axis=1)
    peaks = queued.reshape(-1, length).max(axis=1)
    cost = run.cost.sum(axis=(1, 2))
    calm = [*range(10), 11, 12]
    assert peaks[10] > peaks[calm].max()  # the outage
    assert peaks[14:16].min() > 2 * peaks[calm].max()  # the squeeze
    assert cost[13:18].min() > 2 * cost[calm].max()  # outlasts its cause
    assert cost[18:].max() < cost[13:18].min()  # and ends
    out = run.trace[10 * length : 11 * length, run.scenario.bank_ids.index("BANK_E"), k.T_SENT]
    assert len(set(out[3:30].tolist())) == 1
    assert out[-1] > out[29]


def test_fifty_banks_are_short_of_liquidity():
    run = run_of("fifty_banks")
    found = measures(run)
    assert run.scenario.n_banks == 50
    assert found["payments_due"] == pytest.approx(5_000, rel=0.05)
    assert 0.85 < found["settlement_rate_by_value"] < 1
    assert found["offset_share"] > 0.02
    due = {agent.id: 0.0 for agent in run.scenario.agents}
    for agent in run.scenario.agents:
        weights = agent.arrival_config.counterparty_weights
        for bank, weight in weights.items():
            due[bank] += agent.arrival_config.rate_per_tick * weight / sum(weights.values())
    for agent in run.scenario.agents:
        assert due[agent.id] == pytest.approx(agent.arrival_config.rate_per_tick)


@pytest.mark.skipif(os.name == "nt", reason="folders are named otherwise")
def test_a_scenario_finds_its_policies_from_anywhere(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_scenario(FOLDER / "stressed_month.yaml").policies[4].policy_id == "outage"


def commands_of(game: Path) -> list[list[str]]:
    """Return the words of the commands in a header; variables may stand before them."""
    found = re.findall(
        r"^#     (?:\w+=\S+ )?payment-sim (.*)$", game.read_text("utf-8"), re.MULTILINE
    )
    return [command.split() for command in found]


def test_all_games_are_there():
    assert [game.stem for game in GAMES] == [
        "every_key",
        "model_against_search",
        "running_days",
        "twelve_period",
        "two_period",
    ]


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.stem)
def test_a_game_loads_and_fits_its_scenario(game: Path):
    config = GameConfig.from_yaml(game)
    assert config.scenario_path().resolve().parent == FOLDER
    scenario = load_scenario(config.scenario_path())
    config.check_against(scenario)
    assert config.agents(scenario) == scenario.bank_ids


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.stem)
def test_a_game_plays_as_its_header_says(game: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("examples").symlink_to(ROOT / "examples")
    # A model would be asked over the network; somebody else answers for it.
    chosen = game_setup.make_proposer
    stand_in = Told(fraction(0.25), "anthropic/claude-sonnet-4-5")
    monkeypatch.setattr(
        game_setup,
        "make_proposer",
        lambda config, folder: stand_in if config.kind == "llm" else chosen(config, folder),
    )
    commands = commands_of(game)
    assert commands
    assert all(Path(command[1]) == game.relative_to(ROOT) for command in commands)
    for command in commands:
        outcome = payment_sim(*command, "--iterations", 2, "--id", "short", "--json")
        assert outcome.code == 0, outcome.err
        result = json.loads(outcome.out)
        assert (result["status"], result["iterations"]) == ("completed", 2)
    config = GameConfig.from_yaml(game)
    with DatabaseManager(config.output.database_path, read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("short")
    played = {(step.iteration_number, step.agent_id) for step in steps}
    assert played == {(k, bank) for k in (1, 2) for bank in config.optimized_agents}
    assert not any(step.validation_errors for step in steps)
    assert any(step.was_accepted for step in steps)


def test_the_game_with_every_key_has_every_key():
    text = (ROOT / "examples/games/every_key.yaml").read_text("utf-8")
    page = (ROOT / "docs/reference/game-file.md").read_text("utf-8")
    assert text in page
    sections = dict(re.findall(r"^## `?(.*?)`?\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    # Keys of one kind of proposer are refused with another one, as those of one kind of schedule.
    elsewhere = {"proposer`: `llm", "proposer`: `python"}
    for title, body in sections.items():
        for key in re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE):
            if title not in elsewhere and key != "interval_ticks":
                assert re.search(rf"\b{key}:", text), f"{title}: {key}"
