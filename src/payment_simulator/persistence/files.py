"""Looks at a path before DuckDB does, and makes new database files whole or not at all.

Nothing here opens an existing DuckDB file: closing a second handle on a file drops the lock that
the same process holds on it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import duckdb

from payment_simulator.errors import (
    DamagedDatabaseError,
    DatabaseError,
    NotADatabaseError,
    ReadOnlyDatabaseError,
)
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.leftovers import MAKER, leftovers, maker
from payment_simulator.persistence.memory import memory_limit
from payment_simulator.persistence.placing import place

#: The oldest DuckDB line that must be able to read what is written here.
STORAGE_VERSION = "v1.5.0"
#: What may be set in an open database; nothing in a file can set anything.
OPEN_SETTINGS = ("memory_limit", "threads", "checkpoint_threshold")
_SQLITE = b"SQLite format 3\0"


def open_config(database: Path | None = None) -> dict[str, str | bool | int | float | list[str]]:
    """Return the settings under which every database of this package is opened.

    The figures behind them are in ``docs/explanation/speed-of-the-record.md``.

    Parameters
    ----------
    database : pathlib.Path, optional
        The file; without it, a database in memory.
    """
    return {
        # SQL may come with a file or from a reader: it reaches no other file than the database
        # and those of one folder, which is also where DuckDB puts what has no room in memory.
        "enable_external_access": "false",
        "temp_directory": str(spill_path(database)),
        "allow_persistent_secrets": "false",
        "allowed_configs": list(OPEN_SETTINGS),
        # DuckDB fetches an extension from the network when it meets, say, an SQLite file.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # Unbounded, the buffers grow to the size of the file while a large record is read.
        "memory_limit": f"{memory_limit()}B",
        # A game's rows are found faster by skipping row groups than by the index, whose scan
        # also pins every block that it touches.
        "index_scan_max_count": "0",
        "index_scan_percentage": "0",
        # A checkpoint would merge what earlier ones have written, and write it once more: long
        # texts that are saved one by one would cost more and more.
        "max_vacuum_tasks": "0",
        "storage_compatibility_version": STORAGE_VERSION,
    }


def lock(conn: duckdb.DuckDBPyConnection, *, writes: bool = False) -> None:
    """Lock the settings of an opened database, but for ``OPEN_SETTINGS``.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        A connection to it.
    writes : bool
        Whether it is a file that is written. Closing would write and remove the log at its path,
        whatever lies there by then: ``Store.settle`` looks first.
    """
    try:
        if writes:
            conn.execute("PRAGMA disable_checkpoint_on_shutdown")
        conn.execute("SET lock_configuration = true")
    except duckdb.InvalidInputException as error:
        if "has been locked" not in str(error):  # by another manager of this process
            raise


def look_config(database: Path) -> dict[str, str | bool | int | float | list[str]]:
    """Return settings under which a file cannot be opened while this process has it open.

    DuckDB gives connections of one process the same database, unless they want it differently.
    """
    return {**open_config(database), "custom_user_agent": "payment-sim-look"}


@cache
def spill_path(database: Path | None) -> Path:
    """Return the folder in which an open database may make files; it is made when needed.

    It has the same name for as long as the process lives, because DuckDB gives a process only one
    set of settings for a file. It lies beside the database, or where temporary files go: nobody
    can know its name before, and what the package puts there is in a folder that only this user
    can read.
    """
    if database is not None and os.access(database.parent, os.W_OK | os.X_OK):
        return partial_path(database, database)
    return Path(tempfile.gettempdir()).resolve() / f"payment-sim-{maker()}"


def log_path(database: Path) -> Path:
    """Return where DuckDB keeps what was saved since its last checkpoint."""
    return database.with_name(database.name + ".wal")


def real_path(path: Path) -> Path:
    """Return the whole path, links followed, so that a file goes by one name.

    Raises
    ------
    NotADatabaseError
        No file can be at such a path.
    """
    _refuse_name(path.absolute())
    try:
        file = path.resolve()
        leads_nowhere = path.is_symlink() and not path.exists() and not log_path(file).exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise NotADatabaseError(f"{path}: {error}; give another path") from error
    if leads_nowhere:
        raise NotADatabaseError(
            f"{path} is a link that leads nowhere; mend it, or give another path"
        )
    _refuse_name(file)
    return file


def _refuse_name(path: Path) -> None:
    r"""Refuse a path that DuckDB takes for another.

    What follows a ``?`` it takes for options: it puts the log's ending before it, where the next
    one that opens the file does not look. ``\`` separates folders for it on every system.
    """
    odd = "?" if os.name == "nt" else "?\\"
    found = next((sign for sign in odd if sign in str(path)), None)
    if found is None:
        return
    start, _, rest = str(path).partition("?")
    log = Path(f"{start}.wal?{rest}")
    also = f", and {log} to the same name with .wal at its end" * (rest != "" and log.is_file())
    raise NotADatabaseError(
        f"{path} cannot be used for a database: DuckDB does not take {found!r} in a path for a "
        f"part of a name. Give a path without it, or rename what is there{also}"
    )


def look(database: Path) -> bool:
    """Tell whether there is a file to open, after refusing what cannot be one.

    An empty file counts as none: a process that was killed while DuckDB made a file leaves such.

    Raises
    ------
    NotADatabaseError
        The path leads to a folder or a device, or its folder does not exist.
    DamagedDatabaseError
        The file is gone but its log is there; DuckDB would throw the log away.
    """
    try:
        return _look(database)
    except OSError as error:
        raise NotADatabaseError(
            f"{database} cannot be looked at ({error.strerror}); give another path"
        ) from error


def look_for_content(database: Path) -> None:
    """Refuse a path at which there is nothing to read.

    Raises
    ------
    NotADatabaseError, DamagedDatabaseError
        As ``look`` says; also where there is no file, or an empty one.
    """
    if not look(database):
        what = "is empty" if database.exists() else "does not exist"
        raise NotADatabaseError(
            f"{database} {what}, so there is nothing to read; give the path of a record"
        )


def _look(database: Path) -> bool:
    _refuse_name(database)
    if not database.parent.is_dir():
        raise NotADatabaseError(
            f"{database}: there is no folder {database.parent}; make it, or give another path"
        )
    if database.exists() and not database.is_file():
        kind = "a folder" if database.is_dir() else "not a file"
        raise NotADatabaseError(f"{database} is {kind}, expected a database file; give its path")
    is_there = database.exists() and database.stat().st_size > 0
    log = log_path(database)
    if not is_there and log.exists() and log.stat().st_size > 0:
        raise DamagedDatabaseError(
            f"{database} is missing or empty, but its log {log.name} is there. Put the database "
            "back beside its log; if there never was one to keep, move the log away"
        )
    return is_there


def is_sqlite(file: Path) -> bool:
    """Tell whether a file that DuckDB refused, so that nothing holds a lock on it, is SQLite's."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def make_empty(database: Path) -> None:
    """Make an empty database file where nothing is yet."""
    with translating():
        duckdb.connect(str(database), config=open_config(database)).close()


