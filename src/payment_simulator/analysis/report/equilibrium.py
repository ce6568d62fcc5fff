"""How far from an equilibrium a game ended, as its certificate tells."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.persistence.models import EquilibriumCertificateRecord
from payment_simulator.ai_cash_mgmt.record.certified import certified
from payment_simulator.analysis.report.tables import Column, Table, Value, shown
from payment_simulator.analysis.report.texts import parsed, shortened
from payment_simulator.wording import counted

#: Equilibria that are listed.
_MOST: Final = 60
#: Banks whose strategies and costs an equilibrium names one by one.
_MOST_BANKS: Final = 8
_LARGEST: Final = sys.float_info.max


@dataclass(frozen=True)
class Certificate:
    """What a report says of an equilibrium certificate.

    Attributes
    ----------
    sentences : list of str
        What was found, in words.
    tables : list of Table
        Regrets, and pure equilibria where they were listed.
    """

    sentences: list[str]
    tables: list[Table]


def certificate_of(record: EquilibriumCertificateRecord) -> Certificate:
    """Return what a report says of a certificate."""
    equilibria = parsed(record.pure_equilibria_json)
    tables = [_regrets(record)]
    if isinstance(equilibria, list) and equilibria:
        tables.append(_equilibria(equilibria))
    return Certificate(list(_sentences(record, equilibria)), tables)


def _sentences(record: EquilibriumCertificateRecord, equilibria: Any) -> list[str]:
    found = certified(record)
    days = counted(record.num_samples, "sample day")
    distance = found.describe(_money)
    said = [
        f"Deviations were valued on {days}, others than those on which they were chosen.",
        f"The most that a bank could still gain alone, the distance from it, is {distance}.",
    ]
    if isinstance(equilibria, list):
        said.append(f"On the grid there {_number_of(len(equilibria))}.")
    optimum = parsed(record.social_optimum_json)
    if isinstance(optimum, dict) and _is_number(optimum.get("total_cost")):
        points = optimum.get("points")
        where = _strategies(points[0]) if isinstance(points, list) and points else ""
        more = f" (and {len(points) - 1} more)" if isinstance(points, list) and points[1:] else ""
        total = shown(float(optimum["total_cost"]), "money")
        said.append(
            f"The least that all banks together could pay, the social optimum, is {total}"
            + (f", at {where}{more}." if where else ".")
        )
    if record.price_of_anarchy is not None:
        said.append(
            f"The price of anarchy, the total cost of the worst equilibrium over that of the "
            f"optimum, is {record.price_of_anarchy:.6g}."
        )
    return said


def _number_of(equilibria: int) -> str:
    if equilibria == 0:
        return "is no pure equilibrium"
    return "is 1 pure equilibrium" if equilibria == 1 else f"are {equilibria:,} pure equilibria"


def _regrets(record: EquilibriumCertificateRecord) -> Table:
    best, found = parsed(record.best_deviations_json), certified(record)
    deviations = best if isinstance(best, dict) else {}
    rows: list[tuple[Value, ...]] = [
        (bank, regret.estimate, regret.low, regret.high, _named(deviations.get(bank)))
        for bank, regret in found.regrets.items()
    ]
    columns = (
        Column("bank"),
        *(Column(name, "money") for name in ("regret", "at least", "at most")),
        Column("best deviation"),
    )
    note = (
        "Regret is what a bank could gain by its best deviation, the others as they are: an "
        f"estimate and its 95 % interval, {found.tried()}."
    )
    return Table("regrets", "What each bank could still gain alone", columns, rows, note)


def _named(best: Any) -> str:
    """Return a deviation in words: its parameters, or the name of a policy with other trees."""
    if isinstance(best, dict) and "policy_id" in best:
        return shortened(f"policy {best['policy_id']}", 400)
    return _strategies(best) or "none is better"


def _money(value: float | None) -> str:
    return shown(value, "money")


def _equilibria(equilibria: list[Any]) -> Table:
    listed = [item for item in equilibria[:_MOST] if isinstance(item, dict)]
    banks = list(dict.fromkeys(bank for item in listed for bank in _mapping(item.get("point"))))
    columns = [Column("number", "count")]
    if len(banks) <= _MOST_BANKS:
        columns += [Column(f"strategy of {bank}", "number") for bank in banks]
        columns += [Column(f"cost of {bank}", "money") for bank in banks]
    else:
        columns.append(Column("strategies"))
    columns.append(Column("cost of all banks", "money"))
    rows: list[tuple[Value, ...]] = []
    for number, item in enumerate(listed, 1):
        point, costs = _mapping(item.get("point")), _mapping(item.get("costs"))
        known = {bank: float(cost) for bank, cost in costs.items() if _is_number(cost)}
        total = math.fsum(known.values()) if known else None
        if len(banks) <= _MOST_BANKS:
            cells = [_plain(point.get(bank)) for bank in banks]
            cells += [known.get(bank) for bank in banks]
        else:
            cells = [_strategies(point)]
        rows.append((number, *cells, total))
    left_out = len(equilibria) - len(listed)
    note = (
        f"{left_out} more are in the record's table equilibrium_certificates." if left_out else ""
    )
    return Table("pure-equilibria", "Pure equilibria on the grid", tuple(columns), rows, note)


def _strategies(point: Any) -> str:
    if not isinstance(point, dict) or not point:
        return ""
    return shortened(", ".join(f"{name} {_said(value)}" for name, value in point.items()), 400)


def _said(value: Any) -> str:
    return f"{value:.6g}" if _is_number(value) else str(value)


def _plain(value: Any) -> Value:
    return float(value) if _is_number(value) else None if value is None else str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    # JSON may hold whole numbers of any length; those beyond a float are shown as texts.
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and not (isinstance(value, int) and abs(value) > _LARGEST)
