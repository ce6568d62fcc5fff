"""DatabaseManager: what it opens, what it lets go, and what it refuses while open."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import (
    DatabaseClosedError,
    NotADatabaseError,
    ReadOnlyDatabaseError,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION
from payment_simulator.persistence.sidecar import sidecar_path
from tests.builders import a_session, an_iteration
from tests.fingerprints import schema_of
from tests.processes import run

#: Opens a file for writing without waiting, or says why not.
TRY_TO_WRITE = """
import sys
from payment_simulator.errors import DatabaseBusyError
from payment_simulator.persistence.connection import DatabaseManager
try:
    DatabaseManager(sys.argv[1], busy_seconds=0).close()
    print("free")
except DatabaseBusyError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", [str, Path])
def test_takes_a_path_or_a_text(kind: type, db_path: Path):
    with DatabaseManager(kind(db_path)) as manager:
        assert isinstance(manager.db_path, Path)
        assert manager.db_path == db_path
        assert manager.conn.execute("SELECT 42").fetchall() == [(42,)]
    assert db_path.is_file()


@pytest.mark.parametrize("kind", [str, Path])
def test_a_database_in_memory_leaves_no_file(kind: type, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with DatabaseManager(kind(":memory:")) as manager:
        assert manager.db_path == Path(":memory:")
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        assert repo.get_game_session("game-001") == a_session()
    assert list(tmp_path.iterdir()) == []


def test_two_databases_in_memory_are_two():
    with DatabaseManager(":memory:") as one, DatabaseManager(":memory:") as other:
        GameRepository(one.conn).initialize_schema()
        assert schema_of(other.conn)["columns"] == []


def test_with_gives_the_manager_and_closes_it(db_path: Path):
    manager = DatabaseManager(db_path)
    with manager as entered:
        assert entered is manager
    with pytest.raises(duckdb.ConnectionException):
        manager.conn.execute("SELECT 42")


def test_with_closes_and_lets_the_error_through(db_path: Path):
    with pytest.raises(LookupError), DatabaseManager(db_path) as manager:
        raise LookupError
    with pytest.raises(duckdb.ConnectionException):
        manager.conn.execute("SELECT 42")
    assert run(TRY_TO_WRITE, db_path) == "free"


def test_close_twice_is_once(db_path: Path):
    with DatabaseManager(db_path) as manager:
        manager.close()
        manager.close()
    assert run(TRY_TO_WRITE, db_path) == "free"


@pytest.mark.parametrize("path", ["simulation.db", ":memory:"])
def test_setup_any_number_of_times(path: str, tmp_path: Path):
    with DatabaseManager(path if path == ":memory:" else tmp_path / path) as manager:
        manager.setup()
        repo = GameRepository(manager.conn)
        repo.save_game_session(a_session())
        ledger = manager.conn.execute("FROM schema_ledger ORDER BY version").fetchall()
        schema = schema_of(manager.conn)
        manager.setup()
        repo.initialize_schema()
        assert [row[0] for row in ledger] == [SCHEMA_VERSION]
        assert manager.conn.execute("FROM schema_ledger ORDER BY version").fetchall() == ledger
        assert schema_of(manager.conn) == schema
        assert repo.list_game_sessions() == [a_session()]
    assert not list(tmp_path.glob("*.bak"))


@pytest.mark.parametrize(
    "use",
    [
        lambda repo: repo.get_game_session("game-001"),
        lambda repo: repo.list_game_sessions(),
        lambda repo: repo.save_game_session(a_session()),
        lambda repo: repo.save_policy_iterations([an_iteration()]),
        lambda repo: repo.update_game_session_status("game-001", "failed"),
        lambda repo: repo.transaction().__enter__(),
        lambda repo: repo.initialize_schema(),
    ],
    ids=["get", "list", "save", "save many", "update", "transaction", "initialize"],
)
def test_a_repository_of_a_closed_database_says_so(use, db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
    with pytest.raises(DatabaseClosedError, match=r"Open it again with DatabaseManager\(path\)"):
        use(repo)
    with pytest.raises(DatabaseClosedError):
        GameRepository(manager.conn)
    with pytest.raises(DatabaseClosedError):
        manager.setup()


def test_the_lock_is_released_though_others_hold_cursors(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repos = [GameRepository(manager.conn) for _ in range(2)]
        repos[0].initialize_schema()
        repos[1].save_game_session(a_session())
        cursor = manager.conn.cursor()
        cursors = [cursor, cursor.cursor(), cursor.execute("FROM range(1000000)")]
        relation = manager.conn.sql("FROM game_sessions")
        transaction = repos[0].transaction()
        transaction.__enter__()
        assert str(db_path) in run(TRY_TO_WRITE, db_path)
    assert run(TRY_TO_WRITE, db_path) == "free"
    assert len(cursors) == 3
    assert relation is not None


@pytest.mark.parametrize("first", [0, 1])
def test_two_managers_of_one_file_close_in_either_order(first: int, db_path: Path):
    managers = [DatabaseManager(db_path), DatabaseManager(db_path)]
    repos = [GameRepository(manager.conn) for manager in managers]
    repos[0].initialize_schema()
    repos[0].save_game_session(a_session("game-000"))
    repos[1].save_game_session(a_session("game-001"))
    managers[first].close()
    left = 1 - first
    repos[left].save_game_session(a_session("game-002"))
    assert [s.game_id for s in repos[left].list_game_sessions()] == [
        "game-000",
        "game-001",
        "game-002",
    ]
    assert sidecar_path(db_path).exists()
    assert str(db_path) in run(TRY_TO_WRITE, db_path)
    managers[left].close()
    assert not sidecar_path(db_path).exists()
    assert run(TRY_TO_WRITE, db_path) == "free"


def test_a_connection_outlives_its_manager(db_path: Path):
    manager = DatabaseManager(db_path)
    conn, gone = manager.conn, weakref.ref(manager)
    del manager
    gc.collect()
    assert gone() is None
    assert not sidecar_path(db_path).exists()
    repo = GameRepository(conn)
    repo.initialize_schema()
    repo.save_game_session(a_session())
    assert "is held by process" in run(TRY_TO_WRITE, db_path)
    conn.close()
    with DatabaseManager(db_path, read_only=True) as reader:
        assert GameRepository(reader.conn).list_game_sessions() == [a_session()]


#: A manager in a reference cycle is collected just while another one counts itself in.
COLLECT_WHILE_OPENING = """
import faulthandler, gc, sys
from payment_simulator.persistence import serving
from payment_simulator.persistence.connection import DatabaseManager

faulthandler.dump_traceback_later(30, exit=True)
gc.disable()
manager = DatabaseManager(sys.argv[1])
manager.itself = manager
del manager

class Collecting(serving.SnapshotServer):
    def __init__(self, *arguments):
        gc.collect()
        super().__init__(*arguments)

serving.SnapshotServer = Collecting
DatabaseManager(sys.argv[2]).close()
print("done")
"""


def test_a_manager_is_collected_while_another_opens(tmp_path: Path):
    assert run(COLLECT_WHILE_OPENING, tmp_path / "one.db", tmp_path / "other.db") == "done"


class TestReadOnly:
    @pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
    def test_nothing_to_read(self, content: bytes | None, db_path: Path):
        if content is not None:
            db_path.write_bytes(content)
        said = "does not exist" if content is None else "is empty"
        with pytest.raises(NotADatabaseError, match=said) as caught:
            DatabaseManager(db_path, read_only=True)
        assert str(db_path) in str(caught.value)
        assert db_path.exists() is (content is not None)
        assert [p.name for p in db_path.parent.iterdir() if p != db_path] == []

    def test_initialize_schema_of_a_current_file_does_nothing(self, db_path: Path):
        with DatabaseManager(db_path) as manager:
            manager.setup()
        before = db_path.read_bytes()
        with DatabaseManager(db_path, read_only=True) as manager:
            GameRepository(manager.conn).initialize_schema()
            manager.setup()
        assert db_path.read_bytes() == before

    def test_initialize_schema_of_an_empty_database_is_refused(self, db_path: Path):
        DatabaseManager(db_path).close()
        with DatabaseManager(db_path, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            with pytest.raises(ReadOnlyDatabaseError, match="Open it once for writing") as caught:
                repo.initialize_schema()
        assert str(db_path) in str(caught.value)
        assert f"lacks tables of schema version {SCHEMA_VERSION}" in str(caught.value)

    @pytest.mark.parametrize(
        "write",
        [
            lambda repo: repo.save_game_session(a_session("other")),
            lambda repo: repo.save_game_session(a_session(status="failed")),
            lambda repo: repo.save_policy_iteration(an_iteration()),
            lambda repo: repo.save_policy_iterations([an_iteration()]),
            lambda repo: repo.update_game_session_status("game-001", "failed"),
        ],
        ids=["add", "replace", "add a step", "add many", "update"],
    )
    def test_writes_are_refused(self, write, db_path: Path):
        with DatabaseManager(db_path) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session())
        with DatabaseManager(db_path, read_only=True) as manager:
            repo = GameRepository(manager.conn)
            with pytest.raises(ReadOnlyDatabaseError, match="Open it for writing"):
                write(repo)
            assert repo.list_game_sessions() == [a_session()]
            assert repo.get_policy_iterations("game-001") == []
