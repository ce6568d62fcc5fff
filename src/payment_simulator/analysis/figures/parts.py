"""Parts of figures: axes of money and of counts, names, legends, which banks stand out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.axis import Axis, YAxis
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from payment_simulator.analysis.figures.canvas import COLOURS, DASHES, FAINT, ResultFigure
from payment_simulator.wording import visible

_CENTS: Final = 100
#: Units of axes, the largest first, and the least amount (currency units) that asks for each.
_UNITS: Final = (
    (1e9, "billion currency units", 2e9),
    (1e6, "million currency units", 2e6),
    (1e3, "thousand currency units", 2e4),
)
#: Beyond it Matplotlib's own arithmetic overflows.
_LARGEST: Final = 1e100
_NAME: Final = 26
_MOST_TICKS: Final = 12
#: Share of the highest value below which the lowest one lies near zero.
_FLAT: Final = 0.5
#: Bank and steps that are drawn as points of vectors; more are drawn as pixels, for size.
MOST_VECTORS: Final = 3000
#: Lines that stand out among many.
MOST_LINES: Final = 6


def one_or_more(names: str | Sequence[str]) -> Sequence[str]:
    """Return names as a sequence; a single one stands for itself, not for its letters."""
    return [names] if isinstance(names, str) else names


def drawable(values: Iterable[float | None]) -> list[float]:
    """Return values with NaN for what no figure can show: nothing, infinities, the immense."""
    return [
        math.nan if value is None or not abs(value) <= _LARGEST else float(value)
        for value in values
    ]


def peak(*columns: Iterable[float]) -> float:
    """Return the largest size among values that may be NaN; 0 where there is none."""
    return max(
        (abs(value) for column in columns for value in column if not math.isnan(value)), default=0.0
    )


def money_axis(axis: Axis, what: str, largest_cents: float) -> None:
    """Label an axis of cents in currency units, or in thousands, millions or billions of them."""
    size, unit = 1.0, "currency units"
    for scale, name, least in _UNITS:
        if largest_cents / _CENTS >= least:
            size, unit = scale, name
            break
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda cents, _: _number(cents / _CENTS / size)))
    # An axis may be lower than its label is long.
    between = "\n" if isinstance(axis, YAxis) else " "
    axis.set_label_text(f"{what}{between}({unit})")


def from_zero(axes: Axes) -> None:
    """Let the height of an axis begin at zero, where that does not flatten what is drawn."""
    low, high = axes.dataLim.intervaly
    if 0.0 <= low <= high and low < _FLAT * high:
        axes.set_ylim(bottom=-0.02 * min(high, axes.get_ylim()[1]))


def number_axis(axis: Axis, what: str) -> None:
    """Label an axis of plain numbers."""
    axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
    axis.set_label_text(what)


def whole_axis(axis: Axis, what: str) -> None:
    """Label an axis of whole numbers, such as iterations or ticks."""
    axis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_label_text(what)


def day_axis(axis: Axis, what: str, ticks_per_day: int, num_days: int) -> None:
    """Label an axis of the ticks of a run; of several days, at their opens."""
    whole_axis(axis, what)
    if num_days > 1:
        axis.set_major_locator(MultipleLocator(ticks_per_day * math.ceil(num_days / _MOST_TICKS)))


def _number(value: float) -> str:
    # Ticks are round numbers; what float64 adds to them is not.
    text = f"{value:,.10g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.3g}"  # noqa: PLR2004
    return text.replace("-", "\N{MINUS SIGN}")


def name(text: str) -> str:
    """Return a name fit for a figure: on one line, without what would act, cut in its middle."""
    shown = visible(text)
    if len(shown) <= _NAME:
        return shown
    return f"{shown[: _NAME - 11]}\N{HORIZONTAL ELLIPSIS}{shown[-10:]}"


def line_style(place: int) -> dict[str, Any]:
    """Return colour and kind of the line at a place; they repeat after seven."""
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": DASHES[place % len(DASHES)]}


def key(label: str, **look: Any) -> Line2D:
    """Return what stands for a line or a marker in a legend."""
    return Line2D([], [], label=label, **look)


def faint_lines(
    axes: Axes, lines: Iterable[tuple[Sequence[float], Sequence[float]]], **look: Any
) -> None:
    """Draw the lines that do not stand out, as one line with gaps: hundreds would take seconds."""
    xs: list[float] = []
    ys: list[float] = []
    for x, y in lines:
        xs += [*x, math.nan]
        ys += [*y, math.nan]
    if xs:
        is_large = len(xs) > MOST_VECTORS
        axes.plot(xs, ys, color=FAINT, linewidth=0.8, rasterized=is_large, **look)


def foremost(weights: Mapping[str, float], most: int = MOST_LINES) -> list[str]:
    """Return the names with the largest weights, heaviest first; all where they are few."""
    known = {key: -math.inf if math.isnan(weight) else weight for key, weight in weights.items()}
    return sorted(known, key=lambda key: (-known[key], key))[:most]


def legend(
    figure: ResultFigure,
    axes: Axes,
    columns: int = 4,
    handles: Sequence[Any] | None = None,
) -> None:
    """Put the legend below all axes, outside of what is drawn; none where nothing has a label."""
    found, labels = axes.get_legend_handles_labels()
    if handles is not None:
        found, labels = list(handles), [str(handle.get_label()) for handle in handles]
    if found:
        columns = min(columns, len(found))
        figure.legend(found, labels, loc="outside lower left", ncols=columns, borderaxespad=0.3)


def nothing_to_draw(axes: Axes, why: str) -> None:
    """Say in an empty figure why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
