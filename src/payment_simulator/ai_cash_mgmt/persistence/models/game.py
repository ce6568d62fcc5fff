"""The two records of the specification: a game, and each step of each of its agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Count,
    Flag,
    Identifier,
    Int64,
    Number,
    Ordinal,
    Record,
    Text,
    TextList,
    Timestamp,
    check_improvement,
)
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameMode, GameStatus, one_of
from payment_simulator.persistence.store import Row

Status = Annotated[Text, AfterValidator(lambda value: one_of(GameStatus, value))]
Mode = Annotated[Text, AfterValidator(lambda value: one_of(GameMode, value))]


class GameSessionRecord(Record):
    """A game: what was played, where it stands, how it ended."""

    TABLE: ClassVar[str] = "game_sessions"
    KEY: ClassVar[tuple[str, ...]] = ("game_id",)

    game_id: Identifier = Field(description="Unique game identifier.")
    scenario_config: Text = Field(description="Path to the scenario file (free text).")
    master_seed: Int64 = Field(description="Master seed; everything random is derived from it.")
    game_mode: Mode = Field(description="Mode: rl_optimization or campaign_learning.")
    config_json: Text = Field(description="Full configuration, as a JSON object.")
    started_at: Timestamp = Field(description="When the game started (UTC).")
    completed_at: Timestamp | None = Field(None, description="When the game ended (UTC).")
    status: Status = Field(description="Status: running, completed, failed or converged.")
    optimized_agents: TextList = Field(
        description="Banks whose agents play, as a JSON array of names."
    )
    total_iterations: Count = Field(0, description="Optimisation iterations played.")
    converged: Flag = Field(default=False, description="Whether the game converged.")
    final_cost: Number | None = Field(None, description="Final aggregate cost (cents).")

    @classmethod
    def from_row(cls, row: Row, texts: Mapping[str, str] | None = None) -> Self:
        """Return the record of a stored row.

        The specification's table lets the two counters with a default be NULL; other tools' files
        may use that.
        """
        record = super().from_row(row, texts)
        values: dict[str, Any] = record.__dict__
        values["total_iterations"] = values["total_iterations"] or 0
        values["converged"] = values["converged"] or False
        return record


class PolicyIterationRecord(Record):
    """One step of one agent: the policy it had, the one it proposed, and what became of it."""

    TABLE: ClassVar[str] = "policy_iterations"
    KEY: ClassVar[tuple[str, ...]] = ("game_id", "agent_id", "iteration_number")
    PARENT: ClassVar[tuple[str, str, str] | None] = ("game_sessions", "game_id", "game_id")

    game_id: Identifier = Field(description="The game that the step belongs to.")
    agent_id: Identifier = Field(description="Bank whose policy is optimised.")
    iteration_number: Ordinal = Field(description="Iteration, counted from 1.")
    trigger_tick: Count = Field(description="Tick that triggered the optimisation.")
    old_policy_json: Text = Field(description="Policy before the step, as a JSON object.")
    new_policy_json: Text = Field(description="Policy proposed, as a JSON object.")
    old_cost: Number = Field(description="Cost of the old policy (cents).")
    new_cost: Number = Field(description="Cost of the new policy (cents).")
    cost_improvement: Number = Field(description="Cost reduction, old - new (cents).")
    was_accepted: Flag = Field(description="Whether the new policy was accepted.")
    validation_errors: TextList = Field(
        description="Why the proposal was refused, as a JSON array of texts; empty if it was not."
    )
    llm_model: Text = Field(description="Who proposed: provider/model, or kind/method (free text).")
    llm_latency_seconds: Annotated[Number, Field(ge=0)] = Field(
        description="Time the proposer took (seconds)."
    )
    tokens_used: Count = Field(description="Tokens used, in and out; 0 where no model was asked.")
    created_at: Timestamp = Field(description="When the step was recorded (UTC).")

    @model_validator(mode="after")
    def _improvement_is_the_difference(self) -> Self:
        check_improvement(self.old_cost, self.new_cost, self.cost_improvement)
        return self
