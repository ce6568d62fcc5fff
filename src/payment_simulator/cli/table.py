"""Lays out tables for a terminal or a pipe.

Texts out of a database may hold markup or terminal control sequences. They are shown as text.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import typer
from rich.cells import cell_len, chop_cells, set_cell_size

from payment_simulator.cli.chart import characters_of
from payment_simulator.cli.output import print_lines, room
from payment_simulator.wording import visible

#: The least that a folded column is worth.
_NARROWEST = 12
#: Between columns.
_GAP = "  "


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
    ``optional`` are left out, with a line that says so, and those in ``yielding`` are folded. Where
    that is not enough, lines are cut, and end in dots.
    """
    available = room()
    cells = _cells(columns, rows)
    widths = _widths(cells)
    left_out = _left_out(widths, optional, available)
    for column in left_out:
        del widths[column]
    narrowed = _narrowed(widths, yielding, available)
    rule = characters_of(sys.stdout.encoding or "utf-8").floor
    lines = [
        _line(narrowed, narrowed, numbers),
        rule * (_width(narrowed) - 2),
        *_folded_rows(cells, narrowed, numbers),
    ]
    print_lines(["", *(f" {_cut(line, available - 1)}" for line in lines), ""])
    if left_out:
        typer.echo(f"Left out for want of width: {', '.join(left_out)}.")


def aligned(
    columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()
) -> list[str]:
    """Return the head and the rows of a table as lines, numbers flush right; nothing is folded."""
    cells = _cells(columns, rows)
    widths = _widths(cells)
    return [
        _line(shown, widths, numbers) for shown in (columns, *zip(*cells.values(), strict=True))
    ]


def least_width(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    yielding: Iterable[str] = (),
) -> int:
    """Return how wide a table is when the columns that yield are folded as far as they can be."""
    widths = _widths(_cells(columns, rows))
    return _width({**widths, **_least(widths, yielding)})


def _cells(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> dict[str, list[str]]:
    """Return what is shown in each column."""
    listed = list(rows)
    return {c: [visible(row[place]) for row in listed] for place, c in enumerate(columns)}


def _widths(cells: Mapping[str, Sequence[str]]) -> dict[str, int]:
    return {c: max(map(cell_len, (c, *shown))) for c, shown in cells.items()}


def _width(widths: Mapping[str, int]) -> int:
    """Return how wide a table is, with the gaps and one character at each edge."""
    return sum(widths.values()) + len(_GAP) * len(widths)


def _left_out(widths: Mapping[str, int], optional: Iterable[str], available: int) -> list[str]:
    """Return the columns to leave out: as few as will do, in the order given."""
    kept, left_out = dict(widths), []
    for column in optional:
        if _width(kept) > available:
            del kept[column]
            left_out.append(column)
    return left_out


def _least(widths: Mapping[str, int], yielding: Iterable[str]) -> dict[str, int]:
    return {c: min(widths[c], max(cell_len(c), _NARROWEST)) for c in yielding if c in widths}


def _narrowed(widths: Mapping[str, int], yielding: Iterable[str], available: int) -> dict[str, int]:
    """Return widths that fit, as far as columns that yield can be narrowed."""
    narrowed = dict(widths)
    least = _least(widths, yielding)
    while least and (excess := _width(narrowed) - available) > 0:
        widest = max(least, key=lambda c: narrowed[c] - least[c])
        spare = narrowed[widest] - least[widest]
        if not spare:
            break
        narrowed[widest] -= min(excess, spare)
    return narrowed


def _folded_rows(
    cells: Mapping[str, Sequence[str]], widths: Mapping[str, int], numbers: Iterable[str]
) -> Iterator[str]:
    """Return the lines of the rows; a row has as many as its cell of most lines."""
    folded = ([_folded(text, width) for text in cells[c]] for c, width in widths.items())
    for row in zip(*folded, strict=True):
        for shown in zip_longest(*row, fillvalue=""):
            yield _line(shown, widths, numbers)


def _folded(text: str, width: int) -> list[str]:
    """Return the lines of a text, cut after a slash, a blank or a hyphen where it is too wide."""
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for piece in re.split(r"(?<=[/ ])|(?<=\w-)(?=\w)", text):
        if line and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [part for line in (*lines, line.rstrip()) for part in chop_cells(line, width)]


def _line(shown: Iterable[str], widths: Mapping[str, int], numbers: Iterable[str]) -> str:
    """Return one line of cells, each as wide as its column."""
    right = frozenset(numbers)
    parts = []
    for text, (column, width) in zip(shown, widths.items(), strict=True):
        blanks = " " * (width - cell_len(text))
        parts.append(f"{blanks}{text}" if column in right else f"{text}{blanks}")
    return _GAP.join(parts).rstrip()


def _cut(line: str, available: int) -> str:
    """Return a line that fits; dots show a cut, so that no number looks like another one."""
    return line if cell_len(line) <= available else f"{set_cell_size(line, available - 3)}..."
