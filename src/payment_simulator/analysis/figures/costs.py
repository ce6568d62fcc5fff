"""Costs over the iterations of a game."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.figures.canvas import (
    BLACK,
    BLUE,
    FAINT,
    GREEN,
    GREY,
    VERMILLION,
    ResultFigure,
    new_figure,
    style,
)
from payment_simulator.analysis.figures.parts import (
    MOST_VECTORS,
    drawable,
    faint_lines,
    foremost,
    from_zero,
    key,
    legend,
    line_style,
    money_axis,
    name,
    nothing_to_draw,
    peak,
    whole_axis,
)
from payment_simulator.analysis.trajectories import CostTrajectory, cost_trajectories

#: Banks that have a panel each; more share one.
_MOST_PANELS = 6
#: A rejected cost beyond so many times the costs in force is drawn at the edge.
_BEYOND = 2.5
_MARKERS: dict[str, dict[str, Any]] = {
    "accepted": {"marker": "o", "color": GREEN, "markersize": 5.5, "zorder": 4},
    "rejected": {"marker": "o", "color": GREY, "markerfacecolor": "white", "zorder": 3},
    "refused": {"marker": "x", "color": VERMILLION, "zorder": 4, "markeredgewidth": 1.3},
}
_MEANINGS = {
    "accepted": "accepted, at its cost",
    "rejected": "rejected, at its cost",
    "refused": "refused: no valid proposal",
}


def cost_figure(repo: GameRepository, game_id: str) -> ResultFigure:
    """Draw the cost of every bank over the iterations of a game.

    Up to six banks have a panel each: what the first policy cost and then, after each step, the one
    in force, the least of it so far, and every proposal, accepted, rejected or refused. More banks
    share a panel, in which those that cost most stand out, below a panel of the sum of all.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game.
    """
    costs = cost_trajectories(repo, game_id)
    with style():
        if not costs:
            figure = new_figure(1.4)
            nothing_to_draw(figure.subplots(), "the game has no steps")
            figure.description = "No figure: the game has no steps."
        elif len(costs) <= _MOST_PANELS:
            figure = _panels(costs)
        else:
            figure = _together(costs)
    return figure


def _panels(costs: Mapping[str, CostTrajectory]) -> ResultFigure:
    columns = 1 if len(costs) == 1 else 2
    rows = math.ceil(len(costs) / columns)
    figure = new_figure(0.75 + 1.95 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True).flat
    shown: set[str] = set()
    is_beyond = False
    for place, (bank, cost) in enumerate(costs.items()):
        axes = grid[place]
        axes.set_title(name(bank))
        is_beyond |= _one_bank(axes, cost)
        shown |= set(cost.verdict)
        axes.xaxis.set_tick_params(labelbottom=True)
        if place % columns:
            axes.set_ylabel("")
        if place + columns < len(costs):
            axes.set_xlabel("")
    for axes in list(grid)[len(costs) :]:
        axes.set_axis_off()
    lines = [
        key(
            "in force after the step",
            color=BLUE,
        ),
        key(
            "least so far",
            color=BLACK,
            linestyle=":",
            linewidth=1.1,
        ),
    ]
    points = [
        key(_MEANINGS[verdict], linestyle="none", **marker)
        for verdict, marker in _MARKERS.items()
        if verdict in shown
    ]
    if is_beyond:
        edge: dict[str, Any] = {
            "marker": "^",
            "color": GREY,
            "markerfacecolor": "white",
            "linestyle": "none",
        }
        points.append(key("rejected, beyond the scale", **edge))
    legend(figure, figure.axes[0], 3, [*lines, *points])
    figure.description = "Cost of each bank over the iterations. " + " ".join(
        _told(bank, cost) for bank, cost in costs.items()
    )
    return figure


def _one_bank(axes: Axes, cost: CostTrajectory) -> bool:
    """Draw the steps of one bank; tell whether a cost lies beyond the scale."""
    new, old = drawable(cost.new_cost), drawable(cost.old_cost)
    in_force = [old[0], *drawable(cost.cost_in_force)]
    numbers = [cost.iteration[0] - 1, *cost.iteration]
    axes.plot(numbers, in_force, color=BLUE, zorder=2)
    best = drawable(cost.best_cost)
    axes.plot(cost.iteration, best, color=BLACK, linestyle=":", linewidth=1.1, zorder=2)
    ceiling = _ceiling(cost, in_force)
    is_beyond = False
    for verdict, marker in _MARKERS.items():
        places = [i for i, found in enumerate(cost.verdict) if found == verdict]
        heights = [old[i] if verdict == "refused" else new[i] for i in places]
        beyond = [height > ceiling for height in heights]
        is_beyond |= any(beyond)
        for at_edge in (False, True):
            some = [k for k, found in enumerate(beyond) if found == at_edge]
            if not some:
                continue
            axes.plot(
                [cost.iteration[places[k]] for k in some],
                [min(heights[k], ceiling) for k in some],
                linestyle="none",
                rasterized=len(places) > MOST_VECTORS,
                **{**marker, **({"marker": "^", "clip_on": False} if at_edge else {})},
            )
    if is_beyond:
        axes.set_ylim(top=ceiling)
    from_zero(axes)
    money_axis(axes.yaxis, "cost", min(ceiling, peak(in_force, new)))
    whole_axis(axes.xaxis, "iteration")
    return is_beyond


def _ceiling(cost: CostTrajectory, in_force: list[float]) -> float:
    """Return where the scale ends, so that one absurd proposal does not flatten all others."""
    largest = peak(in_force, drawable(cost.old_cost))
    worst = peak(drawable(cost.new_cost))
    return _BEYOND * largest if largest and worst > _BEYOND * largest else math.inf


def _together(costs: Mapping[str, CostTrajectory]) -> ResultFigure:
    figure = new_figure(5.2)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.5])
    iterations = sorted({number for cost in costs.values() for number in cost.iteration})
    in_force = {bank: drawable(cost.cost_in_force) for bank, cost in costs.items()}
    total = _total(costs, iterations)
    above.plot(iterations, total, color=BLACK)
    from_zero(above)
    above.set_title(f"all {len(costs)} banks")
    money_axis(above.yaxis, "sum of costs", peak(total))
    chosen = foremost({bank: peak(values) for bank, values in in_force.items()})
    others = (
        (cost.iteration, in_force[bank]) for bank, cost in costs.items() if bank not in chosen
    )
    faint_lines(below, others)
    for place, bank in enumerate(chosen):
        values = in_force[bank]
        below.plot(costs[bank].iteration, values, label=name(bank), **line_style(place))
    below.plot([], [], color=FAINT, label=f"{len(costs) - len(chosen)} other banks")
    below.set_title(f"the {len(chosen)} banks that cost most, and the others")
    from_zero(below)
    money_axis(below.yaxis, "cost in force", peak(*in_force.values()))
    whole_axis(below.xaxis, "iteration")
    legend(figure, below)
    figure.description = (
        f"Cost of {len(costs)} banks over the iterations, and their sum. "
        + " ".join(_told(bank, costs[bank]) for bank in chosen)
    )
    return figure


def _total(costs: Mapping[str, CostTrajectory], iterations: list[int]) -> list[float]:
    """Return the sum of what each bank's last policy cost, from when all have made a step."""
    last = dict.fromkeys(costs, math.nan)
    at: dict[int, dict[str, float]] = {}
    for bank, cost in costs.items():
        for number, value in zip(cost.iteration, drawable(cost.cost_in_force), strict=True):
            at.setdefault(number, {})[bank] = value
    totals = []
    for number in iterations:
        last |= at[number]
        totals.append(math.fsum(last.values()))
    return totals


def _told(bank: str, cost: CostTrajectory) -> str:
    first, last = cost.old_cost[0] / 100, cost.cost_in_force[-1] / 100
    accepted = cost.verdict.count("accepted")
    return (
        f"{name(bank)}: {first:,.2f} at first, {last:,.2f} after iteration {cost.iteration[-1]}, "
        f"{accepted} of {len(cost.iteration)} proposals accepted."
    )
