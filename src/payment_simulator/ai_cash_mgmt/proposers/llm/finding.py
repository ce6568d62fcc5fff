"""Finds the JSON objects in a text, among whatever else stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from payment_simulator.errors import PolicyError
from payment_simulator.policy.reading import MAX_NESTING, read_json

_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_COMMAS: Final = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*[\]}])', re.DOTALL)
#: How many times over a text is gone through, and at least so many characters: only a text made for
#: it needs more.
_MOST_PASSES: Final = 10
_LEAST_BUDGET: Final = 2_000_000


def find_objects(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects in a text, in their order.

    Prose, fences and a byte order mark around them do not matter, nor do commas before a closing
    bracket. Of an object within another only the outer one is returned; where that cannot be read,
    the inner one is.

    Parameters
    ----------
    text : str
    """
    return list(_find(text))


def _find(text: str) -> Iterator[dict[str, Any]]:
    left = max(_MOST_PASSES * len(text), _LEAST_BUDGET)
    start = text.find("{")
    while start >= 0 and left > 0:
        stop, is_closed = _closing(text, start)
        found = _read(text[start:stop]) if is_closed else None
        left -= (stop - start) * (2 if is_closed else 1)
        if found is not None:
            yield found
        start = text.find("{", start + 1 if found is None else stop)


def _closing(text: str, start: int) -> tuple[int, bool]:
    """Return where the object ends that begins here, or where it is given up, and which it is."""
    depth, stop = 0, start + 1
    for token in _TOKENS.finditer(text, start):
        first, stop = token[0][0], token.end()
        if first in "[{":
            depth += 1
        elif first in "]}":
            depth -= 1
        if depth == 0 or depth > MAX_NESTING:
            break
    return stop, depth == 0


def _read(text: str) -> dict[str, Any] | None:
    for candidate in (text, _COMMAS.sub(lambda match: match[1] or "", text)):
        try:
            found = read_json(candidate, "answer")
        except PolicyError:
            continue
        return found if isinstance(found, dict) else None
    return None
