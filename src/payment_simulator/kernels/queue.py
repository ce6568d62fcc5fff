"""The two queues as linked lists: joining and leaving take constant time.

All sums that other kernels read (counts, values, what waits by band) change here and nowhere else.
"""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_DROPPED_HEAD,
    B_Q1_COUNT,
    B_Q1_HEAD,
    B_Q1_TAIL,
    B_Q1_VALUE,
    B_Q2_COUNT,
    B_Q2_HEAD,
    B_Q2_IN_COUNT,
    B_Q2_TAIL,
    B_Q2_VALUE,
    B_VERSION,
    B_WAIT,
    C_HEAD,
    C_MOVES,
    C_NEWS,
    C_Q2_COUNT,
    C_Q2_VALUE,
    C_TAIL,
    DROPPED,
    NONE,
    P_BAND,
    P_CLASS,
    P_LEFT,
    P_NEXT,
    P_NEXT_ALL,
    P_OVERDUE,
    P_PREV,
    P_PREV_ALL,
    P_RECEIVER,
    P_SENDER,
    P_STATE,
    Q1,
    Q2,
    X_VALUE,
    World,
)


@inlined
def tell_news(w: World, i: int) -> None:
    """Note that a bank may be able to pay what it could not before."""
    w.bank[i, B_VERSION] += 1
    if w.bank[i, B_Q2_COUNT] > 0:
        w.clock[C_NEWS] += 1


@inlined
def wait_column(w: World, p: int, place: int) -> int:
    """Return the bank's column that holds what waits like this payment."""
    return B_WAIT + 6 * place + 3 * w.pay[p, P_OVERDUE] + w.pay[p, P_BAND]


@inlined
def count_in_queue1(w: World, p: int, sign: int) -> None:
    """Add a payment to the sums of its sender's Queue 1 (sign 1), or take it out (-1)."""
    i = w.pay[p, P_SENDER]
    left = sign * w.pay[p, P_LEFT]
    w.bank[i, B_Q1_COUNT] += sign
    w.bank[i, B_Q1_VALUE] += left
    w.bank[i, wait_column(w, p, 0)] += left


@inlined
def join_queue1(w: World, p: int) -> None:
    """Put a payment at the end of its sender's Queue 1."""
    i = w.pay[p, P_SENDER]
    last = w.bank[i, B_Q1_TAIL]
    w.pay[p, P_PREV] = last
    w.pay[p, P_NEXT] = NONE
    if last == NONE:
        w.bank[i, B_Q1_HEAD] = p
    else:
        w.pay[last, P_NEXT] = p
    w.bank[i, B_Q1_TAIL] = p
    w.pay[p, P_STATE] = Q1
    count_in_queue1(w, p, 1)


@inlined
def join_queue1_before(w: World, p: int, other: int) -> None:
    """Put a payment into Queue 1 right before another one of the same sender."""
    i = w.pay[p, P_SENDER]
    before = w.pay[other, P_PREV]
    w.pay[p, P_PREV] = before
    w.pay[p, P_NEXT] = other
    w.pay[other, P_PREV] = p
    if before == NONE:
        w.bank[i, B_Q1_HEAD] = p
    else:
        w.pay[before, P_NEXT] = p
    w.pay[p, P_STATE] = Q1
    count_in_queue1(w, p, 1)


@inlined
def leave_queue1(w: World, p: int) -> None:
    """Take a payment out of Queue 1; its state is the caller's to set."""
    i = w.pay[p, P_SENDER]
    before, after = w.pay[p, P_PREV], w.pay[p, P_NEXT]
    if before == NONE:
        w.bank[i, B_Q1_HEAD] = after
    else:
        w.pay[before, P_NEXT] = after
    if after == NONE:
        w.bank[i, B_Q1_TAIL] = before
    else:
        w.pay[after, P_PREV] = before
    count_in_queue1(w, p, -1)


@inlined
def drop(w: World, p: int) -> None:
    """Move a payment from Queue 1 to the dropped; it keeps costing as if it waited there."""
    leave_queue1(w, p)
    i = w.pay[p, P_SENDER]
    w.pay[p, P_STATE] = DROPPED
    w.pay[p, P_NEXT] = w.bank[i, B_DROPPED_HEAD]
    w.bank[i, B_DROPPED_HEAD] = p
    w.bank[i, wait_column(w, p, 0)] += w.pay[p, P_LEFT]


