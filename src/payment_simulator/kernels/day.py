"""Steps 1, 8, 9 and 12: the open and the close of a day."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_ALLOCATED,
    B_BALANCE,
    B_BORROWED,
    B_DEFERRED,
    B_FUND,
    B_NET_OUT,
    B_POOL,
    B_Q1_HEAD,
    B_SETTLED_TODAY,
    B_STAT,
    C_INJECTED,
    C_SETTLED_TODAY,
    C_TICK,
    F_BORROWING,
    H_BORROWED,
    K_EOD,
    LOG_BORROW,
    LOG_FUND,
    LOG_REPAY,
    LOG_REPAY_BORROWED,
    M_KEY,
    NONE,
    P_LEFT,
    P_NEXT,
    P_STATE,
    Q2,
    R_CHARGED,
    R_DAILY_FUNDING,
    R_TICKS,
    REGISTERS,
    S_PEAK_DEBIT,
    S_PEAK_SUM,
    S_PEAK_TODAY,
    U_REGISTER,
    X_NET,
    World,
)
from payment_simulator.kernels.ledger import charge
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.queue import (
    after_of,
    first_of,
    leave_queue1,
    leave_queue2,
    tell_news,
)
from payment_simulator.kernels.settlement import transfer
from payment_simulator.kernels.sort import sort


@inlined
def inject(w: World, i: int, cents: int, kind: int) -> None:
    """Put money into a balance, or take it out, and write down why."""
    w.bank[i, B_BALANCE] += cents
    w.clock[C_INJECTED] += cents
    write_log(w, kind, i, NONE, NONE, cents, NONE)


@inlined
def forget_day(w: World) -> None:
    """Set the counters of the day to zero."""
    w.clock[C_SETTLED_TODAY] = 0
    for i in range(w.bank.shape[0]):
        w.bank[i, B_NET_OUT] = 0
        w.bank[i, B_SETTLED_TODAY] = 0
        w.bank[i, B_STAT + S_PEAK_TODAY] = 0
        tell_news(w, i)
        for j in range(w.bank.shape[0]):
            w.pair[X_NET, i, j] = 0
        for k in range(REGISTERS):
            w.sums[i, U_REGISTER + k] = 0.0


@inlined
def open_day(w: World) -> None:
    """Repay what was borrowed overnight, and fund liquidity from the pools."""
    forget_day(w)
    for i in range(w.bank.shape[0]):
        if w.bank[i, B_BORROWED] > 0:
            inject(w, i, -w.bank[i, B_BORROWED], LOG_REPAY_BORROWED)
            w.bank[i, B_BORROWED] = 0
        is_time = w.clock[C_TICK] == 0 or w.rule[R_DAILY_FUNDING] == 1
        if w.bank[i, B_POOL] and is_time:
            w.bank[i, B_ALLOCATED] = w.bank[i, B_FUND]
            inject(w, i, w.bank[i, B_ALLOCATED], LOG_FUND)


@inlined
def borrow_and_settle(w: World) -> None:
    """Let every bank borrow what it lacks and settle all it owes, in the order of numbers."""
    count = 0
    for i in range(w.bank.shape[0]):
        owed = 0
        p = w.bank[i, B_Q1_HEAD]
        while p != NONE:
            w.room[M_KEY, count] = p
            count += 1
            owed += w.pay[p, P_LEFT]
            p = w.pay[p, P_NEXT]
        p = first_of(w, i)
        while p != NONE:
            w.room[M_KEY, count] = p
            count += 1
            owed += w.pay[p, P_LEFT]
            p = after_of(w, p)
        lacks = max(owed - max(w.bank[i, B_BALANCE], 0), 0)
        if lacks > 0:
            inject(w, i, lacks, LOG_BORROW)
            w.bank[i, B_BORROWED] += lacks
            if w.rule[R_CHARGED + K_EOD]:
                cost = float(lacks) * w.rate[F_BORROWING] / 10000.0
                charge(w, i, K_EOD, cost)
    sort(w.room, count)
    for k in range(count):
        p = w.room[M_KEY, k]
        if w.pay[p, P_STATE] == Q2:
            leave_queue2(w, p)
        else:
            leave_queue1(w, p)
        transfer(w, p, w.pay[p, P_LEFT], H_BORROWED, 0)


@inlined
def book_deferred(w: World) -> None:
    """Add what was received in this tick to the balances."""
    for i in range(w.bank.shape[0]):
        if w.bank[i, B_DEFERRED] != 0:
            w.bank[i, B_BALANCE] += w.bank[i, B_DEFERRED]
            w.bank[i, B_DEFERRED] = 0
            tell_news(w, i)


@inlined
def close_day(w: World) -> None:
    """Repay the funding, and add the day's largest net debits to the sums of the run."""
    is_last = w.clock[C_TICK] == w.rule[R_TICKS] - 1
    for i in range(w.bank.shape[0]):
        peak = w.bank[i, B_STAT + S_PEAK_TODAY]
        w.bank[i, B_STAT + S_PEAK_SUM] += peak
        w.bank[i, B_STAT + S_PEAK_DEBIT] = max(w.bank[i, B_STAT + S_PEAK_DEBIT], peak)
        if w.bank[i, B_POOL] and (is_last or w.rule[R_DAILY_FUNDING]):
            inject(w, i, -w.bank[i, B_ALLOCATED], LOG_REPAY)
            w.bank[i, B_ALLOCATED] = 0
