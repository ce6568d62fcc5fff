"""Reads policies from JSON: checked completely first, then made into trees."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from payment_simulator.errors import PolicyError
from payment_simulator.policy.check import problems_of
from payment_simulator.policy.check_nodes import kind_of, plain, root_of
from payment_simulator.policy.grammar import COMPARISONS, OPERATIONS
from payment_simulator.policy.reading import read_file, read_json
from payment_simulator.policy.tree import (
    TREES,
    ActionNode,
    And,
    Compare,
    Compute,
    Condition,
    ConditionNode,
    Field,
    Node,
    Not,
    Number,
    Or,
    Param,
    Policy,
    Value,
)
from payment_simulator.policy.write import to_dict
from payment_simulator.wording import visible


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy file.

    Parameters
    ----------
    path : str or os.PathLike
        A JSON file of at most 4 MiB.

    Raises
    ------
    PolicyError
        The file cannot be read, or is no valid policy.
    """
    return parse_policy(read_file(path), where=os.fspath(path))


def parse_policy(text_or_mapping: str | Mapping[str, Any], *, where: str = "policy") -> Policy:
    """Read a policy.

    Nodes without ``node_id`` are named n1, n2 and so on, from the root downwards, the true branch
    of a fork first; names that the tree has already are passed over.

    Parameters
    ----------
    text_or_mapping : str or Mapping
        JSON text, or what such a text holds.
    where : str
        What errors call it: a file, a place in a scenario.

    Raises
    ------
    PolicyError
        It is no valid policy; the message names the first problem and counts the others.
    """
    name = visible(where)
    data = text_or_mapping
    if isinstance(data, str):
        data = read_json(data, name)
    problems = problems_of(data)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PolicyError(f"{name}, {problems[0]}{more}")
    return _policy(data)


def policy_or_problems(data: str | Mapping[str, Any] | Policy) -> tuple[Policy | None, list[str]]:
    """Return a policy, or everything that is wrong with it.

    A policy made in Python is written and read again, so that numbers of any type are plain ones.

    Parameters
    ----------
    data : str, Mapping or Policy
        JSON text, what such a text holds, or a policy made in Python.
    """
    try:
        read = read_json(data, "text") if isinstance(data, str) else data
        plain_data = to_dict(read) if isinstance(read, Policy) else read
    except PolicyError as error:
        return None, [str(error)]
    problems = problems_of(plain_data)
    return (None, problems) if problems else (_policy(plain_data), [])


def _policy(data: Mapping[str, Any]) -> Policy:
    trees = {name: _tree(data[name]) for name in TREES if data.get(name) is not None}
    return Policy(
        policy_id=data["policy_id"],
        version=data.get("version", "1.0"),
        description=data.get("description") or "",
        parameters={name: _number(value) for name, value in data.get("parameters", {}).items()},
        **trees,
    )


def _tree(data: Any) -> Node:
    root, _ = root_of(data)
    return _node(root, _names(root))


def _names(root: Mapping[str, Any]) -> Iterator[str]:
    """Give the identifiers of the nodes in the order in which `_node` makes them."""
    walked = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        walked.append(node)
        if kind_of(node) == "condition":
            waiting += [node["on_false"], node["on_true"]]
    taken = {node["node_id"] for node in walked if "node_id" in node}
    free = (name for name in (f"n{number}" for number in count(1)) if name not in taken)
    for node in walked:
        yield node["node_id"] if "node_id" in node else next(free)


def _node(data: Mapping[str, Any], names: Iterator[str]) -> Node:
    name = next(names)
    if kind_of(data) == "action":
        given = data.get("parameters", {})
        return ActionNode(
            name, data["action"], {key: _argument(value) for key, value in given.items()}
        )
    condition = _condition(data["condition"])
    on_true = _node(data["on_true"], names)
    return ConditionNode(name, condition, on_true, _node(data["on_false"], names))


def _argument(data: Any) -> Value | str | tuple[str, ...]:
    given = plain(data)
    if isinstance(given, str):
        return given
    if isinstance(given, list | tuple):
        return tuple(given)
    return _value(data)


def _condition(data: Mapping[str, Any]) -> Condition:
    op = data["op"]
    if op in COMPARISONS:
        return Compare(op, _value(data["left"]), _value(data["right"]))
    if op == "not":
        return Not(_condition(data["condition"]))
    parts = tuple(_condition(part) for part in data["conditions"])
    return And(parts) if op == "and" else Or(parts)


def _value(data: Mapping[str, Any]) -> Value:
    if "value" in data:
        return Number(_number(data["value"]))
    if "field" in data:
        return Field(data["field"])
    if "param" in data:
        return Param(data["param"])
    compute = data["compute"]
    keys = OPERATIONS[compute["op"]]
    given = compute["values"] if keys == ("values",) else [compute[key] for key in keys]
    return Compute(compute["op"], tuple(_value(part) for part in given))


def _number(value: float) -> float:
    """Return a plain float; -0.0 as 0.0, since texts do not tell them apart."""
    return float(value) + 0.0
