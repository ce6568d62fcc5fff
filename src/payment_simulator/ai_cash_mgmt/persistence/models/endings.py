"""How a game ended: what it brought each bank, and why it stopped before its end, if it did."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Count,
    Identifier,
    JsonText,
    Number,
    Ordinal,
    Record,
    Share,
    Text,
    Timestamp,
    check_improvement,
    rounding_slack,
)

_GAME = ("game_sessions", "game_id", "game_id")


class GameOutcomeRecord(Record):
    """What a bank paid under the first and the last policies of a game, on days of their own.

    No step was judged on these days, so the comparison is not flattered by what was sought out;
    both sides of it are played on the same days.
    """

    TABLE: ClassVar[str] = "game_outcomes"
    KEY: ClassVar[tuple[str, ...]] = ("game_id", "agent_id")
    PARENT: ClassVar[tuple[str, str, str] | None] = _GAME

    game_id: Identifier = Field(description="The game.")
    agent_id: Identifier = Field(description="The bank.")
    num_samples: Ordinal = Field(description="Sample days, the same for start and end.")
    start_cost: Number = Field(
        description="Its mean cost under the policies at the start of the game (cents)."
    )
    final_cost: Number = Field(description="Its mean cost under those at the end (cents).")
    cost_improvement: Number = Field(description="Mean paired difference, start - final (cents).")
    improvement_low: Number | None = Field(
        None, description="Lower end of that mean's interval (cents); none for one sample."
    )
    improvement_high: Number | None = Field(None, description="Its upper end (cents).")
    confidence: Share | None = Field(None, description="Confidence of the interval, two-sided.")
    start_settlement_rate: Share | None = Field(
        None, description="Share of the bank's own value that settled, at the start."
    )
    final_settlement_rate: Share | None = Field(None, description="The same at the end.")
    start_costs_json: JsonText = Field(
        description="Mean cost by kind at the start (cents), as a JSON object."
    )
    final_costs_json: JsonText = Field(description="The same at the end.")
    start_policy_json: JsonText = Field(
        description="The bank's policy at the start, as a JSON object."
    )
    final_policy_json: JsonText = Field(description="Its policy at the end.")
    created_at: Timestamp = Field(description="When this was measured (UTC).")

    @model_validator(mode="after")
    def _improvement_is_the_difference(self) -> Self:
        check_improvement(
            self.start_cost, self.final_cost, self.cost_improvement, "start_cost - final_cost"
        )
        return self

    @model_validator(mode="after")
    def _interval_holds_the_improvement(self) -> Self:
        slack = rounding_slack(self.start_cost, self.final_cost)
        low, mean, high = self.improvement_low, self.cost_improvement, self.improvement_high
        if low is not None and low > mean + slack:
            raise ValueError(
                f"improvement_low is {low!r}, expected at most cost_improvement = {mean!r}"
            )
        if high is not None and high < mean - slack:
            raise ValueError(
                f"improvement_high is {high!r}, expected at least cost_improvement = {mean!r}"
            )
        return self


class GameFailureRecord(Record):
    """Why a game stopped before its end."""

    TABLE: ClassVar[str] = "game_failures"
    KEY: ClassVar[tuple[str, ...]] = ("game_id", "failure_number")
    PARENT: ClassVar[tuple[str, str, str] | None] = _GAME

    game_id: Identifier = Field(description="The game.")
    failure_number: Ordinal = Field(
        description="Failure of the game, counted from 1: one that is taken up may stop again."
    )
    agent_id: Identifier | None = Field(None, description="The bank at whose step, if at one.")
    iteration_number: Ordinal | None = Field(None, description="The iteration, if in one.")
    reason: Annotated[Text, Field(min_length=1)] = Field(
        description="What went wrong, in words (free text)."
    )
    error_type: Text = Field(description="Kind of error (free text), such as ProposerError.")
    failed_at: Timestamp = Field(description="When it stopped (UTC).")
    model_calls: Count = Field(
        0, description="Calls of its model in the step until then, those of failed tries included."
    )
    seal_sha256: Text | None = Field(
        None,
        description="Seal of the failure: SHA-256 over this row, without clock columns; none if "
        "another program wrote it.",
    )
