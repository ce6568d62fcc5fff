"""The tables of fields and actions agree with the rules, the engine and the checks."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.kernels import field_codes
from payment_simulator.kernels.layout import REGISTERS
from payment_simulator.policy import ACTIONS, FIELDS, check_policy, parse_policy
from payment_simulator.policy.compile import field_code
from payment_simulator.policy.fields import GROUPS, MAX_REGISTERS, field_info, is_register
from payment_simulator.policy.grammar import COMPARISONS, OPERATIONS
from payment_simulator.policy.phrases import Speaker
from payment_simulator.policy.tree import TREES, ActionNode
from tests.unit.policy.samples import action, compare, fork, leaf_of, only_problem, policy

ROOT = Path(__file__).parents[3]


def fields_of_the_rules() -> tuple[list[str], list[str]]:
    text = (ROOT / "docs/reference/rules.md").read_text(encoding="utf-8")
    section = text.split("## 9. ", 1)[1]
    parts = section.split("In payment trees also:")
    found = []
    for part in parts:
        cells = re.findall(r"^\| (`.*?) \|", part, re.MULTILINE)
        names = [name for cell in cells for name in re.findall(r"`([a-z0-9_]+(?:_k)?)`", cell)]
        found.append([n for n in names if n != "bank_state_"])
    return found[0], found[1]


def test_the_table_has_the_fields_of_the_rules_in_their_order():
    of_bank, of_payment = fields_of_the_rules()
    expanded = [
        f"{name[:-1]}{rank}" if name.endswith("_top_k") else name
        for name in of_bank
        for rank in (range(1, 6) if name.endswith("_top_k") else [0])
    ]
    assert len(expanded) == 65
    assert [n for n, info in FIELDS.items() if not info.payment_only] == expanded
    assert [n for n, info in FIELDS.items() if info.payment_only] == of_payment
    assert [info.code for info in FIELDS.values()] == list(range(len(FIELDS)))


def test_the_engine_knows_every_field_by_its_code():
    codes = {name: code for name, code in vars(field_codes).items() if name.isupper()}
    assert len(codes) == len(FIELDS) - 12  # of the ranked ones the engine names the first
    for name, code in codes.items():
        assert FIELDS[name.lower()].code == code
    assert {name: field_code(name) for name in FIELDS} == {
        name: info.code for name, info in FIELDS.items()
    }


def test_every_field_is_told():
    for info in FIELDS.values():
        assert info.group in GROUPS[:-1], info
        assert re.fullmatch(r"[A-Z0-9].*\.", info.meaning), info
    register = field_info("bank_state_x")
    assert register is not None
    assert (register.group, register.code) == (GROUPS[-1], -1)
    assert field_info("bank_balance") is None
    assert MAX_REGISTERS == REGISTERS


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_admitted_where_it_is_seen(name: str, tree: str):
    data = policy(tree, fork(compare({"field": name}), leaf_of(tree)))
    if FIELDS[name].payment_only and tree != "payment_tree":
        said = only_problem(data)
        assert said == (
            f'{tree}, node root.condition.left: field "{name}" is seen in payment_tree only'
        )
    else:
        assert check_policy(data) == []


@pytest.mark.parametrize("tree", TREES)
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_is_admitted_where_it_can_be_done(name: str, tree: str):
    info = ACTIONS[name]
    for with_all in (False, True):
        data = policy(tree, action(info, with_all=with_all))
        if tree in info.trees:
            assert check_policy(data) == []
            leaf = getattr(parse_policy(data), tree)
            assert isinstance(leaf, ActionNode)
            assert leaf.action == name
            assert Speaker({}).action(leaf)
        else:
            assert f'action "{name}" stands in {" or ".join(info.trees)} only' in only_problem(data)


PARAMETERS = [(info, parameter) for info in ACTIONS.values() for parameter in info.parameters]


@pytest.mark.parametrize(("info", "parameter"), PARAMETERS, ids=lambda part: part.name)
def test_a_parameter_of_an_action(info: Any, parameter: Any):
    tree = info.trees[0]

    def with_argument(given: Any) -> dict[str, Any]:
        node = action(info)
        node["parameters"][parameter.name] = given
        return policy(tree, node)

    missing = action(info)
    missing["parameters"].pop(parameter.name, None)
    if parameter.required:
        said = only_problem(policy(tree, missing))
        assert said.endswith(f'parameter "{parameter.name}" of {info.name} is missing')
    else:
        assert check_policy(policy(tree, missing)) == []

    wrong = {
        "value": [None, True, 5, "5", [], {}, {"value": "5"}, {"value": float("inf")}],
        "word": [None, True, 5, [], {}, {"value": 5}, {"field": "balance"}],
        "names": [None, "A", 5, [], [5], [""], ["A", "A"], {"value": "A"}, {"value": []}],
    }[parameter.kind]
    for given in wrong:
        assert len(check_policy(with_argument(given))) >= 1, given
    if parameter.choices:
        for word in parameter.choices:
            assert check_policy(with_argument(word)) == []
            assert check_policy(with_argument({"value": word})) == []
        said = only_problem(with_argument(parameter.choices[0].swapcase()))
        assert f"expected one of {', '.join(parameter.choices)}" in said
    for bound, beyond in ((parameter.low, -0.5), (parameter.high, 0.5)):
        if bound is not None:
            assert check_policy(with_argument({"value": bound})) == []
            assert f"{parameter.name} is" in only_problem(with_argument({"value": bound + beyond}))
    if parameter.kind == "value":
        assert check_policy(with_argument({"field": "balance"})) == []
        computed = {"compute": {"op": "abs", "value": {"value": -(10**6)}}}
        assert check_policy(with_argument(computed)) == []


def test_an_unknown_parameter_names_the_nearest():
    said = only_problem(policy(root={"action": "Release", "parameters": {"priority_flg": "HIGH"}}))
    assert said.endswith('parameter "priority_flg" of Release is not known; nearest: priority_flag')
    said = only_problem(policy(root={"action": "Drop", "parameters": {"reason": "old"}}))
    assert said.endswith('parameter "reason" of Drop is not known; it has none')


@pytest.mark.parametrize("op", COMPARISONS)
def test_comparisons(op: str):
    assert check_policy(policy(root=fork(compare({"value": 1}, op)))) == []
    assert '"right" is missing' in only_problem(policy(root=fork({"op": op, "left": {"value": 1}})))


@pytest.mark.parametrize("op", OPERATIONS)
def test_operations(op: str):
    keys = OPERATIONS[op]
    full: dict[str, Any] = {
        key: [{"value": 2}] if key == "values" else {"value": 2} for key in keys
    }
    assert check_policy(policy(root=fork(compare({"compute": {"op": op, **full}})))) == []
    for key in keys:
        less = {name: part for name, part in full.items() if name != key}
        said = only_problem(policy(root=fork(compare({"compute": {"op": op, **less}}))))
        assert said.endswith(f'left.compute: "{key}" is missing')
    more = {"op": op, **full, "extra": {"value": 1}}
    assert 'key "extra" is not known' in only_problem(policy(root=fork(compare({"compute": more}))))
    if keys == ("values",):
        empty = {"op": op, "values": []}
        said = only_problem(policy(root=fork(compare({"compute": empty}))))
        assert "values is an empty list; expected a list of at least one" in said


@pytest.mark.parametrize("name", ["bank_state_a", "bank_state_A_9", "bank_state__"])
def test_registers(name: str):
    assert is_register(name)
    assert check_policy(policy("bank_tree", fork(compare({"field": name}), "NoAction"))) == []


@pytest.mark.parametrize(
    "name", ["bank_state_", "bank_state_é", "bank_state_a b", "bank_state_a\n"]
)
def test_what_is_no_register(name: str):
    assert not is_register(name)
    said = only_problem(policy("bank_tree", fork(compare({"field": name}), "NoAction")))
    assert "is not the name of a register; expected bank_state_ and 1 to 64" in said


def test_a_policy_has_ten_registers_in_all_trees_together():
    def reading(names: list[str]) -> dict[str, Any]:
        terms = [compare({"field": name}) for name in names]
        return fork({"op": "and", "conditions": terms}, "NoAction")

    ten = [f"bank_state_{n}" for n in range(MAX_REGISTERS)]
    assert check_policy(policy("bank_tree", reading(ten * 2))) == []
    pays = fork(compare({"field": "bank_state_x"}))
    said = only_problem(policy("bank_tree", reading(ten), payment_tree=pays))
    assert said.startswith("payment_tree, node root.condition.left")
    assert '"bank_state_x" is one register too many; a policy has at most 10' in said


def test_the_page_of_the_language_has_every_field_action_and_operation():
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]
    page = next(path for path in pages if path.name == "policy-language.md")
    text = page.read_text(encoding="utf-8")
    assert text == pages[page](), "python docs/generate.py"
    for name in (*FIELDS, *ACTIONS, *OPERATIONS):
        assert f"`{name}`" in text
    example = text.split("```json\n", 1)[1].split("```", 1)[0]
    assert parse_policy(example).policy_id == "deadline"
