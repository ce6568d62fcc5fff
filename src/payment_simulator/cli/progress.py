"""A progress bar on a terminal, and nothing on a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.step import Step

#: Banks whose costs a progress bar has room for.
_BANKS_SHOWN = 3


@contextmanager
def progress_bar(what: str, *, shown: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Show how far some work is, on stderr where that is a terminal; it is gone at the end.

    Yields
    ------
    callable or None
        To be called with what is done and the whole of it; None where nothing is shown.
    """
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (what, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class GameProgress(NamedTuple):
    """What tells a game's progress; both None where nothing is shown.

    Attributes
    ----------
    on_step : callable or None
        To be called with every step that was made.
    on_work : callable or None
        To be called with what is done next.
    """

    on_step: Callable[[Step], None] | None = None
    on_work: Callable[[str], None] | None = None


@contextmanager
def game_progress(limit: int, *, shown: bool) -> Iterator[GameProgress]:
    """Show how far a game is and what is done, on stderr where that is a terminal.

    The costs in force of its banks stand there too; all is gone at the end.

    Parameters
    ----------
    limit : int
        Iterations at most.
    """
    if not shown or not sys.stderr.isatty():
        yield GameProgress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from payment_simulator.cli.output import money, visible

    count = TextColumn("iteration {task.fields[iteration]} of at most {task.fields[limit]}")
    said = TextColumn("{task.fields[work]}  {task.fields[costs]}", markup=False)
    costs: dict[str, float] = {}
    columns = (count, BarColumn(bar_width=12), TimeElapsedColumn(), said)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("game", total=limit, limit=limit, iteration=1, work="", costs="")

        def on_step(step: Step) -> None:
            costs[step.bank] = step.new_cost if step.decision.is_accepted else step.old_cost
            if len(costs) <= _BANKS_SHOWN:
                text = "  ".join(f"{visible(bank)} {money(cost)}" for bank, cost in costs.items())
            else:
                text = f"{len(costs)} banks, together {money(sum(costs.values()))}"
            # Never complete, so that the clock goes on while the end is measured.
            bar.update(task, completed=step.iteration - 1, iteration=step.iteration, costs=text)

        def on_work(words: str) -> None:
            bar.update(task, work=visible(words))

        yield GameProgress(on_step, on_work)
