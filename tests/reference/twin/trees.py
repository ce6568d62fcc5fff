"""Walking a decision tree (section 9 of the rules)."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from payment_simulator.errors import SimulationError
from payment_simulator.policy.tree import (
    And,
    Compare,
    Condition,
    ConditionNode,
    Field,
    Node,
    Not,
    Number,
    Or,
    Param,
    Value,
)

#: What a parameter of an action comes to: a number, a word, or names of banks.
Given = float | str | tuple[str, ...]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _clamp(value: float, low: float, high: float) -> float:
    """Keep a value within two bounds; the upper one decides if they cross."""
    return min(max(value, low), high)


def _div0(numerator: float, denominator: float, default: float) -> float:
    """Divide, or give the default where the denominator is 0."""
    return default if denominator == 0 else numerator / denominator


#: All arguments are computed before the operation, the default of ``div0`` too.
OPERATIONS: dict[str, Callable[..., float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "max": lambda *args: max(args),
    "min": lambda *args: min(args),
    "ceil": lambda x: float(math.ceil(x)),
    "floor": lambda x: float(math.floor(x)),
    "round": lambda x: float(math.floor(x + 0.5)),
    "abs": abs,
    "clamp": _clamp,
    "div0": _div0,
}


@dataclass
class Decision:
    """The leaf that a walk came to, its parameters computed."""

    action: str
    parameters: dict[str, Given] = field(default_factory=dict)

    def whole(self, name: str, default: int = 0) -> int:
        """Give a number rounded down; ``default`` where the leaf has none of this name."""
        value = self.parameters.get(name, float(default))
        if isinstance(value, float):
            return math.floor(value)
        raise AssertionError(f"{name} of {self.action} is {value!r}, not a number")

    def number(self, name: str) -> float:
        """Give a number as it was computed."""
        value = self.parameters[name]
        if isinstance(value, float):
            return value
        raise AssertionError(f"{name} of {self.action} is {value!r}, not a number")

    def word(self, name: str) -> str:
        """Give a word."""
        return str(self.parameters[name])


@dataclass
class Sight:
    """What a tree reads when it is walked.

    Attributes
    ----------
    fields : Mapping of str to float
        What the bank sees.
    registers : Mapping of str to float
        What it has set itself; a register not set yet is 0.
    parameters : Mapping of str to float
        Of its policy.
    where : str
        For errors: tick, bank and payment.
    """

    fields: Mapping[str, float]
    registers: Mapping[str, float]
    parameters: Mapping[str, float]
    where: str

    def field(self, name: str) -> float:
        """Look at a field."""
        if name.startswith("bank_state_"):
            return self.registers.get(name, 0.0)
        return self.fields[name]


def walk(tree: Node, sight: Sight) -> Decision:
    """Go from the root to a leaf."""
    node = tree
    while isinstance(node, ConditionNode):
        node = node.on_true if holds(node.condition, sight) else node.on_false
    return Decision(
        action=node.action,
        parameters={
            name: given if isinstance(given, str | tuple) else value_of(given, sight)
            for name, given in node.parameters.items()
        },
    )


def holds(condition: Condition, sight: Sight) -> bool:
    """Say whether a condition is true; ``and`` and ``or`` stop at the first term that decides."""
    if isinstance(condition, Compare):
        left, right = value_of(condition.left, sight), value_of(condition.right, sight)
        return COMPARISONS[condition.op](left, right)
    if isinstance(condition, And):
        return all(holds(term, sight) for term in condition.conditions)
    if isinstance(condition, Or):
        return any(holds(term, sight) for term in condition.conditions)
    if isinstance(condition, Not):
        return not holds(condition.condition, sight)
    raise AssertionError(f"not a condition: {condition!r}")


def value_of(value: Value, sight: Sight) -> float:
    """Compute a value."""
    if isinstance(value, Number):
        return float(value.value)
    if isinstance(value, Param):
        return float(sight.parameters[value.name])
    if isinstance(value, Field):
        return sight.field(value.name)
    args = [value_of(argument, sight) for argument in value.args]
    if value.op == "/" and args[1] == 0:
        raise SimulationError(f"{sight.where}: the policy divides {args[0]} by zero")
    return finite(OPERATIONS[value.op](*args), sight.where)


def finite(result: float, where: str) -> float:
    """Give a result back if it is a finite number.

    Raises
    ------
    SimulationError
        If it is not.
    """
    if not math.isfinite(result):
        raise SimulationError(f"{where}: a result of the policy is {result}, not a finite number")
    return result
