"""Gridlocks with known ways out, and pairs without one (after Bech and Soramäki, 2001)."""

from __future__ import annotations

import pytest

from payment_simulator.kernels import layout as k
from payment_simulator.simulation import Run, simulate
from tests.reference.small import pay, scenario


def balances(run: Run) -> list[int]:
    """Return the balances at the end of the first tick (cents)."""
    found: list[int] = run.trace[0, :, k.T_BALANCE].tolist()
    return found


@pytest.mark.parametrize("algorithm", ["multilateral", "cycles"])
@pytest.mark.parametrize("discipline", ["bypass", "strict"])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_ring_settles_at_once(algorithm: str, discipline: str, deferred: bool) -> None:
    payments = (pay(0, 1, 10), pay(1, 2, 13), pay(2, 0, 12))
    ring = scenario(
        0,
        3,
        0,
        payments=payments,
        algorithms=(algorithm,),
        queue_discipline=discipline,
        deferred_crediting=deferred,
    )
    run = simulate(ring)
    assert balances(run) == [2, 0, 1]
    assert run.pay[:, k.P_SETTLED].tolist() == [0, 0, 0]


@pytest.mark.parametrize("algorithm", ["multilateral", "cycles"])
def test_the_ring_the_other_way_round_settles_too(algorithm: str) -> None:
    payments = (pay(0, 2, 10), pay(2, 1, 13), pay(1, 0, 12))
    run = simulate(scenario(0, 0, 3, payments=payments, algorithms=(algorithm,)))
    assert balances(run) == [2, 1, 0]
    assert run.pay[:, k.P_SETTLED].tolist() == [0, 0, 0]


@pytest.mark.parametrize("algorithms", [("bilateral",), ("fifo", "bilateral")])
def test_a_ring_is_no_matter_of_pairs(algorithms: tuple[str, ...]) -> None:
    payments = (pay(0, 1, 10), pay(1, 2, 13), pay(2, 0, 12))
    run = simulate(scenario(0, 3, 0, payments=payments, algorithms=algorithms))
    assert balances(run) == [0, 3, 0]


@pytest.mark.parametrize("algorithm", ["fifo", "bilateral", "multilateral", "cycles"])
@pytest.mark.parametrize("at_entry", [False, True])
@pytest.mark.parametrize("discipline", ["bypass", "strict"])
def test_a_pair_out_of_reach_is_not_reported_as_settled(
    algorithm: str, at_entry: bool, discipline: str
) -> None:
    stuck = scenario(
        4,
        4,
        payments=(pay(0, 1, 10), pay(1, 0, 20)),
        algorithms=(algorithm,),
        entry_disposition_offsetting=at_entry,
        queue_discipline=discipline,
    )
    run = simulate(stuck)
    assert balances(run) == [4, 4]
    assert run.pay[:, k.P_SETTLED].tolist() == [k.NONE, k.NONE]
    assert run.stat[:, [k.S_SETTLED, k.S_SETTLED_VALUE, k.S_OFFSET_VALUE]].sum() == 0
    kinds = run.log[:, k.L_KIND].tolist()
    assert k.LOG_SETTLE not in kinds
    assert k.LOG_SETTLE_PART not in kinds
    assert kinds.count(k.LOG_JOIN_QUEUE2) == 2


@pytest.mark.parametrize("algorithm", ["bilateral", "multilateral"])
def test_a_pair_within_reach_moves_its_difference(algorithm: str) -> None:
    run = simulate(scenario(4, 6, payments=(pay(0, 1, 14), pay(1, 0, 20)), algorithms=(algorithm,)))
    assert balances(run) == [10, 0]
