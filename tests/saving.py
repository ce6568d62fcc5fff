"""Any record through its own door of the repository, in and out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from payment_simulator.ai_cash_mgmt import (
    BankStateRecord,
    DailyCostRecord,
    EquilibriumCertificateRecord,
    EvaluationSampleRecord,
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
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import Record
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import VALUES, a_record, a_session

R = TypeVar("R", bound=Record)
Save = Callable[[GameRepository, Any], None]
Read = Callable[[GameRepository, Any], list[Any]]


def _listed(found: Any) -> list[Any]:
    return [] if found is None else [found]


#: How each record is saved, and how all that stands beside it is read.
DOORS: dict[type[Record], tuple[Save, Read]] = {
    GameSessionRecord: (
        lambda repo, r: repo.save_game_session(r),
        lambda repo, r: _listed(repo.get_game_session(r.game_id)),
    ),
    PolicyIterationRecord: (
        lambda repo, r: repo.save_policy_iteration(r),
        lambda repo, r: repo.get_policy_iterations(r.game_id, r.agent_id),
    ),
    LLMInteractionRecord: (
        lambda repo, r: repo.save_llm_interaction(r),
        lambda repo, r: repo.get_llm_interactions(r.game_id, r.agent_id, r.iteration_number),
    ),
    PolicyDiffRecord: (
        lambda repo, r: repo.save_policy_diff(r),
        lambda repo, r: repo.get_policy_diffs(r.game_id, r.agent_id, r.iteration_number),
    ),
    IterationContextRecord: (
        lambda repo, r: repo.save_iteration_context(r),
        lambda repo, r: repo.get_iteration_contexts(r.game_id, r.agent_id, r.iteration_number),
    ),
    EvaluationSampleRecord: (
        lambda repo, r: repo.save_evaluation_samples([r]),
        lambda repo, r: repo.get_evaluation_samples(r.game_id, r.agent_id, r.iteration_number),
    ),
    GameProvenanceRecord: (
        lambda repo, r: repo.save_game_provenance(r),
        lambda repo, r: _listed(repo.get_game_provenance(r.game_id)),
    ),
    ProvenanceFileRecord: (
        lambda repo, r: repo.save_provenance_files([r]),
        lambda repo, r: repo.get_provenance_files(r.game_id),
    ),
    EquilibriumCertificateRecord: (
        lambda repo, r: repo.save_equilibrium_certificate(r),
        lambda repo, r: repo.get_equilibrium_certificates(r.game_id),
    ),
    SimulationRunRecord: (
        lambda repo, r: repo.save_simulation_run(r),
        lambda repo, r: _listed(repo.get_simulation_run(r.run_id)),
    ),
    TransactionRecord: (
        lambda repo, r: repo.save_transactions(r.run_id, [r]),
        lambda repo, r: repo.get_transactions(r.run_id),
    ),
    SimulationEventRecord: (
        lambda repo, r: repo.save_simulation_events(r.run_id, [r]),
        lambda repo, r: repo.get_simulation_events(r.run_id),
    ),
    BankStateRecord: (
        lambda repo, r: repo.save_bank_states(r.run_id, [r]),
        lambda repo, r: repo.get_bank_states(r.run_id),
    ),
    DailyCostRecord: (
        lambda repo, r: repo.save_daily_costs(r.run_id, [r]),
        lambda repo, r: repo.get_daily_costs(r.run_id),
    ),
    GameOutcomeRecord: (
        lambda repo, r: repo.save_game_outcomes([r]),
        lambda repo, r: repo.get_game_outcomes(r.game_id),
    ),
    GameFailureRecord: (
        lambda repo, r: repo.save_game_failure(r),
        lambda repo, r: repo.get_game_failures(r.game_id),
    ),
}


def save(repo: GameRepository, record: Record) -> None:
    """Save a record through the method that is made for it."""
    DOORS[type(record)][0](repo, record)


def save_parents(repo: GameRepository, record: Record) -> None:
    """Save what the record belongs to, if anything."""
    values = record.__dict__
    parent = (record.PARENT or ("",))[0]
    if parent == "simulation_runs":
        repo.save_simulation_run(
            a_record(SimulationRunRecord, run_id=values["run_id"], game_id=None)
        )
    elif parent == "game_sessions" and values["game_id"] is not None:
        repo.save_game_session(a_session(values["game_id"]))


def read(repo: GameRepository, record: R) -> R | None:
    """Return what is stored under the record's key."""

    def key(r: Record) -> list[Any]:
        return [getattr(r, name) for name in r.KEY]

    found = [r for r in DOORS[type(record)][1](repo, record) if key(r) == key(record)]
    assert len(found) <= 1
    return found[0] if found else None


def n_rows(manager: DatabaseManager) -> dict[str, int]:
    """Return the number of rows of every table that records go into."""
    tables = [kind.TABLE for kind in VALUES] + ["superseded_records"]
    count = "SELECT count(*) FROM "
    return {t: manager.conn.execute(count + t).fetchone()[0] for t in tables}


def bits(record: Record | None) -> str:
    """Return what tells records apart to the last bit: type, sign of zero, fold, all."""
    assert record is not None
    return repr(record.__dict__)
