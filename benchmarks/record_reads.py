"""Reads from records of 10,000 to a million steps of games, 1,000 in every game.

Opening, the reads of ``GameRepository`` and the memory they take, each database in a process of
its own, against the same queries through plain DuckDB as it comes. Every call asks for another
game. Rows lie together game by game, or interleaved as when all games were played at once.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median

import duckdb

from _measure import Report, Series, calls, in_fresh_process, memory_mb, parser, scratch
from million import make
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager

AGENT = "BANK_3"
OPEN, AGENT_STEPS, GAME_STEPS = (
    "open",
    "get_policy_iterations, agent",
    "get_policy_iterations, game",
)
BEST, SUMMARY, GAMES = "get_best_policy", "get_optimization_summary", "list_game_sessions"
#: Seconds, at most.
TARGETS = {OPEN: 0.5, AGENT_STEPS: 0.030, BEST: 0.015, SUMMARY: 0.015, GAMES: 0.020}
MOST_MEMORY_MB = 400
PLAIN_SQL = {
    AGENT_STEPS: "SELECT * FROM policy_iterations WHERE game_id = $game AND agent_id = $agent "
    "ORDER BY iteration_number",
    GAME_STEPS: "SELECT * FROM policy_iterations WHERE game_id = $game ORDER BY iteration_number",
    BEST: "SELECT new_policy_json FROM policy_iterations WHERE game_id = $game "
    "AND agent_id = $agent AND was_accepted ORDER BY new_cost LIMIT 1",
    SUMMARY: "SELECT count(*), count(*) FILTER (was_accepted), sum(cost_improvement), "
    "sum(tokens_used), sum(llm_latency_seconds) FROM policy_iterations WHERE game_id = $game",
    GAMES: "SELECT * FROM game_sessions ORDER BY started_at DESC LIMIT 100",
}
Reads = dict[str, Callable[[str], object]]


def ours(path: Path) -> Reads:
    """Return the repository's reads, by name, each taking a game."""
    manager = DatabaseManager(path)
    repo = GameRepository(manager.conn)
    repo.initialize_schema()
    return {
        AGENT_STEPS: lambda game: repo.get_policy_iterations(game, AGENT),
        GAME_STEPS: repo.get_policy_iterations,
        BEST: lambda game: repo.get_best_policy(game, AGENT),
        SUMMARY: repo.get_optimization_summary,
        GAMES: lambda _: repo.list_game_sessions(),
        "close": lambda _: manager.close(),
    }


def plain(path: Path) -> Reads:
    """Return the same reads through DuckDB alone."""
    conn = duckdb.connect(str(path))

    def read(sql: str) -> Callable[[str], object]:
        given = [name for name in ("game", "agent") if f"${name}" in sql]
        return lambda game: conn.execute(
            sql, {name: {"game": game, "agent": AGENT}[name] for name in given}
        ).fetchall()

    reads = {name: read(sql) for name, sql in PLAIN_SQL.items()}
    return {**reads, "close": lambda _: conn.close()}


def one_database(
    reader: Callable[[Path], Reads], path: Path, games: int, repeat: int
) -> tuple[dict[str, Series], float, float]:
    """Open one database and read; return times, memory before and memory at the end."""
    before = memory_mb()[0]
    opening = Series()
    for _ in range(5):
        with opening.timed():
            reads = reader(path)
        reads["close"]("")
    reads = reader(path)
    found = {OPEN: opening}
    for name in (AGENT_STEPS, GAME_STEPS, BEST, SUMMARY, GAMES):
        # 37 and 1,000 have no common factor, so no game comes twice before all have come.
        found[name] = calls(lambda n, name=name: reads[name](f"game-{n * 37 % games:04}"), repeat)
    after = memory_mb()[1]
    reads["close"]("")
    return found, before, after


def measure(report: Report, folder: Path, options: Namespace) -> None:
    """Measure each size and each order of rows."""
    smallest: dict[str, Series] = {}
    for games, is_interleaved in product(options.games, (False, True)):
        order = "interleaved" if is_interleaved else "game by game"
        path = folder / f"{games}-{order.replace(' ', '-')}-{duckdb.__version__}.db"
        make(path, games, options.per_game, interleaved=is_interleaved)
        given = (path, games, options.repeat)
        alone, _, plain_memory = in_fresh_process(one_database, plain, *given)
        found, before, memory = in_fresh_process(one_database, ours, *given)
        title = f"{games * options.per_game:,} rows, {order}"
        for name, series in found.items():
            least = smallest.setdefault(f"{name}, {order}", series)
            most = TARGETS.get(name)
            report.add(
                name,
                series,
                of=title,
                over=alone[name],
                target=f"under {most} s",
                met=None if most is None else median(series.wall) < most,
                first_ms=series.wall[0] * 1000,
                x_smallest=median(series.wall) / median(least.wall),
            )
        report.add(
            "peak memory, MB",
            of=title,
            target=f"under {MOST_MEMORY_MB} MB",
            met=memory < MOST_MEMORY_MB,
            ours=memory,
            before_opening=before,
            plain=plain_memory,
        )
        if not options.folder:
            path.unlink()


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=30)
    arguments.add_argument(
        "--games", type=int, nargs="*", default=[10, 100], help="sizes, in games (10 100)"
    )
    arguments.add_argument(
        "--million", action="store_const", const=[10, 100, 1000], dest="games", help="1,000, too"
    )
    arguments.add_argument(
        "--per-game", type=int, default=1000, help="steps in each game (%(default)s)"
    )
    arguments.add_argument(
        "--folder", type=Path, help="keep the databases there, and use those that are there"
    )
    options = arguments.parse_args()
    report = Report("Reading the record", options)
    with scratch(options.folder) as folder:
        measure(report, folder, options)
    report.finish()


if __name__ == "__main__":
    main()
