"""The other tables that the first tool keeps in its file, with rows, and with its indexes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from tests.migration.first_tool import GAME, START, write_first_tool_file

STEP = (GAME, "BANK_A", 2)
HOLD = {"parameters": {"x": 1.0, "y": 2}, "payment_tree": {"type": "action", "action": "Hold"}}
RELEASE = {
    "parameters": {"x": 0.5, "y": 2},
    "payment_tree": {"type": "action", "action": "Release"},
    "strategic_collateral_tree": {"type": "action", "action": "Post"},
}
CHANGES = '[{"param": "x", "old": 1.0, "new": 0.5}]'
SCHEMA = """
CREATE TABLE llm_interaction_log (
    interaction_id VARCHAR PRIMARY KEY, game_id VARCHAR NOT NULL, agent_id VARCHAR NOT NULL,
    iteration_number INTEGER NOT NULL, system_prompt TEXT NOT NULL, user_prompt TEXT NOT NULL,
    raw_response TEXT NOT NULL, parsed_policy_json TEXT, parsing_error TEXT, llm_reasoning TEXT,
    request_timestamp TIMESTAMP NOT NULL, response_timestamp TIMESTAMP NOT NULL
);
CREATE TABLE policy_diffs (
    game_id VARCHAR NOT NULL, agent_id VARCHAR NOT NULL, iteration_number INTEGER NOT NULL,
    diff_summary TEXT NOT NULL, parameter_changes_json VARCHAR,
    payment_tree_changed BOOLEAN NOT NULL DEFAULT FALSE,
    collateral_tree_changed BOOLEAN NOT NULL DEFAULT FALSE,
    parameters_snapshot_json VARCHAR NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);
