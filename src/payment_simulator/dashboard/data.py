"""Numbers for the charts, as JSON: columns by bank, costs in cents rounded to the hundredth."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from payment_simulator.analysis.progress import game_progress
from payment_simulator.analysis.runs import bank_series, get_run, run_banks, throughput
from payment_simulator.analysis.steps import step_view
from payment_simulator.analysis.trajectories import (
    CostTrajectory,
    cost_trajectories,
    parameter_trajectories,
)
from payment_simulator.dashboard import parameters as given_parameters
from payment_simulator.dashboard.run_pages import chosen_banks, chosen_days
from payment_simulator.dashboard.site import site_of

#: One letter for each verdict, in columns of thousands.
LETTERS = {"accepted": "a", "rejected": "r", "refused": "x"}
_DIGITS = 2


def costs(request: Request) -> Response:
    """Return the costs of every bank over the iterations of a game."""
    game_id = given_parameters.text(request.query_params, "id")
    with site_of(request).source.reading() as repo:
        progress = game_progress(repo, game_id)
        found = cost_trajectories(repo, game_id)
    return JSONResponse(
        {
            "status": progress.status,
            "banks": {bank: cost_columns(trajectory) for bank, trajectory in found.items()},
        }
    )


def cost_columns(trajectory: CostTrajectory, after: int = 0) -> dict[str, Any]:
    """Return the steps of one bank after an iteration, in columns."""
    start = sum(1 for iteration in trajectory.iteration if iteration <= after)
    return {
        "iteration": trajectory.iteration[start:],
        "tick": trajectory.trigger_tick[start:],
        "old": rounded(trajectory.old_cost[start:]),
        "new": rounded(trajectory.new_cost[start:]),
        "force": rounded(trajectory.cost_in_force[start:]),
        "best": rounded(trajectory.best_cost[start:]),
        "verdict": "".join(LETTERS[verdict] for verdict in trajectory.verdict[start:]),
    }


def rounded(values: Iterable[float | None], digits: int = _DIGITS) -> list[float | int | None]:
    """Return numbers with few digits, whole ones without a point."""
    found: list[float | int | None] = []
    for value in values:
        short = None if value is None else round(value, digits)
        found.append(int(short) if short is not None and short == int(short) else short)
    return found


def parameters(request: Request) -> Response:
    """Return the parameters of every bank's policies over the iterations of a game."""
    game_id = given_parameters.text(request.query_params, "id")
    with site_of(request).source.reading() as repo:
        game_progress(repo, game_id)
        found = parameter_trajectories(repo, game_id)
    names = sorted({name for by_name in found.values() for name in by_name})
    return JSONResponse(
        {
            "parameters": {
                name: {
                    bank: {
                        "iteration": by_name[name].iteration,
                        "force": rounded(by_name[name].in_force, 9),
                        "proposed": rounded(by_name[name].proposed, 9),
                        "start": by_name[name].start,
                    }
                    for bank, by_name in found.items()
                    if name in by_name
                }
                for name in names
            }
        }
    )


def samples(request: Request) -> Response:
    """Return the paired differences of a step."""
    given = request.query_params
    game_id = given_parameters.text(given, "id")
    bank = given_parameters.text(given, "bank")
    iteration = given_parameters.needed_whole(given, "iteration", least=1)
    with site_of(request).source.reading() as repo:
        found = step_view(repo, game_id, bank, iteration).samples
    if found is None:
        return JSONResponse({"number": []})
    return JSONResponse(
        {
            "number": found.number,
            # A browser's numbers are floats; a seed has up to 64 bits.
            "seed": [str(seed) for seed in found.seed],
            "old": rounded(found.old_cost),
            "new": rounded(found.new_cost),
            "gain": rounded(found.difference),
            "mean": found.mean,
            "low": found.low,
            "high": found.high,
            "confidence": found.confidence,
        }
    )


def run(request: Request) -> Response:
    """Return banks through the days of a simulation run."""
    given = request.query_params
    with site_of(request).source.reading() as repo:
        found = get_run(repo, given_parameters.text(given, "id"))
        banks = chosen_banks(given, run_banks(repo, found.run_id))
        first, last = chosen_days(given, found)
        series = bank_series(repo, found, banks, first, last)
        shares = throughput(repo, found, first, last)
    return JSONResponse(
        {
            "ticks_per_day": found.ticks_per_day,
            "first_day": first,
            "last_day": last,
            "throughput": rounded(shares, 6),
            "banks": {
                bank: {
                    "tick": of.tick,
                    "balance": of.balance_cents,
                    "credit": of.credit_limit_cents,
                    "collateral": of.posted_collateral_cents,
                    "queue1": of.queue1_cents,
                    "queue1_count": of.queue1_count,
                    "queue2": of.queue2_cents,
                    "queue2_count": of.queue2_count,
                }
                for bank, of in series.items()
            },
        }
    )
