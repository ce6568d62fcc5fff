"""Sample days: the days on which policies are tried, judged and certified."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.evaluation.resampling import (
    Observed,
    Way,
    by_tick,
    joined,
    resample,
    shifted,
    spread,
)
from payment_simulator.ai_cash_mgmt.seeds import Uniforms, derive_seed
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import A_TICK, Ints
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import Simulation, Snapshot
from payment_simulator.simulation.sources import fixed_payments, starts
from payment_simulator.wording import nearest, quoted, shown

Method: TypeAlias = Literal["fresh", "bootstrap", "permutation", "stratified", "day_block"]
METHODS: tuple[Method, ...] = get_args(Method)

_ONE_DAY = Days((0,), is_exact=True)
#: Purposes whose days have nothing in common with each other's, nor with those of the rest.
_APART = ("propose", "judge", "equilibrium")


class Sampler:
    """Draws the sample days of a game, for each purpose others.

    ``fresh`` days are drawn by the engine from the scenario's own distributions. The other
    methods (:func:`~payment_simulator.ai_cash_mgmt.evaluation.resampling.resample`) draw again
    payments that were observed: before a run, in some runs of the scenario; in a running one,
    in what has been seen of it. Random payments and those of a payments file are drawn again.
    Payments of events stay as they are, and so does everything else that events do; those that
    change how payments arrive show in the payments observed.

    ``day_block`` moves days as they were, so days of different purposes could be the same one. Of
    the runs observed (of the days, where there are fewer than four runs) it takes one quarter
    for proposing, one for judging, one for valuing deviations and one for all else.

    Where all days would be the same there is one: where nothing is random and days are ``fresh``,
    and where ``day_block`` has one day to choose from. Where no payment was observed, days are
    ``fresh``.

    Parameters
    ----------
    scenario : Scenario
    method : {"fresh", "bootstrap", "permutation", "stratified", "day_block"}
    num_samples : int
        Days for each purpose.
    master_seed : int
        The seed of the game; see :func:`~payment_simulator.ai_cash_mgmt.seeds.derive_seed`.
    observed_runs : int
        Runs of a random scenario that are observed: samples from 0 on under the seed of
        ``"observed"``. Of a scenario without randomness, one.

    Raises
    ------
    InputError
        A value is not among those expected.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        method: str,
        num_samples: int,
        master_seed: int,
        observed_runs: int = 100,
    ) -> None:
        found = [known for known in METHODS if known == method]
        if not found:
            raise InputError(f"sample_method: {shown(method)}; {nearest(str(method), METHODS)}")
        for name, value in (("num_samples", num_samples), ("observed_runs", observed_runs)):
            if value < 1:
                raise InputError(f"{name}: {value!r}; expected at least 1")
        self._scenario = scenario
        self._method: Method = found[0]
        self._num_samples = num_samples
        self._master_seed = master_seed
        self._observed_runs = observed_runs if scenario.is_random else 1

    def days(self, *labels: str | int, count: int | None = None) -> Days:
        """Return the sample days for a purpose: whole runs of the scenario.

        Parameters
        ----------
        labels : str or int
            The purpose, such as ``"judge", 3, "BANK_A"``. Days of one purpose are the same
            whenever they are asked for, and others than those of another purpose, unless there is
            one day only.
        count : int, optional
            How many, instead of `num_samples`; the first of more days are those of fewer.
        """
        way, count = self._way, count or self._num_samples
        if way is None:
            return self._fresh(labels, count)
        return self._again(way, self._observed, 0, labels, count)

    def days_from(
        self, start: Snapshot, seen: Ints, *labels: str | int, count: int | None = None
    ) -> Days:
        """Return possible futures of a running simulation, from its next tick on.

        Where whole days have been seen, each day to come is drawn from them as :meth:`days` draws
        from whole runs, of the day that has begun what is left; payments keep their tick of the
        day, and what the day that has begun has brought so far is not among them. Where a part of
        the first day is all that has been seen, every tick to come brings as many payments as
        one of the ticks so far, which is drawn each time; they are drawn with replacement
        (``stratified``: sender by sender), at ticks that are all as likely; methods differ in
        nothing else.

        Parameters
        ----------
        start : Snapshot
            Of the running simulation.
        seen : ndarray[int64], shape (payments, A_N)
            Its arrivals; only those before its next tick are looked at.
        labels : str or int
            The purpose.
        count : int, optional
            As in :meth:`days`.

        Returns
        -------
        Days
            Where payments are given, tables from the next tick on: what came before stands in the
            snapshot.
        """
        way, now, count = self._way, start.next_tick, count or self._num_samples
        if way is None:
            return self._fresh(labels, count)
        return self._again(way, self._seen_before(now, seen), now, labels, count)

    def _again(
        self,
        way: Way,
        observed: Observed,
        now: int,
        labels: tuple[str | int, ...],
        count: int,
    ) -> Days:
        """Draw again what was observed, from a tick on."""
        if not len(observed.pool):
            return self._fresh(labels, count)
        if way == "day_block" and observed.num_days > 0:
            observed = observed.part(_part(labels), len(_APART) + 1)
        seed = derive_seed(self._master_seed, *labels)
        uniforms = Uniforms(seed)
        n = 1 if observed.has_one_outcome(way) else count
        events = self._events[self._events[:, A_TICK] >= now]
        tables = tuple(
            by_tick(joined([events, self._table(way, observed, now, uniforms)])) for _ in range(n)
        )
        return Days(tuple(range(n)), seed, tables, self._runs_in(observed, now))

    def _runs_in(self, observed: Observed, now: int) -> float:
        """Return how many times what is sampled was observed; part of a day counts as once."""
        days = len(observed.runs) * observed.num_days
        n_ticks = self._scenario.n_ticks - now
        return max(1.0, days * observed.ticks_per_day / n_ticks)

    def _table(self, way: Way, observed: Observed, now: int, uniforms: Uniforms) -> Ints:
        """Draw payments from a tick on."""
        n_ticks = self._scenario.n_ticks
        if observed.num_days == 0:
            return spread(way, observed, now, n_ticks, uniforms)
        if observed.num_days > 1:
            return resample(way, observed, uniforms)
        tables, length = [], observed.ticks_per_day
        for first in range(now - now % length, n_ticks, length):
            left = observed.from_tick(now - first) if first < now else observed
            tables.append(shifted(resample(way, left, uniforms), first))
        return joined(tables)

    def _seen_before(self, now: int, arrivals: Ints) -> Observed:
        """Return the whole days that have been seen; where none is over, what there is."""
        scenario = self._scenario
        length = scenario.simulation.ticks_per_day
        past = arrivals[arrivals[:, A_TICK] < now]
        past = past[~self._is_of_event(past)]
        n_days = now // length
        if n_days == 0:
            return Observed((past,), length, 0, scenario.deadline_cap_at_eod)
        whole = past[past[:, A_TICK] < n_days * length]
        return Observed((whole,), length, n_days, scenario.deadline_cap_at_eod).days

    @property
    def _way(self) -> Way | None:
        return None if self._method == "fresh" else self._method

    def _fresh(self, labels: tuple[str | int, ...], count: int) -> Days:
        if not self._scenario.is_random:
            return _ONE_DAY
        return Days(tuple(range(count)), derive_seed(self._master_seed, *labels))

    @cached_property
    def _observed(self) -> Observed:
        """The payments of the runs that are observed, without those of events."""
        scenario = self._scenario
        seed = derive_seed(self._master_seed, "observed")
        runs = []
        for sample in range(self._observed_runs):
            arrivals = Simulation(scenario, seed=seed, sample=sample).arrivals
            runs.append(arrivals[~self._is_of_event(arrivals)])
        days = scenario.simulation
        return Observed(
            tuple(runs), days.ticks_per_day, days.num_days, scenario.deadline_cap_at_eod
        )

    @cached_property
    def _events(self) -> Ints:
        """The payments of events alone."""
        loaded = replace(self._scenario.loaded, payments=())
        return fixed_payments(self._scenario.with_loaded(loaded))

    def _is_of_event(self, arrivals: Ints) -> NDArray[np.bool_]:
        """Tell which arrivals are payments of events: in each tick the first ones.

        Raises
        ------
        InputError
            They are not where the scenario puts them.
        """
        n_ticks = self._scenario.n_ticks
        of_tick = arrivals[:, A_TICK]
        place_in_tick = np.arange(len(arrivals)) - starts(of_tick, n_ticks)[of_tick]
        is_event = place_in_tick < np.diff(starts(self._events[:, A_TICK], n_ticks))[of_tick]
        end = int(of_tick[-1]) + 1 if len(arrivals) else 0
        expected = self._events[self._events[:, A_TICK] < end]
        if not np.array_equal(arrivals[is_event], expected):
            raise InputError(
                f"scenario {quoted(self._scenario.name)}: the payments seen do not have those of "
                "its events first in each tick; expected the arrivals of a run of this scenario"
            )
        return is_event


def _part(labels: tuple[str | int, ...]) -> int:
    """Return which part of the days observed belongs to a purpose."""
    purpose = labels[0] if labels else None
    return _APART.index(purpose) if purpose in _APART else len(_APART)
