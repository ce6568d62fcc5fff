"""Constraints and the language of policies in words, written from the tables of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from payment_simulator.ai_cash_mgmt.constraints.sections import ScenarioConstraints
from payment_simulator.policy import ACTIONS, FIELDS
from payment_simulator.policy.actions import PAYMENT_TREES, ParameterInfo
from payment_simulator.policy.fields import MAX_REGISTERS, REGISTER_PREFIX, FieldInfo
from payment_simulator.policy.grammar import (
    COMPARISONS,
    FRACTION,
    LOGIC,
    MAX_DEPTH,
    OPERATIONS,
    TEXT_KEYS,
)
from payment_simulator.policy.tree import TREES
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.features import admits

_RANKED = re.compile(r"(.*_top_)([1-9])")
_KEPT = "All else that the policy has stays exactly as it is."


def describe(constraints: ScenarioConstraints, scenario: Scenario, bank: str) -> str:
    """Say what may be proposed for a bank, and how a policy is written, to a model or a person.

    Parameters
    ----------
    constraints : ScenarioConstraints
        What may be proposed.
    scenario : Scenario
        Its ``policy_feature_toggles`` narrow that down.
    bank : str
        Whose policy it is.

    Returns
    -------
    str
        Lines of plain text; only what is allowed is in it.
    """
    trees = {tree: actions for tree in TREES if (actions := _actions(constraints, scenario, tree))}
    lines = list(_parameters(constraints, scenario, bank))
    if trees:
        lines += ["", *_language(trees), "", *_action_lines(trees)]
        lines += ["", *_field_lines(constraints, scenario, trees)]
    else:
        lines += ["", f"The trees may not be changed. {_KEPT}"]
    return "\n".join(lines)


def _parameters(constraints: ScenarioConstraints, scenario: Scenario, bank: str) -> Iterator[str]:
    if not constraints.allowed_parameters:
        yield f"No parameter may be changed or added. {_KEPT}"
        return
    yield 'Parameters that may be set (in "parameters", all of them, as numbers):'
    agent = scenario.agents[scenario.bank_ids.index(bank)]
    for spec in constraints.allowed_parameters:
        is_pool = spec.name == FRACTION and agent.liquidity_pool
        meaning = "; share of the own liquidity pool that is funded at the open" if is_pool else ""
        yield f"- {spec.name}: {spec.expectation()}{meaning}"
    yield "No other parameter may be changed or added."


def _actions(constraints: ScenarioConstraints, scenario: Scenario, tree: str) -> tuple[str, ...]:
    if not admits(scenario, "tree", tree):
        return ()
    return tuple(a for a in constraints.actions(tree) if admits(scenario, "action", a))


def _language(trees: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Tell the grammar."""
    kept = [tree for tree in TREES if tree not in trees]
    texts = ", ".join(TEXT_KEYS)
    yield f"A policy is a JSON object: {texts} (texts), parameters, and trees: {', '.join(trees)}."
    if kept:
        yield f"Trees that may not be changed: {', '.join(kept)}."
    yield f"A tree is a node, at most {MAX_DEPTH} nodes deep; each node_id is unique within it."
    yield '- fork: {"node_id": ..., "condition": C, "on_true": node, "on_false": node}'
    yield '- leaf: {"node_id": ..., "action": name, "parameters": {name: V or text}}'
    yield f'A condition C: {{"op": {" | ".join(COMPARISONS)}, "left": V, "right": V}}'
    for op, key in LOGIC.items():
        shape = "[C, ...]" if key.endswith("s") else "C"
        yield f'- {{"op": "{op}", "{key}": {shape}}}'
    yield 'A value V: {"field": name} | {"param": name} | {"value": number} | {"compute": X}'
    by_keys: dict[tuple[str, ...], list[str]] = {}
    for op, keys in OPERATIONS.items():
        by_keys.setdefault(keys, []).append(op)
    for keys, ops in by_keys.items():
        shape = ", ".join(f'"{key}": {"[V, ...]" if key == "values" else "V"}' for key in keys)
        yield f'- X: {{"op": {" | ".join(ops)}, {shape}}}'


def _action_lines(trees: dict[str, tuple[str, ...]]) -> Iterator[str]:
    yield "Actions (? marks a parameter that may be left out):"
    for tree, actions in trees.items():
        yield f"- {tree}: {', '.join(actions)}"
    for name in dict.fromkeys(name for actions in trees.values() for name in actions):
        info = ACTIONS[name]
        yield f"- {name}: {info.meaning}"
        for parameter in info.parameters:
            yield f"    {_parameter(parameter)}"


def _parameter(info: ParameterInfo) -> str:
    kind = {"value": "V", "word": "text", "names": "list of banks"}[info.kind]
    if info.choices:
        kind = " | ".join(info.choices)
    bounds = [f"at least {info.low:g}"] if info.low is not None else []
    bounds += [f"at most {info.high:g}"] if info.high is not None else []
    mark = "" if info.required else "?"
    return f"{info.name}{mark} ({', '.join([kind, *bounds])}): {info.meaning}"


def _field_lines(
    constraints: ScenarioConstraints, scenario: Scenario, trees: dict[str, tuple[str, ...]]
) -> Iterator[str]:
    allowed = [
        info
        for info in FIELDS.values()
        if constraints.allows_field(info.name) and admits(scenario, "field", info.name)
    ]
    everywhere = [info for info in allowed if not info.payment_only]
    yield "Fields:"
    yield from _fields(everywhere)
    if any(tree in PAYMENT_TREES for tree in trees):
        of_payments = [info for info in allowed if info.payment_only]
        if of_payments:
            yield f"Fields in {', '.join(PAYMENT_TREES)} only:"
            yield from _fields(of_payments)
    yield from _registers(constraints, scenario, trees)


def _registers(
    constraints: ScenarioConstraints, scenario: Scenario, trees: dict[str, tuple[str, ...]]
) -> Iterator[str]:
    named = constraints.allowed_fields
    own = None if named is None else [n for n in named if n.startswith(REGISTER_PREFIX)]
    can_set = any({"SetState", "AddState"} & set(actions) for actions in trees.values())
    if can_set and own != [] and admits(scenario, "field", f"{REGISTER_PREFIX}x"):
        names = f"{REGISTER_PREFIX}NAME, at most {MAX_REGISTERS}" if own is None else ", ".join(own)
        yield f"State registers, 0 at each open of a day: {names}."


def _fields(infos: list[FieldInfo]) -> Iterator[str]:
    """List fields; those that differ by a rank alone once."""
    if not infos:
        yield "- none"
    names = {info.name for info in infos}
    for info in infos:
        ranked = _RANKED.fullmatch(info.name)
        if ranked is None:
            yield f"- {info.name} ({info.unit}): {info.meaning}"
            continue
        ranks = [rank for rank in "12345" if f"{ranked[1]}{rank}" in names]
        if ranked[2] == ranks[0]:
            more = " And so on, by rank." if len(ranks) > 1 else ""
            yield f"- {ranked[1]}{'|'.join(ranks)} ({info.unit}): {info.meaning}{more}"
