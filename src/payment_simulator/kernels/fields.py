"""What a tree can see: the value of a field, computed when a program reads it."""

from __future__ import annotations

from payment_simulator.kernels import field_codes as f
from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    B_BALANCE,
    B_CAP,
    B_CAPACITY,
    B_CREDIT,
    B_HAIRCUT,
    B_NEAREST,
    B_POSTED,
    B_Q1_COUNT,
    B_Q1_VALUE,
    B_Q2_COUNT,
    B_Q2_IN_COUNT,
    B_Q2_VALUE,
    B_SETTLED_TODAY,
    C_Q2_COUNT,
    C_Q2_VALUE,
    C_SETTLED_TODAY,
    C_TICK,
    F_COLLATERAL,
    F_DEADLINE_BPS,
    F_DELAY,
    F_EOD_BPS,
    F_OVERDRAFT,
    F_RUSH,
    FAR_TICK,
    R_DEADLINE_FIXED,
    R_EOD_FIXED,
    R_SPLIT_FRICTION,
    R_TICKS_PER_DAY,
    X_VALUE,
    World,
)
from payment_simulator.kernels.settlement import liquidity

_PPM = 1_000_000.0


@inlined
def _of_money(w: World, field: int, i: int) -> float:
    """Return a field of balance, credit and what waits."""
    if field == f.BALANCE:
        return float(w.bank[i, B_BALANCE])
    credit = w.bank[i, B_CREDIT]
    if field == f.CREDIT_LIMIT or field == f.ALLOWED_OVERDRAFT_LIMIT:
        return float(credit)
    available = liquidity(w, i)
    if field == f.AVAILABLE_LIQUIDITY:
        return float(available)
    used = max(-w.bank[i, B_BALANCE], 0)
    if field == f.CREDIT_USED:
        return float(used)
    if field == f.CREDIT_HEADROOM or field == f.OVERDRAFT_HEADROOM:
        return float(credit - used)
    if field == f.EFFECTIVE_LIQUIDITY:
        return float(max(w.bank[i, B_BALANCE], 0) + credit - used)
    if field == f.IS_USING_CREDIT:
        return 1.0 if used > 0 else 0.0
    if field == f.IS_OVERDRAFT_CAPPED:
        return 1.0
    own, sent = w.bank[i, B_Q1_VALUE], w.bank[i, B_Q2_VALUE]
    if field == f.LIQUIDITY_BUFFER:
        return float(max(available - own - sent, 0))
    if field == f.LIQUIDITY_PRESSURE:
        waits = own + sent
        return float(waits) / float(waits + max(available, 0)) if waits > 0 else 0.0
    if field == f.HEADROOM:
        return float(available - own)
    if field == f.UNSECURED_CAP:
        return float(w.bank[i, B_CAP])
    if field == f.OVERDRAFT_UTILIZATION:
        return float(used) / float(credit) if credit > 0 else 0.0
    if field == f.OUTGOING_QUEUE_SIZE:
        return float(w.bank[i, B_Q1_COUNT])
    if field == f.QUEUE1_TOTAL_VALUE:
        return float(own)
    return float(max(own - available, 0))  # QUEUE1_LIQUIDITY_GAP


@inlined
def _of_queue2(w: World, field: int, i: int) -> float:
    """Return a field of Queue 2."""
    if field == f.INCOMING_EXPECTED_COUNT:
        return float(w.bank[i, B_Q2_IN_COUNT])
    if field == f.RTGS_QUEUE_SIZE or field == f.QUEUE2_SIZE:
        return float(w.clock[C_Q2_COUNT])
    if field == f.RTGS_QUEUE_VALUE:
        return float(w.clock[C_Q2_VALUE])
    if field == f.QUEUE2_COUNT_FOR_AGENT:
        return float(w.bank[i, B_Q2_COUNT])
    nearest = w.bank[i, B_NEAREST]
    if field == f.QUEUE2_NEAREST_DEADLINE or nearest == FAR_TICK:
        return float(nearest)
    return float(nearest - w.clock[C_TICK])  # TICKS_TO_NEAREST_QUEUE2_DEADLINE


@inlined
def _of_collateral(w: World, field: int, i: int) -> float:
    """Return a field of collateral."""
    posted, capacity = w.bank[i, B_POSTED], w.bank[i, B_CAPACITY]
    if field == f.POSTED_COLLATERAL:
        return float(posted)
    if field == f.MAX_COLLATERAL_CAPACITY:
        return float(capacity)
    if field == f.REMAINING_COLLATERAL_CAPACITY:
        return float(max(capacity - posted, 0))
    if field == f.COLLATERAL_UTILIZATION:
        return float(posted) / float(capacity) if capacity > 0 else 0.0
    haircut = float(w.bank[i, B_HAIRCUT]) / _PPM
    if field == f.COLLATERAL_HAIRCUT:
        return haircut
    need = float(max(max(-w.bank[i, B_BALANCE], 0) - w.bank[i, B_CAP], 0))
    required = 0.0
    if need > 0.0:
        required = need / (1.0 - haircut) if haircut < 1.0 else float(capacity)
    if field == f.REQUIRED_COLLATERAL_FOR_USAGE:
        return required
    return max(float(posted) - required, 0.0)  # EXCESS_COLLATERAL


