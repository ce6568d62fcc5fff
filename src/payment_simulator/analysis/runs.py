"""A recorded simulation run: its banks through the day, its costs, its payments."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from types import MappingProxyType

from payment_simulator.ai_cash_mgmt import (
    GameRepository,
    SimulationEventRecord,
    SimulationRunRecord,
    TransactionRecord,
)
from payment_simulator.errors import InputError, RunNotFoundError
from payment_simulator.persistence.queries import named_queries

#: Points of one line, at most; more cannot be told apart.
MOST_POINTS = 4000
#: Events of one payment that are read.
MOST_EVENTS = 1000
#: What payments can be sorted by, and the column.
PAYMENT_SORTS: Mapping[str, str] = MappingProxyType(
    {
        "number": "payment_number",
        "amount": "amount_cents",
        "arrival": "arrival_tick",
        "settled": "settled_tick",
        "wait": "settled_tick - arrival_tick",
        "priority": "priority",
        "cost": "delay_cost + penalty_cost",
    }
)
_LAST_TICK = 2**31 - 1


@dataclass(frozen=True)
class RunRow:
    """A run in a list.

    Attributes
    ----------
    run_id : str
    game_id, agent_id : str or None
        What it was run for.
    iteration_number : int or None
    purpose, scenario_config : str
    master_seed, num_days, ticks_per_day, num_agents, num_payments, num_settled : int
    total_cost : float
        Of all banks (cents).
    started_at : datetime
    """

    run_id: str
    game_id: str | None
    agent_id: str | None
    iteration_number: int | None
    purpose: str
    scenario_config: str
    master_seed: int
    num_days: int
    ticks_per_day: int
    num_agents: int
    num_payments: int
    num_settled: int
    total_cost: float
    started_at: datetime


@dataclass(frozen=True)
class BankSeries:
    """One bank at the end of ticks, in columns of equal length.

    Attributes
    ----------
    tick : tuple of int
    balance_cents, credit_limit_cents, posted_collateral_cents : tuple of int
    queue1_count, queue1_cents, queue2_count, queue2_cents : tuple of int
    """

    tick: tuple[int, ...]
    balance_cents: tuple[int, ...]
    credit_limit_cents: tuple[int, ...]
    posted_collateral_cents: tuple[int, ...]
    queue1_count: tuple[int, ...]
    queue1_cents: tuple[int, ...]
    queue2_count: tuple[int, ...]
    queue2_cents: tuple[int, ...]


@dataclass(frozen=True)
class PaymentLife:
    """One payment and what became of it.

    Attributes
    ----------
    payment : TransactionRecord
    events : tuple of SimulationEventRecord
        In order.
    parts : tuple of TransactionRecord
        What it was split into.
    """

    payment: TransactionRecord
    events: tuple[SimulationEventRecord, ...]
    parts: tuple[TransactionRecord, ...]


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments of a run are meant.

    Attributes
    ----------
    sender, receiver, status : str, optional
    first_tick, last_tick : int
        When they arrived.
    """

    sender: str | None = None
    receiver: str | None = None
    status: str | None = None
    first_tick: int = 0
    last_tick: int = _LAST_TICK

    def values(self) -> list[str | int | None]:
        """Return what the queries bind."""
        return [self.sender, self.receiver, self.status, self.first_tick, self.last_tick]


def list_runs(
    repo: GameRepository, *, game_id: str | None = None, limit: int = 100, offset: int = 0
) -> list[RunRow]:
    """Return runs, of one game if it is given, newest first."""
    return [RunRow(*row) for row in repo.read(_sql("list_runs"), (game_id, limit, offset))]


def count_runs(repo: GameRepository, *, game_id: str | None = None) -> int:
    """Return how many runs :func:`list_runs` would list without end."""
    [(number,)] = repo.read(_sql("count_runs"), (game_id,))
    return int(number)


