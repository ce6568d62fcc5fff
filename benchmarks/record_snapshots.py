"""Lets other processes read while one writes.

The time until a reader has its own consistent copy of a database that another process holds, at
10,000 to a million rows; and 1,000 saves while two readers fetch copy after copy, against the same
saves alone.
"""

from __future__ import annotations

import multiprocessing
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

from _measure import Report, Series, in_fresh_process, memory_mb, parser, race, scratch
from million import a_game, iterations, make
from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-new"
READERS = 2
Records = Sequence[PolicyIterationRecord]
Steps = Sequence[Callable[[], object]]


def fetch(path: Path, repeat: int) -> Series:
    """Open the database for reading, again and again, and look into it."""
    series = Series()
    for _ in range(repeat):
        with series.timed():
            manager = DatabaseManager(path, read_only=True)
            GameRepository(manager.conn).list_game_sessions()
        if not manager.is_snapshot:
            raise RuntimeError(f"{path.name} was not held by the writer, so this measured nothing")
        manager.close()
    return series


def fetch_until(path: Path, ready: Event, stop: Event) -> None:
    """Fetch copies until told to stop."""
    while not stop.is_set():
        fetch(path, 1)
        ready.set()


@contextmanager
def saves(folder: Path, games: int, readers: int, records: Records) -> Iterator[Steps]:
    """Give saves into a database of its own that readers copy meanwhile."""
    path = folder / f"read-by-{readers}-{time.monotonic_ns()}.db"
    make(path, games, interleaved=False)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ExitStack() as stack:
        repo = GameRepository(stack.enter_context(DatabaseManager(path)).conn)
        repo.save_game_session(a_game(GAME))
        for _ in range(readers):
            ready = context.Event()
            reader = context.Process(target=fetch_until, args=(path, ready, stop), daemon=True)
            reader.start()
            stack.callback(reader.join)
            stack.callback(stop.set)
            if not ready.wait(60):
                raise RuntimeError("a reader did not get its first copy within a minute")
        yield [lambda: [repo.save_policy_iteration(record) for record in records]]
    path.unlink()


def measure(report: Report, folder: Path, options: Namespace) -> None:
    """Measure each size."""
    for games in options.games:
        path = folder / f"{games}.db"
        make(path, games, interleaved=False)
        with DatabaseManager(path):
            copies = in_fresh_process(fetch, path, options.repeat)
            peak = memory_mb()[1]
        report.add(
            f"{games * 1000:,} rows: a reader's copy",
            copies,
            file_mb=path.stat().st_size / 1e6,
            writer_peak_mb=peak,
        )
        path.unlink()
    records = list(iterations(GAME, options.rows))
    found = {readers: Series() for readers in (0, READERS)}
    for _ in range(options.repeat):
        for readers, series in found.items():  # one after the other: readers disturb everyone
            contender = partial(saves, folder, options.games[0], readers, records)
            one = race({"saves": contender}, 1)["saves"]
            series.add(one.wall[0], one.cpu[0])
    for readers, series in found.items():
        title = f"{options.rows:,} saves into {options.games[0] * 1000:,} rows, {readers} readers"
        report.add(title, series, rows=options.rows, over=found[0])


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=3)
    arguments.add_argument("--rows", type=int, default=1000, help="records saved (%(default)s)")
    arguments.add_argument(
        "--games", type=int, nargs="*", default=[10, 100], help="sizes, in games of 1,000 (10 100)"
    )
    arguments.add_argument(
        "--million", action="store_const", const=[10, 100, 1000], dest="games", help="1,000, too"
    )
    options = arguments.parse_args()
    report = Report("Reading while another process writes", options)
    with scratch() as folder:
        measure(report, folder, options)
    report.finish()


if __name__ == "__main__":
    main()
