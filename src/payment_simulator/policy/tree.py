"""The decision trees of a policy as plain immutable values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Field:
    """Something the bank sees, by the name in :mod:`payment_simulator.policy.fields`."""

    name: str


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of the policy."""

    name: str


@dataclass(frozen=True, slots=True)
class Compute:
    """An operation on values.

    Attributes
    ----------
    op : str
        ``+ - * /`` (two arguments), ``max min`` (one or more), ``ceil floor round abs`` (one),
        ``clamp`` (value, min, max), ``div0`` (numerator, denominator, default).
    args : tuple of Value
        In the order given above.
    """

    op: str
    args: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison; ``op`` is one of ``== != < <= > >=``."""

    op: str
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class And:
    """True when all conditions are; looks no further than the first that is false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True when any condition is; looks no further than the first that is true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the condition is false."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """A fork."""

    node_id: str
    condition: Condition
    on_true: Node
    on_false: Node


@dataclass(frozen=True, slots=True)
class ActionNode:
    """A leaf: what to do.

    Attributes
    ----------
    parameters : Mapping
        A value to compute, a word (``priority_flag``, ``rtgs_priority``, ``key``, ``reason``), or
        names of banks (``focus_counterparties``).
    """

    node_id: str
    action: str
    parameters: Mapping[str, Value | str | tuple[str, ...]] = field(default_factory=dict)


Value: TypeAlias = Number | Field | Param | Compute
Condition: TypeAlias = Compare | And | Or | Not
Node: TypeAlias = ConditionNode | ActionNode

#: The trees a policy may have, in the order in which a tick asks them.
TREES = (
    "strategic_collateral_tree",
    "bank_tree",
    "payment_tree",
    "end_of_tick_collateral_tree",
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a bank decides; a tree that is missing decides nothing, a payment tree releases all.

    Attributes
    ----------
    parameters : Mapping of str to float
        Numbers that trees refer to by name. ``initial_liquidity_fraction`` also sets the share of
        the liquidity pool that the bank funds at the open.
    """

    policy_id: str
    version: str = "1.0"
    description: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    payment_tree: Node | None = None
    bank_tree: Node | None = None
    strategic_collateral_tree: Node | None = None
    end_of_tick_collateral_tree: Node | None = None

    def trees(self) -> Iterator[tuple[str, Node]]:
        """Go through the trees that the policy has, with their names."""
        for name in TREES:
            tree = getattr(self, name)
            if tree is not None:
                yield name, tree


def nodes(root: Node) -> Iterator[Node]:
    """Go through a tree from its root, the true branch of a fork before the false one."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ConditionNode):
            waiting += [node.on_false, node.on_true]
