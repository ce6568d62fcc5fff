"""Records: each validates when it is made, and is one row of one table."""

from payment_simulator.ai_cash_mgmt.persistence.models.base import Record
from payment_simulator.ai_cash_mgmt.persistence.models.endings import (
    GameFailureRecord,
    GameOutcomeRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.evidence import (
    EquilibriumCertificateRecord,
    GameProvenanceRecord,
    ProvenanceFileRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.game import (
    GameSessionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.runs import (
    BankStateRecord,
    DailyCostRecord,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.steps import (
    EvaluationSampleRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.superseded import SupersededRecord
from payment_simulator.ai_cash_mgmt.persistence.models.texts import TextPieceRecord, TextRecord
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import (
    CostKind,
    FileRole,
    GameMode,
    GameStatus,
    PaymentStatus,
)

#: Every record that can be saved, in the order of the tables.
RECORDS: tuple[type[Record], ...] = (
    GameSessionRecord,
    PolicyIterationRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    IterationContextRecord,
    EvaluationSampleRecord,
    GameProvenanceRecord,
    ProvenanceFileRecord,
    EquilibriumCertificateRecord,
    SimulationRunRecord,
    TransactionRecord,
    SimulationEventRecord,
    BankStateRecord,
    DailyCostRecord,
    GameOutcomeRecord,
    GameFailureRecord,
)

#: Every table of the record, those that others name first.
TABLES: tuple[type[Record], ...] = (TextRecord, TextPieceRecord, *RECORDS, SupersededRecord)

__all__ = [
    "RECORDS",
    "TABLES",
    "BankStateRecord",
    "CostKind",
    "DailyCostRecord",
    "EquilibriumCertificateRecord",
    "EvaluationSampleRecord",
    "FileRole",
    "GameFailureRecord",
    "GameMode",
    "GameOutcomeRecord",
    "GameProvenanceRecord",
    "GameSessionRecord",
    "GameStatus",
    "IterationContextRecord",
    "LLMInteractionRecord",
    "PaymentStatus",
    "PolicyDiffRecord",
    "PolicyIterationRecord",
    "ProvenanceFileRecord",
    "Record",
    "SimulationEventRecord",
    "SimulationRunRecord",
    "SupersededRecord",
    "TextPieceRecord",
    "TextRecord",
    "TransactionRecord",
]
