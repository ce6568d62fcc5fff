"""What policy profiles cost on the same days, however many there are, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NoReturn, TypeAlias

import numpy as np

from payment_simulator.errors import InputError, SimulationError
from payment_simulator.kernels.layout import K_N, S_N, Floats, Ints
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import simulate, simulate_batch

#: One policy for each bank, in the order of the scenario.
Profile: TypeAlias = tuple[Policy, ...]
#: Called with the number of runs finished and the number of all.
Progress: TypeAlias = Callable[[int, int], None]

#: Numbers that one slice may hold in its results; 8 bytes each, and twice at the peak.
_CELLS = 4_000_000
#: Profiles or samples of a slice at most: between two slices there is news of progress.
_SLICE = 1024
_WHOLE: tuple[type, ...] = (int, np.integer)
#: Numbers that a batch keeps of one bank in one run, with a few for the run itself.
_ROW = K_N + S_N + 6


@dataclass(frozen=True)
class Days:
    """The random days on which profiles are compared, the same for all.

    Attributes
    ----------
    numbers : sequence of int
        Numbers of the samples; places in the list, where arrivals are given.
    seed : int, optional
        Seed of the arrivals; the scenario's own if not given.
    arrivals : sequence of ndarray[int64], optional
        Payments to play, a table for each sample.
    n_observed : float, optional
        Of how many observed runs the payments were drawn again; none where days are not resampled.
    is_exact : bool
        Whether nothing is random, so that the one day is all there is.
    """

    numbers: Sequence[int]
    seed: int | None = None
    arrivals: Sequence[Ints] | None = None
    n_observed: float | None = None
    is_exact: bool = False

    @classmethod
    def of(
        cls,
        samples: int | Sequence[int],
        seed: int | None = None,
        arrivals: Sequence[Ints] | None = None,
    ) -> Days:
        """Return days as :func:`~payment_simulator.simulation.simulate_batch` is told of them.

        Raises
        ------
        InputError
            There is no day among them, or something that is no number of a sample.
        """
        if arrivals is not None:
            numbers: Sequence[int] = range(len(arrivals))
        elif isinstance(samples, int) and not isinstance(samples, bool):
            numbers = range(samples)
        elif isinstance(samples, Sequence):
            numbers = tuple(samples)
        else:
            raise InputError(f"samples: {samples!r}; expected a whole number, or a list of them")
        if not numbers:
            given = samples if arrivals is None else "no table of arrivals"
            raise InputError(f"samples: {given!r}; expected at least one sample")
        strange = [n for n in numbers if isinstance(n, bool) or not isinstance(n, _WHOLE)]
        if strange:
            raise InputError(f"samples: {strange[0]!r} is among them; expected whole numbers")
        return cls(numbers, seed, arrivals)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.numbers)

    def slices(self, size: int) -> Iterator[Days]:
        """Go through the days in order, so many at a time."""
        for at in range(0, len(self), size):
            yield self.part(at, at + size)

    def part(self, first: int, end: int) -> Days:
        """Return the days from one place to before another."""
        given = None if self.arrivals is None else self.arrivals[first:end]
        return replace(self, numbers=self.numbers[first:end], arrivals=given)


def mean_costs(
    scenario: Scenario,
    profiles: Iterable[Profile],
    n_profiles: int,
    days: Days,
    *,
    name_of: Callable[[int], str],
    threads: int | None = None,
    progress: Progress | None = None,
) -> Floats:
    """Return the mean cost of each bank under each profile, all played on the same days.

    Parameters
    ----------
    scenario : Scenario
        What is played.
    profiles : iterable of tuple of Policy
        Taken a slice at a time, so they need not all be there at once.
    n_profiles : int
        How many there are.
    days : Days
        The samples.
    name_of : callable
        What errors call a profile, by its number.
    threads : int, optional
        As in :func:`~payment_simulator.simulation.simulate_batch`.
    progress : callable, optional
        Called with the number of runs finished and the number of all.

    Returns
    -------
    ndarray[float64], shape (n_profiles, banks), cents
        Sample costs are added in the order of the samples: how the work is cut into slices, or
        how many threads there are, does not change a bit.

    Raises
    ------
    SimulationError
        A run stopped; the message names the profile, as `name_of` has it, and the sample.
    """
    runs = max(1, _CELLS // (_ROW * scenario.n_banks))
    n_samples = min(len(days), runs, _SLICE)
    size = max(1, min(runs // n_samples, _SLICE))
    total = np.zeros((n_profiles, scenario.n_banks))
    waiting = iter(profiles)
    finished, n_runs = 0, n_profiles * len(days)
    for first in range(0, n_profiles, size):
        taken = list(islice(waiting, size))
        rows = total[first : first + len(taken)]
        for some in days.slices(n_samples):
            tell = _teller(progress, finished, len(taken), n_runs)
            try:
                played = _play(scenario, taken, some, threads, tell)
            except SimulationError as error:
                _say_which(error, scenario, taken, some, (first, name_of))
            for sample in played:
                rows += sample
            finished += len(taken) * len(some)
    total /= len(days)
    return total


def _play(
    scenario: Scenario,
    profiles: Sequence[Profile],
    days: Days,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> Floats:
    """Return the cost of each bank in each run: shape (samples, profiles, banks)."""
    return simulate_batch(
        scenario,
        profiles,
        samples=days.numbers,
        arrivals=days.arrivals,
        seed=days.seed,
        threads=threads,
        progress=progress,
    ).total_cost


def _teller(
    progress: Progress | None, finished: int, n_profiles: int, n_runs: int
) -> Callable[[int], None] | None:
    """Return what tells of a slice's finished samples as finished runs of all."""
    if progress is None:
        return None
    return lambda samples: progress(finished + samples * n_profiles, n_runs)


def _say_which(
    error: SimulationError,
    scenario: Scenario,
    profiles: Sequence[Profile],
    days: Days,
    naming: tuple[int, Callable[[int], str]],
) -> NoReturn:
    """Raise the error of the first profile that fails, with its name and the sample's number.

    A batch counts profiles from its own first, which says nothing to who asked for a grid.
    """
    first, name_of = naming
    for q, profile in enumerate(profiles, start=first):
        try:
            _play(scenario, [profile], days, None, None)
        except SimulationError:
            for place, number in enumerate(days.numbers):
                given = None if days.arrivals is None else days.arrivals[place]
                # An arrivals table stands for its sample.
                sample = number if given is None else 0
                try:
                    simulate(scenario, profile, seed=days.seed, sample=sample, arrivals=given)
                except SimulationError as found:
                    raise SimulationError(f"{name_of(q)}: sample {number}, {found}") from error
    raise error
