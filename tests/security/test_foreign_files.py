"""A stranger's file is data: what else it holds is named by every command, and never run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from payment_simulator.errors import NotADatabaseError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import schema_state
from tests.command_line import payment_sim
from tests.effort import tries
from tests.processes import EXECUTE_AND_DIE, run

GAME = "game-001"
#: Stands in a file of the reader's. Where it appears, SQL of the stranger's has run.
SECRET = "sk-0123456789-of-the-reader"
#: Takes away what keeps the table of steps from being renamed.
_FREE = (
    "DROP INDEX idx_iter_game; DROP INDEX idx_iter_agent; DROP VIEW best_policies; "
    "DROP VIEW acceptance_rates; DROP VIEW cost_trajectory; DROP VIEW parameter_trajectory;"
)
#: What a file may hold: the SQL that puts it there, and how the error is to name it.
FOREIGN = {
    "a view in place of a table": (
        (
            f"{_FREE} ALTER TABLE policy_iterations RENAME TO real_iterations;"
            "CREATE VIEW policy_iterations AS SELECT * REPLACE ("
            "(SELECT content FROM read_text('{secret}')) AS new_policy_json) FROM real_iterations"
        ),
        "view 'policy_iterations'",
    ),
    "a view of ours that reads a file": (
        (
            "DROP VIEW acceptance_rates; CREATE VIEW acceptance_rates AS SELECT "
            "content AS game_id, "
            "'' AS agent_id, 1 AS steps, 1 AS accepted, 0 AS rejected, 0 AS refused, "
            "1.0 AS acceptance_rate FROM read_text('{secret}')"
        ),
        "view 'acceptance_rates'",
    ),
    "a view of ours with another condition": (
        (
            "DROP VIEW best_policies; CREATE VIEW best_policies AS SELECT game_id, agent_id, "
            "iteration_number, new_cost AS cost, new_policy_json AS policy_json "
            "FROM policy_iterations "
            "QUALIFY row_number() OVER (PARTITION BY game_id, agent_id "
            "ORDER BY new_cost, iteration_number) = 1"
        ),
        "view 'best_policies'",
    ),
    "one more view": ("CREATE VIEW extra AS SELECT 1 AS one", "view 'extra'"),
    "a macro called like a function": ("CREATE MACRO abs(x) AS 7", "macro 'abs'"),
    "a macro called like an aggregate": ("CREATE MACRO count(x) AS 3", "macro 'count'"),
    "a macro called like an operator": ('CREATE MACRO "+"(a, b) AS 5', "macro '+'"),
    "a macro of JSON": ("CREATE MACRO json_array_length(x) AS 0", "macro 'json_array_length'"),
    "a macro that hides the tables": (
        "CREATE MACRO duckdb_tables() AS TABLE SELECT 1 AS one",
        "macro 'duckdb_tables'",
    ),
    "macros that hide all": (
        (
            "CREATE MACRO duckdb_functions() AS TABLE SELECT 1 AS one;"
            "CREATE MACRO duckdb_views() AS TABLE SELECT 1 AS one;"
            "CREATE MACRO duckdb_databases() AS TABLE SELECT 'x' AS database_name, NULL AS path;"
            "CREATE MACRO current_database() AS 'system';"
            "CREATE MACRO json_serialize_sql(x) AS '{{}}'"
        ),
        "macro 'current_database'",
    ),
    "a trigger": (
        (
            "CREATE TABLE log (n INTEGER); CREATE TRIGGER sly AFTER INSERT ON game_sessions "
            "FOR EACH STATEMENT INSERT INTO log VALUES (1)"
        ),
        "trigger 'sly'",
    ),
    "a generated column": (
        "CREATE TABLE extra (a INTEGER, b INTEGER GENERATED ALWAYS AS (a + 1) VIRTUAL)",
        "generated column 'b' of table 'extra'",
    ),
    "a default that calls": (
        "CREATE TABLE extra (a VARCHAR DEFAULT current_setting('home_directory'))",
        "default 'a' of table 'extra'",
    ),
    "a check that calls": (
        "CREATE TABLE extra (a INTEGER CHECK (length(repeat('x', a)) > 0))",
        "check \"CHECK((length(repeat('x', a)) > 0))\" of table 'extra'",
    ),
    "an index on an expression": (
        "CREATE TABLE extra (a INTEGER); CREATE INDEX sly ON extra ((a + 1))",
        "index 'sly' of table 'extra'",
    ),
    "a sequence": ("CREATE SEQUENCE sly", "sequence 'sly'"),
    "a type": ("CREATE TYPE sly AS ENUM ('a')", "type 'sly'"),
    "a schema": (
        'CREATE SCHEMA "system"; CREATE TABLE "record"."system".extra (a INTEGER)',
        "schema 'system'",
    ),
}
COMMANDS = {
    "games": ("games", "--db", "FILE"),
    "show": ("show", GAME, "--db", "FILE"),
    "verify": ("verify", GAME, "--db", "FILE"),
    "report": ("report", GAME, "--output", "{folder}/out.html", "--db", "FILE"),
    "compare": ("compare", GAME, GAME, "--db", "FILE"),
    "export": ("export", GAME, "--to", "{folder}/out", "--db", "FILE"),
    "resume": ("resume", GAME, "--db", "FILE"),
    "dashboard": ("dashboard", "--port", "0", "--db", "FILE"),
    "db status": ("db", "status", "FILE"),
    "db check": ("db", "check", "FILE"),
    "db migrate": ("db", "migrate", "FILE"),
    "db copy": ("db", "copy", "FILE", "{folder}/copy.db"),
}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Return a file that only its reader should read."""
    path = tmp_path / "secret"
    path.write_text(SECRET)
    return path


