"""``payment-sim equilibrium``: what no bank can gain from by deviating alone, on a grid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import JsonOption
from payment_simulator.cli.progress import progress_bar
from payment_simulator.wording import counted, money

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.equilibrium import BestResponse, GridEquilibrium
    from payment_simulator.scenario import Scenario

#: Samples of a scenario with random payments, where none are asked for.
DEFAULT_SAMPLES = 100
#: Points that are listed; JSON has all.
_LISTED = 20
#: Factors that are written out.
_FACTORS = 4
_FRACTION = "initial_liquidity_fraction"


def equilibrium(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    parameter: Annotated[
        str, typer.Option(metavar="NAME", help="The parameter of the policies that banks choose.")
    ] = _FRACTION,
    grid: Annotated[
        int, typer.Option(metavar="N", help="Values that each bank may choose from.")
    ] = 21,
    low: Annotated[float, typer.Option(metavar="X", help="The lowest value.")] = 0.0,
    high: Annotated[float, typer.Option(metavar="X", help="The highest value.")] = 1.0,
    bank: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BANK",
            help="A bank that chooses, may be repeated; all that have a choice if none is given.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            min=1,
            help=f"Random days to take means over; {DEFAULT_SAMPLES} if not given, "
            "1 where nothing is random.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Seed of the days; the scenario's if not given.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find the pure equilibria on a grid of a parameter."""
    from payment_simulator.ai_cash_mgmt.equilibrium import explore_grid, parameter_grid
    from payment_simulator.cli.output import print_json
    from payment_simulator.scenario import load_scenario

    values = parameter_grid(low, high, grid)
    loaded = load_scenario(scenario)
    with progress_bar("runs", shown=not json) as progress:
        found = explore_grid(
            loaded,
            parameter,
            values,
            banks=bank,
            samples=samples or (DEFAULT_SAMPLES if loaded.is_random else 1),
            seed=seed,
            progress=progress,
        )
    if json:
        print_json(found.to_dict())
    else:
        _print(found, loaded, values)


def _print(found: GridEquilibrium, scenario: Scenario, values: Sequence[float]) -> None:
    from payment_simulator.cli.output import print_facts, print_text

    optimum, shape = found.social_optimum, found.shape
    n_combinations = counted(math.prod(shape), "combination")
    factors = f" ({' x '.join(map(str, shape))})" if 1 < len(shape) <= _FACTORS else ""
    days = f"{counted(found.n_samples, 'sample')} (seed {found.seed})"
    print_facts(
        [
            ("scenario", scenario.name),
            ("choice", f"{found.parameter}, {_span(values)}"),
            ("banks", ", ".join(found.banks)),
            ("played", f"{n_combinations}{factors}, each on {days}"),
            ("pure equilibria", f"{len(found.pure_equilibria):,}"),
            ("social optimum", f"{money(optimum.total_cost)} at {_points(optimum.points)}"),
            ("price of anarchy", _anarchy(found.price_of_anarchy, found.price_of_anarchy_note)),
        ]
    )
    _print_equilibria(found)
    _print_responses(found)
    mean = "Means over samples. " if found.n_samples > 1 else ""
    print_text(f"{mean}Costs are in currency units (cents / 100).")


def _anarchy(ratio: float | None, note: str | None) -> str:
    return f"none: {note}" if ratio is None else f"{ratio:.6g}"


def _span(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.12g} alone"
    return f"{len(values):,} values from {values[0]:.12g} to {values[-1]:.12g}"


def _points(points: Sequence[Mapping[str, float]]) -> str:
    """Return the first of some points in words, with the number of the others."""
    more = f" (and {len(points) - 1:,} more)" if len(points) > 1 else ""
    return f"{_point(points[0])}{more}"


def _point(point: Mapping[str, float]) -> str:
    return ", ".join(f"{bank} {value:.12g}" for bank, value in point.items())


def _print_equilibria(found: GridEquilibrium) -> None:
    """Print the costs of every bank at each equilibrium."""
    from payment_simulator.cli.table import print_table

    listed = found.pure_equilibria[:_LISTED]
    if not listed:
        return
    rows: list[tuple[object, ...]] = []
    for number, outcome in enumerate(listed, start=1):
        for bank, cost in outcome.costs.items():
            value = f"{outcome.point[bank]:.12g}" if bank in outcome.point else "-"
            rows.append((number, bank, value, money(cost)))
        rows.append((number, "(all)", "", money(outcome.total_cost)))
    typer.echo("\nPure equilibria:")
    print_table(
        ["equilibrium", "bank", "value", "cost"],
        rows,
        numbers=["equilibrium", "value", "cost"],
        yielding=["bank"],
    )
    if len(found.pure_equilibria) > _LISTED:
        rest = len(found.pure_equilibria) - _LISTED
        typer.echo(f"And {rest:,} more equilibria; --json lists all.\n")


def _print_responses(found: GridEquilibrium) -> None:
    """Print what is best for each bank against what, like cases together."""
    from payment_simulator.cli.table import print_table

    rows = []
    for bank, responses in found.best_responses.items():
        cases: dict[tuple[float, ...], list[BestResponse]] = {}
        for response in responses:
            cases.setdefault(response.best, []).append(response)
        for best, those in cases.items():
            rows.append((bank, _runs(found.values[bank], best), _against(found, bank, those)))
    typer.echo(f"{'' if found.pure_equilibria else chr(10)}Best responses:")
    print_table(["bank", "best response", "against"], rows, yielding=["best response", "against"])


def _against(found: GridEquilibrium, bank: str, those: Sequence[BestResponse]) -> str:
    """Return the choices of the others in words: all of them, or how many combinations."""
    others = [other for other in found.banks if other != bank]
    n_all = len(found.best_responses[bank])
    if not others:
        return "no other bank chooses"
    if len(those) == n_all:
        return "all choices of the others"
    if len(others) == 1:
        chosen = [response.others[others[0]] for response in those]
        return f"{others[0]} {_runs(found.values[others[0]], chosen)}"
    return f"{len(those):,} of {n_all:,} combinations"


def _runs(values: Sequence[float], chosen: Sequence[float]) -> str:
    """Return values of a grid in words, neighbours joined: ``0, 0.15 to 0.3``."""
    runs: list[list[float]] = []
    is_open = False
    wanted = set(chosen)
    for value in values:
        if value in wanted and is_open:
            runs[-1].append(value)
        elif value in wanted:
            runs.append([value])
        is_open = value in wanted
    return ", ".join(
        f"{run[0]:.12g}" if len(run) == 1 else f"{run[0]:.12g} to {run[-1]:.12g}" for run in runs
    )
