"""Policies drawn as trees in HTML, and what differs between two of them."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from payment_simulator.analysis.policy_alignment import Mark, align_policies
from payment_simulator.analysis.policy_trees import (
    parameters_html,
    policy_tree_css,
    policy_tree_html,
)
from payment_simulator.policy import Policy, builtin, builtin_names
from payment_simulator.policy.diff import diff_policies
from payment_simulator.policy.tree import (
    ActionNode,
    Compare,
    ConditionNode,
    Field,
    Node,
    Number,
    Param,
    nodes,
)

HOLD, RELEASE = ActionNode("h", "Hold"), ActionNode("r", "Release")
TREE = "payment_tree"


def fork(name: str, number: float, on_true: Node = HOLD, on_false: Node = RELEASE) -> Node:
    return ConditionNode(name, Compare("<=", Field("balance"), Number(number)), on_true, on_false)


def policy(tree: Node | None, **parameters: float) -> Policy:
    return Policy("p", payment_tree=tree, parameters=parameters)


class Page(HTMLParser):
    """What a browser makes of HTML: that it is well formed, its classes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.classes: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.tags: set[str] = set()
        self.deepest = 0
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.deepest = max(self.deepest, len(self.open))
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.classes += (dict(attrs).get("class") or "").split()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words(html: str) -> str:
    return " ".join(" ".join(Page(html).text).split())


def marked(html: str) -> dict[str, str]:
    """Return the change of each marked node, by its name."""
    boxes = re.findall(
        r'<div class="node \w+ ?(\w*)"><span class="node-name"><bdi>(.*?)</bdi>', html
    )
    return {name: change for change, name in boxes if change}


@pytest.mark.parametrize("name", builtin_names())
def test_every_policy_of_the_library_is_drawn(name: str):
    drawn = builtin(name)
    page = Page(policy_tree_html(drawn))
    count = sum(sum(1 for _ in nodes(tree)) for _, tree in drawn.trees())
    assert page.classes.count("node") == count
    assert not {"added", "removed", "changed"} & set(page.classes)
    for parameter in drawn.parameters:
        assert parameter in " ".join(page.text)


def test_branches_are_told_by_word():
    html = policy_tree_html(policy(fork("f", 5)))
    assert words(html) == (
        "no parameters Every payment, at every tick payment_tree "
        "f balance <= 5? yes h Hold no r Release"
    )


def test_a_policy_without_a_payment_tree_says_what_it_does():
    assert "every payment is released at once" in words(policy_tree_html(policy(None)))
    assert "every payment" not in words(policy_tree_html(policy(HOLD))).replace("Every", "")


HOSTILE = "</code><script>alert(1)</script>\u202e\x1b[31m\x00\n'\"&"


