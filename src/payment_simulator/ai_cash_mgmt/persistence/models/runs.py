"""Simulation runs: the run itself, its payments, events, bank states and costs.

Ticks and days count from 0 over the whole run; money is in int64 cents.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Amount,
    Count,
    Count64,
    Flag,
    Identifier,
    Int64,
    JsonText,
    Number,
    Ordinal,
    Record,
    Text,
    Timestamp,
)
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import CostKind, PaymentStatus, one_of


class SimulationRunRecord(Record):
    """One run of one scenario under given policies."""

    TABLE: ClassVar[str] = "simulation_runs"
    KEY: ClassVar[tuple[str, ...]] = ("run_id",)
    PARENT: ClassVar[tuple[str, str, str] | None] = ("game_sessions", "game_id", "game_id")

    run_id: Identifier = Field(description="Unique run identifier.")
    game_id: Identifier | None = Field(None, description="The game it was run for, if any.")
    agent_id: Identifier | None = Field(None, description="The bank it was run for, if any.")
    iteration_number: Ordinal | None = Field(None, description="The step it was run for, if any.")
    purpose: Text = Field(
        description="Why it was run (free text): simulate, best_sample, final, ..."
    )
    scenario_config: Text = Field(description="Path to the scenario file (free text).")
    scenario_sha256: Text = Field(description="SHA-256 of the scenario's text.")
    policies_json: JsonText = Field(
        description="The policy of every bank, as a JSON object by bank."
    )
    master_seed: Int64 = Field(description="Seed of the arrivals.")
    num_days: Ordinal = Field(description="Days simulated.")
    ticks_per_day: Ordinal = Field(description="Ticks in a day.")
    num_agents: Ordinal = Field(description="Banks in the system.")
    num_payments: Count64 = Field(description="Payments that arrived.")
    num_settled: Count64 = Field(description="Payments that settled.")
    total_cost: Number = Field(description="Cost of all banks (cents).")
    measures_json: JsonText = Field(
        "{}", description="Measures of the run, as a JSON object by name."
    )
    package_version: Text = Field(description="Version of payment-simulator.")
    started_at: Timestamp = Field(description="When the run started (UTC).")
    completed_at: Timestamp | None = Field(None, description="When the run ended (UTC).")


class RunRow(Record):
    """Something that belongs to a simulation run."""

    PARENT: ClassVar[tuple[str, str, str] | None] = ("simulation_runs", "run_id", "run_id")

    run_id: Identifier = Field(description="The run.")


class TransactionRecord(RunRow):
    """The life of one payment."""

    TABLE: ClassVar[str] = "transactions"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "payment_number")

    payment_number: Count64 = Field(description="Payment within the run, in order of arrival.")
    parent_payment_number: Count64 | None = Field(None, description="Payment it was split from.")
    sender_id: Identifier = Field(description="Bank that pays.")
    receiver_id: Identifier = Field(description="Bank that is paid.")
    amount_cents: Annotated[Int64, Field(gt=0)] = Field(description="Amount (cents).")
    settled_cents: Count64 = Field(description="Settled so far (cents).")
    arrival_tick: Count = Field(description="Tick of arrival in Queue 1.")
    deadline_tick: Count = Field(description="Last tick at which settlement is on time.")
    priority: Annotated[Count, Field(le=10)] = Field(description="Priority, 0 (low) to 10.")
    is_divisible: Flag = Field(description="Whether it may settle in part.")
    status: Annotated[Text, AfterValidator(lambda v: one_of(PaymentStatus, v))] = Field(
        description="Where it is at the end: queue1, queue2, settled, dropped or split."
    )
    released_tick: Count | None = Field(None, description="Tick of first release to the system.")
    settled_tick: Count | None = Field(None, description="Tick at which it had settled in full.")
    settlement_method: Text | None = Field(
        None, description="How it settled (free text): rtgs, bilateral, ..."
    )
    delay_cost: Amount = Field(0.0, description="Delay cost it caused (cents).")
    penalty_cost: Amount = Field(0.0, description="Penalties it caused (cents).")

    @model_validator(mode="after")
    def _life_is_in_order(self) -> Self:
        if self.settled_cents > self.amount_cents:
            raise ValueError(
                f"settled_cents is {self.settled_cents}, expected at most amount_cents = "
                f"{self.amount_cents}"
            )
        for name in ("deadline_tick", "released_tick", "settled_tick"):
            tick = getattr(self, name)
            if tick is not None and tick < self.arrival_tick:
                raise ValueError(
                    f"{name} is {tick}, expected at least arrival_tick = {self.arrival_tick}"
                )
        return self


class SimulationEventRecord(RunRow):
    """One thing that happened in a run."""

    TABLE: ClassVar[str] = "simulation_events"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "event_number")

    event_number: Count64 = Field(description="Event within the run, in order.")
    day: Count = Field(description="Day, from 0.")
    tick: Count = Field(description="Tick of the run, from 0.")
    event_type: Identifier = Field(description="What happened (free text), such as settlement.")
    agent_id: Identifier | None = Field(None, description="Bank that did it or bore it.")
    counterparty_id: Identifier | None = Field(None, description="The other bank, if any.")
    payment_number: Count64 | None = Field(None, description="The payment, if any.")
    amount_cents: Int64 | None = Field(None, description="Amount (cents), if any.")
    details_json: JsonText | None = Field(None, description="Anything more, as JSON.")


class BankStateRecord(RunRow):
    """One bank at the end of one tick."""

    TABLE: ClassVar[str] = "bank_states"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "tick", "agent_id")

    tick: Count = Field(description="Tick of the run, from 0.")
    agent_id: Identifier = Field(description="The bank.")
    day: Count = Field(description="Day, from 0.")
    balance_cents: Int64 = Field(description="Balance; negative is credit in use (cents).")
    credit_limit_cents: Count64 = Field(description="Unsecured cap and collateral value (cents).")
    posted_collateral_cents: Count64 = Field(description="Collateral posted (cents).")
    queue1_count: Count = Field(description="Payments in the bank's own queue.")
    queue1_cents: Count64 = Field(description="Their unsettled value (cents).")
    queue2_count: Count = Field(description="Its payments in the system's queue.")
    queue2_cents: Count64 = Field(description="Their unsettled value (cents).")
    sent_cents: Count64 = Field(description="Settled outgoing value of the tick (cents).")
    received_cents: Count64 = Field(description="Settled incoming value of the tick (cents).")
    tick_cost: Number = Field(description="Costs of the tick, all kinds (cents).")


class DailyCostRecord(RunRow):
    """What one bank paid for one kind of cost on one day."""

    TABLE: ClassVar[str] = "daily_costs"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "day", "agent_id", "cost_kind")

    day: Count = Field(description="Day, from 0.")
    agent_id: Identifier = Field(description="The bank.")
    cost_kind: Annotated[Text, AfterValidator(lambda v: one_of(CostKind, v))] = Field(
        description="Kind: liquidity, overdraft, collateral, delay, deadline_penalty, "
        "end_of_day or split."
    )
    cost: Amount = Field(description="Cost (cents).")
