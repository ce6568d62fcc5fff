"""Draws costs over the iterations of a game with characters, for a terminal or a pipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from payment_simulator.cli.output import shortened
from payment_simulator.wording import money

if TYPE_CHECKING:
    from payment_simulator.analysis.trajectories import CostTrajectory

#: Banks that are drawn; of more, their sum and those that changed most.
_DRAWN = 4
_MOST_CHANGED = 3
_HEIGHT = 4
#: No picture is wider, and no iteration takes more room.
_WIDEST = 60
_WIDEST_BAR = 6
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Characters:
    """What a picture is drawn with.

    Attributes
    ----------
    bars : str
        Parts of a full character, from the least to the whole.
    side, corner, floor : str
        Of the axes.
    """

    bars: str
    side: str
    corner: str
    floor: str


BLOCKS = Characters("▁▂▃▄▅▆▇█", "│", "└", "─")
PLAIN = Characters(".:#", "|", "+", "-")


def characters_of(encoding: str | None) -> Characters:
    """Return blocks where an encoding has them, plain characters elsewhere."""
    try:
        f"{BLOCKS.bars}{BLOCKS.side}{BLOCKS.corner}{BLOCKS.floor}".encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return PLAIN
    return BLOCKS


@dataclass(frozen=True)
class _Series:
    """What is drawn in one panel: a cost at the start and after each iteration, None if unknown."""

    name: str
    costs: tuple[float | None, ...]

    @property
    def ends(self) -> tuple[float, float]:
        known = [cost for cost in self.costs if cost is not None]
        return (known[0], known[-1]) if known else (0.0, 0.0)

    @property
    def change(self) -> float:
        first, last = self.ends
        return abs(last - first)


def cost_chart(
    trajectories: Mapping[str, CostTrajectory], characters: Characters, width: int
) -> list[str]:
    """Draw the cost in force of each bank at the start and after every iteration.

    Parameters
    ----------
    trajectories : mapping of str to CostTrajectory
        By bank. Of many banks their sum is drawn, and those that changed most.
    characters : Characters
    width : int
        Columns that there are.

    Returns
    -------
    list of str
        Lines; none where there is nothing to draw. Bars begin at 0, and each panel has its own
        scale, which stands at its side.
    """
    first, last = _span(trajectories)
    if first > last:
        return []
    series = [_series(bank, steps, first, last) for bank, steps in trajectories.items()]
    series = [one for one in series if any(cost is not None for cost in one.costs)]
    if len(series) > _DRAWN:
        most = sorted(series, key=lambda one: (-one.change, one.name))[:_MOST_CHANGED]
        series = [_sum_of(series), *most]
    labels = max((len(money(end)) for one in series for end in _scale(one)), default=0)
    room = max(10, min(_WIDEST, width - labels - 3))
    lines = [line for one in series for line in _panel(one, characters, labels, room)]
    is_drawn = len(lines) > len(series)
    return [*lines, *_below(last, last - first + 2, labels, room)] if is_drawn else lines


def _span(trajectories: Mapping[str, CostTrajectory]) -> tuple[int, int]:
    first = min((steps.iteration[0] for steps in trajectories.values()), default=1)
    last = max((steps.iteration[-1] for steps in trajectories.values()), default=0)
    return first, last


def _series(bank: str, steps: CostTrajectory, first: int, last: int) -> _Series:
    found = {
        steps.iteration[0] - 1: steps.old_cost[0],
        **dict(zip(steps.iteration, steps.cost_in_force, strict=True)),
    }
    costs = (found.get(iteration, math.nan) for iteration in range(first - 1, last + 1))
    return _Series(bank, tuple(cost if math.isfinite(cost) else None for cost in costs))


def _sum_of(series: Sequence[_Series]) -> _Series:
    """Return the sum; a bank without a step in an iteration costs what it did before."""
    before: list[float | None] = [None] * len(series)
    sums: list[float | None] = []
    for costs in zip(*(one.costs for one in series), strict=True):
        before = [old if new is None else new for old, new in zip(before, costs, strict=True)]
        known = [cost for cost in before if cost is not None]
        sums.append(math.fsum(known) if len(known) == len(series) else None)
    return _Series(f"all {len(series)} banks", tuple(sums))


def _scale(one: _Series) -> tuple[float, float]:
    """Return where bars begin and how far they go."""
    known = [0.0, *(cost for cost in one.costs if cost is not None)]
    return min(known), max(known)


def _panel(one: _Series, characters: Characters, labels: int, room: int) -> list[str]:
    """Draw one series: its name and ends, then rows from the top to the floor."""
    lowest, top = _scale(one)
    columns = _columns(one.costs, room)
    steps = len(characters.bars)
    levels = [_level(cost, lowest, top, _HEIGHT * steps) for cost in columns]
    name, (first, last) = shortened(one.name, _LONGEST_NAME), one.ends
    if top == lowest or len({cost for cost in one.costs if cost is not None}) == 1:
        return [f"{name}: {money(last)} throughout"]
    lines = [f"{name}: {money(first)} at the start, {money(last)} after the last step"]
    for row in range(_HEIGHT - 1, -1, -1):
        label = money(top) if row == _HEIGHT - 1 else ""
        bars = "".join(_part(level - row * steps, characters) for level in levels)
        lines.append(f"{label:>{labels}} {characters.side}{bars}".rstrip())
    floor = characters.floor * len(columns)
    return [*lines, f"{money(lowest):>{labels}} {characters.corner}{floor}"]


def _columns(costs: Sequence[float | None], room: int) -> list[float | None]:
    """Return the cost in each column: bars of equal width, or the last of several iterations."""
    if len(costs) <= room:
        bar = min(_WIDEST_BAR, room // len(costs))
        return [cost for cost in costs for _ in range(bar)]
    return [costs[(column + 1) * len(costs) // room - 1] for column in range(room)]


def _level(cost: float | None, lowest: float, top: float, height: int) -> int:
    """Return the height of a bar; what is more than the least is never drawn as nothing."""
    if cost is None or top <= lowest or cost <= lowest:
        return 0
    return max(1, round((cost - lowest) / (top - lowest) * height))


def _part(level: int, characters: Characters) -> str:
    if level <= 0:
        return " "
    return characters.bars[min(level, len(characters.bars)) - 1]


def _below(last: int, number: int, labels: int, room: int) -> list[str]:
    """Return what stands under the last panel: how the iterations are counted."""
    begin, end = "start", f"iteration {last}"
    across = len(_columns([None] * number, room))
    gap = max(1, across - len(begin) - len(end))
    indent = " " * (labels + 2)
    lines = [f"{indent}{begin}{' ' * gap}{end}"]
    return [*lines, f"{indent}({number - 1:,} iterations)"] if number > room else lines
