"""What is exported comes back to the bit, in every format, whatever the record holds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    PolicyIterationRecord,
    SimulationRunRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.ai_cash_mgmt.persistence.models.runs import RunRow
from payment_simulator.analysis.exchange import FORMATS, arriving, export_games, import_games
from payment_simulator.analysis.exchange.layout import Manifest, table_path
from payment_simulator.analysis.exchange.naming import Names, plain
from payment_simulator.analysis.exchange.tables_in import Reader
from payment_simulator.analysis.exchange.tables_out import write_table
from payment_simulator.analysis.exchange.writing import entry
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.persistence.migrations import SCHEMA_VERSION
from tests.builders import a_record, a_session, an_iteration
from tests.effort import tries
from tests.fingerprints import rows_of
from tests.property.strategies import ODD_TEXTS, records, texts
from tests.saving import save, save_parents

formats = pytest.mark.parametrize("file_format", FORMATS)


@pytest.fixture
def in_memory() -> Iterator[GameRepository]:
    with DatabaseManager(":memory:") as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        yield repo


def save_of_a_game(repo: GameRepository, record: Record) -> None:
    """Save a record with what it belongs to; all of it belongs to a game."""
    if isinstance(record, RunRow):
        repo.save_game_session(a_session())
        repo.save_simulation_run(
            a_record(SimulationRunRecord, run_id=record.run_id, game_id="game-001")
        )
    else:
        if isinstance(record, SimulationRunRecord):
            record = record.replace(game_id=record.game_id or "game-001")
        save_parents(repo, record)
    save(repo, record)


def there_and_back(repo: GameRepository, kind: type[Record], file_format: str) -> list[str]:
    """Write the rows of a table to a file, and return what is read from it."""
    with tempfile.TemporaryDirectory() as folder:
        name = table_path(kind, file_format)
        path, room = Path(folder) / name, Path(folder) / "room[a]*"
        path.parent.mkdir()
        room.mkdir()
        count = write_table(repo.store, kind, repo.get_game_ids(), path, file_format)
        listed = entry(path).model_copy(update={"rows": count})
        manifest = Manifest(
            package_version="0",
            schema_version=SCHEMA_VERSION,
            file_format=file_format,  # type: ignore[arg-type]
            games=["any"],
            digests={},
            files={name: listed},
        )
        reader = Reader(Path(folder), manifest, room)
        found: list[str] = []
        # Each row a piece of its own, and read bit by bit: ends of rows must be found.
        small = mock.patch.multiple(arriving, _PIECE=1, _CHUNK=5)
        with small, DatabaseManager(":memory:") as manager:
            for table in reader.rows(kind):
                found += map(repr, manager.conn.from_arrow(table).fetchall())
        reader.close()
    return found


@pytest.mark.sampled(20)
@formats
@pytest.mark.parametrize("kind", RECORDS)
def test_rows_are_read_as_they_were_stored(
    kind: type[Record], file_format: str, in_memory: GameRepository
) -> None:
    n_rows = 0

    @given(st.lists(records(kind), min_size=4, max_size=16))
    @settings(max_examples=tries(3, 20))
    def compare(drawn: list[Record]) -> None:
        nonlocal n_rows
        for table in ("superseded_records", *(k.TABLE for k in RECORDS)):
            in_memory.store.write(f"DELETE FROM {table}")
        with in_memory.transaction():
            for record in drawn:
                save_of_a_game(in_memory, record)
        rows = in_memory.read(f"SELECT * FROM {kind.TABLE} ORDER BY rowid")
        assert there_and_back(in_memory, kind, file_format) == list(map(repr, rows))
        n_rows += len(rows)

    compare()
    assert n_rows > 3


@formats
def test_zeros_keep_their_sign_where_values_repeat(
    file_format: str, in_memory: GameRepository
) -> None:
    in_memory.save_game_session(a_session())
    zeros = [0.0, -0.0, 0.0, 0.0, -0.0, 1.0] * 9
    in_memory.save_policy_iterations(
        an_iteration(n, old_cost=zero, new_cost=zero, cost_improvement=0.0)
        for n, zero in enumerate(zeros, 1)
    )
    rows = in_memory.read("SELECT * FROM policy_iterations ORDER BY rowid")
    found = there_and_back(in_memory, PolicyIterationRecord, file_format)
    assert found == list(map(repr, rows))


@formats
def test_whole_games_come_back_with_what_was_superseded(
    file_format: str, in_memory: GameRepository
) -> None:
    n_kept = 0

    @given(st.lists(st.one_of(*map(records, RECORDS)), min_size=20, max_size=40))
    @settings(max_examples=tries(2, 10))
    def compare(drawn: list[Record]) -> None:
        nonlocal n_kept
        for table in ("superseded_records", *(k.TABLE for k in RECORDS)):
            in_memory.store.write(f"DELETE FROM {table}")
        with in_memory.transaction():
            for record in drawn:
                save_of_a_game(in_memory, record)
                if "game_id" in record.__dict__ and record.__dict__["game_id"] is not None:
                    # Saved again: what was there before is kept.
                    save(in_memory, a_session(record.__dict__["game_id"], master_seed=n_kept))
        games = in_memory.get_game_ids()
        with tempfile.TemporaryDirectory() as folder, DatabaseManager(":memory:") as manager:
            export_games(in_memory, games, Path(folder) / "out", format=file_format)
            other = GameRepository(manager.conn)
            done = import_games(Path(folder) / "out", other)
            assert sorted(done.added) == games
            assert all_rows(other) == all_rows(in_memory)
            assert import_games(Path(folder) / "out", other).already_there == done.added
        n_kept += 1 + len(in_memory.get_superseded_records())

    compare()
    assert n_kept > 2


def all_rows(repo: GameRepository) -> dict[str, list[str]]:
    found = rows_of(repo.store.cursor())
    del found["schema_ledger"]
    return found


@given(st.lists(texts(), unique=True, min_size=1) | st.just(ODD_TEXTS))
def test_every_text_has_a_name_of_its_own_that_any_folder_takes(given_texts: list[str]) -> None:
    names = Names()
    made = [names.name(text, ".json") for text in [*given_texts, "..", "../../etc/passwd", "CON"]]
    assert len({name.lower() for name in made}) == len(made)
    for name in made:
        assert name.isascii()
        assert name.isprintable()
        assert not set(name) & set('/\\:*?"<>| ')
        assert len(name) <= 120
        assert name.count(".") == 1


@given(texts())
def test_no_text_is_markup_on_a_page(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    assert shown.isprintable()
    for place, character in enumerate(shown):
        if character in "<>|`[]*_#!&\\":
            n_before = len(shown[:place]) - len(shown[:place].rstrip("\\"))
            if character == "\\":
                continue
            assert n_before % 2 == 1
