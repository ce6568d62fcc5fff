"""One run of a scenario, tick by tick as far as one likes, with all that happens written down."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from payment_simulator.errors import InputError
from payment_simulator.kernels import layout as k
from payment_simulator.kernels.draw import Sources
from payment_simulator.kernels.engine import run_engine
from payment_simulator.kernels.run import MODE_GO_ON, MODE_PREPARE, Base, Job, Results
from payment_simulator.policy.compile import Program, compile_profiles
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation.errors import ROOM, simulation_error
from payment_simulator.simulation.result import Run
from payment_simulator.simulation.room import Room, expected_arrivals
from payment_simulator.simulation.snapshot import Snapshot, capture
from payment_simulator.simulation.sources import make_sources
from payment_simulator.simulation.worlds import make_base, make_profiles, make_world

Policies = Mapping[str, Policy] | Sequence[Policy] | None


def resolve_policies(scenario: Scenario, policies: Policies) -> tuple[Policy, ...]:
    """Return one policy for each bank: those given, the scenario's own for the others.

    Raises
    ------
    InputError
        A bank is not in the scenario, or a sequence has another length than the list of banks.
    """
    if policies is None:
        return scenario.policies
    if isinstance(policies, Mapping):
        unknown = [bank for bank in policies if bank not in scenario.bank_ids]
        if unknown:
            raise InputError(
                f"bank {unknown[0]!r} is not in scenario {scenario.name!r}; "
                f"its banks: {', '.join(scenario.bank_ids[:20])}"
            )
        own = zip(scenario.bank_ids, scenario.policies, strict=True)
        return tuple(policies.get(bank, policy) for bank, policy in own)
    if len(policies) != scenario.n_banks:
        raise InputError(
            f"{len(policies)} policies for {scenario.n_banks} banks; expected one for each, in the "
            "order of the scenario, or a mapping from bank to policy"
        )
    return tuple(policies)


def scenario_hash(scenario: Scenario) -> str:
    """Return what a scenario is known by: a hash of what it says, whatever the file looks like."""
    return hashlib.sha256(scenario.model_dump_json(by_alias=True).encode()).hexdigest()


def no_results(n_samples: int, n_profiles: int, n_banks: int) -> Results:
    """Return empty results of a batch."""
    return Results(
        cost=np.zeros((n_samples, n_profiles, n_banks, k.K_N)),
        stat=np.zeros((n_samples, n_profiles, n_banks, k.S_N), dtype=np.int64),
        delay=np.zeros((n_samples, n_profiles, n_banks, 2)),
        error=np.zeros((n_samples, n_profiles, 4), dtype=np.int64),
    )


def make_job(mode: int, samples: Sequence[int], ticks: tuple[int, int]) -> Job:
    """Return a job whose arrivals are drawn."""
    return Job(
        sample=np.asarray(samples, dtype=np.int64),
        given=np.zeros((0, k.A_N), dtype=np.int64),
        given_start=np.zeros(0, dtype=np.int64),
        ticks=np.array(ticks, dtype=np.int64),
        mode=np.array([mode], dtype=np.int64),
    )


class Simulation:
    """A run that can be stopped between two ticks, looked at, changed and taken up again.

    Parameters
    ----------
    scenario : Scenario
        What is played.
    policies : mapping of bank to Policy, or sequence of Policy, optional
        Instead of the scenario's own; a mapping may name some of the banks.
    seed : int, optional
        Seed of the arrivals, 0 to 2^64 - 1; the scenario's ``rng_seed`` if not given.
    sample : int
        Which of the scenario's random runs: sample k of D days plays random days kD and on.
    arrivals : ndarray[int64], shape (arrivals, A_N), optional
        Payments to play instead of random ones, by tick (see
        :mod:`payment_simulator.kernels.layout`).

    Raises
    ------
    SimulationError
        The run stopped rather than give a wrong number.
    """

    def __init__(
        self,
        scenario: Scenario,
        policies: Policies = None,
        *,
        seed: int | None = None,
        sample: int = 0,
        arrivals: k.Ints | None = None,
    ) -> None:
        self.scenario = scenario
        self.policies = resolve_policies(scenario, policies)
        self.seed = check_seed(scenario.simulation.rng_seed if seed is None else seed)
        self.sample = sample
        self.next_tick = 0
        self._compile()
        size = expected_arrivals(self._sources, scenario.n_ticks)
        if arrivals is not None:
            size = len(arrivals)
        factor = 4 if self._program.has_splits else 1
        self._room = Room(factor * size + 16, size + 1, 12 * factor * size + 1024, is_full=True)
        self._make_world()
        self._prepare(arrivals)

    @cached_property
    def _sources(self) -> Sources:
        return make_sources(self.scenario)

    def _compile(self) -> None:
        self._program: Program = compile_profiles([self.policies], self.scenario.bank_ids)
        self._profiles = make_profiles(self.scenario, self._program, [self.policies])

    def _make_world(self) -> None:
        self._world = make_world(self.scenario, self._program, room=self._room)

    def _call(self, job: Job, base: Base) -> int:
        """Let the engine work; return the error code."""
        out = no_results(len(job.sample), 1, self.scenario.n_banks)
        run_engine(self._world, base, self._profiles, self._sources, job, self.seed, out)
        return int(self._world.clock[k.C_ERROR])

    def _preparation(self, arrivals: k.Ints | None) -> Job:
        """Return the job that sets the world to its beginning."""
        job = make_job(MODE_PREPARE, [self.sample], (0, self.scenario.n_ticks))
        if arrivals is None:
            return job
        return job._replace(
            given=np.ascontiguousarray(arrivals, dtype=np.int64),
            given_start=np.array([0, len(arrivals)], dtype=np.int64),
        )

    def _prepare(self, arrivals: k.Ints | None) -> None:
        """Draw or take the arrivals of the whole run."""
        job = self._preparation(arrivals)
        base = make_base(self.scenario, self._program)
        while (error := self._call(job, base)) in ROOM:
            self._room = self._room.grown(error)
            self._make_world()

    @property
    def arrivals(self) -> k.Ints:
        """All arrivals of the run, those to come included: shape (arrivals, A_N)."""
        return self._world.arr[: self._world.tick[-1, k.Y_ARRIVALS]].copy()

    @property
    def is_over(self) -> bool:
        """Whether the last tick has been played."""
        return self.next_tick == self.scenario.n_ticks

    def run_until(self, tick: int | None = None) -> Simulation:
        """Play up to, but not including, a tick; to the end if none is given."""
        end = self.scenario.n_ticks if tick is None else tick
        if not self.next_tick <= end <= self.scenario.n_ticks:
            raise InputError(
                f"tick {end} cannot be reached: the next is {self.next_tick}, and the run has "
                f"{self.scenario.n_ticks}"
            )
        job = make_job(MODE_GO_ON, [self.sample], (self.next_tick, end))
        before = self.snapshot()
        while error := self._call(job, before.base):
            if error not in ROOM:
                clock = self._world.clock
                row = (error, clock[k.C_TICK], clock[k.C_ERROR_BANK], clock[k.C_ERROR_PAYMENT])
                where = f"scenario {self.scenario.name!r}"
                raise simulation_error(row, self.scenario.bank_ids, where)
            self._room = self._room.grown(error)
            self._take_up(before)
        self.next_tick = end
        return self

    def set_policies(self, policies: Policies) -> None:
        """Let other policies rule from the next tick on; registers keep their names and values."""
        before = self.snapshot()
        changed = dict(zip(self.scenario.bank_ids, self.policies, strict=True))
        given = resolve_policies(self.scenario, policies)
        if isinstance(policies, Mapping):
            changed.update(policies)
            given = tuple(changed.values())
        self.policies = given
        self._compile()
        self._take_up(before)

    def snapshot(self) -> Snapshot:
        """Return the state before the next tick."""
        w = self._world
        made, logged = int(w.clock[k.C_PAYMENTS]), int(w.clock[k.C_LOG])
        return Snapshot(
            next_tick=self.next_tick,
            seed=self.seed,
            sample=self.sample,
            scenario_hash=scenario_hash(self.scenario),
            registers=self._program.registers[0],
            base=capture(w),
            arrivals=self.arrivals,
            log=w.log[:logged].copy(),
            trace=w.trace[: self.next_tick].copy(),
            bill=w.bill[: self.next_tick].copy(),
            note=w.note[:made].copy(),
        )

    @classmethod
    def restore(
        cls, scenario: Scenario, snapshot: Snapshot, policies: Policies = None
    ) -> Simulation:
        """Return a run that goes on where a snapshot was taken, under these policies.

        Raises
        ------
        InputError
            The snapshot is of another scenario.
        """
        run = cls(
            scenario,
            policies,
            seed=snapshot.seed,
            sample=snapshot.sample,
            arrivals=snapshot.arrivals,
        )
        run._take_up(snapshot)
        return run

    def _take_up(self, snapshot: Snapshot) -> None:
        """Make a world that stands where a snapshot stands."""
        made, logged = len(snapshot.base.pay), len(snapshot.log)
        self._room = replace(
            self._room,
            payments=max(self._room.payments, made + 16),
            arrivals=max(self._room.arrivals, len(snapshot.arrivals) + 1),
            log=max(self._room.log, logged + 1024),
        )
        self._program = with_timers_of(snapshot, self._program)
        self._make_world()
        w = self._world
        base = base_of(snapshot, self.scenario, self._program)
        self._call(self._preparation(snapshot.arrivals), base)
        w.clock[k.C_ERROR] = k.E_NONE
        w.log[:logged] = snapshot.log
        w.trace[: snapshot.next_tick] = snapshot.trace
        w.bill[: snapshot.next_tick] = snapshot.bill
        w.note[:made] = snapshot.note
        self.next_tick = snapshot.next_tick

    def result(self) -> Run:
        """Return what has happened so far."""
        return Run.of_world(
            self.scenario, self.policies, self.seed, self.sample, self.next_tick, self._world
        )


def with_timers_of(snapshot: Snapshot, program: Program) -> Program:
    """Return a program that keeps the timers of a snapshot, though it may start none itself."""
    return replace(program, has_timers=program.has_timers or len(snapshot.base.timer) > 0)


def base_of(snapshot: Snapshot, scenario: Scenario, program: Program) -> Base:
    """Return a snapshot's state as these policies take it up: registers go by their names.

    Raises
    ------
    InputError
        The snapshot is of another scenario.
    """
    if snapshot.scenario_hash != scenario_hash(scenario):
        raise InputError(
            f"the snapshot is of another scenario than {scenario.name!r}: their hashes differ"
        )
    old = snapshot.base.sums
    sums = old.copy()
    sums[:, k.U_REGISTER : k.U_REGISTER + k.REGISTERS] = 0.0
    for i, names in enumerate(program.registers[0]):
        for place, name in enumerate(names):
            if name in snapshot.registers[i]:
                sums[i, place] = old[i, snapshot.registers[i].index(name)]
    timer = snapshot.base.timer
    if program.has_timers and not len(timer):
        timer = np.zeros((scenario.n_ticks, scenario.n_banks), dtype=np.int64)
    return snapshot.base._replace(sums=sums, timer=timer)


def check_seed(seed: object) -> int:
    """Return a seed that fits.

    Raises
    ------
    InputError
        It does not.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**64:
        raise InputError(f"seed: {seed!r} is not a whole number from 0 to 2^64 - 1")
    return int(seed)


def simulate(
    scenario: Scenario,
    policies: Policies = None,
    *,
    seed: int | None = None,
    sample: int = 0,
    arrivals: k.Ints | None = None,
) -> Run:
    """Play a scenario once and return all that happened; see :class:`Simulation`."""
    run = Simulation(scenario, policies, seed=seed, sample=sample, arrivals=arrivals)
    return run.run_until().result()
