"""Makes the tables of a file, adopts those of the first tool, and refuses what it must not touch.

The schema has one version. A file's ledger (table ``schema_ledger``) says which schema its tables
were made with: its version and the hash of its text. A file that holds the two first tables and no
ledger was written by the first published tool of this kind and is adopted as it is.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files

import duckdb

from payment_simulator._version import __version__
from payment_simulator.errors import (
    NotADatabaseError,
    ReadOnlyDatabaseError,
    SchemaVersionError,
)
from payment_simulator.persistence.adoption import Adoption, make_room, take_over
from payment_simulator.persistence.copying import back_up
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Store

SQL = "payment_simulator.persistence.sql"
LEDGER = "schema_ledger"
FIRST_TABLES = ("game_sessions", "policy_iterations")
#: The schema that this package writes.
SCHEMA_VERSION = 1
_log = logging.getLogger(__name__)


class Origin(StrEnum):
    """Who made the tables of a file."""

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
        The file's schema version; 0 when it has no ledger.
    written_by : str or None
        The package version that made the tables, when a ledger says so.
    """

    origin: Origin
    version: int
    written_by: str | None = None

    @property
    def is_current(self) -> bool:
        """Tell whether the file has the tables of this package."""
        return self.origin is Origin.OURS


@cache
def schema_sql() -> str:
    """Return the statements that make the tables, indexes and views."""
    return _script("schema.sql")


@cache
def schema_sha256() -> str:
    """Return the hash of the schema's text, as the ledger keeps it."""
    return hashlib.sha256(schema_sql().encode()).hexdigest()


def table_columns(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Return name and type of every column of every table, in order."""
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in store.read(named_queries(SQL)["table_columns"]):
        tables.setdefault(table, []).append((column, kind))
    return tables


def names_in(store: Store) -> set[str]:
    """Return the names of all tables and views of a database."""
    return {row[0] for row in store.read(named_queries(SQL)["names"])}


@contextmanager
def schema_model() -> Iterator[Store]:
    """Give an empty database with the tables of the schema."""
    with translating(), duckdb.connect(":memory:") as conn:
        conn.execute(schema_sql())
        yield Store(conn)


@cache
def schema_names() -> frozenset[str]:
    """Return the names of all tables and views of the schema."""
    with schema_model() as model:
        return frozenset(names_in(model))


@cache
def schema_indexes() -> dict[str, str]:
    """Return the table of every index of the schema."""
    with schema_model() as model:
        return {row[1]: row[0] for row in model.read(named_queries(SQL)["indexes"])}


@cache
def schema_columns() -> dict[str, list[tuple[str, str]]]:
    """Return name and type of every column of every table of the schema."""
    with schema_model() as model:
        return table_columns(model)


def schema_state(store: Store) -> SchemaState:
    """Tell who made the tables of a file and which version they have.

    Raises
    ------
    NotADatabaseError
        The file holds tables of another program.
    SchemaVersionError
        The file's tables are those of another version of this package.
    """
    tables = table_columns(store)
    where = store.path or "the database"
    ledger = tables.get(LEDGER)
    if ledger is not None and {"version", "sha256", "package_version"} <= dict(ledger).keys():
        return _state_by_ledger(store, where)
    if ledger is None and all(tables.get(n) == schema_columns()[n] for n in FIRST_TABLES):
        return SchemaState(Origin.FIRST_TOOL, 0)
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
    version, sha256, written_by = rows[0]
    if (version, sha256) == (SCHEMA_VERSION, schema_sha256()):
        return SchemaState(Origin.OURS, version, written_by)
    if version > SCHEMA_VERSION and written_by != __version__:
        raise SchemaVersionError(
            f"{where} has schema version {version}, written by payment-simulator {written_by}; "
            f"this is payment-simulator {__version__}, which knows schema version "
            f"{SCHEMA_VERSION}. Install payment-simulator {written_by} or newer"
        )
    raise SchemaVersionError(
        f"{where} was written by an unreleased state of payment-simulator {written_by} "
        f"(schema version {version}, hash {sha256:.8}; this is {__version__} with schema version "
        f"{SCHEMA_VERSION}, hash {schema_sha256():.8}); nothing was changed. Export its games "
        "with the state that wrote it, or play them again"
    )


def lost_ledger(store: Store) -> list[str]:
    """Return the tables of this schema in a file without a ledger, which must have lost it."""
    found = table_columns(store)
    return sorted(
        table
        for table, columns in schema_columns().items()
        if table not in FIRST_TABLES and found.get(table) == columns
    )


def make_tables(store: Store) -> None:
    """Do as ``migrate`` does, and log what became of a file of the first tool."""
    adoption = migrate(store)
    if adoption is not None:
        _log.warning("%s: %s", store.path or "the database", adoption.in_words())


def migrate(store: Store) -> Adoption | None:
    """Make the tables, or adopt a file of the first tool; do nothing when they are there.

    All of it is one transaction. A file of the first tool is copied first.

    Returns
    -------
    Adoption or None
        What became of a file of the first tool; ``None`` of any other.

    Raises
    ------
    NotADatabaseError, SchemaVersionError
        As ``schema_state`` says.
    ReadOnlyDatabaseError
        Tables are missing, and the database is open for reading only.
    """
    # Most files have their tables. To tell that one is empty takes longer: done below.
    if LEDGER in names_in(store) and schema_state(store).is_current:
        return None
    with store.alone():
        return _migrate_alone(store)


def _migrate_alone(store: Store) -> Adoption | None:
    state = schema_state(store)  # another thread may have been faster
    if state.is_current:
        return None
    where = store.path or "the database"
    if store.read(named_queries(SQL)["is_read_only"])[0][0]:
        raise ReadOnlyDatabaseError(
            f"{where} lacks tables of schema version {SCHEMA_VERSION}, but is open for reading "
            "only. Open it once for writing, or: payment-sim db migrate FILE"
        )
    if state.origin is Origin.EMPTY:
        with store.transaction():
            _make(store)
        return None
    lost = lost_ledger(store)
    if lost:
        raise NotADatabaseError(
            f"{where} has {', '.join(lost[:3])} of this package but no table {LEDGER}, so its "
            "version is unknown. Put back a copy of the file"
        )
    copy = back_up(store, "first-tool") if store.path else None
    with store.transaction():
        kept = make_room(store, schema_names() - set(FIRST_TABLES), schema_indexes())
        _make(store)
        return Adoption(copy, take_over(store, kept))


def _make(store: Store) -> None:
    store.run_script(schema_sql())
    store.run_script(_script("comments.sql"))
    now = datetime.now(UTC).replace(tzinfo=None)
    store.write(
        named_queries(SQL)["enter_schema"], (SCHEMA_VERSION, schema_sha256(), now, __version__)
    )


def _script(name: str) -> str:
    return files(SQL).joinpath(name).read_text(encoding="utf-8")
