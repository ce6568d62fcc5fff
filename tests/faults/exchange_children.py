"""Exports and imports in processes that are killed, starved or without rights.

``python -m tests.faults.exchange_children '["SCENARIO", "FOLDER"]'`` runs a scenario on a disk of a
few megabytes, mounted on the folder where no other process sees it, and prints what happened.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.exchange import export_games, import_file
from payment_simulator.errors import PaymentSimulatorError
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.store import Store
from tests.builders import a_session, an_iteration
from tests.faults.children import Said
from tests.faults.folder import names
from tests.faults.history import GAME, policy
from tests.faults.small_disk import SIZE, SPARE, fill

_EVENTS = ("open", "os.", "shutil.", "tempfile.", "store.")
_NOBODY = 65534


def make(path: Path, n_steps: int = 40) -> None:
    """Make a record of one game, with 4 KB of policies in each step, and of another game."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session(GAME))
        repo.save_policy_iterations(
            an_iteration(n, old_policy_json=policy(2 * n), new_policy_json=policy(2 * n + 1))
            for n in range(1, n_steps + 1)
        )
        repo.save_game_session(a_session("other"))
        repo.save_policy_iteration(an_iteration(game_id="other"))


def export(path: Path, folder: Path, *games: str, force: bool = False) -> None:
    """Export games of a record."""
    with DatabaseManager(path, read_only=True) as manager:
        export_games(GameRepository(manager.conn), games, folder, force=force)


def _die_at(n_events: int) -> None:
    """Die just before the n-th event of Python's audit hooks, or call of a store."""
    left = n_events

    def count_down(event: str, _: tuple[Any, ...]) -> None:
        nonlocal left
        if event.startswith(_EVENTS):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            count_down(f"store.{method.__name__}", ())
            return method(*args, **kwargs)

        return wrapper

    for method in (Store.read, Store.write, Store.run_script, Store.transaction):
        setattr(Store, method.__name__, counted(method))
    sys.addaudithook(count_down)


def export_until(parent: Said, path: Path, folder: Path, n_events: int) -> None:
    """Replace an export by that of another game, but die at some moment."""
    parent.say()
    _die_at(n_events)
    export(path, folder, "other", force=True)


def import_until(parent: Said, folder: Path, path: Path, room: Path, n_events: int) -> None:
    """Import, but die at some moment."""
    tempfile.tempdir = str(room)
    parent.say()
    _die_at(n_events)
    import_file(folder, path)


def work_as_nobody(parent: Said, path: Path, out: Path, folder: Path) -> list[tuple[str, str]]:  # noqa: ARG001 - given
    """Give up root's rights, then export and import where that may not be done."""
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as warm:
            # Imports what is imported late, while the interpreter's files can still be read.
            export(path, Path(warm) / "out", "other")
            import_file(Path(warm) / "out", Path(warm) / "new.db")
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    return [
        _said(lambda: export(path, folder / "new", "other")),
        _said(lambda: export(path, out, "other", force=True)),
        _said(lambda: import_file(out, folder / "new.db")),
        _said(lambda: import_file(out, path)),
    ]


def _said(work: Callable[[], object]) -> tuple[str, str]:
    try:
        work()
    except PaymentSimulatorError as error:
        return type(error).__name__, str(error)
    return "", ""


def export_to_full_disk(folder: Path, room: int) -> dict[str, Any]:
    """Export with little room, make room, and export again."""
    with tempfile.TemporaryDirectory() as elsewhere:
        path = Path(elsewhere) / "games.db"
        make(path, 5000)
        fill(folder, leaving=room)
        error, message = _said(lambda: export(path, folder / "out", GAME))
        left = names(folder)
        (folder / SPARE).unlink()
        export(path, folder / "out", GAME)
    return {"error": error, "message": message, "left": left, "then": names(folder)}


def import_to_full_disk(folder: Path, room: int, is_new: bool) -> dict[str, Any]:
    """Import with little room, make room, and import again."""
    with tempfile.TemporaryDirectory() as elsewhere:
        out, target = Path(elsewhere) / "out", folder / "games.db"
        make(Path(elsewhere) / "games.db", 2500)
        export(Path(elsewhere) / "games.db", out, GAME)
        if not is_new:
            with DatabaseManager(target) as manager:
                repo = GameRepository(manager.conn)
                repo.initialize_schema()
                repo.save_game_session(a_session("mine"))
        fill(folder, leaving=room)
        error, message = _said(lambda: import_file(out, target))
        left = names(folder)
        (folder / SPARE).unlink()
        games = []
        if not is_new:
            with DatabaseManager(target) as manager:
                games = GameRepository(manager.conn).get_game_ids()
        added = import_file(out, target).added
    return {"error": error, "message": message, "left": left, "games": games, "added": added}


def main() -> None:
    """Run a scenario on a small disk."""
    scenario, folder, *args = json.loads(sys.argv[1])
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder]
    subprocess.run(mount, check=True)
    print(json.dumps(globals()[scenario](Path(folder), *args)))


if __name__ == "__main__":
    main()
