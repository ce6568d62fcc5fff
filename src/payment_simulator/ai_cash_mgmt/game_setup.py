"""Puts a game together: the banks that play, their first policies, and who proposes for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.constraints import (
    ConstraintValidator,
    ScenarioConstraints,
    starting_policy,
    unread_parameters,
)
from payment_simulator.ai_cash_mgmt.evaluation.sampling import Sampler
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer
from payment_simulator.ai_cash_mgmt.proposers.choose import make_proposer
from payment_simulator.ai_cash_mgmt.step import Agent
from payment_simulator.errors import InputError
from payment_simulator.policy import Policy
from payment_simulator.scenario import Scenario


@dataclass(frozen=True)
class GameSetup:
    """Everything a game is a function of.

    Attributes
    ----------
    game_id : str
    config : GameConfig
    scenario : Scenario
        Its policies are those the game starts with.
    agents : tuple of Agent
        In the order in which they make their steps.
    threads : int, optional
        For simulations; results do not depend on it.
    """

    game_id: str
    config: GameConfig
    scenario: Scenario
    agents: tuple[Agent, ...]
    threads: int | None = None

    @property
    def banks(self) -> tuple[str, ...]:
        """The banks that are optimised, in the order of their steps."""
        return tuple(agent.bank for agent in self.agents)

    @property
    def start(self) -> dict[str, Policy]:
        """The policies of all banks at the start."""
        return dict(zip(self.scenario.bank_ids, self.scenario.policies, strict=True))

    @cached_property
    def sampler(self) -> Sampler:
        """What draws the sample days of the game."""
        return self.sampler_of(self.config.bootstrap.num_samples)

    def sampler_of(self, num_samples: int) -> Sampler:
        """Return what draws so many sample days for each purpose."""
        bootstrap = self.config.bootstrap
        return Sampler(
            self.scenario,
            method=bootstrap.sample_method,
            num_samples=num_samples,
            master_seed=self.config.master_seed,
            observed_runs=bootstrap.observed_runs,
        )


def set_up(
    game_id: str,
    config: GameConfig,
    scenario: Scenario,
    *,
    proposers: Mapping[str, Proposer] | None = None,
    threads: int | None = None,
) -> GameSetup:
    """Put a game together.

    Parameters
    ----------
    proposers : mapping of bank to Proposer, optional
        Instead of those that the game file names.

    Raises
    ------
    InputError
        The parts do not go together; one line says why.
    """
    config.check_against(scenario)
    banks = config.agents(scenario)
    given = dict(proposers or {})
    strangers = [bank for bank in given if bank not in banks]
    if strangers:
        raise InputError(
            f"proposers: bank {strangers[0]!r} is not optimised; expected {', '.join(banks)}"
        )
    constraints = {bank: config.constraints_of(bank, scenario) for bank in banks}
    scenario = _with_start(scenario, constraints)
    agents = tuple(
        _agent(config, scenario, bank, constraints[bank], given.get(bank)) for bank in banks
    )
    return GameSetup(game_id, config, scenario, agents, threads)


def make_ready(setup: GameSetup) -> None:
    """Check that every proposer could be asked now: that its extra is installed, its key is there.

    Raises
    ------
    InputError
        Something is missing; one line says how to provide it.
    """
    for agent in setup.agents:
        check = getattr(agent.proposer, "check", None)
        if callable(check):
            check()


def _with_start(scenario: Scenario, constraints: Mapping[str, ScenarioConstraints]) -> Scenario:
    """Return the scenario with the policies that the game starts with."""
    own = zip(scenario.bank_ids, scenario.policies, strict=True)
    policies = tuple(
        starting_policy(scenario, bank, constraints[bank]) if bank in constraints else policy
        for bank, policy in own
    )
    return scenario.with_loaded(replace(scenario.loaded, policies=policies))


def _agent(
    config: GameConfig,
    scenario: Scenario,
    bank: str,
    constraints: ScenarioConstraints,
    proposer: Proposer | None,
) -> Agent:
    chosen = config.proposer_of(bank)
    policy = scenario.policies[scenario.bank_ids.index(bank)]
    if proposer is None and chosen.kind in {"search", "grid"}:
        _check_parameters(bank, chosen.kind, policy, constraints, scenario)
    return Agent(
        bank=bank,
        proposer=make_proposer(chosen, config.folder) if proposer is None else proposer,
        constraints=constraints,
        validator=ConstraintValidator(constraints, scenario, bank, policy),
        max_retries=chosen.max_retries,
        max_invalid_steps=chosen.max_invalid_steps,
    )


def _check_parameters(
    bank: str,
    kind: str,
    policy: Policy,
    constraints: ScenarioConstraints,
    scenario: Scenario,
) -> None:
    """Refuse a search over nothing: it would cost time and change nothing."""
    if not constraints.allowed_parameters:
        raise InputError(
            f"bank {bank!r}: no parameters are declared for its proposer {kind}; expected "
            "constraints.allowed_parameters"
        )
    unread = unread_parameters(policy, constraints, scenario, bank)
    if unread:
        raise InputError(
            f"bank {bank!r}: nothing reads parameter {unread[0]!r}, so its proposer {kind} would "
            "search in vain; expected a parameter that a tree of its policy names, or "
            "initial_liquidity_fraction where the bank has a liquidity_pool"
        )