CREATE TABLE iteration_context (
    game_id VARCHAR NOT NULL, agent_id VARCHAR NOT NULL, iteration_number INTEGER NOT NULL,
    monte_carlo_seeds VARCHAR NOT NULL, num_samples INTEGER NOT NULL, best_seed INTEGER NOT NULL,
    worst_seed INTEGER NOT NULL, best_seed_cost DOUBLE NOT NULL, worst_seed_cost DOUBLE NOT NULL,
    best_seed_verbose_output TEXT, worst_seed_verbose_output TEXT, cost_mean DOUBLE NOT NULL,
    cost_std DOUBLE NOT NULL, settlement_rate_mean DOUBLE NOT NULL,
    PRIMARY KEY (game_id, agent_id, iteration_number)
);
CREATE TABLE simulation_runs (
    simulation_id VARCHAR NOT NULL, config_name VARCHAR NOT NULL, config_hash VARCHAR NOT NULL,
    description VARCHAR, start_time TIMESTAMP NOT NULL, end_time TIMESTAMP,
    ticks_per_day BIGINT NOT NULL, num_days BIGINT NOT NULL, rng_seed BIGINT NOT NULL,
    status VARCHAR NOT NULL, total_transactions BIGINT NOT NULL, PRIMARY KEY (simulation_id)
);
CREATE TABLE transactions (
    simulation_id VARCHAR NOT NULL, tx_id VARCHAR NOT NULL, sender_id VARCHAR NOT NULL,
    receiver_id VARCHAR NOT NULL, amount BIGINT NOT NULL, status VARCHAR NOT NULL,
    PRIMARY KEY (simulation_id, tx_id)
);
CREATE TABLE simulation_events (
    event_id VARCHAR NOT NULL, simulation_id VARCHAR NOT NULL, tick BIGINT NOT NULL,
    event_type VARCHAR NOT NULL, details VARCHAR NOT NULL, PRIMARY KEY (event_id)
);
CREATE TABLE simulations (simulation_id VARCHAR PRIMARY KEY, config_file VARCHAR NOT NULL);
CREATE INDEX idx_llm_log_game ON llm_interaction_log (game_id);
CREATE INDEX idx_llm_log_agent ON llm_interaction_log (game_id, agent_id);
CREATE INDEX idx_diffs_game ON policy_diffs (game_id);
CREATE INDEX idx_context_game ON iteration_context (game_id);
CREATE INDEX idx_sim_config_seed ON simulation_runs (config_hash, rng_seed);
CREATE INDEX idx_tx_status ON transactions (status);
CREATE INDEX idx_sim_events_sim_type ON simulation_events (simulation_id, event_type);
"""


def a_call(number: str, step: tuple[Any, ...] = STEP, **changes: Any) -> dict[str, Any]:
    """Return a row of ``llm_interaction_log``."""
    asked = START + timedelta(minutes=int(number))
    return {
        "interaction_id": f"call-{number}",
        **dict(zip(("game_id", "agent_id", "iteration_number"), step, strict=True)),
        "system_prompt": "You are a bank.",
        "user_prompt": f"größer 🏦, call {number}",
        "raw_response": json.dumps(RELEASE),
        "parsed_policy_json": json.dumps(RELEASE),
        "parsing_error": None,
        "llm_reasoning": "less delay",
        "request_timestamp": asked,
        "response_timestamp": asked + timedelta(seconds=2, microseconds=500_000),
        **changes,
    }


def a_context(step: tuple[Any, ...] = STEP, **changes: Any) -> dict[str, Any]:
    """Return a row of ``iteration_context``."""
    return {
        **dict(zip(("game_id", "agent_id", "iteration_number"), step, strict=True)),
        "monte_carlo_seeds": "[7, 8]",
        "num_samples": 2,
        "best_seed": 7,
        "worst_seed": -8,
        "best_seed_cost": 1400.0,
        "worst_seed_cost": 0.1 + 0.2,
        "best_seed_verbose_output": "tick 1 ...",
        "worst_seed_verbose_output": None,
        "cost_mean": -0.0,
        "cost_std": 12.5,
        "settlement_rate_mean": 0.975,
        **changes,
    }


def a_diff(step: tuple[Any, ...] = STEP, **changes: Any) -> dict[str, Any]:
    """Return a row of ``policy_diffs``."""
    return {
        **dict(zip(("game_id", "agent_id", "iteration_number"), step, strict=True)),
        "diff_summary": "Changed 'x': 1.0 → 0.5 (↓0.50)",
        "parameter_changes_json": CHANGES,
        "payment_tree_changed": True,
        "collateral_tree_changed": True,
        "parameters_snapshot_json": '{"x": 0.5, "y": 2}',
        **changes,
    }


def insert(conn: duckdb.DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    """Add rows to a table."""
    for row in rows:
        marks = ", ".join("?" * len(row))
        sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
        conn.execute(sql, list(row.values()))


def write_whole_file(path: Path) -> None:
    """Write a file of the first tool with rows in every table, each of which means the same here.

    The step ``STEP`` proposes ``RELEASE`` in place of ``HOLD``.
    """
    write_first_tool_file(path)
    with duckdb.connect(str(path)) as conn:
        conn.execute(SCHEMA)
        conn.execute(
            "UPDATE policy_iterations SET old_policy_json = ?, new_policy_json = ? "
            "WHERE (game_id, agent_id, iteration_number) = (?, ?, ?)",
            [json.dumps(HOLD), json.dumps(RELEASE), *STEP],
        )
        insert(
            conn,
            "llm_interaction_log",
            a_call("2"),
            a_call("1", parsed_policy_json=None, parsing_error="no JSON", llm_reasoning=None),
            a_call("3", (GAME, "BANK_B", 1)),
        )
        insert(conn, "policy_diffs", a_diff())
        insert(conn, "iteration_context", a_context())
        conn.execute(
            "INSERT INTO simulation_runs VALUES "
            "('sim-1', 'exp1.yaml', 'abc', NULL, now(), NULL, 12, 1, 42, 'completed', 2)"
        )
        conn.execute("INSERT INTO simulations VALUES ('sim-1', 'exp1.yaml')")
        conn.execute(
            "INSERT INTO transactions SELECT 'sim-1', 'tx-' || i, 'A', 'B', i, 'pending' "
            "FROM range(3000) AS r(i)"
        )
        conn.execute(
            "INSERT INTO simulation_events SELECT 'e' || i, 'sim-1', i, 'Arrival', '{}' "
            "FROM range(5000) AS r(i)"
        )
