"""What ``payment-sim show`` prints of a game for a person."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from payment_simulator.cli.game_report import command_for, go_on_of, print_banks
from payment_simulator.cli.output import moment, print_facts, print_text, room, shortened
from payment_simulator.cli.table import aligned, print_table
from payment_simulator.wording import counted, money

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.record.certified import CertifiedRegret
    from payment_simulator.analysis.overview import GameOverview
    from payment_simulator.analysis.steps import StepRow
    from payment_simulator.analysis.tracing import Sentence, TracedNumber

#: Banks whose costs are told by kind one by one; of more, their sums.
_BY_KIND = 6
#: On a pipe, where there is no width, a picture is drawn as on the usual terminal.
_USUAL_WIDTH = 80
_INDENT = 4
#: A longer name is cut where a row has to stay on its line.
_LONGEST_NAME = 24
#: What is wider is no terminal.
_WIDEST_TERMINAL = 10_000
_UNIT = "Costs are in currency units (cents / 100)"


def print_game(
    overview: GameOverview, summary: Sequence[Sentence], digest: str | None, path: Path
) -> None:
    """Print what a game was and what became of it."""
    print_facts([*_facts(overview, path), *_digest(overview, digest, path)])
    typer.echo()
    for sentence in summary:
        print_text(sentence.text)
    typer.echo()
    if overview.outcomes:
        _print_outcomes(overview)
    if overview.agents:
        _print_agents(overview)
        _print_chart(overview)
    else:
        typer.echo("The game has no steps in the record.")
    typer.echo(f"{_UNIT}. Next:")
    again = command_for("show", overview.session.game_id, path)
    for option, what in (("--steps", "every step, and why"), ("--trace", "where numbers are from")):
        typer.echo(f"  {again} {option}  ({what})")


def _facts(overview: GameOverview, path: Path) -> list[tuple[str, object]]:
    session, origin, rules = overview.session, overview.provenance, overview.rules
    proposers = sorted({name for agent in overview.agents for name in agent.proposers if name})
    facts: list[tuple[str, object]] = [
        ("game", session.game_id),
        ("status", overview.state),
        ("mode", session.game_mode),
        ("scenario", session.scenario_config),
        ("seed", session.master_seed),
        ("time (UTC)", _time(overview)),
        ("iterations", f"{overview.iterations:,}"),
        ("final cost", _final_cost(overview)),
        ("proposers", ", ".join(proposers) or None),
        ("acceptance", rules.acceptance_words()),
        ("judged on", _judged_on(overview)),
        ("proposing", _proposing(overview)),
        ("model calls", _calls(overview)),
        ("played with", origin and f"payment-simulator {origin.package_version}"),
        ("stopped", _stopped(overview)),
        ("last step", _last_step(overview)),
        ("to go on", go_on_of(overview, path)),
        ("distance from equilibrium", _distance(overview)),
    ]
    return [(name, value) for name, value in facts if value is not None]


def _digest(overview: GameOverview, digest: str | None, path: Path) -> list[tuple[str, object]]:
    """Return the digest of a game that has ended, or how to have it."""
    if overview.session.completed_at is None:
        return []
    return [("digest", digest or command_for("digest", overview.session.game_id, path))]


def _time(overview: GameOverview) -> str:
    session = overview.session
    if session.completed_at is None:
        return f"started {moment(session.started_at)}"
    seconds = (session.completed_at - session.started_at).total_seconds()
    took = f", {seconds:,.1f} s" if seconds >= 0 else ""  # clocks are put back at times
    return f"{moment(session.started_at)} to {moment(session.completed_at)}{took}"


def _final_cost(overview: GameOverview) -> str | None:
    cost = overview.session.final_cost
    return None if cost is None else f"{money(cost)}, all banks together"


def _judged_on(overview: GameOverview) -> str | None:
    if overview.judging_days is None:
        return None
    method = overview.rules.sample_method
    drawn = f", {method}" if method and overview.judging_days[1] > 1 else ""
    return f"{_days(overview.judging_days)} in each step{drawn}"


def _days(span: tuple[int, int]) -> str:
    fewest, most = span
    between = "" if fewest == most else f"{fewest:,} to "
    return f"{between}{counted(most, 'sample day')}"


def _proposing(overview: GameOverview) -> str:
    tokens = sum(agent.tokens_used for agent in overview.agents)
    seconds = sum(agent.latency_seconds for agent in overview.agents)
    return f"{counted(tokens, 'token')}, {seconds:,.1f} s"


def _calls(overview: GameOverview) -> str | None:
    """Return how many calls of models there were, and what they cost, as far as that is known."""
    if not overview.calls:
        return None
    number = sum(call.calls for call in overview.calls)
    failed = sum(call.without_policy for call in overview.calls)
    unpriced = number - sum(call.priced for call in overview.calls)
    prices = [call.cost_usd for call in overview.calls if call.cost_usd is not None]
    parts = [
        f"{counted(number, 'call')}{f', {failed:,} without a policy' * bool(failed)}",
        f"{sum(call.input_tokens for call in overview.calls):,} tokens in",
        f"{sum(call.output_tokens for call in overview.calls):,} out",
        f"{sum(prices):,.4f} USD" if prices else "no price known",
    ]
    if prices and unpriced:
        parts.append(f"the price of {counted(unpriced, 'call')} not known")
    if uncounted := sum(call.uncounted for call in overview.calls):
        parts.append(f"the tokens of {counted(uncounted, 'call')} not known")
    parts += [call.endings for call in overview.calls if call.endings]
    return ", ".join(parts)


def _stopped(overview: GameOverview) -> str | None:
    """Return where a game failed, and why."""
    failure = overview.failure
    if failure is None:
        return None
    place = [f"iteration {failure.iteration_number}"] if failure.iteration_number else []
    place += [failure.agent_id] if failure.agent_id else []
    where = f"{', '.join(place)}: " if place else ""
    return f"{where}{failure.reason}"


def _last_step(overview: GameOverview) -> str | None:
    """Return how far a game has come that has not ended."""
    if overview.session.status != "running":
        return None
    last = overview.last_step
    made = "none yet"
    if last is not None:
        recorded = moment(last.recorded_at)
        made = f"iteration {last.iteration}, {last.agents[-1]}, recorded {recorded}"
    return made


def _distance(overview: GameOverview) -> str | None:
    return None if overview.certified is None else overview.certified.describe()


def _print_outcomes(overview: GameOverview) -> None:
    """Print what banks paid at the start and at the end, on days that no step was judged on."""
    from payment_simulator.ai_cash_mgmt.record.result import bank_results

    typer.echo(_days_apart(overview))
    print_banks(bank_results(overview.session, overview.outcomes))
    typer.echo("By kind of cost:")
    names = ["bank", "kind", "start cost", "final cost", "improvement"]
    rows = [(*row[:2], *map(money, row[2:])) for row in _by_kind(overview)]
    print_table(names, rows, numbers=names[2:], yielding=["bank"])


def _days_apart(overview: GameOverview) -> str:
    days = max(outcome.num_samples for outcome in overview.outcomes)
    if _is_run(overview):
        return "The run, beside the same run under the first policies:"
    if days == 1:
        return "On the held-out day (without randomness, the one day there is):"
    return f"Means of {days:,} held-out days, on which no step was judged:"


def _by_kind(overview: GameOverview) -> list[tuple[str, str, float, float, float]]:
    """Return costs by bank and kind; of many banks their sums."""
    from payment_simulator.analysis.overview import numbers_of

    found: dict[tuple[str, str], list[float]] = {}
    is_many = len(overview.outcomes) > _BY_KIND
    for outcome in overview.outcomes:
        bank = f"(all {len(overview.outcomes)})" if is_many else outcome.agent_id
        sides = (numbers_of(outcome.start_costs_json), numbers_of(outcome.final_costs_json))
        for kind in dict.fromkeys([*sides[0], *sides[1]]):
            both = found.setdefault((bank, kind), [0.0, 0.0])
            for side, costs in enumerate(sides):
                both[side] += costs.get(kind, 0.0)
    return [
        (bank, kind, start, final, start - final)
        for (bank, kind), (start, final) in found.items()
        if start or final
    ]


def _print_agents(overview: GameOverview) -> None:
    columns = {
        "bank": [agent.agent_id for agent in overview.agents],
        "steps": [agent.steps for agent in overview.agents],
        "accepted": [agent.accepted for agent in overview.agents],
        "rejected": [agent.rejected for agent in overview.agents],
        "refused": [agent.refused for agent in overview.agents],
        "rate": [f"{agent.acceptance_rate:.0%}" for agent in overview.agents],
        "regret": [_regret(agent.regret) for agent in overview.agents],
        "proposer": [", ".join(filter(None, agent.proposers)) for agent in overview.agents],
    }
    if overview.certificate is None:
        del columns["regret"]
    typer.echo("Steps, and how many of the proposals were accepted:")
    print_table(
        list(columns),
        zip(*columns.values(), strict=True),
        numbers=[name for name in columns if name not in {"bank", "proposer"}],
        yielding=["bank", "proposer"],
    )


def _regret(regret: CertifiedRegret | None) -> str:
    if regret is None:
        return money(None)
    known = [money(end) if end is not None else "?" for end in (regret.low, regret.high)]
    return f"{money(regret.estimate)} [{', '.join(known)}]"


def _print_chart(overview: GameOverview) -> None:
    from payment_simulator.cli.chart import characters_of, cost_chart

    drawn = cost_chart(
        overview.trajectories, characters_of(sys.stdout.encoding), min(room(), _USUAL_WIDTH)
    )
    if drawn:
        measured = "what was still to come of the run" if _is_run(overview) else "as measured in it"
        print_text(f"Cost in force after each step, {measured}:")
        typer.echo("\n".join(["", *drawn, ""]))


def _is_run(overview: GameOverview) -> bool:
    return overview.session.game_mode == "rl_optimization"


def print_steps(overview: GameOverview, rows: Sequence[StepRow]) -> None:
    """Print steps: what came of each, and why: below it, or behind it on a pipe."""
    if not rows:
        typer.echo("The game has no steps in the record.")
        return
    columns = ["iteration", "bank", "verdict", "old cost", "new cost", "gain"]
    numbers = ["iteration", "old cost", "new cost", "gain"]
    shown = [_step(row) for row in rows]
    if room() > _WIDEST_TERMINAL:
        told = [(*cells, row.proposer, row.reason) for cells, row in zip(shown, rows, strict=True)]
        typer.echo("\n".join(aligned([*columns, "proposer", "reason"], told, numbers)))
    else:
        cut = [(cells[0], shortened(str(cells[1]), _LONGEST_NAME), *cells[2:]) for cells in shown]
        head, *lines = aligned(columns, cut, numbers)
        typer.echo(head)
        for line, row in zip(lines, rows, strict=True):
            typer.echo(line)
            print_text(": ".join(filter(None, (row.proposer, row.reason))), _INDENT)
    means = ""
    if overview.judging_days is not None:
        means = f", measured on {_days(overview.judging_days)} in each step"
    print_text(f"{_UNIT}{means}; reasons name cents.")


def _step(row: StepRow) -> tuple[object, ...]:
    """Return a step as a row; what was refused has not been measured."""
    is_known = row.verdict != "refused"
    new, gain = (row.new_cost, row.cost_improvement) if is_known else (None, None)
    return (
        row.iteration,
        row.agent_id,
        row.verdict,
        money(row.old_cost),
        money(new),
        money(gain),
    )


def print_trace(summary: Sequence[Sentence]) -> None:
    """Print sentences, and below each its numbers with the queries that give them."""
    for sentence in summary:
        print_text(sentence.text)
        for number in sentence.numbers:
            print_text(f"{_value(number)}: {_source(number)}", _INDENT)
            print_text(number.statement, 2 * _INDENT)
        typer.echo()
    typer.echo("Each query runs as it stands on the database, in any program that reads DuckDB.")


def _value(number: TracedNumber) -> str:
    """Return a number as it is said, and as the query gives it where that is not the same."""
    unit = "" if number.unit == "count" else f" {number.unit}"
    is_same = number.text == str(number.value)
    return f"{number.text}{unit}" if is_same else f"{number.text} = {number.value!r}{unit}"


def _source(number: TracedNumber) -> str:
    is_counted = number.column == "*"
    return f"rows of {number.table}" if is_counted else f"{number.table}.{number.column}"
