"""What a bank could still gain by its best deviation, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Regret:
    """What a bank could still gain alone, among the deviations tried.

    Attributes
    ----------
    estimate : float
        What the deviation that was chosen on some days gains on others, cents: 0 where none was
        found better on the first, below 0 where the one chosen turns out to be worse.
    low : float or None
        Lower bound of the regret, cents; None where it is not known.
    high : float or None
        Upper bound over all deviations tried, cents; None where it is not known.
    chosen : int or None
        Which deviation that is; None where none was found better.
    cost : float
        What the bank pays under the policy in force, on average, cents.
    num_samples : int
        Days on which the deviation was valued.
    """

    estimate: float
    low: float | None
    high: float | None
    chosen: int | None
    cost: float
    num_samples: int

    @property
    def width(self) -> float | None:
        """How wide the interval is, cents; None where an end of it is not known."""
        return None if self.low is None or self.high is None else self.high - self.low

    def is_within(self, tolerance: float) -> bool:
        """Tell whether the interval is no wider than a share of the bank's cost."""
        return self.width is not None and self.width <= tolerance * abs(self.cost)

    def to_dict(self) -> dict[str, float | None]:
        """Return what JSON has of it."""
        return {"estimate": self.estimate, "low": self.low, "high": self.high}
