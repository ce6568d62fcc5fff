"""Says where in a file something is wrong: file, line, path of keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from payment_simulator.errors import InputError, ScenarioError
from payment_simulator.scenario.values import MISFIT, UNKNOWN_KEY, UNKNOWN_TYPE, describe, quoted
from payment_simulator.scenario.yaml_text import Mark
from payment_simulator.wording import visible

Path = Sequence[str | int]

#: Keys that files may write otherwise than they are kept.
_OTHER_SPELLINGS = {
    "eod_penalty": "eod_penalty_per_transaction",
    "start_escalating_at_ticks": "threshold_ticks",
    "priority_distribution": "priority",
}
_LIST_ERRORS = ("tuple_type", "list_type")
_MAPPING_ERRORS = ("dict_type", "model_type", "model_attributes_type")


class Missing(str):
    """The last step of a path that leads to a key that is not there."""

    __slots__ = ()


class Misplaced(ValueError):  # noqa: N818 - says where, and becomes a ScenarioError
    """Something does not fit where it stands.

    Parameters
    ----------
    path : sequence of str or int
        Keys and numbers that lead there.
    problem : str
        What is wrong, and what was expected.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(problem)
        self.path = path
        self.problem = problem


class Origin:
    """Where a scenario or another file comes from, to say so in errors.

    Parameters
    ----------
    where : str
        Name of the file.
    data : Any
        What was read.
    mark : Mark, optional
        Its lines, where it was a text.
    kind : type of InputError
        What errors about it are.
    """

    def __init__(
        self,
        where: str,
        data: Any = None,
        mark: Mark | None = None,
        kind: type[InputError] = ScenarioError,
    ) -> None:
        self.where = where
        self.data = data
        self.mark = mark
        self.kind = kind

    def error(self, problem: str, path: Path = (), line: int | None = None) -> InputError:
        """Make the error for a problem at a place."""
        steps = list(self._follow(path))
        if line is None and self.mark is not None and path:
            line = self._line(steps)
        parts = [self.where, f"line {line}" if line else "", show_path(steps)]
        return self.kind(visible(f"{', '.join(part for part in parts if part)}: {problem}"))

    def misplaced(self, error: Misplaced) -> InputError:
        """Make the error for something that does not fit."""
        return self.error(error.problem, error.path)

    def invalid(self, error: ValidationError) -> InputError:
        """Make the error for what pydantic refused: the first problem, and how many more."""
        first, *more = error.errors(include_url=False)
        path, problem = _explain(first)
        if more:
            problem += f" (and {len(more)} more)"
        return self.error(problem, path)

    def _follow(self, path: Path) -> Iterator[str | int]:
        """Go along a path as the file has it, and leave out what is no key there.

        The names of kinds that a discriminator chose stand in pydantic's paths but not in files.
        """
        data = self.data
        for step in path:
            spelled = step
            if isinstance(data, dict) and step not in data:
                spelled = _OTHER_SPELLINGS.get(str(step), step)
            if isinstance(data, dict) and spelled in data:
                data = data[spelled]
            elif isinstance(data, list) and isinstance(step, int) and step < len(data):
                data = data[step]
            elif not isinstance(step, Missing):
                continue
            yield spelled

    def _line(self, steps: Path) -> int:
        mark = self.mark
        line = mark.line if mark else 1
        for step in steps:
            mark = mark.parts.get(step) if mark else None
            if mark is None:
                break
            line = mark.line
        return line


def _explain(error: Mapping[str, Any]) -> tuple[Path, str]:
    """Return path and words of one of pydantic's errors."""
    path, kind, ctx = tuple(error["loc"]), error["type"], error.get("ctx", {})
    if kind == MISFIT:
        return (*path, *ctx["at"]), str(ctx["problem"])
    if kind == UNKNOWN_KEY:
        return (*path, ctx["key"]), f"unknown key; {nearest(str(ctx['key']), ctx['known'])}"
    if kind == UNKNOWN_TYPE:
        return (*path, Missing("type")), _unknown_word(error["input"].get("type"), ctx["known"])
    if kind == "missing":
        return (*path[:-1], Missing(path[-1])), "missing; expected this key"
    return path, _explain_value(kind, error["input"], ctx, error["msg"])


def _explain_value(kind: str, value: Any, ctx: Mapping[str, Any], message: str) -> str:
    """Return the words for a value that is not of its type."""
    if kind == "literal_error":
        words = re.findall(r"'([^']*)'", str(ctx["expected"]))
        return _unknown_word(value, words)
    if kind in _LIST_ERRORS:
        return f"{describe(value)}; expected a list"
    if kind in _MAPPING_ERRORS:
        return f"{describe(value)}; expected a mapping (key: value)"
    if kind == "too_short":
        return f"{ctx['actual_length']} items; expected at least {ctx['min_length']}"
    if kind == "too_long":
        return f"{ctx['actual_length']} items; expected at most {ctx['max_length']}"
    return f"{describe(value)}: {message}"


def _unknown_word(word: Any, known: Sequence[str]) -> str:
    if isinstance(word, str):
        return f"{quoted(word)} is not known; {nearest(word, known)}"
    return f"{describe(word)}; expected one of {', '.join(known)}"


def nearest(word: str, known: Iterable[str], n_listed: int = 12) -> str:
    """Say which known name is nearest to a word, and list all where they are few.

    Examples
    --------
    >>> nearest("Relase", ["Release", "Hold"])
    'nearest: Release; expected one of Release, Hold'
    """
    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(word[:200].casefold(), list(folded), n=1, cutoff=0.5)
    parts = [f"nearest: {folded[near[0]]}"] if near else []
    if not near or len(names) <= n_listed:
        listed = ", ".join(names[:n_listed])
        more = f" and {len(names) - n_listed} more" if len(names) > n_listed else ""
        parts.append(f"expected one of {listed}{more}")
    return "; ".join(parts)


def show_path(path: Path) -> str:
    """Write a path of keys as people do.

    Examples
    --------
    >>> show_path(["agents", 1, "limits", "Bank A"])
    "agents[1].limits['Bank A']"
    """
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,79}", step):
            shown += f".{step}" if shown else step
        else:
            shown += f"[{quoted(step)}]"
    return shown
