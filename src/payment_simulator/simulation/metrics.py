"""Measures of a payment system, as researchers report them: pure functions of runs and batches.

Each takes a :class:`~payment_simulator.simulation.Run` or a
:class:`~payment_simulator.simulation.Batch` and gives one number for each run: an array of shape
() or (samples, profiles). NaN stands where a measure is not defined (a delay where nothing
settled). What needs single ticks is in :mod:`payment_simulator.simulation.tick_metrics`.
:func:`measures` and :func:`batch_measures` put all together, ready for JSON, with None for NaN.

References
----------
.. [1] H. Leinonen and K. Soramäki, *Simulating interbank payment and securities settlement
   mechanisms with the BoF-PSS2 simulator*, Bank of Finland Discussion Papers 23/2003.
.. [2] Basel Committee on Banking Supervision, *Monitoring tools for intraday liquidity
   management*, BCBS 248, 2013.
.. [3] E. Denbee, R. Garratt and P. Zimmerman, *Variations in liquidity provision in real-time
   payment systems*, Bank of England Working Paper 513, 2014.
.. [4] Reserve Bank of Australia, *Payment system design and participant operational
   disruptions*, Research Discussion Paper 2012-05, section 4.2.
.. [5] M. L. Bech and K. Soramäki, *Gridlock resolution in interbank payment systems*, Bank of
   Finland Discussion Papers 9/2001.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from payment_simulator.kernels import layout as k
from payment_simulator.scenario import Scenario
from payment_simulator.simulation.batch import Batch
from payment_simulator.simulation.result import Run, sum_days
from payment_simulator.simulation.simulator import Policies, resolve_policies
from payment_simulator.simulation.spread import gini, mean, ratio, standard_error
from payment_simulator.simulation.tick_metrics import queue_measures, settled_by_method, throughput
from payment_simulator.simulation.worlds import COST_KINDS, FRACTION, funded

Result: TypeAlias = Run | Batch


def _sum(result: Result, column: int) -> k.Floats:
    """Return a column of counts or sums, all banks together."""
    total: k.Floats = result.stat[..., column].sum(axis=-1).astype(np.float64)
    return total


def _costs(result: Result) -> k.Floats:
    """Return costs by bank and kind, all days together: shape (..., banks, kinds), cents."""
    return sum_days(result.cost) if isinstance(result, Run) else result.cost


def settlement_rate_by_number(result: Result) -> k.Floats:
    """Return payments settled in full ÷ payments due; 1 where none was due.

    Due is what arrived. Children of a split count, the payment they were split from does not [1]_.
    """
    due = _sum(result, k.S_ARRIVED) + _sum(result, k.S_CREATED)
    return ratio(_sum(result, k.S_SETTLED), due, 1.0)


def settlement_rate_by_value(result: Result) -> k.Floats:
    """Return value settled ÷ value that arrived; 1 where nothing arrived. Parts count [1]_."""
    return ratio(_sum(result, k.S_SETTLED_VALUE), _sum(result, k.S_ARRIVED_VALUE), 1.0)


def on_time_rate_by_value(result: Result) -> k.Floats:
    """Return value settled at or before its deadline ÷ value that arrived; 1 where none did."""
    return ratio(_sum(result, k.S_ON_TIME_VALUE), _sum(result, k.S_ARRIVED_VALUE), 1.0)


def value_weighted_delay(result: Result) -> k.Floats:
    """Return the mean number of ticks from arrival to settlement of a settled cent [1]_.

    0 where all settles in the tick of its arrival. What never settles is not in it: read it beside
    the settlement rate.
    """
    return ratio(result.delay[..., 0].sum(axis=-1), _sum(result, k.S_SETTLED_VALUE))


def delay_after_release(result: Result) -> k.Floats:
    """Return the same from release: what the system, not the bank, kept waiting.

    What is borrowed for at the close without a release counts as settled without delay.
    """
    return ratio(result.delay[..., 1].sum(axis=-1), _sum(result, k.S_SETTLED_VALUE))


def _is_within_day(result: Result) -> bool:
    """Tell whether a run stands in a day that has not closed yet."""
    if isinstance(result, Batch):
        return False
    return result.n_ticks % result.scenario.simulation.ticks_per_day > 0


def liquidity_used(result: Result) -> k.Ints:
    """Return the largest net debit of any day, by bank: shape (..., banks), cents.

    The net debit is what a bank sent since the open less what it received, at the end of a tick:
    the liquidity it had to bring itself. For one day this is the *daily maximum intraday liquidity
    usage* of [2]_; what is used and returned within a tick is not seen.
    """
    used: k.Ints = result.stat[..., k.S_PEAK_DEBIT]
    if _is_within_day(result):
        used = np.maximum(used, result.stat[..., k.S_PEAK_TODAY])
    return used


def liquidity_of_days(result: Result) -> k.Floats:
    """Return the largest net debits of each day, summed over banks and days (cents)."""
    used = _sum(result, k.S_PEAK_SUM)
    return used + _sum(result, k.S_PEAK_TODAY) if _is_within_day(result) else used


def liquidity_efficiency(result: Result) -> k.Floats:
    """Return value settled ÷ liquidity used, both summed over banks and days.

    How often each cent that banks brought was used to pay [4]_.
    """
    return ratio(_sum(result, k.S_SETTLED_VALUE), liquidity_of_days(result))


def turnover_ratio(result: Result, provided_cents: int) -> k.Floats:
    """Return value settled ÷ liquidity provided: as efficiency, but of all that was there.

    Parameters
    ----------
    result : Run or Batch
        What is measured.
    provided_cents : int
        Liquidity of all banks and days, see :func:`liquidity_provided`.
    """
    return ratio(_sum(result, k.S_SETTLED_VALUE), np.asarray(float(provided_cents)))


def liquidity_provided(
    scenario: Scenario, policies: Policies = None, *, n_days: int | None = None
) -> int:
    """Return what banks have at the open, summed over the days of a run (cents).

    Opening balance, funding and credit line, as they are at the first open; what events and
    policies change later is not in it.
    """
    chosen = resolve_policies(scenario, policies)
    total = 0
    for agent, policy in zip(scenario.agents, chosen, strict=True):
        fraction = policy.parameters.get(FRACTION, agent.liquidity_allocation_fraction)
        haircut = -(-agent.posted_collateral * agent.haircut_ppm // 10**6)
        total += agent.opening_balance + funded(agent.liquidity_pool or 0, fraction)
        total += agent.unsecured_cap + agent.posted_collateral - haircut
    return total * (scenario.simulation.num_days if n_days is None else n_days)


def offset_share(result: Result) -> k.Floats:
    """Return the share of settled value that offsetting settled, of pairs and of many [5]_."""
    return ratio(_sum(result, k.S_OFFSET_VALUE), _sum(result, k.S_SETTLED_VALUE))


def gross_share(result: Result) -> k.Floats:
    """Return the share of settled value that settled payment by payment, from liquidity."""
    return 1.0 - offset_share(result)


def liquidity_cost_gini(result: Result) -> k.Floats:
    """Return how unequally the cost of liquidity falls on the banks, as a Gini coefficient.

    Of the costs of funding, overdraft and collateral: 0 where all banks bear the same, (n - 1) / n
    where one of n banks bears all, and 0 where it costs nothing. [3]_ measure so how the provision
    of liquidity in CHAPS is spread.
    """
    kinds = [k.K_LIQUIDITY, k.K_OVERDRAFT, k.K_COLLATERAL]
    return gini(_costs(result)[..., kinds].sum(axis=-1))


def total_cost(result: Result) -> k.Floats:
    """Return the cost of all banks, kinds and days together (cents)."""
    total: k.Floats = _costs(result).sum(axis=(-1, -2))
    return total


#: Measures that are one number a run, by their names in JSON.
NUMBERS: Mapping[str, Callable[[Result], k.Floats]] = {
    "settlement_rate_by_number": settlement_rate_by_number,
    "settlement_rate_by_value": settlement_rate_by_value,
    "on_time_rate_by_value": on_time_rate_by_value,
    "value_weighted_delay_ticks": value_weighted_delay,
    "delay_after_release_ticks": delay_after_release,
    "liquidity_used": lambda result: liquidity_used(result).sum(axis=-1).astype(np.float64),
    "liquidity_efficiency": liquidity_efficiency,
    "gross_share": gross_share,
    "offset_share": offset_share,
    "gini_of_liquidity_cost": liquidity_cost_gini,
    "total_cost": total_cost,
}


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def measures(run: Run) -> dict[str, Any]:
    """Return all measures of a run, ready for JSON.

    Returns
    -------
    dict
        The names of :data:`NUMBERS` and ``turnover_ratio``, each a number or None; counts and
        sums of payments (cents); ``liquidity_used_by_bank``, ``throughput``, ``queues``,
        ``settled_by_method``, and ``costs`` by bank and kind (cents).
    """
    days = -(-run.n_ticks // run.scenario.simulation.ticks_per_day)
    provided = liquidity_provided(run.scenario, run.policies, n_days=days)
    used = liquidity_used(run).tolist()
    return {
        "payments_due": int(_sum(run, k.S_ARRIVED) + _sum(run, k.S_CREATED)),
        "payments_settled": int(_sum(run, k.S_SETTLED)),
        "value_arrived": int(run.stat[:, k.S_ARRIVED_VALUE].sum()),
        "value_settled": int(run.stat[:, k.S_SETTLED_VALUE].sum()),
        **{name: _plain(float(measure(run))) for name, measure in NUMBERS.items()},
        "turnover_ratio": _plain(float(turnover_ratio(run, provided))),
        "liquidity_used_by_bank": dict(zip(run.scenario.bank_ids, used, strict=True)),
        "throughput": throughput(run),
        "queues": queue_measures(run),
        "settled_by_method": settled_by_method(run),
        "costs": run.costs,
    }


def batch_measures(
    batch: Batch, profile: int = 0, *, provided_cents: int | None = None
) -> dict[str, Any]:
    """Return the means over the samples of a batch, ready for JSON.

    Each measure is taken of every sample, then averaged over the samples in which it is defined.

    Parameters
    ----------
    batch : Batch
        What is measured.
    profile : int
        Which of its policy profiles.
    provided_cents : int, optional
        As :func:`liquidity_provided` says, for ``turnover_ratio``; None leaves it None.

    Returns
    -------
    dict
        As :func:`measures`, without what needs single ticks. ``costs`` are means by bank and kind;
        ``standard_errors`` has the same names, ``cost_standard_errors`` the same banks and kinds,
        ``total_cost_standard_errors`` the same banks (None for fewer than two samples).
    """
    per_run: dict[str, k.Floats] = {
        "payments_due": _sum(batch, k.S_ARRIVED) + _sum(batch, k.S_CREATED),
        "payments_settled": _sum(batch, k.S_SETTLED),
        "value_arrived": _sum(batch, k.S_ARRIVED_VALUE),
        "value_settled": _sum(batch, k.S_SETTLED_VALUE),
        **{name: measure(batch) for name, measure in NUMBERS.items()},
        "turnover_ratio": turnover_ratio(batch, provided_cents or 0),
    }
    columns = {name: values[:, profile] for name, values in per_run.items()}
    used = liquidity_used(batch)[:, profile].astype(np.float64)
    cost = batch.cost[:, profile]
    return {
        **{name: mean(values) for name, values in columns.items()},
        "liquidity_used_by_bank": {bank: mean(used[:, i]) for i, bank in enumerate(batch.bank_ids)},
        "costs": _by_bank_and_kind(batch, cost, mean),
        "standard_errors": {name: standard_error(values) for name, values in columns.items()},
        "cost_standard_errors": _by_bank_and_kind(batch, cost, standard_error),
        "total_cost_standard_errors": {
            bank: standard_error(batch.total_cost[:, profile, i])
            for i, bank in enumerate(batch.bank_ids)
        },
    }


def _by_bank_and_kind(
    batch: Batch, cost: k.Floats, of: Callable[[k.Floats], float | None]
) -> dict[str, dict[str, float | None]]:
    return {
        bank: {kind: of(cost[:, i, column]) for column, kind in enumerate(COST_KINDS)}
        for i, bank in enumerate(batch.bank_ids)
    }
