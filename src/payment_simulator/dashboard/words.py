"""How values are written on the pages: amounts, numbers, times, texts of unknown origin."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

from payment_simulator.wording import visible

_CENTS = 100
_MINUTE = 60
_NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
#: From here on a number is written without a fraction, beyond the other with an exponent.
_LARGE, _VAST = 1e6, 1e15
#: The database of a command that names none.
_DEFAULT_DATABASE = Path("simulation.db")
#: Beyond this a text is not shown in full, so that a page stays a page.
LONGEST_TEXT = 400_000
#: A word of a name with the signs after it; a very long one is no word.
_PIECES = re.compile(r"[^-_/.: ]{1,24}[-_/.: ]*|[-_/.: ]+")

#: What is stored -> what a person reads.
MODE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "campaign_learning": "between whole simulations",
        "rl_optimization": "inside one running simulation",
    }
)
KIND_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "liquidity": "liquidity",
        "overdraft": "overdraft",
        "collateral": "collateral",
        "delay": "delay",
        "deadline_penalty": "deadline penalty",
        "end_of_day": "end of day",
        "split": "splitting",
    }
)


def plain(value: object) -> str:
    """Return a text of several lines, with other control and direction characters written out."""
    text = str(value)
    if len(text) > LONGEST_TEXT:
        cut = len(text) - LONGEST_TEXT
        text = f"{text[:LONGEST_TEXT]}\n... {cut:,} more characters are in the record."
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(visible(part) for part in line.split("\t")) for line in lines)


def pieces(value: object) -> list[str]:
    """Return a name in pieces between which a line may end: after its signs, not within words."""
    return _PIECES.findall(visible(value)) or [""]


def indented(value: object) -> str:
    """Return JSON set out over lines; a text that is not JSON as it stands."""
    text = str(value)
    try:
        return plain(json.dumps(json.loads(text), indent=2, ensure_ascii=False))
    except (ValueError, RecursionError):
        return plain(text)


def money(cents: float | None) -> str:
    """Return an amount of cents in currency units, with thousands separated."""
    return (
        _NOTHING if cents is None else f"{_unsigned_zero(cents / _CENTS):,.2f}".replace("-", _MINUS)
    )


def number(value: float | None, digits: int = 6) -> str:
    """Return a number with as many digits as tell something."""
    if value is None:
        return _NOTHING
    if isinstance(value, int):
        return f"{value:,}".replace("-", _MINUS)
    form = ",.0f" if _LARGE <= abs(value) < _VAST else f",.{digits}g"
    return f"{_unsigned_zero(value):{form}}".replace("-", _MINUS)


def share(value: float | None) -> str:
    """Return a share in per cent."""
    return _NOTHING if value is None else f"{100 * value:.1f} %"


def moment(time: datetime | None) -> str:
    """Return a time to the second, in UTC as all times of the record."""
    return _NOTHING if time is None else f"{time:%Y-%m-%d %H:%M:%S}"


def seconds(value: float | None) -> str:
    """Return a length of time."""
    if value is None:
        return _NOTHING
    if value < _MINUTE:
        return f"{value:,.2f} s" if value < 1 else f"{value:,.1f} s"
    minutes, rest = divmod(round(value), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def command(*words: object) -> str:
    """Return a command as a person types it into a shell."""
    return visible("payment-sim " + shlex.join(str(word) for word in words))


def game_command(name: str, game_id: str, path: Path, *more: str) -> str:
    """Return a command on a game as a person types it, with its database where it needs one."""
    where = () if path == _DEFAULT_DATABASE else ("--db", path)
    return command(name, game_id, *more, *where)


def link(path: str, **parameters: object) -> str:
    """Return an address within the dashboard; parameters that are None are left out."""
    given = [(name, str(value)) for name, value in parameters.items() if value is not None]
    return path + ("?" + urlencode(given, errors="replace") if given else "")


def _unsigned_zero(value: float) -> float:
    return value + 0.0 if value else 0.0
