"""Measures that need what a run writes down tick by tick, and event by event.

References
----------
.. [1] H. Leinonen and K. Soramäki, *Simulating interbank payment and securities settlement
   mechanisms with the BoF-PSS2 simulator*, Bank of Finland Discussion Papers 23/2003.
.. [2] Basel Committee on Banking Supervision, *Monitoring tools for intraday liquidity
   management*, BCBS 248, 2013.
.. [3] A. Ball, E. Denbee, M. Manning and A. Wetherilt, *Intraday liquidity: risk and regulation*,
   Bank of England Financial Stability Paper 11, 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from payment_simulator.kernels import layout as k
from payment_simulator.simulation.result import Run
from payment_simulator.simulation.tables import METHODS


def throughput(run: Run) -> list[float]:
    """Return the share of the day's settled value that had settled by the end of each tick.

    The mean over the days that were played to their end and on which anything settled; empty where
    there is none. [2]_ and [3]_ speak of *throughput*: shares that must have settled by set times.
    """
    length = run.scenario.simulation.ticks_per_day
    n_days = run.n_ticks // length
    sent = run.trace[: n_days * length, :, k.T_SENT].sum(axis=1).reshape(n_days, length)
    sent = sent[sent[:, -1] > 0]
    if not len(sent):
        return []
    shares: list[float] = (sent / sent[:, -1:]).mean(axis=0).tolist()
    return shares


def queue_measures(run: Run) -> dict[str, Any]:
    """Return number and value (cents) waiting at the ends of ticks: mean and peak [1]_.

    All banks together: both queues, then ``queue1`` of the banks and ``queue2`` of the system by
    themselves. Dropped payments wait nowhere.
    """
    return {
        **_waiting(run, (k.T_Q1_COUNT, k.T_Q2_COUNT), (k.T_Q1_VALUE, k.T_Q2_VALUE)),
        "queue1": _waiting(run, (k.T_Q1_COUNT,), (k.T_Q1_VALUE,)),
        "queue2": _waiting(run, (k.T_Q2_COUNT,), (k.T_Q2_VALUE,)),
    }


def _waiting(run: Run, counts: Sequence[int], values: Sequence[int]) -> dict[str, float]:
    number = run.trace[:, :, list(counts)].sum(axis=(1, 2))
    value = run.trace[:, :, list(values)].sum(axis=(1, 2))
    return {
        "mean_number": float(number.mean()) if run.n_ticks else 0.0,
        "peak_number": int(number.max(initial=0)),
        "mean_value": float(value.mean()) if run.n_ticks else 0.0,
        "peak_value": int(value.max(initial=0)),
    }


def settled_by_method(run: Run) -> dict[str, int]:
    """Return the value settled by each way of settling (cents), parts included."""
    log = run.log[np.isin(run.log[:, k.L_KIND], (k.LOG_SETTLE, k.LOG_SETTLE_PART))]
    method = log[:, k.L_DETAIL] % 8
    return {name: int(log[method == code, k.L_AMOUNT].sum()) for code, name in enumerate(METHODS)}
