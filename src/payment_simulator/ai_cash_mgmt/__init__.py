"""The game: agents that improve bank policies, and the record of what they did."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.config import GameConfig
    from payment_simulator.ai_cash_mgmt.constraints import (
        ConstraintValidator,
        ParameterSpec,
        ScenarioConstraints,
    )
    from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, resume_game
    from payment_simulator.ai_cash_mgmt.persistence.models import (
        BankStateRecord,
        DailyCostRecord,
        EquilibriumCertificateRecord,
        EvaluationSampleRecord,
        GameFailureRecord,
        GameOutcomeRecord,
        GameProvenanceRecord,
        GameSessionRecord,
        IterationContextRecord,
        LLMInteractionRecord,
        PolicyDiffRecord,
        PolicyIterationRecord,
        ProvenanceFileRecord,
        SimulationEventRecord,
        SimulationRunRecord,
        SupersededRecord,
        TransactionRecord,
    )
    from payment_simulator.ai_cash_mgmt.persistence.repository import GameRepository
    from payment_simulator.ai_cash_mgmt.persistence.vocabulary import (
        CostKind,
        FileRole,
        GameMode,
        GameStatus,
        PaymentStatus,
    )
    from payment_simulator.ai_cash_mgmt.proposers.base import (
        Proposal,
        Proposer,
        ProposerError,
        Situation,
    )
    from payment_simulator.ai_cash_mgmt.record.digest import (
        GameDigest,
        game_digest,
        game_digests,
    )
    from payment_simulator.ai_cash_mgmt.record.result import GameResult, game_result
    from payment_simulator.ai_cash_mgmt.record.verification import Verification, verify_game
    from payment_simulator.ai_cash_mgmt.seeds import derive_seed

__all__ = [
    "BankStateRecord",
    "ConstraintValidator",
    "CostKind",
    "DailyCostRecord",
    "EquilibriumCertificateRecord",
    "EvaluationSampleRecord",
    "FileRole",
    "GameConfig",
    "GameDigest",
    "GameFailureRecord",
    "GameMode",
    "GameOrchestrator",
    "GameOutcomeRecord",
    "GameProvenanceRecord",
    "GameRepository",
    "GameResult",
    "GameSessionRecord",
    "GameStatus",
    "IterationContextRecord",
    "LLMInteractionRecord",
    "ParameterSpec",
    "PaymentStatus",
    "PolicyDiffRecord",
    "PolicyIterationRecord",
    "Proposal",
    "Proposer",
    "ProposerError",
    "ProvenanceFileRecord",
    "ScenarioConstraints",
    "SimulationEventRecord",
    "SimulationRunRecord",
    "Situation",
    "SupersededRecord",
    "TransactionRecord",
    "Verification",
    "derive_seed",
    "game_digest",
    "game_digests",
    "game_result",
    "resume_game",
    "verify_game",
]

# Looked up when asked for: the record alone needs neither the compiler nor the samplers, and a list
# of games needs no records.
_HOMES = {
    "config": ("GameConfig",),
    "constraints": ("ConstraintValidator", "ParameterSpec", "ScenarioConstraints"),
    "orchestrator": ("GameOrchestrator", "resume_game"),
    "persistence.models": (
        "BankStateRecord",
        "DailyCostRecord",
        "EquilibriumCertificateRecord",
        "EvaluationSampleRecord",
        "GameFailureRecord",
        "GameOutcomeRecord",
        "GameProvenanceRecord",
        "GameSessionRecord",
        "IterationContextRecord",
        "LLMInteractionRecord",
        "PolicyDiffRecord",
        "PolicyIterationRecord",
        "ProvenanceFileRecord",
        "SimulationEventRecord",
        "SimulationRunRecord",
        "SupersededRecord",
        "TransactionRecord",
    ),
    "persistence.repository": ("GameRepository",),
    "persistence.vocabulary": ("CostKind", "FileRole", "GameMode", "GameStatus", "PaymentStatus"),
    "proposers.base": ("Proposal", "Proposer", "ProposerError", "Situation"),
    "record.digest": ("GameDigest", "game_digest", "game_digests"),
    "record.result": ("GameResult", "game_result"),
    "seeds": ("derive_seed",),
    "record.verification": ("Verification", "verify_game"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Return a public name from the module it lives in."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, those not loaded yet included."""
    return sorted(__all__)
