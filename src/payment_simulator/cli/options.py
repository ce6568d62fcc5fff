"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATABASE = Path("simulation.db")

DatabaseOption = Annotated[
    Path,
    typer.Option("--db", envvar="PAYMENT_SIM_DB", help="The database file.", show_default=True),
]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The database file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
