"""What ``payment-sim simulate`` gives: one object for JSON, tables for people, files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from payment_simulator.wording import counted, money

if TYPE_CHECKING:
    from payment_simulator.policy import Policy
    from payment_simulator.scenario import Scenario
    from payment_simulator.simulation import Batch, Run

#: Banks that the table lists; JSON has all.
_LISTED = 60
#: Shares of a day's value of which it is said when they had settled.
_SHARES = (0.25, 0.5, 0.75)
_TABLES = ("payments", "events", "states", "daily_costs")


def result_of_run(run: Run) -> dict[str, Any]:
    """Return what a run came to, ready for JSON."""
    from payment_simulator.simulation.metrics import measures

    return _result(run.scenario, run.seed, 1, measures(run), run.total_costs)


def result_of_batch(
    scenario: Scenario, policies: tuple[Policy, ...], batch: Batch
) -> dict[str, Any]:
    """Return the means over the samples of a batch, with standard errors, ready for JSON."""
    from payment_simulator.simulation.metrics import batch_measures, liquidity_provided
    from payment_simulator.simulation.spread import mean

    provided = liquidity_provided(scenario, policies)
    found = batch_measures(batch, provided_cents=provided)
    totals = {bank: mean(batch.total_cost[:, 0, i]) for i, bank in enumerate(batch.bank_ids)}
    return _result(scenario, batch.seed, len(batch.samples), found, totals)


def _result(
    scenario: Scenario,
    seed: int,
    samples: int,
    found: dict[str, Any],
    totals: dict[str, float] | dict[str, float | None],
) -> dict[str, Any]:
    costs = found.pop("costs")
    return {
        "scenario": scenario.name,
        "seed": seed,
        "days": scenario.simulation.num_days,
        "samples": samples,
        "banks": {
            bank: {"costs": costs[bank], "total_cost": total} for bank, total in totals.items()
        },
        "measures": found,
    }


def write_run(run: Run, result: dict[str, Any], folder: Path) -> None:
    """Write the story of a run into a folder: Parquet, and a summary as JSON."""
    import json

    from payment_simulator.persistence.export import write_parquet

    folder.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        write_parquet(getattr(run, name)(), folder / f"{name}.parquet")
    summary = json.dumps(result, indent=2, ensure_ascii=False)
    (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")


def print_result(result: dict[str, Any], scenario: Scenario, folder: Path | None) -> None:
    """Print costs by bank and kind, and measures."""
    from payment_simulator.cli.output import print_facts, print_text

    played = f"{counted(result['days'], 'day')}, seed {result['seed']}"
    if result["samples"] > 1:
        played += f", means over {counted(result['samples'], 'sample')}"
    print_facts([("scenario", result["scenario"]), ("played", played)])
    _print_costs(result)
    print_facts(_facts(result["measures"], scenario))
    if result["samples"] > 1:
        print_text("Errors (std. error, +/-) are standard errors of the mean over samples.")
    print_text("Costs and liquidity are in currency units (cents / 100).")
    if folder is not None:
        files = ", ".join(_TABLES)
        print_text(f"In {folder}: {files} (Parquet), and summary.json.")


def _print_costs(result: dict[str, Any]) -> None:
    """Print a row for each bank, a column for each kind that any bank bears."""
    from payment_simulator.cli.output import print_text
    from payment_simulator.cli.table import print_table
    from payment_simulator.simulation import COST_KINDS

    banks, errors = result["banks"], result["measures"].get("total_cost_standard_errors")
    kinds = [kind for kind in COST_KINDS if any(of["costs"][kind] for of in banks.values())]
    titles = [kind.removesuffix("_penalty").replace("_", " ") for kind in kinds]
    rows = [
        [
            bank,
            *(money(of["costs"][kind]) for kind in kinds),
            money(of["total_cost"]),
            *([money(errors[bank])] if errors else []),
        ]
        for bank, of in list(banks.items())[:_LISTED]
    ]
    sums = [money(sum(of["costs"][kind] for of in banks.values())) for kind in kinds]
    whole = money(sum(of["total_cost"] for of in banks.values()))
    spread = [money(result["measures"]["standard_errors"]["total_cost"])] if errors else []
    rows.append(["(all)", *sums, whole, *spread])
    columns = ["bank", *titles, "total", *(["std. error"] if errors else [])]
    print_table(columns, rows, numbers=columns[1:], yielding=["bank"], optional=reversed(titles))
    if len(banks) > _LISTED:
        print_text(f"The first {_LISTED} of {len(banks)} banks; --json has all.")


def _facts(found: dict[str, Any], scenario: Scenario) -> list[tuple[str, str]]:
    """Return measures in words; one that is not defined is a dash."""

    def said(name: str, shape: str, rest: str = "") -> str:
        if found[name] is None:
            return "-"
        error = found.get("standard_errors", {}).get(name)
        # What does not vary has no error worth saying.
        give_or_take = f" (+/- {format(error, shape)})" if error else ""
        return f"{format(found[name], shape)}{give_or_take}{rest}"

    by_value = said("settlement_rate_by_value", ".1%", " of the value, ")
    payments = f" of {found['payments_due']:,.6g}"
    facts = [
        ("settled", by_value + said("on_time_rate_by_value", ".1%", " on time")),
        ("payments", said("settlement_rate_by_number", ".1%", payments)),
        ("delay", said("value_weighted_delay_ticks", ".2f", " ticks for a settled cent")),
        ("gross", said("gross_share", ".1%", " of the settled value")),
        ("by offsetting", said("offset_share", ".1%", " of the settled value")),
        ("liquidity used", f"{money(found['liquidity_used'])}, largest net debits of a day"),
        ("efficiency", said("liquidity_efficiency", ".2f", " settled for 1 used")),
        ("turnover", said("turnover_ratio", ".2f", " settled for 1 held at the open")),
        ("Gini", said("gini_of_liquidity_cost", ".2f", ", cost of liquidity over banks")),
    ]
    return facts + _facts_of_ticks(found, scenario) if "queues" in found else facts


def _facts_of_ticks(found: dict[str, Any], scenario: Scenario) -> list[tuple[str, str]]:
    """Return what only a single run tells: how the day went."""
    queues = found["queues"]
    waiting = (
        f"{queues['mean_number']:.1f} payments, {money(queues['mean_value'])} a tick; "
        f"at most {queues['peak_number']:,} and {money(queues['peak_value'])}"
    )
    curve = found["throughput"]
    if not curve:
        return [("waiting", waiting)]
    times = (
        f"{share:.0%} by tick {next(t for t, done in enumerate(curve) if done >= share)}"
        for share in _SHARES
    )
    length = scenario.simulation.ticks_per_day
    return [("waiting", waiting), ("throughput", f"{', '.join(times)} (0 to {length - 1})")]
