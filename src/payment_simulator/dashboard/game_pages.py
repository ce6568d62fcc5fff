"""One game, and one step of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from payment_simulator.ai_cash_mgmt import GameOutcomeRecord, GameRepository
from payment_simulator.ai_cash_mgmt.persistence.step_records import ProvenanceFile
from payment_simulator.ai_cash_mgmt.record.result import bank_result
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.overview import game_overview
from payment_simulator.analysis.policy_trees import Side, policy_tree_html
from payment_simulator.analysis.progress import neighbours
from payment_simulator.analysis.runs import list_runs
from payment_simulator.analysis.steps import VERDICTS, count_steps, step_rows, step_view
from payment_simulator.dashboard import parameters
from payment_simulator.dashboard.bars import scale_of
from payment_simulator.dashboard.certificates import certificate_tables
from payment_simulator.dashboard.site import site_of
from payment_simulator.dashboard.tables import Pager
from payment_simulator.policy import Policy

_STEPS_SHOWN = 50
_RUNS_SHOWN = 20
#: Characters of a file that a page shows.
_FILE_SHOWN = 100_000


def game(request: Request) -> Response:
    """Show a game."""
    return site_of(request).page("game.html", **_game(request))


def game_parts(request: Request) -> Response:
    """Return what changes on the page of a game while it is played."""
    return site_of(request).page("game_parts.html", **_game(request))


def _game(request: Request) -> dict[str, Any]:
    given = request.query_params
    game_id = parameters.text(given, "id")
    with site_of(request).source.reading() as repo:
        overview = game_overview(repo, game_id)
        outcomes = overview.outcomes
        return {
            "overview": overview,
            "session": overview.session,
            "banks": [agent.agent_id for agent in overview.agents],
            "counts": {
                verdict: sum(getattr(agent, verdict) for agent in overview.agents)
                for verdict in VERDICTS
            },
            "outcomes": [_outcome(found) for found in outcomes],
            "gain_scale": scale_of(_ends(outcomes)),
            "largest_cost": max(
                (cost for o in outcomes for cost in (o.start_cost, o.final_cost)), default=0.0
            ),
            "certified": certificate_tables(overview.certificate) if overview.certificate else [],
            "last_iteration": overview.last_step.iteration if overview.last_step else 0,
            "failures": or_nothing(lambda: repo.get_game_failures(game_id)),
            "calls": overview.calls,
            "runs": or_nothing(lambda: list_runs(repo, game_id=game_id, limit=_RUNS_SHOWN)),
            "files": or_nothing(lambda: _files(repo, game_id)),
            **_steps(repo, game_id, request),
        }


def _files(repo: GameRepository, game_id: str) -> list[tuple[ProvenanceFile, str]]:
    """Return the files that the game was made of, of a long one the beginning."""
    return [
        (file, repo.get_text(file.sha256, at_most=_FILE_SHOWN))
        for file in repo.list_provenance_files(game_id)
    ]


def _steps(repo: GameRepository, game_id: str, request: Request) -> dict[str, Any]:
    """Return the table of steps that the address asks for."""
    given = request.query_params
    bank = parameters.optional(given, "bank")
    verdict = parameters.one_of(given, "verdict", VERDICTS)
    limit, offset = parameters.rows(given, _STEPS_SHOWN)
    counts = count_steps(repo, game_id, agent_id=bank)
    wanted = (verdict,) if verdict else VERDICTS
    rows = step_rows(repo, game_id, agent_id=bank, verdicts=wanted, limit=limit, offset=offset)
    count = sum(counts[name] for name in VERDICTS if name in wanted)
    filters = {"id": game_id, "bank": bank, "verdict": verdict}
    return {
        "steps": rows,
        "step_filters": filters,
        "verdicts": VERDICTS,
        "pager": Pager("/game", filters, "", "", limit, offset, count, anchor="steps"),
    }


def _outcome(found: GameOutcomeRecord) -> dict[str, Any]:
    return {
        "record": found,
        "parameters": bank_result(found).parameters,
        "start_costs": _numbers(found.start_costs_json),
        "final_costs": _numbers(found.final_costs_json),
    }


def _ends(outcomes: list[GameOutcomeRecord]) -> list[float]:
    return [
        end
        for found in outcomes
        for end in (found.cost_improvement, found.improvement_low, found.improvement_high)
        if end is not None
    ]


def _numbers(text: str) -> Mapping[str, float]:
    """Return the numbers of a JSON object by name; whatever else is in it is left out."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def step(request: Request) -> Response:
    """Show a step."""
    given = request.query_params
    game_id, bank = parameters.text(given, "id"), parameters.text(given, "bank")
    iteration = parameters.needed_whole(given, "iteration", least=1)
    with site_of(request).source.reading() as repo:
        view = step_view(repo, game_id, bank, iteration)
        near = neighbours(repo, game_id, bank, iteration)
    return site_of(request).page(
        "step.html",
        view=view,
        step=view.iteration,
        near=near,
        old_tree=_tree(view.old, view.new, "old"),
        new_tree=_tree(view.new, view.old, "new"),
        bound=_bound(view.context.context_json) if view.context else None,
        breakdown=_numbers(view.context.cost_breakdown_json) if view.context else {},
    )


def _bound(context_json: str) -> float | None:
    """Return the least gain by which a step was decided (cents), where its rule asks for one."""
    try:
        decision = json.loads(context_json).get("decision")
        return _numbers(json.dumps(decision)).get("lower_bound")
    except (ValueError, RecursionError, AttributeError):
        return None


def _tree(policy: Policy | None, other: Policy | None, side: Side) -> Markup | None:
    """Return a policy drawn; its texts are escaped by what draws it."""
    if policy is None:
        return None
    return Markup(policy_tree_html(policy, other, side=side))  # noqa: S704 - escaped there
