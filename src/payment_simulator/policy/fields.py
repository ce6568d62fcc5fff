"""What a decision tree can see: one table of every field.

The compiled engine knows a field by its place in this table. What a bank could not know, such as
another bank's balance, has no field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

#: Names of the state registers: a policy makes them up, the engine keeps them for a day.
REGISTER_PREFIX: Final = "bank_state_"
#: The group of the registers; no field of the table is in it.
REGISTER_GROUP: Final = "state"
#: How many state registers a policy may name, in all its trees together.
MAX_REGISTERS: Final = 10
_REGISTER = re.compile(REGISTER_PREFIX + r"[A-Za-z0-9_]{1,64}", re.ASCII)

#: The groups of fields, in the order of the documentation.
GROUPS: Final = (
    "liquidity",
    "credit",
    "collateral",
    "queues",
    "counterparties",
    "costs",
    "time",
    "throughput",
    "payment",
    REGISTER_GROUP,
)


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """What there is to know about a field.

    Attributes
    ----------
    name : str
        As trees write it.
    group : str
        One of ``GROUPS``.
    unit : str
        ``cents``, ``ticks``, ``tick`` (of the run, from 0), ``days``, ``count``, ``share`` (of 1),
        ``flag`` (1 or 0), ``bps``, ``priority``, ``number``.
    meaning : str
        One sentence.
    payment_only : bool
        Whether only a payment tree sees it.
    code : int
        Place in the table, counted from 0; a register has -1.
    """

    name: str
    group: str
    unit: str
    meaning: str
    payment_only: bool
    code: int


#: Name, group, unit, meaning; the order is that of section 9 of the rules and of the engine.
_OF_THE_BANK: Final = (
    ("balance", "liquidity", "cents", "Balance."),
    ("credit_limit", "credit", "cents", "Credit line: unsecured cap and value of collateral."),
    ("allowed_overdraft_limit", "credit", "cents", "The same as `credit_limit`."),
    ("available_liquidity", "liquidity", "cents", "Balance and credit line."),
    ("credit_used", "credit", "cents", "Credit in use: how far the balance is below zero."),
    ("credit_headroom", "credit", "cents", "Credit line less the credit in use."),
    ("overdraft_headroom", "credit", "cents", "The same as `credit_headroom`."),
    ("effective_liquidity", "liquidity", "cents", "Balance above zero, and the credit headroom."),
    ("is_using_credit", "credit", "flag", "The balance is below zero."),
    ("is_overdraft_capped", "credit", "flag", "Always 1: the credit line bounds all credit."),
    (
        "liquidity_buffer",
        "liquidity",
        "cents",
        "What would be left, at least 0, if all own payments in both queues were paid.",
    ),
    (
        "liquidity_pressure",
        "liquidity",
        "share",
        "Own value in both queues over the sum of it and the available liquidity.",
    ),
    (
        "headroom",
        "liquidity",
        "cents",
        "Available liquidity less the value in Queue 1; below 0 where it does not suffice.",
    ),
    ("unsecured_cap", "credit", "cents", "Credit without collateral."),
    ("overdraft_utilization", "credit", "share", "Credit in use over the credit line, or 0."),
    ("outgoing_queue_size", "queues", "count", "Own payments in Queue 1."),
    ("queue1_total_value", "queues", "cents", "Sum of what is still due in Queue 1."),
    (
        "queue1_liquidity_gap",
        "queues",
        "cents",
        "What available liquidity lacks, at least 0, to pay all of Queue 1.",
    ),
    ("incoming_expected_count", "queues", "count", "Payments to this bank in Queue 2."),
    ("rtgs_queue_size", "queues", "count", "Payments of all banks in Queue 2."),
    ("queue2_size", "queues", "count", "The same as `rtgs_queue_size`."),
    ("rtgs_queue_value", "queues", "cents", "Sum of what is still due in Queue 2, of all banks."),
    ("queue2_count_for_agent", "queues", "count", "Own payments in Queue 2."),
    (
        "queue2_nearest_deadline",
        "queues",
        "tick",
        "Earliest deadline of own payments in Queue 2; 1000000000 if there are none.",
    ),
    (
        "ticks_to_nearest_queue2_deadline",
        "queues",
        "ticks",
        "Ticks from now to that deadline; 1000000000 if there is none.",
    ),
    ("posted_collateral", "collateral", "cents", "Collateral posted."),
    ("max_collateral_capacity", "collateral", "cents", "The most that can be posted."),
    ("remaining_collateral_capacity", "collateral", "cents", "What can still be posted."),
    ("collateral_utilization", "collateral", "share", "Posted over capacity, or 0."),
    ("collateral_haircut", "collateral", "share", "Share of collateral that gives no credit."),
    (
        "required_collateral_for_usage",
        "collateral",
        "cents",
        "Collateral that the credit in use needs beyond the unsecured cap.",
    ),
    ("excess_collateral", "collateral", "cents", "Collateral posted beyond what is required."),
    ("cost_overdraft_bps_per_tick", "costs", "bps", "Price of overdraft for each tick."),
    (
        "cost_delay_per_tick_per_cent",
        "costs",
        "number",
        "Price of delay in cents, for each cent still due and each tick.",
    ),
    ("cost_collateral_bps_per_tick", "costs", "bps", "Price of posted collateral for each tick."),
    ("cost_split_friction", "costs", "cents", "Price of each part that a split adds."),
    (
        "cost_deadline_penalty",
        "costs",
        "cents",
        "Penalty for becoming overdue; where it is a rate: of this payment, 0 in other trees.",
    ),
    (
        "cost_eod_penalty",
        "costs",
        "cents",
        "Penalty at the close; where it is a rate: of this payment, 0 in other trees.",
    ),
    ("current_tick", "time", "tick", "Tick of the run."),
    ("total_agents", "counterparties", "count", "Number of banks in the system."),
    ("system_ticks_per_day", "time", "ticks", "Ticks in a day."),
    ("system_current_day", "time", "days", "Day of the run, counted from 0."),
    ("system_tick_in_day", "time", "ticks", "Tick of the day, counted from 0."),
    ("ticks_remaining_in_day", "time", "ticks", "Ticks of the day after this one."),
    ("day_progress_fraction", "time", "share", "Tick of the day over the ticks in a day."),
    (
        "expected_throughput_fraction_by_now",
        "throughput",
        "share",
        "Share of its payments that an even pace would have settled by now.",
    ),
    ("is_eod_rush", "time", "flag", "The day has reached the scenario's `eod_rush_threshold`."),
    (
        "system_queue2_pressure_index",
        "throughput",
        "share",
        "Value in Queue 2 over the sum of it and what the system settled today.",
    ),
    (
        "my_throughput_fraction_today",
        "throughput",
        "share",
        "What this bank settled today over the sum of it and its value in both queues.",
    ),
    (
        "throughput_gap",
        "throughput",
        "share",
        "Own throughput today less the expected one: below 0 when late.",
    ),
)
#: Fields by rank of the counterparty; each stands for five.
_RANKED: Final = (
    ("my_q2_out_value_top_", "of own value in Queue 2 towards another bank"),
    ("my_q2_in_value_top_", "of another bank's value in Queue 2 towards this one"),
    ("my_bilateral_net_q2_top_", "of own value in Queue 2 towards another bank less its to us"),
)
_RANKS: Final = ("Largest", "Second largest", "Third largest", "Fourth largest", "Fifth largest")
_OF_THE_PAYMENT: Final = (
    ("amount", "payment", "cents", "Amount of the payment."),
    ("remaining_amount", "payment", "cents", "What of it is still due."),
    ("settled_amount", "payment", "cents", "What of it has settled."),
    ("arrival_tick", "payment", "tick", "When it arrived."),
    ("deadline_tick", "payment", "tick", "Last tick at which settling it is on time."),
    ("priority", "payment", "priority", "Present priority, 0 to 10, escalation included."),
    ("is_split", "payment", "flag", "It is a part of a split payment."),
    ("is_past_deadline", "payment", "flag", "Its deadline is over."),
    ("is_overdue", "payment", "flag", "The same as `is_past_deadline`."),
    ("is_in_queue2", "payment", "flag", "It waits in Queue 2."),
    ("overdue_duration", "payment", "ticks", "Ticks since its deadline, at least 0."),
    ("ticks_to_deadline", "payment", "ticks", "Ticks to its deadline; below 0 when overdue."),
    ("queue_age", "payment", "ticks", "Ticks since it arrived."),
    ("cost_delay_this_tx_one_tick", "costs", "cents", "What its delay costs in one tick."),
    (
        "cost_overdraft_this_amount_one_tick",
        "costs",
        "cents",
        "What an overdraft of the amount still due costs in one tick.",
    ),
    (
        "my_q2_out_value_to_counterparty",
        "counterparties",
        "cents",
        "Own value in Queue 2 towards its receiver.",
    ),
    (
        "my_q2_in_value_from_counterparty",
        "counterparties",
        "cents",
        "Value of its receiver in Queue 2 towards this bank.",
    ),
    (
        "my_bilateral_net_q2",
        "counterparties",
        "cents",
        "Own value in Queue 2 towards its receiver less the receiver's towards this bank.",
    ),
    ("tx_counterparty_id", "counterparties", "number", "Number of its receiver, from 0."),
    (
        "tx_is_top_counterparty",
        "counterparties",
        "flag",
        "Its receiver is among the five banks with most value in Queue 2 to and from this one.",
    ),
)


def _table() -> Iterator[FieldInfo]:
    rows = [(*row, False) for row in _OF_THE_BANK]
    rows += [
        (f"{stem}{rank}", "counterparties", "cents", f"{word} sum {what}.", False)
        for stem, what in _RANKED
        for rank, word in enumerate(_RANKS, start=1)
    ]
    rows += [(*row, True) for row in _OF_THE_PAYMENT]
    for code, (name, group, unit, meaning, payment_only) in enumerate(rows):
        yield FieldInfo(name, group, unit, meaning, payment_only, code)


#: Every field by name, in the order of the codes. Registers are not in it: their names are free.
FIELDS: Final[Mapping[str, FieldInfo]] = MappingProxyType({info.name: info for info in _table()})


def is_register(name: str) -> bool:
    """Tell whether a name is that of a state register.

    It begins with ``bank_state_``; 1 to 64 letters a-z and A-Z, digits and underscores follow.
    """
    return _REGISTER.fullmatch(name) is not None


def field_info(name: str) -> FieldInfo | None:
    """Return what is known of a field or a state register; None if there is none of this name."""
    if is_register(name):
        meaning = "State register of the policy; 0 until it is set, and at each open of a day."
        return FieldInfo(name, REGISTER_GROUP, "number", meaning, payment_only=False, code=-1)
    return FIELDS.get(name)
