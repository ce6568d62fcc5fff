"""A step of a game: who makes it, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from payment_simulator.ai_cash_mgmt.constraints import ConstraintValidator, ScenarioConstraints
from payment_simulator.ai_cash_mgmt.evaluation.acceptance import Decision, Evaluation
from payment_simulator.ai_cash_mgmt.evaluation.own_report import OwnReport
from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.proposers.base import (
    CallLog,
    PastStep,
    Proposer,
    ProposerError,
    Refusal,
    Shown,
)
from payment_simulator.policy import Policy

#: Called with a few words before whatever may take long; what is played does not depend on it.
OnWork = Callable[[str], None]


def unwatched(_: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Agent:
    """A bank whose policy is optimised, and by whom.

    Attributes
    ----------
    bank : str
    proposer : Proposer
    constraints : ScenarioConstraints
    validator : ConstraintValidator
    max_retries : int
        How often an invalid proposal is sent back within a step.
    max_invalid_steps : int
        After so many steps in a row without a valid proposal the game fails.
    """

    bank: str
    proposer: Proposer
    constraints: ScenarioConstraints
    validator: ConstraintValidator
    max_retries: int
    max_invalid_steps: int


@dataclass(frozen=True)
class Step:
    """What came of a step.

    Attributes
    ----------
    bank, iteration, trigger_tick, label
        Whose step, which, when, and who proposed.
    old : Policy
        The policy in force.
    new : Policy, optional
        The policy proposed, where it is valid.
    new_text : str
        The proposal as JSON, or as it came.
    evaluation : Evaluation
        Both policies on the judging days; where there is no valid proposal, the old one twice.
    decision : Decision
    errors : tuple of str
        Why there is no valid proposal; empty where there is one.
    refused : tuple of Refusal
        Proposals that were sent back.
    reasoning : str
    tokens_used : int
    latency_seconds : float
    report : OwnReport
        The bank's own books on the proposer's sample days.
    shown : Shown
        What the proposer was shown beside that.
    n_past : int
        Steps of the bank before this one.
    """

    bank: str
    iteration: int
    trigger_tick: int
    label: str
    old: Policy
    new: Policy | None
    new_text: str
    evaluation: Evaluation
    decision: Decision
    errors: tuple[str, ...]
    refused: tuple[Refusal, ...]
    reasoning: str
    tokens_used: int
    latency_seconds: float
    report: OwnReport
    shown: Shown
    n_past: int

    @property
    def ruling(self) -> Policy:
        """The policy in force after the step."""
        return self.new if self.new is not None and self.decision.is_accepted else self.old

    @property
    def old_cost(self) -> float:
        """Mean cost of the old policy on the judging days, cents."""
        return self.evaluation.mean_old

    @property
    def new_cost(self) -> float:
        """Mean cost of the policy proposed on the judging days, cents."""
        return self.evaluation.mean_new

    def past(self) -> PastStep:
        """Return the step as the bank's agent remembers it."""
        return PastStep(
            iteration=self.iteration,
            policy_json=self.new_text,
            parameters={} if self.new is None else dict(self.new.parameters),
            old_cost=self.old_cost,
            new_cost=self.new_cost,
            was_accepted=self.decision.is_accepted,
            errors=self.errors,
        )


class WatchedCalls:
    """The calls of a step, where somebody is told of each that brings no answer.

    Parameters
    ----------
    calls : CallLog
        Where they are written down.
    bank : str
    on_work : callable
    """

    def __init__(self, calls: CallLog, bank: str, on_work: OnWork) -> None:
        self._calls = calls
        self._bank = bank
        self._on_work = on_work

    @property
    def game_id(self) -> str:
        """The game that the calls belong to."""
        return self._calls.game_id

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the number of the next call, and the call itself where it was made before."""
        return self._calls.begin()

    def save(self, interaction: LLMInteractionRecord) -> None:
        """Make a call durable."""
        self._calls.save(interaction)
        if interaction.raw_response is None:
            number = interaction.attempt_number
            self._on_work(f"{self._bank}: no answer to call {number} of its model")


class StepFailedError(Exception):
    """A step ended without an answer of its proposer; the game stops.

    Attributes
    ----------
    step : Step
        What can be recorded of it.
    reason : ProposerError
    """

    def __init__(self, step: Step, reason: ProposerError) -> None:
        super().__init__(str(reason))
        self.step = step
        self.reason = reason
