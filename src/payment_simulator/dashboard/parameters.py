"""What stands behind the question mark of an address: read, checked, refused in words."""

from __future__ import annotations

from starlette.datastructures import QueryParams

from payment_simulator.errors import InputError
from payment_simulator.wording import quoted

#: Rows of one page of a table, at most.
MOST_ROWS = 500
_LARGEST = 2**31 - 1
_LONGEST_NUMBER = 10


def text(given: QueryParams, name: str) -> str:
    """Return a text that has to be there."""
    value = given.get(name, "")
    if not value:
        raise InputError(f"the address lacks ?{name}=...; start from the list of games")
    return value


def optional(given: QueryParams, name: str) -> str | None:
    """Return a text, or None where it is not there or empty."""
    return given.get(name) or None


def whole(
    given: QueryParams, name: str, default: int, *, least: int = 0, most: int = _LARGEST
) -> int:
    """Return a whole number."""
    value = given.get(name, "")
    if not value:
        return default
    is_number = value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER
    if not is_number or not least <= int(value) <= most:
        raise InputError(f"{name} is {quoted(value)}, expected a whole number, {least} to {most:,}")
    return int(value)


def optional_whole(given: QueryParams, name: str, *, least: int = 0) -> int | None:
    """Return a whole number, or None where it is not there."""
    return whole(given, name, least, least=least) if given.get(name) else None


def needed_whole(given: QueryParams, name: str, *, least: int = 0) -> int:
    """Return a whole number that has to be there."""
    text(given, name)
    return whole(given, name, least, least=least)


def one_of(given: QueryParams, name: str, known: tuple[str, ...]) -> str | None:
    """Return one of the known texts, or None where there is none."""
    value = given.get(name) or None
    if value is not None and value not in known:
        raise InputError(f"{name} is {quoted(value)}, expected one of: {', '.join(known)}")
    return value


def rows(given: QueryParams, default: int = 100) -> tuple[int, int]:
    """Return how many rows to show, and how many come before them."""
    limit = whole(given, "rows", default, least=1, most=MOST_ROWS)
    page = whole(given, "page", 1, least=1, most=_LARGEST // MOST_ROWS)
    return limit, (page - 1) * limit
