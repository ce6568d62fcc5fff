"""Two groups of games on the same days: what the second costs more, seed by seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from payment_simulator.analysis.compare.figures import GameFigures
from payment_simulator.analysis.compare.groups import CONFIDENCE, Estimate, Group, estimate
from payment_simulator.analysis.compare.texts import some

METHOD = "mean difference of games of one seed; two-sided interval by Student's t over seeds"
#: Fewer seeds have no spread.
_FEWEST = 2


@dataclass(frozen=True)
class Pairing:
    """What the games of one group cost more than those of another, seed by seed.

    Attributes
    ----------
    first, second : int
        Numbers of the groups; differences are the second less the first.
    seeds : tuple of int
        Those of both.
    pairs : tuple of tuple of str
        The games of each seed, that of the first group first.
    differences : tuple of Estimate
        ``final_cost_difference`` of each bank that all games have and of all banks together; cents.
    """

    first: int
    second: int
    seeds: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]
    differences: tuple[Estimate, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {**asdict(self), "confidence": CONFIDENCE, "method": METHOD}


def paired(games: Sequence[GameFigures], groups: Sequence[Group]) -> Pairing | None:
    """Return the differences by seed where exactly two groups have means, and the same days.

    They have where scenario, mode, number of held-out days and the way these were drawn are the
    same; None where they are not, or where fewer than two seeds are in both.
    """
    repeated = [group for group in groups if group.counted[1:]]
    if len(repeated) != _FEWEST:
        return None
    first, second = (_by_seed(games, group) for group in repeated)
    seeds = tuple(sorted(first.keys() & second.keys()))
    if len(seeds) < _FEWEST:
        return None
    couples = [(first[seed], second[seed]) for seed in seeds]
    if any(_days(game) is None or _days(game) != _days(couples[0][0]) for both in couples
           for game in both):  # fmt: skip
        return None
    return Pairing(
        first=repeated[0].number,
        second=repeated[1].number,
        seeds=seeds,
        pairs=tuple((one.game_id, other.game_id) for one, other in couples),
        differences=tuple(_differences(couples)),
    )


def _by_seed(games: Sequence[GameFigures], group: Group) -> dict[int, GameFigures]:
    return {game.master_seed: game for game in games if game.game_id in group.counted}


def _days(game: GameFigures) -> tuple[object, ...] | None:
    """Return what decides, with the seed, which days were held out; None where it is not known."""
    if game.scenario_sha256 is None or game.num_samples is None or game.sample_method is None:
        return None
    return (game.scenario_sha256, *_sampling(game))


def _sampling(game: GameFigures) -> tuple[object, ...]:
    if game.game_mode == "rl_optimization":
        # Costs at the end are of the run itself, however steps were judged.
        return (game.game_mode,)
    return game.game_mode, game.num_samples, game.sample_method, game.observed_runs


def _differences(couples: Sequence[tuple[GameFigures, GameFigures]]) -> Iterator[Estimate]:
    costs = [tuple(map(_costs, both)) for both in couples]
    for bank in costs[0][0]:
        values = [
            second[bank] - first[bank]
            for first, second in costs
            if bank in first and bank in second
        ]
        if len(values) == len(couples):
            mean, low, high = estimate(values)
            yield Estimate("final_cost_difference", bank, None, len(values), mean, low, high)


def _costs(game: GameFigures) -> Mapping[str | None, float]:
    """Return the final cost of each bank, and at None that of all."""
    costs: dict[str | None, float | None] = {bank.bank: bank.final_cost for bank in game.banks}
    costs[None] = game.final_cost
    return {bank: cost for bank, cost in costs.items() if cost is not None}


def notes_on_days(games: Sequence[GameFigures], groups: Sequence[Group]) -> Iterator[str]:
    """Go through what has to be said of groups that do not have the same days or seeds."""
    repeated = [group for group in groups if group.counted[1:]]
    by_id = {game.game_id: game for game in games}
    firsts = [by_id[group.counted[0]] for group in repeated]
    if len({_sampling(game) for game in firsts}) > 1:
        told = "; ".join(
            f"group {group.number} {_told(game)}"
            for group, game in zip(repeated, firsts, strict=True)
        )
        yield (
            f"Groups differ in their held-out days: {told}. The same seed does not mean the same "
            "days, so nothing is paired by seed."
        )
        return
    if len(repeated) != _FEWEST or len({_days(game) for game in firsts}) > 1:
        return
    first, second = (_by_seed(games, group) for group in repeated)
    shared = first.keys() & second.keys()
    if len(shared) < _FEWEST:
        seeds = f"only seed {min(shared)}" if shared else "no seed"
        yield (
            f"Groups {repeated[0].number} and {repeated[1].number} have {seeds} in common, so "
            "nothing is paired by seed."
        )
        return
    single = [
        game.game_id for own in (first, second) for seed, game in own.items() if seed not in shared
    ]
    if single:
        yield f"In no pair, for the other group lacks the seed: {some(single)}."


def _told(game: GameFigures) -> str:
    if game.game_mode == "rl_optimization":
        return "has the run of a running simulation"
    days = f"{game.num_samples:,}" if game.num_samples is not None else "an unknown number"
    if game.sample_method in {None, "fresh"}:
        return f"has {days} ({game.sample_method or 'drawn in an unknown way'})"
    return f"has {days} ({game.sample_method}, from {game.observed_runs or 0:,} observed runs)"
