"""Random valid policies: every action, field, operation and tree.

Values stay finite and amounts bounded, so that a policy can be played on any scenario: what divides
is a constant or ``div0``, registers and amounts are clamped, and parts of a split are never split
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from hypothesis import strategies as st

from payment_simulator.policy import ACTIONS, FIELDS, Policy
from payment_simulator.policy.actions import ActionInfo, ParameterInfo
from payment_simulator.policy.grammar import COMPARISONS
from payment_simulator.policy.tree import (
    TREES,
    ActionNode,
    And,
    Compare,
    Compute,
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

REGISTERS = ("bank_state_a", "bank_state_B2", "bank_state_cooldown")
PARAMETERS = ("threshold", "share", "initial_liquidity_fraction")
SPLITS = ("Split", "PaceAndRelease", "StaggerSplit")

#: Texts that JSON can hold.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 0.1, 2.0, 10.0, 1000.0, 1e6, 5e4]),
    st.integers(-(10**7), 10**7).map(float),
    st.floats(-100, 100).map(lambda x: x + 0.0),
)
DIVISORS = st.sampled_from([0.5, 2.0, 3.0, -4.0, 100.0])
#: How far the parameters of actions may go; they are clamped to it.
RANGES = {
    "timed_for_tick": (0, 200),
    "num_splits": (0, 5),
    "stagger_first_now": (0, 5),
    "stagger_gap_ticks": (0, 4),
    "priority_boost_children": (-2, 12),
    "new_priority": (-2, 12),
    "max_value_to_release": (-2, 10**9),
    "max_per_counterparty": (-2, 10**9),
    "value": (-(10**6), 10**6),
    "amount": (-100, 10**9),
    "auto_withdraw_after_ticks": (0, 20),
}


@st.composite
def values(draw: st.DrawFn, tree: str, depth: int = 2) -> Value:
    """Draw a value that a tree can compute."""
    form = draw(st.integers(0, 5 if depth else 3))
    if form <= 1:
        return draw(NUMBERS.map(Number) if form else st.sampled_from(PARAMETERS).map(Param))
    if form <= 3:
        sees_payment = tree == "payment_tree"
        seen = [name for name, info in FIELDS.items() if sees_payment or not info.payment_only]
        return Field(draw(st.sampled_from(seen) | st.sampled_from(REGISTERS)))
    below = values(tree, depth - 1)
    op = draw(st.sampled_from(["+", "-", "*", "/", "div0", "max", "min", "clamp", "one"]))
    if op == "/":
        return Compute(op, (draw(below), Number(draw(DIVISORS))))
    if op == "one":
        return Compute(draw(st.sampled_from(["ceil", "floor", "round", "abs"])), (draw(below),))
    if op in {"max", "min"}:
        return Compute(op, tuple(draw(st.lists(below, min_size=1, max_size=3))))
    n_args = 3 if op in {"div0", "clamp"} else 2
    return Compute(op, tuple(draw(below) for _ in range(n_args)))


@st.composite
def conditions(draw: st.DrawFn, tree: str, depth: int = 2) -> Condition:
    """Draw a condition."""
    form = draw(st.integers(0, 4 if depth else 1))
    if form <= 1:
        left, right = draw(values(tree)), draw(values(tree, 1))
        return Compare(draw(st.sampled_from(COMPARISONS)), left, right)
    if form == 2:
        return Not(draw(conditions(tree, depth - 1)))
    parts = tuple(draw(st.lists(conditions(tree, depth - 1), min_size=1, max_size=3)))
    return And(parts) if form == 3 else Or(parts)


@st.composite
def actions(draw: st.DrawFn, tree: str, bank_ids: Sequence[str], info: ActionInfo) -> ActionNode:
    """Draw an action of one kind with what it needs, and some of what it may be given."""
    given = {}
    for parameter in info.parameters:
        if parameter.required or draw(st.booleans()):
            given[parameter.name] = draw(_argument(parameter, tree, bank_ids))
    return ActionNode("", info.name, given)


@st.composite
def _argument(
    draw: st.DrawFn, info: ParameterInfo, tree: str, bank_ids: Sequence[str]
) -> Value | str | tuple[str, ...]:
    if info.kind == "names":
        chosen = st.lists(st.sampled_from(list(bank_ids)), min_size=1, unique=True)
        return tuple(draw(chosen))
    if info.kind == "word":
        if info.name == "key":
            return draw(st.sampled_from(REGISTERS))
        return draw(st.sampled_from(info.choices) if info.choices else TEXTS)
    low, high = RANGES[info.name]
    if draw(st.booleans()):
        least = max(low, info.low) if info.low is not None else low
        most = min(high, info.high) if info.high is not None else high
        return Number(float(draw(st.integers(int(least), int(most)))))
    bounds = (Number(float(low)), Number(float(high)))
    return Compute("clamp", (draw(values(tree)), *bounds))


@st.composite
def trees(
    draw: st.DrawFn,
    tree: str,
    bank_ids: Sequence[str],
    depth: int = 3,
    *,
    with_splits: bool = True,
) -> Node:
    """Draw a tree; one that splits asks first whether the payment is a part already."""
    root = draw(_nodes(tree, bank_ids, depth, with_splits))
    if _splits(root):
        is_part = Compare("==", Field("is_split"), Number(1.0))
        for_parts = draw(_nodes(tree, bank_ids, max(depth - 1, 0), with_splits=False))
        root = ConditionNode("", is_part, for_parts, root)
    return _named(root, draw(st.sampled_from(["n", "node ", "Ä/[b]\u202e", "N."])))


@st.composite
def _nodes(
    draw: st.DrawFn, tree: str, bank_ids: Sequence[str], depth: int, with_splits: bool
) -> Node:
    if depth and draw(st.integers(0, 3)):
        below = _nodes(tree, bank_ids, depth - 1, with_splits)
        condition = draw(conditions(tree, draw(st.sampled_from([0, 0, 1, 2]))))
        return ConditionNode("", condition, draw(below), draw(below))
    allowed = [
        info
        for info in ACTIONS.values()
        if tree in info.trees and (with_splits or info.name not in SPLITS)
    ]
    return draw(actions(tree, bank_ids, draw(st.sampled_from(allowed))))


def _splits(node: Node) -> bool:
    if isinstance(node, ActionNode):
        return node.action in SPLITS
    return _splits(node.on_true) or _splits(node.on_false)


def _named(root: Node, stem: str) -> Node:
    """Give every node a name of its own."""
    numbers = count(1)

    def name(node: Node) -> Node:
        named = f"{stem}{next(numbers)}"
        if isinstance(node, ActionNode):
            return replace(node, node_id=named)
        on_true = name(node.on_true)
        return replace(node, node_id=named, on_true=on_true, on_false=name(node.on_false))

    return name(root)


@st.composite
def policies(draw: st.DrawFn, bank_ids: list[str], depth: int = 3) -> Policy:
    """Draw a valid policy.

    Parameters
    ----------
    bank_ids : list of str
        Banks that it may name.
    depth : int
        The most forks from the root of a tree to a leaf; one more where a tree splits payments.
    """
    shares = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.999, 1.0])
    return Policy(
        policy_id=draw(TEXTS.filter(lambda text: text.strip() != "")),
        version=draw(st.sampled_from(["1.0", "2", "x"])),
        description=draw(TEXTS),
        parameters={
            "threshold": draw(NUMBERS),
            "share": draw(shares),
            "initial_liquidity_fraction": draw(shares),
        },
        **{
            name: draw(trees(name, bank_ids, depth))
            for name in TREES
            if draw(st.booleans() if name != "payment_tree" else st.integers(0, 9).map(bool))
        },
    )
