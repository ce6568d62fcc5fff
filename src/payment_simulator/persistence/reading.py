"""Opens a database for reading, whether or not a process is writing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from payment_simulator.errors import PaymentSimulatorError, SnapshotLostError
from payment_simulator.persistence.answering import nonsense
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.files import look_for_content, real_path
from payment_simulator.persistence.migrations import schema_state
from payment_simulator.persistence.sidecar import find_writer
from payment_simulator.persistence.store import Row, Store

T = TypeVar("T")
_TRIES = 3


class Readable(Protocol):
    """What answers questions: a store, or a repository of records."""

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Return all rows of a query."""
        ...

    def one_snapshot(self) -> AbstractContextManager[None]:
        """Let all that this thread reads in the block be of one state."""
        ...

    def at_work(self) -> frozenset[str]:
        """Return what the process that writes the database works on in it."""
        ...


def answer_of(path: str | Path, ask: Callable[[Store], T]) -> T:
    """Return what a function makes of a database that is open for reading.

    It is called again where it read one snapshot of the database, and the process that writes the
    database ended meanwhile.

    Parameters
    ----------
    path : path or str
        The database file.
    ask : callable
        Given a store, which only reads.

    Raises
    ------
    DatabaseError
        As :func:`open_store` does.
    """
    for _ in range(_TRIES - 1):
        try:
            with open_store(path) as store:
                return ask(store)
        except SnapshotLostError:
            pass
    with open_store(path) as store:
        return ask(store)


@contextmanager
def open_store(path: str | Path) -> Iterator[Store]:
    """Open a database for reading: the file, or, where a process writes it, through that process.

    Parameters
    ----------
    path : path or str
        The database file.

    Yields
    ------
    Store
        Reads; whatever would write is refused.

    Raises
    ------
    DatabaseError
        As :class:`~payment_simulator.persistence.connection.DatabaseManager` does.
    """
    file = real_path(Path(path))
    writer = find_writer(file)
    if writer is not None:
        from payment_simulator.persistence.live import LiveStore  # noqa: PLC0415 - 40 ms

        look_for_content(file)
        store = LiveStore(file, writer)
        try:
            if store.is_answered():
                _look_at(store)
                yield store
                return
        finally:
            store.close()
    with DatabaseManager(path, read_only=True) as manager:
        yield manager.store


def _look_at(store: Store) -> None:
    """Refuse a database that is no record, and a writer that answers anything but rows of it."""
    try:
        schema_state(store)
    except (IndexError, TypeError, ValueError) as error:
        if isinstance(error, PaymentSimulatorError):
            raise
        raise nonsense() from error
