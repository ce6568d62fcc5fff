"""What it takes to look at results: commands on records of many games, each in a fresh process.

``games``, ``show`` and ``compare`` of 20 games on records of 10, 100 and, with ``--million``, 1,000
games of 1,000 steps, with the time that the program takes to start; memory; the steps of a game as
records and as a frame; and a question to a writing process against a copy of its record.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median

from _measure import Report, Series, calls, in_fresh_process, memory_mb, parser, scratch
from million import make
from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis import frames, open_record
from payment_simulator.persistence.connection import DatabaseManager

#: Runs a command, and says at the end how much memory it held.
PROGRAM = """
import sys
from payment_simulator.cli import main
try:
    main()
finally:
    with open('/proc/self/status', encoding='ascii') as status:
        peak = int(status.read().split('VmHWM:')[1].split()[0]) * 1024 / 1e6
    print('peak', peak, file=sys.stderr)
"""
START = "start (--version)"
#: Seconds after start, at most.
TARGETS = {"games": 0.5, "show": 1.0, "compare": 2.0}
MOST_MEMORY_MB = 500
COMPARED = 20


def arguments_of(command: str, path: Path, turn: int, games: int) -> list[str]:
    """Return the words of a command; each turn looks at other games."""
    ids = [f"game-{(turn * 37 + n) % games:04}" for n in range(min(COMPARED, games))]
    named = {START: ["--version"], "games": ["games"], "show": ["show", ids[0]]}
    words = named.get(command, ["compare", *ids])
    return words if command == START else [*words, "--db", str(path)]


def run(words: list[str]) -> tuple[float, float, float]:
    """Run a command; return wall and CPU seconds, and its peak of memory in MB."""
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        check=True,
        capture_output=True,
        text=True,
    )
    wall = time.perf_counter() - wall
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, float(done.stderr.rsplit("peak ", 1)[1])


def as_records(path: Path, games: int, repeat: int) -> tuple[Series, float]:
    """Read every step of games as records: the obvious way to look at one."""
    with DatabaseManager(path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        found = calls(lambda n: repo.get_policy_iterations(f"game-{n * 37 % games:04}"), repeat)
    return found, memory_mb()[1]


def as_frame(path: Path, games: int, repeat: int) -> tuple[Series, float]:
    """Read every step of games as an Arrow table, each in one call."""
    found = calls(lambda n: frames.iterations(path, f"game-{n * 37 % games:04}"), repeat)
    return found, memory_mb()[1]


def commands(report: Report, path: Path, games: int, title: str, repeat: int) -> None:
    """Run the commands in turn."""
    names = [START, *TARGETS]
    for name in names:
        run(arguments_of(name, path, 0, games))  # compiles what is not compiled yet
    found = {name: Series() for name in names}
    memory = dict.fromkeys(names, 0.0)
    for turn in range(repeat):
        for name in names:
            wall, cpu, peak = run(arguments_of(name, path, turn, games))
            found[name].add(wall, cpu)
            memory[name] = max(memory[name], peak)
    for name, series in found.items():
        if name == START:
            report.add(name, series, of=title, peak_mb=memory[name])
            continue
        after_start = median(
            mine - start for mine, start in zip(series.wall, found[START].wall, strict=True)
        )
        report.add(
            name,
            series,
            of=title,
            over=found[START],
            target=f"under {TARGETS[name]} s after start, {MOST_MEMORY_MB} MB",
            met=after_start < TARGETS[name] and memory[name] < MOST_MEMORY_MB,
            s_after_start=after_start,
            peak_mb=memory[name],
        )


def questions(path: Path, repeat: int) -> tuple[Series, Series]:
    """Ask a process that writes for a list of games, and fetch a copy to read it from."""

    def ask(_: int) -> object:
        with open_record(path) as record:
            return record.list_game_sessions(limit=20)

    def copy(_: int) -> object:
        with DatabaseManager(path, read_only=True) as manager:
            return GameRepository(manager.conn).list_game_sessions(limit=20)

    return calls(ask, repeat), calls(copy, repeat)


def while_written(path: Path, asked: Callable[..., tuple[Series, Series]], repeat: int) -> object:
    """Hold the database for writing while another process asks."""
    with DatabaseManager(path):
        return in_fresh_process(asked, path, repeat)


def measure(report: Report, folder: Path, options: Namespace) -> None:
    """Measure each size."""
    for games in options.games:
        path = folder / f"results-{games}-{options.per_game}.db"
        make(path, games, options.per_game, interleaved=False)
        title = f"{games:,} games, {games * options.per_game:,} steps"
        commands(report, path, games, title, options.repeat)
        records, records_mb = in_fresh_process(as_records, path, games, options.repeat)
        table, table_mb = in_fresh_process(as_frame, path, games, options.repeat)
        report.add("steps of a game as records", records, of=title, peak_mb=records_mb)
        report.add("the same as a frame", table, of=title, over=records, peak_mb=table_mb)
        asked, copied = while_written(path, questions, options.repeat)
        report.add("list through a copy, while written", copied, of=title)
        report.add("list through a question", asked, of=title, over=copied)
        if not options.folder:
            path.unlink()
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def main() -> None:
    """Run the benchmark."""
    os.environ.pop("PAYMENT_SIM_DB", None)
    arguments = parser(__doc__, repeat=5)
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
    report = Report("Looking at results", options)
    with scratch(options.folder) as folder:
        # Modules are compiled once, as on a user's machine, whatever this environment says.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        measure(report, folder, options)
    report.finish()


if __name__ == "__main__":
    main()
