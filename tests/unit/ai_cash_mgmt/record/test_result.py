"""How a game ended: which of its parameters were played for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.builders import a_record

from payment_simulator.ai_cash_mgmt import GameOutcomeRecord, GameSessionRecord
from payment_simulator.ai_cash_mgmt.record.result import bank_results

PARAMETERS = {"initial_liquidity_fraction": 0.2, "urgency_threshold": 3, "target_tick": 8}


def optimized(config: Any, banks: list[str] | None = None) -> tuple[str, ...]:
    session = a_record(
        GameSessionRecord,
        config_json=config if isinstance(config, str) else json.dumps(config),
        optimized_agents=["BANK_A"] if banks is None else banks,
    )
    outcome = a_record(GameOutcomeRecord, final_policy_json=json.dumps({"parameters": PARAMETERS}))
    found = bank_results(session, [outcome])["BANK_A"]
    assert found.parameters == PARAMETERS
    return found.optimized


def allowed(*names: str) -> dict[str, Any]:
    return {"allowed_parameters": [{"name": name} for name in names]}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"constraints": allowed("urgency_threshold")}, ("urgency_threshold",)),
        ({"constraints": {"allowed_parameters": []}}, ()),
        ({"constraints": None}, ("initial_liquidity_fraction",)),
        ({}, ("initial_liquidity_fraction",)),
        (
            {
                "constraints": allowed("urgency_threshold"),
                "optimized_agents": {"BANK_A": {"constraints": allowed("target_tick")}},
            },
            ("target_tick",),
        ),
        (
            {
                "constraints": allowed("urgency_threshold"),
                "optimized_agents": {"BANK_A": {"constraints": None}},
            },
            ("urgency_threshold",),
        ),
        ({"constraints": {"allowed_parameters": [7, {"name": 8}, {}]}}, ()),
        ({"constraints": {"allowed_parameters": 7}}, ()),
        ({"optimized_agents": ["BANK_A"]}, ("initial_liquidity_fraction",)),
        ("[", ("initial_liquidity_fraction",)),
        ("[]", ("initial_liquidity_fraction",)),
    ],
    ids=str,
)
def test_parameters_that_the_agent_could_set(config: Any, expected: tuple[str, ...]) -> None:
    assert optimized(config) == expected


def test_a_bank_that_nobody_plays_has_none() -> None:
    assert optimized({"constraints": allowed("urgency_threshold")}, banks=["BANK_B"]) == ()


@pytest.mark.parametrize("text", ['{"parameters": []}', "[]", '"parameters"'])
def test_a_policy_of_another_program(text: str) -> None:
    session = a_record(GameSessionRecord)
    [found] = bank_results(session, [a_record(GameOutcomeRecord, final_policy_json=text)]).values()
    assert found.parameters == {}
