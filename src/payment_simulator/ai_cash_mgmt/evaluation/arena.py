"""What policies cost on sample days: in the full system, every policy on the same days."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.acceptance import Evaluation
from payment_simulator.ai_cash_mgmt.evaluation.inference import mean
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.evaluation.own_report import OwnReport
from payment_simulator.errors import SimulationError
from payment_simulator.kernels.layout import (
    A_TICK,
    K_N,
    S_ARRIVED_VALUE,
    S_N,
    S_SETTLED_VALUE,
    Floats,
)
from payment_simulator.policy import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import (
    COST_KINDS,
    Batch,
    Run,
    Simulation,
    Snapshot,
    simulate,
    simulate_batch,
)
from payment_simulator.simulation.result import costs_by_day, sum_days

#: Numbers that one batch may hold in its results; 8 bytes each.
_CELLS = 4_000_000
_ROW = K_N + S_N + 6


@dataclass(frozen=True)
class Arena:
    """Where policies are compared: whole runs of a scenario, or what is left of a running one.

    Costs of a running simulation are those from its next tick on: what has been paid before is
    no part of a choice.

    Attributes
    ----------
    scenario : Scenario
    start : Snapshot, optional
        The running simulation.
    threads : int, optional
        As in :func:`~payment_simulator.simulation.simulate_batch`; results do not depend on it.
    """

    scenario: Scenario
    start: Snapshot | None = None
    threads: int | None = None

    @cached_property
    def past(self) -> Floats:
        """What each bank has paid before, by kind: shape (banks, 7), cents."""
        if self.start is None:
            return np.zeros((self.scenario.n_banks, K_N))
        return sum_days(costs_by_day(self.start.base.sums))

    def play(self, profiles: Sequence[Profile], days: Days) -> Batch:
        """Play the days under every profile."""
        return simulate_batch(
            self.scenario,
            profiles,
            samples=days.numbers,
            arrivals=days.arrivals,
            seed=days.seed,
            start=self.start,
            threads=self.threads,
        )

    def bank_costs(self, batch: Batch) -> Floats:
        """Return what banks pay from the start on: shape (samples, profiles, banks), cents."""
        past = np.zeros(self.scenario.n_banks)
        for kind in range(K_N):
            past = past + self.past[:, kind]
        return batch.total_cost - past

    def mean_costs(self, profile: Profile, days: Days) -> dict[str, float]:
        """Return the mean cost of every bank, cents."""
        cost = self.bank_costs(self.play([profile], days))[:, 0]
        return {bank: mean(cost[:, i]) for i, bank in enumerate(self.scenario.bank_ids)}

    def candidate_costs(
        self, profile: Profile, bank: str, candidates: Sequence[Policy], days: Days
    ) -> Floats:
        """Return what each candidate would cost a bank on average, the others as they are.

        Returns
        -------
        ndarray[float64], shape (candidates,), cents
            Infinite where a run stops under a candidate rather than give a wrong number.
        """
        costs: list[float] = []
        for some in self._slices(candidates, len(days)):
            costs += map(mean, self.day_costs(profile, bank, some, days).T)
        return np.array(costs)

    def day_costs(
        self, profile: Profile, bank: str, candidates: Sequence[Policy], days: Days
    ) -> Floats:
        """Return what each candidate would cost a bank on every day, the others as they are.

        Returns
        -------
        ndarray[float64], shape (days, candidates), cents
            Infinite where a run stops under a candidate, on all the days.
        """
        i = self.scenario.bank_ids.index(bank)
        slices = self._slices(candidates, len(days))
        return np.hstack([self._costs_of(profile, i, some, days) for some in slices])

    def _slices(self, candidates: Sequence[Policy], n_days: int) -> Iterator[Sequence[Policy]]:
        size = max(1, _CELLS // (_ROW * self.scenario.n_banks * n_days))
        for at in range(0, len(candidates), size):
            yield candidates[at : at + size]

    def _costs_of(
        self, profile: Profile, i: int, candidates: Sequence[Policy], days: Days
    ) -> Floats:
        try:
            batch = self.play([with_policy(profile, i, policy) for policy in candidates], days)
        except SimulationError:
            if len(candidates) == 1:
                return np.full((len(days), 1), math.inf)
            return np.hstack([self._costs_of(profile, i, [one], days) for one in candidates])
        return self.bank_costs(batch)[:, :, i]

    def compare(self, profile: Profile, bank: str, proposed: Policy, days: Days) -> Evaluation:
        """Play the days under a bank's policy and under the one proposed, the others as they are.

        Raises
        ------
        SimulationError
            A run stopped.
        """
        i = self.scenario.bank_ids.index(bank)
        batch = self.play([profile, with_policy(profile, i, proposed)], days)
        cost, rate = self.bank_costs(batch)[:, :, i], batch.settlement_rate
        return Evaluation(
            old_cost=cost[:, 0],
            new_cost=cost[:, 1],
            old_rate=rate[:, 0],
            new_rate=rate[:, 1],
            seeds=tuple(int(number) for number in days.numbers),
            n_observed=days.n_observed,
            is_exact=days.is_exact,
        )

    def report(self, profile: Profile, bank: str, days: Days) -> OwnReport:
        """Return what a bank's own books say on the days."""
        i = self.scenario.bank_ids.index(bank)
        batch = self.play([profile], days)
        cost = self.bank_costs(batch)[:, 0, i]
        kinds = batch.cost[:, 0, i] - self.past[i]
        best, worst = int(np.argmin(cost)), int(np.argmax(cost))
        return OwnReport(
            num_samples=len(days),
            cost_mean=mean(cost),
            cost_std=_deviation(cost),
            settlement_rate_mean=mean(own_rates(batch, 0, i)),
            cost_by_kind={kind: mean(kinds[:, c]) for c, kind in enumerate(COST_KINDS)},
            best_seed=int(days.numbers[best]),
            best_cost=float(cost[best]),
            worst_seed=int(days.numbers[worst]),
            worst_cost=float(cost[worst]),
        )

    def replay(self, profile: Profile, days: Days, number: int) -> Run:
        """Play one of the days once more, with all that happens written down."""
        place = list(days.numbers).index(number)
        given = None if days.arrivals is None else days.arrivals[place]
        if self.start is None:
            sample = number if given is None else 0
            return simulate(self.scenario, profile, seed=days.seed, sample=sample, arrivals=given)
        if given is None:
            drawn = Simulation(self.scenario, profile, seed=days.seed, sample=number)
            given = drawn.arrivals
        now, seen = self.start.next_tick, self.start.arrivals
        arrivals = np.concatenate([seen[seen[:, A_TICK] < now], given[given[:, A_TICK] >= now]])
        start = replace(self.start, arrivals=arrivals)
        return Simulation.restore(self.scenario, start, profile).run_until().result()


def with_policy(profile: Profile, i: int, policy: Policy) -> Profile:
    """Return the profile in which one bank has another policy."""
    return (*profile[:i], policy, *profile[i + 1 :])


def own_rates(batch: Batch, profile: int, i: int) -> Floats:
    """Return the settled share of what a bank had to pay, by sample; 1 where it had nothing."""
    arrived = batch.stat[:, profile, i, S_ARRIVED_VALUE]
    rate: Floats = np.ones(len(arrived))
    np.divide(batch.stat[:, profile, i, S_SETTLED_VALUE], arrived, out=rate, where=arrived > 0)
    return rate


def _deviation(values: Floats) -> float:
    if len(values) == 1:
        return 0.0
    middle = mean(values)
    squares = math.fsum((value - middle) ** 2 for value in values.tolist())
    return math.sqrt(squares / (len(values) - 1))
