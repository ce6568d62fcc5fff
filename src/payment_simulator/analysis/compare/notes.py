"""What has to be said before games are compared; nothing that cannot be is compared in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from payment_simulator.analysis.compare.figures import GameFigures
from payment_simulator.analysis.compare.groups import Group
from payment_simulator.analysis.compare.pairs import notes_on_days
from payment_simulator.analysis.compare.texts import some
from payment_simulator.analysis.game_state import INTERRUPTED
from payment_simulator.wording import visible

if TYPE_CHECKING:
    from payment_simulator.analysis.compare.baselines import GameBaselines

#: Characters of a hash that tell scenarios of one name apart.
_HASH = 8


def notes_on(
    games: Sequence[GameFigures],
    groups: Sequence[Group],
    baselines: Mapping[str, GameBaselines],
    without: Mapping[str, str],
) -> tuple[str, ...]:
    """Return what has to be said of a comparison, a sentence or two each.

    Parameters
    ----------
    baselines : mapping of game to GameBaselines
    without : mapping of game to str
        Why a game has no baselines.
    """
    found = [*_on_scenarios(games), *_on_modes(games), *_on_costs(games), *_on_versions(games)]
    found += [*_on_groups(games, groups), *notes_on_days(games, groups)]
    found += [f"No baselines of {game}: {why}" for game, why in without.items()]
    found += [f"{game}: {note}" for game, own in baselines.items() for note in own.notes]
    return tuple(visible(note) for note in found)


def _by(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return games by a value of theirs."""
    found: dict[str, list[str]] = {}
    for game, value in values.items():
        found.setdefault(value, []).append(game)
    return found


def _listed(parts: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{name} ({some(list(games))})" for name, games in parts.items())


def _on_scenarios(games: Sequence[GameFigures]) -> Iterator[str]:
    known = {game.game_id: game for game in games if game.scenario_sha256}
    hashes = _by({name: str(game.scenario_sha256) for name, game in known.items()})
    if len(hashes) > 1:
        names = [known[those[0]].scenario for those in hashes.values()]
        told = {
            f"{name} [{digest[:_HASH]}]" if names.count(name) > 1 else name: those
            for name, (digest, those) in zip(names, hashes.items(), strict=True)
        }
        yield (
            f"Different scenarios: {_listed(told)}. Their costs are not comparable: other payments "
            "at other prices."
        )
    unknown = [game.game_id for game in games if not game.scenario_sha256]
    if unknown and len(games) > 1:
        yield (
            f"The record does not hold the scenario of {some(unknown)}; whether their costs are "
            "comparable with others is not known, and they are in no group."
        )


def _on_modes(games: Sequence[GameFigures]) -> Iterator[str]:
    modes = _by({game.game_id: game.game_mode for game in games})
    if len(modes) > 1:
        yield (
            f"Different modes: {_listed(modes)}. Costs of a campaign are means of held-out days, "
            "those of a running simulation are of its one run."
        )


def _on_costs(games: Sequence[GameFigures]) -> Iterator[str]:
    stands = _by({game.game_id: game.state for game in games if not game.has_ended})
    if stands:
        yield f"Not played to the end: {_listed(stands)}. They are in no mean."
    if INTERRUPTED in stands:
        yield (
            f"Nobody plays {some(stands[INTERRUPTED])}. To go on: "
            "payment-sim resume GAME --db FILE."
        )
    measured = [game.game_id for game in games if game.cost_source == "steps"]
    if measured:
        yield (
            f"The record has no outcomes on held-out days of {some(measured)}: costs of banks are "
            "those that their first and last steps measured."
        )


def _on_versions(games: Sequence[GameFigures]) -> Iterator[str]:
    known = {game.game_id: game.package_version for game in games if game.package_version}
    versions = _by({name: f"payment-simulator {version}" for name, version in known.items()})
    if len(versions) > 1:
        yield f"Different programs: {_listed(versions)}. The changelog says whether numbers differ."


def _on_groups(games: Sequence[GameFigures], groups: Sequence[Group]) -> Iterator[str]:
    ended = {game.game_id for game in games if game.has_ended}
    known = {game.game_id for game in games if game.scenario_sha256}
    alone = [g.counted[0] for g in groups if len(g.counted) == 1 and g.counted[0] in known]
    if alone:
        yield f"One game of its kind: {some(alone)}. One seed has no interval over seeds."
    for group in groups:
        again = [name for name in group.games if name in ended and name not in group.counted]
        if again:
            yield (
                f"Group {group.number} counts each seed once; left out of its means: {some(again)}."
            )
