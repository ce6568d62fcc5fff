"""Makes the frozen databases of ``assets/``: one for each schema version, ``vN.db.gz``.

They are made once, with a new migration, and never again: a file that was written years ago
does not change either. So this script refuses to overwrite. After adding a migration and rows for
its tables to ``old_rows.py``, run it from the top of the project with the new version's number::

    python -m tests.migration.make_assets 6

Versions 1 and 2 were made with DuckDB 1.5.6, later ones with 2.0.0, so that either line is
tested on files that the other wrote.

Version 1 is the file of the first published tool: the two tables and four indexes, no ledger, in
the storage format of its time. Each later version has the rows of those before it, and rows in
every table of its own.
"""

from __future__ import annotations

import gzip
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from payment_simulator.persistence.queries import numbered_migrations
from tests.migration.old_rows import ROWS

ASSETS = Path(__file__).parent / "assets"
APPLIED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901)
WRITTEN_BY = "0.1.0"
FIRST_TOOL_STORAGE = "v1.0.0"
OUR_STORAGE = "v1.5.0"


def asset(version: int) -> Path:
    """Return where the frozen database of a schema version lies."""
    return ASSETS / f"v{version}.db.gz"


def make(version: int, database: Path) -> None:
    """Write the database of one schema version."""
    storage = FIRST_TOOL_STORAGE if version == 1 else OUR_STORAGE
    migrations = numbered_migrations("payment_simulator.persistence.sql")[:version]
    with duckdb.connect(":memory:") as conn:
        # Small blocks, for the file holds much room and few rows.
        conn.execute(f"ATTACH '{database}' AS made (BLOCK_SIZE 16384, STORAGE_VERSION '{storage}')")
        conn.execute("USE made")
        for migration in migrations:
            conn.execute(migration.sql)
        for since, tables in ROWS.items():
            if since <= version:
                for table, rows in tables.items():
                    insert(conn, table, rows)
        if version > 1:
            entered = [(m.version, m.name, m.sha256, APPLIED_AT, WRITTEN_BY) for m in migrations]
            insert(conn, "schema_ledger", entered)
        conn.execute("USE memory")
        conn.execute("DETACH made")


def insert(conn: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Add rows to a table, as they are."""
    marks = ", ".join("?" * len(rows[0]))
    conn.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def main(versions: list[int]) -> None:
    """Make the databases of some versions, none of which may be there yet."""
    frozen = [asset(version).name for version in versions if asset(version).exists()]
    if frozen:
        raise SystemExit(f"{', '.join(frozen)}: a frozen file is not made again")
    ASSETS.mkdir(exist_ok=True)
    for version in versions:
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "made.db"
            make(version, database)
            asset(version).write_bytes(gzip.compress(database.read_bytes(), mtime=0))
        print(f"{asset(version).name}: {asset(version).stat().st_size:,} bytes")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
