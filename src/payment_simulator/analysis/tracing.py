"""Numbers of a record that carry where they come from, and sentences made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS

_CENTS = 100
_QUERY = re.compile(
    r"SELECT\s+(?P<what>.+?)\s+FROM\s+(?P<table>\w+)\s+WHERE\s+(?P<rows>.+)", re.DOTALL
)
_COLUMNS = {kind.TABLE: kind.table().columns for kind in RECORDS}


@dataclass(frozen=True)
class TracedNumber:
    """A number as a sentence says it, and the query that gives it.

    Attributes
    ----------
    text : str
        As it is said.
    value : int or float
        As the query gives it.
    unit : str
        Of the value: one of :data:`UNITS`.
    sql : str
        The query, in which values are bound.
    parameters : tuple
        What its question marks stand for.
    """

    text: str
    value: int | float
    unit: str
    sql: str
    parameters: tuple[str | int, ...]

    @property
    def table(self) -> str:
        """The table that it comes from."""
        return self._part("table")

    @property
    def column(self) -> str:
        """The column, or the columns, that it is made of, or by which rows are counted."""
        columns = self._columns("what") or self._columns("rows")[1:]
        return ", ".join(columns) or "*"

    def _columns(self, part: str) -> list[str]:
        """Return the columns that stand in a part; in conditions the game comes first."""
        words = set(re.findall(r"\w+", self._part(part)))
        return [column for column in _COLUMNS[self.table] if column in words]

    @property
    def rows(self) -> str:
        """The condition on the rows that it is made of, as SQL."""
        return _with_literals(self._part("rows"), self.parameters)

    @property
    def statement(self) -> str:
        """The query as it can be pasted anywhere: one line, values written as literals."""
        return _with_literals(self._whole(), self.parameters)

    def _whole(self) -> str:
        return " ".join(self.sql.split())

    def _part(self, name: str) -> str:
        found = _QUERY.fullmatch(self._whole())
        if found is None:
            raise ValueError(f"expected a query of one table with a condition, got: {self.sql}")
        return found[name]

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {
            "text": self.text,
            "value": self.value,
            "unit": self.unit,
            "table": self.table,
            "column": self.column,
            "rows": self.rows,
            "sql": self.statement,
        }


@dataclass(frozen=True)
class Sentence:
    """A sentence and the numbers in it, in their order."""

    text: str
    numbers: tuple[TracedNumber, ...]

    @classmethod
    def of(cls, *parts: str | TracedNumber) -> Sentence:
        """Put a sentence together from words and numbers."""
        numbers = tuple(part for part in parts if isinstance(part, TracedNumber))
        words = (part.text if isinstance(part, TracedNumber) else part for part in parts)
        return cls("".join(words), numbers)

    def as_dict(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {"text": self.text, "numbers": [number.as_dict() for number in self.numbers]}


def traced(
    repo: GameRepository, sql: str, unit: str, parameters: tuple[str | int, ...]
) -> TracedNumber | None:
    """Return the number that a query gives; None where it gives none that could be said.

    Parameters
    ----------
    repo : GameRepository
    sql : str
        ``SELECT what FROM table WHERE rows``, which gives at most one row.
    unit : str
        One of :data:`UNITS`.
    parameters : tuple
        What its question marks stand for.
    """
    found = repo.read(sql, parameters)
    value = found[0][0] if found else None
    if value is None or not math.isfinite(value):
        return None
    return TracedNumber(UNITS[unit](value), value, unit, sql, parameters)


def _count(value: float) -> str:
    return f"{value:,}"


def _money(cents: float) -> str:
    """Return cents in currency units; digits enough that what is something does not look like 0."""
    amount = cents / _CENTS
    return f"{amount:.2g}" if 0 < abs(cents) < 1 / 2 else f"{amount + 0.0:,.2f}"


def _percent(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 or value == 0 else f"{value:.2g}"


def _dollars(value: float) -> str:
    return f"{value:,.2f}" if value >= 1 or value == 0 else f"{value:.3g}"


#: How a value of each unit is said; cents are said in currency units.
UNITS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "count": _count,
        "cents": _money,
        "percent": _percent,
        "share": lambda value: f"{value:g}",
        "US dollars": _dollars,
    }
)


def _with_literals(sql: str, parameters: tuple[str | int, ...]) -> str:
    """Return a query, or its condition, with literals in the place of its question marks."""
    first, *more = sql.split("?")
    pieces = zip(map(_literal, parameters), more, strict=True)
    return first + "".join(f"{literal}{piece}" for literal, piece in pieces)


def _literal(value: str | int) -> str:
    """Return a value as SQL, in which no character acts on a terminal."""
    if isinstance(value, int):
        return str(value)
    parts: list[str] = []
    for is_printable, run in groupby(value, str.isprintable):
        text = "".join(run).replace("'", "''")
        parts += [f"'{text}'"] if is_printable else [f"chr({ord(c)})" for c in text]
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"
