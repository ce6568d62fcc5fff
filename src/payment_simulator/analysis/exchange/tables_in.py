"""Reads the tables of an export, which may come from anybody, a stretch of rows at a time.

DuckDB reads the files, each with the names and types that its table has, into a database of its own
that may touch nothing else. Its readers are lenient: they round 1.5 to a whole number, and take
``yes`` for true. So texts are read as texts, and a value counts only as it is written by an export.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.analysis.exchange.arriving import Piece, check, copied, pieces
from payment_simulator.analysis.exchange.layout import FileEntry, Manifest, table_path
from payment_simulator.analysis.exchange.tables_out import header, of_formulas, query
from payment_simulator.errors import DatabaseError, DatabaseFullError, InputError
from payment_simulator.persistence.scratch import ScratchStore

_MOST_ROWS = 50_000
_AT_ONCE = 16 << 20
_MEMORY = 192 << 20
#: Lines of at least this many bytes can be read.
_LINE = 16 << 20
#: How many buffers of the longest line DuckDB's readers may hold.
_BUFFERS = 8
_READERS = {
    "parquet": "read_parquet($1, hive_partitioning = false)",
    "csv": (
        "read_csv($1, auto_detect = false, header = true, columns = {columns}, delim = ',', "
        "quote = '\"', escape = '\"', new_line = '\\n', nullstr = '', "
        "allow_quoted_nulls = false, strict_mode = true, parallel = false, "
        "hive_partitioning = false, compression = 'none', max_line_size = {line}, "
        "buffer_size = {buffer})"
    ),
    "json": (
        "read_json($1, auto_detect = false, format = 'newline_delimited', columns = {columns}, "
        "hive_partitioning = false, compression = 'uncompressed', maximum_object_size = {line})"
    ),
}
_LINES = (
    "read_json_objects($1, format = 'newline_delimited', hive_partitioning = false, "
    "compression = 'uncompressed', maximum_object_size = {line})"
)
#: How an export writes values that are no texts.
_WRITTEN = {
    "INTEGER": "-?[0-9]+",
    "BIGINT": "-?[0-9]+",
    "DOUBLE": r"-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?",
    "BOOLEAN": "true|false",
    "TIMESTAMP": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?",
}
#: What a value must be beside, once it is read.
_WITHIN = {
    "TIMESTAMP": "year({value}) NOT BETWEEN 1 AND 9999 OR NOT isfinite({value})",
    "DOUBLE": "NOT isfinite({value})",
}


class Reader:
    """Reads the tables of one export.

    Parameters
    ----------
    folder : Path
        The export.
    manifest : Manifest
        What it says that it holds.
    room : Path
        An empty folder of this process alone.
    """

    def __init__(self, folder: Path, manifest: Manifest, room: Path) -> None:
        self._folder, self._manifest, self._room = folder, manifest, room
        self._format = manifest.file_format
        self._store = ScratchStore(room, _MEMORY)

    def close(self) -> None:
        """Close the database; its folder is the caller's to remove."""
        self._store.close()

    def rows(self, kind: type[Record]) -> Iterator[Any]:
        """Yield the rows of a table as Arrow tables, in the order of the file.

        Raises
        ------
        InputError
            The file was changed, or is not what an export writes.
        """
        name = table_path(kind, self._format)
        where, listed = self._folder / name, self._manifest.files[name]
        n_rows = 0
        try:
            check(where, listed)  # before anything in it is read
            for piece in self._pieces(kind, where, listed):
                count, at_once = self._take_in(kind, where, piece)
                sql = query("raw_stretch", values=self._values(kind))
                for start in range(0, count, at_once):
                    yield self._store.read_arrow(sql, (start, start + at_once))
                n_rows += count
        except (InputError, DatabaseFullError):
            raise
        except DatabaseError as error:
            said = str(error).replace(str(self._room), "").partition("\n")[0]
            raise InputError(f"{where} cannot be read: {said}") from error
        if n_rows != listed.rows:
            raise InputError(f"{where} has {n_rows:,} rows, expected {listed.rows} as listed")

    def _pieces(self, kind: type[Record], where: Path, listed: FileEntry) -> Iterator[Piece]:
        copy = self._room / where.name
        if self._format == "parquet":
            yield copied(where, listed, copy)
        elif self._format == "csv":
            yield from pieces(where, listed, copy, has_quotes=True, head=header(kind))
        else:
            yield from pieces(where, listed, copy, has_quotes=False)

    def _take_in(self, kind: type[Record], where: Path, piece: Piece) -> tuple[int, int]:
        """Make a table of a piece, and return its rows and how many of them to read at once."""
        reader = self._reader(kind, piece.longest)
        self._check_columns(kind, where, piece)
        columns = ", ".join(kind.table().columns)
        try:
            sql = query("take_in", columns=columns, reader=reader)
            self._store.write(sql, (str(piece.path),))
        except InputError as error:  # such as a number beyond its type
            raise InputError(f"{where}: {str(error).replace(str(self._room), '')}") from error
        self._check_values(kind, where)
        n_rows, widest = self._store.read(query("raw_size", kind))[0]
        return n_rows, max(1, min(_MOST_ROWS, _AT_ONCE // max(widest, 1)))

    def _reader(self, kind: type[Record], longest: int) -> str:
        line = max(_LINE, longest + 1)
        # A reader holds some lines of the largest size.
        self._store.set_memory(max(_MEMORY, line * _BUFFERS))
        named = ", ".join(f"'{c}': 'VARCHAR'" for c in kind.table().columns)
        words = {"columns": f"{{{named}}}", "line": line, "buffer": 2 * line}
        return _READERS[self._format].format(**words)

    def _check_columns(self, kind: type[Record], where: Path, piece: Piece) -> None:
        table = kind.table()
        expected = list(zip(table.columns, table.types, strict=True))
        if self._format == "parquet":
            reader = _READERS["parquet"]
            found = self._store.read(query("columns_of_file", reader=reader), (str(piece.path),))
            is_right = found == expected
        elif self._format == "csv":
            with piece.path.open("rb") as file:
                is_right = file.readline(len(header(kind)) + 1) == header(kind)
        else:
            lines = _LINES.format(line=max(_LINE, piece.longest + 1))
            keys = (str(piece.path), list(table.columns))
            is_right = not self._store.read(query("odd_keys", reader=lines), keys)
        if not is_right:
            said = ", ".join(f"{column} {type_}" for column, type_ in expected)
            raise InputError(f"{where} has not the columns of its table, which are: {said}")

    def _value(self, column: str, type_: str) -> str:
        is_text = self._format != "parquet" and type_ != "VARCHAR"
        return f"TRY_CAST({column} AS {type_})" if is_text else column

    def _values(self, kind: type[Record]) -> str:
        table = kind.table()
        pairs = zip(table.columns, table.types, strict=True)
        return ", ".join(f"{self._read_value(c, t)} AS {c}" for c, t in pairs)

    def _read_value(self, column: str, type_: str) -> str:
        if self._format == "csv" and type_ == "VARCHAR":
            return of_formulas("unguarded", column)
        return self._value(column, type_)

    def _check_values(self, kind: type[Record], where: Path) -> None:
        """Refuse the first value that is not written as its type is."""
        table = kind.table()
        odd = {}
        for column, type_ in zip(table.columns, table.types, strict=True):
            value, rules = self._value(column, type_), []
            if value != column:
                rules.append(f"NOT regexp_full_match({column}, '{_WRITTEN[type_]}')")
                rules.append(f"({column} IS NOT NULL AND {value} IS NULL)")
            if type_ in _WITHIN:
                rules.append(_WITHIN[type_].format(value=value))
            if rules:
                odd[column] = f"({' OR '.join(rules)})"
        if not odd:
            return
        flags = ", ".join(f"coalesce({rule}, false), {column}" for column, rule in odd.items())
        sql = query("first_odd", columns=flags, odd=" OR ".join(odd.values()))
        for found in self._store.read(sql):
            pairs = zip(found[::2], found[1::2], strict=True)
            column, value = next(
                (c, v) for c, (is_odd, v) in zip(odd, pairs, strict=True) if is_odd
            )
            type_ = dict(zip(table.columns, table.types, strict=True))[column]
            raise InputError(
                f"{where}: {column} is {value!r:.80}, expected {type_} as an export writes it"
            )
