"""check_record finds what is missing, changed or added in the tables themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt.persistence.checking import Finding
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, SupersededRecord
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.migration.first_tool import SCHEMA
from tests.planting import about_rows, findings, rebuild

KINDS = (*RECORDS, SupersededRecord)
TABLES = [kind.TABLE for kind in KINDS]
INDEXES = {
    "idx_game_status": "game_sessions",
    "idx_game_started_at": "game_sessions",
    "idx_iter_game": "policy_iterations",
    "idx_iter_agent": "policy_iterations",
    "idx_run_game": "simulation_runs",
}


@pytest.fixture
def record(full_record: Path, db_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a record with rows in every table."""
    shutil.copyfile(full_record, db_path)
    with DatabaseManager(db_path) as manager:
        yield manager.conn


def of_schema(conn: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Return the faults that are not about a row."""
    return [finding for finding in findings(conn) if finding.is_fault and not finding.row]


def test_every_index_is_known(record: duckdb.DuckDBPyConnection):
    names = "SELECT index_name, table_name FROM duckdb_indexes()"
    assert dict(record.execute(names).fetchall()) == INDEXES


@pytest.mark.parametrize("index", INDEXES)
def test_a_missing_index(index: str, record: duckdb.DuckDBPyConnection):
    record.execute(f"DROP INDEX {index}")
    faults = findings(record)
    assert [f.table for f in faults] == [INDEXES[index]]
    assert faults[0].problem.startswith(f"missing: {index} ")


def test_an_index_on_another_column(record: duckdb.DuckDBPyConnection):
    record.execute("DROP INDEX idx_game_status")
    record.execute("CREATE INDEX idx_game_status ON game_sessions (game_mode)")
    missing, other = findings(record)
    assert "missing: idx_game_status" in missing.problem
    assert "not of this schema: idx_game_status" in other.problem


@pytest.mark.sampled(5)
@pytest.mark.parametrize("table", TABLES)
def test_a_missing_table(table: str, record: duckdb.DuckDBPyConnection):
    record.execute(f"DROP TABLE {table}")
    faults = of_schema(record)
    assert {f.table for f in faults} == {table}
    assert all(f.problem.startswith("missing: ") for f in faults)


def test_a_missing_ledger(record: duckdb.DuckDBPyConnection):
    record.execute("DROP TABLE schema_ledger")
    assert {f.table for f in findings(record) if f.is_fault} == {"schema_ledger"}


#: What rows are found by and belong by; and what the notes are about.
COLUMNS = [
    *((kind.TABLE, column) for kind in KINDS for column in dict.fromkeys(kind.KEY[::2])),
    ("simulation_runs", "game_id"),
    ("game_sessions", "status"),
    ("game_sessions", "total_iterations"),
    ("game_sessions", "final_cost"),
]


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[".".join(c) for c in COLUMNS])
def test_a_missing_column(table: str, column: str, record: duckdb.DuckDBPyConnection):
    rebuild(record, table, f"* EXCLUDE ({column})")
    faults = of_schema(record)
    assert {f.table for f in faults} == {table}
    assert [f.problem.split()[:2] for f in faults].count(["missing:", column]) == 1


@pytest.mark.parametrize("table", ["game_sessions", "policy_iterations", "superseded_records"])
def test_a_surplus_column(table: str, record: duckdb.DuckDBPyConnection):
    rebuild(record, table, "*, 1 AS surplus")
    assert Finding(table, "", "not of this schema: surplus INTEGER") in findings(record)


def test_a_column_of_another_type(record: duckdb.DuckDBPyConnection):
    rebuild(record, "game_sessions", "* REPLACE (final_cost::VARCHAR AS final_cost)")
    problems = [f.problem for f in of_schema(record)]
    assert "missing: final_cost DOUBLE" in problems
    assert "not of this schema: final_cost VARCHAR" in problems


def test_columns_in_another_order(record: duckdb.DuckDBPyConnection):
    rebuild(record, "daily_costs", "cost, * EXCLUDE (cost)")
    assert "daily_costs" in {f.table for f in of_schema(record)}


def test_missing_constraints(record: duckdb.DuckDBPyConnection):
    rebuild(record, "daily_costs")
    faults = findings(record)
    assert {f.table for f in faults} == {"daily_costs"}
    kinds = {" ".join(f.problem.split()[:2]) for f in faults}
    assert kinds == {"missing: PRIMARY", "missing: NOT", "missing: CHECK"}
    assert any("cost_kind IN" in f.problem for f in faults)


def test_tables_and_views_of_ones_own_are_welcome(record: duckdb.DuckDBPyConnection):
    record.execute("CREATE TABLE my_notes (note VARCHAR PRIMARY KEY)")
    record.execute("CREATE INDEX my_index ON my_notes (note)")
    record.execute("CREATE VIEW my_view AS SELECT game_id FROM game_sessions")
    record.execute("CREATE SCHEMA mine")
    record.execute("CREATE TABLE mine.game_sessions (score INTEGER)")
    assert findings(record) == []


def test_no_tables_yet():
    with DatabaseManager(":memory:") as manager:
        (note,) = findings(manager.conn)
    assert (note.is_fault, note.table) == (False, "")
    assert "no tables" in note.problem


class TestOfTheFirstTool:
    @pytest.fixture
    def first(self, db_path: Path) -> Path:
        with duckdb.connect(str(db_path)) as conn:
            conn.execute(SCHEMA)
            for table, record in (
                ("game_sessions", a_session()),
                ("policy_iterations", an_iteration()),
            ):
                row = record.to_row()
                conn.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
        return db_path

    def test_a_note_says_how_to_go_on(self, first: Path):
        with DatabaseManager(first, read_only=True) as manager:
            (note,) = findings(manager.conn)
        assert not note.is_fault
        assert "no tables of schema version 1" in note.problem
        assert "payment-sim db migrate" in note.problem

    def test_its_rows_are_checked(self, first: Path):
        with duckdb.connect(str(first)) as conn:
            conn.execute("UPDATE policy_iterations SET new_cost = 'NaN'")
            conn.execute("UPDATE game_sessions SET game_id = 'other'")
            lost, orphan = about_rows(conn)
        assert lost.problem.startswith("new_cost: nan")
        assert orphan.problem == "1 rows belong to no row of game_sessions"

    def test_nothing_is_found_once_it_is_migrated(self, first: Path):
        with DatabaseManager(first) as manager:
            manager.setup()
            assert findings(manager.conn) == []
