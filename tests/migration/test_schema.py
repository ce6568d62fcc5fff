"""The schema of a new file, and the record that belongs to each of its tables."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import duckdb

from payment_simulator._version import __version__
from payment_simulator.ai_cash_mgmt import SupersededRecord
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS
from payment_simulator.analysis.views import VIEWS
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import FIRST_TABLES, SQL, schema_sql
from tests.fingerprints import rows_of, schema_of
from tests.migration import first_tool

TEXTS = {
    "texts": [("sha256", "VARCHAR"), ("num_bytes", "BIGINT")],
    "text_pieces": [("sha256", "VARCHAR"), ("piece_number", "INTEGER"), ("content", "VARCHAR")],
}
TEXT_KEYS = [("sha256",), None]  # pieces are added with their text, once


def test_every_table_of_the_schema_has_a_record():
    with duckdb.connect(":memory:") as conn:
        conn.execute(schema_sql())
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, _, column, data_type, *_ in schema_of(conn)["columns"]:
            columns.setdefault(table, []).append((column, data_type))
        keys = {
            table: tuple(names)
            for table, kind, _, names in schema_of(conn)["constraints"]
            if kind == "PRIMARY KEY"
        }
    del columns["schema_ledger"], keys["schema_ledger"]
    views = {view.name: columns.pop(view.name) for view in VIEWS}
    assert views == {v.name: [(name, kind) for name, kind, _ in v.columns] for v in VIEWS}
    # Texts that are kept apart from the rows that name them belong to no record of their own.
    assert {name: columns.pop(name) for name in TEXTS} == TEXTS
    assert [keys.pop(name, None) for name in TEXTS] == TEXT_KEYS
    tables = [record.table() for record in (*RECORDS, SupersededRecord)]
    assert columns == {t.name: list(zip(t.columns, t.types, strict=True)) for t in tables}
    assert keys == {table.name: table.key for table in tables}


def test_the_two_first_tables_are_those_of_the_first_tool():
    with duckdb.connect(":memory:") as ours, duckdb.connect(":memory:") as theirs:
        ours.execute(schema_sql())
        theirs.execute(first_tool.SCHEMA)
        for kind, expected in schema_of(theirs).items():
            found = [row for row in schema_of(ours)[kind] if row[0] in FIRST_TABLES]
            assert found == expected, kind


def test_the_frozen_file_holds_what_is_said_of_it(old_file):
    with (
        duckdb.connect(str(old_file), read_only=True) as frozen,
        duckdb.connect(":memory:") as made,
    ):
        made.execute(first_tool.SCHEMA)
        assert schema_of(frozen) == schema_of(made)
        expected = {t: sorted(map(repr, rows)) for t, rows in first_tool.ROWS.items()}
        assert rows_of(frozen) == expected


def test_the_ledger_says_which_schema_made_the_tables(old_file):
    text = files(SQL).joinpath("schema.sql").read_text(encoding="utf-8")
    expected = [(1, hashlib.sha256(text.encode()).hexdigest(), __version__)]
    for path in (old_file, ":memory:"):
        with DatabaseManager(path) as manager:
            manager.setup()
            query = "SELECT version, sha256, package_version FROM schema_ledger"
            assert manager.conn.execute(query).fetchall() == expected
