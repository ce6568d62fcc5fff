"""What banks would have paid under other policies, on the held-out days of a recorded game."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from payment_simulator.ai_cash_mgmt import GameOutcomeRecord, GameRepository
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, mean
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile, Progress
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.analysis.compare.optimum import Optimum, check_work, social_optimum
from payment_simulator.analysis.compare.restore import restored
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.errors import InputError, PaymentSimulatorError
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import parse_policy
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.policy.library import builtin

Name = Literal["start", "fifo", "optimum", "final"]
METHOD = (
    "mean paired difference over held-out days; two-sided interval, the wider of Student's t and "
    "Hall's"
)
#: Profiles that are played beside those of the grid.
_OWN_PROFILES = 4


@dataclass(frozen=True)
class Difference:
    """What a baseline costs more than the last policies, on the same days; cents.

    Attributes
    ----------
    mean : float
        Above 0 where the last policies are cheaper.
    low, high : float or None
        Two-sided interval of the mean paired difference; None for one day.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Baseline:
    """What banks pay under some policies.

    Attributes
    ----------
    name : {"start", "fifo", "optimum", "final"}
    costs : Mapping of str to float
        Mean cost of every bank, cents.
    total : float
        Of all banks.
    above_final : Mapping of str to Difference
        By bank.
    total_above_final : Difference
    parameters : Mapping of str to Mapping of str to float
        Of the social optimum: what each bank chose; empty for the others.
    """

    name: Name
    costs: Mapping[str, float]
    total: float
    above_final: Mapping[str, Difference]
    total_above_final: Difference
    parameters: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class GameBaselines:
    """The baselines of a game, all on its own held-out days.

    Attributes
    ----------
    game_id : str
    num_samples : int
        Days.
    confidence : float
        Of the intervals: that of the game's own.
    baselines : tuple of Baseline
        Those at the start, Fifo, the social optimum, and the last policies; without those that
        could not be played.
    optimum : {"social optimum", "best found"} or None
        Whether all combinations of the grid were played, or what a descent found.
    share_of_possible_gain : float or None
        Of what could be gained in all, the share that the game gained: (start - final) / (start -
        optimum). None where there is nothing to gain.
    notes : tuple of str
    """

    game_id: str
    num_samples: int
    confidence: float
    baselines: tuple[Baseline, ...]
    optimum: str | None
    share_of_possible_gain: float | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        own = {b.name: asdict(b) for b in self.baselines}
        return {**asdict(self), "baselines": own, "method": METHOD}

    def estimated(self) -> dict[str, float]:
        """Return what means over games are taken of."""
        totals = {
            f"{b.name}_cost": b.total for b in self.baselines if b.name in {"fifo", "optimum"}
        }
        gained = self.share_of_possible_gain
        return totals if gained is None else {**totals, "share_of_possible_gain": gained}


