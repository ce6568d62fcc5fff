"""Child processes to be killed, starved and raced, and what they run.

They are forked from a server that has imported everything once, so that each starts within
milliseconds and the moment of a kill falls into the work, not into imports.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb

import payment_simulator.persistence.serving
import payment_simulator.persistence.snapshot  # noqa: F401 - imported here once, for every child
from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord, PolicyIterationRecord
from payment_simulator.errors import DatabaseBusyError
from payment_simulator.persistence.arrow import arrow_batch
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import open_config
from payment_simulator.persistence.store import Store
from payment_simulator.persistence.tables import save_batch, save_row
from tests.builders import a_session, an_iteration
from tests.faults.history import GAME, count_saves, old_iterations, perform, perform_range
from tests.migration.first_tool import SCHEMA

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["__main__", __name__, "tests.faults.warm_engine"])
_NOBODY = 65534
_PATIENCE = 300.0  # seconds; a child that takes longer hangs


class Child:
    """A process that runs ``work(parent, *args)``, whose ``parent`` is a ``Said``.

    Attributes
    ----------
    heard : list
        What the work has said and was taken in so far.
    """

    def __init__(self, work: Callable[..., Any], *args: Any) -> None:
        self._here, there = _CONTEXT.Pipe()
        self._end: tuple[str, Any] | None = None
        self.heard: list[Any] = []
        self._process = _CONTEXT.Process(target=_run, args=(there, work, args), daemon=True)
        self._process.start()
        there.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def tell(self, message: Any = None) -> None:
        """Send what the work waits for."""
        self._here.send(message)

    def _take(self) -> None:
        assert self._here.poll(_PATIENCE), "the child neither spoke nor ended"
        try:
            kind, message = self._here.recv()
        except (EOFError, ConnectionResetError):
            kind, message = "crashed", None
        if kind == "said":
            self.heard.append(message)
        else:
            self._end = kind, message

    def hear(self) -> Any:
        """Wait for the next message of the work and return it."""
        n_heard = len(self.heard)
        while len(self.heard) == n_heard:
            assert self._end is None, f"the child has ended: {self._end}"
            self._take()
        return self.heard[-1]

    def hear_all(self) -> list[Any]:
        """Return every message that has come so far, without waiting for more."""
        while self._end is None and self._here.poll():
            self._take()
        return self.heard

    def result(self) -> Any:
        """Wait for the end of the work and return what it returned."""
        while self._end is None:
            self._take()
        kind, message = self._end
        how = f"the child {kind} (exit code {self.exit_code}) after saying {self.heard[-1:]}"
        assert kind == "result", f"{how}: {message}"
        return message

    def kill(self) -> None:
        """End the process, if it has not ended, without letting it do anything more."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def end(self) -> None:
        """Make sure that nothing of the process is left."""
        self.kill()
        self._process.close()
        self._here.close()

    @property
    def exit_code(self) -> int | None:
        """Return how the process ended, after waiting for its end."""
        self._process.join()
        return self._process.exitcode


class Said:
    """The child's end of the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def say(self, message: Any = None) -> None:
        self._connection.send(("said", message))

    def wait(self) -> Any:
        return self._connection.recv()


def _run(connection: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    warnings.simplefilter("error")
    try:
        connection.send(("result", work(Said(connection), *args)))
    except BaseException:
        connection.send(("failed", traceback.format_exc()))
        raise SystemExit(1) from None


def write(parent: Said, path: Path, start: int, stop: int, threshold: str) -> None:
    """Do saves of the history one by one and say the number of each that has returned."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        manager.conn.execute(f"SET checkpoint_threshold = '{threshold}'")
        for number in range(start, stop):
            perform(repo, number)
            parent.say(number)


def write_and_die(parent: Said, path: Path, start: int, stop: int) -> None:
    """Do saves of the history, and leave their log behind."""
    manager = DatabaseManager(path)
    repo = GameRepository(manager.conn)
    repo.initialize_schema()
    perform_range(repo, start, stop)
    parent.say()
    os.kill(os.getpid(), signal.SIGKILL)


def set_up(parent: Said, path: Path) -> None:
    """Open a database and make its tables, or bring them to this version."""
    parent.say()
    with DatabaseManager(path) as manager:
        manager.setup()


