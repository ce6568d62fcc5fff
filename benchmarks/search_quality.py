"""How near the search comes to the best policy there is, and how many days it simulates for it.

One bank searches while the others keep their policies. After three steps of a game its policy is
valued on fresh days, beside the best of an exhaustive grid valued on the same days. Each search is
made twice, with races and without. With four parameters the cost is a formula whose least value is
known, as in ``benchmarks/proposers.py``.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from _measure import Report, parser
from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ParameterSpec,
    ScenarioConstraints,
)
from payment_simulator.ai_cash_mgmt.constraints.space import ParameterSpace
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena, with_policy
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.proposers.base import Situation, Tools
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy, parse_policy
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.scenario import Scenario, parse_scenario
from proposers import excess

STEPS, DAYS, CANDIDATES = 3, 200, 32
FRACTIONS, URGENCIES = 41, 13
#: How far above the exhaustive optimum the search may end, and its share of the days without races.
MOST_ABOVE, MOST_DAYS, MOST_ABOVE_FOUR = 0.005, 0.5, 0.03

SPECS = (
    ParameterSpec(name=FRACTION, min_value=0, max_value=1),
    ParameterSpec(name="urgency", param_type="int", min_value=0, max_value=URGENCIES - 1),
)
TREE: dict[str, Any] = {
    "condition": {
        "op": "<=",
        "left": {"field": "ticks_to_deadline"},
        "right": {"param": "urgency"},
    },
    "on_true": {"action": "Release"},
    "on_false": {"action": "Hold"},
}


def policy(fraction: float, urgency: float) -> Policy:
    """Return a policy that funds a share, and sends payments so many ticks before they are due."""
    return parse_policy(
        {
            "policy_id": "timed",
            "parameters": {FRACTION: fraction, "urgency": urgency},
            "payment_tree": TREE,
        }
    )


def banks(n: int) -> Scenario:
    """Return a day of twelve ticks in which every bank pays about ten others' payments."""
    return parse_scenario(
        {
            "name": f"{n}-banks",
            "deadline_cap_at_eod": True,
            "simulation": {"ticks_per_day": 12, "num_days": 1, "rng_seed": 7},
            "cost_rates": {
                "liquidity_cost_per_tick_bps": 20,
                "overdraft_bps_per_tick": 150,
                "delay_cost_per_tick_per_cent": 0.002,
                "deadline_penalty": 500,
                "eod_penalty": 0,
                "overdue_delay_multiplier": 1,
            },
            "agents": [
                {
                    "id": f"B{i}",
                    "opening_balance": 0,
                    "unsecured_cap": 1_000_000,
                    "liquidity_pool": 250_000,
                    "liquidity_allocation_fraction": 0.3,
                    "policy": {"type": "Fifo"},
                    "arrival_config": {
                        "rate_per_tick": 5.0,
                        "amount_distribution": {
                            "type": "LogNormal", "mean": 10_000, "std_dev": 6_000,
                        },
                        "deadline_range": [3, 10],
                    },
                }
                for i in range(n)
            ],
        }
    )  # fmt: skip


@dataclass
class Searcher:
    """One bank that plays the steps of a game, and counts the days it simulates."""

    scenario: Scenario
    proposer: Any
    seed: int
    races: bool
    days_played: int = 0

    def run(self) -> Policy:
        """Return the policy after all steps: one that costs less on other days is accepted."""
        self.bank, self.arena = self.scenario.bank_ids[0], Arena(self.scenario)
        self.profile = start(self.scenario)
        for step in range(STEPS):
            days = self._drawn("propose", step)
            told = self._situation(days, derive_seed(self.seed, "proposer", step))
            proposed = self.proposer.propose(told).policy
            judging = self._drawn("judge", step)
            found = self.arena.candidate_costs(
                self.profile, self.bank, [self.profile[0], proposed], judging
            )
            if found[1] < found[0]:
                self.profile = with_policy(self.profile, 0, proposed)
        return self.profile[0]

    def _drawn(self, purpose: str, step: int) -> Days:
        return Days(range(DAYS), derive_seed(self.seed, purpose, step))

    def _situation(self, days: Days, seed: int) -> Situation:
        own, constraints = self.profile[0], ScenarioConstraints(allowed_parameters=SPECS)

        def day_costs(some: Sequence[Policy], first: int, end: int) -> Floats:
            self.days_played += len(some) * (end - first)
            return self.arena.day_costs(self.profile, self.bank, some, days.part(first, end))

        def costs(some: Sequence[Policy]) -> Floats:
            self.days_played += len(some) * len(days)
            return self.arena.candidate_costs(self.profile, self.bank, some, days)

        def unasked(*_: Any) -> Any:
            raise AssertionError

        return Situation(
            bank=self.bank,
            iteration=1,
            trigger_tick=self.scenario.n_ticks - 1,
            mode="campaign_learning",
            scenario=self.scenario,
            policy=own,
            constraints=constraints,
            validator=ConstraintValidator(constraints, self.scenario, self.bank, own),
            history=(),
            refused=(),
            seed=seed,
            calls=None,  # type: ignore[arg-type] - it asks no model
            # A situation of one day has nothing to race over.
            tools=Tools(
                costs, day_costs, len(days) if self.races else 1, unasked, unasked, unasked
            ),
        )


