"""The file NAME.writer: who may read it, when it goes, and when it is not believed."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DatabaseBusyError
from payment_simulator.persistence import asking
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.serving import LOOPBACK
from payment_simulator.persistence.sidecar import read_sidecar, sidecar_path
from tests.builders import a_session, an_iteration
from tests.processes import WRITER, run, running

GOOD = {"pid": 1, "port": 4242, "token": "a1b2c3", "since": "2026-01-02T03:04:05+00:00"}
GARBAGE = {
    "empty": b"",
    "binary": bytes(range(256)),
    "text": b"held by nobody",
    "huge": b'{"pid": 1, "port": 1, "token": "' + b"a" * 10_000_000 + b'"}',
    "nested": b"[" * 4096,
    "a number": b"42",
    "a list": b"[1, 2, 3]",
    "null": b"null",
    "nothing in it": b"{}",
    **{
        f"{field} is {value!r}": json.dumps({**GOOD, field: value}).encode()
        for field, value in [
            ("pid", None),
            ("pid", []),
            ("pid", "me"),
            ("pid", float("inf")),
            ("port", 0),
            ("port", 65536),
            ("port", -1),
            ("port", "web"),
            ("port", float("nan")),
            ("port", float("-inf")),
            ("token", ""),
            ("token", "a\r\nHost: elsewhere"),
            ("token", "ä"),
        ]
    },
}
#: What something else may answer that has taken the port since.
NONSENSE = {
    "hangs up": b"",
    "another protocol": b"SSH-2.0-OpenSSH_9.9\r\n",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "moved": b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
    "a page": b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>",
    "a page of no length": b"HTTP/1.1 200 OK\r\n\r\n<html></html>",
    "a page of odd length": b"HTTP/1.1 200 OK\r\nContent-Length: long\r\n\r\n<html></html>",
    "an empty page": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "out of room": b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\n\r\nfull",
}


@contextmanager
def service(answer: bytes) -> Iterator[int]:
    """Give every caller the same answer, on a port of 127.0.0.1."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    caller.recv(4096)
                    caller.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_only_its_owner_may_read_it_and_it_goes_at_close(db_path: Path):
    previous = os.umask(0)
    try:
        with DatabaseManager(db_path):
            sidecar = sidecar_path(db_path)
            assert sidecar.name == db_path.name + ".writer"
            assert stat.S_IMODE(sidecar.stat().st_mode) == 0o600
            entry = json.loads(sidecar.read_text())
            assert sorted(entry) == ["pid", "port", "since", "token"]
            assert entry["pid"] == os.getpid()
            assert len(entry["token"]) == 64
    finally:
        os.umask(previous)
    assert [p.name for p in db_path.parent.iterdir()] == [db_path.name]


def test_every_opening_has_a_token_of_its_own(db_path: Path):
    tokens = set()
    for _ in range(3):
        with DatabaseManager(db_path):
            tokens.add(json.loads(sidecar_path(db_path).read_text())["token"])
    assert len(tokens) == 3


@pytest.mark.parametrize("options", [{"serve": False}, {"read_only": True}])
def test_who_does_not_answer_has_none(options: dict[str, bool], db_path: Path):
    DatabaseManager(db_path).close()
    with DatabaseManager(db_path, **options):
        assert not sidecar_path(db_path).exists()


@pytest.mark.parametrize("ending", ["", "sys.exit(3)", "raise RuntimeError"])
def test_it_goes_when_the_interpreter_ends(ending: str, db_path: Path):
    code = f"""
import sys
sys.excepthook = lambda *error: None
from payment_simulator.persistence import snapshot
from payment_simulator.persistence.connection import DatabaseManager
manager = DatabaseManager(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
{ending}
"""
    with running(code, db_path):
        assert sidecar_path(db_path).exists()
    assert [p.name for p in db_path.parent.iterdir()] == [db_path.name]


