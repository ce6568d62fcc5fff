"""The kinds of values that scenario files hold, and what every section of a file has in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

#: No single amount of money in a scenario is larger, in cents.
MAX_CENTS = 10**15
#: No run has more ticks, through all its days.
MAX_TICKS = 10_000_000
#: No rate, multiplier or factor of costs is larger.
MAX_FACTOR = 1e12
#: No payments arrive at a larger rate per tick, with all multipliers in force.
MAX_RATE = 1e6
#: Priorities go from 0 to this.
MAX_PRIORITY = 10
MAX_SEED = 2**63 - 1

#: The types of pydantic's errors that this package words itself.
MISFIT = "misfit"
UNKNOWN_KEY = "unknown_key"
UNKNOWN_TYPE = "unknown_type"


def misfit(problem: str, *at: str) -> PydanticCustomError:
    """Make an error whose text is shown as it is.

    Parameters
    ----------
    problem : str
        What is wrong, and what was expected.
    *at : str
        Keys that lead from the section that is checked to what is wrong.
    """
    return PydanticCustomError(MISFIT, "{problem}", {"problem": problem, "at": at})


def expected(value: Any, expectation: str, *, is_text: bool = False) -> PydanticCustomError:
    """Make the error for a value that is not what was expected.

    Parameters
    ----------
    value : Any
        What was given.
    expectation : str
        What was expected, in words.
    is_text : bool
        Whether that is a text, so that to be one is no fault.
    """
    return misfit(f"{describe(value, is_text=is_text)}; expected {expectation}")


def describe(value: Any, *, is_text: bool = False) -> str:
    """Say in a few words what a value is; ``is_text`` as in :func:`expected`."""
    if value is None:
        return "nothing was given"
    if isinstance(value, dict):
        return "a mapping was given"
    if isinstance(value, list | tuple):
        return "a list was given"
    if isinstance(value, str):
        return f"{quoted(value)} {'was given' if is_text else 'is text'}"
    shown = _digits(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return f"{shown} is negative"
    return f"{shown} was given"


def _digits(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # Writing out a number of very many digits is refused by Python, and helps nobody.
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    return shortened(repr(value))


def quoted(text: str) -> str:
    """Quote a text from a file so that it stays on one line and short."""
    return shortened(repr(text[:200]))


def shortened(text: str, most: int = 60) -> str:
    """Cut a text that is too long to be read in a message."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def is_whole(value: Any) -> bool:
    """Tell whether a value is a whole number; 1000.0 is one, true and "1" are not."""
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number; true and "1" are not."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def whole_in(lowest: int, highest: int, unit: str = "") -> BeforeValidator:
    """Make the check of a whole number between two bounds, both allowed."""
    words = f"a whole number from {_short(lowest)} to {_short(highest)}{unit and f' ({unit})'}"

    def check(value: Any) -> int:
        if not is_whole(value) or not lowest <= value <= highest:
            raise expected(value, words)
        return int(value)

    return BeforeValidator(check)


def number_in(lowest: float, highest: float, unit: str = "") -> BeforeValidator:
    """Make the check of a number between two bounds, both allowed."""
    words = f"a number from {_short(lowest)} to {_short(highest)}{unit and f' ({unit})'}"

    def check(value: Any) -> float:
        if not is_number(value) or not lowest <= value <= highest:
            raise expected(value, words)
        return float(value)

    return BeforeValidator(check)


def _short(bound: float) -> str:
    names = {MAX_CENTS: "10^15", -MAX_CENTS: "-10^15", MAX_SEED: "2^63 - 1"}
    is_plain = bound == int(bound) and abs(bound) < 10**9
    return names.get(int(bound), str(int(bound)) if is_plain else f"{bound:g}")


def checked(
    is_fine: Callable[[Any], bool], words: str, *, is_text: bool = False
) -> BeforeValidator:
    """Make a check that lets a value through as it is, or says what was expected.

    Parameters
    ----------
    is_fine : callable
        Tells whether a value is.
    words : str
        What was expected.
    is_text : bool
        Whether that is a text, of some form.
    """

    def check(value: Any) -> Any:
        if not is_fine(value):
            raise expected(value, words, is_text=is_text)
        return value

    return BeforeValidator(check)


def typed(*kinds: str) -> BeforeValidator:
    """Make the check of a mapping whose key ``type`` is one of some words."""

    def check(value: Any) -> Any:
        if isinstance(value, BaseModel):
            return value
        if not isinstance(value, dict):
            raise expected(value, "a mapping with the key type")
        kind = value.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            raise PydanticCustomError(UNKNOWN_TYPE, "type", {"known": kinds})
        return value

    return BeforeValidator(check)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and value.strip() == value != ""


Cents = Annotated[int, whole_in(0, MAX_CENTS, "cents")]
PositiveCents = Annotated[int, whole_in(1, MAX_CENTS, "cents")]
SignedCents = Annotated[int, whole_in(-MAX_CENTS, MAX_CENTS, "cents")]
Ticks = Annotated[int, whole_in(0, MAX_TICKS, "ticks")]
PositiveTicks = Annotated[int, whole_in(1, MAX_TICKS, "ticks")]
Priority = Annotated[int, whole_in(0, MAX_PRIORITY)]
Share = Annotated[float, number_in(0.0, 1.0)]
Factor = Annotated[float, number_in(0.0, MAX_FACTOR)]
Rate = Annotated[float, number_in(0.0, MAX_RATE, "payments per tick")]
Weight = Annotated[float, number_in(0.0, MAX_FACTOR)]
Flag = Annotated[bool, checked(lambda value: isinstance(value, bool), "true or false")]
Text = Annotated[str, checked(lambda value: isinstance(value, str), "text (put it in quotes)")]
Name = Annotated[
    str,
    checked(
        _is_name,
        "a name: text of printable characters that neither begins nor ends in space",
        is_text=True,
    ),
]


class Section(BaseModel):
    """A mapping in a scenario file: its keys are known, and once read it stays as it is.

    Attributes
    ----------
    OTHER_NAMES : dict of str to str
        Keys that files of the field use too, with the name under which they are kept here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    OTHER_NAMES: ClassVar[dict[str, str]] = {}

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys that a file may use here."""
        names = [field.alias or name for name, field in cls.model_fields.items()]
        return names + list(cls.OTHER_NAMES)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, data: Any) -> Any:
        if isinstance(data, BaseModel):
            return data
        if not isinstance(data, dict):
            raise expected(data, "a mapping (key: value)")
        known = cls.keys()
        for key in data:
            if key not in known:
                raise PydanticCustomError(UNKNOWN_KEY, "{key}", {"key": key, "known": known})
        return cls._rename(data)

    @classmethod
    def _rename(cls, data: dict[str, Any]) -> dict[str, Any]:
        for other, name in cls.OTHER_NAMES.items():
            if other in data and name in data:
                raise misfit(
                    f"{name} and {other} are two names of one key; expected one of them", other
                )
        return {cls.OTHER_NAMES.get(key, key): value for key, value in data.items()}
