"""What a policy uses, and whether a scenario admits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from payment_simulator.policy import ACTIONS, FIELDS, Policy
from payment_simulator.policy.fields import GROUPS, REGISTER_PREFIX
from payment_simulator.policy.tree import (
    TREES,
    ActionNode,
    And,
    Compare,
    Compute,
    Condition,
    Field,
    Node,
    Not,
    Or,
    Value,
    nodes,
)
from payment_simulator.scenario.model import Scenario
from payment_simulator.scenario.places import Misplaced, nearest
from payment_simulator.scenario.switches import Toggles
from payment_simulator.scenario.values import quoted

#: The group of state registers, whose names are the policy's own.
REGISTER_GROUP = "state"


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a policy uses.

    Attributes
    ----------
    kind : str
        ``tree``, ``action`` or ``field``.
    names : frozenset of str
        Names under which it can be admitted: its own, and for a field its group's.
    place : str
        Where in the policy, in words.
    """

    kind: str
    name: str
    names: frozenset[str]
    place: str


def policy_problems(policy: Policy, scenario: Scenario) -> list[str]:
    """Say why a policy, valid in itself, cannot be used by a bank of a scenario.

    Parameters
    ----------
    policy : Policy
        The policy.
    scenario : Scenario
        Its banks and its ``policy_feature_toggles`` are looked at.

    Returns
    -------
    list of str
        One line for each problem: a bank that is not there, a feature that is not admitted.
    """
    named = list(_named_banks(policy))
    # Thousands of banks with policies of their own mostly name none.
    banks = scenario.bank_ids if named else ()
    problems = [
        f"{place}: focus_counterparties names {quoted(name)}; {nearest(name, banks)}"
        for place, name in named
        if name not in banks
    ]
    toggles = scenario.policy_feature_toggles
    problems += [
        f"{use.place}: {use.kind} {use.name} is not admitted by policy_feature_toggles"
        for use in uses(policy)
        if not _is_admitted(use, toggles)
    ]
    return problems


def admits(scenario: Scenario, kind: str, name: str) -> bool:
    """Tell whether a scenario's toggles admit a feature.

    Parameters
    ----------
    kind : str
        ``tree``, ``action`` or ``field``.
    name : str
        One that is known.
    """
    names = [name, _group(name)] if kind == "field" else [name]
    return _is_admitted(Use(kind, name, frozenset(names), ""), scenario.policy_feature_toggles)


def check_toggles(scenario: Scenario) -> None:
    """Refuse names in ``policy_feature_toggles`` that nothing goes by.

    Raises
    ------
    Misplaced
        A name is not known, or the list of what is admitted is empty.
    """
    key = "policy_feature_toggles"
    toggles = scenario.policy_feature_toggles
    if toggles.include is not None and not toggles.include:
        raise Misplaced((key, "include"), "the list is empty; expected at least one name")
    known = [*TREES, *ACTIONS, *sorted(_field_names())]
    for list_name in ("include", "exclude"):
        for number, name in enumerate(getattr(toggles, list_name) or ()):
            if name not in known and not name.startswith(REGISTER_PREFIX):
                raise Misplaced(
                    (key, list_name, number),
                    f"{quoted(name)} is no tree, action, field or group of fields; "
                    f"{nearest(name, known)}",
                )


def uses(policy: Policy) -> Iterator[Use]:
    """Go through everything that a policy uses, in the order of its trees and nodes."""
    for tree, root in policy.trees():
        yield Use("tree", tree, frozenset([tree]), tree)
        for node in nodes(root):
            place = f"{tree}, node {quoted(node.node_id)}"
            if isinstance(node, ActionNode):
                yield Use("action", node.action, frozenset([node.action]), place)
            for name in _fields(node):
                yield Use("field", name, frozenset([name, _group(name)]), place)


def _is_admitted(use: Use, toggles: Toggles) -> bool:
    """Tell whether a feature is admitted; names of one kind say nothing about another kind."""
    if toggles.exclude is not None:
        return use.names.isdisjoint(toggles.exclude)
    included = [name for name in toggles.include or () if use.kind in _kinds(name)]
    return not included or not use.names.isdisjoint(included)


def _kinds(name: str) -> Iterator[str]:
    if name in TREES:
        yield "tree"
    if name in ACTIONS:
        yield "action"
    if name in _field_names() or name.startswith(REGISTER_PREFIX):
        yield "field"


def _field_names() -> set[str]:
    return {*FIELDS, *GROUPS}


def _group(name: str) -> str:
    return REGISTER_GROUP if name.startswith(REGISTER_PREFIX) else FIELDS[name].group


def _named_banks(policy: Policy) -> Iterator[tuple[str, str]]:
    for tree, root in policy.trees():
        for node in nodes(root):
            if isinstance(node, ActionNode):
                for names in node.parameters.values():
                    if isinstance(names, tuple):
                        for name in names:
                            yield f"{tree}, node {quoted(node.node_id)}", name


def _fields(node: Node) -> Iterator[str]:
    if not isinstance(node, ActionNode):
        yield from _fields_of_condition(node.condition)
        return
    values = node.parameters.values()
    yield from _fields_of_values(v for v in values if not isinstance(v, str | tuple))


def _fields_of_condition(condition: Condition) -> Iterator[str]:
    waiting = [condition]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Compare):
            yield from _fields_of_values((part.left, part.right))
        elif isinstance(part, Not):
            waiting.append(part.condition)
        elif isinstance(part, And | Or):
            waiting += reversed(part.conditions)


def _fields_of_values(values: Iterable[Value]) -> Iterator[str]:
    waiting = list(values)[::-1]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Field):
            yield part.name
        elif isinstance(part, Compute):
            waiting += reversed(part.args)
