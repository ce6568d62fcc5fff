"""The schema of a new file, and what was frozen of the versions before it."""

from __future__ import annotations

from importlib.resources import files

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import SupersededRecord
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS
from payment_simulator.analysis.views import VIEWS
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SQL, current_version
from payment_simulator.persistence.queries import numbered_migrations
from tests.fingerprints import rows_of, schema_of
from tests.migration.conftest import OldFile
from tests.migration.make_assets import ASSETS, main
from tests.migration.old_rows import ROWS

VERSIONS = range(1, current_version() + 1)


def test_the_schema_file_is_the_sum_of_the_migrations():
    with duckdb.connect(":memory:") as whole, duckdb.connect(":memory:") as stepwise:
        whole.execute(files(SQL).joinpath("schema.sql").read_text(encoding="utf-8"))
        for migration in numbered_migrations(SQL):
            stepwise.execute(migration.sql)
        for kind, found in schema_of(whole).items():
            assert found == schema_of(stepwise)[kind], kind
        assert len(schema_of(whole)["columns"]) > 100


def test_every_table_of_the_schema_has_a_record():
    with duckdb.connect(":memory:") as conn:
        conn.execute(files(SQL).joinpath("schema.sql").read_text(encoding="utf-8"))
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
    tables = [record.table() for record in (*RECORDS, SupersededRecord)]
    assert columns == {t.name: list(zip(t.columns, t.types, strict=True)) for t in tables}
    assert keys == {table.name: table.key for table in tables}


def test_every_version_is_frozen():
    assert sorted(p.name for p in ASSETS.iterdir()) == [f"v{version}.db.gz" for version in VERSIONS]
    assert sorted(ROWS) == list(VERSIONS)


def test_a_frozen_file_is_not_made_again():
    before = {p: p.read_bytes() for p in ASSETS.iterdir()}
    with pytest.raises(SystemExit, match=r"v1\.db\.gz: a frozen file is not made again"):
        main([1, current_version() + 1])
    assert {p: p.read_bytes() for p in ASSETS.iterdir()} == before


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frozen_file_holds_a_row_in_every_table(version: int, old_file: OldFile):
    expected = {
        table: sorted(map(repr, rows))
        for since, tables in ROWS.items()
        for table, rows in tables.items()
        if since <= version
    }
    with duckdb.connect(str(old_file(version)), read_only=True) as conn:
        found = rows_of(conn)
    ledger = found.pop("schema_ledger", [])
    assert found == expected
    assert len(ledger) == (version if version > 1 else 0)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_a_migration_once_published_is_never_edited(version: int, old_file: OldFile):
    with duckdb.connect(str(old_file(version)), read_only=True) as conn:
        ledger = conn.execute("SELECT version, name, sha256 FROM schema_ledger ORDER BY 1")
        assert ledger.fetchall() == [
            (m.version, m.name, m.sha256) for m in numbered_migrations(SQL)[:version]
        ]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_steps_so_far_make_the_frozen_schema(version: int, old_file: OldFile):
    with (
        duckdb.connect(":memory:") as stepwise,
        duckdb.connect(str(old_file(version)), read_only=True) as frozen,
    ):
        for migration in numbered_migrations(SQL)[:version]:
            stepwise.execute(migration.sql)
        assert schema_of(frozen) == schema_of(stepwise)


def test_a_new_file_has_the_ledger_of_a_migrated_one(old_file: OldFile):
    ledgers = []
    for path in (old_file(1), ":memory:"):
        with DatabaseManager(path) as manager:
            manager.setup()
            query = "SELECT version, name, sha256, package_version FROM schema_ledger ORDER BY 1"
            ledgers.append(manager.conn.execute(query).fetchall())
    assert ledgers[0] == ledgers[1]
    assert [row[0] for row in ledgers[0]] == list(VERSIONS)
