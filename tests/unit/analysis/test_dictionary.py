"""The dictionary of a record: complete, with units, and in the database itself."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.migration.conftest import old_file  # noqa: F401 - a fixture

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.dictionary import (
    comments_sql,
    data_dictionary,
    described_tables,
    unit_of,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.store import Store

NUMBERS = {"INTEGER", "BIGINT", "DOUBLE"}
UNITS = {
    *("cents", "seconds", "US dollars", "UTC", "share", "ratio", "tick", "ticks", "day", "days"),
    *("0 to 10", "seed", "ordinal", "count", "bytes"),
    "that of the parameter",
}
_COMMENTS = """
    SELECT view_name, NULL, comment FROM duckdb_views()
    WHERE database_name = current_database() AND NOT internal
    UNION ALL
    SELECT table_name, NULL, comment FROM duckdb_tables() WHERE database_name = current_database()
    UNION ALL
    SELECT table_name, column_name, comment FROM duckdb_columns()
    WHERE database_name = current_database() AND NOT internal
"""


def comments(conn: duckdb.DuckDBPyConnection) -> dict[tuple[str, str | None], str | None]:
    """Return every comment of a database by table and column."""
    return {(table, column): said for table, column, said in conn.execute(_COMMENTS).fetchall()}


def as_comments() -> dict[tuple[str, str | None], str | None]:
    """Return the dictionary as comments."""
    found: dict[tuple[str, str | None], str | None] = {}
    for table in described_tables():
        found[table.name, None] = table.summary
        for entry in table.columns:
            unit = f" [{entry.unit}]" if entry.unit else ""
            found[table.name, entry.column] = f"{entry.meaning}{unit}"
    return found


def test_every_column_is_in_it_with_its_type(manager: DatabaseManager):
    manager.setup()
    stored = manager.conn.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal"
    ).fetchall()
    assert sorted(stored) == sorted((e.table, e.column, e.type) for e in data_dictionary())
    assert len(stored) > 200


def test_every_number_has_a_unit():
    for entry in data_dictionary():
        if entry.type in NUMBERS | {"TIMESTAMP"}:
            assert entry.unit in UNITS, entry
        else:
            assert entry.unit in {"", "JSON", "JSON, cents"}, entry
        assert entry.meaning.endswith("."), entry


def test_keys_and_what_may_be_missing(manager: DatabaseManager):
    manager.setup()
    nullable = manager.conn.execute(
        "SELECT table_name, column_name FROM duckdb_columns() "
        "WHERE database_name = current_database() AND NOT internal AND is_nullable "
        "AND table_name IN (SELECT table_name FROM duckdb_tables())"
    ).fetchall()
    # To DuckDB every column of a view is nullable, so those of views are compared below.
    tables = {table.name for table in described_tables() if not table.is_view}
    optional = {
        (e.table, e.column) for e in data_dictionary() if e.is_optional and e.table in tables
    }
    # The specification's two counters with a default are nullable, and never NULL here.
    defaults = {("game_sessions", "total_iterations"), ("game_sessions", "converged")}
    assert set(nullable) - defaults == optional
    # Calls are optional where their table is; so is each text of which the hash is.
    calls = {column for table, column in optional if table == "llm_interaction_log"}
    texts = {column.removesuffix("_sha256") for column in calls if column.endswith("_sha256")}
    in_view = {e.column for e in data_dictionary() if e.table == "llm_calls" and e.is_optional}
    assert in_view == calls | texts
    assert {"raw_response", "raw_response_sha256"} < in_view
    keys = [e.column for e in data_dictionary() if e.table == "evaluation_samples" and e.is_key]
    assert keys == ["game_id", "agent_id", "iteration_number", "sample_number"]


@pytest.mark.parametrize(
    ("name", "kind", "meaning", "unit"),
    [
        ("amount_cents", "BIGINT", "Amount (cents).", "cents"),
        ("created_at", "TIMESTAMP", "When (UTC).", "UTC"),
        ("arrival_tick", "INTEGER", "Tick of arrival.", "tick"),
        ("ticks_per_day", "INTEGER", "Ticks in a day.", "ticks"),
        ("start_settlement_rate", "DOUBLE", "Share.", "share"),
        ("regrets_json", "VARCHAR", "Gain (cents), as JSON.", "JSON, cents"),
        ("optimized_agents", "VARCHAR", "As a JSON array.", "JSON"),
        ("reason", "VARCHAR", "In words.", ""),
        ("was_accepted", "BOOLEAN", "Whether.", ""),
        ("num_samples", "INTEGER", "Days.", "count"),
        ("odd", "INTEGER", "Odd.", ""),
    ],
)
def test_units(name: str, kind: str, meaning: str, unit: str):
    assert unit_of(name, kind, meaning) == unit


def test_it_stands_in_a_new_database_and_in_its_copy(manager: DatabaseManager, tmp_path: Path):
    manager.setup()
    assert comments(manager.conn) == as_comments()
    copy_database(Store(manager.conn), tmp_path / "copy.db")
    with duckdb.connect(str(tmp_path / "copy.db"), read_only=True) as copy:
        assert comments(copy) == as_comments()


def test_it_stands_in_a_database_that_was_adopted(
    old_file: Path,  # noqa: F811 - the fixture
):
    with DatabaseManager(old_file) as manager:
        GameRepository(manager.conn).initialize_schema()
        assert comments(manager.conn) == as_comments()


def test_quotes_in_a_meaning_do_no_harm():
    said = comments_sql()
    assert "COMMENT ON TABLE bank_states IS 'One bank at the end of one tick.';" in said
    assert "''" in said  # an apostrophe of a meaning
