"""Races: who plays all days, who is dropped, and what is known of those that are."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from tests.situations import newsvendor, policy, situation, spec

from payment_simulator.ai_cash_mgmt.proposers.racing import ERROR, FIRST_ROUND, race, round_ends
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.policy import to_json

DAYS = 200


def raced(means, *, spread=1.0, n_days=DAYS, seed=1, **more):
    """Return how many days each of some policies played: days are good or bad for all alike."""
    rng = np.random.default_rng(seed)
    costs = np.array(means) + spread * rng.normal(size=(n_days, len(means)))
    costs += 100 * rng.normal(size=(n_days, 1))
    policies = [policy(free=q / 100) for q in range(len(means))]

    def play(some, first, end):
        return costs[first:end, [policies.index(one) for one in some]]

    found = race(policies, play, n_days, **more)
    for q, cost in enumerate(found):
        assert cost.tolist() == costs[: len(cost), q].tolist()
    return [len(cost) for cost in found]


@pytest.mark.parametrize(
    ("n_days", "ends"),
    [(1, (1,)), (25, (25,)), (26, (25, 26)), (60, (25, 50, 60)), (200, (25, 50, 100, 200))],
)
def test_each_round_ends_at_twice_as_many_days(n_days, ends):
    assert round_ends(n_days) == ends


def test_the_cheapest_plays_all_days_and_the_dearer_the_fewer():
    days = raced([10.0, 5.0, 10.0, 5.4])
    assert days[:3] == [FIRST_ROUND, DAYS, FIRST_ROUND]
    assert FIRST_ROUND < days[3] < DAYS


def test_what_costs_the_same_is_seldom_dropped():
    dropped = sum(raced([5.0, 5.0], seed=seed).count(DAYS) < 2 for seed in range(200))
    # Either of the two may fall behind the other.
    assert 0 < dropped <= 200 * 2 * ERROR


def test_nothing_is_dropped_on_few_days():
    assert raced([10.0, 5.0, 1e6], n_days=FIRST_ROUND) == [FIRST_ROUND] * 3


def test_some_stay_whatever_they_cost():
    assert raced([10.0, 5.0, 10.0], stays=[2]) == [FIRST_ROUND, DAYS, DAYS]


def test_what_led_before_drops_others():
    lead = np.full(DAYS, -1e6)
    assert raced([10.0, 5.0], lead=lead) == [FIRST_ROUND] * 2
    assert raced([10.0, 5.0], lead=lead, stays=[0]) == [DAYS, FIRST_ROUND]


def test_nothing_is_dropped_for_what_may_not_be_proposed():
    assert raced([10.0, 5.0], followers=[1]) == [DAYS, DAYS]


def test_differences_without_spread_are_no_evidence():
    assert raced([10.0, 5.0, 7.0], spread=0.0) == [DAYS] * 3


def test_a_run_that_stops_is_dropped_unless_all_stop():
    assert raced([math.inf, 5.0]) == [FIRST_ROUND, DAYS]
    assert raced([math.inf, math.inf]) == [DAYS, DAYS]


class NoisyCosts:
    """A function of the parameters in place of the simulator, on days that are noisy alike.

    Attributes
    ----------
    days : dict of tuple to int
        How many days each point was played.
    """

    def __init__(self, function, names, n_days, seed):
        self.days = {}
        self.function, self.names = function, names
        rng = np.random.default_rng(seed)
        self.common, self.own = rng.normal(size=n_days), rng.normal(size=n_days)

    def __call__(self, some, first, end):
        columns = []
        for one in some:
            point = tuple(one.parameters[name] for name in self.names)
            assert self.days.get(point, 0) == first, "days are played in order, none twice"
            self.days[point] = end
            noise = self.common + (0.1 * point[0]) * self.own
            columns.append(self.function(*point) + noise[first:end])
        return np.array(columns).T


def searched(n_days=DAYS, *, refused=(), seed=1, function=newsvendor):
    """Let a search race, and return the situation, the answer and what was played."""
    told, _ = situation(function, [spec()], (0.9,), refused=refused)
    costs = NoisyCosts(function, ["free"], n_days, seed)

    def unasked(_):
        raise AssertionError("all days of all were asked for")

    told.tools = replace(told.tools, costs=unasked, day_costs=costs, n_days=n_days)
    return told, SearchProposer().propose(told), costs


def test_a_search_plays_less_than_half_of_all_days_and_finds_the_cheapest():
    for seed in range(5):
        _, answer, costs = searched(seed=seed)
        assert sum(costs.days.values()) < 0.5 * 32 * DAYS
        assert newsvendor(answer.policy.parameters["free"]) < newsvendor(0.2) + 0.01


def test_the_winner_and_the_policy_in_force_play_all_days():
    _, answer, costs = searched()
    assert costs.days[(0.9,)] == costs.days[(answer.policy.parameters["free"],)] == DAYS


def test_the_days_of_each_are_told():
    told, answer, costs = searched()
    assert len(told.shown.tried) == 32
    assert {tried.values: tried.days for tried in told.shown.tried} == costs.days
    n_dropped = sum(days < DAYS for days in costs.days.values())
    assert n_dropped > 0
    assert f"Of 32 policies tried, {n_dropped} of them not on all 200 days," in answer.reasoning


def test_what_was_dropped_is_estimated_from_differences():
    # A day's cost has a standard deviation of 1, a mean of 25 days one of 0.2.
    told, _, costs = searched()
    base = float(costs.common.mean())
    dropped = [tried for tried in told.shown.tried if tried.days < DAYS]
    for tried in dropped:
        assert tried.cost == pytest.approx(newsvendor(*tried.values) + base, abs=0.05)


def test_what_was_sent_back_leads_no_race():
    _, first, _ = searched()
    _, again, costs = searched(refused=[to_json(first.policy)])
    assert again.policy != first.policy
    assert costs.days[(again.policy.parameters["free"],)] == DAYS


def test_the_same_seed_runs_the_same_race():
    first, second = searched(), searched()
    assert first[0].shown.tried == second[0].shown.tried
    assert first[1] == second[1]
