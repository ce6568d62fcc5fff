"""payment-sim scenario check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import one_error, payment_sim, payment_sim_process

GOOD = """
simulation: {ticks_per_day: 10, num_days: 3}
agents:
  - id: A
    opening_balance: 5
    policy: {type: Deadline}
    arrival_config:
      rate_per_tick: 2
      amount_distribution: {type: Uniform, min: 1, max: 3}
      deadline_range: [1, 3]
  - id: B
    opening_balance: 5
    arrival_bands:
      low:
        rate_per_tick: 1
        amount_distribution: {type: Uniform, min: 1, max: 3}
        deadline_offset_min: 1
        deadline_offset_max: 3
  - {id: C, opening_balance: 5}
"""
PAYS = """
scenario_events:
  - {type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 4,
     schedule: {type: Repeating, start_tick: 0, interval: 10}}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> str:
        Path(name).write_text(text, "utf-8")
        return name

    return write


def test_a_valid_scenario(write):
    outcome = payment_sim("scenario", "check", write("good.yaml", GOOD + PAYS))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "good.yaml: valid, 3 banks, 3 days of 10 ticks, 3 fixed payments, "
        "about 90 random payments; policies: fifo (2), deadline\n"
    )


def test_a_scenario_without_payments(write):
    alone = "simulation: {ticks_per_day: 1, num_days: 1}\nagents: [{id: A, opening_balance: 0}]"
    outcome = payment_sim("scenario", "check", write("alone.yaml", alone))
    assert outcome.out == (
        "alone.yaml: valid, 1 bank, 1 day of 1 tick, no payments; policies: fifo\n"
    )


def test_rates_that_events_change(write):
    changes = """
scenario_events:
  - {type: AgentArrivalRateChange, agent: A, multiplier: 0, schedule: {type: OneTime, tick: 25}}
  - {type: GlobalArrivalRateChange, multiplier: 2, schedule: {type: OneTime, tick: 10}}
  - {type: GlobalArrivalRateChange, multiplier: 1, schedule: {type: OneTime, tick: 20}}
  - {type: GlobalArrivalRateChange, multiplier: 1, schedule: {type: OneTime, tick: 20}}
"""
    outcome = payment_sim("scenario", "check", write("changes.yaml", GOOD + changes), "--json")
    # 10 ticks at 3, 10 at 6, 5 at 3, 5 at 1.
    assert json.loads(outcome.out)[0]["random_payments"] == 30 + 60 + 15 + 5


def test_lines_that_were_skipped(write):
    write("payments.csv", "tick,sender,receiver,amount\n1,A,B,7\n2,A,A,8\n")
    skips = "payments_file: {path: payments.csv, on_error: skip}\n"
    outcome = payment_sim("scenario", "check", write("skips.yaml", GOOD + skips))
    assert "1 fixed payment, about 90 random payments, 1 line of the payments file skipped" in (
        outcome.out
    )


def test_json(write):
    bad = write("bad.yaml", GOOD.replace("opening_balance: 5", "opening_balance: -5", 1))
    outcome = payment_sim("scenario", "check", write("good.yaml", GOOD), bad, "--json")
    assert outcome.code == 2
    good, refused = json.loads(outcome.out)
    assert good == {
        "file": "good.yaml",
        "is_valid": True,
        "name": "good",
        "banks": 3,
        "days": 3,
        "ticks_per_day": 10,
        "fixed_payments": 0,
        "random_payments": 90.0,
        "skipped_lines": 0,
        "policies": {"A": "deadline", "B": "fifo", "C": "fifo"},
        "error": None,
    }
    assert refused == {
        "file": "bad.yaml",
        "is_valid": False,
        "error": outcome.err.removeprefix("Error: ").removesuffix("\n"),
    }
    assert payment_sim("scenario", "check", "good.yaml", "--json").code == 0


def test_one_problem(write):
    bad = write("bad.yaml", GOOD.replace("opening_balance: 5", "opening_balance: -5", 1))
    said = one_error(payment_sim("scenario", "check", bad))
    assert said.startswith("bad.yaml, line 5, agents[0].opening_balance: -5 is negative; expected")


def test_many_problems(write):
    bad = write("bad.yaml", GOOD + "ticks: 4\n")
    outcome = payment_sim("scenario", "check", bad, write("good.yaml", GOOD), "none.yaml")
    assert outcome.code == 2
    first, second, third = outcome.out.splitlines()
    assert first.startswith("good.yaml: valid, ")
    assert second.startswith("bad.yaml, line 20, ticks: unknown key")
    assert third.startswith("none.yaml: not there")
    assert outcome.err == f"Error: {second} (and 1 more)\n"


def test_weights_that_events_leave_at_nothing(write):
    none_left = """
scenario_events:
  - {type: CounterpartyWeightChange, agent: A, counterparty: B, new_weight: 0,
     schedule: {type: OneTime, tick: 3}}
"""
    only_b = "rate_per_tick: 2\n      counterparty_weights: {B: 1}"
    text = GOOD.replace("rate_per_tick: 2", only_b) + none_left
    said = one_error(payment_sim("scenario", "check", write("left.yaml", text)))
    assert said.startswith("left.yaml: left, scenario_events: the CounterpartyWeightChange of A")


def test_names_do_not_act_on_the_terminal(write):
    evil = '"\\e[31m[red]"'
    name = write("ev\x1bil.yaml", GOOD.replace("type: Deadline", f"type: {evil}"))
    outcome = payment_sim("scenario", "check", name)
    assert outcome.code == 2
    assert "\x1b" not in outcome.err
    write(name, GOOD)
    outcome = payment_sim("scenario", "check", name)
    assert outcome.out.startswith("ev\\x1bil.yaml: valid")


def test_a_process_of_its_own(write):
    outcome = payment_sim_process("scenario", "check", write("bad.yaml", "[" * 10_000))
    assert one_error(outcome).startswith("bad.yaml")
