"""Baselines of the game of Castro et al., whose social optimum is known: 0 and 20 % are funded."""

from __future__ import annotations

from pathlib import Path

import pytest

from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.opening import open_record
from tests.games import FRACTION, play
from tests.known_games.test_two_and_twelve_periods import STARTS, from_point

#: Two per cent of the collateral, in cents: what B funds, at the price of funding.
OPTIMUM = 2000.0


@pytest.mark.parametrize("start", STARTS[:6], ids=str)
def test_the_game_gains_all_that_there_is_from_wherever_it_begins(
    start: tuple[float, float], db_path: Path
) -> None:
    play(db_path, from_point(start, 0.05, proposer={"kind": "grid"}))
    with open_record(db_path) as repo:
        found = compare_games(repo, ["castro"], baselines=True).baselines["castro"]
    by_name = {one.name: one for one in found.baselines}
    assert by_name["final"].total == by_name["optimum"].total == OPTIMUM
    assert by_name["optimum"].parameters == {"BANK_A": {FRACTION: 0.0}, "BANK_B": {FRACTION: 0.2}}
    # These banks begin with Fifo and a share of their own, which Fifo as a baseline keeps.
    assert by_name["fifo"].costs == by_name["start"].costs
    assert by_name["start"].total > OPTIMUM
    assert found.share_of_possible_gain == 1.0
