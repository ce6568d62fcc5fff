"""Step 5, what is done with a decision: releasing, reserving, splitting."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.entry import announce
from payment_simulator.kernels.layout import (
    B_BUDGET,
    B_BUDGET_EACH,
    B_BUDGET_FOCUS,
    B_STAT,
    C_ERROR,
    C_PAYMENTS,
    C_TICK,
    E_PAYMENTS_FULL,
    K_SPLIT,
    LOG_REFUSED,
    LOG_RELEASE,
    LOG_RESERVE,
    LOG_SPLIT,
    N_DELAY,
    N_PENALTY,
    NONE,
    P_AMOUNT,
    P_ARRIVAL,
    P_ARRIVED_PRIORITY,
    P_BAND,
    P_CLASS,
    P_DEADLINE,
    P_DIVISIBLE,
    P_DUE_NEXT,
    P_LEFT,
    P_METHOD,
    P_OVERDUE,
    P_PARENT,
    P_PRIORITY,
    P_RECEIVER,
    P_RELEASED,
    P_SENDER,
    P_SETTLED,
    P_STATE,
    P_TIMED,
    R_CHARGED,
    R_FULL,
    R_PRIORITY_MODE,
    R_SPLIT_FRICTION,
    R_TICKS,
    RELEASED,
    S_CREATED,
    SPLIT,
    W_FOCUS,
    W_SPENT,
    Y_DUE_FIRST,
    Y_DUE_LAST,
    World,
)
from payment_simulator.kernels.ledger import charge
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.payment_fields import present_priority
from payment_simulator.kernels.policy_eval import fail
from payment_simulator.kernels.queue import join_queue1_before, leave_queue1

_URGENT, _NORMAL = 8, 4


@inlined
def band(priority: int) -> int:
    """Return the band of a priority: 0 urgent, 1 normal, 2 low."""
    if priority >= _URGENT:
        return 0
    return 1 if priority >= _NORMAL else 2


@inlined
def class_at_release(w: World, p: int, asked: int) -> int:
    """Return the RTGS class a payment enters with; `asked` is what the release says, or NONE."""
    if asked != NONE:
        return asked
    return band(present_priority(w, p)) if w.rule[R_PRIORITY_MODE] else 2


@inlined
def is_allowed(w: World, i: int, p: int) -> bool:
    """Tell whether a bank's budget allows a release, and take it from the budget if so."""
    if w.bank[i, B_BUDGET] == NONE:
        return True
    j, cents = w.pay[p, P_RECEIVER], w.pay[p, P_LEFT]
    focus, each = w.bank[i, B_BUDGET_FOCUS], w.bank[i, B_BUDGET_EACH]
    if (
        (focus != NONE and w.wide[W_FOCUS + focus, j] == 0)
        or cents > w.bank[i, B_BUDGET]
        or (each != NONE and w.wide[W_SPENT, j] + cents > each)
    ):
        write_log(w, LOG_REFUSED, i, j, p, cents, NONE)
        return False
    w.bank[i, B_BUDGET] -= cents
    w.wide[W_SPENT, j] += cents
    return True


@inlined
def release(w: World, p: int, rtgs_class: int) -> None:
    """Hand a payment of Queue 1 to the system."""
    leave_queue1(w, p)
    w.pay[p, P_STATE] = RELEASED
    w.pay[p, P_CLASS] = rtgs_class
    w.pay[p, P_TIMED] = NONE
    if w.pay[p, P_RELEASED] == NONE:
        w.pay[p, P_RELEASED] = w.clock[C_TICK]
    i, j = w.pay[p, P_SENDER], w.pay[p, P_RECEIVER]
    write_log(w, LOG_RELEASE, i, j, p, w.pay[p, P_LEFT], rtgs_class)
    announce(w, p)


@inlined
def release_or_reserve(w: World, i: int, p: int, asked: int, tick: int) -> None:
    """Release a payment now, or keep it in Queue 1 for a later tick."""
    rtgs_class = class_at_release(w, p, asked)
    if tick > w.clock[C_TICK]:
        w.pay[p, P_TIMED] = tick
        w.pay[p, P_CLASS] = rtgs_class
        write_log(w, LOG_RESERVE, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], tick)
    elif is_allowed(w, i, p):
        release(w, p, rtgs_class)


