"""Arrays of the engine as columns with names: payments, events, states, costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from payment_simulator.kernels import layout as k
from payment_simulator.policy.tree import TREES
from payment_simulator.simulation.worlds import COST_KINDS

if TYPE_CHECKING:
    from payment_simulator.simulation.result import Run

#: Name of a column -> its type (text, count, cents, number, flag) and values.
ColumnData: TypeAlias = dict[str, tuple[str, Sequence[Any]]]

STATES = ("queue1", "queue2", "settled", "dropped", "split", "released")
METHODS = (
    "rtgs",
    "fifo",
    "entry_offset",
    "bilateral",
    "multilateral",
    "cycle",
    "end_of_day_borrowing",
)
CLASSES = ("HighlyUrgent", "Urgent", "Normal")
#: Kinds of events, in the order of the engine's LOG_ codes.
EVENTS = (
    "fund",
    "repay",
    "borrow",
    "repay_borrowed",
    "direct_transfer",
    "collateral",
    "arrive",
    "release",
    "join_queue2",
    "settle",
    "settle_part",
    "overdue",
    "split",
    "drop",
    "reprioritize",
    "withdraw",
    "resubmit",
    "reserve",
    "budget",
    "refused_by_budget",
    "state_register",
    "penalty",
    "collateral_refused",
)


def _optional(values: k.Ints) -> list[int | None]:
    return [None if value == k.NONE else value for value in values.tolist()]


def _names(names: Sequence[str], values: k.Ints) -> list[str | None]:
    return [None if value == k.NONE else names[value] for value in values.tolist()]


def payment_columns(run: Run) -> ColumnData:
    """Return the life of every payment."""
    pay, banks = run.pay, run.scenario.bank_ids
    return {
        "payment_number": ("cents", range(len(pay))),
        "parent_payment_number": ("cents", _optional(pay[:, k.P_PARENT])),
        "sender_id": ("text", _names(banks, pay[:, k.P_SENDER])),
        "receiver_id": ("text", _names(banks, pay[:, k.P_RECEIVER])),
        "amount_cents": ("cents", pay[:, k.P_AMOUNT].tolist()),
        "settled_cents": ("cents", (pay[:, k.P_AMOUNT] - pay[:, k.P_LEFT]).tolist()),
        "arrival_tick": ("count", pay[:, k.P_ARRIVAL].tolist()),
        "deadline_tick": ("count", pay[:, k.P_DEADLINE].tolist()),
        "priority": ("count", pay[:, k.P_PRIORITY].tolist()),
        "is_divisible": ("flag", pay[:, k.P_DIVISIBLE].astype(bool).tolist()),
        "status": ("text", _names(STATES, pay[:, k.P_STATE])),
        "released_tick": ("count", _optional(pay[:, k.P_RELEASED])),
        "settled_tick": ("count", _optional(pay[:, k.P_SETTLED])),
        "settlement_method": ("text", _names(METHODS, pay[:, k.P_METHOD])),
        "delay_cost": ("number", run.toll[:, 0].tolist()),
        "penalty_cost": ("number", run.toll[:, 1].tolist()),
    }


def _settlement(detail: int) -> dict[str, Any]:
    group, method = divmod(detail, 8)
    found: dict[str, Any] = {"method": METHODS[method]}
    if group > 0:
        found["group"] = group
    return found


_DETAILS: dict[int, Callable[[int], dict[str, Any]]] = {
    k.LOG_COLLATERAL: lambda tree: {"by": TREES[tree] if tree != k.NONE else "event or timer"},
    k.LOG_CAPACITY: lambda tree: {"by": TREES[tree], "reason": "beyond the collateral capacity"},
    k.LOG_ARRIVE: lambda priority: {"priority": priority},
    k.LOG_RELEASE: lambda c: {"rtgs_priority": CLASSES[c]},
    k.LOG_RESUBMIT: lambda c: {"rtgs_priority": CLASSES[c]},
    k.LOG_SETTLE: _settlement,
    k.LOG_SETTLE_PART: _settlement,
    k.LOG_REPRIORITIZE: lambda priority: {"priority": priority},
    k.LOG_RESERVE: lambda tick: {"release_tick": tick},
    k.LOG_REGISTER: lambda register: {"register": register},
    k.LOG_PENALTY: lambda kind: {"kind": COST_KINDS[kind]},
}


def event_columns(run: Run) -> ColumnData:
    """Return all that happened, in order."""
    log, banks = run.log, run.scenario.bank_ids
    kinds = log[:, k.L_KIND].tolist()
    details = [
        json.dumps(_DETAILS[kind](detail)) if kind in _DETAILS else None
        for kind, detail in zip(kinds, log[:, k.L_DETAIL].tolist(), strict=True)
    ]
    ticks = log[:, k.L_TICK]
    return {
        "event_number": ("cents", range(len(log))),
        "day": ("count", (ticks // run.scenario.simulation.ticks_per_day).tolist()),
        "tick": ("count", ticks.tolist()),
        "event_type": ("text", [EVENTS[kind] for kind in kinds]),
        "agent_id": ("text", _names(banks, log[:, k.L_BANK])),
        "counterparty_id": ("text", _names(banks, log[:, k.L_OTHER])),
        "payment_number": ("cents", _optional(log[:, k.L_PAYMENT])),
        "amount_cents": ("cents", log[:, k.L_AMOUNT].tolist()),
        "details_json": ("text", details),
    }


def _within_tick(since_open: NDArray[Any], length: int) -> NDArray[Any]:
    """Return what each tick added to sums that begin anew every day."""
    before = np.zeros_like(since_open)
    before[1:] = since_open[:-1]
    before[::length] = 0
    added: NDArray[Any] = since_open - before
    return added


def state_columns(run: Run) -> ColumnData:
    """Return every bank at the end of every tick."""
    n, length = run.scenario.n_banks, run.scenario.simulation.ticks_per_day
    ticks = np.repeat(np.arange(run.n_ticks), n)
    trace = run.trace

    def column(at: int) -> list[int]:
        return list(trace[:, :, at].ravel().tolist())

    def added(at: int) -> list[int]:
        return list(_within_tick(trace[:, :, at], length).ravel().tolist())

    return {
        "tick": ("count", ticks.tolist()),
        "agent_id": ("text", list(run.scenario.bank_ids) * run.n_ticks),
        "day": ("count", (ticks // length).tolist()),
        "balance_cents": ("cents", column(k.T_BALANCE)),
        "credit_limit_cents": ("cents", column(k.T_CREDIT)),
        "posted_collateral_cents": ("cents", column(k.T_POSTED)),
        "queue1_count": ("count", column(k.T_Q1_COUNT)),
        "queue1_cents": ("cents", column(k.T_Q1_VALUE)),
        "queue2_count": ("count", column(k.T_Q2_COUNT)),
        "queue2_cents": ("cents", column(k.T_Q2_VALUE)),
        "sent_cents": ("cents", added(k.T_SENT)),
        "received_cents": ("cents", added(k.T_RECEIVED)),
        "tick_cost": ("number", _within_tick(run.bill, length).ravel().tolist()),
    }


def cost_columns(run: Run) -> ColumnData:
    """Return costs by day, bank and kind."""
    days, n, kinds = run.cost.shape
    return {
        "day": ("count", np.repeat(np.arange(days), n * kinds).tolist()),
        "agent_id": ("text", list(np.tile(np.repeat(run.scenario.bank_ids, kinds), days))),
        "cost_kind": ("text", list(COST_KINDS) * (days * n)),
        "cost": ("number", run.cost.ravel().tolist()),
    }
