"""Puts the commands together and turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from payment_simulator._version import __version__
from payment_simulator.cli import (
    compare,
    dashboard,
    db,
    equilibrium,
    evidence,
    exchange,
    games,
    play,
    policy,
    report,
    scenario,
    show,
    simulate,
    verify,
)
from payment_simulator.cli.channels import prepare_channels
from payment_simulator.errors import PaymentSimulatorError
from payment_simulator.wording import visible

app = typer.Typer(
    name="payment-sim",
    help="A laboratory for AI cash management in large-value payment systems.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command("play")(play.play)
app.command("resume")(play.resume)
app.command("verify")(verify.verify)
app.command("digest")(evidence.digest)
app.command("sign")(evidence.sign)
app.command("games")(games.games)
app.command("show")(show.show)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("dashboard")(dashboard.dashboard)
app.command("export")(exchange.export)
app.command("import")(exchange.import_)
app.command("simulate")(simulate.simulate)
app.command("equilibrium")(equilibrium.equilibrium)
app.add_typer(scenario.app, name="scenario")
app.add_typer(db.app, name="db")
app.add_typer(policy.app, name="policy")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"payment-simulator {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    version: Annotated[  # noqa: ARG001 - acted on by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the whole traceback of an error.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    if debug:
        os.environ["PAYMENT_SIM_DEBUG"] = "1"


def main() -> None:
    """Run the command line and exit: 0 done, 1 work failed, 2 bad input."""
    prepare_channels()
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code)
    except KeyboardInterrupt:  # before the command itself, which says more
        sys.exit(130)
    except RuntimeError as error:
        if "Query interrupted" not in str(error):  # DuckDB's, while it reads a payments file
            raise
        sys.exit(130)
    except OSError as error:
        # Keep Python from trying to write the rest once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:  # the reader of a pipe has gone
            sys.exit(1)
        if error.errno == errno.EBADF:
            fail("standard output is closed, so what was to be printed is lost; open it", 1)
        fail(str(error), 1)
    except typer.TyperException as error:
        message = error.format_message()
        if message.startswith("Usage:"):  # a group without a command: its help is the answer
            typer.echo(message, err=True)
            sys.exit(error.exit_code)
        message = message.rstrip(".")
        context = getattr(error, "ctx", None)
        asked = context.command_path if context else "payment-sim"
        end = "" if message.endswith("?") else "."
        fail(f"{message}{end}{_hint(message, context)} Try: {asked} --help", error.exit_code)
    except PaymentSimulatorError as error:
        fail(str(error), error.exit_code)


def _hint(message: str, context: typer.Context | None) -> str:
    """Return how to name a database, where one was given without its option."""
    if "unexpected extra argument" not in message or context is None:
        return ""
    files = [word for word in sys.argv[1:] if word in message and Path(word).is_file()]
    if not files or "db" not in {parameter.name for parameter in context.command.params}:
        return ""
    return f" To name the database: --db {files[-1]}."


def fail(message: str, code: int) -> NoReturn:
    """Say what is wrong in one line and exit."""
    if os.environ.get("PAYMENT_SIM_DEBUG"):
        traceback.print_exc()
    typer.echo(f"Error: {' '.join(visible(message).split())}", err=True)
    sys.exit(code)
