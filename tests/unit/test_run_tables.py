"""The rows of a run come as records or as Arrow tables of any library, and leave as both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    GameRepository,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.errors import DuplicateKeyError, InputError, RunNotFoundError
from payment_simulator.persistence.arrow import arrow_batch
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import VALUES, a_record, a_session
from tests.saving import bits, n_rows

KINDS = [TransactionRecord, SimulationEventRecord, BankStateRecord, DailyCostRecord]
RUN = "run-001"
Rows = list[dict[str, Any]]


def of_arro3(rows: Rows) -> Any:
    kind = next(kind for kind in KINDS if set(rows[0]) | {"run_id"} == set(kind.model_fields))
    types = dict(zip(kind.table().columns, kind.table().types, strict=True))
    columns = list(rows[0])
    return arrow_batch(columns, [types[c] for c in columns], [tuple(r.values()) for r in rows])


LIBRARIES: dict[str, Callable[[Rows], Any]] = {
    "arro3": of_arro3,
    "pyarrow": pa.Table.from_pylist,
    "pyarrow stream": lambda rows: pa.RecordBatchReader.from_batches(
        pa.Table.from_pylist(rows).schema, pa.Table.from_pylist(rows).to_batches(max_chunksize=2)
    ),
    "polars": pl.DataFrame,
}
libraries = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
kinds = pytest.mark.parametrize("kind", KINDS)


def rows_of(kind: type[Record]) -> Rows:
    """Return four rows of a run, in order, the second and third with gaps."""
    ordinal = kind.KEY[1]
    gaps = {n: None for n, field in kind.model_fields.items() if field.default is None}
    changes = [{}, gaps, gaps, {}]
    numbers = [1, 2, 10, 100]
    if kind is TransactionRecord:
        changes[3] = {"delay_cost": -0.0, "amount_cents": 2**63 - 1}
    return [
        {**VALUES[kind], **change, ordinal: number}
        for number, change in zip(numbers, changes, strict=True)
    ]


def without_run(rows: Rows) -> Rows:
    return [{n: v for n, v in row.items() if n != "run_id"} for row in rows]


def save_rows(repo: GameRepository, kind: type[Record], rows: Any, run_id: str = RUN) -> None:
    getattr(repo, f"save_{kind.TABLE}")(run_id, rows)


def stored(repo: GameRepository, kind: type[Record], run_id: str = RUN) -> list[str]:
    return [bits(record) for record in getattr(repo, f"get_{kind.TABLE}")(run_id)]


@pytest.fixture
def run(repo: GameRepository) -> GameRepository:
    for run_id in (RUN, "run-002"):
        repo.save_simulation_run(a_record(SimulationRunRecord, run_id=run_id, game_id=None))
    return repo


@pytest.mark.sampled(8)
@kinds
@libraries
@pytest.mark.parametrize("with_run_id", [True, False])
def test_rows_come_as_arrow(
    kind: type[Record], library: Callable[[Rows], Any], with_run_id: bool, run: GameRepository
):
    rows = rows_of(kind)
    save_rows(run, kind, library(rows if with_run_id else without_run(rows)))
    expected = [bits(kind(**row)) for row in rows]
    assert stored(run, kind) == expected
    save_rows(run, kind, library(rows[::-1]), RUN)
    assert stored(run, kind) == expected
    assert run.get_superseded_records() == []
    assert stored(run, kind, "run-002") == []


@kinds
def test_rows_come_as_records(kind: type[Record], run: GameRepository):
    records = [kind(**row) for row in rows_of(kind)]
    save_rows(run, kind, (record for record in reversed(records)))
    assert stored(run, kind) == [bits(record) for record in records]


@kinds
def test_rows_leave_as_arrow_equal_to_the_records(kind: type[Record], run: GameRepository):
    records = [kind(**row) for row in rows_of(kind)]
    save_rows(run, kind, records)
    table = run.get_run_table(RUN, kind.TABLE)
    for rows in (pa.table(table).to_pylist(), pl.DataFrame(table).to_dicts()):
        assert [repr(row) for row in rows] == [bits(record) for record in records]
    assert table.column_names == list(kind.model_fields)
    types = {"VARCHAR": "string", "BIGINT": "int64", "INTEGER": "int32", "DOUBLE": "double"}
    expected = [types.get(t, "bool") for t in kind.table().types]
    assert [str(t) for t in pa.table(table).schema.types] == expected

    empty = run.get_run_table("run-002", kind.TABLE)
    assert (empty.num_rows, empty.column_names) == (0, table.column_names)
    save_rows(run, kind, pa.table(table).drop(["run_id"]), "run-002")
    assert pa.table(run.get_run_table("run-002", kind.TABLE)).drop(["run_id"]) == (
        pa.table(table).drop(["run_id"])
    )


@pytest.mark.parametrize("table", ["game_sessions", "", "Transactions", None])
def test_only_tables_of_runs_are_tables_of_a_run(table: Any, run: GameRepository):
    with pytest.raises(InputError, match=r"table is .*expected one of: transactions, "):
        run.get_run_table(RUN, table)


@kinds
@libraries
def test_rows_of_another_run_are_refused(
    kind: type[Record], library: Callable[[Rows], Any], run: GameRepository
):
    rows = rows_of(kind)
    for wrong in ("run-002", "run-003", ""):
        rows[2]["run_id"] = wrong
        with pytest.raises(InputError, match=rf"'{wrong}', expected 'run-001'"):
            save_rows(run, kind, library(rows))
    assert stored(run, kind) == stored(run, kind, "run-002") == []


@kinds
def test_records_of_another_run_are_refused(kind: type[Record], run: GameRepository):
    records = [a_record(kind), a_record(kind, run_id="run-002")]
    with pytest.raises(InputError, match="'run-002', expected 'run-001'"):
        save_rows(run, kind, records)
    with pytest.raises(InputError, match=f"expected a {kind.__name__}, got GameSession"):
        save_rows(run, kind, [a_session()])
    with pytest.raises(InputError, match=f"expected a {kind.__name__}, got {{"):
        save_rows(run, kind, rows_of(kind))
    assert stored(run, kind) == stored(run, kind, "run-002") == []


@pytest.mark.parametrize("runs", [[None, None], [None, RUN], [None, "run-002"], [7, 8], [7, None]])
def test_rows_of_no_run_are_refused(runs: list, run: GameRepository):
    rows = [{**VALUES[DailyCostRecord], "day": n, "run_id": r} for n, r in enumerate(runs)]
    with pytest.raises(InputError, match="expected 'run-001'"):
        save_rows(run, DailyCostRecord, pa.Table.from_pylist(rows))
    assert stored(run, DailyCostRecord) == []


@kinds
def test_rows_of_a_run_that_is_not_there_are_refused(
    kind: type[Record], run: GameRepository, manager: DatabaseManager
):
    before = n_rows(manager)
    rows = without_run(rows_of(kind))
    frame = pl.DataFrame(rows)
    named = [kind(**row, run_id="run-009") for row in rows]
    for given in (frame, named, frame.clear(), []):
        with pytest.raises(RunNotFoundError, match="'run-009' is not in the record") as refusal:
            save_rows(run, kind, given, "run-009")
        assert refusal.value.run_id == "run-009"
    assert n_rows(manager) == before
    assert stored(run, kind, "run-009") == []
    assert run.get_run_table("run-009", kind.TABLE).num_rows == 0


@kinds
def test_a_key_twice_in_a_table_is_refused(kind: type[Record], run: GameRepository):
    rows = rows_of(kind)
    with pytest.raises(DuplicateKeyError, match=f"{kind.TABLE}.*run-001.*{kind.KEY[-1]}"):
        save_rows(run, kind, pl.DataFrame([*rows, rows[1]]))
    assert stored(run, kind) == []


@kinds
def test_changed_rows_take_the_place_and_the_old_are_kept(kind: type[Record], run: GameRepository):
    first = rows_of(kind)
    last = list(kind.model_fields)[-1]
    second = [{**row, last: row[last] and kind.model_fields[last].default} for row in first]
    if kind.model_fields[last].is_required():
        second = [{**row, last: row[last] * 2} for row in first]
    save_rows(run, kind, pl.DataFrame(first))
    save_rows(run, kind, pl.DataFrame(second, schema=pl.DataFrame(first).schema))
    assert stored(run, kind) == [bits(kind(**row)) for row in second]
    n_changed = sum(a != b for a, b in zip(first, second, strict=True))
    assert n_changed > 0
    assert [r.revision for r in run.get_superseded_records(kind.TABLE)] == [1] * n_changed


def test_a_table_of_many_rows(run: GameRepository):
    n = 20_000
    table = pl.DataFrame(
        {
            "event_number": np.arange(n)[::-1],
            "day": np.zeros(n, dtype=np.int32),
            "tick": np.arange(n, dtype=np.int32)[::-1],
            "event_type": ["arrival", "settled"] * (n // 2),
            "agent_id": pl.Series([None] * n, dtype=pl.String),
            "counterparty_id": pl.Series([None] * n, dtype=pl.String),
            "payment_number": np.arange(n),
            "amount_cents": np.arange(n) * -7,
            "details_json": pl.Series([None] * n, dtype=pl.String),
        }
    )
    run.save_simulation_events(RUN, table)
    found = pl.DataFrame(run.get_run_table(RUN, "simulation_events")).drop("run_id")
    assert found.equals(table.reverse())
    assert len(run.get_simulation_events(RUN)) == n
