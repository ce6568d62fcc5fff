"""Whether the costs of a game have come to rest."""

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


def _move(values: Sequence[float]) -> tuple[float, float]:
    return max(values) - min(values), max(abs(value) for value in values)


def _share(spread: float, size: float) -> float:
    return spread / size if size > 0.0 else 0.0
