"""Costs drawn with characters: bars begin at 0, scales are named, nothing is left to guess."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from payment_simulator.analysis.trajectories import CostTrajectory
from payment_simulator.cli.chart import BLOCKS, PLAIN, characters_of, cost_chart


def trajectory(costs: Sequence[float], first: int = 1) -> CostTrajectory:
    """Return the steps of a bank whose cost went from the first number through the others."""
    old, new = tuple(costs[:-1]), tuple(costs[1:])
    n = len(new)
    return CostTrajectory(
        iteration=tuple(range(first, first + n)),
        trigger_tick=(0,) * n,
        old_cost=old,
        new_cost=new,
        verdict=("accepted",) * n,
        cost_in_force=new,
        best_cost=new,
    )


def test_one_bank():
    drawn = cost_chart({"BANK_A": trajectory([8000, 4000, 1, 0])}, BLOCKS, 80)
    assert drawn == [
        "BANK_A: 80.00 at the start, 0.00 after the last step",
        "80.00 │██████",
        "      │██████",
        "      │████████████",
        "      │████████████▁▁▁▁▁▁",
        " 0.00 └────────────────────────",
        "       start        iteration 3",
    ]


def test_plain_characters():
    drawn = cost_chart({"BANK_A": trajectory([1200, 700, 1])}, PLAIN, 80)
    assert drawn[1:] == [
        "12.00 |######",
        "      |######......",
        "      |############",
        "      |############......",
        " 0.00 +------------------",
        "       start  iteration 2",
    ]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", BLOCKS), ("ascii", PLAIN), ("latin-1", PLAIN), ("cp437", PLAIN), (None, PLAIN)],
)
def test_characters_that_the_terminal_has(encoding: str | None, expected: object):
    assert characters_of(encoding) is expected
    assert characters_of("no such encoding") is PLAIN


def test_costs_that_never_change_need_no_picture():
    banks = {"BANK_A": trajectory([500, 500, 500]), "BANK_B": trajectory([0, 0, 0])}
    assert cost_chart(banks, BLOCKS, 80) == ["BANK_A: 5.00 throughout", "BANK_B: 0.00 throughout"]


def test_nothing_to_draw():
    assert cost_chart({}, BLOCKS, 80) == []
    assert cost_chart({"BANK_A": trajectory([math.nan, math.inf])}, BLOCKS, 80) == []


def test_what_is_no_number_leaves_a_gap():
    drawn = cost_chart({"BANK_A": trajectory([800, math.nan, 400])}, BLOCKS, 80)
    assert drawn[0] == "BANK_A: 8.00 at the start, 4.00 after the last step"
    assert drawn[4] == "     │██████      ██████"


def test_a_bank_that_began_later_has_its_first_cost_before_its_first_step():
    banks = {"A": trajectory([800, 700, 600]), "B": trajectory([500, 100], first=2)}
    drawn = cost_chart(banks, BLOCKS, 80)
    at = drawn.index("B: 5.00 at the start, 1.00 after the last step")
    assert drawn[at + 1] == "5.00 │      ██████"


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("n", [2, 50, 57, 58, 1000])
def test_fits_whatever_the_number_of_iterations(n: int, width: int):
    banks = {"A": trajectory([100.0 * k for k in range(n, -1, -1)])}
    drawn = cost_chart(banks, BLOCKS, width)
    assert max(map(len, drawn)) <= max(width, len(drawn[0]))
    bars = drawn[4].partition("│")[2]
    assert bars[0] == "█"
    assert any(f"iteration {n}" in line for line in drawn)
    is_dense = any(f"({n:,} iterations)" in line for line in drawn)
    assert is_dense is (n + 1 > len(drawn[5].partition("└")[2]))


def test_of_many_banks_their_sum_and_those_that_changed_most():
    banks = {f"BANK_{k}": trajectory([1000, 1000 - k * (-1) ** k]) for k in range(9)}
    drawn = cost_chart(banks, BLOCKS, 80)
    heads = [line.partition(":")[0] for line in drawn if " at the start" in line]
    assert heads == ["all 9 banks", "BANK_8", "BANK_7", "BANK_6"]
    assert drawn[0] == "all 9 banks: 90.00 at the start, 89.96 after the last step"


def test_the_sum_goes_on_with_what_a_bank_cost_before():
    late = {f"B{k}": trajectory([100, 100, 100]) for k in range(4)} | {"C": trajectory([200, 50])}
    drawn = cost_chart(late, BLOCKS, 80)
    assert drawn[0] == "all 5 banks: 6.00 at the start, 4.50 after the last step"


def test_less_than_nothing_has_a_floor_of_its_own():
    drawn = cost_chart({"A": trajectory([-400, 400])}, BLOCKS, 80)
    assert drawn[1].startswith(" 4.00 │      ██████")
    assert drawn[5].startswith("-4.00 └")


def test_names_act_on_no_terminal_and_are_cut():
    [line] = cost_chart({"\x1b[31m" + "x" * 99: trajectory([1, 1])}, BLOCKS, 80)
    assert line.startswith(r"\x1b[31mxxx")
    assert line.endswith("...: 0.01 throughout")
