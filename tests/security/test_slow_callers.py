"""No caller of the writer's port keeps the writer from closing, with a token or without."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payment_simulator.persistence import serving, watching
from payment_simulator.persistence.answering import ROWS
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar
from tests.processes import WRITER, running

#: What a closing writer may take at most; without a bound it is minutes, or for ever.
PROMPT_SECONDS = 30
ENDLESS = "SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range <> b.range"


def _entry(record: Path) -> Sidecar:
    entry = read_sidecar(record)
    assert entry is not None
    return entry


@contextmanager
def trickling(port: int, first: bytes, every: bytes) -> Iterator[list[float]]:
    """Send some bytes now and then until the other end hangs up; tell when it did."""
    ended: list[float] = []
    stop = threading.Event()

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
            try:
                caller.sendall(first)
                while not stop.wait(0.2):
                    caller.sendall(every)
            except OSError:
                ended.append(time.monotonic())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


def _closes_promptly(manager: DatabaseManager) -> None:
    closed = threading.Thread(target=manager.close, daemon=True)
    closed.start()
    closed.join(PROMPT_SECONDS)
    assert not closed.is_alive()


@pytest.mark.parametrize(
    ("first", "every"),
    [
        (b"GET /snapshot HTTP/1.1\r\n", b"X-A: b\r\n"),
        (b"", b"G"),
        (b"POST /rows HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 9\r\n", b"a: b\r\n"),
    ],
    ids=["a header line at a time", "a letter at a time", "headers of a question"],
)
def test_a_trickling_caller_is_cut_off_and_holds_nothing_up(
    first: bytes, every: bytes, record: Path, monkeypatch
):
    monkeypatch.setattr(watching, "REQUEST_SECONDS", 1.0)
    manager = DatabaseManager(record)
    with trickling(_entry(record).port, first, every) as ended:
        give_up = time.monotonic() + PROMPT_SECONDS
        while not ended and time.monotonic() < give_up:
            time.sleep(0.05)
        assert ended
    with trickling(_entry(record).port, first, every):
        time.sleep(0.3)
        _closes_promptly(manager)


def test_a_body_that_trickles_is_cut_off(record: Path, monkeypatch):
    monkeypatch.setattr(watching, "REQUEST_SECONDS", 1.0)
    with DatabaseManager(record):
        entry = _entry(record)
        head = (
            f"POST {ROWS} HTTP/1.1\r\nHost: 127.0.0.1:{entry.port}\r\n"
            f"Authorization: Bearer {entry.token}\r\nContent-Length: 100000\r\n\r\n"
        ).encode()
        with trickling(entry.port, head, b"x") as ended:
            give_up = time.monotonic() + PROMPT_SECONDS
            while not ended and time.monotonic() < give_up:
                time.sleep(0.05)
            assert ended


def test_a_query_under_way_does_not_keep_the_writer_from_closing(record: Path):
    manager = DatabaseManager(record)
    entry = _entry(record)
    said: list[int] = []

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", entry.port, timeout=120)
        body = json.dumps({"sql": ENDLESS, "parameters": []})
        connection.request("POST", ROWS, body, {"Authorization": f"Bearer {entry.token}"})
        said.append(connection.getresponse().status)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1)
    _closes_promptly(manager)
    asking.join()
    assert said == [503]
    with DatabaseManager(record, read_only=True) as again:
        assert again.conn.execute("SELECT count(*) > 0 FROM game_sessions").fetchall() == [(True,)]


def test_an_abandoned_query_ends(record: Path, monkeypatch):
    ended = threading.Event()
    real = serving.answer_rows

    def answer(*arguments: object) -> bytes:
        try:
            return real(*arguments)  # type: ignore[arg-type]
        finally:
            ended.set()

    monkeypatch.setattr(serving, "answer_rows", answer)
    with DatabaseManager(record):
        entry = _entry(record)
        connection = http.client.HTTPConnection("127.0.0.1", entry.port, timeout=120)
        body = json.dumps({"sql": ENDLESS, "parameters": []})
        connection.request("POST", ROWS, body, {"Authorization": f"Bearer {entry.token}"})
        time.sleep(0.5)
        connection.close()
        assert ended.wait(PROMPT_SECONDS)


def test_many_silent_callers_do_not_keep_a_reader_out(record: Path):
    with DatabaseManager(record):
        entry = _entry(record)
        callers = [
            socket.create_connection(("127.0.0.1", entry.port), timeout=60)
            for _ in range(3 * watching.MOST_REQUESTS)
        ]
        try:
            with open_store(record) as store:
                assert store.is_elsewhere
                assert store.read("SELECT count(*) > 0 FROM game_sessions") == [(True,)]
        finally:
            for caller in callers:
                caller.close()


def test_a_writing_process_ends_beside_a_silent_caller(tmp_path: Path):
    path = tmp_path / "simulation.db"
    with (
        running(WRITER, path) as process,
        socket.create_connection(("127.0.0.1", _entry(path).port), timeout=60),
    ):
        assert process.stdin is not None
        process.stdin.write("end\n")
        process.stdin.flush()
        assert process.wait(PROMPT_SECONDS) == 0
