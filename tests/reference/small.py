"""Small scenarios and policies for tests of the twin: the parts by hand, the rest left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from payment_simulator.policy.tree import (
    ActionNode,
    Compare,
    ConditionNode,
    Field,
    Node,
    Number,
    Policy,
    Value,
)
from payment_simulator.scenario import ObservedPayment, Scenario, parse_scenario

NO_COSTS: dict[str, Any] = {
    "overdraft_bps_per_tick": 0.0,
    "delay_cost_per_tick_per_cent": 0.0,
    "collateral_cost_per_tick_bps": 0.0,
    "eod_penalty": 0,
    "deadline_penalty": 0,
    "split_friction_cost": 0,
    "overdue_delay_multiplier": 1.0,
}

#: Of collateral, where a test does not say how much can be posted.
PLENTY = 10**15


def bank(balance: int = 0, **more: Any) -> dict[str, Any]:
    """Give an agent with a balance in cents."""
    return {"opening_balance": balance, **more}


def scenario(
    *agents: dict[str, Any] | int,
    ticks: int = 4,
    days: int = 1,
    costs: dict[str, Any] | None = None,
    lsm: dict[str, Any] | None = None,
    algorithms: tuple[str, ...] = ("fifo",),
    events: tuple[dict[str, Any], ...] = (),
    payments: tuple[ObservedPayment, ...] = (),
    **switches: Any,
) -> Scenario:
    """Make a scenario without costs, whose banks are A, B, C and so on and release everything.

    Parameters
    ----------
    agents : dict or int
        What the file says of an agent, or its opening balance in cents.
    costs, lsm : dict, optional
        Keys of the sections.
    payments : tuple of ObservedPayment
        As from a payments file.
    switches : object
        Other keys of the file.
    """
    keys = {
        "simulation": {"ticks_per_day": ticks, "num_days": days, "rng_seed": 42},
        "agents": [
            {
                "id": "ABCDEFGH"[number],
                "max_collateral_capacity": PLENTY,
                **(agent if isinstance(agent, dict) else bank(agent)),
            }
            for number, agent in enumerate(agents)
        ],
        "cost_rates": {**NO_COSTS, **(costs or {})},
        "lsm_config": {"algorithms": list(algorithms), **(lsm or {})},
        "scenario_events": list(events),
        **switches,
    }
    made = parse_scenario(keys)
    if not payments:
        return made
    return made.with_loaded(replace(made.loaded, payments=payments))


def event(tick: int, kind: str, *, interval: int | None = None, **about: Any) -> dict[str, Any]:
    """Give an event that happens once, or again and again."""
    if interval is None:
        schedule: dict[str, Any] = {"type": "OneTime", "tick": tick}
    else:
        schedule = {"type": "Repeating", "start_tick": tick, "interval": interval}
    return {"schedule": schedule, "type": kind, **about}


def money(tick: int, sender: str, receiver: str, amount: int) -> dict[str, Any]:
    """Give an event that moves money."""
    return event(tick, "DirectTransfer", from_agent=sender, to_agent=receiver, amount=amount)


def pay(
    sender: int,
    receiver: int,
    amount: int,
    *,
    tick: int = 0,
    deadline: int = 99,
    priority: int = 5,
    divisible: bool = False,
) -> ObservedPayment:
    """Give a payment that arrives; its deadline counts ticks after arrival."""
    return ObservedPayment(
        tick=tick,
        sender=sender,
        receiver=receiver,
        amount=amount,
        deadline_offset=deadline,
        priority=priority,
        divisible=divisible,
    )


def value(given: float | str | Value) -> Value:
    """Make a value: a number, or the name of a field."""
    if isinstance(given, str):
        return Field(given)
    if isinstance(given, int | float):
        return Number(float(given))
    return given


def do(action: str, **parameters: Any) -> ActionNode:
    """Make a leaf; words stay words, numbers become values."""
    made = {
        name: given if isinstance(given, str | tuple) else value(given)
        for name, given in parameters.items()
    }
    return ActionNode("leaf", action, made)


def when(
    left: float | str | Value, op: str, right: float | str | Value, yes: Node, no: Node
) -> Node:
    """Make a fork."""
    return ConditionNode("fork", Compare(op, value(left), value(right)), yes, no)


def at(tick: int, yes: Node, no: Node) -> Node:
    """Make a fork by the present tick."""
    return when("current_tick", "==", tick, yes, no)


def policy(payment_tree: Node | None = None, **more: Any) -> Policy:
    """Make a policy."""
    return Policy("test", payment_tree=payment_tree, **more)


RELEASE, HOLD, DROP = do("Release"), do("Hold"), do("Drop")
HOLDS = policy(HOLD)
RELEASES = policy()
