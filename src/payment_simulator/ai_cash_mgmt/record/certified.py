"""What a certificate of the record says of the distance from an equilibrium."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import EquilibriumCertificateRecord
from payment_simulator.wording import counted, money

_UNKNOWN = "not known"


@dataclass(frozen=True)
class CertifiedRegret:
    """What a bank could gain alone, as the record has it.

    Attributes
    ----------
    estimate, low, high : float or None
        The estimate, and the ends of its interval, cents; None where the record has none.
    """

    estimate: float | None
    low: float | None = None
    high: float | None = None

    def interval(self, write: Callable[[float | None], str] = money) -> str:
        """Return the interval in words."""
        if self.low is None and self.high is None:
            return f"interval {_UNKNOWN}"
        if self.low == self.high == self.estimate:
            return "exact"
        low, high = (_UNKNOWN if end is None else write(end) for end in (self.low, self.high))
        return f"95 % interval {low} to {high}"


@dataclass(frozen=True)
class Certified:
    """The distance from an equilibrium, its interval, and what it is measured among.

    Attributes
    ----------
    distance : CertifiedRegret
        The largest estimate; its upper end is above what any bank gains by any deviation tried.
    regrets : dict of str to CertifiedRegret
        Of each bank.
    num_deviations : int or None
    deviation_space : str or None
        What they vary.
    is_within_tolerance : bool or None
        Whether the interval of each bank is as narrow as asked for.
    """

    distance: CertifiedRegret
    regrets: dict[str, CertifiedRegret]
    num_deviations: int | None
    deviation_space: str | None
    is_within_tolerance: bool | None

    def describe(self, write: Callable[[float | None], str] = money) -> str:
        """Say how far it is: never without the interval, and what was tried."""
        said = f"{write(self.distance.estimate)} ({self.distance.interval(write)}), {self.tried()}"
        return f"{said}{self.shortfall()}"

    def tried(self) -> str:
        """Say among what the distance was measured."""
        if self.num_deviations is None:
            return "the deviations tried were not counted"
        where = and_joined((self.deviation_space or "").split(", "))
        return f"of {counted(self.num_deviations, 'deviation')} tried in {where or 'nothing'}"

    def shortfall(self) -> str:
        """Say that the interval is wider than asked for, where it is."""
        return "; more days would be needed to know" if self.is_within_tolerance is False else ""


def certified(record: EquilibriumCertificateRecord) -> Certified:
    """Return what a certificate says."""
    found = regrets_of(record.regrets_json)
    distance = record.distance_from_equilibrium
    low = next((regret.low for regret in found.values() if regret.estimate == distance), None)
    return Certified(
        CertifiedRegret(distance, low, record.distance_upper_bound),
        found,
        record.num_deviations,
        record.deviation_space,
        record.is_within_tolerance,
    )


def regrets_of(text: str) -> dict[str, CertifiedRegret]:
    """Return the regrets in a JSON text, by bank; what is no regret is left out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    banks = found.items() if isinstance(found, dict) else ()
    return {bank: regret for bank, value in banks if (regret := _regret(value)) is not None}


def regrets_dict(regrets: dict[str, CertifiedRegret]) -> dict[str, dict[str, float | None]]:
    """Return regrets as JSON has them."""
    return {bank: asdict(regret) for bank, regret in regrets.items()}


def and_joined(words: list[str]) -> str:
    """Return words as a sentence lists them."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _regret(value: Any) -> CertifiedRegret | None:
    if isinstance(value, dict):
        estimate, low, high = (finite(value.get(name)) for name in ("estimate", "low", "high"))
        return None if estimate is None else CertifiedRegret(estimate, low, high)
    estimate = finite(value)
    return None if estimate is None else CertifiedRegret(estimate)


def finite(value: Any) -> float | None:
    """Return a value as a finite number; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
