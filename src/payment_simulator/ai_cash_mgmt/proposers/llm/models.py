"""Asks a language model, once, and says what came of it.

pydantic-ai speaks to the providers; it is imported when a model is asked, and not before. Its own
retries are off: whoever asks tries again, and writes every try down.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import math
import re
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from payment_simulator.ai_cash_mgmt.proposers.llm.details import answer_columns, details_json
from payment_simulator.ai_cash_mgmt.proposers.llm.failures import CallFailedError, failure_of
from payment_simulator.ai_cash_mgmt.proposers.llm.keys import KEYS, key_for
from payment_simulator.ai_cash_mgmt.proposers.llm.replies import TOOL, Reply, read_reply
from payment_simulator.ai_cash_mgmt.proposers.llm.wire import Tap
from payment_simulator.errors import InputError
from payment_simulator.wording import nearest, quoted

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.settings import ModelSettings

_T = TypeVar("_T")

_MODEL: Final = re.compile(r"([a-z][a-z0-9-]*)[:/](\S+)")
_INSTALL: Final = "pip install 'payment-simulator[llm]'"
_OPENAI: Final = ("pydantic_ai.models.openai", "pydantic_ai.providers.openai")
_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "anthropic": ("pydantic_ai.models.anthropic", "pydantic_ai.providers.anthropic"),
    "openai": _OPENAI,
    "openai-chat": _OPENAI,
    "google": ("pydantic_ai.models.google", "pydantic_ai.providers.google"),
}

#: Providers whose protocol has a sampling seed.
SEEDED: Final = frozenset({"openai-chat", "google"})
_CONNECT_SECONDS: Final = 5.0

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "reasoning": {"type": "string", "description": "Why, in a few sentences."},
        "policy": {
            "type": "object",
            "description": "The complete policy: every tree and parameter, changed or not.",
            "additionalProperties": True,
        },
    },
    "required": ["reasoning", "policy"],
}


_NO_REPLY: Final = CallFailedError("the server sent no reply", is_worth_another=True)


@dataclass(frozen=True)
class Exchange:
    """What came of a call.

    Attributes
    ----------
    text : str or None
        The answer: what the tool was called with, or else the text; None if no answer came.
    details_json : str
        The settings sent, and what the server says beside the answer.
    cost_usd : float or None
        None where the price is not known.
    failure : CallFailedError or None
        Why no answer came. Its message is one line and holds no key.
    """

    text: str | None
    details_json: str
    cost_usd: float | None = None
    failure: CallFailedError | None = None


@dataclass(frozen=True)
class ModelAddress:
    """Which model is asked, where, and how.

    Attributes
    ----------
    provider, name : str
    base_url : str, optional
        Where the provider's protocol is spoken, if not at the provider's own address.
    temperature : float, optional
    max_tokens : int, optional
        The longest answer.
    timeout_seconds : float
        For a call as a whole.
    is_seeded : bool
        Whether a seed for sampling is sent.
    """

    provider: str
    name: str
    base_url: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout_seconds: float = 120.0
    is_seeded: bool = False

    def __post_init__(self) -> None:
        """Refuse an address that holds a password; it would stand in every record."""
        if self.base_url is not None and "@" in urlsplit(self.base_url).netloc:
            raise InputError(
                "base_url holds a name or password; keys never stand in an address, set the "
                f"environment variable {KEYS[self.provider][0]} instead"
            )

    @property
    def label(self) -> str:
        """The model as records name it."""
        return f"{self.provider}/{self.name}"

    def check(self) -> None:
        """Say what is missing before the model can be asked.

        Raises
        ------
        InputError
            The extra is not installed, or there is no key.
        """
        if importlib.util.find_spec("pydantic_ai") is None:
            raise InputError(f"language models need more packages; install them: {_INSTALL}")
        key_for(self.provider, self.base_url)

    def load(self) -> None:
        """Import what a call needs, so that no call takes the time for it.

        Raises
        ------
        InputError
            As of :meth:`check`.
        """
        self.check()
        try:
            for module in ("pydantic_ai.direct", *_MODULES[self.provider]):
                importlib.import_module(module)
        except ImportError as error:
            missing = error.name or "a package"
            raise InputError(f"{missing} is missing; install it: {_INSTALL}") from error

    def ask(self, system: str, prompt: str, seed: int | None = None) -> Exchange:
        """Ask the model once; :meth:`load` comes before.

        Parameters
        ----------
        system, prompt : str
        seed : int, optional
            For sampling; 0 to 2^31 - 1.
        """
        tap = Tap()
        response: ModelResponse | None = None
        reply: Reply | None = None
        failure: CallFailedError | None = None
        try:
            response = _run(lambda: self._ask(system, prompt, seed, tap))
        except Exception as error:
            failure = failure_of(error, self.provider, self.timeout_seconds)
        if tap.reply is not None:
            # Whatever the library makes of it: an answer that came was paid for.
            try:
                reply, failure = read_reply(self.provider, tap.reply), None
            except CallFailedError as error:
                failure = error
        details = details_json(tap.sent, reply)
        if reply is None:
            return Exchange(None, details, failure=failure or _NO_REPLY)
        return Exchange(reply.text, details, self._price(response, reply))

    async def _ask(self, system: str, prompt: str, seed: int | None, tap: Tap) -> ModelResponse:
        import httpx2  # noqa: PLC0415 - an extra
        from pydantic_ai.direct import model_request  # noqa: PLC0415
        from pydantic_ai.messages import (  # noqa: PLC0415
            ModelRequest,
            SystemPromptPart,
            UserPromptPart,
        )
        from pydantic_ai.models import create_async_httpx2_client  # noqa: PLC0415

        timeout = httpx2.Timeout(
            self.timeout_seconds, connect=min(self.timeout_seconds, _CONNECT_SECONDS)
        )
        async with create_async_httpx2_client(timeout=timeout) as client:
            client.event_hooks = {"request": [tap.on_request], "response": [tap.on_response]}
            return await model_request(
                self._model(client),
                [ModelRequest(parts=[SystemPromptPart(system), UserPromptPart(prompt)])],
                model_settings=self._settings(seed),
                model_request_parameters=self._parameters(),
            )

    def _model(self, client: httpx2.AsyncClient) -> Model[Any]:
        """Return the model, spoken to through a client."""
        key, url = key_for(self.provider, self.base_url), self.base_url
        if self.provider == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415
            from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415

            claude = AnthropicProvider(api_key=key, base_url=url, http_client=client)
            return AnthropicModel(self.name, provider=claude)
        if self.provider == "google":
            from pydantic_ai.models.google import GoogleModel  # noqa: PLC0415
            from pydantic_ai.providers.google import GoogleProvider  # noqa: PLC0415

            gemini = GoogleProvider(api_key=key, base_url=url, http_client=client)
            return GoogleModel(self.name, provider=gemini)
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel  # noqa: PLC0415
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415

        kind = OpenAIChatModel if self.provider == "openai-chat" else OpenAIResponsesModel
        openai = OpenAIProvider(api_key=key, base_url=url, http_client=client)
        return kind(self.name, provider=openai)

    def _settings(self, seed: int | None) -> ModelSettings:
        from pydantic_ai.settings import ModelSettings  # noqa: PLC0415

        settings = ModelSettings(
            timeout=self.timeout_seconds, request_timeout=self.timeout_seconds, max_retries=0
        )
        if self.temperature is not None:
            settings["temperature"] = self.temperature
        if self.max_tokens is not None:
            settings["max_tokens"] = self.max_tokens
        if seed is not None:
            settings["seed"] = seed
        return settings

    def _parameters(self) -> ModelRequestParameters:
        """Return the form of the answer: a call of a tool, or text where tools may be unknown."""
        from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415
        from pydantic_ai.tools import ToolDefinition  # noqa: PLC0415

        if self.provider == "openai-chat" and self.base_url is not None:
            return ModelRequestParameters()
        tool = ToolDefinition(
            name=TOOL,
            parameters_json_schema=_SCHEMA,
            description="Hand in the policy that you propose.",
            strict=False,
            kind="output",
        )
        return ModelRequestParameters(output_mode="tool", output_tools=[tool])

    def _price(self, response: ModelResponse | None, reply: Reply) -> float | None:
        """Return what the answer cost; at another address than the provider's, nobody knows."""
        counts = answer_columns(self.provider, reply.said)
        is_counted = counts["input_tokens"] is not None and counts["output_tokens"] is not None
        if self.base_url is not None or response is None or not is_counted:
            return None
        try:
            price = float(response.cost().total_price)
        except (AssertionError, ArithmeticError, LookupError, TypeError, ValueError):
            return None
        return price if math.isfinite(price) and price >= 0 else None


def model_parts(model: str) -> tuple[str, str]:
    """Return provider and name of a model written as ``provider:name`` or ``provider/name``.

    Raises
    ------
    InputError
        It is written otherwise, or the provider is not known.
    """
    match = _MODEL.fullmatch(model)
    if match is None:
        raise InputError(
            f"model {quoted(model)}: expected provider:name, such as anthropic:claude-sonnet-4-5"
        )
    provider, name = match[1], match[2]
    if provider not in KEYS:
        raise InputError(
            f"model {quoted(model)}: provider {quoted(provider)} is not known; "
            f"{nearest(provider, KEYS)}"
        )
    return provider, name


def _run(make: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    """Run a coroutine to its end, wherever this is called from (a notebook has a loop running)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(make())
    found: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(asyncio.run(make()))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="payment-simulator-model", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    if failed:
        raise failed[0]
    return found[0]
