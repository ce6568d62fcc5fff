"""The views of a record, against the same answers computed from its records."""

from __future__ import annotations

import pytest
from tests.builders import a_session, an_iteration

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager

POLICIES = (
    '{"parameters": {"x": 0.30000000000000004, "y": -1}}',
    '{"parameters": {"x": 1e400, "flag": true, "word": "1", "none": null, "deep": {"z": 1}}}',
    '{"payment_tree": {...}}',
    '{"parameters": [1, 2]}',
    "[1]",
    '{"parameters": {"say \\"hi\\"": 2}}',
)


@pytest.fixture
def views(repo: GameRepository, manager: DatabaseManager) -> DatabaseManager:
    """Save two games: steps with all verdicts, two costs that are equal, odd policies."""
    repo.save_game_session(a_session("g"))
    repo.save_game_session(a_session("other"))
    costs = [(90.0, True), (80.0, False), (70.0, True), (70.0, True), (60.0, False), (95.0, True)]
    for number, ((cost, accepted), policy) in enumerate(zip(costs, POLICIES, strict=True), 1):
        repo.save_policy_iteration(
            an_iteration(
                number,
                game_id="g",
                old_cost=100.0,
                new_cost=cost,
                cost_improvement=100.0 - cost,
                was_accepted=accepted,
                validation_errors=["no"] if number == 5 else [],
                old_policy_json='{"parameters": {"x": 5}}',
                new_policy_json=policy,
            )
        )
    repo.save_policy_iteration(an_iteration(1, game_id="other", was_accepted=False))
    return manager


def ask(manager: DatabaseManager, sql: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    return manager.conn.execute(sql).fetchall()


def test_best_policies(views: DatabaseManager, repo: GameRepository):
    found = ask(views, "SELECT * FROM best_policies")
    # The earlier of two equals; a game without an accepted proposal has none.
    assert found == [("g", "BANK_A", 3, 70.0, POLICIES[2])]
    assert repo.get_best_policy("g", "BANK_A") == POLICIES[2]


def test_acceptance_rates(views: DatabaseManager):
    assert ask(views, "SELECT * FROM acceptance_rates ORDER BY game_id") == [
        ("g", "BANK_A", 6, 4, 1, 1, 4 / 6),
        ("other", "BANK_A", 1, 0, 1, 0, 0.0),
    ]


def test_cost_trajectory(views: DatabaseManager):
    sql = (
        "SELECT iteration_number, verdict, cost_in_force, least_cost_so_far FROM cost_trajectory "
        "WHERE game_id = 'g' ORDER BY ALL"
    )
    assert ask(views, sql) == [
        (1, "accepted", 90.0, 90.0),
        (2, "rejected", 100.0, 90.0),
        (3, "accepted", 70.0, 70.0),
        (4, "accepted", 70.0, 70.0),
        (5, "refused", 100.0, 70.0),
        (6, "accepted", 95.0, 70.0),
    ]


def test_parameter_trajectory(views: DatabaseManager, repo: GameRepository):
    sql = (
        "SELECT iteration_number, parameter, value FROM parameter_trajectory "
        "WHERE game_id = 'g' ORDER BY ALL"
    )
    assert ask(views, sql) == [
        (1, "x", 0.30000000000000004),
        (1, "y", -1.0),
        (2, "x", 5.0),  # rejected: the old policy rules
        (5, "x", 5.0),
        (6, 'say "hi"', 2.0),
    ]
    assert repo.get_parameter_trajectory("g", "BANK_A", "x") == [
        (1, 0.30000000000000004),
        (2, 5.0),
        (5, 5.0),
    ]
