"""What follows from games as tables: means over seeds, and costs under other policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.game_tables import ALL_BANKS, LISTED_BANKS
from payment_simulator.analysis.compare.groups import CONFIDENCE, Estimate, Group
from payment_simulator.analysis.compare.table import Table, distinct
from payment_simulator.analysis.compare.texts import interval, money, plain, share, some, visible

if TYPE_CHECKING:
    from payment_simulator.analysis.compare.baselines import Difference, GameBaselines

#: Banks that have a column of their own among the baselines.
_BANK_COLUMNS = 3


def group_tables(found: Comparison) -> list[Table]:
    """Return a table of means for each group of two games or more."""
    groups = [group for group in found.groups if group.estimates]
    return [_group(group, len(found.groups) > 1) for group in groups]


def _group(group: Group, is_one_of_many: bool) -> Table:
    called = f"group {group.number}, " if is_one_of_many else ""
    title = (
        f"Means over seeds, {called}{visible(some(group.counted))} ({visible(group.scenario)}); "
        f"{100 * CONFIDENCE:g} % intervals by Student's t over games:"
    )
    banks = list(dict.fromkeys(e.bank for e in group.estimates if e.bank is not None))
    listed = {None, *banks[:LISTED_BANKS]}
    shown = [
        e
        for e in sorted(group.estimates, key=_place)
        if e.bank in listed and e.quantity in _WORDS and not _is_idle(e)
    ]
    rows = [
        (label, visible(e.bank or ALL_BANKS * (e.quantity in _OF_ALL_BANKS)), f"{e.n}", *_values(e))
        for label, e in zip(_once(list(map(_label, shown))), shown, strict=True)
    ]
    columns = ("figure", "bank", "n", "mean", "interval")
    return Table(title, columns, tuple(rows), columns[2:], yielding=("figure",))


#: What estimates are called, in the order in which they are shown, and how their numbers look.
_WORDS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "start_cost": ("start cost", money),
    "final_cost": ("final cost", money),
    "improvement": ("improvement", money),
    "parameter": ("parameter", plain),
    "start_settlement_rate": ("settled, start", share),
    "final_settlement_rate": ("settled, end", share),
    "distance_from_equilibrium": ("largest regret", money),
    "price_of_anarchy": ("price of anarchy", plain),
    "iterations": ("iterations", plain),
    "last_accepted_iteration": ("last acceptance", plain),
    "converged_iteration": ("converged after", plain),
    "acceptance_rate": ("acceptance rate", share),
    "fifo_cost": ("cost under Fifo", money),
    "optimum_cost": ("cost at optimum", money),
    "efficiency": ("efficiency", plain),
    "tokens_used": ("tokens", plain),
    "cost_usd": ("price (USD)", plain),
}


#: Costs of a game, which are those of all its banks.
_OF_ALL_BANKS = {"start_cost", "final_cost", "improvement", "fifo_cost", "optimum_cost"}


def _once(labels: Sequence[str]) -> list[str]:
    """Return labels without those that stand in the line above already."""
    before = ["", *labels]
    return ["" if label == before[place] else label for place, label in enumerate(labels)]


def _place(one: Estimate) -> tuple[int, bool]:
    known = list(_WORDS)
    return known.index(one.quantity) if one.quantity in known else len(known), one.bank is None


def _label(one: Estimate) -> str:
    return visible(one.parameter) if one.parameter is not None else _WORDS[one.quantity][0]


def _is_idle(one: Estimate) -> bool:
    return one.quantity == "tokens_used" and not one.mean


def _values(one: Estimate) -> tuple[str, str]:
    write = _WORDS[one.quantity][1]
    if one.low is None or one.high is None:
        return write(one.mean), "-"
    return write(one.mean), f"[{write(one.low)}, {write(one.high)}]"


def baseline_tables(found: Comparison) -> list[Table]:
    """Return what games cost under other policies, and where all banks together pay least."""
    if not found.baselines:
        return []
    optima = [_optimum(game, own) for game, own in found.baselines.items() if own.optimum]
    columns = ("game", "efficiency", "optimum", "at")
    where = Table("Where all banks together pay least:", columns, tuple(optima), columns[1:2])
    where = replace(where, yielding=("game", "at"))
    return [_policies(found), *([where] if optima else [])]


def _policies(found: Comparison) -> Table:
    some_of = {b: None for own in found.baselines.values() for b in own.baselines[0].costs}
    banks = list(some_of) if len(some_of) <= _BANK_COLUMNS else []
    fixed = ("game", "policies", ALL_BANKS, "more than final")
    heads = distinct(banks, fixed)
    rows = [
        (
            "" if place else visible(game),
            (own.optimum or "") if one.name == "optimum" else _POLICIES[one.name],
            *(money(one.costs.get(bank)) for bank in banks),
            money(one.total),
            "" if one.name == "final" else _more(one.total_above_final),
        )
        for game, own in found.baselines.items()
        for place, one in enumerate(own.baselines)
    ]
    columns = (*fixed[:2], *heads, *fixed[2:])
    return Table(
        "Other policies on the same held-out days:",
        columns,
        tuple(rows),
        numbers=columns[2:],
        yielding=("game",),
        optional=tuple(reversed(heads)),
    )


def _more(than_final: Difference) -> str:
    ends = interval(money(than_final.low), money(than_final.high))
    return money(than_final.mean) + f" {ends}" * (than_final.low is not None)


def _optimum(game: str, own: GameBaselines) -> tuple[str, ...]:
    best = next(one for one in own.baselines if one.name == "optimum")
    names = {name for point in best.parameters.values() for name in point}
    said = ", ".join(
        f"{bank} {plain(value)}" if len(names) == 1 else f"{bank} {name} {plain(value)}"
        for bank, point in list(best.parameters.items())[:LISTED_BANKS]
        for name, value in point.items()
    )
    more = len(best.parameters) - LISTED_BANKS
    at = f"{said} and {more:,} more banks" if more > 0 else said
    return visible(game), plain(own.efficiency), str(own.optimum), visible(at)


_POLICIES = {"start": "start", "fifo": "Fifo", "final": "final"}
