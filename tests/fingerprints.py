"""What is in a database, in a form that two databases can be compared by."""

from __future__ import annotations

import duckdb

_TABLES = """
    SELECT if(schema_name = 'main', '', schema_name || '.') || table_name, schema_name, table_name
    FROM duckdb_tables() WHERE database_name = current_database()
    ORDER BY ALL
"""
_SCHEMA = {
    "columns": """
        SELECT table_name, column_index, column_name, data_type, is_nullable, column_default
        FROM duckdb_columns() WHERE database_name = current_database() AND NOT internal
        ORDER BY ALL
    """,
    "constraints": """
        SELECT table_name, constraint_type, constraint_text, constraint_column_names
        FROM duckdb_constraints() WHERE database_name = current_database()
        ORDER BY ALL
    """,
    "indexes": """
        SELECT table_name, index_name, is_unique, is_primary, expressions
        FROM duckdb_indexes() WHERE database_name = current_database()
        ORDER BY ALL
    """,
    "views": """
        SELECT table_name, column_index, column_name, data_type FROM duckdb_columns()
        WHERE database_name = current_database() AND NOT internal AND table_name IN (
            SELECT view_name FROM duckdb_views()
            WHERE database_name = current_database() AND NOT internal
        )
        ORDER BY ALL
    """,
}


def schema_of(conn: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    """Return every column, constraint, index and view.

    Defaults are told by their values: versions of DuckDB write the same one differently.
    """
    schema = {kind: conn.execute(query).fetchall() for kind, query in _SCHEMA.items()}
    schema["columns"] = [(*row, _value(conn, text)) for *row, text in schema["columns"]]
    return schema


def _value(conn: duckdb.DuckDBPyConnection, default: str | None) -> object:
    return default and conn.execute(f"SELECT {default}, 'as a default'").fetchone()


def rows_of(conn: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return every row of every table as text, which tells NaN, -0.0 and NULL apart."""
    return {
        name: sorted(map(repr, conn.execute(f'FROM "{schema}"."{table}"').fetchall()))
        for name, schema, table in conn.execute(_TABLES).fetchall()
    }
