"""How much a bank gains by its best deviation from given policies, the others as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile, Progress, mean_costs
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Floats, Ints
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation.simulator import Policies, resolve_policies
from payment_simulator.wording import nearest, quoted


class Deviation(NamedTuple):
    """The best that a bank can do alone.

    Attributes
    ----------
    regret : float
        What it gains, in cents; 0 where no candidate is better.
    candidate : int or None
        Which candidate that is, the first of those that cost the same; None where none is better.
    """

    regret: float
    candidate: int | None


@dataclass(frozen=True)
class Deviations:
    """The best deviation of each bank, all judged on the same days.

    Attributes
    ----------
    by_bank : Mapping of str to Deviation
    n_samples : int
        Samples that the costs are means of.
    """

    by_bank: Mapping[str, Deviation]
    n_samples: int

    @property
    def regrets(self) -> dict[str, float]:
        """What each bank gains by its best deviation, cents."""
        return {bank: found.regret for bank, found in self.by_bank.items()}

    @property
    def distance_from_equilibrium(self) -> float:
        """The largest regret, cents; 0 where no bank was given a candidate."""
        return max(self.regrets.values(), default=0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {
            "regrets": self.regrets,
            "best_deviations": {bank: found.candidate for bank, found in self.by_bank.items()},
            "distance_from_equilibrium": self.distance_from_equilibrium,
            "num_samples": self.n_samples,
        }


def best_deviation(
    scenario: Scenario,
    policies: Policies,
    bank: str,
    candidates: Sequence[Policy],
    *,
    samples: int | Sequence[int] = 1,
    seed: int | None = None,
    arrivals: Sequence[Ints] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Deviation:
    """Return what a bank gains by the best of some candidates, all others as they are.

    Parameters
    ----------
    scenario : Scenario
        What is played.
    policies : mapping of bank to Policy, or sequence of Policy, or None
        What is deviated from, as in :class:`~payment_simulator.simulation.Simulation`.
    bank : str
        Who deviates.
    candidates : sequence of Policy
        What it could do instead.
    samples : int or sequence of int
        How many samples, or their numbers.
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
    Deviation
        Its regret in cents, and the number of the candidate.

    Raises
    ------
    InputError
        The bank is not in the scenario.
    SimulationError
        A run stopped; the message names the candidate.
    """
    found = regrets(
        scenario,
        policies,
        {bank: candidates},
        samples=samples,
        seed=seed,
        arrivals=arrivals,
        threads=threads,
        progress=progress,
    )
    return found.by_bank[bank]


def regrets(
    scenario: Scenario,
    policies: Policies,
    candidates: Mapping[str, Sequence[Policy]],
    *,
    samples: int | Sequence[int] = 1,
    seed: int | None = None,
    arrivals: Sequence[Ints] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Deviations:
    """Return each bank's best deviation among its candidates, all on the same days.

    Parameters are those of :func:`best_deviation`, but that `candidates` holds those of every
    bank that is to be judged.
    """
    days = Days.of(samples, seed, arrivals)
    _check_banks(scenario, candidates)
    base = resolve_policies(scenario, policies)
    moves = [(bank, number) for bank, those in candidates.items() for number in range(len(those))]
    cost = mean_costs(
        scenario,
        _profiles(scenario, base, candidates),
        1 + len(moves),
        days,
        name_of=lambda q: _name(moves, q),
        threads=threads,
        progress=progress,
    )
    found, first = {}, 1
    for bank, those in candidates.items():
        own = cost[:, scenario.bank_ids.index(bank)]
        found[bank] = _best(own[0], own[first : first + len(those)])
        first += len(those)
    return Deviations(MappingProxyType(found), len(days))


def _best(present: np.float64, others: Floats) -> Deviation:
    """Return the best of some costs, compared with the present one."""
    if not len(others):
        return Deviation(0.0, None)
    lowest = np.minimum(present, others.min())
    if is_tie(np.array(present), lowest):
        return Deviation(0.0, None)
    return Deviation(float(present - lowest), int(np.flatnonzero(is_tie(others, lowest))[0]))


def _profiles(
    scenario: Scenario, base: Profile, candidates: Mapping[str, Sequence[Policy]]
) -> Iterator[Profile]:
    """Go through the policies as they are, then each deviation of each bank."""
    yield base
    for bank, those in candidates.items():
        place = scenario.bank_ids.index(bank)
        for candidate in those:
            yield (*base[:place], candidate, *base[place + 1 :])


def _name(moves: Sequence[tuple[str, int]], number: int) -> str:
    """Return what errors call a profile."""
    if number == 0:
        return "the policies as they are"
    bank, candidate = moves[number - 1]
    return f"candidate {candidate} of bank {bank}"


def _check_banks(scenario: Scenario, candidates: Mapping[str, Sequence[Policy]]) -> None:
    for bank in candidates:
        if bank not in scenario.bank_ids:
            raise InputError(
                f"scenario {quoted(scenario.name)} has no bank {quoted(bank)}; "
                f"{nearest(bank, scenario.bank_ids)}"
            )
