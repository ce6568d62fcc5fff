"""A scenario: everything that is fixed before a run begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from payment_simulator.errors import ScenarioError
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario.agents import Agent
from payment_simulator.scenario.costs import COST_KINDS, CostRates
from payment_simulator.scenario.event_kinds import Event
from payment_simulator.scenario.lsm import LsmConfig
from payment_simulator.scenario.switches import (
    PaymentsFile,
    PriorityEscalation,
    SimulationConfig,
    Toggles,
)
from payment_simulator.scenario.values import Flag, Section, Share, Text

MAX_BANKS = 2000


@dataclass(frozen=True, slots=True)
class ObservedPayment:
    """A payment that is known beforehand.

    Attributes
    ----------
    tick : int
        Tick of the run at which it arrives.
    sender, receiver : int
        Numbers of banks.
    amount : int
        Cents.
    deadline_offset : int
        Ticks from arrival to deadline.
    """

    tick: int
    sender: int
    receiver: int
    amount: int
    deadline_offset: int
    priority: int
    divisible: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """What belongs to a scenario but stands elsewhere than in its keys.

    Attributes
    ----------
    text : str
        The source as it was read.
    policies : tuple of Policy
        One for each bank.
    payments : tuple of ObservedPayment
        By tick, in the order of the payments file within a tick.
    skipped_lines : int
        Lines of the payments file that were passed over.
    """

    text: str
    policies: tuple[Policy, ...]
    payments: tuple[ObservedPayment, ...] = ()
    skipped_lines: int = 0


class Scenario(Section):
    """A scenario, complete and checked; made by ``load_scenario`` or ``parse_scenario``.

    Attributes are the keys of the file; ``docs/reference/rules.md`` says what they do.
    """

    name: Text = "scenario"
    description: Text = ""
    source: Text = ""
    simulation: SimulationConfig
    agents: Annotated[tuple[Agent, ...], Field(min_length=1, max_length=MAX_BANKS)]
    cost_rates: CostRates = CostRates()
    lsm_config: LsmConfig = LsmConfig()
    scenario_events: tuple[Event, ...] = ()
    policy_feature_toggles: Toggles = Toggles()
    cost_feature_toggles: Toggles = Toggles()
    deferred_crediting: Flag = False
    deadline_cap_at_eod: Flag = False
    algorithm_sequencing: Flag = False
    entry_disposition_offsetting: Flag = False
    priority_mode: Flag = False
    queue1_ordering: Literal["Fifo", "priority_deadline"] = "Fifo"
    priority_escalation: PriorityEscalation = PriorityEscalation()
    eod_rush_threshold: Share = 0.8
    daily_liquidity_reallocation: Flag = True
    end_of_day: Literal["penalty", "borrow"] = "penalty"
    queue_discipline: Literal["bypass", "strict"] = "bypass"
    delay_applies_to: Literal["both_queues", "queue1"] = "both_queues"
    payments_file: PaymentsFile | None = None

    _loaded: Loaded | None = PrivateAttr(default=None)

    def with_loaded(self, loaded: Loaded) -> Scenario:
        """Return the same scenario with what was read beside its keys."""
        complete = self.model_copy()
        complete._loaded = loaded  # noqa: SLF001 - of its own class
        return complete

    @property
    def loaded(self) -> Loaded:
        """What was read beside the keys.

        Raises
        ------
        ScenarioError
            The scenario was put together by hand, so its policies were never looked up.
        """
        if self._loaded is None:
            raise ScenarioError(
                f"scenario {self.name!r} has no policies yet; "
                "make scenarios with load_scenario() or parse_scenario()"
            )
        return self._loaded

    @property
    def text(self) -> str:
        """The source text as read."""
        return self.loaded.text

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of the banks, in their order."""
        return self.loaded.policies

    @property
    def payments(self) -> tuple[ObservedPayment, ...]:
        """Payments of the payments file, by tick."""
        return self.loaded.payments

    @property
    def skipped_lines(self) -> int:
        """Number of lines of the payments file that were passed over."""
        return self.loaded.skipped_lines

    @property
    def n_banks(self) -> int:
        """Number of banks."""
        return len(self.agents)

    @property
    def n_ticks(self) -> int:
        """Number of ticks of the whole run."""
        return self.simulation.ticks_per_day * self.simulation.num_days

    @property
    def bank_ids(self) -> tuple[str, ...]:
        """Names of the banks, in their order."""
        return tuple(agent.id for agent in self.agents)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms of Queue 2, in their sequence."""
        return self.lsm_config.sequence

    @property
    def charged_kinds(self) -> frozenset[str]:
        """The kinds of cost that are charged."""
        toggles = self.cost_feature_toggles
        if toggles.include is not None:
            return frozenset(toggles.include)
        return frozenset(COST_KINDS) - frozenset(toggles.exclude or ())

    @property
    def is_random(self) -> bool:
        """Whether any payment arrives at random."""
        return any(rate > 0 for agent in self.agents for rate in agent.rates_per_tick().values())
