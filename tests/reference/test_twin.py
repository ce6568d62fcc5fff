"""The twin against numbers worked out by hand: money, days, costs and events."""

from __future__ import annotations

import pytest

from tests.reference.small import (
    DROP,
    HOLD,
    HOLDS,
    RELEASE,
    RELEASES,
    bank,
    do,
    event,
    money,
    pay,
    policy,
    scenario,
    when,
)
from tests.reference.twin import run_twin


def test_a_payment_settles_when_released():
    result = run_twin(scenario(10, 0), arrivals=[pay(0, 1, 7)])
    payment = result.payments[0]
    assert (payment.state, payment.release_tick, payment.settle_tick) == ("settled", 0, 0)
    assert (payment.rtgs_class, payment.remaining) == (2, 0)
    assert result.balances == [[3, 7]] * 4


def test_credit_is_used_to_its_line_and_no_further():
    short = scenario(bank(10, unsecured_cap=4), 0)
    assert run_twin(short, arrivals=[pay(0, 1, 14)]).balances[0] == [-4, 14]
    assert run_twin(short, arrivals=[pay(0, 1, 15)]).balances[0] == [10, 0]


def test_the_haircut_is_rounded_up():
    # 1001 less a tenth of it, 100.1 rounded up to 101: 900.
    posted = scenario(bank(0, posted_collateral=1001, collateral_haircut=0.1), 0)
    assert run_twin(posted, arrivals=[pay(0, 1, 900)]).balances[0] == [-900, 900]
    assert run_twin(posted, arrivals=[pay(0, 1, 901)]).balances[0] == [0, 0]


@pytest.mark.parametrize(("money_tick", "penalty"), [(1, 0), (2, 50)])
def test_the_deadline_penalty_falls_due_the_tick_after(money_tick, penalty):
    late = scenario(
        0, 100, costs={"deadline_penalty": 50}, events=(money(money_tick, "B", "A", 9),)
    )
    result = run_twin(late, arrivals=[pay(0, 1, 9, deadline=1)])
    assert result.payments[0].settle_tick == money_tick
    assert result.total("deadline_penalty") == penalty
    # The open comes before events: money of tick 2 is too late.
    assert [line[:3] for line in result.log if line[2] == "overdue"] == [(2, 1, "overdue")] * bool(
        penalty
    )


def test_the_deadline_penalty_as_a_rate_goes_by_what_remains():
    rate = {"mode": "rate", "bps_per_event": 25.0}
    # 1000 cents, 400 settled in part: 600 at 25 basis points are 1.5.
    late = scenario(400, 0, costs={"deadline_penalty": rate})
    result = run_twin(late, arrivals=[pay(0, 1, 1000, deadline=0, divisible=True)])
    assert result.total("deadline_penalty", 0) == 1.5


def test_a_deadline_at_a_close_is_charged_next_day_or_at_the_last_close():
    late = scenario(0, 0, ticks=2, days=2, costs={"deadline_penalty": 50})
    arrivals = [pay(0, 1, 9, deadline=1), pay(0, 1, 9, deadline=3), pay(0, 1, 9, deadline=4)]
    costs = run_twin(late, arrivals=arrivals).costs
    assert [day[0][4] for day in costs] == [0, 100]


def test_delay_costs_by_band_of_arrival_and_more_when_overdue():
    rates = {
        "delay_cost_per_tick_per_cent": 0.001,
        "overdue_delay_multiplier": 5.0,
        "priority_delay_multipliers": {"urgent_multiplier": 2.0, "low_multiplier": 0.5},
    }
    waiting = scenario(0, 0, ticks=3, costs=rates)
    lower = policy(do("Reprioritize", new_priority=0))
    result = run_twin(
        waiting, [lower, RELEASES], arrivals=[pay(0, 1, 1000, deadline=0, priority=8)]
    )
    # 1000 * 0.001 * 2 on time, five times that in each of two ticks.
    assert result.total("delay", 0) == pytest.approx(2 + 10 + 10)
    assert result.payments[0].priority == 0
    for priority, cost in ((7, 11), (4, 11), (3, 5.5)):
        arrivals = [pay(0, 1, 1000, deadline=0, priority=priority)]
        assert run_twin(waiting, arrivals=arrivals).total("delay", 0) == pytest.approx(cost)


def test_delay_in_queue_2_costs_where_the_scenario_says_so():
    costs = {"delay_cost_per_tick_per_cent": 0.5}
    for where, cost in (("both_queues", 20), ("queue1", 0)):
        waiting = scenario(0, 0, costs=costs, delay_applies_to=where)
        assert run_twin(waiting, arrivals=[pay(0, 1, 10)]).total("delay") == cost
        assert run_twin(waiting, [HOLDS] * 2, arrivals=[pay(0, 1, 10)]).total("delay") == 20


