"""What a tree can see: the first table of section 9 of the rules."""

from __future__ import annotations

from collections.abc import Callable

from payment_simulator.scenario.costs import Penalty
from tests.reference.twin.model import MILLION, Bank, World, total

#: Ticks to a deadline where nothing waits.
NO_DEADLINE = 1e9

LARGEST_COUNTERPARTIES = 5


def bank_fields(world: World, bank: Bank) -> dict[str, float]:
    """Give every field that a bank tree or a collateral tree sees."""
    return {
        **_credit(bank),
        **_queue1(world, bank),
        **_queue2(world, bank),
        **_collateral(bank),
        **_costs(world),
        **_time(world),
        **_throughput(world, bank),
        **_counterparties(world, bank),
    }


def _credit(bank: Bank) -> dict[str, float]:
    """Balance and credit."""
    line = bank.credit_line
    used = max(-bank.balance, 0)
    return {
        "balance": float(bank.balance),
        "credit_limit": float(line),
        "allowed_overdraft_limit": float(line),
        "available_liquidity": float(bank.liquidity),
        "credit_used": float(used),
        "credit_headroom": float(line - used),
        "overdraft_headroom": float(line - used),
        "effective_liquidity": float(max(bank.balance, 0) + line - used),
        "is_using_credit": float(bank.balance < 0),
        "is_overdraft_capped": 1.0,
        "unsecured_cap": float(bank.unsecured_cap),
        "overdraft_utilization": _ratio(used, line),
    }


def _ratio(part: int, whole: int) -> float:
    """Divide cents by cents; 0 where there is nothing to divide by."""
    return float(part) / float(whole) if whole else 0.0


def _queue1(world: World, bank: Bank) -> dict[str, float]:
    """Queue 1 of the bank, and what it means for liquidity."""
    in_queue1 = total(bank.queue1)
    waiting = in_queue1 + total(world.own_queue2(bank))
    return {
        "outgoing_queue_size": float(len(bank.queue1)),
        "queue1_total_value": float(in_queue1),
        "queue1_liquidity_gap": float(max(0, in_queue1 - bank.liquidity)),
        "headroom": float(bank.liquidity - in_queue1),
        "liquidity_buffer": float(max(0, bank.liquidity - waiting)),
        "liquidity_pressure": _ratio(waiting, waiting + max(bank.liquidity, 0)) if waiting else 0.0,
    }


def _queue2(world: World, bank: Bank) -> dict[str, float]:
    """Queue 2 of the system."""
    own = world.own_queue2(bank)
    incoming = [payment for payment in world.queue2 if payment.receiver == bank.number]
    nearest = float(min((payment.deadline_tick for payment in own), default=NO_DEADLINE))
    in_queue2 = total(world.queue2)
    return {
        "incoming_expected_count": float(len(incoming)),
        "rtgs_queue_size": float(len(world.queue2)),
        "queue2_size": float(len(world.queue2)),
        "rtgs_queue_value": float(in_queue2),
        "queue2_count_for_agent": float(len(own)),
        "queue2_nearest_deadline": nearest,
        "ticks_to_nearest_queue2_deadline": nearest - world.tick if own else NO_DEADLINE,
        "system_queue2_pressure_index": _ratio(in_queue2, in_queue2 + world.settled_today),
    }


def _collateral(bank: Bank) -> dict[str, float]:
    """Collateral, and what of it the credit in use needs."""
    haircut = bank.haircut_ppm / MILLION
    need = max(0, max(-bank.balance, 0) - bank.unsecured_cap)
    if need == 0:
        required = 0.0
    elif bank.haircut_ppm == MILLION:
        required = float(bank.capacity)
    else:
        required = need / (1.0 - haircut)
    return {
        "posted_collateral": float(bank.posted),
        "max_collateral_capacity": float(bank.capacity),
        "remaining_collateral_capacity": float(max(0, bank.capacity - bank.posted)),
        "collateral_utilization": _ratio(bank.posted, bank.capacity),
        "collateral_haircut": haircut,
        "required_collateral_for_usage": required,
        "excess_collateral": max(0.0, bank.posted - required),
    }


def _costs(world: World) -> dict[str, float]:
    """Rates of the scenario; penalties in rate mode are known for payments only."""
    rates = world.scenario.cost_rates
    return {
        "cost_overdraft_bps_per_tick": float(rates.overdraft_bps_per_tick),
        "cost_delay_per_tick_per_cent": float(rates.delay_cost_per_tick_per_cent),
        "cost_collateral_bps_per_tick": float(rates.collateral_cost_per_tick_bps),
        "cost_split_friction": float(rates.split_friction_cost),
        "cost_deadline_penalty": penalty(rates.deadline_penalty, 0),
        "cost_eod_penalty": penalty(rates.eod_penalty, 0),
    }


def penalty(rule: Penalty, remaining: int) -> float:
    """Give a penalty in cents: the fixed amount, or basis points of what remains."""
    if rule.mode == "fixed":
        return float(rule.amount)
    return float(remaining * rule.bps_per_event / 1e4)


def _time(world: World) -> dict[str, float]:
    """Where in the run and the day we are."""
    ticks_per_day = world.scenario.simulation.ticks_per_day
    progress = world.tick_of_day / ticks_per_day
    return {
        "current_tick": float(world.tick),
        "total_agents": float(len(world.banks)),
        "system_ticks_per_day": float(ticks_per_day),
        "system_current_day": float(world.day),
        "system_tick_in_day": float(world.tick_of_day),
        "ticks_remaining_in_day": float(ticks_per_day - world.tick_of_day - 1),
        "day_progress_fraction": progress,
        "expected_throughput_fraction_by_now": progress,
        "is_eod_rush": float(progress >= world.scenario.eod_rush_threshold),
    }


def _throughput(world: World, bank: Bank) -> dict[str, float]:
    """How much of the bank's work of the day is done."""
    settled = bank.settled_today
    waiting = total(bank.queue1) + total(world.own_queue2(bank))
    fraction = _ratio(settled, settled + waiting) if settled + waiting else 1.0
    progress = _time(world)["day_progress_fraction"]
    return {"my_throughput_fraction_today": fraction, "throughput_gap": fraction - progress}


def queue2_with(world: World, bank: Bank) -> dict[int, tuple[int, int]]:
    """Give cents in Queue 2 towards each other bank, and from it, by its number."""
    values = {}
    for other in world.banks:
        if other is not bank:
            out = total([p for p in world.own_queue2(bank) if p.receiver == other.number])
            come = total([p for p in world.own_queue2(other) if p.receiver == bank.number])
            values[other.number] = (out, come)
    return values


def _counterparties(world: World, bank: Bank) -> dict[str, float]:
    """Give the largest positions in Queue 2 with other banks."""
    values = queue2_with(world, bank).values()
    positions: dict[str, Callable[[tuple[int, int]], int]] = {
        "my_q2_out_value": lambda value: value[0],
        "my_q2_in_value": lambda value: value[1],
        "my_bilateral_net_q2": lambda value: value[0] - value[1],
    }
    fields = {}
    for name, position in positions.items():
        largest = sorted((position(value) for value in values), reverse=True)
        for k in range(1, LARGEST_COUNTERPARTIES + 1):
            fields[f"{name}_top_{k}"] = float(largest[k - 1]) if k <= len(largest) else 0.0
    return fields
