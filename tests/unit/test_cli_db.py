"""payment-sim db status, migrate and check."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from payment_simulator import __version__
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import log_path
from payment_simulator.persistence.migrations import SCHEMA_VERSION as CURRENT
from payment_simulator.persistence.sidecar import read_sidecar, sidecar_path
from tests.builders import a_session, an_iteration
from tests.command_line import cells, facts, one_error, payment_sim, tree
from tests.fingerprints import rows_of, schema_of
from tests.migration.first_tool import write_first_tool_file
from tests.processes import WRITER, run, running


@pytest.fixture
def record(db_path: Path) -> Path:
    """Make a file with two games and three steps, one of which was saved twice."""
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        for game in ("game-001", "game-002"):
            repo.save_game_session(a_session(game))
        for number in (1, 2, 3):
            repo.save_policy_iteration(an_iteration(number))
        repo.save_policy_iteration(an_iteration(3, tokens_used=1))
    return db_path


@pytest.fixture
def old(db_path: Path) -> Path:
    """Give a copy of the frozen file of the first tool."""
    write_first_tool_file(db_path)
    return db_path


def n_rows(listed: str) -> dict[str, int]:
    """Return the numbers of rows of all tables that ``db status`` prints."""
    filled, _, empty = listed.partition("Without rows: ")
    rows = cells(filled.partition("rows")[2])
    return {
        **{table: int(number.replace(",", "")) for table, number in rows},
        **dict.fromkeys(empty.strip(".\n").split(", "), 0),
    }


class TestStatus:
    def test_of_a_record(self, record: Path):
        before = tree(record.parent)
        outcome = payment_sim("db", "status", record)
        assert (outcome.code, outcome.err) == (0, "")
        said = facts(outcome.out)
        assert said["file"] == [str(record)]
        assert said["size"] == [f"{record.stat().st_size:,} bytes"]
        assert said["schema version"] == [f"{CURRENT} (the newest)"]
        assert said["tables made by"] == [f"payment-simulator {__version__}"]
        assert said["open for writing"] == ["no"]
        assert "note" not in said
        table, _, without_rows = outcome.out.partition("Without rows: ")
        assert "bank_states" in without_rows
        assert n_rows(table + "Without rows: none") == {
            "none": 0,
            "game_sessions": 2,
            "policy_iterations": 3,
            "schema_ledger": 1,
            "superseded_records": 1,
        }
        assert tree(record.parent) == before

    def test_json_says_the_same(self, record: Path):
        outcome = payment_sim("db", "status", record, "--json")
        assert (outcome.code, outcome.err) == (0, "")
        found = json.loads(outcome.out)
        rows = found.pop("rows")
        assert rows == n_rows(payment_sim("db", "status", record).out)
        assert found == {
            "file": str(record),
            "bytes": record.stat().st_size,
            "log_bytes": 0,
            "origin": "ours",
            "schema_version": CURRENT,
            "current_version": CURRENT,
            "written_by": __version__,
            "writer": None,
            "notes": [],
        }

    def test_of_an_older_file(self, old: Path):
        before = tree(old.parent)
        said = facts(payment_sim("db", "status", old).out)
        assert said["schema version"] == [f"none ({CURRENT} is the newest)"]
        assert said["tables made by"] == ["the first tool of this kind"]
        assert ["payment-sim db migrate" in note for note in said["note"]] == [True]
        assert tree(old.parent) == before

    def test_of_a_database_without_tables(self, db_path: Path):
        DatabaseManager(db_path).close()
        found = json.loads(payment_sim("db", "status", db_path, "--json").out)
        assert (found["origin"], found["schema_version"], found["rows"]) == ("empty", 0, {})
        assert "older" not in " ".join(found["notes"])
        shown = payment_sim("db", "status", db_path).out
        assert facts(shown)["tables made by"] == ["nobody yet"]
        assert "rows" not in shown

    def test_while_another_process_writes(self, db_path: Path):
        with running(WRITER, db_path) as process:
            said = facts(payment_sim("db", "status", db_path).out)
            found = json.loads(payment_sim("db", "status", db_path, "--json").out)
            assert found["writer"]["pid"] == process.pid
            since = datetime.fromisoformat(found["writer"]["since"])
            assert said["open for writing"] == [
                f"by process {process.pid} since {since:%Y-%m-%d %H:%M} (UTC)"
            ]
            assert "note" not in said
            assert found["rows"]["game_sessions"] == found["rows"]["policy_iterations"] == 1
            assert found["notes"] == []
        assert facts(payment_sim("db", "status", db_path).out)["open for writing"] == ["no"]

    def test_while_a_process_writes_that_does_not_answer(self, held):
        pid, path = held
        assert f"process {pid}" in one_error(payment_sim("db", "status", path), code=1)

    @pytest.mark.skipif(os.name == "nt", reason="a killed process leaves its log on POSIX alone")
    def test_after_the_writer_was_killed(self, db_path: Path):
        with running(WRITER, db_path) as process:
            process.kill()
            process.wait()
        found = json.loads(payment_sim("db", "status", db_path, "--json").out)
        assert found["writer"] is None
        assert found["rows"]["policy_iterations"] == 1
        assert found["log_bytes"] == log_path(db_path).stat().st_size > 0
        notes = facts(payment_sim("db", "status", db_path).out)["note"]
        assert notes == found["notes"]
        assert len(notes) == 1
        assert f"process {process.pid}, has ended" in notes[0]

        log_path(db_path).unlink()
        notes = facts(payment_sim("db", "status", db_path).out)["note"]
        assert f"there is no {log_path(db_path).name}" in notes[-1]

        with DatabaseManager(db_path):
            pass
        assert "last writer" not in payment_sim("db", "status", db_path).out

    def test_number_of_the_last_writer_belongs_to_another_process_now(self, record: Path):
        entry = {"pid": os.getpid(), "port": 1, "token": "0", "since": "2026-01-02T03:04:05"}
        sidecar_path(record).write_text(json.dumps(entry))
        assert read_sidecar(record) is not None
        said = facts(payment_sim("db", "status", record).out)
        assert said["open for writing"] == ["no"]
        assert f"process {os.getpid()}, writes it no longer" in said["note"][0]


class TestMigrate:
    def test_an_older_file_and_names_the_copy(self, old: Path):
        before = old.read_bytes()
        outcome = payment_sim("db", "migrate", old)
        assert (outcome.code, outcome.err) == (0, "")
        said = re.fullmatch(
            rf"(.+): schema version 0 -> {CURRENT}; the file as it was: (.+)\n", outcome.out
        )
        assert said is not None, outcome.out
        assert said[1] == str(old)
        copy = Path(said[2])
        assert copy.parent == old.parent
        (old.parent / "was.db").write_bytes(before)
        with (
            duckdb.connect(str(copy), read_only=True) as kept,
            duckdb.connect(str(old.parent / "was.db"), read_only=True) as was,
            duckdb.connect(str(old), read_only=True) as now,
        ):
            assert (schema_of(kept), rows_of(kept)) == (schema_of(was), rows_of(was))
            rows = rows_of(now)
            assert {table: rows[table] for table in rows_of(was)} == rows_of(was)
        found = json.loads(payment_sim("db", "status", old, "--json").out)
        assert (found["origin"], found["schema_version"]) == ("ours", CURRENT)

    def test_json(self, old: Path):
        found = json.loads(payment_sim("db", "migrate", old, "--json").out)
        assert Path(found.pop("copy")).is_file()
        assert found == {"file": str(old), "from": 0, "to": CURRENT, "kept": []}
        again = json.loads(payment_sim("db", "migrate", old, "--json").out)
        assert again == {"file": str(old), "from": CURRENT, "to": CURRENT, "copy": None, "kept": []}

    def test_a_current_file_is_left_alone(self, record: Path):
        before = tree(record.parent)
        outcome = payment_sim("db", "migrate", record)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == f"{record} has schema version {CURRENT} already.\n"
        assert tree(record.parent) == before

    def test_a_database_without_tables_gets_them(self, db_path: Path):
        DatabaseManager(db_path).close()
        outcome = payment_sim("db", "migrate", db_path)
        assert outcome.out == f"{db_path}: schema version 0 -> {CURRENT}\n"
        assert payment_sim("db", "check", db_path).out == f"{db_path}: 0 faults, 0 notes\n"

    def test_of_a_file_that_another_process_writes(self, held):
        pid, path = held
        assert f"process {pid}" in one_error(payment_sim("db", "migrate", path), code=1)


class TestCheck:
    def test_a_clean_record(self, record: Path):
        before = tree(record.parent)
        outcome = payment_sim("db", "check", record)
        assert outcome.code == 0
        assert (outcome.out, outcome.err) == (f"{record}: 0 faults, 0 notes\n", "")
        found = json.loads(payment_sim("db", "check", record, "--json").out)
        assert found == {"file": str(record), "faults": 0, "findings": []}
        assert tree(record.parent) == before

    def test_names_each_fault_and_fails(self, record: Path):
        with duckdb.connect(str(record)) as conn:
            conn.execute("UPDATE policy_iterations SET new_cost = 1201 WHERE iteration_number = 2")
            conn.execute("UPDATE game_sessions SET status = 'paused' WHERE game_id = 'game-002'")
            conn.execute("DELETE FROM policy_iterations WHERE iteration_number = 1")
        before = tree(record.parent)
        outcome = payment_sim("db", "check", record)
        assert (outcome.code, outcome.err) == (1, "")
        assert outcome.out.endswith(f"\n{record}: 2 faults, 1 note\n")
        faults = [row for row in cells(outcome.out) if row[0] == "fault"]
        assert [fault[1:3] for fault in faults] == [
            ["game_sessions", "game_id='game-002'"],
            ["policy_iterations", "game_id='game-001',"],
        ]
        found = payment_sim("db", "check", record, "--json")
        assert (found.code, found.err) == (1, "")
        answer = json.loads(found.out)
        assert (answer["file"], answer["faults"]) == (str(record), 2)
        assert [f["is_fault"] for f in answer["findings"]] == [True, True, False]
        for finding in answer["findings"]:
            assert set(finding) == {"table", "row", "problem", "is_fault"}
            assert finding["problem"] in outcome.out
        assert tree(record.parent) == before

    def test_notes_alone_are_no_failure(self, old: Path):
        with duckdb.connect(str(old)) as conn:
            conn.execute("DELETE FROM policy_iterations")
            conn.execute("DELETE FROM game_sessions WHERE status <> 'running'")
            conn.execute("UPDATE game_sessions SET config_json = '{}'")
        outcome = payment_sim("db", "check", old)
        assert outcome.code == 0
        assert outcome.out.endswith(": 0 faults, 1 note\n")
        assert "payment-sim db migrate" in outcome.out

    def test_of_a_file_that_another_process_writes(self, db_path: Path):
        with running(WRITER, db_path):
            outcome = payment_sim("db", "check", db_path)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == f"{db_path}: 0 faults, 0 notes\n"


class TestCopy:
    def test_is_a_record_of_the_same_rows(self, record: Path):
        before, target = record.read_bytes(), record.with_name("copy.db")
        outcome = payment_sim("db", "copy", record, target)
        assert (outcome.code, outcome.err) == (0, "")
        size = target.stat().st_size
        assert outcome.out == f"{record} is copied to {target} ({size:,} bytes).\n"
        assert record.read_bytes() == before
        with (
            duckdb.connect(str(record), read_only=True) as original,
            duckdb.connect(str(target), read_only=True) as copied,
        ):
            assert rows_of(copied) == rows_of(original)
            assert schema_of(copied) == schema_of(original)
        assert set(tree(record.parent)) == {record.name, target.name}

    def test_json(self, record: Path):
        target = record.with_name("copy.db")
        found = json.loads(payment_sim("db", "copy", record, target, "--json").out)
        size = target.stat().st_size
        assert found == {"file": str(record), "copy": str(target), "bytes": size}

    def test_of_a_file_that_another_process_writes(self, db_path: Path):
        target = db_path.with_name("copy.db")
        with running(WRITER, db_path):
            assert payment_sim("db", "copy", db_path, target).code == 0
        assert payment_sim("db", "check", target).out == f"{target}: 0 faults, 0 notes\n"
        assert len(json.loads(payment_sim("games", "--db", target, "--json").out)) == 1

    @pytest.mark.parametrize("content", [b"", b"mine"], ids=["empty", "not empty"])
    def test_never_replaces_a_file(self, content: bytes, record: Path):
        target = record.with_name("copy.db")
        target.write_bytes(content)
        before = tree(record.parent)
        said = one_error(payment_sim("db", "copy", record, target))
        assert said.startswith(f"{target} is there already")
        assert "there already" in one_error(payment_sim("db", "copy", record, record))
        assert tree(record.parent) == before

    def test_never_takes_a_log_for_its_own(self, record: Path):
        log_path(record.with_name("copy.db")).write_bytes(b"of another file")
        before = tree(record.parent)
        said = one_error(payment_sim("db", "copy", record, record.with_name("copy.db")))
        assert "copy.db.wal is there" in said
        assert tree(record.parent) == before

    def test_into_a_folder_that_is_not_there(self, record: Path):
        target = record.parent / "missing" / "copy.db"
        assert "there is no folder" in one_error(payment_sim("db", "copy", record, target))

    def test_clears_what_a_killed_copy_left(self, record: Path):
        ended = run("from payment_simulator.persistence.leftovers import maker; print(maker())")
        for name in (f".copy.db.{ended}.new", f".copy.db.{ended}.new.wal"):
            record.with_name(name).write_bytes(b"half")
        payment_sim("db", "copy", record, record.with_name("copy.db"))
        assert set(tree(record.parent)) == {record.name, "copy.db"}
