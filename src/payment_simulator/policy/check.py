"""Checks a policy completely before anything is run with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from payment_simulator.errors import PolicyError
from payment_simulator.policy.check_expressions import Sight
from payment_simulator.policy.check_nodes import check_tree
from payment_simulator.policy.findings import Findings, Place, TooLargeError
from payment_simulator.policy.grammar import FRACTION, POLICY_KEYS, TEXT_KEYS
from payment_simulator.policy.reading import read_json
from payment_simulator.policy.tree import TREES, Policy
from payment_simulator.policy.write import to_dict
from payment_simulator.wording import nearest, quoted


def check_policy(data: str | Mapping[str, Any] | Policy) -> list[str]:
    """Say everything that is wrong with a policy.

    Parameters
    ----------
    data : str, Mapping or Policy
        JSON text, what such a text holds, or a policy made in Python.

    Returns
    -------
    list of str
        One line for each problem; none if the policy is valid.
    """
    try:
        if isinstance(data, Policy):
            return problems_of(to_dict(data))
        return problems_of(read_json(data, "text") if isinstance(data, str) else data)
    except PolicyError as error:
        return [str(error)]


def policy_notes(policy: Policy) -> list[str]:
    """Say what is odd about a valid policy, but may be meant: parameters that nothing reads."""
    read = {FRACTION} | parameters_read(policy)
    unread = sorted(set(policy.parameters) - read)
    return [f"no tree reads parameter {quoted(name)}; {nearest(name, read)}" for name in unread]


def parameters_read(policy: Policy) -> set[str]:
    """Return the parameters that the trees of a policy read."""
    read = set()
    waiting: list[Any] = [to_dict(policy)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("param"), str):
                read.add(part["param"])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return read


def problems_of(data: Any) -> list[str]:
    """Say everything that is wrong with what a policy file holds."""
    findings = Findings()
    with suppress(TooLargeError):  # it is among the problems
        _check(findings, data)
    return findings.problems


def _check(findings: Findings, data: Any) -> None:
    top = Place()
    if not findings.is_object(data, top, "a policy"):
        return
    findings.check_keys(
        data, top, ["policy_id"], [key for key in POLICY_KEYS if key != "policy_id"]
    )
    for key in TEXT_KEYS:
        is_free = key == "description"
        if key in data and not (is_free and data[key] is None):
            findings.is_text(data[key], top, key, **({"longest": None} if is_free else {}))
    parameters = data.get("parameters", {})
    if findings.is_object(parameters, top.down("parameters"), "a set of parameters"):
        for name, value in parameters.items():
            _check_parameter(findings, name, value)
    else:
        parameters = {}
    registers: dict[str, None] = {}
    for tree in TREES:
        if data.get(tree) is not None:
            check_tree(findings, data[tree], Sight(tree, frozenset(parameters), registers))


def _check_parameter(findings: Findings, name: str, value: Any) -> None:
    place = Place(path="parameters")
    if not findings.is_text(name, place, "name"):
        return
    what = quoted(name)
    if findings.is_number(value, place, what) and name == FRACTION:
        findings.is_within(value, 0, 1, place, what)
