"""payment-sim show: a game in figures, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
)
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record, a_session, an_iteration
from tests.command_line import (
    as_record,
    cells,
    facts,
    one_error,
    payment_sim,
    payment_sim_process,
    tree,
)


@pytest.fixture
def games(db_path: Path) -> None:
    """Save two games without steps."""
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("oldest"))
        repo.save_game_session(a_session("twin-a"))


def test_a_game_in_figures(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_record(GameSessionRecord, final_cost=123_456_789.0))
        steps = [
            an_iteration(1, old_cost=1500.0, new_cost=1200.0, cost_improvement=300.0),
            an_iteration(
                2, old_cost=1200.0, new_cost=1300.0, cost_improvement=-100.0, was_accepted=False
            ),
            an_iteration(3, old_cost=1250.0, new_cost=1225.0, cost_improvement=25.0),
            an_iteration(1, agent_id="BANK_B", was_accepted=False, llm_model="grid/exhaustive"),
        ]
        repo.save_policy_iterations(steps)
        repo.save_game_provenance(a_record(GameProvenanceRecord))
        repo.save_equilibrium_certificate(
            a_record(EquilibriumCertificateRecord, distance_from_equilibrium=50.0)
        )
    outcome = payment_sim("show", "game-001", "--db", db_path)
    assert (outcome.code, outcome.err) == (0, "")
    shown = facts(outcome.out)
    assert shown["game"] == ["game-001"]
    assert shown["seed"] == ["42"]
    assert shown["time (UTC)"] == ["started 2026-01-02 03:04, ended 2026-01-02 04:05"]
    assert shown["steps"] == ["4 recorded, 2 accepted, 2 rejected"]
    assert shown["final cost"] == ["1,234,567.89"]
    assert shown["improvement"] == ["3.25 summed over accepted steps"]
    assert shown["proposing"] == ["6,000 tokens, 10.0 s"]
    assert shown["played with"] == ["payment-simulator 0.1.0"]
    assert shown["distance from equilibrium"] == ["0.50"]
    agents = [row for row in cells(outcome.out) if row[0].startswith("BANK_")]
    claude, grid = "anthropic/claude-sonnet", "grid/exhaustive"
    assert agents == [
        ["BANK_A", "3", "2", "15.00", "12.25", "12.00", claude],
        ["BANK_B", "1", "0", "15.00", "15.00", "-", grid],
    ]


@pytest.mark.usefixtures("games")
def test_a_game_without_steps(db_path: Path):
    outcome = payment_sim("show", "oldest", "--db", db_path)
    assert facts(outcome.out)["steps"] == ["0 recorded, 0 accepted, 0 rejected"]
    assert facts(outcome.out)["final cost"] == ["-"]
    assert "agent" not in outcome.out
    assert "The game has no steps in the record." in outcome.out
    found = json.loads(payment_sim("show", "oldest", "--db", db_path, "--json").out)
    assert found["agents"] == []
    assert found["provenance"] is found["certificate"] is None


def test_json_has_the_records_and_the_figures(repo, manager, db_path: Path):
    session, origin = a_record(GameSessionRecord), a_record(GameProvenanceRecord)
    certificates = [
        a_record(EquilibriumCertificateRecord, certificate_number=number) for number in (1, 2)
    ]
    repo.save_game_session(session)
    repo.save_policy_iteration(an_iteration())
    repo.save_game_provenance(origin)
    for certificate in certificates:
        repo.save_equilibrium_certificate(certificate)
    summary = repo.get_optimization_summary("game-001")
    manager.close()
    outcome = payment_sim("show", "game-001", "--db", db_path, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert as_record(GameSessionRecord, found["session"]) == session
    assert as_record(GameProvenanceRecord, found["provenance"]) == origin
    assert as_record(EquilibriumCertificateRecord, found["certificate"]) == certificates[1]
    assert found["summary"] == summary
    assert found["agents"] == [
        {
            "agent_id": "BANK_A",
            "steps": 1,
            "accepted": 1,
            "start_cost": 1500.0,
            "final_cost": 1200.0,
            "best_cost": 1200.0,
            "proposers": ["anthropic/claude-sonnet"],
            "tokens_used": 1500,
            "latency_seconds": 2.5,
        }
    ]


@pytest.mark.parametrize(("asked", "near"), [("twin-c", "twin-a"), ("oldes", "oldest")])
@pytest.mark.usefixtures("games")
def test_an_unknown_game_names_the_nearest(asked: str, near: str, db_path: Path):
    said = one_error(payment_sim("show", asked, "--db", db_path))
    assert said.startswith(f"game {asked!r} is not in the record; nearest: ")
    assert near in said


@pytest.mark.usefixtures("games")
def test_an_unknown_game_that_resembles_none(db_path: Path):
    said = one_error(payment_sim("show", "zzzzzzzzzzzz", "--db", db_path))
    assert "'zzzzzzzzzzzz' is not in the record" in said
    assert "save_game_session" not in said, "a person at a terminal cannot call that"


@pytest.mark.usefixtures("games")
def test_debug_shows_the_traceback(db_path: Path):
    plain = payment_sim_process("show", "nobody", "--db", db_path)
    one_error(plain)
    debug = payment_sim_process("--debug", "show", "nobody", "--db", db_path)
    assert debug.code != 0
    assert debug.err.startswith("Traceback (most recent call last):")
    assert "GameNotFoundError: game 'nobody'" in debug.err


@pytest.mark.usefixtures("games")
def test_nothing_is_written_by_looking(db_path: Path):
    before = tree(db_path.parent)
    for command in (["games"], ["show", "oldest"], ["show", "nobody"]):
        payment_sim(*command, "--db", db_path)
    assert tree(db_path.parent) == before
