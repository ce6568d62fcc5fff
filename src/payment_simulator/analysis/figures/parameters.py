"""Parameters of policies over the iterations of a game."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.figures.canvas import (
    FAINT,
    GREY,
    ResultFigure,
    new_figure,
    style,
)
from payment_simulator.analysis.figures.parts import (
    MOST_LINES,
    MOST_VECTORS,
    drawable,
    faint_lines,
    foremost,
    key,
    legend,
    line_style,
    name,
    nothing_to_draw,
    number_axis,
    whole_axis,
)
from payment_simulator.analysis.trajectories import ParameterTrajectory, parameter_trajectories

#: Parameters that are drawn; those that change come first.
_MOST_PANELS = 8
#: Banks that stand out of a crowd; lines that go up and down are hard to tell apart.
_FEW = 3


def parameter_figure(repo: GameRepository, game_id: str) -> ResultFigure:
    """Draw the parameters of every bank's policies over the iterations of a game.

    One panel for each parameter: lines for the value in force after each step, hollow points for
    what was proposed and did not come into force. Of many banks those whose value moves most stand
    out; of many parameters the eight that move most, relative to their size, are drawn, and the
    figure says so.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game.
    """
    by_parameter: dict[str, dict[str, ParameterTrajectory]] = {}
    for bank, parameters in parameter_trajectories(repo, game_id).items():
        for parameter, found in parameters.items():
            by_parameter.setdefault(parameter, {})[bank] = found
    with style():
        if not by_parameter:
            figure = new_figure(1.4)
            nothing_to_draw(figure.subplots(), "the policies of the game have no parameters")
            figure.description = "No figure: the policies of the game have no parameters."
            return figure
        moves = {parameter: _movement(banks) for parameter, banks in by_parameter.items()}
        chosen = foremost(moves, _MOST_PANELS)
        return _drawn(by_parameter, chosen)


def _drawn(
    by_parameter: Mapping[str, Mapping[str, ParameterTrajectory]], chosen: list[str]
) -> ResultFigure:
    columns = 1 if len(chosen) == 1 else 2
    rows = math.ceil(len(chosen) / columns)
    left_out = len(by_parameter) - len(chosen)
    figure = new_figure(0.75 + 1.9 * rows)
    grid = list(figure.subplots(rows, columns, squeeze=False, sharex=True).flat)
    banks = sorted({bank for parameter in chosen for bank in by_parameter[parameter]})
    spread: dict[str, float] = dict.fromkeys(banks, 0.0)
    for parameter in chosen:
        for bank, found in by_parameter[parameter].items():
            spread[bank] = max(spread[bank], _movement({bank: found}))
    is_crowd = len(banks) > MOST_LINES
    standing_out = sorted(foremost(spread, _FEW if is_crowd else MOST_LINES))
    n_points = sum(
        len(t.iteration) for parameter in chosen for t in by_parameter[parameter].values()
    )
    is_large = n_points > MOST_VECTORS
    for place, parameter in enumerate(chosen):
        axes = grid[place]
        axes.set_title(name(parameter))
        _one_parameter(axes, by_parameter[parameter], standing_out, is_large=is_large)
        axes.xaxis.set_tick_params(labelbottom=True)
        if place + columns < len(chosen):
            axes.set_xlabel("")
        if place % columns:
            axes.set_ylabel("")
    for axes in grid[len(chosen) :]:
        axes.set_axis_off()
    legend(figure, grid[0], 4, _keys(standing_out, len(banks)))
    if left_out:
        note = f"{left_out} more parameters, which move less, are not drawn"
        figure.suptitle(note, x=0.01, ha="left", fontsize=8, color=GREY)
    figure.description = _told(by_parameter, chosen, standing_out, left_out)
    return figure


def _one_parameter(
    axes: Axes, banks: Mapping[str, ParameterTrajectory], standing_out: list[str], *, is_large: bool
) -> None:
    others = (_ruling(found) for bank, found in banks.items() if bank not in standing_out)
    faint_lines(axes, others, drawstyle="steps-post")
    for place, bank in enumerate(standing_out):
        if bank not in banks:
            continue
        found, look = banks[bank], line_style(place)
        axes.plot(*_ruling(found), zorder=3, drawstyle="steps-post", **look)
        tried = [
            (number, proposed)
            for number, proposed, ruling in zip(
                found.iteration, found.proposed, found.in_force, strict=True
            )
            if proposed is not None and proposed != ruling
        ]
        axes.plot(
            [number for number, _ in tried],
            drawable(value for _, value in tried),
            linestyle="none",
            marker="o",
            markersize=3.2,
            markerfacecolor="white",
            markeredgewidth=0.9,
            color=look["color"],
            rasterized=is_large,
        )
    number_axis(axes.yaxis, "value")
    whole_axis(axes.xaxis, "iteration")


def _ruling(found: ParameterTrajectory) -> tuple[list[int], list[float]]:
    """Return iterations and values in force, that of the first policy before the first step."""
    if found.start is None:
        return list(found.iteration), drawable(found.in_force)
    first = found.iteration[0] - 1 if found.iteration else 0
    return [first, *found.iteration], drawable((found.start, *found.in_force))


def _keys(standing_out: list[str], n_banks: int) -> list[Line2D]:
    keys = [key(name(bank), **line_style(place)) for place, bank in enumerate(standing_out)]
    if n_banks > len(standing_out):
        keys.append(
            key(
                f"{n_banks - len(standing_out)} other banks",
                color=FAINT,
            )
        )
    hollow: dict[str, Any] = {
        "marker": "o",
        "markersize": 3.2,
        "markerfacecolor": "white",
        "linestyle": "none",
    }
    keys.append(key("proposed, not accepted", color=GREY, **hollow))
    return keys


def _movement(banks: Mapping[str, ParameterTrajectory]) -> float:
    """Return how far the values of a parameter lie apart, relative to their size."""
    values = [
        value
        for found in banks.values()
        for value in drawable((found.start, *found.in_force, *found.proposed))
        if not math.isnan(value)
    ]
    if not values:
        return 0.0
    low, high = min(values), max(values)
    size = max(abs(low), abs(high))
    return (high - low) / size if size else 0.0


def _told(
    by_parameter: Mapping[str, Mapping[str, ParameterTrajectory]],
    chosen: list[str],
    standing_out: list[str],
    left_out: int,
) -> str:
    told = ["Parameters of the policies over the iterations."]
    for parameter in chosen:
        banks = by_parameter[parameter]
        for bank in standing_out:
            if bank not in banks:
                continue
            known = [value for value in _ruling(banks[bank])[1] if not math.isnan(value)]
            if known:
                told.append(
                    f"{name(parameter)} of {name(bank)}: {known[0]:.6g} at first, "
                    f"{known[-1]:.6g} at last."
                )
    if left_out:
        told.append(f"{left_out} more parameters are not drawn.")
    return " ".join(told)
