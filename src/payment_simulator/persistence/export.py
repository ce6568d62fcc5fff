"""Arrow tables as Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from payment_simulator.persistence.arrow import ArrowStream
from payment_simulator.persistence.faults import translating


def write_parquet(table: ArrowStream, path: Path) -> None:
    """Write a table to a Parquet file, which anything that reads Parquet can read.

    Parameters
    ----------
    table : object with ``__arrow_c_stream__``
        Rows.
    path : Path
        The file; one that is there is replaced.

    Raises
    ------
    DatabaseError
        The file cannot be written.
    """
    # Without these, DuckDB might fetch an extension from the network for the sake of a path.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with translating(), duckdb.connect(config=config) as connection:
        connection.from_arrow(table).write_parquet(str(path.absolute()))
