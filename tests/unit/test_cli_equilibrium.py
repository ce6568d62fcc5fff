"""payment-sim equilibrium."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid, parameter_grid
from payment_simulator.ai_cash_mgmt.equilibrium.grid import GridEquilibrium
from payment_simulator.cli import equilibrium as command
from payment_simulator.cli.progress import progress_bar
from payment_simulator.scenario import load_scenario
from tests.command_line import cells, facts, one_error, payment_sim

GAME = """
name: game
simulation: {ticks_per_day: 2, num_days: 1, rng_seed: 3}
agents:
  - {id: A, opening_balance: 0, liquidity_pool: 1000, policy: {type: Deadline}}
  - {id: B, opening_balance: 0, liquidity_pool: 1000}
  - {id: "[red]C", opening_balance: 0}
cost_rates: {liquidity_cost_per_tick_bps: 500, delay_cost_per_tick_per_cent: 0.2,
             deadline_penalty: 0, eod_penalty: 0}
scenario_events:
  - {type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 400,
     schedule: {type: OneTime, tick: 0}}
  - {type: CustomTransactionArrival, from_agent: B, to_agent: A, amount: 600,
     schedule: {type: OneTime, tick: 1}}
"""
ARRIVALS = """
    arrival_config: {rate_per_tick: 1, amount_distribution: {type: Uniform, min: 100, max: 300},
                     deadline_range: [1, 1]}}
