"""Comparisons as tables of texts, for a terminal and for a paper alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.groups import CONFIDENCE, Estimate, Group
from payment_simulator.analysis.compare.texts import money, plain, share, some, visible

#: So many games stand side by side; more stand one below the other.
SIDE_BY_SIDE = 4
#: Banks of a game that are listed.
LISTED_BANKS = 8
#: Banks that have a column of their own among the baselines.
_BANK_COLUMNS = 3
_ALL = "all banks"
_LABELS = ("figure", "bank")


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes
    ----------
    title : str
    columns : tuple of str
        No two are the same.
    rows : tuple of tuple of str
    numbers : tuple of str
        Columns that are set flush right.
    yielding : tuple of str
        Columns that may be folded.
    optional : tuple of str
        Columns that may be left out, the first of them first.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()
    yielding: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Figure:
    """A line of games side by side; ``of_bank`` where every bank has one, ``of_game`` else."""

    label: str
    of_game: Callable[[GameFigures], str] | None = None
    of_bank: Callable[[BankFigures], str] | None = None


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _accepted(game: GameFigures) -> str:
    return f"{game.accepted:,} of {game.steps:,}"


def _price(game: GameFigures) -> str:
    if game.cost_usd is None:
        return "-"
    return f"{'at least ' if game.unpriced_calls else ''}{game.cost_usd:,.4f}"


_FIRST = (
    _Figure("status", lambda game: game.status),
    _Figure("scenario", lambda game: visible(game.scenario.replace("\\", "/").split("/")[-1])),
    _Figure("seed", lambda game: str(game.master_seed)),
    _Figure("proposers", lambda game: visible(some(game.proposers, 2)) or "-"),
    _Figure("iterations", lambda game: _count(game.iterations)),
    _Figure("last acceptance", lambda game: _count(game.last_accepted_iteration)),
    _Figure("converged after", lambda game: _count(game.converged_iteration)),
    _Figure("accepted steps", _accepted),
    _Figure("acceptance rate", lambda game: share(game.acceptance_rate)),
)
_COSTS = (
    _Figure("start cost", lambda g: money(g.start_cost), lambda b: money(b.start_cost)),
    _Figure("final cost", lambda g: money(g.final_cost), lambda b: money(b.final_cost)),
    _Figure("improvement", lambda g: money(g.improvement), lambda b: money(b.improvement)),
    _Figure("  at least", None, lambda b: money(b.improvement_low)),
    _Figure("  at most", None, lambda b: money(b.improvement_high)),
)
_LAST = (
    _Figure("settled, start", None, lambda b: share(b.start_settlement_rate)),
    _Figure("settled, end", None, lambda b: share(b.final_settlement_rate)),
    _Figure("regret", None, lambda b: money(b.regret)),
    _Figure("largest regret", lambda game: money(game.distance_from_equilibrium)),
    _Figure("price of anarchy", lambda game: plain(game.price_of_anarchy)),
    _Figure("tokens", lambda game: _count(game.tokens_used)),
    _Figure("model calls", lambda game: _count(game.calls)),
    _Figure("price (USD)", _price),
)
#: Lines that say nothing where no game has them.
_OF_SOME = {"  at least", "  at most", "tokens", "model calls", "price (USD)"}


def side_by_side(found: Comparison) -> Table:
    """Return games as columns."""
    heads = distinct([game.game_id for game in found.games], _LABELS)
    rows = [row for figure in _FIRST for row in _lines(figure, found.games)]
    rows += [row for figure in _COSTS for row in _lines(figure, found.games)]
    rows += [row for figure in _parameters(found.games) for row in _lines(figure, found.games)]
    rows += [row for figure in _LAST for row in _lines(figure, found.games)]
    return Table("", (*_LABELS, *heads), tuple(rows), numbers=heads, yielding=("figure",))


def _lines(figure: _Figure, games: Sequence[GameFigures]) -> Iterator[tuple[str, ...]]:
    """Go through the lines of a figure: of each bank, and of the game."""
    cells: list[tuple[str, tuple[str, ...]]] = []
    if figure.of_bank is not None:
        cells += [
            (visible(bank), tuple(_cell(game, bank, figure) for game in games))
            for bank in listed_banks(games)
        ]
    if figure.of_game is not None:
        name = _ALL if figure.of_bank is not None else ""
        cells.append((name, tuple(map(figure.of_game, games))))
    empty = {"-", "0"} if figure.label in _OF_SOME else set[str]()
    label = figure.label
    for bank, values in cells:
        if set(values) <= empty or (figure.of_game is None and set(values) == {"-"}):
            continue
        yield (label, bank, *values)
        label = ""


def _cell(game: GameFigures, bank: str, figure: _Figure) -> str:
    own = next((found for found in game.banks if found.bank == bank), None)
    return "-" if own is None or figure.of_bank is None else figure.of_bank(own)


def listed_banks(games: Sequence[GameFigures]) -> list[str]:
    """Return the banks of games that are listed; those that were optimised come first."""
    banks = {bank.bank: None for game in games for bank in game.banks if bank.is_optimized}
    banks |= {bank.bank: None for game in games for bank in game.banks}
    return list(banks)[:LISTED_BANKS]


def _parameters(games: Sequence[GameFigures]) -> Iterator[_Figure]:
    names = {name: None for game in games for bank in game.banks for name in bank.parameters}
    for name in names:
        yield _Figure(visible(name), None, partial(_parameter, name))


def _parameter(name: str, bank: BankFigures) -> str:
    return plain(bank.parameters.get(name))


def one_below_the_other(found: Comparison) -> list[Table]:
    """Return games as rows: one table of games, and one of their banks."""
    games = tuple(
        (
            visible(game.game_id),
            game.status,
            str(game.master_seed),
            _count(game.iterations),
            _count(game.last_accepted_iteration),
            _accepted(game),
            money(game.start_cost),
            money(game.final_cost),
            money(game.distance_from_equilibrium),
            plain(game.price_of_anarchy),
            _count(game.tokens_used),
            _count(game.calls),
            _price(game),
        )
        for game in found.games
    )
    columns = (
        "game", "status", "seed", "iterations", "last acceptance", "accepted", "start cost",
        "final cost", "largest regret", "price of anarchy", "tokens", "calls", "price (USD)",
    )  # fmt: skip
    table = Table(
        "",
        columns,
        games,
        numbers=columns[2:],
        yielding=("game",),
        optional=(
            "price of anarchy",
            *("price (USD)", "calls", "tokens"),
            *("last acceptance", "accepted", "seed", "largest regret", "status"),
        ),
    )
    return [_without_empty(table, {"tokens", "calls", "price (USD)"}), _banks(found)]


def _banks(found: Comparison) -> Table:
    listed = listed_banks(found.games)
    rows = [
        (
            visible(game.game_id),
            visible(bank.bank),
            money(bank.start_cost),
            money(bank.final_cost),
            money(bank.improvement),
            _interval(money(bank.improvement_low), money(bank.improvement_high)),
            share(bank.final_settlement_rate),
            visible(", ".join(f"{name} {plain(v)}" for name, v in bank.parameters.items())),
        )
        for game in found.games
        for bank in game.banks
        if bank.bank in listed
    ]
    columns = (
        "game", "bank", "start cost", "final cost", "improvement", "interval", "settled",
        "parameters",
    )  # fmt: skip
    table = Table(
        "Banks:",
        columns,
        tuple(rows),
        numbers=columns[2:7],
        yielding=("game", "parameters"),
        optional=("interval", "settled", "improvement"),
    )
    return _without_empty(table, {"interval", "settled", "parameters"})


def _interval(low: str, high: str) -> str:
    return "-" if low == "-" else f"[{low}, {high}]"


def _without_empty(table: Table, of_some: set[str]) -> Table:
    """Return a table without those columns of some games that no game has."""
    kept = [
        place
        for place, column in enumerate(table.columns)
        if column not in of_some or any(row[place] not in {"-", "0", ""} for row in table.rows)
    ]
    names = {table.columns[place] for place in kept}
    return Table(
        table.title,
        tuple(table.columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in table.rows),
        *(
            tuple(c for c in some_of if c in names)
            for some_of in (table.numbers, table.yielding, table.optional)
        ),
    )


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
        (label, visible(e.bank or _ALL * (e.quantity in _OF_BOTH)), f"{e.n}", *_values(e))
        for label, e in zip(_once(list(map(_label, shown))), shown, strict=True)
    ]
    columns = ("figure", "bank", "games", "mean", "interval")
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
    "fifo_cost": ("Fifo, all banks", money),
    "optimum_cost": ("optimum, all banks", money),
    "efficiency": ("efficiency", plain),
    "tokens_used": ("tokens", plain),
    "cost_usd": ("price (USD)", plain),
}


#: What games have, and their banks too.
_OF_BOTH = {"start_cost", "final_cost", "improvement"}


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


def baseline_table(found: Comparison) -> Table | None:
    """Return what games cost under other policies; None where there are no baselines."""
    if not found.baselines:
        return None
    some_of = {b: None for own in found.baselines.values() for b in own.baselines[0].costs}
    banks = list(some_of) if len(some_of) <= _BANK_COLUMNS else []
    fixed = ("game", "policies", _ALL, "more than final", "interval", "efficiency")
    heads = distinct(banks, fixed)
    rows = []
    for game, own in found.baselines.items():
        for place, one in enumerate(own.baselines):
            more, is_final = one.total_above_final, one.name == "final"
            word = (own.optimum or "") if one.name == "optimum" else _POLICIES[one.name]
            row = (
                "" if place else visible(game),
                word,
                *(money(one.costs.get(bank)) for bank in banks),
                money(one.total),
                "" if is_final else money(more.mean),
                "" if is_final else _interval(money(more.low), money(more.high)),
                plain(own.efficiency) if is_final else "",
            )
            rows.append(row)
    columns = (*fixed[:2], *heads, *fixed[2:])
    table = Table(
        "Other policies on the same held-out days:",
        columns,
        tuple(rows),
        numbers=columns[2:],
        yielding=("game",),
        optional=(*reversed(heads), "more than final"),
    )
    return _without_empty(table, {"interval"})


_POLICIES = {"start": "start", "fifo": "Fifo", "final": "final"}


def distinct(names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return names as they are shown, told apart where they look the same."""
    seen, found = set(taken), []
    for name in map(visible, names):
        shown, number = name, 1
        while shown in seen:
            number += 1
            shown = f"{name} ({number})"
        seen.add(shown)
        found.append(shown)
    return tuple(found)


def tables_of(found: Comparison, *, is_side_by_side: bool) -> list[Table]:
    """Return all tables of a comparison, in the order in which they are shown."""
    games = [side_by_side(found)] if is_side_by_side else one_below_the_other(found)
    baselines = baseline_table(found)
    return [*games, *group_tables(found), *([] if baselines is None else [baselines])]
