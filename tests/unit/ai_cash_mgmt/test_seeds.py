"""Seeds by purpose, and the stream of uniform numbers."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from numpy.random import Philox

from payment_simulator.ai_cash_mgmt.seeds import Uniforms, derive_seed


def by_hand(text):
    """Return a seed as another program would make it from the docstring."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") % 2**63


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ((), "i2:42,"),
        (("judge", 3), "i2:42,s5:judge,i1:3,"),
        (("judge", 12, "BANK_A"), "i2:42,s5:judge,i2:12,s6:BANK_A,"),
        (("Zürich", -7), "i2:42,s7:Zürich,i2:-7,"),
    ],
)
def test_another_program_can_derive_the_same_seeds(labels, text):
    assert derive_seed(42, *labels) == by_hand(text)


def test_a_seed_is_what_it_always_was():
    assert derive_seed(42, "judge", 1, "BANK_A") == 475652211701070675
    assert derive_seed(0) == 7742529323450375786


def test_no_two_lists_of_labels_share_a_seed():
    lists = [
        (), ("",), ("", ""), ("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), (1,), ("1",),
        (11,), (1, 1), ("1", 1), (-1,), ("a,s1:b",), ("a", "b"), ("\ud800",),
    ]  # fmt: skip
    seeds = [derive_seed(master, *labels) for master in (1, 2, 2**63 - 1) for labels in lists]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_uniforms_are_the_words_of_philox_whatever_is_asked_at_once():
    words = [int(word) for word in Philox(key=7).random_raw(10)]
    expected = [(word >> 11) / 2**53 for word in words]
    stream = Uniforms(7)
    assert [*stream.take(3), *stream.take(0), *stream.take(1), *stream.take(6)] == expected
    assert words[0] == 16086915834549238692  # the same on every machine


def test_places_are_below_the_length_of_the_list():
    stream, again = Uniforms(3), Uniforms(3)
    places = stream.indices(6, 600)
    assert set(places.tolist()) == set(range(6))
    assert places.tolist() == [again.index(6) for _ in range(600)]
    assert max(np.bincount(places)) - min(np.bincount(places)) < 60
    assert Uniforms(3).indices(np.array([1, 10, 1]), 3).tolist()[::2] == [0, 0]


@pytest.mark.parametrize("n", [1, 3, 10, 2**31 - 1, 2**40 + 1, 2**53 - 1])
def test_even_the_largest_number_stays_below_the_length(n):
    stream = Uniforms(0)
    stream.take = lambda count: np.full(count, 1.0 - 2.0**-53)
    assert stream.index(n) == n - 1
    assert stream.indices(n, 2).tolist() == [n - 1, n - 1]


def test_poisson_numbers_have_mean_and_variance_one():
    drawn = Uniforms(11).poisson_of_one(20_000)
    assert drawn.min() == 0
    assert abs(drawn.mean() - 1.0) < 0.03
    assert abs(drawn.var() - 1.0) < 0.05


def test_every_order_is_as_likely():
    stream = Uniforms(5)
    orders = [tuple(stream.permutation(3).tolist()) for _ in range(1_200)]
    counts = [orders.count(order) for order in itertools.permutations(range(3))]
    assert sum(counts) == 1_200
    assert all(150 < count < 250 for count in counts)
