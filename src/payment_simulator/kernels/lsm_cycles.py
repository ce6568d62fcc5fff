"""Step 7, ``cycles``: chains of payments that come back to where they began."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_LIMIT,
    B_NET_OUT,
    C_CHAINS,
    C_GROUP,
    C_LOOKS,
    H_CYCLE,
    M_CHAIN,
    NO_LIMIT,
    NONE,
    P_LEFT,
    P_LINK,
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
    World,
)
from payment_simulator.kernels.lsm_bilateral import forget_pairs, list_pairs
from payment_simulator.kernels.queue import first_of
from payment_simulator.kernels.settlement import liquidity, settle_from_queue2, use_gains

_BANK, _PAYMENT, _NEXT = 0, 1, 2
_MAX_LOOKS = 100_000


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
def find_chain(w: World, start: int) -> int:
    """Search depth first for a chain from a bank; return its length, or 0.

    Notes
    -----
    Banks and payments of the chain stand in `chain`. A bank between two payments is judged at once:
    what it is paid and what it would pay are known. Only the first bank waits for the end.
    """
    n = w.bank.shape[0]
    w.room[M_CHAIN, 0] = start
    w.room[M_CHAIN + 2, 0] = start
    length = 1
    while length > 0:
        last = w.room[M_CHAIN, length - 1]
        j = w.room[M_CHAIN + 2, length - 1]
        w.room[M_CHAIN + 2, length - 1] = j + 1
        if j == n:
            length -= 1
            continue
        if j == start:
            if length < 3:
                continue
        elif length == w.rule[R_MAX_CHAIN] or is_in_chain(w, length, j):
            continue
        p = link(w, last, j)
        if p == NONE:
            continue
        if w.clock[C_LOOKS] == _MAX_LOOKS:
            return 0
        w.clock[C_LOOKS] += 1
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
            w.room[M_CHAIN + 2, length] = start
            length += 1
    return 0


@inlined
def settle_chain(w: World, length: int) -> None:
    """Settle the chain that was found, and move on the first payments of its pairs."""
    w.clock[C_GROUP] += 1
    w.clock[C_CHAINS] += 1
    for k in range(length):
        p = w.room[M_CHAIN + 1, k]
        w.pair[X_HEAD, w.room[M_CHAIN, k], w.room[M_CHAIN, (k + 1) % length]] = w.pay[p, P_LINK]
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
    if w.clock[C_LOOKS] >= _MAX_LOOKS or w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS]:
        return False
    list_pairs(w)
    has_settled = False
    for start in range(w.bank.shape[0]):
        length = find_chain(w, start)
        while length > 0:
            settle_chain(w, length)
            has_settled = True
            if w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS]:
                break
            length = find_chain(w, start)
        if w.clock[C_CHAINS] >= w.rule[R_MAX_CHAINS] or w.clock[C_LOOKS] >= _MAX_LOOKS:
            break
    forget_pairs(w)
    return has_settled
