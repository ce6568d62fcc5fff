"""What a payment tree sees of its payment: the second table of section 9 of the rules."""

from __future__ import annotations

from tests.reference.twin.costs import delay_factor
from tests.reference.twin.fields import LARGEST_COUNTERPARTIES, penalty, queue2_with
from tests.reference.twin.model import Payment, World, band_of
from tests.reference.twin.queues import present_priority


def payment_fields(world: World, payment: Payment) -> dict[str, float]:
    """Give the fields that only a payment tree sees, and those that differ in one."""
    return {
        **_itself(world, payment),
        **_its_costs(world, payment),
        **_its_receiver(world, payment),
    }


def _itself(world: World, payment: Payment) -> dict[str, float]:
    """Amounts, ticks, priority and place."""
    late_by = world.tick - payment.deadline_tick
    return {
        "amount": float(payment.amount),
        "remaining_amount": float(payment.remaining),
        "settled_amount": float(payment.amount - payment.remaining),
        "arrival_tick": float(payment.arrival_tick),
        "deadline_tick": float(payment.deadline_tick),
        "priority": float(present_priority(world, payment)),
        "is_split": float(payment.parent is not None),
        "is_past_deadline": float(late_by > 0),
        "is_overdue": float(late_by > 0),
        "is_in_queue2": float(payment.state == "queue2"),
        "overdue_duration": float(max(0, late_by)),
        "ticks_to_deadline": float(-late_by),
        "queue_age": float(world.tick - payment.arrival_tick),
    }


def _its_costs(world: World, payment: Payment) -> dict[str, float]:
    """Give what waiting for one tick, paying on credit, or being late costs."""
    rates = world.scenario.cost_rates
    factor = delay_factor(
        rates,
        band_of(payment.arrived_priority),
        is_overdue=world.tick > payment.deadline_tick,
    )
    return {
        "cost_delay_this_tx_one_tick": payment.remaining * factor,
        "cost_overdraft_this_amount_one_tick": float(
            payment.remaining * rates.overdraft_bps_per_tick / 1e4
        ),
        "cost_deadline_penalty": penalty(rates.deadline_penalty, payment.remaining),
        "cost_eod_penalty": penalty(rates.eod_penalty, payment.remaining),
    }


def _its_receiver(world: World, payment: Payment) -> dict[str, float]:
    """Queue 2 between the bank and the receiver of the payment."""
    values = queue2_with(world, world.banks[payment.sender])
    out, come = values[payment.receiver]
    # Sorting is stable: equals stay in the order of their numbers.
    largest = sorted(values, key=lambda other: -sum(values[other]))[:LARGEST_COUNTERPARTIES]
    return {
        "my_q2_out_value_to_counterparty": float(out),
        "my_q2_in_value_from_counterparty": float(come),
        "my_bilateral_net_q2": float(out - come),
        "tx_counterparty_id": float(payment.receiver),
        "tx_is_top_counterparty": float(payment.receiver in largest and out + come > 0),
    }
