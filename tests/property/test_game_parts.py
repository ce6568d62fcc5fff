"""What holds of seeds, decisions, convergence and sample days, whatever is played."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from payment_simulator.ai_cash_mgmt.evaluation.acceptance import Evaluation, decide
from payment_simulator.ai_cash_mgmt.evaluation.convergence import Stability
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, lower_bound
from payment_simulator.ai_cash_mgmt.evaluation.resampling import WAYS
from payment_simulator.ai_cash_mgmt.evaluation.sampling import METHODS, Sampler
from payment_simulator.ai_cash_mgmt.evaluation.student import t_quantile
from payment_simulator.ai_cash_mgmt.seeds import Uniforms, derive_seed
from payment_simulator.errors import SimulationError
from payment_simulator.kernels.layout import (
    A_AMOUNT,
    A_DEADLINE,
    A_DIRECT,
    A_DIVISIBLE,
    A_N,
    A_PRIORITY,
    A_RECEIVER,
    A_SENDER,
    A_TICK,
    MAX_CENTS,
    Ints,
)
from payment_simulator.scenario import Scenario, expand_events
from payment_simulator.scenario.event_kinds import PaymentEvent
from payment_simulator.simulation import Simulation, simulate_batch
from payment_simulator.simulation.sources import fixed_payments
from tests.strategies.scenarios import Case, cases

FEW = settings(max_examples=60, suppress_health_check=list(HealthCheck))
LABELS = st.lists(st.text(max_size=6) | st.integers(), max_size=4).map(tuple)
COSTS = st.one_of(
    st.floats(-1e15, 1e15), st.floats(0, 2), st.sampled_from([0.1, 0.3, 1e15, 1e-300, -0.0])
)
RATES = st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]) | st.floats(0, 1)


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    """Draw two policies' costs and rates; often they differ by next to nothing."""
    n = draw(st.integers(1, 12))
    old = draw(st.lists(COSTS, min_size=n, max_size=n))
    new = [
        draw(st.one_of(st.just(cost), st.just(math.nextafter(cost, -math.inf)), COSTS))
        for cost in old
    ]
    if draw(st.booleans()):
        new = draw(st.permutations(new))
    rates = [draw(st.lists(RATES, min_size=n, max_size=n)) for _ in range(2)]
    return Evaluation(*(np.array(row) for row in (old, new, *rates)), tuple(range(n)))


def total(values: Any) -> Fraction:
    """Return an exact sum."""
    return sum(map(Fraction, values.tolist()), Fraction(0))


@given(
    evaluation=evaluations(),
    rule=st.sampled_from(["mean", "confident"]),
    error=st.sampled_from([0.5, 0.1, 0.05, 0.001]),
    threshold=st.sampled_from([0.0, 0.01, 0.5, 2.0]),
    floor=st.none() | RATES,
)
@settings(max_examples=400)
def test_nothing_is_accepted_that_is_not_better(
    evaluation: Evaluation, rule: str, error: float, threshold: float, floor: float | None
) -> None:
    found = decide(
        evaluation,
        rule=rule,
        error=error,
        improvement_threshold=threshold,
        min_settlement_rate=floor,
    )
    assert "\n" not in found.reason
    if rule == "mean" or len(set(evaluation.differences.tolist())) == 1:
        assert found.lower_bound is None
    if not found.is_accepted:
        return
    assert total(evaluation.new_cost) < total(evaluation.old_cost)
    assert evaluation.mean_gain > threshold * abs(evaluation.mean_old)
    if floor is not None:
        missing = total(evaluation.new_rate) - len(evaluation.seeds) * Fraction(floor)
        assert float(missing) >= -1e-15 * len(evaluation.seeds)
    if rule == "confident":
        assert found.lower_bound is not None
        assert found.lower_bound > 0
        by_mean = decide(
            evaluation,
            rule="mean",
            error=error,
            improvement_threshold=threshold,
            min_settlement_rate=floor,
        )
        assert by_mean.is_accepted


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20), st.floats(0.5, 0.999))
def test_an_interval_is_around_the_mean_and_widens_with_confidence(
    values: list[float], confidence: float
) -> None:
    differences = np.array(values)
    mean = math.fsum(values) / len(values)
    found, wider = interval(differences, confidence), interval(differences, (1 + confidence) / 2)
    if found is None or wider is None:  # it does not tell how much other samples would differ
        assert found is wider
        assert np.ptp(differences) < 1e-150
        return
    assert wider[0] <= found[0] <= mean <= found[1] <= wider[1]
    # Half of what a two-sided interval leaves out lies below it.
    assert lower_bound(differences, 1 - (1 + confidence) / 2) == pytest.approx(found[0], rel=1e-9)


@given(st.floats(1e-9, 1 - 1e-9), st.integers(1, 400))
def test_quantiles_rise_with_probability_and_lie_about_zero(p: float, degrees: int) -> None:
    assert math.copysign(1, t_quantile(p, degrees)) == (1 if p >= 0.5 else -1)
    assert t_quantile(min(p * 1.01, 1 - 1e-10), degrees) > t_quantile(p * 0.99, degrees)


@given(
    st.lists(st.fixed_dictionaries({"A": COSTS, "B": COSTS}), max_size=8),
    st.sampled_from([0.0, 0.05, 0.5, 2.0]),
    st.integers(1, 5),
)
def test_stability_looks_at_the_window_alone(
    costs: list[dict[str, float]], threshold: float, window: int
) -> None:
    rule = Stability(threshold, window)
    is_stable = rule.is_stable(costs)
    assert is_stable == rule.is_stable(costs[-window:])
    assert is_stable <= (len(costs) >= window)
    assert is_stable <= Stability(2 * threshold, window).is_stable(costs)
    assert ("are stable" in rule.describe(costs)) == is_stable
    if costs:
        assert rule.is_stable([*costs, *[costs[-1]] * (window - 1)])


