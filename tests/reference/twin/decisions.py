"""What banks decide about payments, and what comes of it (step 5 of the rules)."""

from __future__ import annotations

from dataclasses import dataclass

from payment_simulator.policy.tree import ActionNode, nodes
from tests.reference.twin.costs import charge
from tests.reference.twin.fields import bank_fields
from tests.reference.twin.model import Bank, Payment, World
from tests.reference.twin.payment_fields import payment_fields
from tests.reference.twin.queues import (
    HIGHEST_PRIORITY,
    RTGS_PRIORITIES,
    class_at_release,
    join_queue1,
    join_queue2,
    leave_queues,
    queue1_in_order,
)
from tests.reference.twin.trees import Decision, Sight, walk

#: Stands for a decision, where the tick has come that a payment was reserved for.
RESERVED = Decision("reserved")


@dataclass
class Choice:
    """A decision and the payment that it is about."""

    payment: Payment
    decision: Decision


def ask_payment_trees(world: World) -> None:
    """Walk the payment trees of all banks, then carry out what they decided (step 5)."""
    choices = [choice for bank in world.banks for choice in _ask(world, bank)]
    for choice in choices:
        world.note(5, choice.decision.action, choice.payment.number, choice.decision.parameters)
        if choice.payment.state == "queue1":
            _act_in_queue1(world, choice.payment, choice.decision)
        else:
            _act_in_queue2(world, choice.payment, choice.decision)


def _ask(world: World, bank: Bank) -> list[Choice]:
    """Walk a bank's payment tree for each of its payments."""
    choices = []
    seen_by_bank = bank_fields(world, bank)
    waiting = world.own_queue2(bank) if _acts_in_queue2(world, bank) else []
    for payment in queue1_in_order(world, bank) + waiting:
        if payment.reserved_tick is None:
            choices.append(Choice(payment, _decide(world, bank, payment, seen_by_bank)))
        elif payment.reserved_tick == world.tick:
            choices.append(Choice(payment, RESERVED))
    return choices


def _acts_in_queue2(world: World, bank: Bank) -> bool:
    """Tell whether a bank's payment tree has an action for payments in Queue 2."""
    tree = world.policies[bank.number].payment_tree
    return tree is not None and any(
        isinstance(node, ActionNode) and node.action in {"WithdrawFromRtgs", "ResubmitToRtgs"}
        for node in nodes(tree)
    )


def _decide(world: World, bank: Bank, payment: Payment, seen_by_bank: dict[str, float]) -> Decision:
    """Walk the payment tree for one payment; without a tree it is released."""
    policy = world.policies[bank.number]
    if policy.payment_tree is None:
        return Decision("Release")
    sight = Sight(
        fields={**seen_by_bank, **payment_fields(world, payment)},
        registers=bank.registers,
        parameters=policy.parameters,
        where=f"tick {world.tick}, bank {bank.name}, payment {payment.number}",
    )
    return walk(policy.payment_tree, sight)


def _act_in_queue1(world: World, payment: Payment, decision: Decision) -> None:
    """Carry out a decision on a payment in Queue 1."""
    match decision.action:
        case "reserved":
            _release_reserved(world, payment)
        case "Release" | "ReleaseWithCredit":
            _release_or_reserve(world, payment, decision)
        case "Split" | "PaceAndRelease" | "StaggerSplit":
            _split(world, payment, decision)
        case "Drop":
            leave_queues(world, payment)
            payment.state = "dropped"
        case "Reprioritize":
            wanted = decision.whole("new_priority")
            payment.priority = min(max(wanted, 0), HIGHEST_PRIORITY)
        case "Hold" | "WithdrawFromRtgs" | "ResubmitToRtgs":
            pass
        case _:
            raise AssertionError(f"action {decision.action} is not in the rules")


def _act_in_queue2(world: World, payment: Payment, decision: Decision) -> None:
    """Carry out a decision on a payment in Queue 2: two actions do something there."""
    if decision.action == "WithdrawFromRtgs":
        leave_queues(world, payment)
        join_queue1(world, payment)
    elif decision.action == "ResubmitToRtgs":
        wanted = RTGS_PRIORITIES[decision.word("rtgs_priority")]
        if wanted != payment.rtgs_class:
            leave_queues(world, payment)
            payment.rtgs_class = wanted
            join_queue2(world, payment)


def _release_or_reserve(world: World, payment: Payment, decision: Decision) -> None:
    """Release a payment now, or reserve it for a later tick."""
    rtgs_class = class_at_release(world, payment, decision.parameters)
    tick = decision.whole("timed_for_tick", default=world.tick)
    if tick > world.tick:
        _reserve(payment, tick, rtgs_class)
    else:
        _release(world, payment, rtgs_class)


def _reserve(payment: Payment, tick: int, rtgs_class: int) -> None:
    """Let a payment wait in Queue 1 for a tick, its class being given now."""
    payment.reserved_tick = tick
    payment.reserved_class = rtgs_class


def _release_reserved(world: World, payment: Payment) -> None:
    """Release a payment whose tick has come; if it may not go, it is asked about again."""
    rtgs_class = payment.reserved_class
    payment.reserved_tick = None
    payment.reserved_class = None
    if rtgs_class is None:
        raise AssertionError(f"payment {payment.number} was reserved without a class")
    _release(world, payment, rtgs_class)


def _release(world: World, payment: Payment, rtgs_class: int) -> None:
    """Hand a payment to the system, if the budget allows."""
    budget = world.banks[payment.sender].budget
    if budget is not None and not budget.allow(payment):
        world.note(5, "refused by the budget", payment.number)
        return
    leave_queues(world, payment)
    payment.state = "released"
    payment.rtgs_class = rtgs_class
    world.released.append(payment)


def _split(world: World, payment: Payment, decision: Decision) -> None:
    """Split a payment and release what of it is to go now."""
    n = min(decision.whole("num_splits"), payment.remaining)
    if n < 2:
        _release(world, payment, class_at_release(world, payment, decision.parameters))
        return
    bank = world.banks[payment.sender]
    boost, first_now, gap = 0, n, 1
    if decision.action == "StaggerSplit":
        boost = max(decision.whole("priority_boost_children"), 0)
        first_now = max(decision.whole("stagger_first_now"), 0)
        gap = max(decision.whole("stagger_gap_ticks"), 1)
    children = [_child(world, payment, n, position, boost) for position in range(n)]
    place = bank.queue1.index(payment)
    bank.queue1[place : place + 1] = children
    payment.state = "split"
    charge(world, bank.number, "split", world.scenario.cost_rates.split_friction_cost * (n - 1))
    for number, child in enumerate(children, start=1):
        rtgs_class = class_at_release(world, child, decision.parameters)
        if number <= first_now:
            _release(world, child, rtgs_class)
        else:
            _reserve(child, world.tick + (number - first_now) * gap, rtgs_class)


def _child(world: World, parent: Payment, n: int, position: int, boost: int) -> Payment:
    """Make one of ``n`` parts of a payment; the last has the rest of the division too."""
    part = parent.remaining // n
    if position == n - 1:
        part = parent.remaining - part * (n - 1)
    child = Payment(
        number=len(world.payments),
        sender=parent.sender,
        receiver=parent.receiver,
        amount=part,
        remaining=part,
        arrival_tick=parent.arrival_tick,
        deadline_tick=parent.deadline_tick,
        arrived_priority=parent.arrived_priority,
        priority=min(max(parent.priority + boost, 0), HIGHEST_PRIORITY),
        divisible=parent.divisible,
        parent=parent.number,
        is_penalty_charged=parent.is_penalty_charged,
    )
    world.payments.append(child)
    return child
