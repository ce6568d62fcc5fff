"""A scenario and its policies as the arrays of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from payment_simulator.kernels import layout as k
from payment_simulator.kernels.collateral import collateral_value
from payment_simulator.kernels.run import Base, Profiles
from payment_simulator.policy.compile import Program
from payment_simulator.policy.tree import Policy
from payment_simulator.scenario import Penalty, Scenario
from payment_simulator.simulation.room import Room
from payment_simulator.simulation.sources import scheduled_actions

FRACTION = "initial_liquidity_fraction"
#: Kinds of cost, in the order of the engine's columns.
COST_KINDS = (
    "liquidity",
    "overdraft",
    "collateral",
    "delay",
    "deadline_penalty",
    "end_of_day",
    "split",
)
_ALGORITHMS = {"fifo": 0, "bilateral": 1, "multilateral": 2, "cycles": 3}
_CURVES = {"linear": 1, "quadratic": 2, "step": 3}
_value = getattr(collateral_value, "py_func", collateral_value)


def funded(pool: int, fraction: float) -> int:
    """Return the share of a pool in whole cents, exactly as its decimal form says.

    Notes
    -----
    ``int(0.57 * 100)`` is 56: the float just below 0.57 decides. Here 0.57 is 57 hundredths.
    """
    return int(Decimal(pool) * Decimal(repr(float(fraction))))


def make_rules(scenario: Scenario) -> k.Ints:
    """Return the scenario's whole numbers."""
    rule = np.zeros(k.R_N, dtype=np.int64)
    lsm, costs = scenario.lsm_config, scenario.cost_rates
    rule[k.R_TICKS_PER_DAY] = scenario.simulation.ticks_per_day
    rule[k.R_TICKS] = scenario.n_ticks
    rule[k.R_DEFERRED] = scenario.deferred_crediting
    rule[k.R_ENTRY_OFFSET] = scenario.entry_disposition_offsetting
    rule[k.R_PRIORITY_MODE] = scenario.priority_mode
    rule[k.R_BY_PRIORITY] = scenario.queue1_ordering == "priority_deadline"
    rule[k.R_STRICT] = scenario.queue_discipline == "strict"
    rule[k.R_BOTH_QUEUES] = scenario.delay_applies_to == "both_queues"
    rule[k.R_BORROW] = scenario.end_of_day == "borrow"
    rule[k.R_DAILY_FUNDING] = scenario.daily_liquidity_reallocation
    rule[k.R_RESTART] = scenario.algorithm_sequencing
    rule[k.R_BILATERAL_LIMITS] = any(a.limits.bilateral_limits for a in scenario.agents)
    escalation = scenario.priority_escalation
    if escalation.enabled:
        rule[k.R_ESCALATION] = _CURVES[escalation.curve]
        rule[k.R_ESCALATION_START] = escalation.start_escalating_at_ticks
        rule[k.R_ESCALATION_BOOST] = escalation.max_boost
    rule[k.R_MAX_CHAIN] = lsm.max_cycle_length
    rule[k.R_MAX_CHAINS] = lsm.max_cycles_per_tick
    rule[k.R_ALGORITHMS : k.R_ALGORITHMS + 4] = k.NONE
    for place, name in enumerate(scenario.algorithms):
        rule[k.R_ALGORITHMS + place] = _ALGORITHMS[name]
    rule[k.R_SPLIT_FRICTION] = costs.split_friction_cost
    rule[k.R_DEADLINE_FIXED] = _fixed(costs.deadline_penalty)
    rule[k.R_EOD_FIXED] = _fixed(costs.eod_penalty)
    for place, kind in enumerate(COST_KINDS):
        rule[k.R_CHARGED + place] = kind in scenario.charged_kinds
    return rule


def _fixed(penalty: Penalty) -> int:
    return penalty.amount if penalty.mode == "fixed" else 0


def _bps(penalty: Penalty) -> float:
    return penalty.bps_per_event if penalty.mode == "rate" else 0.0


def make_rates(scenario: Scenario) -> k.Floats:
    """Return the scenario's prices."""
    rate = np.zeros(k.F_STACK)
    costs = scenario.cost_rates
    rate[k.F_LIQUIDITY] = costs.liquidity_cost_per_tick_bps
    rate[k.F_OVERDRAFT] = costs.overdraft_bps_per_tick
    rate[k.F_COLLATERAL] = costs.collateral_cost_per_tick_bps
    rate[k.F_DELAY] = costs.delay_cost_per_tick_per_cent
    multipliers = costs.priority_delay_multipliers
    by_band = (
        multipliers.urgent_multiplier,
        multipliers.normal_multiplier,
        multipliers.low_multiplier,
    )
    for overdue, factor in enumerate((1.0, costs.overdue_delay_multiplier)):
        for band, multiplier in enumerate(by_band):
            price = (costs.delay_cost_per_tick_per_cent * multiplier) * factor
            rate[k.F_DELAY_FACTOR + 3 * overdue + band] = price
    rate[k.F_DEADLINE_BPS] = _bps(costs.deadline_penalty)
    rate[k.F_EOD_BPS] = _bps(costs.eod_penalty)
    rate[k.F_BORROWING] = costs.eod_borrowing_bps
    rate[k.F_RUSH] = scenario.eod_rush_threshold
    return rate


def make_limits(scenario: Scenario) -> k.Ints | None:
    """Return the bilateral limits of every bank towards every other, if any bank has one."""
    n = scenario.n_banks
    if not any(agent.limits.bilateral_limits for agent in scenario.agents):
        return None
    limit = np.full((n, n), k.NO_LIMIT, dtype=np.int64)
    index = {bank: i for i, bank in enumerate(scenario.bank_ids)}
    for i, agent in enumerate(scenario.agents):
        for bank, cents in agent.limits.bilateral_limits.items():
            limit[i, index[bank]] = cents
    return limit


