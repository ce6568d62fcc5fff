import math
import statistics

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payment_simulator.kernels.collateral import collateral_value, whole_cents
from payment_simulator.kernels.draw import pick, poisson
from payment_simulator.kernels.elementary import exponential, logarithm
from payment_simulator.kernels.normal import normal_quantile
from payment_simulator.kernels.rng import philox, uniform
from payment_simulator.kernels.sort import sort


@given(st.floats(1e-300, 1e300))
def test_logarithm_is_right_to_the_last_bits(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=4e-16, abs=4e-16)


@given(st.floats(-699.0, 699.0))
def test_exponential_is_right_to_the_last_bits(x):
    assert exponential(x) == pytest.approx(math.exp(x), rel=6e-16)


def test_exponential_is_bounded():
    assert exponential(-701.0) == 0.0
    assert exponential(1e9) == exponential(700.0) < math.inf


@given(st.floats(1e-15, 1.0, exclude_max=True))
def test_normal_quantile_is_that_of_the_standard_library(p):
    assert normal_quantile(p) == pytest.approx(
        statistics.NormalDist().inv_cdf(p), rel=2e-15, abs=1e-15
    )


@example(2**64 - 1, 0, 0, 0)
@example(2**63 + 1, 0, 0, 0)
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**63), st.integers(0, 2**40), st.integers(0, 9))
def test_philox_is_that_of_numpy(seed, bank, place, use):
    # Lists of large and small numbers would go through float64 on their way.
    key = np.array([seed, bank], dtype=np.uint64)
    start = np.array([0, place, 3, use], dtype=np.uint64)
    stream = np.random.Philox(key=key, counter=start)
    expected = stream.random_raw(8)
    words = []
    for block in (1, 2):
        counter = [np.uint64(x) for x in (block, place, 3, use)]
        words += philox(np.uint64(seed), np.uint64(bank), *counter)
    assert list(expected) == [int(word) for word in words]


@pytest.mark.parametrize("word", [0, 1, 2**64 - 1, 2**63, 2**12 - 1])
def test_uniforms_lie_inside_the_open_interval(word):
    assert 0.0 < uniform(np.uint64(word)) < 1.0


def test_uniforms_are_the_middle_of_their_cell():
    assert uniform(np.uint64(0)) == 2.0**-53
    assert uniform(np.uint64(2**64 - 1)) == 1.0 - 2.0**-53


@given(st.lists(st.integers(-(2**62), 2**62), max_size=200))
def test_sort_sorts(values):
    key = np.zeros((2, max(len(values), 1)), dtype=np.int64)
    key[0, : len(values)] = values
    sort(key, len(values))
    assert key[0, : len(values)].tolist() == sorted(values)


@given(st.integers(0, 10**15), st.integers(0, 10**6))
def test_the_haircut_is_rounded_up_and_never_overflows(posted, haircut):
    assert collateral_value(posted, haircut) == posted - -(-posted * haircut // 10**6)


@pytest.mark.parametrize(
    ("x", "cents"), [(-5.0, 0), (0.99, 0), (1.0, 1), (7.9, 7), (1e15, 10**15), (1e300, 10**15)]
)
def test_computed_amounts_become_whole_cents(x, cents):
    assert whole_cents(x) == cents


@pytest.mark.parametrize(("u", "column"), [(0.01, 1), (0.49, 1), (0.51, 3), (0.99, 3)])
def test_pick_passes_over_what_weighs_nothing(u, column):
    assert pick(np.cumsum([[0.0, 1.0, 0.0, 1.0, 0.0]], axis=1), 0, u) == column


@pytest.mark.parametrize("mean", [0.3, 5.0, 480.0, 1_700.0])
def test_poisson_has_mean_and_variance(mean):
    n = 400
    drawn = [
        poisson(np.uint64(1), np.uint64(2), np.uint64(k), np.uint64(0), mean) for k in range(n)
    ]
    assert abs(np.mean(drawn) - mean) < 4.5 * math.sqrt(mean / n)
    assert abs(np.var(drawn) / mean - 1.0) < 0.45


def test_poisson_of_nothing_is_nothing():
    assert poisson(np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(0), 0.0) == 0