def test_a_dropped_payment_costs_on():
    costs = {
        "delay_cost_per_tick_per_cent": 0.5,
        "overdue_delay_multiplier": 3.0,
        "deadline_penalty": 50,
        "eod_penalty": 7,
    }
    for end_of_day in ("penalty", "borrow"):
        dropped = scenario(100, 0, costs=costs, end_of_day=end_of_day, delay_applies_to="queue1")
        result = run_twin(dropped, [policy(DROP), RELEASES], arrivals=[pay(0, 1, 10, deadline=1)])
        assert result.payments[0].state == "dropped"
        assert result.queue1_value == [[0, 0]] * 4
        assert result.total("delay") == 5 + 5 + 15 + 15
        assert result.total("deadline_penalty") == 50
        assert result.total("end_of_day") == 7
        assert result.balances[-1] == [100, 0]


def test_overdraft_and_collateral_and_liquidity_cost_each_tick():
    costs = {
        "overdraft_bps_per_tick": 10.0,
        "collateral_cost_per_tick_bps": 2.0,
        "liquidity_cost_per_tick_bps": 4.0,
    }
    rich = bank(0, posted_collateral=5000, unsecured_cap=100, liquidity_pool=1000)
    result = run_twin(scenario(rich, 0, costs=costs), arrivals=[pay(0, 1, 1060, tick=2)])
    assert result.total("overdraft", 0) == pytest.approx(2 * 60 * 10 / 1e4)
    assert result.total("collateral", 0) == pytest.approx(4 * 5000 * 2 / 1e4)
    assert result.total("liquidity", 0) == pytest.approx(4 * 1000 * 4 / 1e4)
    assert sum(result.costs[0][1]) == 0


def test_a_kind_that_is_switched_off_costs_nothing():
    costs = {"delay_cost_per_tick_per_cent": 0.5, "deadline_penalty": 50}
    off = scenario(0, 0, costs=costs, cost_feature_toggles={"include": ["delay"]})
    result = run_twin(off, arrivals=[pay(0, 1, 10, deadline=0)])
    assert (result.total("delay"), result.total("deadline_penalty")) == (20, 0)


def test_the_end_of_day_penalty_counts_what_is_due_and_at_the_end_everything():
    arrivals = [pay(0, 1, 30, deadline=1), pay(0, 1, 50, deadline=0), pay(0, 1, 20, deadline=2)]
    fixed = scenario(0, 0, ticks=2, days=2, costs={"eod_penalty": 10})
    assert [day[0][5] for day in run_twin(fixed, arrivals=arrivals).costs] == [20, 30]
    arrivals[2] = pay(0, 1, 20)
    rate = {"eod_penalty": {"mode": "rate", "bps_per_event": 100.0}}
    by_rate = scenario(0, 0, ticks=2, days=2, costs=rate)
    assert [day[0][5] for day in run_twin(by_rate, arrivals=arrivals).costs] == [0.8, 1.0]


def test_liquidity_is_funded_each_day_exactly_and_a_gap_is_carried_overnight():
    # 0.29 of 100 is 29, though the binary 0.29 is a little less.
    pool = bank(0, liquidity_pool=100, liquidity_allocation_fraction=0.29)
    result = run_twin(scenario(pool, 0, ticks=2, days=2), arrivals=[pay(0, 1, 20)])
    assert result.balances == [[9, 20], [-20, 20], [9, 20], [-20, 20]]


def test_without_daily_reallocation_the_allocation_lasts_to_the_last_close():
    pool = bank(5, liquidity_pool=100)
    steady = scenario(pool, 0, ticks=2, days=2, daily_liquidity_reallocation=False)
    assert [row[0] for row in run_twin(steady).balances] == [105, 105, 105, 5]


def test_the_fraction_of_the_policy_comes_first():
    pool = bank(0, liquidity_pool=33, liquidity_allocation_fraction=1.0)
    third = policy(parameters={"initial_liquidity_fraction": 0.1})
    assert run_twin(scenario(pool, 0), [third, RELEASES]).balances[0][0] == 3


def test_borrowing_settles_all_and_is_repaid_at_the_open():
    # B begins 3 below zero.
    lends = scenario(
        2,
        0,
        ticks=2,
        days=2,
        costs={"eod_borrowing_bps": 100.0},
        end_of_day="borrow",
        events=(money(0, "B", "A", 3),),
    )
    arrivals = [pay(0, 1, 20), pay(1, 0, 50), pay(0, 1, 10)]
    result = run_twin(lends, [HOLDS] * 2, arrivals=arrivals)
    # A lacks 30 - 5, B counts nothing of its own 3 below zero: 50; nobody counts on income.
    assert result.balances == [[5, -3], [5 + 25 - 30 + 50, -3 + 50 - 50 + 30], [25, -23], [25, -23]]
    assert [result.costs[0][b][5] for b in (0, 1)] == [0.25, 0.5]
    assert [payment.settle_tick for payment in result.payments] == [1, 1, 1]
    assert result.costs[1] == [[0.0] * 7] * 2


def test_borrowing_knows_no_limits_and_leaves_what_was_dropped():
    limited = scenario(bank(100, limits={"multilateral_limit": 0}), 0, ticks=1, end_of_day="borrow")
    tree = when("amount", "==", 1, DROP, HOLD)
    result = run_twin(limited, [policy(tree), HOLDS], arrivals=[pay(0, 1, 60), pay(0, 1, 1)])
    assert [payment.state for payment in result.payments] == ["settled", "dropped"]
    assert result.balances == [[40, 60]]


