"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATABASE = Path("simulation.db")
_SHOWN = 5


def database_path(given: str | Path) -> Path:
    """Return the path that was given for a database, after refusing what names no file."""
    if not str(given).strip():
        raise typer.BadParameter("it is empty; give the path of a database file")
    if str(given) == ":memory:":
        raise typer.BadParameter(
            "':memory:' would be gone when the command ends; give the path of a database file"
        )
    return Path(given)


def database_to_read(given: Path | None, command: str) -> Path:
    """Return the database that was given, or the usual one if it is there.

    Raises
    ------
    InputError
        None was given, and the usual one is not there; the message names those that are.
    """
    from payment_simulator.errors import InputError

    # A log without its database is the database's to explain.
    if given is not None or any(Path().glob(f"{DEFAULT_DATABASE}*")):
        return given or DEFAULT_DATABASE
    found = sorted(str(path) for path in Path().glob("*.db") if path.is_file())
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    there = f"; databases here: {', '.join(found[:_SHOWN])}{more}" if found else ""
    raise InputError(
        f"no --db was given, and there is no {DEFAULT_DATABASE} in this folder{there}. "
        f"Name the database: payment-sim {command} --db FILE"
    )


DatabaseOption = Annotated[
    Path | None,
    typer.Option(
        "--db",
        metavar="FILE",
        parser=database_path,
        envvar="PAYMENT_SIM_DB",
        help=f"The database file; {DEFAULT_DATABASE} if none is given.",
    ),
]
FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", parser=database_path, help="The database file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
