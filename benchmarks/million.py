"""Makes a record of 1,000 games with 1,000 iterations each, two policies of 2 KB in every one.

Rows lie together game by game, or interleaved as when a thousand games were played at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord, PolicyIterationRecord
from payment_simulator.persistence.connection import DatabaseManager

AGENTS = 10
STARTED = datetime(2026, 1, 1)


def policy_text(size: int = 2048) -> str:
    """Return a policy tree of about ``size`` characters, as a game would write it."""
    node: dict[str, object] = {"type": "action", "node_id": "leaf", "action": "Release"}
    depth = 0
    while len(json.dumps(node)) < size - 150:
        depth += 1
        node = {
            "type": "condition",
            "node_id": f"n{depth}",
            "condition": {
                "op": "<",
                "left": {"field": "balance"},
                "right": {"value": depth * 7919},
            },
            "on_true": {"type": "action", "node_id": f"h{depth}", "action": "Hold"},
            "on_false": node,
        }
    return json.dumps({"policy_id": "p", "parameters": {"x": 0.123456789}, "payment_tree": node})


def a_game(game_id: str) -> GameSessionRecord:
    """Return a game to which iterations can be added."""
    return GameSessionRecord(
        game_id=game_id,
        scenario_config="scenario.yaml",
        master_seed=42,
        game_mode="rl_optimization",
        config_json="{}",
        started_at=STARTED,
        status="running",
        optimized_agents=["BANK_A", "BANK_B"],
    )


def iterations(game_id: str, count: int, first: int = 1) -> Iterator[PolicyIterationRecord]:
    """Yield steps of one agent of a game; no two policies are the same text."""
    text = policy_text()
    for number in range(first, first + count):
        yield PolicyIterationRecord(
            game_id=game_id,
            agent_id="BANK_A",
            iteration_number=number,
            trigger_tick=number,
            old_policy_json=text.replace("0.123456789", f"0.{number:09}"),
            new_policy_json=text.replace("0.123456789", f"0.{number + 1:09}"),
            old_cost=1500.0 + number,
            new_cost=1400.0 + number,
            cost_improvement=100.0,
            was_accepted=number % 3 == 0,
            validation_errors=[],
            llm_model="search/tpe",
            llm_latency_seconds=0.5,
            tokens_used=800,
            created_at=STARTED,
        )


def make(path: Path, games: int = 1000, iterations: int = 1000, *, interleaved: bool) -> None:
    """Write the database, unless it is there already."""
    if path.exists():
        return
    order = "n, g" if interleaved else "g, n"
    with DatabaseManager(path) as manager:
        GameRepository(manager.conn).initialize_schema()
        manager.conn.execute(
            """INSERT INTO game_sessions
            SELECT 'game-' || lpad(g::VARCHAR, 4, '0'), 'scenario.yaml', g, 'rl_optimization',
                   '{}', TIMESTAMP '2026-01-01' + INTERVAL (g) MINUTE, NULL, 'converged',
                   '["BANK_0"]', ?, true, 1000.0 FROM range(?) AS t(g)""",
            (iterations, games),
        )
        half = policy_text().replace("0.123456789", "' || (hash(g * 1000 + n) % 1000000) || '")
        manager.conn.execute(
            f"""INSERT INTO policy_iterations
            SELECT 'game-' || lpad(g::VARCHAR, 4, '0'), 'BANK_' || (n % {AGENTS}),
                   n // {AGENTS} + 1, n, '{half}', '{half}', 1500.0 + n, 1400.0 + n, 100.0,
                   n % 3 = 0, '[]', 'search/tpe', 0.5, 800,
                   TIMESTAMP '2026-01-01' + INTERVAL (n) SECOND
            FROM (SELECT g, n FROM range(?) AS a(g), range(?) AS b(n) ORDER BY {order})""",
            (games, iterations),
        )
