"""A game in figures, whatever wrote its record, and without its policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders import LATER, a_record, a_session, an_iteration
from tests.migration.first_tool import write_first_tool_file

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    EvaluationSampleRecord,
    GameFailureRecord,
    GameRepository,
    GameSessionRecord,
    LLMInteractionRecord,
)
from payment_simulator.analysis.game_rules import game_rules
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.overview import game_overview, numbers_of
from payment_simulator.errors import GameNotFoundError


def test_figures_of_agents(repo: GameRepository) -> None:
    repo.save_game_session(a_record(GameSessionRecord, total_iterations=2))
    repo.save_policy_iterations(
        [
            an_iteration(1),
            an_iteration(2, was_accepted=False, old_cost=1210.0, cost_improvement=10.0),
            an_iteration(3, was_accepted=False, validation_errors=["no tree"], llm_model="a/b"),
            an_iteration(1, agent_id="BANK_B", created_at=LATER),
        ]
    )
    repo.save_equilibrium_certificate(a_record(EquilibriumCertificateRecord))
    found = game_overview(repo, "game-001")
    first, second = found.agents
    assert (first.steps, first.accepted, first.rejected, first.refused) == (3, 1, 1, 1)
    assert first.acceptance_rate == pytest.approx(1 / 3)
    assert (first.start_cost, first.final_cost, first.best_cost) == (1500.0, 1500.0, 1200.0)
    assert first.proposers == ["a/b", "anthropic/claude-sonnet"]
    assert (first.tokens_used, first.latency_seconds) == (4500, 7.5)
    assert first.regret is not None
    assert (first.regret.estimate, first.regret.low, first.regret.high) == (0.5, 0.25, 0.75)
    assert second.regret is None
    assert found.as_dict()["distance_upper_bound"] == 0.75
    assert found.iterations == 3, "more than the session counts"
    assert found.last_step is not None
    assert (found.last_step.iteration, found.last_step.agents) == (3, ("BANK_A",))
    assert found.last_step.recorded_at == LATER
    json.dumps(found.as_dict())


def test_a_game_that_has_just_begun(repo: GameRepository) -> None:
    repo.save_game_session(a_session())
    found = game_overview(repo, "game-001")
    assert (found.agents, found.trajectories, found.last_step) == ([], {}, None)
    assert (found.judging_days, found.certificate, found.failure) == (None, None, None)
    assert found.iterations == 0


def test_days_of_steps(repo: GameRepository) -> None:
    repo.save_game_session(a_session())
    repo.save_evaluation_samples(
        a_record(EvaluationSampleRecord, iteration_number=k, sample_number=n)
        for k, most in ((1, 3), (2, 5))
        for n in range(1, most + 1)
    )
    assert game_overview(repo, "game-001").judging_days == (3, 5)


def test_a_failure_that_was_overcome_is_none(repo: GameRepository) -> None:
    repo.save_game_session(a_session(status="failed"))
    for number in (1, 2):
        repo.save_game_failure(
            a_record(GameFailureRecord, failure_number=number, reason=str(number))
        )
    found = game_overview(repo, "game-001").failure
    assert found is not None
    assert found.reason == "2"
    repo.update_game_session_status("game-001", "running")
    assert game_overview(repo, "game-001").failure is None


def test_calls_of_models(repo: GameRepository) -> None:
    repo.save_game_session(a_session())
    for number, price in enumerate([0.1, 0.2, None], 1):
        call = a_record(LLMInteractionRecord, attempt_number=number).replace(cost_usd=price)
        repo.save_llm_interaction(call)
    [calls] = game_overview(repo, "game-001").calls
    assert (calls.calls, calls.priced, calls.cost_usd) == (3, 2, 0.1 + 0.2)


def test_an_unknown_game(repo: GameRepository) -> None:
    repo.save_game_session(a_session("castro"))
    with pytest.raises(GameNotFoundError, match="nearest: castro"):
        game_overview(repo, "castor")


def test_a_record_of_the_first_tool(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    with open_record(path) as repo:
        found = [game_overview(repo, game_id) for game_id in repo.get_game_ids()]
    assert any(overview.agents for overview in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "b": 2.5}', {"a": 1.0, "b": 2.5}),
        ('{"a": "1", "b": null, "c": true, "d": [1]}', {}),
        ("[1]", {}),
        ("{", {}),
        ("[" * 100_000, {}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_numbers_of_an_object(text: str, expected: dict[str, float]) -> None:
    assert numbers_of(text) == expected


class TestRules:
    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({}, None),
            (
                {"acceptance": {"rule": "mean"}},
                "mean: any gain, no claim of how likely that is chance",
            ),
            (
                {"acceptance": {"rule": "mean"}, "convergence": {"improvement_threshold": 0.01}},
                "mean: gain above 0.01 of the old cost, no claim of how likely that is chance",
            ),
            (
                {
                    "acceptance": {
                        "rule": "confident",
                        "confidence": 0.9,
                        "min_settlement_rate": 0.95,
                    },
                    "convergence": {"improvement_threshold": 0},
                },
                (
                    "confident: any gain, over the whole game the chance of accepting a policy "
                    "that is no better is at most 0.1, at least 0.95 of the value settled"
                ),
            ),
            ({"acceptance": {"rule": 7, "confidence": True}}, None),
            ({"acceptance": []}, None),
            (["acceptance"], None),
        ],
        ids=str,
    )
    def test_in_words(self, config: Any, words: str | None) -> None:
        assert game_rules(json.dumps(config)).acceptance_words() == words

    def test_of_a_text_that_is_no_json(self) -> None:
        rules = game_rules("{")
        assert (rules.acceptance, rules.confidence, rules.sample_method, rules.update) == (
            None,
            None,
            None,
            None,
        )
