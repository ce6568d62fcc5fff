"""The twin against numbers worked out by hand: discipline, offsets, gridlock and chains."""

from __future__ import annotations

import pytest

from tests.reference.small import (
    RELEASE,
    bank,
    do,
    money,
    pay,
    policy,
    scenario,
    when,
)
from tests.reference.twin import cycles, run_twin

#: Priority 10 enters as highly urgent, 5 as urgent, any other as normal.
BY_CLASS = policy(
    when(
        "priority",
        "==",
        10,
        do("Release", priority_flag="HIGH"),
        when("priority", "==", 5, do("Release", priority_flag="MEDIUM"), RELEASE),
    )
)


def states(result):
    """One letter for each payment: s settled, - in Queue 2."""
    letters = {"settled": "s", "queue2": "-"}
    return "".join(letters[payment.state] for payment in result.payments)


def hows(result):
    """How payments settled, in order: algorithm, number and cents."""
    return [line[3:] for line in result.log if line[2] == "settled"]


def test_under_bypass_small_payments_pass_large_ones_at_entry():
    arrivals = [pay(0, 1, 20), pay(0, 1, 5)]
    assert states(run_twin(scenario(10, 0), arrivals=arrivals)) == "-s"
    assert states(run_twin(scenario(10, 0, queue_discipline="strict"), arrivals=arrivals)) == "--"


def test_under_strict_a_better_class_does_not_wait_for_a_worse_one():
    # 20 waits in the normal class; 5 is urgent and free, 6 is normal and is not.
    arrivals = [pay(0, 1, 20, priority=1), pay(0, 1, 5, tick=1), pay(0, 1, 4, tick=1, priority=1)]
    strict = scenario(10, 0, queue_discipline="strict")
    assert states(run_twin(strict, [BY_CLASS] * 2, arrivals=arrivals)) == "-s-"
    # 20 waits in the urgent class: nothing of the urgent class passes, highly urgent does.
    arrivals = [pay(0, 1, 20), pay(0, 1, 5, tick=1), pay(0, 1, 4, tick=1, priority=10)]
    assert states(run_twin(strict, [BY_CLASS] * 2, arrivals=arrivals)) == "--s"


def test_under_strict_a_part_settles_only_where_the_whole_might():
    arrivals = [pay(0, 1, 20), pay(0, 1, 30, divisible=True)]
    strict = run_twin(scenario(10, 0, queue_discipline="strict"), arrivals=arrivals)
    assert strict.payments[1].remaining == 30
    assert run_twin(scenario(10, 0), arrivals=arrivals).payments[1].remaining == 20


def test_fifo_stops_at_the_first_of_a_bank_under_strict():
    arrivals = [pay(0, 1, 20), pay(0, 1, 5), pay(0, 1, 5)]
    events = (money(1, "B", "A", 9),)
    strict = run_twin(scenario(0, 9, queue_discipline="strict", events=events), arrivals=arrivals)
    assert states(strict) == "---"
    assert states(run_twin(scenario(0, 9, events=events), arrivals=arrivals)) == "-s-"


def test_fifo_settles_in_part_and_the_rest_keeps_its_place():
    arrivals = [pay(0, 1, 20, divisible=True), pay(0, 1, 5)]
    events = (money(1, "B", "A", 9), money(2, "B", "A", 9), money(3, "B", "A", 6))
    result = run_twin(scenario(0, 30, events=events), arrivals=arrivals)
    assert [row[0] for row in result.queue2_value] == [25, 16, 7, 5]
    assert hows(result) == [("fifo, in part", 0, 9), ("fifo, in part", 0, 9), ("fifo", 0, 2)]
    assert [p.settle_tick for p in result.payments] == [3, None]


def test_after_a_part_the_bank_is_passed_over_under_strict():
    arrivals = [pay(0, 1, 20, divisible=True), pay(0, 2, 5)]
    limited = bank(0, limits={"bilateral_limits": {"B": 4}})
    for discipline, end in (("bypass", "-s"), ("strict", "--")):
        waiting = scenario(
            limited, 0, 30, queue_discipline=discipline, events=(money(1, "C", "A", 30),)
        )
        result = run_twin(waiting, arrivals=arrivals)
        assert states(result) == end
        assert result.payments[0].remaining == 16


def test_fifo_repeats_while_anything_settles():
    # B's payment stands first; A's brings B the money for it.
    arrivals = [pay(1, 0, 8), pay(0, 1, 8)]
    result = run_twin(scenario(0, 0, 8, events=(money(1, "C", "A", 8),)), arrivals=arrivals)
    assert hows(result) == [("fifo", 1, 8), ("fifo", 0, 8)]
    assert {payment.settle_tick for payment in result.payments} == {1}


