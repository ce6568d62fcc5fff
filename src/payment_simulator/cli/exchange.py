"""``payment-sim export`` and ``payment-sim import``: give games away, and take them in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from payment_simulator.cli.options import (
    DEFAULT_DATABASE,
    DatabaseOption,
    JsonOption,
    database_to_read,
)
from payment_simulator.cli.progress import progress_bar
from payment_simulator.wording import counted, visible


def _format(given: str) -> str:
    from payment_simulator.analysis.exchange.layout import FORMATS

    if given not in FORMATS:
        raise typer.BadParameter(f"{given!r} is not one of: {', '.join(FORMATS)}")
    return given


def _folder(given: str | Path) -> Path:
    if not str(given).strip():
        raise typer.BadParameter("it is empty; give the path of a folder")
    return Path(given)


def export(
    games: Annotated[list[str], typer.Argument(metavar="GAME...", help="The games' identifiers.")],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", parser=_folder, help="A new or an empty folder."),
    ],
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            callback=_format,
            metavar="FORMAT",
            help="parquet, csv or json; all are exact.",
        ),
    ] = "parquet",
    db: DatabaseOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an export that is there; nothing else.")
    ] = False,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who played the games and publishes them; nobody is named without it.",
        ),
    ] = None,
    license: Annotated[  # noqa: A002 - the option's name
        str | None,
        typer.Option(
            metavar="ID",
            help="What others may do with it: an SPDX identifier such as CC-BY-4.0, or a URL.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write games, complete, as files that anything can read.

    Tables, the texts that the games are made of, a page that explains them, and the same for
    programs, as an RO-Crate.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.analysis.exchange import export_games
    from payment_simulator.cli.output import print_json, print_text, program
    from payment_simulator.persistence.connection import DatabaseManager

    path = database_to_read(db, f"export {games[0]} --to {to}")
    # A copy where the file is being written: an export is of one moment.
    with (
        DatabaseManager(path, read_only=True) as manager,
        progress_bar("tables", shown=not json) as progress,
    ):
        done = export_games(
            GameRepository(manager.conn),
            games,
            to,
            format=file_format,
            force=force,
            author=author,
            license=license,
            progress=progress,
        )
    if json:
        print_json(done.as_dict())
        return
    rows = counted(sum(done.rows.values()), "row")
    print_text(
        f"{', '.join(done.games)}: exported to {to} as {file_format} ({rows}, {done.bytes:,} bytes)"
    )
    typer.echo(f"What it holds is told in {visible(to / 'README.md')}. To take it in elsewhere:")
    typer.echo(f"  {visible(f'{program()} import {shlex.quote(str(to))}')}")


def import_(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", parser=_folder, help="The folder of an export.")
    ],
    db: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Add the games of an export to a database.

    All of them or none. Every row is checked; nothing that the folder names is opened or run. A
    game that is there already, the same in every value, is left alone.
    """
    from payment_simulator.analysis.exchange import import_file
    from payment_simulator.cli.game_report import command_for
    from payment_simulator.cli.output import print_json, print_text

    path = db or DEFAULT_DATABASE
    with progress_bar("tables", shown=not json) as progress:
        done = import_file(folder, path, progress=progress)
    if json:
        print_json({"database": str(path), **done.as_dict()})
        return
    if done.already_there:
        print_text(f"In {path} already, and the same: {', '.join(done.already_there)}")
    if done.added:
        added = f"{', '.join(done.added)} ({counted(done.rows, 'row')})"
        print_text(f"Added to {path}: {added}")
        typer.echo("To prove that it is whole:")
        typer.echo(f"  {visible(command_for('verify', done.added[0], path))}")
