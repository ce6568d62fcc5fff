"""Games of the command line that are stopped by real signals at a chosen statement."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, resume_game
from payment_simulator.cli import main
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.store import Store
from tests.builders import a_session, an_iteration
from tests.faults.children import Said
from tests.games import SCENARIOS

GAME = "stopped"


class Outcome(NamedTuple):
    """What became of a command."""

    code: int
    text: str
    #: The statements before or during which signals were sent; all of them if none was.
    statements: list[str]


def game_file(folder: Path) -> Path:
    """Write the game file."""
    path = folder / "game.yaml"
    path.write_text(
        f"""
game_id: {GAME}
scenario_config: {SCENARIOS / "two_period.yaml"}
game_mode: campaign_learning
optimized_agents: {{BANK_A: {{}}, BANK_B: {{}}}}
proposer: {{kind: grid}}
convergence: {{stability_window: 5, max_iterations: 2}}
constraints:
  allowed_parameters:
    - {{name: initial_liquidity_fraction, min_value: 0, max_value: 1, step: 0.05}}
""",
        encoding="utf-8",
    )
    return path


class _Watched:
    """A cursor of DuckDB that tells of every statement before it executes it."""

    def __init__(self, cursor: Any, tell: Callable[[str], None]) -> None:
        self._cursor, self._tell = cursor, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def execute(self, sql: str, *parameters: Any) -> Any:
        self._tell(sql)
        return self._cursor.execute(sql, *parameters)


def watch_statements(tell: Callable[[str], None]) -> None:
    """Have every statement of every store of this process told."""
    make, cursor_of = Store.__init__, Store.cursor

    def init(self: Store, conn: Any) -> None:
        make(self, conn)
        self._writer = _Watched(self._writer, tell)  # type: ignore[assignment]

    Store.__init__ = init  # type: ignore[method-assign]
    Store.cursor = lambda self: _Watched(cursor_of(self), tell)  # type: ignore[assignment,method-assign,return-value]


def command(*arguments: object) -> tuple[int, str]:
    """Run a command of the program in this process; return its exit code and what it said."""
    sys.argv = ["payment-sim", *map(str, arguments)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        before, sys.stderr = sys.stderr, said
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.stderr = before
        said.seek(0)
        return (code if isinstance(code, int) else 0 if code is None else 1), said.read()


def play_and_be_stopped(
    parent: Said,
    game: Path,
    path: Path,
    number: int,
    signals: tuple[int, ...],
    delay: float | None,
) -> Outcome:
    """Play a game; signals come before its n-th statement, or, with a delay, during it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told: list[str] = []

    def send() -> None:
        time.sleep(delay or 0)
        for one in signals:
            os.kill(os.getpid(), one)
            time.sleep(0.0005)

    def tell(sql: str) -> None:
        told.append(" ".join(sql.split()[:3]))
        if len(told) == number:
            if delay is None:
                for one in signals:
                    os.kill(os.getpid(), one)
            else:
                threading.Thread(target=send, daemon=True).start()

    watch_statements(tell)
    parent.say()
    code, text = command("play", game, "--db", path, "--json")
    return Outcome(code, text, told[number - 1 : number] if len(told) >= number else told)


def play_until_signal(parent: Said, game: Path, path: Path) -> Outcome:
    """Play a game; the signal comes from outside."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parent.say()
    return Outcome(*command("play", game, "--db", path, "--json"), [])


def finish(parent: Said, game: Path, path: Path) -> str | None:  # noqa: ARG001 - given
    """Make a game what it would have been; return the status that was found."""
    status = None
    with DatabaseManager(path) as manager:
        repository = GameRepository(manager.conn)
        repository.initialize_schema()
        session = repository.get_game_session(GAME)
        status = None if session is None else session.status
    if status is None:
        assert command("play", game, "--db", path, "--json")[0] == 0
    elif status == "running":
        assert command("resume", GAME, "--db", path, "--json")[0] == 0
    return status


def interrupt_and_go_on(parent: Said, game: Path, path: Path, seed: int) -> int:  # noqa: ARG001 - given
    """Interrupt a game again and again in one process, which goes on with it each time.

    Returns
    -------
    int
        How often it was interrupted.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    n_told = n_interrupts = 0
    next_at = 60 + seed

    def send() -> None:
        time.sleep(0.0003 * (n_told % 7))
        os.kill(os.getpid(), signal.SIGINT)

    def tell(_: str) -> None:
        nonlocal n_told
        n_told += 1
        if n_told == next_at:
            threading.Thread(target=send, daemon=True).start()

    watch_statements(tell)
    with DatabaseManager(path) as manager:
        repository = GameRepository(manager.conn)
        while True:
            try:
                if repository_has_game(repository):
                    resume_game(repository, GAME)
                else:
                    GameOrchestrator(GameConfig.from_yaml(game), repository).play()
            except KeyboardInterrupt:
                n_interrupts += 1
                next_at = n_told + 7 + 5 * n_interrupts
                if n_interrupts < 40:
                    continue
                next_at = -1
                continue
            except Exception as error:
                if "has ended" in str(error):
                    break
                raise
            break
    return n_interrupts


def repository_has_game(repository: GameRepository) -> bool:
    """Tell whether the game is in the record."""
    repository.initialize_schema()
    return repository.get_game_session(GAME) is not None


def play_and_wait(parent: Said, game: Path, path: Path, *numbers: int) -> Outcome:
    """Play a game, and wait before its n-th statements until the parent has done something."""
    told: list[str] = []

    def tell(sql: str) -> None:
        told.append(sql)
        if len(told) in numbers:
            parent.say()
            parent.wait()

    watch_statements(tell)
    return Outcome(*command("play", game, "--db", path), told)


def make_record(parent: Said, path: Path) -> None:
    """Make another record, whose last save stands in its log alone."""
    manager = DatabaseManager(path, serve=False)
    repository = GameRepository(manager.conn)
    repository.initialize_schema()
    repository.save_game_session(a_session("another"))
    manager.conn.execute("CHECKPOINT")
    repository.save_policy_iteration(an_iteration(game_id="another"))
    parent.say()
    os.kill(os.getpid(), signal.SIGKILL)