def get_run(repo: GameRepository, run_id: str) -> SimulationRunRecord:
    """Return a run.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    run = repo.get_simulation_run(run_id)
    if run is None:
        raise RunNotFoundError(run_id)
    return run


def run_banks(repo: GameRepository, run_id: str) -> list[str]:
    """Return the banks of a run in the order of names."""
    return [bank for (bank,) in repo.read(_sql("banks"), (run_id,))]


def bank_series(
    repo: GameRepository,
    run: SimulationRunRecord,
    banks: Sequence[str],
    first_day: int,
    last_day: int,
) -> dict[str, BankSeries]:
    """Return banks through some days of a run.

    Where the days have more than :data:`MOST_POINTS` ticks, a point stands for some of them and is
    the last of these.

    Returns
    -------
    dict of str to BankSeries
        By bank, in the order of names; banks of which there is no state are left out.
    """
    ticks = (last_day - first_day + 1) * run.ticks_per_day
    ticks_per_point = max(1, math.ceil(ticks / MOST_POINTS))
    values = (run.run_id, json.dumps(list(banks)), first_day, last_day, ticks_per_point)
    by_bank: dict[str, list[tuple[int, ...]]] = {}
    for bank, *columns in repo.read(_sql("states"), values):
        by_bank.setdefault(bank, []).append(tuple(columns))
    return {bank: BankSeries(*zip(*rows, strict=True)) for bank, rows in by_bank.items()}


def throughput(
    repo: GameRepository, run: SimulationRunRecord, first_day: int, last_day: int
) -> list[float]:
    """Return the share of a day's settled value that had settled by each tick of the day.

    Returns
    -------
    list of float
        By tick of the day, the mean over the days on which something settled; empty where nothing
        did.
    """
    settled: dict[int, list[int]] = {}
    values = (run.run_id, first_day, last_day)
    for day, tick, cents in repo.read(_sql("settled_values"), values):
        settled.setdefault(day, [0] * run.ticks_per_day)[tick % run.ticks_per_day] = cents
    curves = [
        [so_far / sum(day) for so_far in accumulate(day)] for day in settled.values() if sum(day)
    ]
    return [math.fsum(shares) / len(curves) for shares in zip(*curves, strict=True)]


def run_costs(repo: GameRepository, run_id: str) -> dict[str, dict[str, float]]:
    """Return what each bank paid for each kind of cost over all days (cents)."""
    found: dict[str, dict[str, float]] = {}
    for bank, kind, costs in repo.read(_sql("costs"), (run_id,)):
        found.setdefault(bank, {})[kind] = math.fsum(costs)
    return found


def list_payments(
    repo: GameRepository,
    run_id: str,
    chosen: PaymentFilter,
    *,
    sort: str = "number",
    descending: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> list[TransactionRecord]:
    """Return payments of a run.

    Raises
    ------
    InputError
        The order is none of :data:`PAYMENT_SORTS`.
    """
    if sort not in PAYMENT_SORTS:
        raise InputError(f"sort: {sort!r} is not one of: {', '.join(PAYMENT_SORTS)}")
    order = f"{PAYMENT_SORTS[sort]} {'DESC' if descending else 'ASC'}"
    sql = _sql("payments").format(
        columns=_PAYMENT_COLUMNS, chosen=_sql("chosen_payments"), order=order
    )
    rows = repo.read(sql, [run_id, *chosen.values(), limit, offset])
    return [TransactionRecord.from_row(row) for row in rows]


def count_payments(repo: GameRepository, run_id: str, chosen: PaymentFilter) -> tuple[int, int]:
    """Return how many payments there are, and their value (cents)."""
    sql = _sql("count_payments").format(chosen=_sql("chosen_payments"))
    [(number, cents)] = repo.read(sql, [run_id, *chosen.values()])
    return int(number), int(cents)


def payment_life(repo: GameRepository, run_id: str, payment_number: int) -> PaymentLife:
    """Return one payment with all that happened to it.

    Raises
    ------
    InputError
        The run has no such payment.
    """
    key = (run_id, payment_number)
    found = repo.read(_sql("payment").format(columns=_PAYMENT_COLUMNS), key)
    if not found:
        raise InputError(f"payment {payment_number} is not in run {run_id!r}")
    events = repo.read(
        _sql("events_of_payment").format(columns=_EVENT_COLUMNS), (*key, MOST_EVENTS)
    )
    parts = repo.read(_sql("parts").format(columns=_PAYMENT_COLUMNS), key)
    return PaymentLife(
        TransactionRecord.from_row(found[0]),
        tuple(SimulationEventRecord.from_row(row) for row in events),
        tuple(TransactionRecord.from_row(row) for row in parts),
    )


_PAYMENT_COLUMNS = ", ".join(TransactionRecord.table().columns)
_EVENT_COLUMNS = ", ".join(SimulationEventRecord.table().columns)


def _sql(name: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "runs.sql")[name]
