"""Texts of a report: none is cut without saying so."""

from __future__ import annotations

import json
import shlex
from typing import Any

from markupsafe import Markup

from payment_simulator.wording import plain_name, visible


def lines_of(text: str, most: int = 4000) -> list[str]:
    """Return a text line by line, what would act on a page written out; cut where it is long."""
    cut = text[:most]
    lines = [visible(line) for line in cut.splitlines()]
    if len(text) > most:
        lines.append(f"[{len(text) - most:,} more characters are in the record]")
    return lines


def shortened(text: str, most: int = 240) -> str:
    """Return a text on one line, cut where it is long."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]} [{len(line) - most:,} more characters]"


def safe(html: str) -> Markup:
    """Return HTML that :mod:`payment_simulator.analysis.policy_trees` has made, to stand as it is.

    Every text in it was escaped there; nothing else may come here.
    """
    return Markup(html)  # noqa: S704 - as said above


def command(name: str, game_id: str, *options: str) -> str:
    """Return a command on the game as a person types it."""
    return visible(f"payment-sim {shlex.join([name, game_id, '--db', 'FILE', *options])}")


def sql_text(text: str) -> str:
    """Return a text as a literal of SQL."""
    return visible("'" + text.replace("'", "''") + "'")


def parsed(text: str | None) -> Any:
    """Return what a JSON text holds; None where it holds nothing or is no JSON."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def file_name(game_id: str) -> str:
    """Return a name for the report of a game that every system takes for a plain file."""
    return f"{plain_name(game_id)}-report.html"
