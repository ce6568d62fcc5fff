"""Steps in a report: accepted ones in full, the others in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.figures import sample_figure
from payment_simulator.analysis.policy_alignment import align_policies
from payment_simulator.analysis.policy_trees import parameters_html, trees_html
from payment_simulator.analysis.report.pictures import Picture, picture
from payment_simulator.analysis.report.tables import Column, Table, Value, shown
from payment_simulator.analysis.report.texts import lines_of, safe, shortened, sql_text
from payment_simulator.analysis.steps import (
    PairedSamples,
    StepRow,
    StepView,
    count_steps,
    step_rows,
    step_view,
)
from payment_simulator.policy.diff import diff_policies
from payment_simulator.wording import counted

#: Accepted steps that are told in full, those that have a figure of their days, and other steps.
_MOST_TOLD: Final = 60
_MOST_DRAWN: Final = 6
_MOST_ROWS: Final = 300
_UNREADABLE: Final = "The policy is not one that this version can read; its text is in the record"


@dataclass(frozen=True)
class AcceptedStep:
    """An accepted step as the report tells it; texts are plain, and HTML is safe.

    Attributes
    ----------
    title, facts, gain, reason : str
    change : list of str
        What changed, in words.
    reasoning : list of str
        What the proposer gave as its reasons, line by line.
    refused : list of str
        What was sent back before.
    parameters, old, new : Markup or None
        Parameters beside each other; the trees before and after, where these differ.
    note : str
        Why there are no trees, where there are none.
    picture : Picture or None
    """

    title: str
    facts: str
    gain: str
    reason: str
    change: list[str]
    reasoning: list[str]
    refused: list[str]
    parameters: Markup | None
    old: Markup | None
    new: Markup | None
    note: str
    picture: Picture | None


@dataclass(frozen=True)
class StepsTold:
    """All that a report says of steps.

    Attributes
    ----------
    counts : str
    accepted : list of AcceptedStep
    others : Table or None
        Rejected and refused steps.
    left_out : list of str
        What is not told, and where it is.
    """

    counts: str
    accepted: list[AcceptedStep]
    others: Table | None
    left_out: list[str]


def steps_of(repo: GameRepository, game_id: str) -> StepsTold:
    """Return what a report says of the steps of a game."""
    counts = count_steps(repo, game_id)
    rows = step_rows(repo, game_id, verdicts=["accepted"], limit=_MOST_TOLD)
    foremost = sorted(rows, key=lambda row: -row.cost_improvement)[:_MOST_DRAWN]
    accepted = [_accepted(repo, game_id, row, is_drawn=row in foremost) for row in rows]
    others = step_rows(repo, game_id, verdicts=["rejected", "refused"], limit=_MOST_ROWS)
    n_others = counts["rejected"] + counts["refused"]
    left_out = []
    if counts["accepted"] > len(rows):
        number = counted(counts["accepted"] - len(rows), "later accepted step")
        left_out.append(_left_out(number, game_id, "was_accepted"))
    if n_others > len(others):
        number = counted(n_others - len(others), "later step")
        left_out.append(_left_out(f"{number} not accepted", game_id, "NOT was_accepted"))
    return StepsTold(
        ", ".join(f"{number:,} {verdict}" for verdict, number in counts.items()),
        accepted,
        _others(others) if others else None,
        left_out,
    )


def _left_out(what: str, game_id: str, condition: str) -> str:
    query = " ".join(
        (
            "SELECT * FROM policy_iterations WHERE game_id =",
            sql_text(game_id),
            "AND",
            condition,
            "ORDER BY iteration_number",
        )
    )
    return f"{what} are left out for length; all are in the record: {query}"


def _accepted(repo: GameRepository, game_id: str, row: StepRow, *, is_drawn: bool) -> AcceptedStep:
    view = step_view(repo, game_id, row.agent_id, row.iteration)
    parameters, old, new, note = _pictured(view)
    has_days = view.samples is not None and len(view.samples.number) > 1
    return AcceptedStep(
        title=f"Iteration {row.iteration}, {row.agent_id}",
        facts=_facts(view),
        gain=_gain(row, view.samples),
        reason=view.reason,
        change=_change(view),
        reasoning=lines_of(view.reasoning),
        refused=[
            f"Sent back before: {shortened('; '.join(tried.errors) or tried.proposal)}"
            for tried in view.refused
        ],
        parameters=parameters,
        old=old,
        new=new,
        note=note,
        picture=(
            picture(sample_figure(repo, game_id, row.agent_id, row.iteration))
            if is_drawn and has_days
            else None
        ),
    )


def _pictured(view: StepView) -> tuple[Markup | None, Markup | None, Markup | None, str]:
    """Return parameters, the trees before and after, where they differ, and what does not."""
    if view.old is None or view.new is None:
        return None, None, None, f"{_UNREADABLE}."
    before, after = view.old, view.new
    parameters = old = new = None
    if before.parameters != after.parameters:
        parameters = safe(parameters_html(after, before, side="new"))
    aligned = align_policies(before, after)
    if aligned.old or aligned.new:
        old = safe(trees_html(before, after, side="old"))
        new = safe(trees_html(after, before, side="new"))
    same = [word for word, found in (("parameters", parameters), ("trees", new)) if found is None]
    return parameters, old, new, f"The {' and '.join(same)} are as before." if same else ""


def _facts(view: StepView) -> str:
    step = view.iteration
    facts = [
        f"proposed by {step.llm_model or 'an unnamed proposer'}",
        f"after tick {step.trigger_tick:,}",
        f"{step.llm_latency_seconds:,.1f} s",
    ]
    if step.tokens_used:
        facts.append(counted(step.tokens_used, "token"))
    if view.calls:
        facts.append(counted(len(view.calls), "call"))
        prices = [call.cost_usd for call in view.calls if call.cost_usd is not None]
        if prices:
            facts.append(f"{sum(prices):,.4f} US dollars")
    return ", ".join(facts)


def _gain(row: StepRow, samples: PairedSamples | None) -> str:
    text = (
        f"{shown(row.old_cost, 'money')} \N{RIGHTWARDS ARROW} {shown(row.new_cost, 'money')}, "
        f"a gain of {shown(row.cost_improvement, 'money')}"
    )
    if samples is None:
        return text
    if len(samples.number) == 1:
        return f"{text}, on one sample"
    if samples.low is None or samples.high is None:
        return f"{text}, the same on each of {len(samples.number)} paired samples"
    low, high = shown(samples.low, "money"), shown(samples.high, "money")
    paired = counted(len(samples.number), "paired sample")
    return f"{text}, between {low} and {high} at confidence {samples.confidence:.3g}, on {paired}"


def _change(view: StepView) -> list[str]:
    if view.diff is not None:
        return lines_of(_with_arrows(view.diff.diff_summary))
    if view.old is not None and view.new is not None:
        return [_with_arrows(line) for line in diff_policies(view.old, view.new)]
    return []


def _with_arrows(change: str) -> str:
    """Return a change in words with arrows that no line is broken in."""
    return change.replace(" -> ", " \N{RIGHTWARDS ARROW} ")


def _others(rows: list[StepRow]) -> Table:
    columns = (
        Column("iteration", "count"),
        Column("bank"),
        Column("verdict"),
        Column("in force", "money"),
        Column("proposed", "money"),
        Column("gain", "money"),
        Column("proposal"),
        Column("why not"),
    )
    cells: list[tuple[Value, ...]] = [
        (
            row.iteration,
            row.agent_id,
            row.verdict,
            row.old_cost,
            None if row.verdict == "refused" else row.new_cost,
            None if row.verdict == "refused" else row.cost_improvement,
            shortened(_with_arrows(row.change)),
            shortened(row.reason),
        )
        for row in rows
    ]
    note = "Refused: there was no valid proposal, so nothing was measured but the policy in force."
    return Table("steps-not-accepted", "Steps that were not accepted", columns, cells, note)
