"""Under strict order, gridlock resolution finds the one largest set: a theorem, tried by force.

Bech and Soramäki, *Gridlock Resolution in Interbank Payment Systems*, Bank of Finland Discussion
Paper 9/2001. Sets that keep the order of every bank are given by how many of its first payments
each bank settles, so that all of them can be tried.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.kernels import layout as k
from payment_simulator.simulation import simulate
from tests.effort import tries
from tests.reference.small import bank, money, pay, scenario

Queue = list[tuple[int, int, int]]
#: Number of the bank that owes nothing and gives the others money at tick 1.
RICH = 3


@st.composite
def gridlocks(draw: st.DrawFn) -> dict[str, Any]:
    """Draw payments between three banks, what each is given later, and limits."""
    payments = []
    for _ in range(draw(st.integers(2, 9))):
        sender = draw(st.integers(0, 2))
        receiver = (sender + draw(st.integers(1, 2))) % 3
        payments.append((sender, receiver, draw(st.integers(1, 9))))
    limits: list[dict[str, Any]] = [{}, {}, {}]
    if draw(st.booleans()):
        for number in range(3):
            if draw(st.booleans()):
                limits[number]["multilateral_limit"] = draw(st.integers(0, 9))
            if draw(st.booleans()):
                other = "ABC"[(number + 1) % 3]
                limits[number]["bilateral_limits"] = {other: draw(st.integers(0, 9))}
    given_later = draw(st.lists(st.integers(0, 9), min_size=3, max_size=3))
    return {"payments": payments, "limits": limits, "given": given_later}


def is_feasible(
    chosen: Queue, liquidity: list[int], limits: list[dict[str, Any]], net: list[list[int]]
) -> bool:
    """Tell whether every bank can bear a set."""
    after = [list(row) for row in net]
    for i, j, cents in chosen:
        after[i][j] += cents
        after[j][i] -= cents
    for i in range(3):
        gain = sum(c for _, to, c in chosen if to == i) - sum(c for by, _, c in chosen if by == i)
        if liquidity[i] + gain < 0:
            return False
        if not any(by == i for by, _, _ in chosen):
            continue
        if sum(after[i]) > limits[i].get("multilateral_limit", 10**9):
            return False
        for name, limit in limits[i].get("bilateral_limits", {}).items():
            if after[i]["ABC".index(name)] > limit:
                return False
    return True


def largest(
    queue: Queue, liquidity: list[int], limits: list[dict[str, Any]], net: list[list[int]]
) -> Queue:
    """Return the largest feasible set by trying all; it must hold every other one."""
    own = [[payment for payment in queue if payment[0] == i] for i in range(3)]
    feasible = []
    for counts in product(*(range(len(part) + 1) for part in own)):
        chosen = [p for part, count in zip(own, counts, strict=True) for p in part[:count]]
        if is_feasible(chosen, liquidity, limits, net):
            feasible.append(counts)
    best = tuple(max(counts[i] for counts in feasible) for i in range(3))
    assert best in feasible, "the theorem does not hold"
    return [p for part, count in zip(own, best, strict=True) for p in part[:count]]


@given(gridlocks())
@settings(max_examples=tries(750, 5000))
def test_the_set_is_the_largest_there_is(drawn: dict[str, Any]) -> None:
    limits, amounts = drawn["limits"], drawn["given"]
    played = scenario(
        *(bank(0, **limits[i]) for i in range(3)),
        bank(100),
        ticks=2,
        payments=tuple(pay(i, j, cents) for i, j, cents in drawn["payments"]),
        events=tuple(money(1, "D", "ABC"[i], cents) for i, cents in enumerate(amounts) if cents),
        algorithms=("multilateral",),
        queue_discipline="strict",
    )
    settled = simulate(played).pay[:, k.P_SETTLED].tolist()

    waiting, liquidity, net = list(enumerate(drawn["payments"])), [0, 0, 0], [[0] * 3] * 3
    for tick in range(2):
        if tick == 1:
            liquidity = [had + more for had, more in zip(liquidity, amounts, strict=True)]
        queue = [payment for _, payment in waiting]
        expected = largest(queue, liquidity, limits, net)
        net = [list(row) for row in net]
        for number, (i, _, _) in waiting:
            own = [p for p in expected if p[0] == i]
            is_expected = sum(1 for n, p in waiting if p[0] == i and n < number) < len(own)
            assert (settled[number] == tick) == is_expected
        for i, j, cents in expected:
            liquidity[i] -= cents
            liquidity[j] += cents
            net[i][j] += cents
            net[j][i] -= cents
        waiting = [(number, p) for number, p in waiting if settled[number] != tick]
