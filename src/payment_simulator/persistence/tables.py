"""Saving rows so that nothing is lost: insert, or replace and keep what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from payment_simulator.errors import DuplicateKeyError, InputError
from payment_simulator.persistence.arrow import ArrowStream, arrow_batch
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Row, Store

_INTEGERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"} | {"UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)
_TEXTS = frozenset({"VARCHAR"})
#: What may go into a column without being changed on the way. DuckDB would round 1.5 into a
#: BIGINT and drop a time zone without a word.
_FITTING = {
    "VARCHAR": _TEXTS,
    "INTEGER": _INTEGERS,
    "BIGINT": _INTEGERS,
    "DOUBLE": frozenset({"DOUBLE", "FLOAT"}),
    "BOOLEAN": frozenset({"BOOLEAN"}),
    "TIMESTAMP": frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS"}),
}
_NULLS = frozenset({'"NULL"', "NULL"})


class ParentMissingError(InputError):
    """A row belongs to something that is not stored."""

    def __init__(self, table: str, key: object) -> None:
        super().__init__(f"{table} holds no {key!r}")
        self.table = table
        self.key = key


@dataclass(frozen=True)
class Table:
    """What saving needs to know of a table.

    Attributes
    ----------
    name : str
        The table's name.
    columns : tuple of str
        All columns in the order of their definition.
    types : tuple of str
        Their DuckDB types.
    key : tuple of str
        The primary key's columns.
    parent : tuple of (str, str, str) or None
        Table, column there and column here of what each row belongs to.
    refusal : str
        An SQL condition on rows of a batch that may not get in, beside the table's own checks.
    """

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]
    parent: tuple[str, str, str] | None = None
    refusal: str = ""

    @cached_property
    def _words(self) -> dict[str, str]:
        """Return what the braces of the queries stand for; all of it is this package's own."""
        parent, parent_key, child_key = self.parent or ("", "", "")
        rest = [c for c in self.columns if c not in self.key]
        return {
            "table": self.name,
            "columns": ", ".join(self.columns),
            "marks": ", ".join("?" * len(self.columns)),
            "key": ", ".join(self.key),
            "key_is_given": " AND ".join(f"{c} = ?" for c in self.key),
            "parent": parent,
            "parent_key": parent_key,
            "child_key": child_key,
            "stored_key": ", ".join(f"stored.{c}" for c in self.key),
            "stored_pairs": ", ".join(f"'{c}', stored.{c}" for c in self.columns),
            "stored_columns": ", ".join(f"stored.{c}" for c in self.columns),
            "incoming_columns": ", ".join(
                f"incoming.{c}::{t}" for c, t in zip(self.columns, self.types, strict=True)
            ),
            "refusal": self.refusal or "false",
            "ones": ", ".join(
                f"{c} = 1.0" for c, t in zip(self.columns, self.types, strict=True) if t == "DOUBLE"
            )
            or f"{self.key[-1]} = {self.name}.{self.key[-1]}",
            "same_key": " AND ".join(f"{self.name}.{c} = incoming.{c}" for c in self.key),
            "sign_differs": " OR ".join(
                f"({self.name}.{c} = 0 AND incoming.{c} = 0 "
                f"AND {self.name}.{c}::VARCHAR <> incoming.{c}::DOUBLE::VARCHAR)"
                for c, t in zip(self.columns, self.types, strict=True)
                if t == "DOUBLE"
            )
            or "false",
            "updates": ", ".join(f"{c} = excluded.{c}" for c in rest or self.key[-1:]),
        }

    def sql(self, query: str) -> str:
        """Return a query of the persistence floor, written for this table."""
        return named_queries("payment_simulator.persistence.sql")[query].format(**self._words)

    @cached_property
    def insert_sql(self) -> str:
        """Return the statement that adds one row if what it belongs to is there."""
        return self.sql("insert_row_of_parent" if self.parent else "insert_row")


