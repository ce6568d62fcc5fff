"""Proposals accepted and refused, with the reasons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from payment_simulator.ai_cash_mgmt.evaluation.acceptance import (
    Evaluation,
    decide,
)
from payment_simulator.errors import InputError


def evaluation(old, new, old_rate=None, new_rate=None, **more):
    n = len(old)
    return Evaluation(
        np.array(old, float),
        np.array(new, float),
        np.array(old_rate or [1.0] * n, float),
        np.array(new_rate or [1.0] * n, float),
        tuple(range(n)),
        **more,
    )


def decided(case, rule="mean", error=0.05, improvement_threshold=0.0, min_settlement_rate=None):
    return decide(
        case,
        rule=rule,
        error=error,
        improvement_threshold=improvement_threshold,
        min_settlement_rate=min_settlement_rate,
    )


def test_means_and_gain():
    case = evaluation([100, 200, 600], [100, 100, 100])
    assert (case.mean_old, case.mean_new, case.mean_gain) == (300.0, 100.0, 200.0)
    assert case.differences.tolist() == [0.0, 100.0, 500.0]
    assert evaluation([0.1] * 3, [0.3]).mean_old == math.fsum([0.1] * 3) / 3


def test_the_gain_is_exactly_the_difference_of_the_means():
    case = evaluation([0.1, 0.2, 0.4], [0.3, 0.1, 0.1])
    assert case.mean_gain == case.mean_old - case.mean_new


def test_a_cheaper_policy_is_accepted_and_the_sentence_has_the_numbers():
    found = decided(evaluation([1_500.0], [1_200.0]))
    assert found.is_accepted
    assert found.lower_bound is None
    assert found.reason == "mean cost falls from 1,500.00 to 1,200.00 cents, by 300.00"


@pytest.mark.parametrize("threshold", [0.0, 0.01])
@pytest.mark.parametrize("cost", [0.0, 250.0])
def test_the_same_cost_is_never_accepted(cost, threshold):
    found = decided(evaluation([cost] * 4, [cost] * 4), improvement_threshold=threshold)
    assert not found.is_accepted
    assert found.reason == f"mean cost stays the same, {cost:.2f} cents"


def test_a_dearer_policy_is_refused():
    found = decided(evaluation([100, 100], [50, 151]))
    assert not found.is_accepted
    assert found.reason == "mean cost rises from 100.00 to 100.50 cents, by 0.5"


def test_the_gain_must_exceed_the_share_of_the_old_cost():
    at_it = decided(evaluation([1000], [990]), improvement_threshold=0.01)
    assert not at_it.is_accepted
    assert "expected a gain above 10.00, 0.01 of the old cost" in at_it.reason
    assert decided(evaluation([1000], [989]), improvement_threshold=0.01).is_accepted
    # A cost below zero is what a bank earns: the share is of its size.
    assert not decided(evaluation([-1000], [-1005]), improvement_threshold=0.01).is_accepted
    assert decided(evaluation([-1000], [-1011]), improvement_threshold=0.01).is_accepted


def test_any_gain_is_enough_without_a_threshold():
    found = decided(evaluation([1.0], [math.nextafter(1.0, 0.0)]))
    assert found.is_accepted
    assert found.reason.endswith("by 1.11e-16")


def test_confident_wants_a_lower_bound_above_zero():
    # Differences 30, -10, 20, 0: mean 10, no skewness, t(0.95; 3) = 2.3534.
    unsure = evaluation([130, 90, 120, 100], [100, 100, 100, 100])
    assert decided(unsure).is_accepted
    found = decided(unsure, rule="confident")
    assert (found.is_accepted, found.is_open) == (False, True)
    assert found.lower_bound == pytest.approx(10 - 2.3533634348 * math.sqrt(1000 / 12))
    assert "not sure to fall" in found.reason
    assert "error of at most 0.05 the gain is at least -11.48 cents (4 paired" in found.reason
    # The same mean gain, but every day gains about as much.
    sure = decided(evaluation([111, 309, 510, 710], [100, 300, 500, 700]), rule="confident")
    assert sure.is_accepted
    assert sure.lower_bound == pytest.approx(10 - 2.3533634348 * math.sqrt(2 / 3 / 4))
    assert "at least 9.04 cents" in sure.reason
    assert decided(unsure, rule="confident", error=0.4).is_accepted


def test_confident_does_not_replace_the_threshold():
    case = evaluation([1001, 1002, 1005], [1000, 1000, 1000])
    assert decided(case, rule="confident", error=0.2).is_accepted
    found = decided(case, rule="confident", error=0.2, improvement_threshold=0.01)
    assert (found.is_accepted, found.is_open) == (False, False)
    assert found.lower_bound > 0


def test_where_nothing_is_random_the_gain_is_certain():
    found = decided(evaluation([100], [40], is_exact=True), rule="confident", error=1e-9)
    assert found.is_accepted
    assert found.lower_bound == 60.0
    assert "nothing is random, so the gain is certain" in found.reason


@pytest.mark.parametrize("n", [1, 2, 49])
def test_equal_gains_on_random_days_are_no_evidence(n):
    found = decided(evaluation([100] * n, [40] * n), rule="confident", error=0.4)
    assert (found.is_accepted, found.is_open, found.lower_bound) == (False, True, None)
    assert f"all {n} paired samples gave the same gain" in found.reason


def test_gains_that_differ_by_rounding_alone_are_no_evidence():
    old = np.random.default_rng(1).normal(1e6, 1e5, 200)
    case = evaluation(old, old - 104.1)
    assert len(set(case.differences.tolist())) > 1
    found = decided(case, "confident")
    assert (found.is_accepted, found.is_open, found.lower_bound) == (False, True, None)


def test_resampled_days_are_worth_no_more_than_the_runs_they_come_from():
    old, new = np.arange(400) % 7 + 10.0, np.full(400, 12.0)
    assert decided(evaluation(old, new), rule="confident").is_accepted
    found = decided(evaluation(old, new, n_observed=5), rule="confident")
    assert not found.is_accepted
    assert "(400 paired samples drawn from 5 observed runs)" in found.reason


def test_more_samples_are_put_after_the_first():
    first, more = evaluation([1, 2], [3, 4]), evaluation([5], [6], [0.5], [0.25])
    both = first.with_more(more)
    assert both.old_cost.tolist() == [1, 2, 5]
    assert both.new_cost.tolist() == [3, 4, 6]
    assert both.old_rate.tolist() == [1, 1, 0.5]
    assert both.new_rate.tolist() == [1, 1, 0.25]
    assert len(both.seeds) == 3


def test_the_settlement_floor_binds_however_cheap_a_policy_is():
    cheap = evaluation([100, 100], [1, 1], [0.5, 0.5], [0.9, 0.88])
    found = decided(cheap, min_settlement_rate=0.9)
    assert not found.is_accepted
    assert "settlement rate of the system would be 0.89 on average" in found.reason
    assert "expected at least 0.9" in found.reason
    assert decided(cheap, min_settlement_rate=0.89).is_accepted
    assert decided(cheap).is_accepted


@pytest.mark.parametrize("floor", [0.1, 0.7, 0.95, 1.0])
def test_a_floor_that_every_sample_just_reaches_is_reached(floor):
    rates = [floor] * 49
    case = evaluation([2.0] * 49, [1.0] * 49, rates, rates)
    assert decided(case, min_settlement_rate=floor).is_accepted
    above = math.nextafter(floor, 2.0)
    assert not decided(case, min_settlement_rate=above).is_accepted


def test_an_unknown_rule_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r'rule: "confidnt"; nearest: confident'):
        decided(evaluation([1], [0]), rule="confidnt")
