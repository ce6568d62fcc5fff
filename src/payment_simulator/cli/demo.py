"""``payment-sim demo``: records a made-up game, to show what a record looks like."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import database_path

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.persistence.connection import DatabaseManager

_GAME = "exp1-run-001"
_ITERATIONS = 25
_AGENTS = ("BANK_A", "BANK_B")
#: By these fields the demonstration knows its own game again.
_PLAYED: dict[str, Any] = {
    "scenario_config": "experiments/castro/configs/exp1.yaml",
    "master_seed": 42,
    "game_mode": "rl_optimization",
    "config_json": '{"max_iterations": 25}',
}
#: PAYMENT_SIM_DB names a record of real games, so the demonstration does not take it.
_OwnDatabaseOption = Annotated[
    Path,
    typer.Option(
        "--db",
        metavar="FILE",
        parser=database_path,
        help="The file to write; none that holds other games.",
    ),
]


def demo(db: _OwnDatabaseOption = Path("optimization.db")) -> None:
    """Record a made-up game of two banks and show it.

    Nothing is simulated: the costs are those of the reference's complete example. Running it
    again replaces the game and keeps what was replaced.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.cli.games import show
    from payment_simulator.cli.output import program, visible
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(db) as manager:
        _refuse_other_games(db, manager)
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        _play(repo)
    show(_GAME, db)
    next_command = visible(f"{program()} games --db {shlex.quote(str(db))}")
    typer.echo(f"\nEvery step is in {visible(db)}. Next: {next_command}")
    typer.echo("The numbers are made up: nothing was simulated, and no model was asked.")


def _refuse_other_games(db: Path, manager: DatabaseManager) -> None:
    """Keep made-up numbers out of a record of real ones, before anything is changed."""
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.errors import InputError
    from payment_simulator.persistence.migrations import schema_state
    from payment_simulator.persistence.store import Store

    if not schema_state(Store(manager.conn)).version:
        return  # no tables yet
    repo = GameRepository(manager.conn)
    others = [game for game in repo.get_game_ids() if game != _GAME]
    found = repo.get_game_session(_GAME)
    # Whoever starts from the reference's example may have kept its name for a game of their own.
    if found is not None and any(found.__dict__[name] != v for name, v in _PLAYED.items()):
        others.insert(0, _GAME)
    if others:
        raise InputError(
            f"{db} holds other games ({', '.join(others[:3])}{', ...' if others[3:] else ''}), "
            "and the demonstration's numbers are made up; give it a file of its own: --db FILE"
        )


def _play(repo: GameRepository) -> None:
    """Save the game step by step, each step durable before the next."""
    from payment_simulator.ai_cash_mgmt import GameSessionRecord, PolicyIterationRecord

    session = GameSessionRecord(
        **_PLAYED,
        game_id=_GAME,
        started_at=datetime.now(UTC),
        status="running",
        optimized_agents=list(_AGENTS),
    )
    repo.save_game_session(session)
    for iteration in range(1, _ITERATIONS + 1):
        for agent_id in _AGENTS:
            record = PolicyIterationRecord(
                game_id=_GAME,
                agent_id=agent_id,
                iteration_number=iteration,
                trigger_tick=iteration * 10,
                old_policy_json='{"payment_tree": {"root": {"action": "Hold"}}}',
                new_policy_json='{"payment_tree": {"root": {"action": "Release"}}}',
                old_cost=1500.0 - iteration * 50,
                new_cost=1500.0 - (iteration + 1) * 50,
                cost_improvement=50.0,
                was_accepted=True,
                validation_errors=[],
                llm_model="anthropic/claude-sonnet",
                llm_latency_seconds=1.5,
                tokens_used=800,
                created_at=datetime.now(UTC),
            )
            repo.save_policy_iteration(record)
    repo.update_game_session_status(
        game_id=_GAME,
        status="converged",
        completed_at=datetime.now(UTC),
        total_iterations=_ITERATIONS,
        converged=True,
        final_cost=250.0,
    )
