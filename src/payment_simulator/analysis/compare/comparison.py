"""Games side by side, with what has to be said about comparing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.games import read_games
from payment_simulator.analysis.compare.groups import Group, grouped
from payment_simulator.analysis.compare.intervals import below_games, over_seeds
from payment_simulator.analysis.compare.notes import notes_on
from payment_simulator.analysis.compare.pairs import Pairing, paired
from payment_simulator.errors import InputError, PaymentSimulatorError

if TYPE_CHECKING:
    from payment_simulator.analysis.compare.baselines import GameBaselines


@dataclass(frozen=True)
class Comparison:
    """Games side by side.

    Attributes
    ----------
    games : tuple of GameFigures
        In the order in which they were named.
    groups : tuple of Group
        Games that differ in their seed alone; every game is in one.
    baselines : Mapping of str to GameBaselines
        By game; empty where none were asked for.
    pairing : Pairing or None
        Differences by seed, where exactly two groups have the same held-out days.
    notes : tuple of str
        What a reader has to know: costs that cannot be compared, games without baselines.
    """

    games: tuple[GameFigures, ...]
    groups: tuple[Group, ...]
    baselines: Mapping[str, GameBaselines]
    pairing: Pairing | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "games": [game.to_dict() for game in self.games],
            "groups": [group.to_dict() for group in self.groups],
            "baselines": {name: found.to_dict() for name, found in self.baselines.items()},
            "paired": None if self.pairing is None else self.pairing.to_dict(),
            "intervals": self._intervals(),
            "notes": list(self.notes),
        }

    def _intervals(self) -> list[str]:
        """Return what intervals are of, in words."""
        groups = (group for group in self.groups if group.estimates)
        return [
            *below_games(self.games),
            *(f"Group {group.number}. {over_seeds(group)}" for group in groups),
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each bank of each game, with what is the game's repeated.

        All rows have the same columns, whatever the games: ``polars.DataFrame(found.rows())``.
        Costs are in cents. Columns of the game begin with ``game_`` where its banks have a column
        of that name; a parameter has the column ``parameter_NAME``.
        """
        group_of = {name: group.number for group in self.groups for name in group.games}
        names = sorted({n for game in self.games for bank in game.banks for n in bank.parameters})
        return [
            {
                "group": group_of[game.game_id],
                **_of_game(game),
                **_of_bank(bank, names),
                **(_of_baselines(self.baselines.get(game.game_id), bank) if self.baselines else {}),
            }
            for game in self.games
            for bank in game.banks or (_NO_BANK,)
        ]


_NO_BANK = BankFigures(
    "",
    False,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    None,
    MappingProxyType({}),
    *3 * (None,),
    0,
    0,
)
_BANK_COLUMNS = tuple(f.name for f in fields(BankFigures) if f.name != "parameters")


def _of_game(game: GameFigures) -> dict[str, Any]:
    found = {f.name: getattr(game, f.name) for f in fields(game) if f.name != "banks"}
    found["proposers"] = ", ".join(game.proposers)
    return {f"game_{n}" if n in _BANK_COLUMNS else n: value for n, value in found.items()}


def _of_bank(bank: BankFigures, parameters: Sequence[str]) -> dict[str, Any]:
    own = {name: getattr(bank, name) for name in _BANK_COLUMNS}
    return {**own, **{f"parameter_{name}": bank.parameters.get(name) for name in parameters}}


def _of_baselines(found: GameBaselines | None, bank: BankFigures) -> dict[str, Any]:
    names = ("start", "fifo", "optimum")
    by_name = {} if found is None else {b.name: b for b in found.baselines}
    own = {
        f"{name}_baseline_cost": by_name[name].costs.get(bank.bank) if name in by_name else None
        for name in names
    }
    totals = {
        f"game_{name}_baseline_cost": by_name[name].total if name in by_name else None
        for name in names
    }
    share = None if found is None else found.share_of_possible_gain
    return {**own, **totals, "game_share_of_possible_gain": share}


def compare_games(
    repo: GameRepository,
    game_ids: Sequence[str],
    *,
    baselines: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Set games side by side.

    Parameters
    ----------
    repo : GameRepository
        May be open for reading only.
    game_ids : sequence of str
        A game that is named twice is shown once.
    baselines : bool
        Whether to play, on the held-out days of each game, what its banks would have paid under
        other policies: those at the start, Fifo, and the social optimum. Nobody is asked for a
        proposal, and no code that the record names is run.
    threads : int, optional
        For these simulations; results do not depend on it.
    progress : callable, optional
        Called with the number of runs finished and the number of all, of one game at a time.

    Returns
    -------
    Comparison

    Raises
    ------
    GameNotFoundError
        There is no such game; the message names the nearest ids.
    InputError
        No game was named.
    """
    if isinstance(game_ids, str):
        game_ids = [game_ids]
    if not game_ids:
        raise InputError("no game is named; expected at least one")
    wanted = list(dict.fromkeys(game_ids))
    read = read_games(repo, wanted)
    figures = tuple(game.figures for game in read)
    found: dict[str, GameBaselines] = {}
    without: dict[str, str] = {}
    if baselines:
        from payment_simulator.analysis.compare.baselines import (  # noqa: PLC0415 - the engine
            game_baselines,
        )

        for game_id in wanted:
            try:
                found[game_id] = game_baselines(repo, game_id, threads=threads, progress=progress)
            except PaymentSimulatorError as error:
                without[game_id] = str(error)
    groups = grouped(read, found)
    pairing = paired(figures, groups)
    notes = notes_on(figures, groups, found, without)
    twice = [name for name in wanted if list(game_ids).count(name) > 1]
    said = tuple(f"{name} is named more than once; it is shown once." for name in twice)
    return Comparison(figures, groups, MappingProxyType(found), pairing, said + notes)
