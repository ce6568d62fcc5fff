"""The days in a prompt, and how they are cut to the room that there is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from payment_simulator.ai_cash_mgmt.proposers.base import Situation
from payment_simulator.ai_cash_mgmt.proposers.llm.prompt_parts import part
from payment_simulator.ai_cash_mgmt.proposers.llm.telling import ToldTick, cents, tell_ticks

#: A day in less room than this is left out.
_LEAST_DAY: Final = 400
#: By how much the line about a gap can be longer than the same line about the whole story.
_SLACK: Final = 32


@dataclass
class Story:
    """A day, or what happened so far, and how much of it is told.

    Attributes
    ----------
    title, name : str
    ticks : sequence of ToldTick
    text : str
        What is told; empty where nothing is.
    left_out : str or None
        The ticks that are not told, in words.
    """

    title: str
    name: str
    ticks: Sequence[ToldTick]
    text: str = field(init=False)
    left_out: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Tell it whole."""
        self.text, _ = shortened(self.ticks, sys.maxsize)

    def tell(self, room: int) -> None:
        """Tell it in so many characters; not at all where that is too few."""
        self.text, self.left_out = shortened(self.ticks, room)
        if self.left_out is not None and room < _LEAST_DAY:
            self.text, self.left_out = "", _ticks(self.ticks)

    def part(self) -> str:
        """Return it as a part of a prompt."""
        return part(self.title, self.text)


def stories_of(situation: Situation) -> Iterator[Story]:
    """Go through what happened so far, and the sample days; one that is best and worst, once."""
    report, bank = situation.report, situation.bank
    so_far = situation.so_far
    first = 0
    if so_far is not None:
        first = so_far.n_ticks
        yield Story("What happened so far", "so far", tell_ticks(so_far, bank))

    def day(title: str, name: str) -> Story:
        run = situation.best_day if name == "best" else situation.worst_day
        return Story(title, name, tell_ticks(run, bank, first_tick=first))

    if report.best_seed == report.worst_seed:
        n = report.num_samples
        title = "The sample" if n == 1 else f"One of {n} samples that all cost the same"
        yield day(f"{title} (cost {cents(report.best_cost)})", "best")
        return
    yield day(f"The cheapest sample (cost {cents(report.best_cost)})", "best")
    yield day(f"The dearest sample (cost {cents(report.worst_cost)})", "worst")


def shortened(story: Sequence[ToldTick], room: int) -> tuple[str, str | None]:
    """Return a story in at most so many characters, its middle left out where it is longer.

    Parameters
    ----------
    story : sequence of ToldTick
    room : int
        Characters.

    Returns
    -------
    text : str
        What fits, and a line that says what does not. Empty where nothing fits at all.
    left_out : str or None
        The ticks left out, in words; None where there are none.
    """
    whole = "\n".join(told.text for told in story)
    if len(whole) <= room:
        return whole, None
    head, tail = 0, len(story)
    used = len(_gap(story)) + _SLACK
    for is_head in _alternately():
        at = head if is_head else tail - 1
        used += len(story[at].text) + 1
        if used > room or head == tail - 1:
            break
        head, tail = (head + 1, tail) if is_head else (head, tail - 1)
    gap = story[head:tail]
    if head == 0:
        return "", _ticks(story)
    parts = [*(t.text for t in story[:head]), _gap(gap), *(t.text for t in story[tail:])]
    return "\n".join(parts), _ticks(gap)


def _alternately() -> Iterator[bool]:
    while True:
        yield True
        yield False


def _ticks(story: Sequence[ToldTick]) -> str:
    first, last = story[0].first, story[-1].last
    return f"tick {first}" if first == last else f"ticks {first} to {last}"


def _gap(story: Sequence[ToldTick]) -> str:
    return f"[{_ticks(story)} left out here; they cost {cents(sum(t.cost for t in story))}]"
