"""A fixed history of saves, so that a database can be told to hold exactly its first n of them."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from functools import cache

from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord, PolicyIterationRecord
from tests.builders import a_session, an_iteration

GAME = "game-001"


@dataclass
class Content:
    """What a database holds: the game, its steps by key, and what saving again replaced."""

    session: GameSessionRecord | None = None
    iterations: dict[tuple[str, int], PolicyIterationRecord] = field(default_factory=dict)
    superseded: list[tuple[str, str, int, str]] = field(default_factory=list)


def policy(number: int) -> str:
    """Return a policy of about 2 KB that no other number has."""
    noise = random.Random(number).randbytes(980).hex()
    return json.dumps({"number": number, "noise": noise, "text": "€ 本 \0"})


def _key(number: int) -> tuple[str, int]:
    return ("BANK_A", "BANK_B")[number % 2], number // 2 + 1


def _is_new(number: int) -> bool:
    return number % 7 != 3 and number % 5 != 4


@cache
def step(number: int) -> PolicyIterationRecord | None:
    """Return what save ``number`` saves; ``None`` where it updates the game's status instead.

    Save 0 is the game. Every fifth save after it comes under a key that is there already.
    """
    if number == 0 or number % 7 == 3:
        return None
    holder = number if _is_new(number) else random.Random(number).randrange(1, number)
    while not _is_new(holder):
        holder -= 1
    agent_id, iteration_number = _key(holder)
    return an_iteration(
        iteration_number,
        agent_id=agent_id,
        trigger_tick=number,
        old_policy_json=policy(2 * number),
        new_policy_json=policy(2 * number + 1),
        old_cost=float(number) + 0.1,
        new_cost=float(number) + 0.1,
        cost_improvement=0.0,
    )


def perform(repo: GameRepository, number: int) -> None:
    """Do one save of the history."""
    record = step(number)
    if record is not None:
        repo.save_policy_iteration(record)
    elif number == 0:
        repo.save_game_session(a_session(GAME))
    else:
        repo.update_game_session_status(GAME, "running", total_iterations=number)


def perform_range(repo: GameRepository, start: int, stop: int) -> None:
    """Do the saves ``start`` to ``stop - 1``."""
    for number in range(start, stop):
        perform(repo, number)


def content_after(n_saves: int) -> Content:
    """Return what a database holds after the first ``n_saves`` saves."""
    content = Content()
    revisions: dict[str, int] = {}

    def replaced(old: GameSessionRecord | PolicyIterationRecord) -> None:
        key = json.dumps([getattr(old, name) for name in old.KEY], separators=(",", ":"))
        revisions[key] = revisions.get(key, 0) + 1
        values = dict(zip(type(old).model_fields, old.to_row(), strict=True))
        text = json.dumps(values, default=str, sort_keys=True)
        content.superseded.append((old.TABLE, key, revisions[key], text))

    for number in range(n_saves):
        record = step(number)
        if record is not None:
            key = record.agent_id, record.iteration_number
            if key in content.iterations:
                replaced(content.iterations[key])
            content.iterations[key] = record
        elif content.session is None:
            content.session = a_session(GAME)
        else:
            replaced(content.session)
            content.session = content.session.replace(total_iterations=number)
    content.superseded.sort()
    return content


def stored_content(repo: GameRepository) -> Content:
    """Return what a database holds."""
    return Content(
        repo.get_game_session(GAME),
        {(r.agent_id, r.iteration_number): r for r in repo.get_policy_iterations(GAME)},
        sorted(
            (
                r.table_name,
                r.record_key,
                r.revision,
                json.dumps(json.loads(r.record_json), sort_keys=True),
            )
            for r in repo.get_superseded_records()
        ),
    )


def count_saves(repo: GameRepository) -> int:
    """Return how many saves of the history a database holds; fail if it is not a prefix of it.

    Every value of every row is compared, so a wrong one fails as well.
    """
    stored = stored_content(repo)
    # Each save adds a row or supersedes one.
    n_saves = len(stored.iterations) + len(stored.superseded) + (stored.session is not None)
    expected = content_after(n_saves)
    assert stored.session == expected.session
    assert stored.iterations == expected.iterations
    assert stored.superseded == expected.superseded
    return n_saves


@cache
def old_iterations() -> list[PolicyIterationRecord]:
    """Return the steps of a game in a file of the first version."""
    return [
        an_iteration(n, old_policy_json=policy(2 * n), new_policy_json=policy(2 * n + 1))
        for n in range(1, 601)
    ]
