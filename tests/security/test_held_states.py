"""Queries of a held state, and the requests that begin and end it, are under the usual bounds."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from payment_simulator.persistence.answering import LONGEST_QUESTION, ROWS, TABLE
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.held_snapshots import BEGIN, END, begun
from payment_simulator.persistence.reading import open_store
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar
from tests.processes import HANGS_AFTER_SECONDS
from tests.security.test_questions import REFUSED
from tests.security.test_slow_callers import ENDLESS

COUNT = "SELECT count(*) FROM game_sessions"


@pytest.fixture
def manager(record: Path) -> Iterator[DatabaseManager]:
    """Return the open record; a test may close it."""
    with DatabaseManager(record) as manager:
        yield manager


@pytest.fixture
def writer(manager: DatabaseManager, record: Path) -> Sidecar:  # noqa: ARG001 - keeps it open
    """Return who writes the record: this process."""
    entry = read_sidecar(record)
    assert entry is not None
    return entry


def post(
    writer: Sidecar, path: str, body: bytes, token: str | None = None
) -> tuple[int, dict[str, str]]:
    """Return the status of an answer and, where it is JSON, what it says."""
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=120)
    try:
        headers = {"Authorization": f"Bearer {token or writer.token}"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said.startswith(b"{") else {}
    finally:
        connection.close()


def begin(writer: Sidecar) -> str:
    status, said = post(writer, BEGIN, b"")
    assert status == 200
    return begun(json.dumps(said).encode())[0]


def ask(writer: Sidecar, path: str, sql: str, name: str) -> tuple[int, dict[str, str]]:
    return post(writer, path, json.dumps({"sql": sql, "parameters": [], "snapshot": name}).encode())


def start(writer: Sidecar, sql: str, name: str) -> tuple[threading.Thread, list[object]]:
    """Ask in a thread, and return it and the list for the answer."""
    said: list[object] = []
    thread = threading.Thread(target=lambda: said.append(ask(writer, ROWS, sql, name)))
    thread.start()
    time.sleep(1)
    return thread, said


@pytest.mark.parametrize("path", [ROWS, TABLE])
def test_nothing_but_tables_is_read(path: str, writer: Sidecar, record: Path, tmp_path: Path):
    name = begin(writer)
    for sql in REFUSED:
        asked = sql.format(file=record, folder=tmp_path)
        status, said = ask(writer, path, asked, name)
        assert (status in {400, 500}, set(said)) == (True, {"error", "message"}), asked
        assert said["error"] != "SnapshotLostError", asked
    assert ask(writer, ROWS, COUNT, name)[0] == 200
    assert list(tmp_path.iterdir()) == [record.parent]


def test_a_table_that_is_not_there_ends_no_state(writer: Sidecar):
    name = begin(writer)
    for path in (ROWS, TABLE):
        status, said = ask(writer, path, "SELECT * FROM nothing", name)
        assert (status in {400, 500}, said["error"]) == (True, "SchemaMissingError")
    assert ask(writer, ROWS, COUNT, name)[0] == 200


@pytest.mark.parametrize("path", [BEGIN, END])
def test_a_caller_without_the_token_is_refused(path: str, writer: Sidecar):
    name = begin(writer)
    assert post(writer, path, name.encode(), token="0" * 64)[0] == 403
    assert ask(writer, ROWS, COUNT, name)[0] == 200


@pytest.mark.parametrize("path", [BEGIN, END])
def test_a_body_that_is_too_long_is_not_read(path: str, writer: Sidecar):
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=120)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", f"Bearer {writer.token}")
    connection.putheader("Content-Length", str(LONGEST_QUESTION + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("path", [ROWS, TABLE])
def test_a_query_that_takes_too_long_is_interrupted_and_ends_its_state(
    path: str, writer: Sidecar, monkeypatch
):
    name, other = begin(writer), begin(writer)
    monkeypatch.setattr("payment_simulator.persistence.serving.QUERY_SECONDS", 0.5)
    status, said = ask(writer, path, ENDLESS, name)
    assert status in {400, 500}
    assert "longer than it may" in said["message"]
    assert ask(writer, ROWS, COUNT, name)[1]["error"] == "SnapshotLostError"
    assert ask(writer, ROWS, COUNT, other)[0] == 200


def test_one_query_at_a_time_and_the_end_interrupts_it(writer: Sidecar):
    name = begin(writer)
    thread, said = start(writer, ENDLESS, name)
    assert ask(writer, ROWS, COUNT, name)[1]["error"] == "DatabaseBusyError"
    assert post(writer, END, name.encode())[0] == 200
    thread.join(HANGS_AFTER_SECONDS)
    assert [answer[1]["error"] for answer in said] == ["SnapshotLostError"]  # type: ignore[index]


def test_a_caller_that_goes_ends_its_query(writer: Sidecar):
    name = begin(writer)
    connection = http.client.HTTPConnection("127.0.0.1", writer.port, timeout=120)
    body = json.dumps({"sql": ENDLESS, "parameters": [], "snapshot": name})
    connection.request("POST", ROWS, body, {"Authorization": f"Bearer {writer.token}"})
    time.sleep(1)
    connection.close()
    give_up = time.monotonic() + HANGS_AFTER_SECONDS
    while ask(writer, ROWS, COUNT, name)[1]["error"] == "DatabaseBusyError":
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert ask(writer, ROWS, COUNT, name)[1]["error"] == "SnapshotLostError"


def test_a_writer_that_closes_ends_what_is_held(
    manager: DatabaseManager, writer: Sidecar, record: Path
):
    for _ in range(3):
        begin(writer)
    thread, said = start(writer, ENDLESS, begin(writer))
    closing = threading.Thread(target=manager.close, daemon=True)
    closing.start()
    closing.join(HANGS_AFTER_SECONDS)
    thread.join(HANGS_AFTER_SECONDS)
    assert not closing.is_alive()
    assert [answer[1]["error"] for answer in said] == ["SnapshotLostError"]  # type: ignore[index]
    with DatabaseManager(record) as again:  # nothing is held that keeps it from being written
        again.conn.execute("CHECKPOINT")
    with open_store(record) as store:
        assert not store.is_elsewhere
        assert store.read(COUNT) != [(0,)]
