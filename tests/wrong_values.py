"""What each field must refuse, written down apart from the records and from the tables.

Ranges follow from the column types and from what the fields mean; nothing here is read out of the
checks that the tests put to the test.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, get_args

import numpy as np

from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart

LARGEST = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1}
FROM_ONE = {
    *("iteration_number", "attempt_number", "sample_number", "certificate_number"),
    *("max_tokens", "num_samples", "num_days", "ticks_per_day", "num_agents", "failure_number"),
}
SIGNED = {"master_seed", "best_seed", "worst_seed", "sample_seed", "balance_cents"}
NOT_NEGATIVE = {
    *("llm_latency_seconds", "cost_usd", "cost_std", "temperature"),
    *("delay_cost", "penalty_cost", "cost"),
}
SHARES = {
    *("settlement_rate_mean", "old_settlement_rate", "new_settlement_rate"),
    *("start_settlement_rate", "final_settlement_rate", "confidence"),
}
NOT_EMPTY = {
    *("game_id", "agent_id", "run_id", "sender_id", "receiver_id", "counterparty_id"),
    *("event_type", "name", "reason"),
}
LISTS = {"optimized_agents", "validation_errors"}
#: JSON, but stored as given whatever they hold.
FREE_TEXT = {"config_json", "old_policy_json", "new_policy_json"}
WORDS = {
    ("game_sessions", "status"): ("running", "completed", "failed", "converged"),
    ("game_sessions", "game_mode"): ("rl_optimization", "campaign_learning"),
    ("provenance_files", "role"): ("game_file", "scenario", "policy", "payments"),
    ("transactions", "status"): ("queue1", "queue2", "settled", "dropped", "split"),
    ("daily_costs", "cost_kind"): (
        *("liquidity", "overdraft", "collateral", "delay"),
        *("deadline_penalty", "end_of_day", "split"),
    ),
}

#: Of no field's type, however much some of them look like a number or a text.
NO_VALUES: tuple[Any, ...] = (
    object(),
    {},
    {"a": 1},
    (),
    ("A",),
    set(),
    frozenset({1}),
    range(3),
    b"",
    b"running",
    1j,
    Decimal("0.1"),
    Fraction(1, 3),
    date(2026, 1, 1),
    time(1, 2),
    timedelta(1),
    ...,
    int,
    len,
    ValueError("x"),
    np.array([1, 2]),
    np.array([]),
    np.array({}, dtype=object),
    np.complex128(1),
    np.bytes_(b"a"),
    np.datetime64("2026-01-01", "D"),
    np.datetime64("2026-01-01", "ns"),
    np.timedelta64(5, "s"),
    np.timedelta64(5, "ns"),
    np.timedelta64(5),
    np.ma.masked,
)
NO_NUMBERS: tuple[Any, ...] = ("", "1", "1.5", "NaN", "one", True, False, np.True_, [1], [])
NO_WHOLE_NUMBERS = (1.0, 1.5, -0.0, float("nan"), float("inf"), np.float64(1), np.float32(2))
NOT_FINITE = (
    *(float("nan"), float("inf"), float("-inf"), np.float64("nan"), np.float64("-inf")),
    *(np.float32("nan"), np.float32("inf"), np.float16("nan"), np.float16("inf")),
)
NO_TEXTS = (0, 1, 1.5, True, np.int64(1), np.False_, float("nan"), [], ["A"])
BROKEN_TEXTS = ("\ud800", "a\udfff", "\udc00\ud800", "x" * 1000 + "\ud83d", np.str_("\udead"))
NO_JSON = ("", " ", "{", "{'a': 1}", '{"a": NaN}', "Infinity", "[1,]", '"\n"', "\ufeff{}", "[" * 99)


class NoZone(tzinfo):
    """A time zone that does not say how far it is from UTC."""


WRONG_FOR_COLUMN: dict[str, tuple[Any, ...]] = {
    "INTEGER": (*NO_NUMBERS, *NO_WHOLE_NUMBERS),
    "BIGINT": (*NO_NUMBERS, *NO_WHOLE_NUMBERS),
    "DOUBLE": (*NO_NUMBERS, *NOT_FINITE, 2**53 + 1, -(2**63) - 1, 10**400, -(10**400), 10**4000),
    "BOOLEAN": (0, 1, 1.0, "", "true", "False", "yes", np.int8(1), np.float64(0), [], [True]),
    "TIMESTAMP": (
        *(*NO_NUMBERS, 0, 1_767_322_800, 1.5, "2026-01-02", "2026-01-02T03:04:05Z", "now"),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(minutes=1))),
        datetime(9999, 12, 31, 23, 59, 59, 999999, timezone(timedelta(minutes=-1))),
        datetime(2026, 1, 1, tzinfo=NoZone()),
    ),
    "VARCHAR": (*NO_TEXTS, *BROKEN_TEXTS),
}
NO_LISTS = ("", "BANK_A", "[]", '["A"]', 0, True, [1], ["A", None], [["A"]], [b"A"], ["\ud800"])


def is_optional(kind: type[Record], name: str) -> bool:
    """Tell whether the field may be left without a value."""
    return type(None) in get_args(kind.model_fields[name].annotation)


def column_type(kind: type[Record], name: str) -> str:
    """Return the type of the field's column."""
    if name in kept_apart(kind):
        return "VARCHAR"
    return kind.table().types[kind.table().columns.index(name)]


def lowest(kind: type[Record], name: str) -> int:
    """Return the least value of a field of whole numbers."""
    if name in SIGNED or (kind.TABLE, name) == ("simulation_events", "amount_cents"):
        return -LARGEST[column_type(kind, name)] - 1
    return int(name in FROM_ONE or name == "amount_cents")


def largest(kind: type[Record], name: str) -> int:
    """Return the greatest value of a field of whole numbers."""
    return 10 if name == "priority" else LARGEST[column_type(kind, name)]


def wrong_values(kind: type[Record], name: str) -> list[Any]:
    """Return values of all kinds that the field must refuse."""
    column = column_type(kind, name)
    if name in LISTS:
        return [None, *NO_VALUES, *NO_LISTS]
    wrong = [*NO_VALUES, *WRONG_FOR_COLUMN[column], *([] if is_optional(kind, name) else [None])]
    if column in LARGEST:
        low, high = lowest(kind, name), largest(kind, name)
        wrong += [low - 1, high + 1, low - 10**6, 2**64, -(2**64), 10**30, 10**4000]
        wrong += [np.uint64(2**64 - 1)] + ([np.int8(-1)] if low == 0 else [])
    if name in NOT_NEGATIVE | SHARES:
        wrong += [-5e-324, -1.0, -1, np.float32(-0.5), -1.79e308]
    if name in SHARES:
        wrong += [1.0000000000000002, 2, 1e308]
    if name in NOT_EMPTY:
        wrong += ["", np.str_("")]
    if name.endswith("_json") and name not in FREE_TEXT:
        wrong += NO_JSON
    if (kind.TABLE, name) in WORDS:
        wrong += ["", "Running", "running ", "unknown", "null"]
    if name == "sha256":  # filled in where there is none
        wrong = [value for value in wrong if value is not None] + ["0" * 64, "5891b5b5"]
    return wrong
