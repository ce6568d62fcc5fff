"""Reads a database through the process that is writing it, a query at a time.

What is asked is answered from the database as it is at that moment, or, where several answers have
to agree, as it was when ``one_snapshot`` began. Nothing is copied, so it costs the same for a small
record and for a large one.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from payment_simulator.errors import (
    DatabaseBusyError,
    DatabaseError,
    ReadOnlyDatabaseError,
    SnapshotLostError,
)
from payment_simulator.persistence.answering import ROWS, TABLE, question, refused, rows_of
from payment_simulator.persistence.asking import (
    FIRST_SECONDS,
    TooSlowError,
    WriterIsGoneError,
    ask,
    is_there,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.files import open_config
from payment_simulator.persistence.held_snapshots import BEGIN, END, begun
from payment_simulator.persistence.sidecar import Sidecar
from payment_simulator.persistence.store import Row, Store
from payment_simulator.persistence.watching import QUERY_SECONDS

#: A query is interrupted by the writer before that.
_ANSWER_SECONDS = QUERY_SECONDS + 15
#: How long to wait for a writer that holds as many states as it does.
_BEGIN_SECONDS = 5.0
_RETRY_SECONDS = 0.05


class _Held(threading.local):
    """The state that the writer holds for a thread, where it reads one for several queries."""

    name: str | None = None
    at_work: frozenset[str] = frozenset()


class LiveStore(Store):
    """A database as the process that writes it tells it; safe to read from any thread.

    Where that process ends meanwhile, the file itself is opened.

    Parameters
    ----------
    file : path
        The database.
    writer : Sidecar
        Who writes it.
    """

    def __init__(self, file: Path, writer: Sidecar) -> None:
        # Nothing of the store's own is made: there is no connection.
        self.database_name = file.stem
        self.path = str(file)
        self._writer_of = writer
        self._lock_of_file = threading.Lock()
        self._manager: DatabaseManager | None = None
        self._file: Store | None = None
        self._held = _Held()

    @property
    def is_elsewhere(self) -> bool:
        """Whether the writer is still asked, and not the file."""
        return self._file is None

    @property
    def in_transaction(self) -> bool:
        """Never: what is read is read in a transaction of its own."""
        return False

    def is_answered(self) -> bool:
        """Tell whether the writer answers.

        Raises
        ------
        DatabaseBusyError
            Somebody is there, and says nothing.
        """
        try:
            return is_there(self._writer_of)
        except TooSlowError as error:
            raise self._silent(FIRST_SECONDS) from error

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """Let all that this thread reads in the block be of one state of the database.

        Raises
        ------
        SnapshotLostError
            The writer has ended, or has held the state for as long as it does; what was read is
            to be read again.
        """
        if self._held.name is not None:
            yield
            return
        found = self._begin()
        if found is None:
            with self._opened().one_snapshot():
                yield
            return
        self._held.name, self._held.at_work = found
        try:
            yield
        finally:
            self._held.name = None
            with suppress(WriterIsGoneError, DatabaseError):
                self._send(END, found[0].encode(), seconds=FIRST_SECONDS)

    def _begin(self) -> tuple[str, frozenset[str]] | None:
        """Have the writer hold a state; None where it has ended, and the file is open."""
        give_up = time.monotonic() + _BEGIN_SECONDS
        while self._file is None:
            try:
                return begun(self._send(BEGIN, b"", seconds=FIRST_SECONDS))
            except WriterIsGoneError:
                self._open_file()
            except SnapshotLostError:  # it answers many, or is closing
                if time.monotonic() >= give_up:
                    raise
                time.sleep(_RETRY_SECONDS)
        return None

    def at_work(self) -> frozenset[str]:
        """Return what the writer works on in the database; within a snapshot, worked on then."""
        if self._held.name is not None:
            return self._held.at_work
        with self.one_snapshot():
            return self._held.at_work

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""
        if self._is_asked():
            try:
                return rows_of(self._ask(ROWS, sql, parameters))
            except WriterIsGoneError as error:
                self._give_up(error)
        return self._opened().read(sql, parameters)

    def read_arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the result of a query as an ``arro3.core.Table``."""
        if self._is_asked():
            try:
                return self._table(sql, parameters)
            except WriterIsGoneError as error:
                self._give_up(error)
        return self._opened().read_arrow(sql, parameters)

    def _is_asked(self) -> bool:
        return self._file is None or self._held.name is not None

    def _give_up(self, error: Exception) -> None:
        """Open the file, which holds a later state than the one that was being read, if any was."""
        if self._held.name is not None:
            raise SnapshotLostError(
                f"{self.path}: process {self._writer_of.pid}, which wrote it, ended while it was "
                "being read; try again"
            ) from error
        self._open_file()

    def read_in_parts(
        self,
        sql: str,
        parameters: Sequence[Any] = (),
        n_rows: int = 50_000,  # noqa: ARG002 - the writer answers in one piece
    ) -> Iterator[list[Row]]:
        """Yield the rows of a query, all at once."""
        yield self.read(sql, parameters)

    def _table(self, sql: str, parameters: Sequence[Any]) -> Any:
        from arro3.core import Table  # noqa: PLC0415 - 20 ms that not every reader needs

        with tempfile.TemporaryDirectory(prefix="payment-sim-") as folder:
            target = Path(folder) / "table.parquet"
            self._ask(TABLE, sql, parameters, target)
            # What is read came from elsewhere: it is reached, and nothing else.
            config = {**open_config(), "temp_directory": folder}
            with translating(), duckdb.connect(config=config) as connection:
                return Table.from_arrow(connection.read_parquet(str(target)))

    def _opened(self) -> Store:
        if self._file is None:
            raise DatabaseBusyError(f"{self.path}: the process that wrote it has ended; try again")
        return self._file

    def _open_file(self) -> None:
        with self._lock_of_file:
            if self._file is None:
                self._manager = DatabaseManager(str(self.path), read_only=True)
                self._file = Store(self._manager.conn)

    def _ask(
        self, what: str, sql: str, parameters: Sequence[Any], target: Path | None = None
    ) -> bytes:
        return self._send(what, question(sql, parameters, self._held.name), target=target)

    def _send(
        self,
        what: str,
        body: bytes,
        *,
        seconds: float = _ANSWER_SECONDS,
        target: Path | None = None,
    ) -> bytes:
        try:
            answer = ask(self._writer_of, "POST", what, body, seconds=seconds, target=target)
        except TooSlowError as error:
            raise self._silent(seconds) from error
        if answer.status != HTTPStatus.OK:
            raise refused(answer.body)
        return answer.body

    def _silent(self, seconds: float) -> DatabaseBusyError:
        return DatabaseBusyError(
            f"{self.path}: process {self._writer_of.pid}, which writes it, did not answer within "
            f"{seconds:.0f} s; try again"
        )

    def close(self) -> None:
        """Close the file, where it was opened."""
        if self._manager is not None:
            self._manager.close()

    def _refuse(self) -> NoReturn:
        raise ReadOnlyDatabaseError(
            f"{self.path} is being written by process {self._writer_of.pid}, and is open for "
            "reading only"
        )

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Refuse: there is no connection."""
        self._refuse()

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:  # noqa: ARG002 - refused
        """Refuse: another process writes."""
        self._refuse()

    def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int | None:  # noqa: ARG002 - refused
        """Refuse: another process writes."""
        self._refuse()

    def transaction(self, **views: Any) -> NoReturn:  # noqa: ARG002 - refused
        """Refuse: another process writes."""
        self._refuse()

    def alone(self) -> NoReturn:
        """Refuse: another process writes."""
        self._refuse()

    def room(self) -> NoReturn:
        """Refuse: the database is in another process."""
        self._refuse()

    def run_script(self, sql: str) -> None:  # noqa: ARG002 - refused
        """Refuse: another process writes."""
        self._refuse()
