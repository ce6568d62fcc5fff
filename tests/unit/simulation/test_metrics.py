"""Measures, each on an example that was worked out by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from tests.reference.small import bank, event, scenario

from payment_simulator.policy import builtin
from payment_simulator.simulation import Run, Simulation, simulate, simulate_batch
from payment_simulator.simulation import metrics as m
from payment_simulator.simulation.spread import gini, mean, standard_error
from payment_simulator.simulation.tick_metrics import (
    queue_measures,
    settled_by_method,
    throughput,
)


def arrival(tick: int, banks: str, amount: int, **more: object) -> dict[str, object]:
    return event(
        tick,
        "CustomTransactionArrival",
        from_agent=banks[0],
        to_agent=banks[1],
        amount=amount,
        **more,
    )


#: A has 100 and pays 60 at once. B owes 100, has 60 and waits a tick, until A's 40 come.
WORKED = (arrival(0, "AB", 60), arrival(1, "BA", 100, deadline=0), arrival(2, "AB", 40))


@pytest.fixture(scope="module")
def worked() -> Run:
    return simulate(scenario(100, 0, events=WORKED))


def test_what_settles(worked: Run):
    assert m.settlement_rate_by_number(worked) == 1.0
    assert m.settlement_rate_by_value(worked) == 1.0
    assert m.on_time_rate_by_value(worked) == 0.5  # B's payment was due when it arrived


def test_delay_is_weighted_by_value(worked: Run):
    assert m.value_weighted_delay(worked) == 100 * 1 / 200
    assert m.delay_after_release(worked) == 100 * 1 / 200


def test_delay_of_a_bank_is_not_delay_in_the_system():
    held = scenario(
        bank(100, policy={"type": "Deadline", "urgency_threshold": 0}),
        0,
        events=(arrival(0, "AB", 60, deadline=2),),
    )
    run = simulate(held)
    assert (m.value_weighted_delay(run), m.delay_after_release(run)) == (2.0, 0.0)


def test_liquidity_used_is_the_largest_net_debit(worked: Run):
    assert m.liquidity_used(worked).tolist() == [60, 0]
    assert m.liquidity_efficiency(worked) == 200 / 60


def test_turnover_is_of_all_liquidity_there_is():
    provides = scenario(
        bank(100),
        bank(0, unsecured_cap=7, posted_collateral=105, collateral_haircut=0.1),
        bank(0, liquidity_pool=50, liquidity_allocation_fraction=0.5),
        days=3,
        events=WORKED,
    )
    # A haircut of 10.5 is rounded up against the bank: 94 of 105 are credit.
    assert m.liquidity_provided(provides) == 3 * (100 + 7 + 94 + 25)
    assert m.liquidity_provided(provides, n_days=1) == 226
    assert m.turnover_ratio(simulate(provides), 400) == 0.5
    funds = builtin("fifo", initial_liquidity_fraction=1.0)
    assert m.liquidity_provided(provides, {"C": funds}, n_days=1) == 251


def test_a_policy_s_funding_is_in_the_turnover():
    funding = scenario(bank(0, liquidity_pool=100), 0, events=(arrival(0, "AB", 50),))
    policies = {"A": builtin("fifo", initial_liquidity_fraction=0.5)}
    assert m.measures(simulate(funding))["turnover_ratio"] == 0.5
    assert m.measures(simulate(funding, policies))["turnover_ratio"] == 1.0


def test_throughput_is_the_share_of_the_day_s_value(worked: Run):
    assert throughput(worked) == [0.3, 0.3, 1.0, 1.0]


def test_throughput_is_a_mean_over_days_on_which_something_settled():
    days = scenario(100, 100, ticks=2, days=3, events=(arrival(0, "AB", 10), arrival(5, "AB", 10)))
    assert throughput(simulate(days)) == [0.5, 1.0]
    unfinished = Simulation(days).run_until(1).result()
    assert throughput(unfinished) == []
    assert throughput(simulate(scenario(1, 1))) == []


def test_queues(worked: Run):
    waits = {"mean_number": 0.25, "peak_number": 1, "mean_value": 25.0, "peak_value": 100}
    nothing = dict.fromkeys(waits, 0)
    assert queue_measures(worked) == {**waits, "queue1": nothing, "queue2": waits}


def test_offset_and_gross_shares():
    offset = scenario(
        100,
        0,
        algorithms=("fifo", "bilateral"),
        events=(arrival(0, "AB", 100), arrival(1, "AB", 150), arrival(2, "BA", 150)),
    )
    run = simulate(offset)
    # 100 settle alone, A's 150 wait; B can pay 150 back only against them.
    assert m.offset_share(run) == 300 / 400
    assert m.gross_share(run) == 0.25
    by_method = settled_by_method(run)
    assert {name: cents for name, cents in by_method.items() if cents} == {
        "rtgs": 100,
        "bilateral": 300,
    }


def test_children_of_splits_count_and_parents_do_not():
    split = scenario(
        bank(50, policy={"type": "MockSplitting", "num_splits": 4}),
        0,
        events=(arrival(0, "AB", 100),),
    )
    run = simulate(split)
    found = m.measures(run)
    assert (found["payments_due"], found["payments_settled"]) == (4, 2)
    assert m.settlement_rate_by_number(run) == 0.5
    assert m.settlement_rate_by_value(run) == 0.5


def test_parts_count_by_value_and_not_by_number():
    run = simulate(scenario(30, 0, events=(arrival(0, "AB", 100, is_divisible=True),)))
    assert m.settlement_rate_by_number(run) == 0.0
    assert m.settlement_rate_by_value(run) == 0.3
    assert settled_by_method(run)["rtgs"] == 30


def test_gini():
    assert gini(np.array([5.0, 5.0, 5.0])) == 0.0
    assert gini(np.array([0.0, 0.0, 8.0, 0.0])) == 0.75
    # Differences of 1, 2 and 1 between 1, 2 and 3: mean over nine pairs 8/9, half of it over 2.
    assert gini(np.array([3.0, 1.0, 2.0])) == pytest.approx(8 / 9 / 2 / 2)
    assert gini(np.zeros(3)) == 0.0
    assert gini(np.array([[1.0, 1.0], [0.0, 1.0]])).tolist() == [0.0, 0.5]


def test_liquidity_costs_in_all_its_forms():
    costs = {"overdraft_bps_per_tick": 100.0, "liquidity_cost_per_tick_bps": 50.0}
    one = scenario(
        bank(0, unsecured_cap=100),
        bank(0, liquidity_pool=200),
        ticks=1,
        costs=costs,
        events=(arrival(0, "AB", 100),),
    )
    # Overdraft: 100 at 1 %; funding: 200 at 0.5 %. Both bear 1 cent.
    run = simulate(one)
    assert run.total_costs == {"A": 1.0, "B": 1.0}
    assert m.liquidity_cost_gini(run) == 0.0
    assert m.total_cost(run) == 2.0


def test_nothing_to_measure():
    found = m.measures(simulate(scenario(0, 0)))
    assert found["settlement_rate_by_number"] == found["settlement_rate_by_value"] == 1.0
    for name in ("value_weighted_delay_ticks", "liquidity_efficiency", "turnover_ratio"):
        assert found[name] is None
    assert found["offset_share"] is found["gross_share"] is None
    assert found["gini_of_liquidity_cost"] == 0.0
    json.dumps(found, allow_nan=False)


def test_a_day_that_has_not_closed_counts():
    days = scenario(100, 0, days=2, events=(*WORKED, arrival(5, "AB", 30)))
    early = Simulation(days).run_until(1).result()
    assert m.liquidity_used(early).tolist() == [60, 0]
    assert m.liquidity_efficiency(early) == 1.0
    whole = simulate(days)
    assert m.liquidity_used(whole).tolist() == [60, 0]
    # The largest of a day is used, but both days count in what each cent achieved.
    assert m.liquidity_efficiency(whole) == 230 / (60 + 30)


RANDOM = scenario(
    *(
        bank(
            50_000,
            liquidity_pool=80_000,
            liquidity_allocation_fraction=0.25,
            arrival_config={
                "rate_per_tick": 1.5,
                "amount_distribution": {"type": "LogNormal", "mean": 20_000, "std_dev": 20_000},
                "deadline_range": [1, 3],
            },
        )
        for _ in range(3)
    ),
    ticks=6,
    days=2,
    algorithms=("fifo", "bilateral", "multilateral"),
    costs={"liquidity_cost_per_tick_bps": 1.0, "delay_cost_per_tick_per_cent": 0.001},
)


def test_a_batch_has_the_means_of_its_runs():
    provided = m.liquidity_provided(RANDOM)
    batch = simulate_batch(RANDOM, [None, None], samples=6)
    runs = [m.measures(simulate(RANDOM, sample=sample)) for sample in range(6)]
    found = m.batch_measures(batch, 1, provided_cents=provided)
    for name in [*m.NUMBERS, "turnover_ratio", "payments_due", "value_settled"]:
        values = [run[name] for run in runs if run[name] is not None]
        assert found[name] == pytest.approx(sum(values) / len(values), rel=1e-12)
        spread = np.std(values, ddof=1) / math.sqrt(len(values))
        assert found["standard_errors"][name] == pytest.approx(spread, rel=1e-9, abs=1e-15)
    for name in ("A", "B", "C"):
        costs = [run["costs"][name]["delay"] for run in runs]
        assert found["costs"][name]["delay"] == pytest.approx(sum(costs) / 6, rel=1e-12)
        totals = batch.total_cost[:, 1, "ABC".index(name)]
        error = found["total_cost_standard_errors"][name]
        assert error == pytest.approx(np.std(totals, ddof=1) / math.sqrt(6), rel=1e-9)
    json.dumps(found, allow_nan=False)


def test_the_offset_share_is_that_of_the_events():
    run = simulate(RANDOM)
    by_method = settled_by_method(run)
    settled = m.measures(run)["value_settled"]
    assert sum(by_method.values()) == settled
    offset = by_method["bilateral"] + by_method["multilateral"]
    assert 0 < offset < settled
    assert m.offset_share(run) == offset / settled


def test_one_sample_has_no_standard_error():
    found = m.batch_measures(simulate_batch(RANDOM, samples=1))
    assert set(found["standard_errors"].values()) == {None}
    assert found["turnover_ratio"] is None


def test_means_leave_out_what_is_not_defined():
    values = np.array([1.0, math.nan, 3.0])
    assert mean(values) == 2.0
    assert standard_error(values) == 1.0
    assert mean(values[1:2]) is None
    # Summed and divided, three times 0.1 would not be 0.1.
    assert mean(np.full(3, 0.1)) == 0.1
    assert standard_error(np.full(3, 0.1)) == 0.0
