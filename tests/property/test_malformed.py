"""A hundred thousand malformed records: none gets in, none breaks anything but itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameOutcomeRecord,
    GameRepository,
    GameSessionRecord,
    PolicyIterationRecord,
    ProvenanceFileRecord,
    TransactionRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from payment_simulator.ai_cash_mgmt.persistence.models.runs import RunRow
from payment_simulator.errors import InputError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record, a_session
from tests.saving import DOORS, bits, n_rows, save_parents
from tests.wrong_values import LARGEST, column_type, largest, lowest, wrong_values

N_EXAMPLES = 30
#: With N_EXAMPLES, over 100,000 attempts on all classes together.
N_ATTEMPTS = 100_000 // (N_EXAMPLES * len(RECORDS)) + 1
REFUSED = (ValidationError, InputError)

#: What no field of its own forbids, but the record does.
CONTRADICTIONS: dict[type[Record], list[dict[str, Any]]] = {
    PolicyIterationRecord: [{"new_cost": 1200.01}, {"cost_improvement": -300.0}],
    EvaluationSampleRecord: [{"old_cost": 0.0}, {"old_cost": 1.79e308, "new_cost": -1.79e308}],
    GameOutcomeRecord: [{"final_cost": 1201.0}, {"improvement_low": 301.0}],
    TransactionRecord: [{"settled_cents": 100_001}, {"arrival_tick": 10}, {"settled_tick": 0}],
    ProvenanceFileRecord: [{"content": "hello"}, {"sha256": "5891B5B5"}],
}


class Spoiler:
    """Draws changes that make a valid record of a class malformed."""

    def __init__(self, kind: type[Record]) -> None:
        self.kind = kind
        self.names = list(kind.model_fields)
        self.wrong = {name: wrong_values(kind, name) for name in self.names}

    def changes(self, rng: random.Random) -> dict[str, Any]:
        """Return one to three changes, each wrong by itself."""
        if self.kind in CONTRADICTIONS and rng.random() < 0.1:
            return rng.choice(CONTRADICTIONS[self.kind])
        names = rng.sample(self.names, rng.choice([1, 1, 1, 2, 3]))
        return {name: self.wrong_value(rng, name) for name in names}

    def wrong_value(self, rng: random.Random, name: str) -> Any:
        """Return a known wrong value, or one that is made up."""
        column = column_type(self.kind, name)
        made_up: list[Callable[[], Any]] = [lambda: rng.choice(self.wrong[name])] * 3
        made_up.append(lambda: [rng.random()])
        if column in LARGEST:
            high, low = largest(self.kind, name), lowest(self.kind, name)
            made_up += [
                lambda: high + rng.randrange(1, 2 ** rng.randrange(1, 99)),
                lambda: low - rng.randrange(1, 2 ** rng.randrange(1, 99)),
                rng.random,
                lambda: str(rng.randrange(high)),
            ]
        elif column == "DOUBLE":
            made_up += [lambda: str(rng.random()), lambda: 2 * rng.getrandbits(60) + 2**62 + 1]
        elif column == "VARCHAR":
            made_up += [lambda: half_a_character(rng), rng.random, lambda: rng.randbytes(4)]
        return rng.choice(made_up)()


def half_a_character(rng: random.Random) -> str:
    """Return a text with a lone surrogate somewhere."""
    text = "".join(chr(rng.randrange(0xD7FF)) for _ in range(rng.randrange(9)))
    where = rng.randrange(len(text) + 1)
    return text[:where] + chr(rng.randrange(0xD800, 0xE000)) + text[where:]


def attempt(repo: GameRepository, record: Record, changes: dict[str, Any], way: int) -> None:
    """Try to get a malformed record in, in one of several ways."""
    kind = type(record)
    if way == 0:
        kind(**{**record.__dict__, **changes})
    elif way == 1:
        record.replace(**changes)
    elif way == 2:
        for name, value in changes.items():
            setattr(record, name, value)
    elif way == 3:
        kind(**record.__dict__, **{f"{name}_": value for name, value in changes.items()})
    else:  # round the checks, up to the save
        smuggled = kind.model_construct(**{**record.__dict__, **changes})
        if issubclass(kind, RunRow):
            getattr(repo, f"save_{kind.TABLE}")("run-001", [smuggled])
        else:
            DOORS[kind][0](repo, smuggled)


@pytest.mark.parametrize("kind", RECORDS)
def test_no_malformed_record_gets_in(
    kind: type[Record], repo: GameRepository, manager: DatabaseManager
):
    record = a_record(kind)
    save_parents(repo, record)
    before, untouched = n_rows(manager), bits(record)
    spoiler = Spoiler(kind)
    n_refused = 0

    @given(st.integers(0, 2**64))
    @settings(max_examples=N_EXAMPLES)
    def attack(seed: int) -> None:
        nonlocal n_refused
        rng = random.Random(seed)
        for _ in range(N_ATTEMPTS):
            changes, way = spoiler.changes(rng), rng.randrange(6)
            with pytest.raises(REFUSED):
                pytest.fail(f"way {way} took {changes}: {attempt(repo, record, changes, way)}")
            assert bits(record) == untouched
            n_refused += 1

    attack()
    assert n_refused >= N_EXAMPLES * N_ATTEMPTS
    assert n_rows(manager) == before


UPDATED = ("status", "completed_at", "total_iterations", "converged", "final_cost")


def test_no_malformed_status_update_gets_in(repo: GameRepository):
    repo.save_game_session(a_session())
    for name in UPDATED:
        for value in wrong_values(GameSessionRecord, name):
            given_values = {"status": "failed", name: value}
            if value is not None:
                with pytest.raises(REFUSED):
                    pytest.fail(
                        f"took {given_values}: "
                        f"{repo.update_game_session_status('game-001', **given_values)}"
                    )
    assert repo.list_game_sessions() == [a_session()]
    assert repo.get_superseded_records() == []
