"""Every problem that a policy can have: one line that names place, value and expectation."""

from __future__ import annotations

from typing import Any

import pytest

from payment_simulator.errors import PolicyError
from payment_simulator.policy import Policy, check_policy, parse_policy
from payment_simulator.policy.grammar import MAX_DEPTH, MAX_EXPRESSION
from payment_simulator.policy.tree import ActionNode, Compare, ConditionNode, Field, Number
from tests.unit.policy.samples import compare, fork, only_problem, policy

AT = "payment_tree, node root"
LEFT = f"{AT}.condition.left"
CONDITIONS = "== != < <= > >= and or not"
OPERATIONS = "+ - * / max min ceil floor round abs clamp div0"
RELEASE = {"action": "Release"}
FIVE = {"value": 5}

PROBLEMS: list[tuple[str, Any, str]] = [
    ("no policy", 5, "5 is not a policy; expected an object"),
    ("a list", [], "a list is not a policy; expected an object"),
    ("no id", {}, '"policy_id" is missing'),
    ("blank id", {"policy_id": " "}, 'policy_id is " "; expected a text that is not blank'),
    ("id a number", {"policy_id": 7}, "policy_id is 7; expected a text"),
    (
        "long id",
        {"policy_id": "x" * 201},
        f'policy_id "{"x" * 60}..." has 201 characters; expected at most 200',
    ),
    (
        "no such key",
        {"policy_id": "a", "bank_tre": {}},
        'key "bank_tre" is not known; nearest: bank_tree',
    ),
    ("version a number", {"policy_id": "a", "version": 1.0}, "version is 1.0; expected a text"),
    (
        "description",
        {"policy_id": "a", "description": []},
        "description is a list; expected a text",
    ),
    (
        "half a character",
        {"policy_id": "a", "description": "\ud800"},
        'description "\\ud800" holds half a character (a lone surrogate)',
    ),
    (
        "parameters a list",
        {"policy_id": "a", "parameters": []},
        "parameters: a list is not a set of parameters; expected an object",
    ),
    (
        "parameter a text",
        {"policy_id": "a", "parameters": {"x": "1"}},
        'parameters: "x" is "1"; expected a number',
    ),
    (
        "parameter true",
        {"policy_id": "a", "parameters": {"x": True}},
        'parameters: "x" is true; expected a number: 1 or 0',
    ),
    (
        "parameter not finite",
        {"policy_id": "a", "parameters": {"x": float("nan")}},
        'parameters: "x" is nan; expected a finite number',
    ),
    (
        "parameter beyond float",
        {"policy_id": "a", "parameters": {"x": 10**400}},
        'parameters: "x" is an integer beyond all bounds; expected a finite number',
    ),
    (
        "fraction",
        {"policy_id": "a", "parameters": {"initial_liquidity_fraction": 1.01}},
        'parameters: "initial_liquidity_fraction" is 1.01; expected between 0 and 1',
    ),
    (
        "tree a text",
        policy(root="Release"),
        f'{AT}: "Release" is not a node; expected an object',
    ),
    (
        "misspelled action",
        policy(root={"node_id": "A2", **RELEASE, "action": "Relase"}),
        'payment_tree, node "A2" (root): action "Relase" is not known; nearest: Release',
    ),
    (
        "action of another case",
        policy(root={"action": "release"}),
        f'{AT}: action "release" is not known; nearest: Release',
    ),
    (
        "action a number",
        policy(root={"action": 3}),
        f"{AT}: action 3 is not known; expected a text",
    ),
    (
        "type",
        policy(root={"type": "Action", **RELEASE}),
        f'{AT}: type is "Action"; expected condition or action',
    ),
    (
        "type a list",
        policy(root={"type": [], **RELEASE}),
        f"{AT}: type is a list; expected condition or action",
    ),
    (
        "an empty node",
        policy(root={}),
        f"{AT}: a node has an action, or a condition with on_true and on_false",
    ),
    (
        "wrapped with more",
        policy(root={"root": RELEASE, "depth": 3}),
        f'{AT}: key "depth" is not known; known: root',
    ),
    (
        "node_id a number",
        policy(root={"node_id": 1, **RELEASE}),
        f"{AT}: node_id is 1; expected a text",
    ),
    (
        "no on_false",
        policy(root={"condition": compare(FIVE), "on_true": RELEASE}),
        f'{AT}: "on_false" is missing',
    ),
    (
        "a fork with an action's key",
        policy(root={"type": "condition", **fork(compare(FIVE)), "parameters": {}}),
        f'{AT}: key "parameters" is not known; known: condition, on_true, on_false, type, node_id',
    ),
    (
        "no op",
        policy(root=fork({"left": FIVE, "right": FIVE})),
        f'{AT}.condition: a condition has no "op"; expected one of {CONDITIONS}',
    ),
    (
        "op =",
        policy(root=fork(compare(FIVE, "="))),
        f'{AT}.condition: condition "=" is not known; known: {CONDITIONS}',
    ),
    (
        "op AND",
        policy(root=fork({"op": "AND", "conditions": [compare(FIVE)]})),
        f'{AT}.condition: condition "AND" is not known; nearest: and',
    ),
    (
        "no conditions",
        policy(root=fork({"op": "or", "conditions": []})),
        f"{AT}.condition: conditions is an empty list; expected a list of at least one",
    ),
    (
        "within",
        policy(root=fork({"op": "or", "conditions": [compare(FIVE), {"op": "not"}]})),
        f'{AT}.condition.conditions[1]: "condition" is missing',
    ),
    (
        "a bare number",
        policy(root=fork(compare(5))),
        f'{LEFT}: a number is written {{"value": 5}}, not 5',
    ),
    (
        "two forms",
        policy(root=fork(compare({"value": 5, "field": "balance"}))),
        f"{LEFT}: a value has one of field, param, value, compute; found field and value",
    ),
    (
        "value a text",
        policy(root=fork(compare({"value": "5"}))),
        f'{LEFT}: value is "5"; expected a number',
    ),
    (
        "no such field",
        policy(root=fork(compare({"field": "balanc"}))),
        f'{LEFT}: field "balanc" is not known; nearest: balance',
    ),
    (
        "no such parameter",
        policy(root=fork(compare({"param": "thresold"})), parameters={"threshold": 1}),
        f'{LEFT}: parameter "thresold" is not given; nearest: threshold',
    ),
    (
        "no parameters",
        policy(root=fork(compare({"param": "x"}))),
        f'{LEFT}: parameter "x" is not given; none is known',
    ),
    (
        "no such operation",
        policy(root=fork(compare({"compute": {"op": "mx", "values": [FIVE]}}))),
        f'{LEFT}.compute: operation "mx" is not known; nearest: max',
    ),
    (
        "operation **",
        policy(root=fork(compare({"compute": {"op": "**"}}))),
        f'{LEFT}.compute: operation "**" is not known; known: {OPERATIONS}',
    ),
    (
        "operation without op",
        policy(root=fork(compare({"compute": {}}))),
        f'{LEFT}.compute: an operation has no "op"; expected one of {OPERATIONS}',
    ),
]


