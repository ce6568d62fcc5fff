"""Games as tables: as columns side by side, or as rows one below the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from payment_simulator.analysis.compare.comparison import Comparison
from payment_simulator.analysis.compare.figures import BankFigures, GameFigures
from payment_simulator.analysis.compare.intervals import SAME, below_games, of_days
from payment_simulator.analysis.compare.table import Table, distinct, without_empty
from payment_simulator.analysis.compare.texts import parameter, ratio, share, some
from payment_simulator.wording import money, visible

#: Banks of a game that are listed.
LISTED_BANKS = 8
#: What stands in the place of a bank where a figure is of all of them.
ALL_BANKS = "(all)"
_LABELS = ("figure", "bank")


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


def _widest_space(game: GameFigures) -> str:
    """Return the last of what deviations vary: parameters come before trees and collateral."""
    return visible((game.deviation_space or "-").split(", ")[-1])


def _price(game: GameFigures) -> str:
    if game.cost_usd is None:
        return "-"
    return f"{'at least ' if game.unpriced_calls else ''}{game.cost_usd:,.4f}"


def _end(bank: BankFigures, end: float | None) -> str:
    is_same = bank.improvement_low is not None and bank.improvement_low == bank.improvement_high
    return SAME if is_same else money(end)


def _with_interval(bank: BankFigures) -> str:
    ends = of_days(bank, None)
    return money(bank.improvement) + f" {ends}" * ends.startswith("[")


_FIRST = (
    _Figure("status", lambda game: game.state),
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
    _Figure("  at least", None, lambda b: _end(b, b.improvement_low)),
    _Figure("  at most", None, lambda b: _end(b, b.improvement_high)),
)
#: The same with an interval behind what was gained, for paper, which is wide.
_COSTS_IN_ONE_ROW = (
    *_COSTS[:2],
    _Figure("improvement", lambda g: money(g.improvement), _with_interval),
)
_LAST = (
    _Figure("settled, start", None, lambda b: share(b.start_settlement_rate)),
    _Figure("settled, end", None, lambda b: share(b.final_settlement_rate)),
    _Figure("regret", None, lambda b: money(b.regret)),
    _Figure("  regret at least", None, lambda b: money(b.regret_low)),
    _Figure("  regret at most", None, lambda b: money(b.regret_high)),
    _Figure("largest regret", lambda game: money(game.distance_from_equilibrium)),
    _Figure("  none above", lambda game: money(game.distance_upper_bound)),
    _Figure("deviations tried", lambda game: _count(game.num_deviations)),
    _Figure("  up to", _widest_space),
    _Figure("price of anarchy", lambda game: ratio(game.price_of_anarchy)),
    _Figure("tokens", lambda game: _count(game.tokens_used)),
    _Figure("model calls", lambda game: _count(game.calls)),
    _Figure("price (USD)", _price),
)
#: Lines that say nothing where no game has them.
_OF_SOME = {
    "  at least",
    "  at most",
    "  regret at least",
    "  regret at most",
    "  none above",
    "deviations tried",
    "  up to",
    "tokens",
    "model calls",
    "price (USD)",
}


def side_by_side(found: Comparison, *, has_one_row: bool = False) -> Table:
    """Return games as columns.

    Parameters
    ----------
    has_one_row : bool
        Whether an interval stands behind its mean, not in two rows below it.
    """
    costs = _COSTS_IN_ONE_ROW if has_one_row else _COSTS
    heads = distinct([game.game_id for game in found.games], _LABELS)
    rows = [row for figure in _FIRST for row in _lines(figure, found.games)]
    rows += [row for figure in costs for row in _lines(figure, found.games)]
    rows += [row for figure in _parameters(found.games) for row in _lines(figure, found.games)]
    rows += [row for figure in _LAST for row in _lines(figure, found.games)]
    return Table(
        "games",
        "",
        (*_LABELS, *heads),
        tuple(rows),
        numbers=heads,
        yielding=("figure",),
        notes=(*below_games(found.games, is_short=not has_one_row), *_unlisted(found.games)),
    )


def _lines(figure: _Figure, games: Sequence[GameFigures]) -> Iterator[tuple[str, ...]]:
    """Go through the lines of a figure: of each bank, and of the game."""
    cells: list[tuple[str, tuple[str, ...]]] = []
    if figure.of_bank is not None:
        cells += [
            (visible(bank), tuple(_cell(game, bank, figure) for game in games))
            for bank in listed_banks(games)
        ]
    if figure.of_game is not None:
        name = ALL_BANKS if figure.of_bank is not None else ""
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


def _unlisted(games: Sequence[GameFigures]) -> tuple[str, ...]:
    """Return what is said where banks are not listed."""
    n = len({bank.bank for game in games for bank in game.banks})
    if n <= LISTED_BANKS:
        return ()
    return (f"{LISTED_BANKS} of {n:,} banks are listed (--format csv or --json has all).",)


def _parameters(games: Sequence[GameFigures]) -> Iterator[_Figure]:
    names = {name: None for game in games for bank in game.banks for name in bank.parameters}
    for name in names:
        yield _Figure(visible(name), None, partial(_parameter, name))


def _parameter(name: str, bank: BankFigures) -> str:
    return parameter(bank.parameters.get(name))


def _distance(game: GameFigures) -> str:
    """Return the largest regret with what none is above."""
    if game.distance_upper_bound is None:
        return money(game.distance_from_equilibrium)
    return f"{money(game.distance_from_equilibrium)} (to {money(game.distance_upper_bound)})"


def one_below_the_other(found: Comparison) -> list[Table]:
    """Return games as rows: one table of games, and one of their banks."""
    games = tuple(
        (
            visible(game.game_id),
            game.state,
            str(game.master_seed),
            _count(game.iterations),
            _count(game.last_accepted_iteration),
            _accepted(game),
            money(game.start_cost),
            money(game.final_cost),
            _distance(game),
            ratio(game.price_of_anarchy),
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
        "games",
        "",
        columns,
        games,
        numbers=columns[2:],
        yielding=("game",),
        optional=(
            ("price of anarchy",),
            *(("price (USD)",), ("calls",), ("tokens",)),
            *(("last acceptance",), ("accepted",), ("seed",), ("largest regret",), ("status",)),
        ),
    )
    return [without_empty(table, {"tokens", "calls", "price (USD)"}), _banks(found)]


def _banks(found: Comparison) -> Table:
    listed = listed_banks(found.games)
    names = {name for game in found.games for bank in game.banks for name in bank.parameters}
    # The name of a single parameter stands in the title, so that its values stand in a column.
    (only,) = names if len(names) == 1 else (None,)
    last = "parameters" if only is None else "parameter"
    rows = [
        (
            visible(game.game_id),
            visible(bank.bank),
            money(bank.start_cost),
            money(bank.final_cost),
            money(bank.improvement),
            of_days(bank, game.num_samples),
            share(bank.final_settlement_rate),
            _parameters_of(bank, only),
        )
        for game in found.games
        for bank in game.banks
        if bank.bank in listed
    ]
    columns = (
        "game", "bank", "start cost", "final cost", "improvement", "interval", "settled",
        last,
    )  # fmt: skip
    table = Table(
        "banks",
        "Banks:" if only is None else f"Banks; the parameter is {visible(only)}:",
        columns,
        tuple(rows),
        numbers=columns[2:7] if only is None else columns[2:],
        yielding=("game", "parameters") if only is None else ("game",),
        optional=(("interval",), ("settled",), ("improvement",)),
        notes=(*below_games(found.games), *_unlisted(found.games)),
    )
    return without_empty(table, {"interval", "settled", last})


def _parameters_of(bank: BankFigures, only: str | None) -> str:
    if only is not None:
        return parameter(bank.parameters.get(only))
    return visible(", ".join(f"{name} {parameter(v)}" for name, v in bank.parameters.items()))
