"""Step 6: released payments enter the system."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_LIMIT,
    B_NET_OUT,
    B_VERSION,
    C_GROUP,
    C_RELEASED,
    H_ENTRY,
    H_ENTRY_OFFSET,
    LOG_JOIN_QUEUE2,
    M_KEY,
    M_RELEASED,
    NO_LIMIT,
    NONE,
    P_ARRIVAL,
    P_CLASS,
    P_DIVISIBLE,
    P_LEFT,
    P_RECEIVER,
    P_SENDER,
    P_TESTED,
    R_BILATERAL_LIMITS,
    R_ENTRY_OFFSET,
    R_STRICT,
    X_LIMIT,
    X_NET,
    X_VALUE,
    World,
)
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.queue import after_of, first_of, join_queue2
from payment_simulator.kernels.settlement import (
    is_free,
    liquidity,
    payable,
    settle_from_queue2,
    transfer,
    use_gains,
)
from payment_simulator.kernels.sort import sort

_CLASS_SHIFT = 58
_ARRIVAL_SHIFT = 32
_NUMBER = (1 << _ARRIVAL_SHIFT) - 1


@inlined
def announce(w: World, p: int) -> None:
    """Note a payment among those that enter at step 6, under a key that sorts as they enter."""
    key = (w.pay[p, P_CLASS] << _CLASS_SHIFT) | (w.pay[p, P_ARRIVAL] << _ARRIVAL_SHIFT) | p
    w.room[M_RELEASED, w.clock[C_RELEASED]] = key
    w.clock[C_RELEASED] += 1


@inlined
def can_offset(w: World, i: int, j: int, sent: int, received: int) -> bool:
    """Tell whether bank i can pay and be paid by j at once."""
    net = sent - received
    if liquidity(w, i) < net:
        return False
    if w.bank[i, B_LIMIT] != NO_LIMIT and w.bank[i, B_NET_OUT] + net > w.bank[i, B_LIMIT]:
        return False
    if w.rule[R_BILATERAL_LIMITS] and w.pair[X_LIMIT, i, j] != NO_LIMIT:
        return bool(w.pair[X_NET, i, j] + net <= w.pair[X_LIMIT, i, j])
    return True


@inlined
def find_offset(w: World, p: int) -> int:
    """Return the first payment in Queue 2 that an entering one can settle with, or NONE."""
    i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
    if w.pair[X_VALUE, j, i] == 0:
        return NONE
    cents = w.pay[p, P_LEFT]
    q = first_of(w, j)
    while q != NONE:
        if (
            w.pay[q, P_RECEIVER] == i
            and can_offset(w, i, j, cents, w.pay[q, P_LEFT])
            and can_offset(w, j, i, w.pay[q, P_LEFT], cents)
        ):
            return q
        if w.rule[R_STRICT]:
            return NONE
        q = after_of(w, q)
    return NONE


@inlined
def offset_at_entry(w: World, p: int) -> bool:
    """Settle an entering payment together with one that waits the other way, if there is one."""
    q = find_offset(w, p)
    if q == NONE:
        return False
    i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
    sent, received = w.pay[p, P_LEFT], w.pay[q, P_LEFT]
    w.clock[C_GROUP] += 1
    transfer(w, p, sent, H_ENTRY_OFFSET, w.clock[C_GROUP])
    settle_from_queue2(w, q, H_ENTRY_OFFSET, w.clock[C_GROUP])
    use_gains(w, i, sent, received)
    use_gains(w, j, received, sent)
    return True


@inlined
def enter_released(w: World) -> None:
    """Settle released payments or queue them, in the order of class, arrival and number."""
    n = w.clock[C_RELEASED]
    for k in range(n):
        w.room[M_KEY, k] = w.room[M_RELEASED, k]
    sort(w.room, n)
    for k in range(n):
        p = w.room[M_KEY, k] & _NUMBER
        if is_free(w, p, w.rule[R_STRICT]):
            most = payable(w, p)
            if most >= w.pay[p, P_LEFT]:
                transfer(w, p, w.pay[p, P_LEFT], H_ENTRY, 0)
                continue
            if w.rule[R_ENTRY_OFFSET] and offset_at_entry(w, p):
                continue
            if w.pay[p, P_DIVISIBLE] and most > 0:
                transfer(w, p, most, H_ENTRY, 0)
        write_log(
            w, LOG_JOIN_QUEUE2, w.pay[p, P_SENDER], w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], NONE
        )
        # Tried with all its bank has, unless the discipline forbade it.
        w.pay[p, P_TESTED] = NONE if w.rule[R_STRICT] else w.bank[w.pay[p, P_SENDER], B_VERSION]
        join_queue2(w, p)
    w.clock[C_RELEASED] = 0
