"""Payments, banks and the world they are in, with what section 2 of the rules says of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from payment_simulator.policy.tree import Policy
from payment_simulator.scenario.model import Scenario

#: Kinds of cost, in the order in which results give them.
KINDS = ("liquidity", "overdraft", "collateral", "delay", "deadline_penalty", "end_of_day", "split")

#: Where a scenario names no capacity for collateral: this many times the unsecured cap, in cents.
CAPACITY_SHARE = 10
MOST_CENTS = 10**15

#: A haircut of one, in millionths.
MILLION = 10**6


@dataclass(eq=False)
class Payment:
    """One payment order.

    Attributes
    ----------
    amount, remaining : int
        Cents: as it came, and as it still is to be settled.
    priority : int
        Present base priority (0 to 10), without escalation.
    arrived_priority : int
        The priority it came with; what delay costs goes by this one.
    rtgs_class : int or None
        0 highly urgent, 1 urgent, 2 normal; None before any release.
    state : str
        ``queue1``, ``queue2``, ``settled``, ``dropped``, ``split``; within a tick also
        ``released``, between the bank and the system.
    release_tick, settle_tick : int or None
        First entry into the system; full settlement.
    parent : int or None
        Number of the payment that it was split from.
    reserved_tick, reserved_class : int or None
        When, and with which class, a timed release is to happen.
    entry_order : int
        Grows with every entry into Queue 2.
    """

    number: int
    sender: int
    receiver: int
    amount: int
    remaining: int
    arrival_tick: int
    deadline_tick: int
    arrived_priority: int
    priority: int
    divisible: bool = False
    rtgs_class: int | None = None
    state: str = "queue1"
    release_tick: int | None = None
    settle_tick: int | None = None
    parent: int | None = None
    is_penalty_charged: bool = False
    reserved_tick: int | None = None
    reserved_class: int | None = None
    entry_order: int = 0

    @property
    def is_unsettled(self) -> bool:
        """Whether somebody still pays for its waiting: it is in a queue, or dropped."""
        return self.state in {"queue1", "queue2", "released", "dropped"}


@dataclass
class Budget:
    """What a bank lets out in this tick.

    Attributes
    ----------
    left : int
        Cents that may still be released.
    focus : set of int, or None
        The only receivers allowed.
    per_receiver : int or None
        Most cents for one receiver.
    allowed : dict
        Cents allowed so far, by receiver.
    """

    left: int
    focus: set[int] | None = None
    per_receiver: int | None = None
    allowed: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def allow(self, payment: Payment) -> bool:
        """Say whether the payment may go; if so, count it."""
        if self.focus is not None and payment.receiver not in self.focus:
            return False
        if payment.remaining > self.left:
            return False
        so_far = self.allowed[payment.receiver] + payment.remaining
        if self.per_receiver is not None and so_far > self.per_receiver:
            return False
        self.left -= payment.remaining
        self.allowed[payment.receiver] = so_far
        return True


@dataclass
class Bank:
    """One bank: its money, its limits, its Queue 1 and its memory.

    Attributes
    ----------
    balance, unsecured_cap, posted, capacity : int
        Cents.
    haircut_ppm : int
        Haircut on collateral in millionths.
    bilateral_limits : dict
        Cents, by number of the counterparty.
    allocated, borrowed : int
        Cents from the liquidity pool today; cents borrowed at the last close.
    credits_to_come : int
        Cents received in this tick that are booked at step 9.
    net_out : dict
        Cents paid less cents received today by settlement, by number of the counterparty.
    settled_today : int
        Cents of its payments settled today.
    timed_collateral : list of (int, int)
        Tick at which posted collateral is to be withdrawn, and cents.
    """

    number: int
    name: str
    balance: int
    unsecured_cap: int = 0
    posted: int = 0
    haircut_ppm: int = 0
    capacity: int = 0
    bilateral_limits: dict[int, int] = field(default_factory=dict)
    multilateral_limit: int | None = None
    liquidity_pool: int | None = None
    liquidity_fraction: float = 1.0
    allocated: int = 0
    borrowed: int = 0
    credits_to_come: int = 0
    net_out: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    settled_today: int = 0
    registers: dict[str, float] = field(default_factory=dict)
    budget: Budget | None = None
    timed_collateral: list[tuple[int, int]] = field(default_factory=list)
    queue1: list[Payment] = field(default_factory=list)

    @property
    def credit_line(self) -> int:
        """Unsecured cap and value of the posted collateral, in cents."""
        return self.unsecured_cap + collateral_value(self.posted, self.haircut_ppm)

    @property
    def liquidity(self) -> int:
        """What it can pay now, in cents; negative after some events."""
        return self.balance + self.credit_line


@dataclass
class World:
    """Everything that changes while a scenario is played.

    Attributes
    ----------
    scenario : Scenario
        What is played; only read.
    queue2 : list of Payment
        In queue order.
    released : list of Payment
        On their way from the banks to step 6.
    log : list of tuple
        Tick, step, what happened, and to whom.
    costs : list
        Cents by day, bank and kind.
    settled_in_part : set of int
        Numbers of payments that ``fifo`` settled in part in this tick.
    """

    scenario: Scenario
    banks: list[Bank]
    policies: list[Policy]
    costs: list[list[list[float]]]
    tick: int = 0
    payments: list[Payment] = field(default_factory=list)
    queue2: list[Payment] = field(default_factory=list)
    arriving: list[Payment] = field(default_factory=list)
    released: list[Payment] = field(default_factory=list)
    log: list[tuple[Any, ...]] = field(default_factory=list)
    settled_today: int = 0
    n_entries: int = 0
    settled_in_part: set[int] = field(default_factory=set)
    n_cycles: int = 0
    n_looks: int = 0

    @property
    def day(self) -> int:
        """Number of the day."""
        return self.tick // self.scenario.simulation.ticks_per_day

    @property
    def tick_of_day(self) -> int:
        """Number of the tick within its day."""
        return self.tick % self.scenario.simulation.ticks_per_day

    @property
    def last_tick_of_day(self) -> int:
        """The tick at which the present day closes."""
        return (self.day + 1) * self.scenario.simulation.ticks_per_day - 1

    @property
    def is_last_day(self) -> bool:
        """Whether no day comes after this one."""
        return self.day == self.scenario.simulation.num_days - 1

    def note(self, step: int, what: str, *about: Any) -> None:
        """Write a line of the log."""
        self.log.append((self.tick, step, what, *about))

    def own_queue2(self, bank: Bank) -> list[Payment]:
        """Give the bank's own part of Queue 2, in order."""
        return [payment for payment in self.queue2 if payment.sender == bank.number]

    def unsettled(self) -> list[Payment]:
        """Give what waits or was dropped, in the order of the numbers."""
        return [payment for payment in self.payments if payment.is_unsettled]


def collateral_value(posted: int, haircut_ppm: int) -> int:
    """Value collateral: what is posted less the haircut, which is rounded up to a cent."""
    return posted - -(-posted * haircut_ppm // MILLION)


def total(payments: list[Payment]) -> int:
    """Add up what remains of some payments, in cents."""
    return sum(payment.remaining for payment in payments)


def band_of(priority: int) -> int:
    """Give the band of a priority: 0 urgent, 1 normal, 2 low. It is also an RTGS class."""
    if priority >= 8:
        return 0
    return 1 if priority >= 4 else 2