"""


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("game.yaml").write_text(GAME, "utf-8")
    return "game.yaml"


@pytest.fixture
def random_game(game: str) -> str:
    assert Path(game).is_file()
    text = GAME.replace("liquidity_pool: 1000}", f"liquidity_pool: 1000,{ARRIVALS.rstrip()}")
    Path("random.yaml").write_text(text, "utf-8")
    return "random.yaml"


def test_what_is_found(game):
    outcome = payment_sim("equilibrium", game, "--grid", 6)
    assert (outcome.code, outcome.err) == (0, "")
    found = explore_grid(load_scenario(game), values=parameter_grid(0, 1, 6))
    (stable,) = found.pure_equilibria
    shown = {name: values[0] for name, values in facts(outcome.out).items()}
    assert shown["scenario"] == "game"
    assert shown["choice"] == "initial_liquidity_fraction, 6 values from 0 to 1"
    assert shown["banks"] == "A, B"
    assert shown["played"] == "36 combinations (6 x 6), each on 1 sample (seed 3)"
    assert shown["pure equilibria"] == "1"
    assert shown["price of anarchy"] == f"{found.price_of_anarchy:.6g}"
    a, b = (f"{value:g}" for value in stable.point.values())
    rows = cells(outcome.out)
    costs = {bank: f"{cost / 100:.2f}" for bank, cost in stable.costs.items()}
    assert ["1", "A", a, costs["A"]] in rows
    assert ["1", "B", b, costs["B"]] in rows
    assert ["1", "[red]C", "-", "0.00"] in rows
    assert ["1", "(all)", f"{stable.total_cost / 100:.2f}"] in rows
    assert outcome.out.endswith("Costs are in currency units (cents / 100).\n")


def test_best_responses_are_put_together(game):
    out = payment_sim("equilibrium", game, "--grid", 6).out
    lines = out.partition("Best responses:")[2].splitlines()
    table = [line.split(maxsplit=1) for line in lines if line.startswith((" A ", " B "))]
    found = explore_grid(load_scenario(game), values=parameter_grid(0, 1, 6))
    for bank, other in (("A", "B"), ("B", "A")):
        kinds = {response.best for response in found.best_responses[bank]}
        told = [text for name, text in table if name == bank]
        assert len(told) == len(kinds)
        assert all(other in text or text.endswith("all choices of the others") for text in told)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ((0.0,), "0"),
        ((0.0, 0.5, 1.0), "0 to 1"),
        ((0.0, 1.0), "0, 1"),
        ((0.5, 1.0), "0.5 to 1"),
    ],
)
def test_neighbours_are_joined(chosen, told):
    assert command._runs((0.0, 0.5, 1.0), chosen) == told


def test_json_is_what_the_library_gives(game):
    outcome = payment_sim("equilibrium", game, "--grid", 3, "--low", 0.2, "--high", 1, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    values = parameter_grid(0.2, 1, 3)
    found = json.loads(outcome.out)
    assert found == explore_grid(load_scenario(game), values=values).to_dict()
    assert list(found) == [
        "pure_equilibria",
        "best_responses",
        "social_optimum",
        "price_of_anarchy",
    ]


def test_other_parameters_and_banks(game):
    outcome = payment_sim(
        "equilibrium", game, "--parameter", "urgency_threshold", "--grid", 2, "--json"
    )
    assert set(json.loads(outcome.out)["best_responses"]) == {"A"}
    outcome = payment_sim("equilibrium", game, "--bank", "B", "--grid", 2)
    assert facts(outcome.out)["banks"] == ["B"]
    assert "no other bank chooses" in outcome.out


def test_random_days_are_played_a_hundred_times_unless_told_otherwise(random_game):
    def played(*options):
        out = payment_sim("equilibrium", random_game, "--bank", "B", "--grid", 2, *options).out
        assert "Means over samples." in out
        return facts(out)["played"][0]

    assert played() == "2 combinations, each on 100 samples (seed 3)"
    assert played("--samples", 2, "--seed", 8) == "2 combinations, each on 2 samples (seed 8)"
    found = json.loads(
        payment_sim(
            "equilibrium", random_game, "--grid", 2, "--samples", 3, "--seed", 8, "--json"
        ).out
    )
    expected = explore_grid(load_scenario(random_game), values=(0, 1), samples=3, seed=8)
    assert found == expected.to_dict()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--grid", 1], "a grid of 1 from 0.0 to 1.0"),
        (["--grid", 0], "a whole number from 1"),
        (["--grid", 1000], "1,000^2 = 1,000,000 combinations, more than 200,000"),
        (["--low", "nan"], "the lowest value is nan"),
        (["--low", 2], "expected the lowest value below the highest"),
        (["--high", 2], "initial_liquidity_fraction"),
        (["--samples", 0], "--samples"),
        (["--seed", -1], "seed: -1"),
        (["--bank", "D"], 'has no bank "D"; known: A, B, [red]C'),
        (["--bank", "[red]C"], "has no liquidity_pool"),
        (["--parameter", "urgency"], "nearest: urgency_threshold"),
    ],
)
def test_bad_input_is_one_line(game, options, said):
    assert said in one_error(payment_sim("equilibrium", game, *options))


@pytest.mark.usefixtures("game")
def test_a_scenario_that_is_not_there():
    assert "none.yaml: not there" in one_error(payment_sim("equilibrium", "none.yaml"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_on_a_terminal_alone(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("runs", shown=True) as tell:
        tell(2, 8)
    assert "2/8" in sys.stderr.getvalue()
    with progress_bar("runs", shown=False) as tell:
        assert tell is None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("runs", shown=True) as tell:
        assert tell is None
    assert sys.stderr.getvalue() == ""


def table_of(monkeypatch: pytest.MonkeyPatch, game: str, cost, banks="A") -> str:
    """Return what is printed of a table that was made up."""
    shape = np.shape(cost)[:-1]
    values = {bank: tuple(range(n)) for bank, n in zip(banks, shape, strict=True)}
    made_up = GridEquilibrium(tuple(banks), values, cost)
    monkeypatch.setattr(
        "payment_simulator.ai_cash_mgmt.equilibrium.explore_grid", lambda *_, **__: made_up
    )
    outcome = payment_sim("equilibrium", game)
    assert outcome.code == 0
    return outcome.out


def test_no_equilibrium_is_said(game, monkeypatch):
    pennies = [[[0, 2], [2, 0]], [[2, 0], [0, 2]]]
    out = table_of(monkeypatch, game, pennies, "AB")
    assert facts(out)["pure equilibria"] == ["0"]
    assert facts(out)["price of anarchy"] == ["none: there is no pure equilibrium on the grid"]
    assert "Pure equilibria:" not in out
    assert facts(out)["social optimum"] == ["0.02 at A 0, B 0 (and 3 more)"]


def test_long_lists_are_cut_and_say_so(game, monkeypatch):
    out = table_of(monkeypatch, game, [[7]] * 25)
    assert facts(out)["pure equilibria"] == ["25"]
    assert "And 5 more equilibria; --json lists all." in out
    numbers = [row[0] for row in cells(out) if row[0].isdigit() and row[1] == "A"]
    assert numbers == [str(n) for n in range(1, 21)]
    assert "0 to 24" in out


def test_with_three_banks_combinations_are_counted(game, monkeypatch):
    # C prefers 1 where both others chose 1, and 0 else; nothing matters to the others.
    cost = [[[[0, 0, c != (a and b)] for c in (0, 1)] for b in (0, 1)] for a in (0, 1)]
    out = table_of(monkeypatch, game, cost, "ABC")
    assert ["C", "0", "3", "of", "4", "combinations"] in cells(out)
    assert ["C", "1", "1", "of", "4", "combinations"] in cells(out)
    assert ["A", "0", "to", "1", "all", "choices", "of", "the", "others"] in cells(out)
