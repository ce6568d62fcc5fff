"""Keeps what was saved reachable when a database file is moved, removed or replaced in use."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payment_simulator.errors import DatabaseError, DatabaseMovedError, InputError
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.files import log_path
from payment_simulator.persistence.placing import place

if TYPE_CHECKING:
    from payment_simulator.persistence.identity import OpenFile
    from payment_simulator.persistence.store import Store


def moved_error(store: Store, file: OpenFile) -> DatabaseMovedError:
    """Return the error that says where the rows are, after making sure that they are there.

    A file that was moved gets its log beside it. Where there is no such file, or its log is lost,
    the open database is copied. Nothing of another file is changed.
    """
    if file.error is None:
        file.error = _moved_error(store, file)
    return file.error


def _moved_error(store: Store, file: OpenFile) -> DatabaseMovedError:
    path, name = file.path, file.wrong_name()
    if name is not None and file.is_in_place():
        return DatabaseMovedError(
            f"{name} leads to another file than when it was opened; every save that returned is in "
            f"{path}",
            path,
        )
    moved = file.moved_to()
    if moved is not None and moved != path and _bring_log(file, moved):
        return DatabaseMovedError(
            f"{path} was moved while it was being written; every save that returned is in {moved}",
            moved,
        )
    what = "overwritten" if moved == path else "removed or replaced"
    said = f"{path} was {what} while it was being written"
    reasons = []
    for folder in (path.parent, Path(tempfile.gettempdir())):
        try:
            copy = _copy(store, folder, path.name)
        except (DatabaseError, InputError, OSError) as error:
            reasons.append(str(error))
            continue
        _remove_log(file)
        return DatabaseMovedError(f"{said}; every save that returned is in {copy}", copy)
    rest = f"; its log {log_path(path)} holds the last of them" * file.is_own_log(log_path(path))
    return DatabaseMovedError(
        f"{said}, and what was saved could not be copied ({reasons[0]}){rest}. Put back a copy of "
        "the file",
        None,
    )


def _copy(store: Store, folder: Path, name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.rescued-{stamp}.db"
    copy_database(store, target)
    return target


def _bring_log(file: OpenFile, moved: Path) -> bool:
    """Put the log beside the moved file; tell whether it is there, or none is needed."""
    source, target = log_path(file.path), log_path(moved)
    if not file.has_log() or file.is_own_log(target):
        return True
    if not file.is_own_log(source):
        return False
    with suppress(OSError):
        return place(source, target)
    return False


def _remove_log(file: OpenFile) -> None:
    """Remove a log that belongs to no file any more, and would make another unreadable."""
    log = log_path(file.path)
    if file.is_own_log(log):
        with suppress(OSError):
            log.unlink()
