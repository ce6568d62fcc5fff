"""Trajectories of costs and parameters, read out of the record by SQL."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.builders import a_session, an_iteration

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.trajectories import (
    CostTrajectory,
    ParameterTrajectory,
    cost_trajectories,
    parameter_trajectories,
)
from payment_simulator.persistence.connection import DatabaseManager


def policy(**parameters: Any) -> str:
    return json.dumps({"version": "1.0", "policy_id": "p", "parameters": parameters})


def step(iteration: int, old: float, new: float, **changes: Any) -> Any:
    return an_iteration(
        iteration, old_cost=old, new_cost=new, cost_improvement=old - new, **changes
    )


@pytest.fixture
def game(repo: GameRepository) -> GameRepository:
    """Return a repository with a game that has no steps."""
    repo.save_game_session(a_session())
    return repo


def save(repo: GameRepository, *steps: Any) -> None:
    repo.save_policy_iterations(steps)


def test_costs_of_accepted_rejected_and_refused_steps(game: GameRepository):
    save(
        game,
        step(2, 0.1 + 0.2, 50.0, was_accepted=False, trigger_tick=7),
        step(1, 100.0, 1e-300, trigger_tick=3),
        step(3, 5.0, 5.0, was_accepted=False, validation_errors=["no\nJSON"], trigger_tick=7),
        step(1, 9.0, 9.0, agent_id="a bank", was_accepted=False),
    )
    found = cost_trajectories(game, "game-001")
    assert list(found) == ["BANK_A", "a bank"]
    assert found["BANK_A"] == CostTrajectory(
        iteration=(1, 2, 3),
        trigger_tick=(3, 7, 7),
        old_cost=(100.0, 0.1 + 0.2, 5.0),
        new_cost=(1e-300, 50.0, 5.0),
        verdict=("accepted", "rejected", "refused"),
        cost_in_force=(1e-300, 0.1 + 0.2, 5.0),
        best_cost=(1e-300, 1e-300, 1e-300),
    )


def test_the_best_cost_counts_steps_that_are_not_asked_for(game: GameRepository):
    save(
        game, *(step(n, cost, cost + 1, was_accepted=False) for n, cost in enumerate((3, 4, 2), 1))
    )
    found = cost_trajectories(game, "game-001", after_iteration=1)["BANK_A"]
    assert found.iteration == (2, 3)
    assert found.best_cost == (3.0, 2.0)
    assert cost_trajectories(game, "game-001", after_iteration=3) == {}
    assert cost_trajectories(game, "another") == {}


def test_errors_written_with_blanks_are_none(game: GameRepository, manager: DatabaseManager):
    save(game, step(1, 1.0, 2.0, was_accepted=False))
    manager.conn.execute("UPDATE policy_iterations SET validation_errors = '[ ]\n'")
    assert cost_trajectories(game, "game-001")["BANK_A"].verdict == ("rejected",)


def test_parameters_in_force_and_proposed(game: GameRepository):
    save(
        game,
        an_iteration(1, old_policy_json=policy(x=1), new_policy_json=policy(x=0.1, y=2**53)),
        an_iteration(
            2,
            was_accepted=False,
            old_policy_json=policy(x=0.1, y=5e-324),
            new_policy_json=policy(x=-7, z=1),
        ),
        an_iteration(
            3,
            was_accepted=False,
            validation_errors=["x: too large"],
            old_policy_json=policy(x=0.1),
            new_policy_json=policy(x=99),
        ),
    )
    assert parameter_trajectories(game, "game-001") == {
        "BANK_A": {
            "x": ParameterTrajectory((1, 2, 3), (0.1, 0.1, 0.1), (0.1, -7.0, None), 1.0),
            "y": ParameterTrajectory((1, 2), (2.0**53, 5e-324), (2.0**53, None)),
            "z": ParameterTrajectory((2,), (None,), (1.0,)),
        }
    }
    assert parameter_trajectories(game, "another") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a placeholder, not JSON",
        "null",
        "[1, 2]",
        '{"parameters": [1, 2]}',
        '{"parameters": 3}',
        '{"parameters": {"x": true}}',
        '{"parameters": {"x": "3"}}',
        '{"parameters": {"x": null}}',
        '{"parameters": {"x": [1]}}',
        '{"parameters": {"x": NaN}}',
        '{"parameters": {"x": 1e999}}',
        "[" * 3000,
    ],
)
def test_what_is_no_parameter_is_left_out(text: str, game: GameRepository):
    save(
        game,
        an_iteration(1, old_policy_json=text, new_policy_json=text, was_accepted=False),
        an_iteration(2, old_policy_json=text, new_policy_json=policy(x=1)),
    )
    found = parameter_trajectories(game, "game-001")
    assert found == {"BANK_A": {"x": ParameterTrajectory((2,), (1.0,), (1.0,))}}


@pytest.mark.parametrize("name", ["", "a.b", '"', "$", "x' OR 1=1 --", "\u202egnp", "größe"])
def test_names_of_parameters_are_any_text(name: str, game: GameRepository):
    save(game, an_iteration(1, new_policy_json=policy(**{name: 3, "x": 4})))
    assert parameter_trajectories(game, "game-001")["BANK_A"][name].in_force == (3.0,)


def test_a_parameter_that_is_written_twice_has_its_last_value(game: GameRepository):
    text = '{"parameters": {"x": 1, "x": 2}}'
    save(game, an_iteration(1, new_policy_json=text))
    found = parameter_trajectories(game, "game-001")["BANK_A"]["x"].in_force
    assert list(zip((1,), found, strict=True)) == game.get_parameter_trajectory(
        "game-001", "BANK_A", "x"
    )


def test_a_parameter_that_only_the_first_policy_has(game: GameRepository):
    save(game, *(an_iteration(n, old_policy_json=policy(x=n), new_policy_json="") for n in (2, 3)))
    found = parameter_trajectories(game, "game-001")
    assert found == {"BANK_A": {"x": ParameterTrajectory((), (), (), 2.0)}}


def test_floats_come_back_to_the_bit(game: GameRepository):
    numbers = [
        0.1,
        1 / 3,
        1e-17,
        123456789.12345679,
        2.2250738585072014e-308,
        1.7976931348623157e308,
    ]
    parameters = {f"p{place}": number for place, number in enumerate(numbers)}
    save(game, an_iteration(1, new_policy_json=policy(**parameters)))
    found = parameter_trajectories(game, "game-001")["BANK_A"]
    assert [found[name].proposed for name in parameters] == [(number,) for number in numbers]
