"""Conditions, values and actions as plain English."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from payment_simulator.policy.fields import field_info
from payment_simulator.policy.formulas import argument_formula, name_text
from payment_simulator.policy.tree import (
    ActionNode,
    And,
    Compare,
    Compute,
    Condition,
    Field,
    Not,
    Number,
    Param,
    Value,
)
from payment_simulator.wording import number_text, visible

_OPS: Final = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_AMOUNTS: Final = {
    "==": "exactly",
    "!=": "other than",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
}
_HOLDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": lambda x, y: x == y,
    "!=": lambda x, y: x != y,
    "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y,
    ">": lambda x, y: x > y,
    ">=": lambda x, y: x >= y,
}
#: What a flag says when it is 1, and when it is 0.
_FLAGS: Final = {
    "is_using_credit": ("credit is in use", "no credit is in use"),
    "is_overdraft_capped": ("credit is bounded", "credit is not bounded"),
    "is_eod_rush": ("the end of the day is near", "the end of the day is not near"),
    "is_split": ("it is a part of a split", "it is not a part of a split"),
    "is_past_deadline": ("it is overdue", "it is not overdue"),
    "is_overdue": ("it is overdue", "it is not overdue"),
    "is_in_queue2": ("it waits in Queue 2", "it does not wait in Queue 2"),
    "tx_is_top_counterparty": (
        "its receiver is among the five largest counterparties",
        "its receiver is not among the five largest counterparties",
    ),
}
_INFIX: Final = {"+": "plus", "-": "less", "*": "times", "/": "over"}
_SUFFIX: Final = {"floor": "rounded down", "ceil": "rounded up", "round": "rounded"}
_WITH_UNIT: Final = ("cents", "ticks")


@dataclass(frozen=True)
class Speaker:
    """Says what trees say, knowing the parameters of their policy."""

    parameters: Mapping[str, float]

    def condition(self, condition: Condition) -> str:
        """Return a condition as a clause."""
        if isinstance(condition, Compare):
            return self._comparison(condition)
        if isinstance(condition, Not):
            return f"it is not so that {self.condition(condition.condition)}"
        word = "and" if isinstance(condition, And) else "or"
        parts = []
        for part in condition.conditions:
            clause = self.condition(part)
            parts.append(clause if isinstance(part, Compare) else f"({clause})")
        return _listed(parts, word)

    def value(self, value: Value, unit: str = "") -> str:
        """Return a value as a noun; numbers with a unit, where one is given."""
        if isinstance(value, Number):
            number = number_text(value.value)
            return f"{number} {unit[:-1] if value.value == 1 else unit}" if unit else number
        if isinstance(value, Field):
            return visible(value.name).replace("_", " ")
        if isinstance(value, Param):
            known = self.parameters.get(value.name)
            told = "" if known is None else f" ({number_text(known)})"
            return name_text(value.name) + told + (f" {unit}" if unit else "")
        return self._computed(value)

    def action(self, node: ActionNode) -> str:
        """Return an action as an order."""
        given = {
            name: argument_formula(argument)
            if isinstance(argument, str | tuple)
            else self.value(argument)
            for name, argument in node.parameters.items()
        }
        order = _ORDERS[node.action](given)
        return order + (f" [{given['reason']}]" if "reason" in given else "")

    def _comparison(self, condition: Compare) -> str:
        left, right = condition.left, condition.right
        if isinstance(left, Field) and isinstance(right, Number) and left.name in _FLAGS:
            at_1, at_0 = (_HOLDS[condition.op](flag, right.value) for flag in (1.0, 0.0))
            if at_1 != at_0:
                return _FLAGS[left.name][0 if at_1 else 1]
        if left == Field("ticks_to_deadline") and isinstance(right, Number | Param):
            is_one = isinstance(right, Number) and right.value == 1
            ticks = f"{self.value(right)} {'tick is' if is_one else 'ticks are'}"
            return f"{_AMOUNTS[condition.op]} {ticks} left to its deadline"
        told = self.value(right, _unit(left))
        return f"{self.value(left, _unit(right))} {_OPS[condition.op]} {told}"

    def _computed(self, value: Compute) -> str:
        args = [self.value(argument) for argument in value.args]
        inner = [
            f"({told})" if isinstance(argument, Compute) else told
            for argument, told in zip(value.args, args, strict=True)
        ]
        if value.op in _INFIX:
            return f"{inner[0]} {_INFIX[value.op]} {inner[1]}"
        if value.op in _SUFFIX:
            return f"{inner[0]} {_SUFFIX[value.op]}"
        if value.op in {"max", "min"}:
            word = "larg" if value.op == "max" else "small"
            word += "er" if len(inner) == 2 else "est"  # noqa: PLR2004 - of two, or of more
            return inner[0] if len(inner) == 1 else f"the {word} of {_listed(inner, 'and')}"
        if value.op == "clamp":
            return f"{inner[0]} kept between {inner[1]} and {inner[2]}"
        if value.op == "div0":
            return f"{inner[0]} over {inner[1]}, or {inner[2]} where that is 0"
        return f"the size of {inner[0]}"


def _unit(value: Value) -> str:
    """Return the unit that a number compared with this value has, where it is plain."""
    if isinstance(value, Field):
        info = field_info(value.name)
        return info.unit if info is not None and info.unit in _WITH_UNIT else ""
    if isinstance(value, Compute) and value.op in {"+", "-", "max", "min", "abs"}:
        units = {_unit(argument) for argument in value.args}
        return units.pop() if len(units) == 1 else ""
    return ""


def _listed(parts: Sequence[str], word: str) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


_Given = Mapping[str, str]


def _release(given: _Given, what: str = "release it") -> str:
    flag = f" with priority {given['priority_flag']}" if "priority_flag" in given else ""
    tick = f" at tick {given['timed_for_tick']}" if "timed_for_tick" in given else ""
    return what + flag + tick


def _stagger(given: _Given) -> str:
    boost = given.get("priority_boost_children")
    raised = f", their priority raised by {boost}" if boost is not None else ""
    return (
        f"split it into {given['num_splits']} parts, release {given['stagger_first_now']} now and "
        f"one more every {given['stagger_gap_ticks']} ticks{raised}"
    )


def _budget(given: _Given) -> str:
    only = given.get("focus_counterparties")
    each = given.get("max_per_counterparty")
    return (
        f"release at most {given['max_value_to_release']} cents in this tick"
        + (f", only to {only}" if only is not None else "")
        + (f", at most {each} cents to each bank" if each is not None else "")
    )


def _post(given: _Given) -> str:
    ticks = given.get("auto_withdraw_after_ticks")
    back = f" and take it back after {ticks} ticks" if ticks is not None else ""
    return f"post {given['amount']} cents of collateral{back}"


_ORDERS: Final[Mapping[str, Callable[[_Given], str]]] = {
    "Release": _release,
    "ReleaseWithCredit": lambda given: _release(given, "release it, on credit too"),
    "Split": lambda given: f"split it into {given['num_splits']} parts and release them",
    "PaceAndRelease": lambda given: f"split it into {given['num_splits']} parts and release them",
    "StaggerSplit": _stagger,
    "Hold": lambda _: "hold it",
    "Drop": lambda _: "never pay it",
    "Reprioritize": lambda given: f"give it priority {given['new_priority']}",
    "WithdrawFromRtgs": lambda _: "take it back from Queue 2",
    "ResubmitToRtgs": lambda given: f"give it RTGS class {given['rtgs_priority']} in Queue 2",
    "SetReleaseBudget": _budget,
    "SetState": lambda given: f"set {given['key']} to {given['value']}",
    "AddState": lambda given: f"add {given['value']} to {given['key']}",
    "NoAction": lambda _: "do nothing",
    "PostCollateral": _post,
    "WithdrawCollateral": lambda given: f"take back {given['amount']} cents of collateral",
    "HoldCollateral": lambda _: "leave collateral as it is",
}
