"""The dashboard on a record of many games: start, pages, weight, memory, and charts in a browser.

The server runs in a process of its own, as `payment-sim dashboard` starts it. Pages are asked for
without a browser, each time another game; what a browser loads for them, and how long a chart of
many steps takes to be drawn anew, is measured in Chromium where Playwright and it are there.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from _measure import Report, Series, calls, parser, scratch
from million import make
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager

PROGRAM = [sys.executable, "-c", "from payment_simulator.cli import main; main()"]
#: Seconds, at most.
PAGES = {
    "list of games": ("/?page={page}", 0.5),
    "game": ("/game?id=game-{game:04}", 1.0),
    "numbers of its charts": ("/data/costs?id=game-{game:04}", 1.0),
    "parameters of its charts": ("/data/parameters?id=game-{game:04}", 1.0),
    "step": ("/step?id=game-{game:04}&bank=BANK_3&iteration=1", 1.0),
    "two games compared": ("/compare?id=game-{game:04}&id=game-{other:04}", 2.0),
}
START_SECONDS, MOST_MEMORY_MB, MOST_PAGE_KB, REDRAW_MS = 3.0, 500, 1500, 50
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
#: Zooms a chart in the page, a frame for each, and gives how long each took to be drawn.
ZOOM = """async (count) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const found = [];
  const plus = document.querySelector('[aria-label="Zoom in"]');
  const all = document.querySelector('[aria-label="Show all"]');
  for (let i = 0; i < count; i += 1) {
    const button = i % 4 ? plus : all;
    await frame();
    const start = performance.now();
    button.click();
    await new Promise((done) => setTimeout(done));
    found.push(performance.now() - start);
  }
  return found;
}"""


@dataclass
class Server:
    """A dashboard that runs."""

    url: str
    pid: int

    def memory_mb(self) -> float:
        """Return what it has held in memory at most, in MB of 10^6 bytes."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        return int(found[1]) * 1024 / 1e6 if found else 0.0


