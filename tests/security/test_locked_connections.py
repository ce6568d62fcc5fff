"""What runs in an opened record reaches the record, and no file, setting or extension beside it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import duckdb
import pytest

from payment_simulator.errors import DatabaseFullError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.leftovers import maker
from payment_simulator.persistence.scratch import ScratchStore
from payment_simulator.persistence.store import Store

REACHING_OUT = (
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_csv('{secret}', columns = {{'a': 'VARCHAR'}})",
    "SELECT * FROM '{folder}/secret.csv'",
    "SELECT * FROM glob('{folder}/*')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "ATTACH '{folder}/out.db' AS outside",
    "EXPORT DATABASE '{folder}/out'",
    "INSTALL httpfs",
    "LOAD '{folder}/extension.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "SET temp_directory = '{folder}'",
    "SET allowed_directories = ['{folder}']",
    "SET allowed_paths = ['{secret}']",
    "SET allowed_configs = ['temp_directory']",
    "SET allow_persistent_secrets = true",
    "RESET enable_external_access",
    "SET log_query_path = '{folder}/log'",
    "PRAGMA enable_profiling = 'json'",
    "CREATE PERSISTENT SECRET s (TYPE http)",
)


@pytest.mark.parametrize("sql", REACHING_OUT)
@pytest.mark.parametrize("read_only", [False, True])
def test_nothing_is_reached(sql: str, read_only: bool, record: Path, tmp_path: Path):
    folder = tmp_path / "outside"
    folder.mkdir()
    secret = folder / "secret.csv"
    secret.write_text("sk-0123")
    with (
        DatabaseManager(record, read_only=read_only, serve=False) as manager,
        pytest.raises(duckdb.Error),
    ):
        manager.conn.execute(sql.format(folder=folder, secret=secret)).fetchall()
    assert [path.name for path in folder.iterdir()] == ["secret.csv"]


def test_a_database_in_memory_is_locked_too(tmp_path: Path):
    (tmp_path / "secret").write_text("sk-0123")
    with DatabaseManager(":memory:") as manager, pytest.raises(duckdb.PermissionException):
        manager.conn.execute(f"FROM read_text('{tmp_path / 'secret'}')")


def test_what_a_user_needs_still_works(record: Path):
    with DatabaseManager(record, serve=False) as manager:
        manager.conn.execute("SET memory_limit = '300MiB'; SET threads = 1")
        manager.conn.execute("CREATE TEMP TABLE mine AS SELECT game_id FROM game_sessions")
        rows = manager.conn.execute("SELECT count(*) > 0 FROM mine").fetchall()
    assert rows == [(True,)]


def test_files_that_the_package_makes_are_private_and_go(record: Path):
    with DatabaseManager(record, serve=False) as manager:
        with manager.store.room() as room:
            assert stat.S_IMODE(room.stat().st_mode) == 0o700
            assert room.stat().st_dev == record.stat().st_dev
            manager.conn.execute(f"COPY (SELECT 1 AS one) TO '{room}/one.csv'")
            assert (room / "one.csv").read_text() == "one\n1\n"
        assert not room.exists()
    assert list(record.parent.iterdir()) == [record]


def test_a_folder_left_by_a_killed_process_goes(record: Path):
    died = re.sub(r"-\d+-([0-9a-f]{8})$", r"-999999999-\1", maker())
    left = record.with_name(f".{record.name}.{died}.new")
    (left / "files-1").mkdir(parents=True)
    (left / "files-1" / "copy.db").write_text("half")
    DatabaseManager(record).close()
    assert list(record.parent.iterdir()) == [record]


def test_a_copy_goes_to_another_file_system(record: Path):
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == record.stat().st_dev:
        pytest.skip("there is no other file system at /dev/shm")
    target = other / f"payment-sim-test-{os.getpid()}.db"
    try:
        with DatabaseManager(record, read_only=True) as manager:
            copy_database(manager.store, target)
        with DatabaseManager(target, read_only=True) as copy:
            assert copy.conn.execute("SELECT count(*) > 0 FROM game_sessions").fetchall() == [
                (True,)
            ]
    finally:
        target.unlink(missing_ok=True)


def test_spilling_still_works(record: Path):
    with DatabaseManager(record, serve=False) as manager:
        manager.conn.execute("SET memory_limit = '60MiB'; SET threads = 1")
        manager.conn.execute(
            "CREATE TEMP TABLE big AS SELECT range AS n, repeat('x', 200) || range AS t "
            "FROM range(500000)"
        )
        assert manager.conn.execute("SELECT count(*) FROM big").fetchall() == [(500000,)]
    assert list(record.parent.iterdir()) == [record]


def test_a_scratch_database_reaches_its_room_alone(tmp_path: Path):
    room = tmp_path / "room"
    room.mkdir()
    (tmp_path / "secret").write_text("sk-0123")
    scratch = ScratchStore(room, 256 << 20)
    try:
        scratch.run_script("CREATE TABLE scratch.one AS SELECT 1 AS n")
        scratch.set_memory(300 << 20)
        with pytest.raises(Exception, match="disabled by configuration"):
            scratch.read(f"FROM read_text('{tmp_path / 'secret'}')")
    finally:
        scratch.close()


def test_no_folder_for_files_is_an_error_of_ours(tmp_path: Path):
    with duckdb.connect(config={"temp_directory": str(tmp_path / "no" / "such")}) as conn:
        store = Store(conn)
        with pytest.raises(DatabaseFullError, match="no folder for temporary files"):
            store.room().__enter__()
