"""Reads what a record holds as JSON, and writes texts and numbers of it; none of it is trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from payment_simulator.ai_cash_mgmt.record.certified import finite
from payment_simulator.wording import decimals

#: Parameters between these are shown with four decimals.
_LEAST, _MOST = 0.0001, 1e9


def object_of(text: str) -> dict[str, Any]:
    """Return the JSON object of a text; an empty one where it is something else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def numbers_of(values: Any) -> dict[str, float]:
    """Return the finite numbers of a JSON object, by name."""
    if not isinstance(values, Mapping):
        return {}
    found = {str(name): finite(value) for name, value in values.items()}
    return {name: number for name, number in found.items() if number is not None}


def parameter(value: float | None) -> str:
    """Return a parameter with four decimals; one that these would hide or drown, as it is."""
    if value is None:
        return "-"
    if value and not _LEAST <= abs(value) < _MOST:
        return f"{value:.6g}"
    return decimals(value, 4)


def ratio(value: float | None) -> str:
    """Return a quotient with three decimals."""
    return decimals(value, 3)


def share(value: float | None) -> str:
    """Return a share in per cent; one that is not the whole never looks like it."""
    if value is None:
        return "-"
    text = f"{100 * value:.1f} %"
    return "99.9 %" if value < 1 and text == "100.0 %" else text


def some(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Return some names in words, with the number of the others."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
