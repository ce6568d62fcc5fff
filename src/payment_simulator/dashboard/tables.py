"""Tables that come a page at a time and can be sorted by their heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from payment_simulator.dashboard.words import link

_DEFAULT_ROWS = 100


@dataclass(frozen=True)
class Pager:
    """Where a table stands, and the addresses that lead on.

    Attributes
    ----------
    path : str
        The page.
    filters : mapping of str to object
        What is chosen; it stays so on other pages of the table.
    sort, direction : str
        The column that is sorted by, and ``up`` or ``down``; empty where nothing can be chosen.
    limit, offset, count : int
        Rows of a page, rows before it, rows at all.
    largest_first : tuple of str
        Columns that begin with the largest.
    anchor : str
        The place on the page.
    """

    path: str
    filters: Mapping[str, object]
    sort: str
    direction: str
    limit: int
    offset: int
    count: int
    largest_first: tuple[str, ...] = ()
    anchor: str = ""

    @property
    def page(self) -> int:
        """Return the number of this page, counted from 1."""
        return self.offset // self.limit + 1

    @property
    def pages(self) -> int:
        """Return the number of pages."""
        return max(1, -(-self.count // self.limit))

    @property
    def first(self) -> int:
        """Return the number of the first row shown."""
        return min(self.offset + 1, self.count)

    @property
    def last(self) -> int:
        """Return the number of the last row shown."""
        return min(self.offset + self.limit, self.count)

    def to_page(self, page: int) -> str:
        """Return the address of another page."""
        return self._link(self.sort, self.direction, page)

    def by(self, column: str) -> str:
        """Return the address of the table sorted by a column; the other way, if it is already."""
        direction = "down" if column in self.largest_first else "up"
        if column == self.sort:
            direction = "up" if self.direction == "down" else "down"
        return self._link(column, direction, 1)

    def aria(self, column: str) -> str:
        """Return how a column is sorted, as browsers tell it to those who do not see it."""
        if column != self.sort:
            return "none"
        return "ascending" if self.direction == "up" else "descending"

    def _link(self, sort: str, direction: str, page: int) -> str:
        rows = self.limit if self.limit != _DEFAULT_ROWS else None
        filters = {name: value or None for name, value in self.filters.items()}
        return link(
            self.path,
            **filters,
            sort=sort or None,
            order=direction or None,
            page=page if page > 1 else None,
            rows=rows,
        ) + (f"#{self.anchor}" if self.anchor else "")