@inlined
def new_payment(w: World, i: int, j: int, cents: int) -> int:
    """Make a payment and return its number, or NONE where there is no room."""
    p = w.clock[C_PAYMENTS]
    if p >= w.pay.shape[0]:
        fail(w, E_PAYMENTS_FULL, i, NONE)
        return NONE
    w.clock[C_PAYMENTS] = p + 1
    w.pay[p, P_SENDER] = i
    w.pay[p, P_RECEIVER] = j
    w.pay[p, P_AMOUNT] = cents
    w.pay[p, P_LEFT] = cents
    w.pay[p, P_CLASS] = 2
    w.pay[p, P_OVERDUE] = 0
    w.pay[p, P_TIMED] = NONE
    w.pay[p, P_RELEASED] = NONE
    w.pay[p, P_SETTLED] = NONE
    w.pay[p, P_METHOD] = NONE
    w.pay[p, P_PARENT] = NONE
    if w.rule[R_FULL]:
        w.note[p, N_DELAY] = 0.0
        w.note[p, N_PENALTY] = 0.0
    return p


@inlined
def note_deadline(w: World, p: int) -> None:
    """List a payment under its deadline, if that lies within the run."""
    deadline = w.pay[p, P_DEADLINE]
    w.pay[p, P_DUE_NEXT] = NONE
    if deadline >= w.rule[R_TICKS]:
        return
    if w.tick[deadline, Y_DUE_FIRST] == NONE:
        w.tick[deadline, Y_DUE_FIRST] = p
    else:
        w.pay[w.tick[deadline, Y_DUE_LAST], P_DUE_NEXT] = p
    w.tick[deadline, Y_DUE_LAST] = p


@inlined
def make_child(w: World, parent: int, cents: int, boost: int) -> int:
    """Make a child and put it into Queue 1 right before its parent; return its number or NONE."""
    p = new_payment(w, w.pay[parent, P_SENDER], w.pay[parent, P_RECEIVER], cents)
    if p == NONE:
        return NONE
    w.pay[p, P_PARENT] = parent
    w.pay[p, P_ARRIVAL] = w.pay[parent, P_ARRIVAL]
    w.pay[p, P_DEADLINE] = w.pay[parent, P_DEADLINE]
    w.pay[p, P_ARRIVED_PRIORITY] = w.pay[parent, P_ARRIVED_PRIORITY]
    w.pay[p, P_BAND] = w.pay[parent, P_BAND]
    w.pay[p, P_DIVISIBLE] = w.pay[parent, P_DIVISIBLE]
    w.pay[p, P_OVERDUE] = w.pay[parent, P_OVERDUE]
    w.pay[p, P_PRIORITY] = max(min(w.pay[parent, P_PRIORITY] + boost, 10), 0)
    note_deadline(w, p)
    join_queue1_before(w, p, parent)
    return p


@inlined
def split(w: World, i: int, p: int, parts: int, now: int, gap: int, boost: int) -> None:
    """Put children in a payment's place; release the first `now`, reserve the others.

    Parameters
    ----------
    parts, now : int
        How many children; how many of them are released at once.
    gap : int
        Ticks between the reserved ones.
    boost : int
        What their priority is raised by.
    """
    cents = w.pay[p, P_LEFT]
    first = w.clock[C_PAYMENTS]
    for k in range(parts):
        share = cents // parts
        if k == parts - 1:
            share = cents - share * (parts - 1)
        if make_child(w, p, share, boost) == NONE:
            return
    leave_queue1(w, p)
    w.pay[p, P_STATE] = SPLIT
    w.bank[i, B_STAT + S_CREATED] += parts - 1
    write_log(w, LOG_SPLIT, i, w.pay[p, P_RECEIVER], p, parts, NONE)
    if w.rule[R_CHARGED + K_SPLIT]:
        friction = float(w.rule[R_SPLIT_FRICTION]) * float(parts - 1)
        charge(w, i, K_SPLIT, friction)
        if w.rule[R_FULL]:
            w.note[p, N_PENALTY] += friction
    if w.clock[C_ERROR]:
        return
    for k in range(parts):
        tick = w.clock[C_TICK]
        if k >= now:
            tick += (k - now + 1) * gap
        release_or_reserve(w, i, first + k, NONE, tick)
