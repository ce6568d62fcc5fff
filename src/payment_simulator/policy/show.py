"""Policies for people: drawn as trees, and told in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from payment_simulator.policy.formulas import action_formula, condition_formula, name_text
from payment_simulator.policy.phrases import Speaker
from payment_simulator.policy.tree import TREES, ActionNode, Node, Policy
from payment_simulator.wording import number_text, visible

_WHEN: Final = {
    "strategic_collateral_tree": "Collateral, at the start of a tick",
    "bank_tree": "The bank, at the start of a tick",
    "payment_tree": "Every payment, at every tick",
    "end_of_tick_collateral_tree": "Collateral, at the end of a tick",
}


def draw_policy(policy: Policy) -> str:
    """Return the trees of a policy drawn with lines.

    Parameters
    ----------
    policy : Policy
        A valid policy.

    Returns
    -------
    str
        Lines of plain text; control characters of names are written out.
    """
    lines: list[str] = []
    for name, tree in policy.trees():
        lines += [*([""] if lines else []), name, *_drawn(tree, policy)]
    return "\n".join(lines) if lines else "no trees: every payment is released at once"


def tell_policy(policy: Policy) -> str:
    """Return what a policy does in words, as lines of plain text; see `draw_policy`."""
    speaker = Speaker(policy.parameters)
    lines: list[str] = []
    for name in TREES:
        tree = getattr(policy, name)
        if tree is not None:
            lines += [f"{_WHEN[name]}:", *_told(tree, speaker)]
        elif name == "payment_tree":
            lines += [f"{_WHEN[name]}:", "  Release it."]
    return "\n".join(lines)


def parameter_texts(policy: Policy) -> list[tuple[str, str]]:
    """Return names and values of the parameters as texts, by name."""
    given = policy.parameters
    return [(name_text(name), number_text(given[name])) for name in sorted(given)]


def _drawn(root: Node, policy: Policy) -> Iterator[str]:
    waiting: list[tuple[Node, str, str]] = [(root, "", "")]
    while waiting:
        node, lead, indent = waiting.pop()
        head = f"{lead}{visible(node.node_id)}: "
        if isinstance(node, ActionNode):
            yield head + action_formula(node, policy.parameters)
            continue
        yield f"{head}{condition_formula(node.condition, policy.parameters)}"
        waiting.append((node.on_false, f"{indent}└─ no: ", f"{indent}   "))
        waiting.append((node.on_true, f"{indent}├─ yes: ", f"{indent}│  "))


def _told(root: Node, speaker: Speaker) -> Iterator[str]:
    waiting: list[tuple[Node, str, str]] = [(root, "  ", "")]
    while waiting:
        node, indent, opening = waiting.pop()
        if isinstance(node, ActionNode):
            order = speaker.action(node)
            yield indent + (f"{opening}: {order}." if opening else f"{_capital(order)}.")
            continue
        word = f"{opening}, if" if opening else "If"
        clause = f"{indent}{word} {speaker.condition(node.condition)}:"
        waiting.append((node.on_false, indent, "Otherwise"))
        if isinstance(node.on_true, ActionNode):
            yield f"{clause} {speaker.action(node.on_true)}."
        else:
            yield clause
            waiting.append((node.on_true, f"{indent}  ", ""))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
