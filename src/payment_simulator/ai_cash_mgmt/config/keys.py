"""The keys of a game file."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from payment_simulator.ai_cash_mgmt.config.proposer import ProposerConfig
from payment_simulator.ai_cash_mgmt.config.sections import (
    AcceptanceConfig,
    AgentConfig,
    Banks,
    BootstrapConfig,
    ConvergenceConfig,
    Equilibrium,
    OptimizationSchedule,
    OutputConfig,
    is_path,
)
from payment_simulator.ai_cash_mgmt.constraints import ScenarioConstraints, default_constraints
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.places import Missing
from payment_simulator.scenario.values import MAX_SEED, Name, Section, checked, misfit, whole_in


class GameKeys(Section):
    """What a game file says.

    Attributes
    ----------
    game_id : str, optional
        Name of the game in the record.
    scenario_config : str
        Path of the scenario file, relative to the folder of the game file.
    master_seed : int
        Everything random is derived from it.
    game_mode : {"campaign_learning", "rl_optimization"}
        Agents optimise between whole simulations, or in a running one.
    optimized_agents : dict of str to AgentConfig
        Banks that are optimised, in the order of their steps; all that have a choice if empty.
    proposer : ProposerConfig
    optimization_schedule : OptimizationSchedule
    bootstrap : BootstrapConfig
    acceptance : AcceptanceConfig
    update : {"sequential", "simultaneous"}
        Whether an accepted policy rules for the next bank's step at once.
    convergence : ConvergenceConfig
    constraints : ScenarioConstraints, optional
        What agents may propose; the share of the pool, and trees, if not given.
    equilibrium : EquilibriumConfig, optional
        Whether and how the distance from an equilibrium is measured at the end.
    output : OutputConfig
    """

    game_id: Name | None = None
    scenario_config: Annotated[str, checked(is_path, "the path of a scenario file", is_text=True)]
    master_seed: Annotated[int, whole_in(0, MAX_SEED)] = 42
    game_mode: Literal["campaign_learning", "rl_optimization"] = "campaign_learning"
    optimized_agents: Banks = Field(default_factory=dict)
    proposer: ProposerConfig = ProposerConfig()
    optimization_schedule: OptimizationSchedule = OptimizationSchedule()
    bootstrap: BootstrapConfig = BootstrapConfig()
    acceptance: AcceptanceConfig = AcceptanceConfig()
    update: Literal["sequential", "simultaneous"] = "sequential"
    convergence: ConvergenceConfig = ConvergenceConfig()
    constraints: ScenarioConstraints | None = None
    equilibrium: Equilibrium = None
    output: OutputConfig = OutputConfig()

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        kind = self.optimization_schedule.type
        if (kind == "on_simulation_end") != (self.game_mode == "campaign_learning"):
            wanted = "every_x_ticks or after_eod"
            if self.game_mode == "campaign_learning":
                wanted = "on_simulation_end"
            raise misfit(
                f"{kind} does not go with game_mode {self.game_mode}; expected {wanted}",
                Missing("optimization_schedule"),
                Missing("type"),
            )
        return self

    def constraints_of(self, bank: str, scenario: Scenario) -> ScenarioConstraints:
        """Return what may be proposed for a bank."""
        own = self.optimized_agents.get(bank, AgentConfig()).constraints
        given = own if own is not None else self.constraints
        return default_constraints(scenario) if given is None else given

    def proposer_of(self, bank: str) -> ProposerConfig:
        """Return who proposes for a bank."""
        return self.optimized_agents.get(bank, AgentConfig()).proposer or self.proposer
