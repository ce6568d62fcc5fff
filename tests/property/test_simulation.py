"""What holds of every run, whatever is played."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from payment_simulator.errors import SimulationError
from payment_simulator.kernels import layout as k
from payment_simulator.kernels._jit import IS_INTERPRETED
from payment_simulator.kernels.rng import philox
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import Run, Simulation, Snapshot, simulate, simulate_batch
from tests.effort import tries
from tests.strategies.plain_policies import plain_policies
from tests.strategies.scenarios import Case, cases

FEW = settings(max_examples=tries(12, 120), suppress_health_check=list(HealthCheck))
ARRAYS = ("cost", "balance", "pay", "stat", "delay", "log", "trace", "bill", "toll")


def play(case: Case) -> Run:
    """Play a case to its end; cases that stop with an error are not looked at."""
    try:
        return simulate(case.scenario, case.policies, seed=case.seed, sample=case.sample)
    except SimulationError:
        assume(False)
        raise


def same(one: Run, other: Run) -> bool:
    """Tell whether two runs are the same to the bit."""
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in ARRAYS)


def without_transfers(scenario: Scenario) -> bool:
    """Tell whether nothing but settlements and the pools moves money."""
    kinds = {event.type for event in scenario.scenario_events}
    return "DirectTransfer" not in kinds


@given(cases())
@FEW
def test_money_is_conserved(case: Case) -> None:
    run = play(case)
    funded = run.log[np.isin(run.log[:, k.L_KIND], [k.LOG_FUND, k.LOG_BORROW])]
    repaid = run.log[np.isin(run.log[:, k.L_KIND], [k.LOG_REPAY, k.LOG_REPAY_BORROWED])]
    opening = sum(agent.opening_balance for agent in case.scenario.agents)
    for tick in range(run.n_ticks):
        came = abs(funded[funded[:, k.L_TICK] <= tick, k.L_AMOUNT]).sum()
        went = abs(repaid[repaid[:, k.L_TICK] <= tick, k.L_AMOUNT]).sum()
        assert run.trace[tick, :, k.T_BALANCE].sum() == opening + came - went


@given(cases())
@FEW
def test_settlement_never_takes_liquidity_below_zero(case: Case) -> None:
    # What else could: repayments at the open, transfers, withdrawn collateral of events.
    keys = {**case.keys, "scenario_events": []}
    keys["agents"] = [
        {name: value for name, value in agent.items() if not name.startswith("liquidity_")}
        for agent in keys["agents"]
    ]
    if case.scenario.end_of_day == "borrow":
        keys["simulation"] = {**keys["simulation"], "num_days": 1}
    n_ticks = keys["simulation"]["ticks_per_day"] * keys["simulation"]["num_days"]
    payments = tuple(payment for payment in case.payments if payment.tick < n_ticks)
    run = play(replace(case, keys=keys, payments=payments))
    assert (run.trace[:, :, k.T_BALANCE] + run.trace[:, :, k.T_CREDIT]).min() >= 0


@given(cases())
@FEW
def test_no_limit_is_exceeded(case: Case) -> None:
    scenario = case.scenario
    assume(scenario.end_of_day == "penalty")
    run = play(case)
    n, length = scenario.n_banks, scenario.simulation.ticks_per_day
    net = np.zeros((n, n), dtype=np.int64)
    moves = run.log[np.isin(run.log[:, k.L_KIND], [k.LOG_SETTLE, k.LOG_SETTLE_PART])]
    day, group = 0, -1
    for place, row in enumerate(moves):
        if row[k.L_TICK] // length != day:
            day, net[:] = row[k.L_TICK] // length, 0
        i, j, cents = row[k.L_BANK], row[k.L_OTHER], row[k.L_AMOUNT]
        net[i, j] += cents
        net[j, i] -= cents
        group = row[k.L_DETAIL] // 8
        follows = place + 1 < len(moves) and moves[place + 1, k.L_DETAIL] // 8
        if group > 0 and follows == group:
            continue  # a set settles at once: looked at when it is whole
        for number, agent in enumerate(scenario.agents):
            if number not in {i, j} or (number == j and group == 0):
                continue
            most = agent.limits.multilateral_limit
            assert most is None or net[number].sum() <= most
        limit = scenario.agents[i].limits.bilateral_limits.get(scenario.bank_ids[j])
        assert limit is None or net[i, j] <= limit


@given(cases())
@FEW
def test_every_payment_is_in_one_place_and_every_cent_accounted_for(case: Case) -> None:
    run = play(case)
    pay, state = run.pay, run.pay[:, k.P_STATE]
    assert np.isin(state, [k.Q1, k.Q2, k.SETTLED, k.DROPPED, k.SPLIT]).all()
    assert ((pay[:, k.P_LEFT] == 0) == (state == k.SETTLED)).all()
    assert ((pay[:, k.P_SETTLED] != k.NONE) == (state == k.SETTLED)).all()
    own = pay[:, k.P_PARENT] == k.NONE
    arrived = pay[own, k.P_AMOUNT].sum()
    settled = run.stat[:, k.S_SETTLED_VALUE].sum()
    left = pay[state != k.SPLIT, k.P_LEFT].sum()
    assert arrived == settled + left
    assert run.stat[:, k.S_ARRIVED_VALUE].sum() == arrived
    for column, place in ((k.T_Q1_VALUE, k.Q1), (k.T_Q2_VALUE, k.Q2)):
        assert run.trace[-1, :, column].sum() == pay[state == place, k.P_LEFT].sum()


@given(cases(), st.sampled_from(["bilateral", "multilateral", "cycles"]))
@FEW
def test_offsetting_never_lowers_what_settles_at_the_first_tick(case: Case, added: str) -> None:
    # Later ticks may differ either way: who has money then is another question.
    keys = {name: value for name, value in case.keys.items() if name != "scenario_events"}
    keys["simulation"] = {"ticks_per_day": 1, "num_days": 1, "rng_seed": 1}
    payments = tuple(replace(payment, tick=0) for payment in case.payments)
    plain = plain_policies(1) * len(keys["agents"])
    settled = []
    for algorithms in (["fifo"], ["fifo", added]):
        lsm = {"algorithms": algorithms}
        played = replace(case, keys=keys | {"lsm_config": lsm}, payments=payments, policies=plain)
        settled.append(play(played).stat[:, k.S_SETTLED_VALUE].sum())
    assert settled[1] >= settled[0]


@given(cases(), st.data())
@FEW
def test_a_run_taken_up_from_a_snapshot_ends_the_same(case: Case, data: Any) -> None:
    whole = play(case)
    tick = data.draw(st.integers(0, whole.n_ticks))
    run = Simulation(case.scenario, case.policies, seed=case.seed, sample=case.sample)
    kept = run.run_until(tick).snapshot()
    assert same(run.run_until().result(), whole)
    for snapshot in (kept, Snapshot.from_bytes(kept.to_bytes())):
        again = Simulation.restore(case.scenario, snapshot, case.policies)
        assert same(again.run_until().result(), whole)


@given(cases(), st.lists(st.integers(0, 10**6), min_size=1, max_size=4, unique=True))
@FEW
def test_a_batch_is_its_samples_one_by_one(case: Case, samples: list[int]) -> None:
    runs = [play(replace(case, sample=sample)) for sample in samples]
    batch = simulate_batch(case.scenario, [case.policies], samples=samples, seed=case.seed)
    for place, run in enumerate(runs):
        days = np.zeros(run.cost.shape[1:])
        for day in run.cost:
            days = days + day
        assert batch.cost[place, 0].tobytes() == days.tobytes()
        assert batch.stat[place, 0].tolist() == run.stat.tolist()
        assert batch.delay[place, 0].tobytes() == run.delay.tobytes()


@given(cases(), cases(), st.data())
@FEW
def test_a_batch_from_a_snapshot_is_each_profile_by_itself(
    case: Case, other: Case, data: Any
) -> None:
    play(case)
    others = (other.policies * len(case.policies))[: len(case.policies)]
    # Policies name banks by what both cases call them.
    assume(len(other.policies) <= len(case.policies))
    run = Simulation(case.scenario, case.policies, seed=case.seed, sample=case.sample)
    start = run.run_until(data.draw(st.integers(0, case.scenario.n_ticks - 1))).snapshot()
    given = [run.arrivals]
    profiles = [case.policies, others, case.policies]
    try:
        batch = simulate_batch(case.scenario, profiles, arrivals=given, seed=case.seed, start=start)
        alone = Simulation.restore(case.scenario, start, others).run_until().result()
    except SimulationError:
        assume(False)
        return
    whole = run.run_until().result()
    for place, expected in enumerate((whole, alone, whole)):
        assert batch.stat[0, place].tolist() == expected.stat.tolist()
        assert batch.total_cost[0, place].tolist() == pytest.approx(
            list(expected.total_costs.values()), rel=1e-12
        )


@pytest.mark.skipif(IS_INTERPRETED, reason="interpreted kernels run in one thread")
@given(cases(max_banks=4))
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_a_batch_does_not_depend_on_threads(case: Case) -> None:
    profiles = [case.policies, tuple(plain_policies(1)) * len(case.policies)]
    try:
        runs = [
            simulate_batch(case.scenario, profiles, samples=200, seed=case.seed, threads=threads)
            for threads in (1, 2, 3)
        ]
        few = simulate_batch(case.scenario, profiles, samples=range(70, 75), seed=case.seed)
    except SimulationError:
        assume(False)
        return
    assert len({run.cost.tobytes() + run.stat.tobytes() for run in runs}) == 1
    assert few.cost.tobytes() == runs[0].cost[70:75].tobytes()


@given(cases(), st.data())
@FEW
def test_what_arrives_depends_on_no_policy(case: Case, data: Any) -> None:
    number = data.draw(st.integers(0, len(case.policies) - 1))
    others = list(case.policies)
    others[number] = plain_policies()[data.draw(st.integers(0, 5))]
    runs = [
        Simulation(case.scenario, policies, seed=case.seed, sample=case.sample)
        for policies in (case.policies, others)
    ]
    assert runs[0].arrivals.tolist() == runs[1].arrivals.tolist()


@given(cases())
@FEW
def test_what_a_bank_pays_depends_on_no_other_bank(case: Case) -> None:
    keys = {name: value for name, value in case.keys.items() if name != "scenario_events"}
    first, *rest = keys["agents"]
    quiet = [
        {name: value for name, value in agent.items() if not name.startswith("arrival")}
        for agent in rest
    ]
    drawn = []
    for agents in ([first, *rest], [first, *quiet]):
        played = replace(case, keys=keys | {"agents": agents}, payments=())
        run = Simulation(played.scenario, case.policies, seed=case.seed, sample=case.sample)
        drawn.append(run.arrivals[run.arrivals[:, k.A_SENDER] == 0].tolist())
    assert drawn[0] == drawn[1]


WORDS = st.integers(0, 2**64 - 1)


@pytest.mark.skipif(not IS_INTERPRETED, reason="compiled kernels are called from kernels alone")
@given(WORDS, st.integers(0, 1999), st.integers(0, 2**40), st.integers(0, 2**40), st.integers(0, 1))
def test_raw_numbers_are_those_of_numpy(
    seed: int, bank: int, place: int, day: int, use: int
) -> None:
    generator = np.random.Philox(
        key=np.array([seed, bank], dtype=np.uint64),
        counter=np.array([0, place, day, use], dtype=np.uint64),
    )
    expected = generator.random_raw(12).tolist()
    with np.errstate(over="ignore"):
        found = [
            int(word)
            for block in (1, 2, 3)
            for word in philox(*(np.uint64(x) for x in (seed, bank, block, place, day, use)))
        ]
    assert found == expected
