"""Saves many steps of games at once, all durable together.

``GameRepository.save_policy_iterations`` for 1,000, 10,000 and 100,000 records in one call, the
checks of every record included, against ``executemany`` of DuckDB in one transaction; and, where
asked for, batch after batch of 1,000 until the table holds a million rows.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from _measure import Contender, Report, Series, in_fresh_process, memory_mb, parser, race, scratch
from million import a_game, iterations
from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-new"
THEIRS, OURS = "executemany", "save_policy_iterations"
SIZES = (1_000, 10_000, 100_000)
LEAST_PER_SECOND = 15_000
TARGET = f"at least {LEAST_PER_SECOND:,} rows/s"
BATCH, STAGES = 1000, 10
Records = Sequence[PolicyIterationRecord]
Steps = Sequence[Callable[[], object]]


@contextmanager
def empty(folder: Path) -> Iterator[Path]:
    """Give a new database with one game and no iterations."""
    path = folder / f"bulk-{time.monotonic_ns()}.db"
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_game(GAME))
    yield path
    path.unlink()


@contextmanager
def ours(folder: Path, records: Records) -> Iterator[Steps]:
    with empty(folder) as path, DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        yield [partial(repo.save_policy_iterations, records)]


@contextmanager
def executemany(folder: Path, records: Records) -> Iterator[Steps]:
    marks = ", ".join("?" * len(PolicyIterationRecord.model_fields))
    rows = [record.to_row() for record in records]
    with empty(folder) as path, closing(duckdb.connect(str(path))) as conn:

        def insert() -> None:
            conn.begin()
            conn.executemany(f"INSERT INTO policy_iterations VALUES ({marks})", rows)
            conn.commit()

        yield [insert]


def one_call(report: Report, folder: Path, options: Namespace) -> None:
    """Compare one call with executemany, for more and more records."""
    for count in [n for n in SIZES if n <= options.rows] or [options.rows]:
        records = list(iterations(GAME, count))
        contenders: dict[str, Contender] = {
            THEIRS: partial(executemany, folder, records),
            OURS: partial(ours, folder, records),
        }
        found = race(contenders, options.repeat)
        for name, series in found.items():
            enough = count / median(series.wall) >= LEAST_PER_SECOND
            report.add(
                name,
                series,
                of=f"{count:,} records in one call",
                rows=count,
                over=found[THEIRS],
                target=TARGET,
                met=enough if name == OURS else None,
            )


def sustained(path: Path, rows: int) -> list[tuple[Series, float]]:
    """Save batch after batch; return the time and the peak memory of each tenth of the rows."""
    found = []
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_game(GAME))
        size = min(BATCH, rows // STAGES)
        for first in range(0, rows, rows // STAGES):
            wall = cpu = 0.0
            for start in range(first, first + rows // STAGES, size):
                batch = list(iterations(GAME, size, start + 1))
                one = Series()
                with one.timed():
                    repo.save_policy_iterations(batch)
                wall, cpu = wall + one.wall[0], cpu + one.cpu[0]
            found.append((Series([wall], [cpu]), memory_mb()[1]))
    return found


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=3)
    arguments.add_argument(
        "--rows", type=int, default=100_000, help="most records in one call (%(default)s)"
    )
    arguments.add_argument(
        "--growing", type=int, default=0, help="rows saved in batches of 1,000 (%(default)s)"
    )
    arguments.add_argument(
        "--million", action="store_const", const=1_000_000, dest="growing", help="a million of them"
    )
    options = arguments.parse_args()
    report = Report("Saving many records at once", options)
    with scratch() as folder:
        one_call(report, folder, options)
        if options.growing:
            stages = in_fresh_process(sustained, folder / "growing.db", options.growing)
            each = options.growing // STAGES
            for number, (series, peak) in enumerate(stages, 1):
                report.add(
                    f"up to {number * each:,} rows",
                    series,
                    of="batches of 1,000, one after the other",
                    rows=each,
                    over=stages[0][0],
                    target=TARGET,
                    met=each / series.wall[0] >= LEAST_PER_SECOND,
                    peak_mb=peak,
                )
    report.finish()


if __name__ == "__main__":
    main()
