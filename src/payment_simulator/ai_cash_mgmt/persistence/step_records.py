"""What each step saw, asked, changed and measured, and the evidence of a whole game."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import (
    EquilibriumCertificateRecord,
    EvaluationSampleRecord,
    GameFailureRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    SupersededRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models.steps import StepRecord
from payment_simulator.ai_cash_mgmt.persistence.records import R, RecordStore, records_of_rows
from payment_simulator.errors import InputError
from payment_simulator.persistence.arrow import ArrowStream
from payment_simulator.persistence.texts import read_beginning, read_texts


@dataclass(frozen=True)
class ProvenanceFile:
    """What is known of a file that a game was made of, without its text.

    Attributes
    ----------
    role, name, sha256 : str
        As in ``provenance_files``.
    num_bytes : int
        Bytes of the text in UTF-8.
    """

    role: str
    name: str
    sha256: str
    num_bytes: int


class StepRecords(RecordStore):
    """Saves and reads what stands beside games and their steps.

    Every ``save_*`` is durable when it returns, replaces what differs under the same key and
    keeps the replaced row, and raises ``GameNotFoundError`` for a game that is not there. Every
    ``get_*`` filters by agent and iteration where those are given.
    """

    def get_policy_iteration(
        self, game_id: str, agent_id: str, iteration_number: int
    ) -> PolicyIterationRecord | None:
        """Return one step of one agent, or ``None`` when there is no such step."""
        key = (game_id, agent_id, operator.index(iteration_number))
        return self._read_one("get_policy_iteration", PolicyIterationRecord, key)

    def count_rows_of_steps(
        self, kind: type[StepRecord | PolicyIterationRecord], game_id: str
    ) -> dict[tuple[int, str], int]:
        """Return the steps of a game, as iteration and agent, that have rows of a kind.

        Returns
        -------
        dict
            Number of rows by step, in order.
        """
        found = self._rows("count_rows_of_steps", (game_id,), table=kind.TABLE)
        return {(number, agent): n for number, agent, n in found}

    def get_rows_of_iterations(self, kind: type[R], game_id: str, first: int, last: int) -> list[R]:
        """Return the rows of a kind that belong to some iterations of a game, in any order."""
        words = {"table": kind.TABLE, "columns": ", ".join(kind.table().columns)}
        found = self._rows("rows_of_iterations", (game_id, first, last), **words)
        return list(records_of_rows(self._store, kind, found))

    def get_sample_means(self, game_id: str) -> list[tuple[Any, ...]]:
        """Return iteration, agent, old and new cost of every step, and what its samples say.

        Number and last number of the samples, and the means of their old and new costs.
        """
        return self._rows("sample_means", (game_id,))

    def has_null_counters(self, game_id: str) -> bool:
        """Tell whether a session has NULL where it is read as a default."""
        return any(row[0] for row in self._rows("has_null_counters", (game_id,)))

    def get_step_times(self, game_id: str) -> dict[tuple[int, str], datetime]:
        """Return when each step of a game was recorded, by iteration and agent."""
        return {(n, agent): when for n, agent, when in self._rows("step_times", (game_id,))}

    def save_llm_interaction(self, interaction: LLMInteractionRecord) -> None:
        """Save one call of a language model."""
        self._save(self._of_kind(LLMInteractionRecord, interaction))

    def get_llm_interactions(
        self, game_id: str, agent_id: str | None = None, iteration_number: int | None = None
    ) -> list[LLMInteractionRecord]:
        """Return calls of language models by iteration, agent and attempt.

        All of them with their texts: ``iterate_llm_interactions`` gives them one by one.
        """
        return self._of_steps(
            "get_llm_interactions", LLMInteractionRecord, game_id, agent_id, iteration_number
        )

    def iterate_llm_interactions(
        self, game_id: str, agent_id: str | None = None, iteration_number: int | None = None
    ) -> Iterator[LLMInteractionRecord]:
        """Yield the same calls, with the texts of only some of them in memory."""
        filters = _filters(game_id, agent_id, iteration_number)
        return self._iterate("get_llm_interactions", LLMInteractionRecord, filters)

    def save_policy_diff(self, diff: PolicyDiffRecord) -> None:
        """Save what a proposal would change."""
        self._save(self._of_kind(PolicyDiffRecord, diff))

    def get_policy_diffs(
        self, game_id: str, agent_id: str | None = None, iteration_number: int | None = None
    ) -> list[PolicyDiffRecord]:
        """Return what proposals would change, by iteration and agent."""
        return self._of_steps(
            "get_policy_diffs", PolicyDiffRecord, game_id, agent_id, iteration_number
        )

    def save_iteration_context(self, context: IterationContextRecord) -> None:
        """Save what a proposer was shown."""
        self._save(self._of_kind(IterationContextRecord, context))

    def get_iteration_contexts(
        self, game_id: str, agent_id: str | None = None, iteration_number: int | None = None
    ) -> list[IterationContextRecord]:
        """Return what proposers were shown, by iteration and agent."""
        return self._of_steps(
            "get_iteration_contexts", IterationContextRecord, game_id, agent_id, iteration_number
        )

    def save_evaluation_samples(
        self, samples: Iterable[EvaluationSampleRecord] | ArrowStream
    ) -> None:
        """Save paired evaluation samples in one transaction.

        Parameters
        ----------
        samples : iterable of EvaluationSampleRecord, or Arrow table
            Records; or anything with ``__arrow_c_stream__`` (arro3, pyarrow, polars) whose columns
            are the record's fields, all of them: many samples are saved faster so.
        """
        self._save_table_or_records(EvaluationSampleRecord, samples)

    def get_evaluation_samples(
        self, game_id: str, agent_id: str | None = None, iteration_number: int | None = None
    ) -> list[EvaluationSampleRecord]:
        """Return paired evaluation samples by iteration, agent and sample."""
        return self._of_steps(
            "get_evaluation_samples", EvaluationSampleRecord, game_id, agent_id, iteration_number
        )

    def save_game_provenance(self, provenance: GameProvenanceRecord) -> None:
        """Save which program, on what machine, played a game."""
        self._save(self._of_kind(GameProvenanceRecord, provenance))

    def get_game_provenance(self, game_id: str) -> GameProvenanceRecord | None:
        """Return which program played a game, or ``None`` when that was not written down."""
        return self._read_one("get_game_provenance", GameProvenanceRecord, (game_id,))

    def save_provenance_files(self, files: Iterable[ProvenanceFileRecord]) -> None:
        """Save the files that a game was made of, in one transaction."""
        self._save_all(ProvenanceFileRecord, files)

    def get_provenance_files(self, game_id: str) -> list[ProvenanceFileRecord]:
        """Return the files that a game was made of, by role and name."""
        return self._read("get_provenance_files", ProvenanceFileRecord, (game_id,))

    def list_provenance_files(self, game_id: str) -> list[ProvenanceFile]:
        """Return what is known of the files that a game was made of, without their texts."""
        return [ProvenanceFile(*row) for row in self._rows("list_provenance_files", (game_id,))]

    def get_text(self, sha256: str, *, at_most: int | None = None) -> str:
        """Return a stored text.

        Parameters
        ----------
        sha256 : str
            Its SHA-256, as columns called ``..._sha256`` hold it.
        at_most : int, optional
            Return that many characters of it, and read few more; they are then not held against
            the hash.

        Raises
        ------
        InputError
            No such text is stored.
        """
        if at_most is not None:
            return read_beginning(self._store, sha256, at_most)
        found = read_texts(self._store, [sha256])
        if sha256 not in found:
            raise InputError(f"no text with the SHA-256 {sha256!r:.80} is stored")
        return found[sha256]

    def save_equilibrium_certificate(self, certificate: EquilibriumCertificateRecord) -> None:
        """Save how far from equilibrium a game was."""
        self._save(self._of_kind(EquilibriumCertificateRecord, certificate))

    def get_equilibrium_certificates(self, game_id: str) -> list[EquilibriumCertificateRecord]:
        """Return a game's equilibrium certificates, oldest first."""
        return self._read("get_equilibrium_certificates", EquilibriumCertificateRecord, (game_id,))

    def save_game_outcomes(self, outcomes: Iterable[GameOutcomeRecord]) -> None:
        """Save what a game brought its banks, in one transaction."""
        self._save_all(GameOutcomeRecord, outcomes)

    def get_game_outcomes(self, game_id: str) -> list[GameOutcomeRecord]:
        """Return what a game brought its banks, by bank."""
        return self._read("get_game_outcomes", GameOutcomeRecord, (game_id,))

    def save_game_failure(self, failure: GameFailureRecord) -> None:
        """Save why a game stopped before its end."""
        self._save(self._of_kind(GameFailureRecord, failure))

    def get_game_failures(self, game_id: str) -> list[GameFailureRecord]:
        """Return why a game stopped before its end, each time it did, oldest first."""
        return self._read("get_game_failures", GameFailureRecord, (game_id,))

    def get_superseded_records(self, table_name: str | None = None) -> list[SupersededRecord]:
        """Return rows that were replaced by saving again, by table, key and revision."""
        return self._read("get_superseded_records", SupersededRecord, (table_name, table_name))

    def get_superseded_record(
        self, table_name: str, record_key: str, revision: int
    ) -> SupersededRecord | None:
        """Return one superseded row, or ``None`` when there is no such row."""
        key = (table_name, record_key, operator.index(revision))
        return self._read_one("get_superseded_record", SupersededRecord, key)

    def superseded_keys(self, game_id: str) -> list[tuple[str, str, int]]:
        """Return table, key and revision of every superseded row of a game or of its runs."""
        found = self._rows("superseded_of_game", (game_id, game_id))
        return [(table, key, revision) for table, key, revision in found]

    def _of_steps(
        self,
        query: str,
        kind: type[R],
        game_id: str,
        agent_id: str | None,
        iteration_number: int | None,
    ) -> list[R]:
        return self._read(query, kind, _filters(game_id, agent_id, iteration_number))


def _filters(
    game_id: str, agent_id: str | None, iteration_number: int | None
) -> tuple[str | int | None, ...]:
    if iteration_number is not None:
        iteration_number = operator.index(iteration_number)  # NumPy's as well
    return (game_id, agent_id, agent_id, iteration_number, iteration_number)
