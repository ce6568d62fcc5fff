"""What stands beside games and steps: each comes back as it was saved, and is found by its key."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    EvaluationSampleRecord,
    FileRole,
    GameFailureRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    SimulationRunRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.errors import (
    DuplicateKeyError,
    GameNotFoundError,
    InputError,
    RunNotFoundError,
)
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import STARTED, VALUES, a_record, a_session
from tests.saving import DOORS, bits, n_rows, read, save, save_parents
from tests.wrong_values import is_optional

OF_STEPS = {
    LLMInteractionRecord: "get_llm_interactions",
    PolicyDiffRecord: "get_policy_diffs",
    IterationContextRecord: "get_iteration_contexts",
    EvaluationSampleRecord: "get_evaluation_samples",
}
BELONGS = [kind for kind in RECORDS if kind.PARENT]


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_comes_back_as_it_was_saved(kind: type[Record], repo: GameRepository):
    whole = a_record(kind)
    gaps = {n: None for n in kind.model_fields if is_optional(kind, n)}
    save_parents(repo, whole)
    assert read(repo, whole) is None
    for record in (whole, whole.replace(**gaps), whole):
        save(repo, record)
        assert bits(read(repo, record)) == bits(record)


@pytest.mark.parametrize("kind", RECORDS)
def test_what_is_left_out_gets_its_default(kind: type[Record], repo: GameRepository):
    required = {n: v for n, v in VALUES[kind].items() if kind.model_fields[n].is_required()}
    record = kind(**required)
    for name, field in kind.model_fields.items():
        if not field.is_required() and name != "sha256":
            assert getattr(record, name) == field.default
    save_parents(repo, record)
    save(repo, record)
    assert bits(read(repo, record)) == bits(record)


@pytest.mark.parametrize("kind", BELONGS)
def test_what_belongs_to_nothing_is_refused(
    kind: type[Record], repo: GameRepository, manager: DatabaseManager
):
    missing = RunNotFoundError if kind.PARENT[0] == "simulation_runs" else GameNotFoundError
    with pytest.raises(missing, match=r"(game|run)-001.*not in the record"):
        save(repo, a_record(kind))
    save_parents(repo, a_record(kind))
    before = n_rows(manager)
    (_, _, child), other = kind.PARENT, "gmae-001"
    with pytest.raises(missing, match="'gmae-001' is not in the record"):
        save(repo, a_record(kind, **{child: other}))
    assert n_rows(manager) == before


@pytest.mark.parametrize(("kind", "method"), OF_STEPS.items())
def test_records_of_steps_are_read_in_order_and_filtered(
    kind: type[Record], method: str, repo: GameRepository
):
    for game_id in ("game-001", "game-002"):
        repo.save_game_session(a_session(game_id))
    last = kind.KEY[3:]  # attempt or sample, where there are several for a step
    records = [
        a_record(kind, game_id=game, agent_id=agent, iteration_number=k, **dict.fromkeys(last, i))
        for game in ("game-001", "game-002")
        for k in (1, 2, 10)
        for agent in ("A", "B", "a")
        for i in ((1, 2, 10) if last else (1,))
    ]
    for record in random.Random(3).sample(records, len(records)):
        save(repo, record)
    get: Any = getattr(repo, method)

    def expected(**given: Any) -> list[str]:
        return [bits(r) for r in records if all(getattr(r, n) == v for n, v in given.items() if v)]

    for game in ("game-001", "game-002", "game-003"):
        for agent in (None, "A", "B", "a", "c"):
            for k in (None, 1, 2, 3, 10):
                found = get(game, agent_id=agent, iteration_number=k)
                assert [bits(r) for r in found] == expected(
                    game_id=game, agent_id=agent, iteration_number=k
                )
    assert [bits(r) for r in get("game-001", "A", 2)] == expected(
        game_id="game-001", agent_id="A", iteration_number=2
    )


@pytest.mark.parametrize(("kind", "method"), OF_STEPS.items())
def test_filters_may_be_numpy_values(kind: type[Record], method: str, repo: GameRepository):
    repo.save_game_session(a_session())
    for number in np.arange(1, 4):
        save(repo, a_record(kind, iteration_number=number))
    (found,) = getattr(repo, method)(np.str_("game-001"), np.str_("BANK_A"), np.int64(2))
    assert found.iteration_number == 2


@pytest.mark.parametrize(
    ("kind", "method", "changes"),
    [
        (EvaluationSampleRecord, "save_evaluation_samples", [{"sample_number": n} for n in (1, 2)]),
        (ProvenanceFileRecord, "save_provenance_files", [{"name": n} for n in "ab"]),
        (GameOutcomeRecord, "save_game_outcomes", [{"agent_id": n} for n in "ab"]),
    ],
)
def test_lists_are_saved_whole_or_not_at_all(
    kind: type[Record],
    method: str,
    changes: list[dict],
    repo: GameRepository,
    manager: DatabaseManager,
):
    repo.save_game_session(a_session())
    before = n_rows(manager)
    save_all: Any = getattr(repo, method)
    records = [a_record(kind, **change) for change in changes]
    save_all([])
    with pytest.raises(DuplicateKeyError, match=kind.TABLE):
        save_all([*records, records[0]])
    with pytest.raises(GameNotFoundError, match="game-009"):
        save_all([*records, a_record(kind, game_id="game-009")])
    with pytest.raises(ValidationError, match="game_id"):
        save_all([*records, records[0].model_copy(update={"game_id": ""})])
    with pytest.raises(InputError, match=f"expected a {kind.__name__}"):
        save_all([*records, a_session()])
    assert n_rows(manager) == before
    save_all(record for record in records)
    assert n_rows(manager) == {**before, kind.TABLE: 2}


def test_files_are_read_by_role_and_name(repo: GameRepository):
    repo.save_game_session(a_session())
    files = [
        a_record(ProvenanceFileRecord, role=role.value, name=name)
        for role in FileRole
        for name in ("b.yaml", "a.yaml", "\u00e4")
    ]
    repo.save_provenance_files(files)
    found = repo.get_provenance_files("game-001")
    assert found == sorted(files, key=lambda f: (f.role, f.name))
    assert repo.get_provenance_files("game-002") == []


def test_certificates_are_read_oldest_first(repo: GameRepository):
    repo.save_game_session(a_session())
    for number in (10, 2, 1):
        repo.save_equilibrium_certificate(
            a_record(EquilibriumCertificateRecord, certificate_number=number)
        )
    found = repo.get_equilibrium_certificates("game-001")
    assert [c.certificate_number for c in found] == [1, 2, 10]
    assert repo.get_equilibrium_certificates("game-002") == []


def test_outcomes_are_read_by_bank(repo: GameRepository):
    for game_id in ("game-001", "game-002"):
        repo.save_game_session(a_session(game_id))
        repo.save_game_outcomes(
            a_record(GameOutcomeRecord, game_id=game_id, agent_id=name) for name in "BaA"
        )
    found = repo.get_game_outcomes("game-002")
    assert [(o.game_id, o.agent_id) for o in found] == [("game-002", name) for name in "ABa"]
    assert repo.get_game_outcomes("game-003") == []


def test_failures_are_read_oldest_first(repo: GameRepository):
    repo.save_game_session(a_session())
    for number in (10, 2, 1):
        repo.save_game_failure(a_record(GameFailureRecord, failure_number=number))
    assert [f.failure_number for f in repo.get_game_failures("game-001")] == [1, 2, 10]
    assert repo.get_game_failures("game-002") == []


def test_provenance_is_of_one_game(repo: GameRepository):
    for game_id in ("game-001", "game-002"):
        repo.save_game_session(a_session(game_id))
        repo.save_game_provenance(
            a_record(GameProvenanceRecord, game_id=game_id, platform=f"on {game_id}")
        )
    provenance = repo.get_game_provenance("game-002")
    assert provenance is not None
    assert provenance.platform == "on game-002"
    assert repo.get_game_provenance("game-003") is None


def test_runs_are_listed_newest_first_and_by_game(repo: GameRepository):
    repo.save_game_session(a_session())
    second = timedelta(seconds=1)
    runs = [
        ("r4", "game-001", STARTED + second),
        ("r1", None, STARTED),
        ("r2", "game-001", STARTED),
        ("r3", None, STARTED),
        ("r0", "game-001", STARTED - second),
    ]
    for run_id, game_id, start in reversed(runs):
        repo.save_simulation_run(
            a_record(SimulationRunRecord, run_id=run_id, game_id=game_id, started_at=start)
        )
    ids = [r.run_id for r in repo.list_simulation_runs()]
    assert ids == [run_id for run_id, _, _ in runs]
    assert [r.run_id for r in repo.list_simulation_runs("game-001")] == ["r4", "r2", "r0"]
    assert [r.run_id for r in repo.list_simulation_runs("game-001", limit=2)] == ["r4", "r2"]
    assert [r.run_id for r in repo.list_simulation_runs(limit=np.int32(1))] == ["r4"]
    assert repo.list_simulation_runs("game-002") == []
    assert repo.get_simulation_run("r9") is None
    for limit in (0, -1, True, 1.5, "3"):
        with pytest.raises(InputError, match="limit is"):
            repo.list_simulation_runs(limit=limit)  # type: ignore[arg-type]


def test_a_run_needs_no_game_but_a_named_one_must_be_there(repo: GameRepository):
    run = a_record(SimulationRunRecord)
    with pytest.raises(GameNotFoundError, match="game-001"):
        repo.save_simulation_run(run)
    repo.save_simulation_run(run.replace(game_id=None))
    with pytest.raises(GameNotFoundError, match="game-001"):
        repo.save_simulation_run(run)
    with pytest.raises(GameNotFoundError, match="game-001"), repo.transaction():
        repo.save_simulation_run(run)
    repo.save_game_session(a_session())
    repo.save_simulation_run(run)
    assert bits(repo.get_simulation_run("run-001")) == bits(run)


@pytest.mark.parametrize("kind", [k for k in RECORDS if "run_id" not in k.KEY])
def test_each_door_takes_its_own_kind_only(
    kind: type[Record], repo: GameRepository, manager: DatabaseManager
):
    repo.save_game_session(a_session())
    before = n_rows(manager)
    other = PolicyIterationRecord if kind is GameSessionRecord else GameSessionRecord
    through_the_door_of_kind, _ = DOORS[kind]
    with pytest.raises(InputError, match=f"expected a {kind.__name__}, got {other.__name__}"):
        through_the_door_of_kind(repo, a_record(other))
    assert n_rows(manager) == before
