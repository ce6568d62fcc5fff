"""Random arrivals of a run: a function of (seed, random day, bank) and of the scenario alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.elementary import exponential, logarithm
from payment_simulator.kernels.layout import (
    A_AMOUNT,
    A_DEADLINE,
    A_DIRECT,
    A_DIVISIBLE,
    A_N,
    A_PRIORITY,
    A_RECEIVER,
    A_SENDER,
    A_TICK,
    MAX_CENTS,
    NONE,
    Y_ARRIVALS,
    Floats,
    Ints,
)
from payment_simulator.kernels.normal import normal_quantile
from payment_simulator.kernels.rng import philox, uniform

# --- source: where random payments come from, shape (sources, O_N), by bank, then stream ---------
O_BANK = 0
O_STREAM = 1  # 0 arrival_config, 1..3 the bands
O_AMOUNT = 2  # one of the AMOUNT_ codes
O_MIN = 3  # deadline window, ticks after arrival
O_MAX = 4
O_DIVISIBLE = 5
O_PRIORITY_MIN = 6  # priority: uniform between these,
O_PRIORITY_MAX = 7
O_PRIORITIES = 8  # or a row of `priority`, or NONE
O_N = 9
AMOUNT_NORMAL, AMOUNT_LOGNORMAL, AMOUNT_UNIFORM, AMOUNT_EXPONENTIAL = range(4)

# --- shape: float64, shape (sources, 3) ----------------------------------------------------------
SH_RATE = 0  # payments a tick
SH_FIRST = 1  # mean, min or lambda; LogNormal: log(m) - sigma^2 / 2
SH_SECOND = 2  # standard deviation, max; LogNormal: sigma

# --- change: events that change how payments are drawn, shape (changes, 4), by tick --------------
CH_TICK, CH_KIND, CH_BANK, CH_OTHER = range(4)
CHANGE_RATE_ALL, CHANGE_RATE, CHANGE_WEIGHT, CHANGE_WEIGHT_BALANCED, CHANGE_WINDOW = range(5)

_CHUNK = 500.0
_USE_PAYMENT, _USE_COUNT = np.uint64(0), np.uint64(1)
_STREAMS = 4


class Sources(NamedTuple):
    """What random arrivals are drawn from, and room to draw them.

    Shapes: s sources, n banks, t ticks of the run, f fixed payments.
    """

    source: Ints  # (s, O_N)
    shape: Floats  # (s, 3)
    weight0: Floats  # (s, n) counterparty weights as the scenario has them
    weight: Floats  # (s, n) as they stand
    total: Floats  # (s, n) running sums of `weight`
    priority: Floats  # (k, 11) running sums of the weights of priorities 0..10
    factor: Floats  # (3 + n,) multipliers: all rates, window min, window max, rate of each bank
    change: Ints  # (c, 4)
    change_to: Floats  # (c, 2)
    fixed: Ints  # (f, A_N) payments of events and files, by tick
    fixed_start: Ints  # (t + 1,)
    number: Ints  # (4,) ticks of a day, ticks of the run, cap deadlines at the close, days


@inlined
def pick(total: Floats, row: int, u: float) -> int:
    """Return the first column at which a row of running sums exceeds u times its last entry."""
    n = total.shape[1]
    mark = u * total[row, n - 1]
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if total[row, middle] > mark:
            high = middle
        else:
            low = middle + 1
    while low == n or (low > 0 and total[row, low] == total[row, low - 1]):
        # Rounding left none: the last that adds anything.
        low -= 1
    return low


@inlined
def sum_weights(d: Sources, s: int) -> None:
    """Sum the weights of a source anew."""
    running = 0.0
    for j in range(d.weight.shape[1]):
        running += d.weight[s, j]
        d.total[s, j] = running


@inlined
def balance_others(d: Sources, s: int, j: int, value: float) -> None:
    """Set one weight and scale the others so that the sum stays as it is."""
    n = d.weight.shape[1]
    others = 0.0
    whole = d.total[s, n - 1]
    for k in range(n):
        if k != j:
            others += d.weight[s, k]
    if others > 0.0:
        scale = max(whole - value, 0.0) / others
        for k in range(n):
            if k != j:
                d.weight[s, k] = d.weight[s, k] * scale
    d.weight[s, j] = value


@inlined
def forget_changes(d: Sources) -> None:
    """Set rates, weights and windows as the scenario has them."""
    for k in range(d.factor.shape[0]):
        d.factor[k] = 1.0
    for s in range(d.source.shape[0]):
        for j in range(d.weight.shape[1]):
            d.weight[s, j] = d.weight0[s, j]
        sum_weights(d, s)


@inlined
def change_draws(d: Sources, k: int) -> None:
    """Let one event change how payments are drawn."""
    kind, i, j = d.change[k, CH_KIND], d.change[k, CH_BANK], d.change[k, CH_OTHER]
    value = d.change_to[k, 0]
    if kind == CHANGE_RATE_ALL:
        d.factor[0] = value
    elif kind == CHANGE_RATE:
        d.factor[3 + i] = value
    elif kind == CHANGE_WINDOW:
        # Below zero: this end is left as it is.
        if value >= 0.0:
            d.factor[1] = value
        if d.change_to[k, 1] >= 0.0:
            d.factor[2] = d.change_to[k, 1]
    else:
        for s in range(d.source.shape[0]):
            if d.source[s, O_BANK] == i:
                if kind == CHANGE_WEIGHT_BALANCED:
                    balance_others(d, s, j, value)
                else:
                    d.weight[s, j] = value
                sum_weights(d, s)


@inlined
def poisson(seed: np.uint64, bank: np.uint64, place: np.uint64, day: np.uint64, mean: float) -> int:
    """Return a Poisson number by inversion, in parts of mean 500 at most."""
    if mean <= 0.0:
        return 0
    parts = int(np.ceil(mean / _CHUNK))
    part = mean / parts
    least = exponential(-part)
    count = 0
    words = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))
    for k in range(parts):
        if k % 4 == 0:
            words = philox(seed, bank, np.uint64(k // 4 + 1), place, day, _USE_COUNT)
        word = words[0]
        if k % 4 == 1:
            word = words[1]
        elif k % 4 == 2:
            word = words[2]
        elif k % 4 == 3:
            word = words[3]
        u = uniform(word)
        p = least
        cumulated = p
        n = 0
        while u > cumulated and p > 0.0:
            n += 1
            p = p * part / n
            cumulated += p
        count += n
    return count


@inlined
def draw_amount(d: Sources, s: int, u: float) -> int:
    """Return an amount by the inverse of its distribution (cents)."""
    kind, first, second = d.source[s, O_AMOUNT], d.shape[s, SH_FIRST], d.shape[s, SH_SECOND]
    if kind == AMOUNT_NORMAL:
        x = first + second * normal_quantile(u)
    elif kind == AMOUNT_LOGNORMAL:
        x = exponential(first + second * normal_quantile(u))
    elif kind == AMOUNT_UNIFORM:
        x = first + np.floor(u * (second - first + 1.0))
    else:
        x = -logarithm(u) / first
    x = np.floor(x + 0.5)
    if x < 1.0:
        return 1
    return MAX_CENTS if x > MAX_CENTS else int(x)


@inlined
def window_end(end: int, factor: float) -> int:
    """Return one end of a deadline window under its multiplier (ticks)."""
    return int(np.floor(end * factor + 0.5))


@inlined
def draw_payment(
    d: Sources, arr: Ints, row: int, s: int, now: int, words: tuple[np.uint64, ...]
) -> None:
    """Write one random payment into a row of arrivals."""
    arr[row, A_TICK] = now
    arr[row, A_SENDER] = d.source[s, O_BANK]
    arr[row, A_AMOUNT] = draw_amount(d, s, uniform(words[0]))
    arr[row, A_RECEIVER] = pick(d.total, s, uniform(words[1]))
    low = window_end(d.source[s, O_MIN], d.factor[1])
    high = max(window_end(d.source[s, O_MAX], d.factor[2]), low)
    deadline = now + low + int(np.floor(uniform(words[2]) * (high - low + 1)))
    length = d.number[0]
    if d.number[2]:
        deadline = min(deadline, now - now % length + length - 1)
    arr[row, A_DEADLINE] = deadline
    u = uniform(words[3])
    if d.source[s, O_PRIORITIES] != NONE:
        arr[row, A_PRIORITY] = pick(d.priority, d.source[s, O_PRIORITIES], u)
    else:
        least, most = d.source[s, O_PRIORITY_MIN], d.source[s, O_PRIORITY_MAX]
        arr[row, A_PRIORITY] = least + int(np.floor(u * (most - least + 1)))
    arr[row, A_DIVISIBLE] = d.source[s, O_DIVISIBLE]
    arr[row, A_DIRECT] = 0


@inlined
def draw_tick(d: Sources, arr: Ints, row: int, seed: np.uint64, day: np.uint64, now: int) -> int:
    """Draw the random payments of a tick; return the next free row, or NONE where room ends."""
    for s in range(d.source.shape[0]):
        bank = d.source[s, O_BANK]
        mean = d.shape[s, SH_RATE] * d.factor[0] * d.factor[3 + bank]
        place = np.uint64(_STREAMS * (now % d.number[0]) + d.source[s, O_STREAM])
        count = poisson(seed, np.uint64(bank), place, day, mean)
        if row + count > arr.shape[0]:
            return NONE
        for k in range(count):
            words = philox(seed, np.uint64(bank), np.uint64(k + 1), place, day, _USE_PAYMENT)
            draw_payment(d, arr, row, s, now, words)
            row += 1
    return row


@inlined
def draw_run(d: Sources, arr: Ints, tick: Ints, seed: np.uint64, sample: int, first: int) -> bool:
    """Write the arrivals of a run from a tick on, fixed and random, in order.

    Parameters
    ----------
    arr, tick : ndarray[int64]
        Arrivals, and the first row of each tick in column Y_ARRIVALS; modified in place.
    seed : uint64
        Seed of the arrivals.
    sample : int
        Which run: it plays random days ``sample * days`` and on.
    first : int
        First tick that is written; what came before is history.

    Returns
    -------
    bool
        False where `arr` is too small.
    """
    forget_changes(d)
    row = 0
    at = 0
    for now in range(d.number[1]):
        tick[now, Y_ARRIVALS] = row
        while at < d.change.shape[0] and d.change[at, CH_TICK] <= now:
            change_draws(d, at)
            at += 1
        if now < first:
            continue
        for k in range(d.fixed_start[now], d.fixed_start[now + 1]):
            if row == arr.shape[0]:
                return False
            for column in range(A_N):
                arr[row, column] = d.fixed[k, column]
            row += 1
        day = np.uint64(sample * d.number[3] + now // d.number[0])
        row = draw_tick(d, arr, row, seed, day, now)
        if row == NONE:
            return False
    tick[d.number[1], Y_ARRIVALS] = row
    return True
