"""Scenarios that the benchmarks of the engine play."""

from __future__ import annotations

from typing import Any

from payment_simulator.scenario import Scenario, parse_scenario

_DEADLINE = {"type": "Deadline", "urgency_threshold": 2}


def two_banks(samples_seed: int = 7) -> Scenario:
    """Return a day of twelve ticks with two banks and some 24 payments."""
    return parse_scenario(
        {
            "name": "two-banks",
            "simulation": {"ticks_per_day": 12, "num_days": 1, "rng_seed": samples_seed},
            "cost_rates": {"liquidity_cost_per_tick_bps": 5},
            "agents": [
                {
                    "id": bank,
                    "opening_balance": 0,
                    "liquidity_pool": 500_000,
                    "liquidity_allocation_fraction": 0.5,
                    "policy": policy,
                    "arrival_config": _arrivals(1.0, 50_000, (2, 6)),
                }
                for bank, policy in (("A", {"type": "Fifo"}), ("B", _DEADLINE))
            ],
        }
    )


def _arrivals(rate: float, mean: int, window: tuple[int, int]) -> dict[str, Any]:
    return {
        "rate_per_tick": rate,
        "amount_distribution": {"type": "LogNormal", "mean": mean, "std_dev": mean},
        "deadline_range": list(window),
    }


def many_banks(
    n_banks: int, n_payments: int, *, algorithms: list[str] | None = None, ticks: int = 100
) -> Scenario:
    """Return a day with tight liquidity: a bank begins with what a fifth of its payments take.

    Every second bank holds payments back until they are urgent. Without `algorithms` the LSM is
    what a scenario has that says nothing: one by one, pairs, chains.
    """
    rate = n_payments / (n_banks * ticks)
    scenario: dict[str, Any] = {
        "name": f"{n_banks}-banks",
        "simulation": {"ticks_per_day": ticks, "num_days": 1, "rng_seed": 7},
        "agents": [
            {
                "id": f"B{i}",
                "opening_balance": int(100_000 * n_payments / n_banks / 5),
                "policy": _DEADLINE if i % 2 else {"type": "Fifo"},
                "arrival_config": _arrivals(rate, 100_000, (10, 60)),
            }
            for i in range(n_banks)
        ],
    }
    if algorithms is not None:
        scenario["lsm_config"] = {"algorithms": algorithms}
    return parse_scenario(scenario)
