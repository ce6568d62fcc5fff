"""How far a game is, and which steps stand beside another."""

from __future__ import annotations

from dataclasses import dataclass

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.game_state import game_state
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.queries import named_queries


@dataclass(frozen=True)
class Progress:
    """How far a game is.

    Attributes
    ----------
    status : str
        As it is stored.
    steps, iteration : int
        Steps recorded, and the iteration of the last; 0 where there is none.
    state : str
        What the game is shown as: its status, or interrupted where nobody plays it.
    """

    status: str
    steps: int
    iteration: int
    state: str


@dataclass(frozen=True)
class Neighbours:
    """Steps beside a step.

    Attributes
    ----------
    before, after : int or None
        Iterations of the same bank's steps before it and after it.
    banks : tuple of str
        Banks with a step in the same iteration, this one included.
    """

    before: int | None
    after: int | None
    banks: tuple[str, ...]


def game_progress(repo: GameRepository, game_id: str) -> Progress:
    """Return how far a game is.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    """
    with repo.one_snapshot():
        found = repo.read(_sql("progress"), (game_id,))
        if not found:
            raise GameNotFoundError(game_id, repo.get_game_ids())
        status, steps, iteration = found[0]
        return Progress(status, steps, iteration, game_state(status, game_id, repo.at_work()))


def neighbours(repo: GameRepository, game_id: str, agent_id: str, iteration: int) -> Neighbours:
    """Return the steps beside a step of a bank."""
    [(before, after)] = repo.read(_sql("neighbours"), (game_id, agent_id, iteration))
    banks = repo.read(_sql("banks_of_iteration"), (game_id, iteration))
    return Neighbours(before, after, tuple(bank for (bank,) in banks))


def _sql(name: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "progress.sql")[name]
