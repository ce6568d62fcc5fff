"""Rows of old files, by the schema version that brought their table.

The first tool checked nothing, so its rows hold what it let through: a policy that is a
placeholder and no JSON, costs that are NaN or infinite, counters that are NULL, a step of a game
that is not there, an improvement that is not the difference.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

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
RUN = "run-1"

# One row in one place, which the formatter would pull apart.
# fmt: off
ROWS: dict[int, dict[str, list[tuple[Any, ...]]]] = {
    1: {
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
    },
    2: {
        "superseded_records": [
            ("game_sessions", f'["{GAME}"]', 1, f'{{"game_id":"{GAME}","status":"running"}}',
             LATER),
            ("game_sessions", f'["{GAME}"]', 2, '{"status":"completed"}', LATER),
        ],
    },
    3: {
        "llm_interaction_log": [
            (*STEP, 1, "anthropic/claude-sonnet", "You are a bank.", "Improve: größer 🏦", "{...}",
             None, "no JSON", None, 900, 100, 2.5, 0.0123, START, LATER),
            (*STEP, 2, "anthropic/claude-sonnet", "You are a bank.", "Again.", None, RELEASE, None,
             "less delay", 0, 0, 0.0, None, START, None),
        ],
        "policy_diffs": [
            (*STEP, "Hold became Release", "{}", '[{"node": "root"}]', True, False, False, False),
        ],
        "iteration_context": [
            (*STEP, 20, 1500.25, 12.5, 0.975, '{"delay": 1500.25}', 7, 1400.0, "tick 1 ...", -8,
             1600.0, None, "{}", "[]"),
            (GAME, "BANK_B", 1, 1, -0.0, 0.0, None, "{}", 2**63 - 1, 0.0, None, -(2**63), 0.0, None,
             "{}", '["history"]'),
        ],
        "evaluation_samples": [
            (*STEP, 1, 1001, 1500.0, 1200.0, 300.0, 0.9, 1.0),
            (*STEP, 2, 1002, 0.1 + 0.2, 0.1, 0.2, None, None),
        ],
        "game_provenance": [
            (GAME, "0.1.0", "0123abc", True, "3.11.7", "Linux x86_64", '{"duckdb": "1.5.6"}',
             START),
            (ODD_GAME, "0.1.0", None, None, "3.14.0", "", "{}", LATER),
        ],
        "provenance_files": [
            (GAME, "game_file", "game.yaml", "game_id: x\n", "0" * 64),
            (GAME, "policy", "BANK_A", HOLD, "f" * 64),
        ],
        "equilibrium_certificates": [
            (GAME, 1, "grid/exhaustive", "{}", "{}", 20, '{"BANK_A": 0.0}', 0.0, "{}", "[]", "{}",
             "{}", 1.5, LATER),
            (GAME, 2, "search/tpe", "{}", "{}", 20, "{}", 12.25, "{}", None, None, None, None,
             LATER),
        ],
    },
    4: {
        "simulation_runs": [
            (RUN, GAME, "BANK_A", 1, "best_sample", "exp1.yaml", "a" * 64, "{}", 42, 1, 12, 2, 3, 2,
             1234.5, "{}", "0.1.0", START, LATER),
            ("alone", None, None, None, "simulate", "exp2.yaml", "b" * 64, "{}", -1, 10, 100, 50, 0,
             0, -0.0, '{"settlement_rate": 1.0}', "0.1.0", START, None),
        ],
        "transactions": [
            (RUN, 0, None, "BANK_A", "BANK_B", 2**62, 2**62, 0, 5, 10, False, "settled", 0, 0,
             "rtgs", 0.0, 0.0),
            (RUN, 1, 0, "BANK_B", "BANK_A", 1, 0, 3, 3, 0, True, "queue1", None, None, None, 0.125,
             50.0),
        ],
        "simulation_events": [
            (RUN, 0, 0, 0, "arrival", "BANK_A", "BANK_B", 0, 2**62, None),
            (RUN, 1, 0, 11, "end_of_day", None, None, None, -1, '{"größe": 1}'),
        ],
        "bank_states": [
            (RUN, 0, "BANK_A", 0, -500, 1000, 0, 1, 1, 0, 0, 2**62, 0, 0.1 + 0.2),
            (RUN, 0, "BANK_B", 0, 2**62, 0, 0, 0, 0, 0, 0, 0, 2**62, -0.0),
        ],
        "daily_costs": [
            (RUN, 0, "BANK_A", "liquidity", 0.1 + 0.2),
            (RUN, 0, "BANK_A", "delay", 5e-324),
        ],
    },
    5: {
        "game_outcomes": [
            (GAME, "BANK_A", 1000, 1500.0, 1200.0, 300.0, 0.1 + 0.2, 599.7, 0.95, 0.9, 1.0,
             '{"delay": 1500.0}', '{"delay": 1200.0}', HOLD, RELEASE, LATER),
            (GAME, "BANK_B", 1, -0.0, 5e-324, -5e-324, None, None, None, None, None, "{}", "{}",
             "{}", '{"größe": 1}', START),
        ],
        "game_failures": [
            (GAME, 1, "BANK_A", 2, "größer 🏦 than\nexpected", "ProposerError", LATER),
            ("unfinished", 1, None, None, "interrupted", "", START),
        ],
    },
    6: {},  # tables built anew hold the rows that they held
    7: {},  # views hold no rows
}
# fmt: on
