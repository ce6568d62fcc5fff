"""What this process works on in each database, as names that its callers choose.

The file itself cannot tell whether somebody works on it: after a kill its rows say what they said
before. So the process that works keeps the names here, and tells them to readers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_at_work: dict[str, frozenset[str]] = {}


def claim(database: str, name: str) -> bool:
    """Say that this process begins to work on something.

    Parameters
    ----------
    database : str
        As ``Store.location`` gives it.
    name : str
        What is worked on.

    Returns
    -------
    bool
        False where this process works on it already; nothing is changed then.
    """
    with _lock:
        names = _at_work.get(database, frozenset())
        _at_work[database] = names | {name}
        return name not in names


def release(database: str, name: str) -> None:
    """Say that the work is over."""
    with _lock:
        names = _at_work.pop(database, frozenset()) - {name}
        if names:
            _at_work[database] = names


def at_work(database: str) -> frozenset[str]:
    """Return what this process works on in a database."""
    with _lock:
        return _at_work.get(database, frozenset())


@contextmanager
def unchanged(database: str) -> Iterator[frozenset[str]]:
    """Return the same, and keep all work from beginning or ending during the block.

    A state of the database that is taken in the block goes with these names.
    """
    with _lock:
        yield _at_work.get(database, frozenset())


def tell_of_copy(database: str, names: frozenset[str]) -> None:
    """Keep what was worked on when a database was copied; none forgets it."""
    with _lock:
        _at_work.pop(database, None)
        if names:
            _at_work[database] = names
