"""Records to test with, valid unless a test says otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    EquilibriumCertificateRecord,
    EvaluationSampleRecord,
    GameProvenanceRecord,
    GameSessionRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record

R = TypeVar("R", bound=Record)

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678901)
LATER = datetime(2026, 1, 2, 4, 5, 6, 789012)
STEP = {"game_id": "game-001", "agent_id": "BANK_A", "iteration_number": 1}

#: One value for every field of every record; a_session and an_iteration leave the optional out.
VALUES: dict[type[Record], dict[str, Any]] = {
    GameSessionRecord: {
        "game_id": "game-001",
        "scenario_config": "scenario.yaml",
        "master_seed": 42,
        "game_mode": "rl_optimization",
        "config_json": '{"max_iterations": 25}',
        "started_at": STARTED,
        "completed_at": LATER,
        "status": "converged",
        "optimized_agents": ["BANK_A", "BANK_B"],
        "total_iterations": 15,
        "converged": True,
        "final_cost": 2500.0,
    },
    PolicyIterationRecord: {
        **STEP,
        "trigger_tick": 100,
        "old_policy_json": '{"payment_tree": {"root": {"action": "Hold"}}}',
        "new_policy_json": '{"payment_tree": {"root": {"action": "Release"}}}',
        "old_cost": 1500.0,
        "new_cost": 1200.0,
        "cost_improvement": 300.0,
        "was_accepted": True,
        "validation_errors": [],
        "llm_model": "anthropic/claude-sonnet",
        "llm_latency_seconds": 2.5,
        "tokens_used": 1500,
        "created_at": STARTED,
    },
    LLMInteractionRecord: {
        **STEP,
        "attempt_number": 1,
        "llm_model": "anthropic/claude-sonnet",
        "system_prompt": "You are the treasurer of a bank.",
        "user_prompt": "Here is your last day.",
        "raw_response": "I propose to wait: {}",
        "parsed_policy_json": '{"parameters": {"urgency": 3}}',
        "parsing_error": "none",
        "llm_reasoning": "Liquidity is dear.",
        "input_tokens": 1000,
        "output_tokens": 500,
        "llm_latency_seconds": 2.5,
        "cost_usd": 0.0125,
        "request_timestamp": STARTED,
        "response_timestamp": LATER,
    },
    PolicyDiffRecord: {
        **STEP,
        "diff_summary": "urgency 3 -> 4",
        "parameter_changes_json": '{"urgency": [3, 4]}',
        "tree_changes_json": "[]",
        "payment_tree_changed": False,
        "bank_tree_changed": True,
        "strategic_collateral_tree_changed": False,
        "end_of_tick_collateral_tree_changed": False,
    },
    IterationContextRecord: {
        **STEP,
        "num_samples": 20,
        "cost_mean": 1500.0,
        "cost_std": 25.5,
        "settlement_rate_mean": 0.975,
        "cost_breakdown_json": '{"delay": 1500.0}',
        "best_seed": 7,
        "best_seed_cost": 1400.0,
        "best_seed_verbose_output": "tick 0: nothing",
        "worst_seed": 8,
        "worst_seed_cost": 1600.0,
        "worst_seed_verbose_output": "tick 0: much",
        "context_json": '{"past": []}',
        "omissions_json": '["tick 1"]',
    },
    EvaluationSampleRecord: {
        **STEP,
        "sample_number": 1,
        "sample_seed": 99,
        "old_cost": 1500.0,
        "new_cost": 1200.0,
        "cost_improvement": 300.0,
        "old_settlement_rate": 0.95,
        "new_settlement_rate": 1.0,
    },
    GameProvenanceRecord: {
        "game_id": "game-001",
        "package_version": "0.1.0",
        "code_revision": "0123abc",
        "code_is_clean": True,
        "python_version": "3.11.9",
        "platform": "Linux x86_64",
        "libraries_json": '{"duckdb": "2.0.0"}',
        "created_at": STARTED,
    },
    ProvenanceFileRecord: {
        "game_id": "game-001",
        "role": "scenario",
        "name": "scenario.yaml",
        "content": "hello\n",
        "sha256": "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
    },
    EquilibriumCertificateRecord: {
        "game_id": "game-001",
        "certificate_number": 1,
        "method": "grid/exhaustive",
        "parameter_space_json": '{"urgency": [0, 10]}',
        "profile_json": '{"BANK_A": {}}',
        "num_samples": 20,
        "regrets_json": '{"BANK_A": 0.5}',
        "distance_from_equilibrium": 0.5,
        "best_deviations_json": "{}",
        "pure_equilibria_json": "[]",
        "best_responses_json": "{}",
        "social_optimum_json": "null",
        "price_of_anarchy": 1.25,
        "created_at": STARTED,
    },
    SimulationRunRecord: {
        "run_id": "run-001",
        "game_id": "game-001",
        "agent_id": "BANK_A",
        "iteration_number": 1,
        "purpose": "simulate",
        "scenario_config": "scenario.yaml",
        "scenario_sha256": "5891b5b5",
        "policies_json": "{}",
        "master_seed": 42,
        "num_days": 1,
        "ticks_per_day": 12,
        "num_agents": 2,
        "num_payments": 3,
        "num_settled": 2,
        "total_cost": 1500.5,
        "measures_json": '{"settlement_rate": 0.67}',
        "package_version": "0.1.0",
        "started_at": STARTED,
        "completed_at": LATER,
    },
    TransactionRecord: {
        "run_id": "run-001",
        "payment_number": 2,
        "parent_payment_number": 1,
        "sender_id": "BANK_A",
        "receiver_id": "BANK_B",
        "amount_cents": 100_000,
        "settled_cents": 60_000,
        "arrival_tick": 3,
        "deadline_tick": 9,
        "priority": 5,
        "is_divisible": True,
        "status": "queue2",
        "released_tick": 4,
        "settled_tick": 7,
        "settlement_method": "rtgs",
        "delay_cost": 12.5,
        "penalty_cost": 2.5,
    },
    SimulationEventRecord: {
        "run_id": "run-001",
        "event_number": 1,
        "day": 0,
        "tick": 3,
        "event_type": "arrival",
        "agent_id": "BANK_A",
        "counterparty_id": "BANK_B",
        "payment_number": 2,
        "amount_cents": -100_000,
        "details_json": '{"note": "first"}',
    },
    BankStateRecord: {
        "run_id": "run-001",
        "tick": 3,
        "agent_id": "BANK_A",
        "day": 0,
        "balance_cents": -500,
        "credit_limit_cents": 1000,
        "posted_collateral_cents": 700,
        "queue1_count": 1,
        "queue1_cents": 100,
        "queue2_count": 2,
        "queue2_cents": 200,
        "sent_cents": 300,
        "received_cents": 400,
        "tick_cost": 0.25,
    },
    DailyCostRecord: {
        "run_id": "run-001",
        "day": 0,
        "agent_id": "BANK_A",
        "cost_kind": "delay",
        "cost": 12.5,
    },
}


def a_record(kind: type[R], **changes: Any) -> R:
    """Return a record with every field filled."""
    return kind(**{**VALUES[kind], **changes})


def a_session(game_id: str = "game-001", **changes: Any) -> GameSessionRecord:
    """Return a running game."""
    end = ("completed_at", "total_iterations", "converged", "final_cost")
    values = {name: v for name, v in VALUES[GameSessionRecord].items() if name not in end}
    return GameSessionRecord(**{**values, "status": "running", "game_id": game_id, **changes})


def an_iteration(iteration_number: int = 1, **changes: Any) -> PolicyIterationRecord:
    """Return an accepted step of BANK_A in game-001 that saves 300 cents."""
    return a_record(PolicyIterationRecord, iteration_number=iteration_number, **changes)
