"""What trees see and compute, against numbers worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from payment_simulator.errors import SimulationError
from payment_simulator.policy.fields import FIELDS
from payment_simulator.policy.tree import (
    And,
    Compare,
    Compute,
    ConditionNode,
    Field,
    Not,
    Number,
    Or,
    Param,
    Policy,
)
from tests.reference.small import (
    HOLD,
    HOLDS,
    RELEASE,
    RELEASES,
    bank,
    do,
    pay,
    policy,
    scenario,
    when,
)
from tests.reference.twin import run_twin
from tests.reference.twin.fields import bank_fields
from tests.reference.twin.model import World
from tests.reference.twin.payment_fields import payment_fields
from tests.reference.twin.queues import join_queue1, join_queue2, new_payment
from tests.reference.twin.trees import Sight, holds, value_of
from tests.reference.twin.twin import make_banks

RULES = Path(__file__).parents[2] / "docs" / "reference" / "rules.md"


def names_on_the_page() -> set[str]:
    """The fields that section 9 of the rules names, registers apart."""
    section = RULES.read_text(encoding="utf-8").split("## 9.")[1]
    names = set()
    for row in re.findall(r"^\| (`[^|]*) \|", section, flags=re.MULTILINE):
        for name in re.findall(r"`([a-z0-9_*]+)`", row):
            if name.endswith("_top_k"):
                names |= {f"{name[:-1]}{k}" for k in range(1, 6)}
            elif not name.startswith("bank_state_"):
                names.add(name)
    return names


def a_world() -> World:
    """Tick 7 of days of five ticks: A owes 30 in Queue 1, and in Queue 2: A to B 20, to C 8,
    B to A 5, C to A 9, C to B 40."""
    agents = (
        bank(
            0,
            unsecured_cap=50,
            posted_collateral=101,
            collateral_haircut=0.1,
            max_collateral_capacity=200,
        ),
        0,
        bank(15),
    )
    costs = {
        "overdraft_bps_per_tick": 3.0,
        "delay_cost_per_tick_per_cent": 0.25,
        "collateral_cost_per_tick_bps": 2.0,
        "split_friction_cost": 11,
        "deadline_penalty": {"mode": "rate", "bps_per_event": 100.0},
        "eod_penalty": 77,
        "overdue_delay_multiplier": 5.0,
        "priority_delay_multipliers": {"urgent_multiplier": 3.0},
    }
    made = scenario(*agents, ticks=5, days=2, costs=costs, eod_rush_threshold=0.4)
    banks = make_banks(made)
    world = World(made, banks, [Policy("p")] * 3, costs=[], tick=7)
    world.settled_today = 18
    banks[0].balance = -70
    banks[0].settled_today = 42
    for sender, receiver, amount, deadline in (
        (0, 1, 20, 9),
        (0, 2, 8, 6),
        (1, 0, 5, 9),
        (2, 0, 9, 9),
        (2, 1, 40, 9),
        (0, 2, 30, 6),
    ):
        payment = new_payment(
            world,
            sender=sender,
            receiver=receiver,
            amount=amount,
            deadline_tick=deadline,
            priority=8,
            divisible=True,
        )
        payment.rtgs_class = 2
        if amount == 30:
            payment.amount = 33
            payment.arrival_tick = 4
            join_queue1(world, payment)
        else:
            join_queue2(world, payment)
    return world


#: 101 at a haircut of 10.1, rounded up to 11, are worth 90: a credit line of 140.
SEEN_BY_A = {
    "balance": -70,
    "credit_limit": 140,
    "allowed_overdraft_limit": 140,
    "available_liquidity": 70,
    "credit_used": 70,
    "credit_headroom": 70,
    "overdraft_headroom": 70,
    "effective_liquidity": 70,
    "is_using_credit": 1,
    "is_overdraft_capped": 1,
    "liquidity_buffer": 70 - 30 - 28,
    "liquidity_pressure": 58 / (58 + 70),
    "headroom": 40,
    "unsecured_cap": 50,
    "overdraft_utilization": 0.5,
    "outgoing_queue_size": 1,
    "queue1_total_value": 30,
    "queue1_liquidity_gap": 0,
    "incoming_expected_count": 2,
    "rtgs_queue_size": 5,
    "queue2_size": 5,
    "rtgs_queue_value": 82,
    "queue2_count_for_agent": 2,
    "queue2_nearest_deadline": 6,
    "ticks_to_nearest_queue2_deadline": -1,
    "posted_collateral": 101,
    "max_collateral_capacity": 200,
    "remaining_collateral_capacity": 99,
    "collateral_utilization": 0.505,
    "collateral_haircut": 0.1,
    "required_collateral_for_usage": 20 / 0.9,
    "excess_collateral": 101 - 20 / 0.9,
    "cost_overdraft_bps_per_tick": 3,
    "cost_delay_per_tick_per_cent": 0.25,
    "cost_collateral_bps_per_tick": 2,
    "cost_split_friction": 11,
    "cost_deadline_penalty": 0,
    "cost_eod_penalty": 77,
    "current_tick": 7,
    "total_agents": 3,
    "system_ticks_per_day": 5,
    "system_current_day": 1,
    "system_tick_in_day": 2,
    "ticks_remaining_in_day": 2,
    "day_progress_fraction": 0.4,
    "expected_throughput_fraction_by_now": 0.4,
    "is_eod_rush": 1,
    "system_queue2_pressure_index": 0.82,
    "my_throughput_fraction_today": 0.42,
    "throughput_gap": 0.42 - 0.4,
    "my_q2_out_value_top_1": 20,
    "my_q2_out_value_top_2": 8,
    "my_q2_out_value_top_3": 0,
    "my_q2_in_value_top_1": 9,
    "my_q2_in_value_top_2": 5,
    "my_q2_in_value_top_3": 0,
    "my_bilateral_net_q2_top_1": 15,
    "my_bilateral_net_q2_top_2": -1,
    "my_bilateral_net_q2_top_3": 0,
    **{
        f"{name}_top_{k}": 0
        for name in ("my_q2_out_value", "my_q2_in_value", "my_bilateral_net_q2")
        for k in (4, 5)
    },
}

#: Of the payment of 33 to C, of which 30 remain, one tick overdue.
SEEN_OF_THE_PAYMENT = {
    "amount": 33,
    "remaining_amount": 30,
    "settled_amount": 3,
    "arrival_tick": 4,
    "deadline_tick": 6,
    "priority": 8,
    "is_split": 0,
    "is_past_deadline": 1,
    "is_overdue": 1,
    "is_in_queue2": 0,
    "overdue_duration": 1,
    "ticks_to_deadline": -1,
    "queue_age": 3,
    "cost_delay_this_tx_one_tick": 30 * 0.25 * 3 * 5,
    "cost_overdraft_this_amount_one_tick": 0.009,
    "my_q2_out_value_to_counterparty": 8,
    "my_q2_in_value_from_counterparty": 9,
    "my_bilateral_net_q2": -1,
    "tx_counterparty_id": 2,
    "tx_is_top_counterparty": 1,
    "cost_deadline_penalty": 0.3,
    "cost_eod_penalty": 77,
}


def test_every_field_of_the_page_is_there_and_no_other():
    assert set(SEEN_BY_A) | set(SEEN_OF_THE_PAYMENT) == names_on_the_page()
    world = a_world()
    assert set(bank_fields(world, world.banks[0])) == set(SEEN_BY_A)
    assert set(payment_fields(world, world.payments[5])) == set(SEEN_OF_THE_PAYMENT)


def test_the_table_of_the_policy_language_has_the_same_fields():
    assert set(FIELDS) == names_on_the_page()
    only_of_payments = {name for name, info in FIELDS.items() if info.payment_only}
    assert only_of_payments == set(SEEN_OF_THE_PAYMENT) - set(SEEN_BY_A)


@pytest.mark.parametrize("name", SEEN_BY_A)
def test_what_a_bank_sees(name):
    world = a_world()
    assert bank_fields(world, world.banks[0])[name] == pytest.approx(SEEN_BY_A[name])


@pytest.mark.parametrize("name", SEEN_OF_THE_PAYMENT)
def test_what_a_bank_sees_of_a_payment(name):
    world = a_world()
    seen = payment_fields(world, world.payments[5])
    assert seen[name] == pytest.approx(SEEN_OF_THE_PAYMENT[name])


def test_what_an_idle_bank_without_credit_sees():
    rate = {"mode": "rate", "bps_per_event": 100.0}
    made = scenario(
        bank(0, collateral_haircut=1.0, max_collateral_capacity=0), 0, costs={"eod_penalty": rate}
    )
    world = World(made, make_banks(made), [Policy("p")] * 2, costs=[])
    seen = bank_fields(world, world.banks[0])
    expected = {
        "liquidity_pressure": 0,
        "overdraft_utilization": 0,
        "queue2_nearest_deadline": 1e9,
        "ticks_to_nearest_queue2_deadline": 1e9,
        "collateral_utilization": 0,
        "required_collateral_for_usage": 0,
        "system_queue2_pressure_index": 0,
        "my_throughput_fraction_today": 1,
        "cost_eod_penalty": 0,
    }
    assert {name: seen[name] for name in expected} == expected
    world.banks[0].balance, world.banks[0].capacity = -5, 90
    assert bank_fields(world, world.banks[0])["required_collateral_for_usage"] == 90
    assert bank_fields(world, world.banks[1])["max_collateral_capacity"] == 1e15
    world.banks[0].posted = 91
    assert bank_fields(world, world.banks[0])["remaining_collateral_capacity"] == 0


def test_what_a_bank_sees_of_a_payment_before_its_deadline():
    made = scenario(0, 0, costs={"overdue_delay_multiplier": 5.0})
    world = World(made, make_banks(made), [Policy("p")] * 2, costs=[])
    payment = new_payment(
        world, sender=0, receiver=1, amount=4, deadline_tick=0, priority=5, divisible=False
    )
    join_queue1(world, payment)
    seen = payment_fields(world, payment)
    expected = {
        "is_overdue": 0,
        "is_past_deadline": 0,
        "overdue_duration": 0,
        "ticks_to_deadline": 0,
        "tx_is_top_counterparty": 0,
    }
    assert {name: seen[name] for name in expected} == expected
    payment.deadline_tick = 3
    seen = payment_fields(world, payment)
    assert (seen["overdue_duration"], seen["ticks_to_deadline"]) == (0, 3)


@pytest.mark.parametrize(("arrival", "settle_tick"), [(0, 1), (2, None)])
def test_throughput_is_of_the_day(arrival, settle_tick):
    # At tick 1 the bank has settled 6 and 6 wait; at tick 2 another day has begun.
    half = when("my_throughput_fraction_today", "==", 0.5, RELEASE, HOLD)
    tree = when("priority", "==", 9, RELEASE, half)
    arrivals = [pay(0, 1, 6, priority=9), pay(0, 1, 6, tick=arrival)]
    two_days = scenario(99, 0, ticks=2, days=2)
    result = run_twin(two_days, [policy(tree), HOLDS], arrivals=arrivals)
    assert result.payments[1].settle_tick == settle_tick


@pytest.mark.parametrize(("arrival", "settle_tick"), [(1, 1), (2, None)])
def test_pressure_is_of_the_day(arrival, settle_tick):
    # C's 2 wait in Queue 2 for want of money; 6 settled at tick 0, none on the second day.
    quarter = when("system_queue2_pressure_index", "==", 0.25, RELEASE, HOLD)
    arrivals = [pay(0, 1, 6), pay(2, 1, 2), pay(1, 0, 1, tick=arrival)]
    two_days = scenario(6, 0, 0, ticks=2, days=2)
    result = run_twin(two_days, [RELEASES, policy(quarter), RELEASES], arrivals=arrivals)
    assert result.payments[2].settle_tick == settle_tick


def test_the_top_five_counterparties():
    made = scenario(*[0] * 8)
    world = World(made, make_banks(made), [Policy("p")] * 8, costs=[])
    payments = [
        new_payment(
            world, sender=0, receiver=r, amount=a, deadline_tick=9, priority=5, divisible=False
        )
        for r, a in ((1, 3), (2, 9), (3, 3), (4, 8), (5, 3), (6, 3))
    ]
    for payment in payments:
        payment.rtgs_class = 2
        join_queue2(world, payment)
    tops = [payment_fields(world, payment)["tx_is_top_counterparty"] for payment in payments]
    # 2 and 4 lead; of the four with 3 the three with the lowest numbers follow.
    assert tops == [1, 1, 1, 1, 1, 0]
    seen = bank_fields(world, world.banks[0])
    assert [seen[f"my_q2_out_value_top_{k}"] for k in range(1, 6)] == [9, 8, 3, 3, 3]


SIGHT = Sight(
    fields={"balance": 7.0}, registers={"bank_state_x": 4.0}, parameters={"p": 2.5}, where=""
)


def number(*values: float) -> tuple[Number, ...]:
    return tuple(Number(value) for value in values)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (Field("balance"), 7),
        (Field("bank_state_x"), 4),
        (Field("bank_state_unset"), 0),
        (Param("p"), 2.5),
        (Compute("+", number(1, 2)), 3),
        (Compute("-", number(1, 2)), -1),
        (Compute("*", number(3, 2)), 6),
        (Compute("/", number(3, 2)), 1.5),
        (Compute("max", number(3)), 3),
        (Compute("min", number(3, 1, 2)), 1),
        (Compute("ceil", number(1.2)), 2),
        (Compute("floor", number(-1.2)), -2),
        (Compute("round", number(2.5)), 3),
        (Compute("round", number(-2.5)), -2),
        (Compute("abs", number(-2.5)), 2.5),
        (Compute("clamp", number(5, 1, 3)), 3),
        (Compute("clamp", number(0, 1, 3)), 1),
        (Compute("clamp", number(2, 3, 1)), 1),
        (Compute("div0", number(6, 4, 9)), 1.5),
        (Compute("div0", number(6, 0, 9)), 9),
    ],
)
def test_values(value, result):
    assert value_of(value, SIGHT) == result


@pytest.mark.parametrize(
    ("op", "truths"),
    [
        ("==", [0, 1, 0]),
        ("!=", [1, 0, 1]),
        ("<", [1, 0, 0]),
        ("<=", [1, 1, 0]),
        (">", [0, 0, 1]),
        (">=", [0, 1, 1]),
    ],
)
def test_comparisons(op, truths):
    assert [holds(Compare(op, Number(x), Number(2)), SIGHT) for x in (1, 2, 3)] == truths


def test_and_and_or_stop_at_the_term_that_decides():
    true, false = Compare("==", *number(1, 1)), Compare("==", *number(1, 2))
    breaks = Compare("==", Compute("/", number(1, 0)), Number(1))
    assert not holds(And((true, false, breaks)), SIGHT)
    assert holds(Or((false, true, breaks)), SIGHT)
    assert holds(Not(And((true, false))), SIGHT)
    assert not holds(Or((false, false)), SIGHT)
    with pytest.raises(SimulationError):
        holds(And((true, breaks)), SIGHT)


HUGE = Compute("*", number(1e200, 1e200))


@pytest.mark.parametrize("broken", [Compute("/", number(1, 0)), HUGE])
def test_a_value_that_is_no_number_stops_the_run(broken):
    tree = ConditionNode("n", Compare(">", broken, Number(0)), RELEASE, HOLD)
    with pytest.raises(SimulationError, match="tick 2, bank B, payment 0: "):
        run_twin(scenario(0, 0), [HOLDS, policy(tree)], arrivals=[pay(1, 0, 5, tick=2)])


def test_a_register_that_runs_over_stops_the_run():
    adds = policy(HOLD, bank_tree=do("AddState", key="bank_state_x", value=1e308))
    with pytest.raises(SimulationError, match="tick 1, bank A, bank_state_x"):
        run_twin(scenario(0, 0), [adds, HOLDS])
