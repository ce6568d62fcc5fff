"""Collects what is wrong with a policy, each problem with its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from payment_simulator.policy.grammar import MAX_NAME, MAX_PARTS
from payment_simulator.policy.reading import Twice, unicode_problem
from payment_simulator.wording import nearest, quoted, shown, visible

#: Of a long path its two ends are shown.
_END = 60


class TooLargeError(Exception):
    """A policy has more parts than any sensible one; looking at it ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a policy something stands.

    Attributes
    ----------
    tree : str
        Name of the tree; empty outside of trees.
    path : str
        Keys from the root of the tree (or of the policy) to the place.
    node_id : str, optional
        Of the node that it belongs to.
    """

    tree: str = ""
    path: str = ""
    node_id: str | None = None

    def down(self, key: str | int) -> Place:
        """Return the place of a key, or of an item of a list."""
        if isinstance(key, int):
            return replace(self, path=f"{self.path}[{key}]")
        name = visible(key[:MAX_NAME])
        return replace(self, path=f"{self.path}.{name}" if self.path else name)

    def __str__(self) -> str:
        """Return the place as an error names it."""
        path = self.path
        if len(path) > 2 * _END:
            path = f"{path[:_END]}...{path[-_END:]}"
        if not self.tree:
            return path
        if self.node_id is None:
            return f"{self.tree}, node {path}"
        return f"{self.tree}, node {quoted(self.node_id)} ({path})"


@dataclass
class Findings:
    """The problems found so far, and the checks that all parts of a policy share."""

    problems: list[str] = field(default_factory=list)
    _parts: int = 0

    def say(self, place: Place, problem: str) -> None:
        """Note a problem."""
        where = str(place)
        self.problems.append(f"{where}: {problem}" if where else problem)

    def count_part(self) -> None:
        """Count a node, condition or value.

        Raises
        ------
        TooLargeError
            There are too many.
        """
        self._parts += 1
        if self._parts > MAX_PARTS:
            self.say(Place(), f"more than {MAX_PARTS:,} nodes, conditions and values")
            raise TooLargeError

    def is_object(self, data: Any, place: Place, what: str) -> bool:
        """Check that something is a JSON object with texts as keys, each written once."""
        if not isinstance(data, Mapping):
            self.say(place, f"{shown(data)} is not {what}; expected an object")
            return False
        if isinstance(data, Twice):
            for key in data.twice:
                self.say(place, f"key {quoted(key)} is written more than once")
        for key in data:
            if not isinstance(key, str):
                self.say(place, f"key {shown(key)} is not a text")
                return False
        return True

    def check_keys(
        self,
        data: Mapping[str, Any],
        place: Place,
        required: Iterable[str],
        optional: Iterable[str] = (),
    ) -> None:
        """Check that an object has the keys that it needs, and none that is not known."""
        needed = tuple(required)
        known = (*needed, *optional)
        unknown = [key for key in data if key not in known]
        for key in unknown:
            # A key that is there already is hardly the one that was meant.
            near = nearest(key, [name for name in known if name not in data])
            if not near.startswith("nearest"):
                near = nearest(key, known)
            self.say(place, f"key {quoted(key)} is not known; {near}")
        for key in needed:
            if key not in data:
                self.say(place, f"{quoted(key)} is missing")

    def is_text(self, data: Any, place: Place, what: str, longest: int | None = MAX_NAME) -> bool:
        """Check that something is a text of valid Unicode.

        With ``longest`` it is a name: not blank, and of no more characters.
        """
        if not isinstance(data, str):
            self.say(place, f"{what} is {shown(data)}; expected a text")
            return False
        problem = unicode_problem(data)
        if problem is None and longest is not None:
            if not data.strip():
                problem = f"is {quoted(data)}; expected a text that is not blank"
            elif len(data) > longest:
                problem = f"{quoted(data)} has {len(data):,} characters; expected at most {longest}"
        if problem is not None:
            self.say(place, f"{what} {problem}")
        return problem is None

    def is_number(self, data: Any, place: Place, what: str) -> bool:
        """Check that something is a finite number."""
        if isinstance(data, bool):
            self.say(place, f"{what} is {shown(data)}; expected a number: 1 or 0")
            return False
        if not isinstance(data, int | float):
            self.say(place, f"{what} is {shown(data)}; expected a number")
            return False
        try:
            is_finite = math.isfinite(data)
        except OverflowError:
            is_finite = False
        if not is_finite:
            self.say(place, f"{what} is {shown(data)}; expected a finite number")
        return is_finite

    def is_within(
        self, data: float, low: float | None, high: float | None, place: Place, what: str
    ) -> bool:
        """Check that a number lies between its bounds."""
        if low is not None and high is not None:
            expected = f"between {low:g} and {high:g}"
        else:
            expected = f"at least {low:g}" if low is not None else f"at most {high or 0:g}"
        if (low is not None and data < low) or (high is not None and data > high):
            self.say(place, f"{what} is {shown(data)}; expected {expected}")
            return False
        return True
