"""An Arrow table holds only what records of its rows could hold, and is not changed on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    GameRepository,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.errors import InputError
from tests.builders import VALUES, a_record
from tests.saving import bits

KINDS = [TransactionRecord, SimulationEventRecord, BankStateRecord, DailyCostRecord]
RUN = "run-001"
COST, EVENT, PAYMENT = DailyCostRecord, SimulationEventRecord, TransactionRecord


@pytest.fixture
def run(repo: GameRepository) -> GameRepository:
    repo.save_simulation_run(a_record(SimulationRunRecord, game_id=None))
    return repo


def save_rows(repo: GameRepository, kind: type[Record], rows: Any) -> None:
    getattr(repo, f"save_{kind.TABLE}")(RUN, rows)


def stored(repo: GameRepository, kind: type[Record]) -> list[Record]:
    return getattr(repo, f"get_{kind.TABLE}")(RUN)


def table_with(kind: type[Record], column: str, values: pa.Array | list) -> pa.Table:
    """Return a table of as many rows as there are values, else all valid."""
    rows = [{**VALUES[kind], kind.KEY[1]: number} for number in range(1, len(values) + 1)]
    table = pa.Table.from_pylist(rows)
    return table.set_column(table.column_names.index(column), column, pa.array(values))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_column_is_named(kind: type[Record], run: GameRepository):
    table = pa.Table.from_pylist([VALUES[kind]])
    for column in kind.model_fields:
        if column != "run_id":
            for part in (table.drop([column]), table.drop([column]).slice(0, 0)):
                with pytest.raises((InputError, ValidationError), match=column):
                    save_rows(run, kind, part)
    assert stored(run, kind) == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_column_is_named(kind: type[Record], run: GameRepository):
    table = pa.Table.from_pylist([{**VALUES[kind], "colour": "red", "Day": 1}])
    with pytest.raises(InputError, match=rf"{kind.TABLE}: .*unknown.*colour.*its columns are"):
        save_rows(run, kind, table)
    assert stored(run, kind) == []


def test_columns_may_come_in_any_order(run: GameRepository):
    table = pl.DataFrame([VALUES[PAYMENT]])
    run.save_transactions(RUN, table.select(table.columns[::-1]))
    assert stored(run, PAYMENT) == [a_record(PAYMENT)]


@pytest.mark.parametrize(
    ("kind", "column", "values"),
    [
        (EVENT, "amount_cents", [1.0]),
        (EVENT, "amount_cents", [1.5]),
        (EVENT, "amount_cents", ["1"]),
        (EVENT, "amount_cents", [Decimal(1)]),
        (EVENT, "amount_cents", [True]),
        (EVENT, "tick", [1.0]),
        (EVENT, "event_type", [1]),
        (EVENT, "event_type", [b"arrival"]),
        (EVENT, "details_json", [{"a": 1}]),
        (COST, "cost", ["1.5"]),
        (COST, "cost", [Decimal("1.5")]),
        (COST, "cost", [True]),
        (COST, "day", pa.array([1], pa.timestamp("us"))),
        (COST, "day", pa.array([1], pa.duration("us"))),
        (PAYMENT, "is_divisible", [1]),
        (PAYMENT, "is_divisible", ["true"]),
    ],
)
def test_a_column_that_would_be_changed_is_refused(
    kind: type[Record], column: str, values: Any, run: GameRepository
):
    table = table_with(kind, column, values)
    for given in (table, table.slice(0, 0)):
        with pytest.raises((InputError, ValidationError), match=column):
            save_rows(run, kind, given)
    assert stored(run, kind) == []


@pytest.mark.parametrize(
    ("column", "values"),
    [
        *(("tick", pa.array([7], getattr(pa, t)())) for t in ("int8", "int16", "int32", "int64")),
        *(("tick", pa.array([7], getattr(pa, t)())) for t in ("uint8", "uint16", "uint32")),
        ("tick", pa.array([7], pa.uint64())),
        ("event_type", pa.array(["x"], pa.large_utf8())),
        ("event_type", pa.array(["x"], pa.string_view())),
        ("event_type", pa.array(["x"]).dictionary_encode()),
        ("details_json", pa.nulls(1)),
        ("payment_number", pa.nulls(1)),
        ("agent_id", pa.nulls(1, pa.large_utf8())),
    ],
    ids=lambda v: str(getattr(v, "type", v)),
)
def test_other_shapes_of_the_same_values_are_taken(column: str, values: Any, run: GameRepository):
    save_rows(run, EVENT, table_with(EVENT, column, values))
    (value,) = values.to_pylist()
    assert [bits(r) for r in stored(run, EVENT)] == [bits(a_record(EVENT, **{column: value}))]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("event_type", pl.Series(["x"], dtype=pl.Categorical)),
        ("event_type", pl.Series(["x"], dtype=pl.Enum(["w", "x"]))),
        ("tick", pl.Series([7], dtype=pl.UInt64)),
    ],
    ids=lambda v: str(getattr(v, "dtype", v)),
)
def test_other_shapes_of_polars_are_taken(column: str, values: pl.Series, run: GameRepository):
    table = pl.DataFrame([VALUES[EVENT]]).with_columns(values.alias(column))
    save_rows(run, EVENT, table)
    (value,) = values.to_list()
    assert [bits(r) for r in stored(run, EVENT)] == [bits(a_record(EVENT, **{column: value}))]


@pytest.mark.parametrize("column", ["details_json", "payment_number"])
def test_a_column_of_polars_without_a_type_is_taken_or_refused(column: str, run: GameRepository):
    # polars gives such a column away in a shape that not every reader of Arrow takes
    table = pl.DataFrame([VALUES[EVENT]]).with_columns(pl.Series(column, [None]))
    try:
        save_rows(run, EVENT, table)
    except InputError:
        assert stored(run, EVENT) == []
    else:
        assert [bits(r) for r in stored(run, EVENT)] == [bits(a_record(EVENT, **{column: None}))]


def test_a_short_float_is_widened_exactly(run: GameRepository):
    values = pa.array([0.1, 16777216.0, 1e-45], pa.float32())
    save_rows(run, COST, table_with(COST, "cost", values))
    assert [repr(r.cost) for r in stored(run, COST)] == [repr(v) for v in values.to_pylist()]


def test_a_relation_of_the_database_is_a_table_too(run: GameRepository, manager: Any):
    save_rows(run, COST, table_with(COST, "cost", [1.5, 2.5]))
    run.save_simulation_run(a_record(SimulationRunRecord, run_id="run-002", game_id=None))
    again = manager.conn.sql("SELECT * EXCLUDE (run_id) FROM daily_costs")
    run.save_daily_costs("run-002", again)
    assert [r.cost for r in run.get_daily_costs("run-002")] == [1.5, 2.5]


BAD_VALUES = [
    (COST, "cost", float("nan")),
    (COST, "cost", float("inf")),
    (COST, "cost", -5e-324),
    (COST, "cost", None),
    (COST, "cost_kind", "rent"),
    (COST, "cost_kind", None),
    (COST, "day", -1),
    (COST, "day", 2**31),
    (COST, "agent_id", ""),
    (COST, "agent_id", None),
    (EVENT, "event_number", -1),
    (EVENT, "event_type", ""),
    (EVENT, "agent_id", ""),
    (EVENT, "counterparty_id", ""),
    (EVENT, "details_json", "{"),
    (EVENT, "details_json", ""),
    (EVENT, "details_json", '{"a": NaN}'),
    (EVENT, "payment_number", -1),
    (PAYMENT, "amount_cents", 0),
    (PAYMENT, "settled_cents", 100_001),
    (PAYMENT, "deadline_tick", 2),
    (PAYMENT, "released_tick", 2),
    (PAYMENT, "settled_tick", 2),
    (PAYMENT, "priority", 11),
    (PAYMENT, "status", "Settled"),
    (PAYMENT, "sender_id", ""),
    (PAYMENT, "receiver_id", ""),
    (PAYMENT, "delay_cost", float("nan")),
    (PAYMENT, "is_divisible", None),
    (BankStateRecord, "agent_id", ""),
    (BankStateRecord, "queue1_cents", -1),
    (BankStateRecord, "tick_cost", float("-inf")),
]


@pytest.mark.sampled(12)
@pytest.mark.parametrize(("kind", "column", "bad"), BAD_VALUES)
def test_a_bad_row_is_refused_in_the_words_of_the_record(
    kind: type[Record], column: str, bad: Any, run: GameRepository
):
    with pytest.raises(ValidationError) as said_by_the_record:
        a_record(kind, **{column: bad})
    good = VALUES[kind][column]
    numbers = [1, 2, bad, 4]  # the key that tells the rows apart
    values = numbers if column == kind.KEY[1] else [good, good, bad, good]
    table = table_with(kind, column, values)
    with pytest.raises(ValidationError, match=column) as refusal:
        save_rows(run, kind, table)
    assert refusal.value.errors()[0]["msg"] == said_by_the_record.value.errors()[0]["msg"]
    assert stored(run, kind) == []


def test_a_number_beyond_the_column_is_refused(run: GameRepository):
    beyond = pa.array([2**63], pa.uint64())
    with pytest.raises((InputError, ValidationError), match="amount_cents"):
        save_rows(run, EVENT, table_with(EVENT, "amount_cents", beyond))
    assert stored(run, EVENT) == []
