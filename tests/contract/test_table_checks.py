"""Tables of the wider record refuse by themselves the numbers and words that records refuse.

What is written past the records, by hand or by another tool, meets the same bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import GameRepository, TransactionRecord
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record
from tests.wrong_values import (
    LARGEST,
    NOT_NEGATIVE,
    SHARES,
    WORDS,
    column_type,
    is_optional,
    largest,
    lowest,
)

WIDER = RECORDS[2:]
NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(scope="module")
def conn() -> Iterator[duckdb.DuckDBPyConnection]:
    with DatabaseManager(":memory:") as manager:
        GameRepository(manager.conn).initialize_schema()
        yield manager.conn


def insert(conn: duckdb.DuckDBPyConnection, kind: type[Record], **changes: Any) -> None:
    stored = dict(zip(kind.table().columns, a_record(kind).to_row(), strict=True))
    values = {**stored, **changes}
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    conn.execute(f"INSERT INTO {kind.TABLE} ({columns}) VALUES ({marks})", list(values.values()))


def out_of_bounds(kind: type[Record]) -> Iterator[tuple[str, Any]]:
    """Yield field and value of what the columns' types allow and the record does not."""
    for name in kind.model_fields:
        column = column_type(kind, name)
        if column in LARGEST:
            if lowest(kind, name) > -LARGEST[column] - 1:
                yield from ((name, lowest(kind, name) - 1), (name, -LARGEST[column] - 1))
            if largest(kind, name) < LARGEST[column]:
                yield from ((name, largest(kind, name) + 1), (name, LARGEST[column]))
        elif column == "DOUBLE":
            yield from ((name, NAN), (name, INFINITE), (name, -INFINITE))
            if name in NOT_NEGATIVE | SHARES:
                yield from ((name, -5e-324), (name, -1.0))
            if name in SHARES:
                yield name, 1.0000000000000002
        elif (kind.TABLE, name) in WORDS:
            yield from ((name, ""), (name, "Unknown"))
    if kind is TransactionRecord:
        yield from (("settled_cents", 100_001), ("deadline_tick", 2))
        yield from (("released_tick", 2), ("settled_tick", 2))


@pytest.mark.parametrize("kind", WIDER)
def test_a_table_refuses_what_its_record_refuses(
    kind: type[Record], conn: duckdb.DuckDBPyConnection
):
    said = []
    for name, value in out_of_bounds(kind):
        with pytest.raises(ValidationError):
            a_record(kind, **{name: value})
        with pytest.raises(duckdb.ConstraintException) as refusal:
            pytest.fail(f"{name} took {value!r}: {insert(conn, kind, **{name: value})}")
        said.append(str(refusal.value))
    assert conn.execute(f"SELECT count(*) FROM {kind.TABLE}").fetchall() == [(0,)]
    checks = conn.execute(
        "SELECT constraint_text FROM duckdb_constraints() "
        "WHERE table_name = ? AND constraint_type = 'CHECK'",
        [kind.TABLE],
    ).fetchall()
    never_met = [text for (text,) in checks if not any(text in message for message in said)]
    assert never_met == []


@pytest.mark.parametrize("kind", WIDER)
def test_only_optional_fields_may_be_null(kind: type[Record], conn: duckdb.DuckDBPyConnection):
    for name in kind.model_fields:
        column = kept_apart(kind).get(name, name)
        if is_optional(kind, name):
            insert(conn, kind, **{column: None})
            conn.execute(f"DELETE FROM {kind.TABLE}")
        else:
            with pytest.raises(duckdb.ConstraintException, match="NOT NULL"):
                insert(conn, kind, **{column: None})


@pytest.mark.parametrize("kind", RECORDS)
def test_a_key_is_there_once(kind: type[Record], conn: duckdb.DuckDBPyConnection):
    insert(conn, kind)
    with pytest.raises(duckdb.ConstraintException, match=r"(?i)duplicate key"):
        insert(conn, kind)
    conn.execute(f"DELETE FROM {kind.TABLE}")


@pytest.mark.parametrize("kind", WIDER)
def test_a_table_takes_the_ends_of_the_bounds(kind: type[Record], conn: duckdb.DuckDBPyConnection):
    ends: dict[str, list[Any]] = {}
    for name in kind.model_fields:
        if column_type(kind, name) in LARGEST:
            ends[name] = [lowest(kind, name), largest(kind, name)]
        elif name in SHARES:
            ends[name] = [0.0, -0.0, 5e-324, 1.0]
        elif column_type(kind, name) == "DOUBLE":
            ends[name] = [0.0, -0.0, 5e-324, 1.7976931348623157e308]
        else:
            ends[name] = list(WORDS.get((kind.TABLE, name), ()))
    room: dict[str, Any] = {}
    if kind is TransactionRecord:
        room = {"amount_cents": 2**63 - 1, "settled_cents": 0, "arrival_tick": 0}
        room |= {"deadline_tick": 2**31 - 1, "released_tick": None, "settled_tick": None}
    for name, values in ends.items():
        for value in values:
            insert(conn, kind, **{**room, name: value})
            found = conn.execute(f"SELECT {name} FROM {kind.TABLE}").fetchall()
            assert repr(found) == repr([(value,)])
            conn.execute(f"DELETE FROM {kind.TABLE}")
