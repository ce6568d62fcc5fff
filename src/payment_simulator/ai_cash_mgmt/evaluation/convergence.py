"""Whether a game has come to rest, or goes round in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payment_simulator.errors import InputError


@dataclass(frozen=True)
class Stability:
    """Costs are stable when none of a bank moves much within a window of iterations.

    Attributes
    ----------
    threshold : float
        By how much a bank's costs within the window may differ, as a share of the largest.
    window : int
        Iterations that are looked at: the last ones.
    """

    threshold: float
    window: int

    def __post_init__(self) -> None:
        """Refuse what could never, or would always, be stable."""
        if not self.threshold >= 0.0:
            raise InputError(f"stability_threshold: {self.threshold!r}; expected at least 0")
        if self.window < 1:
            raise InputError(f"stability_window: {self.window!r}; expected at least 1")

    def is_at_rest(self, costs: Sequence[Mapping[str, float]], profiles: Sequence[int]) -> bool:
        """Tell whether costs are stable, and no policy was replaced between them.

        Parameters
        ----------
        costs : sequence of mapping of bank to float
            As in :meth:`is_stable`.
        profiles : sequence of int
            A number for the policies in force when each cost was measured; equal policies have
            equal numbers.
        """
        return self.is_stable(costs) and len(set(profiles[-self.window :])) == 1

    def is_stable(self, costs: Sequence[Mapping[str, float]]) -> bool:
        """Tell whether costs are stable.

        Parameters
        ----------
        costs : sequence of mapping of bank to float
            Cost of each bank after each iteration, cents, the last one last; every entry names the
            same banks.
        """
        if len(costs) < self.window:
            return False
        return all(spread <= self.threshold * size for spread, size in self._moves(costs).values())

    def describe(self, costs: Sequence[Mapping[str, float]]) -> str:
        """Say how stable costs are, in one sentence."""
        if len(costs) < self.window:
            return (
                f"{len(costs)} of the {self.window} iterations are there "
                "that stable costs are judged by"
            )
        moves = self._moves(costs)
        if not moves:
            return "no bank is looked at, so costs are stable"
        bank, (spread, size) = max(moves.items(), key=lambda move: _share(*move[1]))
        verdict = "stable" if self.is_stable(costs) else "not stable"
        over = "the last iteration" if self.window == 1 else f"the last {self.window} iterations"
        return (
            f"costs are {verdict}: over {over} that of {bank} moved most, by {spread:,.2f} cents, "
            f"{_share(spread, size):.3g} of its largest; rest is at most {self.threshold:.6g}"
        )

    def _moves(self, costs: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
        """Return by how much each bank's cost moved in the window, and its largest size."""
        last = costs[-self.window :]
        return {bank: _move([entry[bank] for entry in last]) for bank in last[-1]}


@dataclass(frozen=True)
class Cycle:
    """Policies that replace each other in turn.

    Attributes
    ----------
    n_profiles : int
        How many different profiles of policies follow each other.
    since : int
        The iteration after which the first of them was first in force in this turn.
    """

    n_profiles: int
    since: int

    def describe(self) -> str:
        """Say so in words."""
        return f"{self.n_profiles} profiles in turn since iteration {self.since}"


def cycle_of(profiles: Sequence[int], window: int) -> Cycle | None:
    """Recognise policies that replace each other in turn.

    Parameters
    ----------
    profiles : sequence of int
        A number for the policies in force after each iteration, from the first one on; equal
        policies have equal numbers.
    window : int
        The turn must have lasted for at least so many iterations, and twice through.

    Returns
    -------
    Cycle or None
        The shortest one that lasts to the end; None where there is none.
    """
    n = len(profiles)
    for period in range(2, n // 2 + 1):
        length = period
        while length < n and profiles[-1 - length] == profiles[-1 - length + period]:
            length += 1
        is_change = len(set(profiles[-period:])) > 1
        if is_change and length >= max(2 * period, window):
            return Cycle(len(set(profiles[-period:])), n - length + 1)
    return None


def _move(values: Sequence[float]) -> tuple[float, float]:
    return max(values) - min(values), max(abs(value) for value in values)


def _share(spread: float, size: float) -> float:
    return spread / size if size > 0.0 else 0.0
