"""A game tells what it does next, so that nobody stares at a clock; what is played is the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.games import Told, castro, fraction, play, stay, tables, twelve
from tests.model_server import ModelServer, Reply

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import Situation
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.errors import GameFailedError
from payment_simulator.persistence.connection import DatabaseManager


def test_says_who_proposes_who_is_judged_and_what_is_measured_at_the_end(db_path: Path) -> None:
    work: list[str] = []
    config = castro(convergence={"stability_window": 2, "max_iterations": 1})
    play(db_path, config, on_work=work.append)
    assert work == [
        "BANK_A proposes",
        "BANK_A is judged",
        "BANK_B proposes",
        "BANK_B is judged",
        "measuring costs at the end",
        "measuring distance from equilibrium",
    ]


def test_says_what_is_done_again(db_path: Path) -> None:
    def late(situation: Situation) -> Any:
        return stay(situation) if len(situation.refused) == 2 else fraction(1.5)(situation)

    work: list[str] = []
    config = castro(
        convergence={"stability_window": 2, "max_iterations": 1},
        optimized_agents=["BANK_A"],
        equilibrium=None,
    )
    play(db_path, config, proposers={"BANK_A": Told(late)}, on_work=work.append)
    assert work == [
        "BANK_A proposes",
        "BANK_A proposes once more, after 1 refused",
        "BANK_A proposes once more, after 2 refused",
        "BANK_A is judged",
        "measuring costs at the end",
    ]


def test_says_that_a_model_does_not_answer(db_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    work: list[str] = []
    with ModelServer(lambda *_: Reply("out of order", status=500)) as server:
        proposer = {
            "kind": "llm",
            "model": "openai-chat:m",
            "base_url": server.url,
            "max_retries": 0,
        }
        with pytest.raises(GameFailedError):
            play(db_path, castro(proposer=proposer), on_work=work.append)
    assert work == ["BANK_A proposes", "BANK_A: no answer to call 1 of its model"]


def test_a_game_that_is_watched_is_the_same_game(tmp_path: Path) -> None:
    config = twelve(convergence={"max_iterations": 2, "best_response_check": True})
    work: list[str] = []
    play(tmp_path / "watched.db", config, on_work=work.append)
    play(tmp_path / "alone.db", config)
    assert tables(tmp_path / "watched.db") == tables(tmp_path / "alone.db")
    again: list[str] = []
    with DatabaseManager(tmp_path / "alone.db", read_only=True) as manager:
        found = verify_game(GameRepository(manager.conn), "twelve", on_work=again.append)
    assert found.is_identical
    assert again == work