def save_row(store: Store, table: Table, row: Row) -> None:
    """Save one row durably: add it, or replace the row of the same key and keep the old one.

    Raises
    ------
    ParentMissingError
        What the row belongs to is not stored.
    """
    values = dict(zip(table.columns, row, strict=True))
    parent = values[table.parent[2]] if table.parent else None
    if not store.in_transaction:
        # An optional parent that is not given needs no look.
        if table.parent and parent is None:
            added = store.insert(table.sql("insert_row"), row)
        else:
            added = store.insert(table.insert_sql, (*row, parent) if table.parent else row)
        if added == 1:
            return
        if added == 0:
            raise ParentMissingError(table.parent[0] if table.parent else "", parent)
    key = [values[c] for c in table.key]
    with store.transaction():
        if table.parent and parent is not None:
            require_parent(store, table, parent)
        stored = store.read(table.sql("row_by_key"), key)
        if not stored:
            store.write(table.sql("insert_row"), row)
        elif repr(stored[0]) != repr(row):  # repr tells -0.0 from 0.0
            replace_batch(store, table, arrow_batch(table.columns, table.types, [row]))


def require_parent(store: Store, table: Table, parent: object) -> None:
    """Raise ``ParentMissingError`` unless what rows of a table belong to is stored."""
    if not store.read(table.sql("parent_exists"), (parent,)):
        raise ParentMissingError(table.parent[0] if table.parent else "", parent)


def save_batch(store: Store, table: Table, batch: ArrowStream, *, is_new: bool = False) -> None:
    """Save many rows in one transaction, each as ``save_row`` would.

    Parameters
    ----------
    store : Store
        Where to.
    table : Table
        Which table; its columns must be the batch's, in any order.
    batch : ArrowStream
        An Arrow table of arro3, pyarrow or polars, that can be read more than once.
    is_new : bool
        Refuse a row whose key is stored already, instead of replacing what is stored.

    Raises
    ------
    InputError
        A column is missing, unknown or of a type that would be changed by storing it; or a row is
        there that should be new.
    DuplicateKeyError
        Two rows of the batch have the same key.
    ParentMissingError
        What a row belongs to is not stored.
    """
    with store.transaction(incoming=batch):
        _check_columns(store, table)
        if table.refusal and store.read(table.sql("incoming_refused")):
            raise InputError(f"{table.name}: a row of the batch breaks a rule of its record")
        twice = store.read(table.sql("incoming_duplicate"))
        if twice:
            pairs = ", ".join(f"{c}={v!r}" for c, v in zip(table.key, twice[0], strict=True))
            raise DuplicateKeyError(
                f"{table.name}: two rows of one batch have the key {pairs}; "
                "keep one of them, or save them one after the other"
            )
        if table.parent:
            orphan = store.read(table.sql("incoming_orphan"))
            if orphan:
                raise ParentMissingError(table.parent[0], orphan[0][0])
        if not is_new and store.read(table.sql("incoming_collides")):
            _replace_incoming(store, table)
        else:
            store.write(table.sql("insert_incoming"))


def _check_columns(store: Store, table: Table) -> None:
    rows = store.read(table.sql("incoming_types"))
    given: dict[str, str] = {row[0]: row[1] for row in rows}
    missing = [c for c in table.columns if c not in given]
    unknown = [c for c in given if c not in table.columns]
    if missing or unknown:
        said = [f"without {', '.join(missing)}"] if missing else []
        said += [f"with unknown {', '.join(unknown)}"] if unknown else []
        raise InputError(
            f"{table.name}: the batch came {' and '.join(said)}; "
            f"its columns are {', '.join(table.columns)}"
        )
    for column, kind in zip(table.columns, table.types, strict=True):
        if given[column] not in _FITTING[kind] | _NULLS:
            raise InputError(
                f"{table.name}.{column}: the batch brings {given[column]}, expected {kind}; "
                "convert the column first"
            )


def replace_batch(store: Store, table: Table, batch: ArrowStream) -> None:
    """Put the rows of a batch in place, keeping every stored row that differs."""
    with store.transaction(incoming=batch):
        _replace_incoming(store, table)


def _replace_incoming(store: Store, table: Table) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    store.write(table.sql("supersede_changed"), (table.name, table.name, now))
    store.write(table.sql("loosen_zeros"))
    store.write(table.sql("upsert_incoming"))
