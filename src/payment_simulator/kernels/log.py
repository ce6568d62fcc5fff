"""Writing down what happens, where a run keeps a log."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    C_ERROR,
    C_LOG,
    C_TICK,
    E_LOG_FULL,
    E_NONE,
    L_AMOUNT,
    L_BANK,
    L_DETAIL,
    L_KIND,
    L_OTHER,
    L_PAYMENT,
    L_TICK,
    World,
)


@inlined
def write_log(
    w: World, kind: int, bank: int, other: int, payment: int, amount: int, detail: int
) -> None:
    """Add a row to the log; a log that is full stops the run, which is then played with more."""
    if w.log.shape[0] == 0:
        return
    row = w.clock[C_LOG]
    if row == w.log.shape[0]:
        if w.clock[C_ERROR] == E_NONE:
            w.clock[C_ERROR] = E_LOG_FULL
        return
    w.log[row, L_TICK] = w.clock[C_TICK]
    w.log[row, L_KIND] = kind
    w.log[row, L_BANK] = bank
    w.log[row, L_OTHER] = other
    w.log[row, L_PAYMENT] = payment
    w.log[row, L_AMOUNT] = amount
    w.log[row, L_DETAIL] = detail
    w.clock[C_LOG] = row + 1
