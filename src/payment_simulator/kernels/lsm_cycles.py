"""Step 7, ``cycles``: chains of payments that come back to where they began."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_LIMIT,
    B_NET_OUT,
    B_Q2_COUNT,
    B_Q2_IN_COUNT,
    C_CHAINS,
    C_GROUP,
    H_CYCLE,
    M_CHAIN,
    M_LINK,
    NO_LIMIT,
    NONE,
    P_LEFT,
    P_RECEIVER,
    P_SENDER,
    R_BILATERAL_LIMITS,
    R_MAX_CHAIN,
    R_MAX_CHAINS,
    R_STRICT,
    W_IN,
    W_OUT,
    X_HEAD,
    X_LIMIT,
    X_NET,
    X_TAIL,
    World,
)
from payment_simulator.kernels.lsm_bilateral import list_pairs
from payment_simulator.kernels.queue import after_of_all, first_of, first_of_all
from payment_simulator.kernels.settlement import liquidity, settle_from_queue2, use_gains

_BANK, _PAYMENT, _NEXT = 0, 1, 2
#: Looks of one search; without a bound the time of a search is exponential in its length.
_MAX_LOOKS = 100


@inlined
def forget_pairs(w: World) -> None:
    """Set `head` back to NONE for every pair that Queue 2 has payments of."""
    p = first_of_all(w)
    while p != NONE:
        w.pair[X_HEAD, w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]] = NONE
        p = after_of_all(w, p)


@inlined
def can_pay_in_chain(w: World, i: int, to: int, sent: int, received: int) -> bool:
    """Tell whether a bank can pay one bank while it is paid by another."""
    if liquidity(w, i) + received < sent:
        return False
    if (
        w.bank[i, B_LIMIT] != NO_LIMIT
        and w.bank[i, B_NET_OUT] + sent - received > w.bank[i, B_LIMIT]
    ):
        return False
    if w.rule[R_BILATERAL_LIMITS] and w.pair[X_LIMIT, i, to] != NO_LIMIT:
        return bool(w.pair[X_NET, i, to] + sent <= w.pair[X_LIMIT, i, to])
    return True


@inlined
def link(w: World, i: int, j: int) -> int:
    """Return the payment that may be the link from i to j, or NONE."""
    p = w.pair[X_HEAD, i, j]
    if p != NONE and w.rule[R_STRICT] and first_of(w, i) != p:
        return NONE
    return p


@inlined
def is_in_chain(w: World, length: int, i: int) -> bool:
    """Tell whether a bank is among the first banks of the chain."""
    for k in range(length):
        if w.room[M_CHAIN, k] == i:
            return True
    return False


@inlined
def list_receivers(w: World) -> None:
    """Write into X_TAIL, which is free by now, whom each bank has payments waiting to, in order."""
    n = w.bank.shape[0]
    for i in range(n):
        count = 0
        if w.bank[i, B_Q2_COUNT] > 0:
            for j in range(n):
                if w.pair[X_HEAD, i, j] != NONE:
                    w.pair[X_TAIL, i, count] = j
                    count += 1
        if count < n:
            w.pair[X_TAIL, i, count] = NONE


@inlined
def next_bank(w: World, length: int, start: int) -> int:
    """Return the bank that the search tries next after the chain's last one, or NONE.

    Notes
    -----
    The place of a candidate counts from NONE, which stands for closing the chain.
    """
    last = w.room[M_CHAIN, length - 1]
    at = w.room[M_CHAIN + 2, length - 1]
    w.room[M_CHAIN + 2, length - 1] = at + 1
    if at == NONE:
        return start
    if at >= w.bank.shape[0]:
        return NONE
    return w.pair[X_TAIL, last, at]


@inlined
def find_chain(w: World, start: int) -> int:
    """Search depth first for a chain from a bank; return its length, or 0.

    Notes
    -----
    Banks and payments of the chain stand in M_CHAIN. A bank between two payments is judged at once:
    what it is paid and what it would pay are known. Only the first bank waits for the end.
    """
    w.room[M_CHAIN, 0] = start
    w.room[M_CHAIN + 2, 0] = NONE
    length = 1
    looks = 0
    while length > 0:
        last = w.room[M_CHAIN, length - 1]
        j = next_bank(w, length, start)
        if j == NONE:
            length -= 1
            continue
        if j == start:
            if length < 3 or w.room[M_CHAIN + 2, length - 1] > 0:
                continue
        elif j < start or length == w.rule[R_MAX_CHAIN] or is_in_chain(w, length, j):
            continue
        p = link(w, last, j)
        if p == NONE:
            continue
        if looks == _MAX_LOOKS:
            return 0
        looks += 1
        sent = w.pay[p, P_LEFT]
        if length > 1:
            received = w.pay[w.room[M_CHAIN + 1, length - 2], P_LEFT]
            if not can_pay_in_chain(w, last, j, sent, received):
                continue
        w.room[M_CHAIN + 1, length - 1] = p
        if j == start:
            first = w.pay[w.room[M_CHAIN + 1, 0], P_LEFT]
            if can_pay_in_chain(w, start, w.room[M_CHAIN, 1], first, sent):
                return length
        else:
            w.room[M_CHAIN, length] = j
            w.room[M_CHAIN + 2, length] = NONE
            length += 1
    return 0


@inlined
def settle_chain(w: World, length: int) -> None:
    """Settle the chain that was found, and move on the first payments of its pairs."""
    w.clock[C_GROUP] += 1
    w.clock[C_CHAINS] += 1
    for k in range(length):
        p = w.room[M_CHAIN + 1, k]
        w.pair[X_HEAD, w.room[M_CHAIN, k], w.room[M_CHAIN, (k + 1) % length]] = w.room[M_LINK, p]
    before = w.pay[w.room[M_CHAIN + 1, length - 1], P_LEFT]
    for k in range(length):
        p = w.room[M_CHAIN + 1, k]
        sent = w.pay[p, P_LEFT]
        i = w.pay[p, P_SENDER]
        settle_from_queue2(w, p, H_CYCLE, w.clock[C_GROUP])
        w.wide[W_OUT, k] = i
        w.wide[W_IN, k] = min(sent, before)
        before = sent
    # Gains are used when all of the chain has been paid.
    for k in range(length):
        use_gains(w, w.wide[W_OUT, k], w.wide[W_IN, k], w.wide[W_IN, k])


@inlined
def settle_cycles(w: World) -> bool:
    """Settle chains until none is found or the tick's measure is full; tell whether any did."""
    if w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS]:
        return False
    list_pairs(w, True)
    list_receivers(w)
    has_settled = False
    for start in range(w.bank.shape[0]):
        if w.bank[start, B_Q2_COUNT] == 0 or w.bank[start, B_Q2_IN_COUNT] == 0:
            continue
        length = find_chain(w, start)
        while length > 0:
            settle_chain(w, length)
            has_settled = True
            if w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS]:
                break
            length = find_chain(w, start)
        if w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS]:
            break
    forget_pairs(w)
    return has_settled
