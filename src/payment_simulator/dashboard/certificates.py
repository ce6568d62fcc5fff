"""What a certificate found, as small tables."""

from __future__ import annotations

import math
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import EquilibriumCertificateRecord
from payment_simulator.analysis.report.equilibrium import certificate_of
from payment_simulator.analysis.report.tables import Column, Table, Value
from payment_simulator.analysis.report.texts import parsed, shortened

#: Points of the optimum that are listed, and banks that have a column each.
_MOST_POINTS, _MOST_BANKS = 20, 8


def certificate_tables(record: EquilibriumCertificateRecord) -> list[Table]:
    """Return what each bank could still gain, the equilibria and the social optimum.

    What a certificate does not have, or has in a form that is not known, is left out.
    """
    try:
        optimum = _optimum(parsed(record.social_optimum_json))
        return [*certificate_of(record).tables, *([optimum] if optimum else [])]
    except OverflowError:  # JSON may hold whole numbers beyond all floats
        return []


def _optimum(found: Any) -> Table | None:
    points = found.get("points") if isinstance(found, dict) else None
    named = (
        [point for point in points if isinstance(point, dict)] if isinstance(points, list) else []
    )
    if not named:
        return None
    total = found.get("total_cost")
    cost = float(total) if _is_number(total) else None
    banks = list(dict.fromkeys(str(bank) for point in named for bank in point))
    heads = [f"strategy of {bank}" for bank in banks]
    rows: list[tuple[Value, ...]] = [
        (*(_value(point.get(bank)) for bank in banks), cost) for point in named[:_MOST_POINTS]
    ]
    if len(banks) > _MOST_BANKS:
        heads = ["strategies"]
        rows = [(_together(point), cost) for point in named[:_MOST_POINTS]]
    columns = [Column(head, "text" if head == "strategies" else "number") for head in heads]
    left_out = len(named) - _MOST_POINTS
    return Table(
        "social-optimum",
        "Social optimum: the least that all banks together could pay",
        (*columns, Column("cost of all banks", "money")),
        rows,
        f"{left_out} more points cost the same." if left_out > 0 else "",
    )


def _together(point: dict[str, Any]) -> str:
    return shortened(", ".join(f"{bank} {value}" for bank, value in point.items()), 400)


def _value(value: Any) -> Value:
    if _is_number(value):
        return float(value)
    return None if value is None else shortened(str(value))


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
