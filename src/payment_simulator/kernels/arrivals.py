"""Steps 2 and 3: scheduled transfers and collateral, and payments that come into being."""

from __future__ import annotations

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.collateral import set_posted
from payment_simulator.kernels.entry import announce
from payment_simulator.kernels.layout import (
    A_AMOUNT,
    A_DEADLINE,
    A_DIRECT,
    A_DIVISIBLE,
    A_PRIORITY,
    A_RECEIVER,
    A_SENDER,
    ACT_AMOUNT,
    ACT_BANK,
    ACT_KIND,
    ACT_OTHER,
    ACT_TRANSFER,
    B_BALANCE,
    B_POSTED,
    B_STAT,
    C_ARRIVED,
    C_TICK,
    E_OVERFLOW,
    LOG_ARRIVE,
    LOG_RELEASE,
    LOG_TRANSFER,
    MAX_CENTS,
    MAX_MONEY,
    NONE,
    P_ARRIVAL,
    P_ARRIVED_PRIORITY,
    P_BAND,
    P_CLASS,
    P_DEADLINE,
    P_DIVISIBLE,
    P_PRIORITY,
    P_RELEASED,
    P_STATE,
    RELEASED,
    S_ARRIVED,
    S_ARRIVED_VALUE,
    Y_ACTS,
    Y_ARRIVALS,
    World,
)
from payment_simulator.kernels.log import write_log
from payment_simulator.kernels.policy_eval import fail
from payment_simulator.kernels.queue import join_queue1, tell_news
from payment_simulator.kernels.releases import band, new_payment, note_deadline


@inlined
def play_events(w: World) -> None:
    """Carry out the tick's transfers and changes of collateral."""
    now = w.clock[C_TICK]
    for k in range(w.tick[now, Y_ACTS], w.tick[now + 1, Y_ACTS]):
        i, cents = w.act[k, ACT_BANK], w.act[k, ACT_AMOUNT]
        if w.act[k, ACT_KIND] == ACT_TRANSFER:
            j = w.act[k, ACT_OTHER]
            w.bank[i, B_BALANCE] -= cents
            w.bank[j, B_BALANCE] += cents
            tell_news(w, j)
            write_log(w, LOG_TRANSFER, i, j, NONE, cents, NONE)
        else:
            posted = min(max(w.bank[i, B_POSTED] + cents, 0), MAX_CENTS)
            set_posted(w, i, posted, NONE)


@inlined
def arrive(w: World, k: int) -> None:
    """Make a payment of a row of arrivals."""
    i, j, cents = w.arr[k, A_SENDER], w.arr[k, A_RECEIVER], w.arr[k, A_AMOUNT]
    p = new_payment(w, i, j, cents)
    if p == NONE:
        return
    now = w.clock[C_TICK]
    w.pay[p, P_ARRIVAL] = now
    w.pay[p, P_DEADLINE] = w.arr[k, A_DEADLINE]
    w.pay[p, P_PRIORITY] = w.arr[k, A_PRIORITY]
    w.pay[p, P_ARRIVED_PRIORITY] = w.arr[k, A_PRIORITY]
    w.pay[p, P_BAND] = band(w.arr[k, A_PRIORITY])
    w.pay[p, P_DIVISIBLE] = w.arr[k, A_DIVISIBLE]
    note_deadline(w, p)
    w.bank[i, B_STAT + S_ARRIVED] += 1
    w.bank[i, B_STAT + S_ARRIVED_VALUE] += cents
    w.clock[C_ARRIVED] += cents
    if w.clock[C_ARRIVED] > MAX_MONEY:
        fail(w, E_OVERFLOW, i, p)
    write_log(w, LOG_ARRIVE, i, j, p, cents, w.arr[k, A_PRIORITY])
    if w.arr[k, A_DIRECT]:
        w.pay[p, P_STATE] = RELEASED
        w.pay[p, P_CLASS] = 0
        w.pay[p, P_RELEASED] = now
        write_log(w, LOG_RELEASE, i, j, p, cents, 0)
        announce(w, p)
    else:
        join_queue1(w, p)


@inlined
def join_arrivals(w: World) -> None:
    """Make the tick's payments; they join Queue 1, or the system where an event says so."""
    now = w.clock[C_TICK]
    for k in range(w.tick[now, Y_ARRIVALS], w.tick[now + 1, Y_ARRIVALS]):
        arrive(w, k)
