"""What a step of the search and of the grid takes beside simulation, and what it finds.

The alternative is plain random search: as many points drawn evenly, played in one go, the cheapest
taken. Costs are those of a formula, so that next to nothing of a step is their own time; one line
has the simulator's instead.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from _measure import Report, Series, calls, parser
from _scenarios import two_banks
from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
)
from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation, Tools
from payment_simulator.ai_cash_mgmt.proposers.grid import GridProposer
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy
from payment_simulator.policy.grammar import FRACTION

PLAIN = "plain random search"
SAMPLERS = ("tpe", "random", "qmc")
#: Milliseconds of CPU that a step of 32 candidates may take beside its costs.
MOST_MS = 40
#: What ten times the candidates may take, in times.
MOST_GROWTH = 15

Costs = Callable[[Sequence[Policy]], Floats]


class PlainRandom:
    """The obvious alternative."""

    label = "search/plain"

    def __init__(self, candidates: int) -> None:
        self.candidates = candidates

    def propose(self, situation: Situation) -> Proposal:
        """Return the cheapest of some points."""
        space = ParameterSpace(situation.constraints.allowed_parameters)
        chance = random.Random(situation.seed)
        points = [{name: chance.random() for name in space.names} for _ in range(self.candidates)]
        policies = [space.with_point(situation.policy, point) for point in points]
        return Proposal(policies[int(np.argmin(situation.costs(policies)))])


def bends(names: Sequence[str]) -> Callable[[Policy], float]:
    """Return a cost with a bend in each parameter; the least is 1 where all are at theirs."""
    at = {name: 0.2 + 0.6 * i / max(len(names) - 1, 1) for i, name in enumerate(names)}

    def cost(policy: Policy) -> float:
        value = policy.parameters
        return 1 + sum(value[n] - b if value[n] > b else 4 * (b - value[n]) for n, b in at.items())

    return cost


def situation(n_parameters: int, seed: int, costs: Costs | None = None) -> Situation:
    """Return a bank of the two-bank day that chooses shares."""
    names = [FRACTION, *(f"share_{i}" for i in range(2, n_parameters + 1))]
    specs = tuple(ParameterSpec(name=name, min_value=0, max_value=1) for name in names)
    chance = random.Random(seed)
    policy = Policy("own", parameters=dict.fromkeys(names, round(chance.random(), 3)))
    scenario, constraints = two_banks(), ScenarioConstraints(allowed_parameters=specs)
    formula = bends(names)

    def unasked(*_: Any) -> Any:
        raise AssertionError

    return Situation(
        bank="A",
        iteration=1,
        trigger_tick=11,
        mode="campaign_learning",
        scenario=scenario,
        policy=policy,
        constraints=constraints,
        validator=ConstraintValidator(constraints, scenario, "A", policy),
        history=(),
        refused=(),
        seed=seed,
        calls=None,  # type: ignore[arg-type]
        tools=Tools(
            costs or (lambda some: np.array([formula(one) for one in some])),
            unasked,
            1,
            unasked,
            unasked,
            unasked,
        ),
    )


def contenders(candidates: int) -> Mapping[str, Any]:
    """Return who searches with so many candidates; plain random search comes first."""
    searches = {f"search/{name}": SearchProposer(candidates, name) for name in SAMPLERS}
    return MappingProxyType({PLAIN: PlainRandom(candidates), **searches})


def race(those: Mapping[str, Any], n_parameters: int, repeat: int) -> dict[str, Series]:
    """Time steps in turn, so that a slow moment of the machine hits all."""
    found = {name: Series() for name in those}
    for number in range(repeat):
        for name, proposer in those.items():
            told = situation(n_parameters, number)
            with found[name].timed():
                proposer.propose(told)
    return found


def overhead(report: Report, sizes: Sequence[int], repeat: int) -> None:
    """Grow the number of candidates by ten."""
    for n_parameters in (1, 4):
        before: dict[str, Series] = {}
        for size in sizes:
            found = race(contenders(size), n_parameters, repeat)
            for name, series in found.items():
                milliseconds = 1e3 * statistics.median(series.cpu)
                more: dict[str, float] = {}
                target, met = "", None
                if name in before:
                    more["times_before"] = series.over(before[name])[1]
                if name == "search/tpe":
                    first = name not in before
                    target = f"< {MOST_MS} ms of CPU" if first else f"<= {MOST_GROWTH} x before"
                    met = milliseconds < MOST_MS if first else more["times_before"] <= MOST_GROWTH
                report.add(
                    f"{name}, {size:,} candidates",
                    series,
                    of=f"a step beside its costs, parameters: {n_parameters}",
                    over=found[PLAIN],
                    target=target,
                    met=met,
                    **more,
                )
            before = found


def grids(report: Report, repeat: int) -> None:
    """Set the grid beside as many random points."""
    for n_parameters, points in ((1, 21), (2, 441)):
        those = {PLAIN: PlainRandom(points), "grid": GridProposer(21)}
        found = race(those, n_parameters, repeat)
        for name, series in found.items():
            report.add(
                f"{name}, {points} points",
                series,
                of="a grid beside its costs",
                over=found[PLAIN],
                microseconds_a_point=1e6 * statistics.median(series.wall) / points,
            )


def simulated(report: Report, repeat: int) -> None:
    """Say how much of a step with simulated costs is the search's own."""
    scenario = two_banks()
    arena, days = Arena(scenario, threads=1), Days(range(20), 7)
    simulating = Series()

    def costs(some: Sequence[Policy]) -> Floats:
        with simulating.timed():
            return arena.candidate_costs(scenario.policies, "A", some, days)

    proposer = SearchProposer()
    proposer.propose(situation(1, 0, costs))
    simulating.wall.clear()
    whole = calls(lambda number: proposer.propose(situation(1, number, costs)), repeat)
    share = 1 - sum(simulating.wall) / sum(whole.wall)
    report.add(
        "search/tpe, 32 candidates on 20 days of two banks",
        whole,
        of="with simulated costs",
        own_share=share,
    )


