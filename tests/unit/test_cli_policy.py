"""payment-sim policy check and show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payment_simulator.policy import builtin, builtin_names, to_json
from tests.command_line import facts, one_error, payment_sim, payment_sim_process

ONE = {"policy_id": "one", "payment_tree": {"node_id": "A2", "action": "Relase"}}
TWO = {"policy_id": "two", "payment_tree": {"action": "Relase"}, "bank_tree": {"action": "Hold"}}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, data: object) -> str:
        Path(name).write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
        return name

    return write


def test_check_of_valid_policies(write):
    file = write("mine.json", to_json(builtin("cautious")))
    outcome = payment_sim("policy", "check", file, "fifo", "LiquidityAware")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == (
        "mine.json: valid, 5 nodes\nfifo: valid, 1 node\nLiquidityAware: valid, 5 nodes\n"
    )


def test_check_notes_parameters_that_nothing_reads(write):
    given = {"initial_liquidity_fracton": 0.5, "initial_liquidity_fraction": 1}
    file = write("odd.json", {"policy_id": "odd", "parameters": given})
    note = (
        'no tree reads parameter "initial_liquidity_fracton"; nearest: initial_liquidity_fraction'
    )
    outcome = payment_sim("policy", "check", file)
    assert (outcome.code, outcome.out) == (0, f"odd.json: valid, 0 nodes; note: {note}\n")
    assert json.loads(payment_sim("policy", "check", file, "--json").out)[0]["notes"] == [note]


def test_check_of_one_problem(write):
    outcome = payment_sim("policy", "check", write("bad.json", ONE))
    assert one_error(outcome) == (
        'bad.json, payment_tree, node "A2" (root): action "Relase" is not known; nearest: Release'
    )


def test_check_of_many_problems(write):
    files = [write("bad.json", ONE), write("worse.json", TWO), "fifo"]
    outcome = payment_sim("policy", "check", *files)
    assert outcome.code == 2
    lines = outcome.out.splitlines()
    assert lines[0] == "fifo: valid, 1 node"
    assert [line.split(",")[0] for line in lines[1:]] == ["bad.json", "worse.json", "worse.json"]
    assert outcome.err == f"Error: {lines[1]} (and 2 more)\n"


def test_check_as_json(write):
    outcome = payment_sim("policy", "check", write("bad.json", TWO), "fifo", "--json")
    assert outcome.code == 2
    bad, good = json.loads(outcome.out)
    assert (bad["file"], bad["is_valid"], bad["policy_id"]) == ("bad.json", False, None)
    assert len(bad["problems"]) == 2
    assert good == {
        "file": "fifo",
        "is_valid": True,
        "policy_id": "fifo",
        "nodes": 1,
        "problems": [],
        "notes": [],
    }
    assert payment_sim("policy", "check", "fifo", "--json").code == 0


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("none.json", "none.json: there is no such file"),
        ("dedline", "no built-in policy of this name; nearest: deadline"),
        (".", ". is not a file; expected a policy as JSON"),
        ("", "the path of a policy is empty"),
        ("no\nsuch\x1bfile", "no\\nsuch\\x1bfile: there is no such file"),
    ],
)
def test_what_is_no_policy(command: str, given: str, said: str):
    assert said in one_error(payment_sim("policy", command, given))


def test_a_text_that_is_no_json(write):
    said = one_error(payment_sim("policy", "check", write("bad.json", "{")))
    assert said.startswith("bad.json, text, line 1, column 2: not JSON")
    said = one_error(payment_sim("policy", "show", "bad.json"))
    assert said.startswith("bad.json, line 1, column 2: not JSON")


def test_a_file_comes_before_a_built_in_name(write):
    write("fifo", {"policy_id": "mine"})
    assert facts(payment_sim("policy", "show", "fifo").out)["policy"] == ["mine"]


@pytest.mark.parametrize("name", builtin_names())
def test_show(name: str):
    outcome = payment_sim("policy", "show", name)
    assert (outcome.code, outcome.err) == (0, "")
    shown = facts(outcome.out)
    assert shown["policy"] == [name]
    assert shown["description"] == [builtin(name).description]
    assert "\npayment_tree\n" in outcome.out
    assert "\nEvery payment, at every tick:\n" in outcome.out


def test_show_as_json():
    outcome = payment_sim("policy", "show", "cautious", "--json")
    assert outcome.out == to_json(builtin("cautious"))


def test_texts_of_a_file_do_not_act_on_the_terminal(write):
    evil = "\x1b[31m[red]\u202e"
    file = write(
        "evil.json",
        {
            "policy_id": evil,
            "description": evil,
            "payment_tree": {"node_id": evil, "action": "Drop"},
        },
    )
    for options in ([], ["--json"]):
        outcome = payment_sim("policy", "show", file, *options)
        assert outcome.code == 0
        assert "\x1b" not in outcome.out
        assert "\u202e" not in outcome.out
        assert "[red]" in outcome.out


def test_no_traceback_of_a_process(write):
    outcome = payment_sim_process("policy", "check", write("bad.json", "[" * 100_000))
    assert "brackets are nested more than 500 deep" in one_error(outcome)
