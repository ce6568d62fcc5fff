"""Walking a policy program: a small stack machine."""

from __future__ import annotations

import numpy as np

from payment_simulator.kernels import opcodes as o
from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.fields import bank_field
from payment_simulator.kernels.layout import (
    C_ERROR,
    C_ERROR_BANK,
    C_ERROR_PAYMENT,
    E_DIVISION,
    E_NONE,
    E_NOT_FINITE,
    F_STACK,
    NONE,
    P_LEFT,
    U_REGISTER,
    World,
)
from payment_simulator.kernels.payment_fields import payment_field

_LARGEST = 1.7976931348623157e308


@inlined
def fail(w: World, error: int, bank: int, payment: int) -> None:
    """Note the first error of a run."""
    if w.clock[C_ERROR] == E_NONE:
        w.clock[C_ERROR] = error
        w.clock[C_ERROR_BANK] = bank
        w.clock[C_ERROR_PAYMENT] = payment


@inlined
def finite(w: World, x: float, bank: int, payment: int) -> float:
    """Return a number that is finite, or note the error and return 0."""
    if abs(x) <= _LARGEST:
        return x
    fail(w, E_NOT_FINITE, bank, payment)
    return 0.0


@inlined
def _calculate(w: World, op: int, top: int, i: int, p: int) -> int:
    """Carry out one operation on the stack; return where its top is now."""
    s = w.rate
    x = s[top - 1]
    if op == o.OP_CLAMP:
        s[top - 3] = min(max(s[top - 3], s[top - 2]), x)
        return top - 2
    if op == o.OP_DIV0:
        x = s[top - 3] / s[top - 2] if s[top - 2] != 0.0 else x
        s[top - 3] = finite(w, x, i, p)
        return top - 2
    if op >= o.OP_CEIL:
        if op == o.OP_CEIL:
            x = np.ceil(x)
        elif op == o.OP_FLOOR:
            x = np.floor(x)
        elif op == o.OP_ROUND:
            x = np.floor(x + 0.5)
        else:
            x = abs(x)
        s[top - 1] = x
        return top
    y = s[top - 2]
    if op == o.OP_ADD:
        y = y + x
    elif op == o.OP_SUBTRACT:
        y = y - x
    elif op == o.OP_MULTIPLY:
        y = y * x
    elif op == o.OP_MAX:
        y = max(y, x)
    elif op == o.OP_MIN:
        y = min(y, x)
    elif x == 0.0:
        fail(w, E_DIVISION, i, p)
    else:
        y = y / x
    s[top - 2] = finite(w, y, i, p)
    return top - 1


@inlined
def _holds(op: int, left: float, right: float) -> bool:
    """Tell whether the comparison of a conditional jump holds."""
    if op == o.OP_JUMP_UNLESS_EQ:
        return left == right
    if op == o.OP_JUMP_UNLESS_NE:
        return left != right
    if op == o.OP_JUMP_UNLESS_LT:
        return left < right
    if op == o.OP_JUMP_UNLESS_LE:
        return left <= right
    if op == o.OP_JUMP_UNLESS_GT:
        return left > right
    return left >= right


@inlined
def walk(w: World, start: int, i: int, p: int) -> int:
    """Run a program to its leaf.

    Parameters
    ----------
    start : int
        Its first instruction.
    i : int
        The bank that decides.
    p : int
        The payment it decides on, or NONE.

    Returns
    -------
    int
        An ACTION_ code; its arguments stand at the bottom of the stack.
    """
    at = start
    top = F_STACK
    left = 0
    if p != NONE:
        left = w.pay[p, P_LEFT]
    while True:
        op, argument = w.code[at, 0], w.code[at, 1]
        at += 1
        if op == o.OP_CONST:
            w.rate[top] = w.rate[argument]
            top += 1
        elif op == o.OP_PAYMENT_FIELD:
            w.rate[top] = payment_field(w, argument, i, p)
            top += 1
        elif op == o.OP_BANK_FIELD:
            w.rate[top] = bank_field(w, argument, i, left)
            top += 1
        elif op == o.OP_REGISTER:
            w.rate[top] = w.sums[i, U_REGISTER + argument]
            top += 1
        elif op == o.OP_ACT:
            return argument
        elif op == o.OP_JUMP:
            at = argument
        elif op >= o.OP_JUMP_UNLESS_EQ:
            top -= 2
            if not _holds(op, w.rate[top], w.rate[top + 1]):
                at = argument
        else:
            top = _calculate(w, op, top, i, p)
