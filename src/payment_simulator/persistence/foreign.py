"""Refuses a file that holds more than data, before anything in it is evaluated.

A DuckDB file is a program as much as a store: a view in place of a table, a macro that is called
like a function of DuckDB, a trigger or a generated column runs when somebody reads or writes. A
record holds tables, plain indexes, comments, and the views of this package; its checks compare, and
call nothing. What else a file holds is named in the error, and never run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from payment_simulator.errors import NotADatabaseError
from payment_simulator.persistence.queries import named_queries

SQL = "payment_simulator.persistence.sql"
_VIEW = re.compile(r"CREATE VIEW (?P<name>\w+) AS\s+(?P<query>.*?);", re.DOTALL)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)
#: Parts of an expression that compare values and calculate nothing.
_COMPARING = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "TYPE"}
)
_OPERATORS = frozenset(
    {"COMPARE_IN", "COMPARE_NOT_IN", "OPERATOR_IS_NOT_NULL", "OPERATOR_IS_NULL", "OPERATOR_NOT"}
)
#: How much of a name or an expression is told.
_TOLD = 60
#: What was found harmless in this process: texts of views with ours, and expressions by kind. Most
#: files hold the same, and to parse them takes longer than all else.
_same: set[tuple[str, str]] = set()
_harmless: set[tuple[str, str]] = set()


def refuse_foreign(conn: duckdb.DuckDBPyConnection, file: Path, said: Path | None = None) -> None:
    """Refuse a database that holds anything which reading or writing it would run.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        The database, opened just now: nothing was executed in it yet.
    file : Path
        Its file, as DuckDB was given it.
    said : Path, optional
        The file to name in the error, where this one is a copy of it.

    Raises
    ------
    NotADatabaseError
        It holds such a thing, which the message names; or it is no database but a data file, which
        DuckDB reads into memory.
    duckdb.Error
        It cannot be read.
    """
    cursor = conn.cursor()
    try:
        cursor.execute(_query("leave_the_file"))
        name = _name_of(cursor, file)
        _check_things(cursor, name, said or file)
        _check_expressions(cursor, name, said or file)
    finally:
        cursor.close()


def _query(name: str) -> str:
    return named_queries(SQL, "foreign.sql")[name]


def _name_of(cursor: duckdb.DuckDBPyConnection, file: Path) -> str:
    """Return what the database goes by in this connection."""
    for name, path in cursor.execute(_query("databases")).fetchall():
        if path is not None and Path(path) == file:
            return str(name)
    raise NotADatabaseError(
        f"{file} is not a DuckDB file; nothing was changed. Give the path of a record"
    )


def _check_things(cursor: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    views: dict[str, str] = {}
    for kind, found, text in cursor.execute(_query("things_that_run"), [name]).fetchall():
        if kind != "view" or found not in our_views():
            _refuse(file, f"{kind} {found!r:.{_TOLD}}")
        views[found] = text.removeprefix(f"CREATE VIEW {found} AS ").rstrip("; \n")
    # A view under one of our names is told by its text, as this DuckDB would write either.
    for found, text in views.items():
        if not _is_same(cursor, text, our_views()[found]):
            _refuse(file, f"view {found!r}")


def _is_same(cursor: duckdb.DuckDBPyConnection, text: str, ours: str) -> bool:
    if text == ours or (text, ours) in _same:
        return True
    try:
        written = cursor.execute(_query("as_written"), [[text, ours]]).fetchall()
    except duckdb.Error:  # no query that DuckDB could write again
        return False
    if len(set(written)) > 1:
        return False
    _same.add((text, ours))
    return True


def _check_expressions(cursor: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    found = cursor.execute(_query("expressions"), [name]).fetchall()
    new = [row for row in found if (row[0], row[3]) not in _harmless]
    asked = sorted({_as_query(kind, text) for kind, _, _, text in new})
    trees = dict(cursor.execute(_query("as_trees"), [asked]).fetchall()) if asked else {}
    for kind, table, column, text in new:
        if kind == "generated column" or not _only_compares(kind, trees[_as_query(kind, text)]):
            _refuse(file, f"{kind} {column!r:.{_TOLD}} of table {table!r:.{_TOLD}}")
        _harmless.add((kind, text))


def _as_query(kind: str, text: str) -> str:
    if kind == "index":  # a list of its columns
        text = text.removeprefix("[").removesuffix("]")
    return f"SELECT {text}"


def _refuse(file: Path, what: str) -> NoReturn:
    raise NotADatabaseError(
        f"{file} holds the {what} of another program, which reading or writing might run; a record "
        "holds data alone. Nothing was run or changed. Give another path, ask for an export of the "
        "games, or install the newest payment-simulator if that wrote it"
    )


@cache
def our_views() -> dict[str, str]:
    """Return the query of every view of this package, by name."""
    text = files(SQL).joinpath("schema.sql").read_text(encoding="utf-8")
    return {found["name"]: found["query"] for found in _VIEW.finditer(_COMMENT.sub("", text))}


def _only_compares(kind: str, serialized: str) -> bool:
    """Tell whether an expression of a table calls nothing; that of an index is columns alone."""
    tree = json.loads(serialized)
    if tree["error"] or len(tree["statements"]) != 1:
        return False
    node = tree["statements"][0]["node"]
    if node["type"] != "SELECT_NODE" or node["from_table"]["type"] != "EMPTY":
        return False
    parts = list(_parts(node))
    if kind == "index":
        return {part["class"] for part in parts} == {"COLUMN_REF"}
    return all(
        part["class"] in _COMPARING or (part["class"] == "OPERATOR" and part["type"] in _OPERATORS)
        for part in parts
    )


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Yield the parts of a query's tree that are expressions."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value)
