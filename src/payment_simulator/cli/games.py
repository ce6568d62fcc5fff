"""``payment-sim games`` and ``payment-sim show``: what the record holds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.persistence.overview import GameOverview

_LARGEST_LIMIT = 2**63 - 1


def _status(given: str | None) -> str | None:
    from payment_simulator.ai_cash_mgmt import GameStatus

    return _one_of(GameStatus, given)


def _mode(given: str | None) -> str | None:
    from payment_simulator.ai_cash_mgmt import GameMode

    return _one_of(GameMode, given)


def _one_of(kind: type[StrEnum], given: str | None) -> str | None:
    """Return what was given if the enumeration has it; Typer names the option otherwise."""
    known = [member.value for member in kind]
    if given is not None and given not in known:
        raise typer.BadParameter(f"{given!r} is not one of: {', '.join(known)}")
    return given


def _limit(given: int) -> int:
    if not 1 <= given <= _LARGEST_LIMIT:
        raise typer.BadParameter(f"{given} is not a whole number from 1 to {_LARGEST_LIMIT}")
    return given


def games(
    db: DatabaseOption = None,
    status: Annotated[
        str | None,
        typer.Option(
            callback=_status,
            metavar="STATUS",
            help="Only those running, completed, failed or converged.",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option(
            callback=_mode,
            metavar="MODE",
            help="Only those of rl_optimization or campaign_learning.",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option(callback=_limit, metavar="N", help="At most this many, the newest.")
    ] = 100,
    json: JsonOption = False,
) -> None:
    """List the games of a database, newest first."""
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.cli.output import moment, money, print_json, print_table, visible
    from payment_simulator.persistence.connection import DatabaseManager

    db = database_to_read(db, "games")
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
                moment(s.started_at),
                s.total_iterations,
                money(s.final_cost),
                s.game_mode,
                PurePath(s.scenario_config).name,
            )
            for s in sessions
        ],
        numbers=["iterations", "final cost"],
        yielding=["game", "scenario"],
        optional=["mode", "scenario"],
    )


def show(
    game: Annotated[str, typer.Argument(metavar="GAME", help="The game's identifier.")],
    db: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a game was and what became of it."""
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.ai_cash_mgmt.persistence.overview import game_overview
    from payment_simulator.ai_cash_mgmt.record.result import bank_result
    from payment_simulator.cli.game_report import print_banks
    from payment_simulator.cli.output import print_facts, print_json
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(database_to_read(db, "show GAME"), read_only=True) as manager:
        overview = game_overview(GameRepository(manager.conn), game)
    if json:
        print_json(overview.as_dict())
        return
    print_facts(_facts(overview))
    if overview.agents:
        _print_agents(overview)
    else:
        typer.echo("\nThe game has no steps in the record.")
    if overview.outcomes:
        typer.echo("At the start and at the end, on the same days:")
        print_banks({found.agent_id: bank_result(found) for found in overview.outcomes})
    typer.echo("Costs are in currency units (cents / 100).")


def _facts(overview: GameOverview) -> list[tuple[str, object]]:
    from payment_simulator.cli.output import moment, money

    session, summary, origin = overview.session, overview.summary, overview.provenance
    ended = f", ended {moment(session.completed_at)}" if session.completed_at else ""
    facts: list[tuple[str, object]] = [
        ("game", session.game_id),
        ("status", session.status),
        ("mode", session.game_mode),
        ("scenario", session.scenario_config),
        ("seed", session.master_seed),
        ("time (UTC)", f"started {moment(session.started_at)}{ended}"),
        ("iterations", max(session.total_iterations, overview.last_iteration)),
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
    if overview.failure:
        facts.append(("stopped", f"{overview.failure.reason} (payment-sim resume goes on)"))
    if overview.certificate:
        distance = money(overview.certificate.distance_from_equilibrium)
        facts.append(("distance from equilibrium", distance))
    return facts


def _print_agents(overview: GameOverview) -> None:
    from payment_simulator.cli.output import money, print_table

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
        yielding=["agent", "proposer"],
    )
