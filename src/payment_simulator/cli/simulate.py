"""``payment-sim simulate``: play a scenario, once or on many random days."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payment_simulator.cli.options import JsonOption
from payment_simulator.cli.progress import progress_bar
from payment_simulator.wording import counted, nearest, quoted, visible

if TYPE_CHECKING:
    from payment_simulator.policy import Policy
    from payment_simulator.scenario import Scenario
    from payment_simulator.simulation import Batch, Run

#: How often the bar of a single run moves.
_STEPS = 20


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
    from payment_simulator.cli.simulate_report import (
        print_result,
        result_of_batch,
        result_of_run,
        write_run,
    )
    from payment_simulator.scenario import load_scenario
    from payment_simulator.simulation.simulator import resolve_policies

    _check_folder(output, samples)
    loaded, notes = _with_days(load_scenario(scenario), days)
    policies = resolve_policies(loaded, _policies(policy or [], loaded))
    if loaded.skipped_lines:
        notes.append(f"lines of the payments file that were skipped: {loaded.skipped_lines:,}")
    if samples > 1:
        batch = _play_batch(loaded, policies, seed, samples, is_quiet=json)
        result = result_of_batch(loaded, policies, batch)
    else:
        run = _play(loaded, policies, seed, is_quiet=json)
        result = result_of_run(run)
        if output is not None:
            write_run(run, result, output)
    if json:
        print_json(result)
    else:
        print_result(result, loaded, output)
    for note in notes:
        typer.echo(f"Note: {visible(note)}", err=True)


def _with_days(loaded: Scenario, days: int | None) -> tuple[Scenario, list[str]]:
    """Return the scenario with another number of days, and what is not reached any more."""
    from dataclasses import replace

    from pydantic import ValidationError

    from payment_simulator.errors import InputError
    from payment_simulator.scenario.check import check_money
    from payment_simulator.scenario.places import Misplaced

    if days is None:
        return loaded, []
    try:
        config = type(loaded.simulation).model_validate(
            {**loaded.simulation.model_dump(), "num_days": days}
        )
        changed = loaded.model_copy(update={"simulation": config})
        payments = tuple(p for p in loaded.payments if p.tick < changed.n_ticks)
        check_money(changed, payments)
    except ValidationError as error:
        raise InputError(f"--days {days}: {error.errors()[0]['msg']}") from error
    except Misplaced as error:
        raise InputError(f"--days {days}: {error.problem}") from error
    events = [event for event in changed.scenario_events if not event.ticks(changed.n_ticks)]
    left_out = {
        "scheduled event": len(events),
        "payment": len(loaded.payments) - len(payments),
    }
    notes = [
        f"left out, after the last day played: {counted(number, thing)}"
        for thing, number in left_out.items()
        if number
    ]
    return changed.with_loaded(replace(loaded.loaded, payments=payments)), notes


def _policies(given: list[str], loaded: Scenario) -> dict[str, Policy]:
    """Return the policies that options name, by bank, each checked against the scenario."""
    from payment_simulator.cli.policy import text_of
    from payment_simulator.errors import InputError
    from payment_simulator.policy import parse_policy
    from payment_simulator.scenario import policy_problems

    chosen: dict[str, Policy] = {}
    for option in given:
        bank, equals, file = option.partition("=")
        if not (bank and equals and file):
            raise InputError(
                f"--policy {option}: expected BANK=FILE, for example {loaded.bank_ids[0]}=cautious"
            )
        if bank not in loaded.bank_ids:
            near = nearest(bank, loaded.bank_ids)
            raise InputError(
                f"--policy {option}: bank {quoted(bank)} is not in scenario "
                f"{quoted(loaded.name)}; {near}"
            )
        if bank in chosen:
            raise InputError(f"--policy {option}: bank {quoted(bank)} is given twice")
        text, name = text_of(file)
        policy = parse_policy(text, where=name)
        problems = policy_problems(policy, loaded)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise InputError(f"--policy {option}: {problems[0]}{more}")
        chosen[bank] = policy
    return chosen


def _check_folder(output: Path | None, samples: int) -> None:
    """Refuse, before anything is played, a place that results could not go to."""
    from payment_simulator.errors import InputError

    if output is None:
        return
    if samples > 1:
        raise InputError(
            "--output writes the story of one run; leave --samples out, or take --json for means"
        )
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        kind = "a folder that is not empty" if output.is_dir() else "not a folder"
        raise InputError(f"--output {output}: it is {kind}; expected an empty or a new folder")


def _play(
    loaded: Scenario, policies: tuple[Policy, ...], seed: int | None, *, is_quiet: bool
) -> Run:
    """Play one run; on a terminal in steps, which give the same bits."""
    from payment_simulator.simulation import Simulation

    simulation = Simulation(loaded, policies, seed=seed)
    with progress_bar("ticks", shown=not is_quiet) as progress:
        if progress is not None:
            step = -(-loaded.n_ticks // _STEPS)
            for end in range(step, loaded.n_ticks, step):
                simulation.run_until(end)
                progress(end, loaded.n_ticks)
        return simulation.run_until().result()


def _play_batch(
    loaded: Scenario,
    policies: tuple[Policy, ...],
    seed: int | None,
    samples: int,
    *,
    is_quiet: bool,
) -> Batch:
    from payment_simulator.simulation import simulate_batch

    with progress_bar("samples", shown=not is_quiet) as progress:
        return simulate_batch(
            loaded,
            [policies],
            samples=samples,
            seed=seed,
            progress=None if progress is None else lambda done: progress(done, samples),
        )
