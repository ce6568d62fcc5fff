"""Play a scenario with the twin and give back what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from payment_simulator.policy.tree import Policy
from payment_simulator.scenario.model import ObservedPayment, Scenario
from tests.reference.twin.arrivals import make_source
from tests.reference.twin.model import (
    CAPACITY_SHARE,
    KINDS,
    MOST_CENTS,
    Bank,
    Payment,
    World,
    total,
)
from tests.reference.twin.tick import play_tick


@dataclass
class TwinResult:
    """What happened.

    Attributes
    ----------
    costs : list
        Cents by day, bank and kind, the kinds in the order of :data:`~.model.KINDS`.
    payments : list of Payment
        By number, as they were at the end.
    balances, posted, queue1_value, queue2_value : list of list of int
        Cents by tick and bank at the end of the tick, after the close of a day.
    log : list of tuple
        Tick, step, what happened, and to whom.
    """

    costs: list[list[list[float]]]
    payments: list[Payment]
    balances: list[list[int]] = field(default_factory=list)
    posted: list[list[int]] = field(default_factory=list)
    queue1_value: list[list[int]] = field(default_factory=list)
    queue2_value: list[list[int]] = field(default_factory=list)
    log: list[tuple[Any, ...]] = field(default_factory=list)

    def total(self, kind: str, bank: int | None = None) -> float:
        """Add up a kind of cost over the days, of one bank or of all."""
        banks = range(len(self.costs[0])) if bank is None else [bank]
        return sum(day[number][KINDS.index(kind)] for day in self.costs for number in banks)


def run_twin(
    scenario: Scenario,
    policies: Sequence[Policy] | None = None,
    *,
    seed: int | None = None,
    sample: int = 0,
    policies_from: Mapping[int, Sequence[Policy]] | None = None,
    arrivals: Sequence[ObservedPayment] | None = None,
) -> TwinResult:
    """Play a scenario as ``docs/reference/rules.md`` says.

    Parameters
    ----------
    scenario : Scenario
        What is played.
    policies : sequence of Policy, optional
        One for each bank; default: those of the scenario.
    seed : int, optional
        Of random arrivals; default: that of the scenario.
    sample : int, default 0
        Which of its random days are played.
    policies_from : mapping, optional
        Policies that take over at the beginning of a tick, by tick; registers keep their values.
    arrivals : sequence, optional
        Payments that stand in for the random ones.

    Returns
    -------
    TwinResult
        Costs, payments, balances and queues.

    Raises
    ------
    SimulationError
        If a policy divides by zero or computes something that is not finite.
    """
    ticks_per_day, n_days = scenario.simulation.ticks_per_day, scenario.simulation.num_days
    banks = make_banks(scenario)
    world = World(
        scenario=scenario,
        banks=banks,
        policies=list(scenario.policies if policies is None else policies),
        costs=[[[0.0] * len(KINDS) for _ in banks] for _ in range(n_days)],
    )
    source = make_source(scenario, scenario.simulation.rng_seed if seed is None else seed, sample)
    result = TwinResult(costs=world.costs, payments=world.payments, log=world.log)
    for tick in range(ticks_per_day * n_days):
        world.tick = tick
        if policies_from is not None and tick in policies_from:
            world.policies = list(policies_from[tick])
        play_tick(world, source, arrivals)
        result.balances.append([bank.balance for bank in banks])
        result.posted.append([bank.posted for bank in banks])
        result.queue1_value.append([total(bank.queue1) for bank in banks])
        result.queue2_value.append([total(world.own_queue2(bank)) for bank in banks])
    return result


def make_banks(scenario: Scenario) -> list[Bank]:
    """Make the banks of a scenario as they are before the first tick."""
    numbers = {agent.id: number for number, agent in enumerate(scenario.agents)}
    return [
        Bank(
            number=numbers[agent.id],
            name=agent.id,
            balance=agent.opening_balance,
            unsecured_cap=agent.unsecured_cap,
            posted=agent.posted_collateral,
            haircut_ppm=agent.haircut_ppm,
            capacity=_or(
                agent.max_collateral_capacity,
                min(CAPACITY_SHARE * agent.unsecured_cap, MOST_CENTS),
            ),
            bilateral_limits={
                numbers[other]: limit for other, limit in agent.limits.bilateral_limits.items()
            },
            multilateral_limit=agent.limits.multilateral_limit,
            liquidity_pool=agent.liquidity_pool,
            liquidity_fraction=agent.liquidity_allocation_fraction,
        )
        for agent in scenario.agents
    ]


def _or(value: int | None, default: int) -> int:
    """Give a number, or the default where there is none."""
    return default if value is None else value
