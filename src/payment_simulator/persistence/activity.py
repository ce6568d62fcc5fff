"""What this process works on in each database, as names that its callers choose.

The file itself cannot tell whether somebody works on it: after a kill its rows say what they said
before. So the process that works keeps the names here, and tells them to readers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


class Claim:
    """Some work of this process; over as soon as it is not active, whatever ended it."""

    def __init__(self) -> None:
        self.is_active = True


_claims: dict[tuple[str, str], Claim] = {}


def claim(database: str, name: str, by: Claim) -> bool:
    """Say that this process begins to work on something.

    Parameters
    ----------
    database : str
        As ``Store.location`` gives it.
    name : str
        What is worked on.
    by : Claim
        Its ``is_active`` is set to False when the work is over: an assignment, which an interrupt
        cannot prevent.

    Returns
    -------
    bool
        False where this process works on it already; nothing is changed then.
    """
    with _lock:
        for key in [key for key, held in _claims.items() if not held.is_active]:
            del _claims[key]
        return _claims.setdefault((database, name), by) is by


def _names(database: str) -> frozenset[str]:
    return frozenset(
        name for (where, name), held in _claims.items() if where == database and held.is_active
    )


def at_work(database: str) -> frozenset[str]:
    """Return what this process works on in a database."""
    with _lock:
        return _names(database)


@contextmanager
def unchanged(database: str) -> Iterator[frozenset[str]]:
    """Return the same, and keep all work from beginning during the block.

    What is unfinished in a state of the database that is taken in the block, and not among these
    names, is not worked on: work begins before, and ends after, its rows say so.
    """
    with _lock:
        yield _names(database)


def tell_of_copy(database: str, names: frozenset[str]) -> None:
    """Keep what was worked on when a database was copied; none forgets it."""
    with _lock:
        for key in [key for key in _claims if key[0] == database]:
            del _claims[key]
        _claims.update({(database, name): Claim() for name in names})
