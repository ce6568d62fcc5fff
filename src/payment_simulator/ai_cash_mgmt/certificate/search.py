"""A fresh search for a best response, for deviations that nobody proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, Values
from payment_simulator.ai_cash_mgmt.proposers.covering import EvenCovering
from payment_simulator.ai_cash_mgmt.proposers.nearby import Nearby
from payment_simulator.ai_cash_mgmt.seeds import derive_seed

#: Policies that are played in one go.
_ROUND = 16
#: How often the covering is asked for each try, at most: it may come to the same point again.
_ASKS = 4


def searched(
    axes: Sequence[Axis],
    start: Values,
    costs: Callable[[Sequence[Values]], Iterable[float]],
    candidates: int,
    seed: int,
) -> list[Values]:
    """Try values of parameters: half of them all over the space, half near the cheapest so far.

    Parameters
    ----------
    axes : sequence of Axis
        The space.
    start : tuple of float
        The values of the policy in force.
    costs : callable
        Mean cost of each of some values, cents.
    candidates : int
        How many are tried.
    seed : int

    Returns
    -------
    list of tuple of float
        All that was tried, in the order of trying.
    """
    covering = EvenCovering(axes, derive_seed(seed, "covering"))
    nearby = Nearby(axes, derive_seed(seed, "nearby"))
    known: dict[Values, float] = {}
    own: Iterator[Values] = chain([start], nearby.bounds(start))
    while len(known) < candidates:
        size = min(_ROUND, candidates - len(known))
        tries: dict[Values, None] = {}
        asked = (covering.ask() for _ in range(_ASKS * size))
        for source, most in ((own, size // 2), (asked, size), (own, size)):
            while len(tries) < most and (values := next(source, None)) is not None:
                if values not in known:
                    tries[values] = None
        if not tries:
            break
        known.update(zip(tries, costs(list(tries)), strict=True))
        own = nearby.around(min(known, key=lambda tried: known[tried]), known)
    return list(known)
