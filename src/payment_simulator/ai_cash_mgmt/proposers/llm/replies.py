"""Reads the reply of a model's server: the answer in it, and all that the server says of it.

What servers send is not to be relied on. Whatever is missing or odd is left out; a reply without
an answer is a failed call.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError, one_line
from payment_simulator.ai_cash_mgmt.proposers.llm.keys import redacted
from payment_simulator.ai_cash_mgmt.proposers.llm.wire import read_body

#: The tool that a model is offered to hand in its policy.
TOOL: Final = "propose_policy"
#: The longest account of tokens that is kept, characters of JSON.
_LONGEST_USAGE: Final = 4_000


@dataclass(frozen=True)
class Reply:
    """What came back of a call.

    Attributes
    ----------
    text : str
        The answer: what ``propose_policy`` was called with, or else the text; empty if neither.
    said : Mapping
        What the server says beside it, under ``id``, ``model``, ``system_fingerprint``,
        ``finish_reason``, ``refusal``, ``tool_calls`` (of other tools) and ``usage``; in its own
        words, and without what it does not say.
    """

    text: str
    said: Mapping[str, Any]


@dataclass
class _Answer:
    """The parts of an answer, whatever the protocol."""

    text: str = ""
    refusal: str = ""
    finish_reason: object = None
    calls: list[tuple[str, str]] | None = None
    model: object = None
    usage: object = None


def read_reply(provider: str, text: str) -> Reply:
    """Read the body of a reply.

    Parameters
    ----------
    provider : str
        Whose protocol it is; one of ``KEYS``.
    text : str

    Raises
    ------
    CallFailedError
        It holds no answer; the same call may bring one later.
    """
    body = read_body(text)
    if not isinstance(body, dict):
        raise _no_answer(f"the server's reply is no JSON object: {one_line(text) or 'it is empty'}")
    if body.get("error"):
        told = body["error"]
        inner = told.get("message", told) if isinstance(told, dict) else told
        raise _no_answer(f"the server's reply is an error: {one_line(inner)}")
    found = _READERS[provider](body)
    calls = found.calls or []
    handed_in = [given for name, given in calls if name == TOOL]
    others = [{"name": _clean(n), "arguments": _clean(a)} for n, a in calls if n != TOOL]
    said = {
        "id": _word(body.get("id") or body.get("responseId")),
        "model": _word(found.model),
        "system_fingerprint": _word(body.get("system_fingerprint")),
        "finish_reason": _word(found.finish_reason),
        "refusal": _clean(found.refusal),
        "tool_calls": others,
        "usage": _kept(found.usage),
    }
    answer = "\n".join(handed_in) if handed_in else found.text
    return Reply(_clean(answer), {name: value for name, value in said.items() if value})


def _chat(body: Mapping[str, Any]) -> _Answer:
    """Read OpenAI's chat protocol, as many servers speak it."""
    choice = _first(body, "choices")
    message = _mapping(choice.get("message"))
    content = message.get("content")
    parts = [content] if isinstance(content, str) else _items(content)
    functions = [_mapping(_mapping(call).get("function")) for call in _items(message, "tool_calls")]
    return _Answer(
        text="".join(_texts(parts, "text")),
        refusal=_text(message.get("refusal")) or "".join(_texts(parts, "refusal")),
        finish_reason=choice.get("finish_reason"),
        calls=[(_text(f.get("name")), _written(f.get("arguments"))) for f in functions],
        model=body.get("model"),
        usage=body.get("usage"),
    )


def _responses(body: Mapping[str, Any]) -> _Answer:
    """Read OpenAI's Responses protocol."""
    output = [_mapping(item) for item in _items(body, "output")]
    if body.get("status") == "failed" or not isinstance(body.get("output"), list):
        raise _no_answer(
            f"the server's reply holds no answer: status is {_shown(body.get('status'))}, output "
            f"is {_shown(body.get('output'))}"
        )
    parts = [p for item in output if item.get("type") == "message" for p in _items(item, "content")]
    incomplete = _mapping(body.get("incomplete_details"))
    calls = [item for item in output if item.get("type") == "function_call"]
    return _Answer(
        text="".join(_texts(parts, "text")),
        refusal="".join(_texts(parts, "refusal")),
        finish_reason=incomplete.get("reason") or body.get("status"),
        calls=[(_text(c.get("name")), _written(c.get("arguments"))) for c in calls],
        model=body.get("model"),
        usage=body.get("usage"),
    )


def _messages(body: Mapping[str, Any]) -> _Answer:
    """Read a message of Anthropic's protocol."""
    if not isinstance(body.get("content"), list) or not body.get("stop_reason"):
        raise _no_answer(
            f"the server's reply holds no whole answer: stop_reason is "
            f"{_shown(body.get('stop_reason'))}"
        )
    parts = [_mapping(part) for part in _items(body, "content")]
    calls = [part for part in parts if part.get("type") == "tool_use"]
    return _Answer(
        text="".join(_texts([p for p in parts if p.get("type") == "text"], "text")),
        finish_reason=body.get("stop_reason"),
        calls=[(_text(c.get("name")), _written(c.get("input"))) for c in calls],
        model=body.get("model"),
        usage=body.get("usage"),
    )


def _gemini(body: Mapping[str, Any]) -> _Answer:
    """Read Gemini's protocol."""
    blocked = _mapping(body.get("promptFeedback")).get("blockReason")
    if blocked and not body.get("candidates"):
        candidate: Mapping[str, Any] = {"finishReason": f"blocked: {blocked}"}
    else:
        candidate = _first(body, "candidates")
    parts = [_mapping(p) for p in _items(_mapping(candidate.get("content")), "parts")]
    calls = [_mapping(part["functionCall"]) for part in parts if part.get("functionCall")]
    return _Answer(
        text="".join(_texts([part for part in parts if not part.get("thought")], "text")),
        finish_reason=candidate.get("finishReason"),
        calls=[(_text(c.get("name")), _written(c.get("args"))) for c in calls],
        model=body.get("modelVersion"),
        usage=body.get("usageMetadata"),
    )


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], _Answer]]] = {
    "openai-chat": _chat,
    "openai": _responses,
    "anthropic": _messages,
    "google": _gemini,
}


def _first(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the first of the answers that a server offers."""
    offered = body.get(name)
    if not isinstance(offered, list) or not offered or not isinstance(offered[0], dict):
        raise _no_answer(f"the server's reply holds no answer: {name} is {_shown(offered)}")
    return offered[0]


def _no_answer(why: str) -> CallFailedError:
    return CallFailedError(why, is_worth_another=True)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object, name: str = "") -> list[Any]:
    found = _mapping(value).get(name) if name else value
    return found if isinstance(found, list) else []


def _texts(parts: list[Any], name: str) -> Iterator[str]:
    for part in parts:
        yield part if isinstance(part, str) and name == "text" else _text(_mapping(part).get(name))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _written(value: object) -> str:
    """Return what a tool is called with as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _shown(value: object) -> str:
    return "missing" if value is None else one_line(json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    """Return a text as the record can hold it: whole characters, and no key of the environment."""
    return redacted(text).encode("utf-8", "replace").decode()


def _word(value: object) -> str:
    return _clean(value) if isinstance(value, str) else ""


def _kept(usage: object) -> Any:
    """Return an account of tokens as it came, unless it is no JSON or much too long."""
    try:
        text = _clean(json.dumps(usage, allow_nan=False))
    except (ValueError, RecursionError):
        return None
    return json.loads(text) if len(text) <= _LONGEST_USAGE else None
