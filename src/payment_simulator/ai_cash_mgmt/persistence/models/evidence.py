"""Where a game came from, and how far from equilibrium it ended."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from payment_simulator.ai_cash_mgmt.persistence.models.base import (
    Count,
    Flag,
    Identifier,
    JsonText,
    KeptApart,
    Number,
    Ordinal,
    Record,
    Text,
    Timestamp,
)
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import FileRole, one_of
from payment_simulator.persistence.texts import text_sha256

_GAME = ("game_sessions", "game_id", "game_id")


def _is_left_out(value: object) -> bool:
    return isinstance(value, str) and not value


class GameProvenanceRecord(Record):
    """The program and the machine that played a game."""

    TABLE: ClassVar[str] = "game_provenance"
    KEY: ClassVar[tuple[str, ...]] = ("game_id",)
    PARENT: ClassVar[tuple[str, str, str] | None] = _GAME

    game_id: Identifier = Field(description="The game.")
    package_version: Text = Field(description="Version of payment-simulator.")
    code_revision: Text | None = Field(None, description="Revision of its source, if known.")
    code_is_clean: Flag | None = Field(None, description="Whether that source was unchanged.")
    python_version: Text = Field(description="Python version.")
    platform: Text = Field(description="Operating system and processor (free text).")
    libraries_json: JsonText = Field(
        description="Versions of the libraries that matter, as a JSON object by name."
    )
    created_at: Timestamp = Field(description="When this was written down (UTC).")
    seal_sha256: Text | None = Field(
        None,
        description="Seal of the origin: SHA-256 over this row and the game's provenance_files, "
        "without clock columns; none if another program wrote it.",
    )


class ProvenanceFileRecord(Record):
    """A file that a game was made of, in full, with its hash."""

    TABLE: ClassVar[str] = "provenance_files"
    KEY: ClassVar[tuple[str, ...]] = ("game_id", "role", "name")
    PARENT: ClassVar[tuple[str, str, str] | None] = _GAME

    game_id: Identifier = Field(description="The game.")
    role: Annotated[Text, AfterValidator(lambda value: one_of(FileRole, value))] = Field(
        description="What the file is: game_file, scenario, policy or payments."
    )
    name: Identifier = Field(description="Its path as given, or the bank whose policy it is.")
    content: Annotated[Text, KeptApart("sha256")] = Field(description="Its full text.")
    sha256: Text = Field("", description="SHA-256 of the text in UTF-8; filled in when not given.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in_the_hash(cls, values: Any) -> Any:
        if isinstance(values, dict) and _is_left_out(values.get("sha256", "")):
            content = values.get("content")
            if isinstance(content, str):
                try:
                    return {**values, "sha256": text_sha256(content)}
                except UnicodeEncodeError:
                    return values  # the check of content says what is wrong
        return values

    @model_validator(mode="after")
    def _hash_is_of_the_content(self) -> Self:
        expected = text_sha256(self.content)
        if self.sha256 != expected:
            raise ValueError(f"sha256 is {self.sha256!r}, expected {expected!r} for this content")
        return self


class EquilibriumCertificateRecord(Record):
    """How much each bank could still gain by deviating alone, and how that was found."""

    TABLE: ClassVar[str] = "equilibrium_certificates"
    KEY: ClassVar[tuple[str, ...]] = ("game_id", "certificate_number")
    PARENT: ClassVar[tuple[str, str, str] | None] = _GAME

    game_id: Identifier = Field(description="The game.")
    certificate_number: Ordinal = Field(description="Certificate of the game, counted from 1.")
    method: Text = Field(description="How deviations were sought, as kind/method (free text).")
    parameter_space_json: JsonText = Field(description="Where deviations were sought, as JSON.")
    profile_json: JsonText = Field(description="The policies judged, as a JSON object by bank.")
    num_samples: Ordinal = Field(
        description="Sample days on which deviations were valued, at most."
    )
    regrets_json: JsonText = Field(
        description="What each bank could gain alone, as a JSON object by bank: estimate, low and "
        "high (cents), the ends null where they are not known."
    )
    distance_from_equilibrium: Number = Field(
        description="The largest estimate of a regret (cents); negative where the deviation chosen "
        "on some days was worse on others."
    )
    distance_upper_bound: Number | None = Field(
        None,
        description="Upper bound of what any bank gains by any deviation tried (cents); none where "
        "it is not known.",
    )
    num_deviations: Count | None = Field(None, description="Deviations tried, of all banks.")
    deviation_space: Text | None = Field(
        None, description="What the deviations vary: parameters, trees, collateral (listed)."
    )
    is_within_tolerance: Flag | None = Field(
        None,
        description="Whether every interval is within equilibrium.tolerance; if not, no more days "
        "were allowed.",
    )
    best_deviations_json: JsonText = Field(
        description="The best deviation, as a JSON object by bank."
    )
    pure_equilibria_json: JsonText | None = Field(
        None, description="All pure equilibria (grids), as JSON."
    )
    best_responses_json: JsonText | None = Field(
        None, description="Best responses (grids), as JSON."
    )
    social_optimum_json: JsonText | None = Field(
        None, description="Least total cost (grids), as JSON."
    )
    price_of_anarchy: Number | None = Field(
        None, description="Total cost of the worst equilibrium over that of the optimum."
    )
    created_at: Timestamp = Field(description="When this was computed (UTC).")
