"""The writer's answer on loopback: to one request, with one token, at one address."""

from __future__ import annotations

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DatabaseError
from payment_simulator.persistence.serving import CONTENT_TYPE, LOOPBACK, SNAPSHOT
from payment_simulator.persistence.sidecar import Sidecar, read_sidecar
from payment_simulator.persistence.snapshot import fetch_snapshot
from tests.builders import a_session

#: What a writer answers when it is asked whether it is there.
ONE = '{"types": ["INTEGER"], "rows": [[1]]}'


@pytest.fixture
def writer(repo: GameRepository, db_path: Path) -> Sidecar:
    """Return who writes a database with one game: this process."""
    repo.save_game_session(a_session())
    entry = read_sidecar(db_path)
    assert entry is not None
    return entry


def ask(
    writer: Sidecar, path: str = SNAPSHOT, method: str = "GET", **headers: str | None
) -> tuple[int, bytes]:
    """Return status and body of an answer; headers as the reader's own unless given."""
    given: dict[str, str | None] = {
        "Host": f"{LOOPBACK}:{writer.port}",
        "Authorization": f"Bearer {writer.token}",
        **headers,
    }
    connection = http.client.HTTPConnection(LOOPBACK, writer.port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_readers_own_is_answered(writer: Sidecar, tmp_path: Path):
    status, body = ask(writer)
    assert status == 200
    copy = tmp_path / "copy.db"
    copy.write_bytes(body)
    with duckdb.connect(str(copy), read_only=True) as conn:
        assert conn.execute("SELECT game_id FROM game_sessions").fetchall() == [("game-001",)]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer ", "Bearer wrong", "Basic abc", "{token}", "bearer {token}", "ä"],
)
def test_a_wrong_token_is_forbidden(authorization: str | None, writer: Sidecar):
    given = authorization and authorization.format(token=writer.token)
    status, body = ask(writer, Authorization=given)
    assert status == 403
    assert b"DUCK" not in body
    assert writer.token.encode() not in body


@pytest.mark.parametrize(
    "host", [None, "", "localhost:{port}", "evil.example:{port}", "127.0.0.1.evil.example:1"]
)
def test_another_host_is_forbidden(host: str | None, writer: Sidecar):
    status, body = ask(writer, Host=host and host.format(port=writer.port))
    assert status == 403
    assert b"DUCK" not in body


@pytest.mark.parametrize("path", ["/", "/snapshot/", "/snapshot?all", "/../etc/passwd", "*"])
def test_another_path_is_not_found(path: str, writer: Sidecar):
    assert ask(writer, path)[0] == 404


def test_another_path_tells_nothing_without_the_token(writer: Sidecar):
    assert ask(writer, "/", Authorization=None)[0] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "OPTIONS"])
def test_another_method_is_refused(method: str, writer: Sidecar, repo: GameRepository):
    assert ask(writer, method=method)[0] == 501
    assert repo.list_game_sessions() == [a_session()]


def test_nobody_answers_on_another_address(writer: Sidecar):
    socket.create_connection((LOOPBACK, writer.port), timeout=60).close()
    with pytest.raises(OSError, match=r"refused|unreachable|assign|timed out"):
        socket.create_connection(("127.0.0.2", writer.port), timeout=5)


def test_a_reader_that_goes_away_harms_nothing(writer: Sidecar, repo: GameRepository):
    for _ in range(3):
        with socket.create_connection((LOOPBACK, writer.port), timeout=60) as reader:
            reader.sendall(
                f"GET {SNAPSHOT} HTTP/1.1\r\nHost: {LOOPBACK}:{writer.port}\r\n"
                f"Authorization: Bearer {writer.token}\r\n\r\n".encode()
            )
            reader.recv(1)
    repo.save_game_session(a_session("later"))
    assert ask(writer)[0] == 200


def test_a_copy_that_breaks_off_is_an_error(tmp_path: Path):
    with socket.create_server((LOOPBACK, 0)) as server, ThreadPoolExecutor(1) as pool:

        def answer() -> None:
            for said, size in ((ONE, len(ONE)), ("DUCK", 1000)):
                caller, _ = server.accept()
                with caller:
                    caller.recv(4096)
                    caller.sendall(
                        f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n"
                        f"Content-Length: {size}\r\n\r\n{said}".encode()
                    )

        pool.submit(answer)
        writer = Sidecar(4711, server.getsockname()[1], "a", "2026-01-02T03:04:05+00:00")
        with pytest.raises(DatabaseError, match=r"PID 4711\) broke off after 4 of 1000 bytes"):
            fetch_snapshot(writer, tmp_path / "copy.db")
