"""The proposer that searches: a small study of its own in every step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from payment_simulator.ai_cash_mgmt.constraints.space import (
    MAX_COMBINATIONS,
    ParameterSpace,
    Values,
)
from payment_simulator.ai_cash_mgmt.proposers.asking import SAMPLERS, Asking, asking
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation
from payment_simulator.ai_cash_mgmt.proposers.nearby import Nearby
from payment_simulator.ai_cash_mgmt.proposers.trials import Trials
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.errors import InputError
from payment_simulator.wording import nearest, quoted

#: Policies that are played in one go, at least, and the most rounds, where there are many.
_ROUND, _MOST_ROUNDS = 8, 32
#: Parameters up to which half of the tries are the sampler's. Of more, each needs a line of tries
#: along it, and a sampler seldom finds a better point by moving all of them at once.
_FEW = 2
#: How often a sampler is asked for each try, at most: it may come up with the same again.
_ASKS = 4


class SearchProposer:
    """Tries some policies on the sample days and proposes the cheapest.

    Half of the tries (a quarter, where there are more than two parameters) are a sampler's, over
    the whole space. The others are close to the best so far: they tell where in between costs begin
    to rise again, which a sampler alone finds out slowly. Where the space holds no more points than
    there are tries, all are tried.

    Tries of a round race on the sample days: what is plainly dearer than the cheapest does not play
    all of them (:mod:`~payment_simulator.ai_cash_mgmt.proposers.racing`). The winner and the policy
    in force are compared on all days.

    Parameters
    ----------
    candidates : int
        How many policies are tried in a step, the one in force among them.
    sampler : {"tpe", "random", "qmc"}
        Parzen trees (Optuna), chance, or an even covering of the space.

    Raises
    ------
    InputError
        There is no such sampler, or less than two candidates.
    """

    def __init__(self, candidates: int = 32, sampler: str = "tpe") -> None:
        if sampler not in SAMPLERS:
            raise InputError(f"sampler {quoted(sampler)}; {nearest(sampler, SAMPLERS)}")
        if candidates < 2:  # noqa: PLR2004 - the policy in force and another one
            raise InputError(f"candidates: {candidates}; expected at least 2")
        self.candidates = candidates
        self.sampler = sampler

    @property
    def label(self) -> str:
        """Who proposes."""
        return f"search/{self.sampler}"

    def propose(self, situation: Situation) -> Proposal:
        """Return the cheapest policy found; the one in force where none is better."""
        space = ParameterSpace(situation.constraints.allowed_parameters)
        trials = Trials(situation, space, races=True)
        if space.size is not None and space.size <= self.candidates:
            points = [tuple(point.values()) for point in space.grid(self.candidates)]
            trials.play([trials.current, *points])
        else:
            source = asking(self.sampler, space.axes, situation.seed)
            nearby = Nearby(space.axes, derive_seed(situation.seed, "nearby"))
            _Study(space, trials, source, nearby).run(self.candidates)
        situation.shown.tried = trials.tried
        return trials.proposal()


class _Study:
    """A study while it is being made."""

    def __init__(
        self, space: ParameterSpace, trials: Trials, sampler: Asking, nearby: Nearby
    ) -> None:
        self._space = space
        self._trials = trials
        self._sampler = sampler
        self._nearby = nearby
        self._has_many = len(space.axes) > _FEW

    def run(self, candidates: int) -> None:
        """Try so many policies, or all that there are."""
        trials, size = self._trials, max(_ROUND, candidates // _MOST_ROUNDS)
        current = trials.current
        first = self._nearby.bounds(current)
        if self._has_many:
            first = self._nearby.around(current, {current: 0.0})
        own: Iterator[Values] = chain([current], first)
        while (left := candidates - len(trials.costs)) > 0:
            tries = self._round(own, min(left, size))
            if not tries:
                return
            trials.play(tries)
            for values in tries:
                self._sampler.tell(values, trials.costs[values])
            own = self._nearby.around(trials.best, trials.costs)

    def _round(self, own: Iterator[Values], size: int) -> list[Values]:
        """Return tries that are all new, half of them the sampler's; fewer of many parameters."""
        tries: dict[Values, None] = {}
        share = size * 3 // 4 if self._has_many else size // 2
        asked = (self._sampler.ask() for _ in range(_ASKS * size))
        # A sampler that has nothing new to say leaves its share to the others.
        for source, most in ((own, share), (asked, size), (own, size), (self._rest(), size)):
            while len(tries) < most and (values := next(source, None)) is not None:
                if values not in self._trials.costs:
                    tries[values] = None
        return list(tries)

    def _rest(self) -> Iterator[Values]:
        """Go through the whole space, if it is small enough for all else to run out of ideas."""
        if self._space.size is not None and self._space.size <= MAX_COMBINATIONS:
            yield from (tuple(point.values()) for point in self._space.grid(1))
