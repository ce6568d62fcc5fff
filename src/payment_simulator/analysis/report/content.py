"""All that a report says of one game, read from the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import GameOutcomeRecord
from payment_simulator.analysis.calls import CallTotals
from payment_simulator.analysis.game_state import can_go_on
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.overview import GameOverview, game_overview
from payment_simulator.analysis.policy_trees import policy_tree_html
from payment_simulator.analysis.report.equilibrium import Certificate, certificate_of
from payment_simulator.analysis.report.method import Method, method_of
from payment_simulator.analysis.report.outcomes import agent_table, outcome_tables
from payment_simulator.analysis.report.pictures import (
    Picture,
    game_pictures,
    run_pictures,
    runs_of,
)
from payment_simulator.analysis.report.steps import StepsTold, steps_of
from payment_simulator.analysis.report.tables import Column, Kind, Table, Value, shown
from payment_simulator.analysis.report.texts import command, parsed, safe
from payment_simulator.analysis.runs import RunRow
from payment_simulator.analysis.steps import policy_or_none
from payment_simulator.analysis.summary import summary_of
from payment_simulator.wording import counted

#: Banks whose last policy is drawn.
_MOST_POLICIES: Final = 24
#: Measures of a run, and how each is shown.
_MEASURES: Final[tuple[tuple[str, str, Kind], ...]] = (
    ("settlement_rate_by_value", "settled, by value", "share"),
    ("settlement_rate_by_number", "settled, by number", "share"),
    ("on_time_rate_by_value", "settled on time, by value", "share"),
    ("value_arrived", "value that arrived", "money"),
    ("value_settled", "value that settled", "money"),
    ("liquidity_used", "liquidity used", "money"),
    ("liquidity_efficiency", "efficiency: value for each cent of liquidity", "number"),
    ("turnover_ratio", "turnover", "number"),
    ("value_weighted_delay_ticks", "mean delay, weighted by value (ticks)", "number"),
    ("offset_share", "settled by offsetting", "share"),
    ("gini_of_liquidity_cost", "Gini coefficient of the cost of liquidity", "number"),
    ("total_cost", "cost of all banks", "money"),
)


@dataclass(frozen=True)
class LastPolicy:
    """The policy that a bank ended with, beside the one that it began with.

    Attributes
    ----------
    bank : str
    html : Markup or None
        None where the text is no policy that can be read.
    """

    bank: str
    html: Markup | None


@dataclass(frozen=True)
class Content:
    """All that a report says.

    Attributes
    ----------
    overview : GameOverview
    go_on : str or None
        The command that goes on with the game, where it stopped before its end.
    summary : list of str
        Sentences.
    outcomes : list of Table
        None before the end of a game.
    agents : Table
    pictures : dict
        ``costs``, ``parameters`` and ``split``; None where there is nothing to draw.
    certificate : Certificate or None
    steps : StepsTold
    policies : list of LastPolicy
    policies_left_out : int
    measures : list of Table
        Of a run under the first policies and one under the last.
    run_pictures : list of Picture
    calls : Table or None
    method : Method
    """

    overview: GameOverview
    go_on: str | None
    summary: list[str]
    outcomes: list[Table]
    agents: Table
    pictures: dict[str, Picture | None]
    certificate: Certificate | None
    steps: StepsTold
    policies: list[LastPolicy]
    policies_left_out: int
    measures: list[Table]
    run_pictures: list[Picture]
    calls: Table | None
    method: Method


def content_of(repo: GameRepository, game_id: str) -> Content:
    """Return all that a report says of a game, all of one state of the record.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    """
    with repo.one_snapshot():
        return _content(repo, game_id)


def _content(repo: GameRepository, game_id: str) -> Content:
    overview = game_overview(repo, game_id)
    outcomes = overview.outcomes
    runs = {run.purpose: run for run in or_nothing(lambda: list(runs_of(repo, game_id).values()))}
    return Content(
        overview=overview,
        go_on=command("resume", game_id, *overview.resume_options)
        if can_go_on(overview.state)
        else None,
        summary=[str(sentence.text) for sentence in summary_of(repo, overview)],
        outcomes=outcome_tables(overview),
        agents=agent_table(overview),
        pictures=game_pictures(repo, game_id),
        certificate=certificate_of(overview.certificate) if overview.certificate else None,
        steps=steps_of(repo, game_id),
        policies=[_last_policy(found) for found in outcomes[:_MOST_POLICIES]],
        policies_left_out=max(0, len(outcomes) - _MOST_POLICIES),
        measures=_measures(repo, runs),
        run_pictures=run_pictures(repo, runs) if runs else [],
        calls=_calls(overview.calls) if overview.calls else None,
        method=method_of(repo, overview),
    )


def _last_policy(found: GameOutcomeRecord) -> LastPolicy:
    first, last = policy_or_none(found.start_policy_json), policy_or_none(found.final_policy_json)
    html = None if last is None else safe(policy_tree_html(last, first, side="new"))
    return LastPolicy(found.agent_id, html)


def _measures(repo: GameRepository, runs: dict[str, RunRow]) -> list[Table]:
    """Return the measures of the runs as a table, if there are any."""
    found = {}
    for purpose, label in (("start", "start"), ("final", "end")):
        run = repo.get_simulation_run(runs[purpose].run_id) if purpose in runs else None
        measures = parsed(run.measures_json) if run else None
        if isinstance(measures, dict):
            found[label] = measures
    if not found:
        return []
    columns = (Column("measure"), *(Column(label) for label in found))
    rows: list[tuple[Value, ...]] = []
    for key, words, kind in _MEASURES:
        values = [measures.get(key) for measures in found.values()]
        if any(isinstance(value, int | float) for value in values):
            rows.append((words, *(_measured(value, kind) for value in values)))
    note = "Of one run under the first policies and one under the last, on the same random days."
    return [Table("measures", "Measures of the system", columns, rows, note)] if rows else []


def _measured(value: object, kind: Kind) -> str | None:
    return shown(value, kind) if isinstance(value, int | float) else None


def _calls(calls: list[CallTotals]) -> Table:
    columns = (
        Column("bank"),
        Column("model"),
        Column("calls", "count"),
        Column("without a policy", "count"),
        Column("tokens in", "count"),
        Column("tokens out", "count"),
        Column("seconds", "number"),
        Column("US dollars", "number"),
    )
    rows: list[tuple[Value, ...]] = [
        (
            call.agent_id,
            call.model,
            call.calls,
            call.without_policy,
            call.input_tokens,
            call.output_tokens,
            call.latency_seconds,
            call.cost_usd,
        )
        for call in calls
    ]
    unpriced = sum(call.calls - call.priced for call in calls)
    uncounted = sum(call.uncounted for call in calls)
    notes = [f"The price of {counted(unpriced, 'call')} is not known."] if unpriced else []
    notes += [f"The tokens of {counted(uncounted, 'call')} are not known."] if uncounted else []
    notes += [f"Answers to {call.agent_id}: {call.endings}." for call in calls if call.endings]
    note = " ".join(notes)
    has_total = len(rows) > 1
    if has_total:
        prices = [call.cost_usd for call in calls if call.cost_usd is not None]
        rows.append(
            (
                "all",
                "",
                sum(call.calls for call in calls),
                sum(call.without_policy for call in calls),
                sum(call.input_tokens for call in calls),
                sum(call.output_tokens for call in calls),
                sum(call.latency_seconds for call in calls),
                sum(prices) if prices else None,
            )
        )
    return Table("model-calls", "Calls of language models", columns, rows, note, has_total)
