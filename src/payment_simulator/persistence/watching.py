"""Keeps requests to the writing process within bounds: number, time, size, and the writer's end.

A timeout of a socket begins again with every byte, and a query can run for days. So each request
has a deadline for each of its phases, and a thread that looks at all of them several times a
second: it shuts the connection of one that is overdue, and interrupts the query of another.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import duckdb

from payment_simulator.errors import DatabaseError
from payment_simulator.persistence.store import Store

#: How long a caller may take to send a whole request.
REQUEST_SECONDS = 5.0
#: How long a query may take, and a copy of the whole database.
QUERY_SECONDS, COPY_SECONDS = 60.0, 900.0
#: How long an answer may take on its way: this, and a second for every so many bytes.
SENDING_SECONDS, SLOWEST_BYTES_PER_SECOND = 30.0, 1 << 20
#: Requests that are answered at the same time.
MOST_REQUESTS = 32
#: The largest table, as a Parquet file.
LARGEST_TABLE = 8 << 30
#: How long a writer that closes waits for requests that do not end when they are interrupted.
CLOSING_SECONDS = 10.0
#: How long an answer that is being sent may still take then.
LAST_SECONDS = 2.0
_LOOK_SECONDS = 0.1


class Phase(Enum):
    """What is being done for a request."""

    READING = "the request is read"
    ASKING = "the database is asked"
    SENDING = "the answer is sent"


@dataclass(eq=False)
class Request:
    """One connection, and what is done for it.

    Attributes
    ----------
    connection : socket.socket
        The caller's.
    deadline : float
        When its present phase must have ended, on the monotonic clock.
    phase : Phase
        What is being done.
    cursors : list of duckdb.DuckDBPyConnection
        What runs queries for it.
    file : Path or None
        The file that a query writes for it.
    why : str
        Why it was ended early.
    is_writer_closing : bool
        Whether that was because the writer closes: then the file itself can be read.
    """

    connection: socket.socket
    deadline: float
    phase: Phase = Phase.READING
    cursors: list[duckdb.DuckDBPyConnection] = field(default_factory=list)
    file: Path | None = None
    why: str = ""
    is_writer_closing: bool = False

    def begin(self, phase: Phase, seconds: float) -> None:
        """Begin the next phase, which may take so many seconds."""
        self.phase, self.deadline = phase, time.monotonic() + seconds

    def check(self) -> None:
        """Raise ``DatabaseError`` if the request was ended early."""
        if self.why:
            raise DatabaseError(self.why)

    def end(self, why: str) -> None:
        """End its present phase; to be repeated for as long as it lasts."""
        self.why = self.why or why
        if self.phase is not Phase.ASKING:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        for cursor in list(self.cursors):
            with suppress(duckdb.Error):  # it may be closed by now
                cursor.interrupt()

    def look(self, *, is_closing: bool) -> None:
        """End it if it has to."""
        now = time.monotonic()
        if is_closing and self.phase is Phase.SENDING:
            self.deadline = min(self.deadline, now + LAST_SECONDS)
        if is_closing and self.phase is not Phase.SENDING:
            self.is_writer_closing = True
            self.end("the process that writes the database is closing it; try again")
        elif self.phase is Phase.ASKING and _has_hung_up(self.connection):
            self.end("whoever asked has gone")
        elif now > self.deadline:
            self.end("it took longer than it may; ask in parts")
        elif self.file is not None and _size(self.file) > LARGEST_TABLE:
            self.end(f"the table has more than {LARGEST_TABLE:,} bytes; ask in parts")


def _has_hung_up(connection: socket.socket) -> bool:
    try:
        if not select.select([connection], [], [], 0)[0]:
            return False
        return not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):
        return True


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


class Watch:
    """The requests that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._of_thread = threading.local()
        self._waiting = threading.Condition(self._lock)
        self._is_closing = False
        self._thread = threading.Thread(target=self._look, name="watch of readers", daemon=True)
        self._thread.start()

    def admit(self, connection: socket.socket) -> Request:
        """Count a request in; where there are too many, the oldest that is still read goes."""
        request = Request(connection, time.monotonic() + REQUEST_SECONDS)
        with self._lock:
            if len(self._requests) >= MOST_REQUESTS:
                reading = [r for r in self._requests if r.phase is Phase.READING and not r.why]
                (reading[0] if reading else request).end("too many requests at once; try again")
            self._requests.append(request)
            self._waiting.notify_all()
        return request

    def enter(self, request: Request) -> None:
        """Say that this thread works on a request."""
        self._of_thread.request = request

    def leave(self, request: Request) -> None:
        """Count a request out."""
        with self._lock:
            self._requests.remove(request)
            self._waiting.notify_all()

    def current(self) -> Request | None:
        """Return the request that this thread works on."""
        return getattr(self._of_thread, "request", None)

    def here(self) -> Request:
        """Return the request that this thread works on, as there must be one."""
        request = self.current()
        if request is None:
            raise RuntimeError("this thread works on no request")
        return request

    def _look(self) -> None:
        while True:
            with self._lock:
                while not self._requests:  # costs nothing between requests
                    if self._is_closing:
                        return
                    self._waiting.wait()
                for request in self._requests:
                    request.look(is_closing=self._is_closing)
            time.sleep(_LOOK_SECONDS)

    def close(self) -> bool:
        """End all requests, and tell whether they have ended."""
        give_up = time.monotonic() + CLOSING_SECONDS
        with self._lock:
            self._is_closing = True
            self._waiting.notify_all()
            while self._requests and time.monotonic() < give_up:
                self._waiting.wait(_LOOK_SECONDS)
            return not self._requests


class WatchedStore(Store):
    """A store whose queries belong to the request that the calling thread works on.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        An open connection.
    watch : Watch
        The requests.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection, watch: Watch) -> None:
        super().__init__(conn)
        self._watch = watch

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a new cursor, which is interrupted when its request is to end."""
        cursor = super().cursor()
        request = self._watch.current()
        if request is not None:
            request.check()
            request.cursors.append(cursor)
        return cursor

    @contextmanager
    def lent(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Have a cursor that is used by several requests interrupted with the present one."""
        request = self._watch.current()
        if request is None:
            yield
            return
        request.check()
        request.cursors.append(cursor)
        try:
            yield
        finally:
            request.cursors.remove(cursor)
