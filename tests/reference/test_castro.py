"""The two-period game of Castro et al. (2025), cell by cell.

P. S. Castro, A. Desai, H. Du, R. Garratt, F. Rivadeneyra, *Estimating Policy Functions in Payment
Systems Using Reinforcement Learning*, ACM Transactions on Economics and Computation, 2025, sections
4 and 6.3: two banks fund a share of their collateral at the open, owe each other payments in two
periods, and send what liquidity allows. What arrives in the last period comes too late to be used.
"""

from __future__ import annotations

import numpy as np
import pytest

from payment_simulator.policy import Policy
from payment_simulator.simulation import simulate_batch
from tests.reference.small import bank, event, scenario

COLLATERAL = 10_000
#: Demands of A and of B in cents, by period.
DEMAND = ((0, 1_500), (1_500, 500))
#: Shares of collateral that may be funded, in twentieths.
GRID = range(21)


def play() -> np.ndarray:
    """Return the cost of both banks for every pair of shares: (share of A, share of B, bank)."""
    arrivals = tuple(
        event(
            period,
            "CustomTransactionArrival",
            from_agent="AB"[number],
            to_agent="BA"[number],
            amount=amount,
            is_divisible=True,
        )
        for number, amounts in enumerate(DEMAND)
        for period, amount in enumerate(amounts)
        if amount
    )
    game = scenario(
        bank(liquidity_pool=COLLATERAL),
        bank(liquidity_pool=COLLATERAL),
        ticks=2,
        costs={
            "liquidity_cost_per_tick_bps": 500,
            "delay_cost_per_tick_per_cent": 0.2,
            "eod_borrowing_bps": 4_000,
        },
        events=arrivals,
        deferred_crediting=True,
        end_of_day="borrow",
    )
    funds = [
        Policy(f"funds {share}/20", parameters={"initial_liquidity_fraction": share / 20})
        for share in GRID
    ]
    profiles = [(of_a, of_b) for of_a in funds for of_b in funds]
    cost = simulate_batch(game, profiles).total_cost[0]
    return cost.reshape(len(GRID), len(GRID), 2)


@pytest.fixture(scope="module")
def cost() -> np.ndarray:
    """Return the cost of every cell, played once."""
    return play()


def closed_form(own: int, other: int, number: int) -> float:
    """Return the cost of a bank that funds `own` twentieths, the other `other` (cents)."""
    funded = own * COLLATERAL // 20
    first, second = DEMAND[number]
    received = min(other * COLLATERAL // 20, DEMAND[1 - number][0])
    delayed = max(first - funded, 0)
    borrowed = max(first + second - received - funded, 0)
    # Tenths of a cent, so that no rounding is in the expectation.
    return (1 * funded + 2 * delayed + 4 * borrowed) / 10


def test_every_cell_is_the_closed_form_to_the_bit(cost: np.ndarray) -> None:
    expected = [[[closed_form(a, b, 0), closed_form(b, a, 1)] for b in GRID] for a in GRID]
    assert cost.tolist() == expected


def test_best_responses_are_those_of_the_paper(cost: np.ndarray) -> None:
    of_a = [np.flatnonzero(cost[:, b, 0] == cost[:, b, 0].min()).tolist() for b in GRID]
    of_b = [np.flatnonzero(cost[a, :, 1] == cost[a, :, 1].min()).tolist() for a in GRID]
    assert of_a == [[3], [2], [1]] + [[0]] * 18
    assert of_b == [[4]] * 21


def test_the_one_pure_equilibrium_is_the_social_optimum(cost: np.ndarray) -> None:
    is_best_of_a = cost[:, :, 0] == cost[:, :, 0].min(axis=0)
    is_best_of_b = cost[:, :, 1] == cost[:, :, 1].min(axis=1)[:, None]
    assert np.argwhere(is_best_of_a & is_best_of_b).tolist() == [[0, 4]]
    assert cost[0, 4].tolist() == [0.0, 0.02 * COLLATERAL]
    together = cost.sum(axis=2)
    assert np.argwhere(together == together.min()).tolist() == [[0, 4]]
