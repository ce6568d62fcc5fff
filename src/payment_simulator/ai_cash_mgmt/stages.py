"""Where the iterations of a game take place: between whole simulations, or inside a running one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.evaluation.sampling import Sampler
from payment_simulator.policy import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import Run, Simulation


class Stage(Protocol):
    """Where iterations take place; both modes of a game are played by the same loop."""

    def triggers(self) -> Iterator[int]:
        """Go through the last ticks played before each optimisation."""
        ...

    @property
    def arena(self) -> Arena:
        """Where policies are compared at this moment."""
        ...

    def days(self, *purpose: str | int, count: int | None = None) -> Days:
        """Return the sample days for a purpose, as they are drawn now; `count` of them if given."""
        ...

    def let_rule(self, policies: Mapping[str, Policy]) -> None:
        """Let policies rule from the next tick on."""
        ...

    def so_far(self) -> Run | None:
        """Return what has happened in a running simulation; none between simulations."""
        ...


class Campaign:
    """Every iteration is optimised between whole simulations (``campaign_learning``)."""

    def __init__(self, scenario: Scenario, sampler: Sampler, threads: int | None) -> None:
        self._scenario = scenario
        self._sampler = sampler
        self.arena = Arena(scenario, threads=threads)

    def triggers(self) -> Iterator[int]:
        """Name the last tick of the simulation, as often as one likes."""
        while True:
            yield self._scenario.n_ticks - 1

    def days(self, *purpose: str | int, count: int | None = None) -> Days:
        """Return the sample days for a purpose."""
        return self._sampler.days(*purpose, count=count)

    def let_rule(self, policies: Mapping[str, Policy]) -> None:
        """Do nothing: the next simulation begins with what then rules."""

    def so_far(self) -> None:
        """Return nothing: no simulation is running."""


class Running:
    """One simulation stops at the ticks of the schedule (``rl_optimization``).

    Parameters
    ----------
    scenario : Scenario
    config : GameConfig
        Says when.
    sampler : Sampler
    policies : mapping of bank to Policy
        Those that rule from the first tick.
    seed : int
        Seed of the arrivals of this one run.
    threads : int, optional
    """

    def __init__(
        self,
        scenario: Scenario,
        config: GameConfig,
        sampler: Sampler,
        policies: Mapping[str, Policy],
        seed: int,
        threads: int | None,
    ) -> None:
        self._schedule = config.optimization_schedule
        self._sampler = sampler
        self._threads = threads
        self._run = Simulation(scenario, policies, seed=seed)
        self._start = self._run.snapshot()

    def triggers(self) -> Iterator[int]:
        """Play on to each tick of the schedule, and name it; at the end play what is left."""
        scenario = self._run.scenario
        every = scenario.simulation.ticks_per_day
        if self._schedule.type == "every_x_ticks":
            every = self._schedule.interval_ticks or every
        for end in range(every, scenario.n_ticks, every):
            self._start = self._run.run_until(end).snapshot()
            yield end - 1

    @property
    def arena(self) -> Arena:
        """Where policies are compared: what is left of the run."""
        return Arena(self._run.scenario, self._start, self._threads)

    def days(self, *purpose: str | int, count: int | None = None) -> Days:
        """Return possible futures for a purpose."""
        return self._sampler.days_from(self._start, self._start.arrivals, *purpose, count=count)

    def let_rule(self, policies: Mapping[str, Policy]) -> None:
        """Let policies rule from the next tick on."""
        self._run.set_policies(policies)

    def so_far(self) -> Run:
        """Return what has happened."""
        return self._run.result()

    def finish(self) -> Run:
        """Play what is left, and return the whole run."""
        return self._run.run_until().result()
