"""A browser, a record worth looking at, and the dashboard in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.browser.worlds import make_world
from tests.command_line import PROGRAM, variables
from tests.processes import HANGS_AFTER_SECONDS

ROOT = Path(__file__).parents[2]
#: Pictures of the pages, for people to look at; git knows nothing of them.
PICTURES = ROOT / "artefacts"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_MISSING = (
    "no Chromium is installed, so nobody has looked at the pages; on Debian: "
    "apt-get install chromium (PAYMENT_SIM_BROWSER=required makes this a failure)"
)


def chromium() -> str:
    """Return where Chromium is; without it, tests fail where it is required, and are left out."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("PAYMENT_SIM_BROWSER") == "required":
            pytest.fail(_MISSING)
        pytest.skip(_MISSING)
    return found


@contextmanager
def dashboard_of(path: Path, *options: str) -> Iterator[str]:
    """Run the dashboard as a person does, and give its address."""
    command = [*PROGRAM, "dashboard", "--db", str(path), "--port", "0", "--json", *options]
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
        yield json.loads(text)["url"].rstrip("/")
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=HANGS_AFTER_SECONDS)
    assert process.returncode == 0, errors
    assert errors == ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Open one browser for the tests of a file.

    Not for all tests of the process: while it is open an event loop counts as running, and tests
    that follow could not run one of their own.
    """
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=_OPTIONS.split())
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a record with games that were played, and one whose texts mean harm."""
    chromium()
    path = tmp_path_factory.mktemp("world") / "simulation.db"
    make_world(path)
    return path


@pytest.fixture(scope="session")
def address(world: Path) -> Iterator[str]:
    """Return the address of a dashboard of that record."""
    with dashboard_of(world) as url:
        yield url


class Seen:
    """A page, and all that it did that it should not have done."""

    def __init__(self, page: Any, address: str) -> None:
        self.page = page
        self.address = address
        self.faults: list[str] = []
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._asked)
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.faults.append(text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.faults.append(f"asked for {request.url}")

    def open(self, path: str) -> Any:
        """Go to a page of the dashboard, and wait until its charts are drawn."""
        self.page.goto(self.address + path)
        self.until("document.querySelectorAll('.waiting').length === 0")
        return self.page

    def until(self, expression: str, argument: Any = None) -> None:
        """Wait until something holds; the page's own policy forbids to leave that to it."""
        give_up = time.monotonic() + HANGS_AFTER_SECONDS
        while not self.page.evaluate(expression, argument):
            assert time.monotonic() < give_up, f"never came: {expression}"
            self.page.wait_for_timeout(50)

    def is_well(self, name: str = "") -> None:
        """Check that the page ran no foreign script, asked nobody else, and fits its window."""
        assert self.page.evaluate("window.harmed") is None
        width, room = self.page.evaluate(
            "[document.documentElement.scrollWidth, window.innerWidth]"
        )
        assert width <= room, name
        assert self.faults == []

    def picture(self, name: str) -> None:
        """Keep a picture of the page."""
        PICTURES.mkdir(exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def seen(browser: Any, address: str) -> Iterator[Seen]:
    """Open an empty page of a window of usual size."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield Seen(context.new_page(), address)
    context.close()
