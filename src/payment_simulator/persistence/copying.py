"""Copies of an open database: before a migration, and for readers while a writer goes on.

DuckDB itself copies, in one transaction: opening the file a second time in the process that
writes it would drop the lock that keeps other processes out, and its log would be missing.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from payment_simulator.errors import InputError
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Store

SQL = "payment_simulator.persistence.sql"
#: The oldest DuckDB line that must be able to read what is written here.
STORAGE_VERSION = "v1.5.0"


def has_storage_versions() -> bool:
    """Tell whether this DuckDB writes a newer format unless told otherwise."""
    return int(duckdb.__version__.split(".", 1)[0]) >= 2  # noqa: PLR2004 - the 2.0 line


def copy_database(store: Store, target: Path) -> None:
    """Write the whole database, as one transaction sees it, to a new file.

    Writers are not held up, and tables, keys, indexes, views and comments come along. The file
    appears under its name when it is complete.

    Raises
    ------
    InputError
        ``target`` is there already.
    DatabaseFullError
        No room for the copy.
    """
    if target.exists():
        raise InputError(f"{target} is there already; give another name, or move it away")
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}.partial")
    queries = named_queries(SQL)
    names = {
        "source": _identifier(store.database_name),
        "alias": f"copy_{uuid.uuid4().hex}",
        "path": _literal(str(partial)),
        "option": f", STORAGE_VERSION '{STORAGE_VERSION}'" if has_storage_versions() else "",
    }
    cursor = store.cursor()
    try:
        with translating():
            cursor.execute(queries["attach_copy"].format(**names))
            try:
                cursor.execute(queries["copy_into"].format(**names))
            finally:
                cursor.execute(queries["detach_copy"].format(**names))
        partial.rename(target)
    except BaseException:
        for leftover in (partial, partial.with_name(partial.name + ".wal")):
            with suppress(OSError):
                leftover.unlink()
        raise
    finally:
        cursor.close()


def back_up(store: Store, label: str) -> Path:
    """Copy a database to ``NAME.LABEL-TIME.bak`` beside it and return the copy's path."""
    if store.path is None:
        raise InputError("a database in memory has no file to copy")
    source = Path(store.path)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    target = source.with_name(f"{source.name}.{label}-{stamp}.bak")
    copy_database(store, target)
    return target


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
