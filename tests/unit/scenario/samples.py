"""Scenarios that tests change in one place."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario import parse_scenario

Path = tuple[str | int, ...]

AMOUNTS: dict[str, dict[str, Any]] = {
    "Normal": {"type": "Normal", "mean": 50_000, "std_dev": 12_000.5},
    "LogNormal": {"type": "LogNormal", "mean": 50_000, "std_dev": 12_000},
    "Uniform": {"type": "Uniform", "min": 100, "max": 900},
    "Exponential": {"type": "Exponential", "lambda": 0.001},
}
PRIORITIES: dict[str, dict[str, Any]] = {
    "Fixed": {"type": "Fixed", "value": 7},
    "Categorical": {"type": "Categorical", "values": [1, 9], "weights": [0.5, 2]},
    "Uniform": {"type": "Uniform", "min": 2, "max": 8},
}
BAND: dict[str, Any] = {
    "rate_per_tick": 0.5,
    "amount_distribution": AMOUNTS["Uniform"],
    "deadline_offset_min": 2,
    "deadline_offset_max": 8,
    "counterparty_weights": {"A": 1.5},
    "divisible": True,
}
ONCE = {"type": "OneTime", "tick": 3}

#: Every key of the format, but for those that exclude one another.
FULL: dict[str, Any] = {
    "name": "everything",
    "description": "Every key",
    "source": "nowhere",
    "simulation": {"ticks_per_day": 10, "num_days": 2, "rng_seed": 7},
    "agents": [
        {
            "id": "A",
            "opening_balance": 1_000_000,
            "unsecured_cap": 200_000,
            "policy": {"type": "Deadline", "urgency_threshold": 3},
            "arrival_config": {
                "rate_per_tick": 1.25,
                "amount_distribution": AMOUNTS["Normal"],
                "counterparty_weights": {"B": 2, "C": 0.5},
                "deadline_range": [1, 9],
                "priority_distribution": PRIORITIES["Categorical"],
                "divisible": True,
            },
            "posted_collateral": 5_000,
            "collateral_haircut": 0.05,
            "max_collateral_capacity": 90_000,
            "limits": {"bilateral_limits": {"B": 700}, "multilateral_limit": 900},
            "liquidity_pool": 600_000,
            "liquidity_allocation_fraction": 0.5,
        },
        {
            "id": "B",
            "opening_balance": 500,
            "arrival_bands": {
                "urgent": BAND,
                "normal": {**BAND, "amount_distribution": AMOUNTS["LogNormal"]},
                "low": {**BAND, "amount_distribution": AMOUNTS["Exponential"]},
            },
            "multilateral_limit": 77,
            "bilateral_limits": {"C": 5},
        },
        {
            "id": "C",
            "opening_balance": 0,
            "arrival_config": {
                "rate_per_tick": 0,
                "amount_distribution": AMOUNTS["Uniform"],
                "deadline_range": [0, 0],
                "priority": 8,
            },
        },
    ],
    "cost_rates": {
        "overdraft_bps_per_tick": 0.5,
        "delay_cost_per_tick_per_cent": 0.25,
        "collateral_cost_per_tick_bps": 0.125,
        "liquidity_cost_per_tick_bps": 15,
        "eod_penalty": {"mode": "rate", "bps_per_event": 12.5},
        "deadline_penalty": {"mode": "fixed", "amount": 321},
        "split_friction_cost": 11,
        "overdue_delay_multiplier": 4,
        "eod_borrowing_bps": 9.5,
        "priority_delay_multipliers": {
            "urgent_multiplier": 3,
            "normal_multiplier": 2,
            "low_multiplier": 0.5,
        },
    },
    "lsm_config": {
        "enable_bilateral": False,
        "enable_cycles": True,
        "max_cycle_length": 5,
        "max_cycles_per_tick": 20,
    },
    "scenario_events": [
        {
            "type": "DirectTransfer",
            "from_agent": "A",
            "to_agent": "B",
            "amount": 100,
            "schedule": ONCE,
        },
        {
            "type": "CustomTransactionArrival",
            "from_agent": "A",
            "to_agent": "B",
            "amount": 100,
            "priority": 9,
            "deadline": 4,
            "is_divisible": True,
            "schedule": {"type": "Repeating", "start_tick": 1, "interval": 6},
        },
        {
            "type": "ScheduledSettlement",
            "from_agent": "C",
            "to_agent": "B",
            "amount": 100,
            "schedule": ONCE,
        },
        {"type": "CollateralAdjustment", "agent": "B", "delta": -50, "schedule": ONCE},
        {"type": "GlobalArrivalRateChange", "multiplier": 2, "schedule": ONCE},
        {"type": "AgentArrivalRateChange", "agent": "A", "multiplier": 0, "schedule": ONCE},
        {
            "type": "CounterpartyWeightChange",
            "agent": "A",
            "counterparty": "C",
            "new_weight": 3,
            "auto_balance_others": True,
            "schedule": ONCE,
        },
        {
            "type": "DeadlineWindowChange",
            "min_ticks_multiplier": 0.5,
            "max_ticks_multiplier": 2,
            "schedule": ONCE,
        },
    ],
    "policy_feature_toggles": {"exclude": ["Split"]},
    "cost_feature_toggles": {"exclude": ["split"]},
    "deferred_crediting": True,
    "deadline_cap_at_eod": True,
    "algorithm_sequencing": True,
    "entry_disposition_offsetting": True,
    "priority_mode": True,
    "queue1_ordering": "priority_deadline",
    "priority_escalation": {
        "enabled": True,
        "curve": "quadratic",
        "start_escalating_at_ticks": 6,
        "max_boost": 4,
    },
    "eod_rush_threshold": 0.75,
    "daily_liquidity_reallocation": False,
    "end_of_day": "borrow",
    "queue_discipline": "strict",
    "delay_applies_to": "queue1",
}

# Nothing in it is shared, so that a change in one place stays there.
FULL = json.loads(json.dumps(FULL))

#: As little as a scenario can say.
SMALL: dict[str, Any] = {
    "simulation": {"ticks_per_day": 10, "num_days": 2},
    "agents": [{"id": "A", "opening_balance": 0}, {"id": "B", "opening_balance": 0}],
}


def changed(data: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return a copy with another value at a path."""
    copied = copy.deepcopy(data)
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = copy.deepcopy(value)
    return copied


def without(data: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a copy without what stands at a path."""
    copied = copy.deepcopy(data)
    holder: Any = copied
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return copied


def small(**keys: Any) -> dict[str, Any]:
    """Return the small scenario with more keys."""
    return copy.deepcopy({**SMALL, **keys})


def with_agent(**keys: Any) -> dict[str, Any]:
    """Return the small scenario with more keys of bank A."""
    data = small()
    data["agents"][0].update(copy.deepcopy(keys))
    return data


def refusal(source: Any, **how: Any) -> str:
    """Return the one line with which a scenario is refused."""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(source, **how)
    message = str(caught.value)
    assert message.isprintable()
    assert caught.value.exit_code == 2
    return message