@contextmanager
def served(path: Path, starting: Series | None = None) -> Iterator[Server]:
    """Start a dashboard, and end it."""
    start, cpu = time.perf_counter(), time.process_time()
    command = [*PROGRAM, "dashboard", "--db", str(path), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += process.stdout.readline()
        url = json.loads(text)["url"].rstrip("/")
        urlopen(url + "/").read()
        if starting is not None:
            starting.add(time.perf_counter() - start, time.process_time() - cpu)
        yield Server(url, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def address(template: str, number: int, games: int) -> str:
    # 37 and 1,000 have no common factor, so no game comes twice before all have come.
    game = number * 37 % games
    return template.format(game=game, other=(game + 1) % games, page=number % 10 + 1)


def measure_pages(report: Report, path: Path, options: Namespace) -> None:
    """Measure starts, pages and memory."""
    title = f"{options.games:,} games of {options.per_game:,} steps"
    starting = Series()
    for _ in range(options.repeat):
        with served(path, starting):
            pass
    report.add(
        "start, to the first list",
        starting,
        of=title,
        target=f"under {START_SECONDS} s",
        met=median(starting.wall) < START_SECONDS,
    )
    with served(path) as server:
        for what, (template, most) in PAGES.items():
            sizes: list[int] = []

            def ask(number: int, template: str = template, sizes: list[int] = sizes) -> None:
                page = urlopen(server.url + address(template, number, options.games)).read()
                sizes.append(len(page))

            series = calls(ask, options.repeat)
            report.add(
                what,
                series,
                of=title,
                target=f"under {most} s",
                met=median(series.wall) < most,
                first_ms=series.wall[0] * 1000,
                kb=median(sizes) / 1000,
            )
        memory = server.memory_mb()
        report.add(
            "peak memory, MB",
            of=title,
            target=f"under {MOST_MEMORY_MB} MB",
            met=memory < MOST_MEMORY_MB,
            server=memory,
        )


def make_long_game(path: Path, steps: int) -> None:
    """Write a game of one bank with many steps, unless it is there already."""
    if path.exists():
        return
    with DatabaseManager(path) as manager:
        GameRepository(manager.conn).initialize_schema()
        manager.conn.execute(
            """INSERT INTO game_sessions VALUES ('long', 'scenario.yaml', 1, 'campaign_learning',
            '{}', TIMESTAMP '2026-01-01', NULL, 'completed', '["BANK_A"]', ?, false, 1000.0)""",
            (steps,),
        )
        manager.conn.execute(
            """INSERT INTO policy_iterations
            SELECT 'long', 'BANK_A', n, n, '{"parameters": {"x": ' || (n % 97) || '}}',
                   '{"parameters": {"x": ' || (n % 89) || '}}', 1e6 - n, 1e6 - n + hash(n) % 1000,
                   -(hash(n) % 1000)::DOUBLE, false,
                   CASE WHEN n % 50 = 0 THEN '["no policy"]' ELSE '[]' END, 'search/tpe', 0.5, 0,
                   TIMESTAMP '2026-01-01' + INTERVAL (n) SECOND
            FROM range(1, ? + 1) AS t(n)""",
            (steps,),
        )


def chromium(given: Path | None) -> str | None:
    if find_spec("playwright") is None:
        return None
    return str(given) if given else next(filter(None, map(shutil.which, CHROMIUM)), None)


def measure_browser(report: Report, pages: Path, long: Path, options: Namespace) -> None:
    """Measure what a browser loads, and how long a chart takes to be drawn."""
    program = chromium(options.chromium)
    if program is None:
        report.notes.append("Chromium or Playwright: not installed, charts left out")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=BROWSER_OPTIONS)
        with served(pages) as server:
            for what, template in (("list of games", "/"), ("game", "/game?id=game-{game:04}")):
                sizes, context = [], browser.new_context()  # of which nothing is kept yet
                page = context.new_page()
                page.on("response", lambda r, sizes=sizes: sizes.append(len(_body(r))))
                page.goto(server.url + address(template, 1, options.games), wait_until="load")
                page.wait_for_timeout(1000)
                context.close()
                report.add(
                    f"weight of {what}, KB",
                    of="in Chromium",
                    target=f"under {MOST_PAGE_KB} KB",
                    met=sum(sizes) < MOST_PAGE_KB * 1000,
                    all_kb=sum(sizes) / 1000,
                    files=len(sizes),
                )
        with served(long) as server:
            page = browser.new_page()
            page.goto(server.url + "/game?id=long")
            page.wait_for_selector(".chart canvas")
            page.wait_for_timeout(500)
            found = page.evaluate(ZOOM, 4 * options.repeat)
            report.add(
                f"zoom of {options.chart_steps:,} steps, ms",
                of="in Chromium",
                target=f"under {REDRAW_MS} ms",
                met=median(found) < REDRAW_MS,
                median=median(found),
                slowest=max(found),
            )
        browser.close()


def _body(response: Any) -> bytes:
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return b""
    body: bytes = response.body()
    return body


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=10)
    arguments.add_argument("--games", type=int, default=100, help="games (%(default)s)")
    arguments.add_argument(
        "--per-game", type=int, default=1000, help="steps in each game (%(default)s)"
    )
    arguments.add_argument(
        "--chart-steps", type=int, default=10_000, help="steps of the chart (%(default)s)"
    )
    arguments.add_argument("--chromium", type=Path, help="where Chromium is")
    arguments.add_argument("--no-browser", action="store_true", help="leave the charts out")
    arguments.add_argument(
        "--folder", type=Path, help="keep the databases there, and use those that are there"
    )
    options = arguments.parse_args()
    report = Report("The dashboard", options)
    with scratch(options.folder) as folder:
        pages = folder / f"dashboard-{options.games}-{options.per_game}.db"
        long = folder / f"dashboard-long-{options.chart_steps}.db"
        make(pages, options.games, options.per_game, interleaved=False)
        make_long_game(long, options.chart_steps)
        measure_pages(report, pages, options)
        if not options.no_browser:
            measure_browser(report, pages, long, options)
    report.finish()


if __name__ == "__main__":
    main()
