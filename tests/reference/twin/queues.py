"""The two queues: who stands where (section 3 of the rules)."""

from __future__ import annotations

from typing import Any

from tests.reference.twin.model import Bank, Payment, World, band_of

#: RTGS classes by the words of a release and of a resubmission.
FLAGS = {"HIGH": 0, "MEDIUM": 1, "LOW": 2}
RTGS_PRIORITIES = {"HighlyUrgent": 0, "Urgent": 1, "Normal": 2}

HIGHEST_PRIORITY = 10


def new_payment(
    world: World,
    *,
    sender: int,
    receiver: int,
    amount: int,
    deadline_tick: int,
    priority: int,
    divisible: bool,
) -> Payment:
    """Bring a payment into being at the present tick, with the next number."""
    if world.scenario.deadline_cap_at_eod:
        deadline_tick = min(deadline_tick, world.last_tick_of_day)
    payment = Payment(
        number=len(world.payments),
        sender=sender,
        receiver=receiver,
        amount=amount,
        remaining=amount,
        arrival_tick=world.tick,
        deadline_tick=deadline_tick,
        arrived_priority=priority,
        priority=priority,
        divisible=divisible,
    )
    world.payments.append(payment)
    return payment


def present_priority(world: World, payment: Payment) -> int:
    """Give the priority with escalation, at most 10."""
    escalation = world.scenario.priority_escalation
    if not escalation.enabled:
        return payment.priority
    start = escalation.start_escalating_at_ticks
    most = escalation.max_boost
    ticks_to_deadline = payment.deadline_tick - world.tick
    nearness = min(max(start - ticks_to_deadline, 0), start)
    if nearness == 0:
        boost = 0
    elif escalation.curve == "linear":
        boost = most * nearness // start
    elif escalation.curve == "quadratic":
        boost = most * nearness**2 // start**2
    else:
        boost = most
    return min(payment.priority + boost, HIGHEST_PRIORITY)


def queue1_in_order(world: World, bank: Bank) -> list[Payment]:
    """Give a bank's Queue 1 in the order in which its tree is asked."""
    if world.scenario.queue1_ordering == "Fifo":
        return list(bank.queue1)
    # Sorting is stable, so equals stay in the order of joining.
    return sorted(
        bank.queue1,
        key=lambda payment: (-present_priority(world, payment), payment.deadline_tick),
    )


def class_at_release(world: World, payment: Payment, words: dict[str, Any]) -> int:
    """Give the RTGS class with which a release now would enter.

    Parameters
    ----------
    words : dict
        The parameters of the action; a ``priority_flag`` among them decides.
    """
    flag = words.get("priority_flag")
    if flag is not None:
        return FLAGS[flag]
    if world.scenario.priority_mode:
        return band_of(present_priority(world, payment))
    return FLAGS["LOW"]


def join_queue1(world: World, payment: Payment) -> None:
    """Put a payment at the end of its sender's Queue 1."""
    payment.state = "queue1"
    world.banks[payment.sender].queue1.append(payment)


def join_queue2(world: World, payment: Payment) -> None:
    """Put a payment in the last place of its class in Queue 2."""
    payment.state = "queue2"
    payment.entry_order = world.n_entries
    world.n_entries += 1
    world.queue2.append(payment)
    world.queue2.sort(key=lambda waiting: (waiting.rtgs_class, waiting.entry_order))


def leave_queues(world: World, payment: Payment) -> None:
    """Take a payment out of the queue that it is in, if any."""
    queue1 = world.banks[payment.sender].queue1
    if payment in queue1:
        queue1.remove(payment)
    if payment in world.queue2:
        world.queue2.remove(payment)
