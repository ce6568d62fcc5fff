"""What was replaced by saving again."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Identifier,
    JsonText,
    Ordinal,
    Record,
    Timestamp,
)


class SupersededRecord(Record):
    """A row as it was before another took its place."""

    TABLE: ClassVar[str] = "superseded_records"
    KEY: ClassVar[tuple[str, ...]] = ("table_name", "record_key", "revision")

    table_name: Identifier = Field(description="Table that the row was in.")
    record_key: JsonText = Field(description="The row's key, as a JSON array.")
    revision: Ordinal = Field(description="Which replacement of this key, counted from 1.")
    record_json: JsonText = Field(description="The whole row, as a JSON object.")
    superseded_at: Timestamp = Field(description="When it was replaced (UTC).")
