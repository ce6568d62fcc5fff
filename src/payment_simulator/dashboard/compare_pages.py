"""Games side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.game_tables import listed_banks
from payment_simulator.analysis.compare.tables import SIDE_BY_SIDE, tables_of
from payment_simulator.analysis.progress import game_progress
from payment_simulator.analysis.trajectories import cost_trajectories
from payment_simulator.dashboard.bars import scale_of
from payment_simulator.dashboard.data import rounded
from payment_simulator.dashboard.site import site_of
from payment_simulator.dashboard.words import link
from payment_simulator.errors import InputError

FEWEST_GAMES, MOST_GAMES = 2, 20


@dataclass(frozen=True)
class _Drawn:
    """A bank in the games compared, and the scales that they share (cents)."""

    name: str
    games: list[tuple[str, BankFigures]]
    largest: float
    scale: tuple[float, float]


def compare(request: Request) -> Response:
    """Show games side by side."""
    ids = _ids(request.query_params)
    with site_of(request).source.reading() as repo:
        found = compare_games(repo, ids)
    return site_of(request).page(
        "compare.html",
        found=found,
        drawn=_drawn(found.games),
        tables=tables_of(found, is_side_by_side=len(found.games) <= SIDE_BY_SIDE),
        data="/data/compare?" + "&".join(link("", id=name)[1:] for name in ids),
    )


def _drawn(games: Sequence[GameFigures]) -> list[_Drawn]:
    """Return the costs of each bank in all games that have measured them."""
    banks = []
    for name in listed_banks(games):
        own = [
            (game.game_id, bank)
            for game in games
            for bank in game.banks
            if bank.bank == name and bank.final_cost is not None
        ]
        ends = [
            end
            for _, bank in own
            for end in (bank.improvement, bank.improvement_low, bank.improvement_high)
            if end is not None
        ]
        largest = max((bank.final_cost or 0.0 for _, bank in own), default=0.0)
        if own:
            banks.append(_Drawn(name, own, largest, scale_of(ends)))
    return banks


def costs(request: Request) -> Response:
    """Return the costs of every bank over the iterations of some games."""
    ids = _ids(request.query_params)
    banks: dict[str, dict[str, object]] = {}
    with site_of(request).source.reading() as repo:
        for game_id in ids:
            game_progress(repo, game_id)
            for bank, found in cost_trajectories(repo, game_id).items():
                # What the first policy cost stands before the first step.
                start = found.old_cost[:1] if found.iteration[:1] == (1,) else ()
                banks.setdefault(bank, {})[game_id] = {
                    "iteration": (*(0 for _ in start), *found.iteration),
                    "force": rounded((*start, *found.cost_in_force)),
                }
    return JSONResponse({"games": ids, "banks": banks})


def _ids(given: QueryParams) -> list[str]:
    """Return the games that are named, each once."""
    ids = list(dict.fromkeys(name for name in given.getlist("id") if name))
    if len(ids) < FEWEST_GAMES:
        raise InputError("choose two or more games in the list of games, then compare them")
    if len(ids) > MOST_GAMES:
        raise InputError(
            f"{len(ids)} games were chosen, expected at most {MOST_GAMES}; "
            "payment-sim compare takes any number"
        )
    return ids
