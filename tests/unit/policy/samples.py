"""Small policies as data, for tests to change."""

from __future__ import annotations

from typing import Any

from payment_simulator.policy import ACTIONS, check_policy
from payment_simulator.policy.actions import ActionInfo

#: A valid argument for every kind of parameter.
ARGUMENTS: dict[str, Any] = {
    "priority_flag": "HIGH",
    "rtgs_priority": "Urgent",
    "key": "bank_state_x",
    "reason": "because",
    "focus_counterparties": ["A"],
    "new_priority": {"value": 3},
    "priority_boost_children": {"value": 1},
}


def policy(tree: str = "payment_tree", root: Any = None, **more: Any) -> dict[str, Any]:
    """Return a policy with one tree."""
    return {"policy_id": "test", tree: {"action": "Release"} if root is None else root, **more}


def compare(left: Any, op: str = "<", right: Any = None) -> dict[str, Any]:
    """Return a comparison; 5 stands on its right if nothing is given."""
    return {"op": op, "left": left, "right": {"value": 5} if right is None else right}


def fork(condition: Any, leaf: str = "Release") -> dict[str, Any]:
    """Return a fork between two equal actions."""
    return {"condition": condition, "on_true": {"action": leaf}, "on_false": {"action": leaf}}


def action(info: ActionInfo, *, with_all: bool = False) -> dict[str, Any]:
    """Return an action with what it needs, or with all that it may be given."""
    given = {
        parameter.name: ARGUMENTS.get(parameter.name, {"value": 4})
        for parameter in info.parameters
        if parameter.required or with_all
    }
    return {"action": info.name, "parameters": given}


def leaf_of(tree: str) -> str:
    """Return an action that needs nothing and is allowed in a tree."""
    return next(
        info.name
        for info in ACTIONS.values()
        if tree in info.trees and not any(p.required for p in info.parameters)
    )


def only_problem(data: Any) -> str:
    """Return the problem of a policy that has exactly one."""
    problems = check_policy(data)
    assert len(problems) == 1, problems
    assert problems[0].isprintable()
    return problems[0]
