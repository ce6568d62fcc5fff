"""What the record keeps of a call beside its texts, and the columns that are made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.persistence.models.base import INT32_MAX
from payment_simulator.ai_cash_mgmt.proposers.llm.replies import Reply

#: What servers call the end of an answer -> what the record calls it; other words stay.
_FINISHES: Final[Mapping[str, str]] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "refusal": "refusal",
    "tool_calls": "tool_call",
    "tool_use": "tool_call",
    "function_call": "tool_call",
}
#: Provider -> where its account of tokens has those of each column; several are added up.
_COUNTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "openai-chat": {
        "input_tokens": ("prompt_tokens",),
        "output_tokens": ("completion_tokens",),
        "cached_tokens": ("prompt_tokens_details.cached_tokens",),
        "reasoning_tokens": ("completion_tokens_details.reasoning_tokens",),
    },
    "openai": {
        "input_tokens": ("input_tokens",),
        "output_tokens": ("output_tokens",),
        "cached_tokens": ("input_tokens_details.cached_tokens",),
        "reasoning_tokens": ("output_tokens_details.reasoning_tokens",),
    },
    "anthropic": {
        "input_tokens": ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        "output_tokens": ("output_tokens",),
        "cached_tokens": ("cache_read_input_tokens",),
        "reasoning_tokens": (),
    },
    "google": {
        "input_tokens": ("promptTokenCount", "toolUsePromptTokenCount"),
        "output_tokens": ("candidatesTokenCount", "thoughtsTokenCount"),
        "cached_tokens": ("cachedContentTokenCount",),
        "reasoning_tokens": ("thoughtsTokenCount",),
    },
}


def details_json(sent: Mapping[str, Any] | None, reply: Reply | None) -> str:
    """Return what is kept of a call beside its texts, as a JSON object."""
    details: dict[str, Any] = {}
    if sent is not None:
        details["sent"] = dict(sent)
    if reply is not None:
        details["answered"] = dict(reply.said)
    return json.dumps(details, ensure_ascii=False)


def read_details(text: str | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what was sent and what was answered, of a record that may hold anything."""
    try:
        details = _mapping(json.loads(text or "{}"))
    except (ValueError, RecursionError):
        details = {}
    return _mapping(details.get("sent")), _mapping(details.get("answered"))


def answer_columns(provider: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that tell what a server says of its answer.

    A count that is missing, negative, not whole or beyond an INTEGER is not known.
    """
    usage = _mapping(said.get("usage"))
    reason = _word(said.get("finish_reason"))
    return {
        "response_id": _word(said.get("id")),
        "response_model": _word(said.get("model")),
        "system_fingerprint": _word(said.get("system_fingerprint")),
        "finish_reason": None if reason is None else finish_of(reason),
        "refusal": _word(said.get("refusal")),
        **{name: _count(usage, paths) for name, paths in _COUNTS[provider].items()},
    }


def finish_of(reason: str) -> str:
    """Return the record's word for the end of an answer, for the word of a server."""
    if reason.startswith("blocked: "):
        return "content_filter"
    return _FINISHES.get(reason.lower(), reason)


def _count(usage: Mapping[str, Any], paths: tuple[str, ...]) -> int | None:
    """Return the sum of the counts that are there; None if there is none, or one is no count."""
    values = [value for value in (_at(usage, path) for path in paths) if value is not None]
    if not values or not all(_is_count(value) for value in values):
        return None
    total = sum(int(value) for value in values)
    return total if total <= INT32_MAX else None


def _at(usage: Mapping[str, Any], path: str) -> Any:
    value: Any = usage
    for name in path.split("."):
        value = _mapping(value).get(name)
    return value


def _is_count(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= INT32_MAX and value == int(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
