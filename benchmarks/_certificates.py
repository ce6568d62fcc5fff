"""Certificates of made-up games whose truth is known: how often their intervals are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from payment_simulator.ai_cash_mgmt.certificate.measure import BankMeasure
from payment_simulator.ai_cash_mgmt.certificate.regret import Regret
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.evaluation.spending import look_sizes
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy

SIZES = look_sizes(200, 3_200)
TOLERANCE = 0.01
GRID = tuple(n / 20 for n in range(21))
#: What a bank pays on average at its best policy.
_LEAST = 1_000.0
#: By how much more it pays at a distance of 1 from there.
_CURVATURE = 2_000.0
#: How much that differs from day to day, at a distance of 1 from another policy.
_SPREAD = 1_500.0


@dataclass(frozen=True)
class MadeUpGame:
    """A bank whose mean cost is a parabola of its one parameter, with skewed days.

    Attributes
    ----------
    best : float
        Its best policy.
    seed : int
        Of its days.
    sigma : float
        Of the lognormal tail; the larger, the more skewed.
    sign : float
        1 where much funding is dear on a few days, -1 where little funding is.
    """

    best: float
    seed: int
    sigma: float = 1.0
    sign: float = -1.0

    class scenario:  # noqa: N801 - stands for an attribute
        """What the measure asks of a scenario."""

        bank_ids = ("A",)

    @cached_property
    def _days(self) -> dict[int, Floats]:
        found = {}
        for half in (0, 1):
            rng = np.random.default_rng([self.seed, half])
            found[half] = rng.lognormal(0.0, self.sigma, (SIZES[-1], 1))
        return found

    def mean_cost(self, x: float) -> float:
        """Return what the bank pays on average."""
        return _LEAST + _CURVATURE * (x - self.best) ** 2

    def day_costs(self, _p: object, _b: str, policies: Sequence[Policy], days: Days) -> Floats:
        """Return what it pays under some policies on some days."""
        xs = np.array([policy.parameters["x"] for policy in policies])
        drawn = self._days[cast("int", days.seed)][days.numbers[0] : days.numbers[-1] + 1]
        tail = drawn / math.exp(self.sigma**2 / 2) - 1.0
        means = np.array([self.mean_cost(x) for x in xs.tolist()])
        costs: Floats = means + 200.0 * tail + self.sign * _SPREAD * xs * tail
        return costs

    def regret_at(self, x: float) -> float:
        """Return the true regret among the points of the grid."""
        return max(0.0, self.mean_cost(x) - min(map(self.mean_cost, GRID)))

    def certificate(self, x: float) -> Regret:
        """Measure the regret as a game would."""
        tried = [Policy("p", parameters={"x": point}) for point in GRID if point != x]
        measure = BankMeasure(
            cast("Arena", cast("Any", self)),
            (Policy("p", parameters={"x": x}),),
            "A",
            tried,
            n_banks=1,
            n_looks=len(SIZES),
            tolerance=TOLERANCE,
        )
        for size in SIZES:
            days = Days(range(size), 0), Days(range(size), 1)
            found = measure.look(*days, is_last=size == SIZES[-1])
            if found.is_within(TOLERANCE):
                break
        return found


@dataclass(frozen=True)
class Shares:
    """What a number of certificates came to.

    Attributes
    ----------
    covered : float
        Share whose interval holds the truth.
    bias, standard_error : float
        Mean of estimate less truth, and its standard error, cents.
    correlation : float
        Of estimates with the truth; NaN where the truth is the same in all.
    days : float
        Days on which deviations were valued, on average.
    """

    covered: float
    bias: float
    standard_error: float
    correlation: float
    days: float


def at_equilibrium(runs: int, sigma: float, sign: float) -> Shares:
    """Certify policies that are best on the grid."""
    games = [MadeUpGame(0.5, seed, sigma, sign) for seed in range(runs)]
    return _shares([(game, 0.5) for game in games])


def anywhere(runs: int, sigma: float, sign: float) -> Shares:
    """Certify policies at points of the grid that chance picks."""
    rng = np.random.default_rng(3)
    picked = rng.choice(GRID, (runs, 2)).tolist()
    return _shares([(MadeUpGame(b, 1_000 + n, sigma, sign), x) for n, (b, x) in enumerate(picked)])


def _shares(cases: Sequence[tuple[MadeUpGame, float]]) -> Shares:
    truths, estimates, days, covered = [], [], [], 0
    for game, x in cases:
        truth, found = game.regret_at(x), game.certificate(x)
        truths.append(truth)
        estimates.append(found.estimate)
        days.append(found.num_samples)
        slack = 1e-9 * _LEAST
        is_above = found.low is None or found.low <= truth + slack
        covered += is_above and (found.high is None or truth <= found.high + slack)
    off = np.array(estimates) - np.array(truths)
    is_same = len(set(truths)) == 1
    return Shares(
        covered=covered / len(cases),
        bias=float(off.mean()),
        standard_error=float(off.std(ddof=1) / math.sqrt(len(off))),
        correlation=math.nan if is_same else float(np.corrcoef(estimates, truths)[0, 1]),
        days=float(np.mean(days)),
    )
