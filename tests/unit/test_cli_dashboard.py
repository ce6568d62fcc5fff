"""``payment-sim dashboard``: it says where it is, serves, and ends when it is told to."""

from __future__ import annotations

import http.client
import importlib.util
import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.dashboard import server
from payment_simulator.dashboard.live import MOST_LISTENERS
from payment_simulator.dashboard.server import take_place
from payment_simulator.errors import InputError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session
from tests.command_line import PROGRAM, one_error, payment_sim, variables
from tests.processes import HANGS_AFTER_SECONDS


@pytest.fixture
def record(repo: GameRepository, manager: DatabaseManager, db_path: Path) -> Path:
    """Return a record with one game."""
    repo.save_game_session(a_session())
    manager.close()
    return db_path


@dataclass
class Running:
    """A dashboard in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    answers: list[http.client.HTTPResponse] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Ask for a page; what is not asked for is left unread."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(
            "127.0.0.1", place.port or 80, timeout=HANGS_AFTER_SECONDS
        )
        self.connections.append(connection)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        self.answers.append(answer)
        if not (answer.headers["Content-Type"] or "").startswith("text/event-stream"):
            self.bodies[path] = answer.read()
        return answer

    def end(self, order: int = signal.SIGINT) -> tuple[int, str, str]:
        """Tell it to end; return its exit code and what it said besides."""
        self.process.send_signal(order)
        out, errors = self.process.communicate(timeout=HANGS_AFTER_SECONDS)
        return self.process.returncode, out, errors


@contextmanager
def dashboard(*options: object) -> Iterator[Running]:
    command = [*PROGRAM, "dashboard", "--port", "0", "--json", *map(str, options)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=variables(),
        encoding="utf-8",
    )
    try:
        text = ""
        while not text.rstrip().endswith("}"):
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()
            text += line
        running = Running(process, json.loads(text)["url"])
        try:
            yield running
        finally:
            for opened in (*running.answers, *running.connections):
                opened.close()
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("order", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(record: Path, order: int):
    with dashboard("--db", record) as running:
        answer = running.ask("/")
        assert answer.status == 200
        assert b"game-001" in running.bodies["/"]
        assert answer.headers["Server"] is None
        assert running.end(order) == (0, "", "")


def test_it_ends_while_pages_are_followed(record: Path):
    with dashboard("--db", record) as running:
        followed = running.ask("/live/game?id=game-001")
        assert followed.readline() == b"event: status\n"
        others = [running.ask("/live/games") for _ in range(3)]
        assert all(other.status == 200 for other in others)
        assert running.end() == (0, "", "")


def test_new_steps_are_told_to_who_follows(record: Path):
    with dashboard("--db", record) as running:
        followed = running.ask("/live/game?id=game-001")
        for expected in (b"event: status\n",):
            assert followed.readline() == expected
        with DatabaseManager(record) as manager:
            repo = GameRepository(manager.conn)
            repo.update_game_session_status("game-001", "failed")
        told = followed.read().decode()
        assert '"status":"failed"' in told
        assert told.endswith("event: end\ndata: {}\n\n")
        assert running.end() == (0, "", "")


def test_another_address_comes_with_a_token(record: Path):
    with dashboard("--db", record, "--host", "0.0.0.0") as running:
        token = running.url.partition("?token=")[2]
        assert len(token) >= 32
        assert running.ask("/").status == 403
        answer = running.ask(f"/?token={token}")
        assert answer.status == 303
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        assert running.ask("/", Cookie=cookie).status == 200
        assert running.ask("/", Cookie=cookie, Host="evil.example").status == 421
        code, out, errors = running.end()
        assert (code, out, errors) == (0, "", "")


def test_a_token_can_be_asked_for_here_too(record: Path):
    with dashboard("--db", record, "--token") as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert running.ask("/").status == 403
        assert running.ask("/?token=" + running.url.partition("=")[2]).status == 303


def test_it_speaks_only_as_the_server_it_is(record: Path):
    with dashboard("--db", record, "--allow-host", "Lab.example") as running:
        port = urlsplit(running.url).port
        assert running.ask("/", Host=f"lab.example:{port}").status == 200
        assert running.ask("/", Host=f"other.example:{port}").status == 421
        assert running.ask("/", Host="127.0.0.1:1").status == 421


def test_what_is_no_request_is_refused_and_it_goes_on(record: Path):
    with dashboard("--db", record) as running:
        with socket.create_connection(("127.0.0.1", urlsplit(running.url).port or 80)) as plain:
            plain.sendall(b"\x00\xff nonsense\r\n\r\n")
            assert b"400" in plain.recv(1000)
        assert running.ask("/game?id=" + "x" * 20_000).status == 404
        assert running.ask("/").status == 200


@contextmanager
def not_served() -> Iterator[list[Any]]:
    served: list[Any] = []

    def note(source: Any, place: Any) -> None:
        served.append(source)
        place.listener.close()

    with mock.patch.object(server, "serve", note):
        yield served


def test_a_person_is_told_where_it_is(record: Path):
    with not_served() as served:
        outcome = payment_sim("dashboard", "--db", record, "--port", 0)
    assert outcome.code == 0
    first, second = outcome.out.splitlines()
    assert first.startswith(f"Dashboard of {record}: http://127.0.0.1:")
    assert second == "It only reads. Ctrl-C ends it."
    assert [source.path for source in served] == [record]


def test_a_browser_is_opened_where_it_is(record: Path):
    with not_served(), mock.patch("webbrowser.open") as opened:
        outcome = payment_sim("dashboard", "--db", record, "--port", 0, "--json", "--open")
    opened.assert_called_once_with(json.loads(outcome.out)["url"])
    assert json.loads(outcome.out)["database"] == str(record)


def test_a_port_that_is_taken_is_one_line(record: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = one_error(payment_sim("dashboard", "--db", record, "--port", port))
    assert message.startswith(f"--port {port}: another program listens there")
    assert message.endswith("give another port, or 0 for any that is free")


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "300.300.300.300", "\u0661"])
def test_an_address_that_is_not_had_is_one_line(record: Path, host: str):
    message = one_error(payment_sim("dashboard", "--db", record, "--port", 0, "--host", host))
    assert message.startswith(f"--host {host}: ")


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_is_a_number_of_a_port(record: Path, port: str):
    assert "--port" in one_error(payment_sim("dashboard", "--db", record, "--port", port))


def test_what_is_wrong_with_the_record_is_said_before_it_serves(tmp_path: Path):
    missing = tmp_path / "none.db"
    assert str(missing) in one_error(payment_sim("dashboard", "--db", missing))
    missing.write_text("no record\n" * 2000)
    assert "not a DuckDB file" in one_error(payment_sim("dashboard", "--db", missing))


def test_missing_packages_are_named_with_how_to_get_them(record: Path):
    find = importlib.util.find_spec

    def found(name: str, *more: Any) -> Any:
        return None if name in {"starlette", "uvicorn"} else find(name, *more)

    with mock.patch.object(importlib.util, "find_spec", found):
        message = one_error(payment_sim("dashboard", "--db", record))
    assert message == (
        "the dashboard needs more packages (starlette, uvicorn); install them: "
        "pip install 'payment-simulator[dashboard]'"
    )


def test_an_address_of_six_is_written_in_brackets():
    try:
        place = take_place("::1", 0)
    except InputError as error:  # a machine without it says so in a line
        assert "--host ::1" in str(error)  # noqa: PT017 - either is right
        return
    assert place.url == f"http://[::1]:{place.access.port}/"
    assert place.access.token is None
    place.listener.close()


def _followers(running: Running, path: str, number: int) -> list[socket.socket]:
    """Return connections that have all asked for a stream before any answer is read."""
    port = urlsplit(running.url).port
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    place = ("127.0.0.1", port or 80)
    found = [socket.create_connection(place, HANGS_AFTER_SECONDS) for _ in range(number)]
    for connection in found:
        connection.sendall(request)
    return found


def _statuses(connections: list[socket.socket]) -> list[int]:
    """Return the status of each answer, as it comes first on its connection."""
    found = []
    for connection in connections:
        with connection.makefile("rb") as answer:
            found.append(int(answer.readline().split()[1]))
    return found


@pytest.mark.parametrize("path", ["/live/games", "/live/game?id=game-001"])
def test_no_more_pages_are_followed_than_the_limit(path: str, record: Path):
    with dashboard("--db", record) as running:
        connections = _followers(running, path, 500)
        try:
            statuses = _statuses(connections)
        finally:
            for connection in connections:
                connection.close()
        assert statuses.count(200) == MOST_LISTENERS
        assert statuses.count(503) == 500 - MOST_LISTENERS
        # Those that have gone make room again; the server notices them within a moment.
        give_up = time.monotonic() + HANGS_AFTER_SECONDS
        while (again := running.ask(path)).status == 503:
            again.close()
            assert time.monotonic() < give_up
        assert again.status == 200
        assert running.end() == (0, "", "")


def test_a_page_that_is_not_there_takes_no_place(record: Path):
    with dashboard("--db", record) as running:
        for _ in range(MOST_LISTENERS + 1):
            assert running.ask("/live/game?id=nowhere").status == 404
        assert running.ask("/live/game?id=game-001").status == 200
