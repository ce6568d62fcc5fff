"""How results reach a terminal or a pipe: tables for people, JSON for programs.

Texts out of a database may hold markup or terminal control sequences. They are shown as text.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_CENTS = 100
#: The least that a folded column is worth.
_NARROWEST = 12


def visible(value: object) -> str:
    """Return a value as text, with control and direction characters written out."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value)
    )


def shortened(text: str, most: int) -> str:
    """Return a text as it is shown, cut where it is longer than it may be."""
    shown = visible(text)
    return shown if len(shown) <= most else f"{shown[: max(0, most - 3)]}..."[:most]


def money(cents: float | None) -> str:
    """Return an amount of cents in currency units, with thousands separated."""
    if cents is None:
        return "-"
    text = f"{cents / _CENTS:,.2f}"
    return "0.00" if text == "-0.00" else text


def moment(time: datetime) -> str:
    """Return a time to the minute."""
    return f"{time:%Y-%m-%d %H:%M}"


def counted(number: int, thing: str) -> str:
    """Return a number with the name of what it counts."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


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
    optional: Iterable[str] = (),
) -> None:
    """Print a table.

    Columns named in ``numbers`` are set flush right. Where the terminal is narrow, those in
    ``optional`` are left out, with a line that says so, and those in ``yielding`` are folded.
    """
    console = _console()
    cells = _cells(columns, rows)
    widths = _widths(cells)
    left_out = _left_out(widths, optional, console.width)
    for column in left_out:
        del widths[column]
    narrowed = _narrowed(widths, yielding, console.width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column, width in narrowed.items():
        table.add_column(
            column,
            justify="right" if column in set(numbers) else "left",
            # A number cut short must not look like another number.
            overflow="ellipsis" if width == widths[column] else "fold",
            no_wrap=width == widths[column],
            width=width,
        )
    shown = ([_folded(cell, width) for cell in cells[c]] for c, width in narrowed.items())
    for row in zip(*shown, strict=True):
        table.add_row(*(Text(cell) for cell in row))
    _print(console, table)
    if left_out:
        typer.echo(f"Left out for want of width: {', '.join(left_out)}.")


def _cells(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dict[str, list[str]]:
    """Return what is shown in each column."""
    listed = list(rows)
    return {c: [visible(row[place]) for row in listed] for place, c in enumerate(columns)}


def _widths(cells: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {c: max(map(cell_len, (c, *shown))) for c, shown in cells.items()}


def _excess(widths: dict[str, int], available: int) -> int:
    # Two characters stand between columns, one at each edge.
    return sum(widths.values()) + 2 * len(widths) - available


def _left_out(widths: dict[str, int], optional: Iterable[str], available: int) -> list[str]:
    """Return the columns to leave out: as few as will do, in the order given."""
    kept, left_out = dict(widths), []
    for column in optional:
        if _excess(kept, available) > 0:
            del kept[column]
            left_out.append(column)
    return left_out


def _narrowed(widths: dict[str, int], yielding: Iterable[str], available: int) -> dict[str, int]:
    """Return widths that fit, as far as columns that yield can be narrowed."""
    narrowed = dict(widths)
    least = {c: min(widths[c], max(cell_len(c), _NARROWEST)) for c in yielding if c in widths}
    while least and (excess := _excess(narrowed, available)) > 0:
        widest = max(least, key=lambda c: narrowed[c] - least[c])
        room = narrowed[widest] - least[widest]
        if not room:
            break
        narrowed[widest] -= min(excess, room)
    return narrowed


def _folded(text: str, width: int) -> str:
    """Return the text with new lines after a slash, a blank or a hyphen, where it is too wide."""
    lines, line = [], ""
    for piece in re.split(r"(?<=[/ ])|(?<=\w-)(?=\w)", text):
        if line and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return "\n".join([*lines, line])


def aligned(
    columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()
) -> list[str]:
    """Return the head and the rows of a table as lines, numbers flush right; nothing is folded."""
    cells = _cells(columns, rows)
    widths = _widths(cells)
    right = set(numbers)

    def line(shown: Iterable[str]) -> str:
        parts = (
            f"{' ' * (widths[c] - cell_len(text))}{text}"
            if c in right
            else f"{text}{' ' * (widths[c] - cell_len(text))}"
            for c, text in zip(columns, shown, strict=True)
        )
        return "  ".join(parts).rstrip()

    return [line(columns), *map(line, zip(*cells.values(), strict=True))]


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(visible(value)))
    _print(_console(), table)


def print_text(text: str, indent: int = 0) -> None:
    """Print a text, folded between words, set in by some columns."""
    _print(_console(), Padding(Text(visible(text)), (0, 0, 0, indent)))


def room() -> int:
    """Return how many columns there are; very many on a pipe, where nothing is folded or cut."""
    return _console().width


def fits(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    """Tell whether a table needs no column folded or left out."""
    return _excess(_widths(_cells(columns, rows)), room()) <= 0


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = 100_000  # a pipe has no width; nothing is folded or cut
    return console


def _print(console: Console, what: Table | Padding) -> None:
    """Print something without the blanks that would fill its lines."""
    with console.capture() as captured:
        console.print(what)
    for line in captured.get().rstrip("\n").split("\n"):
        console.file.write(f"{line.rstrip()}\n")
    console.file.flush()
