"""The twin's random payments: raw numbers, distributions, streams, events that change them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from payment_simulator.scenario.distributions import Exponential, LogNormal, Normal, Uniform
from tests.reference.small import HOLDS, RELEASES, bank, event, pay, scenario
from tests.reference.twin import draws, run_twin
from tests.reference.twin.events import reweighed

MASK = 2**64 - 1


def philox(key: tuple[int, int], counter: tuple[int, int, int, int]) -> list[int]:
    """One block of Philox4x64-10, as Salmon and others give it (SC'11, section 3.3)."""
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (
            (second >> 64) ^ c1 ^ k0,
            second & MASK,
            (first >> 64) ^ c3 ^ k1,
            first & MASK,
        )
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return [c0, c1, c2, c3]


def test_raw_numbers_are_philox_with_blocks_from_one():
    seed, number, day, place, use = 2**63 + 5, 7, 3, 4 * 11 + 2, 1
    words = [
        *philox((seed, number), (1, place, day, use)),
        *philox((seed, number), (2, place, day, use)),
    ]
    drawn = draws.uniforms(seed, number, day, place, use, 8)
    assert drawn == [((word >> 12) + 0.5) / 2**52 for word in words]
    assert drawn[:3] == draws.uniforms(seed, number, day, place, use, 3)


def test_uniform_numbers_stay_inside():
    assert draws.to_uniform(0) == 2.0**-53
    assert draws.to_uniform(MASK) == 1 - 2.0**-53


@pytest.mark.parametrize(
    # e^-2 = 0.1353, then 0.4060, 0.6767, 0.8571.
    ("u", "n"),
    [(0.135, 0), (0.136, 1), (0.405, 1), (0.407, 2), (0.676, 2), (0.677, 3), (0.857, 3)],
)
def test_poisson_by_inversion(u, n):
    assert draws.poisson(2.0, [u]) == n


def test_poisson_of_large_means_is_drawn_in_parts():
    assert [draws.poisson_parts(mean) for mean in (0.1, 500, 500.1, 1200)] == [1, 1, 2, 3]
    grid = [(k + 0.5) / 300 for k in range(300)]
    numbers = [draws.poisson(1200.0, [u, 1 - u, (u + 0.5) % 1]) for u in grid]
    assert sum(numbers) / 300 == pytest.approx(1200, abs=1)
    # Rounding keeps the sum of probabilities below the largest u: the search ends where they do.
    assert draws.poisson(500.0, [1 - 2.0**-53]) < 2000


PHI_OF_ONE = 0.5 * (1 + math.erf(1 / math.sqrt(2)))


@pytest.mark.parametrize(
    ("distribution", "u", "cents"),
    [
        (Normal(mean=1000, std_dev=100), 0.5, 1000),
        (Normal(mean=1000, std_dev=100), PHI_OF_ONE, 1100),
        (Normal(mean=0.4, std_dev=100), 0.1, 1),
        # Its median is the mean over sqrt(1 + (s/m)^2): 1000 / sqrt(1.25) = 894.4.
        (LogNormal(mean=1000, std_dev=500), 0.5, 894),
        # sigma = sqrt(log 1.25) = 0.47238; 894.427 * e^0.47238 = 1434.5.
        (LogNormal(mean=1000, std_dev=500), PHI_OF_ONE, 1434),
        (LogNormal(mean=1000, std_dev=0), 0.9, 1000),
        (Uniform(min=10, max=19), 0.0999, 10),
        (Uniform(min=10, max=19), 0.1001, 11),
        (Uniform(min=10, max=19), 1 - 2.0**-53, 19),
        (Exponential.model_validate({"lambda": 0.001}), math.exp(-1), 1000),
        (Exponential.model_validate({"lambda": 1e-15}), 0.1, 10**15),
    ],
)
def test_amounts(distribution, u, cents):
    assert draws.amount(distribution, u) == cents


def test_choices_by_weight():
    weights = [0.0, 1.0, 0.0, 3.0, 0.0]
    assert [draws.choice(weights, u) for u in (0.01, 0.24, 0.26, 0.99)] == [1, 1, 3, 3]
    # A running sum that only reaches the threshold does not exceed it.
    assert draws.choice(weights, 0.25) == 3
    assert draws.choice(weights, 1.0) == 3


def single(rate: float = 3.0, **more: Any) -> dict[str, Any]:
    return {
        "rate_per_tick": rate,
        "amount_distribution": {"type": "Uniform", "min": 100, "max": 199},
        "deadline_range": [1, 4],
        "divisible": True,
        **more,
    }


def arrived(result: Any) -> list[tuple[int, ...]]:
    return [
        (p.arrival_tick, p.sender, p.receiver, p.amount, p.deadline_tick, p.arrived_priority)
        for p in result.payments
    ]


def test_a_run_draws_what_the_page_says():
    config = single(priority_distribution={"type": "Uniform", "min": 2, "max": 5})
    one = scenario(0, bank(0, arrival_config=config), 0, ticks=2, days=2)
    expected = []
    for tick in range(4):
        day, place = tick // 2 + 2, 4 * (tick % 2)
        (count,) = draws.uniforms(99, 1, day, place, 1, 1)
        us = draws.uniforms(99, 1, day, place, 0, 4 * 50)
        for j in range(draws.poisson(3.0, [count])):
            a, r, d, p = us[4 * j : 4 * j + 4]
            receiver = 0 if r < 0.5 else 2
            expected.append(
                (tick, 1, receiver, 100 + int(a * 100), tick + 1 + int(d * 4), 2 + int(p * 4))
            )
    result = run_twin(one, [HOLDS] * 3, seed=99, sample=1)
    assert arrived(result) == expected
    assert len(expected) > 3
    assert all(payment.divisible for payment in result.payments)


def test_arrivals_do_not_depend_on_policies_or_on_other_banks():
    config = single()
    alone = run_twin(scenario(50, bank(50, arrival_config=config)), [HOLDS] * 2)
    both = scenario(bank(50, arrival_config=config), bank(50, arrival_config=config))
    beside = run_twin(both, [RELEASES] * 2)
    assert [row for row in arrived(beside) if row[1] == 1] == arrived(alone)


def test_bands_have_streams_and_priorities_of_their_own():
    band = {
        "rate_per_tick": 40.0,
        "amount_distribution": {"type": "Uniform", "min": 1, "max": 9},
        "counterparty_weights": {"C": 2.0},
        "deadline_offset_min": 0,
        "deadline_offset_max": 0,
    }
    bands = {"urgent": band, "low": band}
    banded = scenario(bank(0, arrival_bands=bands), 0, 0, ticks=1)
    result = run_twin(banded, [HOLDS] * 3)
    priorities = [payment.arrived_priority for payment in result.payments]
    n_urgent = sum(priority >= 8 for priority in priorities)
    assert set(priorities[:n_urgent]) == {8, 9, 10}
    assert set(priorities[n_urgent:]) == {0, 1, 2, 3}
    for stream, number in ((1, n_urgent), (3, len(priorities) - n_urgent)):
        assert draws.poisson(40.0, draws.uniforms(42, 0, 0, stream, 1, 1)) == number
    assert {payment.receiver for payment in result.payments} == {2}


def test_categorical_priorities():
    categories = {"type": "Categorical", "values": [1, 9], "weights": [1.0, 0.0]}
    config = single(priority_distribution=categories)
    result = run_twin(scenario(bank(0, arrival_config=config), 0), [HOLDS] * 2)
    assert {payment.arrived_priority for payment in result.payments} == {1}


def count_by_tick(result: Any) -> list[int]:
    return [sum(p.arrival_tick == tick for p in result.payments) for tick in range(4)]


def test_rate_changes_set_and_hold():
    events = (
        event(1, "GlobalArrivalRateChange", multiplier=0.0),
        event(2, "GlobalArrivalRateChange", multiplier=2.0),
        event(2, "AgentArrivalRateChange", agent="A", multiplier=100.0),
    )
    changing = scenario(bank(0, arrival_config=single()), 0, events=events)
    numbers = count_by_tick(run_twin(changing, [HOLDS] * 2))
    # Means 3, 0, 600 (two words), 600.
    place = [(4 * tick, draws.poisson_parts(mean)) for tick, mean in enumerate((3, 0, 600, 600))]
    words = [draws.uniforms(42, 0, 0, at, 1, parts) for at, parts in place]
    means = (3.0, 0.0, 600.0, 600.0)
    assert numbers == [
        draws.poisson(mean, us) if us else 0 for mean, us in zip(means, words, strict=True)
    ]
    assert numbers[1] == 0
    assert numbers[3] > 500


def test_windows_of_deadlines_change_by_their_ends():
    events = (
        event(1, "DeadlineWindowChange", min_ticks_multiplier=2.5),
        event(2, "DeadlineWindowChange", max_ticks_multiplier=0.1),
    )
    config = single(rate=60.0, deadline_range=[1, 8])
    changing = scenario(bank(0, arrival_config=config), 0, events=events)
    result = run_twin(changing, [HOLDS] * 2)
    offsets = [
        {p.deadline_tick - tick for p in result.payments if p.arrival_tick == tick}
        for tick in range(3)
    ]
    # 2.5 becomes 3; then the end becomes 1, and is at least the beginning.
    assert offsets == [set(range(1, 9)), set(range(3, 9)), {3}]


def test_weights_change_and_balance():
    assert reweighed([0.0, 1.0, 3.0], 2, 0.0, is_balanced=False) == [0.0, 1.0, 0.0]
    assert reweighed([0.0, 1.0, 3.0, 4.0], 1, 4.5, is_balanced=True) == [0.0, 4.5, 1.5, 2.0]
    assert reweighed([0.0, 1.0, 3.0], 1, 9.0, is_balanced=True) == [0.0, 9.0, 0.0]
    assert reweighed([0.0, 1.0, 0.0], 1, 0.5, is_balanced=True) == [0.0, 0.5, 0.0]


def test_nobody_is_paid_when_no_weight_is_left():
    change = {"agent": "A", "auto_balance_others": False, "new_weight": 0.0}
    events = (
        event(1, "CounterpartyWeightChange", counterparty="B", **change),
        event(2, "CounterpartyWeightChange", counterparty="C", **change),
    )
    config = single(rate=30.0)
    result = run_twin(scenario(bank(0, arrival_config=config), 0, 0, events=events), [HOLDS] * 3)
    receivers = [
        {p.receiver for p in result.payments if p.arrival_tick == tick} for tick in range(4)
    ]
    assert receivers == [{1, 2}, {2}, set(), set()]


def test_payments_are_numbered_events_first_then_the_file_then_chance():
    given = {"from_agent": "B", "to_agent": "A", "amount": 5}
    events = (event(0, "CustomTransactionArrival", **given),)
    many = bank(0, arrival_config=single(rate=50.0))
    mixed = scenario(many, 0, ticks=1, events=events, payments=(pay(1, 0, 6), pay(0, 1, 7)))
    result = run_twin(mixed, [HOLDS] * 2)
    assert [p.amount for p in result.payments[:3]] == [5, 6, 7]
    assert len(result.payments) > 20
    assert [p.number for p in result.payments] == list(range(len(result.payments)))
    instead = run_twin(mixed, [HOLDS] * 2, arrivals=[pay(0, 1, 8)])
    assert [p.amount for p in instead.payments] == [5, 6, 7, 8]


def test_the_quantile_is_that_of_the_normal_distribution():
    distribution = Normal(mean=10**9, std_dev=10**8)
    # Quantiles of tables: 1.6448536269514722 at 0.95, -2.3263478740408408 at 0.01.
    assert draws.amount(distribution, 0.95) == 1_164_485_363
    assert draws.amount(distribution, 0.01) == 767_365_213
    assert np.isfinite(draws.amount(distribution, 2.0**-53))
