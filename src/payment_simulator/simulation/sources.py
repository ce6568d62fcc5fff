"""Where payments come from, as arrays: random sources, scheduled events, the payments file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from payment_simulator.errors import ScenarioError
from payment_simulator.kernels import draw
from payment_simulator.kernels.elementary import logarithm
from payment_simulator.kernels.layout import (
    A_N,
    A_TICK,
    ACT_COLLATERAL,
    ACT_TRANSFER,
    NONE,
    Floats,
    Ints,
)
from payment_simulator.scenario import Agent, Scenario
from payment_simulator.scenario.event_kinds import (
    AgentArrivalRateChange,
    CollateralAdjustment,
    CounterpartyWeightChange,
    CustomTransactionArrival,
    DeadlineWindowChange,
    DirectTransfer,
    GlobalArrivalRateChange,
    ScheduledSettlement,
)
from payment_simulator.scenario.events import expand_events

_BANDS = (("urgent", 8, 10), ("normal", 4, 7), ("low", 0, 3))
_PRIORITIES = 11
#: The engine's own logarithm, also where Numba compiles it: distributions are prepared with the
#: same bits as amounts are drawn.
_log = getattr(logarithm, "py_func", logarithm)


def make_sources(scenario: Scenario) -> draw.Sources:
    """Return what the engine draws arrivals from."""
    index = {bank: i for i, bank in enumerate(scenario.bank_ids)}
    n = scenario.n_banks
    rows: list[list[int]] = []
    shapes: list[list[float]] = []
    weights: list[list[float]] = []
    priorities: list[list[float]] = []
    for i, agent in enumerate(scenario.agents):
        for stream, config, window, priority in _streams(agent):
            code, first, second = _amount(config.amount_distribution)
            row = [i, stream, code, *window, int(config.divisible), 0, 0, NONE]
            _set_priority(row, priority, priorities)
            rows.append(row)
            shapes.append([config.rate_per_tick, first, second])
            weights.append(_weights(config.counterparty_weights, index, i, n))
    changes = _changes(scenario, index)
    weight0 = _floats(weights, n)
    _check_weights(scenario, np.array([row[0] for row in rows]), weight0, changes)
    fixed = fixed_payments(scenario)
    return draw.Sources(
        source=_ints(rows, draw.O_N),
        shape=_floats(shapes, 3),
        weight0=weight0,
        weight=weight0.copy(),
        total=np.zeros_like(weight0),
        priority=_floats(priorities, _PRIORITIES),
        factor=np.ones(3 + n),
        change=_ints([row for row, _ in changes], 4),
        change_to=_floats([to for _, to in changes], 2),
        fixed=fixed,
        fixed_start=starts(fixed[:, A_TICK], scenario.n_ticks),
        number=np.array(
            [
                scenario.simulation.ticks_per_day,
                scenario.n_ticks,
                int(scenario.deadline_cap_at_eod),
                scenario.simulation.num_days,
            ],
            dtype=np.int64,
        ),
    )


def starts(ticks: Ints, n_ticks: int) -> Ints:
    """Return the first row of each tick, and the end, for rows in the order of their ticks."""
    return np.searchsorted(ticks, np.arange(n_ticks + 1)).astype(np.int64)


def _ints(rows: Sequence[Sequence[int]], columns: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(len(rows), columns)


def _floats(rows: Sequence[Sequence[float]], columns: int) -> Floats:
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)


def _streams(agent: Agent) -> list[tuple[int, Any, tuple[int, int], Any]]:
    """Return stream, configuration, deadline window and priorities of each source of a bank."""
    if agent.arrival_config is not None:
        config = agent.arrival_config
        return [(0, config, config.deadline_range, config.priority_distribution)]
    found = []
    for stream, (name, low, high) in enumerate(_BANDS, start=1):
        band = getattr(agent.arrival_bands, name, None)
        if band is not None:
            window = (band.deadline_offset_min, band.deadline_offset_max)
            found.append((stream, band, window, (low, high)))
    return found


def _amount(distribution: Any) -> tuple[int, float, float]:
    """Return code and two numbers of a distribution of amounts."""
    kind = distribution.type
    if kind == "Uniform":
        return draw.AMOUNT_UNIFORM, float(distribution.min), float(distribution.max)
    if kind == "Exponential":
        return draw.AMOUNT_EXPONENTIAL, float(distribution.rate), 0.0
    mean, deviation = float(distribution.mean), float(distribution.std_dev)
    if kind == "Normal":
        return draw.AMOUNT_NORMAL, mean, deviation
    variance = _log(1.0 + (deviation / mean) ** 2)
    return draw.AMOUNT_LOGNORMAL, _log(mean) - variance / 2.0, math.sqrt(variance)


def _set_priority(row: list[int], priority: Any, priorities: list[list[float]]) -> None:
    """Write a distribution of priorities into the row of a source."""
    if isinstance(priority, tuple):
        row[draw.O_PRIORITY_MIN], row[draw.O_PRIORITY_MAX] = priority
    elif priority.type == "Fixed":
        row[draw.O_PRIORITY_MIN] = row[draw.O_PRIORITY_MAX] = priority.value
    elif priority.type == "Uniform":
        row[draw.O_PRIORITY_MIN], row[draw.O_PRIORITY_MAX] = priority.min, priority.max
    else:
        weights = [0.0] * _PRIORITIES
        for value, weight in zip(priority.values, priority.weights, strict=True):
            weights[value] += weight
        running, total = [], 0.0
        for weight in weights:
            total += weight
            running.append(total)
        row[draw.O_PRIORITIES] = len(priorities)
        priorities.append(running)


def _weights(given: Any, index: dict[str, int], i: int, n: int) -> list[float]:
    """Return the weight of every bank as receiver; without any, all others weigh 1."""
    if not given:
        return [0.0 if j == i else 1.0 for j in range(n)]
    weights = [0.0] * n
    for bank, weight in given.items():
        weights[index[bank]] = float(weight)
    return weights


def _changes(scenario: Scenario, index: dict[str, int]) -> list[tuple[list[int], list[float]]]:
    """Return the events that change how payments are drawn, in order."""
    changes = []
    for tick, event in expand_events(scenario):
        if isinstance(event, GlobalArrivalRateChange):
            changes.append(([tick, draw.CHANGE_RATE_ALL, NONE, NONE], [event.multiplier, 0.0]))
        elif isinstance(event, AgentArrivalRateChange):
            row = [tick, draw.CHANGE_RATE, index[event.agent], NONE]
            changes.append((row, [event.multiplier, 0.0]))
        elif isinstance(event, CounterpartyWeightChange):
            balances = event.auto_balance_others
            code = draw.CHANGE_WEIGHT_BALANCED if balances else draw.CHANGE_WEIGHT
            row = [tick, code, index[event.agent], index[event.counterparty]]
            changes.append((row, [event.new_weight, 0.0]))
        elif isinstance(event, DeadlineWindowChange):
            ends = (event.min_ticks_multiplier, event.max_ticks_multiplier)
            to = [-1.0 if end is None else float(end) for end in ends]
            changes.append(([tick, draw.CHANGE_WINDOW, NONE, NONE], to))
    return changes


def _check_weights(
    scenario: Scenario,
    bank: Ints,
    weight0: Floats,
    changes: list[tuple[list[int], list[float]]],
) -> None:
    """Refuse events that leave a bank with payments and nobody to pay."""
    weight = weight0.copy()
    for (tick, kind, i, j), (value, _) in changes:
        if kind == draw.CHANGE_WEIGHT:
            weight[bank == i, j] = value
        elif kind == draw.CHANGE_WEIGHT_BALANCED:
            for s in np.flatnonzero(bank == i):
                whole, others = weight[s].sum(), weight[s].sum() - weight[s, j]
                weight[s] *= max(whole - value, 0.0) / others if others > 0 else 1.0
                weight[s, j] = value
        if np.any(weight.sum(axis=1) <= 0.0):
            raise ScenarioError(
                f"{scenario.name}, scenario_events: the CounterpartyWeightChange of "
                f"{scenario.bank_ids[i]} at tick {tick} leaves all its weights at 0; expected at "
                "least one counterparty with a positive weight"
            )


def fixed_payments(scenario: Scenario) -> Ints:
    """Return the payments of events and of the payments file, in the order in which they arrive.

    Returns
    -------
    ndarray[int64], shape (payments, A_N)
    """
    index = {bank: i for i, bank in enumerate(scenario.bank_ids)}
    length = scenario.simulation.ticks_per_day
    rows = []
    for tick, event in expand_events(scenario):
        if not isinstance(event, CustomTransactionArrival | ScheduledSettlement):
            continue
        last = tick - tick % length + length - 1
        ends = [index[event.from_agent], index[event.to_agent], event.amount]
        if isinstance(event, ScheduledSettlement):
            rows.append([*ends, last, 10, 0, 1, tick])
        else:
            deadline = last if event.deadline is None else tick + event.deadline
            if scenario.deadline_cap_at_eod:
                deadline = min(deadline, last)
            rows.append([*ends, deadline, event.priority, int(event.is_divisible), 0, tick])
    for paid in scenario.payments:
        last = paid.tick - paid.tick % length + length - 1
        deadline = paid.tick + paid.deadline_offset
        if scenario.deadline_cap_at_eod:
            deadline = min(deadline, last)
        ends = [paid.sender, paid.receiver, paid.amount]
        rows.append([*ends, deadline, paid.priority, int(paid.divisible), 0, paid.tick])
    rows.sort(key=lambda row: row[A_TICK])
    return _ints(rows, A_N)


def scheduled_actions(scenario: Scenario) -> tuple[Ints, Ints]:
    """Return transfers and changes of collateral, and the first of each tick."""
    index = {bank: i for i, bank in enumerate(scenario.bank_ids)}
    rows = []
    for tick, event in expand_events(scenario):
        if isinstance(event, DirectTransfer):
            ends = [index[event.from_agent], index[event.to_agent]]
            rows.append([tick, ACT_TRANSFER, *ends, event.amount])
        elif isinstance(event, CollateralAdjustment):
            rows.append([tick, ACT_COLLATERAL, index[event.agent], NONE, event.delta])
    table = _ints(rows, 5)
    return table, starts(table[:, 0], scenario.n_ticks)
