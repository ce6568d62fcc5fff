"""Races: candidates play the same random days in rounds, and those that fall behind are dropped.

Most candidates of a search are plainly dearer than the cheapest, and few days show it. So all play
a first round of days. Those whose cost is above that of the cheapest, in paired differences and
with a bounded chance of error, play no more; the others go on, to twice as many days each round,
until they have played all days.

The scheme is that of races [1]_ with differences paired by day [2]_, as in F-Race [3]_; the bounds
are those of :mod:`~payment_simulator.ai_cash_mgmt.evaluation.inference`.

References
----------
.. [1] O. Maron, A. W. Moore, Hoeffding races: accelerating model selection search for
   classification and function approximation, Advances in Neural Information Processing Systems 6,
   1994.
.. [2] A. W. Moore, M. S. Lee, Efficient algorithms for minimizing cross validation error,
   International Conference on Machine Learning, 1994.
.. [3] M. Birattari, T. Stützle, L. Paquete, K. Varrentrapp, A racing algorithm for configuring
   metaheuristics, Genetic and Evolutionary Computation Conference, 2002.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import Final

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.inference import lower_bound, mean
from payment_simulator.ai_cash_mgmt.evaluation.ties import has_no_spread
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy

#: Days of the first round. Where there are no more, nothing is dropped.
FIRST_ROUND: Final = 25
#: How likely a candidate that is no dearer than the cheapest may be to be dropped, in all rounds.
ERROR: Final = 0.3

#: Plays policies on the days from one place to before another: shape (days, policies), cents.
PlayDays = Callable[[Sequence[Policy], int, int], Floats]


def round_ends(n_days: int) -> tuple[int, ...]:
    """Return after how many days each round ends: the first one's, and twice as many each time."""
    ends = [min(FIRST_ROUND, n_days)]
    while ends[-1] < n_days:
        ends.append(min(2 * ends[-1], n_days))
    return tuple(ends)


def race(
    policies: Sequence[Policy],
    play: PlayDays,
    n_days: int,
    *,
    lead: Floats | None = None,
    stays: Collection[int] = (),
    followers: Collection[int] = (),
) -> list[Floats]:
    """Race policies, and return what each costs on the days that it played.

    Parameters
    ----------
    policies : sequence of Policy
    play : callable
        Plays some of them on some of the days.
    n_days : int
        How many days there are.
    lead : ndarray[float64], shape (n_days,), optional
        Cost of the cheapest policy so far on every day, cents; it has played before.
    stays : collection of int
        Places of the policies that play all days, whatever they cost.
    followers : collection of int
        Places of the policies that others are not dropped for.

    Returns
    -------
    list of ndarray[float64], shape (days played,), cents
        In the order of the policies; a policy was dropped where there are less than `n_days`.
    """
    ends = round_ends(n_days)
    error = ERROR / max(1, len(ends) - 1)
    costs: list[Floats] = [np.zeros(0)] * len(policies)
    running, first = list(range(len(policies))), 0
    for end in ends:
        if not running:
            break
        found = play([policies[q] for q in running], first, end)
        for column, q in enumerate(running):
            costs[q] = np.concatenate([costs[q], found[:, column]])
        if end < n_days:
            leaders = [costs[q] for q in running if q not in followers]
            if lead is not None:
                leaders.append(lead[:end])
            cheapest = min(leaders, key=mean, default=None)
            running = [
                q for q in running if q in stays or not _is_behind(costs[q], cheapest, error)
            ]
        first = end
    return costs


def _is_behind(cost: Floats, cheapest: Floats | None, error: float) -> bool:
    """Tell whether a policy is dearer than the cheapest, but for a chance of error."""
    if cheapest is None or not math.isfinite(mean(cheapest)):
        return False
    if not math.isfinite(mean(cost)):
        return True  # a run stopped: its cost on all days is infinite, too
    if has_no_spread(cost, cheapest):
        return False
    bound = lower_bound(cost - cheapest, error)
    return bound is not None and bound > 0.0
