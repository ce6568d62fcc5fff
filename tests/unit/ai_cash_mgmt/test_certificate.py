"""What a certificate says of samples whose truth is known, and of the deviations it tries."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.games import FRACTION, SCENARIOS

from payment_simulator.ai_cash_mgmt.certificate import certify
from payment_simulator.ai_cash_mgmt.certificate.bounds import flat_bound, is_flat
from payment_simulator.ai_cash_mgmt.certificate.measure import BankMeasure
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup, set_up
from payment_simulator.ai_cash_mgmt.proposers.base import PastStep
from payment_simulator.policy import Policy, to_json
from payment_simulator.scenario import load_scenario


class TableArena:
    """Gives costs by day from a function of policy and day, in the place of the engine."""

    class scenario:  # noqa: N801 - stands for an attribute
        bank_ids = ("A",)

    def __init__(self, cost_of):
        self.cost_of = cost_of
        self.played = 0

    def day_costs(self, _profile, _bank, policies, days):
        self.played += len(policies) * len(days)
        return np.array(
            [
                [self.cost_of(p.parameters["x"], days.seed, n) for p in policies]
                for n in days.numbers
            ]
        )


def policy(x: float) -> Policy:
    return Policy(policy_id="p", parameters={"x": x})


def noise(seed: int, day: int, x: float = 0.0) -> float:
    return float(np.random.default_rng([seed, day, int(1000 * x)]).normal())


def measured(cost_of, xs, *, sizes=(200,), tolerance=0.01, seed=1):
    arena = TableArena(cost_of)
    found = BankMeasure(
        arena, (policy(0.0),), "A", [policy(x) for x in xs],
        n_banks=1, n_looks=len(sizes), tolerance=tolerance,
    )  # fmt: skip
    for size in sizes:
        regret = found.look(
            Days(range(size), 2 * seed), Days(range(size), 2 * seed + 1), is_last=size == sizes[-1]
        )
        if regret.is_within(tolerance):
            break
    return regret


def test_a_clear_gain_is_found_and_bounded():
    regret = measured(lambda x, seed, day: 100.0 - 5.0 * x + noise(seed, day, x), [0.5, 1.0])
    assert regret.chosen == 1
    assert regret.low < 5.0 < regret.high
    assert regret.estimate == pytest.approx(5.0, abs=0.5)


def test_nothing_is_chosen_where_the_policy_in_force_is_best():
    estimates = []
    for seed in range(20):
        regret = measured(
            lambda x, s, day: 100.0 + x + 3.0 * noise(s, day, x), [0.5, 1.0], seed=seed
        )
        assert regret.low <= 0.0 <= regret.high
        estimates.append(regret.estimate)
    assert sum(estimate != 0.0 for estimate in estimates) <= 5


def test_equal_days_bound_nothing():
    cheap = measured(lambda x, *_: 100.0 - x, [1.0])
    assert (cheap.estimate, cheap.low, cheap.high) == (1.0, None, None)
    assert not cheap.is_within(1.0)


def test_a_gain_that_never_differs_is_bounded_by_what_days_cost():
    costs = np.array([100.0, 200.0, 300.0, 1000.0] * 50)
    assert is_flat(np.full(200, -1.0), costs)
    bound = flat_bound(-1.0, costs, 0.005, None)
    assert bound is not None
    assert 1000.0 * 5.2 / 200 < bound + 1.0 < 1000.0 * 5.4 / 200
    assert flat_bound(-1.0, np.full(200, 100.0), 0.005, None) is None
    more = flat_bound(-1.0, np.tile(costs, 4), 0.005, None)
    assert more is not None
    assert more < bound / 2


def test_a_rare_gain_is_not_ruled_out_before_it_was_seen():
    def cost_of(x: float, _seed: int, day: int) -> float:
        dear = 0.0 if x else 1000.0
        return x + (dear if day % 100 == 99 else 0.0)

    # The first 99 days say that x costs 1 a day more, always.
    early = measured(cost_of, [1.0], sizes=(99,))
    assert early.high is None
    late = measured(cost_of, [1.0], sizes=(99, 200, 400, 800))
    assert late.chosen == 0
    assert late.high is not None
    assert late.low is not None
    assert late.low <= 9.0 <= late.high


def castro_setup(fractions: tuple[float, float], **changes: object) -> GameSetup:
    spec = {"name": FRACTION, "min_value": 0, "max_value": 1}
    config = GameConfig.from_mapping(
        {
            "scenario_config": "s.yaml",
            "equilibrium": {"grid_points": 21},
            "constraints": {"allowed_parameters": [spec], "allowed_actions": {}},
            **changes,
        }
    )
    scenario = load_scenario(SCENARIOS / "two_period.yaml")
    setup = set_up("g", config, scenario)
    profile = tuple(
        replace(own, parameters={**own.parameters, FRACTION: fraction})
        for own, fraction in zip(setup.scenario.policies, fractions, strict=True)
    )
    loaded = replace(setup.scenario.loaded, policies=profile)
    return replace(setup, scenario=setup.scenario.with_loaded(loaded))


def test_between_the_points_of_the_grid_it_finds_what_can_be_gained():
    # The grid has nothing between 0.2 and 0.25, and the regret of 0.2001 is below its spacing.
    setup = castro_setup((0.0, 0.2001))
    found = certify(setup, setup.scenario.policies, {})
    regret = found.regrets["BANK_B"]
    assert regret.estimate == regret.low == regret.high == pytest.approx(1.0)
    best = found.best["BANK_B"]
    assert best is not None
    assert best[FRACTION] == pytest.approx(0.2)
    assert found.regrets["BANK_A"].estimate == 0.0
    assert found.is_within_tolerance
    assert found.deviation_space == "parameters"
    assert found.num_deviations > 2 * 100


def test_what_was_proposed_is_tried():
    setup = castro_setup((0.0, 0.2001), equilibrium={"grid_points": 2})
    own = setup.scenario.policies[1]
    proposed = replace(own, parameters={**own.parameters, FRACTION: 0.20005})
    past = PastStep(1, to_json(proposed), {}, 0.0, 0.0, was_accepted=False)
    without = certify(setup, setup.scenario.policies, {})
    found = certify(
        setup, setup.scenario.policies, {"BANK_B": (past, replace(past, errors=("x",)))}
    )
    assert found.num_deviations - without.num_deviations in {0, 1}
    assert found.regrets["BANK_B"].estimate >= 0.5 - 1e-9


@pytest.mark.parametrize("pool", [1_000_000, 10_000_000, 100_000_000])
def test_a_pool_that_is_too_large_is_no_equilibrium(tmp_path: Path, pool: int):
    text = (SCENARIOS / "two_period.yaml").read_text(encoding="utf-8")
    path = tmp_path / "s.yaml"
    path.write_text(text.replace("liquidity_pool: 100_000", f"liquidity_pool: {pool}"))
    scenario = load_scenario(path)
    spec = {"name": FRACTION, "min_value": 0, "max_value": 1}
    config = GameConfig.from_mapping(
        {"scenario_config": "s.yaml", "equilibrium": {}, "proposer": {"candidates": 8},
         "constraints": {"allowed_parameters": [spec], "allowed_actions": {}}}
    )  # fmt: skip
    setup = set_up("g", config, scenario)
    # What is needed is 0.2 of a pool of 100,000; B funds half as much again.
    shares = (0.0, 30_000 / pool)
    profile = tuple(
        replace(own, parameters={**own.parameters, FRACTION: share})
        for own, share in zip(setup.scenario.policies, shares, strict=True)
    )
    regret = certify(setup, profile, {}).regrets["BANK_B"]
    assert regret.estimate == pytest.approx(1_000.0, rel=0.05)
