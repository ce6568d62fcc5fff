"""Measures of a payment system, as researchers report them.

All are functions of one :class:`~payment_simulator.simulation.result.Run`; those that need nothing
but counts and sums are given for batches too.

References
----------
.. [1] CPMI, Glossary, Bank for International Settlements.
.. [2] H. Leinonen and K. Soramaki, Optimising liquidity usage and settlement speed in payment
   systems, Bank of Finland Discussion Paper 16/1999: liquidity used, delay, and their trade-off.
.. [3] A. Ball, E. Denbee, M. Manning and A. Wetherilt, Intraday liquidity: risk and regulation,
   Bank of England Financial Stability Paper 11 (2011): throughput by time of day.
.. [4] C. Gini, Variabilita e mutabilita (1912).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from payment_simulator.kernels import layout as k
from payment_simulator.simulation.batch import Batch
from payment_simulator.simulation.result import Run
from payment_simulator.simulation.worlds import COST_KINDS


def ratio(part: float, whole: float, empty: float) -> float:
    """Return a share, or what an empty whole counts as."""
    return float(part) / float(whole) if whole else empty


def settlement_rate_by_number(stat: k.Ints) -> float:
    """Return the share of payments that settled in full; 1 where there were none [1]_.

    A payment that was split counts as its children.

    Parameters
    ----------
    stat : ndarray[int64], shape (banks, S_N)
    """
    due = stat[:, k.S_ARRIVED].sum() + stat[:, k.S_CREATED].sum()
    return ratio(stat[:, k.S_SETTLED].sum(), due, 1.0)


def settlement_rate_by_value(stat: k.Ints) -> float:
    """Return the share of the value that settled, parts included; 1 where there was none [1]_."""
    return ratio(stat[:, k.S_SETTLED_VALUE].sum(), stat[:, k.S_ARRIVED_VALUE].sum(), 1.0)


def on_time_rate(stat: k.Ints) -> float:
    """Return the share of the value that settled by its deadline; 1 where there was none."""
    return ratio(stat[:, k.S_ON_TIME_VALUE].sum(), stat[:, k.S_ARRIVED_VALUE].sum(), 1.0)


def value_weighted_delay(stat: k.Ints, delay: k.Floats) -> float:
    """Return the ticks from arrival to settlement of a settled cent, on average [2]_.

    What never settled has no delay that could be measured; read it beside the settlement rate.
    """
    return ratio(delay[:, 0].sum(), stat[:, k.S_SETTLED_VALUE].sum(), 0.0)


def liquidity_used(stat: k.Ints) -> NDArray[np.int64]:
    """Return each bank's largest net debit of a day, at the end of a tick (cents) [2]_.

    The largest sum by which what a bank has paid since the open exceeds what it has received: the
    least liquidity with which it could have paid as it did.
    """
    used: NDArray[np.int64] = stat[:, k.S_PEAK_DEBIT]
    return used


def liquidity_efficiency(stat: k.Ints) -> float | None:
    """Return value settled for each cent of liquidity used, or None where none was used [2]_.

    Values and net debits of all days are summed.
    """
    used = stat[:, k.S_PEAK_SUM].sum()
    return float(stat[:, k.S_SETTLED_VALUE].sum()) / float(used) if used else None


def turnover_ratio(run: Run) -> float | None:
    """Return value settled for each cent of liquidity that banks had at the open, credit included.

    The sum over the days of settled value, over that of liquidity after funding; None without any.
    """
    length = run.scenario.simulation.ticks_per_day
    had = 0
    for day in range(run.n_ticks // length):
        # After the first tick: what was paid and received within it is added back.
        first = run.trace[day * length]
        had += int((first[:, k.T_BALANCE] + first[:, k.T_CREDIT]).sum())
        if length == 1:
            had += funded_today(run, day)
    settled = float(run.stat[:, k.S_SETTLED_VALUE].sum())
    return settled / had if had > 0 else None


def funded_today(run: Run, day: int) -> int:
    """Return what banks funded at the open of a day (cents)."""
    tick = day * run.scenario.simulation.ticks_per_day
    rows = run.log[(run.log[:, k.L_KIND] == k.LOG_FUND) & (run.log[:, k.L_TICK] == tick)]
    return int(rows[:, k.L_AMOUNT].sum())


def throughput(run: Run) -> list[float]:
    """Return the share of a day's settled value that has settled by the end of each tick [3]_.

    The mean over the days on which anything settled; zeros where nothing did.
    """
    length = run.scenario.simulation.ticks_per_day
    sent = run.trace[:, :, k.T_SENT].sum(axis=1)
    days = [sent[at : at + length] for at in range(0, run.n_ticks - length + 1, length)]
    curves = [day / day[-1] for day in days if day[-1] > 0]
    return [float(x) for x in np.mean(curves, axis=0)] if curves else [0.0] * length


def queue_measures(run: Run) -> dict[str, float]:
    """Return number and value of what waits in both queues at the end of a tick: mean and peak."""
    trace = run.trace
    number = (trace[:, :, k.T_Q1_COUNT] + trace[:, :, k.T_Q2_COUNT]).sum(axis=1)
    value = (trace[:, :, k.T_Q1_VALUE] + trace[:, :, k.T_Q2_VALUE]).sum(axis=1)
    return {
        "mean_number": float(number.mean()) if len(number) else 0.0,
        "peak_number": float(number.max(initial=0)),
        "mean_value": float(value.mean()) if len(value) else 0.0,
        "peak_value": float(value.max(initial=0)),
    }


def offset_share(stat: k.Ints) -> float:
    """Return the share of settled value that settled by offsetting; the rest settled gross [1]_."""
    return ratio(stat[:, k.S_OFFSET_VALUE].sum(), stat[:, k.S_SETTLED_VALUE].sum(), 0.0)


def gini(values: Sequence[float] | NDArray[np.float64]) -> float:
    """Return how unequally something is spread: 0 all the same, towards 1 one has all [4]_.

    Half the mean absolute difference of two values, over their mean.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n, total = len(x), float(x.sum())
    if n == 0 or total == 0.0:
        return 0.0
    return float(2.0 * (np.arange(1, n + 1) * x).sum() / (n * total) - (n + 1) / n)


