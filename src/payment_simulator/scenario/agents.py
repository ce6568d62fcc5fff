"""A bank, as the scenario file describes it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

from pydantic import Field, model_validator

from payment_simulator.scenario.arrivals import ArrivalBands, ArrivalConfig
from payment_simulator.scenario.policy_configs import FifoPolicy, PolicyConfig
from payment_simulator.scenario.values import (
    MAX_CENTS,
    Cents,
    Name,
    Section,
    Share,
    expected,
    misfit,
)

#: Keys of the limits, which may also stand directly on the agent.
LIMITS = ("bilateral_limits", "multilateral_limit")
MILLION = 10**6
#: Capacity for collateral where none is given, as a multiple of the unsecured cap: what published
#: simulators of this kind assume.
CAPACITY_OF_CAP = 10


class Limits(Section):
    """The most that a bank's net outflow of a day may come to.

    Attributes
    ----------
    bilateral_limits : dict of str to int
        Cents, by counterparty.
    multilateral_limit : int, optional
        Cents, for all counterparties together.
    """

    bilateral_limits: dict[Name, Cents] = Field(default_factory=dict)
    multilateral_limit: Cents | None = None


class Agent(Section):
    """A bank.

    Attributes
    ----------
    opening_balance, unsecured_cap, posted_collateral : int
        Cents.
    collateral_haircut : float
        Share of posted collateral that gives no credit.
    max_collateral_capacity : int, optional
        Cents; see :attr:`collateral_capacity` where not given.
    liquidity_pool : int, optional
        Cents that the bank could fund at the open of a day.
    liquidity_allocation_fraction : float
        Share of the pool that it does fund, unless its policy says otherwise.
    """

    id: Name
    opening_balance: Cents
    unsecured_cap: Cents = 0
    policy: PolicyConfig = FifoPolicy()
    arrival_config: ArrivalConfig | None = None
    arrival_bands: ArrivalBands | None = None
    posted_collateral: Cents = 0
    collateral_haircut: Share = 0.0
    max_collateral_capacity: Cents | None = None
    limits: Limits = Limits()
    liquidity_pool: Cents | None = None
    liquidity_allocation_fraction: Share = 1.0

    @classmethod
    def keys(cls) -> list[str]:
        """Return the keys that a file may use here."""
        return [*super().keys(), *LIMITS]

    @classmethod
    def _rename(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Move limits that stand directly on the agent to where they belong."""
        direct = {name: data[name] for name in LIMITS if name in data}
        if not direct:
            return data
        limits = data.get("limits", {})
        if not isinstance(limits, dict):
            raise expected(limits, "limits as a mapping")
        for name in direct:
            if name in limits:
                raise misfit("it is given here and in limits; expected one place", name)
        rest = {name: value for name, value in data.items() if name not in direct}
        return rest | {"limits": limits | direct}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.arrival_config is not None and self.arrival_bands is not None:
            raise misfit("arrival_config is given too; expected one of them", "arrival_bands")
        if self.liquidity_pool is None and "liquidity_allocation_fraction" in self.model_fields_set:
            raise misfit(
                "it is given without a liquidity_pool, which it is a fraction of; "
                "expected both or neither",
                "liquidity_allocation_fraction",
            )
        return self

    @property
    def collateral_capacity(self) -> int:
        """The most that may be posted, cents: ten times the unsecured cap where not given."""
        if self.max_collateral_capacity is not None:
            return self.max_collateral_capacity
        return min(CAPACITY_OF_CAP * self.unsecured_cap, MAX_CENTS)

    @property
    def haircut_ppm(self) -> int:
        """The haircut in whole millionths, a half rounded up."""
        exact = Decimal(repr(self.collateral_haircut)) * MILLION
        return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))

    def rates_per_tick(self) -> dict[str, float]:
        """Return the mean number of random payments of each source, by its key in the file."""
        if self.arrival_config is not None:
            return {"arrival_config": self.arrival_config.rate_per_tick}
        if self.arrival_bands is not None:
            return {
                f"arrival_bands.{name}": band.rate_per_tick
                for name, band in self.arrival_bands.bands()
            }
        return {}
