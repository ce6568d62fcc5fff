"""What a proposer that uses the simulator has tried in one step, and the best of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace, Values
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation
from payment_simulator.policy import Policy, to_json
from payment_simulator.wording import number_text

#: Policies that are played in one go at most: a batch of all of a large grid would fill memory.
_BATCH = 512


class Trials:
    """Values of the declared parameters that were tried, none of them twice.

    Parameters
    ----------
    situation : Situation
        Whose bank's costs are compared.
    space : ParameterSpace
        What may be tried.

    Attributes
    ----------
    current : tuple of float
        The values of the policy in force.
    costs : Mapping of tuple of float to float
        Mean cost of the bank by what was tried, in the order of trying, cents.
    """

    def __init__(self, situation: Situation, space: ParameterSpace) -> None:
        self.current: Values = tuple(space.point(situation.policy).values())
        self._situation = situation
        self._space = space
        self._costs: dict[Values, float] = {}

    @property
    def costs(self) -> Mapping[Values, float]:
        """What was tried, with its cost."""
        return self._costs

    @property
    def best(self) -> Values:
        """The cheapest so far, the first of those that cost the same."""
        return min(self._costs, key=lambda tried: self._costs[tried])

    def policy(self, values: Values) -> Policy:
        """Return the bank's policy with these values."""
        if values == self.current:
            return self._situation.policy
        point = dict(zip(self._space.names, values, strict=True))
        return self._space.with_point(self._situation.policy, point)

    def play(self, points: Iterable[Values]) -> None:
        """Play what was not tried yet."""
        new = [values for values in dict.fromkeys(points) if values not in self._costs]
        for first in range(0, len(new), _BATCH):
            some = new[first : first + _BATCH]
            found = self._situation.costs([self.policy(values) for values in some])
            costs = (math.inf if math.isnan(cost) else float(cost) for cost in found)
            self._costs.update(zip(some, costs, strict=True))

    def proposal(self) -> Proposal:
        """Return the best policy tried; the one in force where none is better.

        What was sent back in this step is not proposed again.
        """
        present = self._costs[self.current]
        costs = {values: self._costs[values] for values in self._allowed()}
        lowest = min(costs.values())
        n_tried = f"{len(self._costs):,} policies tried"
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

    def _allowed(self) -> list[Values]:
        refused = {refusal.text for refusal in self._situation.refused}
        if not refused:
            return list(self._costs)
        return [
            values
            for values in self._costs
            if values == self.current or to_json(self.policy(values)) not in refused
        ]


def _is_as_low(cost: float, lowest: float) -> bool:
    # As a share of an infinite cost every difference is small.
    is_same = math.isfinite(cost) and bool(is_tie(np.array(cost), np.array(lowest)))
    return is_same or cost == lowest


def _cents(cost: float) -> str:
    return f"{number_text(round(cost, 2))} cents" if math.isfinite(cost) else "no finite amount"
