"""What a run came to: costs by day, bank and kind, and the whole story as Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from payment_simulator.kernels import layout as k
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation.tables import (
    ColumnData,
    cost_columns,
    event_columns,
    payment_columns,
    state_columns,
)
from payment_simulator.simulation.worlds import COST_KINDS

if TYPE_CHECKING:
    from arro3.core import Table


@dataclass(frozen=True)
class Run:
    """One run of a scenario, as far as it was played.

    Attributes
    ----------
    scenario, policies, seed, sample
        What was played.
    n_ticks : int
        Ticks played.
    cost : ndarray[float64], shape (days, banks, 7), cents
        By kind in the order of :data:`COST_KINDS`.
    balance : ndarray[int64], shape (banks,), cents
        At the end.
    pay : ndarray[int64], shape (payments, P_N)
        Every payment; columns in :mod:`payment_simulator.kernels.layout`.
    stat : ndarray[int64], shape (banks, S_N)
        Counts and sums; columns in the same place.
    delay : ndarray[float64], shape (banks, 2), cents x ticks
        Settled value times the ticks from arrival, and from release, to settlement.
    log, trace, bill, toll : ndarray
        Events, states of banks by tick, their costs of the day so far, costs by payment.
    """

    scenario: Scenario
    policies: tuple[Policy, ...]
    seed: int
    sample: int
    n_ticks: int
    cost: k.Floats
    balance: k.Ints
    pay: k.Ints
    stat: k.Ints
    delay: k.Floats
    log: k.Ints
    trace: k.Ints
    bill: k.Floats
    toll: k.Floats

    @classmethod
    def of_world(
        cls,
        scenario: Scenario,
        policies: tuple[Policy, ...],
        seed: int,
        sample: int,
        n_ticks: int,
        w: k.World,
    ) -> Run:
        """Copy what a world holds."""
        made, logged = int(w.clock[k.C_PAYMENTS]), int(w.clock[k.C_LOG])
        return cls(
            scenario=scenario,
            policies=policies,
            seed=seed,
            sample=sample,
            n_ticks=n_ticks,
            cost=costs_by_day(w.sums),
            balance=w.bank[:, k.B_BALANCE].copy(),
            pay=w.pay[:made].copy(),
            stat=w.bank[:, k.B_STAT :].copy(),
            delay=w.sums[:, k.U_DELAY : k.U_COST].copy(),
            log=w.log[:logged].copy(),
            trace=w.trace[:n_ticks].copy(),
            bill=w.bill[:n_ticks].copy(),
            toll=w.note[:made, k.N_DELAY :].copy(),
        )

    @property
    def costs(self) -> dict[str, dict[str, float]]:
        """Cost of each bank by kind, all days together (cents)."""
        total = sum_days(self.cost)
        return {
            bank: dict(zip(COST_KINDS, total[i].tolist(), strict=True))
            for i, bank in enumerate(self.scenario.bank_ids)
        }

    @property
    def total_costs(self) -> dict[str, float]:
        """Cost of each bank, all kinds and days together (cents)."""
        return {bank: total(kinds) for bank, kinds in self.costs.items()}

    def payments(self) -> Table:
        """Return the life of every payment, one row each.

        Returns
        -------
        arro3.core.Table
            Columns as in the record's table ``transactions``, without ``run_id``.
        """
        return _table(payment_columns(self))

    def events(self) -> Table:
        """Return all that happened, in order; columns as in ``simulation_events``."""
        return _table(event_columns(self))

    def states(self) -> Table:
        """Return every bank at the end of every tick; columns as in ``bank_states``."""
        return _table(state_columns(self))

    def daily_costs(self) -> Table:
        """Return costs by day, bank and kind; columns as in ``daily_costs``."""
        return _table(cost_columns(self))


def costs_by_day(sums: k.Floats) -> k.Floats:
    """Return the engine's sums as costs by day, bank and kind (cents)."""
    by_bank = sums[:, k.U_COST :].reshape(len(sums), -1, k.K_N)
    return np.ascontiguousarray(by_bank.transpose(1, 0, 2))


def sum_days(cost: k.Floats) -> k.Floats:
    """Return costs of all days together, added in the order of the days."""
    total = np.zeros(cost.shape[1:])
    for day in cost:
        total = total + day
    return total


def total(kinds: Mapping[str, float]) -> float:
    """Return the sum over the kinds of cost, in their order."""
    cents = 0.0
    for kind in COST_KINDS:
        cents += kinds[kind]
    return cents


def _table(columns: ColumnData) -> Table:
    from arro3.core import Array, DataType, Table  # noqa: PLC0415 - 20 ms for those who want it

    types: dict[str, Any] = {
        "text": DataType.utf8(),
        "count": DataType.int32(),
        "cents": DataType.int64(),
        "number": DataType.float64(),
        "flag": DataType.bool(),
    }
    return Table.from_pydict(
        {name: Array(list(values), type=types[kind]) for name, (kind, values) in columns.items()}
    )


def policies_json(policies: tuple[Policy, ...], bank_ids: tuple[str, ...]) -> str:
    """Return the policies of a run as one JSON object by bank."""
    from payment_simulator.policy import to_dict  # noqa: PLC0415

    pairs = zip(bank_ids, policies, strict=True)
    return json.dumps({bank: to_dict(policy) for bank, policy in pairs})
