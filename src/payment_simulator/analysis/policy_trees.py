"""Policies drawn as trees in HTML, and what differs between two of them.

The HTML is lists within lists, and needs nothing but the style of :func:`policy_tree_css`: no
script, no picture, no style of its own. Every text of a policy is escaped, with control and
direction characters written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from typing import Final, Literal, TypeAlias

from payment_simulator.analysis.policy_alignment import Alignment, Mark, Place, align_policies
from payment_simulator.policy.formulas import action_formula, condition_formula, name_text
from payment_simulator.policy.tree import ActionNode, ConditionNode, Node, Policy, nodes
from payment_simulator.wording import number_text, visible

Side: TypeAlias = Literal["old", "new"]
#: When a tick asks each tree.
TREE_TITLES: Final[Mapping[str, str]] = {
    "strategic_collateral_tree": "Collateral, at the start of a tick",
    "bank_tree": "The bank, at the start of a tick",
    "payment_tree": "Every payment, at every tick",
    "end_of_tick_collateral_tree": "Collateral, at the end of a tick",
}
#: A tree with more leaves, or deeper, is drawn from left to right, where it needs no great width.
_WIDEST: Final = 6
_DEEPEST: Final = 5
#: A tree with more nodes is drawn in part.
_MOST_NODES: Final = 1500
_SIGNS: Final = {"added": "+", "removed": "\N{MINUS SIGN}", "changed": "\N{NOT EQUAL TO}"}
_OTHER: Final = {"old": "becomes", "new": "was"}


def policy_tree_css() -> str:
    """Return the style of what this module draws, for light and dark pages and for print.

    A page is dark where the system is, or where an element above says ``data-theme="dark"``;
    ``data-theme="light"`` on the root keeps it light.
    """
    sheet = files("payment_simulator.analysis").joinpath("style/policy_trees.css")
    return sheet.read_text(encoding="utf-8")


def policy_tree_html(policy: Policy, other: Policy | None = None, *, side: Side = "new") -> str:
    """Return a policy as HTML: its parameters, and its trees drawn.

    Parameters
    ----------
    policy : Policy
        What is drawn.
    other : Policy, optional
        Another version: nodes and parameters that differ from it are marked, with classes
        ``added``, ``removed`` and ``changed``, by a sign, and in words.
    side : str
        Which of the two versions ``policy`` is, ``old`` or ``new``.

    Returns
    -------
    str
        One element of HTML.
    """
    parts = [parameters_html(policy, other, side=side), *_trees(policy, other, side)]
    return f'<div class="policy policy-{side}">{"".join(parts)}</div>'


def trees_html(policy: Policy, other: Policy | None = None, *, side: Side = "new") -> str:
    """Return the trees of a policy alone; see :func:`policy_tree_html`."""
    return f'<div class="policy policy-{side}">{"".join(_trees(policy, other, side))}</div>'


def parameters_html(policy: Policy, other: Policy | None = None, *, side: Side = "new") -> str:
    """Return the parameters of a policy as a table; those of another version beside them.

    Parameters
    ----------
    policy, other, side
        As in :func:`policy_tree_html`.

    Returns
    -------
    str
        A table of HTML, old values before new ones; a line that says so where there are none.
    """
    if other is None:
        rows = [
            f"<tr><td>{_name(name)}</td><td>{_number(policy.parameters[name])}</td></tr>"
            for name in sorted(policy.parameters)
        ]
        heads = '<th scope="col">parameter</th><th scope="col">value</th>'
    else:
        old, new = (policy, other) if side == "old" else (other, policy)
        rows = list(_compared(old.parameters, new.parameters))
        heads = "".join(
            f'<th scope="col">{head}</th>' for head in ("parameter", "old", "new", "change")
        )
    if not rows:
        return '<p class="policy-none">no parameters</p>'
    return (
        f'<table class="policy-parameters"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _compared(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        texts = [_number(before), _number(after)]
        if before == after:
            opening, word = "<tr>", ""
        else:
            change = "added" if before is None else "removed" if after is None else "changed"
            opening, word = f'<tr class="{change}">', _word(change)
            if texts[0] == texts[1]:  # the difference is in a late digit
                texts = [repr(before), repr(after)]
        cells = "".join(f"<td>{text}</td>" for text in texts)
        yield f"{opening}<td>{_name(name)}</td>{cells}<td>{word}</td></tr>"


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else escape(number_text(value))


def _trees(policy: Policy, other: Policy | None, side: Side) -> Iterator[str]:
    marks: Mapping[Place, Mark] = {}
    if other is not None:
        found = _aligned(policy, other, side)
        marks = found.old if side == "old" else found.new
    for name, root in policy.trees():
        yield (
            '<figure class="policy-tree"><figcaption>'
            f"{escape(TREE_TITLES[name])} <code>{name}</code></figcaption>"
            f'<div class="policy-scroll" tabindex="0" role="group" aria-label="{name}">'
            f'<ul class="tree {_layout(root)}">{_Drawing(policy, name, marks, side).of(root)}</ul>'
            "</div></figure>"
        )
    if policy.payment_tree is None:
        yield '<p class="policy-none">no payment tree: every payment is released at once</p>'


def _aligned(policy: Policy, other: Policy, side: Side) -> Alignment:
    return align_policies(policy, other) if side == "old" else align_policies(other, policy)


def _layout(root: Node) -> str:
    """Return whether a tree is drawn with its root above, or, where it is large, at the left."""
    depth, leaves = 0, 0
    level = [root]
    while level:
        depth += 1
        leaves += sum(isinstance(node, ActionNode) for node in level)
        below = [node for node in level if isinstance(node, ConditionNode)]
        level = [branch for node in below for branch in (node.on_true, node.on_false)]
    return "tree-long" if leaves > _WIDEST or depth > _DEEPEST else "tree-wide"


class _Drawing:
    """Draws one tree."""

    def __init__(self, policy: Policy, tree: str, marks: Mapping[Place, Mark], side: Side) -> None:
        self._parameters = policy.parameters
        self._tree = tree
        self._marks = marks
        self._side = side
        self._room = _MOST_NODES

    def of(self, root: Node) -> str:
        """Return the items of a tree, from its root."""
        return "".join(self._items(root))

    def _items(self, root: Node) -> Iterator[str]:
        # Pieces of text wait among the nodes, so that no tree is too deep to be drawn.
        waiting: list[str | tuple[Node, str]] = [(root, "")]
        while waiting:
            found = waiting.pop()
            if isinstance(found, str):
                yield found
                continue
            node, path = found
            yield self._opening(path)
            if self._room <= 0:
                count = sum(1 for _ in nodes(node))
                yield f'<div class="node more">{count:,} more nodes</div></li>'
                continue
            self._room -= 1
            yield self._box(node, path)
            if isinstance(node, ConditionNode):
                yield "<ul>"
                branches = ((node.on_false, f"{path}n"), (node.on_true, f"{path}y"))
                waiting += ["</ul></li>", *branches]
            else:
                yield "</li>"

    @staticmethod
    def _opening(path: str) -> str:
        if not path:
            return "<li>"
        branch = "yes" if path[-1] == "y" else "no"
        return f'<li class="{branch}"><span class="branch">{branch}</span>'

    def _box(self, node: Node, path: str) -> str:
        if isinstance(node, ActionNode):
            kind, formula = "action", action_formula(node, self._parameters)
        else:
            kind, formula = "fork", condition_formula(node.condition, self._parameters)
        mark = self._marks.get((self._tree, path))
        change = f" {mark.change}" if mark else ""
        lines = [
            f'<span class="node-name">{_isolated(node.node_id)}</span>',
            _word(mark.change) if mark else "",
            f"<code>{escape(visible(formula))}{'?' if kind == 'fork' else ''}</code>",
        ]
        if mark and mark.other:
            lines.append(
                f'<span class="node-other">{_OTHER[self._side]} '
                f"<code>{escape(visible(mark.other))}</code></span>"
            )
        return f'<div class="node {kind}{change}">{"".join(lines)}</div>'


def _word(change: str) -> str:
    return f'<span class="mark"><span aria-hidden="true">{_SIGNS[change]} </span>{change}</span>'


def _name(name: str) -> str:
    return f"<code>{_isolated(name_text(name))}</code>"


def _isolated(text: str) -> str:
    """Return a text whose letters, whatever their direction, leave those around it in place."""
    return f"<bdi>{escape(visible(text))}</bdi>"
