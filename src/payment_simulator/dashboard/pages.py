"""The list of games and the list of runs."""

from __future__ import annotations

from typing import Any, TypedDict

from starlette.requests import Request
from starlette.responses import Response

from payment_simulator.ai_cash_mgmt import GameMode
from payment_simulator.analysis.game_state import STATES
from payment_simulator.analysis.listing import SORTS, count_games, list_games, list_sessions
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.runs import count_runs, list_runs
from payment_simulator.dashboard import parameters
from payment_simulator.dashboard.proposers import proposers_of
from payment_simulator.dashboard.site import site_of
from payment_simulator.dashboard.tables import Pager

MODES = tuple(mode.value for mode in GameMode)
#: Columns that are best read from the largest down.
_LARGEST_FIRST = ("started", "iterations")


class _Page(TypedDict):
    """Which part of the list, and in which order."""

    sort: str
    descending: bool
    limit: int
    offset: int


def games(request: Request) -> Response:
    """Show the list of games."""
    return site_of(request).page("games.html", **_games(request))


def games_parts(request: Request) -> Response:
    """Return what changes on the list of games, to be put in its place."""
    return site_of(request).page("games_parts.html", **_games(request))


def _games(request: Request) -> dict[str, Any]:
    given = request.query_params
    filters = {
        "status": parameters.one_of(given, "status", STATES),
        "mode": parameters.one_of(given, "mode", MODES),
        "scenario": parameters.optional(given, "scenario"),
        "text": parameters.optional(given, "text"),
    }
    sort = parameters.one_of(given, "sort", tuple(SORTS)) or "started"
    default = "down" if sort in _LARGEST_FIRST else "up"
    direction = parameters.one_of(given, "order", ("up", "down")) or default
    limit, offset = parameters.rows(given)
    page: _Page = {
        "sort": sort,
        "descending": direction == "down",
        "limit": limit,
        "offset": offset,
    }
    with site_of(request).source.reading() as repo:
        count = count_games(repo, **filters)
        rows = list_games(repo, **filters, **page)
        sessions = list_sessions(repo, **filters, **page) if rows else []
        is_empty = count == 0 and count_games(repo) == 0
    return {
        "rows": rows,
        "proposers": {found.game_id: proposers_of(found.config_json) for found in sessions},
        "filters": filters,
        "is_filtered": any(filters.values()),
        "is_empty": is_empty,
        "pager": Pager("/", filters, sort, direction, limit, offset, count, _LARGEST_FIRST),
        "statuses": STATES,
        "modes": MODES,
    }


def runs(request: Request) -> Response:
    """Show the list of simulation runs."""
    given = request.query_params
    game_id = parameters.optional(given, "game")
    limit, offset = parameters.rows(given)
    with site_of(request).source.reading() as repo:
        rows = or_nothing(lambda: list_runs(repo, game_id=game_id, limit=limit, offset=offset))
        count = count_runs(repo, game_id=game_id) if rows else 0
    pager = Pager("/runs", {"game": game_id}, "", "", limit, offset, count)
    return site_of(request).page("runs.html", rows=rows, game_id=game_id, pager=pager)
