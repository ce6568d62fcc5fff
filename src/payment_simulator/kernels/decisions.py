"""Steps 4, 5 and 10: every bank's trees are walked and their actions carried out."""

from __future__ import annotations

from payment_simulator.kernels import opcodes as o
from payment_simulator.kernels._jit import inlined, kernel
from payment_simulator.kernels.collateral import (
    post_collateral,
    whole_cents,
    withdraw_collateral,
)
from payment_simulator.kernels.layout import (
    B_BUDGET,
    B_BUDGET_EACH,
    B_BUDGET_FOCUS,
    B_NEAREST,
    B_ORDER,
    B_Q1_HEAD,
    B_START,
    B_USES,
    C_ORDERED,
    C_TICK,
    F_STACK,
    FAR_TICK,
    LOG_BUDGET,
    LOG_DROP,
    LOG_REGISTER,
    LOG_REPRIORITIZE,
    LOG_RESUBMIT,
    LOG_WITHDRAW,
    M_KEY,
    M_ORDER,
    M_PICK,
    N_ACTION,
    N_ARGUMENT,
    NONE,
    P_CLASS,
    P_DEADLINE,
    P_LEFT,
    P_NEXT,
    P_PRIORITY,
    P_RECEIVER,
    P_STATE,
    P_TESTED,
    P_TIMED,
    Q1,
    R_BY_PRIORITY,
    R_TICKS,
    R_TIMERS,
    U_REGISTER,
    USES_NEAREST,
    USES_QUEUE2,
    W_SPENT,
    World,
)
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.payment_fields import present_priority
from payment_simulator.kernels.policy_eval import finite, walk
from payment_simulator.kernels.queue import (
    after_of,
    drop,
    first_of,
    join_queue1,
    join_queue2,
    leave_queue2,
    tell_news,
)
from payment_simulator.kernels.releases import is_allowed, release, release_or_reserve, split
from payment_simulator.kernels.sort import sort

TREE_STRATEGIC, TREE_BANK, TREE_PAYMENT, TREE_END = 0, 1, 2, 3
_ARGUMENTS = 4
_PRIORITY_SHIFT, _DEADLINE_SHIFT = 58, 28
_INDEX = (1 << _DEADLINE_SHIFT) - 1
_MAX_TICK = 1 << 29
_MANY = 1_000_000_000.0


@inlined
def whole(x: float, most: float) -> int:
    """Return a computed number rounded down, between 0 and a bound."""
    return int(min(max(x, 0.0), most))


@inlined
def find_nearest(w: World, i: int) -> None:
    """Note the earliest deadline of a bank's payments in Queue 2, where its policy asks."""
    if w.bank[i, B_USES] & USES_NEAREST:
        nearest = FAR_TICK
        p = first_of(w, i)
        while p != NONE:
            nearest = min(nearest, w.pay[p, P_DEADLINE])
            p = after_of(w, p)
        w.bank[i, B_NEAREST] = nearest


@inlined
def do_for_bank(w: World, action: int, i: int, tree: int) -> None:
    """Carry out an action of a bank tree or a collateral tree."""
    s = w.rate
    if action == o.ACTION_BUDGET:
        w.bank[i, B_BUDGET] = whole_cents(s[F_STACK])
        w.bank[i, B_BUDGET_FOCUS] = int(s[F_STACK + 1])
        each = s[F_STACK + 2]
        w.bank[i, B_BUDGET_EACH] = NONE if each == o.NOT_GIVEN else whole_cents(each)
        write_log(w, LOG_BUDGET, i, NONE, NONE, w.bank[i, B_BUDGET], NONE)
    elif action == o.ACTION_SET_STATE or action == o.ACTION_ADD_STATE:
        k = int(s[F_STACK])
        value = s[F_STACK + 1]
        if action == o.ACTION_ADD_STATE:
            value = finite(w, w.sums[i, U_REGISTER + k] + value, i, NONE)
        w.sums[i, U_REGISTER + k] = value
        write_log(w, LOG_REGISTER, i, NONE, NONE, int(min(max(value, -_MANY), _MANY)), k)
    elif action == o.ACTION_POST:
        posted = post_collateral(w, i, whole_cents(s[F_STACK]), tree)
        due = w.clock[C_TICK] + max(whole(s[F_STACK + 1], _MANY), 1)
        if s[F_STACK + 1] != o.NOT_GIVEN and due < w.rule[R_TICKS]:
            w.wide[w.rule[R_TIMERS] + due, i] += posted
    elif action == o.ACTION_TAKE_BACK:
        withdraw_collateral(w, i, whole_cents(s[F_STACK]), tree)


@kernel
def walk_bank_trees(w: World, first: int, last: int) -> None:
    """Walk the trees `first` to `last` of every bank that are no payment trees, and act on them."""
    for i in range(w.bank.shape[0]):
        for tree in range(first, last + 1):
            start = w.bank[i, B_START + tree]
            if start != NONE:
                find_nearest(w, i)
                do_for_bank(w, walk(w, start, i, NONE), i, tree)