@given(st.lists(LABELS, unique_by=lambda labels: tuple(map(repr, labels))), st.integers(0, 2**63))
def test_different_purposes_have_different_seeds(
    purposes: list[tuple[str | int, ...]], master: int
) -> None:
    seeds = [derive_seed(master, *labels) for labels in purposes]
    assert len(set(seeds)) == len(purposes)
    assert all(0 <= seed < 2**63 for seed in seeds)


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 9), max_size=8))
def test_a_stream_is_one_however_it_is_cut(seed: int, counts: list[int]) -> None:
    stream = Uniforms(seed)
    pieces = [number for count in counts for number in stream.take(count).tolist()]
    assert pieces == Uniforms(seed).take(sum(counts)).tolist()
    assert all(0 <= number < 1 for number in pieces)
    assert sorted(Uniforms(seed).permutation(sum(counts)).tolist()) == list(range(sum(counts)))


def check_table(table: Ints, scenario: Scenario, first: int) -> None:
    """Check that the engine can play a table from a tick on."""
    assert table.dtype == np.int64
    assert table.flags.c_contiguous
    assert table.shape[1:] == (A_N,)
    ticks = table[:, A_TICK]
    assert np.all((first <= ticks) & (ticks < scenario.n_ticks))
    assert np.all(np.diff(ticks) >= 0)
    assert np.all(table[:, A_DEADLINE] >= ticks)
    if scenario.deadline_cap_at_eod:
        length = scenario.simulation.ticks_per_day
        assert np.all(table[:, A_DEADLINE] // length == ticks // length)
    assert np.all((table[:, A_AMOUNT] >= 1) & (table[:, A_AMOUNT] <= MAX_CENTS))
    for column, end in (
        (A_SENDER, scenario.n_banks),
        (A_RECEIVER, scenario.n_banks),
        (A_PRIORITY, 11),
        (A_DIVISIBLE, 2),
        (A_DIRECT, 2),
    ):
        assert np.all((table[:, column] >= 0) & (table[:, column] < end))
    assert np.all(table[:, A_SENDER] != table[:, A_RECEIVER])


def known_payments(tables: list[Ints]) -> set[tuple[int, ...]]:
    """Return what no way of drawing changes."""
    columns = [A_SENDER, A_RECEIVER, A_AMOUNT, A_PRIORITY, A_DIVISIBLE, A_DIRECT]
    return {tuple(row) for table in tables for row in table[:, columns].tolist()}


def events_of(scenario: Scenario, first: int) -> Counter[tuple[int, ...]]:
    """Return the payments of events from a tick on: in each tick the first ones."""
    rows = fixed_payments(scenario)
    count = Counter(
        tick for tick, event in expand_events(scenario) if isinstance(event, PaymentEvent)
    )
    kept: Counter[tuple[int, ...]] = Counter()
    for tick in range(first, scenario.n_ticks):
        of_tick = rows[rows[:, A_TICK] == tick][: count[tick]]
        kept.update(map(tuple, of_tick.tolist()))
    return kept


@given(cases(max_banks=4), st.sampled_from(WAYS), st.integers(1, 4))
@FEW
def test_resampled_days_can_be_played_and_keep_events(case: Case, way: str, runs: int) -> None:
    scenario = case.scenario
    sampler = Sampler(
        scenario, method=way, num_samples=3, master_seed=case.sample, observed_runs=runs
    )
    days = sampler.days("judge", 1, "A")
    if days.arrivals is None:
        return
    seed = derive_seed(case.sample, "observed")
    seen = [Simulation(scenario, seed=seed, sample=run).arrivals for run in range(runs)]
    for table in days.arrivals:
        check_table(table, scenario, 0)
        assert known_payments([table]) <= known_payments(seen)
        assert events_of(scenario, 0) <= Counter(map(tuple, table.tolist()))


@given(cases(max_banks=4), st.sampled_from(METHODS), st.data())
@FEW
def test_futures_can_be_played_from_where_a_run_stands(
    case: Case, method: str, data: st.DataObject
) -> None:
    scenario = case.scenario
    now = data.draw(st.integers(0, scenario.n_ticks - 1))
    run = Simulation(scenario, seed=case.seed, sample=case.sample)
    try:
        start = run.run_until(now).snapshot()
    except SimulationError:
        assume(False)
    sampler = Sampler(scenario, method=method, num_samples=3, master_seed=case.sample)
    days = sampler.days_from(start, start.arrivals, "judge", 1, "A")
    again = sampler.days_from(start, start.arrivals, "judge", 1, "A")
    if days.arrivals is not None:
        assert again.arrivals is not None
        seen = start.arrivals[start.arrivals[:, A_TICK] < now]
        fixed = fixed_payments(scenario)
        for table, same in zip(days.arrivals, again.arrivals, strict=True):
            check_table(table, scenario, now)
            assert np.array_equal(table, same)
            assert known_payments([table]) <= known_payments([seen, fixed])
            assert events_of(scenario, now) <= Counter(map(tuple, table.tolist()))
    try:
        found = simulate_batch(
            scenario, samples=days.numbers, arrivals=days.arrivals, seed=days.seed, start=start
        )
    except SimulationError:
        assume(False)
    assert np.all(np.isfinite(found.cost))
    assert len(found.samples) == len(days)
