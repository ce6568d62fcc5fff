"""A table of texts, for a terminal and for a paper alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from payment_simulator.wording import visible


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    name : str
        Tells it from the other tables of a comparison: letters and hyphens.
    title : str
    columns : tuple of str
        No two are the same.
    rows : tuple of tuple of str
    numbers : tuple of str
        Columns that are set flush right.
    yielding : tuple of str
        Columns that may be folded.
    optional : tuple of tuple of str
        Columns that may be left out, the first of them first; those of one tuple go together.
    notes : tuple of str
        What is said below it.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()
    yielding: tuple[str, ...] = ()
    optional: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


def without_empty(table: Table, of_some: set[str]) -> Table:
    """Return a table without those columns of some games that no game has."""
    empty = [
        column
        for place, column in enumerate(table.columns)
        if column in of_some and all(row[place] in {"-", "0", ""} for row in table.rows)
    ]
    return without(table, empty)


def without(table: Table, columns: Sequence[str]) -> Table:
    """Return a table without some of its columns."""
    kept = [place for place, column in enumerate(table.columns) if column not in columns]

    def rest(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in columns)

    return replace(
        table,
        columns=rest(table.columns),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
        numbers=rest(table.numbers),
        yielding=rest(table.yielding),
        optional=tuple(those for names in table.optional if (those := rest(names))),
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
