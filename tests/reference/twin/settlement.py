"""Who can pay, and paying (section 2 of the rules), alone or as a set (section 5)."""

from __future__ import annotations

from collections import defaultdict

from tests.reference.twin.model import Bank, Payment, World, total
from tests.reference.twin.queues import leave_queues


def largest_payable(bank: Bank, receiver: int) -> int:
    """Give the most that a bank can pay a receiver now, in cents; may be negative."""
    bounds = [bank.liquidity]
    if receiver in bank.bilateral_limits:
        bounds.append(bank.bilateral_limits[receiver] - bank.net_out[receiver])
    if bank.multilateral_limit is not None:
        bounds.append(bank.multilateral_limit - sum(bank.net_out.values()))
    return min(bounds)


def can_settle(world: World, payment: Payment) -> bool:
    """Say whether a payment can settle whole, queue discipline apart."""
    sender = world.banks[payment.sender]
    return payment.remaining <= largest_payable(sender, payment.receiver)


def exceeded_limits(bank: Bank, chosen: list[Payment]) -> list[int]:
    """Give the counterparties whose bilateral limit a set would exceed, lowest number first."""
    exceeded = []
    for other, limit in sorted(bank.bilateral_limits.items()):
        paid = total([p for p in chosen if p.sender == bank.number and p.receiver == other])
        received = total([p for p in chosen if p.sender == other and p.receiver == bank.number])
        if bank.net_out[other] + paid - received > limit:
            exceeded.append(other)
    return exceeded


def is_feasible(bank: Bank, chosen: list[Payment]) -> bool:
    """Say whether a bank can bear that a set of payments settles at once.

    Parameters
    ----------
    chosen : list of Payment
        The set; payments between other banks make no difference.
    """
    paid = total([payment for payment in chosen if payment.sender == bank.number])
    received = total([payment for payment in chosen if payment.receiver == bank.number])
    if bank.liquidity - paid + received < 0:
        return False
    if paid == 0:
        return True
    if exceeded_limits(bank, chosen):
        return False
    if bank.multilateral_limit is None:
        return True
    return sum(bank.net_out.values()) + paid - received <= bank.multilateral_limit


def settle(world: World, payment: Payment, amount: int, step: int, how: str) -> None:
    """Settle an amount of one payment, in cents."""
    world.banks[payment.sender].balance -= amount
    _gain(world, payment.receiver, amount)
    _book(world, payment, amount, step, how)


def settle_together(world: World, chosen: list[Payment], step: int, how: str) -> None:
    """Settle a set of payments whole and at once.

    With deferred crediting a bank may use what the set brings it to pay what the set takes from
    it; only what it gains on balance comes later.
    """
    gains: dict[int, int] = defaultdict(int)
    for payment in chosen:
        gains[payment.sender] -= payment.remaining
        gains[payment.receiver] += payment.remaining
    for bank, gain in gains.items():
        if gain > 0:
            _gain(world, bank, gain)
        else:
            world.banks[bank].balance += gain
    for payment in chosen:
        _book(world, payment, payment.remaining, step, how)


def settle_part(world: World, payment: Payment, step: int, how: str) -> bool:
    """Settle as much as can be of a divisible payment that cannot settle whole.

    Returns
    -------
    bool
        Whether anything settled.
    """
    amount = largest_payable(world.banks[payment.sender], payment.receiver)
    if not payment.divisible or amount <= 0:
        return False
    settle(world, payment, amount, step, how)
    return True


def _gain(world: World, bank: int, amount: int) -> None:
    """Give a bank money, at once or at step 9."""
    if world.scenario.deferred_crediting:
        world.banks[bank].credits_to_come += amount
    else:
        world.banks[bank].balance += amount


def _book(world: World, payment: Payment, amount: int, step: int, how: str) -> None:
    """Count a settlement, apart from the balances."""
    sender = world.banks[payment.sender]
    receiver = world.banks[payment.receiver]
    sender.net_out[receiver.number] += amount
    receiver.net_out[sender.number] -= amount
    sender.settled_today += amount
    world.settled_today += amount
    payment.remaining -= amount
    world.note(step, "settled", how, payment.number, amount)
    if payment.remaining == 0:
        leave_queues(world, payment)
        payment.state = "settled"
        payment.settle_tick = world.tick
