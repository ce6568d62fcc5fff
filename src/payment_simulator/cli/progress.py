"""A progress bar on a terminal, and nothing on a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from payment_simulator.wording import money

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.step import Step

#: Banks whose costs a progress bar has room for.
_BANKS_SHOWN = 3
_BAR = 6
#: Columns that the line of a game takes beside its numbers of iterations and what it tells.
_BESIDE = len("iteration  of at most  ") + _BAR + len(" 0:00:00 ")


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

    console = Console(stderr=True)
    count = TextColumn(f"iteration {{task.fields[iteration]}} of at most {limit}")
    said = TextColumn("{task.fields[said]}", markup=False)
    line = _Line(max(0, console.width - _BESIDE - 2 * len(str(limit))))
    columns = (count, BarColumn(bar_width=_BAR), TimeElapsedColumn(), said)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("game", total=limit, iteration=1, said="")

        def on_step(step: Step) -> None:
            line.costs[step.bank] = step.new_cost if step.decision.is_accepted else step.old_cost
            # Never complete, so that the clock goes on while the end is measured.
            done = step.iteration - 1
            bar.update(task, completed=done, iteration=step.iteration, said=line.text())

        def on_work(words: str) -> None:
            line.work = words
            bar.update(task, said=line.text())

        yield GameProgress(on_step, on_work)


class _Line:
    """What is done, and the costs in force, as far as there is room for them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self.work = ""
        self.costs: dict[str, float] = {}

    def text(self) -> str:
        """Return what is told, cut at its end where it is too long."""
        from payment_simulator.cli.output import shortened

        costs = "  ".join(f"{bank} {money(cost)}" for bank, cost in self.costs.items())
        if len(self.costs) > _BANKS_SHOWN:
            costs = f"{len(self.costs)} banks, together {money(sum(self.costs.values()))}"
        return shortened("  ".join(filter(None, (self.work, costs))), self._room)
