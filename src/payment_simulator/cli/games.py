"""``payment-sim games`` and ``payment-sim show``: what the record holds."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated

import typer

from payment_simulator.cli.options import DEFAULT_DATABASE, DatabaseOption, JsonOption


def games(
    db: DatabaseOption = DEFAULT_DATABASE,
    status: Annotated[str | None, typer.Option(help="Only games with this status.")] = None,
    mode: Annotated[str | None, typer.Option(help="Only games of this mode.")] = None,
    limit: Annotated[int, typer.Option(help="At most this many, the newest.")] = 100,
    json: JsonOption = False,
) -> None:
    """List the games of a database, newest first."""
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.cli.output import money, print_json, print_table, visible
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(db, read_only=True) as manager:
        sessions = GameRepository(manager.conn).list_game_sessions(status, mode, limit)
    if json:
        print_json([session.model_dump(mode="json") for session in sessions])
        return
    if not sessions:
        typer.echo(f"No games in {visible(db)}.")
        return
    print_table(
        ["game", "status", "started (UTC)", "iterations", "final cost", "mode", "scenario"],
        [
            (
                s.game_id,
                s.status,
                f"{s.started_at:%Y-%m-%d %H:%M}",
                s.total_iterations,
                money(s.final_cost),
                s.game_mode,
                PurePath(s.scenario_config).name,
            )
            for s in sessions
        ],
        numbers=["iterations", "final cost"],
        yielding=["mode", "scenario"],
    )


def show(
    game: Annotated[str, typer.Argument(metavar="GAME", help="The game's identifier.")],
    db: DatabaseOption = DEFAULT_DATABASE,
    json: JsonOption = False,
) -> None:
    """Show what a game was and what became of it."""
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.ai_cash_mgmt.persistence.overview import game_overview
    from payment_simulator.cli.output import money, print_facts, print_json, print_table
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(db, read_only=True) as manager:
        overview = game_overview(GameRepository(manager.conn), game)
    if json:
        print_json(overview.as_dict())
        return
    session, summary, origin = overview.session, overview.summary, overview.provenance
    ended = f", ended {session.completed_at:%Y-%m-%d %H:%M}" if session.completed_at else ""
    facts: list[tuple[str, object]] = [
        ("game", session.game_id),
        ("status", session.status),
        ("mode", session.game_mode),
        ("scenario", session.scenario_config),
        ("seed", session.master_seed),
        ("time (UTC)", f"started {session.started_at:%Y-%m-%d %H:%M}{ended}"),
        ("iterations", session.total_iterations),
        (
            "steps",
            "{total_iterations} recorded, {accepted_iterations} accepted, "
            "{rejected_iterations} rejected".format(**summary),
        ),
        ("final cost", money(session.final_cost)),
        ("improvement", f"{money(summary['total_cost_improvement'])} summed over accepted steps"),
        (
            "proposing",
            f"{summary['total_tokens_used']:,} tokens, {summary['total_llm_latency']:,.1f} s",
        ),
    ]
    if origin:
        facts.append(("played with", f"payment-simulator {origin.package_version}"))
    if overview.certificate:
        distance = money(overview.certificate.distance_from_equilibrium)
        facts.append(("distance from equilibrium", distance))
    print_facts(facts)
    if overview.agents:
        print_table(
            ["agent", "steps", "accepted", "start cost", "final cost", "best cost", "proposer"],
            [
                (
                    a.agent_id,
                    a.steps,
                    a.accepted,
                    money(a.start_cost),
                    money(a.final_cost),
                    money(a.best_cost),
                    ", ".join(a.proposers),
                )
                for a in overview.agents
            ],
            numbers=["steps", "accepted", "start cost", "final cost", "best cost"],
            yielding=["proposer"],
        )
    typer.echo("Costs are in currency units (cents / 100).")
