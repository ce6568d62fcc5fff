"""``payment-sim games``: the games that a record holds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.wording import money, visible

if TYPE_CHECKING:
    from payment_simulator.analysis.listing import Filters, GameRow, Page
    from payment_simulator.persistence.store import Store

_LARGEST_LIMIT = 2**63 - 1
#: Orders in which the largest comes first, unless they are turned round.
_LARGEST_FIRST = ("started", "iterations", "cost")
#: Interrupted games for which the command that goes on is shown.
_WAYS_SHOWN = 3


def _status(given: str | None) -> str | None:
    from payment_simulator.analysis.game_state import STATES

    if given is not None and given not in STATES:
        raise typer.BadParameter(f"{given!r} is not one of: {', '.join(STATES)}")
    return given


def _mode(given: str | None) -> str | None:
    from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameMode

    return _known(GameMode, given)


def _known(kind: type[StrEnum], given: str | None) -> str | None:
    """Return what was given if the enumeration has it; Typer names the option otherwise."""
    from payment_simulator.ai_cash_mgmt.persistence.vocabulary import one_of

    try:
        return None if given is None else one_of(kind, given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _limit(given: int) -> int:
    if not 1 <= given <= _LARGEST_LIMIT:
        raise typer.BadParameter(f"{given} is not a whole number from 1 to {_LARGEST_LIMIT}")
    return given


def _sort(given: str) -> str:
    from payment_simulator.analysis.listing import SORTS

    if given not in SORTS:
        raise typer.BadParameter(f"{given!r} is not one of: {', '.join(SORTS)}")
    return given


def games(
    db: DatabaseOption = None,
    status: Annotated[
        str | None,
        typer.Option(
            callback=_status,
            metavar="STATUS",
            help="Only those running (somebody plays them), interrupted (nobody does), "
            "completed, failed or converged.",
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
    scenario: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only those whose scenario has this in its name."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Only those with this in id, scenario, banks or proposers."
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            callback=_sort,
            metavar="NAME",
            help="By started, iterations or cost, the largest first; by game, status, scenario "
            "or seed, the smallest first.",
        ),
    ] = "started",
    reverse: Annotated[bool, typer.Option("--reverse", help="Sort the other way round.")] = False,
    limit: Annotated[
        int, typer.Option(callback=_limit, metavar="N", help="At most this many, from the top.")
    ] = 100,
    json: JsonOption = False,
) -> None:
    """List the games of a database, newest first.

    No character of a TEXT is a wildcard, and capitals make no difference.
    """
    from payment_simulator.analysis.listing import count_games, list_games
    from payment_simulator.cli.output import print_json
    from payment_simulator.persistence.reading import answer_of

    db = database_to_read(db, "games")
    filters: Filters = {"status": status, "mode": mode, "scenario": scenario, "text": text}
    page: Page = {"sort": sort, "descending": (sort in _LARGEST_FIRST) is not reverse}
    if json:
        print_json(answer_of(db, lambda store: _as_json(store, filters, page, limit, db)))
        return

    # Of a store, not a repository: its records take longer to load than the list to read.
    def read(store: Store) -> tuple[list[GameRow], int, list[str]]:
        with store.one_snapshot():
            found = list_games(store, **filters, **page, limit=limit)
            is_page = len(found) == limit
            matching = count_games(store, **filters) if is_page else len(found)
            return found, matching, _ways_on(store, found, db)

    found, matching, ways_on = answer_of(db, read)
    if found:
        _print_games(found, sort)
        _print_ways_on(found, ways_on)
        if matching > len(found):
            typer.echo(f"{len(found):,} of {matching:,} games; --limit N shows more.")
    else:
        _print_none(db, any(value for value in filters.values()))


def _as_json(
    store: Store, filters: Filters, page: Page, limit: int, path: Path
) -> list[dict[str, Any]]:
    """Return games as JSON has them: their records, and what the record cannot tell."""
    from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameStatus
    from payment_simulator.analysis.game_state import can_go_on, game_state, resume_options
    from payment_simulator.analysis.listing import list_sessions

    with store.one_snapshot():
        records = list_sessions(store, **filters, **page, limit=limit)
        at_work = store.at_work()
    found = []
    for record in records:
        state = game_state(record.status, record.game_id, at_work)
        go_on = None
        if can_go_on(state):
            options = resume_options(record.config_json, record.optimized_agents)
            go_on = _way_on(record.game_id, path, options)
        told = {"state": state, "is_playing": state == GameStatus.RUNNING, "go_on": go_on}
        found.append({**record.model_dump(mode="json"), **told})
    return found


def _ways_on(store: Store, found: Sequence[GameRow], path: Path) -> list[str]:
    """Return the commands that go on with the first of the games that were interrupted."""
    from payment_simulator.analysis.game_state import INTERRUPTED, resume_options
    from payment_simulator.analysis.listing import configuration_of

    return [
        _way_on(game.game_id, path, resume_options(configuration_of(store, game), game.agents))
        for game in [game for game in found if game.state == INTERRUPTED][:_WAYS_SHOWN]
    ]


def _way_on(game_id: str, path: Path, options: Sequence[str]) -> str:
    from payment_simulator.cli.game_report import command_for

    return " ".join([command_for("resume", game_id, path), *options])


def _print_ways_on(found: Sequence[GameRow], ways_on: Sequence[str]) -> None:
    from payment_simulator.analysis.game_state import INTERRUPTED

    if not ways_on:
        return
    n = sum(game.state == INTERRUPTED for game in found)
    more = f" (the first {len(ways_on)} of {n:,})" if n > len(ways_on) else ""
    typer.echo(f"Interrupted, and played by nobody now. To go on{more}:")
    for command in ways_on:
        typer.echo(f"  {command}")


def _print_none(db: Path, is_filtered: bool) -> None:
    where = f"in {visible(db)}"
    typer.echo(f"No game {where} matches." if is_filtered else f"No games {where}.")


def _print_games(found: Sequence[GameRow], sort: str) -> None:
    from payment_simulator.cli.output import moment
    from payment_simulator.cli.table import print_table

    columns = {
        "game": [game.game_id for game in found],
        "status": [game.state for game in found],
        "started (UTC)": [moment(game.started_at) for game in found],
        "iterations": [f"{game.iterations:,}" for game in found],
        "final cost": [money(game.final_cost) for game in found],
        "mode": [game.game_mode for game in found],
        "scenario": [game.scenario for game in found],
    }
    if sort == "seed":
        columns["seed"] = [str(game.master_seed) for game in found]
    print_table(
        list(columns),
        zip(*columns.values(), strict=True),
        numbers=["iterations", "final cost", "seed"],
        yielding=["game", "scenario"],
        # An identifier that is folded can no longer be copied; the usual one tells the time, too.
        optional=[name for name in ("mode", "scenario", "started (UTC)") if name != sort],
    )