def _said_by_commands(file: Path, folder: Path, names: list[str]) -> dict[str, tuple[int, str]]:
    said = {}
    for name in names:
        words = [word.format(folder=folder) for word in COMMANDS[name]]
        done = payment_sim(*(word if word != "FILE" else file for word in words))
        said[name] = (done.code, done.out + done.err)
    return said


def _commands_for(kind: str) -> list[str]:
    """Return the commands that meet a kind: two in turn, so that each meets some, or all."""
    names, count = list(COMMANDS), tries(2, len(COMMANDS))
    first = count * list(FOREIGN).index(kind)
    return [names[(first + more) % len(names)] for more in range(count)]


def _in_the_newest_format(record: Path) -> None:
    """Write a file anew, in a format that may hold what ours cannot, such as triggers."""
    old = record.rename(record.with_name("old.db"))
    with duckdb.connect(str(record)) as conn:
        conn.execute(f"ATTACH '{old}' AS old (READ_ONLY); COPY FROM DATABASE old TO record")
    old.unlink()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.sampled(9)
@pytest.mark.parametrize("kind", FOREIGN)
def test_commands_refuse_it_by_name(kind: str, record: Path, secret: Path, tmp_path: Path):
    sql, name = FOREIGN[kind]
    _in_the_newest_format(record)
    with duckdb.connect(str(record)) as conn:
        conn.execute(sql.format(secret=secret))
    before = _digest(record)
    made = sorted(tmp_path.iterdir())
    said_by = _said_by_commands(record, tmp_path, _commands_for(kind))
    for command, (code, said) in said_by.items():
        assert code == 2, (command, said)
        assert f"holds the {name} of another program" in said, command
        assert "Give another path" in said, command
        assert said.count("\n") == 1, (command, said)
        assert SECRET not in said, command
    assert _digest(record) == before
    assert sorted(tmp_path.iterdir()) == made
    assert sorted(record.parent.iterdir()) == [record]


@pytest.mark.parametrize(
    "kind", ["a view in place of a table", "macros that hide all", "a trigger"]
)
@pytest.mark.parametrize("read_only", [False, True])
def test_it_is_refused_in_a_log_that_a_crash_left(
    kind: str, read_only: bool, record: Path, secret: Path
):
    _in_the_newest_format(record)
    sql, name = FOREIGN[kind]
    run(EXECUTE_AND_DIE, record, sql.format(secret=secret))
    assert record.with_name("record.db.wal").stat().st_size > 0
    before = _digest(record)
    with pytest.raises(NotADatabaseError, match="of another program") as caught:
        DatabaseManager(record, read_only=read_only)
    assert name in str(caught.value)
    assert SECRET not in str(caught.value)
    assert _digest(record) == before


def test_every_kind_and_every_command_is_tried():
    assert {name for kind in FOREIGN for name in _commands_for(kind)} == set(COMMANDS)


def test_an_import_into_it_is_refused(record: Path, tmp_path: Path):
    assert payment_sim("export", GAME, "--db", record, "--to", tmp_path / "out").code == 0
    target = record.with_name("other.db")
    target.write_bytes(record.read_bytes())
    with duckdb.connect(str(target)) as conn:
        conn.execute("CREATE MACRO json_array(x) AS 7")
    done = payment_sim("import", tmp_path / "out", "--db", target)
    assert (done.code, "macro 'json_array' of another program" in done.err) == (2, True)


def test_a_copy_of_a_writer_with_such_a_thing_is_refused(record: Path):
    with DatabaseManager(record) as writer:
        writer.conn.execute("CREATE VIEW sly AS SELECT 1 AS one")
        with pytest.raises(NotADatabaseError, match=r"record\.db holds the view 'sly'"):
            DatabaseManager(record, read_only=True)


def test_data_of_ones_own_is_welcome(record: Path):
    with duckdb.connect(str(record)) as conn:
        conn.execute(
            "CREATE TABLE notes (game_id VARCHAR PRIMARY KEY, note VARCHAR DEFAULT 'none',"
            " stars INTEGER CHECK (stars BETWEEN 0 AND 5 OR stars IS NULL));"
            "CREATE INDEX idx_notes ON notes (note, stars);"
            "INSERT INTO notes (game_id) VALUES ('one'); COMMENT ON TABLE notes IS 'mine'"
        )
    with DatabaseManager(record, read_only=True) as manager:
        assert manager.conn.execute("FROM notes").fetchall() == [("one", "none", None)]
        assert schema_state(manager.store).written_by is not None
    assert payment_sim("games", "--db", record).code == 0