@pytest.mark.parametrize(
    ("data", "said"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_a_problem(data: Any, said: str):
    assert only_problem(data) == said
    with pytest.raises(PolicyError) as caught:
        parse_policy(data, where="my.json")
    assert str(caught.value) == f"my.json, {said}"
    assert caught.value.exit_code == 2


def test_all_problems_are_found_and_the_first_is_raised():
    data = policy(root=fork(compare({"field": "x"}, "=", {"param": "y"}), "Releas"), extra=1)
    problems = check_policy(data)
    assert len(problems) == 4
    with pytest.raises(PolicyError) as caught:
        parse_policy(data)
    assert str(caught.value) == f"policy, {problems[0]} (and 3 more)"


def test_an_identifier_is_used_once_in_a_tree():
    root = fork(compare(FIVE))
    root["node_id"] = root["on_false"]["node_id"] = "same"
    said = only_problem(policy(root=root))
    assert said == (
        'payment_tree, node "same" (root.on_false): node_id "same" is that of root already'
    )
    other = {"node_id": "same", "action": "NoAction"}
    root["on_false"]["node_id"] = "other"
    assert check_policy(policy(root=root, bank_tree=other)) == []


def chain(n_nodes: int) -> dict[str, Any]:
    node: dict[str, Any] = {"action": "Release"}
    for _ in range(n_nodes - 1):
        node = {"condition": compare(FIVE), "on_true": {"action": "Hold"}, "on_false": node}
    return node


def nested_value(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"field": "balance"}
    for _ in range(levels - 1):
        value = {"compute": {"op": "clamp", "value": FIVE, "min": FIVE, "max": value}}
    return value


def nested_condition(levels: int) -> dict[str, Any]:
    condition = compare(FIVE)
    for _ in range(levels - 1):
        condition = {"op": "not", "condition": condition}
    return condition


def test_how_deep_a_tree_may_be():
    deepest = policy(root=chain(MAX_DEPTH))
    assert check_policy(deepest) == []
    assert parse_policy(deepest).payment_tree is not None
    problems = check_policy(policy(root=chain(MAX_DEPTH + 1)))
    assert len(problems) == 2  # of both leaves of the last fork
    assert problems[0].endswith(".on_false.on_true: the tree is more than 100 nodes deep")
    assert len(problems[0]) < 250


def test_how_deep_expressions_may_be():
    from payment_simulator.policy.compile import compile_profiles

    leaf = chain(MAX_DEPTH - 1)
    deepest = policy(
        root={
            "condition": compare(nested_value(MAX_EXPRESSION - 1)),
            "on_true": {"action": "Split", "parameters": {"num_splits": nested_value(100)}},
            "on_false": leaf,
        }
    )
    assert check_policy(deepest) == []
    compile_profiles([[parse_policy(deepest)]], ["A"])
    said = "conditions and values are nested more than 100 deep"
    assert said in check_policy(policy(root=fork(compare(nested_value(MAX_EXPRESSION)))))[0]
    assert check_policy(policy(root=fork(nested_condition(MAX_EXPRESSION - 1)))) == []
    assert said in check_policy(policy(root=fork(nested_condition(MAX_EXPRESSION + 1))))[0]


def test_a_policy_that_contains_itself_ends():
    root = fork(compare(FIVE))
    root["on_true"] = root["on_false"] = root
    problems = check_policy(policy(root=root))
    assert problems[-1] == "more than 100,000 nodes, conditions and values"
    value: dict[str, Any] = {"compute": {"op": "abs"}}
    value["compute"]["value"] = value
    assert "nested more than 100 deep" in only_problem(policy(root=fork(compare(value))))


def test_one_object_in_two_places_gives_two_nodes():
    shared = {"action": "Hold"}
    root = {"condition": compare(FIVE), "on_true": shared, "on_false": shared}
    tree = parse_policy(policy(root=root)).payment_tree
    assert isinstance(tree, ConditionNode)
    assert [tree.on_true.node_id, tree.on_false.node_id] == ["n2", "n3"]


def test_texts_of_a_file_do_not_act_on_a_terminal():
    evil = "\x1b[31m\u202e\n[red]"
    said = only_problem(policy(root={"node_id": evil, "action": evil}))
    assert said.isprintable()
    assert "\\x1b[31m\\u202e\\n[red]" in said
    with pytest.raises(PolicyError) as caught:
        parse_policy({evil: 1}, where=evil)
    assert str(caught.value).isprintable()


def test_a_policy_made_in_python_is_checked_too():
    leaf = ActionNode("a", "Release")
    root = ConditionNode("r", Compare("<", Field("amount"), Number(1.0)), leaf, leaf)
    problems = check_policy(Policy("p", payment_tree=root))
    assert problems == [
        'payment_tree, node "a" (root.on_false): node_id "a" is that of root.on_true already'
    ]
    assert check_policy(Policy("p", parameters={"initial_liquidity_fraction": 2.0})) == [
        'parameters: "initial_liquidity_fraction" is 2; expected between 0 and 1'
    ]
