"""The section ``proposer`` of a game file: who proposes policies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from payment_simulator.scenario.places import Missing
from payment_simulator.scenario.values import Section, checked, misfit, number_in, whole_in

#: The keys that each kind of proposer has; `kind` and the keys of retries belong to all.
KEYS_OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "search": ("candidates", "sampler"),
        "grid": ("grid_points",),
        "llm": (
            "model",
            "base_url",
            "temperature",
            "max_tokens",
            "timeout_seconds",
            "send_seed",
            "prompt_budget_chars",
        ),
        "python": ("object", "options"),
    }
)
_REQUIRED: Final = {"llm": "model", "python": "object"}
_SECRET = re.compile(
    r"api_?key|secret|passw|credential|authorization|bearer"
    r"|(^|_)(access|auth|private|secret)_?(key|token)|(^|_)token$|^key$"
)
_ADVICE = "keys never stand in a file; set the environment variable of the provider instead"
_MODEL = re.compile(r"[a-z][a-z0-9-]*[:/]\S+")
_OBJECT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")

_Candidates = Annotated[int, whole_in(2, 100_000, "policies")]


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or not value.isprintable():
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


class ProposerConfig(Section):
    """Who proposes.

    Attributes
    ----------
    kind : {"search", "grid", "llm", "python"}
    max_retries : int
        How often a proposal that is not valid goes back with its errors; a call of a model that
        fails is repeated as often.
    max_invalid_steps : int
        After so many steps in a row without a valid proposal the game stops.
    candidates : int
        Policies that ``search`` tries in a step.
    sampler : {"tpe", "random", "qmc"}
        How ``search`` finds them.
    grid_points : int
        Values that ``grid`` tries of a number without steps.
    model : str
        ``provider:name`` or ``provider/name``, of ``llm``.
    base_url : str, optional
        Where the model is, if not where its provider has it.
    temperature : float, optional
    max_tokens : int, optional
        The longest answer.
    timeout_seconds : float
        For one call of a model.
    send_seed : bool
        Whether a server that takes a seed for sampling is sent one.
    prompt_budget_chars : int
        The longest prompt, characters.
    object : str
        ``module:Class`` of a ``python`` proposer.
    options : dict
        Keywords that its class is called with.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("kind", "max_retries", "max_invalid_steps")

    kind: Literal["search", "grid", "llm", "python"] = "search"
    max_retries: Annotated[int, whole_in(0, 100)] = 3
    max_invalid_steps: Annotated[int, whole_in(1, 1_000_000)] = 3
    candidates: _Candidates = 32
    sampler: Literal["tpe", "random", "qmc"] = "tpe"
    grid_points: Annotated[int, whole_in(2, 20_000)] = 21
    model: Annotated[
        str | None,
        checked(
            lambda value: (
                value is None or (isinstance(value, str) and bool(_MODEL.fullmatch(value)))
            ),
            "a model as provider:name, such as anthropic:claude-sonnet-5",
            is_text=True,
        ),
    ] = None
    base_url: Annotated[
        str | None,
        checked(
            lambda value: value is None or _is_address(value),
            "an address: http:// or https://",
            is_text=True,
        ),
    ] = None
    temperature: Annotated[float, number_in(0, 2)] | None = None
    max_tokens: Annotated[int, whole_in(1, 10_000_000)] | None = None
    timeout_seconds: Annotated[float, number_in(0.001, 86_400, "seconds")] = 120.0
    send_seed: Annotated[bool, checked(lambda value: isinstance(value, bool), "true or false")] = (
        True
    )
    prompt_budget_chars: Annotated[int, whole_in(1000, 100_000_000, "characters")] = 60_000
    object: Annotated[
        str | None,
        checked(
            lambda value: (
                value is None or (isinstance(value, str) and bool(_OBJECT.fullmatch(value)))
            ),
            "a class as module:Class",
            is_text=True,
        ),
    ] = None
    options: Annotated[
        dict[str, Any], checked(lambda value: isinstance(value, dict), "a mapping (key: value)")
    ] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _check_secrets(cls, data: Any) -> Any:
        """Refuse keys before anything else could show what they hold."""
        for path in _secrets(data):
            raise misfit(_ADVICE, *path)
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in type(self).model_fields:
            if name in self.model_fields_set and name not in self._keys():
                owner = next(kind for kind, keys in KEYS_OF.items() if name in keys)
                raise misfit(
                    f"it belongs to kind {owner}, but the kind is {self.kind}, which has "
                    f"{', '.join(self._keys())}",
                    name,
                )
        needed = _REQUIRED.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise misfit(f"missing; kind {self.kind} needs it", Missing(needed))
        if self.base_url is not None:
            _check_address(self.base_url)
        return self

    @model_serializer(mode="wrap")
    def _own_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the keys of this kind alone, since others would be refused on reading."""
        return {key: value for key, value in handler(self).items() if key in self._keys()}

    def _keys(self) -> tuple[str, ...]:
        return (*self.KEYS, *KEYS_OF[self.kind])


def _secrets(data: Any) -> Iterator[tuple[str, ...]]:
    """Go through the paths of keys that name a secret."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), data)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, Mapping):
            for key, value in part.items():
                if isinstance(key, str):
                    if _SECRET.search(_snake(key)):
                        yield (*path, key)
                    waiting.append(((*path, key), value))
        elif isinstance(part, list | tuple):
            waiting += [(path, value) for value in part]


def _snake(name: str) -> str:
    """Return a name in lower case with underscores between its words: apiKey as api_key."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower())


def _check_address(address: str) -> None:
    """Refuse an address that holds a password or a key; it would stand in every record."""
    parts = urlsplit(address)
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.username is not None or any(_SECRET.search(_snake(name)) for name in names):
        raise misfit(f"an address with a key or password in it: {_ADVICE}", "base_url")
