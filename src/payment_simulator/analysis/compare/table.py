"""A table of texts, for a terminal and for a paper alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from payment_simulator.analysis.compare.texts import visible


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    title : str
    columns : tuple of str
        No two are the same.
    rows : tuple of tuple of str
    numbers : tuple of str
        Columns that are set flush right.
    yielding : tuple of str
        Columns that may be folded.
    optional : tuple of str
        Columns that may be left out, the first of them first.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()
    yielding: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def without_empty(table: Table, of_some: set[str]) -> Table:
    """Return a table without those columns of some games that no game has."""
    kept = [
        place
        for place, column in enumerate(table.columns)
        if column not in of_some or any(row[place] not in {"-", "0", ""} for row in table.rows)
    ]
    names = {table.columns[place] for place in kept}
    return Table(
        table.title,
        tuple(table.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
        *(
            tuple(c for c in some_of if c in names)
            for some_of in (table.numbers, table.yielding, table.optional)
        ),
    )


def distinct(names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return names as they are shown, told apart where they look the same."""
    seen, found = set(taken), []
    for name in map(visible, names):
        shown, number = name, 1
        while shown in seen:
            number += 1
            shown = f"{name} ({number})"
        seen.add(shown)
        found.append(shown)
    return tuple(found)
