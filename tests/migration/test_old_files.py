"""Old files: migrated step by step, every row kept, a copy put aside first."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import (
    DatabaseError,
    PaymentSimulatorError,
    ReadOnlyDatabaseError,
    SchemaMissingError,
)
from payment_simulator.persistence import migrations
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SQL, current_version
from payment_simulator.persistence.queries import numbered_migrations
from tests.builders import a_session, an_iteration
from tests.fingerprints import rows_of, schema_of
from tests.migration.conftest import OldFile, content_of
from tests.migration.old_rows import GAME, ODD_GAME, PLACEHOLDER
from tests.processes import EXECUTE_AND_DIE, run

VERSIONS = range(1, current_version() + 1)
OLDER = VERSIONS[:-1]
LEDGER = "SELECT version FROM schema_ledger ORDER BY 1"

Schema = dict[str, list[tuple[object, ...]]]
Rows = dict[str, list[str]]


def look(path: Path) -> tuple[Schema, Rows]:
    """Return schema and rows of a file that nobody holds, and change nothing."""
    with duckdb.connect(str(path), read_only=True) as conn:
        return schema_of(conn), rows_of(conn)


def of_first_tables(schema: Schema) -> Schema:
    first = ("game_sessions", "policy_iterations")
    return {kind: [row for row in rows if row[0] in first] for kind, rows in schema.items()}


def copies(path: Path) -> list[Path]:
    return [p for p in path.parent.iterdir() if p.name.endswith(".bak")]


@pytest.mark.parametrize("version", VERSIONS)
def test_migrates_and_keeps_every_row(version: int, old_file: OldFile):
    path = old_file(version)
    schema, rows = look(path)
    with DatabaseManager(path) as manager:
        GameRepository(manager.conn).initialize_schema()
    new_schema, new_rows = look(path)
    with DatabaseManager(":memory:") as manager:
        manager.setup()
        assert new_schema == schema_of(manager.conn)
    assert of_first_tables(new_schema) == of_first_tables(schema)
    ledger, new_ledger = rows.pop("schema_ledger", []), new_rows.pop("schema_ledger")
    assert new_ledger[: len(ledger)] == ledger
    assert len(new_ledger) == current_version()
    assert {table: new_rows.pop(table) for table in rows} == rows
    assert {table: found for table, found in new_rows.items() if found} == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_opening_alone_changes_no_table(version: int, old_file: OldFile):
    path = old_file(version)
    before = look(path)
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        assert len(repo.list_game_sessions()) == 4
    assert look(path) == before
    assert copies(path) == []


@pytest.mark.parametrize("version", OLDER)
def test_a_copy_is_put_aside_first(version: int, old_file: OldFile):
    path = old_file(version)
    before = look(path)
    with DatabaseManager(path) as manager:
        manager.setup()
        manager.setup()
    (copy,) = copies(path)
    assert re.fullmatch(rf"simulation\.db\.v{version}-\d{{8}}T\d{{12}}Z\.bak", copy.name)
    assert look(copy) == before
    with DatabaseManager(copy, read_only=True) as manager:
        assert GameRepository(manager.conn).get_game_session(GAME) is not None
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name, copy.name]


def test_a_current_file_is_not_copied(old_file: OldFile):
    path = old_file(current_version())
    before = content_of(path.parent)
    with DatabaseManager(path) as manager:
        manager.setup()
    assert content_of(path.parent) == before


def test_a_copy_can_be_migrated_in_its_turn(old_file: OldFile):
    with DatabaseManager(old_file(1)) as manager:
        manager.setup()
        expected = schema_of(manager.conn), rows_of(manager.conn)["policy_iterations"]
    (copy,) = copies(manager.db_path)
    with DatabaseManager(copy) as manager:
        manager.setup()
        assert (schema_of(manager.conn), rows_of(manager.conn)["policy_iterations"]) == expected


def test_what_the_first_tool_let_through_is_read_as_it_is(old_file: OldFile):
    with DatabaseManager(old_file(1)) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        sessions = {session.game_id: session for session in repo.list_game_sessions()}
        steps = repo.get_policy_iterations(GAME)
        orphans = repo.get_policy_iterations("no such game")
        assert repo.get_best_policy(GAME, "BANK_A") == PLACEHOLDER
        assert repo.get_optimization_summary(GAME)["total_iterations"] == 4
    assert sessions["unfinished"].config_json == "{...}"
    assert sessions["unfinished"].total_iterations == 0
    assert sessions["unfinished"].converged is False
    assert math.isnan(sessions[ODD_GAME].final_cost)
    assert math.copysign(1, sessions["largest"].final_cost) == -1
    assert [s.old_policy_json for s in steps if s.agent_id == "BANK_A"] == [PLACEHOLDER] * 2
    assert math.isnan(steps[1].old_cost)
    assert steps[1].new_cost == math.inf
    assert [step.iteration_number for step in orphans] == [0]


def test_a_file_without_the_first_indexes_gets_them(old_file: OldFile):
    path = old_file(1)
    expected = look(path)[0]["indexes"]
    with duckdb.connect(str(path)) as conn:
        for _, index, *_ in expected:
            conn.execute(f"DROP INDEX {index}")
    with DatabaseManager(path) as manager:
        manager.setup()
    assert len(expected) == 4
    assert of_first_tables(look(path)[0])["indexes"] == expected


def test_what_lay_in_the_log_of_a_killed_tool_is_kept(old_file: OldFile):
    path = old_file(1)
    run(EXECUTE_AND_DIE, path, "UPDATE game_sessions SET status = 'failed'")
    assert path.with_name(path.name + ".wal").stat().st_size > 0
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        assert [session.status for session in repo.list_game_sessions()] == ["failed"] * 4
    (copy,) = copies(path)
    assert look(copy)[1]["game_sessions"] == look(path)[1]["game_sessions"]


def test_in_memory_there_is_nothing_to_copy(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with DatabaseManager(":memory:") as manager:
        manager.conn.execute(numbered_migrations(SQL)[0].sql)
        manager.setup()
        assert manager.conn.execute(LEDGER).fetchall() == [(version,) for version in VERSIONS]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bad", VERSIONS[1:])
def test_a_migration_that_fails_is_rolled_back(bad: int, old_file: OldFile, monkeypatch):
    steps = numbered_migrations(SQL)
    broken = "CREATE TABLE half_done (i INTEGER); DELETE FROM game_sessions; SELECT error('stop');"
    with_error = tuple(replace(m, sql=m.sql + broken) if m.version == bad else m for m in steps)
    path = old_file(1)
    rows = look(path)[1]
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "numbered_migrations", lambda _: with_error)
            with pytest.raises(PaymentSimulatorError, match="stop"):
                repo.initialize_schema()
        schema = schema_of(manager.conn)
        tables = {row[0] for row in schema["columns"]}
        if bad > 2:
            ledger = manager.conn.execute(LEDGER).fetchall()
            assert ledger == [(version,) for version in range(1, bad)]
        else:
            assert tables == {"game_sessions", "policy_iterations"}
        assert "half_done" not in tables
        assert rows_of(manager.conn)["game_sessions"] == rows["game_sessions"]
        repo.initialize_schema()
        assert manager.conn.execute(LEDGER).fetchall() == [(version,) for version in VERSIONS]
    assert look(path)[1]["game_sessions"] == rows["game_sessions"]
    # One before the first attempt, of the old file; one before the second, of where it stood.
    assert [copy.name.split("-")[0] for copy in sorted(copies(path))] == [
        "simulation.db.v1",
        f"simulation.db.v{bad - 1}",
    ]


def test_a_copy_that_cannot_be_made_stops_the_migration(old_file: OldFile, monkeypatch):
    def fail(*_: object) -> Path:
        raise DatabaseError("no room for the copy")

    path = old_file(2)
    before = look(path)
    monkeypatch.setattr(migrations, "back_up", fail)
    with (
        DatabaseManager(path) as manager,
        pytest.raises(DatabaseError, match="no room for the copy"),
    ):
        manager.setup()
    assert look(path) == before


class TestBeforeMigrating:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_the_two_tables_can_be_read(self, version: int, old_file: OldFile):
        path = old_file(version)
        before = content_of(path.parent)
        with DatabaseManager(path, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            assert len(repo.list_game_sessions()) == 4
            assert repo.get_game_session(GAME).optimized_agents == ["BANK_A", "BANK_B"]
            assert len(repo.get_policy_iterations(GAME)) == 4
            assert repo.get_best_policy(GAME, "BANK_A") == PLACEHOLDER
            assert repo.get_optimization_summary(GAME)["accepted_iterations"] == 2
        assert content_of(path.parent) == before

    @pytest.mark.parametrize("version", OLDER)
    def test_initialize_schema_for_reading_alone_says_what_to_do(
        self, version: int, old_file: OldFile
    ):
        path = old_file(version)
        before = content_of(path.parent)
        with DatabaseManager(path, read_only=True) as manager:
            with pytest.raises(ReadOnlyDatabaseError, match="payment-sim db migrate") as caught:
                GameRepository(manager.conn).initialize_schema()
            assert f"version {version} and needs {current_version()}" in str(caught.value)
            assert str(path) in str(caught.value)
        assert content_of(path.parent) == before

    def test_what_is_not_there_yet_says_what_to_do(self, old_file: OldFile):
        with DatabaseManager(old_file(1), read_only=True) as manager:
            repo = GameRepository(manager.conn)
            with pytest.raises(SchemaMissingError, match=r"Call repo\.initialize_schema\(\)"):
                repo.get_llm_interactions(GAME)

    def test_nothing_is_replaced_without_being_kept(self, old_file: OldFile):
        """Version 1 has no table for what is replaced, so replacing must wait."""
        with DatabaseManager(old_file(1)) as manager:
            repo = GameRepository(manager.conn)
            before = rows_of(manager.conn)
            with pytest.raises(SchemaMissingError, match=r"Call repo\.initialize_schema\(\)"):
                repo.save_game_session(a_session(GAME))
            with pytest.raises(SchemaMissingError):
                repo.save_policy_iteration(an_iteration(game_id=GAME))
            assert rows_of(manager.conn) == before
            repo.initialize_schema()
            repo.save_game_session(a_session(GAME))
            assert repo.get_game_session(GAME) == a_session(GAME)
            (kept,) = repo.get_superseded_records()
            assert '"status":"converged"' in kept.record_json
