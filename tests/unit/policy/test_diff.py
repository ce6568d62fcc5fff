"""What changed from one policy to another, in words."""

from __future__ import annotations

from dataclasses import replace

from payment_simulator.policy import Policy, builtin
from payment_simulator.policy.diff import diff_policies
from payment_simulator.policy.tree import ActionNode, Compare, ConditionNode, Field, Number

HOLD, RELEASE = ActionNode("hold", "Hold"), ActionNode("release", "Release")
SMALL = Compare("<", Field("amount"), Number(10))
URGENT = Compare("<", Field("ticks_to_deadline"), Number(3))
FORK = ConditionNode("small", SMALL, RELEASE, HOLD)
BASE = Policy("p", payment_tree=FORK)


def told(**changes: object) -> list[str]:
    return diff_policies(BASE, replace(BASE, **changes))  # type: ignore[arg-type]


def test_equal_policies():
    assert told() == []
    assert told(parameters={}) == []


def test_names_and_parameters():
    old = Policy("p", parameters={"a": 1.0, "b": 2.0, "d": 0.1})
    new = Policy("q", "2", "new", {"b": 1e6, "c": 0.25, "d": 0.1000000000000001})
    assert diff_policies(old, new) == [
        'policy_id: "p" -> "q"',
        'version: "1.0" -> "2"',
        "description: changed",
        "parameter a: removed, was 1",
        "parameter b: 2 -> 1,000,000",
        "parameter c: added, 0.25",
        "parameter d: 0.1 -> 0.1000000000000001",
    ]


def test_trees_that_come_and_go():
    assert told(bank_tree=ActionNode("n", "NoAction")) == ["bank_tree: added, 1 node"]
    assert told(payment_tree=None) == ["payment_tree: removed, 3 nodes"]


def test_conditions_and_actions():
    other = ConditionNode(
        "small",
        URGENT,
        ActionNode("release", "Release", {"priority_flag": "HIGH"}),
        ActionNode("x", "Drop"),
    )
    assert told(payment_tree=other) == [
        'payment_tree, node "small": condition amount < 10 -> ticks_to_deadline < 3',
        'payment_tree, node "release": Release: priority_flag nothing -> HIGH',
        'payment_tree, node "x": action Hold -> Drop',
    ]


def test_a_fork_put_before():
    before = ConditionNode("urgent", URGENT, RELEASE, FORK)
    assert told(payment_tree=before) == [
        'payment_tree, node "urgent": new fork ticks_to_deadline < 3; yes: Release; no: as before'
    ]
    assert diff_policies(replace(BASE, payment_tree=before), BASE) == [
        'payment_tree, node "urgent": fork ticks_to_deadline < 3 removed; its no is left'
    ]


def test_a_fork_put_before_a_leaf():
    inner = ConditionNode("urgent", URGENT, RELEASE, HOLD)
    changed = ConditionNode("small", SMALL, RELEASE, inner)
    assert told(payment_tree=changed) == [
        'payment_tree, node "urgent": new fork ticks_to_deadline < 3; yes: Release; no: as before'
    ]


def test_a_tree_that_is_another():
    assert told(payment_tree=ActionNode("x", "Drop")) == [
        'payment_tree, node "x": was a fork on amount < 10 with 3 nodes, is Drop'
    ]


def test_names_of_nodes_alone():
    renamed = ConditionNode("s", SMALL, RELEASE, ActionNode("h", "Hold"))
    assert told(payment_tree=renamed) == ["payment_tree: 2 nodes are named anew"]


def test_long_formulas_are_cut():
    long = Compare("<", Field("bank_state_" + "x" * 64), Field("bank_state_" + "y" * 64))
    from payment_simulator.policy.tree import And

    lines = told(payment_tree=replace(FORK, condition=And((long,) * 50)))
    assert len(lines) == 1
    assert len(lines[0]) < 400


def test_policies_of_the_package():
    assert diff_policies(builtin("deadline"), builtin("deadline", urgency_threshold=2)) == [
        "parameter urgency_threshold: 5 -> 2"
    ]
