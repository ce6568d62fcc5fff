"""Nothing is lost by saving again: the same changes nothing, another is kept beside the old."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    SimulationRunRecord,
    SupersededRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.errors import GameNotFoundError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import VALUES, a_record, a_session, an_iteration
from tests.saving import bits, n_rows, read, save, save_parents
from tests.wrong_values import column_type, is_optional

#: Another valid value for a field of every record.
OTHERWISE: dict[str, dict[str, Any]] = {
    "game_sessions": {"final_cost": -0.0},
    "policy_iterations": {"validation_errors": ["x"]},
    "llm_interaction_log": {"raw_response": None},
    "policy_diffs": {"bank_tree_changed": False},
    "iteration_context": {"worst_seed": -(2**63)},
    "evaluation_samples": {"new_settlement_rate": None},
    "game_provenance": {"platform": "Linux aarch64"},
    "provenance_files": {"content": "hello", "sha256": ""},
    "equilibrium_certificates": {"regrets_json": "{ }"},
    "simulation_runs": {"completed_at": datetime(2026, 1, 2, 4, 5, 6, 789013)},
    "transactions": {"status": "settled"},
    "simulation_events": {"details_json": '{"note":  "first"}'},
    "bank_states": {"tick_cost": 0.25000000000000006},
    "daily_costs": {"cost": 12.500000000000002},
    "game_outcomes": {"improvement_low": None},
    "game_failures": {"iteration_number": 3},
}


def as_stored(record: Record) -> dict[str, Any]:
    """Return a record as the JSON of a superseded row should hold it."""

    values = zip(record.table().columns, record.to_row(), strict=True)
    return {name: str(value) if isinstance(value, datetime) else value for name, value in values}


def key(record: Record) -> list[Any]:
    return [getattr(record, name) for name in record.KEY]


def assert_kept(found: SupersededRecord, old: Record, revision: int) -> None:
    assert found.table_name == old.TABLE
    assert json.loads(found.record_key) == key(old)
    assert found.revision == revision
    kept = json.loads(found.record_json)
    assert list(kept) == list(old.table().columns)
    expected = as_stored(old)
    for name, value in kept.items():
        if isinstance(old.__dict__.get(name), datetime):
            assert datetime.fromisoformat(value) == old.__dict__[name]
        else:
            assert repr(value) == repr(expected[name])


@pytest.mark.parametrize("kind", RECORDS)
def test_the_same_again_changes_nothing(
    kind: type[Record], repo: GameRepository, manager: DatabaseManager
):
    record = a_record(kind)
    save_parents(repo, record)
    save(repo, record)
    before = n_rows(manager)
    for _ in range(3):
        save(repo, a_record(kind))
    with repo.transaction():
        save(repo, a_record(kind))
    assert n_rows(manager) == before
    assert repo.get_superseded_records() == []
    assert bits(read(repo, record)) == bits(record)


@pytest.mark.sampled(10)
@pytest.mark.parametrize("kind", RECORDS)
@pytest.mark.parametrize("together", [False, True])
def test_a_different_one_takes_the_place_and_the_old_is_kept(
    kind: type[Record], together: bool, repo: GameRepository, manager: DatabaseManager
):
    first = a_record(kind)
    second = first.replace(**OTHERWISE[kind.TABLE])
    assert bits(first) != bits(second)
    save_parents(repo, first)
    save(repo, first)
    before = n_rows(manager)
    started = datetime.now(UTC).replace(tzinfo=None)
    for record in (second, first, second):
        if together:
            with repo.transaction():
                save(repo, record)
        else:
            save(repo, record)
        assert bits(read(repo, record)) == bits(record)
    ended = datetime.now(UTC).replace(tzinfo=None)

    assert n_rows(manager) == {**before, "superseded_records": 3}
    found = repo.get_superseded_records(kind.TABLE)
    assert found == repo.get_superseded_records()
    for revision, (kept, old) in enumerate(zip(found, (first, second, first), strict=True), 1):
        assert_kept(kept, old, revision)
    times = [started, *(kept.superseded_at for kept in found), ended]
    assert times == sorted(times)


@pytest.mark.parametrize("kind", RECORDS)
def test_each_field_counts(kind: type[Record], repo: GameRepository):
    record = a_record(kind)
    save_parents(repo, record)
    save(repo, record)
    n_changes = 0
    for name in kind.model_fields:
        if is_optional(kind, name):
            record = record.replace(**{name: None})
            save(repo, record)
            n_changes += 1
            assert bits(read(repo, record)) == bits(record)
            assert len(repo.get_superseded_records()) == n_changes


@pytest.mark.parametrize("batch", [False, True])
def test_the_sign_of_zero_counts(batch: bool, repo: GameRepository):
    repo.save_game_session(a_session())
    plus = an_iteration(old_cost=5.0, new_cost=5.0, cost_improvement=0.0)
    minus = plus.replace(cost_improvement=-0.0)
    for step in (plus, minus, minus):
        if batch:
            repo.save_policy_iterations([step, an_iteration(2)])
        else:
            repo.save_policy_iteration(step)
        assert bits(repo.get_policy_iterations("game-001")[0]) == bits(step)
    (kept,) = repo.get_superseded_records()
    assert repr(json.loads(kept.record_json)["cost_improvement"]) == "0.0"


@pytest.mark.parametrize("kind", [kind for kind in RECORDS if "DOUBLE" in kind.table().types])
def test_the_sign_of_every_zero_counts(kind: type[Record], repo: GameRepository):
    floats = [n for n in kind.model_fields if column_type(kind, n) == "DOUBLE"]
    plus, minus = (a_record(kind, **dict.fromkeys(floats, zero)) for zero in (0.0, -0.0))
    save_parents(repo, plus)
    for n_kept, record in enumerate((plus, minus, plus)):
        save(repo, record)
        assert bits(read(repo, record)) == bits(record)
        assert len(repo.get_superseded_records()) == n_kept


def test_none_and_text_that_looks_like_it_differ(repo: GameRepository):
    values = VALUES[GameProvenanceRecord]
    repo.save_game_session(a_session())
    for n_kept, text in enumerate([None, "", "null", "NULL", "None"]):
        repo.save_game_provenance(GameProvenanceRecord(**{**values, "code_revision": text}))
        provenance = repo.get_game_provenance("game-001")
        assert provenance is not None
        assert provenance.code_revision == text
        assert len(repo.get_superseded_records()) == n_kept


def test_values_that_could_run_together_differ(repo: GameRepository):
    repo.save_game_session(a_session())
    pairs = [("a", "b"), ("a,b", ""), ('a","b', ""), ('a"', ',"b'), ("", "ab"), ("ab", "")]
    for n_kept, (version, platform) in enumerate(pairs):
        record = a_record(GameProvenanceRecord, package_version=version, platform=platform)
        repo.save_game_provenance(record)
        assert bits(repo.get_game_provenance("game-001")) == bits(record)
        assert len(repo.get_superseded_records()) == n_kept


def test_revisions_are_counted_for_each_key_alone(repo: GameRepository):
    repo.save_game_session(a_session())
    for tokens in (1, 2, 3):
        repo.save_policy_iterations([an_iteration(n, tokens_used=tokens) for n in (1, 2)])
        repo.save_policy_iteration(an_iteration(1, tokens_used=10 * tokens))
    found = [(json.loads(r.record_key)[2], r.revision) for r in repo.get_superseded_records()]
    assert found == [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 1), (2, 2)]


def test_superseded_records_are_told_apart_by_table(repo: GameRepository):
    for status in ("running", "completed"):
        repo.save_game_session(a_session(status=status))
        repo.save_simulation_run(a_record(SimulationRunRecord, purpose=status))
        repo.save_provenance_files([a_record(ProvenanceFileRecord, content=status, sha256="")])
    tables = [r.table_name for r in repo.get_superseded_records()]
    assert tables == ["game_sessions", "provenance_files", "simulation_runs"]
    for table in tables:
        assert [r.table_name for r in repo.get_superseded_records(table)] == [table]
    assert repo.get_superseded_records("policy_iterations") == []


def test_a_status_update_keeps_what_was_before(repo: GameRepository):
    session = a_session()
    repo.save_game_session(session)
    repo.update_game_session_status("game-001", "running")
    assert repo.get_superseded_records() == []
    repo.update_game_session_status("game-001", "failed", final_cost=1.0)
    (kept,) = repo.get_superseded_records()
    assert_kept(kept, session, 1)


def test_a_record_can_be_saved_again_and_again(repo: GameRepository):
    session = a_record(GameSessionRecord)
    for n in range(20):
        session.total_iterations = n
        repo.save_game_session(session)
        repo.save_game_session(session)
    assert [r.revision for r in repo.get_superseded_records()] == list(range(1, 20))


def test_a_bad_number_of_another_tool_is_kept_when_it_is_replaced(
    repo: GameRepository, manager: DatabaseManager
):
    repo.save_game_session(a_session())
    repo.save_policy_iteration(an_iteration())
    manager.conn.execute("UPDATE policy_iterations SET old_cost = 'nan', new_cost = 'inf'")
    repo.save_policy_iteration(an_iteration())
    assert bits(repo.get_policy_iterations("game-001")[0]) == bits(an_iteration())
    (kept,) = repo.get_superseded_records()
    old = json.loads(kept.record_json)
    assert (repr(old["old_cost"]), repr(old["new_cost"])) == ("nan", "inf")


def test_a_step_keeps_needing_its_game(repo: GameRepository, manager: DatabaseManager):
    repo.save_game_session(a_session())
    samples = [a_record(EvaluationSampleRecord, sample_number=n) for n in (1, 2)]
    repo.save_policy_iteration(an_iteration())
    repo.save_evaluation_samples(samples)
    manager.conn.execute("DELETE FROM game_sessions")
    with pytest.raises(GameNotFoundError):
        repo.save_policy_iteration(an_iteration(tokens_used=1))
    with pytest.raises(GameNotFoundError):
        repo.save_evaluation_samples([s.replace(sample_seed=5) for s in samples])
    assert [type(r) for r in repo.get_policy_iterations("game-001")] == [PolicyIterationRecord]
    assert repo.get_superseded_records() == []
