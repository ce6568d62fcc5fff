"""The engine and its twin side by side: what of a run is compared, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from payment_simulator.errors import SimulationError
from payment_simulator.kernels import layout as k
from payment_simulator.simulation import Run, Simulation
from tests.reference.twin import KINDS, TwinResult, run_twin
from tests.strategies.scenarios import Case

STATES = ("queue1", "queue2", "settled", "dropped", "split")


def play_engine(case: Case) -> Run:
    """Play a case with the engine."""
    run = Simulation(case.scenario, case.policies, seed=case.seed, sample=case.sample)
    if case.switch is not None:
        tick, others = case.switch
        run.run_until(tick)
        run.set_policies(others)
    return run.run_until().result()


def play_twin(case: Case) -> TwinResult:
    """Play a case with the twin."""
    return run_twin(
        case.scenario,
        case.policies,
        seed=case.seed,
        sample=case.sample,
        policies_from=None if case.switch is None else {case.switch[0]: case.switch[1]},
    )


def differences(run: Run, twin: TwinResult) -> list[str]:
    """Name every number in which two runs differ."""
    return [*_in_states(run, twin), *_in_payments(run, twin), *_in_costs(run, twin)]


def _in_states(run: Run, twin: TwinResult) -> Iterator[str]:
    """Compare the banks at the end of every tick."""
    columns = (
        ("balance", k.T_BALANCE, twin.balances),
        ("posted", k.T_POSTED, twin.posted),
        ("queue 1", k.T_Q1_VALUE, twin.queue1_value),
        ("queue 2", k.T_Q2_VALUE, twin.queue2_value),
    )
    for name, column, values in columns:
        for tick, of_tick in enumerate(values):
            engine = run.trace[tick, :, column].tolist()
            if engine != of_tick:
                yield f"tick {tick}, {name}: engine {engine}, twin {of_tick}"


def _in_payments(run: Run, twin: TwinResult) -> Iterator[str]:
    """Compare the lives of the payments."""
    if len(run.pay) != len(twin.payments):
        yield f"payments: engine {len(run.pay)}, twin {len(twin.payments)}"
        return
    for number, row in enumerate(run.pay.tolist()):
        engine = life_in_engine(row)
        for what, value in life_in_twin(twin, number).items():
            if engine[what] != value:
                yield f"payment {number}, {what}: engine {engine[what]}, twin {value}"


def _in_costs(run: Run, twin: TwinResult) -> Iterator[str]:
    """Compare the costs, to the bit."""
    for day, bank, place in np.ndindex(run.cost.shape):
        engine, other = float(run.cost[day, bank, place]), float(twin.costs[day][bank][place])
        if engine.hex() != other.hex():
            yield f"day {day}, bank {bank}, {KINDS[place]}: engine {engine!r}, twin {other!r}"


def life_in_engine(row: list[int]) -> dict[str, Any]:
    """Return a payment of the engine with the twin's words."""
    return {
        "sender": row[k.P_SENDER],
        "receiver": row[k.P_RECEIVER],
        "amount": row[k.P_AMOUNT],
        "remaining": row[k.P_LEFT],
        "arrival": row[k.P_ARRIVAL],
        "deadline": row[k.P_DEADLINE],
        "arrived priority": row[k.P_ARRIVED_PRIORITY],
        "priority": row[k.P_PRIORITY],
        "class": row[k.P_CLASS],
        "state": STATES[row[k.P_STATE]],
        "released": _optional(row[k.P_RELEASED]),
        "settled": _optional(row[k.P_SETTLED]),
        "parent": _optional(row[k.P_PARENT]),
        "divisible": bool(row[k.P_DIVISIBLE]),
    }


def life_in_twin(twin: TwinResult, number: int) -> dict[str, Any]:
    """Return a payment of the twin."""
    p = twin.payments[number]
    life = {
        "sender": p.sender,
        "receiver": p.receiver,
        "amount": p.amount,
        "remaining": p.remaining,
        "arrival": p.arrival_tick,
        "deadline": p.deadline_tick,
        "arrived priority": p.arrived_priority,
        "priority": p.priority,
        "state": p.state,
        "released": p.release_tick,
        "settled": p.settle_tick,
        "parent": p.parent,
        "divisible": p.divisible,
    }
    # A reserved payment has its class already in the engine; the twin keeps it apart.
    if p.rtgs_class is not None and p.reserved_tick is None:
        life["class"] = p.rtgs_class
    return life


def _optional(tick: int) -> int | None:
    return None if tick == k.NONE else tick


def disagreement(case: Case) -> list[str]:
    """Play a case with both and say in what they differ; errors count too."""
    engine, engine_error = _try(play_engine, case)
    twin, twin_error = _try(play_twin, case)
    if engine_error or twin_error:
        if bool(engine_error) != bool(twin_error):
            return [f"errors: engine {engine_error!r}, twin {twin_error!r}"]
        return []
    return differences(engine, twin)


def _try(play: Any, case: Case) -> tuple[Any, str]:
    try:
        return play(case), ""
    except SimulationError as error:
        return None, str(error)
