"""Many runs, or some ticks of one: what the entry into the engine does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from payment_simulator.kernels._jit import inlined
from payment_simulator.kernels.draw import Sources, draw_run
from payment_simulator.kernels.layout import (
    A_N,
    A_TICK,
    B_FUND,
    B_START,
    B_STAT,
    B_USES,
    C_ERROR,
    C_ERROR_BANK,
    C_ERROR_PAYMENT,
    C_PAYMENTS,
    C_TICK,
    E_ARRIVALS_FULL,
    E_NONE,
    E_PAYMENTS_FULL,
    K_N,
    R_TICKS,
    R_TIMERS,
    S_N,
    U_COST,
    U_DELAY,
    Y_ARRIVALS,
    Y_DUE_FIRST,
    Y_DUE_LAST,
    Floats,
    Ints,
    World,
)
from payment_simulator.kernels.tick import play_tick


class Base(NamedTuple):
    """The state that runs begin from; columns as in :class:`World`.

    Shapes: n banks, m payments made so far, t ticks of the run.
    """

    clock: Ints
    bank: Ints
    sums: Floats
    pay: Ints  # (m, P_N)
    pair: Ints  # (2, n, n) X_NET and X_VALUE
    due: Ints  # (t + 1, 2) Y_DUE_FIRST and Y_DUE_LAST
    timer: Ints  # (t, n) collateral to withdraw, or (0, n) where no policy posts for a time


class Profiles(NamedTuple):
    """What the policies of each profile mean to the engine; q profiles, n banks."""

    start: Ints  # (q, n, 4) first instruction of each tree, or NONE
    uses: Ints  # (q, n) USES_ flags
    fund: Ints  # (q, n) cents to fund at an open


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
def copy_rows(to: Ints | Floats, source: Ints | Floats, first: int) -> None:
    """Copy a table into another from a row on; a slice would want Numba's memory manager."""
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            to[first + i, j] = source[i, j]


@inlined
def begin(w: World, b: Base, profiles: Profiles, profile: int) -> None:
    """Set a world to the state that a run begins from."""
    for c in range(b.clock.shape[0]):
        w.clock[c] = b.clock[c]
    copy_rows(w.bank, b.bank, 0)
    copy_rows(w.sums, b.sums, 0)
    copy_rows(w.pay, b.pay, 0)
    for x in range(2):
        for i in range(b.pair.shape[1]):
            for j in range(b.pair.shape[2]):
                w.pair[x, i, j] = b.pair[x, i, j]
    for t in range(b.due.shape[0]):
        w.tick[t, Y_DUE_FIRST] = b.due[t, 0]
        w.tick[t, Y_DUE_LAST] = b.due[t, 1]
    if w.rule[R_TIMERS] >= 0:
        copy_rows(w.wide, b.timer, w.rule[R_TIMERS])
    for i in range(w.bank.shape[0]):
        w.bank[i, B_USES] = profiles.uses[profile, i]
        w.bank[i, B_FUND] = profiles.fund[profile, i]
        for tree in range(4):
            w.bank[i, B_START + tree] = profiles.start[profile, i, tree]


@inlined
def take_given(w: World, job: Job, k: int) -> bool:
    """Copy the arrivals that are given for a sample; False where room ends."""
    begin_row, end_row = job.given_start[k], job.given_start[k + 1]
    if end_row - begin_row > w.arr.shape[0]:
        return False
    row = 0
    for now in range(w.rule[R_TICKS]):
        w.tick[now, Y_ARRIVALS] = row
        while begin_row + row < end_row and job.given[begin_row + row, A_TICK] <= now:
            for column in range(A_N):
                w.arr[row, column] = job.given[begin_row + row, column]
            row += 1
    w.tick[w.rule[R_TICKS], Y_ARRIVALS] = row
    return True


@inlined
def collect(w: World, out: Results, k: int, profile: int) -> None:
    """Write what a run came to into its own rows of the results."""
    days = (w.sums.shape[1] - U_COST) // K_N
    for i in range(w.bank.shape[0]):
        for kind in range(K_N):
            total = 0.0
            for day in range(days):
                total += w.sums[i, U_COST + K_N * day + kind]
            out.cost[k, profile, i, kind] = total
        for column in range(S_N):
            out.stat[k, profile, i, column] = w.bank[i, B_STAT + column]
        out.delay[k, profile, i, 0] = w.sums[i, U_DELAY]
        out.delay[k, profile, i, 1] = w.sums[i, U_DELAY + 1]
    out.error[k, profile, 0] = w.clock[C_ERROR]
    out.error[k, profile, 1] = w.clock[C_TICK]
    out.error[k, profile, 2] = w.clock[C_ERROR_BANK]
    out.error[k, profile, 3] = w.clock[C_ERROR_PAYMENT]


def play_job(
    w: World,
    b: Base,
    profiles: Profiles,
    d: Sources,
    job: Job,
    seed: np.uint64,
    out: Results,
) -> None:
    """Play the runs of a job, each sample under every policy profile.

    Parameters
    ----------
    w : World
        Modified in place.
    b : Base
        Where runs begin.
    profiles : Profiles
        Policies of each profile.
    d : Sources
        Where random payments come from; its room is modified in place.
    seed : uint64
        Seed of the arrivals.
    out : Results
        Modified in place, one row for each sample and profile. A run that needs more room says so
        in `error`.
    """
    first, end, mode = job.ticks[0], job.ticks[1], job.mode[0]
    goes_on = mode == MODE_GO_ON
    for k in range(job.sample.shape[0]):
        fits = True
        if not goes_on:
            if job.given_start.shape[0] > 0:
                fits = take_given(w, job, k)
            else:
                fits = draw_run(d, w.arr, w.tick, seed, job.sample[k], first)
        for profile in range(profiles.start.shape[0]):
            if not goes_on:
                begin(w, b, profiles, profile)
            if not fits:
                w.clock[C_ERROR] = E_ARRIVALS_FULL
            elif w.clock[C_PAYMENTS] > w.pay.shape[0]:
                w.clock[C_ERROR] = E_PAYMENTS_FULL
            elif mode != MODE_PREPARE:
                # The only place that plays a tick, so that it is compiled into here once.
                now = first
                while now < end and w.clock[C_ERROR] == E_NONE:
                    play_tick(w, now)
                    now += 1
            collect(w, out, k, profile)
