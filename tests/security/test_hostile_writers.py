"""Who claims to write a record is believed only if the user's own process holds the file."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payment_simulator.errors import DatabaseError
from payment_simulator.persistence import asking
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.serving import CONTENT_TYPE
from payment_simulator.persistence.sidecar import find_writer, read_sidecar, sidecar_path
from payment_simulator.persistence.trust import is_port_of
from tests.command_line import payment_sim_process
from tests.processes import HANGS_AFTER_SECONDS

GOOD = {"pid": 1, "port": 4242, "token": "a1b2c3", "since": "2026-01-02T03:04:05+00:00"}
HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: "
NOBODY = 65534
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can act as a second user (setpriv)",
)


def answer(body: str | bytes) -> bytes:
    given = body if isinstance(body, bytes) else body.encode()
    return f"{HEAD}{len(given)}\r\n\r\n".encode() + given


ONE = answer('{"types": ["INTEGER"], "rows": [[1]]}')
#: What may come instead of rows; ``None`` is silence.
HOSTILE = {
    "silence": None,
    "a length of 100 GB": f"{HEAD}107374182400\r\n\r\n{{".encode(),
    "a length beyond all numbers": f"{HEAD}{'9' * 4000}\r\n\r\n{{".encode(),
    "a negative length": f"{HEAD}-1\r\n\r\n{{".encode(),
    "no length": f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n{{".encode(),
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000,
    "deep JSON": answer("[" * 1_000_000),
    "deep rows": answer('{"types": ["VARCHAR"], "rows": ' + "[" * 500_000 + "]" * 500_000 + "}"),
    "no JSON": answer(b"\xff\xfe"),
    "no rows": answer('{"types": []}'),
    "rows of another length": answer('{"types": ["VARCHAR"], "rows": [["a", "b"]]}'),
    "rows that are none": answer('{"types": ["VARCHAR"], "rows": [1, null]}'),
    "rows in an object": answer('{"types": ["VARCHAR"], "rows": {"a": 1}}'),
    "a number for a text": answer('{"types": ["VARCHAR"], "rows": [[1]]}'),
    "a text for a number": answer('{"types": ["INTEGER"], "rows": [["1"]]}'),
    "a number for a time": answer('{"types": ["TIMESTAMP"], "rows": [[1]]}'),
    "types that are none": answer('{"types": [[]], "rows": []}'),
    "an error without words": (
        f"HTTP/1.1 500 No\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: 2\r\n\r\n[]".encode()
    ),
}


@contextmanager
def service(*answers: bytes | None, trickle: bool = False) -> Iterator[int]:
    """Answer each caller with the next, the last again and again; ``None`` says nothing."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def handle(caller: socket.socket, said: bytes | None) -> None:
            with caller:
                try:
                    caller.recv(1 << 16)
                    if said is None:
                        over.wait(HANGS_AFTER_SECONDS)
                    elif trickle:
                        for byte in said:
                            if over.wait(0.1):
                                return
                            caller.sendall(bytes([byte]))
                    else:
                        caller.sendall(said)
                except OSError:
                    pass

        def serve() -> None:
            left = list(answers)
            while not over.is_set():
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                said = left.pop(0) if len(left) > 1 else left[0]
                threading.Thread(target=handle, args=(caller, said), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _name(path: Path, pid: int, port: int) -> None:
    sidecar_path(path).write_text(json.dumps({**GOOD, "pid": pid, "port": port}))


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Wait for a tenth of what is usual."""
    monkeypatch.setattr(asking, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(asking, "SENDING_SECONDS", 2.0)


@pytest.mark.sampled(7)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("said", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_first_answer_is_one_error(said: bytes | None, held: tuple[int, Path]):
    pid, path = held
    with service(said) as port:
        _name(path, pid, port)
        with pytest.raises(DatabaseError) as caught, open_store(path) as store:
            store.read("SELECT 1")
    assert "\n" not in str(caught.value)


@pytest.mark.sampled(7)
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "said", [s for s in HOSTILE.values() if s], ids=[n for n, s in HOSTILE.items() if s]
)
def test_a_hostile_later_answer_is_one_error(said: bytes, held: tuple[int, Path]):
    pid, path = held
    with service(ONE, said) as port:
        _name(path, pid, port)
        with pytest.raises(DatabaseError) as caught, open_store(path) as store:
            store.read("SELECT game_id FROM game_sessions")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("impatient")
def test_a_trickling_answer_is_one_error(held: tuple[int, Path]):
    pid, path = held
    with service(ONE + b" " * 10_000, trickle=True) as port:
        _name(path, pid, port)
        with pytest.raises(DatabaseError, match="did not answer within"), open_store(path) as store:
            store.read("SELECT 1")


@pytest.mark.usefixtures("impatient")
def test_a_copy_of_100_gigabytes_is_refused_at_once(held: tuple[int, Path]):
    pid, path = held
    size = shutil.disk_usage("/tmp").total * 10
    with service(ONE, f"{HEAD}{size}\r\n\r\nDUCK".encode()) as port:
        _name(path, pid, port)
        with pytest.raises(DatabaseError, match=r"no room for .* bytes .* are free"):
            DatabaseManager(path, read_only=True, busy_seconds=0)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.with_name("elsewhere").write_text(json.dumps(GOOD))
    path.symlink_to(path.with_name("elsewhere"))


def _folder(path: Path) -> None:
    path.mkdir()


def _writable_by_others(path: Path) -> None:
    path.write_text(json.dumps(GOOD))
    path.chmod(0o602)


def _writable_by_the_group(path: Path) -> None:
    path.write_text(json.dumps(GOOD))
    path.chmod(0o620)


@pytest.mark.parametrize(
    "make", [_pipe, _link, _folder, _writable_by_others, _writable_by_the_group]
)
def test_what_is_no_sidecar_of_the_user_says_nothing(make: Callable[[Path], None], record: Path):
    make(sidecar_path(record))
    assert read_sidecar(record) is None
    with open_store(record) as store:
        assert not store.is_elsewhere
        assert store.read("SELECT count(*) > 0 FROM game_sessions") == [(True,)]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who holds a file")
def test_a_port_that_was_taken_after_a_kill_is_not_asked(record: Path):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        _name(record, os.getpid(), server.getsockname()[1])  # alive, and does not hold the file
        assert find_writer(record) is None
        with open_store(record) as store:
            assert not store.is_elsewhere
        with pytest.raises(TimeoutError):
            asked.append(server.accept())
    assert asked == []


AS_NOBODY = """
import json, socket, sys
path, pid = sys.argv[1:]
server = socket.create_server(("127.0.0.1", 0))
if path != "-":
    entry = {"pid": int(pid), "port": server.getsockname()[1], "token": "a1", "since": "now"}
    with open(path, "w") as file:
        json.dump(entry, file)
print(server.getsockname()[1], flush=True)
server.settimeout(60)
while True:
    try:
        caller, _ = server.accept()
    except OSError:
        break
    print("asked", flush=True)
    caller.close()
"""


@contextmanager
def second_user(*arguments: object) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Listen as another user, on a port that is returned."""
    process = subprocess.Popen(
        [
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *(sys.executable, "-I", "-c", AS_NOBODY, *map(str, arguments)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline()), process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _said(process: subprocess.Popen[str]) -> str:
    """End a process and return what else it printed."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    return process.stdout.read()


@pytest.fixture
def shared_folder(record: Path) -> Iterator[Path]:
    """Return a record in a folder that everybody may write, and everybody can reach."""
    folder = Path("/tmp") / f"payment-sim-shared-{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o777)
    try:
        yield Path(shutil.copyfile(record, folder / "record.db"))
    finally:
        shutil.rmtree(folder)


@needs_root
def test_a_sidecar_that_another_user_planted_is_not_believed(shared_folder: Path):
    pid = os.getpid()
    with second_user(sidecar_path(shared_folder), pid) as (_, process):
        assert sidecar_path(shared_folder).stat().st_uid == NOBODY
        for command in (("games",), ("show", "game-001")):
            done = payment_sim_process(*command, "--db", shared_folder)
            assert (done.code, "game-001" in done.out) == (0, True), done.err
        done = payment_sim_process("db", "status", shared_folder, "--json")
        assert json.loads(done.out)["writer"] is None
        assert _said(process) == ""


@needs_root
def test_another_users_port_under_a_sidecar_of_ones_own_is_not_asked(held: tuple[int, Path]):
    pid, path = held
    with second_user("-", 0) as (port, process):
        assert not is_port_of(port, os.geteuid())
        assert is_port_of(port, NOBODY)
        _name(path, pid, port)
        assert read_sidecar(path) is not None
        assert find_writer(path) is None
        with pytest.raises(DatabaseError, match="does not answer readers"):
            DatabaseManager(path, read_only=True, busy_seconds=0)
        assert _said(process) == ""
