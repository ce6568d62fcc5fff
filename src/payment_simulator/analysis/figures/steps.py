"""The evidence on which one step was decided."""

from __future__ import annotations

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.figures.canvas import (
    BLACK,
    BLUE,
    FAINT,
    VERMILLION,
    ResultFigure,
    new_figure,
    style,
)
from payment_simulator.analysis.figures.parts import (
    MOST_VECTORS,
    drawable,
    legend,
    money_axis,
    name,
    nothing_to_draw,
    peak,
    whole_axis,
)
from payment_simulator.analysis.steps import PairedSamples, step_view


def sample_figure(
    repo: GameRepository, game_id: str, agent_id: str, iteration: int
) -> ResultFigure:
    """Draw the paired cost differences of one step, with their mean and its interval.

    Every point is a sample day, the days sorted by what the proposal would have gained on each;
    losses are hollow.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id, agent_id, iteration
        The step.

    Raises
    ------
    GameNotFoundError, InputError
        There is no such game, or no such step.
    """
    samples = step_view(repo, game_id, agent_id, iteration).samples
    with style():
        if samples is None:
            figure = new_figure(1.4)
            nothing_to_draw(figure.subplots(), "no sample days are recorded for this step")
            figure.description = "No figure: no sample days are recorded for this step."
            return figure
        return _drawn(samples, f"{name(agent_id)}, iteration {iteration}")


def _drawn(samples: PairedSamples, title: str) -> ResultFigure:
    figure = new_figure(2.9)
    axes = figure.subplots()
    axes.set_title(title)
    gains = sorted(drawable(samples.difference))
    is_large = len(gains) > MOST_VECTORS
    axes.axvline(0, color=BLACK, linewidth=0.9)
    mean, low, high = drawable((samples.mean, samples.low, samples.high))
    share = f"{samples.confidence:.3g}"
    axes.axvline(mean, color=BLACK, linestyle="--", label="mean difference")
    if low < high:
        axes.axvspan(
            low, high, color=FAINT, alpha=0.55, linewidth=0, label=f"its interval at {share}"
        )
    for is_gain, colour, word in ((True, BLUE, "gain"), (False, VERMILLION, "loss")):
        ranks = [rank for rank, gain in enumerate(gains, 1) if (gain >= 0) == is_gain]
        axes.plot(
            [gains[rank - 1] for rank in ranks],
            ranks,
            linestyle="none",
            marker="o",
            markersize=3.4 if len(gains) <= 100 else 2.4,  # noqa: PLR2004 - where they touch
            color=colour,
            markerfacecolor=colour if is_gain else "white",
            markeredgewidth=0.8,
            label=f"day with a {word}" if ranks else None,
            rasterized=is_large,
        )
    axes.grid(visible=True, axis="x")
    axes.margins(x=0.05)
    money_axis(axes.xaxis, "cost in force less cost of the proposal", peak(gains))
    whole_axis(axes.yaxis, "sample days, sorted")
    legend(figure, axes)
    interval = f"{share} interval {low / 100:,.2f} to {high / 100:,.2f}"
    if samples.low is None:
        interval = "no interval"
    days = "1 sample day" if len(gains) == 1 else f"{len(gains)} sample days"
    figure.description = (
        f"Paired cost differences of {title} on {days}, in currency units: "
        f"mean {mean / 100:,.2f}, {interval}; "
        f"a gain on {sum(gain > 0 for gain in gains)} of them."
    )
    return figure