def test_fifo_goes_by_class_then_entry():
    arrivals = [pay(0, 1, 5, priority=1), pay(0, 1, 5, tick=1), pay(0, 1, 5, tick=2)]
    events = (money(3, "B", "A", 5),)
    result = run_twin(scenario(0, 5, events=events), [BY_CLASS] * 2, arrivals=arrivals)
    assert states(result) == "-s-"


def test_offset_at_entry_finds_the_first_that_both_can_bear():
    offsets = {"entry_disposition_offsetting": True, "algorithms": ()}
    arrivals = [pay(1, 0, 30), pay(1, 2, 1), pay(1, 0, 12), pay(0, 1, 10, tick=1)]
    # 10 less 30: B lacks 20 of which it has 3; 10 less 12: B pays 2 net.
    poor = scenario(0, bank(3, limits={"bilateral_limits": {"C": 0}}), 0, **offsets)
    result = run_twin(poor, arrivals=arrivals)
    assert states(result) == "--ss"
    assert result.balances[1] == [2, 1, 0]
    # Under strict only the first of B counts, and it is too large.
    strict = scenario(0, 3, 0, queue_discipline="strict", **offsets)
    assert states(run_twin(strict, arrivals=arrivals)) == "----"
    assert states(run_twin(strict, arrivals=[pay(1, 0, 12), pay(0, 1, 10, tick=1)])) == "ss"
    second = [pay(1, 0, 30), pay(1, 0, 12), pay(0, 1, 10, tick=1)]
    assert states(run_twin(strict, arrivals=second)) == "---"


def test_offset_at_entry_under_strict_needs_the_entering_payment_to_be_free():
    arrivals = [pay(0, 1, 50), pay(1, 0, 5, tick=1), pay(0, 1, 5, tick=2)]
    strict = {"entry_disposition_offsetting": True, "algorithms": (), "queue_discipline": "strict"}
    assert states(run_twin(scenario(0, 0, **strict), arrivals=arrivals)) == "---"
    bypass = {**strict, "queue_discipline": "bypass"}
    assert states(run_twin(scenario(0, 0, **bypass), arrivals=arrivals)) == "-ss"


def test_offset_comes_before_a_part():
    offsets = {"entry_disposition_offsetting": True, "algorithms": ()}
    arrivals = [pay(1, 0, 9), pay(0, 1, 10, divisible=True)]
    result = run_twin(scenario(1, 0, **offsets), arrivals=arrivals)
    assert hows(result) == [("entry offset", 1, 10), ("entry offset", 0, 9)]
    assert run_twin(scenario(1, 0, algorithms=()), arrivals=arrivals).payments[1].remaining == 9


def test_a_pair_that_cannot_be_offset():
    arrivals = [pay(0, 1, 10), pay(1, 0, 20)]
    for algorithms in (("bilateral",), ("multilateral",), ("cycles",)):
        result = run_twin(scenario(4, 4, algorithms=algorithms), arrivals=arrivals)
        assert states(result) == "--"
        assert result.balances[-1] == [4, 4]


def test_a_pair_drops_the_last_payments_of_who_lacks():
    # A owes 9 + 4 + 2 and gets 10: the 2 is dropped, then the 4; B with 9 + 1 can pay its 10.
    arrivals = [pay(0, 1, 9), pay(0, 1, 4), pay(1, 0, 10), pay(0, 1, 2)]
    result = run_twin(scenario(0, 1, algorithms=("bilateral",)), arrivals=arrivals)
    assert states(result) == "s-s-"
    assert result.balances[-1] == [1, 0]


def test_limits_hold_in_a_pair():
    arrivals = [pay(0, 1, 9), pay(0, 1, 4), pay(1, 0, 10)]
    for limits in ({"bilateral_limits": {"B": 2}}, {"multilateral_limit": 2}):
        limited = scenario(bank(5, limits=limits), 0, algorithms=("bilateral",))
        # A cannot pay 9 alone (limit 2); 13 less 10 is 3, more than 2: the 4 is dropped, and then
        # B lacks 1.
        assert states(run_twin(limited, arrivals=arrivals)) == "---"
        limited = scenario(bank(5, limits=limits), 1, algorithms=("bilateral",))
        assert states(run_twin(limited, arrivals=arrivals)) == "s-s"


