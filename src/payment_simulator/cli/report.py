"""``payment-sim report``: a game as one file to read, print and send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.cli.play import GameArgument
from payment_simulator.wording import visible


def report(
    game: GameArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The HTML file; GAME-report.html if none is given.",
        ),
    ] = None,
    db: DatabaseOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Write what became of a game to one HTML file.

    It opens in any browser, without a network, and prints well: results, figures, every accepted
    step, and how the game was made.
    """
    from payment_simulator.analysis.opening import answer_of
    from payment_simulator.analysis.report import check_target, file_name, write_report
    from payment_simulator.cli.output import print_json

    target = Path(file_name(game)) if output is None else output
    check_target(target, force=force)
    path = database_to_read(db, "report GAME")
    answer_of(path, lambda repo: write_report(repo, game, target, force=force))
    size = target.stat().st_size
    if json:
        print_json({"game_id": game, "file": str(target), "bytes": size})
        return
    typer.echo(
        f"{visible(target)} tells of {visible(game)} ({size:,} bytes); open it in a browser."
    )
