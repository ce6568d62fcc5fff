"""How much collateral a bank may post where its scenario does not say."""

from __future__ import annotations

import pytest

from payment_simulator.policy import parse_policy
from payment_simulator.scenario import MAX_CENTS, parse_scenario
from payment_simulator.simulation import simulate

POSTS = parse_policy(
    {
        "version": "1.0",
        "policy_id": "posts",
        "strategic_collateral_tree": {
            "action": "PostCollateral",
            "parameters": {"amount": {"value": 100_000}},
        },
    }
)


def scenario(**agent):
    banks = [{"id": "A", "opening_balance": 0, **agent}, {"id": "B", "opening_balance": 0}]
    return parse_scenario({"simulation": {"ticks_per_day": 2, "num_days": 1}, "agents": banks})


@pytest.mark.parametrize(
    ("agent", "capacity"),
    [
        ({}, 0),
        ({"unsecured_cap": 5_000}, 50_000),
        ({"unsecured_cap": MAX_CENTS}, MAX_CENTS),
        ({"unsecured_cap": 5_000, "max_collateral_capacity": 7}, 7),
        ({"unsecured_cap": 5_000, "max_collateral_capacity": 0}, 0),
    ],
)
def test_capacity_is_ten_times_the_unsecured_cap_unless_given(agent, capacity):
    assert scenario(**agent).agents[0].collateral_capacity == capacity


@pytest.mark.parametrize("cap", [0, 5_000, 20_000])
def test_what_is_beyond_the_capacity_is_not_posted_and_stands_in_the_event_log(cap):
    made = scenario(unsecured_cap=cap)
    run = simulate(made, [POSTS, made.policies[1]], seed=1)
    posted = min(10 * cap, 100_000)
    events = run.events()
    of = {name: events[name].to_pylist() for name in ("event_type", "agent_id", "amount_cents")}
    rows = list(zip(*of.values(), strict=True))
    # The tree asks for 100,000 in both ticks.
    refused = [(100_000 - posted), 100_000 - max(0, min(10 * cap - posted, 100_000))]
    assert [row for row in rows if row[0] == "collateral_refused"] == [
        ("collateral_refused", "A", amount) for amount in refused if amount
    ]
    assert run.states()["posted_collateral_cents"].to_pylist()[0] == posted