def test_a_pair_under_strict_begins_with_the_head_of_each_queue():
    arrivals = [pay(0, 1, 5), pay(0, 2, 50), pay(0, 1, 3), pay(1, 0, 8)]
    bypass = scenario(0, 0, 0, algorithms=("bilateral",))
    assert states(run_twin(bypass, arrivals=arrivals)) == "s-ss"
    # Under strict A offers 5 only, so B lacks 3.
    strict = scenario(0, 0, 0, algorithms=("bilateral",), queue_discipline="strict")
    assert states(run_twin(strict, arrivals=arrivals)) == "----"
    blocked = [pay(0, 2, 50), pay(0, 1, 8), pay(1, 0, 8)]
    assert states(run_twin(strict, arrivals=blocked)) == "---"


def test_pairs_go_in_order_and_are_named_at_the_beginning():
    strict = scenario(0, 0, 0, 0, algorithms=("bilateral",), queue_discipline="strict", ticks=1)
    arrivals = [pay(0, 2, 5), pay(0, 1, 6), pay(1, 0, 6), pay(2, 0, 5)]
    result = run_twin(strict, arrivals=arrivals)
    # A's head is for C, so (A, B) fails, (A, C) settles, and the next round does (A, B).
    assert [how[1] for how in hows(result)] == [0, 3, 1, 2]


RING = [pay(0, 1, 10), pay(1, 2, 13), pay(2, 0, 12)]


@pytest.mark.parametrize("algorithm", ["multilateral", "cycles"])
@pytest.mark.parametrize("discipline", ["bypass", "strict"])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_ring_settles_at_once(algorithm, discipline, deferred):
    ring = scenario(
        0,
        3,
        0,
        algorithms=("fifo", "bilateral", algorithm),
        queue_discipline=discipline,
        deferred_crediting=deferred,
    )
    result = run_twin(ring, arrivals=RING)
    assert states(result) == "sss"
    assert result.balances[0] == [2, 0, 1]


def test_what_a_set_brings_on_balance_is_deferred():
    # The ring brings A 2, which would let A pay 2 more in the same tick.
    arrivals = [*RING, pay(0, 3, 2)]
    for deferred, tick in ((False, 0), (True, 1)):
        ring = scenario(0, 3, 0, 0, algorithms=("cycles", "fifo"), deferred_crediting=deferred)
        assert run_twin(ring, arrivals=arrivals).payments[3].settle_tick == tick


def test_gridlock_resolution_drops_last_payments_until_all_are_feasible():
    # A has 15 to pay and gets 12: drops the 5. B has 13 to pay, gets 19 and has 3. C has 21 to pay
    # and gets 13: drops the 9. B gets 10 still, which with its 3 is enough.
    arrivals = [pay(0, 1, 10), pay(1, 2, 13), pay(2, 0, 12), pay(2, 1, 9), pay(0, 2, 5)]
    for discipline in ("bypass", "strict"):
        grid = scenario(0, 3, 0, algorithms=("multilateral",), queue_discipline=discipline)
        result = run_twin(grid, arrivals=arrivals)
        assert states(result) == "sss--"
        assert result.balances[0] == [2, 0, 1]


def test_gridlock_resolution_comes_back_to_a_bank_that_loses_income():
    # A pays B only with what comes from C, and C has nothing: all unwind in the second round.
    arrivals = [pay(0, 1, 10), pay(1, 0, 4), pay(2, 0, 7)]
    grid = scenario(0, 0, 0, algorithms=("multilateral",), ticks=1)
    assert states(run_twin(grid, arrivals=arrivals)) == "---"
    grid = scenario(0, 0, 7, algorithms=("multilateral",), ticks=1)
    assert states(run_twin(grid, arrivals=arrivals)) == "sss"


def test_a_bilateral_limit_drops_the_payment_that_breaks_it_under_bypass():
    # A's limit towards B is 0: under bypass the 6 to B goes out of the set, under strict the last.
    arrivals = [pay(0, 1, 6), pay(0, 2, 9), pay(2, 0, 9)]
    limited = bank(0, limits={"bilateral_limits": {"B": 0}})
    bypass = scenario(limited, 0, 0, algorithms=("multilateral",))
    assert states(run_twin(bypass, arrivals=arrivals)) == "-ss"
    strict = scenario(limited, 0, 0, algorithms=("multilateral",), queue_discipline="strict")
    assert states(run_twin(strict, arrivals=arrivals)) == "---"


def test_a_multilateral_limit_drops_the_last_payment():
    arrivals = [pay(0, 1, 6), pay(0, 2, 9), pay(2, 0, 9)]
    limited = bank(5, limits={"multilateral_limit": 5})
    grid = scenario(limited, 0, 0, algorithms=("multilateral",))
    # 15 less 9 is 6: the 9 to C is dropped, C has nothing and drops its own; 6 is still over 5.
    assert states(run_twin(grid, arrivals=arrivals)) == "---"


