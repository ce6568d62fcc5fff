"""What is asked of a game's steps: the best policy, the sums, the way of a parameter."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from tests.builders import STARTED, a_session, an_iteration


@pytest.fixture
def game(repo: GameRepository) -> GameRepository:
    repo.save_game_session(a_session())
    return repo


def step(number: int, new_cost: float, **changes: Any) -> PolicyIterationRecord:
    """Return a step whose new policy bears its number."""
    values = {"new_policy_json": f'{{"step": {number}}}', "cost_improvement": 1500.0 - new_cost}
    return an_iteration(number, new_cost=new_cost, **{**values, **changes})


def test_the_best_policy_is_the_cheapest_accepted_one(game: GameRepository):
    game.save_policy_iterations(
        [
            step(1, 1200.0),
            step(2, 900.0, was_accepted=False),
            step(3, 1000.0),
            step(4, 1100.0),
            step(1, 1.0, agent_id="BANK_B"),
        ]
    )
    assert game.get_best_policy("game-001", "BANK_A") == '{"step": 3}'
    assert game.get_best_policy("game-001", "BANK_B") == '{"step": 1}'


def test_the_best_of_equals_is_the_earliest(game: GameRepository):
    numbers = [9, 10, 2, 30, 4]
    for number in numbers:
        later = STARTED - timedelta(days=number)  # the clock decides nothing
        game.save_policy_iteration(step(number, 100.0, created_at=later))
    game.save_policy_iteration(step(1, 100.0, was_accepted=False))
    assert game.get_best_policy("game-001", "BANK_A") == '{"step": 2}'


def test_a_cost_may_be_negative_and_zero_has_no_sign(game: GameRepository):
    game.save_policy_iterations([step(1, 0.0), step(2, -0.0), step(3, 5.0)])
    assert game.get_best_policy("game-001", "BANK_A") == '{"step": 1}'
    game.save_policy_iteration(step(4, -5e-324))
    assert game.get_best_policy("game-001", "BANK_A") == '{"step": 4}'


def test_the_best_policy_is_returned_as_it_was_stored(game: GameRepository):
    text = '{ "b": 1,\n  "a": 1.0 }  not JSON \u0000 \U0001f600'
    game.save_policy_iteration(step(1, 10.0, new_policy_json=text))
    assert game.get_best_policy("game-001", "BANK_A") == text


def test_without_an_accepted_step_there_is_no_best_policy(game: GameRepository):
    game.save_policy_iteration(step(1, 10.0, was_accepted=False))
    for where in (("game-001", "BANK_A"), ("game-001", "BANK_B"), ("game-002", "BANK_A")):
        assert game.get_best_policy(*where) is None


def test_a_policy_that_was_replaced_is_the_best_no_more(game: GameRepository):
    game.save_policy_iterations([step(1, 10.0), step(2, 20.0)])
    game.save_policy_iteration(step(1, 30.0))
    assert game.get_best_policy("game-001", "BANK_A") == '{"step": 2}'


NOTHING = {
    "total_iterations": 0,
    "accepted_iterations": 0,
    "rejected_iterations": 0,
    "total_cost_improvement": 0.0,
    "total_tokens_used": 0,
    "total_llm_latency": 0.0,
}


@pytest.mark.parametrize("game_id", ["game-001", "game-002"])
def test_a_summary_without_steps_is_all_zeros(game_id: str, game: GameRepository):
    summary = game.get_optimization_summary(game_id)
    assert summary == NOTHING
    assert [type(v) for v in summary.values()] == [type(v) for v in NOTHING.values()]


def test_a_summary_sums_all_agents_and_only_accepted_gains(game: GameRepository):
    game.save_game_session(a_session("game-002"))
    game.save_policy_iterations(
        [
            step(1, 1400.0, tokens_used=1, llm_latency_seconds=0.5),
            step(1, 1600.0, agent_id="BANK_B", tokens_used=2, llm_latency_seconds=0.25),
            step(2, 900.0, was_accepted=False, tokens_used=4, llm_latency_seconds=2.0),
            step(3, 1550.0, was_accepted=False, tokens_used=8, llm_latency_seconds=4.0),
            step(1, 10.0, game_id="game-002", tokens_used=16),
        ]
    )
    summary = game.get_optimization_summary("game-001")
    assert summary == {
        "total_iterations": 4,
        "accepted_iterations": 2,
        "rejected_iterations": 2,
        "total_cost_improvement": 0.0,  # 100 saved by one, 100 lost by the other
        "total_tokens_used": 15,
        "total_llm_latency": 6.75,
    }
    assert [type(v) for v in summary.values()] == [type(v) for v in NOTHING.values()]
    assert list(summary) == list(NOTHING)


def test_sums_do_not_depend_on_the_order_of_saving(game: GameRepository):
    gains = [0.1, 1e15, -1e15, 0.2, 0.3, 1e-7, 123.456] * 20
    steps = [
        step(n, 1500.0 - gain, cost_improvement=1500.0 - (1500.0 - gain), llm_latency_seconds=0.1)
        for n, gain in enumerate(gains, 1)
    ]
    sums = set()
    for seed in range(3):
        other = f"game-{seed}"
        game.save_game_session(a_session(other))
        random.Random(seed).shuffle(steps)
        game.save_policy_iterations([r.replace(game_id=other) for r in steps])
        summary = game.get_optimization_summary(other)
        sums.add((summary["total_cost_improvement"], summary["total_llm_latency"]))
    assert len(sums) == 1
    assert sums.pop()[1] == 14.0  # 140 times 0.1, rounded once


def test_sums_do_not_overflow(game: GameRepository):
    tokens = [step(n, 1400.0, tokens_used=2**31 - 1) for n in (1, 2, 3)]
    game.save_policy_iterations(tokens)
    assert game.get_optimization_summary("game-001")["total_tokens_used"] == 3 * (2**31 - 1)
    huge = {"old_cost": 1.7e308, "cost_improvement": 1.7e308}
    game.save_policy_iterations([step(n, 0.0, **huge) for n in (4, 5)])
    assert game.get_optimization_summary("game-001")["total_cost_improvement"] == float("inf")


def policy(**parameters: Any) -> str:
    return json.dumps({"version": "2.0", "parameters": parameters})


def test_a_trajectory_shows_what_rules_after_each_step(game: GameRepository):
    texts = {"old_policy_json": policy(urgency=3), "new_policy_json": policy(urgency=5.5)}
    game.save_policy_iterations(
        [
            step(10, 10.0, **texts),
            step(1, 10.0, **texts, was_accepted=False),
            step(2, 10.0, **texts, agent_id="BANK_B"),
        ]
    )
    found = game.get_parameter_trajectory("game-001", "BANK_A", "urgency")
    assert found == [(1, 3), (10, 5.5)]
    assert game.get_parameter_trajectory("game-001", "BANK_B", "urgency") == [(2, 5.5)]
    assert game.get_parameter_trajectory("game-001", "BANK_A", "patience") == []
    assert game.get_parameter_trajectory("game-002", "BANK_A", "urgency") == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hold",
        '{"parameters": {"urgency": 1}',
        '{"parameters": {"urgency": NaN}}',
        '{"parameters": {"urgency": 1e999}}',
        '{"parameters": {"urgency": "1"}}',
        '{"parameters": {"urgency": true}}',
        '{"parameters": {"urgency": null}}',
        '{"parameters": [1]}',
        '{"urgency": 1}',
        "[1]",
        "1",
        pytest.param("[" * 200_000, id="deep"),
        pytest.param('{"parameters": {"urgency": ' + "9" * 5000 + "}}", id="long"),
    ],
)
def test_a_policy_that_tells_nothing_is_left_out(text: str, game: GameRepository):
    game.save_policy_iterations(
        [step(1, 10.0, new_policy_json=policy(urgency=1)), step(2, 9.0, new_policy_json=text)]
    )
    assert game.get_parameter_trajectory("game-001", "BANK_A", "urgency") == [(1, 1.0)]
