"""Why an answer of a model holds no policy, in words for the record and for the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.proposers.base import Refusal
from payment_simulator.ai_cash_mgmt.proposers.llm.details import finish_of
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import one_line

_CUT: Final = "the answer was cut at "
_BRIEF: Final = "answer with the JSON object alone, and keep the reasoning to one sentence"


def no_policy(said: Mapping[str, Any], text: str, max_tokens: int | None) -> str | None:
    """Say why an answer holds no policy, where that is not a fault of what it proposes.

    Parameters
    ----------
    said : Mapping
        What the server said beside the answer.
    text : str
        The answer.
    max_tokens : int, optional
        The longest answer that was allowed.

    Returns
    -------
    str or None
        None where the answer is one to be checked.
    """
    reason = said.get("finish_reason")
    reason = reason if isinstance(reason, str) else ""
    finish = finish_of(reason)
    if said.get("refusal") or finish == "refusal":
        words = said.get("refusal") or text.strip()
        return f"the model refused to answer{f': {one_line(words)}' if words else ''}"
    if finish == "content_filter":
        return f"the answer was stopped by a content filter of the provider ({one_line(reason)})"
    if finish == "length":
        return f"{_CUT}{limit_words(max_tokens)}, before the policy was complete; {_BRIEF}"
    called = [call.get("name") for call in _calls(said)]
    if called and not text.strip():
        names = ", ".join(repr(one_line(name)) for name in called)
        return f"the model called a tool that it was not offered: {names}"
    return None


def was_cut(refused: Sequence[Refusal]) -> bool:
    """Tell whether an answer of this step was cut before."""
    return any(r.is_withdrawn and r.errors[0].startswith(_CUT) for r in refused)


def is_cut(reason: str | None) -> bool:
    """Tell whether these are the words for an answer that was cut."""
    return reason is not None and reason.startswith(_CUT)


def limit_words(max_tokens: int | None) -> str:
    """Return the limit of an answer as messages name it."""
    return "the server's own limit" if max_tokens is None else f"max_tokens={max_tokens}"


def _calls(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    calls = said.get("tool_calls")
    return [c for c in calls if isinstance(c, dict)] if isinstance(calls, list) else []
