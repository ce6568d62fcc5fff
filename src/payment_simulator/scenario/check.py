"""Checks what no section of a scenario can know by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from payment_simulator.scenario.agents import Agent
from payment_simulator.scenario.arrivals import ArrivalBand, ArrivalConfig
from payment_simulator.scenario.costs import COST_KINDS
from payment_simulator.scenario.event_kinds import (
    AgentArrivalRateChange,
    CollateralAdjustment,
    CustomTransactionArrival,
    DirectTransfer,
    Event,
    GlobalArrivalRateChange,
    ScheduledSettlement,
)
from payment_simulator.scenario.model import ObservedPayment, Scenario
from payment_simulator.scenario.places import Misplaced, Path, nearest
from payment_simulator.scenario.values import MAX_RATE, MAX_TICKS, quoted

#: All money and all payments known beforehand stay below, so that no sum leaves int64.
MAX_TOTAL_CENTS = 4 * 10**18

#: Keys of events that name a bank.
_BANK_KEYS = ("from_agent", "to_agent", "agent", "counterparty")


def check_scenario(scenario: Scenario) -> None:
    """Check banks, events and switches against each other.

    Raises
    ------
    Misplaced
        The first thing that does not fit.
    """
    _check_names(scenario)
    banks = dict.fromkeys(scenario.bank_ids)
    for number, agent in enumerate(scenario.agents):
        _check_agent(agent, ("agents", number), banks)
    _check_events(scenario)
    _check_rates(scenario)
    for list_name in ("include", "exclude"):
        for number, kind in enumerate(getattr(scenario.cost_feature_toggles, list_name) or ()):
            if kind not in COST_KINDS:
                raise Misplaced(
                    ("cost_feature_toggles", list_name, number),
                    f"{quoted(kind)} is no kind of cost; {nearest(kind, COST_KINDS)}",
                )


def check_money(scenario: Scenario, payments: Iterable[ObservedPayment]) -> None:
    """Refuse a scenario whose sums of money could leave int64.

    Raises
    ------
    Misplaced
        Balances, pools, collateral and payments known beforehand come to too much.
    """
    total = sum(payment.amount for payment in payments)
    for agent in scenario.agents:
        total += agent.opening_balance + agent.unsecured_cap + agent.posted_collateral
        total += agent.liquidity_pool or 0
    for event in scenario.scenario_events:
        if isinstance(event, DirectTransfer | CustomTransactionArrival | ScheduledSettlement):
            total += event.amount * len(event.ticks(scenario.n_ticks))
        elif isinstance(event, CollateralAdjustment):
            total += abs(event.delta) * len(event.ticks(scenario.n_ticks))
    if total >= MAX_TOTAL_CENTS:
        raise Misplaced(
            (),
            f"balances, credit, pools and payments known beforehand come to {total} cents; "
            "expected less than 4 * 10^18",
        )


def _check_names(scenario: Scenario) -> None:
    first: dict[str, int] = {}
    for number, agent in enumerate(scenario.agents):
        if agent.id in first:
            raise Misplaced(
                ("agents", number, "id"),
                f"{quoted(agent.id)} is the id of agents[{first[agent.id]}] too; "
                "expected each once",
            )
        first[agent.id] = number


def _check_agent(agent: Agent, path: Path, banks: dict[str, None]) -> None:
    for place, source in _sources(agent):
        if len(banks) == 1:
            raise Misplaced(
                (*path, *place), f"{quoted(agent.id)} is the only bank; expected another to pay"
            )
        for name in source.counterparty_weights:
            _check_other(name, agent.id, banks, (*path, *place, "counterparty_weights", name))
    for name in agent.limits.bilateral_limits:
        _check_other(name, agent.id, banks, (*path, "limits", "bilateral_limits", name))


def _sources(agent: Agent) -> Iterator[tuple[Path, ArrivalConfig | ArrivalBand]]:
    if agent.arrival_config is not None:
        yield ("arrival_config",), agent.arrival_config
    if agent.arrival_bands is not None:
        for name, band in agent.arrival_bands.bands():
            yield ("arrival_bands", name), band


def _check_other(name: str, own: str, banks: Iterable[str], path: Path) -> None:
    _check_bank(name, banks, path)
    if name == own:
        raise Misplaced(path, f"{quoted(name)} is the bank itself; expected another bank")


def _check_bank(name: str, banks: Iterable[str], path: Path) -> None:
    if name not in banks:
        raise Misplaced(path, f"{quoted(name)} is no bank of this scenario; {nearest(name, banks)}")


def _check_events(scenario: Scenario) -> None:
    banks = dict.fromkeys(scenario.bank_ids)
    n_happenings = 0
    for number, event in enumerate(scenario.scenario_events):
        path = ("scenario_events", number)
        for key in _BANK_KEYS:
            if hasattr(event, key):
                _check_bank(getattr(event, key), banks, (*path, key))
        ticks = event.ticks(scenario.n_ticks)
        if not ticks:
            raise Misplaced(
                (*path, "schedule"),
                f"it first falls on tick {_first_tick(event)}, after the end of the run; "
                f"expected a tick from 0 to {scenario.n_ticks - 1}",
            )
        n_happenings += len(ticks)
    if n_happenings > MAX_TICKS:
        raise Misplaced(
            ("scenario_events",), f"they happen {n_happenings} times; expected at most {MAX_TICKS}"
        )


def _first_tick(event: Event) -> int:
    return event.ticks(MAX_TICKS + 1).start


def _check_rates(scenario: Scenario) -> None:
    """Refuse rates that events could raise beyond what a rate may be."""
    events = scenario.scenario_events
    of_all = [e.multiplier for e in events if isinstance(e, GlobalArrivalRateChange)]
    for number, agent in enumerate(scenario.agents):
        of_bank = [
            event.multiplier
            for event in events
            if isinstance(event, AgentArrivalRateChange) and event.agent == agent.id
        ]
        factor = max(1.0, *of_all, 0.0) * max(1.0, *of_bank, 0.0)
        for source, rate in agent.rates_per_tick().items():
            if rate * factor > MAX_RATE:
                raise Misplaced(
                    ("agents", number, *source.split("."), "rate_per_tick"),
                    f"with the multipliers of events it comes to {rate * factor:g}; "
                    f"expected at most {MAX_RATE:g} payments per tick",
                )
