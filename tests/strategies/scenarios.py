"""Random scenarios, small and tight: every switch, so that queues form and every rule is met.

They are mappings as a scenario file holds them, for ``parse_scenario``. Money is scarce on purpose:
amounts are of the size of balances, limits and credit lines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from payment_simulator.policy import Policy
from payment_simulator.scenario import ObservedPayment, Scenario, parse_scenario
from payment_simulator.scenario.costs import COST_KINDS
from tests.strategies.plain_policies import plain_policies
from tests.strategies.policies import policies

MAX_TICKS_PER_DAY = 12
ALGORITHMS = ("fifo", "bilateral", "multilateral", "cycles")

FEW_CENTS = st.integers(0, 60)
SOME_CENTS = st.one_of(FEW_CENTS, st.integers(0, 2_000))
AMOUNTS = st.one_of(
    st.integers(1, 20), st.integers(1, 1_500), st.sampled_from([1, 999, 10**9, 10**14])
)
RATES = st.sampled_from([0.0, 0.001, 0.1, 0.37, 1.0, 3.0, 33.3, 500.0])
FACTORS = st.sampled_from([0.0, 0.5, 1.0, 1.7, 5.0])
SHARES = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.999, 1.0])
PRIORITIES = st.integers(0, 10)
SWITCHES = st.booleans()

Keys = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """What is played: a scenario, policies that stand in for its own, and perhaps a change of them.

    Attributes
    ----------
    keys : dict
        What the file says, without the payments of a payments file.
    payments : tuple of ObservedPayment
        As if from a payments file.
    policies : tuple of Policy
        One for each bank.
    switch : tuple of (int, tuple of Policy), optional
        Tick from which others rule, and they.
    seed, sample : int
        Which random days are played.
    """

    keys: Keys
    payments: tuple[ObservedPayment, ...]
    policies: tuple[Policy, ...]
    switch: tuple[int, tuple[Policy, ...]] | None
    seed: int
    sample: int

    @property
    def scenario(self) -> Scenario:
        """The scenario, parsed."""
        made = parse_scenario(self.keys)
        if not self.payments:
            return made
        return made.with_loaded(replace(made.loaded, payments=self.payments))


def keys_of(**required: Any) -> Any:
    """Draw a mapping some of whose keys are left out."""
    return st.fixed_dictionaries({}, optional=required)


def windows(draw: st.DrawFn, most: int = 15) -> tuple[int, int]:
    """Draw the two ends of a window of deadlines."""
    first = draw(st.integers(0, most))
    return first, first + draw(st.integers(0, 5))


@st.composite
def amounts(draw: st.DrawFn) -> Keys:
    """Draw a distribution of amounts."""
    kind = draw(st.sampled_from(["Normal", "LogNormal", "Uniform", "Exponential"]))
    if kind == "Normal":
        return {"type": kind, "mean": draw(st.integers(-20, 900)), "std_dev": draw(SOME_CENTS)}
    if kind == "LogNormal":
        mean = draw(st.sampled_from([0.5, 10.0, 333.25, 900.0]))
        return {"type": kind, "mean": mean, "std_dev": draw(SOME_CENTS)}
    if kind == "Uniform":
        least = draw(SOME_CENTS)
        return {"type": kind, "min": least, "max": least + draw(st.integers(1, 900))}
    return {"type": kind, "lambda": draw(st.sampled_from([0.001, 0.02, 1.0]))}


@st.composite
def priority_distributions(draw: st.DrawFn) -> Keys:
    """Draw a distribution of priorities."""
    kind = draw(st.sampled_from(["Fixed", "Categorical", "Uniform"]))
    if kind == "Fixed":
        return {"type": kind, "value": draw(PRIORITIES)}
    if kind == "Uniform":
        ends = sorted([draw(PRIORITIES), draw(PRIORITIES)])
        return {"type": kind, "min": ends[0], "max": ends[1]}
    values = draw(st.lists(PRIORITIES, min_size=1, max_size=4))
    weights = [draw(st.sampled_from([0.1, 1.0, 2.5])) for _ in values]
    return {"type": kind, "values": values, "weights": weights}


@st.composite
def weights(draw: st.DrawFn, others: list[str]) -> Keys:
    """Draw weights of receivers, one of them above zero; none at all where all weigh the same."""
    if draw(SWITCHES):
        return {}
    chosen = draw(st.lists(st.sampled_from(others), min_size=1, unique=True))
    some = [draw(st.sampled_from([0.0, 0.3, 1.0, 4.0])) for _ in chosen]
    some[0] = some[0] or 1.5
    return dict(zip(chosen, some, strict=True))


@st.composite
def arrivals(draw: st.DrawFn, others: list[str]) -> Keys:
    """Draw how payments come to a bank at random, or that none do."""
    form = draw(st.sampled_from(["none", "config", "config", "bands"]))
    if form == "none" or not others:
        return {}
    rates = st.sampled_from([0.0, 0.2, 0.7, 1.5])
    if form == "config":
        config: Keys = {
            "rate_per_tick": draw(rates),
            "amount_distribution": draw(amounts()),
            "deadline_range": list(windows(draw)),
            "counterparty_weights": draw(weights(others)),
            "divisible": draw(SWITCHES),
        }
        if draw(SWITCHES):
            config["priority_distribution"] = draw(priority_distributions())
        elif draw(SWITCHES):
            config["priority"] = draw(PRIORITIES)
        return {"arrival_config": config}
    bands = {}
    for name in draw(st.lists(st.sampled_from(["urgent", "normal", "low"]), unique=True)):
        first, last = windows(draw)
        bands[name] = {
            "rate_per_tick": draw(rates),
            "amount_distribution": draw(amounts()),
            "deadline_offset_min": first,
            "deadline_offset_max": last,
            "counterparty_weights": draw(weights(others)),
            "divisible": draw(SWITCHES),
        }
    return {"arrival_bands": bands}


@st.composite
def agents(draw: st.DrawFn, own: str, bank_ids: list[str]) -> Keys:
    """Draw a bank: money, credit, limits and what it has to pay."""
    others = [name for name in bank_ids if name != own]
    agent: Keys = {"id": own, "opening_balance": draw(SOME_CENTS), **draw(arrivals(others))}
    agent |= draw(
        keys_of(
            unsecured_cap=SOME_CENTS,
            posted_collateral=SOME_CENTS,
            collateral_haircut=st.sampled_from([0.0, 0.02, 1 / 3, 0.5, 1.0]),
            max_collateral_capacity=SOME_CENTS,
        )
    )
    if draw(SWITCHES):
        agent["liquidity_pool"] = draw(st.integers(0, 3_000))
        agent |= draw(keys_of(liquidity_allocation_fraction=SHARES))
    if draw(st.integers(0, 2)) == 0:
        limits: Keys = {}
        if others and draw(SWITCHES):
            chosen = draw(st.lists(st.sampled_from(others), min_size=1, unique=True))
            limits["bilateral_limits"] = {name: draw(SOME_CENTS) for name in chosen}
        if draw(SWITCHES):
            limits["multilateral_limit"] = draw(SOME_CENTS)
        agent["limits"] = limits
    return agent


@st.composite
def penalties(draw: st.DrawFn) -> int | Keys:
    """Draw a penalty, fixed or as a rate."""
    form = draw(st.integers(0, 2))
    if form == 0:
        return draw(st.integers(0, 900))
    if form == 1:
        return {"mode": "fixed", "amount": draw(st.integers(0, 900))}
    return {"mode": "rate", "bps_per_event": draw(RATES)}


def cost_rates() -> st.SearchStrategy[Keys]:
    """Draw prices."""
    multipliers = keys_of(
        urgent_multiplier=FACTORS, normal_multiplier=FACTORS, low_multiplier=FACTORS
    )
    found: st.SearchStrategy[Keys] = keys_of(
        overdraft_bps_per_tick=RATES,
        delay_cost_per_tick_per_cent=st.sampled_from([0.0, 0.1, 0.003]),
        collateral_cost_per_tick_bps=RATES,
        liquidity_cost_per_tick_bps=RATES,
        eod_penalty=penalties(),
        deadline_penalty=penalties(),
        split_friction_cost=st.integers(0, 99),
        overdue_delay_multiplier=FACTORS,
        eod_borrowing_bps=RATES,
        priority_delay_multipliers=multipliers,
    )
    return found


@st.composite
def lsm_configs(draw: st.DrawFn) -> Keys:
    """Draw what works off Queue 2."""
    config: Keys = draw(
        keys_of(max_cycle_length=st.integers(3, 6), max_cycles_per_tick=st.integers(1, 3))
    )
    if draw(st.integers(0, 3)):
        config["algorithms"] = draw(st.lists(st.sampled_from(ALGORITHMS), unique=True))
    else:
        config |= draw(keys_of(enable_bilateral=SWITCHES, enable_cycles=SWITCHES))
    return config


@st.composite
def events(draw: st.DrawFn, bank_ids: list[str], n_ticks: int) -> Keys:
    """Draw an event of any type, once or repeated."""
    tick = draw(st.integers(0, n_ticks - 1))
    event: Keys = {"schedule": {"type": "OneTime", "tick": tick}}
    if draw(st.integers(0, 3)) == 0:
        interval = draw(st.integers(1, 5))
        event["schedule"] = {"type": "Repeating", "start_tick": tick, "interval": interval}
    kinds = ["CollateralAdjustment", "GlobalArrivalRateChange", "AgentArrivalRateChange"]
    kinds.append("DeadlineWindowChange")
    if len(bank_ids) > 1:
        kinds += ["DirectTransfer", "ScheduledSettlement", "CounterpartyWeightChange"]
        kinds += ["CustomTransactionArrival"] * 4
    kind = draw(st.sampled_from(kinds))
    return event | {"type": kind} | draw(_what_happens(kind, bank_ids))


@st.composite
def _what_happens(draw: st.DrawFn, kind: str, bank_ids: list[str]) -> Keys:
    multipliers = st.sampled_from([0.0, 0.5, 1.0, 2.5])
    bank = draw(st.sampled_from(bank_ids))
    if kind == "CollateralAdjustment":
        return {"agent": bank, "delta": draw(st.integers(-900, 900))}
    if kind == "GlobalArrivalRateChange":
        return {"multiplier": draw(multipliers)}
    if kind == "AgentArrivalRateChange":
        return {"agent": bank, "multiplier": draw(multipliers)}
    if kind == "DeadlineWindowChange":
        ends: Keys = draw(
            keys_of(min_ticks_multiplier=multipliers, max_ticks_multiplier=multipliers)
        )
        return ends or {"max_ticks_multiplier": 1.5}
    other = draw(st.sampled_from([name for name in bank_ids if name != bank]))
    if kind == "CounterpartyWeightChange":
        # Above zero, so that somebody is left to be paid.
        return {
            "agent": bank,
            "counterparty": other,
            "new_weight": draw(st.sampled_from([0.2, 1.0, 3.0])),
            "auto_balance_others": draw(SWITCHES),
        }
    made = {"from_agent": bank, "to_agent": other, "amount": draw(AMOUNTS)}
    if kind == "CustomTransactionArrival":
        made |= draw(
            keys_of(priority=PRIORITIES, deadline=st.integers(0, 15), is_divisible=SWITCHES)
        )
    return made


def switches() -> st.SearchStrategy[Keys]:
    """Draw the switches at the top of a scenario."""
    escalations = st.fixed_dictionaries(
        {"enabled": SWITCHES},
        optional={
            "curve": st.sampled_from(["linear", "quadratic", "step"]),
            "start_escalating_at_ticks": st.integers(1, 12),
            "max_boost": PRIORITIES,
        },
    )
    toggles = st.one_of(
        st.fixed_dictionaries({"include": st.lists(st.sampled_from(COST_KINDS), unique=True)}),
        st.fixed_dictionaries({"exclude": st.lists(st.sampled_from(COST_KINDS), unique=True)}),
        st.just({}),
    )
    found: st.SearchStrategy[Keys] = keys_of(
        deferred_crediting=SWITCHES,
        deadline_cap_at_eod=SWITCHES,
        algorithm_sequencing=SWITCHES,
        entry_disposition_offsetting=SWITCHES,
        priority_mode=SWITCHES,
        queue1_ordering=st.sampled_from(["Fifo", "priority_deadline"]),
        priority_escalation=escalations,
        eod_rush_threshold=SHARES,
        daily_liquidity_reallocation=SWITCHES,
        end_of_day=st.sampled_from(["penalty", "borrow"]),
        queue_discipline=st.sampled_from(["bypass", "strict"]),
        delay_applies_to=st.sampled_from(["both_queues", "queue1"]),
        cost_feature_toggles=toggles,
    )
    return found


@st.composite
def scenarios(draw: st.DrawFn, max_banks: int = 6) -> Keys:
    """Draw a scenario as a mapping for ``parse_scenario``."""
    bank_ids = [f"BANK_{letter}" for letter in "ABCDEF"[: draw(st.integers(1, max_banks))]]
    ticks, days = draw(st.integers(1, MAX_TICKS_PER_DAY)), draw(st.integers(1, 3))
    made: Keys = {
        "simulation": {"ticks_per_day": ticks, "num_days": days, "rng_seed": 1},
        "agents": [draw(agents(name, bank_ids)) for name in bank_ids],
        **draw(switches()),
        "lsm_config": draw(lsm_configs()),
    }
    if draw(st.integers(0, 5)):
        made["cost_rates"] = draw(cost_rates())
    if draw(st.integers(0, 4)):
        happenings = st.lists(events(bank_ids, ticks * days), min_size=1, max_size=12)
        made["scenario_events"] = draw(happenings)
    return made


@st.composite
def observed_payments(
    draw: st.DrawFn, n_banks: int, n_ticks: int, most: int = 30
) -> tuple[ObservedPayment, ...]:
    """Draw payments as from a payments file: by tick."""
    if n_banks == 1:
        return ()
    made = []
    for tick in sorted(draw(st.lists(st.integers(0, n_ticks - 1), max_size=most))):
        sender = draw(st.integers(0, n_banks - 1))
        receiver = (sender + draw(st.integers(1, n_banks - 1))) % n_banks
        made.append(
            ObservedPayment(
                tick=tick,
                sender=sender,
                receiver=receiver,
                amount=draw(AMOUNTS),
                deadline_offset=draw(st.integers(0, 15)),
                priority=draw(PRIORITIES),
                divisible=draw(SWITCHES),
            )
        )
    return tuple(made)


@st.composite
def profiles(draw: st.DrawFn, bank_ids: list[str]) -> tuple[Policy, ...]:
    """Draw a policy for each bank."""
    plain = st.sampled_from(plain_policies())
    return tuple(draw(plain if draw(SWITCHES) else policies(bank_ids)) for _ in bank_ids)


@st.composite
def cases(draw: st.DrawFn, max_banks: int = 6) -> Case:
    """Draw all of what is played."""
    keys = draw(scenarios(max_banks))
    bank_ids = [agent["id"] for agent in keys["agents"]]
    n_ticks = keys["simulation"]["ticks_per_day"] * keys["simulation"]["num_days"]
    switch = None
    if draw(st.integers(0, 3)) == 0:
        switch = (draw(st.integers(0, n_ticks - 1)), draw(profiles(bank_ids)))
    return Case(
        keys=keys,
        payments=draw(observed_payments(len(bank_ids), n_ticks)),
        policies=draw(profiles(bank_ids)),
        switch=switch,
        seed=draw(st.sampled_from([0, 1, 42, 2**63 - 1, 2**64 - 1]) | st.integers(0, 2**64 - 1)),
        sample=draw(st.sampled_from([0, 0, 1, 7, 10**6])),
    )
