"""Evaluation samples come as Arrow tables too, and a table gets in only where records would."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from arro3.core import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import EvaluationSampleRecord, GameRepository
from payment_simulator.errors import DuplicateKeyError, GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import VALUES, a_record, a_session
from tests.property.strategies import ODD_FLOATS
from tests.saving import bits, n_rows

Rows = list[dict[str, Any]]
LIBRARIES: dict[str, Callable[[Rows], Any]] = {
    "arro3": lambda rows: Table.from_arrow(pa.Table.from_pylist(rows)),
    "pyarrow": pa.Table.from_pylist,
    "pyarrow stream": lambda rows: pa.Table.from_pylist(rows).to_reader(max_chunksize=2),
    "polars": pl.DataFrame,
}
libraries = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture
def game(repo: GameRepository) -> GameRepository:
    repo.save_game_session(a_session())
    return repo


def rows_of(n: int, **changes: Any) -> Rows:
    """Return samples of one step, the last of them changed."""
    rows = [{**VALUES[EvaluationSampleRecord], "sample_number": k} for k in range(1, n + 1)]
    rows[-1] |= changes
    return rows


def stored(repo: GameRepository) -> list[str]:
    return [bits(sample) for sample in repo.get_evaluation_samples("game-001")]


@libraries
def test_samples_come_as_arrow(library: Callable[[Rows], Any], game: GameRepository):
    rows = rows_of(4, old_settlement_rate=None, old_cost=-0.0, new_cost=0.0, cost_improvement=-0.0)
    game.save_evaluation_samples(library(rows))
    assert stored(game) == [bits(EvaluationSampleRecord(**row)) for row in rows]
    game.save_evaluation_samples(library(rows[::-1]))
    assert game.get_superseded_records() == []
    rows[1]["sample_seed"] = 7
    game.save_evaluation_samples(library(rows))
    assert stored(game) == [bits(EvaluationSampleRecord(**row)) for row in rows]
    assert len(game.get_superseded_records("evaluation_samples")) == 1


def test_samples_of_several_steps_and_banks_come_in_one_table(game: GameRepository):
    rows = [
        {**VALUES[EvaluationSampleRecord], "agent_id": bank, "iteration_number": k}
        for k in (1, 2)
        for bank in ("A", "B")
    ]
    game.save_evaluation_samples(pl.DataFrame(rows))
    assert stored(game) == [bits(EvaluationSampleRecord(**row)) for row in rows]


@pytest.mark.sampled(10)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("old_cost", bad) for bad in (NAN, INFINITE, -INFINITE, None)),
        *(("new_cost", bad) for bad in (NAN, INFINITE, 1201.0, None)),
        *(("cost_improvement", bad) for bad in (NAN, -300.0, 300.01, 0.0, None)),
        *(("old_settlement_rate", bad) for bad in (1.5, -5e-324, NAN)),
        *(("sample_number", bad) for bad in (0, -1, 2**31, None)),
        *(("iteration_number", bad) for bad in (0, None)),
        *(("game_id", bad) for bad in ("", None)),
        *(("agent_id", bad) for bad in ("", None)),
        ("sample_seed", None),
    ],
)
def test_a_bad_row_is_refused_in_the_words_of_the_record(
    column: str, value: Any, game: GameRepository
):
    with pytest.raises(ValidationError) as said_by_the_record:
        a_record(EvaluationSampleRecord, **{column: value})
    with pytest.raises((ValidationError, GameNotFoundError)) as refusal:
        game.save_evaluation_samples(pa.Table.from_pylist(rows_of(4, **{column: value})))
    if isinstance(refusal.value, ValidationError):
        expected = said_by_the_record.value.errors()[0]["msg"]
        assert refusal.value.errors()[0]["msg"] == expected
    assert stored(game) == []


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("old_cost", ["1500"]),
        ("old_cost", pa.array([1500])),
        ("sample_number", [1.0]),
        ("sample_seed", [True]),
        ("game_id", pa.array([b"game-001"])),
        ("agent_id", [7]),
    ],
)
def test_a_column_that_would_be_changed_is_refused(column: str, values: Any, game: GameRepository):
    table = pa.Table.from_pylist(rows_of(1))
    table = table.set_column(table.column_names.index(column), column, pa.array(values))
    for rows in (table, table.slice(0, 0)):
        with pytest.raises((InputError, ValidationError), match=column):
            game.save_evaluation_samples(rows)
    assert stored(game) == []


@pytest.mark.parametrize("column", EvaluationSampleRecord.model_fields)
def test_a_missing_column_is_named(column: str, game: GameRepository):
    with pytest.raises((InputError, ValidationError), match=column):
        game.save_evaluation_samples(pa.Table.from_pylist(rows_of(2)).drop([column]))
    assert stored(game) == []


def test_what_is_refused_leaves_nothing_behind(game: GameRepository, manager: DatabaseManager):
    before = n_rows(manager)
    with pytest.raises(InputError, match=r"unknown colour"):
        game.save_evaluation_samples(pl.DataFrame(rows_of(1, colour="red")))
    with pytest.raises(DuplicateKeyError, match=r"evaluation_samples.*sample_number=1"):
        game.save_evaluation_samples(pl.DataFrame(rows_of(2, sample_number=1)))
    with pytest.raises(GameNotFoundError, match="'gmae-001' is not in the record"):
        game.save_evaluation_samples(pl.DataFrame(rows_of(3, game_id="gmae-001")))
    game.save_evaluation_samples(pl.DataFrame(rows_of(1)).clear())
    assert n_rows(manager) == before


def test_short_floats_are_widened_before_they_are_compared(game: GameRepository):
    exact = pa.array([16777216.0, 0.1, 1e30], pa.float32())
    less = pa.array([1.0, 0.3, 1e30], pa.float32())
    olds, news = exact.to_pylist(), less.to_pylist()
    gains = [old - new for old, new in zip(olds, news, strict=True)]
    table = pa.Table.from_pylist(rows_of(3))
    for name, column in (
        ("old_cost", exact),
        ("new_cost", less),
        ("cost_improvement", pa.array(gains, pa.float64())),
    ):
        table = table.set_column(table.column_names.index(name), name, column)
    game.save_evaluation_samples(table)
    assert [s.cost_improvement for s in game.get_evaluation_samples("game-001")] == gains


def test_a_table_and_records_are_refused_alike(game: GameRepository):
    taken = {True: 0, False: 0}
    floats = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(ODD_FLOATS)

    @given(old=floats, new=floats, factor=st.sampled_from([0.0, 0.5, 0.999, 1.0, 1.001, 2.0]))
    @settings(max_examples=150)
    def at_the_edge(old: float, new: float, factor: float) -> None:
        slack = max(1e-6, 1e-9 * max(abs(old), abs(new)))
        gain = old - new + factor * slack
        if not math.isfinite(gain):
            return
        (row,) = rows_of(1, old_cost=old, new_cost=new, cost_improvement=gain)
        try:
            expected = [bits(EvaluationSampleRecord(**row))]
        except ValidationError:
            expected = []
        game._store.write("DELETE FROM evaluation_samples")
        try:
            game.save_evaluation_samples(pa.Table.from_pylist([row]))
        except ValidationError:
            assert expected == []
        assert stored(game) == expected
        taken[bool(expected)] += 1

    at_the_edge()
    assert min(taken.values()) > 0


def test_a_table_of_many_samples(game: GameRepository):
    n = 20_000
    old = np.random.default_rng(1).normal(1e7, 1e5, n)
    new = np.random.default_rng(2).normal(1e7, 1e5, n)
    table = pl.DataFrame(
        {
            "game_id": ["game-001"] * n,
            "agent_id": ["BANK_A"] * n,
            "iteration_number": np.full(n, 3, dtype=np.int32),
            "sample_number": np.arange(1, n + 1, dtype=np.int32),
            "sample_seed": np.arange(n),
            "old_cost": old,
            "new_cost": new,
            "cost_improvement": old - new,
            "old_settlement_rate": np.ones(n),
            "new_settlement_rate": np.ones(n),
        }
    )
    game.save_evaluation_samples(table)
    found = game.get_evaluation_samples("game-001", "BANK_A", 3)
    assert [s.cost_improvement for s in found] == (old - new).tolist()
