"""Files that are not ours to touch: newer ones, and those of other programs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from payment_simulator._version import __version__
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import NotADatabaseError, SchemaVersionError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION, schema_sha256
from tests.fingerprints import rows_of, schema_of
from tests.migration.conftest import content_of
from tests.migration.first_tool import SCHEMA
from tests.processes import EXECUTE_AND_DIE, run

NEWER = SCHEMA_VERSION + 1
#: What another program's DuckDB file may hold.
FOREIGN = {
    "a table": "CREATE TABLE customers (id INTEGER); INSERT INTO customers VALUES (1)",
    "a table of one of our names": "CREATE TABLE transactions (id INTEGER, amount DOUBLE)",
    "one of the first tables": SCHEMA.split("CREATE TABLE policy")[0],
    "first tables with other columns": (
        "CREATE TABLE game_sessions (id INTEGER, score DOUBLE);"
        "CREATE TABLE policy_iterations (id INTEGER)"
    ),
    "first tables with a column more": (
        SCHEMA + "ALTER TABLE game_sessions ADD COLUMN notes VARCHAR"
    ),
    "first tables with another type": SCHEMA.replace("master_seed BIGINT", "master_seed DOUBLE"),
    "a table in a schema of its own": (
        "CREATE SCHEMA app; CREATE TABLE app.customers (id INTEGER);"
        "INSERT INTO app.customers VALUES (1)"
    ),
    "a ledger of its own": "CREATE TABLE schema_ledger (id INTEGER, entry VARCHAR)",
    "a view": "CREATE VIEW game_sessions AS SELECT 42 AS game_id",
}


ENTER = "INSERT INTO schema_ledger VALUES (?, 'hash', TIMESTAMP '2030-01-01', '9.8.7')"


@pytest.fixture
def ours(db_path: Path) -> Path:
    """Return a file of this version."""
    with DatabaseManager(db_path) as manager:
        manager.setup()
    return db_path


@pytest.fixture
def newer(ours: Path) -> Path:
    """Return a file of the next schema version, written by a version of this package to come."""
    with duckdb.connect(str(ours)) as conn:
        conn.execute(ENTER, [NEWER])
    return ours


def check_message(error: SchemaVersionError, path: Path) -> None:
    said = str(error)
    assert str(path) in said
    assert f"has schema version {NEWER}, written by payment-simulator 9.8.7" in said
    assert f"this is payment-simulator {__version__}" in said
    assert f"knows schema version {SCHEMA_VERSION}. " in said
    assert "Install payment-simulator 9.8.7 or newer" in said


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_file_is_refused_and_unchanged(read_only: bool, newer: Path):
    before = content_of(newer.parent)
    with pytest.raises(SchemaVersionError) as caught:
        DatabaseManager(newer, read_only=read_only)
    check_message(caught.value, newer)
    assert content_of(newer.parent) == before
    # And it is held no longer.
    assert run("import duckdb, sys; duckdb.connect(sys.argv[1]).close(); print(1)", newer) == "1"


def test_the_repository_refuses_a_newer_file_too(newer: Path):
    before = content_of(newer.parent)
    with duckdb.connect(str(newer)) as conn:
        with pytest.raises(SchemaVersionError) as caught:
            GameRepository(conn)
        check_message(caught.value, newer)
    assert content_of(newer.parent) == before


def test_a_file_that_was_migrated_meanwhile_is_refused_at_the_next_step(ours: Path):
    with DatabaseManager(ours) as manager:
        repo = GameRepository(manager.conn)
        manager.conn.execute(ENTER, [NEWER])
        with pytest.raises(SchemaVersionError):
            repo.initialize_schema()
        with pytest.raises(SchemaVersionError):
            manager.setup()


@pytest.mark.sampled(8)
@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_another_programs_file_is_refused_and_unchanged(
    foreign: str, read_only: bool, db_path: Path
):
    with duckdb.connect(str(db_path)) as conn:
        conn.execute(foreign)
    before = content_of(db_path.parent)
    with pytest.raises(NotADatabaseError, match="of another program") as caught:
        DatabaseManager(db_path, read_only=read_only)
    assert str(db_path) in str(caught.value)
    assert "Give another path" in str(caught.value)
    assert content_of(db_path.parent) == before
    with duckdb.connect(str(db_path)) as conn:
        before_in_it = schema_of(conn), rows_of(conn)
        with pytest.raises(NotADatabaseError, match="of another program"):
            GameRepository(conn)
        assert (schema_of(conn), rows_of(conn)) == before_in_it
    assert content_of(db_path.parent) == before


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("whose", ["another program's", "a newer version's"])
def test_the_log_of_a_refused_file_is_left_alone(
    whose: str, read_only: bool, db_path: Path, request
):
    if whose == "another program's":
        with duckdb.connect(str(db_path)) as conn:
            conn.execute("CREATE TABLE customers (id INTEGER)")
        run(EXECUTE_AND_DIE, db_path, "INSERT INTO customers VALUES (1)")
    else:
        request.getfixturevalue("newer")
        run(
            EXECUTE_AND_DIE,
            db_path,
            "INSERT INTO daily_costs VALUES ('run-1', 1, 'B', 'delay', 1.0)",
        )
    before = content_of(db_path.parent)
    assert len(before) == 2
    with pytest.raises((NotADatabaseError, SchemaVersionError)):
        DatabaseManager(db_path, read_only=read_only)
    assert content_of(db_path.parent) == before


def test_an_empty_ledger_is_refused(ours: Path):
    with duckdb.connect(str(ours)) as conn:
        conn.execute("DELETE FROM schema_ledger")
    before = content_of(ours.parent)
    with pytest.raises(NotADatabaseError, match="Put back a copy of the file") as caught:
        DatabaseManager(ours)
    assert str(ours) in str(caught.value)
    assert content_of(ours.parent) == before


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("version", "sha256", "written_by"),
    [
        (7, "0123456789abcdef", __version__),
        (1, "0123456789abcdef", __version__),
        (1, "0123456789abcdef", "0.0.9"),
        (0, None, __version__),
    ],
    ids=["a higher number", "other statements", "of an older package", "a lower number"],
)
def test_a_file_of_an_unreleased_state_is_refused_and_unchanged(
    version: int, sha256: str | None, written_by: str, read_only: bool, ours: Path
):
    with duckdb.connect(str(ours)) as conn:
        conn.execute(
            "UPDATE schema_ledger SET version = ?, sha256 = coalesce(?, sha256), "
            "package_version = ?",
            [version, sha256, written_by],
        )
    before = content_of(ours.parent)
    with pytest.raises(SchemaVersionError) as caught:
        DatabaseManager(ours, read_only=read_only)
    said = str(caught.value)
    assert str(ours) in said
    assert f"by an unreleased state of payment-simulator {written_by}" in said
    assert f"schema version {version}, hash {(sha256 or schema_sha256())[:8]}" in said
    assert f"schema version {SCHEMA_VERSION}, hash {schema_sha256()[:8]}" in said
    assert "Export its games with the state that wrote it, or play them again" in said
    assert content_of(ours.parent) == before


def test_other_tables_beside_ours_are_left_alone(old_file: Path):
    with duckdb.connect(str(old_file)) as conn:
        conn.execute("CREATE TABLE my_notes AS SELECT 'mine' AS note")
    with DatabaseManager(old_file) as manager:
        manager.setup()
        assert manager.conn.execute("FROM my_notes").fetchall() == [("mine",)]
