"""A language model as a proposer: told what its bank knows, it answers with a policy.

Every call is written down, those that fail included, before the next one is made. A call that the
record holds already is not made again: its answer is read from there, on the same way.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, ProposerError, Situation
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError
from payment_simulator.ai_cash_mgmt.proposers.llm.models import SEEDED, ModelAddress, model_parts
from payment_simulator.ai_cash_mgmt.proposers.llm.one_call import Call
from payment_simulator.ai_cash_mgmt.proposers.llm.outcomes import is_cut, limit_words, was_cut
from payment_simulator.ai_cash_mgmt.proposers.llm.prompts import system_prompt, user_prompt

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
    send_seed : bool
        Whether a server that takes one is sent a seed for sampling, derived from that of the step.
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
        send_seed: bool = True,
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
            is_seeded=send_seed and provider in SEEDED,
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
        Where the model refused, was stopped or was cut, the proposal says so.

        Raises
        ------
        ProposerError
            No answer came, or a second one of this step was cut.
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
            call = Call(self._address, situation, system, prompt)
            record, failure = call.make()
            situation.calls.save(record)
            seconds += record.llm_latency_seconds
            tokens += (record.input_tokens or 0) + (record.output_tokens or 0)
            if call.parsed is not None:
                fault = call.parsed.fault
                if is_cut(fault) and (was_cut(situation.refused) or not self._max_retries):
                    raise self._too_short(record.max_tokens)
                errors = () if fault is None else (fault,)
                policy, reasoning = call.parsed.policy, call.parsed.reasoning
                return Proposal(policy, reasoning, tokens, seconds, errors)
            if failure is not None and not failure.is_worth_another:
                raise _given_up(self.label, str(failure), 1)
            if failure is not None and attempt < self._max_retries:
                self._sleep(_wait(failure, attempt))
        raise _given_up(self.label, record.parsing_error or "no answer", self._max_retries + 1)

    def _too_short(self, sent: int | None) -> ProposerError:
        """Return the error for answers that are cut even when the model is told to be brief."""
        own = self._address.max_tokens
        way_out = f"raise it above {own}" if own else f"set it{f' above {sent}' if sent else ''}"
        return ProposerError(
            f"model {self.label}: the answer was cut at {limit_words(sent)}, before the policy was "
            f"complete{', and so was the one before' * bool(self._max_retries)}; max_tokens of the "
            f"proposer in the game file bounds an answer: {way_out}, and play a new game (resume "
            "keeps the limit)"
        )


def _wait(failure: CallFailedError, attempt: int) -> float:
    """Return how long to wait: as the server asks, or twice as long each time; a minute at most."""
    asked = failure.retry_after
    return min(float(2**attempt) if asked is None else max(asked, 0.0), _LONGEST_WAIT)


def _given_up(label: str, reason: str, attempts: int) -> ProposerError:
    times = f" (after {attempts} calls)" if attempts > 1 else ""
    return ProposerError(f"model {label}: {reason}{times}")
