"""Every key of a scenario file does something: changing it changes a run, or is refused."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario import Scenario, parse_scenario
from payment_simulator.simulation import simulate

Keys = dict[str, Any]


def _arrivals(*others: str, **more: Any) -> Keys:
    return {
        "rate_per_tick": 1.5,
        "amount_distribution": {"type": "Normal", "mean": 300, "std_dev": 150},
        "counterparty_weights": {bank: weight for weight, bank in enumerate(others, start=1)},
        "deadline_range": [0, 3],
        **more,
    }


def _band(**more: Any) -> Keys:
    return {
        "rate_per_tick": 0.8,
        "amount_distribution": {"type": "Uniform", "min": 50, "max": 500},
        "deadline_offset_min": 0,
        "deadline_offset_max": 3,
        "counterparty_weights": {"A": 1, "B": 1},
        "divisible": False,
        **more,
    }


BASE: Keys = {
    "simulation": {"ticks_per_day": 6, "num_days": 2, "rng_seed": 3},
    "agents": [
        {
            "id": "A",
            "opening_balance": 200,
            "unsecured_cap": 150,
            "posted_collateral": 300,
            "collateral_haircut": 0.1,
            "liquidity_pool": 400,
            "liquidity_allocation_fraction": 0.5,
            "arrival_config": _arrivals("B", "C"),
        },
        {"id": "B", "opening_balance": 300, "arrival_config": _arrivals("C", "A")},
        {
            "id": "C",
            "opening_balance": 300,
            "arrival_bands": {"urgent": _band(), "normal": _band(), "low": _band()},
        },
    ],
    "cost_rates": {
        "overdraft_bps_per_tick": 10.0,
        "delay_cost_per_tick_per_cent": 0.01,
        "collateral_cost_per_tick_bps": 5.0,
        "liquidity_cost_per_tick_bps": 3.0,
        "eod_penalty": 500,
        "deadline_penalty": 300,
        "split_friction_cost": 20,
        "overdue_delay_multiplier": 3.0,
        "priority_delay_multipliers": {
            "urgent_multiplier": 1.5,
            "normal_multiplier": 1.0,
            "low_multiplier": 0.5,
        },
    },
}
ARRIVALS = "agents.0.arrival_config"
AMOUNTS = f"{ARRIVALS}.amount_distribution"
PRIORITIES = f"{ARRIVALS}.priority_distribution"
BAND = "agents.2.arrival_bands.normal"
POLICY = "agents.0.policy"
SPLIT = {"type": "LiquiditySplitting", "max_splits": 3, "min_split_amount": 20}
DEADLINE = {"type": "Deadline", "urgency_threshold": 1}
POSTS = {
    "policy_id": "posts",
    "strategic_collateral_tree": {
        "action": "PostCollateral",
        "parameters": {"amount": {"value": 100}},
    },
    "payment_tree": {"action": "Release"},
}
RUSH = {
    "policy_id": "rush",
    "payment_tree": {
        "condition": {"op": "==", "left": {"field": "is_eod_rush"}, "right": {"value": 1}},
        "on_true": {"action": "Release"},
        "on_false": {"action": "Hold"},
    },
}
BY_CLASS = {
    "policy_id": "once",
    "payment_tree": {
        "condition": {"op": ">=", "left": {"field": "priority"}, "right": {"value": 7}},
        "on_true": {"action": "Release"},
        "on_false": {"action": "Hold"},
    },
}
BUDGET = {
    "policy_id": "budget",
    "bank_tree": {
        "action": "SetReleaseBudget",
        "parameters": {"max_value_to_release": {"value": 300}},
    },
    "payment_tree": {"action": "Release"},
}


def _inline(policy: Keys) -> Keys:
    return {"type": "Inline", "decision_trees": policy}


def _event(kind: str, tick: int = 2, **more: Any) -> Keys:
    return {"type": kind, "schedule": {"type": "OneTime", "tick": tick}, **more}


def _pays(kind: str, **more: Any) -> Keys:
    return _event(kind, from_agent="A", to_agent="B", amount=120, **more)


EVENT = "scenario_events.0"
CUSTOM = {"scenario_events": [_pays("CustomTransactionArrival")]}
LIMITED = {"agents.0.limits": {"bilateral_limits": {"B": 400}, "multilateral_limit": 600}}
#: Four banks without money, each of which owes the next.
RING: Keys = {
    "agents": [{"id": bank, "opening_balance": 0} for bank in "ABCD"],
    "scenario_events": [
        _event("CustomTransactionArrival", from_agent=payer, to_agent=payee, amount=10)
        for payer, payee in ("AB", "BC", "CD", "DA")
    ],
}
CYCLES = {"lsm_config": {"max_cycles_per_tick": 10}, "simulation.ticks_per_day": 12}
ESCALATES = {
    "queue1_ordering": "priority_deadline",
    POLICY: _inline(BY_CLASS),
    f"{ARRIVALS}.deadline_range": [0, 8],
    PRIORITIES: {"type": "Uniform", "min": 0, "max": 10},
    "priority_escalation": {
        "enabled": True,
        "curve": "linear",
        "start_escalating_at_ticks": 4,
        "max_boost": 3,
    },
}
RATE_PENALTY = {"cost_rates.eod_penalty": {"mode": "rate", "bps_per_event": 100.0}}
BANK_OF_FEW = {"agents.0.opening_balance": 0, "agents.0.unsecured_cap": 0}

#: Key -> what is set up first, the path that is changed, and what it is changed to.
CHANGES: dict[str, tuple[Keys, str, Any]] = {
    "Agent.id": ({}, "agents.1.id", "Bank B"),
    "Agent.opening_balance": ({}, "agents.0.opening_balance", 100),
    "Agent.unsecured_cap": ({}, "agents.0.unsecured_cap", 20),
    "Agent.policy": ({}, POLICY, DEADLINE),
    "Agent.arrival_config": ({}, ARRIVALS, None),
    "Agent.arrival_bands": ({}, "agents.2.arrival_bands", None),
    "Agent.posted_collateral": ({}, "agents.0.posted_collateral", 100),
    "Agent.collateral_haircut": ({}, "agents.0.collateral_haircut", 0.5),
    "Agent.max_collateral_capacity": (
        {POLICY: _inline(POSTS)}, "agents.0.max_collateral_capacity", 350,
    ),
    "Agent.limits": ({}, "agents.0.limits", {"multilateral_limit": 50}),
    "Agent.liquidity_pool": ({}, "agents.0.liquidity_pool", 900),
    "Agent.liquidity_allocation_fraction": ({}, "agents.0.liquidity_allocation_fraction", 0.9),
    "AgentArrivalRateChange.agent": (
        {"scenario_events": [_event("AgentArrivalRateChange", agent="A", multiplier=3.0)]},
        f"{EVENT}.agent", "B",
    ),
    "AgentArrivalRateChange.multiplier": (
        {"scenario_events": [_event("AgentArrivalRateChange", agent="A", multiplier=3.0)]},
        f"{EVENT}.multiplier", 0.0,
    ),
    "ArrivalBand.rate_per_tick": ({}, f"{BAND}.rate_per_tick", 2.0),
    "ArrivalBand.amount_distribution": (
        {}, f"{BAND}.amount_distribution", {"type": "Exponential", "lambda": 0.01},
    ),
    "ArrivalBand.deadline_offset_min": ({}, f"{BAND}.deadline_offset_min", 3),
    "ArrivalBand.deadline_offset_max": ({}, f"{BAND}.deadline_offset_max", 0),
    "ArrivalBand.counterparty_weights": ({}, f"{BAND}.counterparty_weights", {"A": 1}),
    "ArrivalBand.divisible": ({"agents.2.opening_balance": 0}, f"{BAND}.divisible", True),
    "ArrivalBands.urgent": ({}, "agents.2.arrival_bands.urgent", None),
    "ArrivalBands.normal": ({}, "agents.2.arrival_bands.normal", None),
    "ArrivalBands.low": ({}, "agents.2.arrival_bands.low", None),
    "ArrivalConfig.rate_per_tick": ({}, f"{ARRIVALS}.rate_per_tick", 0.5),
    "ArrivalConfig.amount_distribution": (
        {}, AMOUNTS, {"type": "LogNormal", "mean": 300, "std_dev": 100},
    ),
    "ArrivalConfig.counterparty_weights": ({}, f"{ARRIVALS}.counterparty_weights", {"B": 1}),
    "ArrivalConfig.deadline_range": ({}, f"{ARRIVALS}.deadline_range", [5, 9]),
    "ArrivalConfig.priority": ({}, f"{ARRIVALS}.priority", 9),
    "ArrivalConfig.priority_distribution": ({}, PRIORITIES, {"type": "Fixed", "value": 1}),
    "ArrivalConfig.divisible": (BANK_OF_FEW, f"{ARRIVALS}.divisible", True),
    "Categorical.type": (
        {PRIORITIES: {"type": "Categorical", "values": [1, 9], "weights": [1, 1]}},
        PRIORITIES, {"type": "Fixed", "value": 9},
    ),
    "Categorical.values": (
        {PRIORITIES: {"type": "Categorical", "values": [1, 9], "weights": [1, 1]}},
        f"{PRIORITIES}.values", [2, 5],
    ),
    "Categorical.weights": (
        {PRIORITIES: {"type": "Categorical", "values": [1, 9], "weights": [1, 1]}},
        f"{PRIORITIES}.weights", [0, 1],
    ),
    "CollateralAdjustment.agent": (
        {"scenario_events": [_event("CollateralAdjustment", agent="A", delta=50)]},
        f"{EVENT}.agent", "B",
    ),
    "CollateralAdjustment.delta": (
        {"scenario_events": [_event("CollateralAdjustment", agent="A", delta=50)]},
        f"{EVENT}.delta", -50,
    ),
    "CostRates.overdraft_bps_per_tick": ({}, "cost_rates.overdraft_bps_per_tick", 11.0),
    "CostRates.delay_cost_per_tick_per_cent": ({}, "cost_rates.delay_cost_per_tick_per_cent", 0.02),
    "CostRates.collateral_cost_per_tick_bps": ({}, "cost_rates.collateral_cost_per_tick_bps", 6.0),
    "CostRates.liquidity_cost_per_tick_bps": ({}, "cost_rates.liquidity_cost_per_tick_bps", 4.0),
    "CostRates.eod_penalty": ({}, "cost_rates.eod_penalty", 501),
    "CostRates.deadline_penalty": ({}, "cost_rates.deadline_penalty", 301),
    "CostRates.split_friction_cost": ({POLICY: SPLIT}, "cost_rates.split_friction_cost", 21),
    "CostRates.overdue_delay_multiplier": ({}, "cost_rates.overdue_delay_multiplier", 4.0),
    "CostRates.eod_borrowing_bps": (
        {"end_of_day": "borrow", "cost_rates.eod_borrowing_bps": 10.0},
        "cost_rates.eod_borrowing_bps", 20.0,
    ),
    "CostRates.priority_delay_multipliers": ({}, "cost_rates.priority_delay_multipliers", None),
    "CounterpartyWeightChange.agent": (
        {"scenario_events": [_event(
            "CounterpartyWeightChange", agent="A", counterparty="C", new_weight=0.0)]},
        f"{EVENT}.agent", "B",
    ),
    "CounterpartyWeightChange.counterparty": (
        {"scenario_events": [_event(
            "CounterpartyWeightChange", agent="A", counterparty="C", new_weight=0.0)]},
        f"{EVENT}.counterparty", "B",
    ),
    "CounterpartyWeightChange.new_weight": (
        {"scenario_events": [_event(
            "CounterpartyWeightChange", agent="A", counterparty="C", new_weight=0.0)]},
        f"{EVENT}.new_weight", 9.0,
    ),
    "CounterpartyWeightChange.auto_balance_others": (
        {"scenario_events": [_event(
            "CounterpartyWeightChange", agent="A", counterparty="C", new_weight=1.0)]},
        f"{EVENT}.auto_balance_others", True,
    ),
    "CustomTransactionArrival.from_agent": (CUSTOM, f"{EVENT}.from_agent", "C"),
    "CustomTransactionArrival.to_agent": (CUSTOM, f"{EVENT}.to_agent", "C"),
    "CustomTransactionArrival.amount": (CUSTOM, f"{EVENT}.amount", 130),
    "CustomTransactionArrival.priority": (CUSTOM, f"{EVENT}.priority", 8),
    "CustomTransactionArrival.deadline": (CUSTOM, f"{EVENT}.deadline", 1),
    "CustomTransactionArrival.is_divisible": (CUSTOM, f"{EVENT}.is_divisible", True),
    "DeadlinePolicy.urgency_threshold": ({POLICY: DEADLINE}, f"{POLICY}.urgency_threshold", 3),
    "DeadlineWindowChange.min_ticks_multiplier": (
        {f"{ARRIVALS}.deadline_range": [1, 9],
         "scenario_events": [_event("DeadlineWindowChange", max_ticks_multiplier=1.0)]},
        f"{EVENT}.min_ticks_multiplier", 5.0,
    ),
    "DeadlineWindowChange.max_ticks_multiplier": (
        {"scenario_events": [_event("DeadlineWindowChange", max_ticks_multiplier=1.0)]},
        f"{EVENT}.max_ticks_multiplier", 4.0,
    ),
    "DirectTransfer.from_agent": (
        {"scenario_events": [_pays("DirectTransfer")]}, f"{EVENT}.from_agent", "C",
    ),
    "DirectTransfer.to_agent": (
        {"scenario_events": [_pays("DirectTransfer")]}, f"{EVENT}.to_agent", "C",
    ),
    "DirectTransfer.amount": (
        {"scenario_events": [_pays("DirectTransfer")]}, f"{EVENT}.amount", 7,
    ),
    "Exponential.lambda": (
        {AMOUNTS: {"type": "Exponential", "lambda": 0.01}}, f"{AMOUNTS}.lambda", 0.002,
    ),
    "Fixed.value": ({PRIORITIES: {"type": "Fixed", "value": 1}}, f"{PRIORITIES}.value", 5),
    "FromJsonPolicy.json_path": (
        {POLICY: {"type": "FromJson", "json_path": "fifo"}},
        f"{POLICY}.json_path", "mock_splitting",
    ),
    "GlobalArrivalRateChange.multiplier": (
        {"scenario_events": [_event("GlobalArrivalRateChange", multiplier=2.0)]},
        f"{EVENT}.multiplier", 0.5,
    ),
    "InlineJsonPolicy.json_string": (
        {POLICY: {"type": "InlineJson", "json_string": json.dumps(POSTS)}},
        f"{POLICY}.json_string", json.dumps(RUSH),
    ),
    "InlinePolicy.decision_trees": (
        {POLICY: _inline(POSTS)}, f"{POLICY}.decision_trees", RUSH,
    ),
    "Limits.bilateral_limits": (LIMITED, "agents.0.limits.bilateral_limits", {"B": 100}),
    "Limits.multilateral_limit": (LIMITED, "agents.0.limits.multilateral_limit", 100),
    "LiquidityAwarePolicy.target_buffer": (
        {POLICY: {"type": "LiquidityAware", "target_buffer": 100, "urgency_threshold": 1}},
        f"{POLICY}.target_buffer", 600,
    ),
    "LiquidityAwarePolicy.urgency_threshold": (
        {POLICY: {"type": "LiquidityAware", "target_buffer": 400, "urgency_threshold": 0}},
        f"{POLICY}.urgency_threshold", 3,
    ),
    "LiquiditySplittingPolicy.max_splits": ({POLICY: SPLIT}, f"{POLICY}.max_splits", 2),
    "LiquiditySplittingPolicy.min_split_amount": (
        {POLICY: SPLIT}, f"{POLICY}.min_split_amount", 250,
    ),
    "LogNormal.mean": (
        {AMOUNTS: {"type": "LogNormal", "mean": 300, "std_dev": 90}}, f"{AMOUNTS}.mean", 400,
    ),
    "LogNormal.std_dev": (
        {AMOUNTS: {"type": "LogNormal", "mean": 300, "std_dev": 90}}, f"{AMOUNTS}.std_dev", 200,
    ),
    "LsmConfig.enable_bilateral": (CYCLES, "lsm_config.enable_bilateral", False),
    "LsmConfig.enable_cycles": (RING, "lsm_config.enable_cycles", False),
    "LsmConfig.max_cycle_length": (RING, "lsm_config.max_cycle_length", 3),
    "LsmConfig.max_cycles_per_tick": (
        {**CYCLES, "agents.0.opening_balance": 0, "agents.1.opening_balance": 0,
         "agents.2.opening_balance": 0, f"{ARRIVALS}.rate_per_tick": 6.0,
         "agents.1.arrival_config.rate_per_tick": 6.0, "agents.0.liquidity_pool": 0,
         "lsm_config.enable_bilateral": False},
        "lsm_config.max_cycles_per_tick", 1,
    ),
    "LsmConfig.algorithms": (
        {**RING, "lsm_config": {"algorithms": ["fifo"]}}, "lsm_config.algorithms",
        ["fifo", "multilateral"],
    ),
    "MockSplittingPolicy.num_splits": (
        {POLICY: {"type": "MockSplitting", "num_splits": 2}}, f"{POLICY}.num_splits", 4,
    ),
    "Normal.mean": ({}, f"{AMOUNTS}.mean", 350),
    "Normal.std_dev": ({}, f"{AMOUNTS}.std_dev", 50),
    "OneTime.tick": (CUSTOM, f"{EVENT}.schedule.tick", 4),
    "PaymentsFile.path": ({"payments_file": {"path": "one.csv"}}, "payments_file.path", "two.csv"),
    "PaymentsFile.columns": (
        {"payments_file": {"path": "one.csv"}}, "payments_file.columns", {"amount": "other"},
    ),
    "PaymentsFile.on_error": (
        {"payments_file": {"path": "bad.csv", "on_error": "skip"}},
        "payments_file.on_error", "refuse",
    ),
    "Penalty.mode": (
        RATE_PENALTY, "cost_rates.eod_penalty", {"mode": "fixed", "amount": 100},
    ),
    "Penalty.amount": (
        {"cost_rates.deadline_penalty": {"mode": "fixed", "amount": 10}},
        "cost_rates.deadline_penalty.amount", 20,
    ),
    "Penalty.bps_per_event": (RATE_PENALTY, "cost_rates.eod_penalty.bps_per_event", 200.0),
    "PriorityDelayMultipliers.urgent_multiplier": (
        {}, "cost_rates.priority_delay_multipliers.urgent_multiplier", 2.0,
    ),
    "PriorityDelayMultipliers.normal_multiplier": (
        {}, "cost_rates.priority_delay_multipliers.normal_multiplier", 2.0,
    ),
    "PriorityDelayMultipliers.low_multiplier": (
        {}, "cost_rates.priority_delay_multipliers.low_multiplier", 2.0,
    ),
    "PriorityEscalation.enabled": (ESCALATES, "priority_escalation.enabled", False),
    "PriorityEscalation.curve": (ESCALATES, "priority_escalation.curve", "step"),
    "PriorityEscalation.start_escalating_at_ticks": (
        ESCALATES, "priority_escalation.start_escalating_at_ticks", 8,
    ),
    "PriorityEscalation.max_boost": (ESCALATES, "priority_escalation.max_boost", 9),
    "Repeating.start_tick": (
        {"scenario_events": [{**_pays("CustomTransactionArrival"), "schedule": {
            "type": "Repeating", "start_tick": 1, "interval": 3}}]},
        f"{EVENT}.schedule.start_tick", 2,
    ),
    "Repeating.interval": (
        {"scenario_events": [{**_pays("CustomTransactionArrival"), "schedule": {
            "type": "Repeating", "start_tick": 1, "interval": 3}}]},
        f"{EVENT}.schedule.interval", 2,
    ),
    "Scenario.simulation": ({}, "simulation", {"ticks_per_day": 3, "num_days": 1}),
    "Scenario.agents": ({}, "agents.2.arrival_bands", None),
    "Scenario.cost_rates": ({}, "cost_rates", None),
    "Scenario.lsm_config": ({}, "lsm_config", {"algorithms": []}),
    "Scenario.scenario_events": ({}, "scenario_events", CUSTOM["scenario_events"]),
    "Scenario.policy_feature_toggles": (
        {}, "policy_feature_toggles", {"exclude": ["Release"]},
    ),
    "Scenario.cost_feature_toggles": ({}, "cost_feature_toggles", {"exclude": ["delay"]}),
    "Scenario.deferred_crediting": ({}, "deferred_crediting", True),
    "Scenario.deadline_cap_at_eod": ({}, "deadline_cap_at_eod", True),
    "Scenario.algorithm_sequencing": (
        {"lsm_config": {"algorithms": ["multilateral", "fifo", "bilateral"]},
         "simulation.ticks_per_day": 40}, "algorithm_sequencing", True,
    ),
    "Scenario.entry_disposition_offsetting": (
        {"lsm_config": {"algorithms": []}}, "entry_disposition_offsetting", True,
    ),
    "Scenario.priority_mode": (
        {PRIORITIES: {"type": "Uniform", "min": 0, "max": 10}}, "priority_mode", True,
    ),
    "Scenario.queue1_ordering": (
        {POLICY: _inline(BUDGET), PRIORITIES: {"type": "Uniform", "min": 0, "max": 10}},
        "queue1_ordering", "priority_deadline",
    ),
    "Scenario.priority_escalation": (
        {}, "priority_escalation", {"enabled": True, "curve": "cubic"},
    ),
    "Scenario.eod_rush_threshold": ({POLICY: _inline(RUSH)}, "eod_rush_threshold", 0.2),
    "Scenario.daily_liquidity_reallocation": ({}, "daily_liquidity_reallocation", False),
    "Scenario.end_of_day": ({}, "end_of_day", "borrow"),
    "Scenario.queue_discipline": ({}, "queue_discipline", "strict"),
    "Scenario.delay_applies_to": ({}, "delay_applies_to", "queue1"),
    "Scenario.payments_file": ({}, "payments_file", {"path": "one.csv"}),
    "ScheduledSettlement.from_agent": (
        {"scenario_events": [_pays("ScheduledSettlement")]}, f"{EVENT}.from_agent", "C",
    ),
    "ScheduledSettlement.to_agent": (
        {"scenario_events": [_pays("ScheduledSettlement")]}, f"{EVENT}.to_agent", "C",
    ),
    "ScheduledSettlement.amount": (
        {"scenario_events": [_pays("ScheduledSettlement")]}, f"{EVENT}.amount", 3,
    ),
    "SimulationConfig.ticks_per_day": ({}, "simulation.ticks_per_day", 7),
    "SimulationConfig.num_days": ({}, "simulation.num_days", 3),
    "SimulationConfig.rng_seed": ({}, "simulation.rng_seed", 4),
    "Toggles.include": (
        {"cost_feature_toggles": {"include": ["delay"]}}, "cost_feature_toggles.include",
        ["delay", "end_of_day"],
    ),
    "Toggles.exclude": (
        {"cost_feature_toggles": {"exclude": ["delay"]}}, "cost_feature_toggles.exclude",
        ["overdraft"],
    ),
    "Uniform.min": (
        {AMOUNTS: {"type": "Uniform", "min": 100, "max": 500}}, f"{AMOUNTS}.min", 400,
    ),
    "Uniform.max": (
        {AMOUNTS: {"type": "Uniform", "min": 100, "max": 500}}, f"{AMOUNTS}.max", 900,
    ),
    "UniformPriority.min": (
        {PRIORITIES: {"type": "Uniform", "min": 0, "max": 10}}, f"{PRIORITIES}.min", 8,
    ),
    "UniformPriority.max": (
        {PRIORITIES: {"type": "Uniform", "min": 0, "max": 10}}, f"{PRIORITIES}.max", 2,
    ),
}  # fmt: skip
#: Words that tell people what a scenario is; no number depends on them.
LABELS = {"Scenario.name", "Scenario.description", "Scenario.source"}


def change(keys: Keys, path: str, value: Any) -> None:
    """Set what a dotted path leads to, or remove it where the value is None."""
    *way, last = path.split(".")
    place: Any = keys
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    if isinstance(place, list) and int(last) == len(place):
        place.append(value)
    elif value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value


@pytest.fixture
def folder(tmp_path):
    head = "day,tick,sender,receiver,amount,other\n"
    (tmp_path / "one.csv").write_text(head + "0,1,A,B,100,200\n")
    (tmp_path / "two.csv").write_text(head + "0,1,A,C,100,200\n")
    (tmp_path / "bad.csv").write_text(head + "0,1,A,B,100,200\n0,1,A,A,100,200\n")
    return tmp_path


def outcome(keys: Keys, folder) -> str:
    """Return a hash of all that happened in a run, or the refusal."""
    try:
        run = simulate(parse_scenario(copy.deepcopy(keys), folder=folder))
    except ScenarioError as error:
        return f"refused: {error}"
    digest = hashlib.sha256(repr(run.scenario.bank_ids).encode())
    for array in (run.cost, run.pay, run.trace, run.log):
        digest.update(array.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("key", CHANGES)
def test_changing_the_key_changes_the_run_or_is_refused(key, folder):
    setup, path, value = CHANGES[key]
    keys = copy.deepcopy(BASE)
    for where, what in setup.items():
        change(keys, where, copy.deepcopy(what))
    before = outcome(keys, folder)
    assert not before.startswith("refused"), before
    change(keys, path, copy.deepcopy(value))
    assert outcome(keys, folder) != before


def test_every_key_stands_in_the_table():
    schema = Scenario.model_json_schema(by_alias=True)
    sections = {"Scenario": schema, **schema["$defs"]}
    keys = {f"{name}.{key}" for name, of in sections.items() for key in of.get("properties", {})}
    # The word `type` chooses a section, and a section has keys of its own; `schedule` likewise.
    keys -= {key for key in keys if key.endswith((".type", ".schedule"))}
    assert keys - LABELS == set(CHANGES) - {"Categorical.type"}


def test_words_change_no_number(folder):
    before = outcome(BASE, folder)
    for key in LABELS:
        word = {key.removeprefix("Scenario."): "other"}
        assert outcome({**BASE, **word}, folder) == before
