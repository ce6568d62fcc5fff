"""What a payment tree sees of the payment it is asked about."""

from __future__ import annotations

from payment_simulator.kernels import field_codes as f
from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.layout import (
    C_TICK,
    F_DELAY_FACTOR,
    F_OVERDRAFT,
    NONE,
    P_AMOUNT,
    P_ARRIVAL,
    P_BAND,
    P_DEADLINE,
    P_LEFT,
    P_OVERDUE,
    P_PARENT,
    P_PRIORITY,
    P_RECEIVER,
    P_STATE,
    Q2,
    R_ESCALATION,
    R_ESCALATION_BOOST,
    R_ESCALATION_START,
    X_VALUE,
    World,
)

_LINEAR, _QUADRATIC = 1, 2


@inlined
def present_priority(w: World, p: int) -> int:
    """Return the priority of a payment with the escalation as its deadline nears."""
    priority = w.pay[p, P_PRIORITY]
    curve = w.rule[R_ESCALATION]
    if curve == 0:
        return priority
    start, boost = w.rule[R_ESCALATION_START], w.rule[R_ESCALATION_BOOST]
    gone = min(max(start - (w.pay[p, P_DEADLINE] - w.clock[C_TICK]), 0), start)
    if curve == _LINEAR:
        boost = boost * gone // start
    elif curve == _QUADRATIC:
        boost = boost * gone * gone // (start * start)
    elif gone == 0:
        boost = 0
    return min(priority + boost, 10)


@inlined
def _is_top(w: World, i: int, j: int) -> bool:
    """Tell whether j is among the five others with the most value in Queue 2 with i."""
    mine = w.pair[X_VALUE, i, j] + w.pair[X_VALUE, j, i]
    if mine == 0:
        return False
    before = 0
    for other in range(w.bank.shape[0]):
        if other != i and other != j:
            theirs = w.pair[X_VALUE, i, other] + w.pair[X_VALUE, other, i]
            if theirs > mine or (theirs == mine and other < j):
                before += 1
    return before < 5


@inlined
def _of_counterparty(w: World, field: int, i: int, j: int) -> float:
    """Return a field of a payment's receiver."""
    if field == f.MY_Q2_OUT_VALUE_TO_COUNTERPARTY:
        return float(w.pair[X_VALUE, i, j])
    if field == f.MY_Q2_IN_VALUE_FROM_COUNTERPARTY:
        return float(w.pair[X_VALUE, j, i])
    if field == f.MY_BILATERAL_NET_Q2:
        return float(w.pair[X_VALUE, i, j] - w.pair[X_VALUE, j, i])
    if field == f.TX_COUNTERPARTY_ID:
        return float(j)
    return 1.0 if _is_top(w, i, j) else 0.0  # TX_IS_TOP_COUNTERPARTY


@inlined
def payment_field(w: World, field: int, i: int, p: int) -> float:
    """Return a field that payment trees alone can see; p is the payment, i its sender."""
    if field >= f.MY_Q2_OUT_VALUE_TO_COUNTERPARTY:
        return _of_counterparty(w, field, i, w.pay[p, P_RECEIVER])
    if field == f.AMOUNT:
        return float(w.pay[p, P_AMOUNT])
    if field == f.REMAINING_AMOUNT:
        return float(w.pay[p, P_LEFT])
    if field == f.SETTLED_AMOUNT:
        return float(w.pay[p, P_AMOUNT] - w.pay[p, P_LEFT])
    if field == f.ARRIVAL_TICK:
        return float(w.pay[p, P_ARRIVAL])
    if field == f.DEADLINE_TICK:
        return float(w.pay[p, P_DEADLINE])
    if field == f.PRIORITY:
        return float(present_priority(w, p))
    if field == f.IS_SPLIT:
        return 1.0 if w.pay[p, P_PARENT] != NONE else 0.0
    ahead = w.pay[p, P_DEADLINE] - w.clock[C_TICK]
    if field == f.IS_PAST_DEADLINE or field == f.IS_OVERDUE:
        return 1.0 if ahead < 0 else 0.0
    if field == f.IS_IN_QUEUE2:
        return 1.0 if w.pay[p, P_STATE] == Q2 else 0.0
    if field == f.OVERDUE_DURATION:
        return float(max(-ahead, 0))
    if field == f.TICKS_TO_DEADLINE:
        return float(ahead)
    if field == f.QUEUE_AGE:
        return float(w.clock[C_TICK] - w.pay[p, P_ARRIVAL])
    left = float(w.pay[p, P_LEFT])
    if field == f.COST_DELAY_THIS_TX_ONE_TICK:
        factor = F_DELAY_FACTOR + 3 * w.pay[p, P_OVERDUE] + w.pay[p, P_BAND]
        return left * w.rate[factor]
    return left * w.rate[F_OVERDRAFT] / 10000.0  # COST_OVERDRAFT_THIS_AMOUNT_ONE_TICK
