"""One database as a process uses it: one writer at a time, a cursor for each reader.

DuckDB connections are not safe to share between threads: results get mixed up. So reads run on a
cursor of their own, and writes go through one cursor behind a lock that every store of the same
file in this process shares.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from payment_simulator.errors import (
    DatabaseError,
    DatabaseFullError,
    DatabaseMovedError,
    InputError,
)
from payment_simulator.persistence import activity
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.identity import open_file
from payment_simulator.persistence.interrupts import is_interrupt, undisturbed
from payment_simulator.persistence.queries import named_queries

SQL = "payment_simulator.persistence.sql"
Row = tuple[Any, ...]

_log = logging.getLogger(__name__)
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


def look_up(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> None:
    """Raise what a query of a held state would for a table that is not there.

    Executing it would end the transaction, too, and with it the state.
    """
    cursor.sql(sql, params=list(parameters))  # is not executed before its rows are asked for


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
            name, path, is_read_only = self._writer.execute(
                "SELECT database_name, path, readonly FROM duckdb_databases() "
                "WHERE database_name = current_database()"
            ).fetchall()[0]
        self.database_name: str = name
        self.path: str | None = path
        #: The file that is written, which may be moved or removed meanwhile.
        self.file = None if path is None or is_read_only else open_file(path, self)
        # Databases in memory share one lock: coarse, but right.
        self._lock = _write_lock(path or ":memory:")
        self._depth = 0
        self._owner: int | None = None
        self._failed: BaseException | None = None
        #: The transaction in which DuckDB may still be.
        self._open: object | None = None
        self._snapshot = _Snapshot()

    @property
    def location(self) -> str:
        """What the database is known by in this process: its path, or a name of its own."""
        return self.path or f":memory: {self.database_name}"

    @property
    def is_elsewhere(self) -> bool:
        """Tell whether another process writes the database and is asked for what is read."""
        return False

    @property
    def in_transaction(self) -> bool:
        """Tell whether the calling thread is inside ``transaction()`` of this store."""
        return self._depth > 0 and self._owner == threading.get_ident()

    def is_open(self) -> bool:
        """Tell whether the database has not been closed."""
        try:
            self._root.cursor().close()
        except duckdb.Error:
            return False
        return True

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
        self,
        cursor: duckdb.DuckDBPyConnection,
        sql: str,
        parameters: Sequence[Any],
        n_rows: int | None = None,
    ) -> list[Row]:
        """Execute a statement and return all of its rows, or the first ``n_rows``."""
        try:
            if cursor is self._snapshot.cursor:
                look_up(cursor, sql, parameters)
            done = cursor.execute(sql, parameters)
            return done.fetchall() if n_rows is None else done.fetchmany(n_rows)
        except RuntimeError as error:  # no kind of DuckDB's own
            if not is_interrupt(error):
                if any(word in str(error).lower() for word in ("surrogate", "cast python")):
                    raise InputError(f"a parameter is no Unicode text: {error}") from error
                raise
            self._note_failure(error)
            raise KeyboardInterrupt from error
        except (duckdb.Error, KeyboardInterrupt) as error:
            self._note_failure(error)
            raise

    def _note_failure(self, error: BaseException) -> None:
        """Keep the transaction in which a statement failed from being committed in part."""
        if self.in_transaction:
            self._failed = error

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""
        with translating(), self._reader() as cursor:
            return self._execute(cursor, sql, parameters)

    def read_arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a query as an ``arro3.core.Table``."""
        from arro3.core import Table  # noqa: PLC0415 - not every process reads Arrow

        with translating(), self._reader() as cursor:
            return Table.from_arrow(cursor.sql(sql, params=list(parameters)))

    def read_in_parts(
        self, sql: str, parameters: Sequence[Any] = (), n_rows: int = 50_000
    ) -> Iterator[list[Row]]:
        """Yield the rows of a query, some at a time: the whole of them need not fit into memory."""
        with translating(), self._reader() as cursor:
            part = self._execute(cursor, sql, parameters, n_rows)
            while part:
                yield part
                part = cursor.fetchmany(n_rows)

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Execute one statement that changes rows, durably unless in a transaction.

        Returns
        -------
        int
            The number of rows changed.
        """
        with self._writing():
            rows = self._execute(self._writer, sql, parameters)
        return int(rows[0][0]) if rows else 0

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int | None:
        """Execute one INSERT; ``None`` when its key is there already.

        Must not be called inside a transaction, which a refused row would abort.
        """
        with self._writing():
            try:
                rows = self._execute(self._writer, sql, parameters)
            except duckdb.ConstraintException as error:
                if "duplicate key" in str(error).lower():
                    return None
                raise
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
            try:
                with translating():
                    for name, view in views.items():
                        self._writer.register(name, view)
                if self._depth:
                    yield
                else:
                    yield from self._outermost()
            finally:
                for name in views:
                    with suppress(duckdb.Error):  # a stopped database has no views to drop
                        self._writer.unregister(name)

    def _outermost(self) -> Iterator[None]:
        self._roll_back(self._open)
        mine = object()
        try:
            self._open = mine
            with translating():
                self._writer.execute("BEGIN TRANSACTION")
            self._depth, self._owner = 1, threading.get_ident()
            yield
            if self._failed is not None:
                # DuckDB's COMMIT would roll back without a word.
                why = str(self._failed) or "it was interrupted"
                raise DatabaseError(  # noqa: TRY301 - so that it rolls back below
                    f"nothing of the transaction is kept, for a statement in it failed: {why}. "
                    "Let the error end the block, and start it again"
                ) from self._failed
            self._commit()
        except BaseException:
            self._roll_back(mine)
            raise
        finally:
            if self._open in (mine, None):
                self._depth, self._owner, self._failed = 0, None, None

    def _commit(self) -> None:
        self._check_file()
        with undisturbed(), translating():
            self._writer.execute("COMMIT")
            self._open = None
        self._check_log()

    def _check_file(self) -> None:
        """Refuse to write where the path does not lead to the database any more."""
        file = self.file
        if file is not None and (file.error or file.wrong_name() or not file.is_in_place()):
            from payment_simulator.persistence.rescue import moved_error  # noqa: PLC0415 - a cycle

            raise moved_error(self, file)

    def _check_log(self) -> None:
        """Put into the file what was saved, where its log was removed."""
        if self.file is None or self.file.is_log_in_place():
            return
        self._check_file()
        _log.warning(
            "%s: its log was removed or replaced; what it held is being written into the file",
            self.file.path,
        )
        self._checkpoint()

    def _checkpoint(self) -> None:
        # What cannot be written now, for other transactions or a full disk, stays in the log.
        with suppress(duckdb.Error, DatabaseError), closing(self.cursor()) as cursor:
            cursor.execute("CHECKPOINT")

    def settle(self) -> DatabaseMovedError | None:
        """Write the log into the file before it is closed, if it still is where it was opened.

        Returns
        -------
        DatabaseMovedError or None
            Where the rows are, if it is not and that was not said before.
        """
        if self.file is None or self.file.is_closed() or self.file.error:
            return None
        with self._lock, translating():
            self._roll_back(self._open)
            try:
                self._check_file()
            except DatabaseMovedError as error:
                if error.found == self.file.path:  # only a link leads elsewhere
                    self._checkpoint()
                return error
            self._checkpoint()
        return None

    def _roll_back(self, which: object | None) -> None:
        """End a transaction if it may still be open."""
        if which is None or self._open is not which:
            return
        with undisturbed():
            # After a failed COMMIT, or in a stopped database, there is nothing to roll back.
            with suppress(duckdb.Error):
                self._writer.execute("ROLLBACK")
            self._open = None

    def abandon(self) -> None:
        """Roll back what the calling thread has left open.

        An interrupt that comes while a block of ``transaction()`` is entered or left can keep it
        open; what is saved next would be taken for a part of it.
        """
        with self._lock:
            self._roll_back(self._open)
            self._depth, self._owner, self._failed = 0, None, None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one statement of this store write, in the transaction where there is one."""
        with self._lock, translating():
            if self._depth:
                yield
                return
            self._roll_back(self._open)
            self._check_file()
            yield
            self._check_log()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers of this process waiting during the enclosed block."""
        with self._lock:
            yield

    @contextmanager
    def room(self) -> Iterator[Path]:
        """Give a new folder of this user alone, in which the database may read and write files.

        It may nowhere else. The folder is removed at the end.
        """
        place = self.read(named_queries(SQL)["spill_folder"])[0][0] or tempfile.gettempdir()
        outer = Path(place)
        try:
            outer.mkdir(mode=0o700, exist_ok=True)
            folder = tempfile.mkdtemp(prefix="files-", dir=outer)
        except OSError as error:
            raise DatabaseFullError(
                f"no folder for temporary files can be made in {outer.parent} ({error.strerror}); "
                "free some space, or set TMPDIR to a folder that may be written"
            ) from error
        try:
            yield Path(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):
                outer.rmdir()  # unless it is in use

    def run_script(self, sql: str) -> None:
        """Execute the statements of a ``.sql`` file of this package."""
        with self._writing():
            self._writer.execute(sql)
