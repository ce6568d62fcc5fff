"""What a language model's answer says: its reasoning, and the policy in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.constraints import ConstraintValidator
from payment_simulator.ai_cash_mgmt.proposers.base import Proposed
from payment_simulator.errors import PolicyError
from payment_simulator.policy.reading import read_json
from payment_simulator.policy.tree import TREES

_FENCE: Final = re.compile(r"(`{3,})[^`]*")
_PARTS: Final = frozenset({"parameters", *TREES})


@dataclass(frozen=True)
class Parsed:
    """An answer, read.

    Attributes
    ----------
    policy : Mapping or str
        What is proposed; the answer itself where it holds no policy.
    policy_json : str or None
        The policy as JSON, if there is a JSON object that stands for one.
    reasoning : str
        Empty where none is given.
    error : str or None
        Everything that is wrong with the policy, a line each.
    """

    policy: Proposed
    policy_json: str | None
    reasoning: str
    error: str | None


def parse_answer(text: str, validator: ConstraintValidator) -> Parsed:
    """Read an answer, and check the policy in it.

    An object ``{"reasoning": ..., "policy": ...}`` is expected: as the whole answer, in a block
    between fences, or among other words. A policy without this frame is taken too.

    Parameters
    ----------
    text : str
        The answer as it came.
    validator : ConstraintValidator
    """
    reasoning = ""
    policy: Proposed = text
    for found in _objects(text):
        if "policy" in found:
            given = found["policy"]
            policy = given if isinstance(given, dict | str) else json.dumps(given)
            said = found.get("reasoning", "")
            reasoning = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
            break
        if _PARTS & found.keys():
            policy = found
            break
    policy_json = _policy_json(policy)
    if isinstance(policy, dict) and policy_json is not None and not _is_unicode(policy):
        policy = policy_json
    problems = validator.validate(policy)
    return Parsed(policy, policy_json, storable(reasoning), storable("\n".join(problems)) or None)


def storable(text: str) -> str:
    """Return a text as the record can hold it: halves of characters become question marks."""
    return text.encode("utf-8", "replace").decode()


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Go through the JSON objects that an answer may mean, the likeliest first."""
    first, last = text.find("{"), text.rfind("}")
    for candidate in (text, *_blocks(text), text[first : last + 1] if 0 <= first < last else ""):
        if candidate.strip().startswith("{"):
            try:
                found = read_json(candidate.strip(), "answer")
            except PolicyError:
                continue
            if isinstance(found, dict):
                yield found


def _blocks(text: str) -> Iterator[str]:
    """Go through the blocks between fences."""
    fence: str | None = None
    held: list[str] = []
    for line in text.split("\n"):
        word = line.strip()
        if fence is None:
            match = _FENCE.fullmatch(word)
            fence, held = (match[1], []) if match else (None, held)
        elif word.startswith(fence) and not word.strip("`"):
            yield "\n".join(held)
            fence = None
        else:
            held.append(line)


def _policy_json(policy: Proposed) -> str | None:
    if isinstance(policy, str):
        try:
            policy = read_json(policy, "policy")
        except PolicyError:
            return None
    if not isinstance(policy, dict):
        return None
    try:
        return storable(json.dumps(policy, ensure_ascii=False, allow_nan=False))
    except ValueError:  # 1e999 is read as an infinity, which JSON cannot write
        return None


def _is_unicode(policy: dict[str, Any]) -> bool:
    text = json.dumps(policy, ensure_ascii=False)
    return text == storable(text)
