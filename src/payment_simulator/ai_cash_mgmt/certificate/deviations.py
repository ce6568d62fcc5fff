"""The policies that a bank is tried with instead of the one in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile

from payment_simulator.ai_cash_mgmt.certificate.search import searched
from payment_simulator.ai_cash_mgmt.constraints.space import (
    MAX_COMBINATIONS,
    Axis,
    ParameterSpace,
    Values,
)
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.proposers.base import PastStep
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.ai_cash_mgmt.step import Agent
from payment_simulator.policy import Policy, builtin, builtin_names, parse_policy, to_json
from payment_simulator.policy.actions import COLLATERAL_TREES
from payment_simulator.policy.tree import TREES

#: The fresh search tries so many times what the game's search tries in a step, or so many policies.
_BUDGET, _FEWEST_TRIES = 2, 64


class Deviations:
    """What one bank is tried with, none twice, all of it allowed.

    Parameters
    ----------
    setup : GameSetup
    agent : Agent
        Whose bank deviates.
    profile : tuple of Policy
        The policies in force.
    points : int
        Values on the grid of a parameter without steps.

    Attributes
    ----------
    policies : list of Policy
        In the order in which they were added.
    grid : list of dict
        The points of the grid that are allowed; none where it has too many.
    """

    def __init__(self, setup: GameSetup, agent: Agent, profile: Profile, points: int) -> None:
        self._setup, self._agent, self._profile = setup, agent, profile
        self._own = profile[setup.scenario.bank_ids.index(agent.bank)]
        self._known = {_key(self._own)}
        self.policies: list[Policy] = []
        specs = agent.constraints.allowed_parameters
        self._space = ParameterSpace(specs) if specs else None
        self.grid = [] if self._space is None else self._add_grid(self._space, points)

    def add_proposed(self, history: Sequence[PastStep]) -> None:
        """Add what was proposed for the bank in the game."""
        for past in history:
            if not past.errors:
                self._add(parse_policy(past.policy_json))

    def add_near(self) -> None:
        """Add policies at ever larger distances from the one in force, and from the bounds."""
        if self._space is None:
            return
        start = tuple(self._space.point(self._own).values())
        for i, axis in enumerate(self._space.axes):
            for value in _near(axis, start[i]):
                self._add_values((*start[:i], value, *start[i + 1 :]))

    def add_builtin(self) -> None:
        """Add the policies that come with the package, with the parameters in force."""
        for name in builtin_names():
            policy = builtin(name)
            self._add(replace(policy, parameters={**policy.parameters, **self._own.parameters}))

    def add_searched(self, days: Days) -> None:
        """Add all that a fresh search for a best response tries on some days."""
        if self._space is None:
            return
        chosen = self._setup.config.proposer_of(self._agent.bank)
        arena = Arena(self._setup.scenario, threads=self._setup.threads)
        tried = searched(
            self._space.axes,
            tuple(self._space.point(self._own).values()),
            lambda some: arena.candidate_costs(
                self._profile, self._agent.bank, [self._with(values) for values in some], days
            ).tolist(),
            max(_BUDGET * chosen.candidates, _FEWEST_TRIES),
            derive_seed(self._setup.config.master_seed, "equilibrium_search", self._agent.bank),
        )
        for values in tried:
            self._add_values(values)

    def point(self, policy: Policy) -> dict[str, float] | None:
        """Return the declared parameters of a policy; None where its trees are other ones."""
        is_other = any(getattr(policy, tree) != getattr(self._own, tree) for tree in TREES)
        return None if is_other or self._space is None else self._space.point(policy)

    def spaces(self) -> set[str]:
        """Return what is varied: ``parameters``, ``trees``, ``collateral``."""
        found: set[str] = set()
        for policy in self.policies:
            changed = [t for t in TREES if getattr(policy, t) != getattr(self._own, t)]
            found |= {"collateral" if t in COLLATERAL_TREES else "trees" for t in changed}
            if policy.parameters != self._own.parameters:
                found.add("parameters")
        return found

    def _add_grid(self, space: ParameterSpace, points: int) -> list[dict[str, float]]:
        size = 1
        for axis in space.axes:
            size *= points if axis.count is None else axis.count
        if size > MAX_COMBINATIONS:
            return []
        return [p for p in space.grid(points) if self._add_values(tuple(p.values()))]

    def _add_values(self, values: Values) -> bool:
        return self._add(self._with(values))

    def _with(self, values: Values) -> Policy:
        if self._space is None:
            return self._own
        point = dict(zip(self._space.names, values, strict=True))
        return self._space.with_point(self._own, point)

    def _add(self, policy: Policy) -> bool:
        """Add a policy if it is new; tell whether it is allowed."""
        key = _key(policy)
        if key in self._known:
            return True
        if self._agent.validator.validate(policy):
            return False
        self._known.add(key)
        self.policies.append(policy)
        return True


def _near(axis: Axis, value: float) -> Iterator[float]:
    """Go through values at growing distances from one, and from both ends of its axis."""
    place = axis.position(value)
    steps = list(takewhile(lambda step: step < 1.0, (axis.grain * 2.0**k for k in range(64))))
    for step in steps:
        for near in (place - step, place + step):
            if 0.0 <= near <= 1.0:
                yield axis.value(near)
    for step in (0.0, *steps[::2]):
        yield axis.value(step)
        yield axis.value(1.0 - step)


def _key(policy: Policy) -> str:
    """Return what a policy does as text: its name is no part of it."""
    return to_json(replace(policy, policy_id="", description=""))