def quality(report: Report, seeds: int) -> None:
    """Say how far above the least cost the first steps end, in percent of it."""
    for n_parameters in (1, 2, 4):
        found: dict[str, float] = {}
        for name, proposer in contenders(32).items():
            left = [excess(proposer, n_parameters, seed) for seed in range(seeds)]
            found[name] = statistics.fmean(left)
            line = {"percent_above_least": found[name], "worst": max(left)}
            is_ours = name == "search/tpe"
            report.add(
                name,
                of=f"what three steps of 32 find, parameters: {n_parameters}",
                target="at most half of what plain random search leaves" if is_ours else "",
                met=found[name] <= found[PLAIN] / 2 if is_ours else None,
                **line,
            )


def excess(proposer: Any, n_parameters: int, seed: int) -> float:
    """Return the cost after three steps, each from where the one before ended."""
    least = math.inf
    told = situation(n_parameters, seed)
    for step in range(3):
        told.seed = 1000 * seed + step
        answer = proposer.propose(told).policy
        cost = float(told.costs([answer])[0])
        if cost < least:
            least, told.policy = cost, answer
    return 100 * (least - 1)


def main() -> None:
    options = parser(__doc__, repeat=5)
    options.add_argument(
        "--candidates", type=int, nargs="+", default=[32, 320, 3200], help="%(default)s"
    )
    options.add_argument("--seeds", type=int, default=20, help="games of three steps (%(default)s)")
    chosen = options.parse_args()
    report = Report("proposers", chosen)
    race(contenders(32), 1, 1)  # What is made at the first call is no part of a step.
    overhead(report, chosen.candidates, chosen.repeat)
    grids(report, chosen.repeat)
    simulated(report, chosen.repeat)
    quality(report, chosen.seeds)
    report.finish()


if __name__ == "__main__":
    main()
