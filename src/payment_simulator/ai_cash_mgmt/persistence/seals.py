"""Seals: hashes that bind what no replay can compute to the rows that it came with.

Answers of models, proposals of a user's code, failures and versions come from outside a game, so
playing it again cannot tell whether they were changed. A seal is a SHA-256 over them, stored beside
them; whoever changes one value without making the seal anew is found out. A seal is no signature:
everybody can compute it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.persistence.models import (
    GameFailureRecord,
    GameProvenanceRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    Record,
)

#: Columns that tell the time, or how long something took. They differ each time a game is played.
CLOCK: Final = frozenset(
    {
        "created_at",
        "started_at",
        "completed_at",
        "failed_at",
        "superseded_at",
        "request_timestamp",
        "response_timestamp",
        "llm_latency_seconds",
    }
)
#: The column that holds a seal.
SEAL: Final = "seal_sha256"
#: Columns that are left out: a text stands in a seal as the hash beside it; calls are in order, and
#: the numbers of those of a step that was made again go on from those of the failed try.
_LEFT_OUT: Final = {ProvenanceFileRecord: "content", LLMInteractionRecord: "attempt_number"}


def step_seal(
    iteration: PolicyIterationRecord,
    context: IterationContextRecord,
    calls: Sequence[LLMInteractionRecord],
) -> str:
    """Return the seal of a step.

    Parameters
    ----------
    iteration : PolicyIterationRecord
    context : IterationContextRecord
        Its own seal is not looked at.
    calls : sequence of LLMInteractionRecord
        The calls that this try of the step was made of, in their order.
    """
    return _seal((iteration, context, *calls))


def origin_seal(origin: GameProvenanceRecord, files: Iterable[ProvenanceFileRecord]) -> str:
    """Return the seal of what a game was made of, and by which program."""
    return _seal((origin, *sorted(files, key=lambda file: (file.role, file.name))))


def failure_seal(failure: GameFailureRecord) -> str:
    """Return the seal of a failure."""
    return _seal((failure,))


def _seal(rows: Iterable[Record]) -> str:
    """Return the SHA-256 of rows, each as one line of JSON.

    A line is the name of the table and an object of the columns that have a value, sorted by name.
    """
    digest = hashlib.sha256()
    for row in rows:
        left_out = CLOCK | {SEAL, _LEFT_OUT.get(type(row), SEAL)}
        values = {
            name: _plain(value)
            for name in type(row).model_fields
            if name not in left_out and (value := getattr(row, name)) is not None
        }
        line = json.dumps([row.TABLE, values], sort_keys=True, separators=(",", ":"))
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; both zeros are the same, as they are to a replay."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value + 0.0 if isinstance(value, float) else value
