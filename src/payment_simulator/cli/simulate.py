"""``payment-sim simulate``: play a scenario, once or on many random days."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import JsonOption
from payment_simulator.cli.progress import progress_bar

if TYPE_CHECKING:
    from payment_simulator.policy import Policy
    from payment_simulator.scenario import Scenario
    from payment_simulator.simulation import Batch, Run

#: Banks that the table lists; JSON has all.
_LISTED = 60


def simulate(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.")],
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed of the arrivals; the scenario's if not given."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Days to play instead of the scenario's.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="BANK=FILE",
            help="A bank's policy, from a file or built in, instead of its own; may be repeated.",
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(metavar="K", min=1, help="Random runs to take means over.")
    ] = 1,
    json: JsonOption = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="An empty or new folder for payments, events, states and costs (Parquet).",
        ),
    ] = None,
) -> None:
    """Play a scenario and show what it costs whom."""
    from payment_simulator.cli.output import print_json
    from payment_simulator.scenario import load_scenario
    from payment_simulator.simulation import simulate as play
    from payment_simulator.simulation.simulator import resolve_policies

    loaded = load_scenario(scenario)
    if days is not None:
        loaded = _with_days(loaded, scenario, days)
    policies = resolve_policies(loaded, _policies(policy or []))
    folder = _new_folder(output)
    if folder is not None and samples > 1:
        raise typer.BadParameter("--output writes one run; leave --samples out")
    if samples > 1:
        result = _of_batch(loaded, _play_batch(loaded, policies, seed, samples, json))
    else:
        run = play(loaded, policies, seed=seed)
        result = _of_run(run)
        if folder is not None:
            _write(run, result, folder)
    if json:
        print_json({key: value for key, value in result.items() if key != "errors"})
    else:
        _print(result, folder)


def _with_days(loaded: Scenario, path: Path, days: int) -> Scenario:
    """Return the scenario with another number of days, checked again."""
    from payment_simulator.scenario import parse_scenario

    keys = loaded.model_dump(mode="json", by_alias=True, exclude_unset=True)
    keys.setdefault("name", loaded.name)
    keys["simulation"]["num_days"] = days
    return parse_scenario(keys, where=f"{path} with --days {days}", folder=path.parent)


def _policies(given: list[str]) -> dict[str, Policy]:
    """Return the policies that options name, by bank."""
    from payment_simulator.policy import builtin, builtin_names, load_policy

    chosen: dict[str, Policy] = {}
    for text in given:
        bank, equals, name = text.partition("=")
        if not (bank and equals and name):
            raise typer.BadParameter(
                f"{text!r} is not BANK=FILE, for example BANK_A=cautious", param_hint="--policy"
            )
        if bank in chosen:
            raise typer.BadParameter(f"bank {bank!r} is given twice", param_hint="--policy")
        is_builtin = name in builtin_names() and not Path(name).exists()
        chosen[bank] = builtin(name) if is_builtin else load_policy(Path(name))
    return chosen


def _new_folder(output: Path | None) -> Path | None:
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise typer.BadParameter(
            f"{str(output)!r} is there and not an empty folder; name a new one",
            param_hint="--output",
        )
    return output


def _play_batch(
    loaded: Scenario, policies: tuple[Policy, ...], seed: int | None, samples: int, json: bool
) -> Batch:
    from payment_simulator.simulation import simulate_batch

    with progress_bar("samples", shown=not json) as progress:
        return simulate_batch(
            loaded,
            [policies],
            samples=samples,
            seed=seed,
            progress=None if progress is None else lambda done: progress(done, samples),
        )


def _head(scenario: Scenario, seed: int, samples: int) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "seed": seed,
        "days": scenario.simulation.num_days,
        "samples": samples,
    }


def _of_run(run: Run) -> dict[str, Any]:
    from payment_simulator.simulation.metrics import measures

    banks = {
        bank: {"costs": costs, "total_cost": run.total_costs[bank]}
        for bank, costs in run.costs.items()
    }
    head = _head(run.scenario, run.seed, 1)
    return {**head, "banks": banks, "measures": measures(run)}


def _of_batch(scenario: Scenario, batch: Batch) -> dict[str, Any]:
    """Return means over the samples, and the standard error of each bank's total."""
    from payment_simulator.simulation import COST_KINDS
    from payment_simulator.simulation.metrics import batch_measures

    n = len(batch.samples)
    costs = batch.cost[:, 0].mean(axis=0)
    totals = batch.total_cost[:, 0]
    errors = (totals.std(axis=0, ddof=1) / math.sqrt(n)).tolist()
    banks = {
        bank: {
            "costs": dict(zip(COST_KINDS, costs[i].tolist(), strict=True)),
            "total_cost": float(totals[:, i].mean()),
        }
        for i, bank in enumerate(batch.bank_ids)
    }
    by_bank = dict(zip(batch.bank_ids, errors, strict=True))
    found = {**batch_measures(batch), "standard_error_of_total_cost": by_bank}
    return {**_head(scenario, batch.seed, n), "banks": banks, "measures": found, "errors": by_bank}


