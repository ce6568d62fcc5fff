"""A record with a bad value does not come to be, and cannot be turned bad afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord, TransactionRecord
from payment_simulator.ai_cash_mgmt.persistence.models import RECORDS, Record
from tests.builders import VALUES, a_record, a_session, an_iteration
from tests.saving import bits
from tests.wrong_values import LARGEST, column_type, is_optional, largest, lowest, wrong_values

FIELDS = [
    pytest.param(kind, name, id=f"{kind.TABLE}.{name}")
    for kind in RECORDS
    for name in kind.model_fields
]


def names_the_field(error: ValidationError, name: str) -> bool:
    return all(name in (*map(str, e["loc"]), *e["msg"].split()) for e in error.errors())


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_wrong_value_is_refused_when_the_record_is_made(kind: type[Record], name: str):
    for value in wrong_values(kind, name):
        with pytest.raises(ValidationError) as refusal:
            pytest.fail(f"took {value!r}: {a_record(kind, **{name: value})!r}")
        assert names_the_field(refusal.value, name), f"{value!r}: {refusal.value}"


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_wrong_value_is_refused_when_it_is_assigned(kind: type[Record], name: str):
    record = a_record(kind)
    before = bits(record)
    for value in wrong_values(kind, name):
        with pytest.raises(ValidationError):
            setattr(record, name, value)
        assert bits(record) == before
        assert record.model_fields_set == set(VALUES[kind])


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_wrong_value_is_refused_by_replace(kind: type[Record], name: str):
    record = a_record(kind)
    before = bits(record)
    for value in wrong_values(kind, name):
        with pytest.raises(ValidationError):
            record.replace(**{name: value})
        assert bits(record) == before


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_required_field_must_be_given(kind: type[Record], name: str):
    values = {n: v for n, v in VALUES[kind].items() if n != name}
    if kind.model_fields[name].is_required():
        with pytest.raises(ValidationError, match=rf"{name}\s+Field required"):
            kind(**values)
    else:
        assert bits(kind(**values)) != bits(a_record(kind)) or name == "sha256"


@pytest.mark.parametrize("kind", RECORDS)
def test_an_unknown_field_is_named(kind: type[Record]):
    with pytest.raises(ValidationError, match="finalcost"):
        a_record(kind, finalcost=1.0)
    with pytest.raises(ValidationError, match="finalcost"):
        a_record(kind).replace(finalcost=1.0)
    record: Any = a_record(kind)
    with pytest.raises(AttributeError, match=f"{kind.__name__}.*finalcost.*{kind.KEY[0]}"):
        record.finalcost = 1.0
    assert not hasattr(record, "finalcost")


WHOLE = [p for p in FIELDS if column_type(*p.values) in LARGEST]


@pytest.mark.parametrize(("kind", "name"), WHOLE)
def test_the_ends_of_the_range_of_whole_numbers_are_in_it(kind: type[Record], name: str):
    room: dict[str, Any] = {}
    if kind is TransactionRecord:  # whose other fields bound each other
        room = {"amount_cents": 2**63 - 1, "settled_cents": 0, "arrival_tick": 0}
        room |= {"deadline_tick": 2**31 - 1, "released_tick": None, "settled_tick": None}
    for value in (lowest(kind, name), largest(kind, name)):
        assert getattr(a_record(kind, **{**room, name: value}), name) == value


@pytest.mark.parametrize(("kind", "name"), [p for p in FIELDS if is_optional(*p.values)])
def test_optional_fields_may_be_none(kind: type[Record], name: str):
    assert getattr(a_record(kind, **{name: None}), name) is None


@pytest.mark.parametrize(
    ("field", "value", "expectation"),
    [
        ("iteration_number", 0, "greater than or equal to 1"),
        ("trigger_tick", 2147483648, "less than or equal to 2147483647"),
        ("old_cost", float("nan"), "finite number"),
        ("new_cost", float("inf"), "finite number"),
        ("was_accepted", 1, "valid boolean"),
        ("tokens_used", 1.5, "valid integer"),
        ("tokens_used", "15", "valid integer"),
        ("tokens_used", True, "valid integer"),
        ("agent_id", "", "at least 1"),
        ("agent_id", "\ud800", "surrogate"),
        ("llm_model", 7, "valid string"),
        ("created_at", "2026-01-01", "valid datetime"),
        ("validation_errors", "none", "valid list"),
        ("cost_improvement", 299.0, "expected old_cost - new_cost = 300.0"),
    ],
)
def test_the_message_names_field_value_and_expectation(field: str, value: Any, expectation: str):
    with pytest.raises(ValidationError) as refusal:
        an_iteration(**{field: value})
    said = str(refusal.value)
    assert field in said
    assert repr(value) in said
    assert expectation in said


@pytest.mark.parametrize(("field", "value"), [("status", "paused"), ("game_mode", "chess")])
def test_the_message_lists_the_words_that_there_are(field: str, value: str):
    known = {
        "status": "running, completed, failed, converged",
        "game_mode": "rl_optimization, campaign_learning",
    }
    with pytest.raises(ValidationError, match=rf"'{value}' is not one of: {known[field]}"):
        a_session(**{field: value})


def test_the_door_is_a_value_error_too():
    with pytest.raises(ValueError, match="master_seed"):
        a_session(master_seed=2**63)


def test_several_wrong_values_are_all_named():
    with pytest.raises(ValidationError) as refusal:
        an_iteration(iteration_number=0, old_cost=float("nan"), tokens_used=-1)
    named = {e["loc"][0] for e in refusal.value.errors()}
    assert named == {"iteration_number", "old_cost", "tokens_used"}


def test_what_went_round_the_door_is_stopped_at_the_save(repo: GameRepository):
    copied = a_session().model_copy(update={"status": "paused"})
    bare = GameSessionRecord.model_construct(game_id="game-002")
    patched = a_session()
    patched.__dict__["final_cost"] = float("nan")
    for record, field in ((copied, "status"), (bare, "master_seed"), (patched, "final_cost")):
        with pytest.raises(ValidationError, match=field):
            repo.save_game_session(record)
    assert repo.list_game_sessions() == []
