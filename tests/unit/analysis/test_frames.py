"""Tables of a record in one call each: complete, to the bit, as Arrow, polars or pandas."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from arro3.core import Table
from tests.builders import a_record

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    EvaluationSampleRecord,
    GameOutcomeRecord,
    GameRepository,
    GameSessionRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.analysis import frames
from payment_simulator.errors import (
    GameNotFoundError,
    InputError,
    NotADatabaseError,
    RunNotFoundError,
    SchemaMissingError,
)
from payment_simulator.persistence.connection import DatabaseManager

OF_GAMES: dict[type[Record], Callable[..., Any]] = {
    PolicyIterationRecord: frames.iterations,
    EvaluationSampleRecord: frames.samples,
    LLMInteractionRecord: frames.model_calls,
    GameOutcomeRecord: frames.outcomes,
    SimulationRunRecord: frames.simulation_runs,
}
OF_RUNS: dict[type[Record], Callable[..., Any]] = {
    TransactionRecord: frames.payments,
    SimulationEventRecord: frames.events,
    BankStateRecord: frames.bank_states,
    DailyCostRecord: frames.daily_costs,
}
GAMES = ("a", "b' OR 1=1 --", "c")


@pytest.fixture
def record(repo: GameRepository, db_path: Path) -> Path:
    """Save three games with a run each, and return the file, which stays open for writing."""
    for game in reversed(GAMES):
        repo.save_game_session(a_record(GameSessionRecord, game_id=game))
        repo.save_simulation_run(a_record(SimulationRunRecord, run_id=f"run {game}", game_id=game))
        for kind in OF_GAMES:
            if kind is not SimulationRunRecord:
                repo._save(a_record(kind, game_id=game))
        for kind in OF_RUNS:
            repo._save_of_run(kind, f"run {game}", [a_record(kind, run_id=f"run {game}")])
    return db_path


def rows(table: Table) -> list[tuple[Any, ...]]:
    """Return the rows of an Arrow table."""
    return list(zip(*(table[c].to_pylist() for c in table.column_names), strict=True))


def expected(kind: type[Record], **changes: Any) -> tuple[Any, ...]:
    """Return a row as a frame has it: as it is stored, but calls of models with their texts."""
    record = a_record(kind, **changes)
    if kind is LLMInteractionRecord:
        return tuple(getattr(record, name) for name in kind.model_fields)
    return record.to_row()


def test_games(record: Path):
    table = frames.sessions(record)
    assert table.column_names == list(GameSessionRecord.model_fields)
    assert rows(table) == [expected(GameSessionRecord, game_id=game) for game in GAMES]


@pytest.mark.parametrize("kind", OF_GAMES, ids=lambda kind: kind.TABLE)
def test_what_belongs_to_games(kind: type[Record], record: Path):
    by_run = {} if kind is not SimulationRunRecord else {g: {"run_id": f"run {g}"} for g in GAMES}
    all_rows = [expected(kind, game_id=game, **by_run.get(game, {})) for game in GAMES]
    call = OF_GAMES[kind]
    assert rows(call(record)) == all_rows
    assert rows(call(record, GAMES[1])) == all_rows[1:2]
    assert rows(call(record, ["c", "a"])) == [all_rows[0], all_rows[2]]
    assert rows(call(record, [])) == []
    with pytest.raises(GameNotFoundError, match="nearest: c"):
        call(record, ["a", "cc"])


@pytest.mark.parametrize("kind", OF_RUNS, ids=lambda kind: kind.TABLE)
def test_what_belongs_to_runs(kind: type[Record], record: Path):
    all_rows = [expected(kind, run_id=f"run {game}") for game in GAMES]
    call = OF_RUNS[kind]
    assert rows(call(record)) == all_rows
    assert rows(call(record, "run c")) == all_rows[2:]
    with pytest.raises(RunNotFoundError, match="'run d' is not in the record; nearest: run"):
        call(record, "run d")
    with pytest.raises(RunNotFoundError, match="lists those that are"):
        call(record, "ZZZ")


def test_kinds_of_frames(record: Path):
    arrow = frames.iterations(record, "a")
    polars = frames.iterations(record, "a", to="polars")
    pandas = frames.iterations(record, "a", to="pandas")
    assert isinstance(polars, pl.DataFrame)
    assert isinstance(pandas, pd.DataFrame)
    assert polars.rows() == rows(arrow)
    assert list(pandas.columns) == polars.columns == arrow.column_names
    assert pandas["old_cost"].tolist() == [1500.0]
    assert pandas["created_at"][0].to_pydatetime() == polars["created_at"][0]


def test_an_open_repository_serves_as_well(repo: GameRepository, record: Path):
    assert rows(frames.sessions(repo)) == rows(frames.sessions(record))


def test_a_file_that_nobody_writes(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repository = GameRepository(manager.conn)
        repository.initialize_schema()
        repository.save_game_session(a_record(GameSessionRecord))
    assert frames.sessions(db_path, to="polars")["game_id"].to_list() == ["game-001"]


def test_views(record: Path):
    best = frames.view(record, "best_policies", "a", to="polars")
    assert best.rows() == [
        ("a", "BANK_A", 1, 1200.0, '{"payment_tree": {"root": {"action": "Release"}}}')
    ]
    assert frames.view(record, "acceptance_rates", to="polars")["game_id"].to_list() == list(GAMES)
    with pytest.raises(InputError, match="view is 'policies', expected one of: best_policies, "):
        frames.view(record, "policies")


def test_the_dictionary_as_a_frame():
    found = frames.columns(to="polars")
    cost = found.filter((pl.col("table") == "policy_iterations") & (pl.col("column") == "old_cost"))
    assert cost.rows(named=True) == [
        {
            "table": "policy_iterations",
            "column": "old_cost",
            "type": "DOUBLE",
            "unit": "cents",
            "is_key": False,
            "is_optional": False,
            "meaning": "Cost of the old policy (cents).",
        }
    ]


def test_bad_input(record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(InputError, match="to is 'numpy', expected one of: arrow, polars, pandas"):
        frames.sessions(record, to="numpy")  # type: ignore[arg-type]
    with pytest.raises(NotADatabaseError):
        frames.sessions(tmp_path / "nowhere.db")
    with DatabaseManager(":memory:") as manager, pytest.raises(SchemaMissingError):
        frames.sessions(GameRepository(manager.conn))
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "polars":
            raise ModuleNotFoundError("No module named 'polars'", name="polars")
        return real(name, *rest, **more)

    monkeypatch.delitem(__import__("sys").modules, "polars")
    monkeypatch.setattr("payment_simulator.analysis.frames.import_module", without)
    with pytest.raises(InputError, match=r"polars frames need polars.*payment-simulator\[frames\]"):
        frames.sessions(record, to="polars")
