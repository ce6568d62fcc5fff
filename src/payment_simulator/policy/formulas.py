"""Conditions and values as short formulas: ``ticks_to_deadline <= urgency_threshold (5)``."""

from __future__ import annotations

from collections.abc import Mapping

from payment_simulator.policy.tree import (
    ActionNode,
    And,
    Compare,
    Condition,
    Field,
    Not,
    Number,
    Param,
    Value,
)
from payment_simulator.wording import number_text, quoted, visible

_INFIX = ("+", "-", "*", "/")


def value_formula(
    value: Value, parameters: Mapping[str, float] | None = None, *, is_whole: bool = True
) -> str:
    """Return a value as a formula.

    Parameters
    ----------
    value : Value
        Of a tree.
    parameters : Mapping of str to float, optional
        Of the policy: their values are shown behind their names.
    is_whole : bool
        Whether it stands for itself; within another formula a sum or product gets brackets.
    """
    if isinstance(value, Number):
        return number_text(value.value)
    if isinstance(value, Field):
        return visible(value.name)
    if isinstance(value, Param):
        return name_text(value.name) + _known(value.name, parameters)
    is_infix = value.op in _INFIX
    args = [value_formula(part, parameters, is_whole=not is_infix) for part in value.args]
    if is_infix:
        formula = f" {value.op} ".join(args)
        return formula if is_whole else f"({formula})"
    return f"{visible(value.op)}({', '.join(args)})"


def condition_formula(condition: Condition, parameters: Mapping[str, float] | None = None) -> str:
    """Return a condition as a formula; parameters as in `value_formula`."""
    if isinstance(condition, Compare):
        left = value_formula(condition.left, parameters)
        return f"{left} {condition.op} {value_formula(condition.right, parameters)}"
    if isinstance(condition, Not):
        return f"not ({condition_formula(condition.condition, parameters)})"
    word = " and " if isinstance(condition, And) else " or "
    parts = []
    for part in condition.conditions:
        formula = condition_formula(part, parameters)
        parts.append(formula if isinstance(part, Compare | Not) else f"({formula})")
    return word.join(parts)


def action_formula(node: ActionNode, parameters: Mapping[str, float] | None = None) -> str:
    """Return an action with what it is given; parameters as in `value_formula`."""
    given = [
        f"{visible(name)}: {argument_formula(argument, parameters)}"
        for name, argument in node.parameters.items()
    ]
    return node.action + (f" ({', '.join(given)})" if given else "")


def argument_formula(
    argument: Value | str | tuple[str, ...], parameters: Mapping[str, float] | None = None
) -> str:
    """Return what an action is given under one name."""
    if isinstance(argument, str):
        return argument if argument.isidentifier() and argument.isascii() else quoted(argument)
    if isinstance(argument, tuple):
        return ", ".join(name_text(name) for name in argument)
    return value_formula(argument, parameters)


def name_text(name: str) -> str:
    """Return a name as it is where it is a plain word, else in quotation marks."""
    return name if name.isidentifier() and name.isascii() else quoted(name)


def _known(name: str, parameters: Mapping[str, float] | None) -> str:
    if parameters is None or name not in parameters:
        return ""
    return f" ({number_text(parameters[name])})"
