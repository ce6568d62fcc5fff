"""Step 7, ``fifo``: Queue 2 one by one."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_MARK,
    H_FIFO,
    NONE,
    P_SENDER,
    R_STRICT,
    World,
)
from payment_simulator.kernels.queue import after_of_all, first_of_all
from payment_simulator.kernels.settlement import try_in_queue2


@inlined
def settle_fifo(w: World) -> bool:
    """Go through Queue 2 once and settle what can settle; tell whether anything did."""
    is_strict = w.rule[R_STRICT]
    if is_strict:
        for i in range(w.bank.shape[0]):
            w.bank[i, B_MARK] = 0
    has_settled = False
    p = first_of_all(w)
    while p != NONE:
        after = after_of_all(w, p)
        i = w.pay[p, P_SENDER]
        if not (is_strict and w.bank[i, B_MARK]):
            outcome = try_in_queue2(w, p, H_FIFO)
            if outcome > 0:
                has_settled = True
            if outcome < 2:
                w.bank[i, B_MARK] = 1
        p = after
    return has_settled
