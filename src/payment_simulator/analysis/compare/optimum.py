"""The parameters at which all banks together pay least, on given days."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from payment_simulator.ai_cash_mgmt.certificate import MAX_PROFILES
from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace
from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid
from payment_simulator.ai_cash_mgmt.equilibrium.grid import MAX_PLAYERS
from payment_simulator.ai_cash_mgmt.evaluation.arena import with_policy
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile, Progress, mean_costs
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Floats

#: Runs x ticks x banks that are played at most for the baselines of one game: some minutes.
MAX_BANK_TICKS = 200_000_000
#: Values of a number without steps, where the game file does not say how many.
_DEFAULT_POINTS = 21
#: The most often that a descent goes through all banks.
_MAX_SWEEPS = 10

Point = Mapping[str, float]


@dataclass(frozen=True)
class Optimum:
    """Policies at which all banks together pay least.

    Attributes
    ----------
    profile : tuple of Policy
    parameters : Mapping of str to Mapping of str to float
        What was chosen for each bank that has a choice.
    is_exhaustive : bool
        Whether all combinations were played. If not, this is the best that was found: no more
        than an upper bound of the least total cost on the grid.
    n_profiles : int
        Combinations that were played.
    """

    profile: Profile
    parameters: Mapping[str, Point]
    is_exhaustive: bool
    n_profiles: int


def check_work(setup: GameSetup, n_profiles: int, n_days: int) -> None:
    """Refuse what would take too long.

    Raises
    ------
    InputError
        One line says how much it would be.
    """
    if bank_ticks(setup, n_profiles, n_days) > MAX_BANK_TICKS:
        scenario = setup.scenario
        raise InputError(
            f"{n_profiles:,} combinations on {n_days:,} days of {scenario.n_ticks:,} ticks and "
            f"{scenario.n_banks:,} banks are more than is played here ({MAX_BANK_TICKS:,} ticks "
            "of a bank); payment-sim equilibrium plays a smaller grid, with --grid and --bank"
        )


def bank_ticks(setup: GameSetup, n_profiles: int, n_days: int) -> int:
    """Return how much work it is to play profiles on days."""
    return n_profiles * n_days * setup.scenario.n_ticks * setup.scenario.n_banks


def social_optimum(
    setup: GameSetup, final: Profile, days: Days, progress: Progress | None = None
) -> Optimum:
    """Find the parameters at which all banks of a game together pay least.

    Parameters
    ----------
    setup : GameSetup
        Its agents say what each bank may choose; the grid is that of the game's certificate.
    final : tuple of Policy
        The last policies. Their trees stay as they are, and so do the policies of banks without a
        choice.
    days : Days
    progress : callable, optional
        Called with the number of runs finished and the number of all.

    Returns
    -------
    Optimum
        Of all combinations, where every bank chooses one parameter, the same, and there are no more
        of them than a certificate plays; of several that cost the same the first. Else what a
        descent finds: bank after bank takes what is best for all, until nothing changes.

    Raises
    ------
    InputError
        No bank has declared parameters, or the grid is too large.
    SimulationError
        A run stopped.
    """
    space = _space(setup, final)
    names = {name for points in space.values() for point in points for name in point}
    n_all = math.prod(len(points) for points in space.values())
    if len(names) == 1 and n_all <= MAX_PROFILES and len(space) <= MAX_PLAYERS:
        check_work(setup, n_all, len(days))
        return _exhaustive(setup, final, days, space, progress)
    check_work(setup, sum(map(len, space.values())), len(days))
    return _descent(setup, final, days, space, progress)


def _space(setup: GameSetup, final: Profile) -> dict[str, list[Point]]:
    """Return the points that each bank may choose; what it would not be allowed is none."""
    wanted = setup.config.equilibrium
    n_points = _DEFAULT_POINTS if wanted is None else wanted.grid_points
    space: dict[str, list[Point]] = {}
    for agent in setup.agents:
        if not agent.constraints.allowed_parameters:
            continue
        own = ParameterSpace(agent.constraints.allowed_parameters)
        policy = final[setup.scenario.bank_ids.index(agent.bank)]
        points = own.grid(n_points)
        kept = [p for p in points if not agent.validator.validate(own.with_point(policy, p))]
        if kept:
            space[agent.bank] = list(kept)
    if not space:
        raise InputError("no bank has declared parameters, so there is no grid to look on")
    return space


def _with_point(profile: Profile, i: int, point: Point) -> Profile:
    policy = replace(profile[i], parameters={**profile[i].parameters, **point})
    return with_policy(profile, i, policy)


def _exhaustive(
    setup: GameSetup,
    final: Profile,
    days: Days,
    space: Mapping[str, Sequence[Point]],
    progress: Progress | None,
) -> Optimum:
    scenario = setup.scenario
    [name] = {name for points in space.values() for point in points for name in point}
    grid = explore_grid(
        scenario.with_loaded(replace(scenario.loaded, policies=final)),
        name,
        {bank: [point[name] for point in points] for bank, points in space.items()},
        samples=days.numbers,
        seed=days.seed,
        arrivals=days.arrivals,
        threads=setup.threads,
        progress=progress,
    )
    chosen = grid.social_optimum.points[0]
    profile = final
    for bank, value in chosen.items():
        profile = _with_point(profile, scenario.bank_ids.index(bank), {name: value})
    parameters = {bank: {name: value} for bank, value in chosen.items()}
    return Optimum(profile, parameters, is_exhaustive=True, n_profiles=math.prod(grid.shape))


def _descent(
    setup: GameSetup,
    final: Profile,
    days: Days,
    space: Mapping[str, Sequence[Point]],
    progress: Progress | None,
) -> Optimum:
    """Let bank after bank take what is best for all; on the grid from the first sweep on."""
    profile, chosen, n_played = final, dict[str, int](), 0
    sweep = sum(map(len, space.values()))
    for _ in range(_MAX_SWEEPS):
        before = dict(chosen)
        for bank, points in space.items():
            i = setup.scenario.bank_ids.index(bank)
            candidates = [_with_point(profile, i, point) for point in points]
            total = _totals(setup, candidates, days, bank)
            tied = np.flatnonzero(is_tie(total, total.min()))
            if chosen.get(bank) not in tied:
                chosen[bank] = int(tied[0])
            profile = candidates[chosen[bank]]
            n_played += len(points)
            if progress is not None:
                progress(n_played * len(days), _MAX_SWEEPS * sweep * len(days))
        is_enough = bank_ticks(setup, n_played + sweep, len(days)) > MAX_BANK_TICKS
        if chosen == before or is_enough:
            break
    parameters = {bank: space[bank][place] for bank, place in chosen.items()}
    return Optimum(profile, parameters, is_exhaustive=False, n_profiles=n_played)


def _totals(setup: GameSetup, candidates: Sequence[Profile], days: Days, bank: str) -> Floats:
    """Return what all banks together pay on average under each candidate."""
    cost = mean_costs(
        setup.scenario,
        candidates,
        len(candidates),
        days,
        name_of=lambda place: f"point {place} of bank {bank}",
        threads=setup.threads,
    )
    total = np.zeros(len(candidates))
    for i in range(setup.scenario.n_banks):
        total = total + cost[:, i]
    return total
