"""``payment-sim scenario``: check scenario files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import JsonOption

if TYPE_CHECKING:
    from payment_simulator.scenario import Scenario

app = typer.Typer(
    help="Check scenario files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


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
    """Check scenario files completely, their policies and payments too."""
    from payment_simulator.cli.output import counted, print_json, visible
    from payment_simulator.errors import ScenarioError
    from payment_simulator.scenario import load_scenario

    results, refused = [], []
    for file in files:
        try:
            found = _summary(load_scenario(file))
        except ScenarioError as error:
            refused.append(str(error))
            results.append({"file": str(file), "valid": False, "error": str(error)})
            continue
        results.append({"file": str(file), "valid": True, **found})
        if not json:
            payments = counted(found["fixed_payments"], "fixed payment")
            more = f" and about {found['random_payments']:,} random ones" * bool(
                found["random_payments"]
            )
            skipped = f"; {counted(found['skipped_lines'], 'line')} skipped"
            typer.echo(
                f"{visible(file)}: valid, {counted(found['banks'], 'bank')}, "
                f"{counted(found['days'], 'day')} of {counted(found['ticks_per_day'], 'tick')}, "
                f"{payments}{more}{skipped * bool(found['skipped_lines'])}"
            )
    if json:
        print_json(results)
    if refused:
        if len(refused) > 1:
            typer.echo("\n".join(visible(text) for text in refused[1:]), err=True)
        raise ScenarioError(refused[0])


def _summary(scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario holds."""
    from payment_simulator.simulation.sources import fixed_payments, make_sources

    rates = make_sources(scenario).shape[:, 0]
    return {
        "name": scenario.name,
        "banks": scenario.n_banks,
        "days": scenario.simulation.num_days,
        "ticks_per_day": scenario.simulation.ticks_per_day,
        "fixed_payments": len(fixed_payments(scenario)),
        "random_payments": round(float(rates.sum()) * scenario.n_ticks),
        "skipped_lines": scenario.skipped_lines,
        "policies": {
            bank: policy.policy_id
            for bank, policy in zip(scenario.bank_ids, scenario.policies, strict=True)
        },
    }
