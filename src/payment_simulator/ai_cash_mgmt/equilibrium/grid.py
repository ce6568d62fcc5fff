"""A table of what every combination of choices costs every bank, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from payment_simulator.ai_cash_mgmt.equilibrium.outcomes import BestResponse, Outcome, SocialOptimum
from payment_simulator.ai_cash_mgmt.evaluation.ties import Masks, is_tie
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Floats
from payment_simulator.wording import nearest, number_text, quoted, shown

#: NumPy has no arrays of more axes; the last is the banks'.
MAX_PLAYERS = 63


def _places(is_wanted: Masks) -> list[list[int]]:
    """Return where a mask is true, in the order of the table."""
    found: list[list[int]] = np.argwhere(is_wanted).tolist()
    return found


@dataclass(frozen=True, eq=False)
class GridEquilibrium:
    """A game on a grid: every bank chooses one value, and the table says what that costs.

    Attributes
    ----------
    banks : tuple of str
        Those that choose.
    values : Mapping of str to tuple of float
        What each may choose.
    cost : ndarray[float64], shape (values of each bank in turn ..., bank_ids), cents
        One axis for each bank that chooses, then one for all banks.
    bank_ids : tuple of str
        All banks that pay; those that choose if not given.
    parameter : str
        What is chosen.
    n_samples : int
        Samples that a cost is the mean of.
    seed : int, optional
        Seed of their arrivals.

    Raises
    ------
    InputError
        The parts do not fit together, or a cost is not a finite number.

    Notes
    -----
    Costs are the same where they differ by at most ``TIE_TOLERANCE`` (10⁻⁹) of the larger one.
    """

    banks: tuple[str, ...]
    values: Mapping[str, Sequence[float]]
    cost: Floats
    bank_ids: tuple[str, ...] = ()
    parameter: str = "initial_liquidity_fraction"
    n_samples: int = 1
    seed: int | None = None

    def __post_init__(self) -> None:
        """Take copies that nobody else can change, and check that they fit."""
        banks = tuple(self.banks)
        given = self.values
        values = {bank: tuple(map(float, given.get(bank, ()))) for bank in banks}
        cost = np.array(self.cost, dtype=np.float64)
        cost.flags.writeable = False
        object.__setattr__(self, "banks", banks)
        object.__setattr__(self, "values", MappingProxyType(values))
        object.__setattr__(self, "cost", cost)
        object.__setattr__(self, "bank_ids", tuple(self.bank_ids) or banks)
        self._check(given)

    def _check(self, given: Mapping[str, Any]) -> None:
        if not self.banks or len(set(self.banks)) < len(self.banks):
            raise InputError(f"banks: {self.banks!r}; expected at least one, and none twice")
        strange = [bank for bank in (*given, *self.banks) if bank not in self.bank_ids]
        if strange or set(given) != set(self.banks):
            raise InputError(
                f"values are given for {', '.join(given)}; expected them for "
                f"{', '.join(self.banks)}, which are to be among {', '.join(self.bank_ids)}"
            )
        for bank, values in self.values.items():
            if not values or len(set(values)) < len(values):
                raise InputError(
                    f"values of bank {quoted(bank)}: expected at least one, and none twice"
                )
        expected = (*self.shape, len(self.bank_ids))
        if self.cost.shape != expected:
            raise InputError(f"cost has shape {self.cost.shape}; expected {expected}")
        if not np.isfinite(self.cost).all():
            raise InputError("cost holds NaN or infinite numbers; expected finite ones")

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each bank that chooses."""
        return tuple(len(self.values[bank]) for bank in self.banks)

    @cached_property
    def total_cost(self) -> Floats:
        """Cost of all banks together at every point, cents; added in the order of the banks."""
        total = np.zeros(self.shape)
        for place in range(len(self.bank_ids)):
            total = total + self.cost[..., place]
        return total

    @cached_property
    def _own(self) -> tuple[Floats, ...]:
        """For each bank that chooses: its cost, and nobody else's."""
        return tuple(self.cost[..., self.bank_ids.index(bank)] for bank in self.banks)

    @cached_property
    def _lowest(self) -> tuple[Floats, ...]:
        """For each bank: its least cost against what the others chose; its own axis is 1 long."""
        return tuple(own.min(axis=axis, keepdims=True) for axis, own in enumerate(self._own))

    @cached_property
    def _is_best(self) -> tuple[Masks, ...]:
        """For each bank: where its choice is a best response."""
        return tuple(map(is_tie, self._own, self._lowest))

    @cached_property
    def _is_equilibrium(self) -> Masks:
        stable: Masks = np.logical_and.reduce(self._is_best)
        return stable

    def _point(self, place: Sequence[int]) -> dict[str, float]:
        chosen = zip(self.banks, place, strict=True)
        return {bank: self.values[bank][index] for bank, index in chosen}

    def outcome(self, point: Mapping[str, float]) -> Outcome:
        """Return what a combination of choices costs every bank.

        Raises
        ------
        InputError
            It is not on the grid.
        """
        return self._outcome(self._place(point))

    def _outcome(self, place: Sequence[int]) -> Outcome:
        costs = map(float, self.cost[tuple(place)])
        return Outcome(self._point(place), dict(zip(self.bank_ids, costs, strict=True)))

    @cached_property
    def pure_equilibria(self) -> tuple[Outcome, ...]:
        """All points where no bank gains by another choice, the others as they are."""
        return tuple(self._outcome(place) for place in _places(self._is_equilibrium))

    @cached_property
    def best_responses(self) -> Mapping[str, tuple[BestResponse, ...]]:
        """For each bank: what is best for it against every combination of the others' choices."""
        found = {bank: tuple(self._responses(axis)) for axis, bank in enumerate(self.banks)}
        return MappingProxyType(found)

    def _responses(self, axis: int) -> Iterator[BestResponse]:
        bank = self.banks[axis]
        least = self._lowest[axis].squeeze(axis)
        is_best = np.moveaxis(self._is_best[axis], axis, -1)
        for place in np.ndindex(least.shape):
            others = self._point((*place[:axis], 0, *place[axis:]))
            del others[bank]
            best = tuple(self.values[bank][index] for (index,) in _places(is_best[place]))
            yield BestResponse(others, best, float(least[place]))

    @cached_property
    def social_optimum(self) -> SocialOptimum:
        """All points of the lowest total cost, banks without a choice included."""
        lowest = self.total_cost.min()
        places = _places(is_tie(self.total_cost, lowest))
        return SocialOptimum(tuple(map(self._point, places)), float(lowest))

    @cached_property
    def _worst(self) -> float | None:
        """Total cost of the worst equilibrium, cents; None where there is none."""
        stable = self.total_cost[self._is_equilibrium]
        return float(stable.max()) if stable.size else None

    @property
    def price_of_anarchy(self) -> float | None:
        """Total cost of the worst pure equilibrium, divided by that of the social optimum.

        1 where both are the same, zero included. None where it is no number;
        ``price_of_anarchy_note`` says why.
        """
        worst, optimum = self._worst, self.social_optimum.total_cost
        if worst is None:
            return None
        if is_tie(np.array(worst), np.array(optimum)):
            return 1.0
        return worst / optimum if optimum > 0 else None

    @property
    def price_of_anarchy_note(self) -> str | None:
        """Why there is no price of anarchy; None where there is one."""
        if self.price_of_anarchy is not None:
            return None
        if self._worst is None:
            return "there is no pure equilibrium on the grid"
        if self.social_optimum.total_cost == 0:
            return "infinite: the social optimum costs nothing, the worst equilibrium does"
        return "undefined: the total cost of the social optimum is below zero"

    def regret(self, point: Mapping[str, float]) -> dict[str, float]:
        """Return what each bank would gain by its best other choice, cents.

        Parameters
        ----------
        point : Mapping of str to float
            A value of the grid for each bank that chooses.

        Returns
        -------
        dict of str to float
            0 where its choice is a best response; all are 0 at an equilibrium, and only there.

        Raises
        ------
        InputError
            The point is not on the grid.
        """
        place, gains = self._place(point), {}
        for axis, bank in enumerate(self.banks):
            least = self._lowest[axis][(*place[:axis], 0, *place[axis + 1 :])]
            gain = float(self._own[axis][place] - least)
            gains[bank] = 0.0 if self._is_best[axis][place] else gain
        return gains

    def distance_from_equilibrium(self, point: Mapping[str, float]) -> float:
        """Return the largest regret at a point, cents."""
        return max(self.regret(point).values())

    def _place(self, point: Mapping[str, float]) -> tuple[int, ...]:
        for bank in point:
            if bank not in self.banks:
                raise InputError(f"point: bank {quoted(bank)}; {nearest(bank, self.banks)}")
        place = []
        for bank in self.banks:
            if bank not in point:
                raise InputError(f"point: no value for bank {quoted(bank)}; expected one for each")
            values, value = self.values[bank], point[bank]
            if value not in values:
                near = min(values, key=lambda known: abs(known - value))
                raise InputError(
                    f"point: bank {quoted(bank)} has {shown(value)}, which is not on its grid; "
                    f"nearest: {number_text(near)}"
                )
            place.append(values.index(value))
        return tuple(place)

    def to_dict(self) -> dict[str, Any]:
        """Return all that follows from the table, as JSON has it."""
        responses = self.best_responses.items()
        return {
            "pure_equilibria": [outcome.to_dict() for outcome in self.pure_equilibria],
            "best_responses": {bank: [r.to_dict() for r in found] for bank, found in responses},
            "social_optimum": self.social_optimum.to_dict(),
            "price_of_anarchy": self.price_of_anarchy,
        }
