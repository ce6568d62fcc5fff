"""The writer's answers to queries of readers: one statement, in a transaction that only reads.

Rows travel as JSON, whose numbers are those of Python: integers of any size, floats to the bit.
Times travel as texts with their column's type beside them. Tables travel as Parquet files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from payment_simulator import errors
from payment_simulator.errors import DatabaseError, InputError, PaymentSimulatorError
from payment_simulator.persistence.faults import translating
from payment_simulator.persistence.held_snapshots import HeldSnapshots
from payment_simulator.persistence.questions import check_question
from payment_simulator.persistence.store import Row, look_up

ROWS = "/rows"
TABLE = "/table"
#: Longer questions are nobody's.
LONGEST_QUESTION = 1 << 20
#: Rows of more bytes are to be asked for in parts.
LARGEST_ANSWER = 512 << 20
_ROWS_AT_ONCE = 1000
_TIME = "TIMESTAMP"
_PLAIN = (str, int, float, bool, type(None))


def question(sql: str, parameters: Sequence[Any], snapshot: str | None = None) -> bytes:
    """Return a query as a reader sends it.

    ``snapshot`` names the state that is to be read, where the writer holds one.

    Raises
    ------
    InputError
        A parameter is no text, number or truth value, nor a list of them; or all is too long.
    """
    for given in parameters:
        for value in given if isinstance(given, list) else [given]:
            if not isinstance(value, _PLAIN):
                raise InputError(
                    f"a parameter is a {type(value).__name__}; expected a text, a number, a truth "
                    "value, None, or a list of them"
                )
    words = {"sql": sql, "parameters": list(parameters)}
    if snapshot is not None:
        words["snapshot"] = snapshot
    asked = json.dumps(words).encode("utf-8")
    if len(asked) > LONGEST_QUESTION:
        raise InputError(
            f"a query with its parameters has {len(asked):,} bytes, expected at most "
            f"{LONGEST_QUESTION:,} while another process writes the file; ask in parts"
        )
    return asked


def _asked(body: bytes) -> tuple[str, list[Any], str | None]:
    try:
        given = json.loads(body)
        sql, parameters, snapshot = given["sql"], given["parameters"], given.get("snapshot")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise InputError("the question is not a JSON object with sql and parameters") from None
    if not isinstance(sql, str) or not isinstance(parameters, list):
        raise InputError("sql is to be a text, and parameters a list")
    if not isinstance(snapshot, str | None):
        raise InputError("snapshot is to be a text, the name of a state that is held")
    return sql, parameters, snapshot


@contextmanager
def _only_reading(
    snapshots: HeldSnapshots, snapshot: str | None, sql: str
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a cursor on which nothing can be changed, after a look at what is asked."""
    # The transaction only reads: a SELECT may hold an INSERT, which does nothing in it.
    with translating(), snapshots.reading(snapshot) as cursor:
        # A statement of another kind could end the transaction, or write a file.
        check_question(cursor, sql)
        yield cursor


def answer_rows(snapshots: HeldSnapshots, body: bytes) -> bytes:
    """Return the rows that a reader asks for."""
    sql, parameters, snapshot = _asked(body)
    with _only_reading(snapshots, snapshot, sql) as cursor:
        if snapshot is not None:
            look_up(cursor, sql, parameters)
        cursor.execute(sql, parameters)
        types = [str(column[1]) for column in cursor.description or ()]
        parts, size = [], 0
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            parts.append(json.dumps(rows, default=_as_text)[1:-1])
            size += len(parts[-1])
            if size > LARGEST_ANSWER:
                raise InputError(
                    f"the answer has more than {LARGEST_ANSWER:,} bytes; ask in parts, or for a "
                    "table (read_arrow)"
                )
    return f'{{"types": {json.dumps(types)}, "rows": [{", ".join(parts)}]}}'.encode()


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise InputError(f"a column holds a {type(value).__name__}; cast it to VARCHAR in the query")


def answer_table(snapshots: HeldSnapshots, body: bytes, target: Path) -> None:
    """Write the table that a reader asks for to a Parquet file."""
    sql, parameters, snapshot = _asked(body)
    with _only_reading(snapshots, snapshot, sql) as cursor:
        cursor.sql(sql, params=parameters).write_parquet(str(target))


def rows_of(answer: bytes) -> list[Row]:
    """Return the rows of an answer.

    Raises
    ------
    DatabaseError
        It is none of an answer's form.
    """
    try:
        found = json.loads(answer)
        types, rows = list(found["types"]), found["rows"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise nonsense() from None
    if not isinstance(rows, list) or not all(isinstance(kind, str) for kind in types):
        raise nonsense()
    readers = [_READERS.get(kind, _any) for kind in types]
    try:
        return [
            tuple(read(value) for read, value in zip(readers, row, strict=True)) for row in rows
        ]
    except (ValueError, TypeError):
        raise nonsense() from None


def nonsense() -> DatabaseError:
    """Return the error for an answer that is none."""
    return DatabaseError("the writing process gave an answer that says nothing; try again")


def _any(value: Any) -> Any:
    return value


def _of(kind: type) -> Callable[[Any], Any]:
    """Return what gives a value of a kind, or NULL, as it is."""

    def read(value: Any) -> Any:
        if value is not None and type(value) is not kind:
            raise TypeError(value)
        return value

    return read


def _time(text: str | None) -> datetime | str | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text  # DuckDB gives a time beyond Python's as a text, too


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
#: What reads the values of a column, by its type.
_READERS: dict[str, Callable[[Any], Any]] = {
    "VARCHAR": _of(str),
    "BOOLEAN": _of(bool),
    "DOUBLE": _of(float),
    _TIME: _time,
    **{kind: _of(int) for kind in (*_WHOLE, *(f"U{kind}" for kind in _WHOLE))},
}


def refusal(error: PaymentSimulatorError) -> bytes:
    """Return an error as the writer sends it."""
    return json.dumps({"error": type(error).__name__, "message": str(error)}).encode("utf-8")


def refused(answer: bytes) -> PaymentSimulatorError:
    """Return the error of an answer, of the same kind where this package has such a kind."""
    try:
        found = json.loads(answer)
        name, message = str(found["error"]), " ".join(str(found["message"]).split())
    except (ValueError, TypeError, KeyError, RecursionError):
        return nonsense()
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, (DatabaseError, InputError)):
        try:
            return kind(message)
        except TypeError:
            pass  # an error that is made of more than a message
    return DatabaseError(message)
