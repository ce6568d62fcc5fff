"""What changed from one policy to another, in words."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from payment_simulator.policy.formulas import (
    action_formula,
    argument_formula,
    condition_formula,
    name_text,
)
from payment_simulator.policy.tree import TREES, ActionNode, ConditionNode, Node, Policy, nodes
from payment_simulator.policy.write import condition_dict, node_dict
from payment_simulator.wording import number_text, quoted

#: A longer formula is cut.
_FORMULA: Final = 160


def diff_policies(old: Policy, new: Policy) -> list[str]:
    """Say what changed from one policy to another.

    Parameters
    ----------
    old, new : Policy
        Valid policies.

    Returns
    -------
    list of str
        One line for each change, in a fixed order: names, parameters by name, trees from their
        roots downwards. Empty if the policies are equal.
    """
    lines = []
    for what in ("policy_id", "version"):
        before, after = getattr(old, what), getattr(new, what)
        if before != after:
            lines.append(f"{what}: {quoted(before)} -> {quoted(after)}")
    if old.description != new.description:
        lines.append("description: changed")
    lines += _parameters(old, new)
    for name in TREES:
        lines += _trees(name, getattr(old, name), getattr(new, name))
    return lines


def _parameters(old: Policy, new: Policy) -> list[str]:
    lines = []
    for name in sorted({*old.parameters, *new.parameters}):
        before, after = old.parameters.get(name), new.parameters.get(name)
        if before == after:
            continue
        label = f"parameter {name_text(name)}"
        if before is None:
            lines.append(f"{label}: added, {_number(after)}")
        elif after is None:
            lines.append(f"{label}: removed, was {_number(before)}")
        elif _number(before) == _number(after):  # the difference is in a late digit
            lines.append(f"{label}: {before!r} -> {after!r}")
        else:
            lines.append(f"{label}: {_number(before)} -> {_number(after)}")
    return lines


def _number(value: float | None) -> str:
    return "nothing" if value is None else number_text(value)


def _trees(name: str, old: Node | None, new: Node | None) -> list[str]:
    if old is None or new is None:
        if old is new:
            return []
        tree, what = (new, "added") if old is None else (old, "removed")
        count = sum(1 for _ in nodes(tree)) if tree is not None else 0
        return [f"{name}: {what}, {count} {'node' if count == 1 else 'nodes'}"]
    lines = _Comparison(name).compare(old, new)
    renamed = sum(a.node_id != b.node_id for a, b in zip(nodes(old), nodes(new), strict=False))
    if not lines and renamed:
        lines = [f"{name}: {renamed} {'node is' if renamed == 1 else 'nodes are'} named anew"]
    return lines


class _Comparison:
    """Compares two versions of one tree."""

    def __init__(self, tree: str) -> None:
        self._tree = tree
        self._marks: dict[int, bytes] = {}

    def compare(self, old: Node, new: Node) -> list[str]:
        """Go down both trees together, as long as they have the same shape."""
        lines = []
        waiting = [(old, new)]
        while waiting:
            before, after = waiting.pop()
            if self._mark(before) == self._mark(after):
                continue
            if isinstance(before, ConditionNode) and isinstance(after, ConditionNode):
                step = self._inserted(before, after) or self._removed(before, after)
                if step is None:
                    if before.condition != after.condition:
                        change = _change(
                            condition_formula(before.condition), condition_formula(after.condition)
                        )
                        lines.append(f"{self._at(after)}: condition {change}")
                    waiting.append((before.on_false, after.on_false))
                    waiting.append((before.on_true, after.on_true))
                    continue
            elif isinstance(before, ActionNode) and isinstance(after, ActionNode):
                lines.append(f"{self._at(after)}: {_actions(before, after)}")
                continue
            else:
                step = self._inserted(before, after) or self._removed(before, after)
            if step is not None:
                lines.append(step)
            else:
                lines.append(f"{self._at(after)}: was {_summary(before)}, is {_summary(after)}")
        return lines

    def _inserted(self, old: Node, new: Node) -> str | None:
        """Say that a fork was put before what was there, if that is all."""
        if not isinstance(new, ConditionNode):
            return None
        formula = _cut(condition_formula(new.condition))
        for branch, kept, other in (
            ("yes", new.on_true, new.on_false),
            ("no", new.on_false, new.on_true),
        ):
            if self._mark(kept) == self._mark(old):
                opposite = "no" if branch == "yes" else "yes"
                return (
                    f"{self._at(new)}: new fork {formula}; {opposite}: {_summary(other)}; "
                    f"{branch}: as before"
                )
        return None

    def _removed(self, old: Node, new: Node) -> str | None:
        """Say that a fork was taken away, if that is all."""
        if not isinstance(old, ConditionNode):
            return None
        formula = _cut(condition_formula(old.condition))
        for branch, kept in (("yes", old.on_true), ("no", old.on_false)):
            if self._mark(kept) == self._mark(new):
                return f"{self._at(old)}: fork {formula} removed; its {branch} is left"
        return None

    def _at(self, node: Node) -> str:
        return f"{self._tree}, node {quoted(node.node_id)}"

    def _mark(self, node: Node) -> bytes:
        """Return what tells apart trees that differ in more than their identifiers."""
        if id(node) not in self._marks:
            if isinstance(node, ActionNode):
                text = str({**node_dict(node), "node_id": ""}).encode("utf-8", "backslashreplace")
            else:
                text = str(condition_dict(node.condition)).encode("utf-8", "backslashreplace")
                text += self._mark(node.on_true) + self._mark(node.on_false)
            self._marks[id(node)] = sha256(text).digest()
        return self._marks[id(node)]


def _actions(before: ActionNode, after: ActionNode) -> str:
    if before.action != after.action:
        return f"action {_change(action_formula(before), action_formula(after))}"
    changes = []
    for name in sorted({*before.parameters, *after.parameters}):
        old, new = before.parameters.get(name), after.parameters.get(name)
        if old != new:
            texts = (
                "nothing" if given is None else argument_formula(given) for given in (old, new)
            )
            changes.append(f"{name} {_change(*texts)}")
    return f"{after.action}: {'; '.join(changes)}"


def _summary(node: Node) -> str:
    if isinstance(node, ActionNode):
        return _cut(action_formula(node))
    count = sum(1 for _ in nodes(node))
    return f"a fork on {_cut(condition_formula(node.condition))} with {count} nodes"


def _change(old: str, new: str) -> str:
    return f"{_cut(old)} -> {_cut(new)}"


def _cut(text: str) -> str:
    return text if len(text) <= _FORMULA else f"{text[:_FORMULA]}..."
