"""Opens the database file: one process writes it, any number read."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb

from payment_simulator.errors import (
    DatabaseBusyError,
    DatabaseError,
    DatabaseMovedError,
    NotADatabaseError,
)
from payment_simulator.persistence import activity
from payment_simulator.persistence.faults import is_held, lock_holder, translated, translating
from payment_simulator.persistence.files import (
    create,
    is_sqlite,
    lock,
    log_path,
    look,
    look_config,
    look_for_content,
    open_config,
    real_path,
    remove_leftovers,
)
from payment_simulator.persistence.foreign import refuse_foreign
from payment_simulator.persistence.interrupts import undisturbed
from payment_simulator.persistence.mending import Mend, mend, read_all_metadata
from payment_simulator.persistence.migrations import make_tables, schema_state
from payment_simulator.persistence.sidecar import find_writer, sidecar_path
from payment_simulator.persistence.store import Store

if TYPE_CHECKING:
    from payment_simulator.persistence.serving import SnapshotServer

MEMORY = ":memory:"
#: A file may be held for a moment by a short reader; worth waiting for before giving up.
BUSY_SECONDS = 2.0
_RETRY_SECONDS = 0.05
#: Held while a file is opened, since mending opens it as well: a process that closes a file drops
#: every lock that it holds on it.
_opening = threading.Lock()
_log = logging.getLogger(__name__)


class DatabaseManager:
    """A database file, opened; a context manager that closes it.

    Parameters
    ----------
    db_path : path or str
        The file, made when it is not there; ``":memory:"`` for a database that lives as long as
        the manager.
    read_only : bool
        Open for reading. Where a process is writing the file, ``conn`` is a consistent copy of
        it, fetched from that process; open again for newer data.
    serve : bool
        While writing, answer readers in other processes (on 127.0.0.1, with a token that only
        this user can read).
    busy_seconds : float
        How long to wait for a file that another process holds.

    Attributes
    ----------
    conn : duckdb.DuckDBPyConnection
        The open connection.
    db_path : pathlib.Path
        The file.
    is_snapshot : bool
        Whether ``conn`` is a copy of a file that another process is writing.

    Raises
    ------
    DatabaseBusyError
        Another process holds the file; the message names it.
    NotADatabaseError
        The path leads to something else than a record of this package.
    DamagedDatabaseError
        The file or its log is not what was once written.
    SchemaVersionError
        A newer version of this package wrote the file.

    Examples
    --------
    >>> with DatabaseManager(":memory:") as manager:
    ...     manager.conn.execute("SELECT 42").fetchall()
    [(42,)]
    """

    def __init__(
        self,
        db_path: str | Path,
        *,
        read_only: bool = False,
        serve: bool = True,
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.db_path = Path(db_path)
        in_memory = str(db_path) == MEMORY
        # The whole path: DuckDB would take "~", "md:" or "sqlite:" at its beginning for orders,
        # and keep the log of a link beside the link.
        self._file = self.db_path if in_memory else real_path(self.db_path)
        self.read_only = read_only
        self.is_snapshot = False
        self._is_new = in_memory
        self._is_closed = False
        self._finalizer: weakref.finalize[..., DatabaseManager] | None = None
        if in_memory:
            self.conn = duckdb.connect(MEMORY, config=open_config())
            lock(self.conn)
        else:
            try:
                open_file = self._open_to_read if read_only else self._open_to_write
                with translating():
                    self.conn = open_file(busy_seconds)
            except DatabaseError as error:
                if self._file == self.db_path.absolute():
                    raise
                raise type(error)(f"{self.db_path}: {error}") from error
        try:
            with translating():
                self._store = Store(self.conn)
            if self._store.file is not None and self._file != self.db_path.absolute():
                self._store.file.also_known_as(self.db_path.absolute())
            if not self._is_new:  # what was made just now holds nobody's tables
                schema_state(self._store)
        except BaseException:
            self._disconnect()
            raise
        with undisturbed():
            if serve and not in_memory and not read_only and _join(self._file):
                self._finalizer = weakref.finalize(self, _leave, self._file, os.getpid())

    def _connect(self, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        """Connect to the file, and refuse one that holds more than data before it is used."""
        conn = duckdb.connect(str(self._file), read_only=read_only, config=open_config(self._file))
        try:
            refuse_foreign(conn, self._file)
            lock(conn, writes=not read_only)
        except BaseException:
            conn.close()
            raise
        return conn

    def _open_to_write(self, busy_seconds: float) -> duckdb.DuckDBPyConnection:
        remove_leftovers(self._file)
        has_log = is_left_open = False
        if not look(self._file):
            create(self._file)
            self._is_new = True
        else:
            has_log = log_path(self._file).exists()
            is_left_open = has_log or sidecar_path(self._file).exists()
        give_up = time.monotonic() + busy_seconds
        while True:
            try:
                with _opening:
                    if is_left_open:
                        self._look_first()
                    conn = self._connect()
                return self._with_log_written(conn) if has_log else conn
            except duckdb.Error as error:
                if not is_held(error):
                    raise self._cannot_open(error) from error
                if time.monotonic() >= give_up:
                    raise self._busy(error) from error
            time.sleep(_RETRY_SECONDS)

    def _with_log_written(self, conn: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Write the log that a crash left into the file, so that it is read but once.

        DuckDB leaves it there when nothing else is written. Where there is no room for it, the
        file cannot be written, but it can be read.
        """
        try:
            conn.execute("CHECKPOINT")
        except duckdb.Error as error:
            conn.close()
            raise self._cannot_open(error) from error
        except BaseException:  # interrupted
            conn.close()
            raise
        return conn

    def _look_first(self) -> None:
        """Look at a file that nobody closed before opening it for writing.

        Another program's file is refused before its log is written into it, as opening for writing
        would do. A block that a killed write has torn is mended; where that does not make the
        metadata readable to its end, the file is put back as it was.
        """
        mends: list[Mend] = []
        try:
            while True:
                try:
                    with duckdb.connect(
                        str(self._file), read_only=True, config=look_config(self._file)
                    ) as conn:
                        refuse_foreign(conn, self._file)
                        read_all_metadata(conn)
                        schema_state(Store(conn))
                    break
                except duckdb.Error as error:
                    if is_held(error):
                        break
                    done = mend(self._file, error)
                    if done is None:
                        raise self._cannot_open(error) from error
                    mends.append(done)
        except BaseException:
            for done in reversed(mends):
                done.undo()
            raise
        for done in mends:
            _log.warning(
                "%s: its writer was killed, or the power failed, while it wrote the block at byte "
                "%d; nothing in it is lost, and its checksum was put right (it was %d). To have "
                "every row read: payment-sim db check FILE",
                self._file,
                done.location,
                done.before,
            )

    def _open_to_read(self, busy_seconds: float) -> duckdb.DuckDBPyConnection:
        look_for_content(self._file)
        give_up = time.monotonic() + busy_seconds
        while True:
            try:
                with _opening:
                    return self._connect(read_only=True)
            except duckdb.Error as error:
                if not is_held(error):
                    raise self._cannot_open(error) from error
                snapshot = self._open_snapshot(lock_holder(str(error)))
                if snapshot is not None:
                    return snapshot
                if time.monotonic() >= give_up:
                    raise self._busy(error) from error
            time.sleep(_RETRY_SECONDS)

    def _open_snapshot(self, holder: tuple[int, str] | None) -> duckdb.DuckDBPyConnection | None:
        from payment_simulator.persistence.snapshot import fetch_snapshot  # noqa: PLC0415 - 20 ms

        writer = find_writer(self._file)
        if writer is None or (holder is not None and holder[0] != writer.pid):
            return None  # none, or one that another writer left behind
        folder = tempfile.mkdtemp(prefix="payment-sim-")
        try:
            copy = Path(folder) / self._file.name
            if not fetch_snapshot(writer, copy):
                shutil.rmtree(folder, ignore_errors=True)
                return None
            with translating():
                conn = duckdb.connect(str(copy), read_only=True, config=open_config(copy))
                refuse_foreign(conn, copy, self._file)
                lock(conn)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.is_snapshot = True
        self._finalizer = weakref.finalize(self, _remove_copy, folder, str(copy))
        return conn

    def _cannot_open(self, error: duckdb.Error) -> Exception:
        text = str(error)
        # DuckDB wants an extension for such a file, and may not load any.
        if "external extensions" in text and is_sqlite(self._file):
            return self._no_database("an SQLite file")
        # The second is what DuckDB 2.0 says of a CSV, JSON or Parquet file.
        if "not a valid DuckDB database" in text or "Cannot launch in-memory database" in text:
            return self._no_database("not a DuckDB file")
        found = translated(error)
        if str(self._file) in str(found):
            return found
        return type(found)(f"{self._file}: {found}")

    def _no_database(self, kind: str) -> NotADatabaseError:
        return NotADatabaseError(
            f"{self._file} is {kind}; nothing was changed. Give the path of a record"
        )

    def _busy(self, error: duckdb.Error) -> DatabaseBusyError:
        holder = lock_holder(str(error))
        if holder is None:
            return DatabaseBusyError(
                f"{self._file} is open in this process already, in another way; "
                "use the .conn of that DatabaseManager, or close it first"
            )
        pid, program = holder
        aim = "read" if self.read_only else "write"
        way_out = (
            "it does not answer readers, so wait until it ends"
            if self.read_only
            else "wait until it ends, or give another path; reading is possible meanwhile "
            "(read_only=True)"
        )
        return DatabaseBusyError(
            f"{self._file} is held by process {pid} ({program}), so it cannot be opened to "
            f"{aim}; {way_out}"
        )

    @property
    def store(self) -> Store:
        """The store of the connection, whose tables were looked at when it was opened."""
        return self._store

    def setup(self) -> None:
        """Make the tables, or adopt a file of the first tool of this kind, keeping a copy.

        Safe to call any number of times. ``GameRepository.initialize_schema`` does the same.

        Raises
        ------
        ReadOnlyDatabaseError
            The tables are missing, and the database is open for reading only.
        """
        make_tables(self._store)

    def close(self) -> None:
        """Close the connection and everything made from it; safe to call twice.

        Raises
        ------
        DatabaseMovedError
            The file is not where it was opened; the message says where the rows are.
        """
        moved = self._close()
        if moved is not None:
            raise moved

    def _close(self) -> DatabaseMovedError | None:
        if self._is_closed:
            return None
        with undisturbed():
            self._is_closed = True
            moved = self._store.settle()
            if self._finalizer is not None and not self.is_snapshot and self._finalizer.detach():
                _leave(self._file, os.getpid(), wait=True)
            self._disconnect()
        return moved

    def _disconnect(self) -> None:
        self.conn.close()
        if self._finalizer is not None:
            self._finalizer()

    def __enter__(self) -> Self:
        """Return the manager itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database, whatever happened."""
        self.close()


