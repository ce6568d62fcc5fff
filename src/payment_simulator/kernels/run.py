"""Many runs, or some ticks of one: what the entry into the engine does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payment_simulator.kernels._jit import inlined, kernel
from payment_simulator.kernels.draw import Sources, draw_run
from payment_simulator.kernels.layout import (
    A_N,
    A_TICK,
    B_STAT,
    B_USES,
    C_ERROR,
    C_ERROR_BANK,
    C_ERROR_PAYMENT,
    C_PAYMENTS,
    C_PROFILE,
    C_TICK,
    E_ARRIVALS_FULL,
    E_NONE,
    E_PAYMENTS_FULL,
    K_N,
    R_TICKS,
    S_N,
    Floats,
    Ints,
    World,
)
from payment_simulator.kernels.tick import play_tick


class Base(NamedTuple):
    """The state that runs begin from: columns and shapes as in :class:`World`."""

    clock: Ints
    bank: Ints
    pay: Ints  # payments made so far
    cost: Floats
    register: Floats
    delay: Floats
    net: Ints
    value: Ints
    due: Ints
    timer: Ints


MODE_GO_ON = 0  # play the world's next ticks
MODE_BATCH = 1  # play every sample under every profile
MODE_PREPARE = 2  # set the world to the beginning of the first sample, and draw its arrivals


class Job(NamedTuple):
    """Which runs are asked for.

    Shapes: k samples, g given arrivals.
    """

    sample: Ints  # (k,) numbers of the samples
    given: Ints  # (g, A_N) arrivals to play instead of random ones, by sample, then tick
    given_start: Ints  # (k + 1,) or (0,) where arrivals are drawn
    ticks: Ints  # (2,) first tick, and the one after the last
    mode: Ints  # (1,) one of the MODE_ codes


class Results(NamedTuple):
    """What a batch gives; every run writes its own rows. q policy profiles, n banks."""

    cost: Floats  # (k, q, n, K_N) cents over all days
    stat: Ints  # (k, q, n, S_N)
    delay: Floats  # (k, q, n, 2)
    error: Ints  # (k, q, 4) E_ code, tick, bank, payment


@inlined
def copy_rows(to: Ints | Floats, source: Ints | Floats) -> None:
    """Copy a table into the first rows of another; a slice would want Numba's memory manager."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            to[i, j] = source[i, j]


@inlined
def begin(w: World, b: Base, profile: int) -> None:
    """Set a world to the state that a run begins from."""
    for i in range(b.clock.shape[0]):
        w.clock[i] = b.clock[i]
    for day in range(b.cost.shape[0]):
        for i in range(b.cost.shape[1]):
            for kind in range(K_N):
                w.cost[day, i, kind] = b.cost[day, i, kind]
    copy_rows(w.bank, b.bank)
    copy_rows(w.pay, b.pay)
    copy_rows(w.register, b.register)
    copy_rows(w.delay, b.delay)
    copy_rows(w.net, b.net)
    copy_rows(w.value, b.value)
    copy_rows(w.due, b.due)
    copy_rows(w.timer, b.timer)
    w.clock[C_PROFILE] = profile
    for i in range(w.bank.shape[0]):
        w.bank[i, B_USES] = w.uses[profile, i]


@kernel
def take_given(w: World, job: Job, k: int, first: int) -> bool:
    """Copy the arrivals that are given for a sample; False where room ends."""
    begin_row, end_row = job.given_start[k], job.given_start[k + 1]
    if end_row - begin_row > w.arr.shape[0]:
        return False
    row = 0
    for now in range(w.rule[R_TICKS]):
        w.arr_start[now] = row
        while begin_row + row < end_row and job.given[begin_row + row, A_TICK] <= now:
            for column in range(A_N):
                w.arr[row, column] = job.given[begin_row + row, column]
            row += 1
        if now < first:
            w.arr_start[now] = 0
    w.arr_start[w.rule[R_TICKS]] = row
    return True


@kernel
def play(w: World, first: int, end: int) -> None:
    """Play ticks until the end, or the first error."""
    for now in range(first, end):
        play_tick(w, now)
        if w.clock[C_ERROR] != E_NONE:
            break


@kernel
def collect(w: World, out: Results, k: int, profile: int) -> None:
    """Write what a run came to into its own rows of the results."""
    n = w.bank.shape[0]
    for i in range(n):
        for kind in range(K_N):
            total = 0.0
            for day in range(w.cost.shape[0]):
                total += w.cost[day, i, kind]
            out.cost[k, profile, i, kind] = total
        for column in range(S_N):
            out.stat[k, profile, i, column] = w.bank[i, B_STAT + column]
        out.delay[k, profile, i, 0] = w.delay[i, 0]
        out.delay[k, profile, i, 1] = w.delay[i, 1]
    out.error[k, profile, 0] = w.clock[C_ERROR]
    out.error[k, profile, 1] = w.clock[C_TICK]
    out.error[k, profile, 2] = w.clock[C_ERROR_BANK]
    out.error[k, profile, 3] = w.clock[C_ERROR_PAYMENT]


@kernel
def play_job(w: World, b: Base, d: Sources, job: Job, seed: np.uint64, out: Results) -> None:
    """Play the runs of a job, each sample under every policy profile.

    Parameters
    ----------
    w : World
        Modified in place.
    b : Base
        Where the runs of a batch begin.
    d : Sources
        Where random payments come from; its room is modified in place.
    seed : uint64
        Seed of the arrivals.
    out : Results
        Modified in place by a batch. A run that needs more room says so in `error`.
    """
    first, end = job.ticks[0], job.ticks[1]
    if job.mode[0] == MODE_GO_ON:
        play(w, first, end)
        return
    for k in range(job.sample.shape[0]):
        if job.given_start.shape[0] > 0:
            fits = take_given(w, job, k, first)
        else:
            fits = draw_run(d, w.arr, w.arr_start, seed, job.sample[k], first)
        for profile in range(w.start.shape[0]):
            begin(w, b, profile)
            if not fits:
                w.clock[C_ERROR] = E_ARRIVALS_FULL
            elif b.clock[C_PAYMENTS] > w.pay.shape[0]:
                w.clock[C_ERROR] = E_PAYMENTS_FULL
            elif job.mode[0] == MODE_BATCH:
                play(w, first, end)
            collect(w, out, k, profile)


