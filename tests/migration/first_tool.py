"""A file of the first published tool: its two tables with their four indexes, and no ledger.

``assets/first_tool.db.gz`` was written once, in the storage format of its time, and does not
change. That tool checked nothing, so its rows hold what it let through: a policy that is a
placeholder and no JSON, costs that are NaN or infinite, counters that are NULL, a step of a game
that is not there, an improvement that is not the difference.
"""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ASSET = Path(__file__).parent / "assets" / "first_tool.db.gz"
#: The statements of the specification.
SCHEMA = """
CREATE TABLE game_sessions (
    game_id VARCHAR PRIMARY KEY,
    scenario_config VARCHAR NOT NULL,
    master_seed BIGINT NOT NULL,
    game_mode VARCHAR NOT NULL,
    config_json VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    completed_at TIMESTAMP,
    status VARCHAR NOT NULL,
    optimized_agents VARCHAR NOT NULL,  -- JSON array
    total_iterations INTEGER DEFAULT 0,
    converged BOOLEAN DEFAULT FALSE,
    final_cost DOUBLE
);

CREATE TABLE policy_iterations (
    game_id VARCHAR NOT NULL,
    agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL,
    trigger_tick INTEGER NOT NULL,
    old_policy_json VARCHAR NOT NULL,
    new_policy_json VARCHAR NOT NULL,
    old_cost DOUBLE NOT NULL,
    new_cost DOUBLE NOT NULL,
    cost_improvement DOUBLE NOT NULL,
    was_accepted BOOLEAN NOT NULL,
    validation_errors VARCHAR NOT NULL,  -- JSON array
    llm_model VARCHAR NOT NULL,
    llm_latency_seconds DOUBLE NOT NULL,
    tokens_used INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);

CREATE INDEX IF NOT EXISTS idx_game_status ON game_sessions (status);
CREATE INDEX IF NOT EXISTS idx_game_started_at ON game_sessions (started_at);
CREATE INDEX IF NOT EXISTS idx_iter_game ON policy_iterations (game_id);
CREATE INDEX IF NOT EXISTS idx_iter_agent ON policy_iterations (game_id, agent_id);
"""
START = datetime(2025, 12, 9, 8, 30, 0, 123456)
LATER = START + timedelta(hours=2, microseconds=1)
NAN, INFINITE = float("nan"), float("inf")
PLACEHOLDER = '{"payment_tree": {...}}'
HOLD = '{"payment_tree": {"root": {"action": "Hold"}}}'
RELEASE = '{"payment_tree": {"root": {"action": "Release"}}}'
AGENTS = '["BANK_A", "BANK_B"]'
GAME = "exp1-run-001"
ODD_GAME = "größe 'q' \"d\" 🏦\nsecond line"
STEP = (GAME, "BANK_A", 1)

# One row in one place, which the formatter would pull apart.
# fmt: off
ROWS: dict[str, list[tuple[Any, ...]]] = {
    "game_sessions": [
        (GAME, "experiments/castro/configs/exp1.yaml", 42, "rl_optimization",
         '{"max_iterations": 25}', START, LATER, "converged", AGENTS, 2, True, 250.0),
        ("unfinished", "exp2.yaml", 0, "campaign_learning", "{...}", START, None, "running",
         "[]", None, None, None),
        (ODD_GAME, "", -(2**63), "rl_optimization", "", datetime(1, 1, 1), None, "failed",
         '["ÄÖ", ""]', 0, False, NAN),
        ("largest", "x" * 300, 2**63 - 1, "campaign_learning", "{}",
         datetime(9999, 12, 31, 23, 59, 59, 999999), LATER, "completed", '["B"]', 2**31 - 1,
         False, -0.0),
    ],
    "policy_iterations": [
        (*STEP, 100, PLACEHOLDER, PLACEHOLDER, 1500.0, 1200.0, 300.0, True, "[]",
         "anthropic/claude-sonnet", 2.5, 1500, START),
        (GAME, "BANK_A", 2, 200, PLACEHOLDER, RELEASE, 1200.0, 1250.5, -50.5, False,
         '["worse", "größer"]', "anthropic/claude-sonnet", 1.25, 800, LATER),
        (GAME, "BANK_B", 1, 100, HOLD, RELEASE, NAN, INFINITE, NAN, True, "[]", "", 0.0, 0,
         START),
        (GAME, "BANK_B", 2, 200, HOLD, "", 0.1 + 0.2, 5e-324, 12345.0, False, "[]",
         "search/tpe", -1.0, -5, START),
        ("no such game", "BANK_A", 0, -1, HOLD, RELEASE, -0.0, 0.0, 0.0, True, "[]", "m", 1.0,
         1, START),
    ],
}
# fmt: on


def write_first_tool_file(path: Path) -> None:
    """Write a copy of the frozen file."""
    path.write_bytes(gzip.decompress(ASSET.read_bytes()))
