"""Paths: odd names are names, and what is no record is refused and left alone."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import NotADatabaseError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session
from tests.processes import run

ODD_NAMES = [
    'it\'s "quoted".db',
    "two words .db",
    "Überweisung 名 🏦.db",
    "x'; DROP TABLE game_sessions; --.db",
    "100%#&=.db",
    "[a-z]*.db",
    "-x.db",
    "new\nline.db",
    "no-suffix",
]
#: DuckDB itself reads these as a home folder, a database in memory, or the work of an extension.
NAMES_THAT_DUCKDB_INTERPRETS = [
    "~notes.db",
    ":memory:notes",
    "md:notes.db",
    "sqlite:notes.db",
    "duckdb:notes.db",
    "file:notes.db",
    "http:notes.db",
]


def save_and_read(path: str | Path) -> None:
    """Use a database as people do: make it, save, close, read, migrate nothing."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
    with DatabaseManager(path, read_only=True) as manager:
        assert GameRepository(manager.conn).list_game_sessions() == [a_session()]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(name: str, tmp_path: Path):
    save_and_read(tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_copied_for_readers(name: str, tmp_path: Path):
    with DatabaseManager(tmp_path / name) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        with DatabaseManager(tmp_path / name, read_only=True) as reader:
            assert reader.is_snapshot
            assert GameRepository(reader.conn).list_game_sessions() == [a_session()]


@pytest.mark.parametrize("name", NAMES_THAT_DUCKDB_INTERPRETS)
def test_names_that_duckdb_would_interpret_are_names(name: str, tmp_path: Path, monkeypatch):
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(folder)
    save_and_read(name)
    assert [p.name for p in folder.iterdir()] == [name]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "home"]
    assert list(home.iterdir()) == []


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    with DatabaseManager("simulation.db") as manager:
        assert manager.db_path == Path("simulation.db")
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        monkeypatch.chdir(elsewhere)
        repo.save_game_session(a_session())
    assert list(elsewhere.iterdir()) == []
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["simulation.db"]
    with DatabaseManager(tmp_path / "simulation.db", read_only=True) as manager:
        assert GameRepository(manager.conn).list_game_sessions() == [a_session()]


def test_a_link_and_its_file_are_one_database(tmp_path: Path):
    file, link = tmp_path / "file.db", tmp_path / "link.db"
    DatabaseManager(file).close()
    link.symlink_to(file)
    with DatabaseManager(link) as one, DatabaseManager(file) as other:
        repos = [GameRepository(one.conn), GameRepository(other.conn)]
        repos[0].initialize_schema()
        repos[0].save_game_session(a_session("through-the-link"))
        repos[1].save_game_session(a_session("through-the-file"))
        for repo in repos:
            assert {s.game_id for s in repo.list_game_sessions()} == {
                "through-the-link",
                "through-the-file",
            }
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file.db", "link.db"]


@pytest.mark.parametrize("read_only", [False, True])
class TestRefused:
    def test_a_missing_folder(self, read_only: bool, tmp_path: Path):
        path = tmp_path / "nowhere" / "simulation.db"
        with pytest.raises(NotADatabaseError, match="there is no folder") as caught:
            DatabaseManager(path, read_only=read_only)
        assert str(path) in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder(self, read_only: bool, tmp_path: Path):
        with pytest.raises(NotADatabaseError, match="is a folder, expected a database file"):
            DatabaseManager(tmp_path, read_only=read_only)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_a_file(self, read_only: bool, tmp_path: Path):
        file = tmp_path / "file.txt"
        file.write_text("text")
        with pytest.raises(NotADatabaseError, match="there is no folder"):
            DatabaseManager(file / "simulation.db", read_only=read_only)
        assert file.read_text() == "text"

    def test_a_device(self, read_only: bool, tmp_path: Path):
        pipe = tmp_path / "pipe.db"
        os.mkfifo(pipe)
        with pytest.raises(NotADatabaseError, match="is not a file, expected a database file"):
            DatabaseManager(pipe, read_only=read_only)

    @pytest.mark.parametrize("name", ["nul\0character.db", "x" * 300 + ".db"], ids=["nul", "long"])
    def test_a_name_that_no_file_can_have(self, name: str, read_only: bool, tmp_path: Path):
        with pytest.raises(NotADatabaseError) as caught:
            DatabaseManager(tmp_path / name, read_only=read_only)
        assert str(tmp_path / name) in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "content",
        [b"game_id,cost\ngame-001,12\n", bytes(range(256)) * 64, b"\0", b"PAR1" * 5000],
        ids=["csv", "binary", "one byte", "parquet"],
    )
    def test_a_file_of_another_kind(self, content: bytes, read_only: bool, db_path: Path):
        db_path.write_bytes(content)
        with pytest.raises(NotADatabaseError, match="is not a DuckDB file") as caught:
            DatabaseManager(db_path, read_only=read_only)
        assert str(db_path) in str(caught.value)
        assert db_path.read_bytes() == content
        assert list(db_path.parent.iterdir()) == [db_path]

    def test_sqlite_at_once_and_without_the_network(
        self, read_only: bool, db_path: Path, tmp_path: Path
    ):
        """DuckDB would look for its SQLite extension in the home folder, then fetch it."""
        with sqlite3.connect(db_path) as conn:
            conn.execute("CREATE TABLE game_sessions (game_id TEXT)")
        conn.close()
        before = db_path.read_bytes()
        # In a process of its own: DuckDB reads the home folder once.
        home = tmp_path / "home"
        home.mkdir()
        said = run(
            "import os, sys\n"
            "os.environ['HOME'] = sys.argv[2]\n"
            "from payment_simulator.errors import NotADatabaseError\n"
            "from payment_simulator.persistence.connection import DatabaseManager\n"
            "try:\n"
            "    DatabaseManager(sys.argv[1], read_only=sys.argv[3] == 'True')\n"
            "except NotADatabaseError as error:\n"
            "    print(error)\n",
            db_path,
            home,
            read_only,
        )
        assert (
            said == f"{db_path} is an SQLite file; nothing was changed. Give the path of a record"
        )
        assert db_path.read_bytes() == before
        assert list(home.iterdir()) == []


@pytest.mark.parametrize("setting", ["autoinstall_known_extensions", "autoload_known_extensions"])
def test_nothing_is_fetched_from_the_network(setting: str, manager: DatabaseManager):
    found = manager.conn.execute("SELECT current_setting(?)", [setting]).fetchall()
    assert found == [(False,)]


def test_an_extension_that_is_not_there_is_not_looked_for(manager: DatabaseManager):
    with pytest.raises(duckdb.Error, match="extension"):
        manager.conn.execute("FROM read_xlsx('nothing.xlsx')")
