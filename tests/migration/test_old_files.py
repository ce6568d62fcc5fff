"""Files of the first tool: adopted as they are, every row kept, a copy put aside first."""

from __future__ import annotations

import math
import re
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
from tests.builders import a_session, an_iteration
from tests.fingerprints import rows_of, schema_of
from tests.migration.conftest import content_of
from tests.migration.first_tool import GAME, ODD_GAME, PLACEHOLDER, SCHEMA
from tests.processes import EXECUTE_AND_DIE, run

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


def test_is_adopted_and_keeps_every_row(old_file: Path):
    schema, rows = look(old_file)
    with DatabaseManager(old_file) as manager:
        GameRepository(manager.conn).initialize_schema()
    new_schema, new_rows = look(old_file)
    with DatabaseManager(":memory:") as manager:
        manager.setup()
        assert new_schema == schema_of(manager.conn)
    assert of_first_tables(new_schema) == of_first_tables(schema)
    assert len(new_rows.pop("schema_ledger")) == 1
    assert {table: new_rows.pop(table) for table in rows} == rows
    assert {table: found for table, found in new_rows.items() if found} == {}


def test_opening_alone_changes_no_table(old_file: Path):
    before = look(old_file)
    with DatabaseManager(old_file) as manager:
        repo = GameRepository(manager.conn)
        assert len(repo.list_game_sessions()) == 4
    assert look(old_file) == before
    assert copies(old_file) == []


def test_a_copy_is_put_aside_first(old_file: Path):
    before = look(old_file)
    with DatabaseManager(old_file) as manager:
        manager.setup()
        manager.setup()
    (copy,) = copies(old_file)
    assert re.fullmatch(r"simulation\.db\.first-tool-\d{8}T\d{12}Z\.bak", copy.name)
    assert look(copy) == before
    with DatabaseManager(copy, read_only=True) as manager:
        assert GameRepository(manager.conn).get_game_session(GAME) is not None
    assert sorted(p.name for p in old_file.parent.iterdir()) == [old_file.name, copy.name]


def test_a_current_file_is_not_copied(old_file: Path):
    with DatabaseManager(old_file) as manager:
        manager.setup()
    before = content_of(old_file.parent)
    with DatabaseManager(old_file) as manager:
        manager.setup()
    assert content_of(old_file.parent) == before


def test_a_copy_can_be_migrated_in_its_turn(old_file: Path):
    with DatabaseManager(old_file) as manager:
        manager.setup()
        expected = schema_of(manager.conn), rows_of(manager.conn)["policy_iterations"]
    (copy,) = copies(manager.db_path)
    with DatabaseManager(copy) as manager:
        manager.setup()
        assert (schema_of(manager.conn), rows_of(manager.conn)["policy_iterations"]) == expected


def test_what_the_first_tool_let_through_is_read_as_it_is(old_file: Path):
    with DatabaseManager(old_file) as manager:
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


def test_a_file_without_the_first_indexes_gets_them(old_file: Path):
    path = old_file
    expected = look(path)[0]["indexes"]
    with duckdb.connect(str(path)) as conn:
        for _, index, *_ in expected:
            conn.execute(f"DROP INDEX {index}")
    with DatabaseManager(path) as manager:
        manager.setup()
    assert len(expected) == 4
    assert of_first_tables(look(path)[0])["indexes"] == expected


def test_what_lay_in_the_log_of_a_killed_tool_is_kept(old_file: Path):
    path = old_file
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
        manager.conn.execute(SCHEMA)
        manager.setup()
        assert manager.conn.execute("SELECT version FROM schema_ledger").fetchall() == [(1,)]
    assert list(tmp_path.iterdir()) == []


def test_an_adoption_that_fails_is_rolled_back(old_file: Path, monkeypatch):
    broken = "CREATE TABLE half_done (i INTEGER); DELETE FROM game_sessions; SELECT error('stop');"
    before = look(old_file)
    with DatabaseManager(old_file) as manager:
        repo, whole = GameRepository(manager.conn), migrations.schema_sql()
        with monkeypatch.context() as patch:
            patch.setattr(migrations, "schema_sql", lambda: whole + broken)
            with pytest.raises(PaymentSimulatorError, match="stop"):
                repo.initialize_schema()
        assert (schema_of(manager.conn), rows_of(manager.conn)) == before
        repo.initialize_schema()
    assert look(old_file)[1]["game_sessions"] == before[1]["game_sessions"]
    assert [look(copy) for copy in copies(old_file)] == [before, before]


def test_a_copy_that_cannot_be_made_stops_the_adoption(old_file: Path, monkeypatch):
    def fail(*_: object) -> Path:
        raise DatabaseError("no room for the copy")

    before = look(old_file)
    monkeypatch.setattr(migrations, "back_up", fail)
    with (
        DatabaseManager(old_file) as manager,
        pytest.raises(DatabaseError, match="no room for the copy"),
    ):
        manager.setup()
    assert look(old_file) == before


class TestBeforeMigrating:
    def test_the_two_tables_can_be_read(self, old_file: Path):
        before = content_of(old_file.parent)
        with DatabaseManager(old_file, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            assert len(repo.list_game_sessions()) == 4
            assert repo.get_game_session(GAME).optimized_agents == ["BANK_A", "BANK_B"]
            assert len(repo.get_policy_iterations(GAME)) == 4
            assert repo.get_best_policy(GAME, "BANK_A") == PLACEHOLDER
            assert repo.get_optimization_summary(GAME)["accepted_iterations"] == 2
        assert content_of(old_file.parent) == before

    def test_initialize_schema_for_reading_alone_says_what_to_do(self, old_file: Path):
        before = content_of(old_file.parent)
        with DatabaseManager(old_file, read_only=True) as manager:
            with pytest.raises(ReadOnlyDatabaseError, match="payment-sim db migrate") as caught:
                GameRepository(manager.conn).initialize_schema()
            assert f"{old_file} lacks tables of schema version 1" in str(caught.value)
        assert content_of(old_file.parent) == before

    def test_what_is_not_there_yet_says_what_to_do(self, old_file: Path):
        with DatabaseManager(old_file, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            with pytest.raises(SchemaMissingError, match=r"Call repo\.initialize_schema\(\)"):
                repo.get_llm_interactions(GAME)

    def test_nothing_is_replaced_without_being_kept(self, old_file: Path):
        """The first tool has no table for what is replaced, so replacing must wait."""
        with DatabaseManager(old_file) as manager:
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
