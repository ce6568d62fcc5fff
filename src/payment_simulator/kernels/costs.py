"""Step 11 and the penalties: what liquidity, credit and delay cost."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.fields import penalty
from payment_simulator.kernels.layout import (
    B_ALLOCATED,
    B_BALANCE,
    B_DROPPED_HEAD,
    B_POSTED,
    B_Q1_HEAD,
    B_WAIT,
    C_TICK,
    DROPPED,
    F_COLLATERAL,
    F_DELAY_FACTOR,
    F_EOD_BPS,
    F_LIQUIDITY,
    F_OVERDRAFT,
    K_COLLATERAL,
    K_DEADLINE,
    K_DELAY,
    K_EOD,
    K_LIQUIDITY,
    K_OVERDRAFT,
    LOG_OVERDUE,
    LOG_PENALTY,
    N_DELAY,
    N_PENALTY,
    NONE,
    P_BAND,
    P_DEADLINE,
    P_DUE_NEXT,
    P_LEFT,
    P_NEXT,
    P_OVERDUE,
    P_RECEIVER,
    P_SENDER,
    P_STATE,
    Q1,
    Q2,
    R_BOTH_QUEUES,
    R_CHARGED,
    R_DEADLINE_FIXED,
    R_EOD_FIXED,
    R_FULL,
    R_TICKS,
    Y_DUE_FIRST,
    World,
)
from payment_simulator.kernels.ledger import charge
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.queue import after_of, first_of, wait_column


@inlined
def charge_deadline(w: World, p: int) -> None:
    """Charge the deadline penalty for a payment."""
    if not w.rule[R_CHARGED + K_DEADLINE]:
        return
    i = w.pay[p, P_SENDER]
    cents = penalty(w, R_DEADLINE_FIXED, w.pay[p, P_LEFT])
    charge(w, i, K_DEADLINE, cents)
    if w.rule[R_FULL]:
        w.note[p, N_PENALTY] += cents
    write_log(w, LOG_PENALTY, i, w.pay[p, P_RECEIVER], p, int(cents), K_DEADLINE)


@inlined
def is_unsettled(w: World, p: int) -> bool:
    """Tell whether a payment is still due."""
    state = w.pay[p, P_STATE]
    return state == Q1 or state == Q2 or state == DROPPED


@inlined
def pass_deadlines(w: World, deadline: int, marks: bool) -> None:
    """Charge for what is unsettled after its deadline, and mark it overdue.

    Parameters
    ----------
    deadline : int
        Tick; payments due at it are looked at, in the order of their numbers.
    marks : bool
        Whether they become overdue now; at the end of a run they are only charged.
    """
    p = w.tick[deadline, Y_DUE_FIRST]
    while p != NONE:
        if is_unsettled(w, p) and w.pay[p, P_OVERDUE] == 0:
            charge_deadline(w, p)
            if marks:
                i = w.pay[p, P_SENDER]
                place = 1 if w.pay[p, P_STATE] == Q2 else 0
                w.bank[i, wait_column(w, p, place)] -= w.pay[p, P_LEFT]
                w.pay[p, P_OVERDUE] = 1
                w.bank[i, wait_column(w, p, place)] += w.pay[p, P_LEFT]
                write_log(w, LOG_OVERDUE, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], NONE)
        p = w.pay[p, P_DUE_NEXT]


@inlined
def delay_cost(w: World, i: int) -> float:
    """Return what a bank's waiting payments cost in a tick (cents)."""
    total = 0.0
    for band in range(3):
        for column in (band, 3 + band):
            cents = w.bank[i, B_WAIT + column]
            if w.rule[R_BOTH_QUEUES]:
                cents += w.bank[i, B_WAIT + 6 + column]
            if cents > 0:
                total += float(cents) * w.rate[F_DELAY_FACTOR + column]
    return total


