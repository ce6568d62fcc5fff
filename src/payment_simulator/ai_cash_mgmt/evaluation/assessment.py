"""What a game came to: costs at its start and end on held-out days, and two runs to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena, own_rates
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, mean
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.kernels.layout import S_ARRIVED_VALUE, S_SETTLED_VALUE, Floats
from payment_simulator.policy import Policy
from payment_simulator.simulation import COST_KINDS, Run, simulate


@dataclass(frozen=True)
class BankOutcome:
    """What a bank paid under the first policies of a game, and under the last.

    Attributes
    ----------
    bank : str
    num_samples : int
        Days, the same for both; no step was judged on them where the scenario has more than one.
    start_costs, final_costs : Mapping of str to float
        Mean cost by kind, cents.
    start_cost, final_cost : float
        All kinds together, cents.
    interval : tuple of float, optional
        Two-sided interval of the mean paired difference (start - final), cents; none for one day,
        nor where all days gave the same difference under different policies.
    start_rate, final_rate : float
        Settled share of the value it had to pay, mean over days.
    start_policy, final_policy : Policy
    """

    bank: str
    num_samples: int
    start_costs: Mapping[str, float]
    final_costs: Mapping[str, float]
    start_cost: float
    final_cost: float
    interval: tuple[float, float] | None
    start_rate: float
    final_rate: float
    start_policy: Policy
    final_policy: Policy


@dataclass(frozen=True)
class Assessment:
    """What a game came to.

    Attributes
    ----------
    outcomes : tuple of BankOutcome
        Of all banks, in the order of the scenario.
    start_run, final_run : Run
        One of these days under the first and the last policies, with all that happened.
    """

    outcomes: tuple[BankOutcome, ...]
    start_run: Run
    final_run: Run

    @property
    def final_cost(self) -> float:
        """Cost of all banks at the end, cents."""
        return math.fsum(outcome.final_cost for outcome in self.outcomes)


def assess_campaign(
    arena: Arena, start: Profile, final: Profile, days: Days, confidence: float
) -> Assessment:
    """Play held-out days under the first and the last policies of a game."""
    batch = arena.play([start, final], days)
    total = batch.total_cost
    outcomes = []
    for i, bank in enumerate(arena.scenario.bank_ids):
        by_kind = [
            {kind: mean(batch.cost[:, q, i, c]) for c, kind in enumerate(COST_KINDS)}
            for q in range(2)
        ]
        differences = total[:, 0, i] - total[:, 1, i]
        outcomes.append(
            BankOutcome(
                bank=bank,
                num_samples=len(days),
                start_costs=by_kind[0],
                final_costs=by_kind[1],
                start_cost=mean(total[:, 0, i]),
                final_cost=mean(total[:, 1, i]),
                interval=_interval(differences, days, confidence, is_same=start == final),
                start_rate=mean(own_rates(batch, 0, i)),
                final_rate=mean(own_rates(batch, 1, i)),
                start_policy=start[i],
                final_policy=final[i],
            )
        )
    first = int(days.numbers[0])
    return Assessment(
        tuple(outcomes), arena.replay(start, days, first), arena.replay(final, days, first)
    )


def _interval(
    differences: Floats, days: Days, confidence: float, *, is_same: bool
) -> tuple[float, float] | None:
    if is_same and len(days) > 1:
        return 0.0, 0.0  # the same policies cost the same on any day
    return interval(differences, confidence, days.n_observed)


def assess_run(played: Run, start: Profile, final: Profile) -> Assessment:
    """Set a run whose policies changed beside the same run under its first policies.

    The payments are the same, so the difference is what optimising in its course was worth.
    """
    without = simulate(played.scenario, start, seed=played.seed, sample=played.sample)
    before, after = without.total_costs, played.total_costs
    outcomes = tuple(
        BankOutcome(
            bank=bank,
            num_samples=1,
            start_costs=without.costs[bank],
            final_costs=played.costs[bank],
            start_cost=before[bank],
            final_cost=after[bank],
            interval=None,
            start_rate=_own_rate(without, i),
            final_rate=_own_rate(played, i),
            start_policy=start[i],
            final_policy=final[i],
        )
        for i, bank in enumerate(played.scenario.bank_ids)
    )
    return Assessment(outcomes, without, played)


def _own_rate(run: Run, i: int) -> float:
    arrived = int(run.stat[i, S_ARRIVED_VALUE])
    return float(np.divide(run.stat[i, S_SETTLED_VALUE], arrived)) if arrived else 1.0
