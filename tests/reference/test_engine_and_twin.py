"""The engine and its twin, written from the same page by different hands, agree to the bit."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from payment_simulator.policy import parse_policy
from payment_simulator.scenario import ObservedPayment
from tests.effort import tries
from tests.reference.agreement import disagreement
from tests.reference.small import event, pay
from tests.strategies.plain_policies import plain_policies
from tests.strategies.scenarios import Case, cases


@given(cases())
@settings(
    max_examples=tries(72, 1000),
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
def test_generated_cases_come_to_the_same(case: Case) -> None:
    assert disagreement(case) == []


SOME = tuple(
    pay(
        number % 3,
        (number + 1 + number // 3 % 2) % 3,
        5 + number * 7 % 30,
        tick=number // 3,
        deadline=number % 5,
        priority=number % 11,
        divisible=number % 4 == 0,
    )
    for number in range(24)
)
THREE: dict[str, Any] = {
    "simulation": {"ticks_per_day": 4, "num_days": 2},
    "agents": [
        {"id": "A", "opening_balance": 50},
        {"id": "B", "opening_balance": 0, "unsecured_cap": 20, "liquidity_pool": 100},
        {"id": "C", "opening_balance": 10},
    ],
}


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"queue_discipline": "strict"},
        {"deferred_crediting": True},
        {"end_of_day": "borrow"},
        {"entry_disposition_offsetting": True},
        {"lsm_config": {"algorithms": ["multilateral", "cycles", "bilateral", "fifo"]}},
        {"queue1_ordering": "priority_deadline", "priority_mode": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("number", range(len(plain_policies())))
def test_three_banks_under_every_plain_policy(switches: dict[str, Any], number: int) -> None:
    policies = (plain_policies()[number],) * 3
    assert disagreement(Case(THREE | switches, SOME, policies, None, seed=1, sample=0)) == []


def two_banks(
    payments: tuple[ObservedPayment, ...] = (), balance: int = 50, **more: Any
) -> dict[str, Any]:
    """Return a case of two banks, as keywords."""
    keys = {
        "simulation": {"ticks_per_day": 8, "num_days": 1},
        "agents": [{"id": name, "opening_balance": balance} for name in "AB"],
        **more,
    }
    return {"keys": keys, "payments": payments, "seed": 0, "sample": 0}


def test_collateral_posted_for_a_time_is_withdrawn_under_the_next_policy_too() -> None:
    posts = parse_policy(
        {
            "version": "1",
            "policy_id": "posts",
            "strategic_collateral_tree": {
                "action": "PostCollateral",
                "parameters": {"amount": {"value": 5}, "auto_withdraw_after_ticks": {"value": 3}},
            },
        }
    )
    releases = plain_policies(1)[0]
    case = Case(policies=(posts, releases), switch=(1, (releases, releases)), **two_banks())
    assert disagreement(case) == []


def test_a_scheduled_settlement_is_not_lost_while_queue_1_is_sorted() -> None:
    # Both once stood in the same scratch row.
    events = [
        event(1, "ScheduledSettlement", from_agent="A", to_agent="B", amount=20),
        event(1, "ScheduledSettlement", from_agent="B", to_agent="A", amount=3),
    ]
    payments = tuple(pay(0, 1, 4, tick=1, priority=number) for number in range(5))
    case = Case(
        policies=tuple(plain_policies(1)) * 2,
        switch=None,
        **two_banks(payments, queue1_ordering="priority_deadline", scenario_events=events),
    )
    assert disagreement(case) == []


def test_large_divisible_payments_both_ways_end() -> None:
    # The same 50 cents would go to and fro 2 * 10^13 times.
    payments = (pay(0, 1, 10**15, divisible=True), pay(1, 0, 10**15 - 1, divisible=True))
    lsm = {"algorithms": ["fifo"]}
    case = Case(
        policies=tuple(plain_policies(1)) * 2,
        switch=None,
        **two_banks(payments, lsm_config=lsm),
    )
    assert disagreement(case) == []
