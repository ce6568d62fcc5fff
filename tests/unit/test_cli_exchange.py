"""``payment-sim export`` and ``payment-sim import``, as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.command_line import cells, one_error, payment_sim, tree
from tests.migration.first_tool import SCHEMA
from tests.processes import WRITER, running


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a record of two games."""
    monkeypatch.chdir(tmp_path)
    with DatabaseManager("simulation.db") as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for name in ("one", "two"):
            repo.save_game_session(a_session(name))
            repo.save_policy_iteration(an_iteration(game_id=name))
    return tmp_path


def refused(here: Path, *arguments: object) -> str:
    """Return the message of a command that changes nothing."""
    before = tree(here)
    message = one_error(payment_sim(*arguments))
    assert tree(here) == before
    return message


@pytest.mark.parametrize("file_format", ["parquet", "csv", "json"])
def test_there_and_back(file_format: str, here: Path) -> None:
    done = payment_sim("export", "one", "two", "--to", "out", "--format", file_format)
    assert done.code == 0, done
    assert f"one, two: exported to out as {file_format} (4 rows, " in done.out
    assert "payment-sim import out" in done.out
    done = payment_sim("import", "out", "--db", "new.db")
    assert done.out.startswith("Added to new.db: one, two (4 rows)\n")
    assert "payment-sim verify one --db new.db" in done.out
    done = payment_sim("import", "out", "--db", "new.db")
    assert done.out == "In new.db already, and the same: one, two\n"
    assert sorted(p.name for p in here.iterdir()) == ["new.db", "out", "simulation.db"]
    listed = payment_sim("games", "--db", "new.db")
    assert {"one", "two"} <= {line[0] for line in cells(listed.out)}


def test_json(here: Path) -> None:
    done = payment_sim("export", "one", "--to", "out", "--json")
    found = json.loads(done.out)
    assert found["games"] == ["one"]
    assert found["format"] == "parquet"
    assert {table: n for table, n in found["rows"].items() if n} == {
        "game_sessions": 1,
        "policy_iterations": 1,
    }
    assert found["bytes"] == sum(p.stat().st_size for p in (here / "out").rglob("*.*"))
    done = payment_sim("import", "out", "--db", "new.db", "--json")
    assert json.loads(done.out) == {
        "database": "new.db",
        "added": ["one"],
        "already_there": [],
        "rows": 2,
    }


def test_the_usual_database(here: Path) -> None:
    payment_sim("export", "one", "--to", "out")
    (here / "simulation.db").unlink()
    assert payment_sim("import", "out").out.startswith("Added to simulation.db: one (2 rows)")
    assert payment_sim("import", "out", PAYMENT_SIM_DB="other.db").code == 0
    assert (here / "other.db").exists()


def test_what_is_there_is_replaced_only_when_told_and_only_if_it_is_an_export(here: Path) -> None:
    payment_sim("export", "one", "--to", "out")
    assert "--force" in refused(here, "export", "two", "--to", "out")
    assert payment_sim("export", "two", "--to", "out", "--force").code == 0
    assert json.loads((here / "out/manifest.json").read_text())["games"] == ["two"]
    (here / "out/notes.txt").write_text("mine")
    assert "notes.txt" in refused(here, "export", "two", "--to", "out", "--force")
    (here / "mine").mkdir()
    (here / "mine/thesis.tex").write_text("x")
    assert "is not replaced" in refused(here, "export", "two", "--to", "mine", "--force")
    (here / "mine/manifest.json").write_text('{"format": "another"}')
    assert "is not replaced" in refused(here, "export", "two", "--to", "mine", "--force")


def test_an_empty_folder_is_used_and_a_link_is_followed(here: Path) -> None:
    (here / "empty").mkdir()
    (here / "link").symlink_to("empty")
    assert payment_sim("export", "one", "--to", "link").code == 0
    assert (here / "link").is_symlink()
    assert (here / "empty/manifest.json").exists()
    assert payment_sim("import", "link", "--db", "new.db").code == 0


