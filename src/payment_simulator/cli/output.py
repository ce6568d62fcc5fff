"""How results reach a terminal or a pipe: texts for people, JSON for programs.

Texts out of a database may hold markup or terminal control sequences. They are shown as text.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from payment_simulator.wording import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

#: A pipe has no width.
_PIPE = 100_000


def shortened(text: str, most: int) -> str:
    """Return a text as it is shown, cut where it is longer than it may be."""
    shown = visible(text)
    return shown if len(shown) <= most else f"{shown[: max(0, most - 3)]}..."[:most]


def moment(time: datetime) -> str:
    """Return a time to the minute."""
    return f"{time:%Y-%m-%d %H:%M}"


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
    # Elsewhere characters that the encoding lacks are written out as no JSON has them.
    is_unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    text = json.dumps(_finite(value), indent=2, ensure_ascii=not is_unicode, default=str)
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


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print names and values in two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(visible(value)))
    _print(table)


def print_text(text: str, indent: int = 0) -> None:
    """Print a text, folded between words, set in by some columns."""
    from rich.padding import Padding
    from rich.text import Text

    _print(Padding(Text(visible(text)), (0, 0, 0, indent)))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines as they are, without the blanks at their ends.

    Characters that the encoding lacks are written out; Click's ``echo`` would write UTF-8.
    """
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))
    sys.stdout.flush()


def room() -> int:
    """Return how many columns there are; very many on a pipe, where nothing is folded or cut."""
    return _columns_of_terminal() or _PIPE


def _columns_of_terminal() -> int | None:
    """Return how wide the terminal is, if there is one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _print(what: RenderableType) -> None:
    """Print something without the blanks that would fill its lines."""
    from rich.console import Console

    console = Console(width=room(), highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(what)
    print_lines(captured.get().rstrip("\n").split("\n"))
