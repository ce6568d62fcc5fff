"""Games that differ in their seed alone: means over seeds, and how sure these are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.evaluation.student import t_quantile
from payment_simulator.analysis.compare.figures import GameFigures
from payment_simulator.analysis.compare.games import ReadGame, kinds_of, query
from payment_simulator.errors import GameNotFoundError, InputError

if TYPE_CHECKING:
    from payment_simulator.analysis.compare.baselines import GameBaselines

#: Of the intervals over games, two-sided.
CONFIDENCE = 0.95
METHOD = "mean over games of independent seeds; two-sided interval by Student's t"

#: What is estimated of a game, and of each of its banks.
_OF_GAMES = (
    "start_cost",
    "final_cost",
    "improvement",
    "iterations",
    "last_accepted_iteration",
    "converged_iteration",
    "acceptance_rate",
    "distance_from_equilibrium",
    "price_of_anarchy",
    "tokens_used",
    "cost_usd",
)
_OF_BANKS = (
    "start_cost",
    "final_cost",
    "improvement",
    "start_settlement_rate",
    "final_settlement_rate",
    "regret",
)
#: What is being estimated: the quantity, the bank or None, the parameter or None.
_Key = tuple[str, str | None, str | None]


@dataclass(frozen=True)
class Estimate:
    """A mean over the games of a group.

    Attributes
    ----------
    quantity : str
        As :class:`GameFigures` and ``BankFigures`` call it; ``parameter`` of a parameter;
        ``share_of_possible_gain``, ``fifo_cost`` and ``optimum_cost`` of baselines.
    bank : str or None
        None where it is of the whole game.
    parameter : str or None
        Which parameter, of ``parameter``.
    n : int
        Games that have it.
    mean : float
    low, high : float or None
        Ends of the interval; None where there is one game.
    """

    quantity: str
    bank: str | None
    parameter: str | None
    n: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Group:
    """Games that differ in seed, id and output alone.

    Attributes
    ----------
    number : int
        Counted from 1, in the order in which games were named.
    games : tuple of str
    counted : tuple of str
        Those that the means are of: played to their end, and one of each seed.
    scenario : str
    estimates : tuple of Estimate
        None where fewer than two games are counted.
    """

    number: int
    games: tuple[str, ...]
    counted: tuple[str, ...]
    scenario: str
    estimates: tuple[Estimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {**asdict(self), "confidence": CONFIDENCE, "method": METHOD}


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float, float]:
    """Return a mean and the ends of its two-sided interval by Student's t.

    Parameters
    ----------
    values : sequence of float
        Independent draws, at least two.
    confidence : float
        Between 0 and 1.

    Raises
    ------
    InputError
        There are fewer than two.
    """
    n = len(values)
    if n < 2:  # noqa: PLR2004 - one value has no spread
        raise InputError(f"{n} values; expected two or more, for one alone has no spread")
    if min(values) == max(values):
        return values[0], values[0], values[0]
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    margin = t_quantile((1 + confidence) / 2, n - 1) * math.sqrt(squares / (n - 1) / n)
    return mean, mean - margin, mean + margin


def grouped(games: Sequence[ReadGame], baselines: Mapping[str, GameBaselines]) -> tuple[Group, ...]:
    """Return the groups of games, in the order in which their first games are named."""
    by_kind: dict[str, list[GameFigures]] = {}
    for place, game in enumerate(games):
        by_kind.setdefault(game.kind or f"unknown {place}", []).append(game.figures)
    return tuple(
        _group(number, members, baselines) for number, members in enumerate(by_kind.values(), 1)
    )


def _group(
    number: int, members: Sequence[GameFigures], baselines: Mapping[str, GameBaselines]
) -> Group:
    by_seed: dict[int, GameFigures] = {}
    for game in members:
        if game.has_ended:
            by_seed.setdefault(game.master_seed, game)
    counted = tuple(by_seed.values())
    values: dict[_Key, list[float]] = {}
    for game in counted:
        for key, value in _values(game, baselines.get(game.game_id)):
            values.setdefault(key, []).append(value)
    return Group(
        number=number,
        games=tuple(game.game_id for game in members),
        counted=tuple(game.game_id for game in counted),
        scenario=members[0].scenario,
        estimates=tuple(_estimate(key, v) for key, v in values.items()) if counted[1:] else (),
    )


def _estimate(key: _Key, values: Sequence[float]) -> Estimate:
    if len(values) == 1:
        return Estimate(*key, 1, values[0], None, None)
    mean, low, high = estimate(values)
    return Estimate(*key, len(values), mean, low, high)


def _values(game: GameFigures, baselines: GameBaselines | None) -> Iterator[tuple[_Key, float]]:
    """Go through all of a game that is estimated, as far as the record has it."""
    for bank in game.banks:
        for name in _OF_BANKS:
            if (value := getattr(bank, name)) is not None:
                yield (name, bank.bank, None), float(value)
        for parameter, number in bank.parameters.items():
            yield ("parameter", bank.bank, parameter), number
    for name in _OF_GAMES:
        if (value := getattr(game, name)) is not None:
            yield (name, None, None), float(value)
    if baselines is not None:
        for name, value in baselines.estimated().items():
            yield (name, None, None), value


def all_seeds_of(repo: GameRepository, game_id: str) -> list[str]:
    """Return the games whose configuration is that of a game but for seed, id and output.

    Returns
    -------
    list of str
        The game itself among them, by seed and then by id. Scenario, payments and starting
        policies are the same to the letter.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The record does not hold what the game was made of.
    """
    session = repo.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repo.get_game_ids())
    kinds = kinds_of(
        repo, [row[0] for row in repo.read(query("games_of_mode"), [session.game_mode])]
    )
    wanted = kinds[game_id]
    if wanted is None:
        raise InputError(
            f"game {game_id!r}: the record does not hold the text of its scenario, so its "
            "repetitions cannot be told; name the games one by one"
        )
    return [found for found, kind in kinds.items() if kind == wanted]
