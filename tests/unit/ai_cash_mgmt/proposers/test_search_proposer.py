"""The search: what it tries, in which order, and what it answers."""

from __future__ import annotations

import logging
import math
import warnings

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.games import FRACTION
from tests.situations import newsvendor, policy, situation, spec, two_period

from payment_simulator.ai_cash_mgmt.proposers.asking import SAMPLERS
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.errors import InputError
from payment_simulator.policy import to_json

EVERY = pytest.mark.parametrize("sampler", SAMPLERS)
FREE = [spec()]
#: One of each kind; the least cost is 0 at (0.25, 7, 2, 0.6).
KINDS = [
    spec("share"),
    spec("ticks", param_type="int", max_value=40),
    spec("mode", values=(5, 2, 9)),
    spec("buffer", step=0.1),
]


class Ear(logging.Handler):
    """Hears what is logged."""

    def emit(self, record):
        self.heard.append(record.getMessage())


def bowl(share, ticks, mode, buffer):
    return abs(share - 0.25) + abs(ticks - 7) / 40 + (mode != 2) + abs(buffer - 0.6)


def proposed(sampler="tpe", function=newsvendor, specs=FREE, start=(0.9,), **more):
    """Return the values proposed, and what was played."""
    candidates = more.pop("candidates", 32)
    told, costs = situation(function, specs, start, **more)
    answer = SearchProposer(candidates, sampler).propose(told)
    return tuple(answer.policy.parameters[one.name] for one in specs), costs


