"""A game that another process plays is followed; nobody reloads the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import Seen, chromium, dashboard_of
from tests.processes import running

from payment_simulator.persistence.connection import DatabaseManager

#: Plays a game of two banks: a step for each line that comes in, its end with the last of them.
PLAYER = """
import sys
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence import activity
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import LATER, a_session, an_iteration

manager = DatabaseManager(sys.argv[1])
repo = GameRepository(manager.conn)
repo.initialize_schema()
playing = activity.Claim()
activity.claim(repo.location, "live", playing)
repo.save_game_session(a_session("live"))
print("ready", flush=True)
step = 0
for line in sys.stdin:
    if line.strip() == "end":
        break
    iteration, bank = step // 2 + 1, "BANK_A" if step % 2 == 0 else "BANK_B"
    repo.save_policy_iteration(an_iteration(iteration, game_id="live", agent_id=bank))
    step += 1
    print(step, flush=True)
repo.update_game_session_status("live", "converged", LATER, 1, True, 2500.0)
playing.is_active = False
manager.close()
"""


class Player:
    """A process that plays a game, a step at a time."""

    def __init__(self, process: Any) -> None:
        self._process = process

    def step(self) -> None:
        """Make a step; it is recorded when this returns."""
        self._process.stdin.write("step\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


@contextmanager
def playing(path: Path) -> Iterator[Player]:
    """Play a game in another process; it ends with the block."""
    with running(PLAYER, path) as process:
        yield Player(process)


@pytest.fixture
def live_address(db_path: Path) -> Iterator[str]:
    """Return the address of a dashboard of a record without games."""
    chromium()
    with DatabaseManager(db_path) as manager:
        manager.setup()
    with dashboard_of(db_path) as url:
        yield url


@pytest.fixture
def follower(browser: Any, live_address: str) -> Iterator[Seen]:
    """Open an empty page beside that dashboard."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield Seen(context.new_page(), live_address)
    context.close()


def test_a_game_is_followed_from_its_first_step_to_its_end(follower: Seen, db_path: Path) -> None:
    page = follower.open("/")
    assert "No games yet" in page.locator("main").inner_text()
    with playing(db_path) as player:  # while the dashboard has the record in sight
        page.get_by_role("link", name="live").wait_for()
        assert page.locator("tbody .badge").inner_text() == "running"
        page.get_by_role("link", name="live").click()
        assert "first appears here" in page.locator("main").inner_text()
        player.step()
        page.locator("#cost-charts canvas").wait_for()
        page.locator("tbody .verdict.accepted").wait_for()
        page.evaluate("window.isTheSamePage = true")
        for _ in range(3):
            player.step()
        follower.until("document.querySelectorAll('#steps ~ .scroll tbody tr').length === 4")
        follower.until("document.querySelectorAll('#cost-charts .chart').length === 2")
        page.locator("#cost-charts details summary").first.click()
        player.step()
        rows = "document.querySelectorAll('#cost-charts details[open] tbody tr').length"
        follower.until(f"{rows} === 3")
        assert page.locator("#live").is_visible()
        follower.picture("game-live-light")
    page.locator(".facts .badge.status-converged").wait_for()
    page.locator("#live").wait_for(state="hidden")
    assert page.evaluate("window.isTheSamePage")
    assert "25.00" in page.locator(".facts").first.inner_text()
    follower.is_well()


def test_a_zoomed_chart_stays_where_it_is_while_steps_come(follower: Seen, db_path: Path) -> None:
    with playing(db_path) as player:
        for _ in range(12):
            player.step()
        page = follower.open("/game?id=live")
        page.locator("#cost-charts canvas").first.wait_for()
        page.locator("#cost-charts .chart-plot").first.focus()
        page.keyboard.press("+")
        picture = "document.querySelector('#cost-charts canvas').toDataURL()"
        before = page.evaluate(picture)
        player.step()
        follower.until("[...document.querySelectorAll('#steps ~ .scroll tbody tr')].length === 13")
        assert page.evaluate(picture) == before
    follower.is_well()


def test_what_is_open_and_focused_stays_so(follower: Seen, db_path: Path) -> None:
    with playing(db_path) as player:
        player.step()
        page = follower.open("/game?id=live")
        page.locator("#config summary").click()
        page.locator("#steps ~ .scroll tbody a").focus()
        player.step()
        follower.until("document.querySelectorAll('#steps ~ .scroll tbody tr').length === 2")
        assert page.locator("#config").get_attribute("open") is not None
        assert "BANK_A" in page.evaluate("document.activeElement.textContent")
    follower.is_well()
