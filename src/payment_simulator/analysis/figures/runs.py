"""What went on in a recorded run: balances, queues, and when value settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import SimulationRunRecord
from payment_simulator.analysis.figures.canvas import (
    BLACK,
    BLUE,
    FAINT,
    GREY,
    ORANGE,
    ResultFigure,
    new_figure,
    style,
)
from payment_simulator.analysis.figures.parts import (
    day_axis,
    drawable,
    faint_lines,
    foremost,
    legend,
    line_style,
    money_axis,
    name,
    nothing_to_draw,
    number_axis,
    one_or_more,
    peak,
    whole_axis,
)
from payment_simulator.analysis.runs import bank_series, get_run, run_banks, throughput
from payment_simulator.persistence.queries import named_queries

#: Days whose opens are marked; more would fill the figure.
_MOST_DAYS = 40


def balance_figure(repo: GameRepository, run_id: str) -> ResultFigure:
    """Draw the balance of every bank at the end of every tick of a run.

    Of many banks, those whose balance falls lowest stand out.

    Parameters
    ----------
    repo : GameRepository
        The record.
    run_id : str
        The run.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    run = get_run(repo, run_id)
    series = bank_series(repo, run, run_banks(repo, run_id), 0, run.num_days - 1)
    with style():
        if not series:
            return _empty("no states of banks are recorded for this run")
        balances = {bank: drawable(found.balance_cents) for bank, found in series.items()}
        figure = new_figure(3.0)
        axes = figure.subplots()
        _mark_days(axes, run)
        axes.axhline(0, color=BLACK, linewidth=0.8)
        chosen = sorted(foremost({bank: -min(values) for bank, values in balances.items()}))
        others = (
            (found.tick, balances[bank]) for bank, found in series.items() if bank not in chosen
        )
        faint_lines(axes, others, drawstyle="steps-mid")
        for place, bank in enumerate(chosen):
            named: dict[str, Any] = {"label": name(bank), "zorder": 3, **line_style(place)}
            axes.plot(series[bank].tick, balances[bank], drawstyle="steps-mid", **named)
        if len(series) > len(chosen):
            axes.plot([], [], color=FAINT, label=f"{len(series) - len(chosen)} other banks")
        money_axis(axes.yaxis, "balance", peak(*balances.values()))
        day_axis(axes.xaxis, _ticks(run), run.ticks_per_day, run.num_days)
        legend(figure, axes)
        figure.description = (
            f"Balances of {len(series)} banks through a run of {_span(run)}, in currency units. "
            + " ".join(
                f"{name(bank)}: lowest {min(balances[bank]) / 100:,.2f}, "
                f"last {balances[bank][-1] / 100:,.2f}."
                for bank in chosen
            )
        )
        return figure


