"""What goes over the wire in one call of a model: the settings sent, and the reply as it came.

The libraries that speak to providers refuse a whole answer for a count that is no whole number, and
drop what their models do not know. Both are read here from the texts themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import httpx2

_LINES: Final = re.compile(r"\r\n|\n|\r")
_DIGITS: Final = 20
#: A setting -> its name in each of the protocols.
_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens"),
    "seed": ("seed",),
}


@dataclass
class Tap:
    """Keeps what a client sends and what comes back.

    Attributes
    ----------
    sent : dict
        Settings of the last request: ``temperature``, ``max_tokens``, ``seed``, as far as they
        were sent.
    reply : str, optional
        Body of the last reply that is no error.
    """

    sent: Mapping[str, Any] | None = None
    reply: str | None = None

    async def on_request(self, request: httpx2.Request) -> None:
        """Take down the settings of a request."""
        body = read_body((await request.aread()).decode("utf-8", "replace"))
        found = body if isinstance(body, dict) else {}
        given = {**found, **_mapping(found.get("generationConfig"))}
        self.sent = {
            setting: given[name]
            for setting, names in _SETTINGS.items()
            for name in names
            if isinstance(given.get(name), int | float)
        }

    async def on_response(self, response: httpx2.Response) -> None:
        """Take down a reply."""
        if response.is_success:
            self.reply = (await response.aread()).decode("utf-8-sig", "replace")


def read_body(text: str) -> Any:
    """Return what a body holds as JSON, or as JSON events; None if it is neither.

    Numbers that JSON does not have, and integers of more than 20 digits, come back as None.
    """
    if text.lstrip().startswith(("event:", "data:")):
        return _message_of(text)
    try:
        return json.loads(text, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS else None


def _message_of(text: str) -> dict[str, Any] | None:
    """Put the events of Anthropic's protocol together to the message that they tell."""
    message: dict[str, Any] = {}
    blocks: list[dict[str, Any]] = []
    for line in _LINES.split(text):
        if not line.startswith("data:"):
            continue
        event = _mapping(read_body(line.removeprefix("data:").strip() or "null"))
        kind = event.get("type")
        if kind == "error":
            return {"error": event.get("error")}
        if kind == "message_start":
            message = dict(_mapping(event.get("message")))
        elif kind == "content_block_start":
            blocks.append(dict(_mapping(event.get("content_block"))))
        elif kind == "content_block_delta" and blocks:
            _add(blocks[-1], _mapping(event.get("delta")))
        elif kind == "message_delta":
            message.update(_mapping(event.get("delta")))
            # Of tokens received, the start of a message tells only those so far.
            start = {**_mapping(message.get("usage")), "output_tokens": None}
            told = {k: v for k, v in _mapping(event.get("usage")).items() if v is not None}
            message["usage"] = {**start, **told}
    return {**message, "content": blocks} if message else None


def _add(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Add a piece to a block; the pieces of a tool's input are a text."""
    for piece, name in (("text", "text"), ("partial_json", "input")):
        if isinstance(delta.get(piece), str):
            before = block.get(name)
            block[name] = (before if isinstance(before, str) else "") + delta[piece]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
