"""A language model as a proposer: told what its bank knows, it answers with a policy.

Every call is written down, those that fail included, before the next one is made. A call that the
record holds already is not made again: its answer is read from there, on the same way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Situation
from payment_simulator.ai_cash_mgmt.proposers.llm.answers import Parsed, parse_answer
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError
from payment_simulator.ai_cash_mgmt.proposers.llm.models import Answer, ModelAddress, model_parts
from payment_simulator.ai_cash_mgmt.proposers.llm.prompts import Prompt, system_prompt, user_prompt

#: The longest wait before a call is made again, whatever the server asks for (seconds).
_LONGEST_WAIT: Final = 60.0


class LLMProposer:
    """Asks a language model for a policy.

    Keys are read from the environment of the process when a call is made. They are never part of a
    prompt, a record or an error.

    Parameters
    ----------
    model : str
        ``provider:name`` or ``provider/name``; providers are ``anthropic``, ``openai``,
        ``openai-chat`` (any server that speaks the chat protocol of OpenAI) and ``google``.
    base_url : str, optional
        Where the model is, if not where its provider has it.
    temperature : float, optional
    max_tokens : int, optional
        The longest answer.
    timeout_seconds : float
        For one call.
    max_retries : int
        How often a call is made again that failed for a reason that may pass.
    prompt_budget_chars : int
        The longest prompt: what the model is told once and what it is told at a step, together.
    sleep : callable
        Waits for so many seconds.

    Raises
    ------
    InputError
        The model is not written as it should be, or its provider is not known.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        temperature: float | None = None,
        max_tokens: int | None = None,
        timeout_seconds: float = 120.0,
        max_retries: int = 3,
        prompt_budget_chars: int = 60_000,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        provider, name = model_parts(model)
        self._address = ModelAddress(
            provider=provider,
            name=name,
            base_url=base_url,
            temperature=temperature,
            max_tokens=max_tokens,
            timeout_seconds=timeout_seconds,
        )
        self._max_retries = max_retries
        self._budget = prompt_budget_chars
        self._sleep = sleep

    @property
    def label(self) -> str:
        """The model, as ``provider/name``."""
        return self._address.label

    def check(self) -> None:
        """Say what is missing before the model can be asked: the extra, or a key.

        Raises
        ------
        InputError
            Something is; one line says how to provide it.
        """
        self._address.check()

    def propose(self, situation: Situation) -> Proposal:
        """Ask for a policy.

        An answer that holds no policy is returned as it came: whoever asked checks every proposal.

        Raises
        ------
        ProposerError
            No answer came.
        InputError
            The extra or the key is missing, or the prompt has too little room.
        """
        system = system_prompt(situation)
        prompt = user_prompt(situation, self._budget - len(system))
        shown = situation.shown
        shown.best_day, shown.worst_day = prompt.best_day, prompt.worst_day
        shown.omissions = prompt.omissions
        seconds, tokens = 0.0, 0
        for attempt in range(self._max_retries + 1):
            call = _Call(self._address, situation, system, prompt)
            record, failure = call.make()
            situation.calls.save(record)
            seconds += record.llm_latency_seconds
            tokens += record.input_tokens + record.output_tokens
            if call.parsed is not None:
                policy, reasoning = call.parsed.policy, call.parsed.reasoning
                return Proposal(policy, reasoning, tokens_used=tokens, latency_seconds=seconds)
            if failure is not None and not failure.is_worth_another:
                raise _given_up(self.label, str(failure), 1)
            if failure is not None and attempt < self._max_retries:
                self._sleep(_wait(failure, attempt))
        raise _given_up(self.label, record.parsing_error or "no answer", self._max_retries + 1)


class _Call:
    """One call of a model: made, or read from the record."""

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
        answer: Answer | None = None
        failure: CallFailedError | None = None
        try:
            answer = self._address.ask(self._system, self._prompt.text)
        except CallFailedError as error:
            failure = error
        seconds = max(time.perf_counter() - started, 0.0)
        new = LLMInteractionRecord(
            game_id=self._situation.calls.game_id,
            agent_id=self._situation.bank,
            iteration_number=self._situation.iteration,
            attempt_number=number,
            llm_model=self._address.label,
            system_prompt=self._system,
            user_prompt=self._prompt.text,
            raw_response=None if answer is None else answer.text,
            parsing_error=None if failure is None else str(failure),
            input_tokens=0 if answer is None else answer.input_tokens,
            output_tokens=0 if answer is None else answer.output_tokens,
            llm_latency_seconds=seconds,
            cost_usd=None if answer is None else answer.cost_usd,
            request_timestamp=asked_at,
            response_timestamp=None if answer is None else datetime.now(UTC),
        )
        return self._read(new), failure

    def _read(self, record: LLMInteractionRecord) -> LLMInteractionRecord:
        """Read the answer of a call, and return the call with what it says."""
        prompts = {
            "llm_model": self._address.label,
            "system_prompt": self._system,
            "user_prompt": self._prompt.text,
        }
        if record.raw_response is None:
            return record.replace(**prompts)
        parsed = parse_answer(record.raw_response, self._situation.validator)
        self.parsed = parsed
        return record.replace(
            **prompts,
            parsed_policy_json=parsed.policy_json,
            parsing_error=parsed.error,
            llm_reasoning=parsed.reasoning or None,
        )


def _wait(failure: CallFailedError, attempt: int) -> float:
    """Return how long to wait: as the server asks, or twice as long each time; a minute at most."""
    asked = failure.retry_after
    return min(float(2**attempt) if asked is None else max(asked, 0.0), _LONGEST_WAIT)


def _given_up(label: str, reason: str, attempts: int) -> ProposerError:
    times = f" (after {attempts} calls)" if attempts > 1 else ""
    return ProposerError(f"model {label}: {reason}{times}")
