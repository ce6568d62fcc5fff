"""Equilibria: what no bank can gain from by deviating alone, on grids and for any policies.

``explore_grid`` plays every combination of the values of one parameter and finds all pure
equilibria on that grid. ``best_deviation`` and ``regrets`` measure how far policies of any kind
are from an equilibrium, among the deviations that they are given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from payment_simulator.ai_cash_mgmt.constraints.equal_steps import parameter_grid
from payment_simulator.ai_cash_mgmt.equilibrium.choices import choices_of, variants_of
from payment_simulator.ai_cash_mgmt.equilibrium.deviations import (
    Deviation,
    Deviations,
    best_deviation,
    regrets,
)
from payment_simulator.ai_cash_mgmt.equilibrium.grid import (
    MAX_PLAYERS,
    GridEquilibrium,
)
from payment_simulator.ai_cash_mgmt.equilibrium.outcomes import BestResponse, Outcome, SocialOptimum
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile, Progress, mean_costs
from payment_simulator.ai_cash_mgmt.evaluation.ties import TIE_TOLERANCE
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Ints
from payment_simulator.policy import Policy
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.scenario import Scenario
from payment_simulator.wording import number_text

__all__ = [
    "MAX_COSTS",
    "MAX_PROFILES",
    "TIE_TOLERANCE",
    "BestResponse",
    "Deviation",
    "Deviations",
    "GridEquilibrium",
    "Outcome",
    "Progress",
    "SocialOptimum",
    "best_deviation",
    "explore_grid",
    "parameter_grid",
    "regrets",
]

#: The most combinations of values that a grid may have.
MAX_PROFILES = 200_000
#: The most costs that a table may hold: combinations x all banks, 8 bytes each.
MAX_COSTS = 20_000_000


def explore_grid(
    scenario: Scenario,
    parameter: str = FRACTION,
    values: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    *,
    banks: Sequence[str] | None = None,
    samples: int | Sequence[int] = 1,
    seed: int | None = None,
    arrivals: Sequence[Ints] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> GridEquilibrium:
    """Play every combination of the values of a parameter, all on the same days.

    Parameters
    ----------
    scenario : Scenario
        What is played; banks that do not choose keep its policies.
    parameter : str
        The parameter of the policies that is chosen.
    values : sequence of float, or mapping of bank to sequence of float
        What each bank may choose. For ``initial_liquidity_fraction`` 21 values from 0 to 1 if not
        given; another parameter has no usual values.
    banks : sequence of str, optional
        Those that choose. If not given: those of the mapping; or else, for
        ``initial_liquidity_fraction``, all with a liquidity pool, for another parameter all whose
        policy has it.
    samples : int or sequence of int
        How many samples, or their numbers; a cost is the mean over them.
    seed : int, optional
        Seed of the arrivals; the scenario's ``rng_seed`` if not given.
    arrivals : sequence of ndarray[int64], optional
        Payments to play, a table for each sample; instead of `samples`.
    threads : int, optional
        As in :func:`~payment_simulator.simulation.simulate_batch`; results do not depend on it.
    progress : callable, optional
        Called with the number of runs finished and the number of all.

    Returns
    -------
    GridEquilibrium

    Raises
    ------
    InputError
        A bank has no such choice, a value does not fit, or there are too many combinations.
    SimulationError
        A run stopped; the message names the values.
    """
    days = Days.of(samples, seed, arrivals)
    choosing, chosen = choices_of(scenario, parameter, values, banks)
    shape = tuple(len(chosen[bank]) for bank in choosing)
    _check_size(shape, scenario.n_banks)
    policies = {bank: variants_of(scenario, bank, parameter, chosen[bank]) for bank in choosing}

    def name_of(number: int) -> str:
        place = np.unravel_index(number, shape)
        said = zip(choosing, place, strict=True)
        values_said = (f"{bank} {number_text(chosen[bank][index])}" for bank, index in said)
        return f"{parameter} of {', '.join(values_said)}"

    cost = mean_costs(
        scenario,
        _profiles(scenario, policies, shape),
        math.prod(shape),
        days,
        name_of=name_of,
        threads=threads,
        progress=progress,
    )
    return GridEquilibrium(
        banks=choosing,
        values=chosen,
        cost=cost.reshape(*shape, scenario.n_banks),
        bank_ids=scenario.bank_ids,
        parameter=parameter,
        n_samples=len(days),
        seed=scenario.simulation.rng_seed if seed is None else seed,
    )


def _profiles(
    scenario: Scenario, policies: Mapping[str, Sequence[Policy]], shape: tuple[int, ...]
) -> Iterator[Profile]:
    """Go through all combinations in the order of the table."""
    places = [scenario.bank_ids.index(bank) for bank in policies]
    profile = list(scenario.policies)
    for point in np.ndindex(shape):
        for place, variants, index in zip(places, policies.values(), point, strict=True):
            profile[place] = variants[index]
        yield tuple(profile)


def _check_size(shape: tuple[int, ...], n_banks: int) -> None:
    """Refuse a grid that would take too long or too much memory."""
    n_profiles, n_choosing = math.prod(shape), len(shape)
    most = min(MAX_PROFILES, MAX_COSTS // n_banks)
    if n_choosing > MAX_PLAYERS:
        raise InputError(
            f"{n_choosing} banks would choose; expected {MAX_PLAYERS} at most: name fewer banks"
        )
    if n_profiles > most:
        each = next(count for count in range(max(shape), 0, -1) if count**n_choosing <= most)
        fewer = f"take at most {each} values for each of the {n_choosing} banks, or " * (each > 1)
        raise InputError(
            f"the grid has {_product(shape)} = {n_profiles:,} combinations, more than {most:,}; "
            f"{fewer if n_choosing > 1 else ''}name fewer "
            f"{'banks' if n_choosing > 1 else 'values'}"
        )


def _product(shape: tuple[int, ...]) -> str:
    """Return a product in words, as a power where all factors are the same."""
    if len(shape) > 1 and len(set(shape)) == 1:
        return f"{shape[0]:,}^{len(shape)}"
    return " x ".join(f"{count:,}" for count in shape)
