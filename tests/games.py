"""Games for tests: small configurations, proposers that do what they are told, whole records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Situation
from payment_simulator.ai_cash_mgmt.record.result import GameResult
from payment_simulator.persistence.connection import DatabaseManager

SCENARIOS = Path(__file__).parents[1] / "examples" / "scenarios"
GAMES = Path(__file__).parents[1] / "examples" / "games"
FRACTION = "initial_liquidity_fraction"
#: Columns that tell the time, how long something took, or what machine it was.
CLOCK = {
    "created_at",
    "started_at",
    "completed_at",
    "failed_at",
    "superseded_at",
    "request_timestamp",
    "response_timestamp",
    "llm_latency_seconds",
}
#: Tables that tell of the making of a record, not of its game.
ASIDE = {"schema_ledger", "superseded_records", "game_failures"}
#: Tables of long texts, which rows of others name.
LONG_TEXTS = {"texts", "text_pieces"}


def castro(**changes: Any) -> GameConfig:
    """Return the shipped two-period game on its grid, with other keys where given."""
    data: dict[str, Any] = {
        "game_id": "castro",
        "scenario_config": str(SCENARIOS / "two_period.yaml"),
        "proposer": {"kind": "grid"},
        "convergence": {"stability_window": 3, "max_iterations": 20},
        "constraints": {
            "allowed_parameters": [{"name": FRACTION, "min_value": 0, "max_value": 1, "step": 0.05}]
        },
        "equilibrium": {"grid_points": 21},
    }
    return GameConfig.from_mapping({**data, **changes})


def twelve(**changes: Any) -> GameConfig:
    """Return a game of the twelve-period day with random payments, few samples."""
    data = {
        "game_id": "twelve",
        "scenario_config": str(SCENARIOS / "twelve_period.yaml"),
        "bootstrap": {"num_samples": 8},
        "convergence": {"stability_window": 2, "max_iterations": 4},
    }
    return castro(**{**data, **changes})


def ten_days(**changes: Any) -> GameConfig:
    """Return a game inside one running simulation of ten days."""
    data = {
        "game_id": "ten_days",
        "scenario_config": str(SCENARIOS / "ten_days.yaml"),
        "game_mode": "rl_optimization",
        "optimization_schedule": {"type": "after_eod"},
        "bootstrap": {"num_samples": 4},
        "convergence": {"stability_window": 9, "max_iterations": 4},
        "equilibrium": None,
    }
    return castro(**{**data, **changes})


class Told:
    """Proposes what a function says."""

    def __init__(self, function: Callable[[Situation], Any], label: str = "python/told") -> None:
        self.label = label
        self._function = function

    def propose(self, situation: Situation) -> Any:
        """Return what the function says."""
        return self._function(situation)


def fraction(value: float) -> Callable[[Situation], Proposal]:
    """Return a function that proposes the current policy with another fraction."""

    def propose(situation: Situation) -> Proposal:
        parameters = {**situation.policy.parameters, FRACTION: value}
        return Proposal(replace(situation.policy, parameters=parameters), reasoning="told so")

    return propose


def stay(situation: Situation) -> Any:
    """Propose the policy in force."""
    return situation.policy


def play(path: Path, config: GameConfig, **how: Any) -> GameResult:
    """Play a game into a file."""
    with DatabaseManager(path) as manager:
        return GameOrchestrator(config, GameRepository(manager.conn), **how).play()


def tables(path: Path, aside: set[str] = ASIDE) -> Mapping[str, list[dict[str, Any]]]:
    """Return all rows of a record by table, without what tells the time.

    Of long texts, those that no row of these tables names are left out: rows that were superseded
    name texts of their own.
    """
    found = {}
    with DatabaseManager(path, read_only=True) as manager:
        names = manager.conn.execute(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY ALL"
        ).fetchall()
        for (name,) in names:
            if name in aside:
                continue
            cursor = manager.conn.execute(f'SELECT * FROM "{name}" ORDER BY ALL')
            columns = [column[0] for column in cursor.description]
            found[name] = sorted(
                (
                    {c: v for c, v in zip(columns, row, strict=True) if c not in CLOCK}
                    for row in cursor.fetchall()
                ),
                key=repr,
            )
    if "superseded_records" not in aside:
        return found
    named = {
        value
        for name in found.keys() - LONG_TEXTS
        for row in found[name]
        for column, value in row.items()
        if column.endswith("sha256")
    }
    for name in LONG_TEXTS & found.keys():
        found[name] = [row for row in found[name] if row["sha256"] in named]
    return found
