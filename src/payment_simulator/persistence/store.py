"""One database as a process uses it: one writer at a time, a cursor for each reader.

DuckDB connections are not safe to share between threads: results get mixed up. So reads run on a
cursor of their own, and writes go through one cursor behind a lock that every store of the same
file in this process shares.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import duckdb

from payment_simulator.errors import DatabaseError, InputError
from payment_simulator.persistence import activity
from payment_simulator.persistence.faults import translated, translating

Row = tuple[Any, ...]

_registry_lock = threading.Lock()
_write_locks: dict[str, threading.RLock] = {}


def _write_lock(database: str) -> threading.RLock:
    with _registry_lock:
        return _write_locks.setdefault(database, threading.RLock())


def begin_reading(cursor: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction that only reads, and take the state that it sees.

    DuckDB takes it at the first look at the database, not at BEGIN.
    """
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    cursor.execute("SELECT txid_current()").fetchall()


class _Snapshot(threading.local):
    """The state that a thread reads, where it reads one for several queries."""

    cursor: duckdb.DuckDBPyConnection | None = None
    at_work: frozenset[str] = frozenset()


class Store:
    """Reads and writes of one DuckDB database, safe to call from any thread.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        An open connection. The store works on cursors of it, so what the caller does on the
        connection itself, transactions included, stays apart. Closing it closes the store.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection) -> None:
        with translating():
            # Never executes anything, so that any thread may make a cursor of it at any time.
            self._root = conn.cursor()
            self._writer = self._root.cursor()
            name, path = self._writer.execute(
                "SELECT database_name, path FROM duckdb_databases() "
                "WHERE database_name = current_database()"
            ).fetchall()[0]
        self.database_name: str = name
        self.path: str | None = path
        # Databases in memory share one lock: coarse, but right.
        self._lock = _write_lock(path or ":memory:")
        self._depth = 0
        self._owner: int | None = None
        self._failed: Exception | None = None
        self._snapshot = _Snapshot()

    @property
    def location(self) -> str:
        """What the database is known by in this process: its path, or a name of its own."""
        return self.path or f":memory: {self.database_name}"

    @property
    def in_transaction(self) -> bool:
        """Tell whether the calling thread is inside ``transaction()`` of this store."""
        return self._depth > 0 and self._owner == threading.get_ident()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a new cursor of the database; the caller closes it."""
        with translating():
            return self._root.cursor()

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self.in_transaction:  # sees what the transaction has written so far
            yield self._writer
            return
        if self._snapshot.cursor is not None:
            yield self._snapshot.cursor
            return
        cursor = self.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """Let all that this thread reads in the block be of one state of the database.

        Others go on writing. A block within a block is part of the outer one, and within a
        transaction of this store everything is of one state anyway.
        """
        if self.in_transaction or self._snapshot.cursor is not None:
            yield
            return
        cursor = self.cursor()
        try:
            with activity.unchanged(self.location) as at_work, translating():
                begin_reading(cursor)
            self._snapshot.cursor, self._snapshot.at_work = cursor, at_work
            yield
        finally:
            self._snapshot.cursor = None
            cursor.close()

    def at_work(self) -> frozenset[str]:
        """Return what the process that writes the database works on in it; nothing if none does.

        Within :meth:`one_snapshot` it is what was worked on in that state.
        """
        if self._snapshot.cursor is not None:
            return self._snapshot.at_work
        return activity.at_work(self.location)

    def _execute(
        self, cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]
    ) -> list[Row]:
        try:
            return cursor.execute(sql, parameters).fetchall()
        except duckdb.Error as error:
            if self.in_transaction:
                self._failed = error
            raise
        except RuntimeError as error:  # neither of the two has a kind of its own in DuckDB
            if "interrupt" in str(error).lower():
                cursor.interrupt()  # without it, DuckDB 1.5 may hang when it is closed
                raise KeyboardInterrupt from error
            if any(word in str(error).lower() for word in ("surrogate", "cast python")):
                raise InputError(f"a parameter is no Unicode text: {error}") from error
            raise

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""
        with translating(), self._reader() as cursor:
            return self._execute(cursor, sql, parameters)

    def read_arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a query as an ``arro3.core.Table``."""
        from arro3.core import Table  # noqa: PLC0415 - not every process reads Arrow

        with translating(), self._reader() as cursor:
            return Table.from_arrow(cursor.sql(sql, params=list(parameters)))

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one statement that changes rows, durably unless in a transaction.

        Returns
        -------
        int
            The number of rows changed.
        """
        with self._lock, translating():
            rows = self._execute(self._writer, sql, parameters)
        return int(rows[0][0]) if rows else 0

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int | None:
        """Execute one INSERT; ``None`` when its key is there already.

        Must not be called inside a transaction, which a refused row would abort.
        """
        with self._lock:
            try:
                rows = self._execute(self._writer, sql, parameters)
            except duckdb.ConstraintException as error:
                if "duplicate key" in str(error).lower():
                    return None
                raise translated(error) from error
            except duckdb.Error as error:
                raise translated(error) from error
        return int(rows[0][0])

    @contextmanager
    def transaction(self, **views: Any) -> Iterator[None]:
        """Make the enclosed writes one: all of them are durable afterwards, or none.

        Other writers wait; readers go on and see the state before. A transaction within a
        transaction is part of the outer one.

        Parameters
        ----------
        **views : Any
            Arrow objects that the enclosed statements can read under the keyword's name.
        """
        with self._lock:
            with translating():
                for name, view in views.items():
                    self._writer.register(name, view)
            try:
                if self._depth:
                    yield
                else:
                    yield from self._outermost()
            finally:
                for name in views:
                    with suppress(duckdb.Error):  # a stopped database has no views to drop
                        self._writer.unregister(name)

    def _outermost(self) -> Iterator[None]:
        with translating():
            self._writer.execute("BEGIN TRANSACTION")
        self._depth, self._owner, self._failed = 1, threading.get_ident(), None
        try:
            yield
            if self._failed is not None:
                # DuckDB's COMMIT would roll back without a word.
                raise DatabaseError(  # noqa: TRY301 - so that it rolls back below
                    f"nothing of the transaction is kept, for a statement in it failed: "
                    f"{self._failed}. Let the error end the block, and start it again"
                ) from self._failed
            with translating():
                self._writer.execute("COMMIT")
        except BaseException:
            # After a failed COMMIT, or in a stopped database, there is nothing to roll back.
            with suppress(duckdb.Error):
                self._writer.execute("ROLLBACK")
            raise
        finally:
            self._depth, self._owner, self._failed = 0, None, None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers of this process waiting during the enclosed block."""
        with self._lock:
            yield

    def run_script(self, sql: str) -> None:
        """Execute the statements of a ``.sql`` file of this package."""
        with self._lock, translating():
            self._writer.execute(sql)
