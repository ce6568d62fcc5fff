"""Copies of an open database: before a migration, and for readers while a writer goes on.

DuckDB itself copies, in one transaction: opening the file a second time in the process that
writes it would drop the lock that keeps other processes out, and its log would be missing.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from payment_simulator.errors import DatabaseFullError, InputError, ReadOnlyDatabaseError
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.files import (
    STORAGE_VERSION,
    look,
    partial_path,
    remove_leftovers,
)
from payment_simulator.persistence.placing import place
from payment_simulator.persistence.queries import identifier, named_queries
from payment_simulator.persistence.store import Store

SQL = "payment_simulator.persistence.sql"


def copy_database(store: Store, target: Path) -> None:
    """Write the whole database, as one transaction sees it, to a new file.

    Writers are not held up, and tables, keys, indexes, views and comments come along. The file
    appears under its name when it is complete. DuckDB writes it where it may write (``Store.room``,
    which is usually beside the database); from there it is moved, or, to another file system,
    copied.

    Raises
    ------
    InputError
        ``target`` is there already, or cannot be a file.
    DamagedDatabaseError
        A log of that name is there, which DuckDB would take for the copy's.
    DatabaseFullError
        No room for the copy.
    """
    if target.exists() or look(target):
        raise InputError(f"{target} is there already; give another name, or move it away")
    remove_leftovers(target)
    partial = partial_path(target, target)
    with store.room() as room:
        made = room / "copy.db"
        _copy_into(store, made)
        try:
            shutil.move(made, partial)
            is_placed = place(partial, target)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            kind = (
                ReadOnlyDatabaseError if isinstance(error, PermissionError) else DatabaseFullError
            )
            raise kind(
                f"{target} cannot be written ({error.strerror}); free some space, or give a path "
                "in a folder that may be written"
            ) from error
        if not is_placed:
            partial.unlink()
            raise InputError(f"{target} was made meanwhile; give another name, or move it away")


def _copy_into(store: Store, made: Path) -> None:
    queries = named_queries(SQL)
    names = {
        "source": identifier(store.database_name),
        "alias": f"copy_{uuid.uuid4().hex}",
        "path": _literal(str(made)),
        "version": _literal(STORAGE_VERSION),
    }
    cursor = store.cursor()
    try:
        with translating():
            cursor.execute(queries["attach_copy"].format(**names))
            try:
                cursor.execute(queries["copy_into"].format(**names))
                cursor.execute(queries["finish_copy"].format(**names))
            finally:
                cursor.execute(queries["detach_copy"].format(**names))
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


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