def make_profiles(
    scenario: Scenario, program: Program, profiles: Sequence[Sequence[Policy]]
) -> Profiles:
    """Return what the policies of each profile mean to the engine."""
    fund = np.zeros((len(profiles), scenario.n_banks), dtype=np.int64)
    for q, profile in enumerate(profiles):
        for i, (agent, policy) in enumerate(zip(scenario.agents, profile, strict=True)):
            if agent.liquidity_pool is not None:
                default = agent.liquidity_allocation_fraction
                fraction = policy.parameters.get(FRACTION, default)
                fund[q, i] = funded(agent.liquidity_pool, fraction)
    return Profiles(start=program.start, uses=program.uses, fund=fund)


def make_banks(scenario: Scenario) -> k.Ints:
    """Return the banks as they are before the first tick."""
    bank = np.zeros((scenario.n_banks, k.B_N), dtype=np.int64)
    for column in (k.B_Q1_HEAD, k.B_Q1_TAIL, k.B_DROPPED_HEAD, k.B_BUDGET, k.B_BUDGET_FOCUS):
        bank[:, column] = k.NONE
    bank[:, k.B_BUDGET_EACH] = k.NONE
    bank[:, k.B_Q2_HEAD : k.B_Q2_HEAD + 3] = k.NONE
    bank[:, k.B_Q2_TAIL : k.B_Q2_TAIL + 3] = k.NONE
    bank[:, k.B_NEAREST] = k.FAR_TICK
    for i, agent in enumerate(scenario.agents):
        limit = agent.limits.multilateral_limit
        bank[i, k.B_BALANCE] = agent.opening_balance
        bank[i, k.B_CAP] = agent.unsecured_cap
        bank[i, k.B_POSTED] = agent.posted_collateral
        bank[i, k.B_HAIRCUT] = agent.haircut_ppm
        value = _value(agent.posted_collateral, agent.haircut_ppm)
        bank[i, k.B_CREDIT] = agent.unsecured_cap + value
        bank[i, k.B_CAPACITY] = agent.collateral_capacity
        bank[i, k.B_LIMIT] = k.NO_LIMIT if limit is None else limit
        bank[i, k.B_POOL] = agent.liquidity_pool is not None
    return bank


def make_base(scenario: Scenario, program: Program) -> Base:
    """Return the state before the first tick."""
    n, ticks = scenario.n_banks, scenario.n_ticks
    bank = make_banks(scenario)
    clock = np.zeros(k.C_N, dtype=np.int64)
    clock[k.C_HEAD : k.C_HEAD + 3] = k.NONE
    clock[k.C_TAIL : k.C_TAIL + 3] = k.NONE
    clock[k.C_INJECTED] = bank[:, k.B_BALANCE].sum()
    clock[k.C_TICK] = k.NONE
    clock[k.C_SEEN_NEWS : k.C_SEEN_MOVES + 4] = k.NONE
    return Base(
        clock=clock,
        bank=bank,
        sums=np.zeros((n, k.U_COST + k.K_N * scenario.simulation.num_days)),
        pay=np.zeros((0, k.P_N), dtype=np.int64),
        pair=np.zeros((2, n, n), dtype=np.int64),
        due=np.full((ticks + 1, 2), k.NONE, dtype=np.int64),
        timer=np.zeros((ticks if program.has_timers else 0, n), dtype=np.int64),
    )


def make_pairs(scenario: Scenario) -> k.Ints:
    """Return what belongs to two banks."""
    n, limit = scenario.n_banks, make_limits(scenario)
    pair = np.zeros((k.X_LIMIT if limit is None else k.X_N, n, n), dtype=np.int64)
    pair[k.X_HEAD] = k.NONE
    if limit is not None:
        pair[k.X_LIMIT] = limit
    return pair


def make_world(scenario: Scenario, program: Program, *, room: Room) -> k.World:
    """Return a world with room for the payments, arrivals and log rows that are asked for."""
    n, ticks = scenario.n_banks, scenario.n_ticks
    act, act_start = scheduled_actions(scenario)
    rule = make_rules(scenario)
    rule[k.R_FULL] = room.is_full
    timers = ticks if program.has_timers else 0
    rule[k.R_TIMERS] = k.W_FOCUS + len(program.focus) if timers else k.NONE
    wide = np.zeros((k.W_FOCUS + len(program.focus) + timers, n), dtype=np.int64)
    wide[k.W_FOCUS : k.W_FOCUS + len(program.focus)] = program.focus
    tick = np.full((ticks + 1, k.Y_N), k.NONE, dtype=np.int64)
    tick[:, k.Y_ACTS] = act_start
    traced = ticks if room.is_full else 0
    return k.World(
        clock=np.zeros(k.C_N, dtype=np.int64),
        rule=rule,
        rate=np.concatenate([make_rates(scenario), np.zeros(k.STACK), program.const]),
        bank=np.zeros((n, k.B_N), dtype=np.int64),
        sums=np.zeros((n, k.U_COST + k.K_N * scenario.simulation.num_days)),
        pay=np.zeros((room.payments, k.P_N), dtype=np.int64),
        note=np.zeros((room.payments, k.N_N)),
        pair=make_pairs(scenario),
        wide=wide,
        tick=tick,
        code=program.code,
        arr=np.zeros((room.arrivals, k.A_N), dtype=np.int64),
        act=act,
        room=np.zeros((k.M_N, max(room.payments, n, 12)), dtype=np.int64),
        log=np.zeros((room.log, k.L_N), dtype=np.int64),
        trace=np.zeros((traced, n, k.T_N), dtype=np.int64),
        bill=np.zeros((traced, n)),
    )
