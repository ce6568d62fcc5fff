"""Every command of payment-sim, given what is no record: one line, exit code 2, nothing written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from tests.builders import a_session
from tests.command_line import one_error, payment_sim, payment_sim_process, tree

GAME = str(Path(__file__).parents[2] / "examples" / "games" / "two_period.yaml")
COMMANDS = {
    "play": ["play", GAME, "--db"],
    "resume": ["resume", "game-001", "--db"],
    "verify": ["verify", "game-001", "--db"],
    "games": ["games", "--db"],
    "show": ["show", "game-001", "--db"],
    "status": ["db", "status"],
    "migrate": ["db", "migrate"],
    "check": ["db", "check"],
}


def text(path: Path) -> None:
    path.write_text("game,cost\n" * 1000)


def sqlite(path: Path) -> None:
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE game_sessions (game_id TEXT)")
    conn.commit()
    conn.close()


def of_another_program(path: Path) -> None:
    with duckdb.connect(str(path)) as conn:
        conn.execute("CREATE TABLE measurements AS SELECT 42 AS value")


def of_another_program_with_a_log(path: Path) -> None:
    of_another_program(path)
    with duckdb.connect(str(path)) as conn:
        conn.execute("PRAGMA disable_checkpoint_on_shutdown")
        conn.execute("INSERT INTO measurements VALUES (43)")
    assert log_path(path).stat().st_size > 0


def with_columns_of_its_own(path: Path) -> None:
    with duckdb.connect(str(path)) as conn:
        conn.execute("CREATE TABLE game_sessions (game_id VARCHAR, score INTEGER)")
        conn.execute("CREATE TABLE policy_iterations (game_id VARCHAR)")


def a_record(path: Path) -> None:
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())


def newer(path: Path) -> None:
    a_record(path)
    with duckdb.connect(str(path)) as conn:
        conn.execute("INSERT INTO schema_ledger VALUES (999, '', now(), '9.8.7')")


def newer_with_a_log(path: Path) -> None:
    a_record(path)
    with duckdb.connect(str(path)) as conn:
        conn.execute("PRAGMA disable_checkpoint_on_shutdown")
        conn.execute("INSERT INTO schema_ledger VALUES (999, '', now(), '9.8.7')")
    assert log_path(path).stat().st_size > 0


def without_a_version(path: Path) -> None:
    a_record(path)
    with duckdb.connect(str(path)) as conn:
        conn.execute("DELETE FROM schema_ledger")


def cut_off(path: Path) -> None:
    a_record(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])


def a_log_alone(path: Path) -> None:
    log_path(path).write_bytes(b"what was saved last")


#: What lies at the path, and a word of what is said about it.
FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (text, "not a DuckDB file"),
    "one byte": (lambda path: path.write_bytes(b"x"), "not a DuckDB file"),
    "folder": (Path.mkdir, "a folder"),
    "SQLite": (sqlite, "SQLite"),
    "another program's": (of_another_program, "another program"),
    "another program's with a log": (of_another_program_with_a_log, "another program"),
    "tables of the same name": (with_columns_of_its_own, "another program"),
    "newer": (newer, "Install payment-simulator 9.8.7"),
    "newer with a log": (newer_with_a_log, "Install payment-simulator 9.8.7"),
    "no version": (without_a_version, "its version is unknown"),
    "cut off": (cut_off, "Put back a copy of the file"),
    "log alone": (a_log_alone, "its log"),
}


def refused(command: list[str], path: Path) -> str:
    """Return the one line that a command fails with, having left the folder as it was."""
    before = tree(path.parent)
    said = one_error(payment_sim(*command, path))
    assert tree(path.parent) == before
    assert path.name in said
    return said


@pytest.mark.sampled(24)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_record(kind: str, command: list[str], db_path: Path):
    make, said = FILES[kind]
    make(db_path)
    assert said in refused(command, db_path)


@pytest.mark.sampled(10)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("name", ["data.csv", "data.tsv", "data.json", "data.parquet"])
def test_a_file_of_data(name: str, command: list[str], tmp_path: Path):
    """DuckDB 2.0 would read it into a database in memory."""
    path = tmp_path / name
    if path.suffix == ".parquet":
        duckdb.sql("SELECT 1 AS game").write_parquet(str(path))
    else:
        path.write_text('[{"game": 1}]' if path.suffix == ".json" else "game\tcost\n1\t2\n")
    said = refused(command, path)
    assert said == f"{path} is not a DuckDB file; nothing was changed. Give the path of a record"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("given", "said"),
    [("", "it is empty"), (" ", "it is empty"), (":memory:", "would be gone")],
    ids=repr,
)
def test_what_names_no_file(given: str, said: str, command: list[str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refusal = one_error(payment_sim(*command, given))
    assert said in refusal
    assert ("'--db'" if "--db" in command else "'FILE'") in refusal
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_its_option(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    a_record(tmp_path / "mine.db")
    for command in (["games"], ["show", "game-001"], ["verify", "game-001"]):
        assert ". To name the database: --db mine.db. " in one_error(
            payment_sim(*command, "mine.db")
        )
    for command in (["games", "other.db"], ["db", "check", "mine.db", "mine.db"]):
        assert "To name" not in one_error(payment_sim(*command))


@pytest.mark.parametrize("arguments", [["game"], ["games", "--dbb", "x"], ["--hepl"]], ids=str)
def test_a_mistyped_word_gets_the_nearest_without_two_full_stops(arguments: list[str]):
    said = one_error(payment_sim(*arguments))
    assert "?." not in said
    assert ".." not in said
    assert "Did you mean" in said or "Possible options" in said


#: A game makes the file that it is given.
READING = {name: command for name, command in COMMANDS.items() if name != "play"}


@pytest.mark.parametrize("command", READING.values(), ids=READING)
@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_file_that_is_not_there(content: bytes | None, command: list[str], db_path: Path):
    if content is not None:
        db_path.write_bytes(content)
    assert "give the path of a record" in refused(command, db_path)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_folder_that_is_not_there(command: list[str], tmp_path: Path):
    refused(command, tmp_path / "missing" / "simulation.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    "name",
    ["a" * 300, "new\nline.db", "esc\x1b[31m.db", "rtl\u202egnp.db"],
    ids=["longer than a file's may be", "new line", "terminal escape", "right to left"],
)
def test_a_name_that_is_hard_to_show(name: str, command: list[str], tmp_path: Path):
    path = tmp_path / "missing" / name
    said = one_error(payment_sim(*command, path))
    assert said.isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["unknown"],
        ["db", "unknown"],
        ["--unknown", "games"],
        ["show"],
        ["db", "status"],
        ["db", "check", "one.db", "two.db"],
        ["games", "--db"],
        ["games", "--limit", "1.5"],
        ["games", "surplus\x1b[31m\nargument"],
    ],
    ids=ascii,
)
def test_wrong_usage(arguments: list[str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = one_error(payment_sim(*arguments))
    assert "--help" in said
    assert said.isprintable()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_traceback_of_a_process(command: list[str], db_path: Path):
    text(db_path)
    outcome = payment_sim_process(*command, db_path)
    assert one_error(outcome) == refused(command, db_path)
