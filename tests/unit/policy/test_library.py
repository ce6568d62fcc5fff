"""The policies of the package decide as their descriptions say."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from payment_simulator.errors import PolicyError
from payment_simulator.policy import Policy, builtin, builtin_names, parse_policy, to_json
from payment_simulator.policy.show import draw_policy, tell_policy
from tests.reference.twin.trees import Decision, Sight, walk

IN_SCENARIOS = {
    "Fifo": "fifo",
    "Deadline": "deadline",
    "LiquidityAware": "liquidity_aware",
    "LiquiditySplitting": "liquidity_splitting",
    "MockSplitting": "mock_splitting",
}


def decide(policy: Policy, tree: str = "payment_tree", **fields: float) -> Decision:
    """Walk a tree for a payment that is not urgent in any way."""
    seen = {
        "ticks_to_deadline": 50,
        "remaining_amount": 1000,
        "available_liquidity": 0,
        "is_split": 0,
        "is_eod_rush": 0,
        "priority": 5,
        "my_bilateral_net_q2": 0,
        "my_q2_in_value_from_counterparty": 0,
        "my_q2_out_value_to_counterparty": 0,
        **fields,
    }
    plain = {name: float(value) for name, value in seen.items()}
    return walk(getattr(policy, tree), Sight(plain, {}, policy.parameters, "here"))


def test_the_names_are_those_of_the_files():
    found = {path.name for path in (files("payment_simulator.policy") / "library").iterdir()}
    assert found == {f"{name}.json" for name in builtin_names()}


@pytest.mark.parametrize("name", builtin_names())
def test_a_policy_of_the_package(name: str):
    policy = builtin(name)
    assert policy.policy_id == name
    assert len(policy.description) > 60
    text = (files("payment_simulator.policy") / "library" / f"{name}.json").read_text("utf-8")
    assert to_json(policy) == to_json(parse_policy(text))
    assert draw_policy(policy)
    assert tell_policy(policy)
    funded = builtin(name, initial_liquidity_fraction=0.125)
    assert funded.parameters["initial_liquidity_fraction"] == 0.125


@pytest.mark.parametrize(("written", "name"), IN_SCENARIOS.items())
def test_names_as_scenarios_write_them(written: str, name: str):
    assert builtin(written) == builtin(name)


def test_parameters_replace_those_of_the_file():
    assert builtin("Deadline").parameters == {"urgency_threshold": 5.0}
    assert builtin("Deadline", urgency_threshold=2).parameters == {"urgency_threshold": 2.0}
    assert builtin("Deadline").parameters == {"urgency_threshold": 5.0}


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("deadlin", {}, 'built-in policy "deadlin" is not known; nearest: deadline'),
        ("deadline.json", {}, "nearest: deadline"),
        ("DEADLINE", {}, "nearest: deadline"),
        (
            "deadline",
            {"urgency_treshold": 3},
            'parameter "urgency_treshold" is not known; nearest: urgency_threshold',
        ),
        ("deadline", {"urgency_threshold": "3"}, 'is "3"; expected a finite number$'),
        ("deadline", {"urgency_threshold": True}, "is true; expected a finite number$"),
        ("deadline", {"urgency_threshold": float("nan")}, "is nan; expected a finite number$"),
        ("deadline", {"urgency_threshold": 10**400}, "beyond all bounds; expected a finite"),
        ("mock_splitting", {"num_splits": 1}, "num_splits is 1; expected a finite number from 2$"),
        ("fifo", {"initial_liquidity_fraction": 1.1}, "is 1.1; .* from 0 to 1$"),
    ],
)
def test_what_a_policy_does_not_take(name: str, parameters: dict[str, Any], said: str):
    with pytest.raises(PolicyError, match=said):
        builtin(name, **parameters)


def test_fifo_releases_all():
    assert decide(builtin("fifo")).action == "Release"


@pytest.mark.parametrize(
    ("ticks", "action"), [(6, "Hold"), (5, "Release"), (0, "Release"), (-9, "Release")]
)
def test_deadline_waits_for_the_threshold(ticks: int, action: str):
    assert decide(builtin("deadline"), ticks_to_deadline=ticks).action == action


@pytest.mark.parametrize(
    ("liquidity", "ticks", "action"),
    [(1299, 50, "Hold"), (1300, 50, "Release"), (0, 3, "Release"), (0, 4, "Hold")],
)
def test_liquidity_aware_keeps_a_buffer(liquidity: int, ticks: int, action: str):
    policy = builtin("liquidity_aware", target_buffer=300, urgency_threshold=3)
    found = decide(policy, available_liquidity=liquidity, ticks_to_deadline=ticks)
    assert found.action == action


@pytest.mark.parametrize(
    ("fields", "action", "parts"),
    [
        ({"available_liquidity": 1000}, "Release", None),
        ({"available_liquidity": 999}, "Split", 4),
        ({"available_liquidity": 999, "remaining_amount": 1001}, "Split", 5),
        ({"available_liquidity": 999, "remaining_amount": 99_999}, "Split", 5),
        ({"remaining_amount": 400}, "Split", 2),
        ({"remaining_amount": 399}, "Hold", None),
        ({"remaining_amount": 399, "ticks_to_deadline": 0}, "Release", None),
        ({"remaining_amount": 5000, "is_split": 1}, "Release", None),
    ],
)
def test_liquidity_splitting(fields: dict[str, int], action: str, parts: int | None):
    policy = builtin("LiquiditySplitting", max_splits=5, min_split_amount=200)
    if fields == {"available_liquidity": 999}:
        policy = builtin("LiquiditySplitting", max_splits=4, min_split_amount=200)
    found = decide(policy, **fields)
    assert (found.action, found.parameters.get("num_splits")) == (action, parts)


def test_mock_splitting_splits_once():
    policy = builtin("mock_splitting", num_splits=7)
    found = decide(policy, available_liquidity=10**9)
    assert (found.action, found.parameters["num_splits"]) == ("Split", 7.0)
    assert decide(policy, is_split=1).action == "Release"


@pytest.mark.parametrize(
    ("net", "ticks", "action"),
    [(1000, 50, "Release"), (1001, 50, "Hold"), (-(10**6), 50, "Release"), (10**6, 2, "Release")],
)
def test_limit_aware(net: int, ticks: int, action: str):
    policy = builtin("limit_aware", exposure_limit=2000)
    found = decide(policy, my_bilateral_net_q2=net, ticks_to_deadline=ticks)
    assert found.action == action


@pytest.mark.parametrize(
    ("incoming", "out", "ticks", "action"),
    [(1, 0, 9, "Release"), (0, 0, 9, "Hold"), (5, 5, 9, "Hold"), (0, 0, 2, "Release")],
)
def test_offset_seeking(incoming: int, out: int, ticks: int, action: str):
    found = decide(
        builtin("offset_seeking"),
        my_q2_in_value_from_counterparty=incoming,
        my_q2_out_value_to_counterparty=out,
        ticks_to_deadline=ticks,
    )
    assert found.action == action


@pytest.mark.parametrize(
    ("fields", "action"),
    [
        ({"available_liquidity": 2000}, "Release"),
        ({"available_liquidity": 1999}, "Hold"),
        ({"priority": 8}, "Release"),
        ({"priority": 7}, "Hold"),
        ({"is_eod_rush": 1}, "Release"),
        ({"ticks_to_deadline": 2}, "Release"),
    ],
)
def test_cautious(fields: dict[str, int], action: str):
    assert decide(builtin("cautious"), **fields).action == action


def test_aggressive_posts_what_queue_1_lacks():
    policy = builtin("aggressive")
    found = decide(policy)
    assert (found.action, found.parameters) == ("ReleaseWithCredit", {"priority_flag": "HIGH"})
    tree = "strategic_collateral_tree"
    lacks = decide(policy, tree, queue1_liquidity_gap=901, collateral_haircut=0.1)
    assert (lacks.action, lacks.parameters["amount"]) == ("PostCollateral", 1002.0)
    worthless = decide(policy, tree, queue1_liquidity_gap=901, collateral_haircut=1)
    assert worthless.parameters["amount"] == 0
    assert decide(policy, tree, queue1_liquidity_gap=0).action == "HoldCollateral"
