"""Reads YAML as plain data, with the line of everything, and nothing that YAML could do beyond.

No tags, anchors or aliases, one document, no key twice, bounded size and nesting. Words and numbers
mean what they look like: ``NO`` is a text, ``1:30`` is a text, ``010`` is a text; numbers may have
underscores. All keys are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from payment_simulator.scenario.values import quoted, shortened

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 50
_TOO_DEEP = (
    f"nested more than {MAX_DEPTH} deep; a deep policy goes into a file of its own (FromJson)"
)
#: No scenario of this size has more values.
MAX_VALUES = 2_000_000
#: A number of more characters is no number that anybody wrote.
MAX_DIGITS = 100

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9][0-9_]*|(0|[1-9][0-9_]*)(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", ".INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


class YamlError(ValueError):
    """A text is not the YAML that is read here.

    Attributes
    ----------
    line : int, optional
        Where, counted from 1.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(slots=True)
class Mark:
    """Where a value stands.

    Attributes
    ----------
    line : int
        Line of its key, or of itself in a list; counted from 1.
    parts : dict
        The marks of what it holds, by key or number.
    """

    line: int
    parts: dict[str | int, Mark] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    holder: dict[str, Any] | list[Any]
    mark: Mark
    key: str | None = None
    key_line: int = 0


def read_yaml(text: str) -> tuple[Any, Mark]:
    """Read a text.

    Returns
    -------
    tuple
        The data, and the marks of everything in it.

    Raises
    ------
    YamlError
        The text is not YAML, or uses what is not read here.
    """
    _clean(text)
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        where = error.problem_mark or error.context_mark
        problem = error.problem or error.context or ""
        # From 6.0.4 on PyYAML has a limit of its own, which is met before ours.
        is_deep = "nesting depth" in problem
        raise YamlError(
            _TOO_DEEP if is_deep else f"not YAML: {problem}", where.line + 1 if where else None
        ) from None
    except yaml.reader.ReaderError as error:
        raise YamlError(f"character {error.character!r} cannot stand in YAML; remove it") from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {shortened(str(error))}") from None
    return reader.data, reader.mark


class _Reader:
    """Builds data out of the events of YAML's parser, which itself needs no recursion."""

    def __init__(self) -> None:
        self.data: Any = None
        self.mark = Mark(1)
        self._open: list[_Open] = []
        self._n_documents = 0
        self._n_values = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._n_documents += 1
            if self._n_documents > 1:
                raise YamlError("a second document begins; expected one", line)
        elif isinstance(event, yaml.NodeEvent):
            self._refuse_tricks(event, line)
            if isinstance(event, yaml.ScalarEvent):
                self._take_scalar(event, line)
            else:
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()

    def _refuse_tricks(self, event: Any, line: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise YamlError(
                f"{sign}{shortened(str(event.anchor))}: anchors and aliases are not read here; "
                "write the value out",
                line,
            )
        if event.tag is not None:
            raise YamlError(f"tag {quoted(event.tag)} is not read here; remove it", line)

    def _take_scalar(self, event: Any, line: int) -> None:
        inner = self._open[-1] if self._open else None
        if inner is not None and isinstance(inner.holder, dict) and inner.key is None:
            self._take_key(inner, event.value, line)
            return
        value = plain_value(event.value, line) if event.implicit[0] else event.value
        self._put(value, line)

    def _take_key(self, inner: _Open, key: str, line: int) -> None:
        if key in inner.holder:
            raise YamlError(
                f"key {quoted(key)} is here a second time; first in line "
                f"{inner.mark.parts[key].line}",
                line,
            )
        inner.key, inner.key_line = key, line

    def _begin(self, holder: dict[str, Any] | list[Any], line: int) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise YamlError(_TOO_DEEP, line)
        if self._open and isinstance(self._open[-1].holder, dict) and self._open[-1].key is None:
            raise YamlError("a mapping or list as a key; expected text", line)
        self._open.append(_Open(holder, self._put(holder, line)))

    def _put(self, value: Any, line: int) -> Mark:
        """Put a value where it belongs, and return its mark."""
        self._n_values += 1
        if self._n_values > MAX_VALUES:
            raise YamlError(f"more than {MAX_VALUES} values", line)
        if not self._open:
            self.data, self.mark = value, Mark(line)
            return self.mark
        inner = self._open[-1]
        if isinstance(inner.holder, list):
            place: str | int = len(inner.holder)
            mark = Mark(line)
            inner.holder.append(value)
        else:
            assert inner.key is not None  # noqa: S101 - values come after their keys
            place, mark = inner.key, Mark(inner.key_line)
            inner.holder[place] = value
            inner.key = None
        inner.mark.parts[place] = mark
        return mark


def plain_value(text: str, line: int | None = None) -> Any:
    """Return what a text without quotes means.

    Raises
    ------
    YamlError
        It is a number of very many digits.
    """
    if text in _WORDS:
        return _WORDS[text]
    is_integer = _INTEGER.fullmatch(text) is not None
    if not is_integer and _FLOAT.fullmatch(text) is None:
        return text
    if len(text) > MAX_DIGITS:
        raise YamlError(f"{shortened(text)} has more than {MAX_DIGITS} characters", line)
    digits = text.replace("_", "")
    return int(digits) if is_integer else float(digits)


class _Writer(yaml.SafeDumper):
    """Writes every text in quotes, so that it is read as text whatever it looks like."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's name
        """Write everything out, since aliases are not read."""
        return True


def _quoted_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Writer.add_representer(str, _quoted_text)


def write_yaml(data: Any) -> str:
    """Write plain data so that ``read_yaml`` gives the same data back."""
    text: str = yaml.dump(
        data, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=2**20, indent=2
    )
    return text


def copy_plain(value: Any, *, n_most: int = MAX_VALUES) -> Any:
    """Copy data given by a program, and refuse what YAML could not have said.

    Raises
    ------
    YamlError
        Something is neither mapping, list, text, number, truth value nor None; or there is too
        much of it, or it is nested too deep.
    """
    count = iter(range(n_most))
    return _copy(value, 0, count)


def _copy(value: Any, depth: int, count: Iterator[int]) -> Any:
    if next(count, None) is None:
        raise YamlError("more values than any scenario has; are lists shared?")
    kind = type(value)
    if value is None or kind in (bool, int, float):
        return value
    if isinstance(value, str):
        return _clean(value)
    if depth >= MAX_DEPTH:
        raise YamlError(f"nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        return {_key(key): _copy(part, depth + 1, count) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(part, depth + 1, count) for part in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return _copy(value.item(), depth, count)
    raise YamlError(f"a value of type {kind.__name__}; expected what YAML can say")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise YamlError(f"key {shortened(repr(key))} is no text; put it in quotes")
    return _clean(key)


def _clean(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise YamlError(f"{quoted(text)} holds half of a surrogate pair; no text does") from None
    return str.__str__(text)
