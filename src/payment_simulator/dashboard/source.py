"""The record behind the dashboard: opened for a request, let go at once, so that others can write.

A process that wants to write the file waits for a moment (two seconds) until nobody holds it, and
the pages of a dashboard are read again and again. So what is open is shared by the requests of a
moment, closed soon after, and never held for long; between two openings there is a pause in which
a writer gets in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.opening import open_record

#: How long an opened record waits for another request.
LINGER_SECONDS = 0.2
#: From when on an opened record takes no more requests.
OLDEST_SECONDS = 0.6
#: A waiting writer tries every 50 ms.
PAUSE_SECONDS = 0.12

#: What is known of files without opening them: size and time of the record, its log, its writer.
Marks = tuple[tuple[int, int] | None, ...]


@dataclass
class _Opened:
    holder: AbstractContextManager[GameRepository]
    repo: GameRepository
    marks: Marks
    since: float
    left_at: float = 0.0
    users: int = 0
    is_closed: bool = False


class Source:
    """Gives requests a record to read.

    Parameters
    ----------
    path : pathlib.Path
        The database file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = threading.Condition()
        self._opened: _Opened | None = None
        self._is_opening = False
        self._closed_at = 0.0
        self._timer: threading.Timer | None = None

    def marks(self) -> Marks:
        """Return what tells, without opening anything, whether the record may have changed."""
        return tuple(
            _mark(self.path.with_name(self.path.name + end)) for end in ("", ".wal", ".writer")
        )

    @contextmanager
    def reading(self) -> Iterator[GameRepository]:
        """Open the record, or share the one that is open, for as long as the block.

        All that is read in the block is of one state of the record.

        Raises
        ------
        DatabaseError
            As :func:`~payment_simulator.analysis.opening.open_record` does.
        """
        opened = self._join()
        try:
            with opened.repo.one_snapshot():
                yield opened.repo
        finally:
            self._leave(opened)

    def close(self) -> None:
        """Let go of the file, if nobody reads it now; nothing of it is left behind."""
        with self._changed:
            if self._opened is not None and self._opened.users == 0:
                self._let_go(self._opened)
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()

    def _join(self) -> _Opened:
        marks = self.marks()
        with self._changed:
            while True:
                opened = self._opened
                if opened is not None and self._is_fresh(opened, marks):
                    opened.users += 1
                    return opened
                if opened is not None and opened.users == 0:
                    self._let_go(opened)
                    opened = None
                pause = self._closed_at + PAUSE_SECONDS - time.monotonic()
                if opened is None and not self._is_opening and pause <= 0:
                    self._is_opening = True
                    break
                self._changed.wait(pause if pause > 0 else None)
        try:
            made = self._open(marks)
        except BaseException:
            with self._changed:
                self._is_opening = False
                self._changed.notify_all()
            raise
        with self._changed:
            self._is_opening = False
            self._opened = made
            self._changed.notify_all()
        return made

    def _open(self, marks: Marks) -> _Opened:
        holder = open_record(self.path)
        return _Opened(holder, holder.__enter__(), marks, time.monotonic(), users=1)

    @staticmethod
    def _is_fresh(opened: _Opened, marks: Marks) -> bool:
        age = time.monotonic() - opened.since
        return not opened.is_closed and age < OLDEST_SECONDS and opened.marks == marks

    def _leave(self, opened: _Opened) -> None:
        with self._changed:
            opened.users -= 1
            opened.left_at = time.monotonic()
            if opened.users == 0 and self._timer is None:
                self._wait_to_close(LINGER_SECONDS)
            self._changed.notify_all()

    def _wait_to_close(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._close_if_idle)
        # A thread that is within the database when the program ends would take it down.
        self._timer.daemon = False
        self._timer.start()

    def _close_if_idle(self) -> None:
        """Close what nobody has asked for since; wait again, if somebody has."""
        with self._changed:
            self._timer = None
            opened = self._opened
            if opened is None or opened.users > 0:
                return  # who reads now sees to it afterwards
            rest = opened.left_at + LINGER_SECONDS - time.monotonic()
            if rest > 0:
                self._wait_to_close(rest)
            else:
                self._let_go(opened)

    def _let_go(self, opened: _Opened) -> None:
        """Close what is open; the caller holds the lock, and nobody reads."""
        opened.is_closed = True
        self._opened = None
        try:
            with suppress(Exception):  # what cannot be closed tidily is gone all the same
                opened.holder.__exit__(None, None, None)
        finally:
            self._closed_at = time.monotonic()
            self._changed.notify_all()


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
