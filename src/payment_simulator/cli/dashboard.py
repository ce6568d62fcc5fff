"""``payment-sim dashboard``: look at a record in a browser."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.wording import visible

if TYPE_CHECKING:
    from payment_simulator.dashboard.server import Place

DEFAULT_PORT = 8642
_LARGEST_PORT = 65535
_NEEDS = ("jinja2", "starlette", "uvicorn")
_INSTALL = "pip install 'payment-simulator[dashboard]'"


def dashboard(
    db: DatabaseOption = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Address to listen on; any but this machine's own comes with a token.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=_LARGEST_PORT, metavar="N", help="Port; 0 takes a free one.")
    ] = DEFAULT_PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Another name that browsers may call it by; may be repeated."
        ),
    ] = None,
    token: Annotated[
        bool,
        typer.Option(
            "--token", help="Ask for a token on this machine, too: others use it as well."
        ),
    ] = False,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open it in the browser of this machine.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show games, steps and runs in a browser; only reads."""
    from payment_simulator.errors import InputError

    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            f"the dashboard needs more packages ({', '.join(missing)}); install them: {_INSTALL}"
        )
    from payment_simulator.analysis.opening import open_record
    from payment_simulator.dashboard.server import serve, take_place
    from payment_simulator.dashboard.source import Source

    path = database_to_read(db, "dashboard")
    with open_record(path):
        pass  # what is wrong with the file is said now, not on every page
    place = take_place(host, port, names=allow_host or (), wants_token=token)
    _announce(place, str(path), is_json=json)
    if open_browser:
        import webbrowser

        webbrowser.open(place.url)
    serve(Source(path), place)


def _announce(place: Place, path: str, *, is_json: bool) -> None:
    """Say where it is, at once: a program may wait for this."""
    import sys

    from payment_simulator.cli.output import print_json

    if is_json:
        print_json({"url": place.url, "database": path})
    else:
        typer.echo(f"Dashboard of {visible(path)}: {place.url}")
        typer.echo("It only reads. Ctrl-C ends it.")
    sys.stdout.flush()
