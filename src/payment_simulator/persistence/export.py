"""Arrow tables as Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from payment_simulator.persistence.arrow import ArrowStream


def write_parquet(table: ArrowStream, path: Path) -> None:
    """Write a table to a Parquet file, which anything that reads Parquet can read.

    Parameters
    ----------
    table : object with ``__arrow_c_stream__``
        Rows.
    path : Path
        The file; one that is there is replaced.
    """
    with duckdb.connect() as connection:
        connection.from_arrow(table).write_parquet(str(path))