@inlined
def share_delay(w: World, p: int) -> None:
    """Write down what one payment's delay costs in a tick."""
    factor = F_DELAY_FACTOR + 3 * w.pay[p, P_OVERDUE] + w.pay[p, P_BAND]
    w.note[p, N_DELAY] += float(w.pay[p, P_LEFT]) * w.rate[factor]


@inlined
def share_delays(w: World, i: int) -> None:
    """Write down what the delay of each of a bank's payments costs in a tick."""
    for first in (w.bank[i, B_Q1_HEAD], w.bank[i, B_DROPPED_HEAD]):
        p = first
        while p != NONE:
            share_delay(w, p)
            p = w.pay[p, P_NEXT]
    if w.rule[R_BOTH_QUEUES]:
        p = first_of(w, i)
        while p != NONE:
            share_delay(w, p)
            p = after_of(w, p)


@inlined
def charge_tick(w: World) -> None:
    """Charge every bank for one tick."""
    for i in range(w.bank.shape[0]):
        if w.rule[R_CHARGED + K_LIQUIDITY] and w.bank[i, B_ALLOCATED] > 0:
            cost = float(w.bank[i, B_ALLOCATED]) * w.rate[F_LIQUIDITY] / 10000.0
            charge(w, i, K_LIQUIDITY, cost)
        if w.rule[R_CHARGED + K_OVERDRAFT] and w.bank[i, B_BALANCE] < 0:
            cost = float(-w.bank[i, B_BALANCE]) * w.rate[F_OVERDRAFT] / 10000.0
            charge(w, i, K_OVERDRAFT, cost)
        if w.rule[R_CHARGED + K_COLLATERAL] and w.bank[i, B_POSTED] > 0:
            cost = float(w.bank[i, B_POSTED]) * w.rate[F_COLLATERAL] / 10000.0
            charge(w, i, K_COLLATERAL, cost)
        if w.rule[R_CHARGED + K_DELAY]:
            charge(w, i, K_DELAY, delay_cost(w, i))
            if w.rule[R_FULL]:
                share_delays(w, i)


@inlined
def is_due_at_close(w: World, p: int) -> bool:
    """Tell whether the end-of-day penalty is charged for a payment now."""
    now = w.clock[C_TICK]
    return w.pay[p, P_DEADLINE] <= now or now == w.rule[R_TICKS] - 1


@inlined
def note_unsettled(w: World, p: int) -> tuple[int, int]:
    """Return 1 and what is left of a payment if the close charges for it, else zeros."""
    if not is_due_at_close(w, p):
        return 0, 0
    if w.rule[R_FULL]:
        w.note[p, N_PENALTY] += penalty(w, R_EOD_FIXED, w.pay[p, P_LEFT])
    return 1, w.pay[p, P_LEFT]


@inlined
def unsettled_at_close(w: World, i: int) -> tuple[int, int]:
    """Return number and cents of a bank's payments that the close charges for."""
    count = 0
    cents = 0
    for first in (w.bank[i, B_DROPPED_HEAD], w.bank[i, B_Q1_HEAD]):
        p = first
        while p != NONE:
            one, left = note_unsettled(w, p)
            count += one
            cents += left
            p = w.pay[p, P_NEXT]
    p = first_of(w, i)
    while p != NONE:
        one, left = note_unsettled(w, p)
        count += one
        cents += left
        p = after_of(w, p)
    return count, cents


@inlined
def charge_close(w: World) -> None:
    """Charge the end-of-day penalty; where banks borrow, only dropped payments are left for it."""
    if not w.rule[R_CHARGED + K_EOD]:
        return
    for i in range(w.bank.shape[0]):
        count, cents = unsettled_at_close(w, i)
        if count == 0:
            continue
        cost = float(cents) * w.rate[F_EOD_BPS] / 10000.0
        if w.rule[R_EOD_FIXED] > 0:
            cost = float(count) * float(w.rule[R_EOD_FIXED])
        charge(w, i, K_EOD, cost)
        write_log(w, LOG_PENALTY, i, NONE, NONE, int(cost), K_EOD)
