"""One tick, step by step, in the order of section 4 of the rules."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.arrivals import join_arrivals, play_events
from payment_simulator.kernels.collateral import withdraw_collateral
from payment_simulator.kernels.costs import charge_close, charge_tick, pass_deadlines
from payment_simulator.kernels.day import (
    book_deferred,
    borrow_and_settle,
    close_day,
    open_day,
)
from payment_simulator.kernels.decisions import (
    TREE_BANK,
    TREE_END,
    TREE_STRATEGIC,
    walk_bank_trees,
    walk_payment_trees,
)
from payment_simulator.kernels.entry import enter_released
from payment_simulator.kernels.layout import (
    ALGORITHM_BILATERAL,
    ALGORITHM_CYCLES,
    ALGORITHM_FIFO,
    ALGORITHM_MULTILATERAL,
    B_BALANCE,
    B_BUDGET,
    B_CREDIT,
    B_DEFERRED,
    B_NET_OUT,
    B_POSTED,
    B_Q1_COUNT,
    B_Q1_VALUE,
    B_Q2_COUNT,
    B_Q2_VALUE,
    B_SETTLED_TODAY,
    B_STAT,
    C_CHAINS,
    C_INJECTED,
    C_MOVES,
    C_NEWS,
    C_Q2_COUNT,
    C_SEEN_MOVES,
    C_SEEN_NEWS,
    C_TICK,
    E_CONSERVATION,
    NONE,
    R_ALGORITHMS,
    R_BORROW,
    R_DEFERRED,
    R_MAX_CHAINS,
    R_RESTART,
    R_STRICT,
    R_TICKS,
    R_TICKS_PER_DAY,
    R_TIMERS,
    S_PEAK_QUEUE,
    S_PEAK_TODAY,
    T_BALANCE,
    T_CREDIT,
    T_POSTED,
    T_Q1_COUNT,
    T_Q1_VALUE,
    T_Q2_COUNT,
    T_Q2_VALUE,
    T_RECEIVED,
    T_SENT,
    World,
)
from payment_simulator.kernels.ledger import charged_today
from payment_simulator.kernels.lsm_bilateral import settle_bilateral
from payment_simulator.kernels.lsm_cycles import settle_cycles
from payment_simulator.kernels.lsm_fifo import settle_fifo
from payment_simulator.kernels.lsm_multilateral import settle_multilateral
from payment_simulator.kernels.policy_eval import fail


@inlined
def has_changed(w: World, algorithm: int) -> bool:
    """Tell whether an algorithm may settle something it could not when it last ran.

    One by one, without an order to keep, payments were all tried when they came; only news about
    their banks gives them another chance.
    """
    if w.clock[C_SEEN_NEWS + algorithm] != w.clock[C_NEWS]:
        return True
    if algorithm == ALGORITHM_FIFO and not w.rule[R_STRICT]:
        return False
    return w.clock[C_SEEN_MOVES + algorithm] != w.clock[C_MOVES]


@inlined
def remember(w: World, algorithm: int) -> None:
    """Note what an algorithm sees before it runs."""
    w.clock[C_SEEN_NEWS + algorithm] = w.clock[C_NEWS]
    w.clock[C_SEEN_MOVES + algorithm] = w.clock[C_MOVES]


@inlined
def run_algorithm(w: World, algorithm: int) -> bool:
    """Run one algorithm of Queue 2; tell whether anything settled."""
    if not has_changed(w, algorithm):
        return False
    if algorithm != ALGORITHM_CYCLES or w.clock[C_CHAINS] < w.rule[R_MAX_CHAINS]:
        remember(w, algorithm)
    if algorithm == ALGORITHM_FIFO:
        return settle_fifo(w)
    if algorithm == ALGORITHM_BILATERAL:
        return settle_bilateral(w)
    if algorithm == ALGORITHM_MULTILATERAL:
        return settle_multilateral(w)
    return settle_cycles(w)


@inlined
def settle_queue2(w: World) -> None:
    """Step 7: the algorithms in their sequence, until a round settles nothing."""
    w.clock[C_CHAINS] = 0
    has_settled = True
    while has_settled and w.clock[C_Q2_COUNT] > 0:
        has_settled = False
        for k in range(4):
            algorithm = w.rule[R_ALGORITHMS + k]
            if algorithm == NONE:
                break
            if run_algorithm(w, algorithm):
                has_settled = True
                if w.rule[R_RESTART]:
                    break


@inlined
def withdraw_on_time(w: World) -> None:
    """Withdraw collateral whose time has run out; budgets of the tick before end."""
    now = w.clock[C_TICK]
    has_timers = w.rule[R_TIMERS] != NONE
    for i in range(w.bank.shape[0]):
        w.bank[i, B_BUDGET] = NONE
        if has_timers and w.wide[w.rule[R_TIMERS] + now, i] > 0:
            withdraw_collateral(w, i, w.wide[w.rule[R_TIMERS] + now, i], NONE)


@inlined
def write_trace(w: World) -> None:
    """Write down the state of every bank at the end of the tick."""
    now = w.clock[C_TICK]
    if w.trace.shape[0] == 0:
        return
    for i in range(w.bank.shape[0]):
        w.trace[now, i, T_BALANCE] = w.bank[i, B_BALANCE]
        w.trace[now, i, T_CREDIT] = w.bank[i, B_CREDIT]
        w.trace[now, i, T_POSTED] = w.bank[i, B_POSTED]
        w.trace[now, i, T_Q1_COUNT] = w.bank[i, B_Q1_COUNT]
        w.trace[now, i, T_Q1_VALUE] = w.bank[i, B_Q1_VALUE]
        w.trace[now, i, T_Q2_COUNT] = w.bank[i, B_Q2_COUNT]
        w.trace[now, i, T_Q2_VALUE] = w.bank[i, B_Q2_VALUE]
        # Since the open, for now: differences are taken when the run is read.
        sent = w.bank[i, B_SETTLED_TODAY]
        w.trace[now, i, T_SENT] = sent
        w.trace[now, i, T_RECEIVED] = sent - w.bank[i, B_NET_OUT]
        w.bill[now, i] = charged_today(w, i)


@inlined
def look_back(w: World) -> None:
    """Note peaks, and check that no cent was made or lost."""
    total = 0
    for i in range(w.bank.shape[0]):
        total += w.bank[i, B_BALANCE] + w.bank[i, B_DEFERRED]
        debit, waits = w.bank[i, B_NET_OUT], w.bank[i, B_Q1_VALUE] + w.bank[i, B_Q2_VALUE]
        w.bank[i, B_STAT + S_PEAK_TODAY] = max(w.bank[i, B_STAT + S_PEAK_TODAY], debit)
        w.bank[i, B_STAT + S_PEAK_QUEUE] = max(w.bank[i, B_STAT + S_PEAK_QUEUE], waits)
    if total != w.clock[C_INJECTED]:
        fail(w, E_CONSERVATION, NONE, NONE)


@inlined
def play_tick(w: World, now: int) -> None:
    """Play one tick.

    Parameters
    ----------
    w : World
        Modified in place; ``clock[C_ERROR]`` tells whether the run may go on.
    now : int
        The tick of the run.
    """
    w.clock[C_TICK] = now
    length = w.rule[R_TICKS_PER_DAY]
    is_close = now % length == length - 1
    if now % length == 0:
        open_day(w)
    if now > 0:
        pass_deadlines(w, now - 1, True)
    play_events(w)
    join_arrivals(w)
    withdraw_on_time(w)
    walk_bank_trees(w, TREE_STRATEGIC, TREE_BANK)
    walk_payment_trees(w)
    enter_released(w)
    settle_queue2(w)
    if is_close and w.rule[R_BORROW]:
        borrow_and_settle(w)
    if w.rule[R_DEFERRED]:
        book_deferred(w)
    walk_bank_trees(w, TREE_END, TREE_END)
    charge_tick(w)
    look_back(w)
    if is_close:
        if now == w.rule[R_TICKS] - 1:
            pass_deadlines(w, now, False)
        charge_close(w)
        close_day(w)
    write_trace(w)
