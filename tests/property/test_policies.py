"""Policies at random: texts and trees are one, and no text breaks more than itself."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.errors import PolicyError
from payment_simulator.policy import (
    ACTIONS,
    FIELDS,
    Policy,
    builtin_names,
    check_policy,
    parse_policy,
    to_dict,
    to_json,
)
from payment_simulator.policy.compile import compile_profiles
from payment_simulator.policy.diff import diff_policies
from payment_simulator.policy.show import draw_policy, tell_policy
from payment_simulator.policy.tree import nodes
from tests.effort import tries
from tests.strategies.policies import policies

BANKS = ["A", "B_2", "Zürich"]
ANY_POLICY = policies(BANKS)


@given(ANY_POLICY)
def test_what_is_written_is_read_back(policy: Policy):
    text = to_json(policy)
    read = parse_policy(text)
    assert read == policy
    assert to_json(read) == text
    assert parse_policy(to_dict(policy)) == policy
    assert check_policy(policy) == check_policy(text) == []


@given(ANY_POLICY)
def test_every_policy_compiles(policy: Policy):
    program = compile_profiles([[policy] * len(BANKS)], BANKS)
    assert (program.start[0, 0] >= 0).sum() == len(list(policy.trees()))


@given(ANY_POLICY)
def test_pictures_are_lines_of_plain_text(policy: Policy):
    for picture in (draw_policy(policy), tell_policy(policy)):
        assert all(line.isprintable() for line in picture.split("\n"))
    drawn = draw_policy(policy).split("\n")
    n_nodes = sum(1 for _, root in policy.trees() for _ in nodes(root))
    n_trees = len(list(policy.trees()))
    if n_trees:
        assert len(drawn) == n_nodes + n_trees + (n_trees - 1)  # a headline each, a line between


@given(ANY_POLICY, ANY_POLICY)
def test_a_difference_is_seen_and_told_in_lines(old: Policy, new: Policy):
    assert diff_policies(old, old) == []
    told = diff_policies(old, new)
    assert bool(told) == (old != new)
    assert told == diff_policies(parse_policy(to_json(old)), parse_policy(to_json(new)))
    assert all(line.isprintable() for line in told)


def test_the_strategy_draws_everything():
    seen: set[str] = set()

    @settings(max_examples=300, database=None, derandomize=True)
    @given(ANY_POLICY)
    def look(policy: Policy) -> None:
        seen.update(token for token in words(to_dict(policy)))

    look()
    assert set(ACTIONS) <= seen
    assert len(set(FIELDS) - seen) <= 5, set(FIELDS) - seen


def words(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from words(value)
    elif isinstance(data, list):
        for value in data:
            yield from words(value)


STRANGE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2.5, 1e308, 10**400, -0.0, float("nan"), float("inf")),
    *("", " ", "x", "Release", "balance", "amount", "bank_state_", "bank_state_z", "\ud800", "\0"),
    *("payment_tree", "HIGH", "condition", "action", "a" * 300, "\x1b[31m", "and", "compute"),
    *([], [[]], [1], ["A", "A"], {}, {"value": 1}, {"value": "x"}, {"field": "amount"}),
    *({"op": "and", "conditions": []}, {"action": "Drop"}, {"compute": {"op": "max"}}, ()),
]


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Give every list or object with every key in it."""
    inside = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in list(inside):
        yield data, key
        if isinstance(value, dict | list):
            yield from places(value)


def mutate(data: Any, rng: random.Random) -> None:
    """Change one thing: replace, remove, rename, add, swap."""
    where = list(places(data))
    if not where:
        data[rng.choice(["policy_id", "x"])] = copy.deepcopy(rng.choice(STRANGE))
        return
    holder, key = rng.choice(where)
    strange = copy.deepcopy(rng.choice(STRANGE))
    kind = rng.randrange(5)
    if kind == 0:
        holder[key] = strange
    elif kind == 1:
        del holder[key]
    elif kind == 2 and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    elif kind == 3 and isinstance(holder, dict):
        holder[rng.choice(["x", 5, "root", "type", "node_id", "value", "action"])] = strange
    else:
        other, at = rng.choice(where)
        holder[key] = copy.deepcopy(other[at])


def refuse_or_parse(data: Any) -> bool:
    try:
        policy = parse_policy(data, where="some file.json")
    except PolicyError as error:
        message = str(error)
        assert message.isprintable(), message
        assert message.startswith("some file.json")
        assert check_policy(data)
        return False
    assert parse_policy(to_json(policy)) == policy
    assert check_policy(data) == []
    compile_profiles([[policy]], ["A"])
    tell_policy(policy)
    return True


@settings(max_examples=tries(50, 400))
@given(ANY_POLICY, st.integers(0, 2**32), st.integers(1, 4))
def test_a_changed_policy_parses_or_is_refused_in_one_line(policy: Policy, seed: int, times: int):
    rng = random.Random(seed)
    data = to_dict(policy)
    for _ in range(times):
        mutate(data, rng)
    refuse_or_parse(data)


@settings(max_examples=tries(50, 400))
@given(ANY_POLICY, st.integers(0, 2**32), st.integers(1, 3))
def test_a_changed_text_parses_or_is_refused_in_one_line(policy: Policy, seed: int, times: int):
    rng = random.Random(seed)
    text = to_json(policy)
    for _ in range(times):
        at = rng.randrange(len(text))
        piece = rng.choice(
            ["", '"', "{", "}", "[", "]", ",", ":", "\\", "e9", "NaN", "\0", "é", "-"]
        )
        text = text[:at] + piece + text[at + rng.randrange(3) :]
    refuse_or_parse(text)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_in_one_line(text: str):
    assert not refuse_or_parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["policy_id", "payment_tree", "root", "action", "condition", "op", "value"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_data_parses_or_is_refused_in_one_line(data: Any):
    refuse_or_parse(data)


@pytest.mark.parametrize("name", builtin_names())
def test_mutations_of_the_library(name: str):
    from payment_simulator.policy import builtin

    rng = random.Random(7)
    refused = 0
    for _ in range(200):
        data = json.loads(to_json(builtin(name)))
        mutate(data, rng)
        refused += not refuse_or_parse(data)
    assert refused > 50
