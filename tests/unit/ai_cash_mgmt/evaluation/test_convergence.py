"""Games that come to rest, games that do not, and games that go round in a circle."""

from __future__ import annotations

import pytest

from payment_simulator.ai_cash_mgmt.evaluation.convergence import Cycle, Stability, cycle_of
from payment_simulator.errors import InputError


def costs(**by_bank):
    return [dict(zip(by_bank, row, strict=True)) for row in zip(*by_bank.values(), strict=True)]


RULE = Stability(0.05, 3)


@pytest.mark.parametrize(
    ("by_bank", "expected"),
    [
        ({"A": [100, 100]}, False),  # two of three iterations
        ({"A": [100, 100, 100]}, True),
        ({"A": [100, 95, 97]}, True),  # 5 of 100
        ({"A": [100, 94.9, 97]}, False),
        ({"A": [500, 100, 98, 99]}, True),  # only the window counts
        ({"A": [98, 99, 100, 500]}, False),
        ({"A": [100, 100, 100], "B": [10, 10, 20]}, False),  # each bank by itself
        ({"A": [0, 0, 0]}, True),
        ({"A": [0, 0, 1e-9]}, False),
        ({"A": [-100, -95, -97]}, True),  # by size
        ({"A": [-1, 1, -1]}, False),
    ],
)
def test_stable_means_that_no_bank_moves_much_in_the_window(by_bank, expected):
    assert RULE.is_stable(costs(**by_bank)) is expected


def test_a_window_of_one_is_stable_at_once_and_none_before():
    assert not Stability(0.0, 1).is_stable([])
    assert Stability(0.0, 1).is_stable([{"A": 3.0}])


def test_what_is_said_names_the_bank_that_moved_most():
    moved = costs(A=[100, 100, 99], B=[200, 150, 200])
    assert RULE.describe(moved) == (
        "costs are not stable: over the last 3 iterations that of B moved most, by 50.00 cents, "
        "0.25 of its largest; rest is at most 0.05"
    )
    assert RULE.describe(costs(A=[0, 0, 0])).startswith("costs are stable")
    assert "2 of the 3 iterations" in RULE.describe(costs(A=[1, 1]))
    assert "over the last iteration that" in Stability(0.1, 1).describe(costs(A=[1]))
    assert "no bank" in RULE.describe([{}, {}, {}])


@pytest.mark.parametrize(
    ("threshold", "window", "named"),
    [(-0.1, 3, "stability_threshold"), (float("nan"), 3, "stability_threshold"),
     (0.1, 0, "stability_window")],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_refused(threshold, window, named):
    with pytest.raises(InputError, match=named):
        Stability(threshold, window)


def test_a_game_is_at_rest_only_where_no_policy_is_replaced_in_the_window():
    same = costs(A=[100, 100, 100, 100])
    assert RULE.is_stable(same)
    assert not RULE.is_at_rest(same, [1, 1, 3, 3])
    assert RULE.is_at_rest(same, [1, 2, 2, 2])
    # Policies that replace each other can cost the same.
    assert not RULE.is_at_rest(same, [1, 2, 1, 2])
    assert not RULE.is_at_rest(costs(A=[100, 50, 100]), [1, 1, 1])


@pytest.mark.parametrize(
    ("profiles", "found"),
    [
        ([], None),
        ([1, 1, 1, 1, 1, 1], None),
        ([1, 2, 3, 4, 5, 6], None),
        ([1, 2, 1, 2], Cycle(2, 1)),
        ([1, 0, 1, 0], Cycle(2, 1)),
        ([1, 2, 1], None),  # not twice through
        ([1, 2, 3, 4, 3, 4, 3], Cycle(2, 3)),
        ([1, 2, 3, 1, 2, 3], Cycle(3, 1)),
        ([1, 1, 2, 1, 1, 2], Cycle(2, 1)),  # two profiles, one of them for two iterations
        ([1, 2, 1, 2, 2], None),
    ],
)
def test_a_cycle_is_recognised_after_two_turns(profiles, found):
    assert cycle_of(profiles, 4) == found


def test_a_cycle_has_to_last_for_the_window():
    assert cycle_of([1, 2, 1, 2], 5) is None
    assert cycle_of([1, 2, 1, 2, 1], 5) == Cycle(2, 1)
    assert Cycle(2, 3).describe() == "2 profiles in turn since iteration 3"