def test_no_text_becomes_markup():
    tree = ConditionNode(
        HOSTILE,
        Compare("<=", Field(HOSTILE), Param(HOSTILE)),
        ActionNode(HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "key": (HOSTILE,)}),
        RELEASE,
    )
    hostile = policy(tree, **{HOSTILE: 1.0})
    other = policy(fork("f", 1), **{HOSTILE: 2.0})
    html = (
        policy_tree_html(hostile)
        + policy_tree_html(hostile, other, side="old")
        + policy_tree_html(other, hostile, side="new")
    )
    page = Page(html)
    assert page.tags <= {
        *("div", "figure", "figcaption", "ul", "li", "span", "code", "bdi", "p"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert page.attributes <= {"class", "scope", "tabindex", "role", "aria-label", "aria-hidden"}
    assert html.isprintable()
    assert r"\u202e\x1b[31m\x00\n" in html


def test_a_deep_tree_is_drawn_whole_and_within_what_browsers_take():
    tree: Node = RELEASE
    for number in range(99):
        tree = fork(f"f{number}", number, on_false=tree)
    page = Page(policy_tree_html(policy(tree)))
    assert page.classes.count("node") == 199
    assert "tree-long" in page.classes
    assert page.deepest < 512  # browsers flatten what is nested deeper


def test_of_a_huge_tree_is_said_how_much_is_left_out():
    tree: Node = RELEASE
    for number in range(11):
        tree = fork(f"f{number}", number, tree, tree)
    html = policy_tree_html(policy(tree))
    drawn = Page(html).classes.count("node") - Page(html).classes.count("more")
    left_out = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) more nodes", html))
    assert drawn == 1500
    assert drawn + left_out == 2**12 - 1


def test_small_trees_have_their_root_above():
    assert "tree-wide" in policy_tree_html(policy(fork("f", 1)))


def test_equal_trees_have_no_marks():
    old = policy(fork("a", 1, fork("b", 2)))
    new = policy(fork("x", 1, fork("y", 2, on_false=ActionNode("z", "Release"))))
    assert align_policies(old, new).old == align_policies(old, new).new == {}


def test_a_condition_that_changed_is_told_on_both_sides():
    old, new = policy(fork("f", 1)), policy(fork("g", 2))
    found = align_policies(old, new)
    assert found.old == {(TREE, ""): Mark("changed", "balance <= 2")}
    assert found.new == {(TREE, ""): Mark("changed", "balance <= 1")}
    assert "f ≠ changed balance <= 1? becomes balance <= 2" in words(
        policy_tree_html(old, new, side="old")
    )
    assert "g ≠ changed balance <= 2? was balance <= 1" in words(
        policy_tree_html(new, old, side="new")
    )


def test_an_action_that_changed():
    split = ActionNode("s", "Split", {"num_splits": Param("n")})
    old, new = policy(fork("f", 1, split), n=3), policy(fork("f", 1), n=4)
    assert align_policies(old, new).new == {
        (TREE, "y"): Mark("changed", "Split (num_splits: n (3))")
    }
    assert align_policies(old, new).old == {(TREE, "y"): Mark("changed", "Hold")}


@pytest.mark.parametrize("branch", ["y", "n"])
def test_a_fork_that_was_inserted_or_removed(branch: str):
    kept, more = fork("kept", 1), fork("more", 2, ActionNode("m", "Drop"))
    branches = (kept, more) if branch == "n" else (more, kept)
    small, large = policy(fork("f", 9, kept)), policy(fork("f", 9, fork("new", 3, *branches)))
    inserted = {"new": "added", "more": "added", "m": "added", "r": "added"}
    assert marked(policy_tree_html(large, small, side="new")) == inserted
    assert marked(policy_tree_html(small, large, side="old")) == {}
    assert marked(policy_tree_html(large, small, side="old")) == dict.fromkeys(inserted, "removed")
    assert marked(policy_tree_html(small, large, side="new")) == {}


def test_the_same_node_twice_in_a_tree_is_marked_where_it_stands():
    shared = ActionNode("s", "Drop")
    old = policy(fork("f", 1, shared, shared))
    new = policy(fork("f", 1, shared, HOLD))
    assert align_policies(old, new).old == {(TREE, "n"): Mark("changed", "Hold")}


def test_a_fork_in_place_of_an_action():
    old, new = policy(fork("f", 1)), policy(fork("f", 1, fork("g", 2, RELEASE, RELEASE)))
    assert marked(policy_tree_html(old, new, side="old")) == {"h": "removed"}
    assert set(align_policies(old, new).new) == {(TREE, "y"), (TREE, "yy"), (TREE, "yn")}


def test_a_tree_that_came_or_went():
    old = replace(policy(fork("f", 1)), bank_tree=ActionNode("b", "NoAction"))
    found = align_policies(old, policy(None))
    assert set(found.old) == {("bank_tree", ""), (TREE, ""), (TREE, "y"), (TREE, "n")}
    assert {mark.change for mark in found.old.values()} == {"removed"}
    assert align_policies(policy(None), old).new.keys() == found.old.keys()


@pytest.mark.parametrize("one", builtin_names())
@pytest.mark.parametrize("other", ["fifo", "deadline", "liquidity_splitting"])
def test_marks_and_words_tell_of_the_same_trees(one: str, other: str):
    old, new = builtin(one), builtin(other)
    found = align_policies(old, new)
    told = {line.split(",")[0].split(":")[0] for line in diff_policies(old, new)}
    assert {tree for tree, _ in (*found.old, *found.new)} == {t for t in told if t.endswith("tree")}


def test_parameters_old_and_new():
    old, new = policy(None, same=1, up=1000, gone=0.5), policy(None, same=1, up=2000.25, more=-3)
    for html in (parameters_html(old, new, side="old"), parameters_html(new, old, side="new")):
        assert words(html) == (
            "parameter old new change gone 0.5 \N{EN DASH} \N{MINUS SIGN} removed "
            "more \N{EN DASH} -3 + added same 1 1 "
            "up 1,000 2,000.25 ≠ changed"
        )
        assert Page(html).classes.count("changed") == 1
    assert words(parameters_html(old)) == "parameter value gone 0.5 same 1 up 1,000"
    assert words(parameters_html(policy(None), policy(None))) == "no parameters"


def test_a_difference_in_a_late_digit_is_shown():
    html = parameters_html(policy(None, x=0.1 + 0.2), policy(None, x=0.3), side="new")
    assert "0.3 0.30000000000000004" in words(html)


def test_the_style_has_all_classes_and_asks_for_nothing():
    css = policy_tree_css()
    assert "url(" not in css
    assert "@import" not in css
    old, new = policy(fork("f", 1), x=1), policy(fork("f", 2, fork("g", 3)), x=2)
    for name in set(Page(policy_tree_html(new, old)).classes) - {"yes", "no", "policy-new"}:
        assert f".{name}" in css
    assert css.count("{") == css.count("}")
    assert '[data-theme="dark"]' in css
    assert "prefers-color-scheme: dark" in css
