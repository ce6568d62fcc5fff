"""The rows of a payments file, CSV or Parquet, as they stand there."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PARQUET_MAGIC = b"PAR1"
#: A line of more bytes is no line of payments.
MAX_LINE_BYTES = 2**20
_ROWS_AT_A_TIME = 10_000


class BadFileError(ValueError):
    """A payments file cannot be read, at all or from some line on."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file.

    Attributes
    ----------
    header : list of str
        Names of the columns.
    unit : str
        What errors call a row: ``line`` of a CSV file, ``row`` of a Parquet file (from 1).
    rows : iterator
        Number of each row, and its values in the order of the header.
    """

    header: list[str]
    unit: str
    rows: Iterator[tuple[int, list[Any]]]


def open_rows(path: Path, wanted: frozenset[str]) -> Rows:
    """Open a payments file; its first bytes say whether it is Parquet.

    Parameters
    ----------
    path : pathlib.Path
        A file that is there.
    wanted : frozenset of str
        The columns that are needed of a Parquet file, where it has them; others read as None.

    Raises
    ------
    BadFileError
        It is neither CSV nor Parquet; reading the rows can raise it too.
    """
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
    except OSError as error:
        raise BadFileError(f"cannot be read ({error.strerror})") from error
    return _open_parquet(path, wanted) if is_parquet else _open_csv(path)


def _open_csv(path: Path) -> Rows:
    rows = _csv_rows(path)
    _, header = next(rows, (0, []))
    header = [name.strip() for name in header]
    twice = [name for name in header if header.count(name) > 1]
    if not any(header):
        raise BadFileError("has no header; expected names of columns in the first line")
    if twice:
        raise BadFileError(f"line 1: column {twice[0]!r} is there twice; expected each once")
    return Rows(header, "line", rows)


def _csv_rows(path: Path) -> Iterator[tuple[int, list[Any]]]:
    with path.open("rb") as file:
        reader = csv.reader(_lines(file), strict=True)
        number = 1
        try:
            for row in reader:
                if row:
                    yield number, row
                number = reader.line_num + 1
        # After broken quotes no line can be trusted to begin where it seems to.
        except csv.Error as error:
            raise BadFileError(f"line {number}: {error}; expected CSV with commas") from None


def _lines(file: IO[bytes]) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        if len(line) == MAX_LINE_BYTES:
            raise BadFileError(f"line {number}: longer than {MAX_LINE_BYTES} bytes")
        if b"\0" in line:
            raise BadFileError(f"line {number}: a zero byte; expected a text file")
        # What is not UTF-8 matters only in the columns that are read.
        yield line.decode("utf-8-sig" if number == 1 else "utf-8", "surrogateescape")


def _open_parquet(path: Path, wanted: frozenset[str]) -> Rows:
    import duckdb  # noqa: PLC0415 - takes a tenth of a second that only Parquet needs

    file = str(path.resolve())
    try:
        with closing(_private_connection(file)) as connection:
            described = connection.execute(
                "DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false)",
                [_literal(file)],
            )
            header = [str(row[0]) for row in described.fetchall()]
    except duckdb.Error as error:
        raise BadFileError(_first_line(error)) from None
    return Rows(header, "row", _parquet_rows(file, header, wanted))


def _parquet_rows(
    file: str, header: list[str], wanted: frozenset[str]
) -> Iterator[tuple[int, list[Any]]]:
    import duckdb  # noqa: PLC0415 - as above

    names = [name for name in header if name in wanted]
    places = [names.index(name) if name in wanted else None for name in header]
    number = 0
    try:
        with closing(_private_connection(file)) as connection:
            # Names of columns come from the file: they are bound, never part of the statement.
            result = connection.execute(
                "SELECT COLUMNS(lambda name: list_contains(?, name)) "
                "FROM read_parquet(?, hive_partitioning = false)",
                [names, _literal(file)],
            )
            while rows := result.fetchmany(_ROWS_AT_A_TIME):
                for row in rows:
                    number += 1
                    yield number, [None if at is None else row[at] for at in places]
    except duckdb.Error as error:
        raise BadFileError(_first_line(error)) from None


def _private_connection(file: str) -> Any:
    """Open a database in memory that can reach one file and nothing else."""
    import duckdb  # noqa: PLC0415 - as above

    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": "512MiB",
            "threads": "1",
        },
    )
    connection.execute("SET allowed_paths = ?", [[file, _literal(file)]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _literal(file: str) -> str:
    """Write a path so that DuckDB, which takes every path for a pattern, finds this file alone."""
    return re.sub(r"([*?\[])", r"[\1]", file)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["cannot be read"])[0]