def test_triangles_are_found_in_both_directions():
    for ring in ([(0, 1), (1, 2), (2, 0)], [(0, 2), (2, 1), (1, 0)]):
        arrivals = [pay(sender, receiver, 7) for sender, receiver in ring]
        result = run_twin(scenario(0, 0, 0, algorithms=("cycles",)), arrivals=arrivals)
        assert states(result) == "sss"


def test_chains_of_two_are_left_to_pairs_and_long_ones_to_the_bound():
    pair = [pay(0, 1, 7), pay(1, 0, 7)]
    assert states(run_twin(scenario(0, 0, algorithms=("cycles",)), arrivals=pair)) == "--"
    four = [pay(0, 1, 7), pay(1, 2, 7), pay(2, 3, 7), pay(3, 0, 7)]
    for length, end in ((3, "----"), (4, "ssss")):
        lsm = {"max_cycle_length": length}
        chain = scenario(0, 0, 0, 0, algorithms=("cycles",), lsm=lsm)
        assert states(run_twin(chain, arrivals=four)) == end


def test_only_the_first_payment_of_a_link_is_looked_at():
    arrivals = [pay(0, 1, 50), pay(0, 1, 7), pay(1, 2, 7), pay(2, 0, 7)]
    assert states(run_twin(scenario(0, 0, 0, algorithms=("cycles",)), arrivals=arrivals)) == "----"
    # Under strict the link must be the first of its bank to anybody.
    arrivals = [pay(0, 1, 7), pay(1, 3, 99), pay(1, 2, 7), pay(2, 0, 7)]
    for discipline, end in (("bypass", "s-ss"), ("strict", "----")):
        ring = scenario(0, 0, 0, 0, algorithms=("cycles",), queue_discipline=discipline)
        assert states(run_twin(ring, arrivals=arrivals)) == end


def test_a_chain_closes_before_it_goes_on_and_prefers_low_banks():
    # A-B-C-A and A-B-C-D-A share links: the triangle is tried first.
    arrivals = [pay(0, 1, 5), pay(1, 2, 5), pay(2, 3, 5), pay(3, 0, 5), pay(2, 0, 5)]
    result = run_twin(scenario(0, 0, 0, 0, algorithms=("cycles",)), arrivals=arrivals)
    assert states(result) == "ss--s"


def test_limits_and_liquidity_hold_for_every_bank_of_a_chain():
    # B lacks 1: passed over; A would end over its limit when the chain closes.
    for banks, end in (
        ((0, 2, 0), "---"),
        ((0, 3, 0), "sss"),
        ((0, bank(3, limits={"multilateral_limit": 2}), 0), "---"),
        ((0, bank(3, limits={"bilateral_limits": {"C": 12}}), 0), "---"),
        ((bank(0, limits={"bilateral_limits": {"B": 9}}), 3, 0), "---"),
    ):
        assert states(run_twin(scenario(*banks, algorithms=("cycles",)), arrivals=RING)) == end


def test_so_many_chains_and_looks_in_a_tick(monkeypatch):
    twice = [*RING, *RING]
    lsm = {"max_cycles_per_tick": 1}
    ring = scenario(0, 6, 0, algorithms=("cycles",), lsm=lsm)
    assert [p.settle_tick for p in run_twin(ring, arrivals=twice).payments] == [0, 0, 0, 1, 1, 1]
    # A search finds a triangle with three looks.
    ring = scenario(0, 6, 0, algorithms=("cycles",))
    for looks, settled in ((2, 0), (3, 6)):
        monkeypatch.setattr(cycles, "MOST_LOOKS", looks)
        result = run_twin(ring, arrivals=twice)
        assert sum(p.settle_tick == 0 for p in result.payments) == settled


def test_sequencing_begins_again_after_every_success():
    # The pair brings A what its payment to C needs: fifo has it if the sequence begins again.
    arrivals = [pay(0, 2, 2), pay(0, 1, 5), pay(1, 0, 7), pay(2, 3, 2)]
    for sequencing, order in (
        (False, ["bilateral", "bilateral", "multilateral", "multilateral"]),
        (True, ["bilateral", "bilateral", "fifo", "fifo"]),
    ):
        line = scenario(
            0,
            2,
            0,
            0,
            algorithms=("fifo", "bilateral", "multilateral"),
            algorithm_sequencing=sequencing,
        )
        assert [how[0] for how in hows(run_twin(line, arrivals=arrivals))] == order
