"""Long texts: each stored once, whoever names it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from payment_simulator.ai_cash_mgmt.persistence.models.base import Count64, Ordinal, Record, Text

Digest = Annotated[Text, Field(pattern="^[0-9a-f]{64}$")]


class TextRecord(Record):
    """A long text, named by rows that hold its hash in a column called ``..._sha256``."""

    TABLE: ClassVar[str] = "texts"
    KEY: ClassVar[tuple[str, ...]] = ("sha256",)

    sha256: Digest = Field(description="SHA-256 of the text in UTF-8.")
    num_bytes: Count64 = Field(description="Bytes of the text in UTF-8.")


class TextPieceRecord(Record):
    """A part of a long text: put together in their order, the pieces are the text."""

    TABLE: ClassVar[str] = "text_pieces"
    KEY: ClassVar[tuple[str, ...]] = ("sha256", "piece_number")
    PARENT: ClassVar[tuple[str, str, str] | None] = ("texts", "sha256", "sha256")

    sha256: Digest = Field(description="The text.")
    piece_number: Ordinal = Field(description="Piece of it, counted from 1.")
    content: Text = Field(description="Its characters, 4,000 of them but for the last piece.")
