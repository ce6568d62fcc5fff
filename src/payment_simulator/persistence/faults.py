"""The one edge at which DuckDB's errors become ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from payment_simulator.errors import (
    DamagedDatabaseError,
    DatabaseBusyError,
    DatabaseClosedError,
    DatabaseError,
    DatabaseFullError,
    InputError,
    ReadOnlyDatabaseError,
    SchemaMissingError,
    SchemaVersionError,
)
from payment_simulator.persistence.interrupts import is_interrupt

#: DuckDB's name for the kind of error, which says nothing to a person: ours does.
_KIND = re.compile(r"^(?:[A-Z][A-Za-z]* )(?:[A-Za-z]+ )*Error: ")
_HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


def lock_holder(message: str) -> tuple[int, str] | None:
    """Return process number and program named in a DuckDB lock error, if it names any."""
    found = _HOLDER.search(message)
    return (int(found["pid"]), found["program"]) if found else None


def is_held(error: duckdb.Error) -> bool:
    """Tell whether opening failed because the file is open elsewhere, here or in a process."""
    message = str(error)
    return "Could not set lock" in message or "different configuration" in message


@dataclass(frozen=True)
class _Rule:
    """Which of DuckDB's errors becomes which of ours, and what to tell with it."""

    ours: type[Exception]
    advice: str
    kinds: tuple[type[duckdb.Error], ...] = (duckdb.Error,)
    words: tuple[str, ...] = ("",)

    def fits(self, error: duckdb.Error, low: str) -> bool:
        return isinstance(error, self.kinds) and any(word in low for word in self.words)


_SAFE = "Every save that returned is safe"
_VALUES = "Give values that the table's column types and rules allow"
#: The first rule that fits decides. Those about values come first: a value may hold any words.
_RULES = (
    _Rule(InputError, _VALUES, kinds=(duckdb.ConstraintException, duckdb.ConversionException)),
    _Rule(InputError, _VALUES, kinds=(duckdb.InvalidInputException,), words=("python conversion",)),
    _Rule(InputError, _VALUES, kinds=(duckdb.NotImplementedException,), words=("python value",)),
    _Rule(
        DatabaseFullError,
        f"{_SAFE}; free some space on the disk, then open the database again",
        words=("no space left on device", "disk quota exceeded", "file too large"),
    ),
    _Rule(
        DatabaseFullError,
        "Give DuckDB more memory: manager.conn.execute(\"SET memory_limit = '4GB'\")",
        kinds=(duckdb.OutOfMemoryException,),
    ),
    _Rule(
        DatabaseClosedError,
        "Open it again with DatabaseManager(path)",
        words=("connection already closed", "connection has already been closed"),
    ),
    _Rule(
        SchemaMissingError,
        "Call repo.initialize_schema() once, or run: payment-sim db migrate FILE",
        kinds=(duckdb.CatalogException,),
        words=("does not exist",),
    ),
    _Rule(
        ReadOnlyDatabaseError,
        "Open it for writing: DatabaseManager(path) without read_only",
        words=("read-only mode",),
    ),
    _Rule(
        ReadOnlyDatabaseError,
        "Give a path in a folder that may be written, or open it with read_only=True",
        words=("permission denied", "read-only file system", "operation not permitted"),
    ),
    _Rule(
        SchemaVersionError,
        "A newer DuckDB wrote the file: pip install --upgrade duckdb",
        words=("read a database file with version number",),
    ),
    _Rule(
        DamagedDatabaseError,
        "Put back a copy of the file, together with its log. If its writer was killed, first try "
        "to open it for writing, which mends what a kill can tear",
        words=("in block at location",),
    ),
    _Rule(
        DamagedDatabaseError,
        "Put back a copy of the file, together with its log",
        words=("corrupt ", "deserializ", "could not read enough bytes"),
    ),
    _Rule(
        DatabaseError,
        f"{_SAFE}; open the database again",
        words=("has been invalidated", "fatal error"),
    ),
    _Rule(DatabaseError, f"{_SAFE}; open the database again", kinds=(duckdb.FatalException,)),
    _Rule(
        DatabaseError,
        "Nothing of this transaction is kept; leave its block and start it again",
        words=("transaction is aborted",),
    ),
    _Rule(
        DatabaseBusyError,
        "Write through one repository, not beside it through manager.conn, and try again",
        kinds=(duckdb.TransactionException,),
    ),
)


def translated(error: duckdb.Error) -> Exception:
    """Return our error for one of DuckDB's, with a message that says what to do next."""
    text = _KIND.sub("", str(error).strip().split("\n", 1)[0].rstrip(".!"))
    low = str(error).lower()
    for rule in _RULES:
        if rule.fits(error, low):
            return rule.ours(f"{text}. {rule.advice}")
    return DatabaseError(text)


@contextmanager
def translating() -> Iterator[None]:
    """Raise DuckDB's errors of the enclosed block as ours, and an interrupt as what it was."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        if isinstance(error, duckdb.Error):
            raise translated(error) from error
        raise
