"""Tables of a record as Arrow, polars or pandas, in one call each.

Every call takes the database file, or an open
:class:`~payment_simulator.ai_cash_mgmt.GameRepository`, and returns rows by their keys.
A file that a process is writing is read through that process. What the columns are:
:func:`columns`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeAlias

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import (
    BankStateRecord,
    DailyCostRecord,
    EvaluationSampleRecord,
    GameOutcomeRecord,
    GameSessionRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
    Record,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.analysis.dictionary import dictionary_rows
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.views import VIEWS
from payment_simulator.errors import GameNotFoundError, InputError, RunNotFoundError
from payment_simulator.persistence.arrow import arrow_batch
from payment_simulator.persistence.queries import named_queries

Source: TypeAlias = str | Path | GameRepository
Kind: TypeAlias = Literal["arrow", "polars", "pandas"]
Names: TypeAlias = str | Sequence[str] | None

_KINDS = ("arrow", "polars", "pandas")
_SQL = named_queries("payment_simulator.analysis.sql", "frames.sql")


def sessions(source: Source, *, to: Kind = "arrow") -> Any:
    """Return all games, one a row.

    Parameters
    ----------
    source : path, str or GameRepository
        The record.
    to : {"arrow", "polars", "pandas"}
        What comes back: an ``arro3.core.Table``, which anything that reads Arrow takes, or a frame
        (extra ``frames``). The same for every function here.

    Raises
    ------
    InputError
        The kind of frame is not known, or its library is not installed.
    """
    return _table(source, GameSessionRecord, None, to)


def iterations(source: Source, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return the steps of all games, or of one or some, one a row.

    Parameters
    ----------
    game : str or sequence of str, optional
        Which games.

    Raises
    ------
    GameNotFoundError
        A game is not in the record.
    """
    return _table(source, PolicyIterationRecord, game, to)


def samples(source: Source, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return paired evaluation samples: what old and new policy cost on each day of each step."""
    return _table(source, EvaluationSampleRecord, game, to)


def model_calls(source: Source, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return calls of language models, with prompts and answers in full.

    All texts of the games asked for must fit into memory.
    """
    kind = LLMInteractionRecord
    with _opened(source) as repository:
        return _chosen(
            repository, "llm_calls", list(kind.model_fields), kind.KEY, "game_id", game, to
        )


def outcomes(source: Source, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return what games brought their banks, at the start and at the end on the same days."""
    return _table(source, GameOutcomeRecord, game, to)


def simulation_runs(source: Source, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return simulation runs, one a row."""
    return _table(source, SimulationRunRecord, game, to)


def payments(source: Source, run: Names = None, *, to: Kind = "arrow") -> Any:
    """Return the payments of all simulation runs, or of one or some.

    Parameters
    ----------
    run : str or sequence of str, optional
        Which runs (``run_id``).

    Raises
    ------
    RunNotFoundError
        A run is not in the record.
    """
    return _table(source, TransactionRecord, run, to)


def events(source: Source, run: Names = None, *, to: Kind = "arrow") -> Any:
    """Return what happened in simulation runs, in order."""
    return _table(source, SimulationEventRecord, run, to)


def bank_states(source: Source, run: Names = None, *, to: Kind = "arrow") -> Any:
    """Return every bank at the end of every tick of simulation runs."""
    return _table(source, BankStateRecord, run, to)


def daily_costs(source: Source, run: Names = None, *, to: Kind = "arrow") -> Any:
    """Return costs of simulation runs by day, bank and kind."""
    return _table(source, DailyCostRecord, run, to)


def view(source: Source, name: str, game: Names = None, *, to: Kind = "arrow") -> Any:
    """Return a view of the record: answers to common questions.

    Parameters
    ----------
    name : str
        ``best_policies``, ``acceptance_rates``, ``cost_trajectory``, ``parameter_trajectory`` or
        ``llm_calls``.
    """
    known = {found.name: found for found in VIEWS}
    if name not in known:
        raise InputError(f"view is {name!r}, expected one of: {', '.join(known)}")
    columns = [column for column, _, _ in known[name].columns]
    key = [column for column in columns if column in _VIEW_KEYS]
    with _opened(source) as repository:
        return _chosen(repository, name, columns, key, "game_id", game, to)


_VIEW_KEYS = ("game_id", "agent_id", "iteration_number", "attempt_number", "parameter")


def columns(*, to: Kind = "arrow") -> Any:
    """Return what every column of every table and view is: type, unit, meaning."""
    return _as(arrow_batch(*dictionary_rows()), to)


def _table(source: Source, kind: type[Record], names: Names, to: Kind) -> Any:
    table = kind.table()
    by = "run_id" if kind.PARENT and kind.PARENT[2] == "run_id" else "game_id"
    with _opened(source) as repository:
        return _chosen(repository, table.name, table.columns, kind.KEY, by, names, to)


def _chosen(
    repository: GameRepository,
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    by: str,
    names: Names,
    to: Kind,
) -> Any:
    _check_kind(to)
    wanted = None if names is None else [names] if isinstance(names, str) else list(names)
    words = {"table": table, "columns": ", ".join(columns), "key": ", ".join(key), "by": by}
    if wanted is None:
        return _as(repository.read_arrow(_SQL["all_rows"].format(**words)), to)
    for name in wanted:
        _require(repository, by, name)
    words["marks"] = ", ".join("?" * len(wanted)) or "NULL"
    return _as(repository.read_arrow(_SQL["chosen_rows"].format(**words), wanted), to)


def _require(repository: GameRepository, by: str, name: str) -> None:
    if by == "game_id":
        if repository.get_game_session(name) is None:
            raise GameNotFoundError(name, repository.get_game_ids())
    elif repository.get_simulation_run(name) is None:
        known = (row[0] for row in repository.read(_SQL["run_ids"]))
        raise RunNotFoundError(name, known, "simulation_runs(...) lists those that are")


@contextmanager
def _opened(source: Source) -> Iterator[GameRepository]:
    if isinstance(source, GameRepository):
        yield source
        return
    with open_record(source) as repository:
        yield repository


def _check_kind(to: Kind) -> None:
    if to not in _KINDS:
        raise InputError(f"to is {to!r}, expected one of: {', '.join(_KINDS)}")


def _as(table: Any, to: Kind) -> Any:
    """Return an Arrow table as what was asked for."""
    _check_kind(to)
    if to == "arrow":
        return table
    try:
        library: Any = import_module(to)
        if to == "polars":
            return library.DataFrame(table)
        return import_module("pyarrow").table(table).to_pandas()
    except ModuleNotFoundError as error:
        raise InputError(
            f"{to} frames need {error.name}, which is not installed; it comes with the extra "
            "'frames': pip install 'payment-simulator[frames]'"
        ) from error