def queue_figure(repo: GameRepository, run_id: str) -> ResultFigure:
    """Draw value and number of the payments that wait, at the end of every tick of a run.

    Queue 1 is the banks' own, Queue 2 the system's; both are sums over all banks.

    Parameters
    ----------
    repo : GameRepository
        The record.
    run_id : str
        The run.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    run = get_run(repo, run_id)
    rows = repo.read(_sql("queues"), (run_id,))
    with style():
        if not rows:
            return _empty("no states of banks are recorded for this run")
        ticks, *columns = (list(column) for column in zip(*rows, strict=True))
        value1, value2, number1, number2 = (drawable(column) for column in columns)
        figure = new_figure(4.1)
        above, below = figure.subplots(2, 1, sharex=True)
        for axes, one, two in ((above, value1, value2), (below, number1, number2)):
            _mark_days(axes, run)
            axes.stackplot(
                ticks,
                one,
                two,
                colors=[BLUE, ORANGE],
                labels=["Queue 1, the banks' own", "Queue 2, the system's"],
                hatch=["", "////"],
                edgecolor="white",
                linewidth=0,
                step="mid",
            )
            both = [a + b for a, b in zip(one, two, strict=True)]
            axes.plot(ticks, both, color=BLACK, linewidth=0.8, drawstyle="steps-mid")
            axes.set_ylim(bottom=0)
        values = [a + b for a, b in zip(value1, value2, strict=True)]
        money_axis(above.yaxis, "value", peak(values))
        number_axis(below.yaxis, "payments")
        day_axis(below.xaxis, _ticks(run), run.ticks_per_day, run.num_days)
        figure.align_ylabels()
        legend(figure, above)
        highest = max(range(len(values)), key=values.__getitem__)
        figure.description = (
            f"Payments waiting through a run of {_span(run)}: at most {values[highest] / 100:,.2f} "
            f"currency units, at tick {ticks[highest]}; at most "
            f"{max(a + b for a, b in zip(number1, number2, strict=True)):,.0f} payments."
        )
        return figure


def throughput_figure(
    repo: GameRepository, run_ids: str | Sequence[str], labels: Sequence[str] | None = None
) -> ResultFigure:
    """Draw which share of a day's settled value had settled by each tick of the day.

    Parameters
    ----------
    repo : GameRepository
        The record.
    run_ids : str or sequence of str
        One or more runs, a curve each; the mean over their days.
    labels : sequence of str, optional
        What the runs are called; their ids where this is not given.

    Raises
    ------
    RunNotFoundError
        There is no such run.
    """
    runs = [get_run(repo, run_id) for run_id in one_or_more(run_ids)]
    curves = [throughput(repo, run, 0, run.num_days - 1) for run in runs]
    with style():
        if not any(curves):
            return _empty("nothing settled in these runs, or no states of banks are recorded")
        figure = new_figure(2.9)
        axes = figure.subplots()
        for place, (run, curve) in enumerate(zip(runs, curves, strict=True)):
            ticks = [0, *(range(1, len(curve) + 1))]
            label = labels[place] if labels is not None else run.run_id
            marker: dict[str, Any] = (
                {"marker": "o", "markersize": 3} if len(curve) <= _MOST_DAYS else {}
            )
            if curve:
                axes.plot(ticks, [0.0, *curve], label=name(label), **line_style(place), **marker)
        longest = max(len(curve) for curve in curves)
        axes.plot([0, longest], [0, 1], color=GREY, linewidth=0.8, label="even over the day")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylabel("share of the day's settled value")
        whole_axis(axes.xaxis, "ticks of the day that have ended")
        legend(figure, axes)
        figure.description = "Share of settled value over the day. " + " ".join(
            f"{name(labels[place] if labels is not None else run.run_id)}: half has settled by the "
            f"end of tick {next(tick for tick, share in enumerate(curve, 1) if share >= 0.5)} "  # noqa: PLR2004
            f"of {len(curve)}."
            for place, (run, curve) in enumerate(zip(runs, curves, strict=True))
            if curve
        )
        return figure


def _empty(why: str) -> ResultFigure:
    figure = new_figure(1.4)
    nothing_to_draw(figure.subplots(), why)
    figure.description = f"No figure: {why}."
    return figure


def _mark_days(axes: Axes, run: SimulationRunRecord) -> None:
    """Draw a line at the open of every day but the first."""
    if run.num_days <= _MOST_DAYS:
        for day in range(1, run.num_days):
            axes.axvline(day * run.ticks_per_day - 0.5, color=FAINT, linewidth=0.8)


def _ticks(run: SimulationRunRecord) -> str:
    return "tick" if run.num_days == 1 else f"tick ({run.ticks_per_day} in a day)"


def _span(run: SimulationRunRecord) -> str:
    days = "1 day" if run.num_days == 1 else f"{run.num_days} days"
    return f"{days} of {run.ticks_per_day} ticks"


def _sql(name_of_query: str) -> str:
    return named_queries("payment_simulator.analysis.sql", "figures.sql")[name_of_query]
