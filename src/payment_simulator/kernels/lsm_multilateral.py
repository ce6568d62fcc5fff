"""Step 7, ``multilateral``: gridlock resolution.

References
----------
.. [1] M. L. Bech and K. Soramaki, Gridlock resolution in interbank payment systems, Bank of Finland
   Discussion Paper 9/2001, section 4.
"""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_LIMIT,
    B_MARK,
    B_NET_OUT,
    C_GROUP,
    H_MULTILATERAL,
    M_LINK,
    M_PICK,
    NO_LIMIT,
    NONE,
    P_LEFT,
    P_RECEIVER,
    P_SENDER,
    R_BILATERAL_LIMITS,
    R_STRICT,
    W_IN,
    W_OUT,
    X_FLOW,
    X_LIMIT,
    X_NET,
    World,
)
from payment_simulator.kernels.queue import after_of_all, first_of_all
from payment_simulator.kernels.settlement import liquidity, settle_from_queue2, use_gains

_OUT, _IN = 0, 1


@inlined
def gather(w: World) -> None:
    """Take all of Queue 2 into the set: B_MARK is a bank's last payment, M_LINK the one before."""
    for i in range(w.bank.shape[0]):
        w.bank[i, B_MARK] = NONE
        w.wide[W_OUT, i] = 0
        w.wide[W_IN, i] = 0
    p = first_of_all(w)
    while p != NONE:
        i, j, cents = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER], w.pay[p, P_LEFT]
        w.room[M_LINK, p] = w.bank[i, B_MARK]
        w.bank[i, B_MARK] = p
        w.wide[W_OUT, i] += cents
        w.wide[W_IN, j] += cents
        if w.rule[R_BILATERAL_LIMITS]:
            w.pair[X_FLOW, i, j] += cents
        p = after_of_all(w, p)


@inlined
def exceeded(w: World, i: int) -> int:
    """Return the lowest counterparty towards which the set breaks a bilateral limit, or NONE."""
    if w.rule[R_BILATERAL_LIMITS]:
        for j in range(w.bank.shape[0]):
            if (
                w.pair[X_LIMIT, i, j] != NO_LIMIT
                and w.pair[X_FLOW, i, j] > 0
                and w.pair[X_NET, i, j] + w.pair[X_FLOW, i, j] - w.pair[X_FLOW, j, i]
                > w.pair[X_LIMIT, i, j]
            ):
                return j
    return NONE


@inlined
def is_short(w: World, i: int) -> bool:
    """Tell whether the set takes a bank below zero liquidity or over its multilateral limit."""
    net = w.wide[W_OUT, i] - w.wide[W_IN, i]
    if liquidity(w, i) < net:
        return True
    return bool(w.bank[i, B_LIMIT] != NO_LIMIT and w.bank[i, B_NET_OUT] + net > w.bank[i, B_LIMIT])


@inlined
def drop_last(w: World, i: int, to: int) -> None:
    """Take a bank's last payment out of the set, or its last one to a counterparty."""
    later = NONE
    p = w.bank[i, B_MARK]
    while to != NONE and w.pay[p, P_RECEIVER] != to:
        later = p
        p = w.room[M_LINK, p]
    if later == NONE:
        w.bank[i, B_MARK] = w.room[M_LINK, p]
    else:
        w.room[M_LINK, later] = w.room[M_LINK, p]
    j, cents = w.pay[p, P_RECEIVER], w.pay[p, P_LEFT]
    w.wide[W_OUT, i] -= cents
    w.wide[W_IN, j] -= cents
    if w.rule[R_BILATERAL_LIMITS]:
        w.pair[X_FLOW, i, j] -= cents


@inlined
def reduce_to_feasible(w: World) -> None:
    """Drop last payments of banks that cannot pay until all can."""
    has_dropped = True
    while has_dropped:
        has_dropped = False
        for i in range(w.bank.shape[0]):
            while w.bank[i, B_MARK] != NONE:
                to = exceeded(w, i)
                if to == NONE and not is_short(w, i):
                    break
                drop_last(w, i, NONE if w.rule[R_STRICT] else to)
                has_dropped = True


@inlined
def settle_multilateral(w: World) -> bool:
    """Settle the set of payments that is left when all banks can pay theirs at once.

    Returns
    -------
    bool
        Whether anything settled. Under strict queue order the set is the unique largest one.
    """
    gather(w)
    reduce_to_feasible(w)
    count = 0
    for i in range(w.bank.shape[0]):
        p = w.bank[i, B_MARK]
        while p != NONE:
            w.room[M_PICK, count] = p
            count += 1
            p = w.room[M_LINK, p]
        if w.rule[R_BILATERAL_LIMITS]:
            for j in range(w.bank.shape[0]):
                w.pair[X_FLOW, i, j] = 0
    if count == 0:
        return False
    w.clock[C_GROUP] += 1
    for k in range(count):
        settle_from_queue2(w, w.room[M_PICK, k], H_MULTILATERAL, w.clock[C_GROUP])
    for i in range(w.bank.shape[0]):
        use_gains(w, i, w.wide[W_OUT, i], w.wide[W_IN, i])
    return True
