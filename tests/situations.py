"""Situations for proposers that use costs alone: a plain function instead of the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
)
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.proposers.base import Refusal, Situation, Tools
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy, parse_policy
from payment_simulator.scenario import Scenario, load_scenario
from tests.games import FRACTION, SCENARIOS

HOLDS_UNTIL = {
    "op": "<=",
    "left": {"field": "ticks_to_deadline"},
    "right": {"param": "urgency"},
}
RELEASE, HOLD = {"action": "Release"}, {"action": "Hold"}


def spec(name: str = "free", **keys: Any) -> ParameterSpec:
    """Return a declared parameter; a float from 0 to 1 where nothing else is said."""
    if "values" in keys:
        return ParameterSpec(name=name, **{"param_type": "enum", **keys})
    return ParameterSpec(name=name, **{"min_value": 0, "max_value": 1, **keys})


def policy(**parameters: float) -> Policy:
    """Return a policy with these parameters."""
    return parse_policy(
        {
            "policy_id": "mine",
            "parameters": {"urgency": 3, **parameters},
            "payment_tree": {"condition": HOLDS_UNTIL, "on_true": RELEASE, "on_false": HOLD},
        }
    )


class Costs:
    """A function of the declared parameters in place of the simulator, with a note of its calls.

    Attributes
    ----------
    calls : list of list of tuple
        The points of each call.
    """

    def __init__(self, function: Callable[..., float], specs: Sequence[ParameterSpec]) -> None:
        self.calls: list[list[tuple[float, ...]]] = []
        self._function = function
        self._names = [one.name for one in specs]

    def __call__(self, candidates: Sequence[Policy]) -> Floats:
        points = [tuple(p.parameters[name] for name in self._names) for p in candidates]
        self.calls.append(points)
        return np.array([self._function(*point) for point in points])

    @property
    def points(self) -> list[tuple[float, ...]]:
        """All points in the order of playing."""
        return [point for call in self.calls for point in call]


def situation(
    function: Callable[..., float],
    specs: Sequence[ParameterSpec],
    start: Sequence[float],
    *,
    seed: int = 1,
    refused: Sequence[str] = (),
) -> tuple[Situation, Costs]:
    """Return a bank that pays what a function says, and the note of what was played."""
    costs = Costs(function, specs)
    own = policy(**{one.name: value for one, value in zip(specs, start, strict=True)})
    made = _situation(load_scenario(SCENARIOS / "two_period.yaml"), "BANK_A", own, specs, costs)
    made.seed = seed
    made.refused = tuple(Refusal(text, ("no",)) for text in refused)
    return made, costs


def two_period(bank: str, start: float, other: float, share: ParameterSpec) -> Situation:
    """Return a bank of the shipped two-period scenario, the other one funding a share."""
    scenario = load_scenario(SCENARIOS / "two_period.yaml")
    arena, i = Arena(scenario, threads=1), scenario.bank_ids.index(bank)
    shares = [start if n == i else other for n in range(2)]
    profile = tuple(Policy("plain", parameters={FRACTION: value}) for value in shares)
    return _situation(
        scenario,
        bank,
        profile[i],
        [share],
        lambda candidates: arena.candidate_costs(profile, bank, candidates, Days((0,))),
    )


def _situation(
    scenario: Scenario,
    bank: str,
    own: Policy,
    specs: Sequence[ParameterSpec],
    costs: Callable[[Sequence[Policy]], Floats],
) -> Situation:
    constraints = ScenarioConstraints(allowed_parameters=tuple(specs))

    def unasked(*_: Any) -> Any:
        raise AssertionError("a search looks at costs alone")

    return Situation(
        bank=bank,
        iteration=1,
        trigger_tick=scenario.n_ticks - 1,
        mode="campaign_learning",
        scenario=scenario,
        policy=own,
        constraints=constraints,
        validator=ConstraintValidator(constraints, scenario, bank, own),
        history=(),
        refused=(),
        seed=1,
        calls=None,  # type: ignore[arg-type] - it asks no model
        tools=Tools(costs, unasked, 1, unasked, unasked, unasked),
    )


def newsvendor(share: float) -> float:
    """Return what a bank pays that must send a fifth of its pool: least at 0.2."""
    return 0.1 * share + 0.4 * max(0.0, 0.2 - share)
