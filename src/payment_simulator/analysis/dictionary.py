"""What every column of a record is: its type, its unit, its meaning.

The records are the source: each field carries its description. The same words stand in the
database itself, as comments on tables, views and columns: ``persistence/sql/comments.sql`` is made
from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import TABLES, Record
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.analysis.views import VIEWS

#: Units that a description names in brackets.
_NAMED = {"(cents)": "cents", "(seconds)": "seconds", "(US dollars)": "US dollars", "(UTC)": "UTC"}
#: Units by how a column's name ends, or what it is; the first that fits.
_BY_NAME = (
    ("_rate", "share"),
    ("_rate_mean", "share"),
    ("confidence", "share"),
    ("price_of_anarchy", "ratio"),
    ("temperature", "ratio"),
    ("ticks_per_day", "ticks"),
    ("tick", "tick"),
    ("day", "day"),
    ("days", "days"),
    ("priority", "0 to 10"),
    ("seed", "seed"),
    ("_number", "ordinal"),
    ("revision", "ordinal"),
    ("version", "ordinal"),
    ("_count", "count"),
    ("num_bytes", "bytes"),
    ("model_calls", "count"),
    ("tokens", "count"),
    ("tokens_used", "count"),
    ("total_iterations", "count"),
    ("steps", "count"),
    ("accepted", "count"),
    ("rejected", "count"),
    ("refused", "count"),
    ("value", "that of the parameter"),
)
_COUNTS = ("num_", "n_")
_LEDGER = (
    ("version", "INTEGER", "Version of the schema, counted from 1."),
    ("sha256", "VARCHAR", "Hash of the schema's text."),
    ("applied_at", "TIMESTAMP", "When the tables were made (UTC)."),
    ("package_version", "VARCHAR", "Version of payment-simulator that made them."),
)
_LEDGER_SUMMARY = "The schema that the tables were made with."


@dataclass(frozen=True)
class ColumnEntry:
    """What one column is.

    Attributes
    ----------
    table : str
        The table or view.
    column : str
    type : str
        DuckDB's.
    unit : str
        Such as ``cents``, ``tick``, ``share`` (of 1); empty for texts and truth values, ``JSON``
        for texts that are JSON.
    is_key : bool
        Whether it is part of the primary key.
    is_optional : bool
        Whether it may be NULL.
    meaning : str
    """

    table: str
    column: str
    type: str
    unit: str
    is_key: bool
    is_optional: bool
    meaning: str


@dataclass(frozen=True)
class TableEntry:
    """What one table or view is.

    Attributes
    ----------
    name, summary : str
    is_view : bool
    columns : tuple of ColumnEntry
    """

    name: str
    summary: str
    is_view: bool
    columns: tuple[ColumnEntry, ...]


@cache
def described_tables() -> tuple[TableEntry, ...]:
    """Return every table of a record, then every view, with all columns."""
    return tuple(_entries())


def data_dictionary() -> list[ColumnEntry]:
    """Return every column of every table and view, in order."""
    return [column for table in described_tables() for column in table.columns]


def dictionary_rows() -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
    """Return the dictionary as names, types and rows of a table."""
    names = [field.name for field in fields(ColumnEntry)]
    types = ["BOOLEAN" if name.startswith("is_") else "VARCHAR" for name in names]
    rows = [tuple(getattr(entry, name) for name in names) for entry in data_dictionary()]
    return names, types, rows


def _entries() -> Iterator[TableEntry]:
    for kind in TABLES:
        yield _of_record(kind)
    ledger = (
        ColumnEntry("schema_ledger", name, kind, unit_of(name, kind, said), n == 0, False, said)
        for n, (name, kind, said) in enumerate(_LEDGER)
    )
    yield TableEntry("schema_ledger", _LEDGER_SUMMARY, False, tuple(ledger))
    for view in VIEWS:
        columns = (
            ColumnEntry(
                view.name, name, kind, unit_of(name, kind, said), False, name in view.optional, said
            )
            for name, kind, said in view.columns
        )
        yield TableEntry(view.name, view.summary, True, tuple(columns))


def _of_record(kind: type[Record]) -> TableEntry:
    columns = []
    apart = {column: name for name, column in kept_apart(kind).items()}
    for name, type_ in zip(kind.table().columns, kind.table().types, strict=True):
        field = kind.model_fields.get(name) or kind.model_fields[apart[name]]
        said = field.description or ""
        if name not in kind.model_fields:
            said = f"SHA-256 of a text in texts: {said[:1].lower()}{said[1:]}"
        optional = not field.is_required() and field.default is None
        unit = unit_of(name, type_, said)
        columns.append(ColumnEntry(kind.TABLE, name, type_, unit, name in kind.KEY, optional, said))
    summary = (kind.__doc__ or "").strip().split("\n\n", 1)[0].replace("\n    ", " ")
    return TableEntry(kind.TABLE, summary, False, tuple(columns))


def unit_of(name: str, kind: str, meaning: str) -> str:
    """Return the unit of a column.

    Parameters
    ----------
    name, kind, meaning : str
        Its name, DuckDB type and description.
    """
    named = next((unit for mark, unit in _NAMED.items() if mark in meaning), "")
    if name.endswith("_costs_json"):
        named = "cents"
    if kind == "VARCHAR":
        is_json = name.endswith("_json") or "JSON array" in meaning
        return f"JSON, {named}" if is_json and named else "JSON" if is_json else ""
    if kind == "BOOLEAN":
        return ""
    if named:
        return named
    if kind == "DOUBLE" and "cost" in name:
        return "cents"
    for end, unit in _BY_NAME:
        if name.endswith(end):
            return unit
    return "count" if name.startswith(_COUNTS) else ""


def comments_sql() -> str:
    """Return the statements that write the dictionary into a database as comments."""
    lines = ["-- Made from the records by docs/generate.py: what every table and column is.", ""]
    for table in described_tables():
        what = "VIEW" if table.is_view else "TABLE"
        lines.append(f"COMMENT ON {what} {table.name} IS {_literal(table.summary)};")
        for entry in table.columns:
            unit = f" [{entry.unit}]" if entry.unit else ""
            said = _literal(f"{entry.meaning}{unit}")
            lines.append(f"COMMENT ON COLUMN {table.name}.{entry.column} IS {said};")
        lines.append("")
    return "\n".join(lines)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