@inlined
def _of_prices(w: World, field: int, left: int) -> float:
    """Return a field of prices; `left` is what is due on the payment, 0 outside payment trees."""
    if field == f.COST_OVERDRAFT_BPS_PER_TICK:
        return w.rate[F_OVERDRAFT]
    if field == f.COST_DELAY_PER_TICK_PER_CENT:
        return w.rate[F_DELAY]
    if field == f.COST_COLLATERAL_BPS_PER_TICK:
        return w.rate[F_COLLATERAL]
    if field == f.COST_SPLIT_FRICTION:
        return float(w.rule[R_SPLIT_FRICTION])
    if field == f.COST_DEADLINE_PENALTY:
        return penalty(w, R_DEADLINE_FIXED, left)
    return penalty(w, R_EOD_FIXED, left)  # COST_EOD_PENALTY


@inlined
def penalty(w: World, rule: int, left: int) -> float:
    """Return a penalty for cents that are due: the fixed amount, or its rate on them."""
    if w.rule[rule] > 0:
        return float(w.rule[rule])
    rate = F_DEADLINE_BPS if rule == R_DEADLINE_FIXED else F_EOD_BPS
    return float(left) * w.rate[rate] / 10000.0


@inlined
def _of_time(w: World, field: int, i: int) -> float:
    """Return a field of time, of the system and of throughput."""
    now, length = w.clock[C_TICK], w.rule[R_TICKS_PER_DAY]
    in_day = now % length
    progress = float(in_day) / float(length)
    if field == f.CURRENT_TICK:
        return float(now)
    if field == f.TOTAL_AGENTS:
        return float(w.bank.shape[0])
    if field == f.SYSTEM_TICKS_PER_DAY:
        return float(length)
    if field == f.SYSTEM_CURRENT_DAY:
        return float(now // length)
    if field == f.SYSTEM_TICK_IN_DAY:
        return float(in_day)
    if field == f.TICKS_REMAINING_IN_DAY:
        return float(length - in_day - 1)
    if field == f.DAY_PROGRESS_FRACTION or field == f.EXPECTED_THROUGHPUT_FRACTION_BY_NOW:
        return progress
    if field == f.IS_EOD_RUSH:
        return 1.0 if progress >= w.rate[F_RUSH] else 0.0
    if field == f.SYSTEM_QUEUE2_PRESSURE_INDEX:
        waits = w.clock[C_Q2_VALUE]
        return float(waits) / float(waits + w.clock[C_SETTLED_TODAY]) if waits > 0 else 0.0
    settled = w.bank[i, B_SETTLED_TODAY]
    due = settled + w.bank[i, B_Q1_VALUE] + w.bank[i, B_Q2_VALUE]
    mine = float(settled) / float(due) if due > 0 else 1.0
    if field == f.MY_THROUGHPUT_FRACTION_TODAY:
        return mine
    return mine - progress  # THROUGHPUT_GAP


@inlined
def exposure(w: World, base: int, i: int, j: int) -> int:
    """Return what `*_top_*` fields rank counterparties by (cents)."""
    if base == f.MY_Q2_OUT_VALUE_TOP_1:
        return w.pair[X_VALUE, i, j]
    if base == f.MY_Q2_IN_VALUE_TOP_1:
        return w.pair[X_VALUE, j, i]
    return w.pair[X_VALUE, i, j] - w.pair[X_VALUE, j, i]


@inlined
def _of_rank(w: World, field: int, i: int) -> float:
    """Return the k-th largest exposure to another bank, 0 where there are fewer."""
    base = f.MY_Q2_OUT_VALUE_TOP_1 + 5 * ((field - f.MY_Q2_OUT_VALUE_TOP_1) // 5)
    k = field - base
    n = w.bank.shape[0]
    if k >= n - 1:
        return 0.0
    # The entry that k others precede: larger, or as large with a lower number.
    for j in range(n):
        if j == i:
            continue
        mine = exposure(w, base, i, j)
        before = 0
        for other in range(n):
            if other != i and other != j:
                theirs = exposure(w, base, i, other)
                if theirs > mine or (theirs == mine and other < j):
                    before += 1
        if before == k:
            return float(mine)
    return 0.0


@inlined
def bank_field(w: World, field: int, i: int, left: int) -> float:
    """Return a field that all trees can see.

    Parameters
    ----------
    field : int
        Its code.
    i : int
        The bank that looks.
    left : int
        What is due on the payment that is looked at (cents), 0 outside payment trees.
    """
    if field <= f.QUEUE1_LIQUIDITY_GAP:
        return _of_money(w, field, i)
    if field <= f.TICKS_TO_NEAREST_QUEUE2_DEADLINE:
        return _of_queue2(w, field, i)
    if field <= f.EXCESS_COLLATERAL:
        return _of_collateral(w, field, i)
    if field <= f.COST_EOD_PENALTY:
        return _of_prices(w, field, left)
    if field <= f.THROUGHPUT_GAP:
        return _of_time(w, field, i)
    return _of_rank(w, field, i)
