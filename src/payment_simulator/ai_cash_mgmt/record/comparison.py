"""Compares rows that a game gives with those of the record, and says where they differ first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.ai_cash_mgmt.persistence.seals import CLOCK, SEAL

#: Columns that are not compared: those of the clock, and the version of the program.
ASIDE = CLOCK | {"package_version"}
_LINE = 80


class DifferenceError(BaseException):
    """The record differs from what was played; the message says where.

    No ``Exception``: it passes through the code that takes what a proposer raises for its failure.
    """


def compare_row(played: Record, stored: Record | None) -> None:
    """Compare a row of the game with that of the record, but for what tells the time.

    A seal is compared last, so that a value that can be computed is named itself.
    """
    place = f"{played.TABLE}, {place_of(played)}"
    if stored is None:
        raise DifferenceError(f"{place}: the game has this row, the record does not")
    for name in type(played).model_fields:
        if name not in ASIDE and name != SEAL:
            compare_values(f"{place}, {name}", getattr(played, name), getattr(stored, name))
    if SEAL in type(played).model_fields:
        check_seal(place, stored, str(getattr(played, SEAL)))


def check_seal(place: str, stored: Record, expected: str) -> None:
    """Compare a stored seal with that of the rows as they are."""
    if getattr(stored, SEAL) != expected:
        raise DifferenceError(
            f"{place}, {SEAL}: it is not the seal of these rows; something in them that came from "
            "outside the game (an answer, a proposal, a version, a reason) was changed"
        )


def check_none(table: str, stored: Iterable[Record], why: str) -> None:
    """Refuse rows that a game cannot have."""
    for row in stored:
        raise DifferenceError(f"{table}, {place_of(row)}: the record has this row, but {why}")


def place_of(record: Record) -> str:
    """Return what errors call a row."""
    key = {name: getattr(record, name) for name in type(record).KEY[1:]}
    if "iteration_number" in key:
        call = f", call {key['attempt_number']}" if "attempt_number" in key else ""
        return f"iteration {key['iteration_number']} of {key['agent_id']}{call}"
    return ", ".join(f"{name} {value}" for name, value in key.items()) or "row"


def compare_all(table: str, played: Sequence[Record], stored: Sequence[Record]) -> None:
    """Compare all rows of a table, by key."""
    by_key = {tuple(getattr(row, name) for name in row.KEY): row for row in stored}
    for row in played:
        compare_row(row, by_key.pop(tuple(getattr(row, name) for name in row.KEY), None))
    if by_key:
        row = next(iter(by_key.values()))
        raise DifferenceError(
            f"{table}, {place_of(row)}: the record has this row, the game does not"
        )


def compare_columns(
    place: str, played: Mapping[str, Sequence[Any]], stored: Mapping[str, Sequence[Any]]
) -> None:
    """Compare columns value by value."""
    sizes = {len(column) for column in played.values()}, {len(c) for c in stored.values()}
    if sizes[0] != sizes[1]:
        raise DifferenceError(f"{place}: {_size(sizes[1])} rows, expected {_size(sizes[0])}")
    for name, column in played.items():
        for number, (mine, theirs) in enumerate(zip(column, stored[name], strict=True), start=1):
            if mine != theirs:
                compare_values(f"{place}, row {number}, {name}", mine, theirs)


def _size(lengths: Iterable[int]) -> int:
    return max(lengths, default=0)


def columns_of(table: Any) -> dict[str, list[Any]]:
    """Return the columns of an Arrow table as lists."""
    return {name: table[name].to_pylist() for name in table.column_names}


def in_order(columns: dict[str, list[Any]], key: Sequence[str]) -> dict[str, list[Any]]:
    """Return rows in the order of their keys, which is that in which the record gives them."""
    keys = [columns[name] for name in key]
    rows = sorted(range(len(keys[0])), key=lambda row: [column[row] for column in keys])
    return {name: [column[row] for row in rows] for name, column in columns.items()}


def compare_values(place: str, played: Any, stored: Any) -> None:
    """Compare two values; floats to the bit, but for the sign of zero and NaN."""
    if played != stored:
        raise DifferenceError(
            f"{place}: the record has {_short(stored, played)}, played once more it is "
            f"{_short(played, stored)}"
        )


def compare_json(place: str, played: Any, stored: Any) -> None:
    """Compare what two JSON texts hold, and name the key that differs first."""
    if not isinstance(played, dict) or not isinstance(stored, dict):
        compare_values(place, played, stored)
        return
    for key in [*played, *(key for key in stored if key not in played)]:
        if key not in stored or key not in played:
            has, lacks = ("game", "record") if key in played else ("record", "game")
            raise DifferenceError(f"{place}, {key}: the {has} has this key, the {lacks} does not")
        compare_json(f"{place}, {key}", played[key], stored[key])


def _short(value: Any, other: Any) -> str:
    """Return a value as text; of a long one, the part where it begins to differ."""
    text, beside = repr(value), repr(other)
    if len(text) <= _LINE:
        return text
    same = next(
        (i for i, (a, b) in enumerate(zip(text, beside, strict=False)) if a != b),
        min(len(text), len(beside)),
    )
    first = max(same - 20, 0)
    return f"{'...' if first else ''}{text[first : same + 40]}..."