def _of_counts(stat: k.Ints, delay: k.Floats, liquidity_cost: k.Floats) -> dict[str, Any]:
    """Return the measures that counts and sums suffice for."""
    share = offset_share(stat)
    return {
        "settlement_rate_by_number": settlement_rate_by_number(stat),
        "settlement_rate_by_value": settlement_rate_by_value(stat),
        "on_time_rate_by_value": on_time_rate(stat),
        "value_weighted_delay_ticks": value_weighted_delay(stat, delay),
        "liquidity_used": float(liquidity_used(stat).sum()),
        "liquidity_efficiency": liquidity_efficiency(stat),
        "offset_share": share,
        "gross_share": 1.0 - share if stat[:, k.S_SETTLED_VALUE].any() else 0.0,
        "gini_of_liquidity_cost": gini(liquidity_cost),
    }


def measures(run: Run) -> dict[str, Any]:
    """Return all measures of a run, ready for JSON; cents and ticks."""
    liquidity_cost = run.cost[:, :, COST_KINDS.index("liquidity")].sum(axis=0)
    used = dict(zip(run.scenario.bank_ids, liquidity_used(run.stat).tolist(), strict=True))
    return {
        **_of_counts(run.stat, run.delay, liquidity_cost),
        "turnover_ratio": turnover_ratio(run),
        "liquidity_used_by_bank": used,
        "throughput": throughput(run),
        "queues": queue_measures(run),
    }


def batch_measures(batch: Batch, profile: int = 0) -> dict[str, Any]:
    """Return means over the samples of a batch, for one policy profile.

    A measure that a sample does not have (no liquidity used) is left out of its mean.
    """
    column = COST_KINDS.index("liquidity")
    each = [
        _of_counts(
            batch.stat[s, profile], batch.delay[s, profile], batch.cost[s, profile, :, column]
        )
        for s in range(len(batch.samples))
    ]
    means: dict[str, Any] = {}
    for name in each[0]:
        values = [one[name] for one in each if one[name] is not None]
        means[name] = float(np.mean(values)) if values else None
    used = batch.stat[:, profile, :, k.S_PEAK_DEBIT].mean(axis=0).tolist()
    means["liquidity_used_by_bank"] = dict(zip(batch.bank_ids, used, strict=True))
    return means
