"""Which nodes of two versions of a policy differ, node by node, for drawing them side by side.

Trees are aligned as :mod:`payment_simulator.policy.diff` tells them: from the roots downwards, as
long as both have the same shape; a fork that was put before what was there, or taken away from it,
is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from payment_simulator.policy.formulas import action_formula, condition_formula
from payment_simulator.policy.tree import TREES, ActionNode, ConditionNode, Node, Policy

Change: TypeAlias = Literal["added", "removed", "changed"]
#: Where a node stands: the name of its tree, and a ``y`` or ``n`` for each fork above it.
Place: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Mark:
    """How a node differs from the other version.

    Attributes
    ----------
    change : str
        ``added``, ``removed`` or ``changed``.
    other : str
        What stands there in the other version, as a formula; empty where nothing does.
    """

    change: Change
    other: str = ""


@dataclass(frozen=True)
class Alignment:
    """The marks of both versions, by the places of their nodes; what is equal has none.

    Attributes
    ----------
    old, new : Mapping of Place to Mark
    """

    old: Mapping[Place, Mark]
    new: Mapping[Place, Mark]


def align_policies(old: Policy, new: Policy) -> Alignment:
    """Return which nodes of two versions of a policy differ.

    Nodes that differ by their names alone are equal.
    """
    found = _Aligner(old, new)
    for tree in TREES:
        before, after = getattr(old, tree), getattr(new, tree)
        if before is not None and after is not None:
            found.align(tree, before, after)
        elif before is not None:
            found.removed(tree, "", before)
        elif after is not None:
            found.added(tree, "", after)
    return Alignment(found.old, found.new)


class _Aligner:
    """Goes down the trees of two policies together."""

    def __init__(self, old: Policy, new: Policy) -> None:
        self.old: dict[Place, Mark] = {}
        self.new: dict[Place, Mark] = {}
        self._old_parameters = old.parameters
        self._new_parameters = new.parameters
        self._numbers: dict[Any, int] = {}
        self._kinds: dict[int, int] = {}
        self._kept: list[Node] = []

    def align(self, tree: str, old: Node, new: Node) -> None:
        """Mark what differs between two trees."""
        waiting = [(old, "", new, "")]
        while waiting:
            before, old_path, after, new_path = waiting.pop()
            if self._kind(before) == self._kind(after):
                continue
            if self._is_inserted(tree, before, after, new_path):
                continue
            if self._is_removed(tree, before, old_path, after):
                continue
            if isinstance(before, ConditionNode) and isinstance(after, ConditionNode):
                if before.condition != after.condition:
                    self._changed((tree, old_path), before, (tree, new_path), after)
                pairs = (
                    (before.on_true, after.on_true, "y"),
                    (before.on_false, after.on_false, "n"),
                )
                for one, other, branch in pairs:
                    waiting.append((one, old_path + branch, other, new_path + branch))
            elif isinstance(before, ActionNode) and isinstance(after, ActionNode):
                self._changed((tree, old_path), before, (tree, new_path), after)
            else:
                self.removed(tree, old_path, before)
                self.added(tree, new_path, after)

    def added(self, tree: str, path: str, root: Node) -> None:
        """Mark a node of the new version, and all below it."""
        for place, _ in _below(path, root):
            self.new[tree, place] = Mark("added")

    def removed(self, tree: str, path: str, root: Node) -> None:
        """Mark a node of the old version, and all below it."""
        for place, _ in _below(path, root):
            self.old[tree, place] = Mark("removed")

    def _changed(self, old_place: Place, old: Node, new_place: Place, new: Node) -> None:
        self.old[old_place] = Mark("changed", _formula(new, self._new_parameters))
        self.new[new_place] = Mark("changed", _formula(old, self._old_parameters))

    def _is_inserted(self, tree: str, old: Node, new: Node, path: str) -> bool:
        """Tell whether a fork was put before what was there, and mark it if so."""
        if isinstance(new, ConditionNode):
            branches = (("n", new.on_true, new.on_false), ("y", new.on_false, new.on_true))
            for branch, kept, more in branches:
                if self._kind(kept) == self._kind(old):
                    self.new[tree, path] = Mark("added")
                    self.added(tree, path + branch, more)
                    return True
        return False

    def _is_removed(self, tree: str, old: Node, path: str, new: Node) -> bool:
        """Tell whether a fork was taken away from what is left, and mark it if so."""
        if isinstance(old, ConditionNode):
            branches = (("n", old.on_true, old.on_false), ("y", old.on_false, old.on_true))
            for branch, kept, more in branches:
                if self._kind(kept) == self._kind(new):
                    self.old[tree, path] = Mark("removed")
                    self.removed(tree, path + branch, more)
                    return True
        return False

    def _kind(self, node: Node) -> int:
        """Return a number that trees share if and only if they differ in names of nodes alone."""
        known = self._kinds.get(id(node))
        if known is None:
            key: Any
            if isinstance(node, ActionNode):
                key = (
                    node.action,
                    tuple(sorted(node.parameters.items(), key=lambda item: item[0])),
                )
            else:
                key = (node.condition, self._kind(node.on_true), self._kind(node.on_false))
            known = self._numbers.setdefault(key, len(self._numbers))
            self._kinds[id(node)] = known
            self._kept.append(node)  # its id must stay its own
        return known


def _below(path: str, root: Node) -> Iterator[tuple[str, Node]]:
    """Go through a node and all below it, with their paths."""
    waiting = [(path, root)]
    while waiting:
        place, node = waiting.pop()
        yield place, node
        if isinstance(node, ConditionNode):
            waiting += [(f"{place}n", node.on_false), (f"{place}y", node.on_true)]


def _formula(node: Node, parameters: Mapping[str, float]) -> str:
    if isinstance(node, ActionNode):
        return action_formula(node, parameters)
    return condition_formula(node.condition, parameters)
