"""The twin against numbers worked out by hand: what banks decide, and their queues."""

from __future__ import annotations

import pytest

from payment_simulator.policy.tree import Compute, Field, Number
from tests.reference.small import (
    DROP,
    HOLD,
    HOLDS,
    RELEASE,
    RELEASES,
    at,
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


def settled(result):
    return [payment.settle_tick for payment in result.payments]


def entries(result):
    """Numbers of the payments in the order in which they entered, with the tick."""
    return [(line[0], line[3]) for line in result.log if line[2] == "entered"]


def test_decisions_see_the_state_before_any_of_them_is_carried_out():
    # Both payments see both in Queue 1; the second bank does not see what the first released.
    alone = policy(when("outgoing_queue_size", ">=", 2, RELEASE, HOLD))
    sees_income = policy(when("incoming_expected_count", ">", 0, RELEASE, HOLD))
    arrivals = [pay(0, 1, 5), pay(0, 1, 5), pay(1, 0, 5)]
    result = run_twin(scenario(0, 100), [alone, sees_income], arrivals=arrivals)
    assert [payment.release_tick for payment in result.payments] == [0, 0, 1]


def test_entry_is_by_class_then_arrival_then_number():
    by_amount = policy(
        when(
            "amount",
            "==",
            1,
            do("Release", priority_flag="HIGH"),
            when("amount", "==", 2, do("ReleaseWithCredit", priority_flag="MEDIUM"), RELEASE),
        )
    )
    waits = when("current_tick", ">=", 1, by_amount.payment_tree, HOLD)
    arrivals = [
        pay(0, 1, 3, tick=1),
        pay(0, 1, 2),
        pay(0, 1, 1, tick=1),
        pay(1, 0, 3),
        pay(1, 0, 1),
    ]
    result = run_twin(scenario(50, 50), [policy(waits)] * 2, arrivals=arrivals)
    # Those of tick 0 have the numbers 0 to 2 (2, 3 and 1 cents), those of tick 1 follow (3, 1).
    assert entries(result) == [(1, 2), (1, 4), (1, 0), (1, 1), (1, 3)]
    assert [payment.rtgs_class for payment in result.payments] == [1, 2, 0, 2, 0]


def test_priority_mode_gives_the_class_of_the_band():
    banded = scenario(99, 0, priority_mode=True)
    priorities = (10, 8, 7, 4, 3, 0)
    arrivals = [pay(0, 1, 1, priority=priority) for priority in priorities]
    result = run_twin(banded, arrivals=arrivals)
    assert [payment.rtgs_class for payment in result.payments] == [0, 0, 1, 1, 2, 2]
    low = policy(do("Release", priority_flag="LOW"))
    flagged = run_twin(banded, [low, low], arrivals=arrivals)
    assert {payment.rtgs_class for payment in flagged.payments} == {2}


@pytest.mark.parametrize(
    ("curve", "priorities"),
    # Deadline in 6, 5, ... -1 ticks; four ticks before it the boost of 6 begins to grow.
    [
        ("linear", [2, 2, 2, 3, 5, 6, 8, 8]),
        ("quadratic", [2, 2, 2, 2, 3, 5, 8, 8]),
        ("step", [2, 2, 2, 8, 8, 8, 8, 8]),
    ],
)
def test_escalation_raises_the_present_priority(curve, priorities):
    rule = {"enabled": True, "curve": curve, "start_escalating_at_ticks": 4, "max_boost": 6}
    rising = scenario(9, 0, ticks=8, priority_escalation=rule)
    for tick, priority in enumerate(priorities):
        tree = when(
            "current_tick", "==", tick, when("priority", "==", priority, RELEASE, HOLD), HOLD
        )
        arrivals = [pay(0, 1, 1, deadline=6, priority=2)]
        result = run_twin(rising, [policy(tree), HOLDS], arrivals=arrivals)
        assert settled(result) == [tick]
        assert result.payments[0].priority == 2


def test_escalation_stops_at_ten_and_counts_for_the_class():
    rule = {"enabled": True, "curve": "step", "start_escalating_at_ticks": 50, "max_boost": 9}
    rising = scenario(9, 0, priority_escalation=rule, priority_mode=True)
    tree = when("priority", "==", 10, RELEASE, HOLD)
    result = run_twin(rising, [policy(tree), HOLDS], arrivals=[pay(0, 1, 1, deadline=9)])
    assert result.payments[0].rtgs_class == 0


def test_queue_1_by_priority_and_deadline():
    arrivals = [
        pay(0, 1, 1, priority=3, deadline=1),
        pay(0, 1, 1, priority=5, deadline=3),
        pay(0, 1, 1, priority=5, deadline=2),
        pay(0, 1, 1, priority=5, deadline=2),
    ]
    # A budget of one payment a tick shows the order.
    one = policy(RELEASE, bank_tree=do("SetReleaseBudget", max_value_to_release=1))
    by_joining = run_twin(scenario(9, 0), [one, HOLDS], arrivals=arrivals)
    assert settled(by_joining) == [0, 1, 2, 3]
    ordered = scenario(9, 0, queue1_ordering="priority_deadline")
    assert settled(run_twin(ordered, [one, HOLDS], arrivals=arrivals)) == [3, 2, 0, 1]


def test_a_budget_bounds_value_counterparties_and_each_of_them():
    budget = do(
        "SetReleaseBudget",
        max_value_to_release=10.9,
        focus_counterparties=("B", "C"),
        max_per_counterparty=7,
    )
    arrivals = [
        pay(0, 1, 5),
        pay(0, 1, 3),  # 8 to B: more than 7
        pay(0, 3, 1),  # D is not in focus
        pay(0, 2, 6),  # only 5 are left
        pay(0, 2, 5),
        pay(0, 1, 1),  # nothing is left
    ]
    result = run_twin(
        scenario(99, 0, 0, 0, ticks=1), [policy(bank_tree=budget), *[HOLDS] * 3], arrivals=arrivals
    )
    assert settled(result) == [0, None, None, None, 0, None]


def test_a_budget_holds_for_its_tick_only():
    once = when(
        "current_tick", "==", 0, do("SetReleaseBudget", max_value_to_release=0), do("NoAction")
    )
    result = run_twin(scenario(9, 0), [policy(bank_tree=once), HOLDS], arrivals=[pay(0, 1, 1)])
    assert settled(result) == [1]


def test_a_timed_release_waits_unasked_and_keeps_its_class():
    timed = do("Release", timed_for_tick=2, priority_flag="HIGH")
    tree = at(0, timed, DROP)
    result = run_twin(scenario(9, 0), [policy(tree), HOLDS], arrivals=[pay(0, 1, 1)])
    assert (settled(result), result.payments[0].rtgs_class) == ([2], 0)
    assert [row[0] for row in result.queue1_value] == [1, 1, 0, 0]


def test_a_timed_release_for_now_or_before_is_a_release():
    for tick in (0.0, 1.9, 1.0):
        tree = at(1, do("Release", timed_for_tick=tick), HOLD)
        result = run_twin(scenario(9, 0), [policy(tree), HOLDS], arrivals=[pay(0, 1, 1)])
        assert settled(result) == [1]


def test_a_timed_release_that_the_budget_refuses_is_asked_again():
    tree = at(0, do("Release", timed_for_tick=2), DROP)
    budget = when(
        "current_tick", "==", 2, do("SetReleaseBudget", max_value_to_release=0), do("NoAction")
    )
    result = run_twin(
        scenario(9, 0), [policy(tree, bank_tree=budget), HOLDS], arrivals=[pay(0, 1, 1)]
    )
    assert [row[0] for row in result.queue1_value] == [1, 1, 1, 0]
    assert result.payments[0].state == "dropped"


def test_a_split_makes_equal_children_and_the_last_has_the_rest():
    for action in ("Split", "PaceAndRelease"):
        once = policy(when("is_split", "==", 1, RELEASE, do(action, num_splits=3.9)))
        costly = scenario(7, 0, costs={"split_friction_cost": 11})
        arrivals = [pay(0, 1, 11, deadline=2, priority=6)]
        result = run_twin(costly, [once, HOLDS], arrivals=arrivals)
        assert [p.amount for p in result.payments] == [11, 3, 3, 5]
        assert [p.state for p in result.payments] == ["split", "settled", "settled", "queue2"]
        assert [p.parent for p in result.payments] == [None, 0, 0, 0]
        assert {(p.deadline_tick, p.priority) for p in result.payments} == {(2, 6)}
        assert result.total("split", 0) == 22
        assert result.queue2_value[0] == [5, 0]


def test_a_split_never_makes_empty_children():
    many = policy(do("Split", num_splits=100))
    result = run_twin(scenario(9, 0, ticks=1), [many, HOLDS], arrivals=[pay(0, 1, 3), pay(0, 1, 1)])
    assert [p.amount for p in result.payments] == [3, 1, 1, 1, 1]
    assert [p.state for p in result.payments] == ["split"] + ["settled"] * 4


def test_children_that_the_budget_refuses_stay_where_their_parent_stood():
    split = when("amount", "==", 9, do("Split", num_splits=3), RELEASE)
    budget = policy(split, bank_tree=do("SetReleaseBudget", max_value_to_release=3))
    result = run_twin(scenario(99, 0), [budget, HOLDS], arrivals=[pay(0, 1, 9), pay(0, 1, 3)])
    # Numbers: 0 the whole, 1 the other, 2 to 4 the children: these go first.
    assert settled(result) == [None, 3, 0, 1, 2]


def test_children_inherit_that_the_penalty_was_charged():
    late = scenario(0, 0, costs={"deadline_penalty": 50})
    tree = when(
        "is_overdue", "==", 1, when("is_split", "==", 1, HOLD, do("Split", num_splits=2)), HOLD
    )
    result = run_twin(late, [policy(tree), HOLDS], arrivals=[pay(0, 1, 8, deadline=0)])
    assert len(result.payments) == 3
    assert result.total("deadline_penalty") == 50


def test_a_staggered_split_reserves_the_later_children():
    stagger = do(
        "StaggerSplit",
        num_splits=4,
        stagger_first_now=2,
        stagger_gap_ticks=2.5,
        priority_boost_children=3,
    )
    tree = when("is_split", "==", 1, DROP, stagger)
    arrivals = [pay(0, 1, 8, priority=8)]
    result = run_twin(scenario(99, 0, ticks=6), [policy(tree), HOLDS], arrivals=arrivals)
    assert settled(result) == [None, 0, 0, 2, 4]
    assert [p.priority for p in result.payments] == [8, 10, 10, 10, 10]
    assert [p.arrived_priority for p in result.payments] == [8] * 5


def test_a_payment_that_was_split_is_in_no_sum():
    costs = {"delay_cost_per_tick_per_cent": 0.5, "eod_penalty": 7}
    tree = when("is_split", "==", 1, HOLD, do("Split", num_splits=2))
    one_day = scenario(0, 0, ticks=2, costs=costs)
    result = run_twin(one_day, [policy(tree), HOLDS], arrivals=[pay(0, 1, 8)])
    assert result.total("delay") == 8
    assert result.total("end_of_day") == 14
    assert result.queue2_value[1] == [8, 0]


def test_withdrawing_takes_back_and_resubmitting_moves():
    act = when(
        "is_in_queue2",
        "==",
        1,
        when("amount", "==", 5, do("WithdrawFromRtgs"), HOLD),
        at(0, RELEASE, HOLD),
    )
    arrivals = [pay(0, 1, 5), pay(0, 1, 6)]
    result = run_twin(scenario(0, 0, ticks=2), [policy(act), HOLDS], arrivals=arrivals)
    assert [p.state for p in result.payments] == ["queue1", "queue2"]
    assert (result.payments[0].release_tick, result.payments[0].rtgs_class) == (0, 2)

    urgent = do("ResubmitToRtgs", rtgs_priority="Urgent")
    moves = policy(when("amount", "==", 6, when("is_in_queue2", "==", 1, urgent, RELEASE), RELEASE))
    events = (money(1, "B", "A", 6),)
    moved = run_twin(scenario(0, 6, events=events), [moves, HOLDS], arrivals=arrivals)
    assert settled(moved) == [None, 1]
    assert moved.payments[1].rtgs_class == 1


def test_resubmitting_to_the_same_class_keeps_the_place():
    same = when("is_in_queue2", "==", 1, do("ResubmitToRtgs", rtgs_priority="Normal"), RELEASE)
    tree = when("amount", "==", 6, same, RELEASE)
    arrivals = [pay(0, 1, 6), pay(0, 1, 5)]
    events = (money(1, "B", "A", 6),)
    result = run_twin(scenario(0, 6, events=events), [policy(tree), HOLDS], arrivals=arrivals)
    assert settled(result) == [1, None]


def test_actions_that_do_nothing_where_the_payment_is():
    in_queue1 = run_twin(
        scenario(9, 0),
        [policy(when("amount", "==", 1, do("WithdrawFromRtgs"), HOLD)), HOLDS],
        arrivals=[pay(0, 1, 1)],
    )
    assert in_queue1.payments[0].state == "queue1"
    for action in (DROP, do("Split", num_splits=2), do("Reprioritize", new_priority=1)):
        tree = when("is_in_queue2", "==", 1, action, RELEASE)
        result = run_twin(scenario(0, 0), [policy(tree), HOLDS], arrivals=[pay(0, 1, 4)])
        assert len(result.payments) == 1
        assert (result.payments[0].state, result.payments[0].priority) == ("queue2", 5)


def test_reprioritize_rounds_down_and_stays_in_bounds():
    for wanted, priority in ((7.9, 7), (-3, 0), (99, 10)):
        tree = do("Reprioritize", new_priority=wanted)
        result = run_twin(scenario(0, 0), [policy(tree), HOLDS], arrivals=[pay(0, 1, 4)])
        assert (result.payments[0].priority, result.payments[0].arrived_priority) == (priority, 5)


def test_registers_add_up_within_a_day_and_begin_again():
    adds = do("AddState", key="bank_state_n", value=2)
    tree = when("bank_state_n", "==", 4, RELEASE, HOLD)
    arrivals = [pay(0, 1, 1), pay(0, 1, 1, tick=2)]
    two_days = scenario(9, 0, ticks=2, days=2)
    result = run_twin(two_days, [policy(tree, bank_tree=adds), HOLDS], arrivals=arrivals)
    assert settled(result) == [1, 3]
    sets = do(
        "SetState", key="bank_state_n", value=Compute("+", (Field("current_tick"), Number(3)))
    )
    once = run_twin(two_days, [policy(tree, bank_tree=sets), HOLDS], arrivals=arrivals)
    assert settled(once) == [1, None]


def test_collateral_is_posted_to_capacity_and_withdrawn_to_zero_liquidity():
    posts = do("PostCollateral", amount=700.9)
    rich = bank(0, posted_collateral=301, max_collateral_capacity=1001, collateral_haircut=0.1)
    takes = when(
        "current_tick", "==", 1, do("WithdrawCollateral", amount=5000), do("HoldCollateral")
    )
    tree = at(0, posts, takes)
    result = run_twin(
        scenario(rich, 0),
        [policy(strategic_collateral_tree=tree), HOLDS],
        arrivals=[pay(0, 1, 800)],
    )
    # 889 less 88.9 rounded up is 800; 888 less 88.8 rounded up is only 799.
    assert [row[0] for row in result.posted] == [1001, 889, 889, 889]
    assert result.payments[0].settle_tick == 0


@pytest.mark.parametrize(("amount", "posted"), [(100, 25), (4.9, 24), (-4, 20)])
def test_posting_beyond_capacity_and_negative_amounts(amount, posted):
    nearly_full = bank(0, posted_collateral=20, max_collateral_capacity=25)
    tree = do("PostCollateral", amount=amount)
    result = run_twin(scenario(nearly_full, 0), [policy(end_of_tick_collateral_tree=tree), HOLDS])
    assert result.posted[0][0] == posted


def test_collateral_posted_for_a_time_is_withdrawn_as_far_as_it_can_be():
    posts = do("PostCollateral", amount=100, auto_withdraw_after_ticks=2)
    tree = at(0, posts, do("HoldCollateral"))
    for name in ("strategic_collateral_tree", "end_of_tick_collateral_tree"):
        result = run_twin(scenario(0, 0), [policy(**{name: tree}), HOLDS])
        assert [row[0] for row in result.posted] == [100, 100, 0, 0]
    released = policy(RELEASE, strategic_collateral_tree=tree)
    result = run_twin(scenario(0, 0), [released, HOLDS], arrivals=[pay(0, 1, 30)])
    assert [row[0] for row in result.posted] == [100, 100, 30, 30]


def test_the_end_of_tick_tree_comes_after_deferred_credits():
    posts = when("balance", ">=", 5, do("PostCollateral", amount=1), do("HoldCollateral"))
    deferred = scenario(5, 0, deferred_crediting=True)
    trees = [RELEASES, policy(end_of_tick_collateral_tree=posts)]
    result = run_twin(deferred, trees, arrivals=[pay(0, 1, 5)])
    assert result.posted[0] == [0, 1]


def test_events_can_post_beyond_capacity():
    full = bank(0, posted_collateral=5, max_collateral_capacity=5)
    events = (event(1, "CollateralAdjustment", agent="A", delta=10),)
    result = run_twin(scenario(full, 0, events=events), arrivals=[pay(0, 1, 15)])
    assert settled(result) == [1]


def test_collateral_that_is_worth_nothing_is_withdrawn_whole():
    takes = policy(strategic_collateral_tree=do("WithdrawCollateral", amount=9))
    worthless = bank(0, posted_collateral=5, collateral_haircut=1.0)
    assert run_twin(scenario(worthless, 0), [takes, HOLDS]).posted[0] == [0, 0]
    # Below zero nothing is given back, though it would change nothing.
    below = scenario(worthless, 0, events=(money(0, "A", "B", 1),))
    assert run_twin(below, [takes, HOLDS]).posted[0] == [5, 0]
