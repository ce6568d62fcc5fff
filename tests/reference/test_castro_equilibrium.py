"""The two-period game of Castro et al. (2025), whose equilibrium is known.

Castro, Desai, Du, Garratt and Rivadeneyra, *Estimating Policy Functions in Payments Systems Using
Reinforcement Learning* (first as Bank of Canada Staff Working Paper 2021-7), sections 4 and 6.3:
two banks fund a share of their collateral at the open (10 %), pay for delay (20 % a period) and
borrow what they lack at the close (40 %).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt.equilibrium import (
    best_deviation,
    explore_grid,
    parameter_grid,
    regrets,
)
from payment_simulator.policy import builtin
from payment_simulator.scenario import Scenario, load_scenario, parse_scenario

COLLATERAL = 100_000
#: Demands of each bank in the two periods, as shares of the collateral.
DEMANDS = {"BANK_A": (0.0, 0.15), "BANK_B": (0.15, 0.05)}
FUNDING, DELAY, BORROWING = 0.1, 0.2, 0.4
GRID = parameter_grid(0, 1, 21)
EXAMPLE = Path(__file__).parents[2] / "examples" / "scenarios" / "two_period.yaml"


def two_periods() -> Scenario:
    """Return the game as a scenario."""
    banks = list(DEMANDS)
    events: list[dict[str, Any]] = [
        {
            "type": "CustomTransactionArrival",
            "from_agent": bank,
            "to_agent": banks[1 - banks.index(bank)],
            "amount": round(share * COLLATERAL),
            "is_divisible": True,
            "schedule": {"type": "OneTime", "tick": tick},
        }
        for tick in (0, 1)
        for bank in banks
        if (share := DEMANDS[bank][tick])
    ]
    return parse_scenario(
        {
            "simulation": {"ticks_per_day": 2, "num_days": 1},
            "agents": [
                {"id": bank, "opening_balance": 0, "liquidity_pool": COLLATERAL} for bank in banks
            ],
            "cost_rates": {
                "liquidity_cost_per_tick_bps": FUNDING / 2 * 10_000,
                "delay_cost_per_tick_per_cent": DELAY,
                "eod_borrowing_bps": BORROWING * 10_000,
            },
            "lsm_config": {"algorithms": ["fifo"]},
            "end_of_day": "borrow",
            "deferred_crediting": True,
            "scenario_events": events,
        }
    )


def shipped() -> Scenario:
    """Return the example that comes with the project."""
    return load_scenario(EXAMPLE)


@pytest.fixture(scope="module", params=[two_periods, shipped])
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return request.param()


@pytest.fixture(scope="module")
def found(scenario: Scenario):
    return explore_grid(scenario, values=GRID)


def closed_form(bank: str, own: float, other: float) -> float:
    """Return a bank's cost as the paper has it, in shares of the collateral."""
    (partner,) = set(DEMANDS) - {bank}
    first, second = DEMANDS[bank]
    received = min(other, DEMANDS[partner][0])
    return (
        FUNDING * own
        + DELAY * max(first - own, 0.0)
        + BORROWING * max(first + second - received - own, 0.0)
    )


def test_every_cell_is_the_closed_form(found):
    a, b = found.banks
    for share_a in GRID:
        for share_b in GRID:
            costs = found.outcome({a: share_a, b: share_b}).costs
            expected = {
                a: closed_form("BANK_A", share_a, share_b),
                b: closed_form("BANK_B", share_b, share_a),
            }
            assert {bank: round(cost, 6) for bank, cost in costs.items()} == {
                bank: round(share * COLLATERAL, 6) for bank, share in expected.items()
            }


def test_one_pure_equilibrium_which_is_best_for_all(found):
    a, b = found.banks
    (stable,) = found.pure_equilibria
    assert stable.point == {a: 0.0, b: 0.2}
    assert stable.costs == {a: 0.0, b: pytest.approx(0.02 * COLLATERAL)}
    assert found.social_optimum.points == ({a: 0.0, b: 0.2},)
    assert found.social_optimum.total_cost == pytest.approx(0.02 * COLLATERAL)
    assert found.price_of_anarchy == 1.0


def test_best_responses(found):
    a, b = found.banks
    against_b = {r.others[b]: r.best for r in found.best_responses[a]}
    first = {0.0: (0.15,), 0.05: (0.1,), 0.1: (0.05,)}
    assert against_b == {share: first.get(share, (0.0,)) for share in GRID}
    assert {r.others[a]: r.best for r in found.best_responses[b]} == dict.fromkeys(GRID, (0.2,))


def test_policies_at_the_equilibrium_are_at_no_distance_from_it(scenario):
    a, b = scenario.bank_ids
    funding = [builtin("fifo", initial_liquidity_fraction=share) for share in GRID]
    stable = {a: funding[GRID.index(0.0)], b: funding[GRID.index(0.2)]}
    both = regrets(scenario, stable, {a: funding, b: funding})
    assert both.distance_from_equilibrium == 0
    # A that funds half of its collateral could save all of that.
    regret, candidate = best_deviation(
        scenario, {**stable, a: funding[GRID.index(0.5)]}, a, funding
    )
    assert regret == pytest.approx(FUNDING * 0.5 * COLLATERAL)
    assert GRID[candidate] == 0.0