def test_deferred_credits_can_be_used_in_the_next_tick():
    chain = [pay(0, 1, 10), pay(1, 2, 10)]
    at_once = run_twin(scenario(10, 0, 0), arrivals=chain)
    assert at_once.balances[0] == [0, 0, 10]
    deferred = run_twin(scenario(10, 0, 0, deferred_crediting=True), arrivals=chain)
    assert deferred.balances[:2] == [[0, 10, 0], [0, 0, 10]]


def test_limits_hold_net_for_a_day():
    limits = {"bilateral_limits": {"B": 10}, "multilateral_limit": 15}
    limited = scenario(bank(100, limits=limits), 100, 100, ticks=3, days=2)
    arrivals = [
        pay(0, 1, 11),  # over the bilateral limit until B has paid 1
        pay(0, 2, 6),  # 6 net in sum
        pay(1, 0, 1, tick=1),  # 5 net in sum; 11 would make 16: over the multilateral limit
        pay(2, 0, 1, tick=2),  # 4 net in sum: now 11 may go
    ]
    result = run_twin(limited, arrivals=arrivals)
    assert [payment.settle_tick for payment in result.payments] == [2, 0, 1, 2]
    next_day = run_twin(limited, arrivals=[pay(0, 1, 10), pay(0, 1, 10), pay(0, 1, 10)])
    assert [payment.settle_tick for payment in next_day.payments] == [0, 3, None]


def test_a_divisible_payment_settles_as_far_as_liquidity_and_limits_allow():
    limits = {"bilateral_limits": {"B": 8}, "multilateral_limit": 9}
    tight = scenario(bank(20, limits=limits), 0, ticks=1)
    result = run_twin(tight, arrivals=[pay(0, 1, 30, divisible=True)])
    assert (result.payments[0].remaining, result.payments[0].state) == (22, "queue2")
    assert result.balances == [[12, 8]]
    poor = run_twin(scenario(0, 0, ticks=1), arrivals=[pay(0, 1, 30, divisible=True)])
    assert poor.payments[0].remaining == 30


def test_nothing_leaves_while_liquidity_is_below_zero():
    taken = scenario(5, 0, events=(money(0, "A", "B", 9), money(2, "B", "A", 5)))
    result = run_twin(taken, arrivals=[pay(0, 1, 1), pay(0, 1, 1, divisible=True)])
    assert [row[0] for row in result.balances] == [-4, -4, 0, 0]
    assert result.queue2_value[2] == [1, 0]


def test_events_happen_in_the_order_of_the_file_and_number_their_payments():
    both = {"from_agent": "A", "to_agent": "B", "amount": 5}
    events = (
        event(1, "ScheduledSettlement", **both),
        event(1, "CustomTransactionArrival", **both, deadline=1, priority=3),
        event(1, "CustomTransactionArrival", **both, is_divisible=True),
        event(0, "CollateralAdjustment", agent="B", delta=50),
        event(2, "CollateralAdjustment", agent="B", delta=-70),
    )
    happening = scenario(100, bank(0, max_collateral_capacity=10), events=events)
    result = run_twin(happening, [HOLDS, HOLDS], arrivals=[pay(0, 1, 7, tick=1)])
    seen = [(p.deadline_tick, p.arrived_priority, p.divisible, p.state) for p in result.payments]
    assert seen == [
        (3, 10, False, "settled"),
        (2, 3, False, "queue1"),
        (3, 5, True, "queue1"),
        (100, 5, False, "queue1"),
    ]
    assert result.payments[0].rtgs_class == 0
    assert [row[1] for row in result.posted] == [50, 50, 0, 0]


def test_repeated_events_and_capped_deadlines():
    given = {"from_agent": "A", "to_agent": "B", "amount": 1, "deadline": 3}
    repeated = event(1, "CustomTransactionArrival", interval=2, **given)
    capped = scenario(9, 0, ticks=3, days=2, events=(repeated,), deadline_cap_at_eod=True)
    result = run_twin(capped)
    assert [(p.arrival_tick, p.deadline_tick) for p in result.payments] == [(1, 2), (3, 5), (5, 5)]


def test_policies_take_over_from_a_tick_and_registers_stay():
    sets = policy(RELEASE, bank_tree=do("AddState", key="bank_state_n", value=1))
    reads = policy(when("bank_state_n", ">=", 2, RELEASE, HOLD))
    result = run_twin(
        scenario(9, 0),
        [policy(HOLD, bank_tree=sets.bank_tree), HOLDS],
        arrivals=[pay(0, 1, 1)],
        policies_from={2: [reads, HOLDS]},
    )
    assert result.payments[0].settle_tick == 2
    too_early = run_twin(
        scenario(9, 0),
        [policy(HOLD, bank_tree=sets.bank_tree), HOLDS],
        arrivals=[pay(0, 1, 1)],
        policies_from={1: [reads, HOLDS]},
    )
    assert too_early.payments[0].state == "queue1"
