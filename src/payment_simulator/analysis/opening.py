"""Opens a record to be read: the file, or, where a process writes it, through that process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.reading import open_store


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
