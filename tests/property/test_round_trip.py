"""What is read is what was written, to the bit: at once, from the file, and when superseded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.ai_cash_mgmt.persistence.models.base import kept_apart
from payment_simulator.ai_cash_mgmt.persistence.models.runs import RunRow
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.effort import tries
from tests.property.strategies import ODD_FLOATS, records
from tests.saving import DOORS, bits, read, save, save_parents

kinds = pytest.mark.parametrize("kind", RECORDS)


@pytest.fixture
def in_memory() -> Iterator[GameRepository]:
    with DatabaseManager(":memory:") as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        yield repo


def key(record: Record) -> tuple[Any, ...]:
    return tuple(getattr(record, name) for name in record.KEY)


@kinds
def test_a_record_is_read_as_it_was_written(
    kind: type[Record], in_memory: GameRepository, db_path: Path
):
    written: dict[tuple[Any, ...], Record] = {}

    @given(records(kind))
    @settings(max_examples=tries(20, 200))
    def write_and_read(record: Record) -> None:
        empty(in_memory, kind.TABLE)
        save_parents(in_memory, record)
        save(in_memory, record)
        assert bits(read(in_memory, record)) == bits(record)
        written[key(record)] = record

    write_and_read()

    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        with repo.transaction():
            for record in written.values():
                save_parents(repo, record)
                save(repo, record)
    with DatabaseManager(db_path) as manager:  # as the file has packed them
        repo = GameRepository(manager.conn)
        for record in written.values():
            assert bits(read(repo, record)) == bits(record)


def empty(repo: GameRepository, table: str) -> None:
    """Make an example independent of those before it."""
    repo._store.write(f"DELETE FROM {table}")


@kinds
def test_a_superseded_record_holds_every_value(kind: type[Record], in_memory: GameRepository):
    n_kept = 0

    @given(records(kind), records(kind))
    @settings(max_examples=tries(6, 60))
    def replace_and_look(old: Record, drawn: Record) -> None:
        nonlocal n_kept
        new = drawn.replace(**{name: getattr(old, name) for name in old.KEY})
        empty(in_memory, kind.TABLE)
        empty(in_memory, "superseded_records")
        save_parents(in_memory, old)
        save_parents(in_memory, new)
        save(in_memory, old)
        for record in (new, old):
            save(in_memory, record)
            assert bits(read(in_memory, record)) == bits(record)
        kept = in_memory.get_superseded_records(kind.TABLE)
        replaced = [] if bits(old) == bits(new) else [old, new]
        assert [json.loads(r.record_key) for r in kept] == [list(key(r)) for r in replaced]
        written = [as_written(in_memory, r.record_json, kind) for r in kept]
        assert written == [bits(r) for r in replaced]
        n_kept += len(kept)

    replace_and_look()
    assert n_kept > 0


def as_written(repo: GameRepository, record_json: str, kind: type[Record]) -> str:
    """Return the bits of the record whose row was kept as JSON; long texts by their hash."""
    row = json.loads(record_json)
    values: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        if name in kept_apart(kind):
            digest = row[kept_apart(kind)[name]]
            values[name] = None if digest is None else repo.get_text(digest)
        elif row[name] is not None and "datetime" in str(field.annotation):
            values[name] = datetime.fromisoformat(row[name])
        elif "list" in str(field.annotation):
            values[name] = json.loads(row[name])
        else:
            values[name] = row[name]
    return repr(values)


@pytest.mark.parametrize("kind", [k for k in RECORDS if issubclass(k, RunRow)])
def test_rows_of_a_run_leave_as_arrow_as_they_came(kind: type[Record], in_memory: GameRepository):
    @given(st.lists(records(kind), min_size=1, max_size=5, unique_by=lambda r: key(r)[1:]))
    @settings(max_examples=tries(6, 60))
    def there_and_back(drawn: list[Record]) -> None:
        run_id: str = drawn[0].__dict__["run_id"]
        rows = [record.replace(run_id=run_id) for record in drawn]
        empty(in_memory, kind.TABLE)
        save_parents(in_memory, rows[0])
        getattr(in_memory, f"save_{kind.TABLE}")(run_id, rows)
        table = pa.table(in_memory.get_run_table(run_id, kind.TABLE))
        _, get = DOORS[kind]
        assert [repr(row) for row in table.to_pylist()] == [
            bits(r) for r in get(in_memory, rows[0])
        ]
        assert sorted(map(repr, table.to_pylist())) == sorted(map(bits, rows))

    there_and_back()


@pytest.mark.parametrize("text", ["a", "\0", "\u00e9", "\U0001f600", "\\", '"'])
def test_a_very_long_text_is_kept_whole(text: str, db_path: Path):
    step = an_iteration(old_policy_json=text * 1_000_003, validation_errors=[text * 300_007])
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        repo.save_policy_iterations([step, an_iteration(2, new_policy_json=text * 70_001)])
        repo.save_policy_iteration(step.replace(tokens_used=1))
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        found, other = repo.get_policy_iterations("game-001")
        (kept,) = repo.get_superseded_records()
        assert as_written(repo, kept.record_json, type(step)) == bits(step)
    assert found == step.replace(tokens_used=1)
    assert other.new_policy_json == text * 70_001


@pytest.mark.parametrize(
    "costs",
    [[0.0, -0.0] * 5, [-0.0, 0.0] * 5, [0.0] * 99 + [-0.0] * 99 + [1.0], ODD_FLOATS * 99],
    ids=["zeros", "zeros the other way", "runs of zeros", "odd ones"],
)
def test_costs_keep_their_bits_when_the_file_packs_them(costs: list[float], db_path: Path):
    steps = [
        an_iteration(n, old_cost=cost, new_cost=cost, cost_improvement=0.0)
        for n, cost in enumerate(costs, 1)
    ]
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
        repo.save_policy_iterations(steps)
    with DatabaseManager(db_path) as manager:
        found = GameRepository(manager.conn).get_policy_iterations("game-001")
    assert [bits(step) for step in found] == [bits(step) for step in steps]
