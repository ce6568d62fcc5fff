"""Checks conditions and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from payment_simulator.policy.actions import PAYMENT_TREES
from payment_simulator.policy.fields import (
    FIELDS,
    MAX_REGISTERS,
    REGISTER_PREFIX,
    is_register,
)
from payment_simulator.policy.findings import Findings, Place
from payment_simulator.policy.grammar import (
    COMPARISONS,
    LOGIC,
    MAX_EXPRESSION,
    OPERATIONS,
    VALUE_FORMS,
)
from payment_simulator.wording import nearest, quoted, shown


@dataclass(frozen=True)
class Sight:
    """What the expressions of one tree may name.

    Attributes
    ----------
    tree : str
        Name of the tree.
    parameters : frozenset of str
        Parameters that the policy gives.
    registers : dict of str to None
        State registers named so far in the whole policy; grows.
    """

    tree: str
    parameters: frozenset[str]
    registers: dict[str, None]

    def fields(self) -> list[str]:
        """Return the fields that the tree sees."""
        in_payments = self.tree in PAYMENT_TREES
        return [name for name, info in FIELDS.items() if in_payments or not info.payment_only]


def check_register(findings: Findings, sight: Sight, name: str, place: Place) -> None:
    """Check the name of a state register, and that there are not too many of them."""
    if not is_register(name):
        findings.say(
            place,
            f"{quoted(name)} is not the name of a register; expected {REGISTER_PREFIX} and "
            "1 to 64 letters, digits or underscores",
        )
        return
    was_full = len(sight.registers) > MAX_REGISTERS
    sight.registers[name] = None
    if len(sight.registers) > MAX_REGISTERS and not was_full:
        findings.say(
            place, f"{quoted(name)} is one register too many; a policy has at most {MAX_REGISTERS}"
        )


def check_condition(
    findings: Findings, sight: Sight, data: Any, place: Place, depth: int = 1
) -> None:
    """Check a condition and all within it."""
    if not _is_part(findings, data, place, "a condition", depth):
        return
    op = data.get("op")
    if op is None and "op" not in data:
        findings.say(place, f'a condition has no "op"; expected one of {_all_conditions()}')
    elif isinstance(op, str) and op in COMPARISONS:
        findings.check_keys(data, place, ["op", "left", "right"])
        for side in ("left", "right"):
            if side in data:
                check_value(findings, sight, data[side], place.down(side), depth + 1)
    elif isinstance(op, str) and op in LOGIC:
        key = LOGIC[op]
        findings.check_keys(data, place, ["op", key])
        if key in data and key == "condition":
            check_condition(findings, sight, data[key], place.down(key), depth + 1)
        elif key in data:
            for number, part in enumerate(_items(findings, data[key], place, key)):
                below = place.down(key).down(number)
                check_condition(findings, sight, part, below, depth + 1)
    else:
        known = [*COMPARISONS, *LOGIC]
        near = (
            nearest(op, LOGIC)
            if isinstance(op, str) and op.isalpha()
            else "known: " + (" ".join(known))
        )
        findings.say(place, f"condition {shown(op)} is not known; {near}")


def check_value(findings: Findings, sight: Sight, data: Any, place: Place, depth: int = 1) -> None:
    """Check a value and all within it."""
    if isinstance(data, int | float) and not isinstance(data, bool):
        findings.count_part()
        findings.say(place, f'a number is written {{"value": {shown(data)}}}, not {shown(data)}')
        return
    if not _is_part(findings, data, place, "a value", depth):
        return
    forms = [form for form in VALUE_FORMS if form in data]
    if len(forms) != 1:
        given = " and ".join(forms) or "none of them"
        findings.say(place, f"a value has one of {', '.join(VALUE_FORMS)}; found {given}")
        if not forms:
            findings.check_keys(data, place, [], VALUE_FORMS)
        return
    form = forms[0]
    findings.check_keys(data, place, [form])
    given = data[form]
    if form == "value":
        findings.is_number(given, place, "value")
    elif form == "compute":
        _check_compute(findings, sight, given, place.down("compute"), depth)
    elif findings.is_text(given, place, form):
        if form == "param":
            if given not in sight.parameters:
                near = nearest(given, sight.parameters)
                findings.say(place, f"parameter {quoted(given)} is not given; {near}")
        else:
            _check_field(findings, sight, given, place)


def _check_field(findings: Findings, sight: Sight, name: str, place: Place) -> None:
    if name.startswith(REGISTER_PREFIX):
        check_register(findings, sight, name, place)
    elif name not in FIELDS:
        near = nearest(name, sight.fields())
        findings.say(place, f"field {quoted(name)} is not known; {near}")
    elif FIELDS[name].payment_only and sight.tree not in PAYMENT_TREES:
        findings.say(place, f"field {quoted(name)} is seen in payment_tree only")


def _check_compute(findings: Findings, sight: Sight, data: Any, place: Place, depth: int) -> None:
    if not findings.is_object(data, place, "an operation"):
        return
    op = data.get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        if "op" not in data:
            findings.say(place, f'an operation has no "op"; expected one of {" ".join(OPERATIONS)}')
        else:
            words = [name for name in OPERATIONS if name.isalnum()]
            near = (
                nearest(op, words)
                if isinstance(op, str) and op.isalnum()
                else "known: " + (" ".join(OPERATIONS))
            )
            findings.say(place, f"operation {shown(op)} is not known; {near}")
        return
    keys = OPERATIONS[op]
    findings.check_keys(data, place, ["op", *keys])
    for key in keys:
        if key == "values" and key in data:
            for number, part in enumerate(_items(findings, data[key], place, key)):
                check_value(findings, sight, part, place.down(key).down(number), depth + 1)
        elif key in data:
            check_value(findings, sight, data[key], place.down(key), depth + 1)


def _is_part(findings: Findings, data: Any, place: Place, what: str, depth: int) -> bool:
    """Count a condition or value and check that it can be looked at."""
    findings.count_part()
    if depth > MAX_EXPRESSION:
        findings.say(place, f"conditions and values are nested more than {MAX_EXPRESSION} deep")
        return False
    return findings.is_object(data, place, what)


def _items(findings: Findings, data: Any, place: Place, key: str) -> list[Any]:
    if isinstance(data, list | tuple) and data:
        return list(data)
    given = "an empty list" if isinstance(data, list | tuple) else shown(data)
    findings.say(place, f"{key} is {given}; expected a list of at least one")
    return []


def _all_conditions() -> str:
    return " ".join((*COMPARISONS, *LOGIC))
