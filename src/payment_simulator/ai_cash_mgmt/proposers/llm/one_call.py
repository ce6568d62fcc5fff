"""One call of a language model in a step: made, or read from the record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.proposers.base import Situation
from payment_simulator.ai_cash_mgmt.proposers.llm.answers import Parsed, parse_answer
from payment_simulator.ai_cash_mgmt.proposers.llm.details import answer_columns, read_details
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError
from payment_simulator.ai_cash_mgmt.proposers.llm.models import ModelAddress
from payment_simulator.ai_cash_mgmt.proposers.llm.outcomes import no_policy
from payment_simulator.ai_cash_mgmt.proposers.llm.prompts import Prompt
from payment_simulator.ai_cash_mgmt.seeds import derive_seed

#: Seeds for sampling have 31 bits: the most that all servers take.
_DROPPED_BITS = 32


def sampling_seed(situation: Situation) -> int:
    """Return the seed for sampling of a proposal.

    A call that failed is made again with the same seed, so that a game that was interrupted goes on
    as it would have; after an answer that was sent back it is another.

    Parameters
    ----------
    situation : Situation

    Returns
    -------
    int
        From 0 to 2^31 - 1: ``floor(derive_seed(seed, "sampling", n) / 2^32)`` for the seed of the
        situation and the n-th proposal of the step.
    """
    return derive_seed(situation.seed, "sampling", len(situation.refused) + 1) >> _DROPPED_BITS


class Call:
    """One call of a model.

    Parameters
    ----------
    address : ModelAddress
    situation : Situation
    system : str
        The system prompt.
    prompt : Prompt
    """

    def __init__(
        self, address: ModelAddress, situation: Situation, system: str, prompt: Prompt
    ) -> None:
        self._address = address
        self._situation = situation
        self._system = system
        self._prompt = prompt
        #: What the answer says, once there is one.
        self.parsed: Parsed | None = None

    def make(self) -> tuple[LLMInteractionRecord, CallFailedError | None]:
        """Return the call as it is recorded, and why it brought no answer, if it did not.

        Of a call that was recorded before, what came from outside is taken from there.
        """
        number, before = self._situation.calls.begin()
        if before is not None:
            return self._read(before), None
        self._address.load()
        started, asked_at = time.perf_counter(), datetime.now(UTC)
        seed = sampling_seed(self._situation) if self._address.is_seeded else None
        found = self._address.ask(self._system, self._prompt.text, seed)
        seconds = max(time.perf_counter() - started, 0.0)
        new = LLMInteractionRecord(
            game_id=self._situation.calls.game_id,
            agent_id=self._situation.bank,
            iteration_number=self._situation.iteration,
            attempt_number=number,
            llm_model=self._address.label,
            system_prompt=self._system,
            user_prompt=self._prompt.text,
            raw_response=found.text,
            parsing_error=None if found.failure is None else str(found.failure),
            details_json=found.details_json,
            llm_latency_seconds=seconds,
            cost_usd=found.cost_usd,
            request_timestamp=asked_at,
            response_timestamp=None if found.text is None else datetime.now(UTC),
        )
        return self._read(new), found.failure

    def _read(self, record: LLMInteractionRecord) -> LLMInteractionRecord:
        """Read the answer of a call, and return the call with all that follows from it."""
        sent, said = read_details(record.details_json)
        settings = self._settings(sent)
        columns = {
            "llm_model": self._address.label,
            "system_prompt": self._system,
            "user_prompt": self._prompt.text,
            **settings,
            **answer_columns(self._address.provider, said),
        }
        if record.raw_response is None:
            return record.replace(**columns)
        parsed = parse_answer(record.raw_response, self._situation.validator)
        if parsed.error is not None:
            fault = no_policy(said, record.raw_response, settings["max_tokens"])
            if fault is not None:
                parsed = replace(parsed, error=fault, fault=fault)
        self.parsed = parsed
        return record.replace(
            **columns,
            parsed_policy_json=parsed.policy_json,
            parsing_error=parsed.error,
            llm_reasoning=parsed.reasoning or None,
        )

    def _settings(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Return the columns of the settings that were sent.

        A library leaves out what a model does not take, and adds what it insists on. What was sent
        must have been what this address sends.
        """
        own = self._address
        limit = sent.get("max_tokens")
        is_limit = isinstance(limit, int) and not isinstance(limit, bool) and limit > 0
        is_seeded = "seed" in sent and own.is_seeded
        return {
            "temperature": own.temperature if "temperature" in sent else None,
            "max_tokens": (own.max_tokens or limit) if is_limit else None,
            "sampling_seed": sampling_seed(self._situation) if is_seeded else None,
        }
