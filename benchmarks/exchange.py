"""Exports a game and imports it: seconds, bytes and memory in each format.

The game has 1,000 iterations with two policies of 2 KB each and 1,000 evaluation samples in each.
What it is compared with is DuckDB's own ``EXPORT DATABASE`` and ``IMPORT DATABASE``, which check
nothing.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import duckdb

from _measure import Report, Series, in_fresh_process, memory_mb, parser, scratch
from million import a_game, iterations
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.exchange import FORMATS, export_games, import_file, import_games
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-0000"
MOST_MB = 500
PLAIN = "EXPORT and IMPORT DATABASE, Parquet"
_SAMPLES = """
    SELECT game_id, agent_id, iteration_number, sample_number, (h % 1000000007)::BIGINT,
           (h % 99999989) / 7.0::DOUBLE AS old_cost, (h % 99999971) / 7.0::DOUBLE AS new_cost,
           old_cost - new_cost, (h % 1009) / 1009.0::DOUBLE, (h % 997) / 997.0::DOUBLE
    FROM (
        SELECT game_id, agent_id, iteration_number, s::INTEGER AS sample_number,
               hash(iteration_number, s) AS h
        FROM policy_iterations, range(1, ?) AS samples(s)
    )
"""


def make(path: Path, n_iterations: int, n_samples: int) -> None:
    """Make a record of one large game."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_game(GAME))
        repo.save_policy_iterations(iterations(GAME, n_iterations))
        manager.conn.execute(f"INSERT INTO evaluation_samples {_SAMPLES}", [n_samples + 1])


def out(path: Path, folder: Path, file_format: str) -> tuple[Series, float, int]:
    """Export the game; return the time, the peak memory and the bytes."""
    series = Series()
    with series.timed(), DatabaseManager(path, read_only=True) as manager:
        done = export_games(GameRepository(manager.conn), [GAME], folder, format=file_format)
    return series, memory_mb()[1], done.bytes


def into_new(folder: Path, path: Path) -> tuple[Series, float]:
    """Import the game into a new file."""
    series = Series()
    with series.timed():
        import_file(folder, path)
    return series, memory_mb()[1]


def into_old(folder: Path, path: Path) -> tuple[Series, float]:
    """Import the game into a file that is there."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_game("another"))
    series = Series()
    with DatabaseManager(path) as manager, series.timed():
        import_games(folder, GameRepository(manager.conn))
    return series, memory_mb()[1]


def plain(path: Path, folder: Path) -> tuple[Series, int]:
    """Have DuckDB export and import the whole file."""
    series = Series()
    with series.timed():
        with duckdb.connect(str(path), read_only=True) as conn:
            conn.execute(f"EXPORT DATABASE '{folder}' (FORMAT parquet)")
        with duckdb.connect(str(folder / "again.db")) as conn:
            conn.execute(f"IMPORT DATABASE '{folder}'")
    return series, sum(p.stat().st_size for p in folder.glob("*.parquet"))


def measure(report: Report, folder: Path, options: Namespace) -> None:
    record = folder / "games.db"
    make(record, options.iterations, options.samples)
    rows = options.iterations * (1 + options.samples) + 1
    found, size = in_fresh_process(plain, record, folder / "plain")
    report.add(PLAIN, found, of="all", rows=rows, mb=size / 1e6)
    for file_format in FORMATS:
        exported = folder / file_format
        series, peak, size = in_fresh_process(out, record, exported, file_format)
        report.add(f"export, {file_format}", series, of=file_format, rows=rows, mb=size / 1e6,
                   peak_mb=peak, target=f"at most {MOST_MB} MB of memory",
                   met=peak <= MOST_MB)  # fmt: skip
        for what, work in (("a new file", into_new), ("a file that is there", into_old)):
            target = folder / f"{file_format} {what}.db"
            series, peak = in_fresh_process(work, exported, target)
            report.add(f"import into {what}, {file_format}", series, of=file_format, rows=rows,
                       peak_mb=peak, target=f"at most {MOST_MB} MB of memory",
                       met=peak <= MOST_MB)  # fmt: skip


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=1)
    arguments.add_argument("--iterations", type=int, default=1000, help="steps (%(default)s)")
    arguments.add_argument("--samples", type=int, default=1000, help="in each (%(default)s)")
    options = arguments.parse_args()
    report = Report("Exporting and importing a game", options)
    for _ in range(options.repeat):
        with scratch() as folder:
            measure(report, folder, options)
    report.finish()


if __name__ == "__main__":
    main()
