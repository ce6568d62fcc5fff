"""What is found on a grid: points with their costs, best responses, the social optimum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """A combination of choices and what it costs.

    Attributes
    ----------
    point : Mapping of str to float
        The value that each bank chose.
    costs : Mapping of str to float
        Cents, for every bank of the scenario, those without a choice included.
    """

    point: Mapping[str, float]
    costs: Mapping[str, float]

    @property
    def total_cost(self) -> float:
        """Cost of all banks together, cents; added in the order of the banks."""
        return sum(self.costs.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {"point": dict(self.point), "costs": dict(self.costs)}


@dataclass(frozen=True)
class BestResponse:
    """What is best for a bank against one combination of choices of the others.

    Attributes
    ----------
    others : Mapping of str to float
        The values that the others chose.
    best : tuple of float
        All values of the lowest cost, in the order of the grid.
    cost : float
        That cost, in cents.
    """

    others: Mapping[str, float]
    best: tuple[float, ...]
    cost: float

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {"others": dict(self.others), "best": list(self.best), "cost": self.cost}


@dataclass(frozen=True)
class SocialOptimum:
    """Where all banks together pay least.

    Attributes
    ----------
    points : tuple of Mapping
        All combinations of the lowest total cost, in the order of the grid.
    total_cost : float
        That cost, in cents.
    """

    points: tuple[Mapping[str, float], ...]
    total_cost: float

    def to_dict(self) -> dict[str, Any]:
        """Return the same as JSON has it."""
        return {"points": [dict(point) for point in self.points], "total_cost": self.total_cost}