@pytest.mark.sampled(9)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "on", "--to", "out"], "game 'on' is not in the record; nearest: one"),
        (["export", "--to", "out"], "Missing argument 'GAME...'"),
        (["export", "one"], "Missing option '--to'"),
        (["export", "one", "--to", ""], "it is empty"),
        (["export", "one", "--to", "."], "the folder where you are"),
        (["export", "one", "--to", "simulation.db"], "is a file"),
        (["export", "one", "--to", "simulation.db/out"], "there is no folder"),
        (["export", "one", "--to", "none/out"], "there is no folder"),
        (["export", "one", "--to", "a" * 250], "cannot be written (File name too long)"),
        (["export", "one", "--to", "out", "--format", "xml"], "'xml' is not one of: parquet"),
        (["export", "one", "--to", "out", "--db", "none.db"], "does not exist"),
        (["export", "one", "--to", "out", "--db", "folder"], "is a folder"),
        (["export", "one", "--to", "out", "--db", "empty"], "is empty"),
        (["export", "one", "--to", "out", "--db", "text"], "not a DuckDB file"),
        (["export", "one", "--to", "out", "--db", "other.db"], "of another program"),
        (["export", "one", "--to", "out", "--db", "newer.db"], "schema version 99"),
        (["import"], "Missing argument 'DIR'"),
        (["import", ""], "it is empty"),
        (["import", "none"], "none is not there"),
        (["import", "text"], "text is not a folder"),
        (["import", "folder"], "folder has no manifest.json"),
        (["import", "good", "--db", "folder"], "is a folder"),
        (["import", "good", "--db", "none/x.db"], "there is no folder"),
        (["import", "good", "--db", "text"], "not a DuckDB file"),
        (["import", "good", "--db", "other.db"], "of another program"),
        (["import", "good", "--db", "newer.db"], "schema version 99"),
        (["import", "good", "--db", ":memory:"], "would be gone"),
        (["import", "good"], "game 'one' is in the record already, with other content"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    arguments: list[str], said: str, here: Path
) -> None:
    payment_sim("export", "one", "--to", "good")
    (here / "folder").mkdir()
    (here / "empty").write_text("")
    (here / "text").write_text("not a database, and rather long for one" * 99)
    with duckdb.connect("other.db") as conn:
        conn.execute("CREATE TABLE mine (a INTEGER)")
    with DatabaseManager("newer.db") as manager:
        manager.setup()
        manager.conn.execute("UPDATE schema_ledger SET version = 99 WHERE version = 1")
    with DatabaseManager("simulation.db") as manager:
        manager.conn.execute("UPDATE policy_iterations SET tokens_used = 7")
    assert said in refused(here, *arguments)


def test_a_damaged_record(here: Path) -> None:
    payment_sim("export", "one", "--to", "good")
    data = bytearray((here / "simulation.db").read_bytes())
    data[4096:20480] = bytes(16384)
    (here / "damaged.db").write_bytes(data)
    refused(here, "export", "one", "--to", "out", "--db", "damaged.db")
    refused(here, "import", "good", "--db", "damaged.db")


def test_a_record_of_the_first_tool_is_adopted_first(here: Path) -> None:
    with duckdb.connect("old.db") as conn:
        conn.execute(SCHEMA)
    message = refused(here, "export", "one", "--to", "out", "--db", "simulation.db2")
    assert "does not exist" in message
    payment_sim("export", "one", "--to", "out")
    done = payment_sim("import", "out", "--db", "old.db")
    assert done.code == 0, done
    assert payment_sim("show", "one", "--db", "old.db").code == 0


def test_a_record_that_is_being_written(here: Path) -> None:
    with running(WRITER, here / "busy.db") as process:
        done = payment_sim("export", "none", "--to", "out", "--db", "busy.db")
        assert "game 'none' is not in the record" in one_error(done)
        payment_sim("export", "one", "--to", "good")
        message = one_error(payment_sim("import", "good", "--db", "busy.db"), code=1)
        assert f"held by process {process.pid}" in message


@pytest.mark.usefixtures("here")
def test_names_that_would_act_on_a_terminal() -> None:
    name = "\x1b[31mred\u202e"
    with DatabaseManager("simulation.db") as manager:
        GameRepository(manager.conn).save_game_session(a_session(name))
    for command in (("export", name, "--to", "out"), ("import", "out", "--db", "new.db")):
        done = payment_sim(*command)
        assert done.code == 0, done
        assert r"\x1b[31mred\u202e" in done.out
        assert all(c.isprintable() or c == "\n" for c in done.out)
