"""The engine and its twin side by side: what of a run is compared, and what differs."""

from __future__ import annotations

from typing import Any

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
    found = []
    for tick, row in enumerate(twin.balances):
        for name, column, values in (
            ("balance", k.T_BALANCE, row),
            ("posted", k.T_POSTED, twin.posted[tick]),
            ("queue 1", k.T_Q1_VALUE, twin.queue1_value[tick]),
            ("queue 2", k.T_Q2_VALUE, twin.queue2_value[tick]),
        ):
            engine = run.trace[tick, :, column].tolist()
            if engine != values:
                found.append(f"tick {tick}, {name}: engine {engine}, twin {values}")
    if len(run.pay) != len(twin.payments):
        found.append(f"payments: engine {len(run.pay)}, twin {len(twin.payments)}")
    for number, row in enumerate(run.pay.tolist()[: len(twin.payments)]):
        engine_life, twin_life = life_in_engine(row), life_in_twin(twin, number)
        for what in twin_life:
            if engine_life[what] != twin_life[what]:
                found.append(
                    f"payment {number}, {what}: engine {engine_life[what]}, twin {twin_life[what]}"
                )
    for day, of_day in enumerate(twin.costs):
        for bank, of_bank in enumerate(of_day):
            for kind, cents in zip(KINDS, of_bank, strict=True):
                charged = float(run.cost[day, bank, KINDS.index(kind)])
                if charged.hex() != float(cents).hex():
                    found.append(
                        f"day {day}, bank {bank}, {kind}: engine {charged!r}, twin {cents!r}"
                    )
    return found


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
