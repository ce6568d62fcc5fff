"""Makes a record of 1,000 games with 1,000 iterations each, two policies of 2 KB in every one.

Rows lie together game by game, or interleaved as when a thousand games were played at once.
"""

from __future__ import annotations

import json
from pathlib import Path

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager

AGENTS = 10


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