def game_baselines(
    repo: GameRepository,
    game_id: str,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> GameBaselines:
    """Play what banks would have paid under other policies, on the held-out days of a game.

    Parameters
    ----------
    repo : GameRepository
        May be open for reading only.
    game_id : str
    threads : int, optional
        For simulations; results do not depend on it.
    progress : callable, optional
        Called with the number of runs finished and the number of all.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        It has not ended, or the record does not hold what is needed.
    """
    setup = restored(repo, game_id, threads)
    found = or_nothing(lambda: repo.get_game_outcomes(game_id))
    outcomes = {outcome.agent_id: outcome for outcome in found}
    if not outcomes:
        raise InputError("it has no outcomes on held-out days, for it was not played to its end")
    strange = set(outcomes) ^ set(setup.scenario.bank_ids)
    if strange:
        raise InputError(f"its outcomes are not of the banks of its scenario: {min(strange)!r}")
    return _Baselines(setup, outcomes, progress).found()


class _Baselines:
    """Plays the baselines of one game."""

    def __init__(
        self,
        setup: GameSetup,
        outcomes: Mapping[str, GameOutcomeRecord],
        progress: Progress | None,
    ) -> None:
        self._setup = setup
        self._banks = setup.scenario.bank_ids
        self._outcomes = outcomes
        self._progress = progress
        self._is_running = setup.config.game_mode == "rl_optimization"
        self._days = self._held_out()
        self._notes: list[str] = []

    def _held_out(self) -> Days:
        """Return the days on which the game's own outcomes were measured."""
        setup, config = self._setup, self._setup.config
        if self._is_running:
            check_work(setup, _OWN_PROFILES, 1)
            return Days((0,), derive_seed(config.master_seed, "run"))
        n_days = config.bootstrap.num_samples if setup.scenario.is_random else 1
        is_observed = setup.scenario.is_random and config.bootstrap.sample_method != "fresh"
        check_work(setup, 1, config.bootstrap.observed_runs * is_observed)
        check_work(setup, _OWN_PROFILES, n_days)
        return setup.sampler.days("final")

    def found(self) -> GameBaselines:
        """Return the baselines of the game."""
        start, final = self._setup.scenario.policies, self._final_policies()
        played = {"start": self._play(start)}
        if self._is_running:
            played["final"] = self._recorded()
            self._notes.append(
                "a running simulation: the costs at the end are those recorded, for policies "
                "changed in its course; there is no social optimum, which would know the run before"
            )
        else:
            played["final"] = self._play(final)
        self._check("start", played["start"])
        self._check("final", played["final"])
        best = None if self._is_running else self._try_optimum(final, played)
        self._try("fifo", self._fifo(), played)
        names: tuple[Name, ...] = ("start", "fifo", "optimum", "final")
        baselines = tuple(
            self._baseline(name, played[name], played["final"], best)
            for name in names
            if name in played
        )
        return GameBaselines(
            game_id=self._setup.game_id,
            num_samples=len(self._days),
            confidence=self._setup.config.acceptance.confidence,
            baselines=baselines,
            optimum=None if best is None else _word(best),
            share_of_possible_gain=self._share({b.name: b.total for b in baselines}),
            notes=tuple(self._notes),
        )

    def _final_policies(self) -> Profile:
        where = f"game_outcomes of game {self._setup.game_id!r}, bank"
        return tuple(
            parse_policy(self._outcomes[bank].final_policy_json, where=f"{where} {bank}")
            for bank in self._banks
        )

    def _fifo(self) -> Profile:
        """Return Fifo for every bank that was optimised, with the share of the pool it began with.

        Where its first policy names no share, Fifo names none either: the scenario's holds.
        """
        profile = list(self._setup.scenario.policies)
        for bank in self._setup.banks:
            i = self._banks.index(bank)
            share = {k: v for k, v in profile[i].parameters.items() if k == FRACTION}
            profile[i] = replace(builtin("fifo"), parameters=share)
        return tuple(profile)

    def _play(self, profile: Profile) -> Floats:
        """Return what each bank pays on each day: shape (days, banks)."""
        arena = Arena(self._setup.scenario, threads=self._setup.threads)
        cost: Floats = arena.play([profile], self._days).total_cost[:, 0]
        return cost

    def _recorded(self) -> Floats:
        return np.array([[self._outcomes[bank].final_cost for bank in self._banks]])

    def _try(self, name: Name, profile: Profile, played: dict[str, Floats]) -> None:
        """Play a baseline; where a run stops under it, say so and go on."""
        try:
            played[name] = self._play(profile)
        except PaymentSimulatorError as error:
            self._notes.append(f"{name} left out: {error}")

    def _try_optimum(self, final: Profile, played: dict[str, Floats]) -> Optimum | None:
        try:
            best = social_optimum(self._setup, final, self._days, self._progress)
            played["optimum"] = self._play(best.profile)
        except PaymentSimulatorError as error:
            self._notes.append(f"social optimum left out: {error}")
            return None
        return best

    def _check(self, name: Literal["start", "final"], played: Floats) -> None:
        """Say where what is played is not what was recorded."""
        for i, bank in enumerate(self._banks):
            recorded = getattr(self._outcomes[bank], f"{name}_cost")
            found = mean(played[:, i])
            if found != recorded:
                self._notes.append(
                    f"the {name} cost of {bank} is recorded as {recorded!r} cents, played once "
                    f"more it is {found!r}; payment-sim verify tells more"
                )
                return

    def _baseline(
        self, name: Name, played: Floats, final: Floats, best: Optimum | None
    ) -> Baseline:
        costs = {bank: mean(played[:, i]) for i, bank in enumerate(self._banks)}
        return Baseline(
            name=name,
            costs=costs,
            total=math.fsum(costs.values()),
            above_final={
                bank: self._difference(played[:, i] - final[:, i])
                for i, bank in enumerate(self._banks)
            },
            total_above_final=self._difference(_total(played) - _total(final)),
            parameters=best.parameters if best is not None and name == "optimum" else {},
        )

    def _difference(self, differences: Floats) -> Difference:
        if len(differences) > 1 and not differences.any():
            return Difference(0.0, 0.0, 0.0)  # said to be the same on all days
        confidence = self._setup.config.acceptance.confidence
        found = interval(differences, confidence, self._days.n_observed)
        return Difference(mean(differences), *(found or (None, None)))

    def _share(self, total: Mapping[str, float]) -> float | None:
        if "optimum" not in total:
            return None
        start, optimum, final = total["start"], total["optimum"], total["final"]
        if start <= optimum or is_tie(np.array(start), np.array(optimum)):
            self._notes.append(
                "no share of possible gain: the starting policies cost no more than the social "
                "optimum"
            )
            return None
        if final < optimum and not is_tie(np.array(optimum), np.array(final)):
            self._notes.append(
                "the last policies cost less than the optimum of the grid, for they lie between "
                "its points; so the share of possible gain is above 1"
            )
        return (start - final) / (start - optimum)


def _word(best: Optimum) -> str:
    return "social optimum" if best.is_exhaustive else "best found"


def _total(played: Floats) -> Floats:
    """Return what all banks together pay on each day; added in the order of the banks."""
    total = np.zeros(len(played))
    for i in range(played.shape[1]):
        total = total + played[:, i]
    return total
