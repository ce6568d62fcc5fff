"""Chains of payments around three banks or more (section 6 of the rules)."""

from __future__ import annotations

from tests.reference.twin.model import Payment, World
from tests.reference.twin.settlement import is_feasible, settle_together

#: After so many looks a search gives up.
MOST_LOOKS = 100

SHORTEST_CHAIN = 3


class _LooksUsedUpError(Exception):
    """The looks of this search are used up."""


def cycles(world: World) -> bool:
    """Settle chains, those with the lowest banks first.

    Returns
    -------
    bool
        Whether anything settled.
    """
    most = world.scenario.lsm_config.max_cycles_per_tick
    any_settled = False
    for bank in world.banks:
        while world.n_cycles < most:
            world.n_looks = 0
            try:
                chain = _search(world, [bank.number], [], _first_payments(world))
            except _LooksUsedUpError:
                world.note(7, "cycles gives up", bank.number)
                break
            if not chain:
                break
            settle_together(world, chain, 7, "cycle")
            world.n_cycles += 1
            any_settled = True
    return any_settled


def _first_payments(world: World) -> dict[tuple[int, int], Payment]:
    """Give the payments that may be links, by sender and receiver."""
    links: dict[tuple[int, int], Payment] = {}
    seen: set[int] = set()
    for payment in world.queue2:
        is_first_of_bank = payment.sender not in seen
        seen.add(payment.sender)
        if world.scenario.queue_discipline == "strict" and not is_first_of_bank:
            continue
        links.setdefault((payment.sender, payment.receiver), payment)
    return links


def _search(
    world: World,
    banks: list[int],
    chain: list[Payment],
    links: dict[tuple[int, int], Payment],
) -> list[Payment]:
    """Complete a chain, depth first.

    Parameters
    ----------
    banks : list of int
        The banks of the chain so far; the last one is to pay next.
    chain : list of Payment
        The payments between them.

    Returns
    -------
    list of Payment
        The first chain that can settle at once, or none.
    """
    payer = banks[-1]
    for following in _next_banks(world, banks):
        link = links.get((payer, following))
        if link is None:
            continue
        if world.n_looks >= MOST_LOOKS:
            raise _LooksUsedUpError
        world.n_looks += 1
        longer = [*chain, link]
        if chain and not is_feasible(world.banks[payer], longer):
            continue
        if following == banks[0]:
            if is_feasible(world.banks[following], longer):
                return longer
            continue
        found = _search(world, [*banks, following], longer, links)
        if found:
            return found
    return []


def _next_banks(world: World, banks: list[int]) -> list[int]:
    """Give the banks that may follow in a chain, in the order in which they are tried."""
    following = []
    if len(banks) >= SHORTEST_CHAIN:
        following.append(banks[0])
    if len(banks) < world.scenario.lsm_config.max_cycle_length:
        following += [b for b in range(banks[0] + 1, len(world.banks)) if b not in banks]
    return following
