"""payment-sim simulate."""

from __future__ import annotations

import io
import json
import re
import sys
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl
import pytest

from payment_simulator.cli import main
from payment_simulator.policy import builtin, to_json
from payment_simulator.scenario import load_scenario
from payment_simulator.simulation import COST_KINDS, simulate, simulate_batch
from payment_simulator.simulation.metrics import batch_measures, measures
from tests.command_line import cells, facts, one_error, payment_sim

GAME = """
name: game
simulation: {ticks_per_day: 4, num_days: 2, rng_seed: 3}
policy_feature_toggles: {exclude: [Drop]}
agents:
  - id: A
    opening_balance: 20_000
    liquidity_pool: 10_000
    arrival_config:
      rate_per_tick: 2
      priority: 9
      amount_distribution: {type: Uniform, min: 5_000, max: 9_000}
      deadline_range: [1, 3]
  - {id: "[red]B", opening_balance: 20_000}
cost_rates: {liquidity_cost_per_tick_bps: 5, delay_cost_per_tick_per_cent: 0.01,
             priority_delay_multipliers: {urgent_multiplier: 3}}
scenario_events:
  - {type: DirectTransfer, from_agent: "[red]B", to_agent: A, amount: 400,
     schedule: {type: OneTime, tick: 5}}
"""


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("game.yaml").write_text(GAME, encoding="utf-8")
    return "game.yaml"


