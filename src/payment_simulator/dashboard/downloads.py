"""Tables of a game to take along as CSV: costs in cents, to the last digit."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from payment_simulator.analysis.progress import game_progress
from payment_simulator.analysis.report.tables import Column, Kind, Table, Value
from payment_simulator.analysis.steps import VERDICTS, count_steps, step_rows
from payment_simulator.analysis.trajectories import cost_trajectories, parameter_trajectories
from payment_simulator.dashboard import parameters as given_parameters
from payment_simulator.dashboard.site import site_of
from payment_simulator.wording import plain_name

_STEPS_AT_ONCE = 5000
_TEXTS = ("bank", "verdict", "parameter", "proposer", "change", "reason", "recorded_at")


def costs(request: Request) -> Response:
    """Return what the charts of costs show."""
    game_id = given_parameters.text(request.query_params, "id")
    with site_of(request).source.reading() as repo:
        game_progress(repo, game_id)
        found = cost_trajectories(repo, game_id)
    rows: list[tuple[Value, ...]] = [
        (bank, iteration, tick, verdict, old, None if verdict == "refused" else new, force, best)
        for bank, of in found.items()
        for iteration, tick, verdict, old, new, force, best in zip(
            of.iteration,
            of.trigger_tick,
            of.verdict,
            of.old_cost,
            of.new_cost,
            of.cost_in_force,
            of.best_cost,
            strict=True,
        )
    ]
    heads = "bank iteration trigger_tick verdict old_cost_cents new_cost_cents"
    return _csv(game_id, "costs", f"{heads} cost_in_force_cents best_cost_cents", rows)


def parameters(request: Request) -> Response:
    """Return what the charts of parameters show; iteration 0 is the policy at the start."""
    game_id = given_parameters.text(request.query_params, "id")
    with site_of(request).source.reading() as repo:
        game_progress(repo, game_id)
        found = parameter_trajectories(repo, game_id)
    rows: list[tuple[Value, ...]] = []
    for bank, by_name in found.items():
        for name, of in by_name.items():
            if of.start is not None and of.iteration[:1] == (1,):
                rows.append((bank, name, 0, of.start, None))
            points = zip(of.iteration, of.in_force, of.proposed, strict=True)
            rows += [(bank, name, *point) for point in points]
    return _csv(game_id, "parameters", "bank parameter iteration in_force proposed", rows)


def steps(request: Request) -> Response:
    """Return the table of steps, all its pages, as its filters leave it."""
    given = request.query_params
    game_id = given_parameters.text(given, "id")
    bank = given_parameters.optional(given, "bank")
    verdict = given_parameters.one_of(given, "verdict", VERDICTS)
    wanted = (verdict,) if verdict else VERDICTS
    rows: list[tuple[Value, ...]] = []
    with site_of(request).source.reading() as repo:
        game_progress(repo, game_id)
        counts = count_steps(repo, game_id, agent_id=bank)
        count = sum(counts[name] for name in VERDICTS if name in wanted)
        for offset in range(0, count, _STEPS_AT_ONCE):
            rows += [
                (
                    row.iteration,
                    row.agent_id,
                    row.trigger_tick,
                    row.verdict,
                    row.old_cost,
                    None if row.verdict == "refused" else row.new_cost,
                    None if row.verdict == "refused" else row.cost_improvement,
                    row.change,
                    row.reason,
                    row.proposer,
                    row.latency_seconds,
                    row.tokens_used,
                    row.created_at.isoformat(),
                )
                for row in step_rows(
                    repo,
                    game_id,
                    agent_id=bank,
                    verdicts=wanted,
                    limit=_STEPS_AT_ONCE,
                    offset=offset,
                )
            ]
    heads = "iteration bank trigger_tick verdict old_cost_cents new_cost_cents improvement_cents"
    more = "change reason proposer latency_seconds tokens_used recorded_at"
    return _csv(game_id, "steps", f"{heads} {more}", rows)


def _csv(game_id: str, what: str, heads: str, rows: list[tuple[Value, ...]]) -> Response:
    """Return a table as a file to save; texts that a spreadsheet would act on are guarded."""
    columns = tuple(Column(head, _kind(head)) for head in heads.split())
    name = f"{plain_name(game_id)}-{what}.csv"
    return Response(
        Table(what, what, columns, rows).csv(),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _kind(head: str) -> Kind:
    return "text" if head in _TEXTS else "number"
