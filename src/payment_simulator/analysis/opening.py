"""Opens a record to be read: the file, or, where a process writes it, through that process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence import reading
from payment_simulator.persistence.reading import open_store

T = TypeVar("T")


def answer_of(path: str | Path, ask: Callable[[GameRepository], T]) -> T:
    """Return what a function makes of a record.

    It is called again where it read one snapshot of the record, and the process that writes the
    record ended meanwhile.

    Parameters
    ----------
    path : path or str
        The database file.
    ask : callable
        Given a repository that only reads.

    Raises
    ------
    DatabaseError
        As :func:`open_record` does.
    """
    return reading.answer_of(path, lambda store: ask(GameRepository.of_store(store)))


@contextmanager
def open_record(path: str | Path) -> Iterator[GameRepository]:
    """Open a record for reading, whether or not a process is writing it.

    Parameters
    ----------
    path : path or str
        The database file.

    Yields
    ------
    GameRepository
        Reads; everything that saves is refused.

    Raises
    ------
    DatabaseError
        As :class:`~payment_simulator.persistence.connection.DatabaseManager` does.
    """
    with open_store(path) as store:
        yield GameRepository.of_store(store)
