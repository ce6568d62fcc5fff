"""Arrow tables, by which many rows go into DuckDB and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from arro3.core import Array, Table

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as the record keeps times
_MICROSECOND = timedelta(microseconds=1)


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that gives its rows as Arrow: tables of arro3, pyarrow, polars, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the rows as an Arrow C stream in a capsule."""


def arrow_batch(
    columns: Sequence[str], types: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> Table:
    """Return rows as an ``arro3.core.Table``.

    Parameters
    ----------
    columns, types : sequence of str
        Name and DuckDB type of each column.
    rows : sequence of tuple
        One value for each column; times naive.
    """
    from arro3.core import Table  # noqa: PLC0415 - 20 ms that reading does not need

    by_column: Any = zip(*rows, strict=True) if rows else [()] * len(columns)
    return Table.from_pydict(
        {
            column: _arrow_column(kind, values)
            for column, kind, values in zip(columns, types, by_column, strict=True)
        }
    )


def _arrow_column(kind: str, values: Sequence[Any]) -> Array:
    from arro3.core import Array, DataType  # noqa: PLC0415 - 20 ms that reading does not need

    if kind == "TIMESTAMP":
        ticks = [None if v is None else (v - _EPOCH) // _MICROSECOND for v in values]
        return Array(ticks, type=DataType.int64()).cast(DataType.timestamp("us"))
    types = {
        "VARCHAR": DataType.utf8(),
        "INTEGER": DataType.int32(),
        "BIGINT": DataType.int64(),
        "DOUBLE": DataType.float64(),
        "BOOLEAN": DataType.bool(),
    }
    return Array(list(values), type=types[kind])
