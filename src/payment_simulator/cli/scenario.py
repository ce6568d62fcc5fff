"""``payment-sim scenario``: check scenario files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import JsonOption
from payment_simulator.wording import counted, visible

if TYPE_CHECKING:
    from payment_simulator.scenario import Scenario

app = typer.Typer(
    help="Check scenario files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
#: Policies that a line names.
_NAMED = 4


@app.callback()
def scenario() -> None:
    """Check scenario files."""


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="A scenario file, or several.")
    ],
    json: JsonOption = False,
) -> None:
    """Check scenario files completely, their policies and payments too.

    Exit code 2 when there is a problem.
    """
    from payment_simulator.cli.output import print_json
    from payment_simulator.errors import ScenarioError

    results: list[dict[str, Any]] = []
    for file in files:
        try:
            found = _summary(file)
            results.append({"file": str(file), "is_valid": True, **found, "error": None})
        except ScenarioError as error:
            results.append({"file": str(file), "is_valid": False, "error": str(error)})
    problems = [str(result["error"]) for result in results if not result["is_valid"]]
    if json:
        print_json(results)
    else:
        for result in results:
            if result["is_valid"]:
                typer.echo(f"{visible(result['file'])}: {visible(_line(result))}")
        if len(problems) > 1:
            typer.echo("\n".join(visible(problem) for problem in problems))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ScenarioError(problems[0] + more)


def _summary(file: Path) -> dict[str, Any]:
    """Return what the scenario of a file holds."""
    from payment_simulator.errors import ScenarioError
    from payment_simulator.scenario import load_scenario
    from payment_simulator.simulation.sources import fixed_payments, make_sources

    scenario = load_scenario(file)
    try:
        # Some faults show only where sources are made: weights that events leave at nothing.
        make_sources(scenario)
    except ScenarioError as error:
        raise ScenarioError(f"{file}: {error}") from error
    return {
        "name": scenario.name,
        "banks": scenario.n_banks,
        "days": scenario.simulation.num_days,
        "ticks_per_day": scenario.simulation.ticks_per_day,
        "fixed_payments": len(fixed_payments(scenario)),
        "random_payments": round(_mean_of_random(scenario), 6),
        "skipped_lines": scenario.skipped_lines,
        "policies": {
            bank: policy.policy_id
            for bank, policy in zip(scenario.bank_ids, scenario.policies, strict=True)
        },
    }


def _mean_of_random(scenario: Scenario) -> float:
    """Return the mean number of random payments of a run, with the rates that events set."""
    from payment_simulator.scenario import expand_events
    from payment_simulator.scenario.event_kinds import (
        AgentArrivalRateChange,
        GlobalArrivalRateChange,
    )

    rates = {agent.id: sum(agent.rates_per_tick().values()) for agent in scenario.agents}
    factors = dict.fromkeys(rates, 1.0)
    mean, of_all, since = 0.0, 1.0, 0
    changes = [
        (tick, event)
        for tick, event in expand_events(scenario)
        if isinstance(event, AgentArrivalRateChange | GlobalArrivalRateChange)
    ]
    for tick, change in [*changes, (scenario.n_ticks, None)]:
        if tick > since:
            rate = sum(rates[bank] * factors[bank] for bank in rates)
            mean, since = mean + (tick - since) * of_all * rate, tick
        if isinstance(change, AgentArrivalRateChange):
            factors[change.agent] = change.multiplier
        elif change is not None:
            of_all = change.multiplier
    return mean


def _line(found: dict[str, Any]) -> str:
    """Return a summary in words."""
    parts = [
        "valid",
        counted(found["banks"], "bank"),
        f"{counted(found['days'], 'day')} of {counted(found['ticks_per_day'], 'tick')}",
    ]
    if found["fixed_payments"]:
        parts.append(counted(found["fixed_payments"], "fixed payment"))
    if found["random_payments"]:
        parts.append(f"about {found['random_payments']:,.0f} random payments")
    if not found["fixed_payments"] and not found["random_payments"]:
        parts.append("no payments")
    if found["skipped_lines"]:
        parts.append(f"{counted(found['skipped_lines'], 'line')} of the payments file skipped")
    uses = Counter(found["policies"].values())
    names = [f"{name} ({n:,})" if n > 1 else name for name, n in uses.most_common(_NAMED)]
    more = f" and {len(uses) - _NAMED} more" if len(uses) > _NAMED else ""
    return f"{', '.join(parts)}; policies: {', '.join(names)}{more}"
