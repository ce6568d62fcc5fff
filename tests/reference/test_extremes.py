"""As little as a scenario can hold, and as much."""

from __future__ import annotations

import json

import pytest

from payment_simulator.errors import ScenarioError, SimulationError
from payment_simulator.kernels import layout as k
from payment_simulator.policy.tree import Compute, Field
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import simulate
from tests.reference.small import RELEASE, do, pay, policy, scenario, value, when


def test_one_bank_has_nobody_to_pay() -> None:
    run = simulate(scenario(100, ticks=1))
    assert run.trace[:, :, k.T_BALANCE].tolist() == [[100]]
    assert len(run.pay) == 0
    assert run.cost.shape == (1, 1, 7)


def test_no_payments_cost_nothing() -> None:
    run = simulate(scenario(0, 5, ticks=3, days=2))
    assert run.cost.sum() == 0.0
    assert run.balance.tolist() == [0, 5]


def test_a_day_of_one_tick_opens_and_closes_in_it() -> None:
    prices = {"deadline_penalty": 3, "eod_penalty": 5, "delay_cost_per_tick_per_cent": 1}
    run = simulate(scenario(0, 0, ticks=1, days=2, payments=(pay(0, 1, 9, deadline=0),)))
    assert run.pay[0, k.P_OVERDUE] == 1
    run = simulate(
        scenario(0, 0, ticks=1, days=2, payments=(pay(0, 1, 9, deadline=0),), costs=prices)
    )
    assert run.costs["A"]["delay"] == 18.0
    assert run.costs["A"]["deadline_penalty"] == 3.0
    assert run.costs["A"]["end_of_day"] == 10.0


def test_a_thousand_banks_pay_around_a_ring() -> None:
    n = 1_000
    ring = parse_scenario(
        {
            "simulation": {"ticks_per_day": 2, "num_days": 1},
            "agents": [{"id": f"B{i}", "opening_balance": 0} for i in range(n)],
            "lsm_config": {"algorithms": ["fifo", "multilateral"]},
            "scenario_events": [
                {
                    "type": "CustomTransactionArrival",
                    "from_agent": f"B{i}",
                    "to_agent": f"B{(i + 1) % n}",
                    "amount": 7,
                    "schedule": {"type": "OneTime", "tick": 0},
                }
                for i in range(n)
            ],
        }
    )
    run = simulate(ring)
    assert (run.pay[:, k.P_SETTLED] == 0).all()
    assert (run.balance == 0).all()


def test_the_largest_amount_is_paid_to_the_cent() -> None:
    run = simulate(scenario(10**15, 10**15 - 1, payments=(pay(0, 1, 10**15), pay(1, 0, 1))))
    assert run.balance.tolist() == [1, 2 * 10**15 - 2]


@pytest.mark.parametrize("key", ["opening_balance", "unsecured_cap", "liquidity_pool"])
def test_more_than_a_run_can_count_is_refused(key: str) -> None:
    agent = {"id": "A", "opening_balance": 0, key: 9 * 10**18}
    keys = {"simulation": {"ticks_per_day": 1, "num_days": 1}, "agents": [agent]}
    with pytest.raises(ScenarioError, match=key) as caught:
        parse_scenario(json.loads(json.dumps(keys)))
    assert str(9 * 10**18) in str(caught.value)


def test_an_error_in_a_policy_names_tick_bank_and_payment() -> None:
    divides = Compute("/", (value(1.0), Field("balance")))
    tree = when(divides, ">", 0.0, RELEASE, RELEASE)
    payments = (pay(1, 0, 99, tick=1), pay(0, 1, 9, tick=2))
    stops = scenario(0, 4, payments=payments)
    with pytest.raises(SimulationError, match=r"tick 2, bank A, payment 1\b.*zero") as caught:
        simulate(stops, {"A": policy(tree)})
    assert caught.value.exit_code == 1


def test_an_error_in_a_bank_tree_names_no_payment() -> None:
    squared = Compute("*", (Field("bank_state_x"), Field("bank_state_x")))
    grows = do("SetState", key="bank_state_x", value=Compute("max", (squared, value(1e200))))
    with pytest.raises(SimulationError, match=r"tick 1, bank B: .*not finite"):
        simulate(scenario(0, 4), {"B": policy(RELEASE, bank_tree=grows)})