@inlined
def order_payments(w: World, i: int) -> int:
    """Write a bank's Queue 1 into `order`, as its tree is asked; return how many there are."""
    begin = w.clock[C_ORDERED]
    count = 0
    p = w.bank[i, B_Q1_HEAD]
    while p != NONE:
        w.room[M_ORDER, begin + count] = p
        count += 1
        p = w.pay[p, P_NEXT]
    if w.rule[R_BY_PRIORITY] and count > 1:
        for k in range(count):
            p = w.room[M_ORDER, begin + k]
            w.room[M_KEY, k] = (
                ((10 - present_priority(w, p)) << _PRIORITY_SHIFT)
                | (min(w.pay[p, P_DEADLINE], _MAX_TICK) << _DEADLINE_SHIFT)
                | k
            )
            w.room[M_PICK, k] = p
        sort(w.room, count)
        for k in range(count):
            w.room[M_ORDER, begin + k] = w.room[M_PICK, w.room[M_KEY, k] & _INDEX]
    if w.bank[i, B_USES] & USES_QUEUE2:
        p = first_of(w, i)
        while p != NONE:
            w.room[M_ORDER, begin + count] = p
            count += 1
            p = after_of(w, p)
    w.clock[C_ORDERED] += count
    return count


@inlined
def decide(w: World, i: int, p: int, at: int) -> None:
    """Walk a payment tree and keep what it says in `decision`."""
    if w.pay[p, P_STATE] == Q1 and w.pay[p, P_TIMED] != NONE:
        is_due = w.pay[p, P_TIMED] <= w.clock[C_TICK]
        w.note[at, N_ACTION] = o.ACTION_RELEASE_DUE if is_due else o.ACTION_NONE
        return
    start = w.bank[i, B_START + TREE_PAYMENT]
    if start == NONE:
        # No payment tree: all is released as it comes.
        w.note[at, N_ACTION] = o.ACTION_RELEASE if w.pay[p, P_STATE] == Q1 else o.ACTION_NONE
        w.note[at, N_ARGUMENT] = NONE
        w.note[at, N_ARGUMENT + 1] = NONE
        return
    action = walk(w, start, i, p)
    w.note[at, N_ACTION] = action
    if action == o.ACTION_NONE:
        return
    for k in range(_ARGUMENTS):
        w.note[at, N_ARGUMENT + k] = w.rate[F_STACK + k]


@inlined
def do_in_queue2(w: World, i: int, p: int, action: int, at: int) -> None:
    """Carry out a decision on a payment in Queue 2."""
    if action == o.ACTION_WITHDRAW:
        leave_queue2(w, p)
        join_queue1(w, p)
        tell_news(w, i)
        write_log(w, LOG_WITHDRAW, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], NONE)
    elif action == o.ACTION_RESUBMIT and w.pay[p, P_CLASS] != int(w.note[at, N_ARGUMENT]):
        leave_queue2(w, p)
        w.pay[p, P_CLASS] = int(w.note[at, N_ARGUMENT])
        w.pay[p, P_TESTED] = NONE
        join_queue2(w, p)
        tell_news(w, i)
        write_log(w, LOG_RESUBMIT, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], w.pay[p, P_CLASS])


@inlined
def do_in_queue1(w: World, i: int, p: int, action: int, at: int) -> None:
    """Carry out a decision on a payment in Queue 1."""
    if action == o.ACTION_RELEASE:
        release_or_reserve(
            w, i, p, int(w.note[at, N_ARGUMENT]), whole(w.note[at, N_ARGUMENT + 1], _MANY)
        )
    elif action == o.ACTION_RELEASE_DUE:
        w.pay[p, P_TIMED] = NONE
        if is_allowed(w, i, p):
            release(w, p, w.pay[p, P_CLASS])
    elif action == o.ACTION_SPLIT or action == o.ACTION_STAGGER:
        parts = min(whole(w.note[at, N_ARGUMENT], _MANY), w.pay[p, P_LEFT])
        if parts < 2:
            release_or_reserve(w, i, p, NONE, 0)
        elif action == o.ACTION_SPLIT:
            split(w, i, p, parts, parts, 1, 0)
        else:
            gap, boost = (
                max(whole(w.note[at, N_ARGUMENT + 2], _MANY), 1),
                whole(w.note[at, N_ARGUMENT + 3], 10.0),
            )
            split(w, i, p, parts, whole(w.note[at, N_ARGUMENT + 1], _MANY), gap, boost)
    elif action == o.ACTION_DROP:
        drop(w, p)
        write_log(w, LOG_DROP, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], NONE)
    elif action == o.ACTION_REPRIORITIZE:
        w.pay[p, P_PRIORITY] = whole(w.note[at, N_ARGUMENT], 10.0)
        write_log(
            w, LOG_REPRIORITIZE, i, w.pay[p, P_RECEIVER], p, w.pay[p, P_LEFT], w.pay[p, P_PRIORITY]
        )


@inlined
def walk_payment_trees(w: World) -> None:
    """Ask every bank about every payment in one state of the world, then do what they said."""
    w.clock[C_ORDERED] = 0
    n = w.bank.shape[0]
    for i in range(n):
        find_nearest(w, i)
        begin = w.clock[C_ORDERED]
        w.bank[i, B_ORDER] = begin
        for at in range(begin, begin + order_payments(w, i)):
            decide(w, i, w.room[M_ORDER, at], at)
    for i in range(n):
        if w.bank[i, B_BUDGET] != NONE and w.bank[i, B_BUDGET_EACH] != NONE:
            for j in range(n):
                w.wide[W_SPENT, j] = 0
        end = w.bank[i + 1, B_ORDER] if i + 1 < n else w.clock[C_ORDERED]
        for at in range(w.bank[i, B_ORDER], end):
            p, action = w.room[M_ORDER, at], int(w.note[at, N_ACTION])
            if action == o.ACTION_NONE:
                continue
            if w.pay[p, P_STATE] == Q1:
                do_in_queue1(w, i, p, action, at)
            else:
                do_in_queue2(w, i, p, action, at)