def set_up_until(parent: Said, path: Path, n_events: int, kinds: tuple[str, ...]) -> None:
    """Set a database up, but die just before the n-th event of these kinds.

    Events are those of Python's audit hooks, and ``store.`` with the name of a method of ``Store``.
    """
    left = n_events

    def count_down(event: str, _: tuple[Any, ...]) -> None:
        nonlocal left
        if event.startswith(kinds):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            count_down(f"store.{method.__name__}", ())
            return method(*args, **kwargs)

        return wrapper

    for method in (Store.cursor, Store.read, Store.write, Store.run_script, Store.transaction):
        setattr(Store, method.__name__, counted(method))
    sys.addaudithook(count_down)
    set_up(parent, path)


def make_old_file(parent: Said, path: Path) -> None:
    """Write a file of the first tool, and leave a part of it in the log."""
    conn = duckdb.connect(str(path), config=open_config())
    conn.execute(SCHEMA)
    store, kind, records = Store(conn), PolicyIterationRecord, old_iterations()
    save_row(store, GameSessionRecord.table(), a_session(GAME).to_row())
    for some in (records[:300], records[300:]):
        conn.execute("CHECKPOINT")
        rows = [record.to_row() for record in some]
        save_batch(store, kind.table(), arrow_batch(kind.table().columns, kind.table().types, rows))
    parent.say()
    os.kill(os.getpid(), signal.SIGKILL)


def hold(parent: Said, path: Path, n_saves: int = 0, temporary: str | None = None) -> None:
    """Do some saves and keep the database open for writing until told; then do one save more."""
    tempfile.tempdir = temporary
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        perform_range(repo, 0, n_saves)
        parent.say()
        parent.wait()
        perform(repo, n_saves)


def count(parent: Said, paths: list[Path], read_only: bool) -> list[int | str]:
    """Open databases one after the other; return how many saves each holds, or its error."""
    found: list[int | str] = []
    for path in paths:
        parent.say(path)
        try:
            with DatabaseManager(path, read_only=read_only) as manager:
                repo = GameRepository(manager.conn)
                if not read_only:
                    repo.initialize_schema()
                found.append(count_saves(repo))
        except Exception as error:
            found.append(type(error).__name__)
    return found


def compete(
    parent: Said, path: Path, game_id: str, n_saves: int, busy_seconds: float
) -> str | None:
    """At a signal, open a database that may have to be made and save a game of one's own.

    Returns the error's message if another process was faster.
    """
    parent.say()
    parent.wait()
    try:
        with DatabaseManager(path, busy_seconds=busy_seconds) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session(game_id))
            for number in range(1, n_saves + 1):
                repo.save_policy_iteration(an_iteration(number, game_id=game_id))
    except DatabaseBusyError as error:
        return str(error)
    return None


def _open_and_save(path: Path, read_only: bool, n_saves: int) -> int:
    with DatabaseManager(path, read_only=read_only) as manager:
        repo = GameRepository(manager.conn)
        if not read_only:
            repo.initialize_schema()
        n_found = count_saves(repo)
        perform_range(repo, n_found, n_found + n_saves)
    return n_found


def open_as_nobody(
    parent: Said,  # noqa: ARG001 - given
    path: Path,
    read_only: bool,
    n_saves: int,
) -> int | tuple[str, str]:
    """Give up root's rights, open a database and save; return the count of saves or the error."""
    if os.geteuid() == 0:  # permissions do not bind root
        with tempfile.TemporaryDirectory() as folder:
            # Imports what is imported late, while the interpreter's files can still be read.
            _open_and_save(Path(folder) / "simulation.db", False, 9)
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    try:
        return _open_and_save(path, read_only, n_saves)
    except Exception as error:
        return type(error).__name__, str(error)


def try_to_open(parent: Said, path: Path, read_only: bool) -> tuple[str, str]:  # noqa: ARG001
    """Open a path and make the tables, and return the error that this ends in."""
    try:
        with DatabaseManager(path, read_only=read_only) as manager:
            manager.setup()
    except Exception as error:
        return type(error).__name__, str(error)
    return "no error", ""
