"""Lists games: filtered, sorted, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypedDict

from payment_simulator.ai_cash_mgmt import (
    GameMode,
    GameRepository,
    GameSessionRecord,
    GameStatus,
)
from payment_simulator.errors import InputError
from payment_simulator.persistence.queries import named_queries

#: What games can be sorted by, and the column of the query that holds it.
SORTS: Mapping[str, str] = MappingProxyType(
    {
        "started": "started_at",
        "game": "game_id",
        "status": "status",
        "iterations": "iterations",
        "cost": "final_cost",
        "scenario": "scenario",
        "seed": "master_seed",
    }
)
_LARGEST = 2**63 - 1


class Filters(TypedDict, total=False):
    """What :func:`list_games` and :func:`count_games` leave out games by."""

    status: str | None
    mode: str | None
    scenario: str | None
    text: str | None


@dataclass(frozen=True)
class GameRow:
    """A game in a list.

    Attributes
    ----------
    game_id : str
    status, game_mode : str
    scenario : str
        What the scenario is called: the name of its file, without folders and ``.yaml``.
    scenario_config : str
        Its path, as the game file has it.
    master_seed : int
    started_at, completed_at : datetime
        UTC; None where the game has not ended.
    iterations : int
        As many as were played; while the game runs, those up to its last step.
    agents : tuple of str
        The banks that play.
    final_cost : float or None
        Of all banks (cents); None where it has not been measured.
    converged : bool
    """

    game_id: str
    status: str
    game_mode: str
    scenario: str
    scenario_config: str
    master_seed: int
    started_at: datetime
    completed_at: datetime | None
    iterations: int
    agents: tuple[str, ...]
    final_cost: float | None
    converged: bool


def list_games(
    repo: GameRepository,
    *,
    status: str | None = None,
    mode: str | None = None,
    scenario: str | None = None,
    text: str | None = None,
    sort: str = "started",
    descending: bool = True,
    limit: int = 100,
    offset: int = 0,
) -> list[GameRow]:
    """List games, newest first unless told otherwise.

    Parameters
    ----------
    repo : GameRepository
    status, mode : str, optional
        Only games with this status, of this mode.
    scenario : str, optional
        Only games whose scenario's name has this part, in capitals or not. No character is a
        wildcard.
    text : str, optional
        Only games of which the identifier, the scenario, a bank or a proposer has this part.
    sort : str
        One of :data:`SORTS`. Of games that are equal in it the newest comes first, and of those
        that started together the first by identifier; games without a cost come last.
    descending : bool
        Whether the largest comes first.
    limit, offset : int
        At most so many, after so many.

    Raises
    ------
    InputError
        A filter or the order names what does not exist, or a number is out of range.
    """
    page = _Page(sort, descending, limit, offset)
    found = _read(repo, page, "''", _filters(status, mode, scenario, text))
    return [_game(session, name) for session, name in found]


def list_sessions(
    repo: GameRepository,
    *,
    status: str | None = None,
    mode: str | None = None,
    scenario: str | None = None,
    text: str | None = None,
    sort: str = "started",
    descending: bool = True,
    limit: int = 100,
    offset: int = 0,
) -> list[GameSessionRecord]:
    """List games as :func:`list_games` does, as records with their configurations.

    They differ from the rows of the table in one thing: iterations of a game that runs are those up
    to its last step.
    """
    page = _Page(sort, descending, limit, offset)
    found = _read(repo, page, "config_json", _filters(status, mode, scenario, text))
    return [session for session, _ in found]


def count_games(
    repo: GameRepository,
    *,
    status: str | None = None,
    mode: str | None = None,
    scenario: str | None = None,
    text: str | None = None,
) -> int:
    """Return how many games there are under the filters of :func:`list_games`."""
    [(number,)] = repo.read(_query("count_games"), _filters(status, mode, scenario, text))
    return int(number)


@dataclass(frozen=True)
class _Page:
    """Which part of a list, and in which order."""

    sort: str
    descending: bool
    limit: int
    offset: int

    def order(self) -> str:
        if self.sort not in SORTS:
            raise InputError(f"sort: {self.sort!r} is not one of: {', '.join(SORTS)}")
        return f"{SORTS[self.sort]} {'DESC' if self.descending else 'ASC'}"

    def bounds(self) -> list[int]:
        for name, number, least in (("limit", self.limit, 1), ("offset", self.offset, 0)):
            if not least <= number <= _LARGEST:
                raise InputError(f"{name} is {number}, expected a whole number of at least {least}")
        return [self.limit, self.offset]


def _read(
    repo: GameRepository, page: _Page, config: str, filters: list[str | None]
) -> list[tuple[GameSessionRecord, str]]:
    """Return games, each with the name of its scenario."""
    sql = _query("games", order=page.order(), config=config)
    rows = repo.read(sql, [*filters, *page.bounds()])
    return [(GameSessionRecord.from_row(row[:-1]), row[-1]) for row in rows]


def _query(name: str, **parts: str) -> str:
    queries = named_queries("payment_simulator.analysis.sql", "listing.sql")
    return queries[name].format(chosen=queries["chosen"], **parts)


def _filters(
    status: str | None, mode: str | None, scenario: str | None, text: str | None
) -> list[str | None]:
    return [
        _known(GameStatus, status, "status"),
        _known(GameMode, mode, "mode"),
        scenario or None,
        text or None,
    ]


def _known(kind: type[StrEnum], given: str | None, name: str) -> str | None:
    known = [member.value for member in kind]
    if given is None:
        return None
    if given not in known:
        raise InputError(f"{name}: {given!r} is not one of: {', '.join(known)}")
    return str(given)


def _game(session: GameSessionRecord, scenario: str) -> GameRow:
    return GameRow(
        game_id=session.game_id,
        status=session.status,
        game_mode=session.game_mode,
        scenario=scenario,
        scenario_config=session.scenario_config,
        master_seed=session.master_seed,
        started_at=session.started_at,
        completed_at=session.completed_at,
        iterations=session.total_iterations,
        agents=tuple(session.optimized_agents),
        final_cost=session.final_cost,
        converged=session.converged,
    )
