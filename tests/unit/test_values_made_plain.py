"""What calls itself something else but holds a plain value is taken, and comes out plain."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    CostKind,
    DailyCostRecord,
    FileRole,
    GameMode,
    GameRepository,
    GameStatus,
    PaymentStatus,
    ProvenanceFileRecord,
    TransactionRecord,
)
from tests.builders import a_record, a_session, an_iteration
from tests.saving import bits

WHOLE = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


@pytest.mark.parametrize("kind", WHOLE)
def test_numpy_whole_numbers(kind: Any):
    costs = {"old_cost": 100, "new_cost": 10, "cost_improvement": 90}
    record = an_iteration(tokens_used=kind(100), **{n: kind(cost) for n, cost in costs.items()})
    plain = an_iteration(tokens_used=100, **{n: float(cost) for n, cost in costs.items()})
    assert bits(record) == bits(plain)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, 1e-5, 12.75])
def test_numpy_floats(kind: Any, value: float):
    held = a_session(final_cost=kind(value)).final_cost
    assert repr(held) == repr(float(kind(value)))
    assert type(held) is float


def test_a_long_double_is_taken_only_when_nothing_is_lost():
    finer = np.longdouble(1) + np.finfo(np.longdouble).eps
    try:
        held = a_session(final_cost=finer).final_cost
    except ValidationError:
        return
    assert np.longdouble(held) == finer  # where a long double is just a double


@pytest.mark.parametrize("value", [np.True_, np.False_])
def test_numpy_flags(value: Any):
    held = a_session(converged=value).converged
    assert held is bool(value)


def test_numpy_texts():
    record = a_session(np.str_("spiel-\u00e4"), optimized_agents=[np.str_("A"), "B"])
    assert bits(record) == bits(a_session("spiel-\u00e4", optimized_agents=["A", "B"]))


def test_numpy_values_can_be_assigned_and_saved(repo: GameRepository):
    record = a_session()
    record.master_seed = np.int64(-(2**63))
    record.final_cost = np.float64(0.1)
    repo.save_game_session(record)
    assert bits(repo.get_game_session("game-001")) == bits(
        a_session(master_seed=-(2**63), final_cost=0.1)
    )


def test_members_of_enumerations_become_plain_text(repo: GameRepository):
    session = a_session(status=GameStatus.CONVERGED, game_mode=GameMode.CAMPAIGN_LEARNING)
    assert bits(session) == bits(a_session(status="converged", game_mode="campaign_learning"))
    file = a_record(ProvenanceFileRecord, role=FileRole.POLICY)
    assert (type(file.role), file.role) == (str, "policy")
    payment = a_record(TransactionRecord, status=PaymentStatus.SPLIT)
    assert (type(payment.status), payment.status) == (str, "split")
    cost = a_record(DailyCostRecord, cost_kind=CostKind.END_OF_DAY)
    assert (type(cost.cost_kind), cost.cost_kind) == (str, "end_of_day")

    repo.save_game_session(session)
    session.status = GameStatus.FAILED
    repo.save_game_session(session)
    stored = repo.get_game_session("game-001")
    assert stored is not None
    assert (type(stored.status), stored.status) == (str, "failed")


def test_members_of_other_enumerations_count_by_their_value():
    class Seed(IntEnum):
        FIRST = 7

    class Bank(Enum):
        A = "BANK_A"

    record = a_session(master_seed=Seed.FIRST, optimized_agents=[Bank.A])
    assert bits(record) == bits(a_session(master_seed=7, optimized_agents=["BANK_A"]))


def test_a_subclass_counts_by_what_it_holds_not_by_what_it_shows():
    class Shown(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "***"

    class Rounded(int):
        def __int__(self) -> int:
            return 0

    class Coarse(float):
        def __float__(self) -> float:
            return 0.0

    record = a_session(Shown("secret"), master_seed=Rounded(7), final_cost=Coarse(2.5))
    assert bits(record) == bits(a_session("secret", master_seed=7, final_cost=2.5))


def digits(value: int) -> str:
    return f"{value.bit_length()} bits"


@pytest.mark.parametrize("value", [0, 1, -1, 2**53, -(2**53), 10**22, 2**1023], ids=digits)
def test_a_whole_number_with_an_exact_float_is_taken_for_a_float(value: int):
    held = a_session(final_cost=value).final_cost
    assert type(held) is float
    assert held == value


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**53) - 1, 10**23, 2**1024, 10**400, 10**5000], ids=digits
)
def test_a_whole_number_without_an_exact_float_is_refused(value: int):
    with pytest.raises(ValidationError, match=r"final_cost\n.*(float64|round)"):
        a_session(final_cost=value)
