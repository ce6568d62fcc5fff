"""What a page that is open hears: all that is new, each thing once, and the end."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.builders import LATER, a_session, an_iteration
from tests.unit.dashboard.conftest import PORT, URL, client_of

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.dashboard import live
from payment_simulator.dashboard.app import build_app
from payment_simulator.dashboard.live import GameFollower, Watch
from payment_simulator.dashboard.security import Access
from payment_simulator.dashboard.site import Site
from payment_simulator.dashboard.source import Source
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-001"


def step(repo: GameRepository, number: int, bank: str, **changes: Any) -> None:
    repo.save_policy_iteration(an_iteration(number, agent_id=bank, **changes))


@pytest.fixture
def site(repo: GameRepository, db_path: Path) -> Iterator[Site]:
    """Return a dashboard of a running game without steps, which is being written."""
    repo.save_game_session(a_session())
    source = Source(db_path)
    _, made = build_app(source, Access("127.0.0.1", PORT))
    yield made
    source.close()


def test_new_steps_come_once_with_what_is_best_so_far(site: Site, repo: GameRepository):
    follower = GameFollower(site, GAME, 0, 0)
    so_far = {"status": "running", "state": "interrupted", "steps": 0, "iteration": 0}
    assert follower.news() == [("status", so_far)]
    assert follower.news() == []
    step(repo, 1, "BANK_A")
    [(name, news)] = follower.news()
    assert (name, news["steps"], news["iteration"]) == ("steps", 1, 1)
    assert news["banks"]["BANK_A"]["new"] == [1200]
    assert news["banks"]["BANK_A"]["verdict"] == "a"
    assert follower.news() == []
    step(repo, 1, "BANK_B")
    [(_, news)] = follower.news()
    assert list(news["banks"]) == ["BANK_B"]
    values = {"old_cost": 1200.0, "new_cost": 1300.0, "cost_improvement": -100.0}
    step(repo, 2, "BANK_A", was_accepted=False, **values)
    [(_, news)] = follower.news()
    columns = news["banks"]["BANK_A"]
    assert (columns["iteration"], columns["verdict"]) == ((2,), "r")
    assert (columns["force"], columns["best"]) == ([1200], [1200])


def test_a_page_that_has_steps_hears_of_later_ones_alone(site: Site, repo: GameRepository):
    for number in range(1, 6):
        step(repo, number, "BANK_A")
    [(_, news), (_, status)] = GameFollower(site, GAME, 4, 4).news()
    assert news["banks"]["BANK_A"]["iteration"] == (4, 5)
    assert status["steps"] == 5
    assert [name for name, _ in GameFollower(site, GAME, 5, 5).news()] == ["status"]


def test_the_end_is_told_after_the_last_step(site: Site, repo: GameRepository):
    follower = GameFollower(site, GAME, 0, 0)
    follower.news()
    assert not follower.has_ended()
    step(repo, 1, "BANK_A")
    repo.update_game_session_status(GAME, "failed", LATER, 1)
    assert [name for name, _ in follower.news()] == ["steps", "status"]
    assert follower.has_ended()


def test_a_game_that_is_not_there_is_said_so(site: Site):
    with pytest.raises(GameNotFoundError):
        GameFollower(site, "none", 0, 0).news()


def test_files_that_rest_are_not_read_again(monkeypatch: pytest.MonkeyPatch):
    now, marks = [100.0], [((1, 1), None, None)]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    watch = Watch(lambda: marks[0])
    assert watch.has_news()
    now[0] += 1
    assert watch.has_news()  # what was written a moment ago may not have been seen
    now[0] += 10
    assert not watch.has_news()
    marks[0] = ((1, 2), None, None)
    assert watch.has_news()


def events(text: str) -> list[tuple[str, Any]]:
    found = []
    for part in text.strip().split("\n\n"):
        name, data = part.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.fixture
def ended(tmp_path: Path) -> TestClient:
    path = tmp_path / "ended.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        step(repo, 1, "BANK_A")
        repo.update_game_session_status(GAME, "converged", LATER, 1, True, 1200.0)
    return client_of(path)


def test_a_game_that_has_ended_is_told_and_over(ended: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
    answer = ended.get(f"/live/game?id={GAME}")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert [name for name, _ in events(answer.text)] == ["steps", "status", "end"]


def test_who_listens_is_let_go_when_the_server_ends(db_path: Path, repo: GameRepository):
    repo.save_game_session(a_session())
    app, site = build_app(Source(db_path), Access("127.0.0.1", PORT))
    client = TestClient(app, base_url=URL)
    timer = threading.Timer(0.3, site.stopping.set)
    timer.start()
    answer = client.get("/live/games")
    assert site.stopping.is_set()
    assert answer.status_code == 200
    assert site.listeners == 0
    timer.join()


def test_a_record_that_goes_while_it_is_followed_ends_it_in_words(
    ended: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
    told = [[("status", {})]]

    def news(_: GameFollower) -> Any:
        if told:
            return told.pop()
        raise GameNotFoundError(GAME)

    monkeypatch.setattr(GameFollower, "news", news)
    found = events(ended.get(f"/live/game?id={GAME}").text)
    assert [name for name, _ in found] == ["status", "problem"]
    assert found[-1][1]["problem"].startswith("game 'game-001' is not in the record")


def test_silence_is_broken_by_a_sign_of_life(site: Site, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.0)

    class Asking:
        class app:  # noqa: N801 - as the request has it
            class state:  # noqa: N801
                pass

        async def is_disconnected(self) -> bool:
            return False

    Asking.app.state.site = site  # type: ignore[attr-defined]

    async def first() -> Any:
        async for news in live._rounds(Asking(), list):  # type: ignore[arg-type]
            return news
        return None

    time.sleep(0.01)
    assert asyncio.run(first()) == [("alive", {})]


def test_too_many_listeners_are_turned_away(db_path: Path):
    app, own = build_app(Source(db_path), Access("127.0.0.1", PORT))
    own.listeners = live.MOST_LISTENERS
    answer = TestClient(app, base_url=URL).get("/live/games")
    assert answer.status_code == 503
    assert "close some" in answer.json()["problem"]
