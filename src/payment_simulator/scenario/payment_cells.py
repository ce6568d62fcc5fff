"""Reads the cells of a payments file: what each must be, and what it becomes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

from payment_simulator.scenario.model import ObservedPayment
from payment_simulator.scenario.values import MAX_CENTS, MAX_PRIORITY, MAX_TICKS, quoted, shortened

DEFAULT_PRIORITY = 5
SECONDS_PER_DAY = 86_400

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class BadCellError(ValueError):
    """A cell does not hold what its column should.

    Attributes
    ----------
    column : str
        Our name of the column; empty where the whole line is bad.
    unknown_bank : str, optional
        What should have been the name of a bank. The nearest one is looked for only where the
        error is shown: thousands of lines that are skipped need none.
    """

    def __init__(self, column: str, problem: str, unknown_bank: str | None = None) -> None:
        super().__init__(problem)
        self.column = column
        self.unknown_bank = unknown_bank


@dataclass(frozen=True, slots=True)
class LineReader:
    """Turns a row into a payment.

    Attributes
    ----------
    places : mapping of str to int
        Our names of the columns that the file has, and where they are.
    n_columns : int
        Cells that every row must have.
    banks : mapping of str to int
        Numbers of the banks.
    """

    places: Mapping[str, int]
    n_columns: int
    banks: Mapping[str, int]
    ticks_per_day: int
    num_days: int

    def read(self, row: list[Any]) -> ObservedPayment:
        """Return the payment in a row.

        Raises
        ------
        BadCellError
            A cell is missing, or is not what is expected in its column.
        """
        if len(row) != self.n_columns:
            raise BadCellError("", f"{len(row)} cells; expected {self.n_columns}, as in the header")
        cells = {name: _tidy(row[place]) for name, place in self.places.items()}
        tick = self._tick(cells)
        sender = self._bank(cells, "sender")
        receiver = self._bank(cells, "receiver")
        if sender == receiver:
            raise BadCellError(
                "receiver", f"{quoted(str(cells['receiver']))} pays itself; expected another bank"
            )
        last_tick_of_day = self.ticks_per_day - 1 - tick % self.ticks_per_day
        return ObservedPayment(
            tick=tick,
            sender=sender,
            receiver=receiver,
            amount=_whole(cells, "amount", 1, MAX_CENTS, unit="cents"),
            deadline_offset=_whole(cells, "deadline", 0, MAX_TICKS, default=last_tick_of_day),
            priority=_whole(cells, "priority", 0, MAX_PRIORITY, default=DEFAULT_PRIORITY),
            divisible=_truth(cells, "divisible"),
        )

    def _tick(self, cells: dict[str, Any]) -> int:
        first = 0
        if "day" in cells:
            first = self.ticks_per_day * _whole(cells, "day", 0, self.num_days - 1)
        elif "tick" in cells:
            return _whole(cells, "tick", 0, self.ticks_per_day * self.num_days - 1)
        if "time" in cells:
            return first + _seconds(cells["time"]) * self.ticks_per_day // SECONDS_PER_DAY
        return first + _whole(cells, "tick", 0, self.ticks_per_day - 1)

    def _bank(self, cells: dict[str, Any], name: str) -> int:
        value = cells[name]
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value in self.banks:
            return self.banks[value]
        if value is None or value == "":
            raise BadCellError(name, "the cell is empty; expected a bank")
        raise BadCellError(name, f"{_shown(value)} is no bank of the scenario", str(value))


def _tidy(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _whole(
    cells: Mapping[str, Any],
    name: str,
    lowest: int,
    highest: int,
    *,
    default: int | None = None,
    unit: str = "",
) -> int:
    """Return a whole number; an empty cell, or none, gives the default where there is one."""
    value = cells.get(name)
    if value in (None, "") and default is not None:
        return default
    number = _number(value)
    if number is None or not lowest <= number <= highest:
        raise BadCellError(
            name,
            f"{_shown(value)}; expected a whole number from {lowest} to {highest}"
            f"{unit and f' ({unit})'}",
        )
    return number


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if _WHOLE.fullmatch(value) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else None
    return None


def _seconds(value: Any) -> int:
    """Return the seconds from midnight to a time of day."""
    if isinstance(value, time):
        return value.hour * 3600 + value.minute * 60 + value.second
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise BadCellError("time", f"{_shown(value)}; expected a time, HH:MM or HH:MM:SS")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _truth(cells: Mapping[str, Any], name: str) -> bool:
    value = cells.get(name)
    if value in (None, ""):
        return False
    truth = _TRUTH.get(str(value).lower()) if isinstance(value, str | bool | int) else None
    if truth is None:
        raise BadCellError(name, f"{_shown(value)}; expected true, false, 1 or 0")
    return truth


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "the cell is empty"
    if isinstance(value, str):
        is_text = not any("\udc80" <= character <= "\udcff" for character in value)
        return quoted(value) if is_text else f"{quoted(value)} is not UTF-8"
    return shortened(str(value))


def near_misses(header: list[str], absent: list[str]) -> list[tuple[str, str]]:
    """Return columns whose names look like misspelled names of ours, with those names.

    Parameters
    ----------
    header : list of str
        The file's names.
    absent : list of str
        Our names that the file does not have.
    """
    found = []
    for column in header:
        near = difflib.get_close_matches(column.casefold(), absent, n=1, cutoff=0.8)
        if near:
            found.append((column, near[0]))
    return found
