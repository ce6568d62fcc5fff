"""Brings the tables of a file to this version, and refuses files that it must not touch.

A file's version is the highest number in its ledger (table ``schema_ledger``). A file that holds
just the two first tables and no ledger was written by the first published tool of this kind; it
counts as version 1 and is taken on as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from payment_simulator._version import __version__
from payment_simulator.errors import (
    NotADatabaseError,
    ReadOnlyDatabaseError,
    SchemaVersionError,
)
from payment_simulator.persistence.copying import back_up
from payment_simulator.persistence.queries import Migration, named_queries, numbered_migrations
from payment_simulator.persistence.store import Store

SQL = "payment_simulator.persistence.sql"
LEDGER = "schema_ledger"
FIRST_TABLES = ("game_sessions", "policy_iterations")


class Origin(StrEnum):
    """What kind of file lies before us."""

    EMPTY = "empty"
    OURS = "ours"
    FIRST_TOOL = "first tool"


@dataclass(frozen=True)
class SchemaState:
    """Where a file stands.

    Attributes
    ----------
    origin : Origin
        Who made the file, as far as its tables tell.
    version : int
        The file's version; 0 when it is empty.
    written_by : str or None
        The package version that brought it there, when a ledger says so.
    """

    origin: Origin
    version: int
    written_by: str | None = None

    @property
    def pending(self) -> tuple[Migration, ...]:
        """Return the migrations that the file still needs."""
        return numbered_migrations(SQL)[self.version :]


def current_version() -> int:
    """Return the schema version that this package writes."""
    return len(numbered_migrations(SQL))


def table_columns(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Return name and type of every column of every table, in order."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in store.read(named_queries(SQL)["table_columns"]):
        tables.setdefault(table, []).append((column, kind))
    return tables


@cache
def names_at(version: int) -> frozenset[str]:
    """Return the names of all tables and views of a schema version."""
    with duckdb.connect(":memory:") as conn:
        store = Store(conn)
        for step in numbered_migrations(SQL)[:version]:
            store.run_script(step.sql)
        return frozenset(names_in(store))


def names_in(store: Store) -> set[str]:
    """Return the names of all tables and views of a database."""
    return {row[0] for row in store.read(named_queries(SQL)["names"])}


@cache
def columns_at(version: int) -> dict[str, list[tuple[str, str]]]:
    """Return name and type of every column of every table of a schema version."""
    with duckdb.connect(":memory:") as conn:
        store = Store(conn)
        for step in numbered_migrations(SQL)[:version]:
            store.run_script(step.sql)
        return table_columns(store)


def schema_state(store: Store) -> SchemaState:
    """Tell whose file this is and which version it has.

    Raises
    ------
    NotADatabaseError
        The file holds tables of another program.
    SchemaVersionError
        The file was written by a newer version of this package.
    """
    tables = table_columns(store)
    where = store.path or "the database"
    ledger = tables.get(LEDGER)
    if ledger is not None and {"version", "package_version"} <= {name for name, _ in ledger}:
        return _state_by_ledger(store, where)
    if ledger is None and all(tables.get(n) == c for n, c in columns_at(1).items()):
        return SchemaState(Origin.FIRST_TOOL, 1)
    if not tables and _is_untouched(store):
        return SchemaState(Origin.EMPTY, 0)
    names = sorted({*tables, *(row[0] for row in store.read(named_queries(SQL)["other_things"]))})
    if not names:
        return SchemaState(Origin.EMPTY, 0)
    raise NotADatabaseError(
        f"{where} is a DuckDB file of another program (it holds {', '.join(names[:5])}), not a "
        "record of payment-simulator; nothing was changed. Give another path"
    )


def _is_untouched(store: Store) -> bool:
    """Tell whether nothing was ever stored in a file; of memory DuckDB keeps no such count."""
    return store.path is not None and bool(store.read(named_queries(SQL)["is_untouched"])[0][0])


def _state_by_ledger(store: Store, where: str) -> SchemaState:
    rows = store.read(named_queries(SQL)["ledger_head"])
    if not rows:
        raise NotADatabaseError(
            f"{where} has an empty table {LEDGER}, so its version is unknown. "
            "Put back a copy of the file"
        )
    version, written_by = rows[0]
    if version > current_version():
        raise SchemaVersionError(
            f"{where} has schema version {version}, written by payment-simulator {written_by}; "
            f"this is payment-simulator {__version__}, which knows versions up to "
            f"{current_version()}. Install payment-simulator {written_by} or newer"
        )
    return SchemaState(Origin.OURS, version, written_by)


def migrate(store: Store) -> Path | None:
    """Bring the tables to this package's version; do nothing when they are there.

    Each migration is one transaction, ledger row included, so a process that is killed on the
    way leaves a file of some whole version. A file that holds data is copied first.

    Returns
    -------
    pathlib.Path or None
        The copy of the file as it was, if one was made.

    Raises
    ------
    NotADatabaseError, SchemaVersionError
        As ``schema_state`` says.
    ReadOnlyDatabaseError
        The tables are missing or old, and the database is open for reading only.
    """
    # Most files are at the newest version. To tell that one is empty takes longer: done below.
    if LEDGER in names_in(store) and not schema_state(store).pending:
        return None
    with store.alone():
        return _migrate_alone(store)


def _migrate_alone(store: Store) -> Path | None:
    state = schema_state(store)  # another thread may have been faster
    if not state.pending:
        return None
    if store.read(named_queries(SQL)["is_read_only"])[0][0]:
        raise ReadOnlyDatabaseError(
            f"{store.path or 'the database'} has schema version {state.version} and needs "
            f"{current_version()}, but is open for reading only. Open it once for writing, or: "
            "payment-sim db migrate FILE"
        )
    if state.origin is Origin.EMPTY:
        with store.transaction():
            store.run_script(_script("schema.sql"))
            store.run_script(_script("comments.sql"))
            for step in numbered_migrations(SQL):
                _enter(store, step)
        return None
    taken = (names_at(current_version()) - names_at(state.version)) & names_in(store)
    if taken:
        raise SchemaVersionError(
            f"{store.path or 'the database'} has tables or views of its own under names that "
            f"schema version {current_version()} needs: {', '.join(sorted(taken))}. Nothing was "
            "changed; "
            "rename them (ALTER TABLE ... RENAME TO ...) and try again"
        )
    copy = back_up(store, f"v{state.version}") if store.path else None
    for step in state.pending:
        with store.transaction():
            store.run_script(step.sql)
            if state.origin is Origin.FIRST_TOOL and step.version == state.version + 1:
                _enter(store, numbered_migrations(SQL)[0])
            _enter(store, step)
            if step is state.pending[-1]:
                store.run_script(_script("comments.sql"))
    return copy


def _script(name: str) -> str:
    return files(SQL).joinpath(name).read_text(encoding="utf-8")


def _enter(store: Store, step: Migration) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    store.write(
        named_queries(SQL)["enter_migration"],
        (step.version, step.name, step.sha256, now, __version__),
    )