def _remove_copy(folder: str, copy: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    activity.tell_of_copy(copy, frozenset())


# Several managers of one process may write one file: DuckDB gives them the same database, and
# readers of other processes need one answer.
_serving_lock = threading.Lock()
_serving: dict[Path, tuple[SnapshotServer, int]] = {}
_left: deque[Path] = deque()


def _join(file: Path) -> bool:
    """Count one more manager of the file in, starting the answer to readers with the first."""
    from payment_simulator.persistence import serving  # noqa: PLC0415 - 20 ms

    with _serving_lock:
        server, users = _serving.get(file, (None, 0))
        if server is None:
            # A connection of its own: the managers may close in any order.
            conn = duckdb.connect(str(file), config=open_config(file))
            try:
                server = serving.SnapshotServer(conn, file)
            except OSError as error:
                conn.close()
                _log.warning("%s: readers in other processes will have to wait (%s)", file, error)
                return False
        _serving[file] = (server, users + 1)
    _see_off(wait=False)
    return True


def _leave(file: Path, pid: int, *, wait: bool = False) -> None:
    """Count one manager out, stopping the answer with the last.

    A forked child has inherited the finalizer, but neither the thread nor the right to end it.
    """
    if pid == os.getpid():
        _left.append(file)
        _see_off(wait=wait)


def _see_off(*, wait: bool) -> None:
    """Settle the count of those who left.

    The garbage collector may call this at any point, also while this thread holds the lock; then
    it does not wait, and whoever holds the lock sees to it afterwards.
    """
    while _left and _serving_lock.acquire(blocking=wait):
        try:
            while _left:
                file = _left.popleft()
                server, users = _serving.pop(file)
                if users > 1:
                    _serving[file] = (server, users - 1)
                else:
                    server.close()
        finally:
            _serving_lock.release()
