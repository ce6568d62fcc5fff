"""Bounds and intervals of a mean: known values, and how often they are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, lower_bound, mean
from payment_simulator.ai_cash_mgmt.evaluation.spending import error_of_step, look_sizes
from payment_simulator.errors import InputError


def test_without_skewness_the_interval_is_the_textbooks():
    low, high = interval(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.95)
    half = 2.77644510519779 * math.sqrt(2.5 / 5)
    assert (low, high) == pytest.approx((3 - half, 3 + half), rel=1e-12)


def test_a_tail_of_losses_lowers_the_lower_bound_and_a_tail_of_gains_does_not_raise_it():
    values = np.array([1.0] * 19 + [-30.0])
    half = 1.7291328115213 * np.std(values, ddof=1) / math.sqrt(20)
    assert lower_bound(values, 0.05) < np.mean(values) - 1.2 * half
    assert lower_bound(-values, 0.05) == pytest.approx(-np.mean(values) - half)
    low, high = interval(values, 0.9)
    mirrored = interval(-values, 0.9)
    assert (low, high) == pytest.approx((-mirrored[1], -mirrored[0]))


def test_the_bound_is_that_of_halls_transformation():
    values = np.array([1.0] * 19 + [-30.0])
    n, off = 20, values - values.mean()
    skewness = (off**3).mean() / (off**2).mean() ** 1.5 * math.sqrt(n * (n - 1)) / (n - 2)
    t = (values.mean() - lower_bound(values, 0.05)) / (values.std(ddof=1) / math.sqrt(n))
    # Hall (1992): the transformed statistic is the quantile of Student's t.
    r = skewness / math.sqrt(n)
    assert t + r * t**2 / 3 + r**2 * t**3 / 27 + r / 6 == pytest.approx(1.7291328115213)


@pytest.mark.parametrize("values", [[5.0], [7.0] * 3, [0.1] * 49])
def test_without_spread_there_is_no_bound(values):
    assert lower_bound(np.array(values), 0.05) is None
    assert interval(np.array(values), 0.95) is None


def test_few_observed_runs_widen_the_interval():
    values = np.arange(100.0)
    own, of_few = interval(values, 0.95), interval(values, 0.95, 10)
    of_many = interval(values, 0.95, 1e12)
    assert of_few[1] - of_few[0] > 3 * (own[1] - own[0])
    assert of_many == pytest.approx(own, rel=1e-3)


def test_no_sample_is_refused():
    with pytest.raises(InputError, match="no sample"):
        mean(np.array([]))


def loss_tail(rng, shape):
    return math.exp(0.5) - rng.lognormal(0.0, 1.0, shape)


def rare_loss(rng, shape):
    return np.where(rng.random(shape) < 0.01, -99.0, 1.0)


@pytest.mark.parametrize(
    ("draw", "most"),
    [(lambda rng, shape: rng.normal(size=shape), 0.065), (loss_tail, 0.085), (rare_loss, 0.065)],
)
def test_bounds_of_skewed_samples_lie_above_the_mean_about_as_often_as_allowed(draw, most):
    rng = np.random.default_rng(5)
    bounds = [lower_bound(values, 0.05) for values in draw(rng, (2_000, 200))]
    wrong = np.mean([bound is not None and bound > 0 for bound in bounds])
    assert wrong <= most


def test_the_errors_of_all_steps_sum_to_half_of_that_of_the_game():
    shares = [error_of_step(0.95, iteration) for iteration in range(1, 1_001)]
    assert math.fsum(shares) == pytest.approx(0.025 * 1000 / 1001)
    assert shares[0] == pytest.approx(0.0125)


def test_looks_double_the_days_up_to_the_most():
    assert look_sizes(200, 3_200) == (200, 400, 800, 1_600, 3_200)
    assert look_sizes(250, 900) == (250, 500, 900)
    assert look_sizes(300, 300) == look_sizes(900, 300) == (300,)


def test_no_look_is_made_at_few_days():
    assert look_sizes(20, 320) == (200, 320)