def _write(run: Run, result: dict[str, Any], folder: Path) -> None:
    """Write the story of a run into a folder."""
    import json as text

    from payment_simulator.persistence.export import write_parquet

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("payments", "events", "states", "daily_costs"):
        write_parquet(getattr(run, name)(), folder / f"{name}.parquet")
    summary = text.dumps(result, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")


def _print(result: dict[str, Any], folder: Path | None) -> None:
    from payment_simulator.cli.output import counted, print_facts, print_text

    several = result["samples"] > 1
    played = f"{counted(result['days'], 'day')}, seed {result['seed']}"
    if several:
        played += f", means over {counted(result['samples'], 'sample')}"
    print_facts([("scenario", result["scenario"]), ("played", played)])
    _print_costs(result)
    print_facts(_facts(result["measures"]))
    print_text("Costs and liquidity are in currency units (cents / 100).")
    if folder is not None:
        print_text(f"Payments, events, states and daily costs are in {folder}.")


def _print_costs(result: dict[str, Any]) -> None:
    from payment_simulator.cli.output import money, print_table, print_text
    from payment_simulator.simulation import COST_KINDS

    banks = result["banks"]
    kinds = [k for k in COST_KINDS if any(bank["costs"][k] for bank in banks.values())]
    titles = [kind.replace("_", " ") for kind in kinds]
    error = ["std. error"] if "errors" in result else []
    rows = [
        [
            bank,
            *(money(of["costs"][kind]) for kind in kinds),
            money(of["total_cost"]),
            *([money(result["errors"][bank])] if error else []),
        ]
        for bank, of in list(banks.items())[:_LISTED]
    ]
    columns = ["bank", *titles, "total", *error]
    print_table(columns, rows, numbers=columns[1:], yielding=["bank"], optional=reversed(titles))
    if len(banks) > _LISTED:
        print_text(f"The first {_LISTED} of {len(banks)} banks; --json has all.")


def _facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    from payment_simulator.cli.output import money

    efficiency, turnover = found["liquidity_efficiency"], found.get("turnover_ratio")
    settled = (
        f"{found['settlement_rate_by_number']:.1%} of payments, "
        f"{found['settlement_rate_by_value']:.1%} of value; "
        f"{found['on_time_rate_by_value']:.1%} on time"
    )
    facts = [
        ("settled", settled),
        ("delay", f"{found['value_weighted_delay_ticks']:.2f} ticks for a settled cent"),
        ("liquidity used", money(found["liquidity_used"])),
        ("efficiency", "-" if efficiency is None else f"{efficiency:.2f} settled for 1 used"),
        ("by offsetting", f"{found['offset_share']:.1%} of settled value"),
    ]
    if turnover is not None:
        facts.append(("turnover", f"{turnover:.2f} settled for 1 held at the open"))
    if "queues" in found:
        queues = found["queues"]
        facts.append(
            (
                "waiting",
                f"{queues['mean_number']:.1f} payments a tick, {queues['peak_number']:.0f} at most",
            )
        )
    return facts
