"""What follows from games as tables: means over seeds, and costs under other policies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.game_tables import ALL_BANKS, LISTED_BANKS
from payment_simulator.analysis.compare.groups import Estimate, Group
from payment_simulator.analysis.compare.intervals import (
    below_means,
    ends,
    over_days,
    over_days_said,
    over_pairs,
)
from payment_simulator.analysis.compare.table import Table, distinct
from payment_simulator.analysis.compare.texts import parameter, ratio, share, some
from payment_simulator.wording import decimals, money, visible

if TYPE_CHECKING:
    from payment_simulator.analysis.compare.baselines import Baseline, GameBaselines

#: Banks that have a column of their own among the baselines.
_BANK_COLUMNS = 3
#: Two measures of what is best for all, which are not of the same days.
_DAYS_DIFFER = (
    "The price of anarchy is measured on the days of the certificate, the cost at optimum on "
    "held-out days."
)
#: What stands beside Fifo where it plays what banks began with.
_AS_START = "= start"


def group_tables(found: Comparison) -> list[Table]:
    """Return a table of means for each group of two games or more."""
    groups = [group for group in found.groups if group.estimates]
    return [_group(group, len(found.groups) > 1) for group in groups]


def _group(group: Group, is_one_of_many: bool) -> Table:
    called = f"group {group.number}, " if is_one_of_many else ""
    title = f"Means over seeds, {called}{visible(some(group.counted))} ({visible(group.scenario)}):"
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
    notes = list(below_means(group, [row[-1] for row in rows]))
    if len(banks) > LISTED_BANKS:
        notes.append(f"{LISTED_BANKS} of {len(banks):,} banks are listed (--json has all).")
    if {"price_of_anarchy", "optimum_cost"} <= {one.quantity for one in shown}:
        notes.append(_DAYS_DIFFER)
    return Table(
        f"means-{group.number}",
        title,
        columns,
        tuple(rows),
        columns[2:],
        yielding=("figure",),
        notes=tuple(notes),
    )


def paired_tables(found: Comparison) -> list[Table]:
    """Return a table of differences by seed, where two groups have the same days."""
    pairing = found.pairing
    if pairing is None:
        return []
    intervals = [ends(one, money, "seeds") for one in pairing.differences]
    rows = tuple(
        (visible(one.bank or ALL_BANKS), f"{one.n}", money(one.mean), interval)
        for one, interval in zip(pairing.differences, intervals, strict=True)
    )
    listed = rows if len(rows) <= LISTED_BANKS + 1 else (*rows[:LISTED_BANKS], rows[-1])
    notes = [over_pairs(len(pairing.seeds))] * any(text.startswith("[") for text in intervals)
    if len(listed) < len(rows):
        notes.append(f"{LISTED_BANKS} of {len(rows) - 1:,} banks are listed (--json has all).")
    title = f"Final cost by seed, group {pairing.second} less group {pairing.first}:"
    columns = ("bank", "n", "mean difference", "interval")
    return [Table("paired", title, columns, listed, columns[1:], notes=tuple(notes))]


def _few(value: float | None) -> str:
    """Return a mean of counts."""
    return decimals(value, 2)


def _whole(value: float | None) -> str:
    return decimals(value, 0)


def _price(value: float | None) -> str:
    return decimals(value, 4)


#: What estimates are called, in the order in which they are shown, and how their numbers look.
_WORDS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "start_cost": ("start cost", money),
    "final_cost": ("final cost", money),
    "improvement": ("improvement", money),
    "parameter": ("parameter", parameter),
    "start_settlement_rate": ("settled, start", share),
    "final_settlement_rate": ("settled, end", share),
    "distance_from_equilibrium": ("largest regret", money),
    "price_of_anarchy": ("price of anarchy", ratio),
    "iterations": ("iterations", _few),
    "last_accepted_iteration": ("last acceptance", _few),
    "converged_iteration": ("converged after", _few),
    "acceptance_rate": ("acceptance rate", share),
    "fifo_cost": ("cost under Fifo", money),
    "optimum_cost": ("cost at optimum", money),
    "share_of_possible_gain": ("share of possible gain", ratio),
    "tokens_used": ("tokens", _whole),
    "cost_usd": ("price (USD)", _price),
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
    return write(one.mean), ends(one, write)


def baseline_tables(found: Comparison) -> list[Table]:
    """Return what games cost under other policies, and where all banks together pay least."""
    if not found.baselines:
        return []
    optima = [_optimum(game, own) for game, own in found.baselines.items() if own.optimum]
    columns = ("game", "share of possible gain", "optimum", "at")
    where = Table(
        "optimum",
        "Where all banks together pay least:",
        columns,
        tuple(optima),
        columns[1:2],
        yielding=("game", "at"),
    )
    return [_policies(found), *([where] if optima else [])]


def _policies(found: Comparison) -> Table:
    some_of = {b: None for own in found.baselines.values() for b in own.baselines[0].costs}
    banks = list(some_of) if len(some_of) <= _BANK_COLUMNS else []
    fixed = ("game", "policies", ALL_BANKS, "more than final", "interval")
    heads = distinct(banks, fixed)
    rows = [
        (
            "" if place else visible(game),
            _called(one, own),
            *(money(one.costs.get(bank)) for bank in banks),
            money(one.total),
            *(("", "") if one.name == "final" else _more(one, own)),
        )
        for game, own in found.baselines.items()
        for place, one in enumerate(own.baselines)
    ]
    columns = (*fixed[:2], *heads, *fixed[2:])
    if not any(row[-1].strip("-") for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(
        "policies",
        "Other policies on the same held-out days:",
        columns,
        tuple(rows),
        numbers=columns[2:],
        yielding=("game", "policies"),
        optional=(heads,) if heads else (),
        notes=tuple(_below_policies(found)),
    )


def _called(one: Baseline, own: GameBaselines) -> str:
    if one.name == "optimum":
        return own.optimum or ""
    return f"{_POLICIES[one.name]} ({_AS_START})" if _is_start(one, own) else _POLICIES[one.name]


def _is_start(one: Baseline, own: GameBaselines) -> bool:
    """Tell whether Fifo costs every bank what the first policies cost it, to the cent."""
    start = next(found for found in own.baselines if found.name == "start")
    return one.name == "fifo" and all(
        money(cost) == money(start.costs[bank]) for bank, cost in one.costs.items()
    )


def _more(one: Baseline, own: GameBaselines) -> tuple[str, str]:
    than_final = one.total_above_final
    return money(than_final.mean), over_days(than_final.low, than_final.high, own.num_samples)


def _below_policies(found: Comparison) -> Iterator[str]:
    ways: dict[tuple[float, int], list[str]] = {}
    for game, own in found.baselines.items():
        differences = [b.total_above_final for b in own.baselines if b.name != "final"]
        if any(one.low != one.high for one in differences):
            ways.setdefault((own.confidence, own.num_samples), []).append(game)
    if ways:
        yield over_days_said(ways)
    if any(_is_start(one, own) for own in found.baselines.values() for one in own.baselines):
        yield f"({_AS_START}): same as the first policies, to the cent."
    has_price = any(game.price_of_anarchy is not None for game in found.games)
    if has_price and any(own.optimum for own in found.baselines.values()):
        yield _DAYS_DIFFER


def _optimum(game: str, own: GameBaselines) -> tuple[str, ...]:
    best = next(one for one in own.baselines if one.name == "optimum")
    names = {name for point in best.parameters.values() for name in point}
    said = ", ".join(
        f"{bank} {parameter(value)}" if len(names) == 1 else f"{bank} {name} {parameter(value)}"
        for bank, point in list(best.parameters.items())[:LISTED_BANKS]
        for name, value in point.items()
    )
    more = len(best.parameters) - LISTED_BANKS
    at = f"{said} and {more:,} more banks" if more > 0 else said
    return visible(game), ratio(own.share_of_possible_gain), str(own.optimum), visible(at)


_POLICIES = {"start": "start", "fifo": "Fifo", "final": "final"}
