"""How far a game is, what stands beside a step, and what models were asked."""

from __future__ import annotations

import math

import pytest
from tests.builders import a_record, a_session, an_iteration

from payment_simulator.ai_cash_mgmt import GameRepository, LLMInteractionRecord
from payment_simulator.analysis.calls import call_totals
from payment_simulator.analysis.progress import Neighbours, Progress, game_progress, neighbours
from payment_simulator.errors import GameNotFoundError

GAME = "game-001"


def test_progress_counts_steps_of_this_game_alone(repo: GameRepository):
    for game in (GAME, "other"):
        repo.save_game_session(a_session(game))
    assert game_progress(repo, GAME) == Progress("running", 0, 0, "interrupted")
    for bank, number in (("BANK_A", 1), ("BANK_B", 1), ("BANK_A", 2)):
        repo.save_policy_iteration(an_iteration(number, agent_id=bank))
    assert game_progress(repo, GAME) == Progress("running", 3, 2, "interrupted")
    assert game_progress(repo, "other") == Progress("running", 0, 0, "interrupted")
    with pytest.raises(GameNotFoundError, match="game-001"):
        game_progress(repo, "game-01")


def test_neighbours_leave_out_gaps_and_other_banks(repo: GameRepository):
    repo.save_game_session(a_session())
    for bank, number in (("BANK_A", 1), ("BANK_A", 4), ("BANK_A", 9), ("BANK_B", 4), ("BANK_B", 5)):
        repo.save_policy_iteration(an_iteration(number, agent_id=bank))
    assert neighbours(repo, GAME, "BANK_A", 4) == Neighbours(1, 9, ("BANK_A", "BANK_B"))
    assert neighbours(repo, GAME, "BANK_A", 1) == Neighbours(None, 4, ("BANK_A",))
    assert neighbours(repo, GAME, "BANK_B", 5) == Neighbours(4, None, ("BANK_B",))


def test_calls_are_summed_by_bank_and_model(repo: GameRepository):
    repo.save_game_session(a_session())
    assert call_totals(repo, GAME) == []
    prices = [0.1, 0.2, None]
    for number, price in enumerate(prices, 1):
        repo.save_llm_interaction(
            a_record(
                LLMInteractionRecord,
                iteration_number=number,
                cost_usd=price,
                parsing_error=None if number == 1 else "no JSON",
                llm_latency_seconds=0.1,
            )
        )
    repo.save_llm_interaction(
        a_record(LLMInteractionRecord, agent_id="BANK_B", llm_model="other/model", cost_usd=None)
    )
    first, second = call_totals(repo, GAME)
    assert (first.agent_id, first.model, first.calls) == ("BANK_A", "anthropic/claude-sonnet", 3)
    assert (first.without_policy, first.priced) == (2, 2)
    assert (first.input_tokens, first.output_tokens) == (3000, 1500)
    assert first.cost_usd == math.fsum([0.1, 0.2])
    assert first.latency_seconds == math.fsum([0.1] * 3)
    assert (second.agent_id, second.cost_usd, second.priced) == ("BANK_B", None, 0)