def start(scenario: Scenario) -> tuple[Policy, ...]:
    """Return the policies at the start: the first bank funds nearly all, and waits for nothing."""
    return (policy(0.9, URGENCIES - 1), *scenario.policies[1:])


def least(scenario: Scenario, fresh: Days) -> float:
    """Return the cost of the cheapest point of the exhaustive grid."""
    points = [point.values() for point in ParameterSpace(SPECS).grid(FRACTIONS)]
    return float(valued(scenario, [policy(*point) for point in points], fresh).min())


def valued(scenario: Scenario, some: Sequence[Policy], days: Days) -> Floats:
    """Return what policies of the first bank cost on average."""
    arena, bank = Arena(scenario), scenario.bank_ids[0]
    return arena.candidate_costs(start(scenario), bank, some, days)


def simulated(report: Report, n_banks: int, seeds: int, n_fresh: int) -> None:
    """Compare the search with the grid, with races and without."""
    scenario, fresh = banks(n_banks), Days(range(n_fresh), derive_seed(1, "fresh"))
    best = least(scenario, fresh)
    found: dict[bool, list[float]] = {}
    days: dict[bool, int] = {}
    for races in (False, True):
        searchers = [
            Searcher(scenario, SearchProposer(CANDIDATES), seed, races) for seed in range(seeds)
        ]
        ends = [searcher.run() for searcher in searchers]
        found[races] = (valued(scenario, ends, fresh) / best).tolist()
        days[races] = sum(searcher.days_played for searcher in searchers)
    for races, ratios in found.items():
        share = days[races] / days[False]
        ratio = statistics.fmean(ratios)
        report.add(
            "with races" if races else "without",
            of=f"{n_banks} banks, two parameters",
            target=f"at most {1 + MOST_ABOVE:g}, {MOST_DAYS:g} of the days" if races else "",
            met=ratio <= 1 + MOST_ABOVE and share <= MOST_DAYS if races else None,
            ratio=ratio,
            worst=max(ratios),
            days_a_step=days[races] / seeds / STEPS,
            share_of_days=share,
        )


def of_a_formula(report: Report, seeds: int) -> None:
    """Search four parameters, whose cost has a bend in each."""
    above = [excess(SearchProposer(CANDIDATES), 4, seed) / 100 for seed in range(seeds)]
    report.add(
        "search",
        of="one bank, four parameters (formula)",
        target=f"at most {1 + MOST_ABOVE_FOUR:g}",
        met=statistics.fmean(above) <= MOST_ABOVE_FOUR,
        ratio=1 + statistics.fmean(above),
        worst=1 + max(above),
    )


def main() -> None:
    options = parser(__doc__, repeat=1)
    options.add_argument("--banks", type=int, nargs="+", default=[3], help="%(default)s")
    options.add_argument("--seeds", type=int, default=4, help="games (%(default)s)")
    options.add_argument("--fresh", type=int, default=1_500, help="days to value on (%(default)s)")
    options.add_argument("--thorough", action="store_true", help="3, 5 and 10 banks, 20 games")
    chosen = options.parse_args()
    if chosen.thorough:
        chosen.banks, chosen.seeds = [3, 5, 10], 20
    report = Report("Search: cost over that of an exhaustive grid, and simulated days", chosen)
    of_a_formula(report, 2 * chosen.seeds)
    for n_banks in chosen.banks:
        simulated(report, n_banks, chosen.seeds, chosen.fresh)
    report.finish()


if __name__ == "__main__":
    main()
