"""What a proposer that uses the simulator has tried in one step, and the best of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace, Values
from payment_simulator.ai_cash_mgmt.evaluation.inference import mean
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation, Tried
from payment_simulator.ai_cash_mgmt.proposers.racing import FIRST_ROUND, race
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy, to_json
from payment_simulator.wording import number_text

#: Policies that are played in one go at most, and costs of a day that are kept of them at most: a
#: batch of all of a large grid would fill memory.
_BATCH, _COSTS_KEPT = 512, 4_000_000


class Trials:
    """Values of the declared parameters that were tried, none of them twice.

    Parameters
    ----------
    situation : Situation
        Whose bank's costs are compared.
    space : ParameterSpace
        What may be tried.
    races : bool
        Whether what is tried together races: what falls behind does not play all days.

    Attributes
    ----------
    current : tuple of float
        The values of the policy in force. It always plays all days.
    costs : Mapping of tuple of float to float
        Mean cost of the bank by what was tried, in the order of trying, cents. Of what did not play
        all days it is an estimate.
    """

    def __init__(self, situation: Situation, space: ParameterSpace, *, races: bool = False) -> None:
        self.current: Values = tuple(space.point(situation.policy).values())
        self._situation = situation
        self._space = space
        self._races = races and situation.n_days > FIRST_ROUND
        self._costs: dict[Values, float] = {}
        #: How many days were played of what did not play all.
        self._dropped: dict[Values, int] = {}
        #: The cheapest that may be proposed, of what played all days, and its cost on each.
        self._lead: tuple[Values, Floats] | None = None

    @property
    def costs(self) -> Mapping[Values, float]:
        """What was tried, with its cost."""
        return self._costs

    @property
    def best(self) -> Values:
        """The cheapest so far that played all days, the first of those that cost the same."""
        whole = (tried for tried in self._costs if tried not in self._dropped)
        return min(whole, key=lambda tried: self._costs[tried])

    @property
    def tried(self) -> tuple[Tried, ...]:
        """What was tried, in the order of trying, with the number of its days."""
        n_days = self._situation.n_days
        return tuple(
            Tried(values, self._dropped.get(values, n_days), cost)
            for values, cost in self._costs.items()
        )

    def policy(self, values: Values) -> Policy:
        """Return the bank's policy with these values."""
        if values == self.current:
            return self._situation.policy
        point = dict(zip(self._space.names, values, strict=True))
        return self._space.with_point(self._situation.policy, point)

    def play(self, points: Iterable[Values]) -> None:
        """Play what was not tried yet."""
        new = [values for values in dict.fromkeys(points) if values not in self._costs]
        size = _BATCH
        if self._races:
            size = max(1, min(_BATCH, _COSTS_KEPT // self._situation.n_days))
        for first in range(0, len(new), size):
            some = new[first : first + size]
            policies = [self.policy(values) for values in some]
            if self._races:
                self._race(some, policies)
            else:
                found = self._situation.costs(policies)
                self._costs.update(zip(some, map(_cost, found.tolist()), strict=True))

    def _race(self, some: Sequence[Values], policies: Sequence[Policy]) -> None:
        n_days = self._situation.n_days
        costs = race(
            policies,
            self._situation.day_costs,
            n_days,
            lead=None if self._lead is None else self._lead[1],
            stays=[q for q, values in enumerate(some) if values == self.current],
            followers=[q for q, values in enumerate(some) if not self._is_allowed(values)],
        )
        played = dict(zip(some, costs, strict=True))
        self._costs.update({values: _cost(mean(cost)) for values, cost in played.items()})
        for values, cost in played.items():
            if len(cost) < n_days:
                self._dropped[values] = len(cost)
            elif self._is_allowed(values) and (
                self._lead is None or self._costs[values] < self._costs[self._lead[0]]
            ):
                self._lead = values, cost
        if self._lead is not None:
            self._estimate(played, self._lead[1])

    def _estimate(self, played: Mapping[Values, Floats], lead: Floats) -> None:
        """Estimate what dropped policies cost on all days: as much more as on those they played.

        Policies have good and bad days in common, so the difference is better known than the cost.
        """
        whole = mean(lead)
        for values, cost in played.items():
            if values in self._dropped and math.isfinite(self._costs[values]):
                self._costs[values] = whole + mean(cost - lead[: len(cost)])

    def proposal(self) -> Proposal:
        """Return the best policy tried; the one in force where none is better.

        What was sent back in this step is not proposed again.
        """
        present = self._costs[self.current]
        costs = {
            values: cost
            for values, cost in self._costs.items()
            if values not in self._dropped and self._is_allowed(values)
        }
        lowest = min(costs.values())
        n_tried = f"{len(self._costs):,} policies tried{self._dropped_words()}"
        if _is_as_low(present, lowest):
            return Proposal(
                self._situation.policy,
                f"Of {n_tried} none costs less than the one in force: {_cents(present)}.",
            )
        chosen = next(values for values, cost in costs.items() if _is_as_low(cost, lowest))
        named = zip(self._space.names, chosen, strict=True)
        words = ", ".join(f"{name} = {number_text(value)}" for name, value in named)
        return Proposal(
            self.policy(chosen),
            f"Of {n_tried} the one with {words} costs least: {_cents(lowest)} on average; "
            f"the one in force costs {_cents(present)}.",
        )

    def _dropped_words(self) -> str:
        if not self._dropped:
            return ""
        n_days = self._situation.n_days
        return f", {len(self._dropped):,} of them not on all {n_days:,} days,"

    @cached_property
    def _refused(self) -> frozenset[str]:
        return frozenset(refusal.text for refusal in self._situation.refused)

    def _is_allowed(self, values: Values) -> bool:
        """Tell whether these values may be proposed: they were not sent back in this step."""
        if values == self.current or not self._refused:
            return True
        return to_json(self.policy(values)) not in self._refused


def _is_as_low(cost: float, lowest: float) -> bool:
    # As a share of an infinite cost every difference is small.
    is_same = math.isfinite(cost) and bool(is_tie(np.array(cost), np.array(lowest)))
    return is_same or cost == lowest


def _cost(found: float) -> float:
    return math.inf if math.isnan(found) else found


def _cents(cost: float) -> str:
    return f"{number_text(round(cost, 2))} cents" if math.isfinite(cost) else "no finite amount"
