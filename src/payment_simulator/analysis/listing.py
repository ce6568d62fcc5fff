"""Lists games: filtered, sorted, a page at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict

from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameMode, one_of
from payment_simulator.analysis.game_state import STATES
from payment_simulator.errors import InputError
from payment_simulator.persistence.queries import named_queries
from payment_simulator.persistence.reading import Readable
from payment_simulator.persistence.store import Row

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameSessionRecord

#: What games can be sorted by, and the column of the query that holds it.
SORTS: Mapping[str, str] = MappingProxyType(
    {
        "started": "started_at",
        "game": "game_id",
        "status": "state",
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


class Page(TypedDict, total=False):
    """In which order :func:`list_games` lists games."""

    sort: str
    descending: bool


@dataclass(frozen=True)
class GameRow:
    """A game in a list.

    Attributes
    ----------
    game_id : str
    status : str
        As it is stored.
    state : str
        What the game is shown as: its status, or interrupted where nobody plays it.
    game_mode : str
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
    state: str
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
    repo: Readable,
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
    repo : Readable
        Such as a ``GameRepository``.
    status : str, optional
        Only games that are shown as this: with one of the record's statuses, or interrupted.
    mode : str, optional
        Only games of this mode.
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
    return [_game(row) for row in found]


def list_sessions(
    repo: Readable,
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
    return [_session(row) for row in found]


def count_games(
    repo: Readable,
    *,
    status: str | None = None,
    mode: str | None = None,
    scenario: str | None = None,
    text: str | None = None,
) -> int:
    """Return how many games there are under the filters of :func:`list_games`."""
    filters = _filters(status, mode, scenario, text)
    with repo.one_snapshot():
        [(number,)] = repo.read(_query("count_games"), [*filters, sorted(repo.at_work())])
    return int(number)


def configuration_of(repo: Readable, game: GameRow) -> str:
    """Return the configuration of a game in a list."""
    [(found,)] = repo.read(_query("configuration"), [game.game_id])
    return str(found)


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


def _read(repo: Readable, page: _Page, config: str, filters: list[str | None]) -> list[Row]:
    """Return the rows of games, the state and the name of the scenario behind each."""
    sql = _query("games", order=page.order(), config=config)
    with repo.one_snapshot():
        return repo.read(sql, [*filters, sorted(repo.at_work()), *page.bounds()])


def _query(name: str, **parts: str) -> str:
    queries = named_queries("payment_simulator.analysis.sql", "listing.sql")
    return queries[name].format(chosen=queries["chosen"], **parts)


def _filters(
    status: str | None, mode: str | None, scenario: str | None, text: str | None
) -> list[str | None]:
    return [
        _state(status),
        _known(GameMode, mode, "mode"),
        scenario or None,
        text or None,
    ]


def _state(given: str | None) -> str | None:
    if given is not None and given not in STATES:
        raise InputError(f"status: {given!r} is not one of: {', '.join(STATES)}")
    return given


def _known(kind: type[StrEnum], given: str | None, name: str) -> str | None:
    try:
        return None if given is None else str(one_of(kind, given))
    except ValueError as error:
        raise InputError(f"{name}: {error}") from None


def _session(row: Row) -> GameSessionRecord:
    """Return the record of a game's row; it says what is damaged in it."""
    # Loading the records takes longer than a list of a thousand games.
    from payment_simulator.ai_cash_mgmt import GameSessionRecord  # noqa: PLC0415

    return GameSessionRecord.from_row(row[:-2])


def _texts(stored: str) -> list[str] | None:
    try:
        found = json.loads(stored)
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(t, str) for t in found) else None


def _game(row: Row) -> GameRow:
    game, scenario_config, seed, mode, _, started, completed, status, banks = row[:9]
    agents = _texts(banks)
    # DuckDB gives a time beyond Python's as a text.
    if agents is None or isinstance(started, str) or isinstance(completed, str):
        agents = _session(row).optimized_agents
    return GameRow(
        game_id=game,
        status=status,
        state=row[-2],
        game_mode=mode,
        scenario=row[-1],
        scenario_config=scenario_config,
        master_seed=seed,
        started_at=started,
        completed_at=completed,
        iterations=row[9],
        agents=tuple(agents),
        final_cost=row[11],
        converged=bool(row[10]),
    )
