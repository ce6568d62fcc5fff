"""Posting and withdrawing collateral."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_CAP,
    B_CAPACITY,
    B_CREDIT,
    B_HAIRCUT,
    B_POSTED,
    LOG_CAPACITY,
    LOG_COLLATERAL,
    MAX_CENTS,
    NONE,
    World,
)
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.queue import tell_news
from payment_simulator.kernels.settlement import liquidity

_PPM = 1_000_000


@inlined
def whole_cents(x: float) -> int:
    """Return a computed amount in whole cents, rounded down, 0 to MAX_CENTS."""
    if x >= MAX_CENTS:
        return MAX_CENTS
    return int(x) if x >= 1.0 else 0


@inlined
def collateral_value(posted: int, haircut_ppm: int) -> int:
    """Return what collateral is worth as credit: less the haircut, which is rounded up (cents)."""
    # In two parts: posted x haircut would overflow.
    millions, rest = posted // _PPM, posted % _PPM
    return posted - (millions * haircut_ppm + (rest * haircut_ppm + _PPM - 1) // _PPM)


@inlined
def set_posted(w: World, i: int, posted: int, tree: int) -> None:
    """Change what a bank has posted, and its credit line with it."""
    change = posted - w.bank[i, B_POSTED]
    if change == 0:
        return
    w.bank[i, B_POSTED] = posted
    w.bank[i, B_CREDIT] = w.bank[i, B_CAP] + collateral_value(posted, w.bank[i, B_HAIRCUT])
    tell_news(w, i)
    write_log(w, LOG_COLLATERAL, i, NONE, NONE, change, tree)


@inlined
def post_collateral(w: World, i: int, cents: int, tree: int) -> int:
    """Post collateral as far as the capacity goes; return how much was posted (cents)."""
    posted = w.bank[i, B_POSTED]
    more = min(cents, max(w.bank[i, B_CAPACITY] - posted, 0))
    set_posted(w, i, posted + more, tree)
    if more < cents:
        write_log(w, LOG_CAPACITY, i, NONE, NONE, cents - more, tree)
    return more


@inlined
def withdraw_collateral(w: World, i: int, cents: int, tree: int) -> None:
    """Withdraw collateral, at most as much as leaves liquidity at zero or above."""
    posted = w.bank[i, B_POSTED]
    spare = liquidity(w, i)
    if spare < 0:
        return
    haircut = w.bank[i, B_HAIRCUT]
    value = collateral_value(posted, haircut)
    low, high = 0, min(cents, posted)
    # The largest amount: what is left is worth more the less is taken.
    while low < high:
        middle = low + (high - low + 1) // 2
        if value - collateral_value(posted - middle, haircut) <= spare:
            low = middle
        else:
            high = middle - 1
    set_posted(w, i, posted - low, tree)
