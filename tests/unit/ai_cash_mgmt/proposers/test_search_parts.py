"""Parts of the search: what was tried, samplers, and points close to the best so far."""

from __future__ import annotations

import math
from itertools import islice

import numpy as np
import pytest
from tests.situations import newsvendor, situation, spec

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, ParameterSpace
from payment_simulator.ai_cash_mgmt.proposers.asking import SAMPLERS, ParzenTrees, asking
from payment_simulator.ai_cash_mgmt.proposers.covering import Chance, EvenCovering
from payment_simulator.ai_cash_mgmt.proposers.nearby import Nearby
from payment_simulator.ai_cash_mgmt.proposers.trials import Trials


def axes(*specs):
    return tuple(map(Axis.of, specs))


class TestTrials:
    def test_nothing_is_played_twice(self):
        told, costs = situation(newsvendor, [spec()], (0.5,))
        trials = Trials(told, ParameterSpace([spec()]))
        trials.play([(0.5,), (0.1,), (0.5,)])
        trials.play([(0.1,), (0.2,)])
        assert costs.calls == [[(0.5,), (0.1,)], [(0.2,)]]
        assert trials.best == (0.2,)
        assert list(trials.costs.values()) == [newsvendor(x) for x in (0.5, 0.1, 0.2)]

    def test_the_policy_in_force_is_played_as_it_is(self):
        told, _ = situation(newsvendor, [spec()], (0.5,))
        trials = Trials(told, ParameterSpace([spec()]))
        assert trials.policy((0.5,)) is told.policy
        assert trials.policy((0.1,)).parameters["free"] == 0.1


class TestSamplers:
    @pytest.mark.parametrize("sampler", SAMPLERS)
    def test_what_is_asked_is_allowed(self, sampler):
        specs = [spec("a"), spec("n", param_type="int", max_value=9), spec("m", values=(5, 2))]
        source = asking(sampler, axes(*specs), 7)
        for _ in range(200):
            values = source.ask()
            assert not any(one.problem(v) for one, v in zip(specs, values, strict=True))
            source.tell(values, sum(values))

    @pytest.mark.parametrize("n_axes", [1, 2, 3])
    def test_an_even_covering_leaves_smaller_gaps_than_chance(self, n_axes):
        space = axes(*(spec(f"p{i}") for i in range(n_axes)))
        targets = np.random.default_rng(1).random((500, n_axes))
        gaps = {}
        for kind in (EvenCovering, Chance):
            found = []
            for seed in range(10):
                source = kind(space, seed)
                points = np.array([source.ask() for _ in range(64)])
                apart = np.abs(targets[:, None] - points[None]).max(axis=2).min(axis=1)
                found.append(apart.max())
            gaps[kind] = np.mean(found)
        assert gaps[EvenCovering] < 0.85 * gaps[Chance]

    def test_on_one_axis_the_covering_goes_by_the_golden_section(self):
        source = EvenCovering(axes(spec()), 3)
        places = [source.ask()[0] for _ in range(50)]
        strides = np.mod(np.diff(places), 1.0)
        assert strides == pytest.approx((math.sqrt(5) - 1) / 2, abs=2e-6)

    def test_trees_learn_of_every_try_once_and_of_none_that_is_no_point_of_theirs(self):
        trees = ParzenTrees(axes(spec("a", step=0.1), spec("m", values=(5, 2))), 1)
        trees.tell((0.3, 2), 1.0)
        assert [trial.value for trial in trees._study.trials] == [1.0]
        assert trees._study.trials[0].params == {"a": 3, "m": 1}

        trees.tell((0.33, 2), 1.0)  # off the steps
        trees.tell((0.4, 2), math.inf)
        assert len(trees._study.trials) == 1

        asked = [trees.ask() for _ in range(60)]
        for values in dict.fromkeys(asked):
            trees.tell(values, math.inf if values[0] < 0.2 else 2.0)
        values = [trial.value for trial in trees._study.trials if trial.state.name == "COMPLETE"]
        expected = {one for one in asked if one[0] >= 0.2} - {(0.3, 2), (0.33, 2), (0.4, 2)}
        assert values == [1.0] + [2.0] * len(expected)
        assert not [t for t in trees._study.trials if t.state.name == "RUNNING"]

    def test_after_some_hundred_tries_trees_learn_no_more(self):
        trees = ParzenTrees(axes(spec()), 1)
        for _ in range(300):
            trees.tell(trees.ask(), 1.0)
        assert len(trees._study.trials) < 160
        late = [trees.ask()[0] for _ in range(50)]
        assert np.mod(np.diff(late), 1.0) == pytest.approx((math.sqrt(5) - 1) / 2, abs=2e-6)


