"""``payment-sim show``: a game in figures, in words and in a picture."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.cli.play import GameArgument
from payment_simulator.wording import nearest

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.analysis.overview import GameOverview
    from payment_simulator.analysis.steps import StepRow
    from payment_simulator.analysis.tracing import Sentence

_ALL = 2**31 - 1
#: Rows whose digest is computed in less time than the rest of what is shown.
_QUICK = 10_000


class _Shown(NamedTuple):
    """What is shown, all of one state of the record."""

    overview: GameOverview
    summary: tuple[Sentence, ...]
    digest: str | None
    steps: list[StepRow]


def show(
    game: GameArgument,
    db: DatabaseOption = None,
    steps: Annotated[
        bool, typer.Option("--steps", help="List the steps: what came of each, and why.")
    ] = False,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="BANK", help="Only what is of this bank.")
    ] = None,
    trace: Annotated[
        bool,
        typer.Option("--trace", help="The game in words, and the query behind every number."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what a game was and what became of it."""
    from payment_simulator.analysis.opening import answer_of
    from payment_simulator.analysis.overview import game_overview
    from payment_simulator.analysis.summary import summary_of
    from payment_simulator.cli import show_report

    db = database_to_read(db, "show GAME")

    def read(repo: GameRepository) -> _Shown:
        with repo.one_snapshot():
            overview = game_overview(repo, game)
            return _Shown(
                overview if agent is None else _of_bank(overview, agent),
                summary_of(repo, overview),
                _digest(repo, overview) if json or not (steps or trace) else None,
                _steps(repo, game, agent) if steps or json else [],
            )

    shown, summary, digest, listed = found = answer_of(db, read)
    if json:
        _print_json(found, db)
        return
    if trace:
        show_report.print_trace(summary)
    if steps:
        show_report.print_steps(shown, listed)
    if not trace and not steps:
        show_report.print_game(shown, summary, digest, db)


def _of_bank(overview: GameOverview, bank: str) -> GameOverview:
    """Return what an overview has of one bank.

    Raises
    ------
    InputError
        The game has no such bank.
    """
    from payment_simulator.errors import InputError

    agents = [agent for agent in overview.agents if agent.agent_id == bank]
    outcomes = [outcome for outcome in overview.outcomes if outcome.agent_id == bank]
    known = {
        *overview.session.optimized_agents,
        *(agent.agent_id for agent in overview.agents),
        *(outcome.agent_id for outcome in overview.outcomes),
    }
    if bank not in known:
        name = overview.session.game_id
        raise InputError(f"game {name!r} has no bank {bank!r}; {nearest(bank, sorted(known))}")
    return replace(
        overview,
        agents=agents,
        outcomes=outcomes,
        calls=[call for call in overview.calls if call.agent_id == bank],
        trajectories={b: found for b, found in overview.trajectories.items() if b == bank},
    )


def _digest(repo: GameRepository, overview: GameOverview) -> str | None:
    """Return the digest of a game that has ended, unless it would take long."""
    from payment_simulator.ai_cash_mgmt.record.digest import game_digest, n_rows_of
    from payment_simulator.errors import SchemaMissingError

    game = overview.session.game_id
    if overview.session.completed_at is None:
        return None
    try:
        return game_digest(repo, game).sha256 if n_rows_of(repo, game) <= _QUICK else None
    except SchemaMissingError:  # an older file, whose rows are to be those of this version first
        return None


def _steps(repo: GameRepository, game: str, bank: str | None) -> list[StepRow]:
    from payment_simulator.analysis.steps import step_rows

    return step_rows(repo, game, agent_id=bank, limit=_ALL)


def _print_json(shown: _Shown, path: Path) -> None:
    from payment_simulator.cli.game_report import go_on_of
    from payment_simulator.cli.output import print_json

    found: dict[str, Any] = {
        **shown.overview.as_dict(),
        "go_on": go_on_of(shown.overview, path),
        "digest": shown.digest,
        "in_words": [sentence.as_dict() for sentence in shown.summary],
        "steps": [_step(row) for row in shown.steps],
    }
    print_json(found)


def _step(row: StepRow) -> dict[str, Any]:
    return {**asdict(row), "created_at": row.created_at.isoformat()}
