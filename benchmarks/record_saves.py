"""Saves the steps of a game one by one, each durable before the next, as a game does.

Through ``GameRepository``, against a plain parameterised INSERT of the same rows through DuckDB
into the same tables, with more and more rows there already; and against what else keeps such
records: SQLite and an fsynced file of JSON lines (lower bounds that check nothing), Optuna and
MLflow, both on SQLite.
"""

from __future__ import annotations

import os
import shutil
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import duckdb

from _measure import Contender, Report, Series, calls, parser, race, scratch
from _others import MODULES, PEERS, Records, Steps, in_tenths, json_lines, sqlite
from million import a_game, iterations, make
from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-new"
OURS, PLAIN = "GameRepository", "plain INSERT"
#: DuckDB logs a new row by reading its vector of 2,048 rows from the start, so saves are compared
#: at the same place within a vector ...
VECTOR = 2048
SIZES = (0, VECTOR, 10 * VECTOR, 100 * VECTOR)
#: ... and at the worst one: behind rows of the same vector that a checkpoint has compressed.
MID_VECTOR = 1000
MOST_OVER_PLAIN, MOST_GROWTH, LEAST_UNDER_PEERS = 1.5, 1.25, 3


@contextmanager
def copied(stored: Path) -> Iterator[Path]:
    """Give a copy of a database, so that every repetition finds the same."""
    copy = stored.with_name(f"copy-{time.monotonic_ns()}.db")
    shutil.copy(stored, copy)
    os.sync()  # or the first saves would wait for the copy to reach the disk
    yield copy
    copy.unlink()


@contextmanager
def ours(stored: Path, records: Records) -> Iterator[Steps]:
    with copied(stored) as path, DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.save_game_session(a_game(GAME))
        yield in_tenths(repo.save_policy_iteration, records)


@contextmanager
def plain(stored: Path, records: Records) -> Iterator[Steps]:
    marks = ", ".join("?" * len(PolicyIterationRecord.model_fields))
    sql = f"INSERT INTO policy_iterations VALUES ({marks})"
    rows = {id(record): record.to_row() for record in records}
    with copied(stored) as path, closing(duckdb.connect(str(path))) as conn:
        yield in_tenths(lambda record: conn.execute(sql, rows[id(record)]), records)


def contenders(report: Report, folder: Path, options: Namespace) -> dict[str, Contender]:
    """Return everyone who saves, by name: ours and plain at each size, and the others, empty."""
    records = list(iterations(GAME, options.rows))
    found: dict[str, Contender] = {}
    for stored in sorted(n for n in (*SIZES, MID_VECTOR) if n <= options.stored):
        database = folder / f"stored-{stored}.db"
        make(database, stored // 1000, 1000 if stored == MID_VECTOR else VECTOR, interleaved=False)
        found[f"{PLAIN}, {stored:,} stored"] = partial(plain, database, records)
        found[f"{OURS}, {stored:,} stored"] = partial(ours, database, records)
    found["JSON lines, fsync"] = partial(json_lines, folder, records)
    found["SQLite, WAL, full sync"] = partial(sqlite, folder, records)
    for module, (contender, ways) in MODULES.items():
        if not getattr(options, module):
            report.notes.append(f"{module}: left out, --{module} takes it in")
        elif find_spec(module) is None:
            report.notes.append(f"{module}: not installed, left out")
        else:
            for way in ways:
                found[way] = partial(contender, folder, way, records)
    return found


def judge(report: Report, found: Mapping[str, Series], rows: int) -> None:
    """Add a line for each contender: ours over plain, the rest over ours."""
    reference = found[f"{OURS}, 0 stored"]
    for name, series in found.items():
        if name.startswith((OURS, PLAIN)):
            grown = series.over(found[f"{name.split(',')[0]}, 0 stored"])[0]
            over = found[name.replace(OURS, PLAIN)]
            is_met, target = series.over(over)[0] <= MOST_OVER_PLAIN, f"{MOST_OVER_PLAIN} x plain"
            if not name.endswith(f" {MID_VECTOR:,} stored"):
                is_met, target = is_met and grown <= MOST_GROWTH, f"{target}, {MOST_GROWTH} x empty"
            verdict = is_met if name.startswith(OURS) else None
            report.add(
                name, series, rows=rows, over=over, target=target, met=verdict, x_empty=grown
            )
        else:
            report.add(
                name,
                series,
                rows=rows,
                over=reference,
                target=f"ours at least {LEAST_UNDER_PEERS} x faster",
                met=series.over(reference)[0] >= LEAST_UNDER_PEERS if name in PEERS else None,
            )


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=3)
    arguments.add_argument("--rows", type=int, default=1000, help="records saved (%(default)s)")
    arguments.add_argument(
        "--stored", type=int, default=SIZES[-1], help="most rows there already (%(default)s)"
    )
    for module in MODULES:
        arguments.add_argument(
            f"--{module}", action="store_true", help=f"measure {module} too, if installed"
        )
    options = arguments.parse_args()
    report = Report(f"Saving {options.rows:,} records one by one", options)
    making = calls(lambda _: list(iterations(GAME, options.rows)), options.repeat)
    report.add("making the records (not in the rest)", making, rows=options.rows)
    with scratch() as folder:
        judge(report, race(contenders(report, folder, options), options.repeat), options.rows)
    report.finish()


if __name__ == "__main__":
    main()
