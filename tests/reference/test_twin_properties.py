"""What must hold in every run of the twin."""

from __future__ import annotations

from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payment_simulator.scenario.model import ObservedPayment
from tests.reference.small import HOLD, RELEASE, bank, do, pay, policy, scenario, when
from tests.reference.twin import run_twin
from tests.reference.twin.model import World
from tests.reference.twin.offsets import multilateral
from tests.reference.twin.queues import join_queue2, new_payment
from tests.reference.twin.settlement import is_feasible
from tests.reference.twin.twin import make_banks

ALGORITHMS = ("fifo", "bilateral", "multilateral", "cycles")
N_BANKS = 4

banks = st.builds(
    bank,
    st.integers(0, 20),
    unsecured_cap=st.integers(0, 5),
    posted_collateral=st.integers(0, 9),
    collateral_haircut=st.sampled_from([0.0, 0.1, 1.0]),
    limits=st.fixed_dictionaries({}, optional={"multilateral_limit": st.integers(0, 9)}),
)
payments = st.builds(
    lambda ends, amount, **more: pay(*ends, amount, **more),
    st.permutations(range(N_BANKS)).map(lambda order: order[:2]),
    st.integers(1, 12),
    tick=st.integers(0, 5),
    deadline=st.integers(0, 4),
    priority=st.integers(0, 10),
    divisible=st.booleans(),
)


def lists_of_payments(most: int = 14) -> st.SearchStrategy[list[ObservedPayment]]:
    """Payments between different banks, by tick."""
    return st.lists(payments, max_size=most).map(
        lambda made: sorted(made, key=lambda payment: payment.tick)
    )


switches = st.fixed_dictionaries(
    {
        "queue_discipline": st.sampled_from(["bypass", "strict"]),
        "deferred_crediting": st.booleans(),
        "entry_disposition_offsetting": st.booleans(),
        "algorithm_sequencing": st.booleans(),
        "priority_mode": st.booleans(),
        "end_of_day": st.sampled_from(["penalty", "borrow"]),
        "algorithms": st.permutations(ALGORITHMS).map(tuple),
    }
)
trees = st.sampled_from(
    [
        RELEASE,
        do("Split", num_splits=2),
        when("is_in_queue2", "==", 1, do("WithdrawFromRtgs"), RELEASE),
        when("ticks_to_deadline", "<=", 1, RELEASE, HOLD),
        when(
            "is_split",
            "==",
            1,
            RELEASE,
            do(
                "StaggerSplit",
                num_splits=3,
                stagger_first_now=1,
                stagger_gap_ticks=1,
                priority_boost_children=2,
            ),
        ),
        when("amount", ">", 6, do("Drop"), do("Release", priority_flag="HIGH")),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(banks, min_size=N_BANKS, max_size=N_BANKS),
    lists_of_payments(),
    switches,
    st.lists(trees, min_size=N_BANKS, max_size=N_BANKS),
)
def test_money_and_payments_are_conserved(agents, arrivals, switched, chosen):
    made = scenario(*agents, ticks=3, days=2, costs={"delay_cost_per_tick_per_cent": 1}, **switched)
    result = run_twin(made, [policy(tree) for tree in chosen], arrivals=arrivals)
    opening = sum(agent["opening_balance"] for agent in agents)
    borrowed = dict.fromkeys(range(6), 0)
    for tick, step, what, *about in result.log:
        if (step, what) == (8, "borrowed"):
            # What is borrowed at a close is repaid at the next open.
            borrowed[tick] += about[1]
    assert [sum(row) for row in result.balances] == [opening + borrowed[tick] for tick in range(6)]

    whole = [payment for payment in result.payments if payment.parent is None]
    leaves = [payment for payment in result.payments if payment.state != "split"]
    assert sum(payment.amount for payment in leaves) <= sum(payment.amount for payment in whole)
    assert all((p.remaining == 0) == (p.state == "settled") for p in result.payments)
    assert all((p.settle_tick is not None) == (p.state == "settled") for p in result.payments)
    paid = [line[5] for line in result.log if line[2] == "settled"]
    owed = sum(payment.remaining for payment in leaves)
    assert sum(paid) + owed == sum(payment.amount for payment in whole)
    assert all(cost >= 0 for day in result.costs for row in day for cost in row)
    if switched["end_of_day"] == "penalty":
        lines = [world_bank.credit_line for world_bank in make_banks(made)]
        for row in result.balances:
            assert all(balance + line >= 0 for balance, line in zip(row, lines, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(banks, min_size=N_BANKS, max_size=N_BANKS),
    lists_of_payments(most=9),
)
def test_gridlock_resolution_under_strict_finds_the_largest_feasible_set(agents, arrivals):
    made = scenario(*agents, queue_discipline="strict")
    world = World(made, make_banks(made), [], costs=[])
    for given_ in arrivals:
        payment = new_payment(
            world,
            sender=given_.sender,
            receiver=given_.receiver,
            amount=given_.amount,
            deadline_tick=9,
            priority=5,
            divisible=False,
        )
        payment.rtgs_class = 2
        join_queue2(world, payment)
    heads = [world.own_queue2(world_bank) for world_bank in world.banks]
    # Under strict a set is the head of every bank's queue, so its lengths describe it.
    feasible = []
    for lengths in product(*[range(len(own) + 1) for own in heads]):
        chosen = [p for own, length in zip(heads, lengths, strict=True) for p in own[:length]]
        payers = {payment.sender for payment in chosen}
        if all(is_feasible(world.banks[payer], chosen) for payer in payers):
            feasible.append(lengths)
    largest = tuple(max(lengths[b] for lengths in feasible) for b in range(N_BANKS))
    assert largest in feasible
    expected = {p.number for own, length in zip(heads, largest, strict=True) for p in own[:length]}
    multilateral(world)
    assert {p.number for p in world.payments if p.state == "settled"} == expected