def result(*arguments: object) -> dict[str, object]:
    outcome = payment_sim("simulate", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_json_is_one_object_with_all(game):
    outcome = payment_sim("simulate", game, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert list(found) == ["scenario", "seed", "days", "samples", "banks", "measures"]
    assert (found["scenario"], found["seed"], found["days"], found["samples"]) == ("game", 3, 2, 1)
    run = simulate(load_scenario(game))
    for bank in ("A", "[red]B"):
        assert list(found["banks"][bank]) == ["costs", "total_cost"]
        assert list(found["banks"][bank]["costs"]) == list(COST_KINDS)
        assert found["banks"][bank]["costs"] == run.costs[bank]
        assert found["banks"][bank]["total_cost"] == run.total_costs[bank]
    assert found["banks"]["A"]["costs"]["delay"] > 0
    expected = measures(run)
    del expected["costs"]
    assert found["measures"] == expected


def test_tables_for_people(game):
    outcome = payment_sim("simulate", game)
    assert (outcome.code, outcome.err) == (0, "")
    shown = facts(outcome.out)
    assert shown["scenario"] == ["game"]
    assert shown["played"] == ["2 days, seed 3"]
    rows = {row[0]: row[1:] for row in cells(outcome.out)}
    run = simulate(load_scenario(game))
    charged = [kind for kind in COST_KINDS if run.costs["A"][kind]]
    titles = " ".join(charged).replace("_penalty", "").replace("_", " ")
    assert rows["bank"] == [*titles.split(), "total"]
    said = [f"{run.costs['A'][kind] / 100:,.2f}" for kind in charged]
    assert rows["A"] == [*said, f"{run.total_costs['A'] / 100:,.2f}"]
    assert rows["[red]B"][-1] == f"{run.total_costs['[red]B'] / 100:,.2f}"
    assert rows["(all)"][-1] == f"{sum(run.total_costs.values()) / 100:,.2f}"
    assert {"settled", "delay", "gross", "by offsetting", "liquidity used"} <= set(shown)
    assert {"efficiency", "turnover", "Gini", "waiting", "throughput"} <= set(shown)


def test_seed(game):
    assert result(game, "--seed", 4)["seed"] == 4
    assert result(game, "--seed", 4)["banks"] != result(game)["banks"]
    assert result(game, "--seed", 3) == result(game)
    assert "seed: -1 is not a whole number from 0" in one_error(
        payment_sim("simulate", game, "--seed", -1)
    )


def test_days_are_the_first_of_the_scenario(game):
    whole = simulate(load_scenario(game))
    first = payment_sim("simulate", game, "--days", 1, "--json")
    assert first.err == "Note: left out, after the last day played: 1 scheduled event\n"
    found = json.loads(first.out)
    assert found["days"] == 1
    # What costs the first day is the same, but that the close of the last day charges more.
    delay = COST_KINDS.index("delay")
    assert found["banks"]["A"]["costs"]["delay"] == whole.cost[0, 0, delay]
    longer = payment_sim("simulate", game, "--days", 5, "--json")
    assert longer.err == ""
    assert json.loads(longer.out)["days"] == 5
    assert one_error(payment_sim("simulate", game, "--days", 10**8)).startswith(
        "--days 100000000: "
    )
    assert "--days" in one_error(payment_sim("simulate", game, "--days", 0))


def test_days_leave_payments_out(game):
    rows = "tick,sender,receiver,amount\n1,A,[red]B,7\n2,A,[red]B,8\n6,A,[red]B,9\n"
    Path("payments.csv").write_text(rows, encoding="utf-8")
    with Path(game).open("a", encoding="utf-8") as file:
        file.write("payments_file: {path: payments.csv}\n")
    short = payment_sim("simulate", game, "--days", 1, "--json")
    assert "Note: left out, after the last day played: 1 payment\n" in short.err
    arrived = json.loads(short.out)["measures"]["payments_due"]
    Path("payments.csv").write_text(rows.rsplit("6,", 1)[0], encoding="utf-8")
    assert result(game, "--days", 1)["measures"]["payments_due"] == arrived


def test_policy_of_a_bank(game):
    Path("mine.json").write_text(to_json(builtin("fifo", initial_liquidity_fraction=0.25)), "utf-8")
    own = result(game)["banks"]["A"]["costs"]["liquidity"]
    quarter = result(game, "--policy", "A=mine.json")["banks"]["A"]["costs"]["liquidity"]
    assert quarter == own / 4 > 0
    loaded = load_scenario(game)
    both = result(game, "--policy", "A=Deadline", "--policy", "[red]B=cautious")
    policies = {"A": builtin("deadline"), "[red]B": builtin("cautious")}
    assert both["banks"]["A"]["costs"] == simulate(loaded, policies).costs["A"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("A", "--policy A: expected BANK=FILE, for example A=cautious"),
        ("=fifo", "--policy =fifo: expected BANK=FILE"),
        ("A=", "--policy A=: expected BANK=FILE"),
        ("a=fifo", 'bank "a" is not in scenario "game"; nearest: A'),
        ("A=fifi", "no built-in policy of this name; nearest: fifo"),
        ("A=no.json", "no.json: there is no such file"),
        ("A=drops.json", "--policy A=drops.json: "),
    ],
)
def test_policies_that_are_refused(game, given, said):
    drops = {"policy_id": "drops", "payment_tree": {"action": "Drop"}}
    Path("drops.json").write_text(json.dumps(drops), "utf-8")
    assert said in one_error(payment_sim("simulate", game, "--policy", given))


def test_a_bank_has_one_policy(game):
    outcome = payment_sim("simulate", game, "--policy", "A=fifo", "--policy", "A=deadline")
    assert one_error(outcome) == '--policy A=deadline: bank "A" is given twice'


def test_samples(game):
    found = result(game, "--samples", 5)
    assert found["samples"] == 5
    batch = simulate_batch(load_scenario(game), samples=5)
    assert found["banks"]["A"]["total_cost"] == pytest.approx(batch.total_cost[:, 0, 0].mean())
    known = batch_measures(batch)
    assert found["banks"]["A"]["costs"] == known["costs"]["A"]
    assert found["measures"]["standard_errors"]["total_cost"] > 0
    assert found["measures"]["turnover_ratio"] > 0
    outcome = payment_sim("simulate", game, "--samples", 5)
    assert (outcome.code, outcome.err) == (0, "")
    assert facts(outcome.out)["played"] == ["2 days, seed 3, means over 5 samples"]
    rows = {row[0]: row[1:] for row in cells(outcome.out)}
    assert rows["bank"][-2:] == ["std.", "error"]
    error = known["total_cost_standard_errors"]["A"]
    assert rows["A"][-1] == f"{error / 100:,.2f}"
    assert "+/-" in outcome.out
    assert "--samples" in one_error(payment_sim("simulate", game, "--samples", 0))


def test_output(game):
    outcome = payment_sim("simulate", game, "--output", "new [1]/month*")
    assert (outcome.code, outcome.err) == (0, "")
    folder = Path("new [1]/month*")
    names = ["daily_costs", "events", "payments", "states"]
    assert sorted(path.name for path in folder.iterdir()) == [
        *(f"{name}.parquet" for name in names),
        "summary.json",
    ]
    run = simulate(load_scenario(game))
    for name in names:
        with (folder / f"{name}.parquet").open("rb") as file:
            assert pl.read_parquet(file).equals(pl.DataFrame(getattr(run, name)())), name
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary == result(game)


def test_output_replaces_nothing(game):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    said = one_error(payment_sim("simulate", game, "--output", "full"))
    assert said == (
        "--output full: it is a folder that is not empty; expected an empty or a new folder"
    )
    assert [path.name for path in Path("full").iterdir()] == ["mine.txt"]
    said = one_error(payment_sim("simulate", game, "--output", "full/mine.txt"))
    assert said.startswith("--output full/mine.txt: it is not a folder")
    Path("empty").mkdir()
    assert payment_sim("simulate", game, "--output", "empty").code == 0
    said = one_error(payment_sim("simulate", game, "--output", "other", "--samples", 2))
    assert said.startswith("--output writes the story of one run")
    assert not Path("other").exists()


def test_bad_scenarios(game):
    assert one_error(payment_sim("simulate", "no.yaml")).startswith("no.yaml: not there")
    Path(game).write_text(GAME.replace("rate_per_tick: 2", "rate_per_tick: -2"), "utf-8")
    said = one_error(payment_sim("simulate", game))
    assert said.startswith("game.yaml, line 10, agents[0].arrival_config.rate_per_tick: -2")


def test_a_run_that_stops(game):
    divides = {
        "policy_id": "divides",
        "payment_tree": {
            "condition": {
                "op": ">",
                "left": {
                    "compute": {"op": "/", "left": {"value": 1}, "right": {"field": "current_tick"}}
                },
                "right": {"value": 0},
            },
            "on_true": {"action": "Release"},
            "on_false": {"action": "Hold"},
        },
    }
    Path("divides.json").write_text(json.dumps(divides), "utf-8")
    said = one_error(payment_sim("simulate", game, "--policy", "A=divides.json"), code=1)
    assert "tick 0, bank A" in said
    assert "divides by zero" in said


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("samples", "what", "whole"), [(1, "ticks", 8), (5, "samples", 5)])
def test_progress_is_told_and_changes_nothing(game, monkeypatch, samples, what, whole):
    told: list[tuple[int, int]] = []

    @contextmanager
    def bar(name: str, *, shown: bool):
        assert name == what
        yield (lambda done, of: told.append((done, of))) if shown else None

    plain = payment_sim("simulate", game, "--samples", samples)
    monkeypatch.setattr("payment_simulator.cli.simulate.progress_bar", bar)
    assert payment_sim("simulate", game, "--samples", samples).out == plain.out
    assert len(told) > 1
    assert told == sorted(told)
    assert {of for _, of in told} == {whole}
    told.clear()
    payment_sim("simulate", game, "--samples", samples, "--json")
    assert not told


def test_a_narrow_terminal_leaves_out_kinds_and_says_so(game, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal = Terminal()
    with (
        mock.patch.object(sys, "argv", ["payment-sim", "simulate", game]),
        redirect_stdout(terminal),
        pytest.raises(SystemExit),
    ):
        main()
    plain = re.sub(r"\x1b\[[\d;]*m", "", terminal.getvalue())
    assert "Left out for want of width: end of day" in plain
    table = [line for line in plain.splitlines() if not line.startswith("Left out")]
    assert max(map(len, table)) <= 40


def test_a_folder_that_cannot_be_written(game, monkeypatch):
    def refuse(*_: object) -> None:
        raise duckdb.IOException("IO Error: No space left on device")

    monkeypatch.setattr(duckdb.DuckDBPyRelation, "write_parquet", refuse, raising=False)
    said = one_error(payment_sim("simulate", game, "--output", "new"), code=1)
    assert said.startswith("No space left on device")
