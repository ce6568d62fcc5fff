"""Student's t against tables, closed forms and its limit."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from payment_simulator.ai_cash_mgmt.evaluation.student import t_quantile, t_tail
from payment_simulator.errors import InputError

#: Of the printed tables, with more digits: from the finite sums, in decimals of 50 digits.
TABLE = [
    (0.95, 1, 6.31375151467504),
    (0.975, 1, 12.7062047361747),
    (0.975, 2, 4.30265272974946),
    (0.975, 3, 3.18244630528371),
    (0.975, 4, 2.77644510519779),
    (0.95, 5, 2.01504837333302),
    (0.975, 5, 2.57058183563632),
    (0.975, 9, 2.2621571627982),
    (0.95, 10, 1.81246112281168),
    (0.975, 10, 2.22813885198627),
    (0.95, 19, 1.72913281152137),
    (0.975, 19, 2.09302405440831),
    (0.975, 30, 2.04227245630124),
    (0.975, 100, 1.98397151852356),
    (0.995, 200, 2.60063443619156),
    (0.975, 1000, 1.96233908082641),
    (0.95, 5000, 1.64515843759697),
    (0.999, 20_000, 3.09063986185433),
]


def tail_by_finite_sum(t, degrees):
    """Return the upper tail as Abramowitz and Stegun have it in 26.7.3 and 26.7.4."""
    theta = math.atan2(t, math.sqrt(degrees))
    sine, cosine = math.sin(theta), math.cos(theta)
    if degrees % 2:
        total, term = 0.0, cosine
        for k in range(1, degrees - 1, 2):
            total += term
            term *= cosine**2 * (k + 1) / (k + 2)
        inside = 2 / math.pi * (theta + sine * total)
    else:
        total, term = 0.0, 1.0
        for k in range(0, degrees - 1, 2):
            total += term
            term *= cosine**2 * (k + 1) / (k + 2)
        inside = sine * total
    return (1 - inside) / 2


@pytest.mark.parametrize(("probability", "degrees", "expected"), TABLE)
def test_quantiles_are_those_of_the_tables(probability, degrees, expected):
    assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-12)
    assert t_quantile(1 - probability, degrees) == pytest.approx(-expected, rel=1e-12)


@pytest.mark.parametrize("probability", [1e-12, 1e-6, 0.01, 0.3, 0.49, 0.51, 0.8, 0.9999])
def test_quantiles_are_those_of_closed_forms(probability):
    share = 4 * probability * (1 - probability)
    sign = math.copysign(1, probability - 0.5)
    of_four = math.cos(math.acos(math.sqrt(share)) / 3) / math.sqrt(share)
    for degrees, expected in (
        (1, -1 / math.tan(math.pi * probability)),
        (2, 2 * (probability - 0.5) * math.sqrt(2 / share)),
        (4, sign * 2 * math.sqrt(of_four - 1)),
    ):
        assert t_quantile(probability, degrees) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 24, 99, 198, 199, 200, 201, 202, 999, 1000])
def test_the_tail_is_that_of_a_finite_sum(degrees):
    for t in (0.0, 1e-3, 0.5, 1.0, 1.7, 2.5, 4.0):
        assert t_tail(t, degrees) == pytest.approx(tail_by_finite_sum(t, degrees), abs=1e-14)


@pytest.mark.parametrize("degrees", [1, 2, 5, 19, 199, 200, 5_000, 10**6])
@pytest.mark.parametrize("tail", [1e-10, 0.001, 0.05, 0.2, 0.499])
def test_the_quantile_undoes_the_tail(tail, degrees):
    assert t_tail(t_quantile(1 - tail, degrees), degrees) == pytest.approx(tail, rel=1e-5)
    assert t_tail(-t_quantile(tail, degrees), degrees) == pytest.approx(tail, rel=1e-11)


def test_many_degrees_are_the_normal_distribution():
    z = NormalDist().inv_cdf(0.975)
    many = 10**7
    first_terms = z + (z**3 + z) / (4 * many)
    assert t_quantile(0.975, many) == pytest.approx(first_terms, abs=1e-9)


def test_the_median_is_zero_and_quantiles_rise():
    assert t_quantile(0.5, 3) == 0.0
    rising = [t_quantile(k / 50, 6) for k in range(1, 50)]
    assert rising == sorted(rising)
    assert len(set(rising)) == len(rising)


@pytest.mark.parametrize("probability", [0.0, 1.0, -0.1, 1.5, math.nan])
def test_what_is_no_probability_is_refused(probability):
    with pytest.raises(InputError, match=r"probability: .*between 0 and 1"):
        t_quantile(probability, 3)


def test_no_degree_of_freedom_is_refused():
    with pytest.raises(InputError, match="at least 1"):
        t_quantile(0.9, 0)
