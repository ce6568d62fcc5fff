"""A game in plain words, in which every number can be traced to the record.

Words are chosen by what the record says; a number is never computed here. It is the answer to a
query on the record's own tables, which is kept with it. Where that gives nothing, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from payment_simulator.ai_cash_mgmt import GameRepository, GameStatus
from payment_simulator.ai_cash_mgmt.persistence.models import GameMode, GameOutcomeRecord
from payment_simulator.ai_cash_mgmt.record.certified import and_joined, certified
from payment_simulator.ai_cash_mgmt.record.result import cycle_in
from payment_simulator.analysis.game_state import INTERRUPTED
from payment_simulator.analysis.overview import GameOverview, game_overview
from payment_simulator.analysis.tracing import Sentence, TracedNumber, traced
from payment_simulator.persistence.queries import named_queries
from payment_simulator.wording import visible

#: Banks that are told of one by one; of more, those that changed most.
_BANKS_TOLD = 4
#: The unit of each query that is not a count.
_UNITS = {
    "all_at_start": "cents",
    "all_at_end": "cents",
    "all_changed_percent": "percent",
    "bank_at_start": "cents",
    "bank_at_end": "cents",
    "bank_changed": "cents",
    "bank_changed_low": "cents",
    "bank_changed_high": "cents",
    "confidence": "share",
    "distance": "cents",
    "distance_upper_bound": "cents",
    "price": "US dollars",
}

Parts: TypeAlias = list[str | TracedNumber]


def game_summary(repo: GameRepository, game_id: str) -> tuple[Sentence, ...]:
    """Return a game in plain words.

    Raises
    ------
    GameNotFoundError
        There is no such game; the message names the nearest ids.
    """
    with repo.one_snapshot():
        return summary_of(repo, game_overview(repo, game_id))


def summary_of(repo: GameRepository, overview: GameOverview) -> tuple[Sentence, ...]:
    """Return a game in plain words, where its figures are there already."""
    return tuple(_Teller(repo, overview).tell())


class _Teller:
    """Tells of one game; see :func:`game_summary`."""

    def __init__(self, repo: GameRepository, overview: GameOverview) -> None:
        self._repo = repo
        self._overview = overview
        self._status = overview.session.status
        self._has_ended = self._status in {GameStatus.CONVERGED, GameStatus.COMPLETED}

    def tell(self) -> Iterator[Sentence]:
        """Go through the sentences."""
        outcomes = self._overview.outcomes
        said = [self._ending(), self._steps(), *(self._costs() if outcomes else ())]
        said += [self._equilibrium(), self._calls()]
        yield from (sentence for sentence in said if sentence is not None)

    def _number(self, name: str, *more: str | int) -> TracedNumber | None:
        queries = named_queries("payment_simulator.analysis.sql", "summary.sql")
        parameters = (self._overview.session.game_id, *more)
        return traced(self._repo, queries[name], _UNITS.get(name, "count"), parameters)

    def _ending(self) -> Sentence:
        if self._status == GameStatus.FAILED:
            return Sentence.of("The game failed", *self._place_of_failure(), ".")
        if self._status == GameStatus.RUNNING:
            return self._so_far()
        played = _counted(self._number("iterations"), "iteration")
        after: Parts = [" after ", *played] if played else []
        if self._status == GameStatus.CONVERGED:
            return Sentence.of("The game converged", *after, ": policies and costs were stable.")
        cycle = cycle_in(self._repo, self._overview.session)
        if cycle is not None:
            words = f" going round in a circle: {cycle.describe()}."
            return Sentence.of("The game ended", *after, words)
        without = "" if self._overview.session.converged else " without having converged"
        return Sentence.of("The game came to its end", *after, without, ".")

    def _place_of_failure(self) -> Parts:
        failure = self._overview.failure
        if failure is None:
            return []
        number = self._number("failed_iteration", failure.failure_number)
        place: Parts = [] if number is None else [" in iteration ", number]
        if failure.agent_id is not None:
            place.append(f", at a step of {visible(failure.agent_id)}")
        return place

    def _so_far(self) -> Sentence:
        last = self._number("last_iteration")
        is_dead = self._overview.state == INTERRUPTED
        begin = "The game was interrupted" if is_dead else "The game has not ended"
        if last is None:
            return Sentence.of(f"{begin}, and has no step{'' if is_dead else ' yet'}.")
        return Sentence.of(f"{begin}; its last step is one of iteration ", last, ".")

    def _steps(self) -> Sentence | None:
        """Say how many proposals were made, and what became of them."""
        steps = _counted(self._number("steps"), "step")
        if not self._overview.agents or not steps:
            return None
        banks = self._number("banks")
        is_one = banks is not None and banks.value == 1
        has = {
            GameStatus.RUNNING: ("So far its ", " has made " if is_one else " have made "),
            GameStatus.FAILED: ("By then its ", " had made "),
        }
        begin, made = has.get(GameStatus(self._status), ("Its ", " made "))
        who: Parts = ["bank"] if banks is None or is_one else _counted(banks, "bank")
        return Sentence.of(begin, *who, made, *steps, ": ", *self._verdicts(), ".")

    def _verdicts(self) -> Parts:
        accepted = _counted(self._number("accepted"), "proposal")
        parts: Parts = [*accepted, _was(accepted), "accepted"]
        rejected, refused = self._number("rejected"), self._number("refused")
        some: list[Parts] = []
        if rejected is not None and rejected.value:
            some.append([rejected, _was([rejected]), "rejected"])
        if refused is not None and refused.value:
            some.append([*_counted(refused, "step"), " had no valid proposal"])
        for place, more in enumerate(some, 1):
            parts += [" and " if place == len(some) else ", ", *more]
        return parts

    def _costs(self) -> Iterator[Sentence]:
        """Say what banks paid at the start and at the end, on days set aside for this."""
        outcomes = self._overview.outcomes
        gain = sum(outcome.cost_improvement for outcome in outcomes)
        start, end = self._number("all_at_start"), self._number("all_at_end")
        if start is not None and end is not None:
            share = self._number("all_changed_percent")
            change: Parts = [] if share is None else [", ", share, f" % {_less(gain)}"]
            is_run = self._overview.session.game_mode == GameMode.RL_OPTIMIZATION
            tell = self._run if is_run else self._days
            yield Sentence.of(*tell(start, end, change), ".")
        if len(outcomes) > 1:
            yield from self._each_bank()

    def _payers(self) -> tuple[str, str, str]:
        """Return who paid, and under what at the start and at the end."""
        outcomes = self._overview.outcomes
        if len(outcomes) == 1:
            return visible(outcomes[0].agent_id), "its first policy", "its last"
        return "the banks together", "their first policies", "their last"

    def _run(self, start: TracedNumber, end: TracedNumber, change: Parts) -> Parts:
        who, first, _ = self._payers()
        if start.text == end.text:
            return [f"The run cost {who} ", end, f", as it would have with {first}"]
        would: Parts = [f"With {first} the run would have cost {who} ", start]
        return [*would, "; it cost ", end, *change]

    def _days(self, start: TracedNumber, end: TracedNumber, change: Parts) -> Parts:
        who, first, last = self._payers()
        days = _counted(self._number("held_out_days"), "held-out day")
        mean = " on average" if self._overview.outcomes[0].num_samples > 1 else ""
        parts: Parts = ["On ", *days, f" {who} paid ", start, mean]
        if start.text == end.text:
            return [*parts, f", under {last} as under {first}"]
        return [*parts, f" under {first} and ", end, f" under {last}", *change]

    def _each_bank(self) -> Iterator[Sentence]:
        told: Sequence[GameOutcomeRecord] = self._overview.outcomes
        if len(told) > _BANKS_TOLD:
            told = sorted(told, key=lambda o: (-abs(o.cost_improvement), o.agent_id))[:_BANKS_TOLD]
            yield Sentence.of("Of all banks these changed most.")
        for outcome in told:
            bank, gain = outcome.agent_id, outcome.cost_improvement
            start, end = self._number("bank_at_start", bank), self._number("bank_at_end", bank)
            changed = self._number("bank_changed", bank)
            if start is None or end is None or changed is None:
                continue
            if start.text == end.text:
                yield Sentence.of(f"{visible(bank)}: ", start, ", as before.")
                continue
            parts: Parts = [f"{visible(bank)}: from ", start, " to ", end, ", ", changed]
            parts += [f" {_less(gain)}", *self._interval(outcome)]
            yield Sentence.of(*parts, ".")

    def _interval(self, outcome: GameOutcomeRecord) -> Parts:
        bank, low, high = outcome.agent_id, outcome.improvement_low, outcome.improvement_high
        ends = [self._number(f"bank_changed_{end}", bank) for end in ("low", "high")]
        share = self._number("confidence", bank)
        if low is None or high is None or share is None or ends[0] is None or ends[1] is None:
            return []
        parts: Parts = [" (at confidence ", share, " between "]
        if low < 0 < high:
            return [*parts, ends[0], " more and ", ends[1], " less)"]
        near, far = (ends[0], ends[1]) if low >= 0 else (ends[1], ends[0])
        return [*parts, near, " and ", far, f" {_less(low + high)})"]

    def _equilibrium(self) -> Sentence | None:
        certificate = self._overview.certificate
        if certificate is None:
            said = "How far from an equilibrium it ended was not measured."
            return Sentence.of(said) if self._has_ended else None
        number, found = certificate.certificate_number, certified(certificate)
        distance, most = (
            self._number(name, number) for name in ("distance", "distance_upper_bound")
        )
        tried = _counted(self._number("deviations", number), "deviation")
        if distance is None or not found.regrets:
            return None
        bank = min(found.regrets, key=lambda name: (-(found.regrets[name].estimate or 0.0), name))
        if distance.value > 0:
            parts: Parts = [f"At the end {visible(bank)} could gain most by deviating alone: "]
            parts += [distance, ", the distance from equilibrium, "]
        else:
            parts = ["At the end no deviation was found to gain; the distance from equilibrium is "]
            parts += [distance, ", "]
        parts += ["with an upper bound that is not known"] if most is None else ["at most ", most]
        if tried:
            space = and_joined((found.deviation_space or "").split(", "))
            parts += [", of ", *tried, f" tried in {space or 'nothing'}"]
        return Sentence.of(*parts, ".")

    def _calls(self) -> Sentence | None:
        """Say what models were asked, and what it cost."""
        if not self._overview.calls:  # an older file has no table of them either
            return None
        calls = _counted(self._number("calls"), "call")
        tokens_in, tokens_out = self._number("input_tokens"), self._number("output_tokens")
        if not calls or tokens_in is None or tokens_out is None:
            return None
        parts: Parts = [*calls, " of language models", " took ", tokens_in, " tokens in and "]
        parts += [tokens_out, " out"]
        price, unpriced = self._number("price"), self._number("calls_without_price")
        if price is None:
            return Sentence.of(*parts, "; what that cost is not known.")
        parts += [", for ", price, " US dollars"]
        if unpriced is not None and unpriced.value:
            parts += ["; the price of ", *_counted(unpriced, "call"), " is not known"]
        return Sentence.of(*parts, ".")


def _counted(number: TracedNumber | None, thing: str) -> Parts:
    """Return a number with the name of what it counts; nothing where there is none."""
    if number is None:
        return []
    if number.value == 0:
        number = replace(number, text="no")
        return [number, f" {thing}"]
    return [number, f" {thing}{'' if number.value == 1 else 's'}"]


def _was(counted: Parts) -> str:
    first = counted[0] if counted else None
    is_many = isinstance(first, TracedNumber) and first.value > 1
    return " were " if is_many else " was "


def _less(gain: float) -> str:
    return "less" if gain > 0 else "more"