class TestNearby:
    def test_bounds_are_those_of_one_parameter_at_a_time(self):
        space = axes(spec("a", min_value=-2), spec("m", values=(5, 2, 9)))
        bounds = list(Nearby(space, 1).bounds((0.5, 2)))
        assert sorted(bounds) == [(-2, 2), (0.5, 5), (0.5, 9), (1, 2)]

    @pytest.mark.parametrize("bend", [0.31, 0.39, 0.4, 0.45])
    def test_the_first_points_are_where_straight_lines_meet(self, bend):
        costs = {(x,): max(3 * (bend - x), x - bend) for x in (0.0, 0.2, 0.4, 0.6, 0.8)}
        best = min(costs, key=costs.get)
        first = [x for (x,) in islice(Nearby(axes(spec()), 1).around(best, costs), 2)]
        assert bend in first or bend == best[0]

    def test_there_is_no_line_through_a_run_that_stops(self):
        for stops in ((0.0,), (0.2,), (0.6,), (0.8,)):
            costs = {(x,): abs(x - 0.41) for x in (0.0, 0.2, 0.4, 0.6, 0.8)}
            costs[stops] = math.inf
            for (x,) in Nearby(axes(spec()), 1).around((0.4,), costs):
                assert 0 <= x <= 1

    def test_two_values_may_share_a_position(self):
        space = axes(spec(min_value=-10_000, max_value=10_000, step=0.05))
        start = 0.1 + 0.05  # a hair beside 0.15
        assert start != 0.15
        assert space[0].position(start) == space[0].position(0.15)
        costs = {(0.05,): 3.0, (0.1,): 2.0, (start,): 1.0, (0.15,): 1.0}
        around = list(Nearby(space, 1).around((start,), costs))
        assert (0.1,) in around

    def test_points_come_closer_on_both_sides(self):
        space = axes(spec())
        points = [x for (x,) in Nearby(space, 1).around((0.5,), {(0.5,): 0.0})]
        assert points[:4] == pytest.approx([1 / 3, 2 / 3, 11 / 24, 13 / 24], abs=1e-6)
        away = [abs(x - 0.5) for x in points]
        assert away[::2] == sorted(away[::2], reverse=True)
        assert 0 < away[-1] < 1e-4

    def test_a_step_is_the_least_way(self):
        space = axes(spec("n", param_type="int", max_value=10))
        points = {x for (x,) in Nearby(space, 1).around((5,), {(5,): 0, (4,): 1, (6,): 1})}
        assert points == {4, 6}

    def test_with_several_parameters_jumps_go_near_and_far(self):
        space = axes(*(spec(f"p{i}") for i in range(3)))
        best = (0.5, 0.5, 0.5)
        nearby = Nearby(space, 1)
        moved = [
            [abs(value - 0.5) for value in point if value != 0.5]
            for _ in range(20)
            for point in nearby.around(best, {best: 0.0})
        ]
        together = [way for way in moved if len(way) > 1]
        assert {len(way) for way in moved} == {1, 2, 3}
        ways = [part for way in together for part in way]
        assert max(ways) <= 0.5
        assert min(ways) < 0.002
        assert 0.01 < np.median(ways) < 0.03
