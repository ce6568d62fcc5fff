"""What a step of a game saw, asked, changed and measured."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    IMPROVEMENT_IS_OFF,
    Amount,
    Count,
    Flag,
    Identifier,
    Int64,
    JsonText,
    Number,
    Ordinal,
    Record,
    Share,
    Text,
    Timestamp,
    check_improvement,
)


class StepRecord(Record):
    """Something that belongs to one step of one agent of one game."""

    KEY: ClassVar[tuple[str, ...]] = ("game_id", "agent_id", "iteration_number")
    PARENT: ClassVar[tuple[str, str, str] | None] = ("game_sessions", "game_id", "game_id")

    game_id: Identifier = Field(description="The game.")
    agent_id: Identifier = Field(description="The bank whose policy is optimised.")
    iteration_number: Ordinal = Field(description="Iteration, counted from 1.")


class LLMInteractionRecord(StepRecord):
    """One call of a language model: all that was sent, all that came back."""

    TABLE: ClassVar[str] = "llm_interaction_log"
    KEY: ClassVar[tuple[str, ...]] = (*StepRecord.KEY, "attempt_number")

    attempt_number: Ordinal = Field(description="Call within the step, counted from 1.")
    llm_model: Text = Field(description="Model asked, as provider/model (free text).")
    temperature: Amount | None = Field(
        None, description="Sampling temperature sent; none where none was sent."
    )
    max_tokens: Ordinal | None = Field(
        None, description="Longest answer allowed (tokens), as it was sent; none if it was not."
    )
    sampling_seed: Count | None = Field(
        None, description="Seed sent for sampling; none where none was sent."
    )
    system_prompt: Text = Field(description="System prompt, in full.")
    user_prompt: Text = Field(description="User prompt, in full; on a retry with the errors.")
    raw_response: Text | None = Field(None, description="Answer as it came; none if none came.")
    parsed_policy_json: JsonText | None = Field(
        None, description="Policy read from the answer, as a JSON object."
    )
    parsing_error: Text | None = Field(
        None, description="Why there is no policy, if there is none."
    )
    llm_reasoning: Text | None = Field(None, description="The model's stated reasoning.")
    details_json: JsonText | None = Field(
        None,
        description=(
            "Settings as they were sent, and what the server says beside its answer in its own "
            "words (id, model, fingerprint, finish reason, refusal, calls of other tools, usage), "
            "as a JSON object."
        ),
    )
    response_id: Text | None = Field(None, description="Name the server gave the answer (opaque).")
    response_model: Text | None = Field(
        None, description="Model that answered, as the server says (free text)."
    )
    system_fingerprint: Text | None = Field(
        None, description="The server's mark of model and settings (opaque)."
    )
    finish_reason: Text | None = Field(
        None,
        description=(
            "Why the answer ended: stop, length, content_filter, refusal, tool_call, or the "
            "server's own word."
        ),
    )
    refusal: Text | None = Field(None, description="The model's words where it refused.")
    input_tokens: Count | None = Field(None, description="Tokens sent, if the server counts them.")
    output_tokens: Count | None = Field(
        None, description="Tokens received, if the server counts them."
    )
    cached_tokens: Count | None = Field(
        None, description="Of the tokens sent, those the server had in its cache."
    )
    reasoning_tokens: Count | None = Field(
        None, description="Of the tokens received, those of reasoning that is not shown."
    )
    llm_latency_seconds: Amount = Field(description="From request to answer (seconds).")
    cost_usd: Amount | None = Field(None, description="Price of the call (US dollars), if known.")
    request_timestamp: Timestamp = Field(description="When the request left (UTC).")
    response_timestamp: Timestamp | None = Field(None, description="When the answer came (UTC).")


class PolicyDiffRecord(StepRecord):
    """What a proposal would change in the policy before it."""

    TABLE: ClassVar[str] = "policy_diffs"

    diff_summary: Text = Field(description="The change in words (free text).")
    parameter_changes_json: JsonText = Field(
        description="Changed parameters, old and new, as JSON."
    )
    tree_changes_json: JsonText = Field(description="Changed nodes of the trees, as JSON.")
    payment_tree_changed: Flag = Field(description="Whether the payment tree changed.")
    bank_tree_changed: Flag = Field(description="Whether the bank tree changed.")
    strategic_collateral_tree_changed: Flag = Field(
        description="Whether the strategic collateral tree changed."
    )
    end_of_tick_collateral_tree_changed: Flag = Field(
        description="Whether the end-of-tick collateral tree changed."
    )


class IterationContextRecord(StepRecord):
    """What a proposer was shown before it proposed."""

    TABLE: ClassVar[str] = "iteration_context"

    num_samples: Ordinal = Field(description="Sample days shown or summarised.")
    cost_mean: Number = Field(description="Mean cost of the current policy (cents).")
    cost_std: Amount = Field(description="Standard deviation of that cost (cents).")
    settlement_rate_mean: Share | None = Field(None, description="Mean share of payments settled.")
    cost_breakdown_json: JsonText = Field(
        description="Mean cost by kind (cents), as a JSON object."
    )
    best_seed: Int64 = Field(description="Seed of the cheapest sample day.")
    best_seed_cost: Number = Field(description="Its cost (cents).")
    best_seed_verbose_output: Text | None = Field(None, description="That day told tick by tick.")
    worst_seed: Int64 = Field(description="Seed of the dearest sample day.")
    worst_seed_cost: Number = Field(description="Its cost (cents).")
    worst_seed_verbose_output: Text | None = Field(None, description="That day told tick by tick.")
    context_json: JsonText = Field(
        "{}", description="Everything else shown, such as past steps, as JSON."
    )
    omissions_json: JsonText = Field(
        "[]", description="What was left out to keep within size, as a JSON array."
    )
    seal_sha256: Text | None = Field(
        None,
        description="Seal of the step: SHA-256 over this row, its policy_iterations row and its "
        "model calls, without clock columns; none if another program wrote it.",
    )


class EvaluationSampleRecord(StepRecord):
    """One sample day on which the old and the new policy were compared."""

    TABLE: ClassVar[str] = "evaluation_samples"
    KEY: ClassVar[tuple[str, ...]] = (*StepRecord.KEY, "sample_number")
    REFUSAL: ClassVar[str] = IMPROVEMENT_IS_OFF

    sample_number: Ordinal = Field(description="Sample within the step, counted from 1.")
    sample_seed: Int64 = Field(description="Seed or number of the sample day.")
    old_cost: Number = Field(description="Cost of the old policy on this day (cents).")
    new_cost: Number = Field(description="Cost of the new policy on the same day (cents).")
    cost_improvement: Number = Field(description="Paired difference, old - new (cents).")
    old_settlement_rate: Share | None = Field(None, description="Share settled, old policy.")
    new_settlement_rate: Share | None = Field(None, description="Share settled, new policy.")

    @model_validator(mode="after")
    def _improvement_is_the_difference(self) -> Self:
        check_improvement(self.old_cost, self.new_cost, self.cost_improvement)
        return self
