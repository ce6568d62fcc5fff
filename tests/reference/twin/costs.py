"""What everything costs (section 7 of the rules)."""

from __future__ import annotations

from payment_simulator.scenario.costs import CostRates
from tests.reference.twin.fields import penalty
from tests.reference.twin.model import KINDS, Bank, Payment, World, band_of, total

BANDS = ("urgent_multiplier", "normal_multiplier", "low_multiplier")


def charge(world: World, bank: int, kind: str, cents: float) -> None:
    """Add to a cost of the present day, unless the scenario switched its kind off."""
    if kind in world.scenario.charged_kinds:
        world.costs[world.day][bank][KINDS.index(kind)] += cents


def delay_factor(rates: CostRates, band: int, *, is_overdue: bool) -> float:
    """Give what delay costs per tick for each cent of a band."""
    multiplier = getattr(rates.priority_delay_multipliers, BANDS[band])
    overdue = rates.overdue_delay_multiplier if is_overdue else 1.0
    return float((rates.delay_cost_per_tick_per_cent * multiplier) * overdue)


def charge_tick(world: World) -> None:
    """Charge what each tick costs (step 11)."""
    rates = world.scenario.cost_rates
    for bank in world.banks:
        number = bank.number
        overdraft = max(-bank.balance, 0)
        charge(world, number, "liquidity", bank.allocated * rates.liquidity_cost_per_tick_bps / 1e4)
        charge(world, number, "overdraft", overdraft * rates.overdraft_bps_per_tick / 1e4)
        charge(world, number, "collateral", bank.posted * rates.collateral_cost_per_tick_bps / 1e4)
        charge(world, number, "delay", _delay(world, bank))


def _delay(world: World, bank: Bank) -> float:
    """Add up what the waiting of a bank's payments costs in this tick."""
    states = {"queue1", "dropped"}
    if world.scenario.delay_applies_to == "both_queues":
        states.add("queue2")
    cents = 0.0
    for band in range(len(BANDS)):
        for is_overdue in (False, True):
            value = total(
                [
                    payment
                    for payment in world.payments
                    if payment.sender == bank.number
                    and payment.state in states
                    and band_of(payment.arrived_priority) == band
                    and (world.tick > payment.deadline_tick) == is_overdue
                ]
            )
            cents += value * delay_factor(world.scenario.cost_rates, band, is_overdue=is_overdue)
    return cents


def charge_overdue(world: World) -> None:
    """Charge the deadline penalty where the deadline has passed (step 1)."""
    for payment in world.unsettled():
        if payment.deadline_tick < world.tick:
            _charge_deadline(world, payment, 1)


def charge_deadlines_at_the_end(world: World) -> None:
    """Charge it also where no tick comes that could: at the close of the last day."""
    for payment in world.unsettled():
        if payment.deadline_tick <= world.tick:
            _charge_deadline(world, payment, 12)


def _charge_deadline(world: World, payment: Payment, step: int) -> None:
    """Charge the deadline penalty of a payment, once."""
    if payment.is_penalty_charged:
        return
    payment.is_penalty_charged = True
    cents = penalty(world.scenario.cost_rates.deadline_penalty, payment.remaining)
    charge(world, payment.sender, "deadline_penalty", cents)
    world.note(step, "overdue", payment.number, cents)


def charge_end_of_day(world: World) -> None:
    """Charge the end-of-day penalty (step 12).

    Where banks borrow, they have settled by now all but what they dropped.
    """
    rule = world.scenario.cost_rates.eod_penalty
    for bank in world.banks:
        due = [payment for payment in world.unsettled() if _is_penalised(world, bank, payment)]
        if not due:
            continue
        cents = len(due) * penalty(rule, 0) if rule.mode == "fixed" else penalty(rule, total(due))
        charge(world, bank.number, "end_of_day", cents)
        world.note(12, "end-of-day penalty", bank.number, cents)


def _is_penalised(world: World, bank: Bank, payment: Payment) -> bool:
    """Say whether a payment counts for the end-of-day penalty of a bank."""
    if payment.sender != bank.number:
        return False
    return world.is_last_day or payment.deadline_tick <= world.tick
