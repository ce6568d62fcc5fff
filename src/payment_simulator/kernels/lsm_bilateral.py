"""Step 7, ``bilateral``: what two banks owe each other, net."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.entry import can_offset
from payment_simulator.kernels.layout import (
    C_GROUP,
    H_BILATERAL,
    M_KEY,
    M_LINK,
    M_PICK,
    NONE,
    P_LEFT,
    P_RECEIVER,
    P_SENDER,
    R_STRICT,
    X_HEAD,
    X_TAIL,
    X_VALUE,
    World,
)
from payment_simulator.kernels.queue import after_of, after_of_all, first_of, first_of_all
from payment_simulator.kernels.settlement import settle_from_queue2, use_gains
from payment_simulator.kernels.sort import sort


@inlined
def list_pairs(w: World, all_of_them: bool) -> int:
    """Thread Queue 2 by pair of sender and receiver, in queue order, from X_HEAD along M_LINK.

    Parameters
    ----------
    all_of_them : bool
        Whether pairs that have payments one way only are threaded too.

    Returns
    -------
    int
        How many pairs of banks (i < j) have payments both ways; ``i * n + j`` of each is noted in
        row 0 of `key`, in the order in which they were met.
    """
    n = w.bank.shape[0]
    pairs = 0
    p = first_of_all(w)
    while p != NONE:
        i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
        if not all_of_them and w.pair[X_VALUE, j, i] == 0:
            p = after_of_all(w, p)
            continue
        w.room[M_LINK, p] = NONE
        if w.pair[X_HEAD, i, j] == NONE:
            w.pair[X_HEAD, i, j] = p
            if w.pair[X_HEAD, j, i] != NONE:
                w.room[M_KEY, pairs] = min(i, j) * n + max(i, j)
                pairs += 1
        else:
            w.room[M_LINK, w.pair[X_TAIL, i, j]] = p
        w.pair[X_TAIL, i, j] = p
        p = after_of_all(w, p)
    return pairs


@inlined
def pick_payments(w: World, i: int, j: int, row: int) -> tuple[int, int]:
    """Write the payments from i to j that may be in the set into a row of `pick`.

    Returns
    -------
    tuple of int
        How many, and their sum (cents). Under strict discipline only the unbroken run at the head
        of i's part of Queue 2 counts.
    """
    count = 0
    cents = 0
    if w.rule[R_STRICT]:
        p = first_of(w, i)
        while p != NONE and w.pay[p, P_RECEIVER] == j:
            w.room[M_PICK + row, count] = p
            count += 1
            cents += w.pay[p, P_LEFT]
            p = after_of(w, p)
    else:
        p = w.pair[X_HEAD, i, j]
        while p != NONE:
            w.room[M_PICK + row, count] = p
            count += 1
            cents += w.pay[p, P_LEFT]
            p = w.room[M_LINK, p]
    return count, cents


@inlined
def offset_pair(w: World, i: int, j: int) -> bool:
    """Settle as much of two banks' payments to each other as they can at once."""
    n_out, out = pick_payments(w, i, j, 0)
    n_in, back = pick_payments(w, j, i, 1)
    while n_out > 0 and n_in > 0:
        if not can_offset(w, i, j, out, back):
            n_out -= 1
            out -= w.pay[w.room[M_PICK, n_out], P_LEFT]
        elif not can_offset(w, j, i, back, out):
            n_in -= 1
            back -= w.pay[w.room[M_PICK + 1, n_in], P_LEFT]
        else:
            break
    if n_out == 0 or n_in == 0:
        return False
    w.clock[C_GROUP] += 1
    for k in range(n_out):
        settle_from_queue2(w, w.room[M_PICK, k], H_BILATERAL, w.clock[C_GROUP])
    for k in range(n_in):
        settle_from_queue2(w, w.room[M_PICK + 1, k], H_BILATERAL, w.clock[C_GROUP])
    use_gains(w, i, out, back)
    use_gains(w, j, back, out)
    return True


@inlined
def settle_bilateral(w: World) -> bool:
    """Go through the pairs of banks in order; tell whether anything settled."""
    n = w.bank.shape[0]
    pairs = list_pairs(w, False)
    sort(w.room, pairs)
    has_settled = False
    for k in range(pairs):
        i, j = w.room[M_KEY, k] // n, w.room[M_KEY, k] % n
        if offset_pair(w, i, j):
            has_settled = True
        w.pair[X_HEAD, i, j] = NONE
        w.pair[X_HEAD, j, i] = NONE
    return has_settled
