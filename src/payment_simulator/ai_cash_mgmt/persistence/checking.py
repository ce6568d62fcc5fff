"""Checks a whole record: schema, keys, orphans, and every row against its own rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import duckdb
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt.persistence.models import (
    RECORDS,
    TABLES,
    EvaluationSampleRecord,
    GameSessionRecord,
    IterationContextRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
    Record,
    TextRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart, valid_json
from payment_simulator.errors import DamagedDatabaseError
from payment_simulator.persistence.migrations import (
    LEDGER,
    SCHEMA_VERSION,
    SQL,
    Origin,
    SchemaState,
    lost_ledger,
    schema_model,
    schema_state,
    table_columns,
)
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.store import Row, Store
from payment_simulator.persistence.texts import (
    AT_ONCE,
    bounded,
    faulty_texts,
    sizes_of,
    stored_texts,
)

#: Rows looked at in one go: enough to be fast, few enough to stay small in memory.
_MOST_ROWS = 5_000
_FIRST_ROWS = 500
_OURS = "payment_simulator.ai_cash_mgmt.persistence.sql"


@dataclass(frozen=True)
class Finding:
    """Something that a check found.

    Attributes
    ----------
    table : str
        Where.
    row : str
        Key of the row, or empty when the whole table is meant.
    problem : str
        What is there, and what was expected.
    is_fault : bool
        False for what is odd but may be meant: steps left out, a status that lags behind.
    """

    table: str
    row: str
    problem: str
    is_fault: bool = True

    def as_dict(self) -> dict[str, str | bool]:
        """Return the finding for JSON."""
        return asdict(self)


def check_record(conn: duckdb.DuckDBPyConnection | Store) -> Iterator[Finding]:
    """Find everything in a database that is not as this package would have written it.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection or Store
        An open database; reading is enough, and nothing is changed.

    Yields
    ------
    Finding
        In the order of the tables. A database of some gigabytes takes its time: every row is read.
    """
    store = conn if isinstance(conn, Store) else Store(conn)
    state = schema_state(store)
    found = table_columns(store)
    yield from _check_schema(store, state)
    # What is wrong with the columns of the others is said above; their rows are no records.
    whole = [k for k in TABLES if [c for c, _ in found.get(k.TABLE, [])] == [*k.table().columns]]
    for kind in whole:
        yield from check_table(store, kind)
    if set(TABLES) == set(whole):
        yield from check_texts(store)
    yield from check_links(store, {kind.TABLE for kind in whole})


def check_table(store: Store, kind: type[Record]) -> Iterator[Finding]:
    """Find everything in one table that its record would not have written."""
    yield from _check_keys(store, kind)
    yield from _check_rows(store, kind)


def check_links(store: Store, tables: set[str]) -> Iterator[Finding]:
    """Find rows of tables that do not go together."""
    yield from _check_belonging(store, tables)
    if {GameSessionRecord.TABLE, PolicyIterationRecord.TABLE} <= tables:
        yield from _check_course(store)


def _check_schema(store: Store, state: SchemaState) -> Iterator[Finding]:
    if state.origin is Origin.EMPTY:
        yield Finding("", "", "there are no tables yet; initialize_schema() makes them", False)
        return
    if state.origin is Origin.FIRST_TOOL:
        lost = lost_ledger(store)
        if not lost:
            yield Finding(
                "",
                "",
                f"no tables of schema version {SCHEMA_VERSION}; "
                "payment-sim db migrate FILE adds them",
                is_fault=False,
            )
            return
        yield Finding(LEDGER, "", f"missing, although there are {', '.join(lost)}")
    with schema_model() as model:
        yield from _compare(store, model)


def _compare(store: Store, model: Store) -> Iterator[Finding]:
    """Find what differs between the tables of a file and those that it should have."""
    for what in ("table_columns", "constraints", "indexes", "views"):
        query = named_queries(SQL)[what]
        expected, found = Counter(model.read(query)), Counter(store.read(query))
        for row in sorted((expected - found).elements(), key=str):
            yield Finding(row[0], "", f"missing: {_words(row)}")
        ours = {row[0] for row in expected}
        for row in sorted((found - expected).elements(), key=str):
            if row[0] in ours:
                yield Finding(row[0], "", f"not of this schema: {_words(row)}")


def _words(row: Row) -> str:
    return " ".join(str(part) for part in row[1:])


def _check_keys(store: Store, kind: type[Record]) -> Iterator[Finding]:
    for *key, count in store.read(kind.table().sql("stored_duplicates")):
        yield Finding(kind.TABLE, _key(kind, tuple(key)), f"the key stands {count} times")


def _key(kind: type[Record], values: Row) -> str:
    return ", ".join(f"{c}={v!r}" for c, v in zip(kind.KEY, values, strict=True))


def _check_rows(store: Store, kind: type[Record]) -> Iterator[Finding]:
    columns = list(kind.table().columns)
    positions = [columns.index(c) for c in kind.KEY]
    inline = [(n, c) for n, c in enumerate(columns) if c.endswith("_json")]
    for row, texts in _with_texts(store, kind):
        where = _key(kind, tuple(row[p] for p in positions))
        wrong = set()
        if texts.keys() >= set(kind.digests(row)):  # what is missing is said for itself
            for field, problem in _faults_of(kind, row, texts):
                wrong.add(field)
                yield Finding(kind.TABLE, where, problem)
        for position, column in inline:
            if column not in wrong and not (_is_json(row[position]) or _came_so(kind, column, row)):
                yield Finding(kind.TABLE, where, f"{column} is not JSON: {row[position]!r:.80}")


def _with_texts(store: Store, kind: type[Record]) -> Iterator[tuple[Row, Mapping[str, str]]]:
    """Yield every row of a table with the texts that it names, as far as they are there."""
    for rows in _stretches(store, kind):
        if not kept_apart(kind):
            yield from ((row, {}) for row in rows)
            continue
        sizes = sizes_of(store, (digest for row in rows for digest in kind.digests(row)))

        def size(row: Row, sizes: dict[str, int] = sizes) -> int:
            return sum(sizes.get(digest, 0) for digest in kind.digests(row))

        for some in bounded(rows, size):
            texts = dict(stored_texts(store, (d for row in some for d in kind.digests(row))))
            yield from ((row, texts) for row in some)


def _stretches(store: Store, kind: type[Record]) -> Iterator[list[Row]]:
    """Yield a table in stretches: the longer its rows, the fewer at a time."""
    last = store.read(kind.table().sql("last_position"))[0][0]
    start, n_rows = 0, _FIRST_ROWS
    while last is not None and start <= last:
        rows = store.read(kind.table().sql("rows_between"), (start, start + n_rows))
        yield rows
        start += n_rows
        size = sum(len(value) for row in rows for value in row if isinstance(value, str))
        n_rows = max(1, min(_MOST_ROWS, AT_ONCE * len(rows) // max(size, 1)))


def _faults_of(kind: type[Record], row: Row, texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    apart = kept_apart(kind).values()
    try:
        again = kind.from_row(row, texts).checked().to_row()
    except DamagedDatabaseError as error:
        yield "", str(error).partition(". Run:")[0]
    except ValidationError as error:
        for part in error.errors():
            field = ".".join(str(p) for p in part["loc"])
            value = f": {part['input']!r:.80}" if field else ""
            yield field, f"{field or 'record'}{value} ({part['msg']})"
    else:
        for field, stored, kept in zip(kind.table().columns, row, again, strict=True):
            # NULL is what the specification's table has for a count that was left out.
            # A text that was changed is said once, where it is.
            if field in apart or stored is None:
                continue
            if repr(stored) != repr(kept):
                yield field, f"{field}: {stored!r:.80}, expected {kept!r:.80}"


def _came_so(kind: type[Record], column: str, row: Row) -> bool:
    """Tell whether a text is a proposal that was refused, which is kept as it came."""
    if kind is not PolicyIterationRecord or column != "new_policy_json":
        return False
    values = dict(zip(kind.model_fields, row, strict=True))
    return not values["was_accepted"] and values["validation_errors"] != "[]"


def _is_json(text: str | None) -> bool:
    try:
        return text is None or bool(valid_json(text))
    except ValueError:
        return False


def check_texts(store: Store) -> Iterator[Finding]:
    """Find texts that were changed, are missing, or that nothing names."""
    for digest, problem in faulty_texts(store):
        yield Finding(TextRecord.TABLE, f"sha256={digest!r}", problem)
    named = []
    for kind in TABLES:
        for column in kept_apart(kind).values():
            words = {"key": ", ".join(kind.KEY), "column": column, "table": kind.TABLE}
            named.append(_sql("texts_named", **words))
            for *key, digest in store.read(_sql("texts_missing", **words)):
                where = _key(kind, tuple(key))
                yield Finding(kind.TABLE, where, f"{column} names a text that is missing: {digest}")
    columns = {column for kind in TABLES for column in kept_apart(kind).values()}
    paths = ", ".join(f"'$.{column}'" for column in sorted(columns))
    sql = _sql("texts_unused", named=" UNION ALL ".join(named), paths=f"[{paths}]")
    for (digest,) in store.read(sql):
        yield Finding(
            TextRecord.TABLE, f"sha256={digest!r}", "no row names this text", is_fault=False
        )


def _sql(name: str, **words: str) -> str:
    return named_queries(_OURS)[name].format(**words)


_STEP = ("game_id", "agent_id", "iteration_number")


def _check_belonging(store: Store, tables: set[str]) -> Iterator[Finding]:
    """Find rows whose game, run or step is not there."""
    pairs: list[tuple[type[Record], str, tuple[str, ...], tuple[str, ...]]] = [
        (kind, kind.PARENT[0], (kind.PARENT[1],), (kind.PARENT[2],))
        for kind in RECORDS
        if kind.PARENT
    ]
    # A model's call may well be there without its step: the game was stopped in between.
    pairs += [
        (kind, PolicyIterationRecord.TABLE, _STEP, _STEP)
        for kind in (PolicyDiffRecord, IterationContextRecord, EvaluationSampleRecord)
    ]
    for kind, parent, there, here in pairs:
        if {kind.TABLE, parent} <= tables:
            sql = named_queries(_OURS)["orphans"].format(
                child=kind.TABLE,
                parent=parent,
                key=", ".join(f"child.{c}" for c in here),
                match=" AND ".join(
                    f"parent.{a} = child.{b}" for a, b in zip(there, here, strict=True)
                ),
                first=here[0],
            )
            for *key, count in store.read(sql):
                where = ", ".join(f"{c}={v!r}" for c, v in zip(here, key, strict=True))
                yield Finding(kind.TABLE, where, f"{count} rows belong to no row of {parent}")


def _check_course(store: Store) -> Iterator[Finding]:
    """Find games whose steps have gaps, or whose count of iterations does not fit them."""
    for game, agent, count, first, last in store.read(named_queries(_OURS)["gaps"]):
        yield Finding(
            "policy_iterations",
            f"game_id={game!r}, agent_id={agent!r}",
            f"{count} steps between iterations {first} and {last}: some are left out",
            is_fault=False,
        )
    for game, status, said, last in store.read(named_queries(_OURS)["miscounted_games"]):
        yield Finding(
            "game_sessions",
            f"game_id={game!r}",
            f"{status} with total_iterations {said}, but the last iteration stored is {last}",
            is_fault=False,
        )
