"""A server on this machine that answers as providers of language models do.

It speaks the chat protocol of OpenAI, its Responses protocol, Anthropic's messages, streamed or
not, and Gemini's. What it answers stands in a script: one reply for each request, the last one
again and again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

INPUT_TOKENS, OUTPUT_TOKENS = 1200, 340


@dataclass(frozen=True)
class Reply:
    """What the server says to one request.

    Attributes
    ----------
    text : str
        The answer, as text.
    tool : object, optional
        What the tool that was offered is called with; a text goes out as it is, JSON or not.
    status : int
        HTTP code; from 400 on the text is the message of an error.
    headers : mapping
    delay_seconds : float
        Wait before answering.
    code : str
        Kind of an error, as the provider has it.
    is_html : bool
        Send the text of an error as a page, as proxies do.
    is_broken : bool
        Close the connection instead of answering.
    change : callable, optional
        Given the body of the reply as the protocol has it, for what no good server sends. It
        changes the body in place, or returns another.
    """

    text: str = ""
    tool: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    code: str = "some_error"
    is_html: bool = False
    is_broken: bool = False
    change: Callable[[dict[str, Any]], Any] | None = None

    def changed(self, body: dict[str, Any]) -> Any:
        """Return the body that is sent."""
        other = None if self.change is None else self.change(body)
        return body if other is None else other


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All that was sent."""
        return json.dumps(self.body)


Script = Sequence[Reply] | Callable[[int, Request], Reply]


class ModelServer:
    """Serves on a free port of this machine while its context is open.

    Parameters
    ----------
    script : sequence of Reply, or callable
        Replies in order, or what makes one from the number of the request (from 0) and the request.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _Server(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where the OpenAI protocols are spoken."""
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        """Where Anthropic's protocol is spoken."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply(self, request: Request) -> Reply:
        """Take down a request, and return what is said to it."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        if callable(self._script):
            return self._script(number, request)
        return self._script[min(number, len(self._script) - 1)]

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the end of the test."""
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    owner: ModelServer
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that time out hang up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", "0"))
        body = json.loads(self.rfile.read(size))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, body)
        reply = self.server.owner.reply(request)
        if reply.delay_seconds:
            self.server.owner.wait(reply.delay_seconds)
        if reply.is_broken:
            self.close_connection = True
            return
        if reply.is_html:
            self._send(reply, "text/html", reply.text.encode())
            return
        if reply.status >= 400:
            error = {"type": reply.code, "code": reply.code, "message": reply.text}
            body = {"type": "error", "error": error}
            self._send(reply, "application/json", json.dumps(body).encode())
            return
        if self.path.endswith("/chat/completions"):
            self._send(
                reply, "application/json", json.dumps(reply.changed(_chat(body, reply))).encode()
            )
        elif self.path.endswith("/responses"):
            self._send(
                reply,
                "application/json",
                json.dumps(reply.changed(_responses(body, reply))).encode(),
            )
        elif self.path.endswith(":generateContent"):
            self._send(
                reply, "application/json", json.dumps(reply.changed(_gemini(body, reply))).encode()
            )
        elif body.get("stream"):
            self._send(
                reply, "text/event-stream", b"".join(_events(reply.changed(_message(body, reply))))
            )
        else:
            self._send(
                reply, "application/json", json.dumps(reply.changed(_message(body, reply))).encode()
            )

    def _send(self, reply: Reply, kind: str, body: bytes) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": kind, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


def _arguments(reply: Reply) -> str:
    return reply.tool if isinstance(reply.tool, str) else json.dumps(reply.tool)


def _chat(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.tool is not None:
        call = {"name": body["tools"][0]["function"]["name"], "arguments": _arguments(reply)}
        message["tool_calls"] = [{"id": "call-1", "type": "function", "function": call}]
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": body["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _responses(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if reply.text:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        output.append(
            {
                "id": "msg-1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": content,
            }
        )
    if reply.tool is not None:
        output.append(
            {
                "id": "fc-1",
                "type": "function_call",
                "call_id": "call-1",
                "status": "completed",
                "name": body["tools"][0]["name"],
                "arguments": _arguments(reply),
            }
        )
    return {
        "id": "resp-1",
        "object": "response",
        "created_at": int(time.time()),
        "model": body["model"],
        "status": "completed",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _gemini(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": reply.text}] if reply.text else []
    if reply.tool is not None:
        [declared] = body["tools"][0]["functionDeclarations"]
        parts.append({"functionCall": {"name": declared["name"], "args": reply.tool}})
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"index": 0, "content": content, "finishReason": "STOP"}],
        "modelVersion": "gemini",
        "usageMetadata": {
            "promptTokenCount": INPUT_TOKENS,
            "candidatesTokenCount": OUTPUT_TOKENS,
            "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def _message(body: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    if reply.tool is not None:
        call = {"type": "tool_use", "id": "call-1", "name": body["tools"][0]["name"]}
        content.append({**call, "input": reply.tool})
    return {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": "tool_use" if reply.tool is not None else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
    }


def _events(message: Mapping[str, Any]) -> Iterator[bytes]:
    """Tell a message of Anthropic's protocol piece by piece, as server-sent events."""
    usage = {**message["usage"], "output_tokens": 1}
    start = {**message, "content": [], "stop_reason": None, "usage": usage}
    yield _event({"type": "message_start", "message": start})
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            opened: dict[str, Any] = {**block, "text": ""}
            deltas = [{"type": "text_delta", "text": part} for part in _pieces(block["text"])]
        else:
            opened = {**block, "input": {}}
            given = block["input"]
            text = given if isinstance(given, str) else json.dumps(given)
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in _pieces(text)]
        yield _event({"type": "content_block_start", "index": index, "content_block": opened})
        for delta in deltas:
            yield _event({"type": "content_block_delta", "index": index, "delta": delta})
        yield _event({"type": "content_block_stop", "index": index})
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield _event({"type": "message_delta", "delta": end, "usage": message["usage"]})
    yield _event({"type": "message_stop"})


def _pieces(text: str) -> list[str]:
    return [text[at : at + 20] for at in range(0, len(text), 20)]


def _event(data: Mapping[str, Any]) -> bytes:
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
