"""Saves and reads records: one way for every table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Self, TypeVar

import duckdb
from pydantic import TypeAdapter, ValidationError

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Ordinal64,
    Record,
    json_fields,
    kept_apart,
    valid_json,
)
from payment_simulator.ai_cash_mgmt.persistence.models.runs import RunRow
from payment_simulator.ai_cash_mgmt.persistence.models.steps import EvaluationSampleRecord
from payment_simulator.errors import GameNotFoundError, InputError, RunNotFoundError
from payment_simulator.persistence.arrow import ArrowStream, arrow_batch
from payment_simulator.persistence.migrations import make_tables, schema_state
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Row, Store
from payment_simulator.persistence.tables import (
    ParentMissingError,
    require_parent,
    save_batch,
    save_row,
)
from payment_simulator.persistence.texts import bounded, read_texts, save_texts, sizes_of

R = TypeVar("R", bound=Record)
_LIMIT: TypeAdapter[int] = TypeAdapter(Ordinal64)


@cache
def _sql(name: str, kind: type[Record] | None = None) -> str:
    text = named_queries("payment_simulator.ai_cash_mgmt.persistence.sql")[name]
    return text.format(columns=", ".join(kind.table().columns)) if kind else text


class RecordStore:
    """What the parts of the repository share: a store, and records in and out of it.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        DuckDB connection from DatabaseManager.

    Raises
    ------
    NotADatabaseError, SchemaVersionError
        The tables are another program's, or of a newer version.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection) -> None:
        self._store = Store(conn)
        schema_state(self._store)

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """Return the records of a store, such as one that reads through the writing process.

        Parameters
        ----------
        store : Store
            As ``open_store`` gives it: whose tables it holds has been looked at.
        """
        records = cls.__new__(cls)
        records._store = store  # noqa: SLF001 - of this class
        return records

    @property
    def location(self) -> str:
        """What the database is known by in this process: its path, or a name of its own."""
        return self._store.location

    @property
    def store(self) -> Store:
        """The store beneath, for work on whole records such as exports."""
        return self._store

    def initialize_schema(self) -> None:
        """Initialize AI Cash Management database tables.

        Creates game_sessions and policy_iterations and the tables of the wider record if they
        do not exist, and adopts a file of the first tool of this kind, keeping a copy beside it.
        Safe to call multiple times.

        Raises
        ------
        ReadOnlyDatabaseError
            The tables are missing, and the database is open for reading only.
        """
        make_tables(self._store)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all saves of a block durable together, or none of them.

        Reads of the block see its saves; other threads and processes do not until it ends.

        Examples
        --------
        >>> with repo.transaction():  # doctest: +SKIP
        ...     repo.save_policy_iteration(iteration)
        ...     repo.save_evaluation_samples(samples)
        """
        with self._store.transaction():
            yield

    @contextmanager
    def one_snapshot(self) -> Iterator[None]:
        """Let all that this thread reads in the block be of one state of the database.

        Others go on writing meanwhile. What is saved in the block by this thread is not seen in it.

        Raises
        ------
        SnapshotLostError
            Another process writes the database, and ended, or no longer holds that state (it does
            for a minute); read again.

        Examples
        --------
        >>> with repo.one_snapshot():  # doctest: +SKIP
        ...     summary = repo.get_optimization_summary("game-001")
        ...     steps = repo.get_policy_iterations("game-001")
        """
        with self._store.one_snapshot():
            yield

    def at_work(self) -> frozenset[str]:
        """Return the games that are being played, by the process that writes the database."""
        return self._store.at_work()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query of your own; values are bound, never written into it.

        Parameters
        ----------
        sql : str
            One statement that reads.
        parameters : sequence
            What its question marks stand for.
        """
        return self._store.read(sql, parameters)

    def read_arrow(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        """Return the rows of a query of your own as an ``arro3.core.Table``; see ``read``."""
        return self._store.read_arrow(sql, parameters)

    def save_new_rows(self, kind: type[Record], rows: ArrowStream) -> None:
        """Save rows of any kind that come from elsewhere, each checked as its record is.

        Texts that hold lists are kept as they are written.

        Parameters
        ----------
        kind : type of Record
            Whose rows.
        rows : Arrow table
            Its fields as columns, all of them, as its table holds them.

        Raises
        ------
        InputError, pydantic.ValidationError
            A row is not valid, or its key is there already; none was saved.
        """
        batch = _arrow_table(kind, rows)
        # Tables of many rows hold the rules of their records themselves.
        if issubclass(kind, (RunRow, EvaluationSampleRecord)):
            self._save_table(kind, batch, is_new=True)
            return
        self._check_each(kind, batch)
        with self._naming_parents():
            save_batch(self._store, kind.table(), batch, is_new=True)

    def _save(self, record: Record) -> None:
        record = record.checked()
        texts = record.texts()
        with self._naming_parents():
            if not texts:
                save_row(self._store, record.table(), record.to_row())
                return
            with self._store.transaction():
                save_row(self._store, record.table(), record.to_row())
                save_texts(self._store, texts)

    def _save_all(self, kind: type[R], records: Iterable[R]) -> None:
        checked = [self._of_kind(kind, record) for record in records]
        rows = [record.to_row() for record in checked]
        if rows:
            batch = arrow_batch(kind.table().columns, kind.table().types, rows)
            with self._naming_parents(), self._store.transaction():
                save_batch(self._store, kind.table(), batch)
                for record in checked:
                    save_texts(self._store, record.texts())

    def _save_table_or_records(self, kind: type[R], rows: Iterable[R] | ArrowStream) -> None:
        """Save an Arrow table, which is checked as strictly as records are, or records."""
        if isinstance(rows, ArrowStream):
            self._save_table(kind, _arrow_table(kind, rows))
        else:
            self._save_all(kind, rows)

    def _save_of_run(self, kind: type[R], run_id: str, rows: Any) -> None:
        """Save an Arrow table, or records, that all belong to one simulation run."""
        if not isinstance(rows, ArrowStream):
            records = [self._of_kind(kind, record) for record in rows]
            _require_run(kind, run_id, {record.__dict__["run_id"] for record in records})
            self._save_all(kind, records)
            if not records:
                self._require_stored(kind, run_id)
            return
        from arro3.core import Array, ChunkedArray, DataType  # noqa: PLC0415 - 20 ms

        batch = _arrow_table(kind, rows)
        if "run_id" in batch.column_names:
            _require_run(kind, run_id, set(batch["run_id"].to_pylist()))
        else:
            runs = Array([run_id] * batch.num_rows, type=DataType.utf8())
            batch = batch.append_column("run_id", ChunkedArray([runs]))
        self._save_table(kind, batch)
        if not batch.num_rows:
            self._require_stored(kind, run_id)

    def _save_table(self, kind: type[Record], batch: Any, *, is_new: bool = False) -> None:
        with self._naming_parents():
            try:
                _check_json(kind, batch)
                save_batch(self._store, kind.table(), batch, is_new=is_new)
            except ParentMissingError:
                raise
            except InputError:
                _name_first_bad_row(kind, batch)
                raise

    def _check_each(self, kind: type[Record], batch: Any) -> None:
        """Refuse the first stored row that its record would not write, or would write otherwise."""
        columns = kind.table().columns
        missing = [c for c in columns if c not in batch.column_names]
        if missing:
            return  # what is wrong with the columns is said where they are saved
        rows = list(zip(*(batch[c].to_pylist() for c in columns), strict=True))
        records = records_of_rows(self._store, kind, rows)
        for row, record in zip(rows, records, strict=True):
            kept = record.checked().to_row()
            for name, given, written in zip(columns, row, kept, strict=True):
                # A counter that is NULL is another tool's way to write its default.
                if given is not None and not _means(given, written):
                    values = dict(zip(columns, row, strict=True))
                    where = ", ".join(f"{c}={values[c]!r}" for c in kind.KEY)
                    raise InputError(
                        f"{kind.TABLE} ({where}): {name} is {given!r:.80}, expected {written!r:.80}"
                    )

    def _require_stored(self, kind: type[Record], parent: str) -> None:
        """Refuse even no rows for a run that is not there: its name may be mistyped."""
        with self._naming_parents():
            require_parent(self._store, kind.table(), parent)

    @staticmethod
    def _of_kind(kind: type[R], record: R) -> R:
        if not isinstance(record, kind):
            raise InputError(f"expected a {kind.__name__}, got {record!r}")
        return record.checked()

    def _read(self, name: str, kind: type[R], parameters: Sequence[Any] = ()) -> list[R]:
        return list(self._iterate(name, kind, parameters))

    def _iterate(self, name: str, kind: type[R], parameters: Sequence[Any] = ()) -> Iterator[R]:
        """Yield records; their long texts are read some at a time."""
        rows = self._store.read(_sql(name, kind), parameters)
        return records_of_rows(self._store, kind, rows)

    def _read_one(self, name: str, kind: type[R], parameters: Sequence[Any]) -> R | None:
        found = self._read(name, kind, parameters)
        return found[0] if found else None

    def _read_arrow(self, name: str, kind: type[Record], parameters: Sequence[Any]) -> Any:
        return self._store.read_arrow(_sql(name, kind), parameters)

    def _rows(
        self, name: str, parameters: Sequence[Any] = (), **words: str
    ) -> list[tuple[Any, ...]]:
        sql = _sql(name)
        return self._store.read(sql.format(**words) if words else sql, parameters)

    def _game_not_found(self, game_id: str) -> GameNotFoundError:
        known = (row[0] for row in self._rows("game_ids"))
        return GameNotFoundError(game_id, known, "save_game_session() comes first")

    @contextmanager
    def _naming_parents(self) -> Iterator[None]:
        try:
            yield
        except ParentMissingError as error:
            key = str(error.key)
            if error.table == "game_sessions":
                raise self._game_not_found(key) from error
            raise RunNotFoundError(key) from error


def records_of_rows(store: Store, kind: type[R], rows: Sequence[Row]) -> Iterator[R]:
    """Yield the records of stored rows, whose long texts are read some at a time.

    Parameters
    ----------
    store : Store
        That holds the texts.
    kind : type of Record
    rows : sequence of tuple
        As they are stored.
    """
    if not kept_apart(kind):
        yield from map(kind.from_row, rows)
        return
    sizes = sizes_of(store, (digest for row in rows for digest in kind.digests(row)))
    for some in bounded(rows, lambda row: sum(sizes.get(d, 0) for d in kind.digests(row))):
        texts = read_texts(store, (digest for row in some for digest in kind.digests(row)))
        for row in some:
            yield kind.from_row(row, texts)


def _arrow_table(kind: type[Record], rows: ArrowStream) -> Any:
    """Return rows as an ``arro3.core.Table``, which unlike a stream can be read again."""
    from arro3.core import Table  # noqa: PLC0415 - 20 ms

    try:
        return Table.from_arrow(rows)
    except Exception as error:  # what arro3 raises has no kind of its own
        raise InputError(f"{kind.TABLE}: the rows are no Arrow table: {error}") from error


def _require_run(kind: type[Record], run_id: str, given: set[str]) -> None:
    others = given - {run_id}
    if others:
        raise InputError(
            f"{kind.TABLE}: rows have run_id {min(others, key=repr)!r}, expected {run_id!r} "
            "as given to the call"
        )


def _check_json(kind: type[Record], batch: Any) -> None:
    """Refuse texts that are not JSON; DuckDB's own notion of JSON differs in odd cases."""
    for name in set(json_fields(kind)) & set(batch.column_names):
        for text in batch[name].to_pylist():
            if isinstance(text, str):
                try:
                    valid_json(text)
                except ValueError as error:
                    raise InputError(f"{kind.TABLE}.{name}: {error}") from None


def _means(given: object, written: object) -> bool:
    """Tell whether a stored value is what its record writes; lists may be spaced otherwise."""
    if isinstance(given, str) and given == written:  # many are long
        return True
    if repr(given) == repr(written):  # tells -0.0 from 0.0
        return True
    try:
        lists = [json.loads(str(given)), json.loads(str(written))]
    except (ValueError, RecursionError):
        return False
    return isinstance(lists[0], list) and lists[0] == lists[1]


def _name_first_bad_row(kind: type[Record], batch: Any) -> None:
    """Raise what the record itself says of the first row that it would refuse, if there is one."""
    columns = [c for c in batch.column_names if c in kind.model_fields]
    for values in zip(*(batch[c].to_pylist() for c in columns), strict=True):
        kind.model_validate(dict(zip(columns, values, strict=True)))


def checked_limit(limit: int) -> int:
    """Return the limit if it is a whole number of at least 1, or raise ``InputError``."""
    try:
        return _LIMIT.validate_python(limit)
    except ValidationError:
        raise InputError(f"limit is {limit!r}, expected a whole number of at least 1") from None
