"""Reads policy files: bounded, and without trust in what they hold."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final, NoReturn

from payment_simulator.errors import PolicyError
from payment_simulator.wording import quoted, visible

#: A larger text is no policy.
MAX_BYTES: Final = 4 * 1024 * 1024
#: Brackets within brackets; a tree of 100 nodes over conditions and values of 100 needs fewer.
MAX_NESTING: Final = 500
# A string without an end reaches to the end: else each of its quotes would be tried as a start.
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class Twice(dict[str, Any]):
    """A JSON object in which keys are written more than once; the last of each holds.

    Attributes
    ----------
    twice : tuple of str
        Those keys.
    """

    twice: tuple[str, ...] = ()


def read_file(path: str | os.PathLike[str]) -> str:
    """Return the text of a file.

    Raises
    ------
    PolicyError
        It is not there, cannot be read, is too large, or is not UTF-8.
    """
    name = visible(os.fspath(path))
    if not name.strip():
        raise PolicyError("the path of a policy is empty; expected the path of a JSON file")
    try:
        place = Path(path)
        if not place.exists():
            raise PolicyError(f"{name}: there is no such file")
        if not place.is_file():
            raise PolicyError(f"{name} is not a file; expected a policy as JSON")
        with place.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        _bound(len(raw), name)
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(
            f"{name}: byte {error.start} is not UTF-8; expected a policy as JSON in UTF-8"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, PolicyError):
            raise
        raise PolicyError(f"{name} cannot be read: {visible(error)}") from error


def read_json(text: str, where: str) -> Any:
    """Return what a JSON text holds.

    An object with a key that is written twice comes back as `Twice`, so that the check of the
    policy can say where it is.

    Raises
    ------
    PolicyError
        It is no JSON, is too large or nested too deep, or holds NaN or an infinity.
    """
    _bound(len(text.encode("utf-8", "surrogatepass")), where)
    _bound_nesting(text, where)

    def refuse(name: str) -> NoReturn:
        raise PolicyError(f"{where}: {name} is not a number of JSON; expected a finite number")

    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise PolicyError(
            f"{where}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from error
    except PolicyError:
        raise
    except ValueError as error:  # Python reads no integer of thousands of digits
        raise PolicyError(f"{where}: a number has too many digits") from error
    except RecursionError as error:
        raise PolicyError(f"{where}: brackets are nested too deep to be read here") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = Twice(found)
    counts = Counter(key for key, _ in pairs)
    doubled.twice = tuple(key for key, count in counts.items() if count > 1)
    return doubled


def _bound(size: int, where: str) -> None:
    if size > MAX_BYTES:
        raise PolicyError(f"{where} has more than {MAX_BYTES:,} bytes; expected a smaller policy")


def _bound_nesting(text: str, where: str) -> None:
    """Refuse what would take the parser too deep, before it goes there."""
    depth = 0
    for found in _STRINGS_AND_BRACKETS.finditer(text):
        first = found[0][0]
        if first in "[{":
            depth += 1
            if depth > MAX_NESTING:
                line = text.count("\n", 0, found.start()) + 1
                raise PolicyError(
                    f"{where}, line {line}: brackets are nested more than {MAX_NESTING} deep; "
                    "a tree has at most 100 nodes from root to leaf"
                )
        elif first in "]}":
            depth -= 1


def unicode_problem(text: str) -> str | None:
    """Say what is wrong with a text that is no valid Unicode; None if it is."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        return f"{quoted(text)} holds half a character (a lone surrogate)"
    return None
