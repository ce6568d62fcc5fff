"""Paths that lead to something else than a record: a clear error, and nothing is changed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DamagedDatabaseError, NotADatabaseError
from payment_simulator.persistence.connection import DatabaseManager
from tests.faults.children import try_to_open
from tests.faults.folder import content, names
from tests.faults.history import count_saves, perform_range


def text(path: Path) -> None:
    path.write_text("game_id,agent_id\ngame-001,BANK_A\n" * 1000)


def short_text(path: Path) -> None:
    path.write_text("x")


def sqlite(path: Path) -> None:
    with sqlite3.connect(path) as conn:
        conn.execute("CREATE TABLE game_sessions (game_id TEXT)")
    conn.close()


def other_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as conn:
        conn.execute("CREATE TABLE game_sessions (id INTEGER)")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "file").write_text("kept")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def link_to_nothing(path: Path) -> None:
    path.symlink_to(path.with_name("nothing.db"))


def link_to_text(path: Path) -> None:
    text(path.with_name("text"))
    path.symlink_to(path.with_name("text"))


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


ODD = [
    text, short_text, sqlite, other_duckdb, folder, fifo, device,
    link_to_nothing, link_to_text, link_to_itself,
]  # fmt: skip


@pytest.mark.parametrize("read_only", [True, False], ids=["reading", "writing"])
@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_odd_file(make: Callable[[Path], None], read_only, db_path, start_child):
    make(db_path)
    before = content(db_path.parent)
    # In a child, since opening a FIFO may wait for ever.
    error, message = start_child(try_to_open, db_path, read_only).result()
    assert error == "NotADatabaseError", message
    # By the name it was given, or by that of the file to which it leads.
    assert str(db_path) in message or os.path.realpath(db_path) in message
    assert message.count("give another path") <= 1
    assert content(db_path.parent) == before


@pytest.mark.parametrize("read_only", [True, False])
def test_the_null_device(read_only):
    before = set(names(Path("/dev")))
    with pytest.raises(NotADatabaseError, match="/dev/null"):
        DatabaseManager("/dev/null", read_only=read_only)
    assert set(names(Path("/dev"))) - before == set()


def test_an_empty_file_is_new_to_a_writer(db_path):
    db_path.touch()
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, 3)
    with DatabaseManager(db_path, read_only=True) as manager:
        assert count_saves(GameRepository(manager.conn)) == 3
    assert names(db_path.parent) == [db_path.name]


def test_an_empty_file_is_nothing_to_a_reader(db_path):
    db_path.touch()
    with pytest.raises(NotADatabaseError, match=r"simulation\.db is empty"):
        DatabaseManager(db_path, read_only=True)
    assert content(db_path.parent) == {db_path.name: b""}


def test_a_link_to_a_database(db_path, tmp_path):
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(db_path)
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, 3)
    with DatabaseManager(link) as manager:
        perform_range(GameRepository(manager.conn), 3, 6)
    for path in (db_path, link):
        with DatabaseManager(path, read_only=True) as manager:
            assert count_saves(GameRepository(manager.conn)) == 6
    assert names(link.parent) == [link.name]
    assert names(tmp_path) == ["elsewhere", db_path.name]


@pytest.mark.parametrize("read_only", [True, False])
def test_a_link_to_a_missing_database_whose_log_is_there(read_only, db_path, tmp_path):
    log = tmp_path / "simulation.db.wal"
    log.write_bytes(b"what was saved last")
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(db_path)
    before = content(tmp_path)
    # Either is true of it; what matters is that the log is not thrown away.
    with pytest.raises((NotADatabaseError, DamagedDatabaseError), match=r"(link|simulation)\.db"):
        DatabaseManager(link, read_only=read_only)
    assert content(tmp_path) == before
