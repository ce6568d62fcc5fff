"""The grid: everything is tried, the cheapest is proposed."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.games import FRACTION
from tests.situations import newsvendor, policy, situation, spec, two_period

from payment_simulator.ai_cash_mgmt.proposers.base import Proposer
from payment_simulator.ai_cash_mgmt.proposers.grid import GridProposer
from payment_simulator.errors import InputError
from payment_simulator.policy import to_json

FREE = [spec()]


def proposed(function, specs, start, points=21, **more):
    """Return the values proposed, and what was played."""
    told, costs = situation(function, specs, start, **more)
    answer = GridProposer(points).propose(told)
    return tuple(answer.policy.parameters[one.name] for one in specs), costs


def test_it_is_a_proposer_with_a_label():
    assert isinstance(GridProposer(), Proposer)
    assert GridProposer().label == "grid/exhaustive"


def test_every_combination_is_played_once_and_the_current_policy_too():
    specs = [spec("a"), spec("b", values=(4, 2)), spec("n", param_type="int", max_value=2)]
    _, costs = proposed(lambda *_: 1.0, specs, (0.3, 4, 1), 3)
    every = list(itertools.product((0.0, 0.5, 1.0), (4.0, 2.0), (0.0, 1.0, 2.0)))
    assert costs.points == [*every, (0.3, 4, 1)]
    _, costs = proposed(lambda *_: 1.0, specs, (0.5, 4, 1), 3)
    assert costs.points == every


def test_a_large_grid_is_played_in_batches():
    _, costs = proposed(lambda a, b: a + b, [spec("a"), spec("b")], (1, 1), 40)
    assert [len(call) for call in costs.calls] == [512, 512, 512, 64]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=21, max_size=21), st.integers(0, 20))
def test_the_first_of_the_cheapest_is_proposed_unless_the_current_one_is_as_cheap(costs, at):
    def cost(share):
        return float(costs[round(20 * share)])

    best, _ = proposed(cost, FREE, (at / 20,))
    least = min(costs)
    assert best == (at / 20 if costs[at] == least else costs.index(least) / 20,)


def test_costs_that_differ_by_rounding_alone_are_the_same():
    def cost(share):
        return 1000 + (share - 0.5) * 1e-7 if share < 0.9 else 2000.0

    assert proposed(cost, FREE, (1,))[0] == (0.0,)
    assert proposed(lambda x: -cost(x), FREE, (0.9,))[0] == (0.9,)
    assert proposed(cost, FREE, (0.35,))[0] == (0.35,)


def test_a_current_policy_between_the_points_stays_where_it_is_better():
    told, _ = situation(lambda x: abs(x - 0.333), FREE, (0.333,))
    assert GridProposer().propose(told).policy is told.policy


def test_a_point_that_stops_a_run_is_not_proposed():
    # The first point of all stops a run: no cost is as low as an infinite one.
    assert proposed(lambda x: math.inf if x < 0.4 else x, FREE, (1,))[0] == (0.4,)
    assert proposed(lambda _: math.inf, FREE, (0.3,))[0] == (0.3,)


def test_what_was_sent_back_is_not_proposed_again():
    found = []
    for _ in range(3):
        refused = [to_json(policy(free=share)) for share in found]
        found += proposed(newsvendor, FREE, (1,), refused=refused)[0]
    assert found == [0.2, 0.25, 0.3]


def test_all_points_sent_back_leave_the_current_policy():
    refused = [to_json(policy(free=n / 20)) for n in range(21)]
    assert proposed(newsvendor, FREE, (1,), refused=refused)[0] == (1,)


@pytest.mark.parametrize(("bank", "other", "best"), [("BANK_A", 0.2, 0.0), ("BANK_B", 0.0, 0.2)])
def test_it_finds_the_equilibrium_of_the_two_period_game(bank, other, best):
    told = two_period(bank, 0.5, other, spec(FRACTION))
    answer = GridProposer().propose(told)
    assert answer.policy.parameters == {FRACTION: best}
    assert told.validator.validate(answer.policy) == []
    assert answer.reasoning.startswith(f"Of 21 policies tried the one with {FRACTION} = {best:g} ")


def test_a_grid_that_is_too_large_is_refused_before_anything_is_played():
    told, costs = situation(lambda *_: 1.0, [spec(name) for name in "abcd"], (0, 0, 0, 0))
    with pytest.raises(InputError, match=r"21 x 21 x 21 x 21 points; .* a proposer of kind search"):
        GridProposer().propose(told)
    assert costs.calls == []
