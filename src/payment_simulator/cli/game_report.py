"""What a game came to, for a person: who improved by how much, and what to look at next."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from payment_simulator.cli.options import DEFAULT_DATABASE
from payment_simulator.cli.output import print_facts, program, room
from payment_simulator.cli.table import least_width, print_table
from payment_simulator.wording import counted, money, visible

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt.record.result import BankResult, GameResult
    from payment_simulator.analysis.overview import GameOverview

#: Banks that the table lists; JSON has all.
_LISTED = 40
_HOW = {
    "converged": "converged: policies and costs were stable",
    "completed": "completed: played to the last iteration",
}


def print_result(result: GameResult, digest: str, path: Path) -> None:
    """Print how a game ended, and the next commands to try."""
    print_facts(
        [
            ("game", result.game_id),
            ("ended", f"{_how(result)} after {counted(result.iterations, 'iteration')}"),
        ]
    )
    print_banks(result.banks)
    print_facts([*_sums(result), ("digest", digest)])
    has_interval = any(bank.interval for bank in result.banks.values())
    note = "Means of held-out days, with a confidence interval. " if has_interval else ""
    typer.echo(f"{note}Costs are in currency units (cents / 100).")
    typer.echo(f"\nEvery step is in {visible(path)}. Next:")
    for command in ("show", "verify"):
        typer.echo(f"  {command_for(command, result.game_id, path)}")


def _how(result: GameResult) -> str:
    if result.cycle is not None:
        return f"completed: {result.cycle.describe()};"
    return _HOW[result.status]


def command_for(command: str, game_id: str, path: Path) -> str:
    """Return a command on a game as a person types it, with its database where it needs one."""
    words = [command, game_id, *([] if path == DEFAULT_DATABASE else ["--db", str(path)])]
    return visible(f"{program()} {shlex.join(words)}")


def go_on_of(overview: GameOverview, path: Path) -> str | None:
    """Return the command that goes on with a game; None where it is being played or has ended."""
    from payment_simulator.analysis.game_state import can_go_on

    if not can_go_on(overview.state):
        return None
    command = command_for("resume", overview.session.game_id, path)
    return " ".join([command, *overview.resume_options])


def print_banks(found: Mapping[str, BankResult]) -> None:
    """Print what each bank paid at the start and at the end, and the parameters it ended with."""
    banks = list(found.items())
    columns = ["bank", "start cost", "final cost", "improvement"]
    costs = [
        (name, money(bank.start_cost), money(bank.final_cost), _improvement(bank))
        for name, bank in banks[:_LISTED]
    ]
    ended = [(name, _parameters(bank)) for name, bank in banks[:_LISTED]]
    whole = [(*row, parameters) for row, (_, parameters) in zip(costs, ended, strict=True)]
    numbers = ["start cost", "final cost", "improvement"]
    if least_width([*columns, "parameters"], whole) <= room():
        print_table([*columns, "parameters"], whole, numbers=numbers)
    else:
        print_table(columns, costs, numbers=numbers, yielding=["bank"])
        print_table(
            ["bank", "parameters at the end"],
            [row for row in ended if row[1]],
            yielding=["bank", "parameters at the end"],
        )
    if len(banks) > _LISTED:
        typer.echo(f"and {len(banks) - _LISTED} more banks; --json has all.")


def _parameters(bank: BankResult) -> str:
    """Return the parameters that were played for; all others are what they were."""
    return ", ".join(
        f"{name} {value:.6g}"
        for name, value in bank.parameters.items()
        if name in bank.optimized and isinstance(value, int | float)
    )


def _improvement(bank: BankResult) -> str:
    gain = money(bank.start_cost - bank.final_cost)
    if bank.interval is None:
        return gain
    low, high = bank.interval
    return f"{gain} [{money(low)}, {money(high)}]"


def _sums(result: GameResult) -> list[tuple[str, object]]:
    start = sum(bank.start_cost for bank in result.banks.values())
    sums: list[tuple[str, object]] = [
        ("all banks", f"{money(start)} at the start, {money(result.final_cost)} at the end")
    ]
    found = result.certified
    words = "not asked for (key equilibrium)" if found is None else found.describe()
    return [*sums, ("distance from equilibrium", words)]
