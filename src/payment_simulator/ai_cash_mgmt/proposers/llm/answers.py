"""What a language model's answer says: its reasoning, and the policy in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.constraints import ConstraintValidator
from payment_simulator.ai_cash_mgmt.proposers.base import Proposed
from payment_simulator.ai_cash_mgmt.proposers.llm.finding import find_objects
from payment_simulator.errors import PolicyError
from payment_simulator.policy import to_json
from payment_simulator.policy.reading import Twice, read_json
from payment_simulator.policy.tree import TREES

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
        Everything that is wrong with the policy, a line each; None if it is valid.
    fault : str or None
        What is wrong with the answer, where it cannot be told which policy is meant.
    """

    policy: Proposed
    policy_json: str | None
    reasoning: str
    error: str | None
    fault: str | None = None


def parse_answer(text: str, validator: ConstraintValidator) -> Parsed:
    """Read an answer, and check the policy in it.

    An object ``{"reasoning": ..., "policy": ...}`` is expected; a policy without this frame is
    taken too, where there is no frame. Prose and fences around it do not matter. Of several
    policies the valid one is taken; where there are different valid ones, none is.

    Parameters
    ----------
    text : str
        The answer as it came.
    validator : ConstraintValidator
    """
    objects = list(_within(find_objects(text)))
    if any("policy" in o.twice for o in objects if isinstance(o, Twice)):
        return _faulty(text, 'the answer gives "policy" twice; expected one policy')
    framed = [_framed(o, validator) for o in objects if "policy" in o]
    valid = [parsed for parsed in framed if parsed.error is None]
    found = framed
    if not valid:
        bare = [_read(o, "", validator) for o in objects if "policy" not in o]
        valid = [parsed for parsed in bare if parsed.error is None]
        found = framed or bare
    if len(valid) > 1 and len({to_json(validator.parse(p.policy)) for p in valid}) > 1:
        return _faulty(text, "the answer holds different valid policies; expected one")
    if valid or found:
        # The last is what a model comes to that corrects itself.
        return (valid or found)[-1]
    if not text.strip("\ufeff \t\r\n"):
        return _faulty(text, "the answer is empty; expected a JSON object with the policy")
    return _read(text, "", validator)


def storable(text: str) -> str:
    """Return a text as the record can hold it: halves of characters become question marks."""
    return text.encode("utf-8", "replace").decode()


def _faulty(text: str, fault: str) -> Parsed:
    return Parsed(text, None, "", fault, fault)


def _within(objects: list[Any]) -> Iterator[dict[str, Any]]:
    """Go through objects that may hold a policy, and through what stands in the others."""
    waiting = list(reversed(objects))
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict) and ("policy" in part or _PARTS & part.keys()):
            yield part
        elif isinstance(part, dict | list):
            inner = list(part.values() if isinstance(part, dict) else part)
            waiting += reversed(inner)


def _unwrapped(policy: Any) -> Proposed:
    """Return a policy that may have been written as a text."""
    if isinstance(policy, dict):
        return policy
    if not isinstance(policy, str):
        return json.dumps(policy)
    try:
        read_json(policy, "policy")
    except PolicyError:
        inner = find_objects(policy)
        return inner[0] if len(inner) == 1 else policy
    return policy


def _framed(found: dict[str, Any], validator: ConstraintValidator) -> Parsed:
    """Read an object with a policy and, maybe, the reasoning for it."""
    said = found.get("reasoning", "")
    reasoning = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return _read(_unwrapped(found["policy"]), reasoning, validator)


def _read(policy: Proposed, reasoning: str, validator: ConstraintValidator) -> Parsed:
    policy_json = _policy_json(policy)
    if isinstance(policy, dict) and policy_json is not None and not _is_unicode(policy):
        policy = policy_json
    problems = validator.validate(policy)
    return Parsed(policy, policy_json, storable(reasoning), storable("\n".join(problems)) or None)


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