class TestWhatIsTried:
    @EVERY
    def test_the_current_policy_is_asked_first_and_bounds_in_the_first_round(self, sampler):
        _, costs = proposed(sampler, start=(0.37,))
        assert costs.points[0] == (0.37,)
        assert {(0.0,), (1.0,)} <= set(costs.calls[0])

    @EVERY
    @pytest.mark.parametrize("candidates", [2, 7, 8, 9, 32, 33])
    def test_so_many_are_tried_in_rounds_of_eight_and_none_twice(self, sampler, candidates):
        _, costs = proposed(sampler, candidates=candidates)
        rounds = [len(call) for call in costs.calls]
        assert sum(rounds) == candidates == len(set(costs.points))
        assert all(size == 8 for size in rounds[:-1])

    @EVERY
    def test_many_tries_are_made_in_few_rounds(self, sampler):
        _, costs = proposed(sampler, bowl, KINDS, (0.3, 4, 9, 0.2), candidates=700)
        assert len(costs.points) == len(set(costs.points)) == 700
        assert [len(call) for call in costs.calls] == [21] * 33 + [7]

    def test_parzen_trees_learn_where_it_is_cheap(self):
        # The second half of each round is the sampler's.
        def hollow(*point):
            return sum(abs(place - 0.3) for place in point)

        near = {}
        for sampler in SAMPLERS:
            specs, counts = [spec("a"), spec("b")], []
            for seed in range(6):
                _, costs = proposed(sampler, hollow, specs, (1, 1), seed=seed, candidates=96)
                asked = [point for call in costs.calls for point in call[len(call) // 2 :]]
                counts.append(sum(hollow(*point) < 0.2 for point in asked))
            near[sampler] = sum(counts)
        assert near["tpe"] > 3 * max(near["random"], near["qmc"])

    @EVERY
    def test_all_that_is_tried_is_allowed(self, sampler):
        _, costs = proposed(sampler, bowl, KINDS, (0.33, 40, 9, 0.2), candidates=64)
        for point in costs.points:
            assert [one.problem(v) for one, v in zip(KINDS, point, strict=True)] == [None] * 4
        assert len({point[2] for point in costs.points}) == 3

    def test_a_small_space_is_tried_whole(self):
        specs = [spec("a", step=0.25), spec("b", values=(3, 1))]
        best, costs = proposed("tpe", lambda a, b: abs(a - 0.75) + b, specs, (0.5, 3))
        assert best == (0.75, 1)
        assert sorted(costs.points) == [(n / 4, b) for n in range(5) for b in (1, 3)]

    @EVERY
    def test_a_space_just_larger_than_the_tries_is_tried_but_for_a_few(self, sampler):
        specs = [spec("n", param_type="int", max_value=35)]
        _, costs = proposed(sampler, lambda n: abs(n - 11), specs, (35,))
        assert len(set(costs.points)) == 32

    @EVERY
    def test_a_start_off_the_steps_is_compared_though_only_the_start_may_be_there(self, sampler):
        specs = [spec("a", step=0.01), spec("b")]
        told, costs = situation(lambda a, b: abs(a - 0.332) + b, specs, (0.333, 0.5))
        SearchProposer(sampler=sampler).propose(told)
        assert costs.points[0] == (0.333, 0.5)
        for a, b in costs.points:
            assert told.validator.validate(policy(a=a, b=b)) == []

    def test_the_rest_of_the_policy_stays(self):
        told, _ = situation(newsvendor, FREE, (0.9,))
        answer = SearchProposer().propose(told).policy
        assert answer == policy(free=answer.parameters["free"])
        assert told.validator.validate(answer) == []


class TestWhatIsProposed:
    @EVERY
    @pytest.mark.parametrize("start", [0.0, 0.05, 0.2, 0.41, 1.0])
    def test_a_bend_is_found_to_the_last_digit(self, sampler, start):
        for seed in range(4):
            best, _ = proposed(sampler, start=(start,), seed=seed)
            assert best == (0.2,)

    @EVERY
    def test_a_bound_is_found(self, sampler):
        assert proposed(sampler, lambda share: 0.1 * share)[0] == (0.0,)
        assert proposed(sampler, lambda share: -share)[0] == (1.0,)

    @EVERY
    def test_steps_that_follow_one_another_come_close_with_several_parameters(self, sampler):
        at = (0.9, 33.0, 9.0, 0.1)
        for step in range(12):
            at, _ = proposed(sampler, bowl, KINDS, at, seed=step)
        assert bowl(*at) < 0.1

    @EVERY
    def test_three_steps_find_where_costs_bend_in_four_parameters(self, sampler):
        bends = (0.2, 0.4, 0.6, 0.8)

        def bent(*point):
            off = [value - bend for value, bend in zip(point, bends, strict=True)]
            return 1 + sum(max(one, -4 * one) for one in off)

        left = []
        for seed in range(4):
            at = (0.9,) * 4
            for step in range(3):
                specs = [spec(name) for name in "abcd"]
                at, _ = proposed(sampler, bent, specs, at, seed=10 * seed + step)
            left.append(bent(*at))
        assert sum(left) / len(left) < 1.03

    @EVERY
    def test_the_cheapest_of_all_tried_is_proposed(self, sampler):
        # A comb: what is next to a good point is not good.
        best, costs = proposed(sampler, lambda x: math.sin(300 * x) + x)
        found = {point: math.sin(300 * point[0]) + point[0] for point in costs.points}
        assert found[best] == min(found.values())

    def test_the_policy_in_force_stays_where_none_is_better(self):
        for function in (lambda _: 5.0, lambda x: abs(x - 0.41), lambda _: 0.0):
            told, _ = situation(function, FREE, (0.41,))
            answer = SearchProposer().propose(told)
            assert answer.policy is told.policy
            assert "none costs less than the one in force" in answer.reasoning

    def test_rounding_errors_are_no_improvement(self):
        told, _ = situation(lambda x: 1000.0 if x == 0.41 else 1000.0 - 1e-7, FREE, (0.41,))
        assert SearchProposer().propose(told).policy is told.policy
        told, _ = situation(lambda x: 1000.0 if x == 0.41 else 1000.0 - 1e-3, FREE, (0.41,))
        assert SearchProposer().propose(told).policy is not told.policy

    @EVERY
    def test_a_policy_that_stops_a_run_is_never_proposed(self, sampler):
        for wrong in (math.inf, math.nan):
            best, costs = proposed(sampler, lambda x, w=wrong: w if x < 0.5 else x, start=(1.0,))
            assert 0.5 <= best[0] < 0.6
            assert min(costs.points) < (0.5,)

    @EVERY
    def test_where_every_run_stops_the_policy_in_force_stays(self, sampler):
        told, costs = situation(lambda _: math.inf, FREE, (0.41,))
        answer = SearchProposer(sampler=sampler).propose(told)
        assert answer.policy is told.policy
        assert answer.reasoning.endswith("in force: no finite amount.")
        assert len(costs.points) == 32

    @pytest.mark.parametrize("wrong", [math.inf, math.nan])
    def test_any_finite_cost_beats_a_start_that_stops_a_run(self, wrong):
        best, _ = proposed(function=lambda x: wrong if x == 0.41 else 7.0, start=(0.41,))
        assert best != (0.41,)

    def test_what_was_sent_back_is_not_proposed_again(self):
        first, _ = proposed()
        again, _ = proposed(refused=[to_json(policy(free=first[0])), "not even JSON"])
        assert first == (0.2,) != again
        # As good as the second best can be.
        assert newsvendor(*again) < newsvendor(0.21)

    def test_the_reasons_tell_costs_and_values(self):
        told, _ = situation(lambda x: 1000 * newsvendor(x), FREE, (0.9,))
        assert SearchProposer().propose(told).reasoning == (
            "Of 32 policies tried the one with free = 0.2 costs least: 20 cents on average; "
            "the one in force costs 90 cents."
        )


class TestAsAGameSeesIt:
    def test_it_is_a_proposer_with_a_label(self):
        assert isinstance(SearchProposer(), Proposer)
        assert SearchProposer().label == "search/tpe"
        assert SearchProposer(sampler="qmc").label == "search/qmc"

    @EVERY
    @settings(max_examples=10, deadline=None)
    @given(seed=st.integers(0, 2**63 - 1))
    def test_the_same_situation_gives_the_same_tries_bit_for_bit(self, sampler, seed):
        first, second = (proposed(sampler, bowl, KINDS, (0.5, 1, 5, 0), seed=seed) for _ in "ab")
        assert first[0] == second[0]
        assert first[1].calls == second[1].calls

    @EVERY
    def test_another_seed_gives_other_tries(self, sampler):
        assert proposed(sampler, seed=1)[1].calls != proposed(sampler, seed=2**62)[1].calls

    def test_the_one_proposer_can_be_asked_again(self):
        one = SearchProposer()
        told, first = situation(newsvendor, FREE, (0.5,))
        one.propose(told)
        told, second = situation(newsvendor, FREE, (0.5,))
        one.propose(told)
        assert first.calls == second.calls

    @EVERY
    def test_nothing_is_logged_warned_of_or_left_behind(self, sampler, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        before, handler, heard = optuna.logging.get_verbosity(), Ear(), []
        handler.heard = heard
        logging.getLogger("optuna").addHandler(handler)
        optuna.logging.set_verbosity(optuna.logging.INFO)
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                proposed(sampler)
            # What the program around it wants to hear from Optuna is its own affair.
            assert optuna.logging.get_verbosity() == logging.INFO
            assert heard == caught == list(tmp_path.iterdir()) == []
            optuna.create_study()
            assert heard
        finally:
            logging.getLogger("optuna").removeHandler(handler)
            optuna.logging.set_verbosity(before)

    @pytest.mark.parametrize(
        ("bank", "other", "best"), [("BANK_A", 0.2, 0.0), ("BANK_B", 0.0, 0.2)]
    )
    @EVERY
    def test_it_finds_the_equilibrium_of_the_two_period_game(self, sampler, bank, other, best):
        for share in (spec(FRACTION), spec(FRACTION, step=0.05), spec(FRACTION, step=0.001)):
            told = two_period(bank, 0.5, other, share)
            answer = SearchProposer(sampler=sampler).propose(told)
            # Shares of the pool are rounded down to cents, so that costs are not quite straight.
            near = pytest.approx(best, abs=2e-5 if share.step is None else 0)
            assert answer.policy.parameters == {FRACTION: near}
            assert told.validator.validate(answer.policy) == []

    @pytest.mark.parametrize(
        ("keys", "says"),
        [
            ({"sampler": "tpo"}, 'sampler "tpo"; nearest: tpe'),
            ({"candidates": 1}, "candidates: 1; expected at least 2"),
        ],
    )
    def test_what_makes_no_search_is_refused(self, keys, says):
        with pytest.raises(InputError, match=says):
            SearchProposer(**keys)

    def test_without_a_choice_there_is_no_search(self):
        told, _ = situation(newsvendor, [], ())
        with pytest.raises(InputError, match="there is nothing to choose"):
            SearchProposer().propose(told)
