"""Who is answered, and what browsers are told: for every address, and every way to ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.builders import a_session
from tests.unit.dashboard.conftest import PORT, client_of

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.dashboard.security import HEADERS, Access, is_loopback, own_names
from payment_simulator.persistence.connection import DatabaseManager

PATHS = [
    "/",
    "/runs",
    "/game?id=game-001",
    "/game?id=missing",
    "/game",
    "/step?id=game-001&bank=BANK_A&iteration=1",
    "/run?id=missing",
    "/payment?id=missing&payment=1",
    "/compare?id=game-001",
    "/parts/games",
    "/parts/game?id=game-001",
    "/data/costs?id=game-001",
    "/data/parameters?id=missing",
    "/static/0/base.css",
    "/nowhere",
    "/favicon.ico",
]
TOKEN = "the-token-of-this-test"
COOKIE = f"payment-sim-{PORT}"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("security") / "simulation.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
    return path


@pytest.fixture(scope="module")
def filled(record: Path) -> TestClient:
    return client_of(record)


@pytest.fixture(scope="module")
def guarded_by_token(record: Path) -> TestClient:
    access = Access("192.0.2.1", PORT, TOKEN, frozenset({"lab.example"}))
    return client_of(record, access, f"http://192.0.2.1:{PORT}")


@pytest.fixture
def guarded(guarded_by_token: TestClient) -> TestClient:
    guarded_by_token.cookies.clear()
    return guarded_by_token


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(filled: TestClient, path: str):
    answer = filled.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_the_policy_lets_nothing_in_from_elsewhere():
    rules = dict(rule.split(" ", 1) for rule in HEADERS["Content-Security-Policy"].split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "font-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"])
@pytest.mark.parametrize("path", ["/", "/data/costs?id=game-001", "/live/games", "/static/0/x"])
def test_nothing_but_reading(filled: TestClient, method: str, path: str):
    answer = filled.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/", "/game?id=game-001", "/data/costs?id=game-001", "/live/games"]
)
def test_head_is_answered_without_a_body(filled: TestClient, path: str):
    answer = filled.head(path)
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize(
    "host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LocalHost:{PORT}", f"[::1]:{PORT}"]
)
def test_its_own_names_are_known(filled: TestClient, host: str):
    assert filled.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:8643",
        f"evil.example:{PORT}",
        f"localhost.evil.example:{PORT}",
        f"127.0.0.1.evil.example:{PORT}",
        f"127.0.0.2:{PORT}",
        f"192.0.2.1:{PORT}",
        f"evil@localhost:{PORT}",
        "localhost:",
        "localhost:x",
        f"localhost:{PORT}:{PORT}",
        ":",
        "",
        "[::1]",
    ],
)
@pytest.mark.parametrize("path", ["/", "/data/costs?id=game-001", "/static/0/base.css"])
def test_other_names_are_not(filled: TestClient, host: str, path: str):
    assert filled.get(path, headers={"Host": host}).status_code == 421


def test_two_names_at_once_are_none(filled: TestClient):
    hosts = [("Host", f"localhost:{PORT}"), ("Host", f"localhost:{PORT}")]
    assert filled.get("/", headers=hosts).status_code == 421


def test_the_port_may_be_left_out_where_it_is_the_usual_one():
    assert Access("127.0.0.1", 80).knows("localhost")
    assert Access("127.0.0.1", 80).knows("[::1]")
    assert not Access("127.0.0.1", 80).knows("localhost:8080")


@pytest.mark.parametrize(
    ("host", "is_known"),
    [
        (f"192.0.2.1:{PORT}", True),
        ("[2001:db8::1]:9999", True),
        (f"localhost:{PORT}", True),
        ("lab.example", True),
        (f"LAB.example.:{PORT}", True),
        (f"evil.example:{PORT}", False),
        ("192.0.2.1.evil.example", False),
        ("1234", False),
    ],
)
def test_names_of_a_server_that_others_reach(host: str, is_known: bool):
    assert Access("0.0.0.0", PORT, TOKEN, frozenset({"lab.example"})).knows(host) is is_known


def test_another_name_is_admitted_on_this_machine_too():
    access = Access("127.0.0.1", PORT, None, frozenset({"lab.example"}))
    assert access.knows(f"lab.example:{PORT}")
    assert not access.knows("lab.example:1")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("lab.example", False),
    ],
)
def test_what_is_reached_from_this_machine_alone(host: str, expected: bool):
    assert is_loopback(host) is expected


def test_own_names_are_in_small_letters():
    assert "lab.example" in own_names(["Lab.Example."])
    assert all(name == name.lower() for name in own_names())


VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "else"])
@pytest.mark.parametrize("path", ["/", "/data/costs?id=game-001", "/live/games", "/parts/games"])
def test_what_another_site_asks_for_is_refused(filled: TestClient, site: str, path: str):
    assert filled.get(path, headers={"Sec-Fetch-Site": site}).status_code == 403
    framed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert filled.get(path, headers=framed).status_code == 403


def test_a_link_from_another_site_leads_to_pages_alone(filled: TestClient):
    headers = {"Sec-Fetch-Site": "cross-site", **VISIT}
    assert filled.get("/game?id=game-001", headers=headers).status_code == 200
    assert filled.get("/data/costs?id=game-001", headers=headers).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_its_own_pages_may_ask(filled: TestClient, site: str):
    asked = filled.get("/data/costs?id=game-001", headers={"Sec-Fetch-Site": site})
    assert asked.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_answered(guarded: TestClient, path: str):
    for cookies in ({}, {COOKIE: "wrong"}, {COOKIE: ""}, {"payment-sim-1": TOKEN}):
        guarded.cookies.clear()
        guarded.cookies.update(cookies)
        answer = guarded.get(path)
        assert answer.status_code == 403
        assert TOKEN not in answer.text
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_the_token_is_exchanged_for_a_cookie(guarded: TestClient):
    answer = guarded.get(f"/game?id=game-001&token={TOKEN}")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/game?id=game-001"
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={TOKEN};")
    assert {"httponly", "samesite=strict", "path=/"} <= {
        part.strip().lower() for part in cookie.split(";")
    }
    page = guarded.get(answer.headers["location"])
    assert page.status_code == 200
    assert TOKEN not in page.text


@pytest.mark.parametrize("given", ["wrong", "", TOKEN[:-1], TOKEN + "x", "%FF", "%00", "a" * 5000])
def test_a_wrong_token_gives_no_cookie(guarded: TestClient, given: str):
    answer = guarded.get(f"/?token={given}")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "///evil.example", "//"])
def test_the_exchange_leads_nowhere_else(guarded: TestClient, path: str):
    answer = guarded.get(f"http://192.0.2.1:{PORT}{path}?token={TOKEN}")
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_a_broken_cookie_is_none(guarded: TestClient):
    answer = guarded.get("/", headers={"Cookie": f'{COOKIE}="\\; ;;=,\x01'})
    assert answer.status_code == 403


def test_the_token_does_not_show_in_what_is_printed_of_an_access():
    assert TOKEN not in repr(Access("0.0.0.0", PORT, TOKEN))
