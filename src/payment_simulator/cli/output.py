"""How results reach a terminal or a pipe: tables for people, JSON for programs.

Texts out of a database may hold markup or terminal control sequences. They are shown as text.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

_CENTS = 100


def visible(value: object) -> str:
    """Return a value as text, with control and direction characters written out."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )


def money(cents: float | None) -> str:
    """Return an amount of cents in currency units, with thousands separated."""
    return "-" if cents is None else f"{cents / _CENTS:,.2f}"


def program() -> str:
    """Return what a person types to call this program again from where they are."""
    called = Path(sys.argv[0])
    if called.name != "payment-sim" or shutil.which("payment-sim"):
        return "payment-sim"
    try:
        return str(called.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


def print_json(value: Any) -> None:
    """Print one JSON object or array, in which no text acts on a terminal."""
    text = json.dumps(_finite(value), indent=2, ensure_ascii=False, default=str)
    typer.echo("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text))


def _finite(value: Any) -> Any:
    """Return the value with numbers that JSON does not have as texts, as pydantic writes them."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Iterable[str] = (),
    yielding: Iterable[str] = (),
) -> None:
    """Print a table.

    Columns named in ``numbers`` are set flush right; those in ``yielding`` are folded where the
    terminal is narrow.
    """
    right, folded = set(numbers), set(yielding)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold" if column in folded else "ellipsis",
            no_wrap=column not in folded,
        )
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    _console().print(table)


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(visible(value)))
    _console().print(table)


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 100_000  # a pipe has no width; nothing is folded or cut
    return console
