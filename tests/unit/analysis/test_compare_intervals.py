"""Intervals as they are shown: cut at what is possible, and said of which days or seeds."""

from __future__ import annotations

import pytest
from tests.builders import a_record, a_session

from payment_simulator.ai_cash_mgmt import GameOutcomeRecord, GameRepository
from payment_simulator.analysis.compare import Estimate, compare_games
from payment_simulator.analysis.compare.intervals import ends
from payment_simulator.analysis.compare.texts import parameter, ratio, share
from payment_simulator.wording import decimals


@pytest.mark.parametrize(
    ("quantity", "low", "mean", "high", "shown"),
    [
        ("acceptance_rate", -0.2, 0.5, 1.2, "[0.0 %*, 100.0 %*]"),
        ("acceptance_rate", 0.25, 0.5, 0.75, "[25.0 %, 75.0 %]"),
        ("regret", -1.0, 2.0, 5.0, "[-100.0 %, 500.0 %]"),
        ("iterations", 0.5, 1.5, 2.5, "[100.0 %*, 250.0 %]"),
        ("price_of_anarchy", 0.5, 1.5, 2.5, "[100.0 %*, 250.0 %]"),
        ("improvement", -1.0, 2.0, 5.0, "[-100.0 %, 500.0 %]"),
        ("share_of_possible_gain", -1.0, 0.5, 2.0, "[-100.0 %, 200.0 %]"),
        # What should not be is shown as it is.
        ("price_of_anarchy", 0.2, 0.5, 0.8, "[20.0 %, 80.0 %]"),
    ],
)
def test_ends_are_cut_at_what_is_possible(
    quantity: str, low: float, mean: float, high: float, shown: str
):
    assert ends(Estimate(quantity, None, None, 3, mean, low, high), share) == shown


def test_a_share_of_the_pool_is_cut_and_other_parameters_are_not():
    def shown(name: str) -> str:
        return ends(Estimate("parameter", "A", name, 3, 0.5, -0.5, 1.5), parameter)

    assert shown("initial_liquidity_fraction") == "[0.0000*, 1.0000*]"
    assert shown("urgency_threshold") == "[-0.5000, 1.5000]"


@pytest.mark.parametrize(
    ("n", "shown"), [(1, "-"), (2, "same in both games"), (4, "same in all 4 games")]
)
def test_games_that_agree_have_no_interval(n: int, shown: str):
    low = None if n == 1 else 7.0
    assert ends(Estimate("iterations", None, None, n, 7.0, low, low), ratio) == shown


def test_intervals_say_over_how_many_days_and_with_what_confidence(repo: GameRepository):
    for name, days, confidence in (("a", 200, 0.95), ("b", 50, 0.9)):
        repo.save_game_session(a_session(name))
        repo.save_game_outcomes(
            [a_record(GameOutcomeRecord, game_id=name, num_samples=days, confidence=confidence)]
        )
    (one,) = compare_games(repo, ["a"]).to_dict()["intervals"]
    assert one == (
        "Intervals: two-sided, confidence 0.95, the wider of Student's t and Hall's, over 200 "
        "held-out days, of paired differences."
    )
    (both,) = compare_games(repo, ["a", "b"]).to_dict()["intervals"]
    assert both == (
        "Intervals: two-sided, the wider of Student's t and Hall's, of paired differences; "
        "confidence 0.95 over 200 held-out days (a); confidence 0.9 over 50 held-out days (b)."
    )


def test_numbers_of_a_column_have_as_many_decimals():
    assert [parameter(v) for v in (0.5, 7.0, 12345.678, None)] == [
        "0.5000", "7.0000", "12,345.6780", "-",
    ]  # fmt: skip
    # What four decimals would hide, or drown, stands as it is.
    assert [parameter(v) for v in (0.00001, 1e300, 0.0)] == ["1e-05", "1e+300", "0.0000"]
    assert (ratio(1.0), ratio(1.23456)) == ("1.000", "1.235")
    assert (decimals(-0.001, 2), decimals(-0.5, 2)) == ("0.00", "-0.50")
