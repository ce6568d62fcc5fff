"""Where costs are booked: by bank, day and kind."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    C_TICK,
    K_N,
    R_TICKS_PER_DAY,
    U_COST,
    World,
)


@inlined
def today(w: World) -> int:
    """Return the day of the run."""
    return w.clock[C_TICK] // w.rule[R_TICKS_PER_DAY]


@inlined
def charge(w: World, i: int, kind: int, cents: float) -> None:
    """Add to what a kind of cost has come to for a bank today (cents)."""
    w.sums[i, U_COST + K_N * today(w) + kind] += cents


@inlined
def charged_today(w: World, i: int) -> float:
    """Return what the day has cost a bank so far, all kinds together (cents)."""
    total = 0.0
    for kind in range(K_N):
        total += w.sums[i, U_COST + K_N * today(w) + kind]
    return total
