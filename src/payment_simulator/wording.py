"""How texts and numbers are put to people.

Texts from files, records and models are shown so that none of them acts on a terminal or a page.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Iterable
from typing import Any

#: A longer text is cut where it is quoted in an error.
_QUOTED = 60
_LARGE = 10**15
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_HASH = 12
#: How a text begins that a spreadsheet takes for a formula, with apostrophes before it or without;
#: a regular expression of Python and of DuckDB alike.
FORMULA = "^'*[=+@\\-\t\r\n\uff0b\uff0d\uff1d\uff20]"
_FORMULA = re.compile(FORMULA)
_CENTS = 100


def visible(text: object) -> str:
    """Return a text on one line, with control and direction characters written out."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode()
        for c in str(text)
    )


def quoted(text: str) -> str:
    """Return a text in quotation marks, cut where it is long."""
    cut = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}..."
    return f'"{visible(cut)}"'


def shown(value: Any) -> str:
    """Return a value of a file as an error shows it; lists and objects only by their kind.

    Their text could be endless: YAML lets an object contain itself.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= _LARGE:
        return "an integer beyond all bounds"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value)
    kinds = ((list, "a list"), (tuple, "a list"), (dict, "an object"))
    names = [name for kind, name in kinds if isinstance(value, kind)]
    return names[0] if names else f"a {type(value).__name__}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like this one, or all where none is and they are few."""
    names = list(known)
    by_lower = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower()[:_QUOTED], by_lower, n=1, cutoff=0.5)
    if near:
        return f"nearest: {visible(by_lower[near[0]])}"
    few = 12
    if 0 < len(names) <= few:
        return f"known: {', '.join(visible(candidate) for candidate in names)}"
    return "nothing like it is known" if names else "none is known"


def number_text(value: float) -> str:
    """Return a number without a needless fraction, thousands separated."""
    if not math.isfinite(value):
        return repr(value)
    if value == int(value) and abs(value) < _LARGE:
        return f"{int(value):,}"
    return f"{value:,.12g}" if abs(value) < _LARGE else f"{value:.12g}"


def counted(count: int, thing: str, things: str | None = None) -> str:
    """Return a number with the name of what it counts."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def spreadsheet_text(text: str) -> str:
    """Return a text as a CSV cell, guarded where a spreadsheet would take it for a formula.

    Such a text has one apostrophe more before it. Reading takes it away again
    (:func:`text_of_spreadsheet`), so every text comes back as it was: one that begins with
    apostrophes and then like a formula is guarded, too.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def text_of_spreadsheet(cell: str) -> str:
    """Return the text of a cell that :func:`spreadsheet_text` has written."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def plain_name(text: str) -> str:
    """Return a name that every system takes for that of a plain file.

    It is the text itself where that is possible. Otherwise it ends in a part of the text's hash, so
    that no two texts have the same name.
    """
    found = _UNSAFE.sub("-", text).strip("-.")[:_LONGEST_NAME].rstrip("-.")
    if found and found == text:
        return found
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{found[: _LONGEST_NAME - _HASH - 1] or 'game'}-{digest[:_HASH]}"


def money(cents: float | None) -> str:
    """Return an amount of cents in currency units, with thousands separated."""
    return "-" if cents is None else decimals(cents / _CENTS, 2)


def decimals(value: float | None, places: int) -> str:
    """Return a number with some decimals, which stand below each other in a column.

    None is a dash. Zero has no sign.
    """
    if value is None:
        return "-"
    text = f"{value:,.{places}f}"
    return text.lstrip("-") if not text.strip("-0.") else text
