"""What a bank can pay, and how money moves."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    ALGORITHM_FIFO,
    B_BALANCE,
    B_CREDIT,
    B_DEFERRED,
    B_LIMIT,
    B_NET_OUT,
    B_Q2_HEAD,
    B_SETTLED_TODAY,
    B_STAT,
    B_VERSION,
    C_SEEN_NEWS,
    C_SETTLED_TODAY,
    C_TICK,
    H_CYCLE,
    H_ENTRY_OFFSET,
    LOG_SETTLE,
    LOG_SETTLE_PART,
    NO_LIMIT,
    NONE,
    P_ARRIVAL,
    P_CLASS,
    P_DEADLINE,
    P_DIVISIBLE,
    P_LEFT,
    P_METHOD,
    P_RECEIVER,
    P_RELEASED,
    P_SENDER,
    P_SETTLED,
    P_STATE,
    P_TESTED,
    R_BILATERAL_LIMITS,
    R_DEFERRED,
    S_OFFSET_VALUE,
    S_ON_TIME,
    S_ON_TIME_VALUE,
    S_SETTLED,
    S_SETTLED_VALUE,
    SETTLED,
    U_DELAY,
    X_LIMIT,
    X_NET,
    World,
)
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.queue import change_queue2, leave_queue2, tell_news

#: Less the tick: what P_TESTED says of a payment that settled in part in the tick.
_PARTED = -2


@inlined
def liquidity(w: World, i: int) -> int:
    """Return balance and credit line of a bank together (cents)."""
    return w.bank[i, B_BALANCE] + w.bank[i, B_CREDIT]


@inlined
def limit_room(w: World, i: int, j: int) -> int:
    """Return how much more i may pay to j under its limits (cents)."""
    room = NO_LIMIT
    if w.bank[i, B_LIMIT] != NO_LIMIT:
        room = w.bank[i, B_LIMIT] - w.bank[i, B_NET_OUT]
    if w.rule[R_BILATERAL_LIMITS] and w.pair[X_LIMIT, i, j] != NO_LIMIT:
        room = min(room, w.pair[X_LIMIT, i, j] - w.pair[X_NET, i, j])
    return room


@inlined
def payable(w: World, p: int) -> int:
    """Return the largest amount that liquidity and limits of its sender allow (cents)."""
    i = w.pay[p, P_SENDER]
    return min(liquidity(w, i), limit_room(w, i, w.pay[p, P_RECEIVER]))


@inlined
def waits_before(w: World, i: int, c: int) -> bool:
    """Tell whether a payment of the bank with an equal or better class waits in Queue 2."""
    for better in range(c + 1):
        if w.bank[i, B_Q2_HEAD + better] != NONE:
            return True
    return False


@inlined
def transfer(w: World, p: int, cents: int, method: int, group: int) -> None:
    """Move money for a payment that stands in no queue; the caller saw to it that it may.

    Parameters
    ----------
    cents : int
        At most what is left of it.
    method : int
        One of the H_ codes.
    group : int
        Number of the set that settles at once, 0 for a payment alone.
    """
    i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
    now = w.clock[C_TICK]
    w.bank[i, B_BALANCE] -= cents
    if w.rule[R_DEFERRED]:
        w.bank[j, B_DEFERRED] += cents
    else:
        w.bank[j, B_BALANCE] += cents
    w.pair[X_NET, i, j] += cents
    w.pair[X_NET, j, i] -= cents
    w.bank[i, B_NET_OUT] += cents
    w.bank[j, B_NET_OUT] -= cents
    tell_news(w, j)
    w.bank[i, B_SETTLED_TODAY] += cents
    w.clock[C_SETTLED_TODAY] += cents
    w.pay[p, P_LEFT] -= cents
    is_on_time = now <= w.pay[p, P_DEADLINE]
    w.bank[i, B_STAT + S_SETTLED_VALUE] += cents
    if is_on_time:
        w.bank[i, B_STAT + S_ON_TIME_VALUE] += cents
    if H_ENTRY_OFFSET <= method <= H_CYCLE:
        w.bank[i, B_STAT + S_OFFSET_VALUE] += cents
    w.sums[i, U_DELAY] += float(cents) * (now - w.pay[p, P_ARRIVAL])
    if w.pay[p, P_RELEASED] != NONE:
        w.sums[i, U_DELAY + 1] += float(cents) * (now - w.pay[p, P_RELEASED])
    w.pay[p, P_METHOD] = method
    if w.pay[p, P_LEFT] == 0:
        w.pay[p, P_STATE] = SETTLED
        w.pay[p, P_SETTLED] = now
        w.bank[i, B_STAT + S_SETTLED] += 1
        if is_on_time:
            w.bank[i, B_STAT + S_ON_TIME] += 1
        write_log(w, LOG_SETTLE, i, j, p, cents, group * 8 + method)
    else:
        write_log(w, LOG_SETTLE_PART, i, j, p, cents, group * 8 + method)


@inlined
def settle_from_queue2(w: World, p: int, method: int, group: int) -> None:
    """Settle a payment of Queue 2 whole."""
    leave_queue2(w, p)
    transfer(w, p, w.pay[p, P_LEFT], method, group)


@inlined
def settle_part_in_queue2(w: World, p: int, cents: int, method: int) -> None:
    """Settle a part of a payment that stays in Queue 2."""
    change_queue2(w, p, -cents)
    transfer(w, p, cents, method, 0)


@inlined
def use_gains(w: World, i: int, sent: int, received: int) -> None:
    """Let what a bank received in a set pay for what it sent in the same set."""
    if w.rule[R_DEFERRED]:
        used = min(sent, received)
        w.bank[i, B_BALANCE] += used
        w.bank[i, B_DEFERRED] -= used


@inlined
def try_in_queue2(w: World, p: int, method: int) -> int:
    """Settle a payment of Queue 2, whole or in part, if its sender can pay.

    Returns
    -------
    int
        2 if it settled whole, 1 if in part, 0 if not at all. What failed once is not tried again
        before its sender received something or its limits changed.
    """
    i = w.pay[p, P_SENDER]
    version = w.bank[i, B_VERSION]
    if w.pay[p, P_TESTED] == version:
        return 0
    most = payable(w, p)
    if most >= w.pay[p, P_LEFT]:
        settle_from_queue2(w, p, method, 0)
        return 2
    # Once in a tick: two banks would else pass the same cents to and fro in rounds without end.
    parted = _PARTED - w.clock[C_TICK]
    if w.pay[p, P_TESTED] == parted:
        # The next tick may go on, whether or not anything else has changed by then.
        w.clock[C_SEEN_NEWS + ALGORITHM_FIFO] = NONE
        return 0
    w.pay[p, P_TESTED] = version
    if w.pay[p, P_DIVISIBLE] and most > 0:
        settle_part_in_queue2(w, p, most, method)
        w.pay[p, P_TESTED] = parted
        return 1
    return 0


@inlined
def is_free(w: World, p: int, is_strict: int) -> bool:
    """Tell whether the discipline lets an entering payment settle."""
    return not (is_strict and waits_before(w, w.pay[p, P_SENDER], w.pay[p, P_CLASS]))
