"""Writes policies: equal policies give equal text."""

from __future__ import annotations

import json
from typing import Any

from payment_simulator.policy.actions import ACTIONS
from payment_simulator.policy.grammar import LOGIC, OPERATIONS
from payment_simulator.policy.tree import (
    TREES,
    ActionNode,
    And,
    Compare,
    Condition,
    Field,
    Node,
    Not,
    Number,
    Param,
    Policy,
    Value,
)

# Above it float64 holds no fractions, and an integer may be a long row of digits.
_WHOLE = 2**53


def to_json(policy: Policy) -> str:
    """Return a policy as JSON text that :func:`parse_policy` reads back as an equal policy.

    Parameters
    ----------
    policy : Policy
        A valid policy.

    Returns
    -------
    str
        Keys in a fixed order, parameters of the policy by name, two spaces of indentation.
    """
    return json.dumps(to_dict(policy), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_dict(policy: Policy) -> dict[str, Any]:
    """Return a policy as what its JSON text holds."""
    found: dict[str, Any] = {"version": policy.version, "policy_id": policy.policy_id}
    if policy.description:
        found["description"] = policy.description
    if policy.parameters:
        given = policy.parameters
        found["parameters"] = {name: _number(given[name]) for name in sorted(given)}
    for name in TREES:
        tree = getattr(policy, name)
        if tree is not None:
            found[name] = node_dict(tree)
    return found


def node_dict(node: Node) -> dict[str, Any]:
    """Return a node and all below it as what JSON holds."""
    if isinstance(node, ActionNode):
        found: dict[str, Any] = {"type": "action", "node_id": node.node_id, "action": node.action}
        if node.parameters:
            found["parameters"] = {
                name: _argument(node.parameters[name]) for name in _ordered(node)
            }
        return found
    return {
        "type": "condition",
        "node_id": node.node_id,
        "condition": condition_dict(node.condition),
        "on_true": node_dict(node.on_true),
        "on_false": node_dict(node.on_false),
    }


def condition_dict(condition: Condition) -> dict[str, Any]:
    """Return a condition as what JSON holds."""
    if isinstance(condition, Compare):
        left, right = value_dict(condition.left), value_dict(condition.right)
        return {"op": condition.op, "left": left, "right": right}
    if isinstance(condition, Not):
        return {"op": "not", LOGIC["not"]: condition_dict(condition.condition)}
    op = "and" if isinstance(condition, And) else "or"
    return {"op": op, LOGIC[op]: [condition_dict(part) for part in condition.conditions]}


def value_dict(value: Value) -> dict[str, Any]:
    """Return a value as what JSON holds."""
    if isinstance(value, Number):
        return {"value": _number(value.value)}
    if isinstance(value, Field):
        return {"field": value.name}
    if isinstance(value, Param):
        return {"param": value.name}
    keys = OPERATIONS.get(value.op, ("values",))
    args = [value_dict(argument) for argument in value.args]
    if keys == ("values",):
        return {"compute": {"op": value.op, "values": args}}
    return {"compute": {"op": value.op, **dict(zip(keys, args, strict=False))}}


def _ordered(node: ActionNode) -> list[str]:
    """Return the parameters of an action in the order of the table, unknown ones at the end."""
    info = ACTIONS.get(node.action)
    known = [parameter.name for parameter in info.parameters] if info else []
    given = node.parameters
    return [name for name in known if name in given] + sorted(set(given) - set(known))


def _argument(given: Value | str | tuple[str, ...]) -> Any:
    if isinstance(given, str):
        return given
    return list(given) if isinstance(given, tuple) else value_dict(given)


def _number(value: float) -> int | float:
    """Return a whole number as an integer; -0.0 as 0."""
    return int(value) if abs(value) <= _WHOLE and value == int(value) else value
