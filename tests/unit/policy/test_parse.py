"""Files and forms: what is read, and as what."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from payment_simulator.errors import PolicyError
from payment_simulator.policy import check_policy, load_policy, parse_policy, to_json
from payment_simulator.policy.reading import MAX_BYTES
from payment_simulator.policy.tree import (
    ActionNode,
    And,
    Compare,
    Compute,
    ConditionNode,
    Field,
    Not,
    Number,
    Or,
    Param,
    Policy,
)
from tests.unit.policy.samples import compare, fork, policy

EVERYTHING = """
{
  "policy_id": "all forms",
  "parameters": {"urgent": 5, "share": 0.5},
  "payment_tree": {"root": {
    "type": "condition", "node_id": "n2",
    "condition": {"op": "and", "conditions": [
      {"op": "<=", "left": {"field": "ticks_to_deadline"}, "right": {"param": "urgent"}},
      {"op": "or", "conditions": [{"op": "not", "condition":
        {"op": "==", "left": {"value": 1}, "right": {"field": "is_split"}}}]}
    ]},
    "on_true": {"action": "Split", "parameters": {"num_splits":
      {"compute": {"op": "max", "values": [{"value": 2}, {"compute":
        {"op": "div0", "numerator": {"field": "amount"}, "denominator": {"param": "share"},
         "default": {"value": 3}}}]}}}},
    "on_false": {"type": "action", "action": "Release", "parameters": {"priority_flag": "LOW"}}
  }},
  "bank_tree": {"action": "SetReleaseBudget", "parameters": {
    "max_value_to_release": {"value": 1e3}, "focus_counterparties": {"value": ["B", "A"]}}}
}
"""
READ = Policy(
    policy_id="all forms",
    version="1.0",
    parameters={"urgent": 5.0, "share": 0.5},
    payment_tree=ConditionNode(
        "n2",
        And(
            (
                Compare("<=", Field("ticks_to_deadline"), Param("urgent")),
                Or((Not(Compare("==", Number(1.0), Field("is_split"))),)),
            )
        ),
        ActionNode(
            "n1",
            "Split",
            {
                "num_splits": Compute(
                    "max",
                    (
                        Number(2.0),
                        Compute("div0", (Field("amount"), Param("share"), Number(3.0))),
                    ),
                )
            },
        ),
        ActionNode("n3", "Release", {"priority_flag": "LOW"}),
    ),
    bank_tree=ActionNode(
        "n1",
        "SetReleaseBudget",
        {"max_value_to_release": Number(1000.0), "focus_counterparties": ("B", "A")},
    ),
)


def test_every_form():
    assert parse_policy(EVERYTHING) == READ
    assert parse_policy(json.loads(EVERYTHING)) == READ


def test_numbers_are_plain_floats():
    read = parse_policy(policy(parameters={"a": 1, "b": -0.0}, root=fork(compare({"value": 3}))))
    assert all(type(value) is float for value in read.parameters.values())
    assert str(read.parameters["b"]) == "0.0"


def test_what_is_written_has_fixed_keys_and_whole_numbers():
    text = to_json(READ)
    assert text.endswith("}\n")
    assert '"urgent": 5\n' in text
    assert text.index('"share"') < text.index('"urgent"')
    shuffled = Policy(
        **{name: getattr(READ, name) for name in ("policy_id", "payment_tree", "bank_tree")},
        parameters={"share": 0.5, "urgent": 5.0},
    )
    assert to_json(shuffled) == text
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json(Policy("x", parameters={"a": float("inf")}))


def test_trees_that_are_null_are_not_there():
    assert parse_policy({"policy_id": "a", "bank_tree": None, "description": None}) == Policy("a")


def test_a_file(tmp_path: Path):
    path = tmp_path / "policy.json"
    path.write_text(f"\ufeff{EVERYTHING}", encoding="utf-8")
    assert load_policy(path) == load_policy(str(path)) == READ


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1, column 1: not JSON: Expecting value"),
        (b'{"policy_id": "a",}', "line 1, column"),
        (b"\xff\xfe", "byte 0 is not UTF-8; expected a policy as JSON in UTF-8"),
        (b'{"policy_id": NaN}', "NaN is not a number of JSON; expected a finite number"),
        (b'{"parameters": -Infinity}', "-Infinity is not a number of JSON"),
        (b'{"policy_id": ' + b"1" * 5000 + b"}", "a number has too many digits"),
        (b"[" * 100_000, "line 1: brackets are nested more than 500 deep"),
        (b'{"root":\n' * 100_000, "line 501: brackets are nested more than 500 deep"),
        (b" " * (MAX_BYTES + 1), f"has more than {MAX_BYTES:,} bytes; expected a smaller policy"),
        (b'"' + b'\\"' * 1_000_000, "line 1, column 1: not JSON"),
        (b'{"policy_id":"a","policy_id":"b"}', 'key "policy_id" is written more than once'),
        (b'{"policy_id":"a","parameters":{"x":1e999}}', '"x" is inf; expected a finite number'),
    ],
    ids=lambda part: part[:20],
)
def test_a_file_that_is_no_policy(content: bytes, said: str, tmp_path: Path):
    path = tmp_path / "policy.json"
    path.write_bytes(content)
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert said in message
    assert message.isprintable()


def test_a_key_that_is_written_twice_is_found_where_it_is():
    text = EVERYTHING.replace('"type": "action", "action"', '"action": "Hold", "action"')
    assert check_policy(text) == [
        'payment_tree, node root.on_false: key "action" is written more than once'
    ]


def test_paths_that_lead_to_no_file(tmp_path: Path):
    cases = {
        tmp_path / "none.json": "there is no such file",
        tmp_path: "is not a file",
        f"{tmp_path}/a\0b": "no such file|cannot be read",
        f"{tmp_path}/{'x' * 300}": "no such file|cannot be read",
    }
    for path, said in cases.items():
        with pytest.raises(PolicyError, match=said) as caught:
            load_policy(path)
        assert str(caught.value).isprintable()


@pytest.mark.skipif(os.name != "posix", reason="pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PolicyError, match="is not a file"):
        load_policy(tmp_path / "pipe")


def test_a_large_policy_is_read_in_full():
    terms = [compare({"value": n}) for n in range(20_000)]
    root = fork({"op": "or", "conditions": terms})
    tree = parse_policy(json.dumps(policy(root=root))).payment_tree
    assert isinstance(tree, ConditionNode)
    assert isinstance(tree.condition, Or)
    assert len(tree.condition.conditions) == 20_000
    root["condition"] = {"op": "or", "conditions": terms * 2}
    assert check_policy(policy(root=root)) == ["more than 100,000 nodes, conditions and values"]
