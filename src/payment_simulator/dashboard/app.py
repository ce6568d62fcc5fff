"""The web application: its addresses, its templates, and what is said when something is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from payment_simulator.analysis.policy_trees import policy_tree_css
from payment_simulator.dashboard import (
    compare_pages,
    data,
    downloads,
    game_pages,
    live,
    pages,
    run_pages,
    words,
)
from payment_simulator.dashboard.assets import Assets
from payment_simulator.dashboard.bars import bar_width, kinds_of, whisker
from payment_simulator.dashboard.security import Access, Guard
from payment_simulator.dashboard.site import Site, site_of
from payment_simulator.dashboard.source import Source
from payment_simulator.errors import (
    DatabaseBusyError,
    InputError,
    PaymentSimulatorError,
    RunNotFoundError,
)
from payment_simulator.wording import counted, plain_name, quoted, visible

_log = logging.getLogger(__name__)
_BAD_REQUEST, _NOT_FOUND, _FAILED, _BUSY = 400, 404, 500, 503
#: What went wrong -> what stands above the message.
_TITLES = {
    _BAD_REQUEST: "That cannot be shown",
    _NOT_FOUND: "Not in the record",
    _BUSY: "The record is busy",
    _FAILED: "The record cannot be read",
}


def build_app(source: Source, access: Access) -> tuple[ASGIApp, Site]:
    """Return the application, and what its pages share.

    Parameters
    ----------
    source : Source
        The record.
    access : Access
        Who is let in.
    """
    assets = Assets({"policy_trees.css": policy_tree_css()})
    app = Starlette(
        routes=[
            Route("/", pages.games),
            Route("/parts/games", pages.games_parts),
            Route("/runs", pages.runs),
            Route("/game", game_pages.game),
            Route("/parts/game", game_pages.game_parts),
            Route("/step", game_pages.step),
            Route("/run", run_pages.run),
            Route("/payment", run_pages.payment),
            Route("/compare", compare_pages.compare),
            Route("/data/compare", compare_pages.costs),
            Route("/data/costs", data.costs),
            Route("/data/parameters", data.parameters),
            Route("/data/samples", data.samples),
            Route("/data/run", data.run),
            Route("/data/costs.csv", downloads.costs),
            Route("/data/parameters.csv", downloads.parameters),
            Route("/data/steps.csv", downloads.steps),
            Route("/live/games", live.games),
            Route("/live/game", live.game),
            Route("/static/{version}/{name:path}", assets.serve),
        ],
        exception_handlers={
            PaymentSimulatorError: _problem,
            HTTPException: _missing,
            Exception: _fault,
        },
    )
    app.router.redirect_slashes = False  # an address is as it is written, or none
    site = Site(source, _templates(assets))
    app.state.site = site
    return Guard(app, access), site


def _templates(assets: Assets) -> Environment:
    environment = Environment(
        loader=PackageLoader("payment_simulator.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: tuple[Callable[..., Any], ...] = (
        counted,
        words.indented,
        words.moment,
        words.money,
        words.number,
        words.pieces,
        words.plain,
        words.seconds,
        words.share,
        visible,
    )
    environment.filters.update({function.__name__: function for function in filters})
    environment.globals.update(
        asset=assets.address,
        command=words.command,
        game_command=words.game_command,
        plain_name=plain_name,
        link=words.link,
        MODES=words.MODE_WORDS,
        KINDS=words.KIND_WORDS,
        bar_width=bar_width,
        kinds_of=kinds_of,
        whisker=whisker,
    )
    environment.globals["m"] = environment.get_template("macros.html").module
    return environment


def _problem(request: Request, error: Exception) -> Response:
    """Say what this package has to say."""
    if isinstance(error, RunNotFoundError):
        text = f"simulation run {quoted(error.run_id)} is not in the record; see the list of runs"
        return say(request, _NOT_FOUND, text)
    if isinstance(error, DatabaseBusyError):
        return say(request, _BUSY, str(error), {"Retry-After": "2"})
    if isinstance(error, LookupError):
        return say(request, _NOT_FOUND, str(error))
    is_asked_wrong = type(error) is InputError
    return say(request, _BAD_REQUEST if is_asked_wrong else _FAILED, str(error))


def _missing(request: Request, error: Exception) -> Response:
    """Say that an address leads nowhere."""
    status = error.status_code if isinstance(error, HTTPException) else _NOT_FOUND
    if request.url.path == "/favicon.ico":
        return PlainTextResponse("", status)
    return say(request, status, "there is no such page; start from the list of games")


def _fault(request: Request, error: Exception) -> Response:
    """Say that the fault is the dashboard's own."""
    _log.error("the dashboard failed at %s", request.url.path, exc_info=error)
    text = "the dashboard itself failed; what went wrong stands where it was started"
    return say(request, _FAILED, text)


def say(
    request: Request, status: int, text: str, headers: dict[str, str] | None = None
) -> Response:
    """Return a page with one message, or the same for a program."""
    text = " ".join(visible(text).split())
    if request.url.path.startswith(("/data/", "/live/", "/parts/")):
        return JSONResponse({"problem": text}, status, headers)
    site = site_of(request)
    page = site.render(
        "problem.html", title=_TITLES.get(status, _TITLES[_NOT_FOUND]), text=text, status=status
    )
    return HTMLResponse(page, status, headers)
