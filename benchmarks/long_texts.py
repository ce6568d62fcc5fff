"""Long texts: what a save costs as they add up, and how much memory a large record takes.

A call of a language model with a prompt of 200 KB is saved 100 times, on an empty record and behind
more and more of them. A game with many such calls, and games with one large payments file, are read,
checked, exported and imported in a process of their own each, whose memory is told.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from _measure import Report, Series, in_fresh_process, memory_mb, parser, scratch
from million import a_game
from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    LLMInteractionRecord,
    ProvenanceFileRecord,
)
from payment_simulator.persistence.connection import DatabaseManager

GAME = "game-texts"
SAVED, MOST_GROWTH, MOST_MB = 100, 1.3, 600
_WORDS = [hashlib.md5(str(n).encode(), usedforsecurity=False).hexdigest() for n in range(4096)]


def text(size: int, number: int) -> str:
    """Return a text of a size, another one for each number."""
    words = random.Random(number).choices(_WORDS, k=size // len(_WORDS[0]) + 1)
    return f"{number} {''.join(words)}"[:size]


def call(number: int, size: int, game: str = GAME) -> LLMInteractionRecord:
    now = datetime.now(UTC)
    return LLMInteractionRecord(
        game_id=game,
        agent_id="BANK_A",
        iteration_number=number + 1,
        attempt_number=1,
        llm_model="provider/model",
        system_prompt="You are the treasurer of a bank.",
        user_prompt=text(size, number),
        raw_response='{"policy": {}}',
        llm_latency_seconds=1.0,
        request_timestamp=now,
        response_timestamp=now,
    )


@contextmanager
def opened(path: Path) -> Iterator[GameRepository]:
    with DatabaseManager(path, serve=False) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        yield repo


def save_calls(path: Path, first: int, count: int, size: int) -> Series:
    """Save calls one by one, and return what the saves took."""
    with opened(path) as repo:
        if repo.get_game_session(GAME) is None:
            repo.save_game_session(a_game(GAME))
        calls = [call(first + number, size) for number in range(min(count, SAVED))]
        series = Series()
        with series.timed():
            for record in calls:
                repo.save_llm_interaction(record)
        for number in range(len(calls), count):
            repo.save_llm_interaction(call(first + number, size))
    return series


def save_games(path: Path, count: int, size: int) -> Series:
    """Save games with one and the same payments file."""
    payments, series = text(size, 0), Series()
    with opened(path) as repo:
        for number in range(count):
            game = f"game-{number:04d}"
            file = ProvenanceFileRecord(
                game_id=game, role="payments", name="payments", content=payments
            )
            repo.save_game_session(a_game(game))
            with series.timed():
                repo.save_provenance_files([file])
    return series


def read_calls(path: Path) -> float:
    with opened(path) as repo:
        for found in repo.iterate_llm_interactions(GAME):
            assert found.user_prompt
    return memory_mb()[1]


def check(path: Path) -> float:
    from payment_simulator.ai_cash_mgmt.persistence.checking import check_record

    with DatabaseManager(path, read_only=True) as manager:
        # The calls belong to no steps, and the games have no other files.
        assert not any(found.table.startswith("text") for found in check_record(manager.conn))
    return memory_mb()[1]


def export(path: Path, folder: Path, file_format: str) -> float:
    from payment_simulator.analysis.exchange import export_games

    with DatabaseManager(path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        export_games(repo, repo.get_game_ids(), folder, format=file_format)
    return memory_mb()[1]


def take_in(folder: Path, path: Path) -> float:
    from payment_simulator.analysis.exchange import import_file

    import_file(folder, path)
    return memory_mb()[1]


def grow(report: Report, path: Path, options: Namespace) -> None:
    """Save calls behind more and more others."""
    of = f"{SAVED} calls of {options.kilobytes} KB, one by one"
    empty: Series | None = None
    stored = 0
    for target in (0, 300, 3000):
        if target > options.calls:
            break
        if target > stored:
            save_calls(path, stored, target - stored, options.kilobytes * 1000)
            stored = target
        series = in_fresh_process(save_calls, path, stored, SAVED, options.kilobytes * 1000)
        stored += SAVED
        empty = empty or series
        growth = series.over(empty)[1]
        report.add(
            f"{target:,} stored",
            series,
            of=of,
            rows=SAVED,
            over=empty,
            target=f"{MOST_GROWTH} x empty (CPU)",
            met=growth <= MOST_GROWTH,
        )
    if options.calls > stored:
        save_calls(path, stored, options.calls - stored, options.kilobytes * 1000)


def weigh(report: Report, of: str, path: Path, folder: Path, options: Namespace) -> None:
    """Tell the memory of processes that read, check, export and import a record."""
    folder.mkdir()
    work: dict[str, Callable[[], float]] = {
        "read": lambda: in_fresh_process(read_calls, path),
        "check": lambda: in_fresh_process(check, path),
    }
    for file_format in options.formats:
        exported, back = folder / file_format, folder / f"{file_format}.db"
        work[f"export, {file_format}"] = lambda e=exported, f=file_format: in_fresh_process(
            export, path, e, f
        )
        work[f"import, {file_format}"] = lambda e=exported, b=back: in_fresh_process(take_in, e, b)
    for what, run in work.items():
        series = Series()
        with series.timed():
            most = run()
        report.add(
            what, series, of=of, mb=most, target=f"{MOST_MB} MB resident", met=most <= MOST_MB
        )
    shutil.rmtree(folder)


def main() -> None:
    """Run the benchmark."""
    arguments = parser(__doc__, repeat=1)
    arguments.add_argument("--calls", type=int, default=1000, help="calls (%(default)s)")
    arguments.add_argument("--kilobytes", type=int, default=200, help="of a call (%(default)s)")
    arguments.add_argument("--games", type=int, default=20, help="games (%(default)s)")
    arguments.add_argument("--megabytes", type=int, default=30, help="of payments (%(default)s)")
    arguments.add_argument("--formats", nargs="*", default=["parquet"], help="of exports")
    options = arguments.parse_args()
    report = Report("Long texts", options)
    with scratch() as folder:
        calls, games = folder / "calls.db", folder / "games.db"
        grow(report, calls, options)
        size = options.calls * options.kilobytes / 1e6
        weigh(report, f"A game with {size:,.1f} GB of texts", calls, folder / "of-calls", options)
        of = f"{options.games:,} games with the same {options.megabytes} MB of payments"
        series = save_games(games, options.games, options.megabytes * 1_000_000)
        report.add("save", series, of=of, file_mb=games.stat().st_size / 1e6)
        weigh(report, of, games, folder / "of-games", options)
    report.finish()


if __name__ == "__main__":
    main()
