"""Measures what a bank could gain alone, on as many days as that takes.

The best of many deviations, chosen and valued on the same days, gains by chance. So it is chosen on
some days and valued on others. A deviation is chosen only if its gain is above 0 with confidence on
the days that choose; else a policy in force that is best would look worse by what chance picks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from payment_simulator.ai_cash_mgmt.certificate.bounds import flat_bound, is_flat, upper_bound
from payment_simulator.ai_cash_mgmt.certificate.regret import Regret
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, lower_bound, mean
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.evaluation.ties import is_tie
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy

#: Of the interval of a regret, two-sided.
CONFIDENCE = 0.95
#: How likely a deviation that gains nothing may be to be chosen.
_ERROR_OF_CHOICE = 0.05
#: One of so many parts of the first choosing days comes before the others.
_SHARE_OF_FEW = 4
#: How the error of the upper bound is spent: on deviations that get no more days, on those whose
#: gain was the same on all days, and on all others.
_DROPPED, _FLAT, _REST = 0.2, 0.2, 0.6


class BankMeasure:
    """What the deviations of one bank gain, on more and more days.

    Parameters
    ----------
    arena : Arena
    profile : tuple of Policy
        The policies in force.
    bank : str
        Who deviates.
    deviations : sequence of Policy
    n_banks : int
        How many banks share the error of the upper bound.
    n_looks : int
        How often days are added at most.
    tolerance : float
        How wide the interval may be, as a share of the bank's cost. A deviation gets no more days
        when its upper bound would allow that.
    """

    def __init__(
        self,
        arena: Arena,
        profile: Profile,
        bank: str,
        deviations: Sequence[Policy],
        *,
        n_banks: int,
        n_looks: int,
        tolerance: float,
    ) -> None:
        self._arena, self._profile, self._bank = arena, profile, bank
        self._deviations = deviations
        self._error = (1.0 - CONFIDENCE) / 2.0 / n_banks
        self._n_looks = n_looks
        self._tolerance = tolerance
        #: The largest bound of the deviations that get no more days.
        self._settled: float = 0.0
        #: Numbers of the deviations that may still gain.
        self._left = list(range(len(deviations)))
        #: Costs by day: of the policy in force, then of each deviation left.
        self._choosing = self._valuing = np.zeros((0, 1 + len(deviations)))
        self._n_observed: float | None = None
        self.num_deviations = len(deviations)

    def exact(self, day: Days) -> Regret:
        """Return the regret where nothing is random: the gain on the one day there is."""
        self._choosing = self._more(self._choosing, day)
        self._leave_out_stopped(self._choosing)
        self.num_deviations = len(self._left)
        costs = self._choosing[0]
        present, others = costs[0], costs[1:]
        lowest = np.minimum(present, others.min(initial=np.inf))
        if is_tie(np.array(present), lowest):
            return Regret(0.0, 0.0, 0.0, None, float(present), 1)
        gain = float(present - lowest)
        best = self._left[int(np.flatnonzero(is_tie(others, lowest))[0])]
        return Regret(gain, gain, gain, best, float(present), 1)

    def look(self, choosing: Days, valuing: Days, *, is_last: bool) -> Regret:
        """Play the days that were not played yet, and return what is known then.

        Parameters
        ----------
        choosing, valuing : Days
            All days so far; the first of them are those of the look before.
        is_last : bool
            Whether there will be no more.
        """
        self._n_observed = valuing.n_observed
        if len(self._choosing) == 0:
            # Most deviations of a grid are so much worse that few days show it.
            few = -(-len(choosing) // _SHARE_OF_FEW)
            self._choosing = self._more(self._choosing, choosing.part(0, few))
            self._leave_out_stopped(self._choosing)
            self.num_deviations = len(self._left)
            self._drop()
        self._choosing = self._more(self._choosing, choosing)
        self._leave_out_stopped(self._choosing)
        self._drop()
        self._valuing = self._more(self._valuing, valuing)
        self._leave_out_stopped(self._valuing)
        return self._regret(is_last)

    def _more(self, known: Floats, days: Days) -> Floats:
        """Play the days not played yet under the policy in force and all deviations left."""
        new = days.part(len(known), len(days))
        own = self._profile[self._arena.scenario.bank_ids.index(self._bank)]
        policies = [own, *(self._deviations[n] for n in self._left)]
        costs = self._arena.day_costs(self._profile, self._bank, policies, new)
        if not np.isfinite(costs[:, 0]).all():
            self._arena.play([self._profile], new)  # raises, and says why
        return np.vstack([known, costs])

    def _leave_out_stopped(self, costs: Floats) -> None:
        """Go on without deviations under which a run stops rather than give a wrong number."""
        self._keep(np.flatnonzero(np.isfinite(costs[:, 1:]).all(axis=0)).tolist())

    def _keep(self, places: Sequence[int]) -> None:
        """Go on with some of the deviations left."""
        columns = [0, *(place + 1 for place in places)]
        self._choosing, self._valuing = self._choosing[:, columns], self._valuing[:, columns]
        self._left = [self._left[place] for place in places]

    def _drop(self) -> None:
        """Give no more days to deviations that surely gain nothing worth knowing."""
        costs = self._choosing[:, 0]
        error = _DROPPED * self._error / (self.num_deviations * (self._n_looks + 1))
        most = self._tolerance / 2.0 * abs(mean(costs))
        places = []
        for place in range(len(self._left)):
            gains = costs - self._choosing[:, place + 1]
            bound = None if is_flat(gains, costs) else upper_bound(gains, error, self._n_observed)
            if bound is None or bound > most:
                places.append(place)
            else:
                self._settled = max(self._settled, bound)
        self._keep(places)

    def _regret(self, is_last: bool) -> Regret:
        place = self._chosen(is_last)
        estimate, low, chosen = 0.0, 0.0 if place is None else None, None
        if place is not None:
            gains = self._valuing[:, 0] - self._valuing[:, place + 1]
            estimate, chosen = mean(gains), self._left[place]
            both = interval(gains, CONFIDENCE, self._n_observed)
            if both is not None and not is_flat(gains, self._valuing[:, 0]):
                low = min(both[0], estimate)
        cost = mean(self._valuing[:, 0])
        bounds = self._bounds()
        known = [bound for bound in bounds if bound is not None]
        high = max(*known, self._settled, estimate, 0.0) if len(known) == len(bounds) else None
        self._settle(bounds, (low or 0.0) + self._tolerance * abs(cost), place)
        return Regret(estimate, low, high, chosen, cost, len(self._valuing))

    def _chosen(self, is_last: bool) -> int | None:
        """Return the place of the deviation that gains most on the choosing days; None if none.

        A gain that was the same on all days says nothing of rare losses, so it is believed only
        when there are no more days to be had.
        """
        costs, best, most = self._choosing[:, 0], None, 0.0
        for place in range(len(self._left)):
            gains = costs - self._choosing[:, place + 1]
            gain = mean(gains)
            if gain <= most:
                continue
            if is_flat(gains, costs):
                paid = np.array(mean(costs))
                is_better = is_last and not is_tie(paid, paid - gain)
            else:
                bound = lower_bound(gains, _ERROR_OF_CHOICE, self._n_observed)
                is_better = bound is not None and bound > 0.0
            if is_better:
                best, most = place, gain
        return best

    def _bounds(self) -> list[float | None]:
        """Return what the gain of each deviation left is not above, by all days."""
        costs = np.vstack([self._choosing, self._valuing])
        own, bounds = costs[:, 0], list[float | None]()
        error = _REST * self._error / max(1, self.num_deviations)
        for place in range(len(self._left)):
            gains = own - costs[:, place + 1]
            if is_flat(gains, own):
                error_of_flat = _FLAT * self._error
                bounds.append(flat_bound(mean(gains), own, error_of_flat, self._n_observed))
            else:
                bounds.append(upper_bound(gains, error, self._n_observed))
        return bounds

    def _settle(self, bounds: Sequence[float | None], most: float, chosen: int | None) -> None:
        """Give no more days to deviations that are known well enough."""
        places = []
        for place, bound in enumerate(bounds):
            if place != chosen and bound is not None and bound <= most:
                self._settled = max(self._settled, bound)
            else:
                places.append(place)
        self._keep(places)
