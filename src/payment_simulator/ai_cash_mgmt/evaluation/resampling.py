"""New days from payments that were observed: four ways of drawing them again.

Payments are rows of arrivals as :mod:`payment_simulator.kernels.layout` has them. Whatever is drawn
keeps sender, receiver, amount, priority and divisibility of a payment, and the number of ticks from
arrival to deadline; where the scenario says ``deadline_cap_at_eod``, a deadline is cut at the last
tick of the day on which the payment now arrives. A deadline may lie beyond the end of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from payment_simulator.ai_cash_mgmt.seeds import Uniforms
from payment_simulator.kernels.layout import A_DEADLINE, A_N, A_SENDER, A_TICK, Ints

Way: TypeAlias = Literal["bootstrap", "permutation", "stratified", "day_block"]
WAYS: tuple[Way, ...] = ("bootstrap", "permutation", "stratified", "day_block")

_QUARTERS = 4


@dataclass(frozen=True, eq=False)
class Observed:
    """Runs that were observed, all equally long, and in all the same days.

    Attributes
    ----------
    runs : tuple of ndarray[int64], shape (payments, A_N)
        The payments of each run by tick; ticks count from the beginning of the run.
    ticks_per_day : int
    num_days : int
        Days of each run.
    is_capped : bool
        Whether deadlines end with the day.
    """

    runs: tuple[Ints, ...]
    ticks_per_day: int
    num_days: int
    is_capped: bool

    @cached_property
    def pool(self) -> Ints:
        """The payments of all runs."""
        return np.concatenate(self.runs)

    @cached_property
    def run_of(self) -> Ints:
        """The number of the run that each payment of the pool is of."""
        return np.repeat(np.arange(len(self.runs)), [len(run) for run in self.runs])

    @cached_property
    def n_quarters(self) -> int:
        """Parts of a day that ``stratified`` tells apart: four, or as many as there are ticks."""
        return min(_QUARTERS, self.ticks_per_day)

    @cached_property
    def strata(self) -> Ints:
        """Which sender, and which quarter of the day, each payment of the pool belongs to."""
        tick_of_day = self.pool[:, A_TICK] % self.ticks_per_day
        quarter = tick_of_day * self.n_quarters // self.ticks_per_day
        found: Ints = self.pool[:, A_SENDER] * self.n_quarters + quarter
        return found

    @cached_property
    def days(self) -> Observed:
        """The same with every day as a run of its own."""
        if self.num_days == 1:
            return self
        days = tuple(
            shifted(_between(run, first, first + self.ticks_per_day), -first)
            for run in self.runs
            for first in range(0, self.num_days * self.ticks_per_day, self.ticks_per_day)
        )
        return Observed(days, self.ticks_per_day, 1, self.is_capped)

    def from_tick(self, first: int) -> Observed:
        """Return the same without what arrived before a tick."""
        end = self.num_days * self.ticks_per_day
        runs = tuple(_between(run, first, end) for run in self.runs)
        return Observed(runs, self.ticks_per_day, self.num_days, self.is_capped)

    def part(self, number: int, n_parts: int) -> Observed:
        """Return the days of one of some parts of what was observed, which have none in common.

        Whole runs are dealt out where there are enough of them, else single days; where there are
        not enough of these either, the last parts are the same.
        """
        dealt = self if len(self.runs) >= n_parts else self.days
        n_dealt = min(n_parts, len(dealt.runs))
        own = dealt.runs[min(number, n_dealt - 1) :: n_dealt]
        return Observed(own, self.ticks_per_day, dealt.num_days, self.is_capped).days

    def has_one_outcome(self, way: Way) -> bool:
        """Tell whether every table drawn in this way is the same."""
        return way == "day_block" and len(self.runs) * self.num_days == 1


def resample(way: Way, observed: Observed, uniforms: Uniforms) -> Ints:
    """Return payments of a run as long as those observed.

    Parameters
    ----------
    way : {"bootstrap", "permutation", "stratified", "day_block"}
        ``bootstrap``: payments of all runs, drawn with replacement, as many as one of the runs has,
        which is drawn each time; each arrives at the tick at which it did. ``stratified``: the same
        for the payments of each sender in each quarter of the day, as many as that run has of them.
        Where one run was observed, each of its payments comes as often as a Poisson number of mean
        1 says (the Poisson bootstrap), in both. ``permutation``: one observed run; its payments
        arrive at each other's ticks. ``day_block``: one observed run as it was (runs of one day, of
        which longer ones are put together).
    observed : Observed
    uniforms : Uniforms
        The stream to draw from.

    Returns
    -------
    ndarray[int64], shape (payments, A_N)
        By tick; within a tick in the order of drawing.

    References
    ----------
    .. [1] J. A. Hanley, B. MacGibbon, Creating non-parametric bootstrap samples using Poisson
       frequencies, Computer Methods and Programs in Biomedicine 83(1), 2006.
    """
    if way in {"day_block", "permutation"}:
        drawn = observed.runs[uniforms.index(len(observed.runs))]
        if way == "day_block":
            return drawn
        moved = moved_to(drawn, drawn[uniforms.permutation(len(drawn)), A_TICK], observed)
        return by_tick(moved)
    if len(observed.runs) == 1:
        (only,) = observed.runs
        return np.repeat(only, uniforms.poisson_of_one(len(only)), axis=0)
    chosen = uniforms.index(len(observed.runs))
    if way == "bootstrap":
        places = uniforms.indices(len(observed.pool), len(observed.runs[chosen]))
        return by_tick(observed.pool[places])
    is_chosen = observed.run_of == chosen
    return by_tick(draw(observed.pool, observed.strata, observed.strata[is_chosen], uniforms))


def spread(way: Way, seen: Observed, now: int, end: int, uniforms: Uniforms) -> Ints:
    """Return payments of the ticks to come, where all that was seen is a part of a day.

    Parameters
    ----------
    way : {"bootstrap", "permutation", "stratified", "day_block"}
        ``stratified`` draws sender by sender; the others do not differ.
    seen : Observed
        One run, up to a tick of its first day.
    now, end : int
        The first tick to come, and the one after the last.
    uniforms : Uniforms
        The stream to draw from.

    Returns
    -------
    ndarray[int64], shape (payments, A_N)
        For every tick to come as many as one of the ticks before `now` brought, which is drawn each
        time; drawn with replacement, at ticks that are all as likely; by tick.
    """
    (past,) = seen.runs
    strata = past[:, A_SENDER] if way == "stratified" else np.zeros(len(past), np.int64)
    ticks = uniforms.indices(now, end - now)
    times = np.bincount(ticks, minlength=now)[past[:, A_TICK]]
    drawn = draw(past, strata, np.repeat(strata, times), uniforms)
    return by_tick(moved_to(drawn, now + uniforms.indices(end - now, len(drawn)), seen))


def draw(pool: Ints, strata: Ints, wanted: Ints, uniforms: Uniforms) -> Ints:
    """Draw payments with replacement, stratum by stratum.

    Parameters
    ----------
    pool : ndarray[int64], shape (payments, A_N)
    strata : ndarray[int64], shape (payments,)
        Number of the stratum of each.
    wanted : ndarray[int64], shape (drawn,)
        Number of the stratum of each payment that is wanted; each stands in `strata`, too.
    uniforms : Uniforms

    Returns
    -------
    ndarray[int64], shape (drawn, A_N)
        Strata by number.
    """
    order = np.argsort(strata, kind="stable")
    numbers, first, size = np.unique(strata[order], return_index=True, return_counts=True)
    of = np.searchsorted(numbers, np.sort(wanted))
    place = uniforms.indices(size[of], len(of))
    drawn: Ints = pool[order[first[of] + place]]
    return drawn


def moved_to(payments: Ints, ticks: Ints, observed: Observed) -> Ints:
    """Return payments that arrive at other ticks; deadlines go with them."""
    moved = payments.copy()
    moved[:, A_TICK] = ticks
    moved[:, A_DEADLINE] += ticks - payments[:, A_TICK]
    if observed.is_capped:
        length = observed.ticks_per_day
        last = ticks - ticks % length + length - 1
        np.minimum(moved[:, A_DEADLINE], last, out=moved[:, A_DEADLINE])
    return moved


def shifted(payments: Ints, ticks: int) -> Ints:
    """Return payments so many ticks later, their deadlines too."""
    later = payments.copy()
    later[:, A_TICK] += ticks
    later[:, A_DEADLINE] += ticks
    return later


def by_tick(payments: Ints) -> Ints:
    """Return payments by tick, those of a tick in the order in which they were."""
    return payments[np.argsort(payments[:, A_TICK], kind="stable")]


def joined(tables: Sequence[Ints]) -> Ints:
    """Return the rows of some tables as one."""
    return np.concatenate([np.zeros((0, A_N), dtype=np.int64), *tables])


def _between(run: Ints, first: int, end: int) -> Ints:
    return run[(run[:, A_TICK] >= first) & (run[:, A_TICK] < end)]
