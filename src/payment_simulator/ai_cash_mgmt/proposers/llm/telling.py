"""A day as one bank's own books tell it, tick by tick.

Only what the bank itself knows is told: its payments, balance, queues and costs, and what others
paid to it. Its payments are numbered among themselves, from 1: the numbers of the whole system
would give away how many payments the others have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from payment_simulator.kernels import layout as k
from payment_simulator.simulation import COST_KINDS, Run
from payment_simulator.simulation.tables import CLASSES, METHODS
from payment_simulator.wording import number_text, visible

_METHOD: Final = 8  # the log holds group * 8 + method


class ToldTick(NamedTuple):
    """One tick, or several in a row in which nothing happened.

    Attributes
    ----------
    first, last : int
        Ticks of the run.
    cost : float
        What they cost the bank together, cents.
    text : str
        A line that tells the state at the end, then a line for each thing that happened.
    """

    first: int
    last: int
    cost: float
    text: str


def tell_day(run: Run, bank: str, *, first_tick: int = 0) -> list[str]:
    """Tell what a bank saw of a run, tick by tick.

    Parameters
    ----------
    run : Run
    bank : str
        Whose books are opened.
    first_tick : int
        Where the story begins.

    Returns
    -------
    list of str
        One text for each tick; quiet ticks in a row share one.
    """
    return [told.text for told in tell_ticks(run, bank, first_tick=first_tick)]


def tell_ticks(run: Run, bank: str, *, first_tick: int = 0) -> list[ToldTick]:
    """Tell the same as :func:`tell_day`, with the ticks and costs that each text stands for."""
    i = run.scenario.bank_ids.index(bank)
    books = _Books(run, i)
    happened = books.happened(first_tick)
    told: list[ToldTick] = []
    quiet: list[int] = []
    for tick in range(first_tick, run.n_ticks):
        lines = happened.get(tick, [])
        if quiet and (lines or not books.is_same(quiet[-1], tick)):
            told.append(books.told(quiet[0], quiet[-1], []))
            quiet = []
        if lines:
            told.append(books.told(tick, tick, lines))
        else:
            quiet.append(tick)
    if quiet:
        told.append(books.told(quiet[0], quiet[-1], []))
    return told


class _Books:
    """What one bank wrote down in a run."""

    def __init__(self, run: Run, i: int) -> None:
        self._run = run
        self._i = i
        self._names = [visible(name) for name in run.scenario.bank_ids]
        self._length = run.scenario.simulation.ticks_per_day
        own = np.flatnonzero(run.pay[:, k.P_SENDER] == i).tolist()
        self._number = {payment: number for number, payment in enumerate(own, start=1)}
        self._state = run.trace[:, i, :]
        self._cost = self._costs()

    def _costs(self) -> list[float]:
        """Return what each tick cost; the bill begins anew every day."""
        bill: list[float] = self._run.bill[:, self._i].tolist()
        before = [0.0, *bill[:-1]]
        return [
            now - (0.0 if tick % self._length == 0 else then)
            for tick, (now, then) in enumerate(zip(bill, before, strict=True))
        ]

    def is_same(self, one: int, other: int) -> bool:
        """Tell whether two ticks of the same day ended alike, and cost the same."""
        return (
            one // self._length == other // self._length
            and bool(np.array_equal(self._state[one], self._state[other]))
            and cents(self._cost[one]) == cents(self._cost[other])
        )

    def happened(self, first_tick: int) -> dict[int, list[str]]:
        """Return what happened to the bank, by tick: a line for each payment, sender and act."""
        log, i = self._run.log, self._i
        kind = log[:, k.L_KIND]
        is_own = log[:, k.L_BANK] == i
        is_to_it = (log[:, k.L_OTHER] == i) & np.isin(kind, list(_RECEIVED))
        rows = log[(is_own | is_to_it) & (log[:, k.L_TICK] >= first_tick)]
        found: dict[int, dict[str, list[str]]] = {}
        for row in rows.tolist():
            subject, phrase = self._said(row)
            found.setdefault(row[k.L_TICK], {}).setdefault(subject, []).append(phrase)
        return {
            tick: [f"{subject} {', '.join(phrases)}" for subject, phrases in lines.items()]
            for tick, lines in found.items()
        }

    def _said(self, row: Sequence[int]) -> tuple[str, str]:
        """Return who or what a line is about, and what is said of it."""
        kind, other, payment = row[k.L_KIND], row[k.L_OTHER], row[k.L_PAYMENT]
        amount = number_text(row[k.L_AMOUNT])
        if row[k.L_BANK] != self._i:
            return _RECEIVED[kind].format(other=self._names[row[k.L_BANK]]), amount
        more = _DETAIL.get(kind)
        words = {
            "other": self._names[other] if other != k.NONE else "",
            "amount": amount.removeprefix("-") if kind in _PAID_BACK else amount,
            "detail": "" if more is None else more(row[k.L_DETAIL]),
        }
        if payment == k.NONE:
            to = f" to {words['other']}" if words["other"] else ""
            return _ACTS[kind], words["amount"] + to
        if kind == k.LOG_ARRIVE:
            words["due"] = str(int(self._run.pay[payment, k.P_DEADLINE]))
        if kind == k.LOG_SPLIT:
            words["parts"] = self._parts(payment)
        return f"#{self._number[payment]}", _OF_PAYMENTS[kind].format(**words)

    def _parts(self, payment: int) -> str:
        children = np.flatnonzero(self._run.pay[:, k.P_PARENT] == payment).tolist()
        amounts = self._run.pay[children, k.P_AMOUNT].tolist()
        pairs = zip(children, amounts, strict=True)
        return " + ".join(
            f"#{self._number[child]} of {number_text(cents)}" for child, cents in pairs
        )

    def told(self, first: int, last: int, lines: Sequence[str]) -> ToldTick:
        """Put together the text of one tick, or of quiet ticks in a row."""
        costs = self._cost[first : last + 1]
        each = " each" if last > first else ""
        head = f"{self._when(first, last)}: {self._ending(first)}; cost {cents(costs[0])}{each}"
        return ToldTick(
            first, last, sum(costs), "\n".join([head, *(f"  {line}" for line in lines)])
        )

    def _when(self, first: int, last: int) -> str:
        when = f"tick {first}" if first == last else f"ticks {first} to {last}"
        if self._run.scenario.simulation.num_days == 1:
            return when
        return f"day {first // self._length}, {when}"

    def _ending(self, tick: int) -> str:
        state = self._state[tick].tolist()
        parts = [f"balance {number_text(state[k.T_BALANCE])}"]
        if state[k.T_CREDIT]:
            parts.append(f"credit line {number_text(state[k.T_CREDIT])}")
        if state[k.T_POSTED]:
            parts.append(f"collateral posted {number_text(state[k.T_POSTED])}")
        for name, count, value in (
            ("Queue 1", state[k.T_Q1_COUNT], state[k.T_Q1_VALUE]),
            ("Queue 2", state[k.T_Q2_COUNT], state[k.T_Q2_VALUE]),
        ):
            if count:
                plural = "payment" if count == 1 else "payments"
                parts.append(f"{name}: {count} {plural}, {number_text(value)}")
        return "; ".join(parts)


def cents(value: float) -> str:
    """Return a cost to the hundredth of a cent."""
    return number_text(round(value, 2) + 0.0)


_RECEIVED: Mapping[int, str] = {
    k.LOG_SETTLE: "received from {other}:",
    k.LOG_SETTLE_PART: "received from {other}:",
    k.LOG_TRANSFER: "received from {other} by direct transfer:",
}

#: The log has these amounts below zero.
_PAID_BACK: Final = (k.LOG_REPAY, k.LOG_REPAY_BORROWED)

_DETAIL: Mapping[int, Callable[[int], str]] = {
    k.LOG_ARRIVE: str,
    k.LOG_RELEASE: lambda c: "" if CLASSES[c] == "Normal" else f" as {CLASSES[c]}",
    k.LOG_RESUBMIT: lambda c: CLASSES[c],
    k.LOG_SETTLE: lambda detail: METHODS[detail % _METHOD],
    k.LOG_SETTLE_PART: lambda detail: METHODS[detail % _METHOD],
    k.LOG_REPRIORITIZE: str,
    k.LOG_RESERVE: str,
    k.LOG_PENALTY: lambda kind: COST_KINDS[kind],
}

_OF_PAYMENTS: Mapping[int, str] = {
    k.LOG_ARRIVE: "arrived ({amount} to {other}, due by tick {due}, priority {detail})",
    k.LOG_RELEASE: "released{detail}",
    k.LOG_JOIN_QUEUE2: "joined Queue 2 with {amount}",
    k.LOG_SETTLE: "settled {amount} ({detail})",
    k.LOG_SETTLE_PART: "settled a part, {amount} ({detail})",
    k.LOG_OVERDUE: "overdue with {amount}",
    k.LOG_SPLIT: "split into {parts}",
    k.LOG_DROP: "dropped",
    k.LOG_REPRIORITIZE: "given priority {detail}",
    k.LOG_WITHDRAW: "withdrawn from Queue 2",
    k.LOG_RESUBMIT: "moved to the end of class {detail} in Queue 2",
    k.LOG_RESERVE: "to be released at tick {detail}",
    k.LOG_REFUSED: "not allowed by the budget",
    k.LOG_PENALTY: "charged {amount} ({detail})",
}

_ACTS: Mapping[int, str] = {
    k.LOG_FUND: "funded",
    k.LOG_REPAY: "repaid of the funding:",
    k.LOG_BORROW: "borrowed at the close:",
    k.LOG_REPAY_BORROWED: "repaid of the last close:",
    k.LOG_TRANSFER: "sent by direct transfer:",
    k.LOG_COLLATERAL: "posted collateral changed by",
    k.LOG_CAPACITY: "collateral not posted, beyond the capacity:",
    k.LOG_BUDGET: "set a release budget of",
    k.LOG_REGISTER: "set a state register to",
    k.LOG_PENALTY: "charged at the close:",
}
