"""Mistakes that simulators of this kind have made before, one test each."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from payment_simulator.kernels import layout as k
from payment_simulator.policy import Policy
from payment_simulator.scenario import parse_scenario
from payment_simulator.simulation import COST_KINDS, Run, simulate
from tests.reference.small import DROP, HOLDS, NO_COSTS, bank, event, pay, policy, scenario


def cost(run: Run, kind: str, number: int = 0) -> list[float]:
    """Return a kind of cost of a bank by day (cents)."""
    found: list[float] = run.cost[:, number, COST_KINDS.index(kind)].tolist()
    return found


def settlements(run: Run) -> int:
    """Return how many rows of the log report that money of a payment moved."""
    kinds = run.log[:, k.L_KIND].tolist()
    return kinds.count(k.LOG_SETTLE) + kinds.count(k.LOG_SETTLE_PART)


def test_costs_of_all_days_are_kept() -> None:
    waits = scenario(
        0, 0, ticks=2, days=3, payments=(pay(0, 1, 10),), costs={"delay_cost_per_tick_per_cent": 1}
    )
    run = simulate(waits)
    assert cost(run, "delay") == [20.0, 20.0, 20.0]
    assert run.costs["A"]["delay"] == 60.0
    assert run.total_costs == {"A": 60.0, "B": 0.0}


@pytest.mark.parametrize(("deadline", "charged"), [(2, 70.0), (3, 70.0), (4, 0.0)])
def test_the_end_of_the_run_is_no_escape_from_the_deadline_penalty(
    deadline: int, charged: float
) -> None:
    late = scenario(
        0, 0, ticks=4, payments=(pay(0, 1, 10, deadline=deadline),), costs={"deadline_penalty": 70}
    )
    assert cost(simulate(late), "deadline_penalty") == [charged]


def test_a_deadline_cut_at_the_close_is_no_escape_either() -> None:
    late = scenario(
        0,
        0,
        ticks=4,
        payments=(pay(0, 1, 10, deadline=99),),
        costs={"deadline_penalty": 70},
        deadline_cap_at_eod=True,
    )
    assert cost(simulate(late), "deadline_penalty") == [70.0]


def test_dropped_payments_cost_on() -> None:
    prices = {"delay_cost_per_tick_per_cent": 1, "deadline_penalty": 70, "eod_penalty": 500}
    drops = scenario(99, 0, ticks=4, payments=(pay(0, 1, 10, deadline=1),), costs=prices)
    dropped = simulate(drops, {"A": policy(DROP)})
    held = simulate(drops, {"A": HOLDS})
    assert dropped.costs["A"]["delay"] == 40.0
    assert dropped.costs["A"]["deadline_penalty"] == 70.0
    assert dropped.costs["A"]["end_of_day"] == 500.0
    assert dropped.costs == held.costs


@pytest.mark.parametrize("algorithm", ["bilateral", "multilateral", "cycles"])
def test_offsets_that_move_nothing_are_not_reported(algorithm: str) -> None:
    payments = (pay(0, 1, 10), pay(1, 0, 20))
    run = simulate(scenario(4, 4, payments=payments, algorithms=(algorithm,)))
    assert settlements(run) == 0
    assert run.stat[:, k.S_OFFSET_VALUE].tolist() == [0, 0]


@pytest.mark.parametrize("ring", [(0, 1, 2), (0, 2, 1)])
def test_a_triangle_is_found_in_both_directions(ring: tuple[int, int, int]) -> None:
    payments = tuple(pay(i, j, 10) for i, j in pairwise((*ring, ring[0])))
    run = simulate(scenario(0, 0, 0, payments=payments, algorithms=("cycles",)))
    assert run.pay[:, k.P_SETTLED].tolist() == [0, 0, 0]


def test_the_liquidity_fraction_holds_from_day_two_on() -> None:
    funded = scenario(
        bank(liquidity_pool=1_000),
        0,
        ticks=2,
        days=3,
        costs={"liquidity_cost_per_tick_bps": 100},
    )
    quarter = Policy("quarter", parameters={"initial_liquidity_fraction": 0.25})
    run = simulate(funded, {"A": quarter})
    assert run.trace[::2, 0, k.T_BALANCE].tolist() == [250, 250, 250]
    assert cost(run, "liquidity") == [5.0, 5.0, 5.0]


def test_deadlines_count_ticks_from_arrival_wherever_they_stand() -> None:
    amounts = {"type": "Uniform", "min": 1, "max": 9}
    offsets = {"deadline_offset_min": 3, "deadline_offset_max": 3}
    keys: dict[str, Any] = {
        "simulation": {"ticks_per_day": 10, "num_days": 2},
        "agents": [
            {
                "id": "A",
                "opening_balance": 0,
                "arrival_config": {
                    "rate_per_tick": 1,
                    "amount_distribution": amounts,
                    "deadline_range": [3, 3],
                },
            },
            {
                "id": "B",
                "opening_balance": 0,
                "arrival_bands": {
                    name: {"rate_per_tick": 1, "amount_distribution": amounts, **offsets}
                    for name in ("urgent", "normal", "low")
                },
            },
        ],
        "scenario_events": [
            event(
                tick,
                "CustomTransactionArrival",
                from_agent="A",
                to_agent="B",
                amount=5,
                deadline=3,
            )
            for tick in (0, 7, 15)
        ],
    }
    run = simulate(parse_scenario(keys))
    offset = run.pay[:, k.P_DEADLINE] - run.pay[:, k.P_ARRIVAL]
    assert len(offset) > 60
    assert set(offset.tolist()) == {3}

    observed = scenario(0, 0, ticks=10, days=2, payments=(pay(0, 1, 5, tick=12, deadline=3),))
    assert simulate(observed).pay[0, k.P_DEADLINE] == 15


def test_what_was_borrowed_is_repaid_at_the_next_open() -> None:
    borrows = scenario(
        0,
        0,
        ticks=2,
        days=3,
        payments=(pay(0, 1, 10), pay(0, 1, 7, tick=3)),
        costs={"eod_borrowing_bps": 1_000},
        end_of_day="borrow",
    )
    run = simulate(borrows)
    # Day 0 borrows 10. Day 1 begins at -10: a negative balance pays nothing, so 7 are borrowed, no
    # more; day 2 begins at -17.
    assert run.trace[:, 0, k.T_BALANCE].tolist() == [0, 0, -10, -10, -17, -17]
    assert cost(run, "end_of_day") == [1.0, 0.7, 0.0]
    repaid = run.log[run.log[:, k.L_KIND] == k.LOG_REPAY_BORROWED]
    assert repaid[:, [k.L_TICK, k.L_BANK]].tolist() == [[2, 0], [4, 0]]


def test_no_costs_means_no_costs() -> None:
    run = simulate(scenario(0, 0, payments=(pay(0, 1, 10, deadline=0),)))
    assert set(NO_COSTS) < set(type(run.scenario.cost_rates).model_fields)
    assert run.cost.sum() == 0.0