def test_after_a_kill_it_stays_and_is_stale(db_path: Path):
    with running(WRITER, db_path) as writer:
        writer.kill()
        writer.wait()
    left = read_sidecar(db_path)
    assert left is not None
    assert left.pid == writer.pid
    with DatabaseManager(db_path, read_only=True) as manager:
        assert not manager.is_snapshot
        repo = GameRepository(manager.conn)
        assert repo.list_game_sessions() == [a_session()]
        assert repo.get_policy_iterations("game-001") == [an_iteration()]
    with DatabaseManager(db_path) as manager:
        entry = read_sidecar(db_path)
        assert entry is not None
        assert entry.pid == os.getpid()
        assert entry.token != left.token
    assert not sidecar_path(db_path).exists()


def test_a_child_that_was_forked_leaves_it_alone(db_path: Path):
    said = run(
        """
import os, sys, warnings
from payment_simulator.persistence import snapshot
from payment_simulator.persistence.connection import DatabaseManager
warnings.simplefilter("ignore")  # newer Pythons warn of forks beside threads
manager = DatabaseManager(sys.argv[1])
child = os.fork()
if child == 0:
    sys.exit(0)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), os.path.exists(sys.argv[1] + ".writer"))
manager.close()
print(os.path.exists(sys.argv[1] + ".writer"))
""",
        db_path,
    )
    assert said.split() == ["0", "True", "False"]


def test_the_entry_of_another_is_not_removed(db_path: Path):
    sidecar = sidecar_path(db_path)
    with DatabaseManager(db_path):
        sidecar.write_text(json.dumps(GOOD))
    assert json.loads(sidecar.read_text()) == GOOD


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_says_nothing_and_is_replaced(content: bytes, db_path: Path):
    sidecar_path(db_path).write_bytes(content)
    assert read_sidecar(db_path) is None
    with DatabaseManager(db_path):
        entry = read_sidecar(db_path)
        assert entry is not None
        assert entry.pid == os.getpid()
    assert not sidecar_path(db_path).exists()


def test_a_good_entry_is_read_as_it_is(db_path: Path):
    sidecar_path(db_path).write_text(json.dumps(GOOD))
    entry = read_sidecar(db_path)
    assert entry is not None
    assert vars(entry) == {**GOOD, "owner": os.geteuid()}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_garbage_beside_a_held_file_is_stale(content: bytes, held: tuple[int, Path]):
    _, path = held
    sidecar_path(path).write_bytes(content)
    with pytest.raises(DatabaseBusyError, match="does not answer readers"):
        DatabaseManager(path, read_only=True, busy_seconds=0)


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_port_that_another_service_has_taken_is_stale(
    answer: bytes, held: tuple[int, Path], tmp_path: Path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pid, path = held
    with service(answer) as port:
        sidecar_path(path).write_text(json.dumps({**GOOD, "pid": pid, "port": port}))
        with pytest.raises(DatabaseBusyError, match="does not answer readers"):
            DatabaseManager(path, read_only=True, busy_seconds=0)
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_nobody_listens_on_is_stale(held: tuple[int, Path]):
    pid, path = held
    with service(b"") as port:
        pass
    sidecar_path(path).write_text(json.dumps({**GOOD, "pid": pid, "port": port}))
    with pytest.raises(DatabaseBusyError, match="does not answer readers"):
        DatabaseManager(path, read_only=True, busy_seconds=0)


def test_a_port_that_another_service_holds_in_silence_is_stale(held: tuple[int, Path], monkeypatch):
    monkeypatch.setattr(asking, "FIRST_SECONDS", 0.2)
    pid, path = held
    with socket.create_server((LOOPBACK, 0)) as server:
        sidecar_path(path).write_text(
            json.dumps({**GOOD, "pid": pid, "port": server.getsockname()[1]})
        )
        with pytest.raises(DatabaseBusyError, match="does not answer readers"):
            DatabaseManager(path, read_only=True, busy_seconds=0)
