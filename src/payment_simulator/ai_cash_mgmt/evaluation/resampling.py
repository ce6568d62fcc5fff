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
        ``bootstrap``: as many payments as an observed run has on average (a fraction is rounded up
        as often as it says), drawn with replacement; each arrives at the tick at which it did.
        ``stratified``: the same for the payments of each sender in each quarter of the day, so that
        none of these has more or fewer than on average but by rounding; days are calmer than where
        numbers vary. ``permutation``: one observed run; its payments arrive at each other's ticks.
        ``day_block``: one observed run as it was (runs of one day, of which longer ones are put
        together).
    observed : Observed
    uniforms : Uniforms
        The stream to draw from.

    Returns
    -------
    ndarray[int64], shape (payments, A_N)
        By tick; within a tick in the order of drawing.
    """
    if way in {"day_block", "permutation"}:
        drawn = observed.runs[uniforms.index(len(observed.runs))]
        if way == "day_block":
            return drawn
        moved = moved_to(drawn, drawn[uniforms.permutation(len(drawn)), A_TICK], observed)
        return by_tick(moved)
    strata = observed.strata if way == "stratified" else np.zeros(len(observed.pool), np.int64)
    return by_tick(draw(observed.pool, strata, 1.0 / len(observed.runs), uniforms))


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
        On average as many in a tick as were seen in a tick before `now`, drawn with replacement; by
        tick.
    """
    (past,) = seen.runs
    strata = past[:, A_SENDER] if way == "stratified" else np.zeros(len(past), np.int64)
    drawn = draw(past, strata, (end - now) / now, uniforms)
    return by_tick(moved_to(drawn, now + uniforms.indices(end - now, len(drawn)), seen))


def draw(pool: Ints, strata: Ints, share: float, uniforms: Uniforms) -> Ints:
    """Draw payments with replacement, stratum by stratum.

    Parameters
    ----------
    pool : ndarray[int64], shape (payments, A_N)
    strata : ndarray[int64], shape (payments,)
        Number of the stratum of each.
    share : float
        How many are drawn for each payment in the pool.
    uniforms : Uniforms

    Returns
    -------
    ndarray[int64], shape (drawn, A_N)
        From each stratum its number of payments times the share, rounded up as often as the
        fraction says; strata by number.
    """
    order = np.argsort(strata, kind="stable")
    _, first, size = np.unique(strata[order], return_index=True, return_counts=True)
    count = uniforms.rounded(size.astype(np.float64) * np.float64(share))
    place = uniforms.indices(np.repeat(size, count), int(count.sum()))
    drawn: Ints = pool[order[np.repeat(first, count) + place]]
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
