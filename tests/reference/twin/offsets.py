"""Entry into the system and the algorithms of Queue 2, cycles apart (sections 4 to 6)."""

from __future__ import annotations

from tests.reference.twin.model import Payment, World
from tests.reference.twin.queues import join_queue2
from tests.reference.twin.settlement import (
    can_settle,
    exceeded_limits,
    is_feasible,
    settle,
    settle_part,
    settle_together,
)


def enter(world: World, payment: Payment) -> None:
    """Let one released payment into the system (step 6)."""
    if payment.release_tick is None:
        payment.release_tick = world.tick
    world.note(6, "entered", payment.number, payment.rtgs_class)
    is_free = _is_free(world, payment)
    if is_free and can_settle(world, payment):
        settle(world, payment, payment.remaining, 6, "entry")
        return
    partner = _partner_at_entry(world, payment) if is_free else None
    if partner is not None:
        settle_together(world, [payment, partner], 6, "entry offset")
        return
    if is_free:
        settle_part(world, payment, 6, "entry, in part")
    join_queue2(world, payment)


def _is_free(world: World, payment: Payment) -> bool:
    """Say whether the discipline lets an entering payment settle."""
    if world.scenario.queue_discipline == "bypass":
        return True
    own = world.own_queue2(world.banks[payment.sender])
    return not any(_class(waiting) <= _class(payment) for waiting in own)


def _class(payment: Payment) -> int:
    """Give the RTGS class of a payment that was released."""
    if payment.rtgs_class is None:
        raise AssertionError(f"payment {payment.number} is in the system without a class")
    return payment.rtgs_class


def _partner_at_entry(world: World, payment: Payment) -> Payment | None:
    """Find the payment in Queue 2 that an entering payment is offset with."""
    if not world.scenario.entry_disposition_offsetting:
        return None
    payer = world.banks[payment.sender]
    other = world.banks[payment.receiver]
    candidates = world.own_queue2(other)
    if world.scenario.queue_discipline == "strict":
        candidates = candidates[:1]
    for candidate in candidates:
        if candidate.receiver != payer.number:
            continue
        pair = [payment, candidate]
        if is_feasible(payer, pair) and is_feasible(other, pair):
            return candidate
    return None


def fifo(world: World) -> bool:
    """Go through Queue 2 once, settling what can settle.

    Returns
    -------
    bool
        Whether anything settled; so for the other algorithms.
    """
    is_strict = world.scenario.queue_discipline == "strict"
    stopped: set[int] = set()
    any_settled = False
    for payment in list(world.queue2):
        if payment.sender in stopped:
            continue
        if can_settle(world, payment):
            settle(world, payment, payment.remaining, 7, "fifo")
            any_settled = True
            continue
        if payment.number not in world.settled_in_part and settle_part(
            world, payment, 7, "fifo, in part"
        ):
            world.settled_in_part.add(payment.number)
            any_settled = True
        if is_strict:
            stopped.add(payment.sender)
    return any_settled


def bilateral(world: World) -> bool:
    """Offset what pairs of banks have waiting to each other."""
    ways = {(payment.sender, payment.receiver) for payment in world.queue2}
    pairs = sorted((i, j) for i, j in ways if i < j and (j, i) in ways)
    any_settled = False
    for i, j in pairs:
        chosen = _offset_of_pair(world, i, j)
        if chosen:
            settle_together(world, chosen, 7, "bilateral")
            any_settled = True
    return any_settled


def _offset_of_pair(world: World, i: int, j: int) -> list[Payment]:
    """Choose the payments between two banks that settle at once, in queue order."""
    sides = {i: _towards(world, i, j), j: _towards(world, j, i)}
    while sides[i] and sides[j]:
        both = sides[i] + sides[j]
        if not is_feasible(world.banks[i], both):
            sides[i].pop()
        elif not is_feasible(world.banks[j], both):
            sides[j].pop()
        else:
            return [payment for payment in world.queue2 if payment in both]
    return []


def _towards(world: World, sender: int, receiver: int) -> list[Payment]:
    """Give what one bank offers to an offset with another, in queue order."""
    own = world.own_queue2(world.banks[sender])
    if world.scenario.queue_discipline == "bypass":
        return [payment for payment in own if payment.receiver == receiver]
    head = []
    for payment in own:
        if payment.receiver != receiver:
            break
        head.append(payment)
    return head


def multilateral(world: World) -> bool:
    """Resolve gridlock: settle at once what is left when each bank has dropped its excess."""
    chosen = list(world.queue2)
    dropped_any = True
    while dropped_any:
        dropped_any = False
        for bank in world.banks:
            own = [payment for payment in chosen if payment.sender == bank.number]
            while own and not is_feasible(bank, chosen):
                excess = _excess(world, own, chosen)
                own.remove(excess)
                chosen.remove(excess)
                dropped_any = True
    settle_together(world, chosen, 7, "multilateral")
    return bool(chosen)


def _excess(world: World, own: list[Payment], chosen: list[Payment]) -> Payment:
    """Name the payment that an infeasible bank drops from the set."""
    if world.scenario.queue_discipline == "bypass":
        bank = world.banks[own[0].sender]
        for other in exceeded_limits(bank, chosen):
            towards = [payment for payment in own if payment.receiver == other]
            if towards:
                return towards[-1]
    return own[-1]
