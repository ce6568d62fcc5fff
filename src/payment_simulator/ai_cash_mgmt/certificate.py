"""How far the policies of a game are from an equilibrium, with the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace
from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid
from payment_simulator.ai_cash_mgmt.equilibrium.deviations import Deviations, regrets
from payment_simulator.ai_cash_mgmt.equilibrium.grid import MAX_PLAYERS, GridEquilibrium
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.policy import Policy

#: No larger grid of all combinations is played for a certificate.
MAX_PROFILES = 10_000
_DEFAULT_POINTS = 21


@dataclass(frozen=True)
class Certificate:
    """How much each bank could still gain alone, within the parameters declared for it.

    Attributes
    ----------
    deviations : Deviations
        Regret and best deviation of each bank that plays.
    best : Mapping of str to Mapping or None
        The parameters of the best deviation; none where nothing is better.
    space : Mapping of str to list
        Points tried of each bank.
    grid : GridEquilibrium, optional
        All combinations, where each bank has one parameter, the same, and there are not too many.
    n_samples : int
    """

    deviations: Deviations
    best: Mapping[str, Mapping[str, float] | None]
    space: Mapping[str, list[dict[str, float]]]
    grid: GridEquilibrium | None
    n_samples: int

    @property
    def distance(self) -> float:
        """The largest regret, cents."""
        return self.deviations.distance_from_equilibrium


def certify(setup: GameSetup, profile: Profile) -> Certificate:
    """Measure how far policies are from an equilibrium, on days set aside for this.

    Whole runs are played from their beginning, whatever the mode of the game.
    """
    wanted = setup.config.equilibrium
    points = _DEFAULT_POINTS if wanted is None else wanted.grid_points
    samples = None if wanted is None else wanted.num_samples
    sampler = setup.sampler if samples is None else setup.sampler_of(samples)
    days = sampler.days("equilibrium")
    deviations, best, space = _deviations(setup, profile, days, points)
    grid = _grid(setup, profile, days, space)
    return Certificate(deviations, best, space, grid, len(days))


def has_better_response(setup: GameSetup, profile: Profile, purpose: tuple[str, int]) -> bool:
    """Tell whether some bank gains more than the improvement threshold by deviating alone."""
    wanted = setup.config.equilibrium
    points = _DEFAULT_POINTS if wanted is None else wanted.grid_points
    days = setup.sampler.days(*purpose)
    deviations, _, _ = _deviations(setup, profile, days, points)
    costs = Arena(setup.scenario, threads=setup.threads).mean_costs(profile, days)
    share = setup.config.convergence.improvement_threshold
    return any(
        found.candidate is not None and found.regret > share * abs(costs[bank])
        for bank, found in deviations.by_bank.items()
    )


def _deviations(
    setup: GameSetup, profile: Profile, days: Days, points: int
) -> tuple[Deviations, dict[str, Mapping[str, float] | None], dict[str, list[dict[str, float]]]]:
    policies = dict(zip(setup.scenario.bank_ids, profile, strict=True))
    space: dict[str, list[dict[str, float]]] = {}
    candidates: dict[str, list[Policy]] = {}
    for agent in setup.agents:
        own = ParameterSpace(agent.constraints.allowed_parameters)
        policy = policies[agent.bank]
        tried = [(point, own.with_point(policy, point)) for point in own.grid(points)]
        # What a policy would not be allowed is no deviation.
        kept = [(point, new) for point, new in tried if not agent.validator.validate(new)]
        space[agent.bank] = [point for point, _ in kept]
        candidates[agent.bank] = [new for _, new in kept]
    found = regrets(
        setup.scenario,
        policies,
        candidates,
        samples=days.numbers,
        seed=days.seed,
        arrivals=days.arrivals,
        threads=setup.threads,
    )
    best: dict[str, Mapping[str, float] | None] = {
        bank: None if deviation.candidate is None else space[bank][deviation.candidate]
        for bank, deviation in found.by_bank.items()
    }
    return found, best, space


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


def certificate_fields(certificate: Certificate) -> dict[str, Any]:
    """Return the parts of a certificate as JSON has them."""
    grid = {} if certificate.grid is None else certificate.grid.to_dict()
    return {
        "parameter_space": certificate.space,
        "regrets": certificate.deviations.regrets,
        "best_deviations": certificate.best,
        "pure_equilibria": grid.get("pure_equilibria"),
        "best_responses": grid.get("best_responses"),
        "social_optimum": grid.get("social_optimum"),
        "price_of_anarchy": grid.get("price_of_anarchy"),
    }
