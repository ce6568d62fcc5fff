"""Readers beside a writer: a consistent copy, for those who know the token, from loopback."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DatabaseBusyError, DatabaseError, DatabaseFullError
from payment_simulator.persistence import serving
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar, sidecar_path
from payment_simulator.persistence.snapshot import fetch_snapshot
from tests.builders import a_session, an_iteration
from tests.fingerprints import rows_of, schema_of
from tests.processes import WRITER, run, running

#: How long a wait may take that ends at once unless something is wrong.
HANGS_AFTER_SECONDS = 60

#: Looks at a database several times; prints whether it was a copy, and steps by agent.
LOOK = """
import sys
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
for _ in range(int(sys.argv[2])):
    with DatabaseManager(sys.argv[1], read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("game-001")
        of = {agent: [s.iteration_number for s in steps if s.agent_id == agent]
              for agent in ("BANK_A", "BANK_B")}
        assert of["BANK_A"] == list(range(1, len(of["BANK_A"]) + 1)), of
        print(manager.is_snapshot, len(of["BANK_A"]), len(of["BANK_B"]))
"""


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> Path:
    """Return the folder that this process makes temporary files in."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def writer(repo: GameRepository, db_path: Path) -> Sidecar:
    """Return who writes a database with a game and a step: this process."""
    repo.save_game_session(a_session())
    repo.save_policy_iteration(an_iteration())
    entry = read_sidecar(db_path)
    assert entry is not None
    return entry


def test_another_process_reads_while_this_one_writes(repo: GameRepository, db_path: Path):
    repo.save_game_session(a_session())
    reader_is_done = threading.Event()

    def write() -> int:
        number = 0
        while not reader_is_done.is_set():
            number += 1
            with repo.transaction():
                repo.save_policy_iteration(an_iteration(number))
                repo.save_policy_iteration(an_iteration(number, agent_id="BANK_B"))
        return number

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(write)
        try:
            looks = [line.split() for line in run(LOOK, db_path, 4).splitlines()]
        finally:
            reader_is_done.set()
    assert [is_snapshot for is_snapshot, _, _ in looks] == ["True"] * 4
    counts = [(int(of_a), int(of_b)) for _, of_a, of_b in looks]
    assert all(of_a == of_b for of_a, of_b in counts)
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert len(repo.get_policy_iterations("game-001")) == 2 * written.result()


def test_this_process_reads_what_another_writes(db_path: Path):
    with (
        running(WRITER, db_path),
        DatabaseManager(db_path, read_only=True) as manager,
    ):
        assert manager.is_snapshot
        assert manager.db_path == db_path
        repo = GameRepository(manager.conn)
        assert repo.list_game_sessions() == [a_session()]
        assert repo.get_policy_iterations("game-001") == [an_iteration()]
    with DatabaseManager(db_path, read_only=True) as manager:
        assert not manager.is_snapshot


def test_a_copy_is_of_its_moment(repo: GameRepository, db_path: Path):
    with DatabaseManager(db_path, read_only=True) as manager:
        repo.save_game_session(a_session())
        assert GameRepository(manager.conn).list_game_sessions() == []
    with DatabaseManager(db_path, read_only=True) as manager:
        assert GameRepository(manager.conn).list_game_sessions() == [a_session()]


def test_a_transaction_under_way_is_not_in_a_copy(
    writer: Sidecar, repo: GameRepository, tmp_path: Path
):
    with repo.transaction():
        repo.save_game_session(a_session("unfinished"))
        assert fetch_snapshot(writer, tmp_path / "copy.db")
    with DatabaseManager(tmp_path / "copy.db", read_only=True) as manager:
        assert GameRepository(manager.conn).list_game_sessions() == [a_session()]


@pytest.mark.usefixtures("writer")
def test_a_copy_equals_the_original(manager: DatabaseManager, repo: GameRepository, db_path: Path):
    repo.save_game_session(a_session(status="completed", final_cost=-0.0))
    repo.save_game_session(a_session("ünï 'quoted' 🏦\0", final_cost=5e-324))
    with DatabaseManager(db_path, read_only=True) as reader:
        assert schema_of(reader.conn) == schema_of(manager.conn)
        assert rows_of(reader.conn) == rows_of(manager.conn)
        assert len(schema_of(reader.conn)["indexes"]) == 5


class TestTemporaryFiles:
    @pytest.mark.usefixtures("writer")
    def test_go_with_the_reader(self, db_path: Path, scratch: Path):
        reader = DatabaseManager(db_path, read_only=True)
        assert len(list(scratch.iterdir())) == 1
        assert [p.stat().st_mode & 0o077 for p in scratch.iterdir()] == [0]
        reader.close()
        assert list(scratch.iterdir()) == []
        reader.close()

    @pytest.mark.usefixtures("writer")
    def test_go_with_a_reader_that_is_forgotten(self, db_path: Path, scratch: Path):
        reader = DatabaseManager(db_path, read_only=True)
        assert len(list(scratch.iterdir())) == 1
        del reader
        assert list(scratch.iterdir()) == []

    @pytest.mark.usefixtures("writer")
    def test_go_with_the_readers_process(self, db_path: Path, tmp_path: Path):
        scratch = tmp_path / "scratch of a child"
        scratch.mkdir()
        said = run(
            "import os, sys, tempfile\n"
            "tempfile.tempdir = sys.argv[2]\n"
            "from payment_simulator.persistence.connection import DatabaseManager\n"
            "manager = DatabaseManager(sys.argv[1], read_only=True)\n"
            "print(len(os.listdir(sys.argv[2])))\n",
            db_path,
            scratch,
        )
        assert said == "1"
        assert list(scratch.iterdir()) == []

    def test_go_when_the_copy_is_refused(self, db_path: Path, scratch: Path, monkeypatch):
        def fail(*_: object) -> None:
            raise DatabaseFullError("the disk is full, at least here")

        monkeypatch.setattr(serving, "copy_database", fail)
        with (
            DatabaseManager(db_path),
            pytest.raises(DatabaseError, match="the disk is full, at least here") as caught,
        ):
            DatabaseManager(db_path, read_only=True)
        assert f"PID {os.getpid()}" in str(caught.value)
        assert list(scratch.iterdir()) == []


class TestBusy:
    def test_a_writer_that_does_not_serve_is_named(self, held: tuple[int, Path]):
        pid, path = held
        with pytest.raises(DatabaseBusyError) as caught:
            DatabaseManager(path, read_only=True, busy_seconds=0.1)
        assert f"{path} is held by process {pid} (" in str(caught.value)
        assert "it does not answer readers, so wait until it ends" in str(caught.value)

    def test_a_second_writer_is_told_what_to_do(self, held: tuple[int, Path]):
        pid, path = held
        with pytest.raises(DatabaseBusyError) as caught:
            DatabaseManager(path, busy_seconds=0.1)
        assert f"{path} is held by process {pid} (" in str(caught.value)
        assert "reading is possible meanwhile (read_only=True)" in str(caught.value)

    def test_a_reader_beside_a_silent_writer_in_this_process(self, db_path: Path):
        with DatabaseManager(db_path, serve=False):
            with pytest.raises(DatabaseBusyError, match="open in this process already") as caught:
                DatabaseManager(db_path, read_only=True, busy_seconds=0)
            assert str(db_path) in str(caught.value)

    def test_a_writer_beside_a_reader_in_this_process(self, db_path: Path):
        DatabaseManager(db_path).close()
        with DatabaseManager(db_path, read_only=True):
            with pytest.raises(DatabaseBusyError, match="open in this process already"):
                DatabaseManager(db_path, busy_seconds=0)
            assert not sidecar_path(db_path).exists()

    def test_a_file_that_is_soon_free_is_waited_for(self, db_path: Path):
        with running(WRITER, db_path, "serve=False") as process:
            assert process.stdin is not None
            process.stdin.write("end\n")
            process.stdin.flush()
            with DatabaseManager(db_path, busy_seconds=HANGS_AFTER_SECONDS) as manager:
                assert GameRepository(manager.conn).list_game_sessions() == [a_session()]


def test_a_writer_that_closes_does_not_wait_for_a_copy(db_path: Path, monkeypatch, tmp_path):
    copying, go_on = threading.Event(), threading.Event()
    real_copy = serving.copy_database

    def slow_copy(*arguments: object) -> None:
        copying.set()
        assert go_on.wait(HANGS_AFTER_SECONDS)
        real_copy(*arguments)

    monkeypatch.setattr(serving, "copy_database", slow_copy)
    manager = DatabaseManager(db_path)
    repo = GameRepository(manager.conn)
    repo.initialize_schema()
    repo.save_game_session(a_session())
    entry = read_sidecar(db_path)
    assert entry is not None
    with ThreadPoolExecutor(2) as pool:
        fetched = pool.submit(fetch_snapshot, entry, tmp_path / "copy.db")
        assert copying.wait(HANGS_AFTER_SECONDS)
        closed = pool.submit(manager.close)
        # The sidecar goes first: nobody new is to come.
        give_up = time.monotonic() + HANGS_AFTER_SECONDS
        while sidecar_path(db_path).exists() and time.monotonic() < give_up:
            time.sleep(0.01)
        assert not sidecar_path(db_path).exists()
        go_on.set()
        # The reader has a whole copy, or is told, and opens the file itself.
        was_made = fetched.result()
        assert closed.result() is None
    if was_made:
        with DatabaseManager(tmp_path / "copy.db", read_only=True) as copy:
            assert GameRepository(copy.conn).list_game_sessions() == [a_session()]
    with DatabaseManager(db_path, read_only=True) as again:
        assert GameRepository(again.conn).list_game_sessions() == [a_session()]