def create(database: Path) -> None:
    """Make a new, empty database file, so that it appears whole or not at all.

    Does nothing when another process was faster.
    """
    partial = partial_path(database, database)
    try:
        make_empty(partial)
        _remove_if_empty(database)
        place(partial, database)
    except DatabaseError as error:
        raise type(error)(f"{database} cannot be created: {error}") from error
    except OSError as error:
        kind = ReadOnlyDatabaseError if isinstance(error, PermissionError) else DatabaseError
        raise kind(
            f"{database} cannot be created ({error.strerror}); "
            "give a path in a folder that may be written"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _remove_if_empty(database: Path) -> None:
    """Remove a file of no bytes unless a process that is just creating it holds its lock."""
    if not database.exists() or database.stat().st_size > 0:
        return
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where an open file cannot be removed
    except ImportError:
        database.unlink()
        return
    with database.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # DuckDB will say who holds it
        if os.fstat(file.fileno()).st_size == 0:
            database.unlink()


def partial_path(database: Path, target: Path) -> Path:
    """Return a name for a file beside a database that is to become ``target`` when it is whole.

    It tells which process makes it, so that ``remove_leftovers`` knows when nobody does any more.
    """
    return target.with_name(f".{database.name}.{maker()}.new")


def remove_leftovers(database: Path) -> None:
    """Remove half-made files of processes of this machine that were killed while making them.

    Those of the copies before a migration, ``NAME.LABEL-TIME.bak``, are among them.
    """
    pattern = rf"\.{re.escape(database.name)}(?:\..+\.bak)?\.{MAKER}\.new(?:\.wal)?"
    for entry, _ in leftovers(database.parent, pattern):
        with suppress(OSError):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink()
