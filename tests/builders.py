"""Records to test with, valid unless a test says otherwise."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from payment_simulator.ai_cash_mgmt import GameSessionRecord, PolicyIterationRecord

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678901)


def a_session(game_id: str = "game-001", **changes: Any) -> GameSessionRecord:
    """Return a running game."""
    values: dict[str, Any] = {
        "game_id": game_id,
        "scenario_config": "scenario.yaml",
        "master_seed": 42,
        "game_mode": "rl_optimization",
        "config_json": '{"max_iterations": 25}',
        "started_at": STARTED,
        "status": "running",
        "optimized_agents": ["BANK_A", "BANK_B"],
    }
    return GameSessionRecord(**{**values, **changes})


def an_iteration(iteration_number: int = 1, **changes: Any) -> PolicyIterationRecord:
    """Return an accepted step of BANK_A in game-001 that saves 300 cents."""
    values: dict[str, Any] = {
        "game_id": "game-001",
        "agent_id": "BANK_A",
        "iteration_number": iteration_number,
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
    }
    return PolicyIterationRecord(**{**values, **changes})
