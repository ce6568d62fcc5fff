"""What games came to: costs by kind at the start and at the end, and games side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import CostKind
from payment_simulator.analysis.figures.canvas import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    ResultFigure,
    new_figure,
    style,
)
from payment_simulator.analysis.figures.parts import (
    drawable,
    foremost,
    key,
    legend,
    line_style,
    money_axis,
    name,
    nothing_to_draw,
    one_or_more,
    peak,
)
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.trajectories import cost_trajectories
from payment_simulator.errors import GameNotFoundError, InputError
from payment_simulator.persistence.queries import named_queries

#: Banks whose costs are drawn on their own; the rest is summed.
_MOST_BANKS = 12
_MOST_GAMES = 40
#: Colour and hatching of each kind; hatching tells them apart in grey.
_LOOKS: Mapping[str, tuple[str, str]] = {
    CostKind.LIQUIDITY: (BLUE, ""),
    CostKind.DELAY: (ORANGE, "////"),
    CostKind.DEADLINE_PENALTY: (VERMILLION, "++++"),
    CostKind.END_OF_DAY: (PURPLE, "\\\\\\\\"),
    CostKind.OVERDRAFT: (SKY, "----"),
    CostKind.COLLATERAL: (GREEN, "xxxx"),
    CostKind.SPLIT: (GREY, "||||"),
}


@dataclass(frozen=True)
class _Outcome:
    bank: str
    start: Mapping[str, float]
    final: Mapping[str, float]
    start_cost: float
    final_cost: float


def cost_split_figure(repo: GameRepository, game_id: str) -> ResultFigure:
    """Draw what each bank paid for each kind of cost, under the first policies and the last.

    Of more than twelve banks, those that pay most are drawn, and the mean of the others.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game.
    """
    outcomes = _outcomes(repo, game_id)
    with style():
        if not outcomes:
            figure = new_figure(1.4)
            nothing_to_draw(figure.subplots(), "the game has no outcomes: it has not ended")
            figure.description = "No figure: the game has no outcomes."
            return figure
        return _split(_shown(outcomes))


def _outcomes(repo: GameRepository, game_id: str) -> list[_Outcome]:
    rows = or_nothing(lambda: repo.read(_sql("outcomes"), (game_id,)))
    return [
        _Outcome(bank, _kinds(start_json), _kinds(final_json), start, final)
        for bank, start, final, start_json, final_json in rows
    ]


def _kinds(text: str) -> dict[str, float]:
    found = json.loads(text)
    costs = found if isinstance(found, dict) else {}
    return {
        str(kind): float(cost)
        for kind, cost in costs.items()
        if isinstance(cost, int | float) and math.isfinite(cost)
    }


def _shown(outcomes: list[_Outcome]) -> list[_Outcome]:
    """Return the outcomes to draw: of many banks, the mean of the smaller ones as one more."""
    if len(outcomes) <= _MOST_BANKS:
        return outcomes
    sizes = {found.bank: max(found.start_cost, found.final_cost) for found in outcomes}
    chosen = foremost(sizes, _MOST_BANKS - 1)
    rest = [found for found in outcomes if found.bank not in chosen]
    by_bank = {found.bank: found for found in outcomes}
    others = _Outcome(
        f"{len(rest)} others, mean",
        _mean(found.start for found in rest),
        _mean(found.final for found in rest),
        math.fsum(found.start_cost for found in rest) / len(rest),
        math.fsum(found.final_cost for found in rest) / len(rest),
    )
    return [*(by_bank[bank] for bank in chosen), others]


def _mean(costs: Iterable[Mapping[str, float]]) -> dict[str, float]:
    banks = list(costs)
    kinds = {kind for found in banks for kind in found}
    return {k: math.fsum(found.get(k, 0.0) for found in banks) / len(banks) for k in kinds}


def _split(outcomes: list[_Outcome]) -> ResultFigure:
    paid = {kind for found in outcomes for side in (found.start, found.final) for kind in side}
    known = [kind for kind in _LOOKS if kind in paid]
    kinds = [*known, *sorted(paid - set(known))]
    kinds = [kind for kind in kinds if _is_paid(kind, outcomes)]
    figure = new_figure(0.95 + 0.52 * len(outcomes))
    axes = figure.subplots()
    heights = [place for k in range(len(outcomes)) for place in (2.6 * k, 2.6 * k + 1)]
    left = [0.0] * len(heights)
    for place, kind in enumerate(kinds):
        widths = [s.get(kind, 0.0) for found in outcomes for s in (found.start, found.final)]
        colour, hatch = _LOOKS.get(kind, (line_style(place)["color"], "||||"))
        axes.barh(
            heights,
            widths,
            left=left,
            height=0.86,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.6,
            label=name(kind.replace("_", " ")),
        )
        left = [a + b for a, b in zip(left, widths, strict=True)]
    for height, total in zip(heights, left, strict=True):
        axes.annotate(
            f"{total / 100:,.2f}",
            (total, height),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    axes.set_yticks(heights, ["start", "end"] * len(outcomes))
    for place, found in enumerate(outcomes):
        axes.annotate(
            name(found.bank),
            (0, 2.6 * place + 0.5),
            xycoords=("axes fraction", "data"),
            xytext=(-34, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontweight="bold",
        )
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    money_axis(axes.xaxis, "mean cost", peak(left))
    legend(figure, axes)
    figure.description = "Mean cost by kind at the start and at the end, in currency units. " + (
        " ".join(
            f"{name(found.bank)}: {found.start_cost / 100:,.2f} at the start, "
            f"{found.final_cost / 100:,.2f} at the end."
            for found in outcomes
        )
    )
    return figure


def _is_paid(kind: str, outcomes: list[_Outcome]) -> bool:
    return any(side.get(kind, 0.0) for found in outcomes for side in (found.start, found.final))


def comparison_figure(repo: GameRepository, game_ids: str | Sequence[str]) -> ResultFigure:
    """Draw several games side by side: what all banks paid in sum at the start and at the end.

    Games without outcomes, such as those that have not ended, are drawn from their steps: the sum
    of what each bank's first and last policy cost when it was measured.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_ids : str or sequence of str
        One to forty games.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        No game is named, or more than can be drawn.
    """
    game_ids = one_or_more(game_ids)
    if not 1 <= len(game_ids) <= _MOST_GAMES:
        raise InputError(f"{len(game_ids)} games are named, expected 1 to {_MOST_GAMES}")
    ends = {}
    for game_id in game_ids:
        if repo.get_game_session(game_id) is None:
            raise GameNotFoundError(game_id, repo.get_game_ids())
        ends[game_id] = _ends(repo, game_id)
    with style():
        return _compared(ends)


def _ends(repo: GameRepository, game_id: str) -> tuple[float, float, bool]:
    """Return the sums at the start and at the end, and whether they were measured by outcomes."""
    outcomes = _outcomes(repo, game_id)
    if outcomes:
        first = drawable(found.start_cost for found in outcomes)
        last = drawable(found.final_cost for found in outcomes)
        return math.fsum(first), math.fsum(last), True
    costs = cost_trajectories(repo, game_id).values()
    if not costs:
        return math.nan, math.nan, False
    first = drawable(cost.old_cost[0] for cost in costs)
    last = drawable(cost.cost_in_force[-1] for cost in costs)
    return math.fsum(first), math.fsum(last), False


def _compared(ends: Mapping[str, tuple[float, float, bool]]) -> ResultFigure:
    figure = new_figure(1.05 + 0.3 * len(ends))
    axes = figure.subplots()
    for place, (first, last, is_measured) in enumerate(ends.values()):
        fill = BLUE if is_measured else "white"
        axes.plot([first, last], [place, place], color=FAINT, linewidth=3, solid_capstyle="round")
        axes.plot(first, place, "o", color=GREY, markersize=5)
        axes.plot(last, place, "D", color=BLUE, markerfacecolor=fill, markersize=5.5)
        text = "no steps" if math.isnan(first) else _change(first, last)
        at = (max(first, last), place) if not math.isnan(first) else (0, place)
        axes.annotate(
            text, at, xytext=(8, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    axes.set_yticks(range(len(ends)), [name(game_id) for game_id in ends])
    axes.set_ylim(len(ends) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.16)
    largest = peak(*((first, last) for first, last, _ in ends.values()))
    axes.set_xlim(left=min(-0.02 * largest, axes.dataLim.x0))
    money_axis(axes.xaxis, "cost of all banks", largest)
    looks = [
        key(
            "start",
            linestyle="none",
            marker="o",
            color=GREY,
        ),
        key(
            "end",
            linestyle="none",
            marker="D",
            color=BLUE,
        ),
    ]
    if not all(is_measured for _, _, is_measured in ends.values()):
        hollow: dict[str, Any] = {
            "marker": "D",
            "color": BLUE,
            "markerfacecolor": "white",
            "linestyle": "none",
        }
        looks.append(key("last step (no outcomes)", **hollow))
    legend(figure, axes, 4, looks)
    figure.description = "Cost of all banks at the start and at the end, in currency units. " + (
        " ".join(
            f"{name(game_id)}: {first / 100:,.2f}, {last / 100:,.2f}."
            for game_id, (first, last, _) in ends.items()
        )
    )
    return figure


def _change(first: float, last: float) -> str:
    text = f"{last / 100:,.2f}"
    share = f"{(last - first) / first:+.0%}" if first > 0 else ""
    return f"{text} ({share})".replace("-", "\N{MINUS SIGN}") if share else text


def _sql(name_of_query: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "figures.sql")[name_of_query]
