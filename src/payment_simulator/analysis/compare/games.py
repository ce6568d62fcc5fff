"""Reads the figures of games out of a record: a few queries, however many games."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.record.certified import CertifiedRegret, finite, regrets_of
from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.identity import (
    Texts,
    kind_of,
    optimized_parameters,
    sampling_of,
)
from payment_simulator.analysis.compare.texts import numbers_of, object_of
from payment_simulator.analysis.game_state import game_state
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.queries import named_queries

Row = tuple[Any, ...]


@dataclass(frozen=True)
class ReadGame:
    """A game as it was read.

    Attributes
    ----------
    figures : GameFigures
    kind : str or None
        Equal for games that differ in seed, id and output alone; None where that is not known.
    """

    figures: GameFigures
    kind: str | None


def query(name: str) -> str:
    """Return a query of comparisons by its name."""
    return named_queries("payment_simulator.analysis.sql", "compare.sql")[name]


def read_games(repo: GameRepository, game_ids: Sequence[str]) -> list[ReadGame]:
    """Read the figures of games, in the order in which they are named, of one state of the record.

    Raises
    ------
    GameNotFoundError
        There is no such game; the message names the nearest ids.
    """
    with repo.one_snapshot():
        tables = _Tables(repo, game_ids)
        missing = [game_id for game_id in game_ids if game_id not in tables.sessions]
        if missing:
            raise GameNotFoundError(missing[0], repo.get_game_ids())
        return [_game(name, tables, _last_policies(repo, name, tables)) for name in game_ids]


def _last_policies(repo: GameRepository, game_id: str, tables: _Tables) -> dict[str, str]:
    """Return the last policy of each bank: of outcomes, or of steps where there are none."""
    if game_id in tables.outcomes:
        return {row[1]: row[11] for row in tables.outcomes[game_id]}
    if game_id not in tables.steps:
        return {}
    # Banks end in the same iteration, or one apart; the later rows take the place of the earlier.
    first = min(row[4] for row in tables.steps[game_id])
    return dict(repo.read(query("last_policies"), [game_id, first]))


def kinds_of(repo: GameRepository, game_ids: Sequence[str]) -> dict[str, str | None]:
    """Return the kind of each game, as ``ReadGame`` has it; those not there are left out."""
    sessions = _of_games(repo, "sessions", game_ids)
    files = _by_game(or_nothing(lambda: _of_games(repo, "files", game_ids)))
    kinds = {
        row[0]: kind_of(row[5], row[2], row[6], Texts.of(_files(files.get(row[0], ()))))
        for row in sessions
    }
    return {game_id: kinds[game_id] for game_id in game_ids if game_id in kinds}


def _of_games(repo: GameRepository, name: str, game_ids: Sequence[str]) -> list[Row]:
    """Return the rows of a query on some games."""
    return repo.read(query(name).format(ids=", ".join("?" * len(game_ids))), list(game_ids))


def _by_game(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _files(rows: Iterable[Row]) -> list[tuple[str, str, str]]:
    return [(role, name, digest) for _, role, name, digest in rows]


class _Tables:
    """The rows of some games, table by table; of tables that an older file lacks, none."""

    def __init__(self, repo: GameRepository, game_ids: Sequence[str]) -> None:
        def rows(name: str) -> list[Row]:
            return _of_games(repo, name, game_ids)

        def later(name: str) -> list[Row]:
            return or_nothing(lambda: rows(name))

        self.at_work = repo.at_work()
        self.sessions = {row[0]: row for row in rows("sessions")}
        self.steps = _by_game(rows("steps"))
        self.proposers = _by_game(rows("proposers"))
        self.outcomes = _by_game(later("outcomes"))
        self.certificates = {row[0]: row for row in later("certificates")}
        self.files = _by_game(later("files"))
        self.versions = {row[0]: row[1] for row in later("versions")}
        self.calls = {row[0]: row for row in later("calls")}
        self.prices = _by_game(later("prices"))


def _game(game_id: str, tables: _Tables, policies: Mapping[str, str]) -> ReadGame:
    session = tables.sessions[game_id]
    _, status, mode, path, seed, config_json, agents, iterations, converged, final_cost = session
    texts = Texts.of(_files(tables.files.get(game_id, ())))
    steps = tables.steps.get(game_id, [])
    _, n_calls, n_priced, _, _ = tables.calls.get(game_id, (game_id, 0, 0, 0, 0))
    prices = [price for _, price in tables.prices.get(game_id, ())]
    certificate = tables.certificates.get(game_id, (game_id, "{}", *5 * (None,)))
    banks = _banks(game_id, tables, policies)
    has_outcomes = game_id in tables.outcomes
    method, observed_runs = sampling_of(object_of(config_json))
    start = _sum(bank.start_cost for bank in banks) if has_outcomes else None
    final = finite(final_cost)
    n_steps, n_accepted = (sum(row[place] for row in steps) for place in (2, 3))
    played = max([iterations or 0, *(row[4] for row in steps)])
    figures = GameFigures(
        game_id=game_id,
        status=status,
        state=game_state(status, game_id, tables.at_work),
        game_mode=mode,
        scenario=texts.scenario or path,
        scenario_sha256=texts.scenario_sha256,
        master_seed=seed,
        cost_source="outcomes" if has_outcomes else "steps" if steps else "none",
        num_samples=tables.outcomes[game_id][0][2] if has_outcomes else None,
        sample_method=method,
        observed_runs=observed_runs,
        banks=banks,
        start_cost=start,
        final_cost=final,
        improvement=None if start is None or final is None else start - final,
        iterations=played,
        last_accepted_iteration=max((row[5] for row in steps), default=0),
        converged_iteration=played if converged else None,
        steps=n_steps,
        accepted=n_accepted,
        acceptance_rate=n_accepted / n_steps if n_steps else None,
        distance_from_equilibrium=certificate[2],
        distance_upper_bound=certificate[4],
        num_deviations=certificate[5],
        deviation_space=certificate[6],
        price_of_anarchy=certificate[3],
        proposers=tuple(row[1] for row in tables.proposers.get(game_id, ())),
        tokens_used=sum(row[6] for row in steps),
        calls=n_calls,
        cost_usd=math.fsum(prices) if prices else None,
        unpriced_calls=n_calls - n_priced,
        package_version=tables.versions.get(game_id),
    )
    return ReadGame(figures, kind_of(config_json, mode, agents, texts))


def _sum(costs: Iterable[float | None]) -> float | None:
    known = list(costs)
    return None if None in known else math.fsum(cost for cost in known if cost is not None)


def _banks(game_id: str, tables: _Tables, policies: Mapping[str, str]) -> tuple[BankFigures, ...]:
    """Return what became of the banks: of all where the game has outcomes, else of its agents."""
    config = object_of(tables.sessions[game_id][5])
    regrets = regrets_of(tables.certificates.get(game_id, ("", "{}"))[1])
    steps = {row[1]: row for row in tables.steps.get(game_id, ())}
    outcomes = {row[1]: row for row in tables.outcomes.get(game_id, ())}
    return tuple(
        _bank(
            bank,
            (outcomes.get(bank), steps.get(bank)),
            policies.get(bank, "{}"),
            optimized_parameters(config, bank),
            regrets.get(bank),
        )
        for bank in sorted(outcomes or steps)
    )


def _bank(
    bank: str,
    rows: tuple[Row | None, Row | None],
    policy: str,
    declared: tuple[str, ...] | None,
    regret: CertifiedRegret | None,
) -> BankFigures:
    outcome, step = rows
    n_steps, n_accepted = (step[2], step[3]) if step else (0, 0)
    if outcome is not None:
        start, final, gain, low, high, confidence, start_rate, final_rate = outcome[3:11]
    else:
        start, final = (finite(step[7]), finite(step[8])) if step else (None, None)
        gain = None if start is None or final is None else start - final
        low = high = confidence = start_rate = final_rate = None
    parameters = numbers_of(object_of(policy).get("parameters")) if step else {}
    return BankFigures(
        bank=bank,
        is_optimized=step is not None,
        start_cost=start,
        final_cost=final,
        improvement=gain,
        improvement_low=low,
        improvement_high=high,
        confidence=confidence,
        start_settlement_rate=start_rate,
        final_settlement_rate=final_rate,
        parameters={n: v for n, v in parameters.items() if declared is None or n in declared},
        regret=None if regret is None else regret.estimate,
        regret_low=None if regret is None else regret.low,
        regret_high=None if regret is None else regret.high,
        steps=n_steps,
        accepted=n_accepted,
    )
