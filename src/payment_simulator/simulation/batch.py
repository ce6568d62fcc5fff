"""Many runs at once: random days x policy profiles, on the same days, in threads."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from payment_simulator.errors import InputError
from payment_simulator.kernels import layout as k
from payment_simulator.kernels._jit import IS_INTERPRETED
from payment_simulator.kernels.draw import Sources
from payment_simulator.kernels.engine import run_engine
from payment_simulator.kernels.run import MODE_BATCH, Base, Job, Profiles, Results
from payment_simulator.policy.compile import compile_profiles
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation.errors import ROOM, simulation_error
from payment_simulator.simulation.room import Room, expected_arrivals
from payment_simulator.simulation.simulator import (
    Policies,
    base_of,
    check_seed,
    make_job,
    no_results,
    resolve_policies,
    with_timers_of,
)
from payment_simulator.simulation.snapshot import Snapshot
from payment_simulator.simulation.sources import make_sources
from payment_simulator.simulation.worlds import COST_KINDS, make_base, make_profiles, make_world

#: A batch is cut in about so many pieces, which threads take as they get free; a piece has at most
#: so many samples. Every run writes rows of its own, so results do not depend on either.
PIECES, MOST = 32, 1024


@dataclass(frozen=True)
class Batch:
    """What K samples came to under each of Q policy profiles, for n banks.

    Attributes
    ----------
    bank_ids : tuple of str
    seed : int
        Seed of the arrivals.
    samples : tuple of int
        Numbers of the samples (places in the list, where arrivals were given).
    cost : ndarray[float64], shape (K, Q, n, 7), cents
        All days of a run together, by kind in the order of ``COST_KINDS``.
    stat : ndarray[int64], shape (K, Q, n, S_N)
        Counts and sums; columns in :mod:`payment_simulator.kernels.layout`.
    delay : ndarray[float64], shape (K, Q, n, 2), cents x ticks
    """

    bank_ids: tuple[str, ...]
    seed: int
    samples: tuple[int, ...]
    cost: k.Floats
    stat: k.Ints
    delay: k.Floats

    @property
    def total_cost(self) -> k.Floats:
        """Cost of each bank, all kinds together: shape (K, Q, n), cents."""
        total = np.zeros(self.cost.shape[:-1])
        for kind in range(len(COST_KINDS)):
            total = total + self.cost[..., kind]
        return total

    @property
    def settlement_rate(self) -> k.Floats:
        """Settled share of the value that arrived: shape (K, Q); 1 where nothing arrived."""
        settled = self.stat[..., k.S_SETTLED_VALUE].sum(axis=-1)
        arrived = self.stat[..., k.S_ARRIVED_VALUE].sum(axis=-1)
        rate: k.Floats = np.ones(settled.shape)
        np.divide(settled, arrived, out=rate, where=arrived > 0)
        return rate


@dataclass
class _Plan:
    """What every worker needs, and a shelf of worlds that are not in use."""

    make_world: Callable[[Room], k.World]
    make_sources: Callable[[], Sources]
    base: Base
    profiles: Profiles
    seed: int
    ticks: tuple[int, int]
    given: Sequence[k.Ints] | None
    room: Room
    shelf: queue.SimpleQueue[tuple[k.World, Sources]]

    def play(self, places: Sequence[int], samples: Sequence[int], out: Results) -> None:
        """Play some samples into their own rows of the results."""
        try:
            world, sources = self.shelf.get_nowait()
        except queue.Empty:
            world, sources = self.make_world(self.room), self.make_sources()
        job = self.job(places, samples)
        run_engine(world, self.base, self.profiles, sources, job, self.seed, out)
        self.shelf.put((world, sources))

    def job(self, places: Sequence[int], samples: Sequence[int]) -> Job:
        """Return the job of one chunk."""
        job = make_job(MODE_BATCH, samples, self.ticks)
        if self.given is None:
            return job
        tables = [self.given[place] for place in places]
        ends = np.cumsum([0, *map(len, tables)]).astype(np.int64)
        return job._replace(given=np.concatenate(tables), given_start=ends)


def simulate_batch(
    scenario: Scenario,
    profiles: Sequence[Policies] | None = None,
    *,
    samples: int | Sequence[int] = 1,
    arrivals: Sequence[k.Ints] | None = None,
    seed: int | None = None,
    start: Snapshot | None = None,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Batch:
    """Play many samples under several policy profiles, all on the same days.

    Parameters
    ----------
    scenario : Scenario
        What is played.
    profiles : sequence of policies, optional
        Each as in :class:`~payment_simulator.simulation.Simulation`; the scenario's own if not
        given.
    samples : int or sequence of int
        How many samples from the first on, or their numbers.
    arrivals : sequence of ndarray[int64], shape (arrivals, A_N), optional
        Payments to play, a table for each sample, by tick; instead of `samples`.
    seed : int, optional
        Seed of the arrivals; the scenario's ``rng_seed`` if not given.
    start : Snapshot, optional
        State to begin from: what has happened stands, what comes is drawn anew for each sample.
    threads : int, optional
        Threads to use; as many as the process may use if not given. Results do not depend on it.
    progress : callable, optional
        Called with the number of samples finished whenever some are, from the calling thread.

    Returns
    -------
    Batch
        The same bits for any number of threads.

    Raises
    ------
    SimulationError
        A run stopped rather than give a wrong number; the first in the order of samples and
        profiles.
    """
    numbers = _numbers(samples, arrivals)
    chosen = [resolve_policies(scenario, policies) for policies in (profiles or [None])]
    if start is not None and _differ_in_registers(chosen, scenario):
        return _one_by_one(scenario, chosen, numbers, arrivals, seed, start, threads, progress)
    plan = _plan(scenario, chosen, seed, start, arrivals)
    out = no_results(len(numbers), len(chosen), scenario.n_banks)
    waiting = list(range(len(numbers)))
    finished = 0
    while waiting:
        for done in _play_all(plan, numbers, waiting, out, threads):
            finished += done
            if progress is not None:
                progress(min(finished, len(numbers)))
        # What ran out of room is played again with more; its results do not depend on the room.
        codes = out.error[waiting, :, 0]
        lacks = np.isin(codes, ROOM)
        short = [waiting[at] for at in np.flatnonzero(lacks.any(axis=1))]
        if short:
            for error in np.unique(codes[lacks]):
                plan.room = plan.room.grown(int(error))
            plan.shelf = queue.SimpleQueue()
            finished -= len(short)
        waiting = short
    _raise_first(out, numbers, scenario)
    return Batch(scenario.bank_ids, plan.seed, tuple(numbers), out.cost, out.stat, out.delay)


def _differ_in_registers(profiles: Sequence[Sequence[Policy]], scenario: Scenario) -> bool:
    """Tell whether the state registers of a bank stand in other places in some profile."""
    return len(set(compile_profiles(profiles, scenario.bank_ids).registers)) > 1


def _one_by_one(
    scenario: Scenario,
    profiles: Sequence[Sequence[Policy]],
    numbers: Sequence[int],
    arrivals: Sequence[k.Ints] | None,
    seed: int | None,
    start: Snapshot,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> Batch:
    """Play profile after profile: one state to begin from does not fit the registers of all."""
    parts: list[Batch] = []

    def report(finished: int) -> None:
        if progress is not None:
            progress((len(parts) * len(numbers) + finished) // len(profiles))

    for profile in profiles:
        part = simulate_batch(
            scenario,
            [profile],
            samples=numbers,
            arrivals=arrivals,
            seed=seed,
            start=start,
            threads=threads,
            progress=report,
        )
        parts.append(part)
    return Batch(
        scenario.bank_ids,
        parts[0].seed,
        tuple(numbers),
        np.concatenate([part.cost for part in parts], axis=1),
        np.concatenate([part.stat for part in parts], axis=1),
        np.concatenate([part.delay for part in parts], axis=1),
    )


def _numbers(samples: int | Sequence[int], arrivals: Sequence[k.Ints] | None) -> list[int]:
    if arrivals is not None:
        return list(range(len(arrivals)))
    numbers = list(range(samples)) if isinstance(samples, int) else [int(s) for s in samples]
    if any(not 0 <= number < 2**31 for number in numbers):
        raise InputError("samples: numbers from 0 to 2^31 - 1 are expected")
    return numbers


def _plan(
    scenario: Scenario,
    profiles: Sequence[Sequence[Policy]],
    seed: int | None,
    start: Snapshot | None,
    arrivals: Sequence[k.Ints] | None,
) -> _Plan:
    program = compile_profiles(profiles, scenario.bank_ids)
    base = make_base(scenario, program)
    first = 0
    if start is not None:
        program = with_timers_of(start, program)
        base, first = base_of(start, scenario, program), start.next_tick
    sources = make_sources(scenario)
    size = expected_arrivals(sources, scenario.n_ticks)
    if arrivals is not None:
        size = max(map(len, arrivals), default=0)
    factor = 2 if program.has_splits else 1
    room = Room(len(base.pay) + factor * size + 16, size + 1, 0, is_full=False)
    return _Plan(
        make_world=lambda room: make_world(scenario, program, room=room),
        make_sources=lambda: make_sources(scenario),
        base=base,
        profiles=make_profiles(scenario, program, profiles),
        seed=check_seed(scenario.simulation.rng_seed if seed is None else seed),
        ticks=(first, scenario.n_ticks),
        given=arrivals,
        room=room,
        shelf=queue.SimpleQueue(),
    )


def _play_all(
    plan: _Plan,
    numbers: Sequence[int],
    places: Sequence[int],
    out: Results,
    threads: int | None,
) -> Iterator[int]:
    """Play chunks of samples; yield how many were finished, in order."""
    size = min(max(len(places) // PIECES, 1), MOST)
    chunks = [places[at : at + size] for at in range(0, len(places), size)]
    workers = 1 if IS_INTERPRETED else min(threads or _available(), len(chunks))

    def play(chunk: Sequence[int]) -> int:
        samples = [numbers[place] for place in chunk]
        if chunk[-1] - chunk[0] == len(chunk) - 1:
            rows = slice(chunk[0], chunk[-1] + 1)
            plan.play(chunk, samples, Results(*(cast("Any", array[rows]) for array in out)))
            return len(chunk)
        part = Results(*(cast("Any", array[list(chunk)]) for array in out))
        plan.play(chunk, samples, part)
        for whole, piece in zip(out, part, strict=True):
            whole[list(chunk)] = piece
        return len(chunk)

    if workers == 1:
        yield from map(play, chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(play, chunks)


def _available() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _raise_first(out: Results, numbers: Sequence[int], scenario: Scenario) -> None:
    failed = np.argwhere(out.error[:, :, 0] != k.E_NONE)
    if len(failed):
        place, profile = failed[0]
        where = f"scenario {scenario.name!r}, sample {numbers[place]}, profile {profile}"
        raise simulation_error(out.error[place, profile], scenario.bank_ids, where)
