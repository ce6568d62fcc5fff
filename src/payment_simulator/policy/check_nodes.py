"""Checks the nodes of a tree: forks, and actions with their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payment_simulator.policy.actions import ACTIONS, ActionInfo, ParameterInfo
from payment_simulator.policy.check_expressions import (
    Sight,
    check_condition,
    check_register,
    check_value,
)
from payment_simulator.policy.findings import Findings, Place
from payment_simulator.policy.grammar import ACTION_KEYS, CONDITION_KEYS, MAX_DEPTH
from payment_simulator.wording import nearest, quoted, shown

_OWN = ("type", "node_id")


def root_of(data: Any) -> tuple[Any, bool]:
    """Return the root node of a tree, and whether it stands under ``root``."""
    if isinstance(data, Mapping) and "root" in data:
        return data["root"], True
    return data, False


def kind_of(data: Mapping[str, Any]) -> str:
    """Return ``condition`` or ``action``; the keys of a node tell where ``type`` is left out."""
    if "type" in data:
        return str(data["type"])
    return "action" if "action" in data else "condition"


def check_tree(findings: Findings, data: Any, sight: Sight) -> None:
    """Check a tree, from its root downwards, the true branch of a fork before the false one."""
    root, is_wrapped = root_of(data)
    if is_wrapped and findings.is_object(data, Place(sight.tree, "root"), "a tree"):
        findings.check_keys(data, Place(sight.tree, "root"), ["root"])
    seen: dict[str, str] = {}
    waiting = [(root, Place(sight.tree, "root"), 1)]
    while waiting:
        node, place, depth = waiting.pop()
        findings.count_part()
        if depth > MAX_DEPTH:
            findings.say(place, f"the tree is more than {MAX_DEPTH} nodes deep")
            continue
        if not findings.is_object(node, place, "a node"):
            continue
        named = _check_id(findings, node, place, seen)
        if not _is_node(findings, node, named):
            continue
        if kind_of(node) == "condition":
            findings.check_keys(node, named, CONDITION_KEYS, _OWN)
            if "condition" in node:
                check_condition(findings, sight, node["condition"], named.down("condition"))
            waiting += [
                (node[branch], place.down(branch), depth + 1)
                for branch in ("on_false", "on_true")
                if branch in node
            ]
        else:
            findings.check_keys(node, named, ["action"], (*_OWN, *ACTION_KEYS[1:]))
            if "action" in node:
                _check_action(findings, sight, node, named)


def _check_id(
    findings: Findings, node: Mapping[str, Any], place: Place, seen: dict[str, str]
) -> Place:
    """Check the identifier of a node; return its place with it."""
    given = node.get("node_id")
    if "node_id" not in node or not findings.is_text(given, place, "node_id"):
        return place
    named = Place(place.tree, place.path, str(given))
    if given in seen:
        findings.say(named, f"node_id {quoted(str(given))} is that of {seen[str(given)]} already")
    else:
        seen[str(given)] = place.path
    return named


def _is_node(findings: Findings, node: Mapping[str, Any], place: Place) -> bool:
    """Check that a node is a fork or an action."""
    if "type" in node:
        is_known = node["type"] in ("condition", "action")
        if not is_known:
            findings.say(place, f"type is {shown(node['type'])}; expected condition or action")
        return is_known
    if set(node).isdisjoint((*CONDITION_KEYS, "action")):
        findings.check_keys(node, place, [], (*_OWN, *CONDITION_KEYS, *ACTION_KEYS))
        findings.say(place, "a node has an action, or a condition with on_true and on_false")
        return False
    return True


def _check_action(findings: Findings, sight: Sight, node: Mapping[str, Any], place: Place) -> None:
    name = node["action"]
    allowed = [info.name for info in ACTIONS.values() if sight.tree in info.trees]
    if not isinstance(name, str) or name not in ACTIONS:
        near = nearest(name, allowed) if isinstance(name, str) else "expected a text"
        findings.say(place, f"action {shown(name)} is not known; {near}")
        return
    info = ACTIONS[name]
    if name not in allowed:
        findings.say(
            place,
            f"action {quoted(name)} stands in {' or '.join(info.trees)} only; "
            f"here: {', '.join(allowed)}",
        )
        return
    _check_parameters(findings, sight, info, node.get("parameters", {}), place)


def _check_parameters(
    findings: Findings, sight: Sight, info: ActionInfo, given: Any, place: Place
) -> None:
    below = place.down("parameters")
    if not findings.is_object(given, below, "a set of parameters"):
        return
    known = [parameter.name for parameter in info.parameters]
    for name in given:
        if name not in known:
            near = nearest(name, known) if known else "it has none"
            findings.say(place, f"parameter {quoted(name)} of {info.name} is not known; {near}")
    for parameter in info.parameters:
        if parameter.name in given:
            value, at = given[parameter.name], below.down(parameter.name)
            _CHECKS[parameter.kind](findings, sight, parameter, value, at)
        elif parameter.required:
            findings.say(place, f"parameter {quoted(parameter.name)} of {info.name} is missing")


def plain(data: Any) -> Any:
    """Return a word or list of names that may also be written ``{"value": ...}``."""
    if isinstance(data, Mapping) and set(data) == {"value"}:
        return data["value"]
    return data


def _check_number(
    findings: Findings, sight: Sight, info: ParameterInfo, data: Any, place: Place
) -> None:
    before = len(findings.problems)
    check_value(findings, sight, data, place)
    has_bounds = info.low is not None or info.high is not None
    if has_bounds and len(findings.problems) == before and "value" in data:
        findings.is_within(data["value"], info.low, info.high, place, info.name)


def _check_word(
    findings: Findings, sight: Sight, info: ParameterInfo, data: Any, place: Place
) -> None:
    word = plain(data)
    if not findings.is_text(word, place, info.name, None):
        return
    if info.name == "key":
        check_register(findings, sight, word, place)
    elif info.choices and word not in info.choices:
        findings.say(
            place, f"{info.name} is {shown(word)}; expected one of {', '.join(info.choices)}"
        )


def _check_names(
    findings: Findings, _sight: Sight, info: ParameterInfo, data: Any, place: Place
) -> None:
    names = plain(data)
    if not isinstance(names, list | tuple) or not names:
        given = "an empty list" if isinstance(names, list | tuple) else shown(names)
        findings.say(place, f"{info.name} is {given}; expected a list of bank names")
        return
    for number, name in enumerate(names):
        findings.count_part()
        if findings.is_text(name, place.down(number), "name") and name in names[:number]:
            findings.say(place.down(number), f"bank {quoted(name)} is named twice")


_CHECKS = {"value": _check_number, "word": _check_word, "names": _check_names}
