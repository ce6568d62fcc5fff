"""What a bank's own books say of its policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnReport:
    """What a bank's own books say of the current policies on the proposer's sample days.

    Costs are in cents, of the bank alone, the whole of a sample run together (in a running
    simulation: of what is left of it).

    Attributes
    ----------
    num_samples : int
    cost_mean, cost_std : float
        Mean and standard deviation over samples; the latter is 0 for one sample.
    settlement_rate_mean : float
        Settled share of the value that the bank had to pay, mean over samples.
    cost_by_kind : Mapping of str to float
        Mean by kind of cost.
    best_seed, worst_seed : int
        Seed or number of the cheapest and the dearest sample.
    best_cost, worst_cost : float
        What these cost the bank.
    """

    num_samples: int
    cost_mean: float
    cost_std: float
    settlement_rate_mean: float
    cost_by_kind: Mapping[str, float]
    best_seed: int
    best_cost: float
    worst_seed: int
    worst_cost: float
