"""Writes the rows of games into files, a table at a time, without holding them in memory."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from payment_simulator.ai_cash_mgmt.persistence.models import (
    RECORDS,
    Record,
    SupersededRecord,
    TextPieceRecord,
    TextRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Store
from payment_simulator.wording import FORMULA

#: Rows that DuckDB handles at once; no group of rows in a Parquet file is smaller.
_VECTOR = 2048
_MOST_ROWS = 60 * _VECTOR
#: Bytes of rows to hold at once, where rows are not longer.
_AT_ONCE = 16 << 20
_PARQUET = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows}"
#: Texts are always quoted, so that an empty one is not taken for NULL.
_CSV = (
    "FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '', "
    "COMPRESSION none, FORCE_QUOTE ({texts})"
)
_JSON = "FORMAT json, ARRAY false, COMPRESSION uncompressed"


def query(name: str, kind: type[Record] | None = None, **words: str) -> str:
    """Return a query of exports, written for a table.

    Parameters
    ----------
    name : str
        The query's.
    kind : type of Record, optional
        Whose table.
    **words : str
        What its other braces stand for: this package's own names.
    """
    given = {"source": "", **words}
    if kind is not None:
        table = kind.table()
        given |= {
            "table": table.name,
            "columns": ", ".join(table.columns),
            "key": ", ".join(table.key),
            "bytes": " + ".join(f"coalesce(strlen({c}), 0)" for c in texts_of(kind)) or "0",
            "belongs": _belongs(kind, given["source"]),
            **words,
        }
    return named_queries("payment_simulator.analysis.sql", "exchange.sql")[name].format(**given)


def _belongs(kind: type[Record], source: str) -> str:
    if kind in (TextRecord, TextPieceRecord):
        return query("of_text", source=source, named=_named(source))
    if kind is SupersededRecord:
        by_run = [k for k in RECORDS if k.KEY[0] == "run_id"]
        by_game = [k for k in RECORDS if k not in by_run]
        return query(
            "of_superseded",
            source=source,
            game_tables=", ".join(f"'{k.TABLE}'" for k in by_game),
            run_tables=", ".join(f"'{k.TABLE}'" for k in by_run),
        )
    name = "of_game" if "game_id" in kind.model_fields else "of_run"
    return query(name, source=source)


def _named(source: str) -> str:
    """Return the query of the texts that rows of games name, and those that were replaced."""
    parts, columns = [], set()
    for kind in RECORDS:
        for column in kept_apart(kind).values():
            parts.append(query("named_texts", kind, source=source, column=column))
            columns.add(column)
    paths = ", ".join(f"'$.{column}'" for column in sorted(columns))
    parts.append(query("named_before", SupersededRecord, source=source, paths=f"[{paths}]"))
    return " UNION ALL ".join(parts)


def texts_of(kind: type[Record]) -> list[str]:
    """Return the columns of a table that hold texts."""
    table = kind.table()
    pairs = zip(table.columns, table.types, strict=True)
    return [column for column, type_ in pairs if type_ == "VARCHAR"]


def write_table(
    store: Store, kind: type[Record], games: Sequence[str], path: Path, file_format: str
) -> int:
    """Write the rows of a table that belong to games to a file, and return their number.

    Parameters
    ----------
    store : Store
        The record, in a transaction.
    kind : type of Record
        Which table.
    games : sequence of str
        Which games.
    path : Path
        The file, which is new.
    file_format : str
        One of ``FORMATS``.
    """
    first, last, count, longest = store.read(query("where_it_lies", kind), (list(games),))[0]
    at_once = max(1, min(_MOST_ROWS, _AT_ONCE // max(longest, 1)))
    if file_format == "parquet":
        at_once = max(_VECTOR, at_once // _VECTOR * _VECTOR)
        sql = query(
            "copy_out",
            query=query("selected", kind),
            path="$2",
            options=_PARQUET.format(rows=at_once),
        )
        with store.room() as room:
            store.read(sql, (list(games), str(room / path.name)))
            shutil.move(room / path.name, path)
        return int(count)
    if file_format == "json":
        rows, options = query("stretch", kind), _JSON
    else:
        rows = query("stretch", kind, columns=_guarded(kind))
        options = _CSV.format(texts=", ".join(texts_of(kind)))
    sql = query("copy_out", query=rows, path="$4", options=options)
    with path.open("wb") as whole, store.room() as room:
        part = room / "part"
        if file_format == "csv":
            whole.write(header(kind))
        # DuckDB 2.0 holds all rows of a row group in memory for the sake of their order.
        for start in range(first, last + 1, at_once) if count else ():
            end = min(start + at_once, last + 1)
            store.read(sql, (list(games), start, end, str(part)))
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, whole, 1 << 20)
    return int(count)


def _guarded(kind: type[Record]) -> str:
    """Return the columns of a table, with texts that no spreadsheet takes for formulas."""
    texts = set(texts_of(kind))
    return ", ".join(
        f"{of_formulas('guarded', column)} AS {column}" if column in texts else column
        for column in kind.table().columns
    )


def of_formulas(name: str, column: str) -> str:
    """Return the expression that guards a text against spreadsheets, or takes that away again."""
    return query(name, column=column, formula=FORMULA.replace("'", "''"))


def header(kind: type[Record]) -> bytes:
    """Return the first line of a CSV file."""
    return (",".join(kind.table().columns) + "\n").encode()