@inlined
def change_queue2(w: World, p: int, cents: int) -> None:
    """Add cents to the sums of Queue 2 that a payment stands in."""
    i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
    w.clock[C_Q2_VALUE] += cents
    w.bank[i, B_Q2_VALUE] += cents
    w.bank[i, wait_column(w, p, 1)] += cents
    w.pair[X_VALUE, i, j] += cents


@inlined
def join_queue2(w: World, p: int) -> None:
    """Put a payment at the end of its RTGS class in Queue 2."""
    i, j, c = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER], w.pay[p, P_CLASS]
    last = w.bank[i, B_Q2_TAIL + c]
    w.pay[p, P_PREV] = last
    w.pay[p, P_NEXT] = NONE
    if last == NONE:
        w.bank[i, B_Q2_HEAD + c] = p
    else:
        w.pay[last, P_NEXT] = p
    w.bank[i, B_Q2_TAIL + c] = p
    last = w.clock[C_TAIL + c]
    w.pay[p, P_PREV_ALL] = last
    w.pay[p, P_NEXT_ALL] = NONE
    if last == NONE:
        w.clock[C_HEAD + c] = p
    else:
        w.pay[last, P_NEXT_ALL] = p
    w.clock[C_TAIL + c] = p
    w.pay[p, P_STATE] = Q2
    w.clock[C_MOVES] += 1
    w.clock[C_Q2_COUNT] += 1
    w.bank[i, B_Q2_COUNT] += 1
    w.bank[j, B_Q2_IN_COUNT] += 1
    change_queue2(w, p, w.pay[p, P_LEFT])


@inlined
def leave_queue2(w: World, p: int) -> None:
    """Take a payment out of Queue 2; its state is the caller's to set."""
    i, j, c = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER], w.pay[p, P_CLASS]
    before, after = w.pay[p, P_PREV], w.pay[p, P_NEXT]
    if before == NONE:
        w.bank[i, B_Q2_HEAD + c] = after
    else:
        w.pay[before, P_NEXT] = after
    if after == NONE:
        w.bank[i, B_Q2_TAIL + c] = before
    else:
        w.pay[after, P_PREV] = before
    before, after = w.pay[p, P_PREV_ALL], w.pay[p, P_NEXT_ALL]
    if before == NONE:
        w.clock[C_HEAD + c] = after
    else:
        w.pay[before, P_NEXT_ALL] = after
    if after == NONE:
        w.clock[C_TAIL + c] = before
    else:
        w.pay[after, P_PREV_ALL] = before
    w.clock[C_MOVES] += 1
    w.clock[C_Q2_COUNT] -= 1
    w.bank[i, B_Q2_COUNT] -= 1
    w.bank[j, B_Q2_IN_COUNT] -= 1
    change_queue2(w, p, -w.pay[p, P_LEFT])


@inlined
def first_of(w: World, i: int) -> int:
    """Return the first payment of a bank in Queue 2, or NONE."""
    for c in range(3):
        if w.bank[i, B_Q2_HEAD + c] != NONE:
            return w.bank[i, B_Q2_HEAD + c]
    return NONE


@inlined
def after_of(w: World, p: int) -> int:
    """Return the payment of the same bank that follows in Queue 2, or NONE."""
    if w.pay[p, P_NEXT] != NONE:
        return w.pay[p, P_NEXT]
    for c in range(w.pay[p, P_CLASS] + 1, 3):
        if w.bank[w.pay[p, P_SENDER], B_Q2_HEAD + c] != NONE:
            return w.bank[w.pay[p, P_SENDER], B_Q2_HEAD + c]
    return NONE


@inlined
def first_of_all(w: World) -> int:
    """Return the first payment of Queue 2, or NONE."""
    for c in range(3):
        if w.clock[C_HEAD + c] != NONE:
            return w.clock[C_HEAD + c]
    return NONE


@inlined
def after_of_all(w: World, p: int) -> int:
    """Return the payment that follows in Queue 2, or NONE."""
    if w.pay[p, P_NEXT_ALL] != NONE:
        return w.pay[p, P_NEXT_ALL]
    for c in range(w.pay[p, P_CLASS] + 1, 3):
        if w.clock[C_HEAD + c] != NONE:
            return w.clock[C_HEAD + c]
    return NONE
