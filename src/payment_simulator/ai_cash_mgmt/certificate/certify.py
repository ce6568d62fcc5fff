"""The certificate of a game: how far its policies are from an equilibrium, with the evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from payment_simulator.ai_cash_mgmt.certificate.deviations import Deviations
from payment_simulator.ai_cash_mgmt.certificate.measure import BankMeasure
from payment_simulator.ai_cash_mgmt.certificate.regret import Regret
from payment_simulator.ai_cash_mgmt.config import EquilibriumConfig
from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid
from payment_simulator.ai_cash_mgmt.equilibrium.grid import MAX_PLAYERS, GridEquilibrium
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.evaluation.spending import look_sizes
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.proposers.base import PastStep
from payment_simulator.policy import Policy, to_dict

#: No larger grid of all combinations is played for a certificate.
MAX_PROFILES = 10_000
#: What deviations may vary, in the order in which it is told.
_SPACES = ("parameters", "trees", "collateral")

#: The steps of each bank, oldest first.
History: TypeAlias = Mapping[str, Sequence[PastStep]]


@dataclass(frozen=True)
class Certificate:
    """How much each bank could still gain alone, among the deviations tried.

    Attributes
    ----------
    regrets : Mapping of str to Regret
        Of each bank that plays.
    best : Mapping of str to Mapping or None
        The parameters of the best deviation, or all of a policy with other trees; none where
        nothing was found better.
    space : Mapping of str to list
        Points of the grid tried of each bank.
    num_deviations : int
        Deviations tried, of all banks.
    deviation_space : str
        What they vary: ``parameters``, ``trees``, ``collateral``, or several of these.
    is_within_tolerance : bool
        Whether the interval of each bank is narrower than asked for; if not, no more days were
        allowed.
    grid : GridEquilibrium, optional
        All combinations, where each bank has one parameter, the same, and there are not too many.
    """

    regrets: Mapping[str, Regret]
    best: Mapping[str, Mapping[str, Any] | None]
    space: Mapping[str, list[dict[str, float]]]
    num_deviations: int
    deviation_space: str
    is_within_tolerance: bool
    grid: GridEquilibrium | None = None

    @property
    def distance(self) -> float:
        """The largest estimate of a regret, cents."""
        return max((found.estimate for found in self.regrets.values()), default=0.0)

    @property
    def distance_upper_bound(self) -> float | None:
        """The largest upper bound of a regret, cents; None where one is not known."""
        highs = [found.high for found in self.regrets.values()]
        known = [high for high in highs if high is not None]
        return max(known, default=0.0) if len(known) == len(highs) else None

    @property
    def num_samples(self) -> int:
        """Days on which the deviations chosen were valued; of banks that differ, the most."""
        return max((found.num_samples for found in self.regrets.values()), default=1)

    def to_fields(self) -> dict[str, Any]:
        """Return the columns of the record that tell of it, JSON as text."""
        grid = {} if self.grid is None else self.grid.to_dict()
        regrets = {bank: found.to_dict() for bank, found in self.regrets.items()}
        texts = {
            "parameter_space_json": self.space,
            "regrets_json": regrets,
            "best_deviations_json": self.best,
            "pure_equilibria_json": grid.get("pure_equilibria"),
            "best_responses_json": grid.get("best_responses"),
            "social_optimum_json": grid.get("social_optimum"),
        }
        return {
            "method": "grid/deviations" if self.grid is None else "grid/exhaustive",
            "num_samples": self.num_samples,
            "distance_from_equilibrium": self.distance,
            "distance_upper_bound": self.distance_upper_bound,
            "num_deviations": self.num_deviations,
            "deviation_space": self.deviation_space,
            "is_within_tolerance": self.is_within_tolerance,
            "price_of_anarchy": grid.get("price_of_anarchy"),
            **{
                name: None if value is None else json.dumps(value, ensure_ascii=False)
                for name, value in texts.items()
            },
        }


def certify(setup: GameSetup, profile: Profile, history: History) -> Certificate:
    """Measure how far policies are from an equilibrium, on days set aside for this.

    Whole runs are played from their beginning, whatever the mode of the game.

    Parameters
    ----------
    setup : GameSetup
    profile : tuple of Policy
        The policies judged.
    history : mapping of bank to sequence of PastStep
        What was proposed in the game.
    """
    certificate = _measured(setup, profile, history, ())
    days = setup.sampler.days("equilibrium", count=_sizes(setup)[0])
    grid = _grid(setup, profile, days, certificate.space)
    return replace(certificate, grid=grid)


def has_better_response(
    setup: GameSetup, profile: Profile, history: History, iteration: int
) -> bool:
    """Tell whether some bank gains more than the improvement threshold by deviating alone."""
    share = setup.config.convergence.improvement_threshold
    found = _measured(setup, profile, history, ("best_response", iteration))
    return any(
        regret.low is not None and regret.low > share * abs(regret.cost)
        for regret in found.regrets.values()
    )


def _wanted(setup: GameSetup) -> EquilibriumConfig:
    return setup.config.equilibrium or EquilibriumConfig()


def _sizes(setup: GameSetup) -> tuple[int, ...]:
    """Return how many days are drawn, twice as many each time."""
    first, most = _wanted(setup).sizes(setup.config.bootstrap.num_samples)
    return look_sizes(first, most) if most > first else (most,)


def _measured(
    setup: GameSetup, profile: Profile, history: History, labels: tuple[str | int, ...]
) -> Certificate:
    """Measure the regret of each bank."""
    wanted = _wanted(setup)
    sizes = _sizes(setup)
    # A search needs to know less than who judges: a quarter of the days will do.
    days = setup.sampler.days("equilibrium_search", *labels, count=-(-sizes[0] // 4))
    tried = {}
    for agent in setup.agents:
        found = Deviations(setup, agent, profile, wanted.grid_points)
        found.add_proposed(history.get(agent.bank, ()))
        found.add_near()
        found.add_builtin()
        found.add_searched(days)
        tried[agent.bank] = found
    measures = {
        bank: BankMeasure(
            Arena(setup.scenario, threads=setup.threads),
            profile,
            bank,
            found.policies,
            n_banks=len(tried),
            n_looks=len(sizes),
            tolerance=wanted.tolerance,
        )
        for bank, found in tried.items()
    }
    regrets = _until_narrow(setup, measures, sizes, labels)
    spaces = set[str]().union(*(found.spaces() for found in tried.values()))
    return Certificate(
        regrets=regrets,
        best={bank: _best(tried[bank], regret) for bank, regret in regrets.items()},
        space={bank: found.grid for bank, found in tried.items()},
        num_deviations=sum(measure.num_deviations for measure in measures.values()),
        deviation_space=", ".join(space for space in _SPACES if space in spaces),
        is_within_tolerance=all(r.is_within(wanted.tolerance) for r in regrets.values()),
    )


def _until_narrow(
    setup: GameSetup,
    measures: Mapping[str, BankMeasure],
    sizes: Sequence[int],
    labels: tuple[str | int, ...],
) -> dict[str, Regret]:
    """Draw more days for banks whose interval is too wide, as long as more are allowed."""
    regrets: dict[str, Regret] = {}
    waiting, tolerance = dict(measures), _wanted(setup).tolerance
    for size in sizes:
        valuing = setup.sampler.days("equilibrium", *labels, count=size)
        if valuing.is_exact:
            return {bank: measure.exact(valuing) for bank, measure in measures.items()}
        choosing = setup.sampler.days("equilibrium_choose", *labels, count=size)
        is_last = size == sizes[-1] or len(valuing) < size or len(choosing) < size
        for bank, measure in list(waiting.items()):
            regrets[bank] = measure.look(choosing, valuing, is_last=is_last)
            if regrets[bank].is_within(tolerance):
                del waiting[bank]
        if is_last or not waiting:
            break
    return {bank: regrets[bank] for bank in measures}


def _best(tried: Deviations, regret: Regret) -> Mapping[str, Any] | None:
    if regret.chosen is None:
        return None
    policy: Policy = tried.policies[regret.chosen]
    return tried.point(policy) or to_dict(policy)


def _grid(
    setup: GameSetup,
    profile: Profile,
    days: Days,
    space: Mapping[str, list[dict[str, float]]],
) -> GridEquilibrium | None:
    """Play all combinations, where that is a table that somebody could read."""
    names = {name for points in space.values() for point in points for name in point}
    n_profiles = 1
    for points in space.values():
        n_profiles *= len(points)
    is_one_parameter = len(names) == 1 and all(points for points in space.values())
    if not is_one_parameter or not 0 < n_profiles <= MAX_PROFILES or len(space) > MAX_PLAYERS:
        return None
    [name] = names
    loaded = replace(setup.scenario.loaded, policies=profile)
    return explore_grid(
        setup.scenario.with_loaded(loaded),
        name,
        {bank: [point[name] for point in points] for bank, points in space.items()},
        samples=days.numbers,
        seed=days.seed,
        arrivals=days.arrivals,
        threads=setup.threads,
    )
