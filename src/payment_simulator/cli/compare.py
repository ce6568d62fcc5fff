"""``payment-sim compare``: games side by side, over seeds and against baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.cli.play import ThreadsOption
from payment_simulator.cli.progress import progress_bar

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.analysis.compare import Comparison
    from payment_simulator.analysis.compare.table import Table

#: Rows of a table that are printed.
_LISTED = 60
#: Where all is that a table leaves out.
_ELSEWHERE = "--format csv or --json has all"
#: How a comparison is printed.
FORMATS = ("table", "csv", "latex")


def compare(
    games: Annotated[
        list[str] | None, typer.Argument(metavar="GAME...", help="The games' identifiers.")
    ] = None,
    db: DatabaseOption = None,
    all_seeds_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GAME",
            help="All games whose configuration is that of this one but for seed, id and output; "
            "may be repeated.",
        ),
    ] = None,
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines",
            help="Play other policies on the games' held-out days: those at the start, Fifo, the "
            "social optimum.",
        ),
    ] = False,
    threads: ThreadsOption = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}; a table if none is given.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Set games side by side: costs, parameters, convergence.

    Of games that differ in their seed alone, means are shown with intervals.
    """
    from payment_simulator.analysis.compare import compare_games
    from payment_simulator.analysis.compare.files import to_csv, to_latex
    from payment_simulator.analysis.opening import answer_of
    from payment_simulator.cli.output import print_json

    if json and format_ is not None:
        raise typer.BadParameter("it goes without --json", param_hint="--format")
    kind = _format(format_)
    _check(games or [], all_seeds_of or [])

    def read(repo: GameRepository) -> Comparison:
        wanted = _wanted(repo, games or [], all_seeds_of or [])
        if not all_seeds_of and not baselines:
            _check_company(repo, wanted)
        with progress_bar("runs", shown=baselines and not json) as progress:
            return compare_games(
                repo, wanted, baselines=baselines, threads=threads, progress=progress
            )

    found = answer_of(database_to_read(db, "compare GAME..."), read)
    if json:
        print_json(found.to_dict())
    elif kind == "csv":
        typer.echo(to_csv(found), nl=False)
    elif kind == "latex":
        typer.echo(to_latex(found), nl=False)
    else:
        _print(found)


def _format(given: str | None) -> str:
    if given is not None and given not in FORMATS:
        raise typer.BadParameter(
            f"{given!r} is not one of: {', '.join(FORMATS)}", param_hint="--format"
        )
    return given or FORMATS[0]


def _check(games: list[str], seeds_of: list[str]) -> None:
    from payment_simulator.errors import InputError

    if not games and not seeds_of:
        raise InputError(
            "no game is named; expected two or more, or --all-seeds-of GAME "
            "(payment-sim games lists them)"
        )


def _check_company(repo: GameRepository, games: list[str]) -> None:
    """Refuse one game alone; one that is not in the record is told as such."""
    from payment_simulator.errors import GameNotFoundError, InputError

    (game, *others) = games
    if others:
        return
    if repo.get_game_session(game) is None:
        raise GameNotFoundError(game, repo.get_game_ids())
    raise InputError(
        f"{game!r} alone has nothing beside it; expected two games or more, --all-seeds-of "
        f"{game}, or --baselines"
    )


def _wanted(repo: GameRepository, games: list[str], seeds_of: list[str]) -> list[str]:
    """Return the games that were named, and those that repeat others."""
    from payment_simulator.analysis.compare import all_seeds_of

    wanted = list(games)
    for game in seeds_of:
        wanted += [found for found in all_seeds_of(repo, game) if found not in wanted]
    return wanted


def _print(found: Comparison) -> None:
    from payment_simulator.analysis.compare.game_tables import side_by_side
    from payment_simulator.analysis.compare.tables import SIDE_BY_SIDE, tables_of
    from payment_simulator.cli.output import print_text, room

    fits = len(found.games) <= SIDE_BY_SIDE and _width_of(side_by_side(found)) <= room()
    for table in tables_of(found, is_side_by_side=fits):
        _print_table(table)
    for note in found.notes:
        print_text(f"Note: {note}")
    means = any(game.num_samples not in {None, 1} for game in found.games)
    typer.echo(f"{'Means of held-out days. ' * means}Costs are in currency units (cents / 100).")


def _print_table(table: Table) -> None:
    from payment_simulator.analysis.compare.table import without
    from payment_simulator.cli.output import print_text
    from payment_simulator.cli.table import print_table

    left_out = _left_out(table)
    table = without(table, left_out)
    if table.title:
        print_text(table.title)
    print_table(table.columns, table.rows[:_LISTED], numbers=table.numbers, yielding=table.yielding)
    said = []
    if left_out:
        names = ", ".join(left_out)
        said.append(f"Left out for want of width: {names} (a wider terminal, {_ELSEWHERE}).")
    left = len(table.rows) - _LISTED
    if left > 0:
        said.append(f"And {left:,} more rows ({_ELSEWHERE}).")
    # What intervals are of is said where they are read.
    has_intervals = "interval" not in left_out
    said += [note for note in table.notes if has_intervals or not note.startswith("Intervals")]
    for line in said:
        print_text(line)
    if said:
        typer.echo()


def _left_out(table: Table) -> list[str]:
    """Return the columns for which there is no room: as few as will do, in the order given."""
    from payment_simulator.analysis.compare.table import without
    from payment_simulator.cli.output import room

    left_out: list[str] = []
    for columns in table.optional:
        if _width_of(without(table, left_out)) <= room():
            break
        left_out += columns
    return left_out


def _width_of(table: Table) -> int:
    """Return how wide a table is at least, its labels folded."""
    from payment_simulator.cli.table import least_width

    return least_width(table.columns, table.rows, table.yielding)
