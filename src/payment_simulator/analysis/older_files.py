"""What an older file does not have yet is read as nothing, so that its games can be looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from payment_simulator.errors import SchemaMissingError

T = TypeVar("T")


def or_nothing(read: Callable[[], list[T]]) -> list[T]:
    """Return the rows that are read, or none where the file has no such table yet.

    Parameters
    ----------
    read : callable
        Reads a table that came after the first two.
    """
    try:
        return read()
    except SchemaMissingError:
        return []
