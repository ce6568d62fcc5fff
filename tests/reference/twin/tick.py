"""One tick, step by step (section 4 of the rules)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from payment_simulator.scenario.model import ObservedPayment
from tests.reference.twin.arrivals import Source, draw_payments
from tests.reference.twin.bank_trees import run_step_4, run_step_10
from tests.reference.twin.costs import (
    charge,
    charge_deadlines_at_the_end,
    charge_end_of_day,
    charge_overdue,
    charge_tick,
)
from tests.reference.twin.cycles import cycles
from tests.reference.twin.decisions import ask_payment_trees
from tests.reference.twin.events import do_events
from tests.reference.twin.model import Bank, Payment, World, total
from tests.reference.twin.offsets import bilateral, enter, fifo, multilateral
from tests.reference.twin.queues import join_queue1, new_payment
from tests.reference.twin.settlement import settle

ALGORITHMS: dict[str, Callable[[World], bool]] = {
    "fifo": fifo,
    "bilateral": bilateral,
    "multilateral": multilateral,
    "cycles": cycles,
}


def play_tick(world: World, source: Source, given: Sequence[ObservedPayment] | None) -> None:
    """Play one tick.

    Parameters
    ----------
    given : sequence or None
        Payments that stand in for the random ones, as in a payments file.
    """
    world.n_cycles = 0
    world.settled_in_part.clear()
    if world.tick_of_day == 0:
        _open(world)
    charge_overdue(world)
    do_events(world, source)
    _arrive(world, source, given)
    run_step_4(world)
    ask_payment_trees(world)
    _enter(world)
    _work_queue2(world)
    is_close = world.tick == world.last_tick_of_day
    if is_close and world.scenario.end_of_day == "borrow":
        _borrow(world)
    for bank in world.banks:
        bank.balance += bank.credits_to_come
        bank.credits_to_come = 0
    run_step_10(world)
    charge_tick(world)
    if is_close:
        _close(world)


def _open(world: World) -> None:
    """Begin a day (step 1)."""
    world.settled_today = 0
    for bank in world.banks:
        bank.net_out.clear()
        bank.settled_today = 0
        bank.registers.clear()
        bank.balance -= bank.borrowed
        bank.borrowed = 0
        if world.day == 0 or world.scenario.daily_liquidity_reallocation:
            _allocate(world, bank)


def _allocate(world: World, bank: Bank) -> None:
    """Give a bank its share of the liquidity pool."""
    if bank.liquidity_pool is None:
        return
    parameters = world.policies[bank.number].parameters
    fraction = parameters.get("initial_liquidity_fraction", bank.liquidity_fraction)
    # The decimal form of 0.1 is a tenth, its binary value is not.
    bank.allocated = int(bank.liquidity_pool * Fraction(str(fraction)))
    bank.balance += bank.allocated
    world.note(1, "allocated", bank.number, bank.allocated)


def _arrive(world: World, source: Source, given: Sequence[ObservedPayment] | None) -> None:
    """Let the payments of the tick join Queue 1 (step 3)."""
    arriving = world.arriving
    world.arriving = []
    arriving += _observed(world, world.scenario.payments)
    if given is None:
        arriving += draw_payments(world, source)
    else:
        arriving += _observed(world, given)
    for payment in arriving:
        join_queue1(world, payment)
        world.note(3, "arrived", payment.number)


def _observed(world: World, given: Sequence[ObservedPayment]) -> list[Payment]:
    """Make the payments that are known beforehand, in their order."""
    return [
        new_payment(
            world,
            sender=observed.sender,
            receiver=observed.receiver,
            amount=observed.amount,
            deadline_tick=world.tick + observed.deadline_offset,
            priority=observed.priority,
            divisible=observed.divisible,
        )
        for observed in given
        if observed.tick == world.tick
    ]


def _enter(world: World) -> None:
    """Let what was released into the system (step 6)."""
    entering = sorted(world.released, key=lambda p: (p.rtgs_class, p.arrival_tick, p.number))
    world.released = []
    for payment in entering:
        enter(world, payment)


def _work_queue2(world: World) -> None:
    """Run the algorithms on Queue 2 until they settle nothing more (step 7)."""
    settled_any = True
    while settled_any:
        settled_any = False
        for name in world.scenario.algorithms:
            if ALGORITHMS[name](world):
                settled_any = True
                if world.scenario.algorithm_sequencing:
                    break


def _borrow(world: World) -> None:
    """Let every bank borrow what it lacks to settle all that it owes (step 8)."""
    bps = world.scenario.cost_rates.eod_borrowing_bps
    owing = [payment for payment in world.unsettled() if payment.state != "dropped"]
    for bank in world.banks:
        owed = total([payment for payment in owing if payment.sender == bank.number])
        if owed == 0:
            continue
        bank.borrowed = max(0, owed - max(bank.balance, 0))
        charge(world, bank.number, "end_of_day", bank.borrowed * bps / 1e4)
        world.note(8, "borrowed", bank.number, bank.borrowed)
    for bank in world.banks:
        bank.balance += bank.borrowed
    for payment in owing:
        settle(world, payment, payment.remaining, 8, "borrowed")


def _close(world: World) -> None:
    """End a day (step 12)."""
    if world.is_last_day:
        charge_deadlines_at_the_end(world)
    charge_end_of_day(world)
    if world.is_last_day or world.scenario.daily_liquidity_reallocation:
        for bank in world.banks:
            bank.balance -= bank.allocated
            bank.allocated = 0
