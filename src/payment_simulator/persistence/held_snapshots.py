"""States of the database that the writing process holds for readers, each for a short time.

An answer may take several queries. So that all of them see one state, the reader has a transaction
begun (``POST /begin``), names it in each query, and has it ended (``POST /end``). Such a
transaction only reads: it keeps neither the writer nor its checkpoints waiting. It ends by itself
after some seconds, and there are never more than a few.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb

from payment_simulator.errors import DatabaseBusyError, SnapshotLostError
from payment_simulator.persistence import activity
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.store import Store, begin_reading
from payment_simulator.persistence.watching import CLOSING_SECONDS

BEGIN = "/begin"
END = "/end"
#: How long a state is held at most.
HELD_SECONDS = 60.0
#: How many are held at once.
MOST_HELD = 64
#: How long a writer that closes waits for answers under way.
GRACE_SECONDS = 1.0
_AGAIN_SECONDS = 0.05


@dataclass
class _Held:
    cursor: duckdb.DuckDBPyConnection
    timer: threading.Timer
    # One query at a time: a cursor is not safe to share.
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: bool = False

    def close(self) -> None:
        """Roll the transaction back."""
        with suppress(duckdb.Error):
            self.cursor.close()


class HeldSnapshots:
    """The states of one database that are held for readers.

    Parameters
    ----------
    store : Store
        The database.
    lent : callable, optional
        Gives a block in which a cursor that is held is interrupted with the present request.
    seconds : float
        How long each is held at most.
    """

    def __init__(
        self,
        store: Store,
        lent: Callable[[duckdb.DuckDBPyConnection], AbstractContextManager[None]] | None = None,
        seconds: float = HELD_SECONDS,
    ) -> None:
        self._store = store
        self._lent = lent or nullcontext
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._is_closed = False

    def begin(self) -> bytes:
        """Hold the state as it is now, and return its name and what this process works on in it.

        Raises
        ------
        SnapshotLostError
            Too many are held, or the writer is closing.
        """
        name = secrets.token_hex(16)
        timer = threading.Timer(self._seconds, self.end, (name,))
        timer.daemon = True
        with self._lock:
            if self._is_closed or len(self._held) >= MOST_HELD:
                raise SnapshotLostError(
                    f"{self._store.location}: its writer answers {len(self._held)} readers "
                    "already, or is closing; try again"
                )
            cursor = self._store.cursor()
            try:
                with activity.unchanged(self._store.location) as at_work, translating():
                    begin_reading(cursor)
            except BaseException:
                cursor.close()
                raise
            self._held[name] = _Held(cursor, timer)
            timer.start()
        return json.dumps({"snapshot": name, "at_work": sorted(at_work)}).encode()

    @contextmanager
    def reading(self, name: str | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor in a transaction that only reads: one that is held, or one of its own.

        Raises
        ------
        SnapshotLostError
            The transaction of this name has ended.
        DatabaseBusyError
            A query reads it already.
        """
        if name is None:
            cursor = self._store.cursor()
            try:
                cursor.execute("BEGIN TRANSACTION READ ONLY")
                yield cursor
            finally:
                cursor.close()
            return
        with self._lock:
            held = self._held.get(name)
        if held is None:
            raise self._lost()
        # Nobody waits here, where no deadline would be looked at.
        if not held.lock.acquire(blocking=False):
            raise DatabaseBusyError("a state that is held is read by one query at a time")
        try:
            if held.is_over:
                raise self._lost()
            with self._lent(held.cursor):
                yield held.cursor
        except duckdb.InterruptException as error:
            if held.is_over:
                raise self._lost() from error
            held.is_over = True  # DuckDB has rolled it back
            raise
        finally:
            if held.is_over:
                held.close()
            held.lock.release()
            if held.is_over:
                self.end(name)

    def _lost(self) -> SnapshotLostError:
        return SnapshotLostError(
            f"{self._store.location}: the state that was being read is held no longer "
            f"(at most {self._seconds:.0f} s, and until its writer closes); try again, or read a "
            "copy (payment-sim db copy)"
        )

    def end(self, name: str) -> None:
        """Hold a state no longer; a query that reads it is interrupted."""
        self._end(name, time.monotonic() + CLOSING_SECONDS)

    def _end(self, name: str, give_up: float) -> None:
        with self._lock:
            held = self._held.pop(name, None)
        if held is None:
            return
        held.timer.cancel()
        held.is_over = True
        # An interrupt between two statements of a request is lost.
        while not held.lock.acquire(timeout=_AGAIN_SECONDS):
            if time.monotonic() >= give_up:
                return  # to be closed when its query ends
            with suppress(duckdb.Error):
                held.cursor.interrupt()
        held.close()
        held.lock.release()

    def close(self) -> None:
        """Hold none any longer; answers under way have a moment to be completed."""
        with self._lock:
            self._is_closed = True
        give_up = time.monotonic() + GRACE_SECONDS
        while self._held and time.monotonic() < give_up:
            time.sleep(0.01)
        give_up = time.monotonic() + CLOSING_SECONDS
        for name in list(self._held):
            self._end(name, give_up)


def begun(answer: bytes) -> tuple[str, frozenset[str]]:
    """Return the name of a state that is held, and what the writer worked on in it.

    Raises
    ------
    DatabaseBusyError
        The answer says nothing of the kind.
    """
    try:
        found: dict[str, Any] = json.loads(answer)
        name, names = found["snapshot"], found["at_work"]
        if isinstance(name, str) and all(isinstance(text, str) for text in names):
            return name, frozenset(names)
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise DatabaseBusyError("the writing process gave an answer that says nothing; try again")
