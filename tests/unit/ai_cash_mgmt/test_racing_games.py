"""Games whose searches race: how many days each try played is recorded, and replayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.games import Told, play, tables, twelve

from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.search import SearchProposer
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.persistence.connection import DatabaseManager

DAYS = 60


def racing() -> Any:
    """Return a game of two short searches on enough days to drop some tries."""
    return twelve(
        proposer={"kind": "search", "candidates": 16},
        bootstrap={"num_samples": DAYS},
        convergence={"stability_window": 2, "max_iterations": 2},
        equilibrium=None,
    )


def test_the_days_of_every_try_are_recorded_the_same_for_any_number_of_threads(
    tmp_path: Path,
) -> None:
    for threads in (1, 3):
        play(tmp_path / f"{threads}.db", racing(), threads=threads)
    assert tables(tmp_path / "1.db") == tables(tmp_path / "3.db")
    with DatabaseManager(tmp_path / "1.db", read_only=True) as manager:
        repository = GameRepository(manager.conn)
        [context] = repository.get_iteration_contexts("twelve", "BANK_A", 1)
        [step] = repository.get_policy_iterations_between("twelve", 1, 1)[:1]
        assert verify_game(repository, "twelve").is_identical
    tried = json.loads(context.context_json)["tried"]
    assert len(tried) == 16
    assert {one["days"] for one in tried} == {25, 50, DAYS}
    days = {tuple(one["values"]): one["days"] for one in tried}
    for text in (step.old_policy_json, step.new_policy_json):
        assert days[tuple(json.loads(text)["parameters"].values())] == DAYS


def test_a_proposer_of_ones_own_that_searches_is_replayed_with_what_it_tried(
    tmp_path: Path,
) -> None:
    search = SearchProposer(16)
    told = {bank: Told(search.propose) for bank in ("BANK_A", "BANK_B")}
    play(tmp_path / "own.db", racing(), proposers=told)
    with DatabaseManager(tmp_path / "own.db", read_only=True) as manager:
        assert verify_game(GameRepository(manager.conn), "twelve").is_identical
