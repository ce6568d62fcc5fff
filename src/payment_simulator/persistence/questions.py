"""What the writing process lets its readers ask: a query that reads tables, and nothing else.

A reader needs the tables of a record, and a few functions of DuckDB that describe them. Functions
that read files, settings or memory, that run a text as a query, or that wait, are refused by what
the query's tree says, before anything is looked up or run.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import duckdb

from payment_simulator.errors import InputError
from payment_simulator.persistence.queries import named_queries

SQL = "payment_simulator.persistence.sql"
#: Functions that give rows, and that a reader may call.
ROWS_FROM = frozenset(
    {"generate_series", "json_each", "json_tree", "pragma_database_size", "pragma_storage_info"}
    | {"range", "unnest"}
    | {
        f"duckdb_{what}"
        for what in (
            *("columns", "constraints", "databases", "functions", "indexes", "schemas"),
            *("sequences", "tables", "types", "views"),
        )
    }
)
#: Functions that give a value, and that no reader may call.
NO_VALUES_FROM = frozenset(
    {"current_query", "current_setting", "currval", "error", "getenv", "getvariable", "nextval"}
    | {"setseed", "setval", "sleep_ms", "stats", "write_log"}
)
#: A table goes by a name. A path in its place would have DuckDB read a file.
_NAME = re.compile(r"\w+")


def check_question(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Refuse a query that does anything but read tables.

    Parameters
    ----------
    cursor : duckdb.DuckDBPyConnection
        Any connection, which takes the query apart and does not run it.
    sql : str
        The query.

    Raises
    ------
    InputError
        It is not one statement that reads, or it calls what no reader may call.
    duckdb.Error
        It is no SQL.
    """
    kinds = [statement.type for statement in cursor.extract_statements(sql)]
    if kinds != [duckdb.StatementType.SELECT]:
        raise InputError("expected one statement that reads (SELECT)")
    wrong = _wrong_part(_tree(cursor, sql))
    if wrong:
        raise InputError(
            f"a reader may not use {wrong} while another process writes the file; ask for tables, "
            "or copy the record first (payment-sim db copy)"
        )


def _tree(cursor: duckdb.DuckDBPyConnection, sql: str) -> str:
    (text,) = cursor.execute(named_queries(SQL, "foreign.sql")["as_tree"], [sql]).fetchall()[0]
    return str(text)


@lru_cache(maxsize=256)
def _wrong_part(tree: str) -> str | None:
    """Return what a query may not use."""
    try:
        found = json.loads(tree)
    except RecursionError:
        return "a query of so many levels"
    if found["error"]:
        return "this kind of query"
    parts: list[Any] = [found["statements"]]
    while parts:  # as deep as a query may be
        part = parts.pop()
        if isinstance(part, dict):
            wrong = _wrong(part)
            if wrong:
                return wrong
            parts.extend(part.values())
        elif isinstance(part, list):
            parts.extend(part)
    return None


def _wrong(part: dict[str, Any]) -> str | None:
    if part.get("type") == "TABLE_FUNCTION":
        function = part.get("function") or {}
        name = str(function.get("function_name", "")).lower()
        if name not in ROWS_FROM:
            return f"the function {name:.60}()"
    elif part.get("class") == "FUNCTION":
        name = str(part.get("function_name", "")).lower()
        if name in NO_VALUES_FROM:
            return f"the function {name:.60}()"
    elif part.get("type") == "BASE_TABLE" and not _NAME.fullmatch(str(part.get("table_name"))):
        return f"{part.get('table_name')!r:.60} as a table"
    return None
